//! Splits a line into arguments, with redis-cli's quotes and escapes.

use crate::number::c_string;
/// The arguments of a line; `None` when a quote is left open or something touches a closing one.
///
/// A quote may open in the middle of an argument. In double quotes `\xHH`, `\n`, `\r`, `\t`, `\b` and `\a` stand for
/// their byte and a backslash before anything else for that byte; in single quotes only `\'` is an escape. As in
/// redis-cli, where a line is a C string, it ends at the first NUL byte.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader { line: c_string(line) };
    let mut arguments = Vec::new();
    loop {
        let Some(start) = reader.line.iter().position(|&byte| !is_space(byte)) else {
            return Some(arguments);
        };
        reader.line = reader.line.get(start..).unwrap_or_default();
        arguments.push(reader.argument()?);
    }
}

struct Reader<'a> {
    line: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.line.split_first()?;
        self.line = rest;
        Some(first)
    }

    fn argument(&mut self) -> Option<Vec<u8>> {
        let mut argument = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                // Narrower than what may stand between arguments: vertical tab and form feed belong to a word.
                b' ' | b'\n' | b'\r' | b'\t' => break,
                b'"' => return self.double_quoted(argument),
                b'\'' => return self.single_quoted(argument),
                _ => argument.push(byte),
            }
        }
        Some(argument)
    }

    fn double_quoted(&mut self, mut argument: Vec<u8>) -> Option<Vec<u8>> {
        loop {
            match self.next()? {
                b'"' => return self.closed(argument),
                b'\\' => argument.push(self.escape()),
                byte => argument.push(byte),
            }
        }
    }

    /// What stands behind a backslash; at the end of the line the backslash itself.
    fn escape(&mut self) -> u8 {
        if let [b'x', high, low, rest @ ..] = self.line
            && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
        {
            self.line = rest;
            return high << 4 | low;
        }
        match self.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'b') => 0x08,
            Some(b'a') => 0x07,
            Some(byte) => byte,
            None => b'\\',
        }
    }

    fn single_quoted(&mut self, mut argument: Vec<u8>) -> Option<Vec<u8>> {
        loop {
            match self.next()? {
                b'\'' => return self.closed(argument),
                b'\\' if self.line.first() == Some(&b'\'') => {
                    self.next();
                    argument.push(b'\'');
                }
                byte => argument.push(byte),
            }
        }
    }

    /// A closing quote ends the argument, so a space or the end must follow.
    fn closed(&mut self, argument: Vec<u8>) -> Option<Vec<u8>> {
        self.line.first().is_none_or(|&byte| is_space(byte)).then_some(argument)
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The bytes in double quotes; what ASCII cannot print is escaped so that [`super::split::split`] reads it back.
pub fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    quote(bytes, &mut out);
    out
}

/// Appends what [`quoted`] gives.
pub fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let is_plain = |byte: &&u8| matches!(**byte, b' '..=b'~') && !matches!(**byte, b'\\' | b'"');
    out.push(b'"');
    let mut rest = bytes;
    loop {
        let (plain, behind) = rest.split_at(rest.iter().take_while(is_plain).count());
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = behind.split_first() else { break };
        rest = behind;
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            _ => {
                let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                out.extend_from_slice(&[b'\\', b'x', DIGITS[high], DIGITS[low]]);
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{quoted, split};

    #[track_caller]
    fn check(line: &[u8], expected: Option<&[&[u8]]>) {
        let expected = expected.map(|words| words.iter().map(|word| word.to_vec()).collect());
        assert_eq!(split(line), expected, "{}", line.escape_ascii());
    }

    #[test]
    fn words_and_quotes() {
        check(b"", Some(&[]));
        check(b" \t \x0b\x0c ", Some(&[]));
        check(b"  SET a  b ", Some(&[b"SET", b"a", b"b"]));
        check(b"SET \"\" ''", Some(&[b"SET", b"", b""]));
        check(b"a\"b c\" d", Some(&[b"ab c", b"d"]));
        check(b"a'b c' d", Some(&[b"ab c", b"d"]));
        check(b"\"a\"b", None);
        check(b"\"a\"\"b\"", None);
        check(b"'a'b", None);
        check(b"\"a", None);
        check(b"'a", None);
        check(b"\"a\\", None);
        check(b"\"a\\\"", None);
        check(b"a\x0bb \x0bc", Some(&[b"a\x0bb", b"c"]));
        check(b"\"a\"\x0bc", Some(&[b"a", b"c"]));
    }

    #[test]
    fn escapes() {
        check(br#""\x41\x0a\xff\xFf""#, Some(&[b"A\n\xff\xff"]));
        check(br#""\xg1\x1""#, Some(&[b"xg1x1"]));
        check(br#""\n\r\t\b\a\\\"\q\'""#, Some(&[b"\n\r\t\x08\x07\\\"q'"]));
        check(br"'\n\'\\ '", Some(&[br"\n'\\ "]));
        check(br"'\\'", None);
        check(br"a\n\x41", Some(&[br"a\n\x41"]));
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(split(&quoted(&all)), Some(vec![all]));
        assert_eq!(quoted(b"a\0\x1f~\x7f\xff\\"), br#""a\x00\x1f~\x7f\xff\\""#);
    }

    #[test]
    fn a_nul_byte_ends_the_line() {
        check(b"a b\0c d", Some(&[b"a", b"b"]));
        check(b"a \"b\0\"", None);
    }
}
