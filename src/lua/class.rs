//! Defines the sets of bytes that Lua's patterns name: `%a` and its like, and `[...]`.

/// What makes a class of a letter.
pub(super) const ESCAPE: u8 = b'%';

/// A `[...]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    /// Where its `[` stands in the pattern.
    pub start: usize,
    /// Behind its `]`.
    pub end: usize,
    /// What it matches.
    pub members: Members,
}

impl Set {
    /// Reads the `[...]` at `start`.
    pub fn read(pattern: &[u8], start: usize) -> Result<Set, &'static str> {
        let negated = at(pattern, start + 1) == b'^';
        let first = start + 1 + usize::from(negated);
        // A `]` that comes first is a member, and so is what is escaped.
        let mut last = first;
        loop {
            match at(pattern, last) {
                0 => return Err("malformed pattern (missing ']')"),
                ESCAPE if at(pattern, last + 1) != 0 => last += 2,
                _ => last += 1,
            }
            if at(pattern, last) == b']' {
                break;
            }
        }
        let mut members = Members([0; 4]);
        let mut p = first;
        while p < last {
            let byte = at(pattern, p);
            if byte == ESCAPE {
                match class(at(pattern, p + 1)) {
                    Some(class) => members.add_all(class),
                    None => members.add(at(pattern, p + 1)),
                }
                p += 2;
            } else if at(pattern, p + 1) == b'-' && p + 2 < last {
                (byte..=at(pattern, p + 2)).for_each(|byte| members.add(byte));
                p += 3;
            } else {
                members.add(byte);
                p += 1;
            }
        }
        if negated {
            members = Members(members.0.map(|word| !word));
        }
        Ok(Set { start, end: last + 1, members })
    }
}

/// Bytes, a bit for each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members([u64; 4]);

impl Members {
    const fn add(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    fn add_all(&mut self, others: &Members) {
        for (word, other) in self.0.iter_mut().zip(others.0) {
            *word |= other;
        }
    }

    /// Whether this byte is one of them.
    #[inline(always)]
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// What `%` and a letter match, for the letters from `A` to `z`.
static CLASSES: [Members; 58] = {
    let mut classes = [Members([0; 4]); 58];
    let mut letter = b'A';
    while letter <= b'z' {
        let mut byte = 0;
        loop {
            if is_in_class(byte, letter) {
                classes[(letter - b'A') as usize].add(byte);
            }
            if byte == u8::MAX {
                break;
            }
            byte += 1;
        }
        letter += 1;
    }
    classes
};

/// `%a` and its like in the C locale; a capital stands for all other bytes, and what is no letter of a class for itself.
const fn is_in_class(byte: u8, letter: u8) -> bool {
    let is_member = match letter.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => super::number::is_space(byte),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == letter,
    };
    is_member != letter.is_ascii_uppercase()
}

/// What `%` and this letter match. Other bytes than the letters stand for themselves.
#[inline(always)]
pub(super) fn class(letter: u8) -> Option<&'static Members> {
    CLASSES.get(usize::from(letter.wrapping_sub(b'A')))
}

/// A byte of a text that ends with a NUL, as Lua's strings do for C.
#[inline(always)]
pub(super) fn at(text: &[u8], index: usize) -> u8 {
    text.get(index).copied().unwrap_or(0)
}

/// What is more than plain text in a pattern, and a NUL.
#[inline]
pub(super) fn is_end_of_plain(byte: u8) -> bool {
    matches!(byte, b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b'[' | b'%' | b'-' | 0)
}
