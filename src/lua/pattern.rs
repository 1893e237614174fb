//! Defines Lua's pattern matching as a machine with a stack of its own, which can pause at any step.
//!
//! PUC-Rio's matcher calls itself for the rest of the pattern. Nothing is left to do when such a call succeeds, so all that
//! its C stack holds is where to go on after a failure: that is `Choice`.

use std::ops::Range;

/// Most captures in a pattern (`LUA_MAXCAPTURES`).
pub const MAX_CAPTURES: usize = 32;

/// Most choices that can stand open, one per item of the pattern at most, and most sets. PUC-Rio 5.1 has no limit and overflows
/// its C stack somewhat above 100,000.
const MAX_CHOICES: usize = 200_000;

const ESCAPE: u8 = b'%';

/// What a slice of matching came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The fuel is spent; run again.
    Paused,
    /// Nothing matches, at no position.
    NoMatch,
    /// These bytes of the subject match.
    Match(Range<usize>),
    /// The pattern is wrong.
    Error(&'static str),
}

/// A capture of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capture {
    /// Bytes of the subject.
    Bytes(Range<usize>),
    /// What `()` gives: a position, counted from 1.
    Position(usize),
}

/// A search for a pattern, with all that it needs to go on later.
#[derive(Debug)]
pub struct Matcher {
    anchored: bool,
    /// Where in the pattern an attempt begins.
    first: usize,
    /// Where in the subject the present attempt began.
    start: usize,
    task: Task,
    choices: Vec<Choice>,
    level: usize,
    captures: [Group; MAX_CAPTURES],
    sets: Vec<Set>,
}

/// What to do next. `s` is a place in the subject, `p` one in the pattern.
#[derive(Debug, Clone, Copy)]
enum Task {
    /// Try the whole pattern from `start` on.
    Attempt,
    /// Match the rest of the pattern.
    Rest { s: usize, p: usize },
    /// Count how often an item can repeat, at least `least` times.
    Count { s: usize, count: usize, item: Item, rest: usize, least: usize },
    /// Look for the end of a `%b`, whose letters stand before `rest`.
    Balance { s: usize, depth: usize, rest: usize },
    /// Take back the last choice.
    Fail,
}

/// What a failure takes back or tries next.
#[derive(Debug, Clone, Copy)]
enum Choice {
    /// One repetition less, down to `least`.
    Greedy { s: usize, count: usize, rest: usize, least: usize },
    /// One repetition more.
    Lazy { s: usize, item: Item, rest: usize },
    /// Go on here: the item of a `?` is left out.
    Skip { s: usize, rest: usize },
    /// A capture was opened.
    Opened,
    /// This capture was closed.
    Closed(usize),
}

/// A part of a pattern that matches one byte.
#[derive(Debug, Clone, Copy)]
enum Item {
    Any,
    Byte(u8),
    /// `%a` and its like.
    Class(u8),
    /// `[...]`, at this index of `sets`.
    Set(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Open,
    Position,
    Bytes(usize),
}

#[derive(Debug, Clone, Copy)]
struct Group {
    start: usize,
    length: Length,
}

/// The bytes that a `[...]` matches.
#[derive(Debug, Clone, Copy)]
struct Set {
    /// Where its `[` stands in the pattern.
    start: usize,
    /// Behind its `]`.
    end: usize,
    members: [u64; 4],
}

impl Matcher {
    /// A search from the subject's beginning. A `^` at the head of the pattern is an anchor if `anchors`; `gmatch` knows none.
    pub fn new(pattern: &[u8], anchors: bool) -> Matcher {
        let anchored = anchors && pattern.first() == Some(&b'^');
        Matcher {
            anchored,
            first: usize::from(anchored),
            start: 0,
            task: Task::Attempt,
            choices: Vec::new(),
            level: 0,
            captures: [Group { start: 0, length: Length::Open }; MAX_CAPTURES],
            sets: Vec::new(),
        }
    }

    /// The pattern matches at the place where a search begins or not at all.
    pub fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// Begins a new search at this place.
    pub fn seek(&mut self, start: usize) {
        self.start = start;
        self.task = Task::Attempt;
    }

    /// Captures of the last match.
    pub fn level(&self) -> usize {
        self.level
    }

    /// The capture at `index`, from 0; the whole match stands for the first of a pattern without captures.
    pub fn capture(&self, index: usize, whole: &Range<usize>) -> Result<Capture, &'static str> {
        if index >= self.level {
            return if index == 0 {
                Ok(Capture::Bytes(whole.clone()))
            } else {
                Err("invalid capture index")
            };
        }
        let group = self.captures[index];
        match group.length {
            Length::Open => Err("unfinished capture"),
            Length::Position => Ok(Capture::Position(group.start + 1)),
            Length::Bytes(length) => Ok(Capture::Bytes(group.start..group.start + length)),
        }
    }

    /// Searches until there is an answer or the fuel, one unit a step, is spent. Subject and pattern must be the same each time.
    pub fn run(&mut self, subject: &[u8], pattern: &[u8], fuel: &mut i64) -> Step {
        while *fuel > 0 {
            *fuel -= 1;
            let next = match self.task {
                Task::Attempt => {
                    self.level = 0;
                    self.choices.clear();
                    Ok(Task::Rest { s: self.start, p: self.first })
                }
                Task::Rest { s, p } => {
                    if at(pattern, p) == 0 || (at(pattern, p) == b'$' && at(pattern, p + 1) == 0) {
                        if at(pattern, p) == 0 || s == subject.len() {
                            return Step::Match(self.start..s);
                        }
                        Ok(Task::Fail)
                    } else {
                        self.rest(subject, pattern, s, p, fuel)
                    }
                }
                Task::Count { s, count, item, rest, least } => {
                    let ahead = subject.get(s + count..).unwrap_or_default();
                    let ahead = &ahead[..ahead.len().min(*fuel as usize + 1)];
                    let more = ahead.iter().take_while(|byte| self.matches(item, **byte)).count();
                    *fuel -= more as i64;
                    let count = count + more;
                    if more == ahead.len() && s + count < subject.len() {
                        Ok(Task::Count { s, count, item, rest, least })
                    } else if count < least {
                        Ok(Task::Fail)
                    } else {
                        self.choose(
                            Choice::Greedy { s, count, rest, least },
                            Task::Rest { s: s + count, p: rest },
                        )
                    }
                }
                Task::Balance { s, depth, rest } => {
                    Ok(balance(subject, pattern, s, depth, rest, fuel))
                }
                Task::Fail => match self.fail(subject) {
                    Some(task) => Ok(task),
                    None if self.anchored || self.start >= subject.len() => return Step::NoMatch,
                    None => {
                        self.start += 1;
                        Ok(Task::Attempt)
                    }
                },
            };
            match next {
                Ok(task) => self.task = task,
                Err(error) => return Step::Error(error),
            }
        }
        Step::Paused
    }

    /// Matches one item of the pattern, which is not at its end.
    fn rest(
        &mut self,
        subject: &[u8],
        pattern: &[u8],
        s: usize,
        p: usize,
        fuel: &mut i64,
    ) -> Result<Task, &'static str> {
        match (at(pattern, p), at(pattern, p + 1)) {
            (b'(', b')') => return self.open(s, p + 2, Length::Position),
            (b'(', _) => return self.open(s, p + 1, Length::Open),
            (b')', _) => {
                let open = (0..self.level)
                    .rev()
                    .find(|index| self.captures[*index].length == Length::Open);
                let index = open.ok_or("invalid pattern capture")?;
                self.captures[index].length = Length::Bytes(s - self.captures[index].start);
                return self.choose(Choice::Closed(index), Task::Rest { s, p: p + 1 });
            }
            (ESCAPE, b'b') => {
                if at(pattern, p + 2) == 0 || at(pattern, p + 3) == 0 {
                    return Err("unbalanced pattern");
                }
                return Ok(if subject.get(s) == pattern.get(p + 2) {
                    Task::Balance { s: s + 1, depth: 1, rest: p + 4 }
                } else {
                    Task::Fail
                });
            }
            (ESCAPE, b'f') => {
                if at(pattern, p + 2) != b'[' {
                    return Err("missing '[' after '%f' in pattern");
                }
                let (item, rest) = self.item(pattern, p + 2, fuel)?;
                let before = if s == 0 { 0 } else { at(subject, s - 1) };
                let frontier = !self.matches(item, before) && self.matches(item, at(subject, s));
                return Ok(if frontier { Task::Rest { s, p: rest } } else { Task::Fail });
            }
            (ESCAPE, digit @ b'0'..=b'9') => {
                return self.repeat_capture(subject, s, p, digit, fuel);
            }
            _ => {}
        }
        let (item, end) = self.item(pattern, p, fuel)?;
        let rest = end + 1;
        match at(pattern, end) {
            b'?' => {
                if subject.get(s).is_some_and(|byte| self.matches(item, *byte)) {
                    self.choose(Choice::Skip { s, rest }, Task::Rest { s: s + 1, p: rest })
                } else {
                    Ok(Task::Rest { s, p: rest })
                }
            }
            b'*' => Ok(Task::Count { s, count: 0, item, rest, least: 0 }),
            b'+' => Ok(Task::Count { s, count: 0, item, rest, least: 1 }),
            b'-' => self.choose(Choice::Lazy { s, item, rest }, Task::Rest { s, p: rest }),
            _ => {
                if subject.get(s).is_some_and(|byte| self.matches(item, *byte)) {
                    Ok(Task::Rest { s: s + 1, p: end })
                } else {
                    Ok(Task::Fail)
                }
            }
        }
    }

    fn choose(&mut self, choice: Choice, task: Task) -> Result<Task, &'static str> {
        if self.choices.len() >= MAX_CHOICES {
            return Err("pattern too complex");
        }
        self.choices.push(choice);
        Ok(task)
    }

    /// Takes the last choice back: what to try instead, or nothing if this attempt has failed.
    fn fail(&mut self, subject: &[u8]) -> Option<Task> {
        loop {
            match self.choices.pop()? {
                Choice::Greedy { s, count, rest, least } => {
                    if count > least {
                        self.choices.push(Choice::Greedy { s, count: count - 1, rest, least });
                        return Some(Task::Rest { s: s + count - 1, p: rest });
                    }
                }
                Choice::Lazy { s, item, rest } => {
                    if subject.get(s).is_some_and(|byte| self.matches(item, *byte)) {
                        self.choices.push(Choice::Lazy { s: s + 1, item, rest });
                        return Some(Task::Rest { s: s + 1, p: rest });
                    }
                }
                Choice::Skip { s, rest } => return Some(Task::Rest { s, p: rest }),
                Choice::Opened => self.level -= 1,
                Choice::Closed(index) => self.captures[index].length = Length::Open,
            }
        }
    }

    fn open(&mut self, s: usize, rest: usize, length: Length) -> Result<Task, &'static str> {
        let group = self.captures.get_mut(self.level).ok_or("too many captures")?;
        *group = Group { start: s, length };
        self.level += 1;
        self.choose(Choice::Opened, Task::Rest { s, p: rest })
    }

    /// `%1` to `%9`: what a capture holds must come again.
    fn repeat_capture(
        &self,
        subject: &[u8],
        s: usize,
        p: usize,
        digit: u8,
        fuel: &mut i64,
    ) -> Result<Task, &'static str> {
        let groups = &self.captures[..self.level];
        let group =
            usize::from(digit).checked_sub(usize::from(b'1')).and_then(|index| groups.get(index));
        let group =
            group.filter(|group| group.length != Length::Open).ok_or("invalid capture index")?;
        let Length::Bytes(length) = group.length else {
            // A position counts as a text too long to come again.
            return Ok(Task::Fail);
        };
        // Comparing costs little beside a step.
        *fuel -= (length / 64) as i64;
        let text = subject.get(group.start..group.start + length);
        Ok(if text.is_some() && text == subject.get(s..s + length) {
            Task::Rest { s: s + length, p: p + 2 }
        } else {
            Task::Fail
        })
    }

    /// The item at `p`, and where the pattern goes on behind it.
    fn item(
        &mut self,
        pattern: &[u8],
        p: usize,
        fuel: &mut i64,
    ) -> Result<(Item, usize), &'static str> {
        match at(pattern, p) {
            b'.' => Ok((Item::Any, p + 1)),
            ESCAPE => match at(pattern, p + 1) {
                0 => Err("malformed pattern (ends with '%')"),
                letter => Ok((Item::Class(letter), p + 2)),
            },
            b'[' => {
                // No attempt skips an item, so sets are met, and kept, in the order of the pattern.
                if let Ok(index) = self.sets.binary_search_by_key(&p, |set| set.start) {
                    return Ok((Item::Set(index), self.sets[index].end));
                }
                if self.sets.len() >= MAX_CHOICES {
                    return Err("pattern too complex");
                }
                let set = Set::read(pattern, p)?;
                *fuel -= (set.end - p) as i64;
                self.sets.push(set);
                Ok((Item::Set(self.sets.len() - 1), set.end))
            }
            byte => Ok((Item::Byte(byte), p + 1)),
        }
    }

    fn matches(&self, item: Item, byte: u8) -> bool {
        match item {
            Item::Any => true,
            Item::Byte(expected) => byte == expected,
            Item::Class(letter) => is_in_class(byte, letter),
            Item::Set(index) => self.sets[index].contains(byte),
        }
    }
}

impl Set {
    /// Reads the `[...]` at `start`.
    fn read(pattern: &[u8], start: usize) -> Result<Set, &'static str> {
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
        let mut members = [0u64; 4];
        let mut add = |byte: u8| members[usize::from(byte >> 6)] |= 1 << (byte & 63);
        let mut p = first;
        while p < last {
            let byte = at(pattern, p);
            if byte == ESCAPE {
                let letter = at(pattern, p + 1);
                (0..=255).filter(|byte| is_in_class(*byte, letter)).for_each(&mut add);
                p += 2;
            } else if at(pattern, p + 1) == b'-' && p + 2 < last {
                (byte..=at(pattern, p + 2)).for_each(&mut add);
                p += 3;
            } else {
                add(byte);
                p += 1;
            }
        }
        if negated {
            members = members.map(|word| !word);
        }
        Ok(Set { start, end: last + 1, members })
    }

    fn contains(&self, byte: u8) -> bool {
        self.members[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// Looks on for the end of a `%b` until the fuel is spent.
fn balance(
    subject: &[u8],
    pattern: &[u8],
    mut s: usize,
    mut depth: usize,
    rest: usize,
    fuel: &mut i64,
) -> Task {
    let (open, close) = (at(pattern, rest - 2), at(pattern, rest - 1));
    while let Some(&byte) = subject.get(s) {
        s += 1;
        if byte == close {
            depth -= 1;
            if depth == 0 {
                return Task::Rest { s, p: rest };
            }
        } else if byte == open {
            depth += 1;
        }
        *fuel -= 1;
        if *fuel <= 0 {
            return Task::Balance { s, depth, rest };
        }
    }
    Task::Fail
}

/// A byte of a text that ends with a NUL, as Lua's strings do for C.
fn at(text: &[u8], index: usize) -> u8 {
    text.get(index).copied().unwrap_or(0)
}

/// `%a` and its like in the C locale; a capital stands for all other bytes, and what is no letter of a class for itself.
fn is_in_class(byte: u8, letter: u8) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The first match in words: the range, then the captures.
    fn find(subject: &[u8], pattern: &[u8], slice: i64) -> String {
        let mut matcher = Matcher::new(pattern, true);
        let step = loop {
            let mut fuel = slice;
            match matcher.run(subject, pattern, &mut fuel) {
                Step::Paused => {}
                step => break step,
            }
        };
        let whole = match step {
            Step::Match(whole) => whole,
            Step::Error(error) => return error.to_owned(),
            _ => return "nil".to_owned(),
        };
        let mut text = format!("{} {}", whole.start + 1, whole.end);
        for index in 0..matcher.level() {
            match matcher.capture(index, &whole) {
                Ok(Capture::Bytes(range)) => {
                    text += &format!(" '{}'", String::from_utf8_lossy(&subject[range]));
                }
                Ok(Capture::Position(position)) => text += &format!(" {position}"),
                Err(error) => return error.to_owned(),
            }
        }
        text
    }

    fn check(subject: &str, pattern: &str, expected: &str) {
        for slice in [1, 2, 7, i64::MAX] {
            assert_eq!(
                find(subject.as_bytes(), pattern.as_bytes(), slice),
                expected,
                "{subject:?} by {pattern:?}, {slice} a slice"
            );
        }
    }

    #[test]
    fn matches() {
        check("THE (quick) fox", "%((%a+)%)", "5 11 'quick'");
        check("THE (quick) fox", "%f[%a]%a+%f[%A]", "1 3");
        check("xx", "(x)(%1)", "1 2 'x' 'x'");
        check("x", "()%1", "nil");
        check("a]", "[a-]]", "1 2");
        check("]", "[]]", "1 1");
        check("a-", "[%a-]*", "1 2");
        check("b", "[a-c-e]", "1 1");
        check("a", "[z-a]", "nil");
        check("((b)c)d)", "%b()", "1 6");
        check("aaab", "a-b", "1 4");
        check("x$y", "$y", "2 3");
        check("x", "$", "2 1");
        check("abc", "^b", "nil");
        check("", ".-", "1 0");
        check("a\0b", "a%z(.)", "1 3 'b'");
        check("a\0b", ".\0nothing here is read", "1 1");
        check("hello", "(()l+())", "3 4 'll' 3 5");
    }

    #[test]
    fn refuses() {
        check("a", "%", "malformed pattern (ends with '%')");
        check("a", "[a", "malformed pattern (missing ']')");
        check("a", "[]", "malformed pattern (missing ']')");
        check("a", "[%", "malformed pattern (missing ']')");
        check("a", "(a", "unfinished capture");
        check("a", "a%)()%2)", "nil");
        check("a", "a)", "invalid pattern capture");
        check("a", "(%1)", "invalid capture index");
        check("a", "%0", "invalid capture index");
        check("a", "%bx", "unbalanced pattern");
        check("a", "%fa", "missing '[' after '%f' in pattern");
        check("a", &"()".repeat(33), "too many captures");
    }

    #[test]
    fn deep_patterns_need_no_stack() {
        let subject = "a".repeat(100_000);
        assert_eq!(
            find(subject.as_bytes(), "a?".repeat(100_000).as_bytes(), 1_000_000),
            "1 100000"
        );
        let subject = "a".repeat(300_000);
        assert_eq!(
            find(subject.as_bytes(), "a?".repeat(300_000).as_bytes(), 1_000_000),
            "pattern too complex"
        );
    }
}
