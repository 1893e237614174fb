//! Our engine with a clock that only tests move, as a player of transcripts.

use super::transcript::Player;
use evalsha::cli::session::{Session, State};
use evalsha::resp::Reply;
use evalsha::server::{Clock, Server};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// A clock that stands still until it is moved, in microseconds since the epoch.
#[derive(Clone)]
pub struct TestClock(Rc<Cell<u64>>);

impl TestClock {
    /// A clock that starts on a certain day in 2026.
    pub fn new() -> TestClock {
        TestClock(Rc::new(Cell::new(1_790_000_000_000_000)))
    }

    /// Moves it.
    pub fn advance(&self, time: Duration) {
        self.0.set(self.0.get() + time.as_micros() as u64);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.get()
    }
}

/// Our engine, with its terminals.
pub struct Engine {
    pub server: Server,
    pub clock: TestClock,
    sessions: BTreeMap<usize, Session>,
    /// What has been printed by those whose output is read later.
    held: BTreeMap<usize, Vec<u8>>,
}

impl Engine {
    /// An empty server; every one is like every other.
    pub fn new() -> Engine {
        let clock = TestClock::new();
        let server = Server::new(1, Box::new(clock.clone()));
        Engine { server, clock, sessions: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// One that is started with these parameters.
    pub fn with(config: &[(String, String)]) -> Engine {
        let mut engine = Engine::new();
        for (name, value) in config {
            engine.server.config.preset(name, value);
        }
        engine
    }

    /// What a client that is connected for it is answered to a command.
    pub fn ask<T: AsRef<[u8]>>(&mut self, words: &[T]) -> Reply {
        let client = self.server.connect("127.0.0.1:1");
        let argv: Vec<_> = words.iter().map(|word| word.as_ref().to_vec()).collect();
        self.server.send(client, &argv);
        while self.server.run(100_000) {}
        let reply = self.server.take_reply(client).expect("the command has ended");
        self.server.disconnect(client);
        reply
    }

    fn session(&mut self, terminal: usize) -> Session {
        self.sessions.remove(&terminal).unwrap_or_else(|| Session::open(&mut self.server))
    }

    /// Puts a terminal back. One that has been closed is gone; after SHUTDOWN nobody is connected.
    fn keep(&mut self, terminal: usize, session: Session) {
        if session.state() != State::Closed {
            self.sessions.insert(terminal, session);
        }
        if self.server.shutdown {
            self.server.restart(Box::new(self.clock.clone()));
        }
    }

    /// Gives the server time, until the terminal's reply is there or nothing moves any more.
    fn until_ready(&mut self, session: &mut Session, text: &mut Vec<u8>) {
        const FUEL: i64 = 100_000;
        let mut slices = 0;
        while session.state() == State::Waiting && slices < 1000 {
            self.server.run(FUEL);
            slices += 1;
            if let Some(output) = session.take(&mut self.server) {
                text.extend_from_slice(&output.text);
            }
        }
    }
}

impl Player for Engine {
    fn type_line(&mut self, terminal: usize, line: &[u8], blocks: bool) -> Vec<u8> {
        let mut session = self.session(terminal);
        let output = session.send(&mut self.server, line);
        let mut text = self.held.remove(&terminal).unwrap_or_default();
        text.extend_from_slice(&output.text);
        if blocks {
            self.held.insert(terminal, std::mem::take(&mut text));
        } else {
            self.until_ready(&mut session, &mut text);
        }
        self.keep(terminal, session);
        text
    }

    fn read(&mut self, terminal: usize, waits: bool) -> Vec<u8> {
        let mut session = self.session(terminal);
        let mut text = self.held.remove(&terminal).unwrap_or_default();
        if waits {
            self.until_ready(&mut session, &mut text);
        }
        while let Some(output) = session.take(&mut self.server) {
            text.extend_from_slice(&output.text);
        }
        self.keep(terminal, session);
        text
    }

    fn interrupt(&mut self, terminal: usize) -> Vec<u8> {
        let mut session = self.session(terminal);
        // redis-cli ends. Ours stops the script, or connects again: `tests/cli.rs` shows that.
        session.close(&mut self.server);
        self.keep(terminal, session);
        Vec::new()
    }

    fn terminals(&self) -> Vec<usize> {
        self.sessions.keys().copied().collect()
    }

    fn prompt(&mut self, terminal: usize) -> Option<Vec<u8>> {
        let session = self.session(terminal);
        let prompt = session.prompt();
        self.sessions.insert(terminal, session);
        Some(prompt.trim_end().as_bytes().to_vec())
    }

    fn wait(&mut self, time: Duration) {
        self.clock.advance(time);
        self.server.run(1000);
    }
}
