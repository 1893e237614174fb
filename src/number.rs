//! Reads and prints numbers as Redis does.

pub use crate::lua::bytes::c_string;
use crate::lua::format::Spec;
use crate::lua::number::{is_space, parse_whole};

/// Of an integer of 64 bits, a sign among them.
const MOST_DIGITS: usize = 20;

/// A 64-bit signed integer in the one form that Redis takes: no space, no plus, no leading zero.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [] => false,
        [b'0'] => text.len() == 1,
        [first, ..] => *first != b'0',
    };
    if !canonical || text.len() > MOST_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
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
    let number = whole_number(text)?;
    u64::try_from(number.unsigned_abs()).is_ok().then_some(number as u64)
}

/// A text that ends at a NUL, the whole of it as C's `strtoll` reads it: space and a sign may stand before the digits, and
/// nothing is 0. A number beyond 64 bits is told, too.
pub fn strtoll(text: &[u8]) -> Option<i128> {
    let text = c_string(text);
    if text.is_empty() {
        return Some(0);
    }
    whole_number(text)
}

fn whole_number(text: &[u8]) -> Option<i128> {
    let start = text.iter().position(|byte| !is_space(*byte))?;
    let text = &text[start..];
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0i128, |number, digit| {
        number.saturating_mul(10).saturating_add(i128::from(digit - b'0'))
    });
    Some(if text.starts_with(b"-") { -number } else { number })
}

/// A double as `strtod` reads it, the whole text and nothing before it; NaN is refused.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    parse_whole(text).filter(|number| !number.is_nan())
}

/// A double as Redis takes it for a score: as [`parse_float`], and neither too large nor too small for a double.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    parse_float(text).filter(|number| !is_lost(text, *number, f64::from_bits(1)))
}

/// A double as C's `strtod` reads a whole text, which ends at a NUL: spaces may stand before it, and nothing is 0.
pub fn strtod(text: &[u8]) -> Option<f64> {
    let text = c_string(text);
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

/// A double as C's `%.*g` prints it: `precision` significant digits without trailing zeros.
pub fn format_g(number: f64, precision: usize) -> Vec<u8> {
    Spec { precision: Some(precision), ..Spec::default() }.float(b'g', number)
}

/// A double with so many digits behind the point.
pub fn fixed(number: f64, places: usize) -> String {
    let text = Spec { precision: Some(places), ..Spec::default() }.float(b'f', number);
    String::from_utf8_lossy(&text).into_owned()
}
