//! Reads and prints numbers as Redis does.

use crate::lua::format::Spec;
use crate::lua::number::parse_whole;

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

/// A double as `strtod` reads it, the whole text and nothing before it; NaN is refused.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    parse_whole(text).filter(|number| !number.is_nan())
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
