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

    /// What a RESP2 client sees of this reply: only statuses, errors, integers, bulks, nulls and arrays.
    pub fn downgrade(self) -> Reply {
        let all =
            |items: Vec<Reply>| Reply::Array(items.into_iter().map(Reply::downgrade).collect());
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => all(items),
            Reply::Map(pairs) => {
                all(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect())
            }
            Reply::Double(number) => Reply::Bulk(format_double(number)),
            Reply::Boolean(yes) => Reply::flag(yes),
            Reply::BigNumber(text) | Reply::Verbatim(_, text) => Reply::Bulk(text),
            other => other,
        }
    }

    /// Appends the bytes that go over a socket.
    pub fn encode(&self, resp: Resp, out: &mut Vec<u8>) {
        match self {
            Reply::Status(text) => line(out, b'+', text),
            Reply::Error(text) => line(out, b'-', text),
            Reply::Integer(number) => line(out, b':', number.to_string().as_bytes()),
            Reply::Bulk(bytes) => blob(out, b'$', bytes),
            Reply::Null | Reply::NullArray if resp == Resp::V3 => line(out, b'_', b""),
            Reply::Null => line(out, b'$', b"-1"),
            Reply::NullArray => line(out, b'*', b"-1"),
            Reply::Array(items) => aggregate(out, b'*', items, resp),
            Reply::Set(items) => {
                aggregate(out, if resp == Resp::V3 { b'~' } else { b'*' }, items, resp);
            }
            Reply::Push(items) => {
                aggregate(out, if resp == Resp::V3 { b'>' } else { b'*' }, items, resp);
            }
            Reply::Map(pairs) => {
                match resp {
                    Resp::V2 => line(out, b'*', (pairs.len() * 2).to_string().as_bytes()),
                    Resp::V3 => line(out, b'%', pairs.len().to_string().as_bytes()),
                }
                for (key, value) in pairs {
                    key.encode(resp, out);
                    value.encode(resp, out);
                }
            }
            Reply::Double(number) if resp == Resp::V3 => line(out, b',', &format_double(*number)),
            Reply::Double(number) => blob(out, b'$', &format_double(*number)),
            Reply::Boolean(yes) if resp == Resp::V3 => {
                line(out, b'#', if *yes { b"t" } else { b"f" });
            }
            Reply::Boolean(yes) => line(out, b':', if *yes { b"1" } else { b"0" }),
            Reply::BigNumber(text) if resp == Resp::V3 => line(out, b'(', text),
            Reply::Verbatim(format, text) if resp == Resp::V3 => {
                let mut bytes = format.to_vec();
                bytes.push(b':');
                bytes.extend_from_slice(text);
                blob(out, b'=', &bytes);
            }
            Reply::BigNumber(text) | Reply::Verbatim(_, text) => blob(out, b'$', text),
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

fn aggregate(out: &mut Vec<u8>, kind: u8, items: &[Reply], resp: Resp) {
    line(out, kind, items.len().to_string().as_bytes());
    for item in items {
        item.encode(resp, out);
    }
}

/// A double as Redis 7.0 sends it: `%.17g`, with `inf`, `-inf` and `nan`.
pub fn format_double(number: f64) -> Vec<u8> {
    crate::number::format_g(number, 17)
}
