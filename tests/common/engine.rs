//! Our engine with a clock that only tests move, and players of transcripts.

use super::real::{Connection, RealServer};
use super::transcript::Player;
use evalsha::cli::session::{Session, State};
use evalsha::cli::terminal::{Entered, Terminal};
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
}

impl Engine {
    /// An empty server; every one is like every other.
    pub fn new() -> Engine {
        let clock = TestClock::new();
        let server = Server::new(1, Box::new(clock.clone()));
        Engine { server, clock, sessions: BTreeMap::new() }
    }

    fn session(&mut self, terminal: usize) -> Session {
        self.sessions.remove(&terminal).unwrap_or_else(|| Session::open(&mut self.server))
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
        let mut text = output.text;
        if !blocks {
            self.until_ready(&mut session, &mut text);
        }
        self.sessions.insert(terminal, session);
        text
    }

    fn read(&mut self, terminal: usize) -> Vec<u8> {
        let mut session = self.session(terminal);
        let mut text = Vec::new();
        self.until_ready(&mut session, &mut text);
        while let Some(output) = session.take(&mut self.server) {
            text.extend_from_slice(&output.text);
        }
        self.sessions.insert(terminal, session);
        text
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

/// The real server: redis-cli's manners are ours here, the replies are its own. What redis-cli itself makes of the same
/// lines is shown by `tests/cli.rs`.
pub struct RealPlayer {
    server: RealServer,
    terminals: BTreeMap<usize, RealTerminal>,
}

struct RealTerminal {
    terminal: Terminal,
    /// `None` once the server has closed it, and that is known.
    connection: Option<Connection>,
    /// A command whose reply has not been read.
    waiting: Option<Vec<Vec<u8>>>,
}

impl RealPlayer {
    /// A new, empty server; `None` if there is none here.
    pub fn start() -> Option<RealPlayer> {
        Some(RealPlayer { server: RealServer::start()?, terminals: BTreeMap::new() })
    }

    fn terminal(&mut self, number: usize) -> &mut RealTerminal {
        self.terminals.entry(number).or_insert_with(|| RealTerminal {
            terminal: Terminal::default(),
            connection: Some(self.server.connect()),
            waiting: None,
        })
    }

    /// The terminal, connected again if the server had hung up.
    fn connected(&mut self, number: usize) -> &mut RealTerminal {
        if self.terminal(number).connection.is_none() {
            let mut connection = self.server.connect();
            let database = self.terminal(number).terminal.database();
            if database != 0 {
                connection.call(&["SELECT", &database.to_string()]);
            }
            self.terminal(number).connection = Some(connection);
        }
        self.terminal(number)
    }
}

impl Player for RealPlayer {
    fn type_line(&mut self, number: usize, line: &[u8], blocks: bool) -> Vec<u8> {
        let terminal = self.terminal(number);
        let shown = line.escape_ascii();
        assert!(terminal.waiting.is_none(), "terminal {number} is still waiting: {shown}");
        match terminal.terminal.enter(line) {
            Entered::Nothing | Entered::Clear | Entered::Close => Vec::new(),
            Entered::Invalid(text) => text,
            Entered::Help(topic) => {
                self.connected(number);
                evalsha::cli::help::help(&topic)
            }
            Entered::Connect { .. } => {
                terminal.terminal.forget_transaction();
                terminal.connection = None;
                self.connected(number);
                Vec::new()
            }
            Entered::Send { argv, .. } if blocks => {
                let terminal = self.connected(number);
                terminal.connection.as_mut().expect("it was just connected").send(&argv);
                terminal.waiting = Some(argv);
                Vec::new()
            }
            Entered::Send { argv, times } => {
                let terminal = self.connected(number);
                let mut text = Vec::new();
                for _ in 0..times {
                    terminal.call(&argv, &mut text);
                    if terminal.connection.is_none() {
                        break;
                    }
                }
                text
            }
        }
    }

    fn read(&mut self, number: usize) -> Vec<u8> {
        let terminal = self.connected(number);
        let mut text = Vec::new();
        if let Some(argv) = terminal.waiting.take() {
            terminal.receive(&argv, &mut text);
        } else {
            let connection = terminal.connection.as_mut().expect("it was just connected");
            text = evalsha::cli::print::print(&connection.receive());
        }
        text
    }

    fn prompt(&mut self, number: usize) -> Option<Vec<u8>> {
        let terminal = self.terminal(number);
        Some(match terminal.connection {
            Some(_) => terminal.terminal.prompt().trim_end().as_bytes().to_vec(),
            None => b"not connected>".to_vec(),
        })
    }

    fn wait(&mut self, time: Duration) {
        // The real clock cannot be moved.
        std::thread::sleep(time);
    }
}

impl RealTerminal {
    fn call(&mut self, argv: &[Vec<u8>], text: &mut Vec<u8>) {
        if let Some(connection) = &mut self.connection {
            // A connection that is closed says so when it is read.
            let _ = connection.try_send(argv);
        }
        self.receive(argv, text);
    }

    fn receive(&mut self, argv: &[Vec<u8>], text: &mut Vec<u8>) {
        while let Some(connection) = &mut self.connection {
            match connection.try_receive() {
                Ok(push @ Reply::Push(_)) => {
                    text.extend_from_slice(&evalsha::cli::print::print(&push));
                }
                Ok(reply) => {
                    text.extend_from_slice(&self.terminal.receive(argv, &reply));
                    return;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("no reply to {argv:?} in 20 seconds")
                }
                Err(_) => {
                    text.extend_from_slice(b"Error: Server closed the connection\n");
                    self.connection = None;
                }
            }
        }
    }
}
