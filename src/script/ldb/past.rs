//! Goes back in a debugging session: what is debugged is run anew from its beginning up to an earlier line, on the data,
//! with the times and with the chance that it had.

use super::commands::inspect;
use super::{Debugger, Session, commands, set_stops};
use crate::command::args::Args;
use crate::command::{function, scripting};
use crate::error::Error;
use crate::resp::Resp;
use crate::script::{self, Scripts, load};
use crate::server::client::ClientId;
use crate::server::{Context, Fork, Origin, Server};

/// Commands of a script whose times are kept.
const TIMES: usize = 1 << 20;

/// What a session began with.
pub(super) struct Beginning {
    /// EVAL or FCALL.
    pub argv: Vec<Vec<u8>>,
    pub read_only: bool,
    /// The code of all libraries, if a function is debugged.
    pub libraries: Option<Vec<Vec<u8>>>,
    pub client: ClientId,
    pub database: usize,
    /// The data, if it works on a copy.
    pub fork: Option<Fork>,
}

impl Beginning {
    /// Starts what is debugged. To be called with the session's scripts and data in their place.
    pub fn begin(&self, server: &mut Server) -> Result<(), Error> {
        let mut context = Context {
            server,
            client: self.client,
            database: self.database,
            resp: Resp::V2,
            origin: Origin::Client,
            changed_key: None,
        };
        for code in self.libraries.iter().flatten() {
            // They have been loaded before.
            load::load(&mut context, code, false)?;
            script::load_all(context.server)?;
        }
        let mut args = Args::new(&self.argv, 1);
        if self.libraries.is_some() {
            function::start(&mut context, &mut args, self.read_only)
        } else {
            scripting::start_text(&mut context, &mut args, self.read_only)?;
            script::load_all(context.server)
        }
    }
}

/// What a debugger remembers.
#[derive(Default)]
pub(super) struct Past {
    /// The time that each command was told, in microseconds since the epoch.
    times: Vec<u64>,
    /// How many of them have been told in this run.
    told: usize,
    /// The debugger's commands that could change what the script does, and behind how many lines they were given.
    acts: Vec<(u64, Vec<Vec<u8>>)>,
    /// How many of them have been done in this run.
    done: usize,
    /// Where to stop, counted in lines, while the script is run anew.
    target: Option<u64>,
    /// It is to be run anew.
    is_wanted: bool,
}

impl Past {
    /// Whether the script is run anew: nobody is to be told of it.
    pub fn is_replaying(&self) -> bool {
        self.target.is_some()
    }

    /// The time that a command is told: now, or what it was told before.
    pub fn time(&mut self, now: u64) -> u64 {
        let time = self.times.get(self.told).copied().filter(|_| self.is_replaying());
        if time.is_none() && self.told < TIMES {
            self.times.truncate(self.told);
            self.times.push(now);
        }
        self.told += 1;
        time.unwrap_or(now)
    }

    /// The count of lines at which there is something to do.
    pub fn next_stop(&self) -> Option<u64> {
        let act = self.acts.get(self.done).map(|(count, _)| *count);
        self.target.map(|target| act.map_or(target, |act| act.min(target)))
    }

    fn note(&mut self, count: u64, argv: &[Vec<u8>]) {
        self.acts.push((count, argv.to_vec()));
        self.done = self.acts.len();
    }

    /// What the script is told of is lost, so that it would not do the same.
    fn is_lost(&self) -> bool {
        self.told > TIMES
    }

    fn want(&mut self, target: u64) {
        self.acts.retain(|(count, _)| *count <= target);
        (self.told, self.done) = (0, 0);
        self.target = Some(target);
        self.is_wanted = true;
    }
}

/// Notes a command of the debugger's.
pub(super) fn note(server: &mut Server, argv: &[Vec<u8>]) {
    inspect(server, |machine, debugger| debugger.past.note(machine.lines_begun(), argv));
}

/// The command: goes back to the line before.
pub(super) fn back(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        let count = machine.lines_begun();
        if !debugger.is_forked {
            debugger.log("What has been changed for good cannot be taken back.");
        } else if debugger.past.is_lost() {
            debugger.log("The script has called too many commands to go back.");
        } else if count <= 1 {
            debugger.log("There is no line before.");
        } else {
            debugger.past.want(count - 1);
        }
    });
}

/// Runs a session anew if that is wanted: gives whether it does.
pub(super) fn go_back(server: &mut Server, session: &mut Session) -> bool {
    let Some(mut debugger) = session.scripts.debugger.take() else { return false };
    let is_wanted = std::mem::take(&mut debugger.past.is_wanted);
    if is_wanted {
        debugger.forget_run();
        session.scripts = Scripts::new(server.scripts.limit);
        session.fork = session.beginning.fork.clone();
    }
    session.scripts.debugger = Some(debugger);
    if is_wanted {
        session.exchange(server);
        // It has begun before.
        let begun = session.beginning.begin(server);
        debug_assert!(begun.is_ok());
        set_stops(server);
        session.exchange(server);
    }
    is_wanted
}

impl Debugger {
    /// Forgets what the script has done.
    fn forget_run(&mut self) {
        self.calls.clear();
        self.stepping = false;
        self.deepest = None;
        self.breakpoint_called = false;
        self.stopped = false;
    }
}

/// At a line of a script that is run anew: does what was done there. Gives whether it is where it was to go.
pub(super) fn has_arrived(server: &mut Server) -> bool {
    let mut count = 0;
    inspect(server, |machine, _| count = machine.lines_begun());
    loop {
        let past = server.scripts.debugger.as_mut().map(|debugger| &mut debugger.past);
        let Some(past) = past else { return true };
        let act = past.acts.get(past.done).filter(|(at, _)| *at == count);
        let Some((_, argv)) = act.cloned() else { break };
        past.done += 1;
        commands::act(server, &argv);
    }
    let Some(debugger) = &mut server.scripts.debugger else { return true };
    debugger.breakpoint_called = false;
    let has_arrived = debugger.past.target == Some(count);
    if has_arrived {
        debugger.past.target = None;
    }
    set_stops(server);
    has_arrived
}

#[cfg(test)]
mod tests {
    use super::Past;

    #[test]
    fn what_is_run_anew_is_told_the_same_times() {
        let mut past = Past::default();
        assert_eq!([past.time(5), past.time(7), past.time(9)], [5, 7, 9]);
        past.want(3);
        assert_eq!([past.time(20), past.time(21)], [5, 7]);
        past.target = None;
        // From there on it goes another way.
        assert_eq!([past.time(22), past.time(23)], [22, 23]);
        past.want(3);
        assert_eq!([past.time(30), past.time(31), past.time(32), past.time(33)], [5, 7, 22, 23]);
    }

    #[test]
    fn what_was_done_behind_the_line_is_forgotten() {
        let mut past = Past::default();
        for count in [1, 4, 4, 6] {
            past.note(count, &[b"eval".to_vec()]);
        }
        past.want(5);
        assert_eq!(past.next_stop(), Some(1));
        past.done = 3;
        assert_eq!(past.next_stop(), Some(5));
        past.target = None;
        assert_eq!(past.next_stop(), None);
    }
}
