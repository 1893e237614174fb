//! Types into the real redis-cli, through a pipe or on a terminal of its own.

use super::real::RealServer;
use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// What redis-cli prints when these lines come through a pipe: no prompt, replies as on a terminal.
pub fn through_pipe(server: &RealServer, lines: &[u8]) -> Vec<u8> {
    let mut process = Command::new("redis-cli")
        .arg("-s")
        .arg(server.socket())
        .arg("--no-raw")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-cli starts");
    let mut stdin = process.stdin.take().expect("it is piped");
    let lines = lines.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&lines));
    let output = process.wait_with_output().expect("redis-cli ends").stdout;
    // It stops reading after `exit`.
    let _ = writer.join();
    output
}

/// What stands on a simple terminal, without what was typed: prompts and replies.
pub fn on_a_simple_terminal(server: &RealServer, lines: &[u8]) -> Vec<u8> {
    let mut terminal = Terminal::open(server, "dumb");
    terminal.type_in(lines);
    terminal.process.stdin.take();
    let mut output = Vec::new();
    terminal.output.read_to_end(&mut output).expect("redis-cli ends");
    let output = [std::mem::take(&mut terminal.read), output].concat();
    // The terminal turns each newline into two characters, and the port is an accident. So is what the system says of a
    // connection that the server has closed.
    let text = replace(&output, b"\r\n", b"\n");
    let text =
        replace(&text, b"Error: Connection reset by peer", b"Error: Server closed the connection");
    replace(&text, format!("127.0.0.1:{}", server.port()).as_bytes(), b"127.0.0.1:6379")
}

/// What redis-cli prints of a line, and of Ctrl-C once this has been printed, up to the next prompt.
pub fn interrupted(server: &RealServer, line: &[u8], seen: &[u8]) -> Vec<u8> {
    let mut terminal = Terminal::open(server, "dumb");
    let prompt = terminal.prompt.clone();
    terminal.read.clear();
    terminal.type_in(&[line, b"\n"].concat());
    terminal.read_until(seen);
    terminal.type_in(b"\x03");
    terminal.read_until(&prompt);
    let printed = terminal.read.strip_suffix(prompt.as_slice()).unwrap_or_default();
    replace(printed, b"\r\n", b"\n")
}

/// redis-cli on a terminal, made by the program `script`.
pub struct Terminal {
    process: Child,
    output: ChildStdout,
    prompt: Vec<u8>,
    /// What was printed and not yet asked for.
    read: Vec<u8>,
}

impl Terminal {
    /// Starts redis-cli and waits for its prompt. The kind is TERM: `dumb` has no hints and no editing.
    pub fn open(server: &RealServer, kind: &str) -> Terminal {
        let port = server.port();
        let mut process = Command::new("script")
            .args(["-qefc", &format!("stty cols 1000; exec redis-cli -p {port}"), "-E", "never"])
            .arg("/dev/null")
            .env("TERM", kind)
            .env("HOME", "/nonexistent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script(1) of util-linux is installed");
        let output = process.stdout.take().expect("it is piped");
        let prompt = format!("127.0.0.1:{port}> ").into_bytes();
        let mut terminal = Terminal { process, output, prompt: prompt.clone(), read: Vec::new() };
        terminal.read_until(&prompt);
        terminal
    }

    /// Types keys.
    pub fn type_in(&mut self, keys: &[u8]) {
        let stdin = self.process.stdin.as_mut().expect("it is open");
        stdin.write_all(keys).expect("the terminal reads");
        stdin.flush().expect("the terminal reads");
    }

    fn read_until(&mut self, end: &[u8]) {
        let mut buffer = [0; 8192];
        while !self.read.windows(end.len()).any(|window| window == end) {
            let length = self.output.read(&mut buffer).expect("the terminal writes");
            assert!(length > 0, "redis-cli ended: {}", self.read.escape_ascii());
            self.read.extend_from_slice(&buffer[..length]);
        }
    }

    /// Types keys into an empty line, and gives each state in which it was drawn: what stands there, and the
    /// grey hint behind it. The line is empty again then.
    pub fn draw(&mut self, keys: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        const CLEAR_LINE: &[u8] = b"\x15";
        const HINT: &[u8] = b"\x1b[0;90;49m";
        // A word that nothing else draws says that all has been drawn.
        self.type_in(&[keys, CLEAR_LINE, b"~#~", CLEAR_LINE].concat());
        let start = [b"\x1b[0K".as_slice(), &self.prompt].concat();
        let (empty, full) = (self.prompt.len(), self.prompt.len() + 3);
        let mut end = format!("~#~\r\x1b[{full}C\r").into_bytes();
        end.extend_from_slice(&start);
        end.extend_from_slice(format!("\r\x1b[{empty}C").as_bytes());
        self.read_until(&end);
        let text = std::mem::take(&mut self.read);
        let mut drawn = Vec::new();
        for part in split(&text, &start).into_iter().skip(1) {
            let part = part.split(|&byte| byte == b'\r').next().unwrap_or_default();
            if part.starts_with(b"~") {
                break;
            }
            if part.is_empty() {
                continue;
            }
            drawn.push(match split(part, HINT).as_slice() {
                [line, hint] => (line.to_vec(), split(hint, b"\x1b[0m")[0].to_vec()),
                _ => (part.to_vec(), Vec::new()),
            });
        }
        drawn
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.process.stdin.take();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The parts of a text between separators.
pub fn split<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at + separator.len() <= text.len() {
        if text[at..].starts_with(separator) {
            parts.push(&text[start..at]);
            at += separator.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    split(text, from).join(to)
}
