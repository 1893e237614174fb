//! One redis-cli that talks to a server in the same process.

use super::terminal::{ADDRESS, Entered, Terminal};
use super::{help, print};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Server;
use crate::server::client::ClientId;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Replies that are printed in one go; a million repetitions then leave the thread free in between.
const REPLIES_AT_ONCE: usize = 200;

/// Bytes after which no more replies are printed in one go.
const TEXT_AT_ONCE: usize = 1 << 20;

/// What a terminal shows next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// What is printed, as redis-cli does it: mostly ASCII, but a status may hold any byte. It ends with a newline
    /// except after the few commands that print raw text without one, where redis-cli has the prompt on that line.
    pub text: Vec<u8>,
    /// False if an error is among what was printed.
    pub ok: bool,
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
    closed: bool,
}

/// What can be entered.
enum Line {
    /// As it was typed.
    Typed(Vec<u8>),
    /// A command's arguments, split by somebody else.
    Split(Vec<Vec<u8>>),
}

struct Request {
    argv: Vec<Vec<u8>>,
    /// Replies that are missing, the one of the command that runs included.
    left: i64,
    /// It has been sent, and not been answered.
    sent: bool,
    /// When the first was sent, in microseconds.
    started: Option<u64>,
}

/// From so many microseconds on redis-cli says how long a command took.
const SLOW: u64 = 500_000;

impl Session {
    /// Starts redis-cli: a new client of the server.
    pub fn open(server: &mut Server) -> Session {
        Session {
            terminal: Terminal::default(),
            client: Some(server.connect(ADDRESS)),
            request: None,
            lines: VecDeque::new(),
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
        if self.client.is_none() { "not connected> ".into() } else { self.terminal.prompt() }
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
            Some(request) => !request.sent || client.is_none() || answered,
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
        if let Some(request) = &mut self.request {
            request.left = 1;
            if request.sent {
                match self.client.map(|client| server.kill_script(client)) {
                    Some(Ok(())) => {}
                    Some(Err(error)) if error == Error::UNKILLABLE => {
                        output.ok = false;
                        output.unkillable = true;
                        output.text = print::print(&Reply::Error(error.0));
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
        Output { text: Vec::new(), ok: true, state: self.state(), clear: false, unkillable: false }
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
                    Line::Split(argv) => {
                        self.request = Some(Request { argv, left: 1, sent: false, started: None });
                    }
                }
            } else {
                // Messages that nobody asked for.
                while let Some(reply) = self.client.and_then(|client| server.take_reply(client)) {
                    output.text.extend_from_slice(&print::print(&reply));
                }
                break;
            }
        }
        output.state = self.state();
    }

    fn enter(&mut self, server: &mut Server, line: &[u8], output: &mut Output) {
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
            Entered::Help(topic) => {
                self.stay_connected(server);
                output.text.extend_from_slice(&help::help(&topic));
            }
            Entered::Send { argv, times } => {
                self.request = Some(Request { argv, left: times, sent: false, started: None });
            }
        }
    }

    /// Sends the command of the request, or takes its reply; false if there is none yet.
    fn answer(&mut self, server: &mut Server, output: &mut Output) -> bool {
        let Some(mut request) = self.request.take() else { return false };
        if !request.sent {
            request.sent = true;
            let client = self.stay_connected(server);
            server.send(client, &request.argv);
            let sent = server.client(client).map(|client| client.active);
            request.started = request.started.or(sent);
        }
        let reply = self.client.and_then(|client| server.take_reply(client));
        let connected = self.client.and_then(|client| server.client(client));
        let (Some(reply), Some(client)) = (reply, connected) else {
            if connected.is_none() {
                self.client = None;
                self.terminal.forget_transaction();
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
        if matches!(reply, Reply::Push(_)) {
            output.text.extend_from_slice(&print::print(&reply));
            self.request = Some(request);
            return true;
        }
        output.ok &= !matches!(reply, Reply::Error(_));
        output.unkillable |= reply == Reply::Error(Error::UNKILLABLE.0);
        output.text.extend_from_slice(&self.terminal.receive(&request.argv, &reply));
        if client.closing {
            server.disconnect(client.id);
        }
        request.sent = false;
        request.left -= 1;
        if request.left > 0 {
            self.request = Some(request);
            return true;
        }
        let took = request.started.map_or(0, |started| server.clocked().saturating_sub(started));
        if took >= SLOW {
            let line = format!("({:.2}s)\n", took as f64 / 1_000_000.0);
            output.text.extend_from_slice(line.as_bytes());
        }
        true
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
