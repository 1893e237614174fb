//! Serves the engine over RESP on a loopback port, to redis-cli, client libraries and test suites.
//!
//! One thread has the engine. Each connection has a thread that reads and a thread that writes, so that a client who
//! does not read its replies holds up nobody.

use evalsha::request::Requests;
use evalsha::resp::{Reply, Resp};
use evalsha::script::HEAP_LIMIT;
use evalsha::server::client::ClientId;
use evalsha::server::{Clock, LogLevel, Server};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HELP: &str = "\
Serves evalsha's engine on 127.0.0.1, as redis-server would: it speaks RESP2 and RESP3 and keeps everything in memory.

Usage: evalsha-server [--port N] [--script-memory BYTES]

  --port N               the port, 6379 without it; 0 takes a free one and prints it
  --script-memory BYTES  what scripts may keep in memory, 67108864 without it
  --help                 this text
  --version              the version

SHUTDOWN, Ctrl-C or SIGTERM stops it.";

/// Time between looks at deadlines when nobody asks for anything.
const TICK: Duration = Duration::from_millis(100);
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// Pieces of input that wait for the engine; a reader with more to tell waits too.
const BACKLOG: usize = 256;
/// Fuel for a script between two looks at the sockets: a few milliseconds.
const SLICE: i64 = 50_000;
/// How long the last replies may take to go out when the server stops.
const GOODBYE: Duration = Duration::from_secs(1);

/// The machine's clock.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the caller that gives the core its clock"
    )]
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64)
    }
}

/// What the engine's thread is told by the others.
enum Event {
    Connected(TcpStream),
    Received(ClientId, Vec<u8>),
    Gone(ClientId),
    Stop,
}

/// What a command line asks for.
enum Wish {
    Serve { port: u16, memory: usize },
    Print(String),
}

fn main() -> ExitCode {
    match wish(std::env::args().skip(1)) {
        Ok(Wish::Print(text)) => say(&text),
        Ok(Wish::Serve { port, memory }) => match listen(port) {
            Ok(listener) => {
                serve(listener, memory);
                say("evalsha-server: stopped");
            }
            Err(why) => {
                complain(&why);
                return ExitCode::FAILURE;
            }
        },
        Err(why) => {
            complain(&format!("{why}; --help lists the options"));
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Prints a line; whether anybody reads it is none of our business.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(why: &str) {
    let _ = writeln!(std::io::stderr(), "evalsha-server: {why}");
}

fn wish(mut words: impl Iterator<Item = String>) -> Result<Wish, String> {
    let (mut port, mut memory) = (6379, HEAP_LIMIT);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Wish::Print(HELP.to_owned())),
            "--version" | "-v" => {
                return Ok(Wish::Print(format!("evalsha-server {}", env!("CARGO_PKG_VERSION"))));
            }
            "--port" => {
                let number = words.next().ok_or("--port needs a number")?;
                port = number.parse().map_err(|_| format!("'{number}' is not a port"))?;
            }
            "--script-memory" => {
                let number = words.next().ok_or("--script-memory needs a number")?;
                memory = number.parse().map_err(|_| format!("'{number}' is no number of bytes"))?;
            }
            other => return Err(format!("there is no option '{other}'")),
        }
    }
    Ok(Wish::Serve { port, memory })
}

fn listen(port: u16) -> Result<TcpListener, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!("port {port} is in use: stop what listens there, or give another with --port")
        }
        _ => format!("cannot listen on port {port}: {error}"),
    })
}

/// Serves until somebody stops it.
fn serve(listener: TcpListener, memory: usize) {
    let (tell, events) = sync_channel(BACKLOG);
    stop_on_signals(tell.clone());
    // Only now: who reads it may send a signal at once.
    if let Ok(address) = listener.local_addr() {
        say(&format!("evalsha-server: ready on {address}"));
    }
    let accepted = tell.clone();
    spawn(move || {
        for stream in listener.incoming().flatten() {
            if accepted.send(Event::Connected(stream)).is_err() {
                break;
            }
        }
    });

    let mut door = Door {
        server: Server::new(seed(), Box::new(SystemClock)),
        connections: BTreeMap::new(),
        tell,
    };
    door.server.limit_scripts(memory);
    while door.turn(&events) {}
    door.close();
}

fn stop_on_signals(tell: SyncSender<Event>) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    // Without a handler the signals end the process all the same, only less politely.
    if let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) {
        spawn(move || {
            for _ in &mut signals {
                let _ = tell.send(Event::Stop);
            }
        });
    }
}

/// Differs from run to run.
fn seed() -> u64 {
    SystemClock.now() ^ u64::from(std::process::id()).rotate_left(32)
}

/// The engine and those who talk to it.
struct Door {
    server: Server,
    connections: BTreeMap<ClientId, Connection>,
    tell: SyncSender<Event>,
}

struct Connection {
    requests: Requests,
    /// To the thread that writes; it ends when this is dropped.
    outgoing: Sender<Vec<u8>>,
    writer: JoinHandle<()>,
    stream: TcpStream,
    /// It will send no more; what it has asked for is still answered.
    gone: bool,
}

impl Door {
    /// Handles what has come, lets a script run a slice, and sends what there is to send; false when it is time to stop.
    fn turn(&mut self, events: &Receiver<Event>) -> bool {
        let patience = if self.server.is_busy() { Duration::ZERO } else { TICK };
        let first = match events.recv_timeout(patience) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return false,
        };
        // The rest of what has come, but no more than so much: a script wants its slice too.
        for event in first.into_iter().chain(events.try_iter().take(BACKLOG)) {
            match event {
                Event::Connected(stream) => self.connect(stream),
                Event::Received(client, bytes) => {
                    if let Some(connection) = self.connections.get_mut(&client) {
                        connection.requests.feed(&bytes);
                    }
                    self.advance(client);
                }
                Event::Gone(client) => {
                    if let Some(connection) = self.connections.get_mut(&client) {
                        connection.gone = true;
                    }
                    self.advance(client);
                }
                Event::Stop => return false,
            }
        }
        self.server.run(SLICE);
        while let Some((level, line)) = self.server.take_log() {
            if level >= LogLevel::Notice {
                say(&String::from_utf8_lossy(&line));
            }
        }
        let clients: Vec<ClientId> = self.connections.keys().copied().collect();
        for client in clients {
            self.advance(client);
        }
        !self.server.shutdown
    }

    fn connect(&mut self, stream: TcpStream) {
        let (Ok(from), Ok(mut input), Ok(mut output)) =
            (stream.peer_addr(), stream.try_clone(), stream.try_clone())
        else {
            return;
        };
        let _ = stream.set_nodelay(true);
        let client = self.server.connect(&from.to_string());
        if let (Some(client), Ok(to)) = (self.server.client_mut(client), stream.local_addr()) {
            client.local_address = to.to_string();
        }
        let tell = self.tell.clone();
        spawn(move || {
            let mut chunk = vec![0; CHUNK];
            while let Ok(length @ 1..) = input.read(&mut chunk) {
                if tell.send(Event::Received(client, chunk[..length].to_vec())).is_err() {
                    return;
                }
            }
            let _ = tell.send(Event::Gone(client));
        });
        let (outgoing, bytes) = channel::<Vec<u8>>();
        let writer = spawn(move || {
            while let Ok(bytes) = bytes.recv() {
                if output.write_all(&bytes).is_err() {
                    break;
                }
            }
            let _ = output.shutdown(Shutdown::Both);
        });
        self.connections.insert(
            client,
            Connection { requests: Requests::default(), outgoing, writer, stream, gone: false },
        );
    }

    /// Runs what a client has asked for, as far as it can run now, and sends its replies.
    fn advance(&mut self, client: ClientId) {
        let Some(connection) = self.connections.get_mut(&client) else { return };
        let server = &mut self.server;
        let mut bytes = Vec::new();
        let mut stays = true;
        while stays {
            take_replies(server, client, &mut bytes);
            // CLIENT KILL takes the client away; QUIT marks it.
            let Some(state) = server.client(client).filter(|state| !state.closing) else {
                stays = false;
                break;
            };
            // One at a time, as Redis: what is wrong behind a script is told after the script's reply.
            if server.is_waiting(client) {
                // What it waits for is of no use to a client that has hung up.
                stays = !(connection.gone && server.is_blocked(client));
                break;
            }
            match connection.requests.next(state.authenticated) {
                Ok(None) => {
                    stays = !connection.gone;
                    break;
                }
                // A browser was made to send this: Redis hangs up without a word.
                Ok(Some(argv)) if is_http(&argv) => {
                    bytes.clear();
                    stays = false;
                }
                Ok(Some(argv)) => server.send(client, &argv),
                Err(error) => {
                    server.reply(client, Reply::Error(error.0));
                    take_replies(server, client, &mut bytes);
                    stays = false;
                }
            }
        }
        if !bytes.is_empty() {
            // It fails when the client has gone; its reader says so too.
            let _ = connection.outgoing.send(bytes);
        }
        if !stays {
            self.disconnect(client);
        }
    }

    fn disconnect(&mut self, client: ClientId) {
        self.server.disconnect(client);
        self.connections.remove(&client);
    }

    /// Lets the last replies out.
    fn close(self) {
        for (_, connection) in self.connections {
            let _ = connection.stream.set_write_timeout(Some(GOODBYE));
            drop(connection.outgoing);
            let _ = connection.writer.join();
        }
    }
}

/// Appends the bytes of the replies that wait for the client.
fn take_replies(server: &mut Server, client: ClientId, bytes: &mut Vec<u8>) {
    let resp = server.client(client).map_or(Resp::V2, |client| client.resp);
    while let Some(reply) = server.take_reply(client) {
        reply.encode(resp, bytes);
    }
}

fn is_http(argv: &[Vec<u8>]) -> bool {
    argv.first().is_some_and(|name| {
        name.eq_ignore_ascii_case(b"host:") || name.eq_ignore_ascii_case(b"post")
    })
}
