//! Defines the bit library: `LuaBitOp`'s operations on 32-bit numbers, of which the results are signed.

use super::base::Result;
use crate::machine::{Arguments, Fault, Machine, NativeFunction, QuickFunction};
use crate::packed::Packed;
use crate::value::Value;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("tobit", |machine, arguments| map(machine, arguments, |bits| bits)),
    ("bnot", |machine, arguments| map(machine, arguments, |bits| !bits)),
    ("band", |machine, arguments| combine(machine, arguments, |a, b| a & b)),
    ("bor", |machine, arguments| combine(machine, arguments, |a, b| a | b)),
    ("bxor", |machine, arguments| combine(machine, arguments, |a, b| a ^ b)),
    ("lshift", |machine, arguments| shift(machine, arguments, |bits, by| bits << by)),
    ("rshift", |machine, arguments| shift(machine, arguments, |bits, by| bits >> by)),
    ("arshift", |machine, arguments| {
        shift(machine, arguments, |bits, by| (bits.cast_signed() >> by).cast_unsigned())
    }),
    ("rol", |machine, arguments| shift(machine, arguments, u32::rotate_left)),
    ("ror", |machine, arguments| shift(machine, arguments, u32::rotate_right)),
    ("bswap", |machine, arguments| map(machine, arguments, u32::swap_bytes)),
    ("tohex", tohex),
];

/// Those that are done without a frame.
const SHORT_CUTS: &[(&str, QuickFunction)] = &[
    ("band", |machine, arguments| quick_combine(machine, arguments, |a, b| a & b)),
    ("bor", |machine, arguments| quick_combine(machine, arguments, |a, b| a | b)),
    ("bxor", |machine, arguments| quick_combine(machine, arguments, |a, b| a ^ b)),
    ("lshift", |machine, arguments| quick_combine(machine, arguments, |a, b| a << (b & 31))),
    ("rshift", |machine, arguments| quick_combine(machine, arguments, |a, b| a >> (b & 31))),
];

/// Added to a double it leaves the integer, rounded half to even, in the low bits of the sum.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    machine.library("bit", FUNCTIONS, SHORT_CUTS);
}

/// A number modulo 2^32. Beyond 2^51 it is what the addition leaves, for infinity and NaN 0.
///
/// Redis shows a NaN's payload here; ours have none.
fn to_bits(number: f64) -> u32 {
    (number + MAGIC).to_bits() as u32
}

fn check_bits<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    number: usize,
) -> std::result::Result<u32, Fault<'gc>> {
    machine.check_number(arguments, number).map(to_bits)
}

fn give_bits<'gc>(machine: &mut Machine<'_, 'gc>, bits: u32) -> Result<'gc> {
    machine.give(Value::Number(f64::from(bits.cast_signed())))
}

fn map<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    change: fn(u32) -> u32,
) -> Result<'gc> {
    let bits = check_bits(machine, arguments, 1)?;
    give_bits(machine, change(bits))
}

/// The arguments are looked at from the last on: it is the last wrong one that the error names.
fn combine<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    combine: fn(u32, u32) -> u32,
) -> Result<'gc> {
    let mut bits = check_bits(machine, arguments, 1)?;
    for number in (2..=arguments.count).rev() {
        bits = combine(bits, check_bits(machine, arguments, number)?);
    }
    machine.fuel -= (arguments.count >> 6) as i64;
    give_bits(machine, bits)
}

#[inline(always)]
fn quick_combine<'gc>(
    machine: &Machine<'_, 'gc>,
    arguments: Arguments,
    combine: impl Fn(u32, u32) -> u32,
) -> Option<[Packed<'gc>; 2]> {
    let (a, b) = machine.pair_of_arguments(arguments)?;
    let bits = combine(to_bits(a.as_number()?), to_bits(b.as_number()?));
    Some([Packed::computed(f64::from(bits.cast_signed())), Packed::NIL])
}

/// Only the low five bits of the second argument count.
fn shift<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    shift: fn(u32, u32) -> u32,
) -> Result<'gc> {
    let bits = check_bits(machine, arguments, 1)?;
    let by = check_bits(machine, arguments, 2)?;
    give_bits(machine, shift(bits, by & 31))
}

/// The lowest digits, eight of them or as many as are asked for; capitals for a negative number of digits.
fn tohex<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let bits = check_bits(machine, arguments, 1)?;
    let digits = match arguments.count {
        ..=1 => 8,
        _ => check_bits(machine, arguments, 2)?.cast_signed(),
    };
    let text = if digits < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    let count = digits.unsigned_abs().min(8) as usize;
    let value = machine.string(&text[8 - count..]);
    machine.give(value)
}
