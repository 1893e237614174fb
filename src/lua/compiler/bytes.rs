//! Looks through bytes faster than one by one: scripts make texts of megabytes.

/// What C takes for a text: it ends at the first NUL.
#[inline]
pub fn c_string(text: &[u8]) -> &[u8] {
    find(0, text).map_or(text, |end| &text[..end])
}

/// Where a byte first stands.
#[inline]
pub fn find(byte: u8, text: &[u8]) -> Option<usize> {
    /// Shorter texts have been looked through before a call would return.
    const LONG: usize = 32;
    if text.len() < LONG {
        return text.iter().position(|other| *other == byte);
    }
    memchr::memchr(byte, text)
}

/// With how many digits of a base from 2 to 36 a text begins.
pub fn digits(text: &[u8], base: u32) -> usize {
    let last = |first: u8, count: u32| first.wrapping_add(count as u8).wrapping_sub(1);
    let (last_digit, last_letter) = (last(b'0', base.min(10)), last(b'a', base.max(10) - 10));
    let small = u64::from_le_bytes([0x20; 8]);
    let are_digits = |word: u64| {
        let letters = if base > 10 { within(word | small, b'a', last_letter) } else { 0 };
        within(word, b'0', last_digit) | letters == TOPS
    };
    run(text, are_digits, |byte| char::from(*byte).is_digit(base))
}

/// With how many zeros a text begins.
pub fn zeros(text: &[u8]) -> usize {
    run(text, |word| word == u64::from_le_bytes([b'0'; 8]), |byte| *byte == b'0')
}

/// With how many bytes of a kind a text begins: a text of millions of them is looked at by eight.
pub fn run(text: &[u8], eight: impl Fn(u64) -> bool, one: impl Fn(&u8) -> bool) -> usize {
    let words = text.as_chunks().0.iter().take_while(|word| eight(u64::from_le_bytes(**word)));
    let start = words.count() * 8;
    start + text[start..].iter().take_while(|byte| one(byte)).count()
}

/// The top bits of eight bytes.
const TOPS: u64 = u64::from_le_bytes([0x80; 8]);

/// The top bit of each of eight bytes that is in a range of ASCII.
pub fn within(word: u64, first: u8, last: u8) -> u64 {
    let low = word & !TOPS;
    let at_least = low + u64::from_le_bytes([0x80 - first; 8]);
    let beyond = low + u64::from_le_bytes([0x7f - last; 8]);
    at_least & !beyond & !word & TOPS
}
