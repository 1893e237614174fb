//! Players of transcripts that talk to a server over sockets: to the real one, and to evalsha-server.

use super::door::{Door, settle};
use super::real::{Connection, RealServer};
use super::transcript::Player;
use evalsha::cli::print::print;
use evalsha::cli::terminal::{Entered, Terminal};
use evalsha::resp::Reply;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

/// Terminals in front of a server: redis-cli's manners are ours here, the replies are its own. What redis-cli itself
/// makes of the same lines is shown by `tests/cli.rs`.
pub struct SocketPlayer {
    server: Host,
    terminals: BTreeMap<usize, SocketTerminal>,
}

/// The judge: redis-server.
pub type RealPlayer = SocketPlayer;

/// Who answers.
enum Host {
    Real(RealServer),
    Door(Door),
}

impl Host {
    fn connect(&self) -> Connection {
        let connection = match self {
            Host::Real(server) => server.connect(),
            Host::Door(door) => Connection::open_tcp(door.port),
        };
        self.settle();
        connection
    }

    fn settle(&self) {
        settle(match self {
            Host::Real(server) => server.id(),
            Host::Door(door) => door.process.id(),
        });
    }
}

struct SocketTerminal {
    terminal: Terminal,
    /// `None` once the server has closed it, and that is known.
    connection: Option<Connection>,
    /// A command whose reply has not been read.
    waiting: Option<Vec<Vec<u8>>>,
    /// SUBSCRIBE and MONITOR: it prints what comes, and reads no line.
    listens: bool,
}

impl SocketPlayer {
    /// A new, empty redis-server; `None` if there is none here.
    pub fn start() -> Option<SocketPlayer> {
        Some(SocketPlayer::before(Host::Real(RealServer::start()?)))
    }

    /// The same, started with these parameters.
    pub fn start_with(config: &[(String, String)]) -> Option<SocketPlayer> {
        let arguments = arguments(config);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Some(SocketPlayer::before(Host::Real(RealServer::start_with(0, &arguments)?)))
    }

    /// A new evalsha-server, which is this program, started with these parameters.
    pub fn at_door(program: &str, config: &[(String, String)]) -> SocketPlayer {
        SocketPlayer::before(Host::Door(Door::open_with(program, &arguments(config))))
    }

    fn before(server: Host) -> SocketPlayer {
        SocketPlayer { server, terminals: BTreeMap::new() }
    }

    fn terminal(&mut self, number: usize) -> &mut SocketTerminal {
        self.terminals.entry(number).or_insert_with(|| SocketTerminal {
            terminal: Terminal::default(),
            connection: Some(self.server.connect()),
            waiting: None,
            listens: false,
        })
    }

    /// The terminal, connected again if the server had hung up.
    fn connected(&mut self, number: usize) -> &mut SocketTerminal {
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

/// Parameters as a command line gives them.
fn arguments(config: &[(String, String)]) -> Vec<String> {
    config.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]).collect()
}

impl Player for SocketPlayer {
    fn type_line(&mut self, number: usize, line: &[u8], blocks: bool) -> Vec<u8> {
        let terminal = self.terminal(number);
        let shown = line.escape_ascii();
        assert!(terminal.waiting.is_none(), "terminal {number} is still waiting: {shown}");
        assert!(!terminal.listens, "terminal {number} reads no line: {shown}");
        match terminal.terminal.enter(line) {
            Entered::Nothing | Entered::Clear => Vec::new(),
            Entered::Close => {
                self.terminals.remove(&number);
                self.server.settle();
                Vec::new()
            }
            Entered::Invalid(text) => text,
            Entered::Help(topic) => evalsha::cli::help::help(&topic),
            Entered::Connect { .. } => {
                terminal.terminal.forget_transaction();
                terminal.connection = None;
                self.connected(number);
                Vec::new()
            }
            Entered::Send { argv, .. } if blocks => {
                self.connected(number).send(&argv);
                self.terminal(number).waiting = Some(argv);
                self.server.settle();
                Vec::new()
            }
            Entered::Send { argv, .. } if listens(&argv) => {
                let mut text = Vec::new();
                if !argv[0].eq_ignore_ascii_case(b"monitor") {
                    text.extend_from_slice(b"Reading messages... (press Ctrl-C to quit)\n");
                }
                let terminal = self.connected(number);
                terminal.send(&argv);
                terminal.listens = true;
                text.extend_from_slice(&self.read(number, false));
                text
            }
            Entered::Send { argv, times } => {
                let terminal = self.connected(number);
                let mut text = Vec::new();
                for _ in 0..times {
                    terminal.send(&argv);
                    terminal.receive(&argv, &mut text);
                    if terminal.connection.is_none() {
                        break;
                    }
                }
                text
            }
        }
    }

    fn read(&mut self, number: usize, waits: bool) -> Vec<u8> {
        let terminal = self.terminal(number);
        let mut text = Vec::new();
        if waits && let Some(argv) = terminal.waiting.take() {
            terminal.receive(&argv, &mut text);
        }
        self.server.settle();
        self.terminal(number).receive_now(&mut text);
        text
    }

    fn interrupt(&mut self, number: usize) -> Vec<u8> {
        let terminal = self.terminal(number);
        if let Some(connection) = terminal.connection.take() {
            connection.hang_up();
        }
        terminal.waiting = None;
        terminal.listens = false;
        terminal.terminal.forget_transaction();
        self.server.settle();
        Vec::new()
    }

    fn terminals(&self) -> Vec<usize> {
        self.terminals.keys().copied().collect()
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

/// Whether redis-cli does nothing but print after this command.
fn listens(argv: &[Vec<u8>]) -> bool {
    const COMMANDS: &[&str] = &["subscribe", "psubscribe", "ssubscribe", "monitor"];
    COMMANDS.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(&argv[0]))
}

impl SocketTerminal {
    fn send(&mut self, argv: &[Vec<u8>]) {
        if let Some(connection) = &mut self.connection {
            // A connection that is closed says so when it is read.
            let _ = connection.try_send(argv);
        }
    }

    /// Waits for the reply to a command.
    fn receive(&mut self, argv: &[Vec<u8>], text: &mut Vec<u8>) {
        while let Some(connection) = &mut self.connection {
            match connection.try_receive() {
                Ok(push @ Reply::Push(_)) => text.extend_from_slice(&print(push)),
                Ok(reply) => {
                    text.extend_from_slice(&self.terminal.receive(argv, reply).finish());
                    return;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("no reply to {argv:?} in 20 seconds")
                }
                Err(_) => {
                    // Whoever has shut the server down knows why.
                    if !argv[0].eq_ignore_ascii_case(b"shutdown") {
                        text.extend_from_slice(b"Error: Server closed the connection\n");
                    }
                    self.connection = None;
                }
            }
        }
    }

    /// Takes what is there.
    fn receive_now(&mut self, text: &mut Vec<u8>) {
        while let Some(received) = self.connection.as_mut().map(Connection::receive_now) {
            let reply = match received {
                Ok(Some(reply)) => reply,
                // redis-cli learns that the server has hung up when it asks for something, or at once if it listens.
                Err(_) if self.listens => {
                    text.extend_from_slice(b"Error: Server closed the connection\n");
                    self.connection = None;
                    self.listens = false;
                    return;
                }
                _ => return,
            };
            self.listens &= !matches!(reply, Reply::Error(_));
            match self.waiting.take_if(|_| !matches!(reply, Reply::Push(_))) {
                Some(argv) => text.extend_from_slice(&self.terminal.receive(&argv, reply).finish()),
                None => text.extend_from_slice(&print(reply)),
            }
        }
    }
}
