//! Defines a reply, and its bytes in RESP2 and RESP3.

use std::borrow::Cow;

/// The version of the protocol that a client speaks; scripts choose theirs with `redis.setresp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resp {
    /// RESP2, what every connection starts with.
    #[default]
    V2,
    /// RESP3, after `HELLO 3`.
    V3,
}

/// What a command answers, in the richest form; [`Reply::downgrade`] gives what a RESP2 client sees.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// `+OK`
    Status(Cow<'static, [u8]>),
    /// `-ERR ...`, code and message without the dash.
    Error(Cow<'static, [u8]>),
    /// `:1`
    Integer(i64),
    /// `$5 hello`
    Bulk(Vec<u8>),
    /// RESP3 `_`, RESP2 `$-1`.
    Null,
    /// RESP3 `_`, RESP2 `*-1`.
    NullArray,
    /// `*2 ...`
    Array(Vec<Reply>),
    /// RESP3 `%`, RESP2 an array of twice the length.
    Map(Vec<(Reply, Reply)>),
    /// RESP3 `~`, RESP2 an array.
    Set(Vec<Reply>),
    /// RESP3 `>`, RESP2 an array.
    Push(Vec<Reply>),
    /// RESP3 `,`, RESP2 a bulk string of the same digits.
    Double(f64),
    /// The same, but with 17 decimals at most, as coordinates have them.
    Decimal(f64),
    /// RESP3 `#t`/`#f`, RESP2 `:1`/`:0`.
    Boolean(bool),
    /// RESP3 `(`, RESP2 a bulk string.
    BigNumber(Vec<u8>),
    /// RESP3 `=` with a format of three letters, RESP2 a bulk string of the text.
    Verbatim([u8; 3], Vec<u8>),
}

impl Reply {
    /// `+OK`
    pub const OK: Reply = Reply::Status(Cow::Borrowed(b"OK"));

    /// A status from a fixed text.
    pub const fn status(text: &'static str) -> Reply {
        Reply::Status(Cow::Borrowed(text.as_bytes()))
    }

    /// A bulk string copied from bytes or text.
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(bytes.as_ref().to_vec())
    }

    /// A bulk string, or null for none.
    pub fn bulk_or_null(bytes: Option<impl AsRef<[u8]>>) -> Reply {
        bytes.map_or(Reply::Null, Reply::bulk)
    }

    /// An array of bulk strings.
    pub fn bulks(items: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Reply {
        Reply::Array(items.into_iter().map(Reply::bulk).collect())
    }

    /// 1 for true and 0 for false: how Redis answers yes and no in both protocols.
    pub fn flag(yes: bool) -> Reply {
        Reply::Integer(i64::from(yes))
    }

    /// Makes of it what a RESP2 client sees: only statuses, errors, integers, bulks, nulls and arrays.
    pub fn downgrade(&mut self) {
        let mut left = Vec::new();
        let mut next = Some(self);
        while let Some(reply) = next {
            match reply {
                Reply::Set(_) | Reply::Push(_) | Reply::Map(_) => {
                    *reply = Reply::Array(reply.take_items());
                }
                Reply::Double(number) => *reply = Reply::Bulk(format_double(*number)),
                Reply::Decimal(number) => *reply = Reply::Bulk(format_decimal(*number)),
                Reply::Boolean(yes) => *reply = Reply::flag(*yes),
                Reply::BigNumber(text) | Reply::Verbatim(_, text) => {
                    *reply = Reply::Bulk(std::mem::take(text));
                }
                _ => {}
            }
            if let Reply::Array(items) = reply {
                left.extend(items);
            }
            next = left.pop();
        }
    }

    /// Takes the elements out of an aggregate, keys and values in turn; any other reply has none.
    pub fn take_items(&mut self) -> Vec<Reply> {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => std::mem::take(items),
            Reply::Map(pairs) => {
                std::mem::take(pairs).into_iter().flat_map(|(key, value)| [key, value]).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Appends the bytes that go over a socket.
    pub fn encode(&self, resp: Resp, out: &mut Vec<u8>) {
        let mut left = vec![self];
        while let Some(reply) = left.pop() {
            reply.encode_head(resp, out);
            match reply {
                Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
                    left.extend(items.iter().rev());
                }
                Reply::Map(pairs) => {
                    left.extend(pairs.iter().rev().flat_map(|(key, value)| [value, key]));
                }
                _ => {}
            }
        }
    }

    /// Appends a reply without elements, or what stands before the elements.
    fn encode_head(&self, resp: Resp, out: &mut Vec<u8>) {
        let kind = |kind: u8| if resp == Resp::V3 { kind } else { b'*' };
        let head = |out: &mut Vec<u8>, kind: u8, count: usize| {
            line(out, kind, count.to_string().as_bytes());
        };
        match self {
            Reply::Status(text) => line(out, b'+', text),
            Reply::Error(text) => line(out, b'-', text),
            Reply::Integer(number) => line(out, b':', number.to_string().as_bytes()),
            Reply::Bulk(bytes) => blob(out, b'$', bytes),
            Reply::Null | Reply::NullArray if resp == Resp::V3 => line(out, b'_', b""),
            Reply::Null => line(out, b'$', b"-1"),
            Reply::NullArray => line(out, b'*', b"-1"),
            Reply::Array(items) => head(out, b'*', items.len()),
            Reply::Set(items) => head(out, kind(b'~'), items.len()),
            Reply::Push(items) => head(out, kind(b'>'), items.len()),
            Reply::Map(pairs) if resp == Resp::V3 => head(out, b'%', pairs.len()),
            Reply::Map(pairs) => head(out, b'*', pairs.len() * 2),
            Reply::Double(number) if resp == Resp::V3 => line(out, b',', &format_double(*number)),
            Reply::Double(number) => blob(out, b'$', &format_double(*number)),
            Reply::Decimal(number) if resp == Resp::V3 => line(out, b',', &format_decimal(*number)),
            Reply::Decimal(number) => blob(out, b'$', &format_decimal(*number)),
            Reply::Boolean(yes) if resp == Resp::V3 => {
                line(out, b'#', if *yes { b"t" } else { b"f" });
            }
            Reply::Boolean(yes) => line(out, b':', if *yes { b"1" } else { b"0" }),
            Reply::BigNumber(text) if resp == Resp::V3 => line(out, b'(', text),
            Reply::Verbatim(format, text) if resp == Resp::V3 => {
                blob(out, b'=', &[&format[..], b":", text].concat());
            }
            Reply::BigNumber(text) | Reply::Verbatim(_, text) => blob(out, b'$', text),
        }
    }
}

/// A script's reply may be nested deeper than a thread's stack: it is taken apart level by level.
impl Drop for Reply {
    fn drop(&mut self) {
        let mut left = self.take_items();
        while let Some(mut reply) = left.pop() {
            left.append(&mut reply.take_items());
        }
    }
}

fn line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn blob(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    line(out, kind, bytes.len().to_string().as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// A double as Redis 7.0 sends it: `%.17g`, with `inf`, `-inf` and `nan`.
pub fn format_double(number: f64) -> Vec<u8> {
    crate::number::format_g(number, 17)
}

/// A double with up to 17 decimals.
pub fn format_decimal(number: f64) -> Vec<u8> {
    let mut text = crate::number::fixed(number, 17).into_bytes();
    while text.ends_with(b"0") {
        text.pop();
    }
    if text.ends_with(b".") {
        text.pop();
    }
    text
}
