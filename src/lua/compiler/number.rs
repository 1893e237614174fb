//! Lua's numbers: reading them, printing them, and the operations that C's library and Lua define between them.

use crate::bytes::{self, c_string};
use crate::decimal::Literal;

/// The bytes that C's `isspace` accepts in the C locale.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A number as `luaO_str2d` reads it from text: all that `strtod` takes ("inf", "nan" and hexadecimal among it) with
/// space around it. The text ends at its first NUL, as it does for C.
pub fn parse_number(text: &[u8]) -> Option<f64> {
    parse_whole(trim_c_string(text))
}

/// The same of a text without space around it.
pub fn parse_whole(text: &[u8]) -> Option<f64> {
    let (negative, digits) = split_sign(text);
    let number = match digits {
        [b'0', b'x' | b'X', rest @ ..] => parse_hexadecimal(rest)?,
        [b'0'..=b'9' | b'.', ..] => parse_decimal(digits)?,
        _ => parse_word(digits)?,
    };
    Some(if negative { -number } else { number })
}

/// An integer in a base from 2 to 36 as `tonumber(text, base)` reads it: by `strtoul` with space around it, so a
/// negative one wraps around and one that is too large becomes 2^64 - 1.
pub fn parse_integer(text: &[u8], base: u32) -> Option<f64> {
    let text = trim_c_string(text);
    let (negative, mut digits) = split_sign(text);
    if base == 16
        && let [b'0', b'x' | b'X', rest @ ..] = digits
    {
        digits = rest;
    }
    if digits.is_empty() || bytes::digits(digits, base) < digits.len() {
        return None;
    }
    let number = digits[bytes::zeros(digits)..].iter().try_fold(0u64, |number, byte| {
        let digit = char::from(*byte).to_digit(base)?;
        number.checked_mul(base.into())?.checked_add(digit.into())
    });
    let number =
        number.map_or(u64::MAX, |number| if negative { number.wrapping_neg() } else { number });
    Some(number as f64)
}

/// The text up to its first NUL without the space around it.
fn trim_c_string(text: &[u8]) -> &[u8] {
    let mut text = c_string(text);
    if text.starts_with(&[b' '; 8]) {
        let blank = u64::from_le_bytes([b' '; 8]);
        text = &text[bytes::run(text, |word| word == blank, |byte| is_space(*byte))..];
    }
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

/// Whether a minus stands before, and what is behind one sign.
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

/// A decimal number without sign and exponent at the start of a text, and its length. `None` if it has more than 15
/// digits, or something behind it may belong to it.
#[inline]
pub fn short_decimal(text: &[u8]) -> Option<(f64, usize)> {
    let (mut number, mut digits, mut point, mut length) = (0u64, 0, None, 0);
    while let Some(byte) = text.get(length) {
        match byte {
            b'0'..=b'9' if digits < 15 => {
                number = number * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(length),
            b'0'..=b'9' | b'.' | b'e' | b'E' | b'x' | b'X' => return None,
            _ => break,
        }
        length += 1;
    }
    let places = point.map_or(0, |point| length - point - 1);
    // The double and the power of ten are exact, so the quotient is rounded once.
    (digits > 0).then_some((number as f64 / POWERS_OF_TEN.get(places)?, length))
}

/// `strtod`'s decimal form without a sign.
fn parse_decimal(text: &[u8]) -> Option<f64> {
    if let Some((number, length)) = short_decimal(text)
        && length == text.len()
    {
        return Some(number);
    }
    super::decimal::parse(text)
}

/// `strtod`'s words: `inf`, `infinity`, `nan` and `nan(...)`, in any case.
fn parse_word(text: &[u8]) -> Option<f64> {
    if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
        return Some(f64::INFINITY);
    }
    let (word, rest) = text.split_at_checked(3)?;
    if !word.eq_ignore_ascii_case(b"nan") {
        return None;
    }
    let tag_is_valid = match rest {
        [] => true,
        [b'(', tag @ .., b')'] => {
            tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        }
        _ => false,
    };
    tag_is_valid.then_some(f64::NAN)
}

/// `strtod`'s hexadecimal form behind `0x`: digits, a point, and a binary exponent.
fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    // All of them fit 64 bits; what does not only decides how the last bit rounds.
    const DIGITS: usize = 16;
    let literal = Literal::read(text, 16, b'p', DIGITS)?;
    let mantissa = literal.digits.iter().fold(0, |all, digit| all << 4 | u64::from(*digit));
    let exponent = literal.exponent - 4 * literal.behind_point;
    Some(scale(mantissa, exponent))
}

/// `mantissa * 2^exponent`, rounded once, half to even.
pub(crate) fn scale(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let top = 63 - i64::from(mantissa.leading_zeros());
    // A double's last bit weighs at least 2^-1074, and 2^(top + exponent - 52) for normal numbers.
    let last = top.saturating_add(exponent).saturating_sub(52).max(-1074);
    let drop = last.saturating_sub(exponent);
    if last > 971 {
        return f64::INFINITY;
    }
    let kept = match drop {
        ..=0 => mantissa << -drop,
        1..=64 => {
            let wide = u128::from(mantissa);
            let (floor, rest, half) = (wide >> drop, wide & ((1 << drop) - 1), 1u128 << (drop - 1));
            (floor + u128::from(rest > half || (rest == half && floor & 1 == 1))) as u64
        }
        _ => 0,
    };
    // Adding the fraction to the exponent field carries into the exponent, up to infinity, just as rounding should.
    let biased = if kept >> 52 == 0 { 0 } else { (last + 1074) as u64 };
    f64::from_bits((biased << 52) + kept)
}

/// The text of a number, on the stack: what [`format_number`] gives.
#[derive(Clone, Copy)]
pub struct NumberText {
    bytes: [u8; 24],
    length: usize,
}

impl NumberText {
    /// The text with what fills it up behind it: an array of this size is copied without a call.
    #[inline]
    pub fn padded(&self) -> &[u8; 24] {
        &self.bytes
    }

    /// The text of `digits / 10^places`, which must be no longer than 24 bytes.
    #[inline]
    fn decimal(negative: bool, digits: u64, places: usize) -> NumberText {
        let sign = usize::from(negative);
        let whole = (digits.checked_ilog10().unwrap_or(0) as usize + 1).saturating_sub(places);
        let whole = whole.max(1);
        let length = sign + whole + if places > 0 { 1 + places } else { 0 };
        let mut text = NumberText { bytes: [0; 24], length };
        text.bytes[0] = b'-';
        let mut rest = digits;
        for at in (sign..length).rev() {
            if at == sign + whole {
                text.bytes[at] = b'.';
            } else {
                text.bytes[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        text
    }
}

impl std::ops::Deref for NumberText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A number as `tostring` and `..` print it: C's `%.14g`.
#[inline]
pub fn format_number(number: f64) -> NumberText {
    let integer = number as i64;
    // Nearly all numbers that scripts print are small integers; -0 is the one that must not pass for another.
    if integer.unsigned_abs() < 100_000_000_000_000
        && integer as f64 == number
        && (integer != 0 || number.is_sign_positive())
    {
        return NumberText::decimal(integer < 0, integer.unsigned_abs(), 0);
    }
    if let Some((digits, places)) = fourteen_digits(number.abs()) {
        return NumberText::decimal(number < 0.0, digits, places);
    }
    let printed =
        super::format::Spec { precision: Some(14), ..Default::default() }.float(b'g', number);
    let mut text = NumberText { bytes: [0; 24], length: printed.len().min(24) };
    text.bytes[..text.length].copy_from_slice(&printed[..text.length]);
    text
}

/// A number rounded to 14 digits, as an integer and how many of its digits are behind the point, zeros at the end left
/// out; `None` if that cannot be told without long arithmetic, or `%.14g` would print an exponent.
#[inline]
fn fourteen_digits(number: f64) -> Option<(u64, usize)> {
    const LEAST: f64 = 1e13;
    if !(1e-4..1e14).contains(&number) {
        return None;
    }
    // The power of ten below the number: of two that may be, its power of two shows the lower one.
    let power = (((number.to_bits() >> 52) as i32 - 1023) * 1233) >> 12;
    let mut places = (13 - power) as usize;
    let mut scaled = number * POWERS_OF_TEN.get(places)?;
    if scaled >= LEAST * 10.0 {
        places = places.checked_sub(1)?;
        scaled = number * POWERS_OF_TEN.get(places)?;
    }
    let mut digits = scaled as u64;
    // The product is off by 1/128 at most, for it is below 2^47. Nearer to a half, it does not say where to round.
    let fraction = scaled - digits as f64;
    if (fraction - 0.5).abs() < 0.01 {
        return None;
    }
    digits += u64::from(fraction > 0.5);
    if !(LEAST..LEAST * 10.0).contains(&(digits as f64)) {
        return None;
    }
    for (zeros, power) in [(8, 100_000_000), (4, 10_000), (2, 100), (1, 10)] {
        if places >= zeros && digits.is_multiple_of(power) {
            digits /= power;
            places -= zeros;
        }
    }
    Some((digits, places))
}

/// Powers of ten that a double holds as they are.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A double as a C program on x86-64 converts it to `long`: truncated; what does not fit, and NaN, is the least `long`.
#[inline]
pub fn to_long(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// A double as a C program on x86-64 converts it to `unsigned long`: two halves, each by way of [`to_long`].
#[inline]
pub fn to_unsigned_long(number: f64) -> u64 {
    if number >= 9_223_372_036_854_775_808.0 {
        to_long(number - 9_223_372_036_854_775_808.0) as u64 ^ 1 << 63
    } else {
        to_long(number) as u64
    }
}

/// A double as a C program on x86-64 converts it to `int`: truncated; what does not fit, and NaN, is the least `int`.
#[inline]
pub fn to_int(number: f64) -> i32 {
    if number > -2_147_483_649.0 && number < 2_147_483_648.0 { number as i32 } else { i32::MIN }
}

/// The same number, and for any NaN the one NaN of its sign: bytes from outside may hold others, and only the sign of
/// a NaN is ever printed.
#[inline]
pub fn canonical(number: f64) -> f64 {
    const NAN: u64 = 0x7ff8_0000_0000_0000;
    if number.is_nan() { f64::from_bits(NAN | number.to_bits() & 1 << 63) } else { number }
}

/// The bits of a number as a C `float`.
#[inline]
pub fn to_single(number: f64) -> u32 {
    // A conversion by the processor may lose even the sign of a NaN.
    if number.is_nan() {
        0x7fc0_0000 | u32::from(number.is_sign_negative()) << 31
    } else {
        (number as f32).to_bits()
    }
}

/// The number that a C `float` with these bits is.
#[inline]
pub fn from_single(bits: u32) -> f64 {
    let single = f32::from_bits(bits);
    if single.is_nan() {
        canonical(f64::from_bits(0x7ff8_0000_0000_0000 | u64::from(bits >> 31) << 63))
    } else {
        f64::from(single)
    }
}

/// Lua's `%`: the remainder with the sign of the divisor.
#[inline]
pub fn modulo(a: f64, b: f64) -> f64 {
    a - (a / b).floor() * b
}

/// Lua's `^`.
#[inline]
pub fn power(a: f64, b: f64) -> f64 {
    a.powf(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_parse(text: &str, expected: Option<f64>) {
        let number = parse_number(text.as_bytes());
        assert_eq!(number.map(f64::to_bits), expected.map(f64::to_bits), "{text:?} is {number:?}");
    }

    #[test]
    fn reads_what_strtod_reads() {
        for text in [
            "", " ", "-", "+-1", "- 1", "1 2", "infinit", "nan(", "nan( )", "0x", "0x.", "0x.p1",
            "0x1p", "0x1p+",
        ] {
            check_parse(text, None);
        }
        for text in [
            "1e", "1e+", ".", "1..", "1f", "1_0", "0x1g", "1e5.0", "e5", ".e1", "0x1p1.", "\0",
            "0x-1",
        ] {
            check_parse(text, None);
        }
        check_parse(" \t\r\n\x0b\x0c10 ", Some(10.0));
        check_parse("10\0nonsense", Some(10.0));
        check_parse("5.", Some(5.0));
        check_parse("+.5e-1", Some(0.05));
        check_parse("-0", Some(-0.0));
        check_parse("-INF", Some(f64::NEG_INFINITY));
        check_parse("infinity", Some(f64::INFINITY));
        check_parse("-nan(1_a)", Some(-f64::NAN));
        check_parse("1e99999999999999999999", Some(f64::INFINITY));
        check_parse("2.4e-324", Some(0.0));
        check_parse("0x1.8", Some(1.5));
        check_parse("-0X.8P+1", Some(-1.0));
        check_parse("0xffffffffffffffffff", Some(4_722_366_482_869_645_213_696.0));
        check_parse("0x1p-1074", Some(5e-324));
        check_parse("0x1p-1075", Some(0.0));
        check_parse("0x1.00000000000001p-1075", Some(5e-324));
        check_parse("0x1.fffffffffffff7p1023", Some(f64::MAX));
        check_parse("0x1.fffffffffffff8p1023", Some(f64::INFINITY));
        check_parse("0x1p99999999999999999999", Some(f64::INFINITY));
        check_parse("0x1p-99999999999999999999", Some(0.0));
        check_parse("0x0p99999999999999999999", Some(0.0));
        check_parse("0x1.00000000000008p0", Some(1.0));
        check_parse("0x1.000000000000080000000000001p0", Some(1.000_000_000_000_000_2));
    }

    #[test]
    fn reads_integers_as_strtoul_does() {
        let check = |text: &str, base, expected: Option<f64>| {
            assert_eq!(parse_integer(text.as_bytes(), base), expected, "{text}");
        };
        check("10", 2, Some(2.0));
        check(" ff\n", 16, Some(255.0));
        check("0xFf", 16, Some(255.0));
        check("0x1", 36, Some(1189.0));
        check("0x", 16, None);
        check("0x 1", 16, None);
        check("z", 35, None);
        check("", 10, None);
        check("- 1", 10, None);
        check("-1", 16, Some(18_446_744_073_709_551_615.0));
        check("-99999999999999999999", 16, Some(18_446_744_073_709_551_615.0));
        check("1.5", 16, None);
        check("10\x000", 2, Some(2.0));
    }

    #[test]
    fn prints_14_digits() {
        let check = |number: f64, expected: &str| {
            assert_eq!(String::from_utf8_lossy(&format_number(number)), expected);
        };
        check(0.0, "0");
        check(-0.0, "-0");
        check(-15.0, "-15");
        check(99_999_999_999_999.0, "99999999999999");
        check(-99_999_999_999_999.0, "-99999999999999");
        check(1e14, "1e+14");
        check(0.1, "0.1");
        check(1.0 / 3.0, "0.33333333333333");
        check(-1.234_567_890_123_456_7e-300, "-1.2345678901235e-300");
        check(1e15, "1e+15");
        check(1e100, "1e+100");
        check(0.0001, "0.0001");
        check(0.00001, "1e-05");
        check(2.5, "2.5");
        check(-123.456, "-123.456");
        check(99_999_999_999_999.9, "1e+14");
        check(9_999_999_999_999.96, "10000000000000");
        check(9_999_999_999_999.94, "9999999999999.9");
        check(1_000_000_000_000.5, "1000000000000.5");
        check(0.000_123_456_789_012_345, "0.00012345678901234");
        check(0.000_99, "0.00099");
        check(f64::INFINITY, "inf");
        check(f64::NEG_INFINITY, "-inf");
        check(f64::NAN, "nan");
        check(-f64::NAN, "-nan");
        check(i64::MIN as f64, "-9.2233720368548e+18");
    }

    /// What is printed and read by short cuts is what long arithmetic gives.
    #[test]
    fn short_cuts_agree() {
        let mut random = 1u64;
        for turn in 0..200_000 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let digits = (random >> 20) % 10u64.pow(1 + turn % 16);
            let number = digits as f64 / POWERS_OF_TEN[(random >> 8) as usize % 20];
            for number in [number, f64::from_bits(number.to_bits() + 1), number * number] {
                let spec = crate::format::Spec { precision: Some(14), ..Default::default() };
                let expected = String::from_utf8_lossy(&spec.float(b'g', number)).into_owned();
                assert_eq!(String::from_utf8_lossy(&format_number(number)), expected);
                let text = format!("{number}");
                if let Some((read, length)) = short_decimal(text.as_bytes()) {
                    assert_eq!((read, length), (number, text.len()), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_nan_keeps_only_its_sign() {
        let check = |bits: u64, expected: u64| {
            assert_eq!(canonical(f64::from_bits(bits)).to_bits(), expected, "{bits:x}");
        };
        check(0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_0000);
        check(0xffff_1234_5678_9abc, 0xfff8_0000_0000_0000);
        check(0xfff0_0000_0000_0000, 0xfff0_0000_0000_0000);
        check(0x8000_0000_0000_0000, 0x8000_0000_0000_0000);
        assert_eq!(to_single(canonical(-f64::NAN)), 0xffc0_0000);
        assert_eq!(from_single(0xff80_0001).to_bits(), 0xfff8_0000_0000_0000);
        assert_eq!(from_single(0x7f80_0001).to_bits(), 0x7ff8_0000_0000_0000);
        assert_eq!(to_single(1e300), 0x7f80_0000);
    }

    #[test]
    fn converts_as_x86_does() {
        assert_eq!(to_long(-1.9), -1);
        assert_eq!(to_long(f64::NAN), i64::MIN);
        assert_eq!(to_long(1e30), i64::MIN);
        assert_eq!(to_unsigned_long(-1.0), u64::MAX);
        assert_eq!(to_unsigned_long(1e19), 10_000_000_000_000_000_000);
        assert_eq!(to_unsigned_long(2f64.powi(64)), 0);
        assert_eq!(to_unsigned_long(f64::NAN), 1 << 63);
        assert_eq!(to_int(-2_147_483_648.9), i32::MIN);
        assert_eq!(to_int(2_147_483_647.5), i32::MAX);
        assert_eq!(to_int(f64::NAN), i32::MIN);
    }
}
