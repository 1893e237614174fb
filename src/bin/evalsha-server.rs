//! Serves the engine over RESP on a loopback port, to redis-cli, client libraries and test suites.
//!
//! One thread does it all, as in Redis: it takes what has come from each client in turn, lets the engine answer, and
//! sends the answers before it waits again. No socket is waited for alone, so that a client who does not read its replies
//! holds up nobody; when too many of them lie here, nothing more is taken from it.
//!
//! Long because the loop, what it knows of each connection, and the limits of both are read together.

use evalsha::error::Error;
use evalsha::request::{Limits, Requests};
use evalsha::resp::{Reply, Resp};
use evalsha::script::HEAP_LIMIT;
use evalsha::server::client::{Client, ClientId};
use evalsha::server::{Clock, LogLevel, Server};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HELP: &str = "\
Serves evalsha's engine on 127.0.0.1, as redis-server would: it speaks RESP2 and RESP3 and keeps everything in memory.

Usage: evalsha-server [--port N] [--script-memory BYTES] [--enable-debug-command WORD]

  --port N                     the port, 6379 without it; 0 takes a free one and prints it
  --script-memory BYTES        what scripts may keep in memory, 67108864 without it
  --enable-debug-command WORD  whether DEBUG runs: yes, local, or no as without it
  --help                       this text
  --version                    the version

SHUTDOWN, Ctrl-C or SIGTERM stops it.";

/// Time between looks at deadlines when nobody asks for anything.
const TICK: Duration = Duration::from_millis(100);
/// Bytes that are read at once from a client, and so many where a long argument is known to come.
const CHUNK: usize = 16 * 1024;
const LONG_CHUNK: usize = 256 * 1024;
/// Bytes that are taken from a client whose command waits.
const BACKLOG: usize = 64 * 1024;
/// Bytes of replies at which no more commands are taken from a client who does not read them.
const MOST_UNSENT: usize = 64 * 1024 * 1024;
/// The same for messages that come without asking, where no `client-output-buffer-limit` ends the connection before.
const MOST_MESSAGES: usize = 256 * 1024 * 1024;
/// Replies that Redis does not count against `client-output-buffer-limit`.
const UNCOUNTED: usize = 16 * 1024;
/// The least value of `client-query-buffer-limit`.
const LEAST_QUERY_LIMIT: usize = 1024 * 1024;
/// Room for replies that is kept for the next ones.
const KEPT_ROOM: usize = 64 * 1024;
/// Sockets that are told ready at once.
const EVENTS: usize = 1024;
/// Fuel for a script between two looks at the sockets: a few milliseconds.
const SLICE: i64 = 50_000;
/// How long the last replies may take to go out when the server stops.
const GOODBYE: Duration = Duration::from_secs(1);
/// What is not a client: the listening socket, and the signals. Clients' numbers begin above.
const LISTENER: Token = Token(0);
const SIGNAL: Token = Token(1);

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

/// What a command line asks for.
enum Wish {
    Serve { port: u16, memory: usize, debug: String },
    Print(String),
}

fn main() -> ExitCode {
    match wish(std::env::args().skip(1)) {
        Ok(Wish::Print(text)) => say(&text),
        Ok(Wish::Serve { port, memory, debug }) => match listen(port) {
            Ok(listener) => match serve(listener, memory, &debug) {
                Ok(()) => say("evalsha-server: stopped"),
                Err(error) => {
                    complain(&format!("cannot wait for sockets: {error}"));
                    return ExitCode::FAILURE;
                }
            },
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
    let (mut port, mut memory, mut debug) = (6379, HEAP_LIMIT, "no".to_owned());
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
            "--enable-debug-command" => {
                debug = words.next().ok_or("--enable-debug-command needs a word")?;
                if !["yes", "local", "no"].contains(&debug.as_str()) {
                    return Err(format!("'{debug}' is not yes, local or no"));
                }
            }
            other => return Err(format!("there is no option '{other}'")),
        }
    }
    Ok(Wish::Serve { port, memory, debug })
}

fn listen(port: u16) -> Result<TcpListener, String> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(|error| {
        match error.kind() {
            ErrorKind::AddrInUse => {
                format!(
                    "port {port} is in use: stop what listens there, or give another with --port"
                )
            }
            _ => format!("cannot listen on port {port}: {error}"),
        }
    })
}

/// Serves until somebody stops it.
fn serve(mut listener: TcpListener, memory: usize, debug: &str) -> std::io::Result<()> {
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    stop_on_signals(Waker::new(poll.registry(), SIGNAL)?);
    // Only now: who reads it may send a signal at once.
    if let Ok(address) = listener.local_addr() {
        say(&format!("evalsha-server: ready on {address}"));
    }
    let mut door = Door {
        server: Server::new(seed(), Box::new(SystemClock)),
        registry: poll.registry().try_clone()?,
        listener,
        connections: BTreeMap::new(),
        readable: BTreeSet::new(),
        has_callers: false,
        served: Vec::new(),
        answered: Vec::new(),
        chunk: vec![0; LONG_CHUNK],
        inspected: 0,
    };
    door.server.limit_scripts(memory);
    door.server.config.preset("enable-debug-command", debug);
    let mut events = Events::with_capacity(EVENTS);
    while door.turn(&mut poll, &mut events)? {}
    door.close(&mut poll, &mut events)
}

fn stop_on_signals(waker: Waker) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    // Without a handler the signals end the process all the same, only less politely.
    if let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) {
        std::thread::spawn(move || {
            for _ in &mut signals {
                let _ = waker.wake();
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
    registry: mio::Registry,
    listener: TcpListener,
    connections: BTreeMap<ClientId, Connection>,
    /// Clients from whom more can be taken.
    readable: BTreeSet<ClientId>,
    /// Somebody may be waiting to be let in.
    has_callers: bool,
    /// Clients whose command has ended while another's was looked at: they may have sent more behind it.
    served: Vec<ClientId>,
    /// Clients to whom there is something to send.
    answered: Vec<ClientId>,
    /// Room to read into.
    chunk: Vec<u8>,
    /// When idle clients and full buffers were last looked for, in microseconds since the epoch.
    inspected: u64,
}

struct Connection {
    stream: TcpStream,
    requests: Requests,
    /// Replies, the first `sent` bytes of which have gone out.
    outgoing: Vec<u8>,
    sent: usize,
    /// It is among the answered.
    is_answered: bool,
    /// More may have come since it was last read from.
    is_readable: bool,
    /// Behind what has come, there is nothing more to come.
    is_ending: bool,
    /// All that it has sent has been read; what it has asked for is still answered.
    is_half_closed: bool,
    /// It takes more at present.
    is_writable: bool,
    /// Nothing more is run, and the connection ends when its replies are out. As in Redis it then stays if CLIENT REPLY
    /// has left nothing to send.
    closing: bool,
    /// Since when its replies have exceeded the soft limit, in seconds since the epoch.
    over_limit_since: Option<u64>,
}

impl Connection {
    /// Bytes that have not gone out.
    fn unsent(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Sends as much as can be sent now. False: nobody is there to read it.
    fn flush(&mut self) -> bool {
        while self.is_writable && self.unsent() > 0 {
            match self.stream.write(self.outgoing.get(self.sent..).unwrap_or_default()) {
                Ok(0) => return false,
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        if self.unsent() == 0 {
            self.outgoing.clear();
            self.outgoing.shrink_to(KEPT_ROOM);
            self.sent = 0;
        } else if self.sent > self.outgoing.len() / 2 {
            self.outgoing.drain(..self.sent);
            self.sent = 0;
        }
        true
    }
}

impl Door {
    /// Handles what has come, lets a script run a slice, and sends what there is to send; false when it is time to stop.
    fn turn(&mut self, poll: &mut Poll, events: &mut Events) -> std::io::Result<bool> {
        let is_busy =
            self.server.is_busy() || !self.readable.is_empty() || !self.answered.is_empty();
        let patience = if is_busy { Duration::ZERO } else { TICK };
        match poll.poll(events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            result => result?,
        }
        for event in events.iter() {
            match event.token() {
                LISTENER => self.has_callers = true,
                SIGNAL => return Ok(false),
                Token(number) => {
                    let client = number as ClientId;
                    let Some(connection) = self.connections.get_mut(&client) else { continue };
                    if event.is_readable() || event.is_read_closed() {
                        connection.is_readable = true;
                        connection.is_ending |= event.is_read_closed();
                        self.readable.insert(client);
                    }
                    // What a client waits for is of no use to it when it has hung up.
                    if event.is_read_closed() && self.server.is_blocked(client) {
                        self.disconnect(client);
                    } else if event.is_writable() && !connection.is_writable {
                        connection.is_writable = true;
                        self.note_answered(client);
                    }
                }
            }
        }
        if self.has_callers {
            self.accept();
        }
        for client in std::mem::take(&mut self.readable) {
            self.read(client);
        }
        self.server.run(SLICE);
        self.collect(None);
        self.serve_on();
        while let Some((level, line)) = self.server.take_log() {
            if level >= LogLevel::Notice {
                say(&String::from_utf8_lossy(&line));
            }
        }
        if self.server.clocked().abs_diff(self.inspected) >= TICK.as_micros() as u64 {
            self.inspect();
        }
        self.send();
        Ok(!self.server.shutdown)
    }

    /// Lets in who waits.
    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((stream, from)) => self.connect(stream, from),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // There are too many open files, or the caller has gone: the next turn tries again.
                Err(_) => return,
            }
        }
        self.has_callers = false;
    }

    fn connect(&mut self, mut stream: TcpStream, from: SocketAddr) {
        if !self.server.has_room() {
            let mut bytes = Vec::new();
            Reply::Error(Error::MAX_CLIENTS.0).encode(Resp::V2, &mut bytes);
            let _ = stream.write(&bytes);
            return;
        }
        let _ = stream.set_nodelay(true);
        let client = self.server.connect(&from.to_string());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.registry.register(&mut stream, Token(client as usize), interest).is_err() {
            return self.server.disconnect(client);
        }
        if let Some(state) = self.server.client_mut(client) {
            state.local_address =
                stream.local_addr().map_or_else(|_| String::new(), |address| address.to_string());
            #[cfg(unix)]
            {
                state.fd = std::os::fd::AsRawFd::as_raw_fd(&stream).into();
            }
        }
        let connection = Connection {
            stream,
            requests: Requests::default(),
            outgoing: Vec::new(),
            sent: 0,
            is_answered: false,
            is_readable: false,
            is_ending: false,
            is_half_closed: false,
            is_writable: true,
            closing: false,
            over_limit_since: None,
        };
        self.connections.insert(client, connection);
    }

    /// Takes a piece of what a client has sent, and runs it.
    fn read(&mut self, client: ClientId) {
        let Some(connection) = self.connections.get_mut(&client) else { return };
        let holds_back = connection.unsent() > MOST_UNSENT
            || connection.requests.pending() > BACKLOG && self.server.is_waiting(client);
        if holds_back {
            return;
        }
        let length = connection.requests.wanted().clamp(CHUNK, LONG_CHUNK);
        let chunk = self.chunk.get_mut(..length).unwrap_or_default();
        match connection.stream.read(chunk) {
            Ok(0) => {
                connection.is_readable = false;
                connection.is_half_closed = true;
            }
            Ok(length) => {
                // On Unix, less than asked for is all that there was; if more comes, that is told.
                let is_all = length < chunk.len() && !connection.is_ending && cfg!(unix);
                connection.is_readable = !is_all;
                if !connection.closing {
                    connection.requests.feed(chunk.get(..length).unwrap_or_default());
                }
                if connection.is_readable {
                    self.readable.insert(client);
                }
                self.server.note_active(client);
                let pending = connection.requests.pending();
                if pending > LEAST_QUERY_LIMIT
                    && pending as i64 > self.server.config.integer("client-query-buffer-limit")
                {
                    say("evalsha-server: a client has sent too much at once");
                    connection.flush();
                    return self.disconnect(client);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => connection.is_readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                self.readable.insert(client);
            }
            Err(_) => return self.disconnect(client),
        }
        self.advance(client);
    }

    /// Runs what a client has asked for, as far as it can run now.
    fn advance(&mut self, client: ClientId) {
        loop {
            // CLIENT KILL takes a client away, and so does a browser's request.
            let Some(state) = self.server.client(client) else { return self.disconnect(client) };
            let limits = Limits {
                known: !self.server.needs_authentication(state),
                longest: self.server.config.active.proto_max_bulk_len,
            };
            let Some(connection) = self.connections.get_mut(&client) else { return };
            if connection.unsent() > MOST_UNSENT {
                return;
            }
            // One at a time, as Redis: what is wrong behind a script is told after the script's reply.
            if self.server.is_waiting(client) {
                if connection.is_half_closed && self.server.is_blocked(client) {
                    self.disconnect(client);
                }
                return;
            }
            let next = if connection.closing { Ok(None) } else { connection.requests.next(limits) };
            match next {
                Ok(None) => {
                    if connection.is_half_closed {
                        connection.closing = true;
                        self.note_answered(client);
                    } else if connection.is_readable {
                        self.readable.insert(client);
                    }
                    return;
                }
                Ok(Some(argv)) => self.server.send(client, argv),
                Err(error) => {
                    connection.closing = true;
                    self.server.reply(client, Reply::Error(error.0));
                }
            }
            self.collect(Some(client));
        }
    }

    /// Takes the replies that have come, of the client who is being served and of others.
    fn collect(&mut self, current: Option<ClientId>) {
        while let Some(client) = self.server.take_news() {
            let Some(connection) = self.connections.get_mut(&client) else { continue };
            let Some(state) = self.server.client(client) else { continue };
            let (resp, listens) = (state.resp, listens(state));
            connection.closing |= state.closing;
            while let Some(reply) = self.server.take_reply(client) {
                reply.encode(resp, &mut connection.outgoing);
            }
            let unsent = connection.unsent();
            if unsent > UNCOUNTED && self.is_over_limit(client, unsent - UNCOUNTED)
                || unsent > MOST_MESSAGES && listens
            {
                say("evalsha-server: a client does not read what it is sent");
                self.disconnect(client);
                continue;
            }
            self.note_answered(client);
            if current != Some(client) {
                self.served.push(client);
            }
        }
    }

    /// Whether `client-output-buffer-limit` ends the connection of a client with so many unsent bytes.
    fn is_over_limit(&mut self, client: ClientId, unsent: usize) -> bool {
        let listens = self.server.client(client).is_some_and(is_subscribed);
        let class: &[u8] = if listens { b"pubsub" } else { b"normal" };
        let text = self.server.config.text("client-output-buffer-limit");
        let mut words = text.split(|byte| *byte == b' ').skip_while(|word| *word != class).skip(1);
        let mut number = || -> u64 {
            words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).unwrap_or(0)
        };
        let (hard, soft, seconds) = (number(), number(), number());
        let unsent = unsent as u64;
        let Some(connection) = self.connections.get_mut(&client) else { return false };
        if soft > 0 && unsent >= soft {
            // In whole seconds, as Redis's clock: a second is over when the next one begins.
            let now = self.server.clocked() / 1_000_000;
            let since = *connection.over_limit_since.get_or_insert(now);
            if now.saturating_sub(since) > seconds {
                return true;
            }
        } else {
            connection.over_limit_since = None;
        }
        hard > 0 && unsent >= hard
    }

    /// Goes on with those whose commands have ended meanwhile.
    fn serve_on(&mut self) {
        while !self.served.is_empty() {
            for client in std::mem::take(&mut self.served) {
                self.advance(client);
            }
        }
        if self.server.clients().len() < self.connections.len() {
            let is_gone = |client: &ClientId| self.server.client(*client).is_none();
            let gone: Vec<ClientId> = self.connections.keys().copied().filter(is_gone).collect();
            for client in gone {
                self.disconnect(client);
            }
        }
    }

    fn note_answered(&mut self, client: ClientId) {
        let Some(connection) = self.connections.get_mut(&client) else { return };
        if !connection.is_answered {
            connection.is_answered = true;
            self.answered.push(client);
        }
    }

    /// Sends what there is to send.
    fn send(&mut self) {
        for client in std::mem::take(&mut self.answered) {
            let Some(connection) = self.connections.get_mut(&client) else { continue };
            connection.is_answered = false;
            let unsent = connection.unsent();
            self.server.note_active(client);
            let is_last = connection.closing && (unsent > 0 || connection.is_half_closed);
            if !connection.flush() || is_last && connection.unsent() == 0 {
                self.disconnect(client);
            } else if unsent > MOST_UNSENT && connection.unsent() <= MOST_UNSENT {
                self.advance(client);
            }
        }
    }

    /// Ends the connections of those who have been idle, or have not read, for too long.
    fn inspect(&mut self) {
        self.inspected = self.server.clocked();
        let limit = self.server.config.active.timeout;
        let now = self.inspected / 1_000_000;
        let clients: Vec<ClientId> = self.connections.keys().copied().collect();
        for client in clients {
            let Some(state) = self.server.client(client) else { continue };
            let idle = now.saturating_sub(state.active / 1_000_000);
            let may_idle = limit == 0 || listens(state) || state.blocked.is_some();
            let unsent = self.connections.get(&client).map_or(0, Connection::unsent);
            if !may_idle && idle > limit
                || unsent > UNCOUNTED && self.is_over_limit(client, unsent - UNCOUNTED)
            {
                self.disconnect(client);
            }
        }
    }

    fn disconnect(&mut self, client: ClientId) {
        self.server.disconnect(client);
        self.connections.remove(&client);
        self.readable.remove(&client);
    }

    /// Lets the last replies out.
    fn close(mut self, poll: &mut Poll, events: &mut Events) -> std::io::Result<()> {
        let end = SystemClock.now() + GOODBYE.as_micros() as u64;
        loop {
            self.connections.retain(|_, connection| connection.flush() && connection.unsent() > 0);
            let left = end.saturating_sub(SystemClock.now());
            if self.connections.is_empty() || left == 0 {
                return Ok(());
            }
            poll.poll(events, Some(Duration::from_micros(left)))?;
            for event in events.iter().filter(|event| event.is_writable()) {
                let client = event.token().0 as ClientId;
                if let Some(connection) = self.connections.get_mut(&client) {
                    connection.is_writable = true;
                }
            }
        }
    }
}

fn is_subscribed(client: &Client) -> bool {
    !client.subscriptions.is_empty()
}

/// Whether messages come to the client without its asking.
fn listens(client: &Client) -> bool {
    client.monitors || is_subscribed(client)
}
