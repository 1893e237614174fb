//! What the debugger shows as data, while other clients go on.

mod common;

use common::engine::TestClock;
use evalsha::cli::session::{Session, State};
use evalsha::script::ldb::view::{Shown, Variable, View, view};
use evalsha::server::Server;

const SCRIPT: &str = "local seen, total = {}, 0
seen.itself = seen
local function add(n)
  total = total + n
  seen[#seen + 1] = n
  return total
end
for i = 1, 3 do
  redis.call('SET', KEYS[1], add(i * 10))
end
return {total, redis.call('GET', KEYS[1])}";

struct Terminals {
    server: Server,
    clock: TestClock,
    sessions: Vec<Session>,
}

impl Terminals {
    fn open(count: usize) -> Terminals {
        let clock = TestClock::new();
        let mut server = Server::new(1, Box::new(clock.clone()));
        let sessions = (0..count).map(|_| Session::open(&mut server)).collect();
        Terminals { server, clock, sessions }
    }

    /// What a terminal prints when a line is typed into it.
    fn type_in(&mut self, terminal: usize, line: &str) -> String {
        let session = &mut self.sessions[terminal];
        let mut text = session.send(&mut self.server, line.as_bytes()).text;
        for _ in 0..1000 {
            if session.state() != State::Waiting {
                break;
            }
            self.clock.advance(std::time::Duration::from_millis(1));
            self.server.run(100_000);
            let more = session.take(&mut self.server);
            text.extend(more.map_or_else(Vec::new, |output| output.text));
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn view(&mut self, terminal: usize) -> Option<View> {
        view(&mut self.server, self.sessions[terminal].client()?)
    }

    /// Starts to debug the script in the first terminal.
    fn debug(&mut self, mode: &str) {
        self.type_in(0, mode);
        let argv = ["EVAL", SCRIPT, "1", "k", "x", "y"].map(|word| word.as_bytes().to_vec());
        self.sessions[0].send_arguments(&mut self.server, argv.to_vec());
        self.type_in(0, "");
    }
}

fn names(variables: &[Variable]) -> Vec<&str> {
    variables.iter().map(|variable| &variable.name[..]).collect()
}

fn texts(shown: &Shown) -> Vec<(&str, &str)> {
    shown.fields.iter().map(|field| (&field.key.text[..], &field.value.text[..])).collect()
}

#[test]
fn a_stopped_script_is_shown_as_data() {
    let mut terminals = Terminals::open(1);
    assert_eq!(terminals.view(0), None);
    terminals.debug("SCRIPT DEBUG YES");
    for line in ["b 5", "when 5 n == 20", "b 11", "c"] {
        terminals.type_in(0, line);
    }
    let view = terminals.view(0).expect("it has stopped");
    assert_eq!((view.line, view.frame, view.source.len()), (5, 0, 11));
    assert_eq!(view.source[4], "  seen[#seen + 1] = n");
    let breakpoints: Vec<_> = view
        .breakpoints
        .iter()
        .map(|breakpoint| (breakpoint.line, breakpoint.condition.as_deref()))
        .collect();
    assert_eq!(breakpoints, [(5, Some("n == 20")), (11, None)]);
    assert_eq!(view.calls, ["SET k 10 -> \"+OK\""]);
    let frames: Vec<_> = view.frames.iter().map(|frame| (&frame.name[..], frame.line)).collect();
    assert_eq!(frames, [("add", 5), ("top level", 9)]);
    let [add, top] = &view.frames[..] else { panic!("there are two") };
    assert_eq!((names(&add.locals), names(&add.upvalues)), (vec!["n"], vec!["total", "seen"]));
    assert_eq!(names(&top.locals), ["seen", "total", "add", "i"]);
    let [n] = &add.locals[..] else { panic!("there is one") };
    assert_eq!((n.value.kind, &n.value.text[..]), ("number", "20"));
    let seen = &top.locals[0].value;
    assert_eq!((seen.kind, texts(seen)[0]), ("table", ("1", "10")));
    // A table in itself is shown some levels deep.
    let mut inner = seen;
    for _ in 0..4 {
        assert!(!inner.has_more);
        inner = &inner.fields.last().expect("it has itself").value;
    }
    assert!(inner.has_more && inner.fields.is_empty());
    let globals: Vec<_> =
        view.globals.iter().map(|global| (&global.name[..], texts(&global.value))).collect();
    assert_eq!(globals, [("KEYS", vec![("1", "k")]), ("ARGV", vec![("1", "x"), ("2", "y")])]);
    terminals.type_in(0, "frame 1");
    assert_eq!(terminals.view(0).map(|view| view.frame), Some(1));
    terminals.type_in(0, "back");
    let view = terminals.view(0).expect("it has stopped");
    assert_eq!((view.line, view.frame), (4, 0));
    terminals.type_in(0, "c");
    terminals.type_in(0, "c");
    assert_eq!(terminals.view(0).map(|view| view.line), Some(11));
    let end = terminals.type_in(0, "c");
    assert!(end.contains("1) (integer) 60\n2) \"60\"\n"), "{end}");
    assert_eq!(terminals.view(0), None);
}

/// A forked session leaves the server to the others, and nothing of it stays; during one whose changes stay they wait.
#[test]
fn other_clients_go_on_or_wait() {
    let mut terminals = Terminals::open(2);
    terminals.type_in(1, "SET k before");
    terminals.debug("SCRIPT DEBUG YES");
    terminals.type_in(0, "b 11");
    terminals.type_in(0, "c");
    assert_eq!(terminals.type_in(0, "r GET k"), "<redis> GET k\n<reply> \"60\"\n");
    assert_eq!(terminals.type_in(1, "GET k"), "\"before\"\n");
    assert_eq!(terminals.type_in(1, "SET k meanwhile"), "OK\n");
    assert_eq!(terminals.view(1), None);
    terminals.type_in(0, "back");
    assert_eq!(terminals.type_in(1, "GET k"), "\"meanwhile\"\n");
    terminals.type_in(0, "c");
    terminals.type_in(0, "c");
    assert_eq!(terminals.type_in(0, "GET k"), "\"meanwhile\"\n");

    terminals.debug("SCRIPT DEBUG SYNC");
    let waits = terminals.sessions[1].send(&mut terminals.server, b"GET k");
    assert_eq!((waits.text, waits.state == State::Waiting), (Vec::new(), true));
    let refused = terminals.type_in(0, "back");
    assert_eq!(refused, "What has been changed for good cannot be taken back.\n");
    terminals.type_in(0, "c");
    assert_eq!(terminals.type_in(1, ""), "\"60\"\n");
}
