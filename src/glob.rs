//! Matches glob patterns as KEYS, the SCAN family, PSUBSCRIBE and CONFIG GET do.

/// Whether the whole of `text` matches `pattern`; `fold_case` ignores the case of ASCII letters.
///
/// `*` is any run of bytes, `?` any byte, `[a-c]`, `[^x]` a class, `\x` the byte `x`. Oddities of Redis that hold
/// here too: a class that is not closed ends with the pattern, a range may be written backwards, a lone backslash at
/// the end is itself, and no pattern but the empty one matches the empty text.
///
/// A failed attempt only moves the last star on (an earlier star cannot do better, because every other element takes
/// exactly one byte), so the time is at most the product of the two lengths.
pub fn matches(pattern: &[u8], text: &[u8], fold_case: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut taken) = (0, 0);
    // Where to go on after a failure: behind the last star, and how many bytes the star has swallowed till then.
    let mut last_star = None;
    loop {
        match (pattern.get(at), text.get(taken)) {
            (Some(b'*'), _) => {
                at += 1;
                last_star = Some((at, taken));
                continue;
            }
            (Some(_), Some(&byte)) => {
                let (found, next) = element(pattern, at, byte, fold_case);
                if found {
                    at = next;
                    taken += 1;
                    continue;
                }
            }
            (None, None) => return true,
            // Whatever the star swallows, what follows it is too long for the rest of the text.
            (Some(_), None) => return false,
            (None, Some(_)) => {}
        }
        let Some((behind_star, swallowed)) = last_star else { return false };
        at = behind_star;
        taken = swallowed + 1;
        last_star = Some((at, taken));
        if at == pattern.len() {
            return true;
        }
        if taken >= text.len() {
            return false;
        }
    }
}

/// Whether the element at `pattern[at]`, which is no star, matches the byte, and where the next element begins.
fn element(pattern: &[u8], at: usize, byte: u8, fold_case: bool) -> (bool, usize) {
    let same = |literal: u8| fold(literal, fold_case) == fold(byte, fold_case);
    match &pattern[at..] {
        [b'?', ..] => (true, at + 1),
        [b'[', ..] => class(pattern, at + 1, byte, fold_case),
        [b'\\', literal, ..] => (same(*literal), at + 2),
        [literal, ..] => (same(*literal), at + 1),
        [] => (false, at),
    }
}

/// The same for a class; `at` is behind its opening bracket.
fn class(pattern: &[u8], mut at: usize, byte: u8, fold_case: bool) -> (bool, usize) {
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    loop {
        match pattern.get(at..).unwrap_or_default() {
            // An escaped byte counts as it is, in its own case.
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                at += 2;
            }
            [b']', ..] => return (found != negated, at + 1),
            [] => return (found != negated, at),
            [first, b'-', last, ..] => {
                let (low, high) = if first <= last { (*first, *last) } else { (*last, *first) };
                let (low, high) = (fold(low, fold_case), fold(high, fold_case));
                found |= (low..=high).contains(&fold(byte, fold_case));
                at += 3;
            }
            [literal, ..] => {
                found |= fold(*literal, fold_case) == fold(byte, fold_case);
                at += 1;
            }
        }
    }
}

fn fold(byte: u8, fold_case: bool) -> u8 {
    if fold_case { byte.to_ascii_lowercase() } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        let found = matches(pattern.as_bytes(), text.as_bytes(), false);
        assert_eq!(found, expected, "pattern {pattern:?}, text {text:?}");
    }

    /// Each row was asked of redis-server 7.0.15 by `SET text x`, `KEYS pattern`.
    #[test]
    fn as_keys_matches() {
        check("", "", true);
        check("**", "", false);
        check("", "a", false);
        check("hello", "hello", true);
        check("hello", "hello!", false);
        check("hello!", "hello", false);
        check("h?llo", "hallo", true);
        check("h?llo", "hllo", false);
        check("h*llo", "hllo", true);
        check("h*llo", "heeeello", true);
        check("*", "anything", true);
        check("a**", "a", true);
        check("*a*b*c", "xxaxxbxxc", true);
        check("*a*b*c", "xxaxxbxx", false);
        check("*aab", "aaab", true);
        check("*ab?", "abab", false);
        check("*ab?", "ababc", true);
        check("a*?", "a", false);
        check("a*?", "ab", true);
        check("h[ae]llo", "hallo", true);
        check("h[ae]llo", "hillo", false);
        check("h[^e]llo", "hallo", true);
        check("h[^e]llo", "hello", false);
        check("h[a-b]llo", "hbllo", true);
        check("h[b-a]llo", "hallo", true);
        check("h[a-b]llo", "hcllo", false);
        check("[a-]", "-", false);
        check("[a-]", "a", true);
        check("[a-]x", "x", true);
        check("[a-]]", "]", true);
        check("[a-]]", "b", false);
        check("[a-]", "b", false);
        check("[]", "a", false);
        check("[]a", "a", false);
        check("[^]", "a", true);
        check("[^]a", "ba", true);
        check("[", "a", false);
        check("[", "[", false);
        check("[a", "a", true);
        check("[^", "a", true);
        check("[^a", "a", false);
        check("[\\]]", "]", true);
        check("[\\-]", "-", true);
        check("[\\", "\\", true);
        check("[a-\\]", "]", true);
        check("[a-\\]", "_", true);
        check("\\*", "*", true);
        check("\\*", "a", false);
        check("a\\", "a\\", true);
        check("a\\", "a", false);
        check("\\a", "a", true);
        check("*\\", "x\\", true);
        check("*[", "x", false);
        check("*]", "x]", true);
    }

    #[test]
    fn folding_takes_no_account_of_case_outside_escapes_in_classes() {
        for (pattern, text, expected) in [
            ("MAX*", "maxmemory", true),
            ("[A-C]x", "bX", true),
            ("[\\A]", "a", false),
            ("\\A", "a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), true), expected, "{pattern}");
        }
    }

    #[test]
    fn many_stars_do_not_cost_exponential_time() {
        let pattern = b"a*".repeat(1000);
        assert!(!matches(&[&pattern[..], b"b"].concat(), &b"a".repeat(10_000), false));
    }
}
