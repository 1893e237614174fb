//! Reads and prints numbers as Redis does.

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
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    if number.is_nan() { None } else { Some(number) }
}

/// A double as C's `%.*g` prints it: `precision` significant digits without trailing zeros.
pub fn format_g(number: f64, precision: usize) -> Vec<u8> {
    if number.is_nan() {
        return if number.is_sign_negative() { b"-nan".to_vec() } else { b"nan".to_vec() };
    }
    if number.is_infinite() {
        return if number > 0.0 { b"inf".to_vec() } else { b"-inf".to_vec() };
    }
    // Rust prints every digit that is asked for exactly, as C does, so rounding agrees.
    let scientific = format!("{number:.*e}", precision.max(1) - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa), exponent.abs()).into_bytes()
    } else {
        trim(&format!("{number:.*}", (precision as i32 - 1 - exponent).max(0) as usize))
            .into_bytes()
    }
}
