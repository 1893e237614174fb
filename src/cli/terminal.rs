//! What redis-cli does with a line, what it prints of a reply, and the prompt it shows, whoever the server is.

use super::print::{self, Printing};
use super::split;
use crate::number::{self, c_string};
use crate::resp::Reply;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// The server that redis-cli talks to when it is told nothing else: what its prompt says.
pub const ADDRESS: &str = "127.0.0.1:6379";

/// The prompt in database 0, outside of transactions.
const PROMPT: &str = "127.0.0.1:6379> ";

/// What redis-cli keeps in mind between two lines.
#[derive(Default)]
pub struct Terminal {
    database: i64,
    in_multi: bool,
    /// The database that was selected when MULTI began.
    database_before_multi: i64,
    no_hints: bool,
}

/// What redis-cli does with a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Entered {
    /// Nothing.
    Nothing,
    /// Says what is wrong with it.
    Invalid(Vec<u8>),
    /// Clears the screen.
    Clear,
    /// Ends.
    Close,
    /// Prints help about these words.
    Help(Vec<Vec<u8>>),
    /// Connects to another server.
    Connect {
        /// Its name or address.
        host: Vec<u8>,
        /// Its port.
        port: Vec<u8>,
    },
    /// Sends a command, waits for the reply, and that so many times.
    Send {
        /// The command.
        argv: Vec<Vec<u8>>,
        /// Times, at least 1.
        times: i64,
    },
}

impl Terminal {
    /// The prompt with the space behind it.
    pub fn prompt(&self) -> Cow<'static, str> {
        if self.database == 0 && !self.in_multi {
            return PROMPT.into();
        }
        let database =
            if self.database == 0 { String::new() } else { format!("[{}]", self.database) };
        let transaction = if self.in_multi { "(TX)" } else { "" };
        format!("{ADDRESS}{database}{transaction}> ").into()
    }

    /// The database that the server is believed to have selected.
    pub fn database(&self) -> i64 {
        self.database
    }

    /// Whether grey hints are wanted.
    pub fn hints(&self) -> bool {
        !self.no_hints
    }

    /// A new connection is in no transaction.
    pub fn forget_transaction(&mut self) {
        self.in_multi = false;
    }

    /// Decides what to do with a line.
    pub fn enter(&mut self, line: &[u8]) -> Entered {
        let Some(mut argv) = split::split(line) else {
            return Entered::Invalid(b"Invalid argument(s)\n".to_vec());
        };
        let Some(first) = argv.first() else { return Entered::Nothing };
        let mut times = 1;
        if let (Some(number), 2..) = (repetitions(first), argv.len()) {
            if number <= 0 {
                let text = b"Invalid redis-cli repeat command option value.\n";
                return Entered::Invalid(text.to_vec());
            }
            times = number;
            argv.remove(0);
        } else if is(first, "quit") || is(first, "exit") {
            return Entered::Close;
        } else if first.starts_with(b":") {
            return self.set_preference(&argv);
        } else if is(first, "restart") {
            return Entered::Invalid(b"Use 'restart' only in Lua debugging mode.\n".to_vec());
        } else if argv.len() == 1 && is(first, "clear") {
            return Entered::Clear;
        } else if let [word, host, port] = argv.as_slice()
            && is(word, "connect")
        {
            return Entered::Connect { host: host.clone(), port: port.clone() };
        }
        match argv.first() {
            Some(first) if is(first, "help") || is(first, "?") => {
                argv.remove(0);
                Entered::Help(argv)
            }
            _ => Entered::Send { argv, times },
        }
    }

    fn set_preference(&mut self, argv: &[Vec<u8>]) -> Entered {
        let unknown = |what: &str, word: &[u8]| {
            let what = format!("unknown redis-cli {what} '");
            Entered::Invalid([what.as_bytes(), c_string(word), b"'\n"].concat())
        };
        match argv {
            [set, word, ..] if is(set, ":set") => {
                if is(word, "hints") {
                    self.no_hints = false;
                } else if is(word, "nohints") {
                    self.no_hints = true;
                } else {
                    return unknown("preference", word);
                }
                Entered::Nothing
            }
            _ => unknown("internal command", argv.first().map(Vec::as_slice).unwrap_or_default()),
        }
    }

    /// Learns from a reply what the prompt must say; the reply's printing, which has not begun.
    pub fn receive(&mut self, argv: &[Vec<u8>], reply: Reply) -> Printing {
        let error = matches!(reply, Reply::Error(_));
        let name = argv.first().map_or(&[][..], |name| c_string(name));
        let called = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
        match argv {
            [_, number] if called("select") && !error => self.database = leading_number(number),
            [_] if called("multi") && !error => {
                self.in_multi = true;
                self.database_before_multi = self.database;
            }
            [_] if called("exec") && self.in_multi => {
                self.in_multi = false;
                if error || matches!(reply, Reply::Null | Reply::NullArray) {
                    self.database = self.database_before_multi;
                }
            }
            [_] if called("discard") && !error => {
                self.in_multi = false;
                self.database = self.database_before_multi;
            }
            [_] if called("reset") && !error => {
                self.in_multi = false;
                self.database = 0;
            }
            _ => {}
        }
        if prints_raw(argv) {
            Printing::done(print::print_raw(&reply))
        } else {
            Printing::new(reply)
        }
    }
}

/// Commands whose reply is a text for people, which redis-cli prints as it is: their words, and how many arguments,
/// the words counted, they may have.
const RAW: &[(&[&str], RangeInclusive<usize>)] = &[
    (&["info"], 1..=usize::MAX),
    (&["lolwut"], 1..=usize::MAX),
    (&["debug", "htstats"], 2..=usize::MAX),
    (&["debug", "htstats-key"], 2..=usize::MAX),
    (&["memory", "malloc-stats"], 2..=usize::MAX),
    (&["memory", "doctor"], 2..=usize::MAX),
    (&["cluster", "nodes"], 2..=2),
    (&["cluster", "info"], 2..=2),
    (&["client", "list"], 2..=usize::MAX),
    (&["client", "info"], 2..=usize::MAX),
    (&["latency", "graph"], 3..=3),
    (&["latency", "doctor"], 2..=2),
    (&["proxy", "info"], 2..=usize::MAX),
];

fn prints_raw(argv: &[Vec<u8>]) -> bool {
    let name = argv.first().map_or(&[][..], |name| c_string(name));
    RAW.iter().any(|(words, lengths)| {
        words[0].as_bytes().eq_ignore_ascii_case(name)
            && lengths.contains(&argv.len())
            && words.iter().zip(argv).all(|(word, argument)| is(argument, word))
    })
}

/// Whether a word is this name in any case. redis-cli's words are C strings here, which end at the first NUL byte.
fn is(word: &[u8], name: &str) -> bool {
    c_string(word).eq_ignore_ascii_case(name.as_bytes())
}

/// The number that a line's first word is, if it is one and nothing else, as C's `strtol` reads it; 0 if it is too
/// large for 64 bits, which is refused like 0 itself. The empty word is 0 as well.
fn repetitions(word: &[u8]) -> Option<i64> {
    number::strtoll(word).map(|number| i64::try_from(number).unwrap_or(0))
}

/// The number at the beginning of a text, as C's `atoi` reads it; 0 if there is none.
fn leading_number(text: &[u8]) -> i64 {
    let end = text.iter().skip(1).position(|byte| !byte.is_ascii_digit());
    let end = end.map_or(text.len(), |end| end + 1);
    let number = text.get(..end).and_then(|text| std::str::from_utf8(text).ok());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
