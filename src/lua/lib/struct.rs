//! Defines the struct library: values packed into bytes and back, laid out as a C struct would be.

use super::base::Result;
use super::search::text_slot;
use crate::bytes::{digits, find};
use crate::machine::{Arguments, Fault, Flow, MAX_VALUES, Machine, NativeFunction};
use crate::number::{canonical, from_single, to_long, to_single, to_unsigned_long};
use crate::value::Value;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] =
    &[("pack", pack), ("unpack", unpack), ("size", size)];

/// The most bytes that an integer may have.
const MAX_INTEGER: usize = 32;
/// What `!` without a number stands for: the alignment of a double.
const NATIVE_ALIGNMENT: usize = 8;

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    machine.library("struct", FUNCTIONS, &[]);
}

/// A format, the first argument, read from its begin to its end or to a NUL, and what its options have set so far.
struct Format {
    /// The byte that comes next.
    at: usize,
    is_big_endian: bool,
    alignment: usize,
}

impl Format {
    /// The format that the first argument is.
    fn new<'gc>(
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> std::result::Result<Format, Fault<'gc>> {
        let text = machine.check_string(arguments, 1)?;
        machine.set_slot(arguments.base, Value::String(text));
        Ok(Format { at: 0, is_big_endian: false, alignment: 1 })
    }

    /// The next option of the text and the bytes of its value; 0 where the value decides.
    fn next<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        text: &[u8],
    ) -> std::result::Result<Option<(u8, usize)>, Fault<'gc>> {
        let Some(option @ 1..=255) = text.get(self.at) else { return Ok(None) };
        self.at += 1;
        machine.fuel -= 1;
        let size = match option {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.number(machine, text, 1)?,
            b'i' | b'I' => {
                let size = self.number(machine, text, 4)?;
                if size > MAX_INTEGER {
                    return Err(machine.error(format!(
                        "integral size {size} is larger than limit of {MAX_INTEGER}"
                    )));
                }
                size
            }
            _ => 0,
        };
        Ok(Some((*option, size)))
    }

    /// The decimal number that comes next, or `default` if none does.
    fn number<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        text: &[u8],
        default: usize,
    ) -> std::result::Result<usize, Fault<'gc>> {
        let length = digits(&text[self.at..], 10);
        let digits = &text[self.at..self.at + length];
        self.at += length;
        if digits.is_empty() {
            return Ok(default);
        }
        machine.pay_for_each(length);
        let number = digits.iter().try_fold(0i32, |number, digit| {
            number.checked_mul(10)?.checked_add(i32::from(digit - b'0'))
        });
        number
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| machine.error("integral size overflow"))
    }

    /// How many bytes lie between this place and the value that is put there.
    fn padding(&self, place: u64, option: u8, size: usize) -> u64 {
        let size = size.min(self.alignment) as u64;
        if size <= 1 || option == b'c' {
            return 0;
        }
        // Redis pads a size that is no power of two by this formula too.
        (size - (place & (size - 1))) & (size - 1)
    }

    /// Does what an option says that has no value.
    fn control<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        text: &[u8],
        option: u8,
    ) -> std::result::Result<(), Fault<'gc>> {
        match option {
            b' ' => {}
            b'<' => self.is_big_endian = false,
            b'>' => self.is_big_endian = true,
            b'!' => {
                let alignment = self.number(machine, text, NATIVE_ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return Err(machine.error(format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment;
            }
            _ => {
                let message = [b"invalid format option '", &[option][..], b"'"].concat();
                return Err(machine.argument_error(1, message));
            }
        }
        Ok(())
    }

    /// Writes the bytes of a value, of which the least is first.
    fn write(&self, out: &mut Vec<u8>, bytes: &[u8]) {
        let start = out.len();
        out.extend_from_slice(bytes);
        if self.is_big_endian {
            out[start..].reverse();
        }
    }

    /// The last eight bytes of a value as a number, or all if it has fewer.
    fn read(&self, bytes: &[u8]) -> u64 {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        }
    }
}

fn pack<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let format = Format::new(machine, arguments)?;
    // The first argument that is not there is nil to Redis, which the message says.
    machine.push(Value::Nil);
    Packing { format, argument: 1, out: Vec::new() }.go_on(machine, arguments)
}

/// `pack` at work.
struct Packing {
    format: Format,
    /// The argument that was last used.
    argument: usize,
    out: Vec<u8>,
}

impl Packing {
    fn go_on<'gc>(self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let Packing { mut format, mut argument, mut out } = self;
        let text = text_slot(machine, arguments.base);
        // With the nil that has been pushed.
        let arguments = Arguments { base: arguments.base, count: arguments.count + 1 };
        loop {
            if machine.fuel <= 0 {
                return Ok(Flow::pause(Packing { format, argument, out }, Packing::go_on));
            }
            let Some((option, size)) = format.next(machine, text)? else { break };
            let padding = format.padding(out.len() as u64, option, size);
            out.resize(out.len() + padding as usize, 0);
            match option {
                b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                    argument += 1;
                    let number = machine.check_number(arguments, argument)?;
                    let integer = if number < 0.0 {
                        to_long(number) as u64
                    } else {
                        to_unsigned_long(number)
                    };
                    let mut bytes = [0; MAX_INTEGER];
                    bytes[..8].copy_from_slice(&integer.to_le_bytes());
                    format.write(&mut out, &bytes[..size]);
                }
                b'f' => {
                    argument += 1;
                    let number = machine.check_number(arguments, argument)?;
                    format.write(&mut out, &to_single(number).to_le_bytes());
                }
                b'd' => {
                    argument += 1;
                    let number = canonical(machine.check_number(arguments, argument)?);
                    format.write(&mut out, &number.to_bits().to_le_bytes());
                }
                b'c' | b's' => {
                    argument += 1;
                    let text = machine.check_string(arguments, argument)?.bytes();
                    machine.pay_for_bytes(text.len());
                    machine.check_memory(out.len() + text.len())?;
                    if size == 0 {
                        out.extend_from_slice(text);
                    } else if let Some(start) = text.get(..size) {
                        out.extend_from_slice(start);
                    } else {
                        return Err(machine.argument_error(argument + 1, "string too short"));
                    }
                    if option == b's' {
                        out.push(0);
                    }
                }
                b'x' => out.push(0),
                _ => format.control(machine, text, option)?,
            }
            machine.check_memory(out.len())?;
        }
        let packed = machine.string(out);
        machine.give(packed)
    }
}

fn unpack<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let format = Format::new(machine, arguments)?;
    let data = machine.check_string(arguments, 2)?;
    machine.set_slot(arguments.base + 1, Value::String(data));
    let start = machine.optional_integer(arguments, 3, 1)?;
    if start == 0 {
        return Err(machine.argument_error(3, "offset must be 1 or greater"));
    }
    // A negative position is a large one to Redis: only an empty format takes it.
    let at = (start as u64).wrapping_sub(1);
    Unpacking { format, at, found: 0 }.go_on(machine, arguments)
}

/// `unpack` at work. The values found lie behind the arguments.
struct Unpacking {
    format: Format,
    /// The byte of the data that comes next.
    at: u64,
    found: usize,
}

impl Unpacking {
    fn go_on<'gc>(self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let Unpacking { mut format, mut at, mut found } = self;
        let text = text_slot(machine, arguments.base);
        let data = text_slot(machine, arguments.base + 1);
        loop {
            if machine.fuel <= 0 {
                return Ok(Flow::pause(Unpacking { format, at, found }, Unpacking::go_on));
            }
            let Some((option, size)) = format.next(machine, text)? else { break };
            at = at.wrapping_add(format.padding(at, option, size));
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            let Some((value, rest)) =
                data.get(place..).and_then(|data| data.split_at_checked(size))
            else {
                return Err(too_short(machine));
            };
            at += size as u64;
            if machine.top() - arguments.base + 2 > MAX_VALUES {
                return Err(machine.error("stack overflow (too many results)"));
            }
            let value = match option {
                b'b' | b'h' | b'l' | b'i' => Value::Number(signed(format.read(value), size) as f64),
                b'B' | b'H' | b'L' | b'T' | b'I' => Value::Number(format.read(value) as f64),
                b'f' => Value::Number(from_single(format.read(value) as u32)),
                b'd' => Value::Number(canonical(f64::from_bits(format.read(value)))),
                b'c' if size == 0 => {
                    // The value before says how long, and is no result itself.
                    let length =
                        if found == 0 { Value::Nil } else { machine.slot(machine.top() - 1) };
                    let Some(length) = machine.number_of(length) else {
                        return Err(machine.error("format 'c0' needs a previous size"));
                    };
                    machine.set_top(machine.top() - 1);
                    found -= 1;
                    let length = to_unsigned_long(length);
                    let Some(text) =
                        usize::try_from(length).ok().and_then(|length| rest.get(..length))
                    else {
                        return Err(too_short(machine));
                    };
                    at += length;
                    text_value(machine, text)?
                }
                b'c' => text_value(machine, value)?,
                b's' => {
                    let Some(length) = find(0, rest) else {
                        return Err(machine.error("unfinished string in data"));
                    };
                    at += length as u64 + 1;
                    text_value(machine, &rest[..length])?
                }
                b'x' => continue,
                _ => {
                    format.control(machine, text, option)?;
                    continue;
                }
            };
            machine.push(value);
            found += 1;
        }
        machine.push(Value::Number(at.wrapping_add(1).cast_signed() as f64));
        Ok(Flow::Return(found + 1))
    }
}

fn too_short<'gc>(machine: &mut Machine<'_, 'gc>) -> Fault<'gc> {
    machine.argument_error(2, "data string too short")
}

fn text_value<'gc>(
    machine: &mut Machine<'_, 'gc>,
    text: &[u8],
) -> std::result::Result<Value<'gc>, Fault<'gc>> {
    machine.pay_for_bytes(text.len());
    machine.check_memory(text.len())?;
    Ok(machine.string(text))
}

/// The bits of a signed integer of this size, its sign spread over all of them. For a size beyond eight Redis takes
/// the sign from where x86's shift by too many bits, which counts modulo 64, leaves it.
fn signed(bits: u64, size: usize) -> i64 {
    let sign = (size as u32).wrapping_mul(8).wrapping_sub(1);
    let mask = u64::MAX.wrapping_shl(sign);
    (if bits & mask == 0 { bits } else { bits | mask }).cast_signed()
}

fn size<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let format = Format::new(machine, arguments)?;
    Sizing { format, total: 0 }.go_on(machine, arguments)
}

/// `size` at work.
struct Sizing {
    format: Format,
    total: u64,
}

impl Sizing {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let text = text_slot(machine, arguments.base);
        loop {
            if machine.fuel <= 0 {
                return Ok(Flow::pause(self, Sizing::go_on));
            }
            let Some((option, size)) = self.format.next(machine, text)? else { break };
            let padding = self.format.padding(self.total, option, size);
            self.total = self.total.saturating_add(padding + size as u64);
            match option {
                b's' => return Err(machine.argument_error(1, "option 's' has no fixed size")),
                b'c' if size == 0 => {
                    return Err(machine.argument_error(1, "option 'c0' has no fixed size"));
                }
                // What is no option passes here if it is a letter or a digit.
                _ if option.is_ascii_alphanumeric() => {}
                _ => self.format.control(machine, text, option)?,
            }
        }
        machine.give(Value::Number(self.total as f64))
    }
}
