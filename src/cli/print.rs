//! Prints a reply the way redis-cli does on a terminal, and the way it does when it prints raw text.

use crate::resp::{Reply, format_decimal, format_double};
use crate::split::quote;
use std::{mem, vec};

/// What redis-cli prints of a reply on a terminal (`--no-raw`), the newline at the end included.
///
/// The reply must be what the client receives: RESP2 clients get no map, see [`Reply::downgrade`].
pub fn print(reply: Reply) -> Vec<u8> {
    Printing::new(reply).finish()
}

/// Bytes of a reply that are printed, nearly: nobody reads more, and a text must fit into a string of JavaScript, each
/// byte as an escape.
const MOST_BYTES: usize = 64 << 20;

/// What follows the part that is printed.
const REST: &[u8] = b"(the rest of this reply is too long to be printed)\n";

/// A reply that is printed portion by portion, as [`print()`] does it.
pub struct Printing {
    /// What has been printed.
    pub text: Vec<u8>,
    /// A stack of our own: replies may nest deeper than a thread's stack allows.
    open: Vec<Level>,
    next: Option<Reply>,
}

impl Printing {
    /// Nothing of the reply has been printed yet.
    pub fn new(reply: Reply) -> Printing {
        // Most replies are a short line.
        Printing { text: Vec::with_capacity(64), open: Vec::new(), next: Some(reply) }
    }

    /// A text that needs no printing.
    pub fn done(text: Vec<u8>) -> Printing {
        Printing { text, open: Vec::new(), next: None }
    }

    /// Prints all that is left.
    pub fn finish(mut self) -> Vec<u8> {
        self.go_on(usize::MAX);
        self.text
    }

    /// Prints some `bytes` more; whether there is nothing left to print.
    pub fn go_on(&mut self, bytes: usize) -> bool {
        let enough = self.text.len().saturating_add(bytes);
        while self.text.len() < enough {
            if let Some(mut reply) = self.next.take() {
                let indent = self.open.last().map_or(0, |level| level.indent + level.width + 2);
                let is_value = self.open.last().is_some_and(Level::is_at_value);
                let starts_line = is_value && is_long(&reply);
                if let Some(level) = Level::of(&mut reply, indent) {
                    if starts_line {
                        self.text.push(b'\n');
                        self.text.resize(self.text.len() + indent, b' ');
                    }
                    self.open.push(level);
                } else {
                    print_leaf(&reply, &mut self.text);
                }
            }
            let Some(level) = self.open.last_mut() else { return true };
            if self.text.len() > MOST_BYTES {
                self.text.extend_from_slice(REST);
                self.open.clear();
                return true;
            }
            self.next = level.next(&mut self.text);
            if self.next.is_none() {
                self.open.pop();
            }
        }
        self.next.is_none() && self.open.is_empty()
    }
}

/// Whether a pair's value begins on a line of its own: somewhere along its first elements there are two or more.
fn is_long(mut reply: &Reply) -> bool {
    loop {
        match reply {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
                match items.as_slice() {
                    [only] => reply = only,
                    items => return !items.is_empty(),
                }
            }
            Reply::Map(pairs) => match pairs.as_slice() {
                [(_, only)] => reply = only,
                pairs => return !pairs.is_empty(),
            },
            _ => return false,
        }
    }
}

/// An aggregate that is half printed.
struct Level {
    items: Items,
    /// Elements or pairs printed so far, the one that is being printed included.
    printed: usize,
    /// Width of the largest number.
    width: usize,
    /// The column of the numbers.
    indent: usize,
    separator: u8,
}

enum Items {
    Plain(vec::IntoIter<Reply>),
    Pairs {
        rest: vec::IntoIter<(Reply, Reply)>,
        /// The value of the key that is being printed.
        value: Option<Reply>,
    },
}

impl Level {
    /// Takes the elements out of an aggregate; `None` if the reply is not one, or empty.
    fn of(reply: &mut Reply, indent: usize) -> Option<Level> {
        let (length, separator) = match reply {
            Reply::Array(items) | Reply::Push(items) => (items.len(), b')'),
            Reply::Set(items) => (items.len(), b'~'),
            Reply::Map(pairs) => (pairs.len(), b'#'),
            _ => return None,
        };
        if length == 0 {
            return None;
        }
        let items = match reply {
            Reply::Map(pairs) => Items::Pairs { rest: mem::take(pairs).into_iter(), value: None },
            reply => Items::Plain(reply.take_items().into_iter()),
        };
        let width = length.to_string().len();
        Some(Level { items, printed: 0, width, indent, separator })
    }

    /// Whether the value of a pair is being printed.
    fn is_at_value(&self) -> bool {
        matches!(self.items, Items::Pairs { value: None, .. })
    }

    /// Prints what stands before the next element, and gives that element.
    fn next(&mut self, out: &mut Vec<u8>) -> Option<Reply> {
        let item = match &mut self.items {
            Items::Plain(items) => items.next()?,
            Items::Pairs { value: value @ Some(_), .. } => {
                // The key has been printed with a newline at its end; the value goes on that line.
                out.pop();
                out.extend_from_slice(b" => ");
                return value.take();
            }
            Items::Pairs { rest, value: waiting } => {
                let (key, value) = rest.next()?;
                *waiting = Some(value);
                key
            }
        };
        // The first number stands on its parent's line.
        let indent = if self.printed > 0 { self.indent } else { 0 };
        self.printed += 1;
        let number = self.printed.to_string();
        out.resize(out.len() + indent + self.width - number.len(), b' ');
        out.extend_from_slice(number.as_bytes());
        out.extend_from_slice(&[self.separator, b' ']);
        Some(item)
    }
}

fn print_leaf(reply: &Reply, out: &mut Vec<u8>) {
    let text: &[u8] = match reply {
        Reply::Error(text) => {
            out.extend_from_slice(b"(error) ");
            text
        }
        Reply::Status(text) => text,
        // At a big number the redis-cli of 7.0 ends ("Unknown reply type: 13"); a playground goes on.
        Reply::Verbatim(_, text) | Reply::BigNumber(text) => text,
        Reply::Integer(number) => {
            out.extend_from_slice(b"(integer) ");
            &number.to_string().into_bytes()
        }
        Reply::Double(number) => {
            out.extend_from_slice(b"(double) ");
            &format_double(*number)
        }
        Reply::Decimal(number) => {
            out.extend_from_slice(b"(double) ");
            &format_decimal(*number)
        }
        Reply::Bulk(bytes) => {
            quote(&bytes[..bytes.len().min(MOST_BYTES)], out);
            if bytes.len() > MOST_BYTES {
                out.extend_from_slice(b"...");
            }
            b""
        }
        Reply::Null | Reply::NullArray => b"(nil)",
        Reply::Boolean(true) => b"(true)",
        Reply::Boolean(false) => b"(false)",
        Reply::Array(_) => b"(empty array)",
        Reply::Map(_) => b"(empty hash)",
        Reply::Set(_) => b"(empty set)",
        Reply::Push(_) => b"(empty push)",
    };
    out.extend_from_slice(text);
    out.push(b'\n');
}

/// What redis-cli prints of a reply to a command whose answer is a text for people, like INFO: nothing quoted,
/// nothing numbered, and no newline at the end that is not in the reply.
pub fn print_raw(reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = vec![Raw::Reply(reply)];
    while let Some(next) = rest.pop() {
        let reply = match next {
            Raw::Reply(reply) => reply,
            Raw::Separator(byte) => {
                out.push(byte);
                continue;
            }
        };
        let below = rest.len();
        match reply {
            Reply::Array(items) | Reply::Push(items) | Reply::Set(items) => {
                for item in items {
                    rest.extend([Raw::Reply(item), Raw::Separator(b'\n')]);
                }
            }
            Reply::Map(pairs) => {
                for (key, value) in pairs {
                    rest.extend([Raw::Reply(key), Raw::Separator(b' ')]);
                    rest.extend([Raw::Reply(value), Raw::Separator(b'\n')]);
                }
            }
            Reply::Error(text) => {
                out.extend_from_slice(text);
                out.push(b'\n');
            }
            Reply::Status(text) => out.extend_from_slice(text),
            Reply::Bulk(text) | Reply::Verbatim(_, text) | Reply::BigNumber(text) => {
                out.extend_from_slice(text);
            }
            Reply::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Reply::Double(number) => out.extend_from_slice(&format_double(*number)),
            Reply::Decimal(number) => out.extend_from_slice(&format_decimal(*number)),
            Reply::Boolean(true) => out.extend_from_slice(b"(true)"),
            Reply::Boolean(false) => out.extend_from_slice(b"(false)"),
            Reply::Null | Reply::NullArray => {}
        }
        if rest.len() > below {
            // What was pushed last is printed first: no separator behind the last element, and the order turned.
            rest.pop();
            rest.get_mut(below..).unwrap_or_default().reverse();
        }
    }
    out
}

enum Raw<'a> {
    Reply(&'a Reply),
    Separator(u8),
}

#[cfg(test)]
mod tests {
    use super::{Printing, Reply, print, print_raw};
    use crate::resp::Resp;
    use crate::split::quoted;

    #[track_caller]
    fn check(reply: &Reply, printed: &str, raw: &str) {
        assert_eq!(String::from_utf8_lossy(&print_raw(reply)), raw);
        assert_eq!(String::from_utf8_lossy(&print(reply.clone())), printed);
    }

    fn integers(count: i64) -> Vec<Reply> {
        (1..=count).map(Reply::Integer).collect()
    }

    // Every expectation was printed by redis-cli 7.0.15 for these bytes from a socket, except the big number's.

    #[test]
    fn leaves() {
        check(&Reply::OK, "OK\n", "OK");
        check(&Reply::Error(b"ERR a".into()), "(error) ERR a\n", "ERR a\n");
        check(&Reply::Integer(-5), "(integer) -5\n", "-5");
        check(&Reply::Null, "(nil)\n", "");
        check(&Reply::NullArray, "(nil)\n", "");
        check(&Reply::bulk(""), "\"\"\n", "");
        check(&Reply::bulk("a\nb"), "\"a\\nb\"\n", "a\nb");
        check(&Reply::Double(1.5), "(double) 1.5\n", "1.5");
        check(&Reply::Double(f64::INFINITY), "(double) inf\n", "inf");
        check(&Reply::Boolean(true), "(true)\n", "(true)");
        check(&Reply::Boolean(false), "(false)\n", "(false)");
        check(&Reply::Verbatim(*b"txt", b"a\nb\"".to_vec()), "a\nb\"\n", "a\nb\"");
        check(&Reply::BigNumber(b"123".to_vec()), "123\n", "123");
        check(&Reply::Array(vec![]), "(empty array)\n", "");
        check(&Reply::Map(vec![]), "(empty hash)\n", "");
        check(&Reply::Set(vec![]), "(empty set)\n", "");
    }

    #[test]
    fn arrays() {
        let mut ten = integers(8);
        ten.push(Reply::Array(vec![Reply::Integer(1), Reply::Set(integers(10))]));
        ten.push(Reply::Array(vec![Reply::Array(vec![])]));
        check(
            &Reply::Array(ten),
            " 1) (integer) 1\n 2) (integer) 2\n 3) (integer) 3\n 4) (integer) 4\n 5) (integer) 5\n \
             6) (integer) 6\n 7) (integer) 7\n 8) (integer) 8\n 9) 1) (integer) 1\n    \
             2)  1~ (integer) 1\n        2~ (integer) 2\n        3~ (integer) 3\n        \
             4~ (integer) 4\n        5~ (integer) 5\n        6~ (integer) 6\n        7~ (integer) 7\n        \
             8~ (integer) 8\n        9~ (integer) 9\n       10~ (integer) 10\n10) 1) (empty array)\n",
            "1\n2\n3\n4\n5\n6\n7\n8\n1\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n",
        );
        check(
            &Reply::Array(vec![Reply::Array(integers(2)), Reply::Error(b"b".into())]),
            "1) 1) (integer) 1\n   2) (integer) 2\n2) (error) b\n",
            "1\n2\nb\n",
        );
        check(
            &Reply::Array(vec![Reply::Null, Reply::Integer(1), Reply::Null]),
            "1) (nil)\n2) (integer) 1\n3) (nil)\n",
            "\n1\n",
        );
    }

    #[test]
    fn maps() {
        let status = |text| Reply::status(text);
        check(
            &Reply::Map(vec![
                (status("a"), Reply::Integer(1)),
                (Reply::Array(integers(2)), Reply::Map(vec![(status("b"), status("c"))])),
                (status("d"), Reply::Array(integers(2))),
                (status("e"), Reply::Set(integers(1))),
                (Reply::Verbatim(*b"txt", b"f\n".to_vec()), Reply::Array(vec![])),
            ]),
            "1# a => (integer) 1\n2# 1) (integer) 1\n   2) (integer) 2 => 1# b => c\n3# d => \n   \
             1) (integer) 1\n   2) (integer) 2\n4# e => 1~ (integer) 1\n5# f\n => (empty array)\n",
            "a 1\n1\n2 b c\nd 1\n2\ne 1\nf\n ",
        );
        let pair = |key, value| Reply::Map(vec![(key, value)]);
        let one = |item| Reply::Array(vec![item]);
        check(
            &pair(status("a"), one(pair(status("b"), Reply::Array(integers(2))))),
            "1# a => \n   1) 1# b => \n         1) (integer) 1\n         2) (integer) 2\n",
            "a b 1\n2",
        );
        check(
            &pair(status("a"), one(pair(Reply::Array(integers(2)), status("b")))),
            "1# a => 1) 1# 1) (integer) 1\n         2) (integer) 2 => b\n",
            "a 1\n2 b",
        );
        check(
            &Reply::Map(vec![(Reply::Map(vec![(status("a"), status("b"))]), Reply::Integer(5))]),
            "1# 1# a => b => (integer) 5\n",
            "a b 5",
        );
    }

    #[test]
    fn bytes_are_escaped() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(super::super::split::split(&quoted(&all)), Some(vec![all]));
        assert_eq!(quoted(b"\"\\\n\r\t\x07\x08\0\x7f\xff ~"), br#""\"\\\n\r\t\a\b\x00\x7f\xff ~""#);
    }

    #[test]
    fn depth_does_not_matter() {
        let mut reply = Reply::Integer(1);
        for _ in 0..100_000 {
            reply = Reply::Array(vec![reply]);
        }
        assert_eq!(print_raw(&reply), b"1");
        let mut bytes = Vec::new();
        reply.encode(Resp::V2, &mut bytes);
        assert_eq!(bytes.len(), 4 * 100_000 + ":1\r\n".len());
        reply.downgrade();
        assert_eq!(print(reply).len(), 3 * 100_000 + "(integer) 1\n".len());
    }

    #[test]
    fn portions_are_the_whole() {
        let row = |number| Reply::Map(vec![(Reply::bulk("a"), Reply::Array(integers(number)))]);
        let reply = Reply::Array((0..12).map(row).collect());
        let whole = print(reply.clone());
        for bytes in [1, 7, 100] {
            let mut printing = Printing::new(reply.clone());
            let mut portions = 1;
            while !printing.go_on(bytes) {
                portions += 1;
            }
            assert_eq!(printing.text, whole);
            assert!(portions >= whole.len() / (bytes + 100));
        }
    }
}
