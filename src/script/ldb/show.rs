//! Shows values and replies as the debugger does.

use crate::lua::lib::base::display;
use crate::lua::table::Table;
use crate::lua::value::Value;
use crate::number::format_g;
use crate::resp::{Reply, Resp, format_decimal};
use crate::split::quoted;

/// Tables in tables are shown this deep.
const DEEPEST: usize = 10;
/// Digits of a number.
const DIGITS: usize = 6;
/// Values in all of a value that is shown: a table may hold itself many times.
const MOST: usize = 100_000;

/// A value: strings quoted, a table as a list if its keys are 1, 2, 3 in this order.
pub fn value(value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    show(&mut out, value, 0, &mut MOST.clone());
    out
}

/// The depth is bounded by [`DEEPEST`].
fn show(out: &mut Vec<u8>, value: Value<'_>, depth: usize, left: &mut usize) {
    if depth == DEEPEST {
        out.extend_from_slice(b"<max recursion level reached! Nested table?>");
        return;
    }
    let Some(next) = left.checked_sub(1) else {
        out.extend_from_slice(b"...");
        return;
    };
    *left = next;
    match value {
        Value::Nil => out.extend_from_slice(b"nil"),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Number(number) => out.extend_from_slice(&format_g(number, DIGITS)),
        Value::String(text) => out.extend_from_slice(&quoted(text.bytes())),
        Value::Table(table) => {
            let pairs = pairs(table);
            let mut expected = (1..).map(|place| Value::Number(f64::from(place)));
            let is_list = pairs.iter().all(|(key, _)| Some(*key) == expected.next());
            out.push(b'{');
            for (place, (key, value)) in pairs.into_iter().enumerate() {
                if *left == 0 {
                    out.extend_from_slice(b"...");
                    break;
                }
                if place > 0 {
                    out.extend_from_slice(b"; ");
                }
                if !is_list {
                    out.push(b'[');
                    show(out, key, depth + 1, left);
                    out.extend_from_slice(b"]=");
                }
                show(out, value, depth + 1, left);
            }
            out.push(b'}');
        }
        other => {
            let text = String::from_utf8_lossy(&display(other)).into_owned();
            // `function: 0x55...`
            let (kind, address) = text.split_once(": ").unwrap_or((&text, ""));
            let kind = if kind == "userdata" { "light-userdata" } else { kind };
            out.extend_from_slice(format!("\"{kind}@{address}\"").as_bytes());
        }
    }
}

/// The keys and values of a table, in the order of `pairs`.
fn pairs(table: Table<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    let mut pairs = Vec::new();
    let mut key = Value::Nil;
    while pairs.len() < MOST
        && let Ok(Some((next, value))) = table.next(key)
    {
        pairs.push((next, value));
        key = next;
    }
    pairs
}

/// A reply on one line.
pub fn reply(reply: &Reply, resp: Resp) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = vec![Piece::Reply(reply)];
    while let Some(piece) = rest.pop() {
        let reply = match piece {
            Piece::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                continue;
            }
            Piece::Reply(reply) => reply,
        };
        match reply {
            Reply::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Reply::Bulk(bytes) | Reply::BigNumber(bytes) | Reply::Verbatim(_, bytes) => {
                out.extend_from_slice(&quoted(bytes));
            }
            Reply::Status(text) => out.extend_from_slice(&quoted(&[b"+", &text[..]].concat())),
            Reply::Error(text) => out.extend_from_slice(&quoted(&[b"-", &text[..]].concat())),
            Reply::Null | Reply::NullArray if resp == Resp::V3 => out.extend_from_slice(b"(null)"),
            Reply::Null | Reply::NullArray => out.extend_from_slice(b"NULL"),
            Reply::Boolean(yes) => out.extend_from_slice(if *yes { b"#true" } else { b"#false" }),
            Reply::Double(number) => {
                out.extend_from_slice(b"(double) ");
                out.extend_from_slice(&format_g(*number, 17));
            }
            Reply::Decimal(number) => {
                out.extend_from_slice(b"(double) ");
                out.extend_from_slice(&format_decimal(*number));
            }
            Reply::Array(items) | Reply::Push(items) => {
                around(&mut rest, "[", "]", items.iter().map(|item| vec![Piece::Reply(item)]));
            }
            Reply::Set(items) => {
                around(&mut rest, "~(", ")", items.iter().map(|item| vec![Piece::Reply(item)]));
            }
            Reply::Map(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| {
                    vec![Piece::Reply(key), Piece::Text(" => "), Piece::Reply(value)]
                });
                around(&mut rest, "{", "}", pairs);
            }
        }
    }
    out
}

enum Piece<'a> {
    Text(&'static str),
    Reply(&'a Reply),
}

/// Puts items with what stands around and between them on the stack, the first on top.
fn around<'a>(
    rest: &mut Vec<Piece<'a>>,
    open: &'static str,
    close: &'static str,
    items: impl Iterator<Item = Vec<Piece<'a>>>,
) {
    let mut pieces = vec![Piece::Text(open)];
    for (place, item) in items.enumerate() {
        if place > 0 {
            pieces.push(Piece::Text(","));
        }
        pieces.extend(item);
    }
    pieces.push(Piece::Text(close));
    rest.extend(pieces.into_iter().rev());
}
