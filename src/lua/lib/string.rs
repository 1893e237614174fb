//! Defines the string library but for what searches. Long work pays fuel by the byte.

use super::base::Result;
use super::search::{find, gmatch, gsub, r#match, quick_search, text_slot};
use crate::format::{Spec, quote};
use crate::machine::{Arguments, Flow, MAX_VALUES, Machine, NativeFunction, QuickFunction};
use crate::native::PIECE;
use crate::number::to_long;
use crate::packed::Packed;
use crate::value::{Str, Value};

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("byte", byte),
    ("char", char),
    ("dump", dump),
    ("find", find),
    ("format", format),
    ("gfind", gmatch),
    ("gmatch", gmatch),
    ("gsub", gsub),
    ("len", len),
    ("lower", lower),
    ("match", r#match),
    ("rep", rep),
    ("reverse", reverse),
    ("sub", sub),
    ("upper", upper),
];

/// Those that are done without a frame.
const SHORT_CUTS: &[(&str, QuickFunction)] = &[
    ("byte", quick_byte),
    ("char", |machine, arguments| {
        let mut bytes = [0; BUFFER];
        let bytes = bytes.get_mut(..arguments.count)?;
        for (byte, number) in bytes.iter_mut().zip(1..) {
            *byte = u8::try_from(quick_integer(machine, arguments, number)? as i32).ok()?;
        }
        quick_string(machine, bytes)
    }),
    ("find", |machine, arguments| quick_search(machine, arguments, true)),
    ("len", |machine, arguments| {
        let text = machine.packed_argument(arguments, 1).as_str()?;
        Some([Packed::computed(text.bytes().len() as f64), Packed::NIL])
    }),
    ("lower", |machine, arguments| quick_map(machine, arguments, <[u8]>::make_ascii_lowercase)),
    ("match", |machine, arguments| quick_search(machine, arguments, false)),
    ("rep", quick_rep),
    ("reverse", |machine, arguments| quick_map(machine, arguments, <[u8]>::reverse)),
    ("sub", quick_sub),
    ("upper", |machine, arguments| quick_map(machine, arguments, <[u8]>::make_ascii_uppercase)),
];

/// What a short cut puts together is shorter.
const BUFFER: usize = 64;

/// Strings from this length on are not made by a short cut: they are paid for, and must fit into memory.
const LONG: usize = 256;

/// Puts the library into the globals, and makes it what strings index: `("x"):rep(3)`.
pub fn open(machine: &mut Machine) {
    let library = machine.library("string", FUNCTIONS, SHORT_CUTS);
    // Lua 5.0's name for it.
    machine.set_field(library, "gfind", library.field(b"gmatch"));
    let metatable = machine.table(0, 1);
    machine.set_field(metatable, "__index", Value::Table(library));
    machine.state.string_metatable = Some(metatable);
}

/// A new string: its bytes are paid for, and must fit into memory.
fn give_string<'gc>(machine: &mut Machine<'_, 'gc>, bytes: &[u8]) -> Result<'gc> {
    machine.pay_for_bytes(bytes.len());
    machine.check_memory(bytes.len())?;
    let value = machine.string(bytes);
    machine.give(value)
}

/// A position that counts from the end if it is negative; 0 for one before the beginning.
pub(super) fn relative(position: i64, length: usize) -> i64 {
    if position >= 0 { position } else { (length as i64 + 1).saturating_add(position).max(0) }
}

fn len<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?;
    machine.give(Value::Number(text.bytes().len() as f64))
}

/// The bytes from one position to another, which may be beyond the text.
#[inline]
fn part(text: &[u8], start: i64, end: i64) -> &[u8] {
    let start = relative(start, text.len()).max(1);
    let end = relative(end, text.len()).min(text.len() as i64);
    if start <= end { &text[start as usize - 1..end as usize] } else { b"" }
}

fn sub<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?.bytes();
    let start = machine.check_integer(arguments, 2)?;
    let end = machine.optional_integer(arguments, 3, -1)?;
    give_string(machine, part(text, start, end))
}

fn quick_sub<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Option<[Packed<'gc>; 2]> {
    let text = machine.packed_argument(arguments, 1).as_str()?.bytes();
    let start = quick_integer(machine, arguments, 2)?;
    quick_string(machine, part(text, start, quick_optional(machine, arguments, 3, -1)?))
}

#[inline]
fn quick_integer(machine: &Machine<'_, '_>, arguments: Arguments, number: usize) -> Option<i64> {
    machine.packed_argument(arguments, number).as_number().map(to_long)
}

/// `default` for nil or none.
#[inline]
pub(super) fn quick_optional(
    machine: &Machine<'_, '_>,
    arguments: Arguments,
    number: usize,
    default: i64,
) -> Option<i64> {
    if machine.packed_argument(arguments, number).is_nil() {
        Some(default)
    } else {
        quick_integer(machine, arguments, number)
    }
}

/// A new string, if it is short.
#[inline]
fn quick_string<'gc>(machine: &Machine<'_, 'gc>, bytes: &[u8]) -> Option<[Packed<'gc>; 2]> {
    (bytes.len() < LONG).then(|| [Packed::string(Str::new(machine.mc, bytes)), Packed::NIL])
}

/// A string as long as the first argument, made of it piece by piece.
fn map<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    change: fn(&mut [u8]),
    backwards: bool,
) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?;
    machine.check_memory(text.bytes().len())?;
    machine.push(Value::String(text));
    let mapping = Mapping { out: Vec::with_capacity(text.bytes().len()), change, backwards };
    mapping.go_on(machine, arguments)
}

/// `lower` and its like at work. The string lies behind the arguments.
struct Mapping {
    out: Vec<u8>,
    change: fn(&mut [u8]),
    /// The last piece of the string comes first.
    backwards: bool,
}

impl Mapping {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let text = text_slot(machine, arguments.base + arguments.count);
        while self.out.len() < text.len() {
            if machine.fuel <= 0 {
                return Ok(Flow::pause(self, Mapping::go_on));
            }
            let done = self.out.len();
            let length = PIECE.min(text.len() - done);
            let start = if self.backwards { text.len() - done - length } else { done };
            self.out.extend_from_slice(&text[start..start + length]);
            (self.change)(&mut self.out[done..]);
            machine.pay_for_each(length);
        }
        give_string(machine, &self.out)
    }
}

#[inline]
fn quick_map<'gc>(
    machine: &Machine<'_, 'gc>,
    arguments: Arguments,
    change: impl Fn(&mut [u8]),
) -> Option<[Packed<'gc>; 2]> {
    let text = machine.packed_argument(arguments, 1).as_str()?.bytes();
    let mut bytes = [0; BUFFER];
    let bytes = bytes.get_mut(..text.len())?;
    bytes.copy_from_slice(text);
    change(bytes);
    quick_string(machine, bytes)
}

fn lower<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    map(machine, arguments, <[u8]>::make_ascii_lowercase, false)
}

fn upper<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    map(machine, arguments, <[u8]>::make_ascii_uppercase, false)
}

fn reverse<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    map(machine, arguments, <[u8]>::reverse, true)
}

fn rep<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?.bytes();
    // PUC-Rio counts in C's int.
    let count = machine.check_integer(arguments, 2)? as i32;
    let count = usize::try_from(count).unwrap_or(0);
    machine.check_memory(text.len().saturating_mul(count).saturating_mul(2))?;
    give_string(machine, &text.repeat(if text.is_empty() { 0 } else { count }))
}

fn quick_rep<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Option<[Packed<'gc>; 2]> {
    let text = machine.packed_argument(arguments, 1).as_str()?.bytes();
    let count = usize::try_from(quick_integer(machine, arguments, 2)? as i32).unwrap_or(0);
    let mut bytes = [0; BUFFER];
    let bytes = bytes.get_mut(..text.len().checked_mul(count)?)?;
    bytes.iter_mut().zip(text.iter().cycle()).for_each(|(to, from)| *to = *from);
    quick_string(machine, bytes)
}

fn byte<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?.bytes();
    let start = relative(machine.optional_integer(arguments, 2, 1)?, text.len());
    let part = part(text, start, machine.optional_integer(arguments, 3, start)?);
    if part.len() + arguments.count > MAX_VALUES {
        return Err(machine.error("stack overflow (string slice too long)"));
    }
    for byte in part {
        machine.push(Value::Number(f64::from(*byte)));
    }
    Ok(Flow::Return(part.len()))
}

fn quick_byte<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Option<[Packed<'gc>; 2]> {
    let text = machine.packed_argument(arguments, 1).as_str()?.bytes();
    let start = relative(quick_optional(machine, arguments, 2, 1)?, text.len());
    match part(text, start, quick_optional(machine, arguments, 3, start)?) {
        [] => Some([Packed::NIL; 2]),
        [byte] => Some([Packed::computed(f64::from(*byte)), Packed::NIL]),
        _ => None,
    }
}

fn char<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let mut bytes = Vec::with_capacity(arguments.count);
    for number in 1..=arguments.count {
        // PUC-Rio looks at C's int.
        match u8::try_from(machine.check_integer(arguments, number)? as i32) {
            Ok(byte) => bytes.push(byte),
            Err(_) => return Err(machine.argument_error(number, "invalid value")),
        }
    }
    give_string(machine, &bytes)
}

/// A Lua function's code as a binary chunk. Redis refuses such chunks wherever one could be loaded.
fn dump<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    match machine.check_function(arguments, 1)? {
        Value::Closure(closure) => {
            let chunk = crate::dump::dump(closure.proto());
            give_string(machine, &chunk)
        }
        _ => Err(machine.error("unable to dump given function")),
    }
}

fn format<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let template = machine.check_string(arguments, 1)?;
    machine.set_slot(arguments.base, Value::String(template));
    Formatting { at: 0, argument: 1, quoted: 0, out: Vec::new() }.go_on(machine, arguments)
}

/// `format` at work.
struct Formatting {
    /// The byte of the template that comes next.
    at: usize,
    /// The argument that was last used.
    argument: usize,
    /// Where in it `%q` goes on, counted from 1; 0 if it is done.
    quoted: usize,
    out: Vec<u8>,
}

impl Formatting {
    fn go_on<'gc>(self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let Formatting { mut at, mut argument, mut quoted, mut out } = self;
        let template = text_slot(machine, arguments.base);
        while at < template.len() || quoted > 0 {
            if machine.fuel <= 0 {
                return Ok(Flow::pause(
                    Formatting { at, argument, quoted, out },
                    Formatting::go_on,
                ));
            }
            if out.len() > PIECE {
                machine.check_memory(out.len())?;
            }
            if quoted > 0 {
                let rest = &text_slot(machine, arguments.base + argument - 1)[quoted - 1..];
                let piece = &rest[..rest.len().min(PIECE)];
                quote(piece, &mut out);
                machine.pay_for_each(piece.len());
                quoted += piece.len();
                if piece.len() == rest.len() {
                    out.push(b'"');
                    quoted = 0;
                }
                continue;
            }
            if template[at] != b'%' {
                let rest = template[at..].iter().take(PIECE);
                let plain = rest.take_while(|byte| **byte != b'%').count();
                out.extend_from_slice(&template[at..at + plain]);
                at += plain;
                machine.pay_for_each(plain);
                continue;
            }
            at += 1;
            machine.fuel -= 1;
            if template.get(at) == Some(&b'%') {
                out.push(b'%');
                at += 1;
                continue;
            }
            argument += 1;
            if argument > arguments.count {
                return Err(machine.argument_error(argument, "no value"));
            }
            let (spec, length) =
                Spec::parse(&template[at..]).map_err(|message| machine.error(message))?;
            at += length;
            let conversion = template.get(at).copied().unwrap_or(0);
            at += 1;
            match conversion {
                b'c' => out.extend(spec.character(machine.check_number(arguments, argument)?)),
                b'd' | b'i' => out.extend(spec.integer(machine.check_number(arguments, argument)?)),
                b'o' | b'u' | b'x' | b'X' => {
                    out.extend(
                        spec.unsigned(conversion, machine.check_number(arguments, argument)?),
                    );
                }
                b'e' | b'E' | b'f' | b'g' | b'G' => {
                    out.extend(spec.float(conversion, machine.check_number(arguments, argument)?));
                }
                b'q' => {
                    let text = machine.check_string(arguments, argument)?;
                    machine.set_slot(arguments.base + argument - 1, Value::String(text));
                    out.push(b'"');
                    quoted = 1;
                }
                b's' => {
                    let text = machine.check_string(arguments, argument)?.bytes();
                    if text.len() > PIECE {
                        machine.pay_for_bytes(text.len());
                        machine.check_memory(out.len() + text.len())?;
                    }
                    out.extend(spec.string(text));
                }
                _ => {
                    let mut message = b"invalid option '%".to_vec();
                    // C's `%c` of a template that ends here.
                    message.extend((conversion != 0).then_some(conversion));
                    message.extend_from_slice(b"' to 'format'");
                    return Err(machine.error(message));
                }
            }
        }
        give_string(machine, &out)
    }
}
