//! Defines the math library; `random` is Redis's, whose sequence is the same on every machine.

use super::base::Result;
use crate::machine::{Arguments, Flow, Machine, NativeFunction, QuickFunction};
use crate::packed::Packed;
use crate::value::Value;

/// The functions, in PUC-Rio's order: the order of `pairs` follows from it.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("abs", |machine, arguments| map(machine, arguments, f64::abs)),
    ("acos", |machine, arguments| map(machine, arguments, f64::acos)),
    ("asin", |machine, arguments| map(machine, arguments, f64::asin)),
    ("atan2", |machine, arguments| combine(machine, arguments, f64::atan2)),
    ("atan", |machine, arguments| map(machine, arguments, f64::atan)),
    ("ceil", |machine, arguments| map(machine, arguments, f64::ceil)),
    ("cosh", |machine, arguments| map(machine, arguments, f64::cosh)),
    ("cos", |machine, arguments| map(machine, arguments, f64::cos)),
    ("deg", |machine, arguments| map(machine, arguments, |angle| angle / RADIANS_PER_DEGREE)),
    ("exp", |machine, arguments| map(machine, arguments, f64::exp)),
    ("floor", |machine, arguments| map(machine, arguments, f64::floor)),
    ("fmod", |machine, arguments| combine(machine, arguments, |a, b| a % b)),
    ("frexp", frexp),
    ("ldexp", ldexp),
    ("log10", |machine, arguments| map(machine, arguments, f64::log10)),
    ("log", |machine, arguments| map(machine, arguments, f64::ln)),
    ("max", |machine, arguments| fold(machine, arguments, |best, next| next > best)),
    ("min", |machine, arguments| fold(machine, arguments, |best, next| next < best)),
    ("modf", modf),
    ("pow", |machine, arguments| combine(machine, arguments, crate::number::power)),
    ("rad", |machine, arguments| map(machine, arguments, |angle| angle * RADIANS_PER_DEGREE)),
    ("random", random),
    ("randomseed", randomseed),
    ("sinh", |machine, arguments| map(machine, arguments, f64::sinh)),
    ("sin", |machine, arguments| map(machine, arguments, f64::sin)),
    ("sqrt", |machine, arguments| map(machine, arguments, f64::sqrt)),
    ("tanh", |machine, arguments| map(machine, arguments, f64::tanh)),
    ("tan", |machine, arguments| map(machine, arguments, f64::tan)),
];

/// Those that are done without a frame.
const SHORT_CUTS: &[(&str, QuickFunction)] = &[
    ("abs", |machine, arguments| quick_map(machine, arguments, f64::abs)),
    ("ceil", |machine, arguments| quick_map(machine, arguments, f64::ceil)),
    ("floor", |machine, arguments| quick_map(machine, arguments, f64::floor)),
    ("max", |machine, arguments| {
        quick_choice(machine, arguments, |a, b| if b > a { b } else { a })
    }),
    ("min", |machine, arguments| {
        quick_choice(machine, arguments, |a, b| if b < a { b } else { a })
    }),
    ("sqrt", |machine, arguments| quick_map(machine, arguments, f64::sqrt)),
];

const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;
/// What a fresh generator holds: the initial state of `lrand48` in Redis.
const INITIAL_STATE: u64 = 0x1234_abcd_330e;
/// One more than the largest number of the generator (Redis divides by this, `INT32_MAX`).
const RANDOM_MAX: i64 = 0x7fff_ffff;

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    machine.state.random = INITIAL_STATE;
    let library = machine.library("math", FUNCTIONS, SHORT_CUTS);
    machine.set_field(library, "pi", Value::Number(std::f64::consts::PI));
    machine.set_field(library, "huge", Value::Number(f64::INFINITY));
    // Lua 5.0's name for it.
    machine.set_field(library, "mod", library.field(b"fmod"));
}

fn map<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    function: fn(f64) -> f64,
) -> Result<'gc> {
    let number = machine.check_number(arguments, 1)?;
    machine.give(Value::Number(function(number)))
}

#[inline(always)]
fn quick_map<'gc>(
    machine: &Machine<'_, 'gc>,
    arguments: Arguments,
    function: impl Fn(f64) -> f64,
) -> Option<[Packed<'gc>; 2]> {
    let number = machine.packed_argument(arguments, 1).as_number()?;
    Some([Packed::computed(function(number)), Packed::NIL])
}

#[inline(always)]
fn quick_choice<'gc>(
    machine: &Machine<'_, 'gc>,
    arguments: Arguments,
    choose: impl Fn(f64, f64) -> f64,
) -> Option<[Packed<'gc>; 2]> {
    let (a, b) = machine.pair_of_arguments(arguments)?;
    Some([Packed::computed(choose(a.as_number()?, b.as_number()?)), Packed::NIL])
}

fn combine<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    function: fn(f64, f64) -> f64,
) -> Result<'gc> {
    // The real one's C compiler looks at the arguments of a call from the last to the first.
    let b = machine.check_number(arguments, 2)?;
    let a = machine.check_number(arguments, 1)?;
    machine.give(Value::Number(function(a, b)))
}

fn fold<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    is_better: fn(f64, f64) -> bool,
) -> Result<'gc> {
    let mut best = machine.check_number(arguments, 1)?;
    for number in 2..=arguments.count {
        let next = machine.check_number(arguments, number)?;
        if is_better(best, next) {
            best = next;
        }
    }
    machine.give(Value::Number(best))
}

/// Mantissa in `[0.5, 1)` and exponent.
fn frexp<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let number = machine.check_number(arguments, 1)?;
    let (mantissa, exponent) = if number == 0.0 || !number.is_finite() {
        (number, 0)
    } else {
        // A subnormal number is made normal first.
        let (scaled, shift) = if number.abs() < f64::MIN_POSITIVE {
            (number * 2f64.powi(64), 64)
        } else {
            (number, 0)
        };
        let bits = scaled.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i64 - 1022;
        (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - shift)
    };
    machine.push(Value::Number(mantissa));
    machine.push(Value::Number(exponent as f64));
    Ok(Flow::Return(2))
}

fn ldexp<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    // PUC-Rio passes C's int. In steps, so that only the last one can round.
    let mut exponent = (machine.check_integer(arguments, 2)? as i32).clamp(-2200, 2200);
    let mut number = machine.check_number(arguments, 1)?;
    while exponent != 0 && number != 0.0 && number.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        number *= 2f64.powi(step);
        exponent -= step;
    }
    machine.give(Value::Number(number))
}

fn modf<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let number = machine.check_number(arguments, 1)?;
    let whole = number.trunc();
    let fraction = if number.is_infinite() { 0f64.copysign(number) } else { number - whole };
    machine.push(Value::Number(whole));
    machine.push(Value::Number(fraction.copysign(number)));
    Ok(Flow::Return(2))
}

fn random<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let state = &mut machine.state.random;
    *state = state.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & 0xffff_ffff_ffff;
    let drawn = (*state >> 17) as i64;
    let fraction = (drawn % RANDOM_MAX) as f64 / RANDOM_MAX as f64;
    match arguments.count {
        0 => machine.give(Value::Number(fraction)),
        1 => {
            let high = machine.check_integer(arguments, 1)? as i32;
            if high < 1 {
                return Err(machine.argument_error(1, "interval is empty"));
            }
            machine.give(Value::Number((fraction * f64::from(high)).floor() + 1.0))
        }
        2 => {
            let (low, high) = (
                machine.check_integer(arguments, 1)? as i32,
                machine.check_integer(arguments, 2)? as i32,
            );
            if low > high {
                return Err(machine.argument_error(2, "interval is empty"));
            }
            // C's int overflows here, and so does this.
            let width = high.wrapping_sub(low).wrapping_add(1);
            machine.give(Value::Number((fraction * f64::from(width)).floor() + f64::from(low)))
        }
        _ => Err(machine.error("wrong number of arguments")),
    }
}

fn randomseed<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let seed = machine.check_integer(arguments, 1)? as u32;
    machine.state.random = u64::from(seed) << 16 | 0x330e;
    Ok(Flow::Return(0))
}
