//! Lua's numbers: reading them, and the two operations that C's library and Lua define between them.

/// A number as `lua_Number` is read from text: C's `strtod`, spaces around it, hexadecimal too.
pub fn parse_number(text: &[u8]) -> Option<f64> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = text.iter().position(|byte| !is_space(byte))?;
    let end = text.iter().rposition(|byte| !is_space(byte))? + 1;
    let text = &text[start..end];
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let number = match digits {
        [b'0', b'x' | b'X', rest @ ..] => parse_hexadecimal(rest)?,
        [b'0'..=b'9' | b'.' | b'i' | b'I' | b'n' | b'N', ..] => {
            std::str::from_utf8(digits).ok()?.parse().ok()?
        }
        _ => return None,
    };
    Some(if negative { -number } else { number })
}

/// `strtod`'s hexadecimal form behind `0x`: digits, a point, and a binary exponent.
fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    let mut mantissa = 0u64;
    let mut exponent = 0i64;
    let (mut digits, mut point, mut at) = (0, false, 0);
    while let Some(&byte) = text.get(at) {
        if byte == b'.' && !point {
            point = true;
        } else if let Some(digit) = char::from(byte).to_digit(16) {
            digits += 1;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                // What does not fit only decides how the last bit rounds.
                mantissa |= u64::from(digit != 0);
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    if let Some(b'p' | b'P') = text.get(at) {
        let power = std::str::from_utf8(&text[at + 1..]).ok()?;
        exponent += power.parse::<i64>().ok()?.clamp(-100_000, 100_000);
        at = text.len();
    }
    if at != text.len() {
        return None;
    }
    let half = (exponent / 2).clamp(-5000, 5000) as i32;
    Some(
        mantissa as f64
            * 2f64.powi(half)
            * 2f64.powi((exponent.clamp(-10000, 10000) as i32) - half),
    )
}

/// Lua's `%`: the remainder with the sign of the divisor.
pub fn modulo(a: f64, b: f64) -> f64 {
    a - (a / b).floor() * b
}

/// Lua's `^`.
pub fn power(a: f64, b: f64) -> f64 {
    a.powf(b)
}
