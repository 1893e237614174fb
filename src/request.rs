//! Reads commands out of the bytes that a client sends: arrays of bulk strings, and inline commands for people at a telnet.

use crate::error::Error;
use crate::number::parse_integer;
use crate::split::split;

/// A line that does not end within this many bytes is refused (`PROTO_INLINE_MAX_SIZE`).
const LONGEST_LINE: usize = 64 * 1024;
/// The most arguments of a command.
const ARGUMENTS: i64 = i32::MAX as i64;
/// The two limits before AUTH has succeeded.
const STRANGERS_ARGUMENTS: i64 = 10;
const STRANGERS_LENGTH: u64 = 16 * 1024;
/// What is kept of a command for the next one: so many arguments, and so many bytes of each; and of the bytes that came.
const KEPT_ARGUMENTS: usize = 64;
const KEPT_LENGTH: usize = 1024;
const KEPT_BUFFER: usize = 64 * 1024;

/// What a client may send.
#[derive(Clone, Copy)]
pub struct Limits {
    /// It has no password left to give: a stranger gets small limits.
    pub known: bool,
    /// The longest argument, `proto-max-bulk-len`.
    pub longest: u64,
}

/// The bytes of one client that are not yet commands.
#[derive(Default)]
pub struct Requests {
    buffer: Vec<u8>,
    /// Where the first unread byte is.
    at: usize,
    /// Arguments to come, of the array that has begun.
    missing: i64,
    /// The command: its first `whole` arguments, and behind them room from commands before.
    arguments: Vec<Vec<u8>>,
    whole: usize,
    /// The length of the argument that has begun.
    length: Option<usize>,
}

impl Requests {
    /// More bytes have come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next command, which may have no words; `None` until more bytes come. After an error the client is told it and sent away.
    pub fn next(&mut self, limits: Limits) -> Result<Option<&[Vec<u8>]>, Error> {
        if self.missing == 0 {
            self.forget();
        }
        if self.missing == 0 {
            match self.unread().first() {
                None => return Ok(None),
                Some(b'*') => {
                    if !self.begin_array(limits)? {
                        return Ok(None);
                    }
                }
                Some(_) => {
                    let Some(arguments) = self.inline()? else { return Ok(None) };
                    self.whole = arguments.len();
                    self.arguments = arguments;
                    return Ok(Some(&self.arguments));
                }
            }
        }
        let is_whole = self.read_arguments(limits)?;
        Ok(is_whole.then(|| self.arguments.get(..self.whole).unwrap_or_default()))
    }

    /// Bytes that have come and are no argument yet: what `client-query-buffer-limit` limits.
    pub fn pending(&self) -> usize {
        self.unread().len()
    }

    /// Bytes that the argument which has begun waits for.
    pub fn wanted(&self) -> usize {
        self.length.map_or(0, |length| (length + 2).saturating_sub(self.unread().len()))
    }

    /// Makes room for the next command. What is small is used again.
    fn forget(&mut self) {
        self.whole = 0;
        self.arguments.truncate(KEPT_ARGUMENTS);
        for argument in &mut self.arguments {
            if argument.capacity() > KEPT_LENGTH {
                *argument = Vec::new();
            }
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Where the line ends that begins here. As in C, a NUL byte hides everything behind it.
    fn line_end(&self, end: u8, too_long: Error) -> Result<Option<usize>, Error> {
        let unread = self.unread();
        match unread.iter().position(|&byte| byte == end || byte == 0) {
            Some(length) if unread.get(length) == Some(&end) => Ok(Some(length)),
            _ if unread.len() > LONGEST_LINE => Err(too_long),
            _ => Ok(None),
        }
    }

    /// The number behind the type byte of a line that ends in CR and one more byte, whatever that is.
    fn number(&mut self, too_long: Error, not_one: Error) -> Result<Option<i64>, Error> {
        let Some(length) = self.line_end(b'\r', too_long)? else { return Ok(None) };
        if length + 2 > self.unread().len() {
            return Ok(None);
        }
        let number = self.unread().get(1..length).and_then(parse_integer).ok_or(not_one)?;
        self.at += length + 2;
        Ok(Some(number))
    }

    /// `*3`: false until the line is complete. A length of nothing, or less, is a command of nothing.
    fn begin_array(&mut self, limits: Limits) -> Result<bool, Error> {
        let number = self.number(Error::MULTIBULK_COUNT_TOO_LONG, Error::MULTIBULK_LENGTH)?;
        let Some(missing) = number else { return Ok(false) };
        if missing > ARGUMENTS {
            return Err(Error::MULTIBULK_LENGTH);
        }
        if !limits.known && missing > STRANGERS_ARGUMENTS {
            return Err(Error::STRANGERS_MULTIBULK_LENGTH);
        }
        self.missing = missing.max(0);
        Ok(true)
    }

    /// Reads the arguments of the array that has begun: false until all of them have come.
    fn read_arguments(&mut self, limits: Limits) -> Result<bool, Error> {
        while self.missing > 0 {
            if self.length.is_none() {
                self.length = self.begin_argument(limits)?;
            }
            let whole = self.length.filter(|length| self.unread().len() >= length + 2);
            let Some(length) = whole else { return Ok(false) };
            let bytes = self.buffer.get(self.at..self.at + length).unwrap_or_default();
            match self.arguments.get_mut(self.whole) {
                Some(room) => {
                    room.clear();
                    room.extend_from_slice(bytes);
                }
                None => self.arguments.push(bytes.to_vec()),
            }
            self.whole += 1;
            self.length = None;
            self.missing -= 1;
            // The two bytes behind an argument are passed over unread.
            self.at += length + 2;
        }
        Ok(true)
    }

    /// `$5`: the length of an argument; `None` until the line is complete.
    fn begin_argument(&mut self, limits: Limits) -> Result<Option<usize>, Error> {
        match self.line_end(b'\r', Error::BULK_COUNT_TOO_LONG)? {
            Some(length) if length + 2 <= self.unread().len() => {}
            _ => return Ok(None),
        }
        if let Some(&byte) = self.unread().first().filter(|&&byte| byte != b'$') {
            return Err(Error::expected_dollar(byte));
        }
        let number = self.number(Error::BULK_COUNT_TOO_LONG, Error::BULK_LENGTH)?;
        let Some(length) = number else { return Ok(None) };
        let length = u64::try_from(length).map_err(|_| Error::BULK_LENGTH)?;
        if length > limits.longest {
            return Err(Error::BULK_LENGTH);
        }
        if !limits.known && length > STRANGERS_LENGTH {
            return Err(Error::STRANGERS_BULK_LENGTH);
        }
        Ok(Some(length as usize))
    }

    /// A line of words.
    fn inline(&mut self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let Some(length) = self.line_end(b'\n', Error::INLINE_TOO_LONG)? else { return Ok(None) };
        let line = self.unread().get(..length).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let arguments = split(line).ok_or(Error::UNBALANCED_QUOTES)?;
        self.at += length + 1;
        Ok(Some(arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Requests};

    const LIMITS: Limits = Limits { known: true, longest: 512 * 1024 * 1024 };

    /// The commands in the bytes, words joined by `|`, and the error after them; the same however the bytes are cut.
    #[track_caller]
    fn check(bytes: &[u8], commands: &[&str], error: Option<&str>) {
        for cut in [1, 2, 3, 7, bytes.len().max(1)] {
            let mut requests = Requests::default();
            let mut read = Vec::new();
            let mut failed = None;
            for piece in bytes.chunks(cut) {
                requests.feed(piece);
                while failed.is_none() {
                    match requests.next(LIMITS) {
                        Ok(Some(words)) => read.push(words.join(&b'|').escape_ascii().to_string()),
                        Ok(None) => break,
                        Err(error) => failed = Some(error.0.escape_ascii().to_string()),
                    }
                }
            }
            let shown = bytes.escape_ascii();
            assert_eq!(read, commands, "{shown} in pieces of {cut}");
            let failed =
                failed.map(|text| text.replace("ERR Protocol error: ", "").replace('\\', ""));
            assert_eq!(failed.as_deref(), error, "{shown} in pieces of {cut}");
        }
    }

    #[test]
    fn arrays() {
        check(b"*1\r\n$4\r\nPING\r\n", &["PING"], None);
        check(b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n*1\r\n$0\r\n\r\n", &["GET|\\r\\n", ""], None);
        check(b"*0\r\n*-1\r\n*-7\r\nPING\r\n", &["", "", "", "PING"], None);
        check(b"*1\r\n$4\r\nPINGxx*1\rx$4\rxPING\r\n", &["PING", "PING"], None);
        check(b"*3\r\n$4\r\nPING\r\n", &[], None);
        check(b"*1\r\n$536870912\r\nx", &[], None);
        check(b"*1\r\n\0\r\n", &[], None);
        check(b"*1\r\nx\r", &[], None);
    }

    #[test]
    fn broken_arrays() {
        for number in ["x", "", " 1", "1 ", "+1", "01", "-0", "2147483648", "99999999999999999999"]
        {
            check(
                format!("PING\r\n*{number}\r\nPING\r\n").as_bytes(),
                &["PING"],
                Some("invalid multibulk length"),
            );
            if number != "2147483648" {
                check(
                    format!("*1\r\n${number}\r\nPING\r\n").as_bytes(),
                    &[],
                    Some("invalid bulk length"),
                );
            }
        }
        check(b"*1\r\n$-1\r\n", &[], Some("invalid bulk length"));
        check(b"*1\r\n$536870913\r\n", &[], Some("invalid bulk length"));
        check(b"*1\r\nPING\r\n", &[], Some("expected '$', got 'P'"));
        check(b"*1\r\n\r\n", &[], Some("expected '$', got ' '"));
    }

    #[test]
    fn lines() {
        check(b"PING\r\nGET a\n", &["PING", "GET|a"], None);
        check(b"\r\n \t\n\nECHO \"a\\x41 b\" 'c'\r\n", &["", "", "", "ECHO|aA b|c"], None);
        check(b"PING a\rb\r\n", &["PING|a|b"], None);
        check(b"PI\0NG\r\nPING\r\n", &[], None);
        check(b"GET \"a\r\n", &[], Some("unbalanced quotes in request"));
    }

    #[test]
    fn lines_without_end() {
        check_endless(b"", "too big inline request");
        check_endless(b"*", "too big mbulk count string");
        check_endless(b"*1\r\n", "too big bulk count string");
        check_endless(b"*1\r\n$", "too big bulk count string");
    }

    #[track_caller]
    fn check_endless(start: &[u8], error: &str) {
        let mut requests = Requests::default();
        requests.feed(start);
        requests.feed(&vec![b'1'; 64 * 1024 - 1]);
        assert_eq!(requests.next(LIMITS), Ok(None), "{}", start.escape_ascii());
        requests.feed(b"11");
        let failed = requests.next(LIMITS).map_err(|error| error.0.escape_ascii().to_string());
        assert_eq!(failed, Err(format!("ERR Protocol error: {error}")));
    }

    #[test]
    fn strangers_have_small_limits() {
        let check = |bytes: &[u8], error: &str| {
            let mut requests = Requests::default();
            requests.feed(bytes);
            let failed = requests
                .next(Limits { known: false, ..LIMITS })
                .map_err(|error| error.0.escape_ascii().to_string());
            assert_eq!(failed, Err(format!("ERR Protocol error: {error}")));
        };
        check(b"*11\r\n", "unauthenticated multibulk length");
        check(b"*10\r\n$16385\r\n", "unauthenticated bulk length");
    }
}
