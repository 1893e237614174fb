//! Defines C's `printf` conversions as `string.format` allows them, and the reading of a conversion's specification.

use super::bytes::c_string;
use super::decimal::Decimal;
use super::number::{to_int, to_long, to_unsigned_long};

/// What stands between `%` and the letter of a conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// `-`: pad on the right.
    pub left: bool,
    /// `+`: a sign before positive numbers too.
    pub plus: bool,
    /// ` `: a space where `+` would print its sign.
    pub space: bool,
    /// `#`: `0x`, a leading `0`, or the point and zeros that would be left out.
    pub alternate: bool,
    /// `0`: pad numbers with zeros behind the sign.
    pub zero: bool,
    /// Least number of bytes.
    pub width: usize,
    /// Digits, or at most that many bytes of a string.
    pub precision: Option<usize>,
}

/// Why [`Spec::parse`] refuses, worded as Lua does.
pub const REPEATED_FLAGS: &[u8] = b"invalid format (repeated flags)";
/// Why [`Spec::parse`] refuses, worded as Lua does.
pub const TOO_LONG: &[u8] = b"invalid format (width or precision too long)";

/// From this length on a string without a precision is printed whole, its width ignored and its NULs kept.
const LONG_STRING: usize = 100;

impl Spec {
    /// Reads flags, width and precision at the start of `text`: the specification and its length. Five flags, two digits of
    /// width and two of precision are allowed (`scanformat` of Lua's string library).
    pub fn parse(text: &[u8]) -> Result<(Spec, usize), &'static [u8]> {
        let mut spec = Spec::default();
        let mut at = 0;
        while let Some(flag) = text.get(at) {
            match flag {
                b'-' => spec.left = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alternate = true,
                b'0' => spec.zero = true,
                _ => break,
            }
            at += 1;
        }
        if at > 5 {
            return Err(REPEATED_FLAGS);
        }
        let two_digits = |at: &mut usize| {
            let mut number = 0;
            for _ in 0..2 {
                if let Some(digit @ b'0'..=b'9') = text.get(*at) {
                    number = number * 10 + usize::from(digit - b'0');
                    *at += 1;
                }
            }
            number
        };
        spec.width = two_digits(&mut at);
        if text.get(at) == Some(&b'.') {
            at += 1;
            spec.precision = Some(two_digits(&mut at));
        }
        if text.get(at).is_some_and(u8::is_ascii_digit) {
            return Err(TOO_LONG);
        }
        Ok((spec, at))
    }

    /// `%d` and `%i` of a Lua number.
    pub fn integer(&self, number: f64) -> Vec<u8> {
        let number = to_long(number);
        let digits = number.unsigned_abs().to_string().into_bytes();
        self.whole(self.sign(number < 0), digits, number == 0)
    }

    /// `%u`, `%o`, `%x` and `%X` of a Lua number.
    pub fn unsigned(&self, conversion: u8, number: f64) -> Vec<u8> {
        let number = to_unsigned_long(number);
        let (prefix, mut digits) = match conversion {
            b'o' => (&b""[..], format!("{number:o}")),
            b'x' => (&b"0x"[..], format!("{number:x}")),
            b'X' => (&b"0X"[..], format!("{number:X}")),
            _ => (&b""[..], number.to_string()),
        };
        if conversion == b'o' && self.alternate && (number != 0 || self.precision == Some(0)) {
            // The zero counts as one of the digits that the precision asks for.
            let precision = self.precision.unwrap_or(0);
            if number == 0 {
                return self.pad(b"", b"0".to_vec(), false);
            }
            if digits.len() >= precision {
                digits.insert(0, '0');
            }
        }
        let prefix = if self.alternate && number != 0 { prefix } else { b"" };
        self.whole(prefix, digits.into_bytes(), number == 0)
    }

    /// `%c` of a Lua number. What the real one prints ends before a NUL.
    pub fn character(&self, number: f64) -> Vec<u8> {
        match to_int(number) as u8 {
            0 if self.left => Vec::new(),
            0 => vec![b' '; self.width.saturating_sub(1)],
            byte => self.pad(b"", vec![byte], false),
        }
    }

    /// `%s` of a string.
    pub fn string(&self, text: &[u8]) -> Vec<u8> {
        if self.precision.is_none() && text.len() >= LONG_STRING {
            return text.to_vec();
        }
        let length = self.precision.unwrap_or(usize::MAX).min(text.len());
        let text = &text[..length];
        self.pad(b"", c_string(text).to_vec(), false)
    }

    /// `%e`, `%E`, `%f`, `%g` and `%G`.
    pub fn float(&self, conversion: u8, number: f64) -> Vec<u8> {
        let sign = self.sign(number.is_sign_negative());
        let number = number.abs();
        if !number.is_finite() {
            let text = match (number.is_nan(), conversion.is_ascii_uppercase()) {
                (true, false) => b"nan",
                (true, true) => b"NAN",
                (false, false) => b"inf",
                (false, true) => b"INF",
            };
            return self.pad(sign, text.to_vec(), false);
        }
        let precision = self.precision.unwrap_or(6);
        let mut text = match conversion.to_ascii_lowercase() {
            b'e' => self.scientific(number, precision),
            b'f' => self.fixed(number, precision),
            _ => self.general(number, precision.max(1)),
        };
        if conversion.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        self.pad(sign, text.into_bytes(), self.zero)
    }

    fn fixed(&self, number: f64, precision: usize) -> String {
        let mut decimal = Decimal::of(number);
        decimal.round_behind_point(precision);
        let mut text = decimal.fixed(precision);
        if self.alternate && precision == 0 {
            text.push('.');
        }
        text
    }

    fn scientific(&self, number: f64, precision: usize) -> String {
        let mut decimal = Decimal::of(number);
        decimal.round(precision as i32 + 1);
        let mut mantissa = decimal.mantissa(precision);
        if self.alternate && precision == 0 {
            mantissa.push('.');
        }
        with_exponent(&mantissa, decimal.exponent())
    }

    /// `%g`: the shorter of the two other forms, without the zeros at the end unless `#` asks for them.
    fn general(&self, number: f64, precision: usize) -> String {
        let mut decimal = Decimal::of(number);
        decimal.round(precision as i32);
        let exponent = decimal.exponent();
        let finish = |mut text: String| {
            if self.alternate && !text.contains('.') {
                text.push('.');
            } else if !self.alternate && text.contains('.') {
                let digits = text.trim_end_matches('0').trim_end_matches('.').len();
                text.truncate(digits);
            }
            text
        };
        if exponent < -4 || exponent >= precision as i32 {
            with_exponent(&finish(decimal.mantissa(precision - 1)), exponent)
        } else {
            let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
            finish(decimal.fixed(decimals))
        }
    }

    fn sign(&self, negative: bool) -> &'static [u8] {
        match negative {
            true => b"-",
            false if self.plus => b"+",
            false if self.space => b" ",
            false => b"",
        }
    }

    /// An integer's digits: at least as many as the precision, none for zero with precision 0.
    fn whole(&self, prefix: &[u8], mut digits: Vec<u8>, is_zero: bool) -> Vec<u8> {
        if let Some(precision) = self.precision {
            if is_zero && precision == 0 {
                digits.clear();
            }
            let missing = precision.saturating_sub(digits.len());
            digits.splice(0..0, std::iter::repeat_n(b'0', missing));
        }
        self.pad(prefix, digits, self.zero && self.precision.is_none())
    }

    fn pad(&self, prefix: &[u8], text: Vec<u8>, zeros: bool) -> Vec<u8> {
        let missing = self.width.saturating_sub(prefix.len() + text.len());
        if missing == 0 && prefix.is_empty() {
            return text;
        }
        let mut out = Vec::with_capacity(prefix.len() + text.len() + missing);
        if !self.left && !zeros {
            out.resize(missing, b' ');
        }
        out.extend_from_slice(prefix);
        if !self.left && zeros {
            out.resize(out.len() + missing, b'0');
        }
        out.extend_from_slice(&text);
        if self.left {
            out.resize(out.len() + missing, b' ');
        }
        out
    }
}

fn with_exponent(mantissa: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// What `%q` prints between its quotes of a string, or of a part of one: as Lua's lexer reads it back.
pub fn quote(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', byte]),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, number: f64, expected: &str) {
        let (spec, length) = Spec::parse(format.as_bytes()).unwrap();
        let printed = match format.as_bytes()[length] {
            b'd' => spec.integer(number),
            b'c' => spec.character(number),
            conversion @ (b'u' | b'o' | b'x' | b'X') => spec.unsigned(conversion, number),
            conversion => spec.float(conversion, number),
        };
        assert_eq!(String::from_utf8_lossy(&printed), expected, "%{format} of {number}");
    }

    #[test]
    fn numbers() {
        check("+ d", 5.0, "+5");
        check("010d", -15.0, "-000000015");
        check("010.5d", -15.0, "    -00015");
        check("5.0d", 0.0, "     ");
        check("+.0d", 0.0, "+");
        check("-5d", 3.0, "3    ");
        check("#x", 255.0, "0xff");
        check("#X", 0.0, "0");
        check("#o", 8.0, "010");
        check("#.0o", 0.0, "0");
        check("u", -1.0, "18446744073709551615");
        check("#.0f", 3.0, "3.");
        check("#.0e", 3.0, "3.e+00");
        check("#g", 1.0, "1.00000");
        check("G", 1e-20, "1E-20");
        check("010f", f64::INFINITY, "       inf");
        check("5f", -f64::NAN, " -nan");
        check("-010g", -1.5, "-1.5      ");
        check("5c", 0.0, "    ");
        check("-5c", 0.0, "");
    }

    #[test]
    fn specifications() {
        assert_eq!(Spec::parse(b"-+ #00d"), Err(REPEATED_FLAGS));
        assert_eq!(Spec::parse(b"123d"), Err(TOO_LONG));
        assert_eq!(Spec::parse(b"1.123d"), Err(TOO_LONG));
        assert_eq!(Spec::parse(b"12.34.5d").map(|parsed| parsed.1), Ok(5));
    }

    #[test]
    fn strings() {
        let long = vec![b'x'; 100];
        assert_eq!(Spec { width: 50, ..Spec::default() }.string(&long), long);
        assert_eq!(
            Spec { precision: Some(2), width: 4, ..Spec::default() }.string(b"abc"),
            b"  ab"
        );
        assert_eq!(Spec { width: 3, ..Spec::default() }.string(b"a\0b"), b"  a");
        let mut quoted = Vec::new();
        quote(b"a\0\r\n\"\\", &mut quoted);
        assert_eq!(quoted, b"a\\000\\r\\\n\\\"\\\\");
    }
}
