//! Defines the exact way between doubles and decimal digits, in both directions.

use crate::bytes::{digits, zeros};
use crate::number::scale;
use std::cmp::Ordering;

/// A number in decimal digits, all of them: `0.digits` times ten to the `point`.
pub struct Decimal {
    /// As ASCII, no zero in front; zero has none.
    digits: Vec<u8>,
    point: i32,
}

/// Nine decimal digits: what fits a group, and leaves room for a product.
const GROUP: u64 = 1_000_000_000;

impl Decimal {
    /// Of a finite number; its sign does not matter.
    pub fn of(number: f64) -> Decimal {
        let bits = number.abs().to_bits();
        let (biased, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        match biased {
            0 => Decimal::exact(fraction, -1074),
            _ => Decimal::exact(fraction | 1 << 52, biased - 1075),
        }
    }

    /// Of the mantissa times two to the exponent.
    pub fn exact(mantissa: u64, exponent: i32) -> Decimal {
        let zeros = mantissa.trailing_zeros();
        let mantissa = mantissa.checked_shr(zeros).unwrap_or(0);
        let exponent = exponent + zeros as i32;
        // A negative power of two is as many digits behind the point as the same power of five has a factor.
        let (base, most) = if exponent < 0 { (5_u64, 12) } else { (2, 29) };
        // Lowest first.
        let mut groups = vec![mantissa % GROUP, mantissa / GROUP % GROUP, mantissa / GROUP / GROUP];
        let mut left = exponent.unsigned_abs();
        while left > 0 && mantissa > 0 {
            let step = left.min(most);
            left -= step;
            let (factor, mut carry) = (base.pow(step), 0);
            for group in &mut groups {
                carry += *group * factor;
                *group = carry % GROUP;
                carry /= GROUP;
            }
            if carry > 0 {
                groups.push(carry);
            }
        }
        let mut digits = vec![b'0'; 9 * groups.len()];
        for (mut group, nine) in groups.into_iter().rev().zip(digits.chunks_mut(9)) {
            for digit in nine.iter_mut().rev() {
                *digit += (group % 10) as u8;
                group /= 10;
            }
        }
        let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
        digits.drain(..first);
        Decimal { point: digits.len() as i32 + exponent.min(0), digits }
    }

    /// Rounds to so many digits, half to even.
    pub fn round(&mut self, count: i32) {
        let Ok(count) = usize::try_from(count) else {
            self.digits.clear();
            return;
        };
        let Some((half, behind)) = self.digits.get(count..).and_then(<[u8]>::split_first) else {
            return;
        };
        let is_odd = count > 0 && self.digits[count - 1] & 1 == 1;
        let is_more = behind.iter().any(|digit| *digit != b'0');
        let up = match half.cmp(&b'5') {
            Ordering::Equal => is_more || is_odd,
            order => order == Ordering::Greater,
        };
        self.digits.truncate(count);
        if !up {
            return;
        }
        loop {
            match self.digits.pop() {
                // A nine becomes a zero, and the one before it is counted up.
                Some(b'9') => {}
                Some(digit) => return self.digits.push(digit + 1),
                None => {
                    self.point += 1;
                    return self.digits.push(b'1');
                }
            }
        }
    }

    /// Rounds to so many digits behind the point.
    pub fn round_behind_point(&mut self, places: usize) {
        self.round(self.point.saturating_add(places as i32));
    }

    /// The power of ten of the first digit.
    pub fn exponent(&self) -> i32 {
        if self.digits.is_empty() { 0 } else { self.point - 1 }
    }

    fn push(&self, from: i32, count: usize, out: &mut String) {
        for at in (from..).take(count) {
            let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at));
            out.push(char::from(*digit.unwrap_or(&b'0')));
        }
    }

    /// The digits from the first one on, so many behind the point that follows it.
    pub fn mantissa(&self, places: usize) -> String {
        let mut text = String::new();
        self.push(0, 1, &mut text);
        if places > 0 {
            text.push('.');
            self.push(1, places, &mut text);
        }
        text
    }

    /// The digits up to the point, and so many behind it.
    pub fn fixed(&self, places: usize) -> String {
        let mut text = String::new();
        // Of a number below one there is one zero.
        let point = if self.digits.is_empty() { 0 } else { self.point };
        self.push(point.min(1) - 1, 1, &mut text);
        self.push(1, usize::try_from(point - 1).unwrap_or(0), &mut text);
        if places > 0 {
            text.push('.');
            self.push(point, places, &mut text);
        }
        text
    }
}

/// A number as it is written: an integer of digits, and the power of the base that it is scaled by.
pub struct Literal {
    /// The digits' values, zeros in front left out.
    pub digits: Vec<u8>,
    /// How many of them stand behind the point; less than 0 if digits in front of it have been left out.
    pub behind_point: i64,
    /// What the exponent says.
    pub exponent: i64,
}

impl Literal {
    /// Reads digits with a point among them and an exponent behind them; all of the text, or `None`. Of digits behind
    /// the first `most` is only kept whether all are zero: if not, the last one before them is made odd.
    pub fn read(text: &[u8], base: u32, mark: u8, most: usize) -> Option<Literal> {
        let (whole, rest) = text.split_at(digits(text, base));
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => rest.split_at(digits(rest, base)),
            _ => (&b""[..], rest),
        };
        if whole.len() + fraction.len() == 0 {
            return None;
        }
        let behind_point = fraction.len() as i64;
        let mut literal = Literal { digits: Vec::new(), behind_point, exponent: 0 };
        literal.take(whole, base, most);
        literal.take(fraction, base, most);
        let Some((first, power)) = rest.split_first() else { return Some(literal) };
        let (negative, power) = match power {
            [b'-', power @ ..] => (true, power),
            [b'+', power @ ..] => (false, power),
            _ => (false, power),
        };
        if !first.eq_ignore_ascii_case(&mark) || power.is_empty() || digits(power, 10) < power.len()
        {
            return None;
        }
        // Far outside of any range is as good as the exact number.
        let power = power[zeros(power)..].iter().take(13);
        let size = power.fold(0, |size, digit| size * 10 + i64::from(digit - b'0')).min(1 << 40);
        literal.exponent = if negative { -size } else { size };
        Some(literal)
    }

    /// Takes digits that follow those that it has.
    fn take(&mut self, text: &[u8], base: u32, most: usize) {
        let text = if self.digits.is_empty() { &text[zeros(text)..] } else { text };
        let (kept, left_out) = text.split_at(text.len().min(most - self.digits.len()));
        let values = kept.iter().filter_map(|digit| char::from(*digit).to_digit(base));
        self.digits.extend(values.map(|value| value as u8));
        self.behind_point -= left_out.len() as i64;
        if zeros(left_out) < left_out.len()
            && let Some(last) = self.digits.last_mut()
        {
            *last |= 1;
        }
    }

    /// The power of ten of the last digit, and of what stands before the first.
    pub fn scale(&self) -> (i64, i64) {
        let scale = self.exponent - self.behind_point;
        (scale, scale + self.digits.len() as i64)
    }

    /// The decimal number as a quotient.
    pub fn quotient(&self) -> Quotient {
        let (mut above, mut below) = (Natural::default(), Natural::from(1));
        for digit in &self.digits {
            above.multiply_add(10, u32::from(*digit));
        }
        let (scale, _) = self.scale();
        let scaled = if scale >= 0 { &mut above } else { &mut below };
        for _ in 0..scale.abs() {
            scaled.multiply_add(10, 0);
        }
        above.divide(below)
    }
}

/// A decimal number without a sign, as `strtod` reads it.
pub fn parse(text: &[u8]) -> Option<f64> {
    /// All powers of ten up to this one fit 64 bits, as all numbers of so many digits do.
    const MOST: i64 = 19;
    /// No number that lies in the middle between two doubles has more digits.
    const DIGITS: usize = 800;
    let mut literal = Literal::read(text, 10, b'e', DIGITS)?;
    while literal.digits.last() == Some(&0) {
        literal.digits.pop();
        literal.behind_point -= 1;
    }
    let (power, size) = literal.scale();
    if literal.digits.is_empty() || size < -330 {
        return Some(0.0);
    }
    if size > 310 {
        return Some(f64::INFINITY);
    }
    if literal.digits.len() as i64 > MOST || !(-MOST..=MOST).contains(&power) {
        let Quotient { bits, exponent, more } = literal.quotient();
        let (kept, rest) = ((bits >> 64) as u64, bits as u64);
        // The bits that are left out only decide how the last one rounds.
        return Some(scale(kept | u64::from(more || rest > 0), i64::from(exponent) + 64));
    }
    let digits = literal.digits.iter().fold(0, |all, digit| all * 10 + u64::from(*digit));
    let ten = 10_u64.pow(power.unsigned_abs() as u32);
    if power >= 0 {
        return Some((u128::from(digits) * u128::from(ten)) as f64);
    }
    // The quotient has 63 bits or more; a last one for the remainder makes the rounding right.
    let (wide, shift) = (u128::from(digits), u128::from(digits).leading_zeros());
    let (wide, ten) = (wide << shift, u128::from(ten));
    let quotient = (wide / ten) | u128::from(!wide.is_multiple_of(ten));
    Some(quotient as f64 * 2_f64.powi(-(shift as i32)))
}

/// What a division gives: `bits`, whose top one is set, times two to the `exponent`, and whether there is more below.
pub struct Quotient {
    /// The first bits.
    pub bits: u128,
    /// Of the lowest bit.
    pub exponent: i32,
    /// They are not all.
    pub more: bool,
}

/// An integer from zero up, without limit: 32 bits a limb, the lowest first, no zero limb at the top.
#[derive(Default)]
struct Natural(Vec<u32>);

impl Natural {
    fn from(number: u32) -> Natural {
        Natural(vec![number])
    }

    /// The number of bits without zeros in front.
    fn bits(&self) -> i32 {
        self.0.last().map_or(0, |top| (self.0.len() * 32) as i32 - top.leading_zeros() as i32)
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        self.0.push(carry as u32);
        self.trim();
    }

    fn shift_left(&mut self, bits: u32) {
        let mut carry = 0;
        for limb in &mut self.0 {
            let wide = u64::from(*limb) << (bits % 32) | carry;
            *limb = wide as u32;
            carry = wide >> 32;
        }
        self.0.push(carry as u32);
        self.trim();
        if !self.0.is_empty() {
            self.0.splice(0..0, std::iter::repeat_n(0, bits as usize / 32));
        }
    }

    fn at_least(&self, other: &Natural) -> bool {
        let longer = self.0.len().cmp(&other.0.len());
        longer.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev())).is_ge()
    }

    /// Subtracts a number that is not greater.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = false;
        for (at, limb) in self.0.iter_mut().enumerate() {
            let taken = other.0.get(at).copied().unwrap_or(0);
            let (rest, first) = limb.overflowing_sub(taken);
            let (rest, second) = rest.overflowing_sub(u32::from(borrow));
            *limb = rest;
            borrow = first || second;
        }
        self.trim();
    }

    /// The quotient of two numbers that are not zero.
    fn divide(mut self, mut below: Natural) -> Quotient {
        let mut exponent = self.bits() - below.bits();
        if exponent > 0 {
            below.shift_left(exponent.unsigned_abs());
        } else {
            self.shift_left(exponent.unsigned_abs());
        }
        let mut bits = 0u128;
        while bits >> 127 == 0 {
            let fits = self.at_least(&below);
            if fits {
                self.subtract(&below);
            }
            bits = bits << 1 | u128::from(fits);
            self.shift_left(1);
            exponent -= 1;
        }
        Quotient { bits, exponent: exponent + 1, more: self.bits() > 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles of all sizes, and numbers that are easy to get wrong.
    fn numbers() -> impl Iterator<Item = f64> {
        let mut state = 1u64;
        let random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        let some = [
            0.0,
            0.1,
            0.5,
            1.5,
            2.5,
            0.05,
            9.5,
            99.95,
            999_999.5,
            1e15,
            1e16,
            1e17,
            1e22,
            1e23,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            1e-5,
            123_456.789,
        ];
        let bits = std::iter::repeat_with(random);
        let all = bits.take(20_000).enumerate().map(|(place, bits)| match place % 3 {
            0 => f64::from_bits(bits & !(1 << 63)),
            1 => (bits >> 11) as f64 / 1e9,
            _ => (bits % 1_000_000) as f64 / 1000.0,
        });
        some.into_iter().chain(all).filter(|number| number.is_finite())
    }

    /// The standard library is the judge of what is printed.
    #[test]
    fn prints_every_digit() {
        for (place, number) in numbers().enumerate() {
            let places = place % 25;
            let mut decimal = Decimal::of(number);
            decimal.round(places as i32 + 1);
            let printed = format!("{}e{}", decimal.mantissa(places), decimal.exponent());
            assert_eq!(printed, format!("{number:.places$e}"));
            let mut decimal = Decimal::of(number);
            decimal.round_behind_point(places);
            assert_eq!(decimal.fixed(places), format!("{number:.places$}"));
        }
    }

    /// The standard library is the judge of what is read.
    #[test]
    fn reads_the_nearest_number() {
        for (place, number) in numbers().enumerate() {
            for text in [
                format!("{number:e}"),
                format!("{number}"),
                format!("{number:.*e}", place % 30),
                format!("{number:.*}", place % 22),
            ] {
                assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{text}");
            }
        }
        let long = format!("{}e-600", "12345".repeat(400));
        for text in [
            &long,
            "",
            ".",
            "1.",
            ".5",
            "1e",
            "1e+",
            "e5",
            "1e5x",
            "1..2",
            "1e400",
            "1e-400",
            "0e999999999999999999999",
            "2.4703282292062327208e-324",
            "2.4703282292062327209e-324",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "9007199254740993",
            "9007199254740993.0000000000000000000000000000001",
            "100000000000000000000000e-23",
            "0.000000000000000000000000000000000000000000000000001e51",
        ] {
            assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{text}");
        }
    }
}
