//! Defines the listpack: short strings and integers one behind the other in one string, each with its length behind it.

use crate::number::parse_integer;

/// Bytes before the entries: how many bytes there are in all, and how many entries.
const HEADER: usize = 4 + 2;
/// What stands behind the last entry, and nowhere before.
const END: u8 = 0xff;
/// So many entries, or more.
const MANY: usize = 0xffff;

/// The first bytes of integers by their width, of 16, 24, 32 and 64 bits.
const INT16: u8 = 0xf1;
const INT24: u8 = 0xf2;
const INT32: u8 = 0xf3;
const INT64: u8 = 0xf4;
/// The first byte of a string whose length has 32 bits.
const STRING32: u8 = 0xf0;

/// A listpack that is written.
pub struct Listpack {
    bytes: Vec<u8>,
    count: usize,
}

impl Default for Listpack {
    fn default() -> Listpack {
        Listpack { bytes: vec![0; HEADER], count: 0 }
    }
}

impl Listpack {
    /// Entries.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes, once it is finished.
    pub fn size(&self) -> usize {
        self.bytes.len() + 1
    }

    /// Appends an entry: what reads as an integer is one.
    pub fn push(&mut self, entry: &[u8]) {
        if let Some(integer) = parse_integer(entry) {
            return self.push_integer(integer);
        }
        let [a, b, c, d] = (entry.len() as u32).to_le_bytes();
        match header_width(entry.len()) {
            1 => self.append(&[0x80 | a], entry),
            2 => self.append(&[0xe0 | b, a], entry),
            _ => self.append(&[STRING32, a, b, c, d], entry),
        }
    }

    /// Appends an integer.
    pub fn push_integer(&mut self, integer: i64) {
        let bytes = integer.to_le_bytes();
        let (first, width) = match integer_width(integer) {
            1 => return self.append(&bytes[..1], &[]),
            2 => {
                let low = integer as u16 & 0x1fff;
                return self.append(&[0xc0 | (low >> 8) as u8, low as u8], &[]);
            }
            3 => (INT16, 2),
            4 => (INT24, 3),
            5 => (INT32, 4),
            _ => (INT64, 8),
        };
        self.append(&[first], &bytes[..width]);
    }

    fn append(&mut self, header: &[u8], content: &[u8]) {
        self.bytes.extend_from_slice(header);
        self.bytes.extend_from_slice(content);
        let length = header.len() + content.len();
        // Seven bits a byte, the highest first; all but the first of them say that there is one more before.
        for place in (0..back_length(length)).rev() {
            let bits = (length >> (7 * place)) as u8 & 0x7f;
            let is_first = place + 1 == back_length(length);
            self.bytes.push(if is_first { bits } else { bits | 0x80 });
        }
        self.count += 1;
    }

    /// The whole listpack.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let size = (self.bytes.len() as u32).to_le_bytes();
        let count = (self.count.min(MANY) as u16).to_le_bytes();
        for (byte, value) in self.bytes.iter_mut().zip(size.into_iter().chain(count)) {
            *byte = value;
        }
        self.bytes
    }
}

/// How many bytes an integer takes, its first byte among them.
fn integer_width(integer: i64) -> usize {
    match integer {
        0..0x80 => 1,
        -0x1000..0x1000 => 2,
        -0x8000..0x8000 => 3,
        -0x80_0000..0x80_0000 => 4,
        -0x8000_0000..0x8000_0000 => 5,
        _ => 9,
    }
}

/// How many bytes stand before a string of this length.
fn header_width(length: usize) -> usize {
    match length {
        0..64 => 1,
        64..4096 => 2,
        _ => 5,
    }
}

/// Bytes that an integer takes as an entry, the length behind it among them.
pub fn integer_size(integer: i64) -> usize {
    let width = integer_width(integer);
    width + back_length(width)
}

/// Bytes that a string takes as an entry, the length behind it among them.
pub fn string_size(string: &[u8]) -> usize {
    if let Some(integer) = parse_integer(string) {
        return integer_size(integer);
    }
    let width = header_width(string.len()) + string.len();
    width + back_length(width)
}

/// How many bytes the length behind an entry of this length takes.
fn back_length(length: usize) -> usize {
    match length {
        0..0x80 => 1,
        0x80..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0xfff_ffff => 4,
        _ => 5,
    }
}

/// The entries of a listpack, integers by their digits; `None` if it is none, or has more entries than `most`.
pub fn entries(bytes: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
    let count = usize::from(u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?));
    let entries = uncounted(bytes, most)?;
    (count == MANY || count == entries.len()).then_some(entries)
}

/// The same of a listpack that need not know how many it has.
pub fn uncounted(bytes: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
    let size = bytes.first_chunk::<4>()?;
    if u32::from_le_bytes(*size) as usize != bytes.len() || !bytes.ends_with(&[END]) {
        return None;
    }
    let mut entries = Vec::new();
    let mut at = HEADER;
    while *bytes.get(at)? != END {
        let (entry, length) = entry(bytes.get(at..)?)?;
        at += length + back_length(length);
        if read_back(bytes.get(..at)?)? != length || entries.len() == most {
            return None;
        }
        entries.push(entry);
    }
    (at + 1 == bytes.len()).then_some(entries)
}

/// The entry that begins here, and how many bytes it takes without the length behind it.
fn entry(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let first = *bytes.first()?;
    let low = |mask: u8| usize::from(first & mask);
    let (header, length): (usize, usize) = match first {
        0..0x80 => return Some((first.to_string().into_bytes(), 1)),
        0x80..0xc0 => (1, low(0x3f)),
        0xc0..0xe0 => {
            let bits = (low(0x1f) << 8 | usize::from(*bytes.get(1)?)) as i16;
            // Thirteen bits with a sign.
            return Some(((bits << 3 >> 3).to_string().into_bytes(), 2));
        }
        0xe0..0xf0 => (2, low(0xf) << 8 | usize::from(*bytes.get(1)?)),
        STRING32 => {
            let length = bytes.get(1..)?.first_chunk::<4>()?;
            (5, u32::from_le_bytes(*length) as usize)
        }
        INT16 => return integer(bytes, 2),
        INT24 => return integer(bytes, 3),
        INT32 => return integer(bytes, 4),
        INT64 => return integer(bytes, 8),
        _ => return None,
    };
    let content = bytes.get(header..header.checked_add(length)?)?;
    Some((content.to_vec(), header + length))
}

/// An integer of so many bytes behind its first.
fn integer(bytes: &[u8], width: usize) -> Option<(Vec<u8>, usize)> {
    Some((signed(bytes.get(1..=width)?).to_string().into_bytes(), 1 + width))
}

/// Up to eight bytes as an integer with a sign, the lowest first.
pub fn signed(bytes: &[u8]) -> i64 {
    let unsigned = bytes.iter().rev().fold(0, |value, byte| value << 8 | i64::from(*byte));
    let unused = 64 - 8 * bytes.len() as u32;
    unsigned << unused >> unused
}

/// The length that ends here, read backwards as the real server does it.
fn read_back(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for (place, byte) in bytes.iter().rev().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(entry: &[u8], expected: &[u8]) {
        let mut listpack = Listpack::default();
        listpack.push(entry);
        let size = listpack.size();
        assert_eq!(size, HEADER + string_size(entry) + 1);
        let bytes = listpack.finish();
        assert_eq!(bytes.len(), size);
        assert!(bytes[HEADER..].starts_with(expected), "{}", bytes[HEADER..].escape_ascii());
        assert_eq!(entries(&bytes, 1), Some(vec![entry.to_vec()]));
        assert_eq!(entries(&bytes, 0), None);
        for at in 0..size {
            assert_eq!(entries(&bytes[..at], 1), None);
        }
    }

    #[test]
    fn entries_come_back() {
        check(b"", b"\x80\x01\xff");
        check(b"abc", b"\x83abc\x04\xff");
        check(b"0", b"\x00\x01\xff");
        check(b"127", b"\x7f\x01\xff");
        check(b"128", b"\xc0\x80\x02\xff");
        check(b"-1", b"\xdf\xff\x02\xff");
        check(b"-4096", b"\xd0\x00\x02\xff");
        check(b"4096", b"\xf1\x00\x10\x03\xff");
        check(b"-32769", b"\xf2\xff\x7f\xff\x04\xff");
        check(b"8388608", b"\xf3\x00\x00\x80\x00\x05\xff");
        check(b"-9223372036854775808", b"\xf4\0\0\0\0\0\0\0\x80\x09\xff");
        check(b"9223372036854775808", b"\x939223372036854775808\x14\xff");
        check(&[b'x'; 63], b"\xbfx");
        check(&[b'x'; 64], b"\xe0\x40x");
        check(&[b'x'; 4095], b"\xef\xffx");
        check(&[b'x'; 4096], b"\xf0\0\x10\0\0x");
        check(&b"x".repeat(20_000), b"\xf0\x20\x4e\0\0x");
    }

    #[test]
    fn what_is_none_is_refused() {
        let check = |bytes: &[u8], is_one: bool| {
            assert_eq!(entries(bytes, 9).is_some(), is_one, "{}", bytes.escape_ascii());
        };
        check(b"\x07\0\0\0\0\0\xff", true);
        check(b"\x07\0\0\0\x01\0\xff", false);
        check(b"\x07\0\0\0\xff\xff\xff", true);
        check(b"\x06\0\0\0\0\0", false);
        check(b"\x08\0\0\0\0\0\xff\xff", false);
        check(b"\x09\0\0\0\x01\0\x05\x01\xff", true);
        check(b"\x09\0\0\0\x01\0\x05\x02\xff", false);
        check(b"\x09\0\0\0\x01\0\xf5\x01\xff", false);
        check(b"\x09\0\0\0\x01\0\x82\x01\xff", false);
    }
}
