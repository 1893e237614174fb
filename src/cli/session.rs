//! One redis-cli that talks to a server in the same process.

use super::debugger::{self, BANNER, Debugging, PROMPT, REFUSAL, Role};
use super::print::{self, Printing};
use super::terminal::{ADDRESS, Entered, Terminal};
use super::{help, split};
use crate::error::Error;
use crate::number::{c_string, fixed};
use crate::resp::Reply;
use crate::server::Server;
use crate::server::client::ClientId;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Replies that are printed in one go; a million repetitions then leave the thread free in between.
const REPLIES_AT_ONCE: usize = 200;

/// Bytes after which no more replies are printed in one go.
const TEXT_AT_ONCE: usize = 1 << 20;

/// Bytes of a reply that are printed in one go; a long reply then leaves the thread free in between.
const PORTION: usize = 1 << 18;

/// What a terminal shows next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// What is printed, as redis-cli does it: mostly ASCII, but a status may hold any byte. It ends with a newline
    /// except after the few commands that print raw text without one, where redis-cli has the prompt on that line.
    pub text: Vec<u8>,
    /// False if an error is among what was printed.
    pub ok: bool,
    /// What the lines are about, as far as they are the debugger's; those behind are nothing special.
    pub roles: Vec<Role>,
    /// What the terminal does now.
    pub state: State,
    /// The screen is cleared.
    pub clear: bool,
    /// What runs has written and cannot be killed: only SHUTDOWN NOSAVE ends it.
    pub unkillable: bool,
}

/// What a terminal does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits for a line.
    Ready,
    /// A reply is missing: it comes by [`Session::take`] after some slices of the server's time.
    Waiting,
    /// `exit` or `quit` has ended it.
    Closed,
}

/// A terminal with redis-cli, connected to a server.
///
/// The suffix `(1.23s)` that redis-cli prints behind slow replies is left out: it says how fast the machine is, and
/// equal input would no longer give equal output.
pub struct Session {
    terminal: Terminal,
    client: Option<ClientId>,
    /// The command whose reply is missing.
    request: Option<Request>,
    /// What was entered in the meantime.
    lines: VecDeque<Line>,
    /// SCRIPT DEBUG: the next EVAL will be debugged, and whether its changes will be kept.
    debugs: Option<bool>,
    /// The script that is debugged.
    debugging: Option<Debugging>,
    /// The script that was debugged last.
    debugged: Option<Debugging>,
    closed: bool,
}

/// What can be entered.
enum Line {
    /// As it was typed.
    Typed(Vec<u8>),
    /// A command's arguments, split by somebody else.
    Split(Vec<Vec<u8>>),
}

#[derive(Default)]
struct Request {
    argv: Vec<Vec<u8>>,
    /// Replies that are missing, the one of the command that runs included.
    left: i64,
    /// It has been sent, and not been answered.
    sent: bool,
    /// Its reply is not shown.
    silent: bool,
    /// It has been answered, and messages are read until Ctrl-C.
    reads: bool,
    /// Messages were read, or would have been.
    has_read: bool,
    /// When the first was sent, in microseconds.
    started: Option<u64>,
    /// Its reply, which is being printed.
    printing: Option<Printing>,
}

impl Request {
    fn new(argv: Vec<Vec<u8>>, times: i64) -> Request {
        Request { argv, left: times, ..Request::default() }
    }

    /// Whether redis-cli reads messages behind the reply, and says so.
    fn listens(&self) -> Option<bool> {
        let name = self.argv.first().filter(|_| !self.has_read)?;
        let is = |word: &&str| name.eq_ignore_ascii_case(word.as_bytes());
        if ["subscribe", "psubscribe", "ssubscribe"].iter().any(is) {
            Some(true)
        } else {
            is(&"monitor").then_some(false)
        }
    }

    /// Messages are not read any more. What is left of its repetitions is done like any other command; MONITOR has none.
    fn stop_reading(&mut self) {
        if self.listens() == Some(false) {
            self.left = 1;
        }
        (self.reads, self.has_read) = (false, true);
    }
}

/// From so many microseconds on redis-cli says how long a command took.
const SLOW: u64 = 500_000;

/// Prints a text of redis-cli's own.
fn say(output: &mut Output, text: &str) {
    output.text.extend_from_slice(text.as_bytes());
}

/// Says how long it took since then, if it was long.
fn say_time(server: &Server, started: Option<u64>, output: &mut Output) {
    let took = started.map_or(0, |started| server.clocked().saturating_sub(started));
    if took >= SLOW {
        say(output, &format!("({}s)\n", fixed(took as f64 / 1_000_000.0, 2)));
    }
}

fn count_lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

impl Session {
    /// Starts redis-cli: a new client of the server.
    pub fn open(server: &mut Server) -> Session {
        Session {
            terminal: Terminal::default(),
            client: Some(server.connect(ADDRESS)),
            request: None,
            lines: VecDeque::new(),
            debugs: None,
            debugging: None,
            debugged: None,
            closed: false,
        }
    }

    /// Ends redis-cli: its client is disconnected.
    pub fn close(&mut self, server: &mut Server) {
        self.closed = true;
        self.request = None;
        self.lines.clear();
        if let Some(client) = self.client.take() {
            server.disconnect(client);
        }
    }

    /// Its client, while it is connected.
    pub fn client(&self) -> Option<ClientId> {
        self.client
    }

    /// The prompt with the space behind it.
    pub fn prompt(&self) -> Cow<'static, str> {
        if self.debugging.is_some() {
            PROMPT.into()
        } else if self.client.is_none() {
            "not connected> ".into()
        } else {
            self.terminal.prompt()
        }
    }

    /// Whether grey hints are wanted: `:set hints`, which is how redis-cli starts, and `:set nohints`.
    pub fn hints(&self) -> bool {
        self.terminal.hints()
    }

    /// What the terminal does.
    pub fn state(&self) -> State {
        match (self.closed, &self.request) {
            (true, _) => State::Closed,
            (false, Some(_)) => State::Waiting,
            (false, None) => State::Ready,
        }
    }

    /// A line was typed, without the newline at its end. While a reply is missing it waits for its turn.
    pub fn send(&mut self, server: &mut Server, line: &[u8]) -> Output {
        self.send_line(server, Line::Typed(line.to_vec()))
    }

    /// A command whose arguments are known one by one; otherwise as [`Session::send`].
    pub fn send_arguments(&mut self, server: &mut Server, argv: Vec<Vec<u8>>) -> Output {
        self.send_line(server, Line::Split(argv))
    }

    fn send_line(&mut self, server: &mut Server, line: Line) -> Output {
        self.lines.push_back(line);
        let mut output = self.output();
        if self.request.is_none() {
            self.run(server, &mut output);
        }
        output
    }

    /// Whether [`Session::take`] would go on at once, without any time of the server's.
    pub fn is_pending(&self, server: &Server) -> bool {
        let client = self.client.and_then(|client| server.client(client));
        let answered = client.is_some_and(|client| client.unsent() > 0);
        match &self.request {
            Some(request) => {
                !request.sent || request.printing.is_some() || client.is_none() || answered
            }
            None => !self.lines.is_empty() || answered,
        }
    }

    /// What has come since; `None` if nothing has.
    pub fn take(&mut self, server: &mut Server) -> Option<Output> {
        let before = self.state();
        let mut output = self.output();
        self.run(server, &mut output);
        let changed = output.state != before || !output.text.is_empty() || output.clear;
        changed.then_some(output)
    }

    /// Ctrl-C. Where redis-cli would end and leave its script to run, this stops the script as SCRIPT KILL does, and
    /// says so if it cannot be stopped; whatever else is waited for is given up with the connection. The repetitions of a command and the lines typed ahead are dropped.
    pub fn interrupt(&mut self, server: &mut Server) -> Output {
        self.lines.clear();
        let mut output = self.output();
        if self.request.is_some() && self.debugging.is_some() {
            self.end_debugging(server, &mut output);
        }
        if let Some(mut request) = self.request.take_if(|request| request.reads) {
            self.terminal.forget_transaction();
            self.reconnect(server);
            request.stop_reading();
            request.left -= 1;
            if request.left > 0 {
                request.sent = false;
                self.request = Some(request);
            } else {
                say_time(server, request.started, &mut output);
            }
        } else if let Some(request) = &mut self.request {
            request.left = 1;
            if request.sent {
                match self.client.map(|client| server.kill_script(client)) {
                    Some(Ok(())) => {}
                    Some(Err(error)) if error == Error::UNKILLABLE => {
                        output.ok = false;
                        output.unkillable = true;
                        output.text = print::print(Reply::Error(error.0));
                    }
                    _ => {
                        self.request = None;
                        self.terminal.forget_transaction();
                        self.reconnect(server);
                    }
                }
            } else {
                self.request = None;
            }
        }
        self.run(server, &mut output);
        output
    }

    fn output(&self) -> Output {
        let state = self.state();
        Output {
            text: Vec::new(),
            ok: true,
            state,
            clear: false,
            unkillable: false,
            roles: Vec::new(),
        }
    }

    /// Goes on with what there is to do, as far as it goes now.
    fn run(&mut self, server: &mut Server, output: &mut Output) {
        let mut replies = 0;
        while !self.closed && replies < REPLIES_AT_ONCE && output.text.len() < TEXT_AT_ONCE {
            if self.request.is_some() {
                if !self.answer(server, output) {
                    break;
                }
                replies += 1;
            } else if let Some(line) = self.lines.pop_front() {
                match line {
                    Line::Typed(line) => self.enter(server, &line, output),
                    Line::Split(argv) if argv.is_empty() => {}
                    Line::Split(argv) => self.request = Some(Request::new(argv, 1)),
                }
            } else {
                // Messages that nobody asked for.
                while let Some(reply) = self.client.and_then(|client| server.take_reply(client)) {
                    output.text.extend_from_slice(&print::print(reply));
                }
                break;
            }
        }
        output.state = self.state();
    }

    fn enter(&mut self, server: &mut Server, line: &[u8], output: &mut Output) {
        let words = split::split(line).unwrap_or_default();
        let is = |word: &str| words.first().is_some_and(|first| c_string(first) == word.as_bytes());
        if self.debugging.is_some() && (is("quit") || is("exit")) {
            return self.end_debugging(server, output);
        }
        let last = self.debugging.clone().or_else(|| self.debugged.clone());
        if let Some(last) = last.filter(|_| is("restart")) {
            return self.debug_again(server, last, output);
        }
        if self.debugging.is_none()
            && let Some(debugging) = Debugging::typed(&words)
        {
            return self.debug(server, debugging);
        }
        if self.debugging.is_some() && !is("clear") {
            match debugger::arguments(line) {
                Some(argv) if argv.is_empty() => {}
                Some(argv) => self.request = Some(Request::new(argv, 1)),
                None => {
                    output.text.extend_from_slice(b"Invalid argument(s)\n");
                    output.ok = false;
                }
            }
            return;
        }
        match self.terminal.enter(line) {
            Entered::Nothing => {}
            Entered::Clear => {
                output.text.clear();
                output.clear = true;
            }
            Entered::Close => self.close(server),
            Entered::Invalid(text) => {
                output.text.extend_from_slice(&text);
                output.ok = false;
            }
            Entered::Connect { host, port } => {
                let here = matches!(host.as_slice(), b"127.0.0.1" | b"localhost");
                if here && port == b"6379" {
                    self.terminal.forget_transaction();
                    self.reconnect(server);
                } else {
                    // redis-cli would say why the system refused, and be without a connection from then on.
                    let text = [
                        b"Could not connect to Redis at ",
                        &host[..],
                        b":",
                        &port[..],
                        b": this playground has only its own server, 127.0.0.1:6379\n",
                    ];
                    output.text.extend_from_slice(&text.concat());
                    output.ok = false;
                }
            }
            Entered::Help(topic) => output.text.extend_from_slice(&help::help(&topic)),
            Entered::Send { argv, times } => self.request = Some(Request::new(argv, times)),
        }
    }

    /// Sends the command of the request, or takes its reply; false if there is none yet.
    fn answer(&mut self, server: &mut Server, output: &mut Output) -> bool {
        let Some(mut request) = self.request.take() else { return false };
        if let Some(printing) = request.printing.take() {
            return self.print(server, request, printing, output);
        }
        if !request.sent {
            request.sent = true;
            let client = self.stay_connected(server);
            self.begin_debugging(server, client, &request.argv, output);
            if request.listens() == Some(true) {
                say(output, "Reading messages... (press Ctrl-C to quit)\n");
            }
            server.send(client, &request.argv);
            let sent = server.client(client).map(|client| client.active);
            request.started = request.started.or(sent);
        }
        let reply = self.client.and_then(|client| server.take_reply(client));
        let connected = self.client.and_then(|client| server.client(client));
        let (Some(reply), true) = (reply, connected.is_some()) else {
            if connected.is_none() {
                // The prompt goes on to speak of a transaction, as redis-cli's does.
                self.client = None;
                // Whoever has shut the server down knows why.
                if !matches!(request.argv.first(), Some(name) if name.eq_ignore_ascii_case(b"shutdown"))
                {
                    output.text.extend_from_slice(b"Error: Server closed the connection\n");
                    output.ok = false;
                }
                return true;
            }
            self.request = Some(request);
            return false;
        };
        if request.listens().is_some() {
            if matches!(reply, Reply::Error(_)) {
                request.stop_reading();
            } else {
                request.reads = true;
            }
        }
        if request.reads || matches!(reply, Reply::Push(_)) {
            output.text.extend_from_slice(&print::print(reply));
            self.request = Some(request);
            return true;
        }
        let Some(reply) = self.receive_debugged(server, reply, output) else {
            let ended = self.debugging.as_ref().is_some_and(|debugging| debugging.ended);
            self.request = ended.then_some(request);
            return true;
        };
        output.ok &= !matches!(reply, Reply::Error(_));
        if let (Some(debugs), Reply::Status(_)) = (debugger::asked_for(&request.argv), &reply) {
            self.debugs = debugs;
        }
        output.unkillable |= reply == Reply::Error(Error::UNKILLABLE.0);
        let printing = self.terminal.receive(&request.argv, reply);
        if let Some(client) = self.client.and_then(|client| server.client(client))
            && client.closing
        {
            server.disconnect(client.id);
        }
        self.print(server, request, printing, output)
    }

    /// Prints a portion of a reply. Behind the last one the command is repeated, or done with; false if there is more.
    fn print(
        &mut self,
        server: &Server,
        mut request: Request,
        mut printing: Printing,
        output: &mut Output,
    ) -> bool {
        if !printing.go_on(PORTION) {
            self.request = Some(Request { printing: Some(printing), ..request });
            return false;
        }
        if !request.silent {
            output.text.append(&mut printing.text);
        }
        request.sent = false;
        request.left -= 1;
        if request.left > 0 {
            self.request = Some(request);
            return true;
        }
        say_time(server, request.started, output);
        true
    }

    /// An EVAL that is sent may begin a debugging session, or an FCALL.
    fn begin_debugging(
        &mut self,
        server: &Server,
        client: ClientId,
        argv: &[Vec<u8>],
        output: &mut Output,
    ) {
        let debugs_function = server.client(client).is_some_and(|client| client.debugs_function)
            && debugger::is_function(argv);
        if self.debugging.is_some() || !(debugs_function || debugger::can_be_debugged(argv)) {
            return;
        }
        if let Some(sync) = self.debugs {
            self.debugging =
                Some(Debugging { argv: argv.to_vec(), sync, begun: false, ended: false });
            say(output, BANNER);
        }
    }

    /// Shows a reply to a script that is debugged; gives it back if there is no session, and it is one like any other.
    fn receive_debugged(
        &mut self,
        server: &mut Server,
        reply: Reply,
        output: &mut Output,
    ) -> Option<Reply> {
        let Some(debugging) = &mut self.debugging else { return Some(reply) };
        match debugger::lines(&reply) {
            Some((lines, ends)) if !debugging.ended => {
                let is_empty = lines.is_empty();
                for line in lines {
                    output.roles.resize(count_lines(&output.text), Role::Plain);
                    output.roles.push(debugger::role(line));
                    output.text.extend_from_slice(line);
                    output.text.push(b'\n');
                }
                debugging.begun |= !ends;
                debugging.ended = ends;
                // An answer without lines is an empty one.
                if is_empty && !ends {
                    output.text.push(b'\n');
                }
                None
            }
            _ if debugging.ended => {
                output.ok &= !matches!(reply, Reply::Error(_));
                output.text.push(b'\n');
                if !debugging.begun {
                    say(output, REFUSAL);
                }
                output.text.extend_from_slice(&print::print(reply));
                self.end_debugging(server, output);
                None
            }
            _ => {
                self.debugging = None;
                if let Some(client) = self.client.and_then(|client| server.client_mut(client)) {
                    client.debugs_function = false;
                }
                Some(reply)
            }
        }
    }

    /// Ends the session: its client is disconnected, and another one connected.
    fn end_debugging(&mut self, server: &mut Server, output: &mut Output) {
        if let Some(debugging) = self.debugging.take() {
            say(output, debugging.farewell());
            self.debugged = Some(Debugging { begun: false, ended: false, ..debugging });
        }
        self.debugs = None;
        self.request = None;
        self.terminal.forget_transaction();
        self.reconnect(server);
    }

    /// Debugs a script from its beginning.
    fn debug_again(&mut self, server: &mut Server, last: Debugging, output: &mut Output) {
        self.debugging = None;
        self.reconnect(server);
        say(output, "\n");
        self.debug(server, last);
    }

    fn debug(&mut self, server: &mut Server, wanted: Debugging) {
        if wanted.is_function() {
            let client = self.stay_connected(server);
            if let Some(client) = server.client_mut(client) {
                client.debugs_function = true;
            }
            self.debugs = Some(false);
        } else {
            let request = Request::new(wanted.request(), 1);
            self.request = Some(Request { silent: true, ..request });
        }
        self.lines.push_front(Line::Split(wanted.argv));
    }

    /// Connects again if the connection is known to be lost.
    fn stay_connected(&mut self, server: &mut Server) -> ClientId {
        match self.client {
            Some(client) => client,
            None => self.reconnect(server),
        }
    }

    /// A new connection, with the database that was selected.
    fn reconnect(&mut self, server: &mut Server) -> ClientId {
        if let Some(client) = self.client.take() {
            server.disconnect(client);
        }
        let client = server.connect(ADDRESS);
        self.client = Some(client);
        if self.terminal.database() != 0 {
            let database = self.terminal.database().to_string().into_bytes();
            server.send(client, &[b"SELECT".to_vec(), database]);
            server.take_reply(client);
        }
        client
    }
}
