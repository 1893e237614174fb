//! Defines Lua's pattern matching as a machine with a stack of its own, which can pause at any step.
//!
//! PUC-Rio's matcher calls itself for the rest of the pattern. Nothing is left to do when such a call succeeds, so all that
//! its C stack holds is where to go on after a failure: that is `Choice`.
//!
//! The steps are inlined into the one loop of [`Matcher::run`], and what looks at many bytes has a loop without calls:
//! the compiler of the wasm keeps nothing in registers over a call.

use super::class::{ESCAPE, Members, Set, at, class, is_end_of_plain};
use super::value::{same_bytes, same_words};
use smallvec::SmallVec;
use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::Range;

/// Most captures in a pattern (`LUA_MAXCAPTURES`).
pub const MAX_CAPTURES: usize = 32;

/// Most choices that can stand open, one per item of the pattern at most, and most sets. PUC-Rio 5.1 has no limit and overflows
/// its C stack somewhat above 100,000.
const MAX_CHOICES: usize = 200_000;

/// Bytes of the subject that one item is held against in one step.
const PIECE: usize = 1024;
/// Such bytes cost little beside a step: so many cost a unit of fuel.
const BYTES_PER_FUEL: usize = 16;

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
    choices: SmallVec<[Choice; 8]>,
    groups: SmallVec<[Group; 4]>,
    sets: Vec<Set>,
}

/// What to do next. `s` is a place in the subject, `p` one in the pattern. With a number of its own, and not one that
/// is hidden in an item's, the loop is a little faster; so it is with [`Choice`].
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Task {
    /// Try the whole pattern from `start` on.
    Attempt,
    /// Match the rest of the pattern.
    Rest { s: usize, p: usize },
    /// Let an item repeat as often as it can, at least up to `least`. It has done so up to `s`.
    Repeat { s: usize, item: Item, rest: usize, least: usize },
    /// Look for the end of a `%b`, whose letters stand before `rest`.
    Balance { s: usize, depth: usize, rest: usize },
    /// Take back the last choice.
    Fail,
    /// Look for the pattern as it is, from `start` on.
    Plain,
    /// See whether the rest of the pattern is plain too.
    Sift { p: usize },
}

/// A task, or the end of the search.
type Next = ControlFlow<Step, Task>;

/// What a failure takes back or tries next.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Choice {
    /// One repetition less, down to `least`, which is below `s`.
    Greedy { s: usize, rest: usize, least: usize },
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
    Class(&'static Members),
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

impl Matcher {
    /// A search from the subject's beginning. A `^` at the head of the pattern is an anchor if `anchors`; `gmatch` knows none.
    pub fn new(pattern: &[u8], anchors: bool) -> Matcher {
        let anchored = anchors && pattern.first() == Some(&b'^');
        Matcher {
            anchored,
            first: usize::from(anchored),
            start: 0,
            task: Task::Attempt,
            choices: SmallVec::new(),
            groups: SmallVec::new(),
            sets: Vec::new(),
        }
    }

    /// A search from this place on for a text, as it is.
    pub fn plain(start: usize) -> Matcher {
        Matcher { task: Task::Plain, start, ..Matcher::new(b"", false) }
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

    /// Whether a pattern is plain text, if it is not too long to tell at once. C looks up to the first NUL.
    #[inline]
    pub fn is_plain(pattern: &[u8]) -> bool {
        pattern.len() <= PIECE
            && matches!(pattern.iter().find(|byte| is_end_of_plain(**byte)), None | Some(0))
    }

    /// Lets the search that begins see first whether a long pattern is plain text.
    #[inline]
    pub fn sift(&mut self, pattern: &[u8]) {
        if pattern.len() > PIECE {
            self.task = Task::Sift { p: 0 };
        }
    }

    /// Captures of the last match.
    pub fn level(&self) -> usize {
        self.groups.len()
    }

    /// The capture at `index`, from 0; the whole match stands for the first of a pattern without captures.
    #[inline]
    pub fn capture(&self, index: usize, whole: &Range<usize>) -> Result<Capture, &'static str> {
        let Some(group) = self.groups.get(index) else {
            return if index == 0 {
                Ok(Capture::Bytes(whole.clone()))
            } else {
                Err("invalid capture index")
            };
        };
        match group.length {
            Length::Open => Err("unfinished capture"),
            Length::Position => Ok(Capture::Position(group.start + 1)),
            Length::Bytes(length) => Ok(Capture::Bytes(group.start..group.start + length)),
        }
    }

    /// Searches until there is an answer or the fuel, about one unit a step, is spent. Subject and pattern must be the same
    /// each time.
    pub fn run(&mut self, subject: &[u8], pattern: &[u8], fuel: &mut i64) -> Step {
        // Copies that nobody else sees: they are in registers.
        let (mut task, mut left) = (self.task, *fuel);
        let step = loop {
            if left <= 0 {
                break Step::Paused;
            }
            left -= 1;
            let next = match task {
                Task::Attempt => self.attempt(subject, pattern, &mut left),
                Task::Rest { s, p } => self.rest(subject, pattern, s, p, &mut left),
                Task::Repeat { s, item, rest, least } => {
                    self.repeat(subject, s, item, rest, least, &mut left)
                }
                Task::Balance { s, depth, rest } => {
                    balance(subject, pattern, s, depth, rest, &mut left)
                }
                Task::Fail => self.fail(subject),
                Task::Plain => self.find(subject, pattern, &mut left),
                Task::Sift { p } => sift(pattern, p, &mut left),
            };
            match next {
                Continue(next) => task = next,
                Break(step) => break step,
            }
        };
        (self.task, *fuel) = (task, left);
        step
    }

    /// Looks for the pattern as it is in one piece of the subject.
    #[inline(always)]
    fn find(&mut self, subject: &[u8], pattern: &[u8], fuel: &mut i64) -> Next {
        let last = subject.len().checked_sub(pattern.len());
        let Some(last) = last.filter(|last| self.start <= *last) else {
            return Break(Step::NoMatch);
        };
        let Some(first) = pattern.first() else {
            return Break(Step::Match(self.start..self.start));
        };
        let ahead = piece(&subject[..=last], self.start);
        let skipped = ahead.iter().take_while(|byte| *byte != first).count();
        self.start += skipped;
        let here = &subject[self.start..];
        let same = if pattern.len() < PIECE { 0 } else { same_words(here, pattern) };
        let rest = here[same..].iter().zip(&pattern[same..]);
        let equal = same + rest.take_while(|(byte, wanted)| byte == wanted).count();
        *fuel -= ((skipped + equal) / BYTES_PER_FUEL) as i64;
        if equal == pattern.len() {
            return Break(Step::Match(self.start..self.start + equal));
        }
        self.start += usize::from(skipped < ahead.len());
        Continue(Task::Plain)
    }

    /// Begins an attempt, but not where the first item of the pattern makes it fail at once.
    #[inline(always)]
    fn attempt(&mut self, subject: &[u8], pattern: &[u8], fuel: &mut i64) -> Next {
        self.groups.clear();
        self.choices.clear();
        if !self.anchored
            && let Some(item) = self.head(pattern, fuel)
        {
            let ahead = piece(subject, self.start);
            let skipped = run_length(&self.sets, item, false, ahead);
            *fuel -= (skipped / BYTES_PER_FUEL) as i64;
            self.start += skipped;
            if self.start >= subject.len() {
                return Break(Step::NoMatch);
            }
            if skipped == ahead.len() {
                return Continue(Task::Attempt);
            }
        }
        Continue(Task::Rest { s: self.start, p: self.first })
    }

    /// The item that a byte must match for the pattern to match where this byte is, if that is easily told.
    #[inline(always)]
    fn head(&mut self, pattern: &[u8], fuel: &mut i64) -> Option<Item> {
        let mut p = self.first;
        while at(pattern, p) == b'(' && p < MAX_CAPTURES {
            p += 1;
        }
        match (at(pattern, p), at(pattern, p + 1)) {
            (0 | b'(' | b')', _) | (b'$', 0) | (ESCAPE, b'b' | b'f' | b'0'..=b'9') => None,
            _ => match self.item(pattern, p, fuel) {
                Continue((item, end)) => {
                    (!matches!(at(pattern, end), b'?' | b'*' | b'-')).then_some(item)
                }
                Break(_) => None,
            },
        }
    }

    /// Matches one item of the pattern, or its end.
    #[inline(always)]
    fn rest(&mut self, subject: &[u8], pattern: &[u8], s: usize, p: usize, fuel: &mut i64) -> Next {
        match (at(pattern, p), at(pattern, p + 1)) {
            (0, _) => return Break(Step::Match(self.start..s)),
            (b'$', 0) if s == subject.len() => return Break(Step::Match(self.start..s)),
            (b'$', 0) => return Continue(Task::Fail),
            (b'(', b')') => return self.open(s, p + 2, Length::Position),
            (b'(', _) => return self.open(s, p + 1, Length::Open),
            (b')', _) => {
                return self.close(s, p + 1);
            }
            (ESCAPE, b'b') => {
                if at(pattern, p + 2) == 0 || at(pattern, p + 3) == 0 {
                    return refuse("unbalanced pattern");
                }
                return Continue(if subject.get(s) == pattern.get(p + 2) {
                    Task::Balance { s: s + 1, depth: 1, rest: p + 4 }
                } else {
                    Task::Fail
                });
            }
            (ESCAPE, b'f') => {
                if at(pattern, p + 2) != b'[' {
                    return refuse("missing '[' after '%f' in pattern");
                }
                let (item, rest) = self.item(pattern, p + 2, fuel)?;
                let before = if s == 0 { 0 } else { at(subject, s - 1) };
                let frontier =
                    !matches(&self.sets, item, before) && matches(&self.sets, item, at(subject, s));
                return Continue(if frontier { Task::Rest { s, p: rest } } else { Task::Fail });
            }
            (ESCAPE, digit @ b'0'..=b'9') => {
                return self.repeat_capture(subject, s, p, digit, fuel);
            }
            _ => {}
        }
        let (item, end) = self.item(pattern, p, fuel)?;
        let rest = end + 1;
        let is_match = subject.get(s).is_some_and(|byte| matches(&self.sets, item, *byte));
        match at(pattern, end) {
            b'?' if is_match => {
                self.choose(Choice::Skip { s, rest }, Task::Rest { s: s + 1, p: rest })
            }
            b'*' | b'?' if !is_match => Continue(Task::Rest { s, p: rest }),
            b'*' => Continue(Task::Repeat { s: s + 1, item, rest, least: s }),
            b'-' => self.choose(Choice::Lazy { s, item, rest }, Task::Rest { s, p: rest }),
            _ if !is_match => Continue(Task::Fail),
            b'+' => Continue(Task::Repeat { s: s + 1, item, rest, least: s + 1 }),
            _ => Continue(Task::Rest { s: s + 1, p: end }),
        }
    }

    #[inline(always)]
    fn repeat(
        &mut self,
        subject: &[u8],
        s: usize,
        item: Item,
        rest: usize,
        least: usize,
        fuel: &mut i64,
    ) -> Next {
        let ahead = piece(subject, s);
        let more = run_length(&self.sets, item, true, ahead);
        *fuel -= (more / BYTES_PER_FUEL) as i64;
        let s = s + more;
        if more == PIECE {
            Continue(Task::Repeat { s, item, rest, least })
        } else if s > least {
            self.choose(Choice::Greedy { s, rest, least }, Task::Rest { s, p: rest })
        } else {
            Continue(Task::Rest { s, p: rest })
        }
    }

    #[inline(always)]
    fn choose(&mut self, choice: Choice, task: Task) -> Next {
        if self.choices.len() >= MAX_CHOICES {
            return refuse("pattern too complex");
        }
        self.choices.push(choice);
        Continue(task)
    }

    /// Takes the last choice back: what to try instead, or the next attempt if this one has failed.
    #[inline(always)]
    fn fail(&mut self, subject: &[u8]) -> Next {
        while let Some(choice) = self.choices.last_mut() {
            match choice {
                Choice::Greedy { s, rest, least } => {
                    *s -= 1;
                    let task = Task::Rest { s: *s, p: *rest };
                    if s == least {
                        self.choices.pop();
                    }
                    return Continue(task);
                }
                Choice::Lazy { s, item, rest } => {
                    if subject.get(*s).is_some_and(|byte| matches(&self.sets, *item, *byte)) {
                        *s += 1;
                        return Continue(Task::Rest { s: *s, p: *rest });
                    }
                }
                Choice::Skip { s, rest } => {
                    let task = Task::Rest { s: *s, p: *rest };
                    self.choices.pop();
                    return Continue(task);
                }
                Choice::Opened => {
                    self.groups.pop();
                }
                Choice::Closed(index) => {
                    if let Some(group) = self.groups.get_mut(*index) {
                        group.length = Length::Open;
                    }
                }
            }
            self.choices.pop();
        }
        if self.anchored || self.start >= subject.len() {
            return Break(Step::NoMatch);
        }
        self.start += 1;
        Continue(Task::Attempt)
    }

    #[inline(always)]
    fn open(&mut self, s: usize, rest: usize, length: Length) -> Next {
        if self.groups.len() >= MAX_CAPTURES {
            return refuse("too many captures");
        }
        self.groups.push(Group { start: s, length });
        self.choose(Choice::Opened, Task::Rest { s, p: rest })
    }

    #[inline(always)]
    fn close(&mut self, s: usize, rest: usize) -> Next {
        for index in (0..self.groups.len()).rev() {
            if let Some(group) = self.groups.get_mut(index)
                && group.length == Length::Open
            {
                group.length = Length::Bytes(s - group.start);
                return self.choose(Choice::Closed(index), Task::Rest { s, p: rest });
            }
        }
        refuse("invalid pattern capture")
    }

    /// `%1` to `%9`: what a capture holds must come again.
    #[inline(always)]
    fn repeat_capture(
        &self,
        subject: &[u8],
        s: usize,
        p: usize,
        digit: u8,
        fuel: &mut i64,
    ) -> Next {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let (start, length) = match index.and_then(|index| self.groups.get(index)) {
            None | Some(Group { length: Length::Open, .. }) => {
                return refuse("invalid capture index");
            }
            // A position counts as a text too long to come again.
            Some(Group { length: Length::Position, .. }) => return Continue(Task::Fail),
            Some(Group { length: Length::Bytes(length), start }) => (*start, *length),
        };
        let texts = subject.get(start..start + length).zip(subject.get(s..s + length));
        Continue(
            if texts.is_some_and(|(text, here)| {
                // Comparing costs little beside a step.
                *fuel -= (length / 64) as i64;
                same_bytes(text, here)
            }) {
                Task::Rest { s: s + length, p: p + 2 }
            } else {
                Task::Fail
            },
        )
    }

    /// The set that has been read at `p`. Few patterns have more than one.
    #[inline(always)]
    fn set_at(&self, p: usize) -> Option<usize> {
        match &self.sets[..] {
            [] => None,
            [only] => (only.start == p).then_some(0),
            sets => sets.binary_search_by_key(&p, |set| set.start).ok(),
        }
    }

    /// The item at `p`, and where the pattern goes on behind it.
    #[inline(always)]
    fn item(
        &mut self,
        pattern: &[u8],
        p: usize,
        fuel: &mut i64,
    ) -> ControlFlow<Step, (Item, usize)> {
        match at(pattern, p) {
            b'.' => Continue((Item::Any, p + 1)),
            ESCAPE => match at(pattern, p + 1) {
                0 => refuse("malformed pattern (ends with '%')"),
                letter => Continue((class(letter).map_or(Item::Byte(letter), Item::Class), p + 2)),
            },
            b'[' => {
                // No attempt skips an item, so sets are met, and kept, in the order of the pattern.
                if let Some(index) = self.set_at(p) {
                    return Continue((Item::Set(index), self.sets[index].end));
                }
                if self.sets.len() >= MAX_CHOICES {
                    return refuse("pattern too complex");
                }
                let set = match Set::read(pattern, p) {
                    Ok(set) => set,
                    Err(message) => return refuse(message),
                };
                *fuel -= (set.end - p) as i64;
                self.sets.push(set);
                Continue((Item::Set(self.sets.len() - 1), set.end))
            }
            byte => Continue((Item::Byte(byte), p + 1)),
        }
    }
}

/// Whether an item matches a byte. `sets` are those of the pattern.
#[inline(always)]
fn matches(sets: &[Set], item: Item, byte: u8) -> bool {
    match item {
        Item::Any => true,
        Item::Byte(expected) => byte == expected,
        Item::Class(members) => members.contains(byte),
        Item::Set(index) => sets[index].members.contains(byte),
    }
}

/// At how many bytes it stays so that the item matches, or does not.
fn run_length(sets: &[Set], item: Item, is_match: bool, bytes: &[u8]) -> usize {
    let contained = |members: &Members| {
        bytes.iter().take_while(|byte| members.contains(**byte) == is_match).count()
    };
    match item {
        Item::Any if is_match => bytes.len(),
        Item::Any => 0,
        Item::Byte(expected) => {
            bytes.iter().take_while(|byte| (**byte == expected) == is_match).count()
        }
        Item::Class(members) => contained(members),
        Item::Set(index) => contained(&sets[index].members),
    }
}

/// What one step may look at from this place on.
#[inline(always)]
fn piece(subject: &[u8], start: usize) -> &[u8] {
    let ahead = subject.get(start..).unwrap_or_default();
    &ahead[..ahead.len().min(PIECE)]
}

/// Looks on in the pattern for what is more than plain text.
#[cold]
#[inline(never)]
fn sift(pattern: &[u8], p: usize, fuel: &mut i64) -> Next {
    let ahead = piece(pattern, p);
    *fuel -= (ahead.len() / BYTES_PER_FUEL) as i64;
    Continue(match ahead.iter().find(|byte| is_end_of_plain(**byte)) {
        None if ahead.is_empty() => Task::Plain,
        None => Task::Sift { p: p + ahead.len() },
        Some(0) => Task::Plain,
        Some(_) => Task::Attempt,
    })
}

/// Looks on for the end of a `%b`.
#[inline(always)]
fn balance(
    subject: &[u8],
    pattern: &[u8],
    mut s: usize,
    mut depth: usize,
    rest: usize,
    fuel: &mut i64,
) -> Next {
    let (open, close) = (at(pattern, rest - 2), at(pattern, rest - 1));
    let ahead = piece(subject, s);
    *fuel -= (ahead.len() / BYTES_PER_FUEL) as i64;
    for &byte in ahead {
        s += 1;
        if byte == close {
            depth -= 1;
            if depth == 0 {
                return Continue(Task::Rest { s, p: rest });
            }
        } else if byte == open {
            depth += 1;
        }
    }
    Continue(if s < subject.len() { Task::Balance { s, depth, rest } } else { Task::Fail })
}

/// Ends the search: the pattern is wrong.
fn refuse<T>(message: &'static str) -> ControlFlow<Step, T> {
    Break(Step::Error(message))
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

    /// What is looked at in pieces.
    #[test]
    fn long_subjects() {
        for length in [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE] {
            let subject = format!("(a{}b)", "a".repeat(length));
            let end = subject.len();
            check(&subject, "b", &format!("{0} {0}", end - 1));
            check(&subject, "[^(a]", &format!("{0} {0}", end - 1));
            check(&subject, "x", "nil");
            check(&subject, "((a))b", &format!("{} {} 'a' 'a'", end - 2, end - 1));
            check(&subject, "^.%l+%)", &format!("1 {end}"));
            check(&subject, "^(.)[a]*()", &format!("1 {} '(' {}", end - 2, end - 1));
            check(&subject, "%b()$", &format!("1 {end}"));
            check(&subject, "%bab", &format!("{} {}", end - 2, end - 1));
            check(&subject, ".-b", &format!("1 {}", end - 1));
        }
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
