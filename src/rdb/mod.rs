//! Defines the payloads of DUMP and of FUNCTION DUMP: RDB's lengths and strings, and the version and checksum behind them.

mod lzf;
mod older;
mod stream;
pub mod value;

use crate::number::parse_integer;
use std::sync::OnceLock;

/// The version of RDB that Redis 7.0 writes.
const VERSION: u16 = 10;
/// Bytes behind the data: the version and the checksum.
pub const FOOTER: usize = 2 + 8;

/// What a length begins with whose two highest bits are set: the string is written in another way.
const INT8: u8 = 0xc0;
const INT16: u8 = 0xc1;
const INT32: u8 = 0xc2;
const LZF: u8 = 0xc3;
/// A length of 32 bits, and one of 64.
const LONG: u8 = 0x80;
const LONGER: u8 = 0x81;

/// Strings up to this length are never compressed.
const SHORT: usize = 20;

/// What one payload may take of the memory, in bytes: a short one may stand for much. It is so many times the longest string,
/// of which as many bytes count as Redis allows.
const STRINGS: usize = 4;
const MOST_BYTES: usize = 512 << 20;

/// What each value of a byte does to the checksum, and with one to seven bytes behind it: the polynomial of Jones, bits
/// reversed. They are made when they are first needed, which is quicker than to download them.
fn tables() -> &'static [[u64; 256]; 8] {
    static TABLES: OnceLock<Box<[[u64; 256]; 8]>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Box::new([[0; 256]; 8]);
        for byte in 0..256 {
            let mut value = byte as u64;
            for table in tables.iter_mut() {
                for _ in 0..8 {
                    value = (value >> 1) ^ if value & 1 == 1 { 0x95ac_9329_ac4b_c9b5 } else { 0 };
                }
                table[byte] = value;
            }
        }
        tables
    })
}

/// The CRC64 of Redis.
pub fn crc64(bytes: &[u8]) -> u64 {
    let tables = tables();
    let (words, rest) = bytes.as_chunks::<8>();
    let crc = words.iter().fold(0, |crc, word| {
        let bytes = (u64::from_le_bytes(*word) ^ crc).to_le_bytes();
        let parts = bytes.iter().zip(tables.iter().rev());
        parts.fold(0, |crc, (byte, table)| crc ^ table[usize::from(*byte)])
    });
    rest.iter().fold(crc, |crc, byte| tables[0][usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// Ends a payload: the version and the checksum.
pub fn seal(mut data: Vec<u8>) -> Vec<u8> {
    data.extend_from_slice(&VERSION.to_le_bytes());
    let crc = crc64(&data);
    data.extend_from_slice(&crc.to_le_bytes());
    data
}

/// Whether a payload ends with a version that is known and with its checksum, be that right or not.
pub fn is_sealed(payload: &[u8], any_checksum: bool) -> bool {
    let Some((rest, crc)) = payload.split_last_chunk::<8>() else { return false };
    let Some((_, version)) = rest.split_last_chunk::<2>() else { return false };
    u16::from_le_bytes(*version) <= VERSION
        && (any_checksum || crc64(rest) == u64::from_le_bytes(*crc))
}

/// The data of a payload, as it is written.
pub struct Writer {
    /// What has been written.
    pub out: Vec<u8>,
    /// Long strings are compressed: `rdbcompression`.
    compresses: bool,
}

impl Writer {
    /// With nothing written.
    pub fn new(compresses: bool) -> Writer {
        Writer { out: Vec::new(), compresses }
    }

    /// Writes a length.
    pub fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    /// Writes a number as lengths are written.
    fn number(&mut self, number: u64) {
        let out = &mut self.out;
        match number {
            0..0x40 => out.push(number as u8),
            0x40..0x4000 => out.extend_from_slice(&(0x4000 | number as u16).to_be_bytes()),
            _ => {
                if let Ok(number) = u32::try_from(number) {
                    out.push(LONG);
                    out.extend_from_slice(&number.to_be_bytes());
                } else {
                    out.push(LONGER);
                    out.extend_from_slice(&number.to_be_bytes());
                }
            }
        }
    }

    /// Writes a string: one that reads as a number of 32 bits as that.
    pub fn string(&mut self, bytes: &[u8]) {
        let number = if bytes.len() <= 11 { parse_integer(bytes) } else { None };
        if let Some(number) = number.and_then(|number| i32::try_from(number).ok()) {
            if let Ok(number) = i8::try_from(number) {
                self.out.extend_from_slice(&[INT8, number as u8]);
            } else if let Ok(number) = i16::try_from(number) {
                self.out.push(INT16);
                self.out.extend_from_slice(&number.to_le_bytes());
            } else {
                self.out.push(INT32);
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            return;
        }
        if self.compresses
            && bytes.len() > SHORT
            && let Some(packed) = lzf::compress(bytes)
        {
            self.out.push(LZF);
            self.length(packed.len());
            self.length(bytes.len());
            self.out.extend_from_slice(&packed);
            return;
        }
        self.length(bytes.len());
        self.out.extend_from_slice(bytes);
    }
}

/// Reads a payload. What is not there, or makes no sense, is `None`.
pub struct Reader<'a> {
    left: &'a [u8],
    /// Bytes of the longest string.
    longest: usize,
    /// Bytes that what is read may still take.
    memory: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of a payload, none of whose strings is longer.
    pub fn new(payload: &'a [u8], longest: usize) -> Reader<'a> {
        Reader { left: payload, longest, memory: STRINGS * longest.min(MOST_BYTES) }
    }

    /// Bytes of data that have not been read. What a false length has made pass for data may reach into the footer.
    pub fn remaining(&self) -> usize {
        self.left.len().saturating_sub(FOOTER)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(count)?;
        self.left = left;
        Some(taken)
    }

    /// Takes so much of the memory that reading may take.
    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.memory = self.memory.checked_sub(bytes)?;
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, left) = self.left.split_first_chunk()?;
        self.left = left;
        Some(*taken)
    }

    /// A length. Where it would say how a string is written, that is taken for one.
    pub fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A number that is written as lengths are.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        self.number_after(first)
    }

    fn number_after(&mut self, first: u8) -> Option<u64> {
        match (first >> 6, first) {
            (0, _) => Some(u64::from(first)),
            (1, _) => Some(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            (_, LONG) => Some(u32::from_be_bytes(self.array()?).into()),
            (_, LONGER) => Some(u64::from_be_bytes(self.array()?)),
            (3, _) => Some(u64::from(first & 0x3f)),
            _ => None,
        }
    }

    /// A string; a number is one too, by its digits.
    pub fn string(&mut self) -> Option<Vec<u8>> {
        let integer = match self.byte()? {
            INT8 => i64::from(i8::from_le_bytes(self.array()?)),
            INT16 => i64::from(i16::from_le_bytes(self.array()?)),
            INT32 => i64::from(i32::from_le_bytes(self.array()?)),
            LZF => {
                let (packed, length) = (self.length()?, self.length()?);
                if length > self.longest {
                    return None;
                }
                self.spend(length)?;
                return lzf::decompress(self.take(packed)?, length);
            }
            0xc4.. => return None,
            first => {
                let length = usize::try_from(self.number_after(first)?).ok()?;
                return self.take(length).map(<[u8]>::to_vec);
            }
        };
        Some(integer.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_the_one_of_the_server() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        let empty = seal(Vec::new());
        assert_eq!(empty, b"\n\0]\x9b\\@\x0f\x7f\xa2\xda");
        assert!(is_sealed(&empty, false));
        for at in 0..empty.len() {
            let mut broken = empty.clone();
            broken[at] ^= 1;
            assert!(!is_sealed(&broken, false));
            assert!(!is_sealed(&empty[..at], false));
        }
    }

    #[test]
    fn checksum_takes_eight_bytes_as_it_takes_one() {
        let bytes: Vec<u8> = (0..=255).cycle().step_by(7).take(100).collect();
        let mut crc = 0u64;
        for length in 0..bytes.len() {
            assert_eq!(crc64(&bytes[..length]), crc, "{length}");
            crc ^= u64::from(bytes[length]);
            for _ in 0..8 {
                crc = (crc >> 1) ^ if crc & 1 == 1 { 0x95ac_9329_ac4b_c9b5 } else { 0 };
            }
        }
    }

    #[test]
    fn lengths_come_back() {
        for length in [0, 1, 63, 64, 16383, 16384, 70000, u32::MAX as usize] {
            let mut writer = Writer::new(false);
            writer.length(length);
            let out = writer.out;
            assert_eq!(Reader::new(&out, 100).length(), Some(length));
            assert_eq!(Reader::new(&out[..out.len() - 1], 100).length(), None);
        }
    }

    #[test]
    fn strings() {
        #[track_caller]
        fn check(payload: &[u8], expected: Option<&[u8]>) {
            assert_eq!(Reader::new(payload, 100).string().as_deref(), expected);
        }
        check(b"\x03abc", Some(b"abc"));
        check(b"\x04abc", None);
        check(b"", None);
        check(b"\xc0\xff", Some(b"-1"));
        check(b"\xc1\x00\x80", Some(b"-32768"));
        check(b"\xc2\xff\xff\xff\x7f", Some(b"2147483647"));
        check(b"\xc2\xff\xff\xff", None);
        check(b"\xc3\x05\x0a\x01ab\x20\x01", None);
        check(b"\xc3\x05\x05\x01ab\x20\x01", Some(b"ababa"));
        check(b"\xc3\x06\x0c\x00a\xe0\x02\x00", None);
        check(b"\xc3\x05\x0c\x00a\xe0\x02\x00", Some(b"aaaaaaaaaaaa"));
        check(b"\xc3\x02\x03\x20\x00", None);
        check(b"\xc3\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"\x81\xff\xff\xff\xff\xff\xff\xff\xffabc", None);
        check(b"\xc4", None);
        check(b"\xff", None);
        check(b"\x82", None);
        assert_eq!(Reader::new(b"\xff", 100).length(), Some(63));
    }
}
