//! Defines C's `long double` as Redis meets it on x86: 64 bits of mantissa, 15 of exponent, rounded to nearest even.
//!
//! INCRBYFLOAT and HINCRBYFLOAT compute in it: `0.1 + 0.2` is `0.3` there, and `1e400` is a number.

use crate::lua::decimal::{Decimal, Literal, Quotient};

/// The least exponent of the mantissa's lowest bit: denormals have it.
const MIN_EXPONENT: i32 = -16445;
/// The greatest exponent of the mantissa's lowest bit.
const MAX_EXPONENT: i32 = 16320;
/// Redis reads a number from a buffer of this size, its closing NUL among it.
const MAX_TEXT: usize = 5 * 1024;

/// A number that is not NaN: mantissa times two to the exponent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LongDouble {
    negative: bool,
    /// Its top bit is set, but in zero and in denormals.
    mantissa: u64,
    /// Of the mantissa's lowest bit; `INFINITE` marks an infinity.
    exponent: i32,
}

const INFINITE: i32 = i32::MAX;

impl LongDouble {
    /// The integer, exactly.
    pub fn from_integer(number: i64) -> LongDouble {
        round(number < 0, u128::from(number.unsigned_abs()), 0, false)
    }

    /// Reads a whole text as `strtold` does: decimal or hexadecimal, `inf` too. `None` if it is no number, has a
    /// space before it, is NaN, or overflows or underflows to nothing.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.len() >= MAX_TEXT {
            return None;
        }
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if digits.eq_ignore_ascii_case(b"inf") || digits.eq_ignore_ascii_case(b"infinity") {
            return Some(LongDouble { negative, mantissa: 0, exponent: INFINITE });
        }
        let number = match digits {
            [b'0', b'x' | b'X', rest @ ..] => {
                hexadecimal(&Literal::read(rest, 16, b'p', MAX_TEXT)?, negative)
            }
            _ => decimal(&Literal::read(digits, 10, b'e', MAX_TEXT)?, negative),
        };
        number.filter(|number| !number.is_infinite())
    }

    /// A thousand times the number, rounded to a `long double` and then up to an integer; `None` if 64 bits do not hold it.
    pub fn ceil_milli(self) -> Option<i64> {
        if self.is_infinite() {
            return None;
        }
        let product = round(self.negative, u128::from(self.mantissa) * 1000, self.exponent, false);
        if product.exponent > 0 {
            return None;
        }
        let below = product.exponent.unsigned_abs();
        let floor = product.mantissa.checked_shr(below).unwrap_or(0);
        let is_whole = floor.checked_shl(below).unwrap_or(0) == product.mantissa;
        if product.negative {
            i64::try_from(-i128::from(floor)).ok()
        } else {
            i64::try_from(i128::from(floor) + i128::from(!is_whole)).ok()
        }
    }

    /// Whether it is one of the two infinities.
    pub fn is_infinite(self) -> bool {
        self.exponent == INFINITE
    }

    /// The rounded sum; `None` if that is NaN.
    pub fn plus(self, other: LongDouble) -> Option<LongDouble> {
        match (self.is_infinite(), other.is_infinite()) {
            (true, true) if self.negative != other.negative => return None,
            (true, _) => return Some(self),
            (_, true) => return Some(other),
            _ => {}
        }
        let (high, low) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        // The greater exponent comes with a full mantissa, so `high` is the greater number. 62 bits below the mantissa
        // hold what the shift pushes out, two above it the carry.
        let distance = (high.exponent - low.exponent).unsigned_abs();
        let wide = u128::from(high.mantissa) << 62;
        let addend = u128::from(low.mantissa) << 62;
        let shifted = addend.checked_shr(distance).unwrap_or(0);
        let lost = shifted.checked_shl(distance).unwrap_or(0) != addend;
        let exponent = high.exponent - 62;
        if high.negative == low.negative {
            return Some(round(high.negative, wide + shifted, exponent, lost));
        }
        if wide == shifted && !lost {
            return Some(LongDouble::from_integer(0));
        }
        // Where bits were lost, the true difference lies just above the integer below it.
        let difference = wide.saturating_sub(shifted).saturating_sub(u128::from(lost));
        Some(round(high.negative, difference, exponent, lost))
    }

    /// The text that Redis stores: 17 digits behind the point, zeros at the end left out, no exponent ever.
    pub fn to_text(self) -> Vec<u8> {
        let sign = if self.negative { "-" } else { "" };
        if self.is_infinite() {
            return format!("{sign}inf").into_bytes();
        }
        // Too small for its first digit to be one of the 17.
        let mantissa = if self.exponent < -128 { 0 } else { self.mantissa };
        let mut decimal = Decimal::exact(mantissa, self.exponent);
        decimal.round_behind_point(17);
        let text = format!("{sign}{}", decimal.fixed(17));
        let trimmed = text.trim_end_matches('0').trim_end_matches('.');
        if trimmed == "-0" { b"0".to_vec() } else { trimmed.into() }
    }
}

/// `value >> bits`, rounded to nearest, ties to even; `more` says that bits below the value are not all zero.
fn shift_to_even(value: u128, bits: u32, more: bool) -> u128 {
    if bits == 0 {
        return value;
    }
    if bits > 128 {
        return 0;
    }
    let kept = value.checked_shr(bits).unwrap_or(0);
    let half = 1u128 << (bits - 1);
    let rest = value & (half | (half - 1));
    let up = rest > half || rest == half && (more || kept & 1 == 1);
    kept + u128::from(up)
}

/// The nearest number to `significand` times two to the `exponent`; `more` says that there is a bit more than that.
fn round(negative: bool, significand: u128, exponent: i32, more: bool) -> LongDouble {
    if significand == 0 {
        return LongDouble { negative, mantissa: 0, exponent: MIN_EXPONENT };
    }
    let zeros = significand.leading_zeros();
    let wide = significand << zeros;
    let mut exponent = exponent - zeros as i32 + 64;
    let denormal = (MIN_EXPONENT - exponent).max(0);
    exponent += denormal;
    let mut mantissa = shift_to_even(wide, 64 + denormal.unsigned_abs(), more);
    if mantissa >> 64 != 0 {
        mantissa >>= 1;
        exponent += 1;
    }
    if exponent > MAX_EXPONENT {
        return LongDouble { negative, mantissa: 0, exponent: INFINITE };
    }
    LongDouble { negative, mantissa: mantissa as u64, exponent }
}

/// The nearest number; `None` if it is too small to be told from zero.
fn decimal(literal: &Literal, negative: bool) -> Option<LongDouble> {
    if literal.digits.is_empty() {
        return Some(round(negative, 0, 0, false));
    }
    // Beyond these no rounding helps, and the quotient would be long for nothing.
    match literal.scale() {
        (_, 5001..) => return Some(LongDouble { negative, mantissa: 0, exponent: INFINITE }),
        (_, ..-5000) => return None,
        _ => {}
    }
    let Quotient { bits, exponent, more } = literal.quotient();
    nearest(negative, bits, exponent, more)
}

/// The nearest number; `None` if it is too small to be told from zero.
fn hexadecimal(literal: &Literal, negative: bool) -> Option<LongDouble> {
    let mut exponent = literal.exponent - 4 * literal.behind_point;
    let (mut bits, mut more) = (0u128, false);
    for digit in &literal.digits {
        if bits >> 124 == 0 {
            bits = bits << 4 | u128::from(*digit);
        } else {
            more |= *digit != 0;
            exponent += 4;
        }
    }
    if bits == 0 {
        return Some(round(negative, 0, 0, false));
    }
    nearest(negative, bits, exponent.clamp(-1_000_000, 1_000_000) as i32, more)
}

fn nearest(negative: bool, bits: u128, exponent: i32, more: bool) -> Option<LongDouble> {
    let number = round(negative, bits, exponent, more);
    (number.mantissa != 0 || number.is_infinite()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected` is what redis-server 7.0.15 on x86-64 answered to `INCRBYFLOAT`; empty for its refusal.
    fn check(value: &str, increment: &str, expected: &str) {
        let sum = LongDouble::parse(value.as_bytes())
            .zip(LongDouble::parse(increment.as_bytes()))
            .and_then(|(value, increment)| value.plus(increment))
            .filter(|sum| !sum.is_infinite())
            .map_or(Vec::new(), LongDouble::to_text);
        assert_eq!(String::from_utf8(sum).unwrap(), expected, "{value} + {increment}");
    }

    #[test]
    fn sums_as_redis_stores_them() {
        check("0.1", "0.2", "0.3");
        check("-2.5", "-2.5", "-5");
        check("-0.1", "-0.2", "-0.3");
        check("0.1", "-0.2", "-0.1");
        check("-9223372036854775808", "-1", "-9223372036854775809");
        check("3.0e3", "0", "3000");
        check("5.0e3", "2.0e2", "5200");
        check("10.50", "0.1", "10.6");
        check("-0", "-0", "0");
        check("0", "-1e-20", "0");
        check("1", "-1", "0");
        check("1e18", "0.5", "1000000000000000000.5");
        check("1e19", "0.5", "10000000000000000000");
        check("9223372036854775807", "1", "9223372036854775808");
        check("18446744073709551615", "1", "18446744073709551616");
        check("18446744073709551616", "1", "18446744073709551616");
        check("1e40", "1", "9999999999999999999783686092270256259072");
        check(
            "1.7976931348623157e308",
            "1.7976931348623157e308",
            "359538626972463139991842093548208868096772893888658356970628841530353257046248792709403737216774171128857586838851041378617416726902272110715794556052955234146997955372576789671236326588091188869859074894581254961338834769297758245552436667197907705664206565009503223382416235440319971852753604933726679072768",
        );
        check("0.000000000000000005", "0", "0");
        check("0.000000000000000015", "0", "0.00000000000000002");
        check("1e-17", "1e-17", "0.00000000000000002");
        check("123456789.123456789", "0.000000001", "123456789.12345678999554366");
        check("0.3", "-0.1", "0.2");
        check("1e-4950", "0", "0");
        check("1e-4951", "0", "");
        check("1e-5000", "0", "");
        check("1e5000", "0", "");
        check("0e99999999999", "1", "1");
        check("-inf", "1", "");
        check("inf", "-inf", "");
        check("InFiNiTy", "0", "");
        check("nan", "0", "");
        check("0x1.8p3", "0x.8", "12.5");
        check("0x10", "0XfP-4", "16.9375");
        check("0x", "0", "");
        check("0x.", "0", "");
        check("0x1p", "0", "");
        check("0x.p1", "0", "");
        check("0x1p99999999999", "0", "");
        check("0x1p-16445", "0", "0");
        check("0x1p-16446", "0", "");
        check("0x1.8p-16446", "0", "0");
        check(".5", "5.", "5.5");
        check(".", "0", "");
        check("", "0", "");
        check("+1", "+2", "3");
        check("+-1", "0", "");
        check("1e", "0", "");
        check("1e+", "0", "");
        check("1e+2", "0", "100");
        check(" 1", "0", "");
        check("1 ", "0", "");
        check("1_000", "0", "");
        check("1.2.3", "0", "");
        check("1,5", "0", "");
        check("00012", "0", "12");
        check("2.5", "2.5", "5");
        check("1e17", "0.03125", "100000000000000000.03125");
        check("4503599627370497.5", "0.0000000001", "4503599627370497.5");
        check("99999999999999999999999999999999999", "0", "99999999999999999997871448567840768");
        check("0x1.fffffffffffffffep0", "0x1p-64", "2");
        check("0x1.fffffffffffffffep0", "0x1p-65", "2");
        check("0x1p0", "-0x1p-64", "1");
        check("0x1p0", "-0x1p-65", "1");
        check("0x1p0", "-0x1.8p-65", "1");
        check("0x1p0", "-0x1p-200", "1");
    }

    /// `expected` is how long redis-server 7.0.15 on x86-64 let BLPOP wait; `None` where it found the timeout negative.
    #[test]
    fn waits_as_redis_counts_them() {
        let check = |seconds: &str, expected| {
            let milliseconds =
                LongDouble::parse(seconds.as_bytes()).and_then(LongDouble::ceil_milli);
            assert_eq!(milliseconds.filter(|wait| *wait >= 0), expected, "{seconds}");
        };
        check("0", Some(0));
        check("-0", Some(0));
        check("2", Some(2000));
        check("1.0005", Some(1001));
        check("0.0009999", Some(1));
        check("1e-4940", Some(1));
        check("-1e-10", Some(0));
        check("-0.001", Some(0));
        check("-0.0011", None);
        check("-0.002", None);
        check("-1", None);
        check("9223372036854775.807", Some(i64::MAX));
        check("9223372036854775.808", None);
        check("0x10000000000000000", None);
        check("1e400", None);
        check("inf", None);
    }
}
