//! Reads and prints numbers as Redis does.

use crate::lua::format::Spec;
use crate::lua::number::is_space;

/// A 64-bit signed integer in the one form that Redis takes: no space, no plus, no leading zero.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [] => false,
        [b'0'] => text.len() == 1,
        [first, ..] => *first != b'0',
    };
    if !canonical || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A number of 64 bits without sign as IDs have them: an integer in its one form, or else what C's `strtoull` takes for
/// one.
pub fn parse_unsigned(text: &[u8]) -> Option<u64> {
    match parse_integer(text) {
        Some(integer) => u64::try_from(integer).ok(),
        None => strtoull(text),
    }
}

/// The whole text as C's `strtoull` reads it: space and a sign may stand before the digits, and a negative number counts
/// from the end.
pub fn strtoull(text: &[u8]) -> Option<u64> {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = text.get(text.iter().take_while(is_space).count()..)?;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().try_fold(0u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// A double as `strtod` reads it, the whole text and nothing before it; NaN is refused.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let number: f64 = match parse_hexadecimal(text) {
        Some(number) => number,
        None => std::str::from_utf8(text).ok()?.parse().ok()?,
    };
    if number.is_nan() { None } else { Some(number) }
}

/// A double as Redis takes it for a score: as [`parse_float`], and neither too large nor too small for a double.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    parse_float(text).filter(|number| !is_lost(text, *number, f64::from_bits(1)))
}

/// A double as C's `strtod` reads a whole text, which ends at a NUL: spaces may stand before it, and nothing is 0.
pub fn strtod(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let start = text.iter().position(|byte| !is_space(*byte))?;
    parse_float(&text[start..])
}

/// Whether a text that was read as this number means another one, beyond all doubles, or below `least` and not 0: where
/// C's `strtod` speaks of a range error.
pub fn is_lost(text: &[u8], number: f64, least: f64) -> bool {
    if number.is_infinite() {
        return !text.iter().any(|byte| matches!(byte, b'i' | b'I'));
    }
    let is_hexadecimal = text.iter().any(|byte| matches!(byte, b'x' | b'X'));
    let marker = if is_hexadecimal { b'p' } else { b'e' };
    let mut digits = text.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&marker));
    number.abs() < least && digits.any(|digit| digit.is_ascii_hexdigit() && *digit != b'0')
}

/// The double that a text begins with, as `strtod` finds it; NaN is none.
pub fn leading_float(text: &[u8]) -> Option<f64> {
    const LONGEST: usize = 255;
    let text = text.trim_ascii_start();
    let most = text.len().min(LONGEST);
    (1..=most).rev().find_map(|length| parse_float(&text[..length]))
}

/// `0x1.8p3` and the like, which Rust's own parser does not know. At most 60 bits of the digits count.
fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    let (negative, text) = match text {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] => (false, text),
        text => (false, text),
    };
    let [b'0', b'x' | b'X', digits @ ..] = text else { return None };
    let marker = digits.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p'));
    let (digits, exponent) = digits.split_at(marker.unwrap_or(digits.len()));
    let exponent = exponent.get(1..).map(std::str::from_utf8);
    let mut exponent: i32 = match exponent {
        None => 0,
        Some(exponent) => exponent.ok()?.parse::<i32>().ok()?.clamp(-100_000, 100_000),
    };
    let (mut mantissa, mut any, mut behind_point) = (0_u64, false, false);
    for &byte in digits {
        if byte == b'.' && !behind_point {
            behind_point = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        any = true;
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if behind_point { 4 } else { 0 };
        } else if !behind_point {
            exponent = exponent.saturating_add(4);
        }
    }
    // A power of its own may lie beyond all doubles where the number does not.
    let half = exponent / 2;
    let number = match mantissa {
        0 => 0.0,
        mantissa => mantissa as f64 * 2_f64.powi(half) * 2_f64.powi(exponent - half),
    };
    if !any {
        None
    } else if negative {
        Some(-number)
    } else {
        Some(number)
    }
}

/// A double as C's `%.*g` prints it: `precision` significant digits without trailing zeros.
pub fn format_g(number: f64, precision: usize) -> Vec<u8> {
    Spec { precision: Some(precision), ..Spec::default() }.float(b'g', number)
}

/// A double as C's `%.*f` prints it: with so many decimals.
pub fn format_f(number: f64, decimals: usize) -> Vec<u8> {
    Spec { precision: Some(decimals), ..Spec::default() }.float(b'f', number)
}
