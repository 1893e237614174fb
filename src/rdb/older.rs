//! Defines the forms that older versions gave to small values, and that are read and no more written: the ziplist and
//! the zipmap.

use crate::value::listpack::signed;

/// What ends both.
const END: u8 = 0xff;
/// A length that does not fit its byte stands in the four bytes behind this one.
const LONG: u8 = 0xfe;
/// Bytes before the entries of a ziplist: how many bytes there are, where the last entry is, and how many entries.
const HEADER: usize = 4 + 4 + 2;
/// So many entries, or more.
const MANY: usize = 0xffff;

/// The entries of a ziplist, integers by their digits; `None` if it is none, or has more entries than `most`.
pub fn ziplist(bytes: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
    let number = |at: usize| Some(signed(bytes.get(at..at + 4)?) as u32 as usize);
    let (size, tail) = (number(0)?, number(4)?);
    let count = signed(bytes.get(8..HEADER)?) as u16;
    if size != bytes.len() || !bytes.ends_with(&[END]) || tail >= size {
        return None;
    }
    let mut entries = Vec::new();
    let (mut at, mut last) = (HEADER, HEADER);
    while *bytes.get(at)? != END {
        let (before, header) = length(bytes.get(at..)?)?;
        let (entry, length) = ziplist_entry(bytes.get(at + header..)?)?;
        // Each says how long the one before is.
        if before != at - last || entries.len() == most {
            return None;
        }
        last = at;
        at += header + length;
        entries.push(entry);
    }
    let is_whole = at + 1 == bytes.len()
        && (entries.is_empty() || tail == last)
        && (usize::from(count) == MANY || usize::from(count) == entries.len());
    is_whole.then_some(entries)
}

/// A length of one byte or of five, and how many these are.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        END => None,
        LONG => Some((signed(bytes.get(1..5)?) as u32 as usize, 5)),
        length => Some((usize::from(length), 1)),
    }
}

/// The entry that begins here, and how many bytes it takes.
fn ziplist_entry(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let first = *bytes.first()?;
    let low = usize::from(first & 0x3f);
    let (header, length): (usize, usize) = match first {
        0..0x40 => (1, low),
        0x40..0x80 => (2, low << 8 | usize::from(*bytes.get(1)?)),
        0x80..0xc0 => {
            let length = bytes.get(1..)?.first_chunk::<4>()?;
            (5, u32::from_be_bytes(*length) as usize)
        }
        _ => {
            let width = match first {
                0xfe => 1,
                0xc0 => 2,
                0xf0 => 3,
                0xd0 => 4,
                0xe0 => 8,
                0xf1..0xfe => return Some(((first - 0xf1).to_string().into_bytes(), 1)),
                _ => return None,
            };
            return Some((signed(bytes.get(1..=width)?).to_string().into_bytes(), 1 + width));
        }
    };
    let content = bytes.get(header..header.checked_add(length)?)?;
    Some((content.to_vec(), header + length))
}

/// The fields of a zipmap, each with its value behind it; `None` if it is none, or has more of both than `most`.
pub fn zipmap(bytes: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
    let count = usize::from(*bytes.first()?);
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut at = 1;
    while *bytes.get(at)? != END {
        for is_value in [false, true] {
            let (length, header) = length(bytes.get(at..)?)?;
            at += header;
            // A value has a byte before it that says how many behind it are free.
            let free = if is_value { usize::from(*bytes.get(at)?) } else { 0 };
            at += usize::from(is_value);
            let end = at.checked_add(length)?;
            entries.push(bytes.get(at..end)?.to_vec());
            at = end.checked_add(free)?;
        }
        if entries.len() > most {
            return None;
        }
    }
    let is_whole =
        at + 1 == bytes.len() && (count == usize::from(LONG) || count == entries.len() / 2);
    is_whole.then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(entries: Option<Vec<Vec<u8>>>) -> String {
        let Some(entries) = entries else { return "none".to_owned() };
        String::from_utf8_lossy(&entries.join(&b' ')).into_owned()
    }

    #[test]
    fn ziplists() {
        let check = |body: &[u8], tail: u8, count: u8, expected: &str| {
            let size = (HEADER + body.len() + 1) as u8;
            let mut bytes = vec![size, 0, 0, 0, tail, 0, 0, 0, count, 0];
            bytes.extend_from_slice(body);
            bytes.push(END);
            assert_eq!(text(ziplist(&bytes, 3)), expected, "{}", bytes.escape_ascii());
            assert_eq!(ziplist(&bytes[..bytes.len() - 1], 3), None);
        };
        check(b"", 10, 0, "");
        check(b"\0\x02ab", 10, 1, "ab");
        check(b"\0\x02ab", 11, 1, "none");
        check(b"\0\x02ab", 10, 2, "none");
        check(b"\0\x02ab\x04\xf1\x02\xfd", 16, 3, "ab 0 12");
        check(b"\0\x02ab\x03\xf1\x02\xfd", 16, 3, "none");
        check(b"\0\xfe\xff\xfe\x03\0\0\0\xc0\0\x80", 13, 2, "-1 -32768");
        check(b"\0\xf0\xff\xff\x7f\x05\xd0\0\0\0\x80", 15, 2, "8388607 -2147483648");
        check(b"\0\xe0\xff\xff\xff\xff\xff\xff\xff\x7f", 10, 1, "9223372036854775807");
        check(b"\0\x40\x01a\x04\x80\0\0\0\x01b", 14, 2, "a b");
        check(b"\0\xc1\0\0", 10, 1, "none");
        check(b"\0\x80\xff\xff\xff\xff", 10, 1, "none");
        check(b"\0\xf1\x02\xf1\x02\xf1\x02\xf1", 16, 4, "none");
    }

    #[test]
    fn zipmaps() {
        let check = |bytes: &[u8], expected: &str| {
            assert_eq!(text(zipmap(bytes, 4)), expected, "{}", bytes.escape_ascii());
        };
        check(b"\0\xff", "");
        check(b"\x01\x01a\x02\0bc\xff", "a bc");
        check(b"\x02\x01a\x02\0bc\xff", "none");
        check(b"\xfe\x01a\x02\x03bcxyz\x01d\x01\0e\xff", "a bc d e");
        check(b"\x01\xfe\x01\0\0\0a\x02\0bc\xff", "a bc");
        check(b"\x01\x01a\x02\0b\xff", "none");
        check(b"\x01\x01a\xff", "none");
        check(b"\x01\x01a\x02\0bc", "none");
        check(b"\x01\xfe\xff\xff\xff\xffa\x02\0bc\xff", "none");
    }
}
