//! Defines `find`, `match`, `gmatch` and `gsub`. They pay fuel by the step, and pause.

use super::base::Result;
use super::string::{quick_optional, relative};
use crate::bytes;
use crate::function::{Native, NativeCode};
use crate::machine::{Arguments, Continue, Fault, Flow, Machine, Outcome, Protection};
use crate::native::PIECE;
use crate::operators::LookUp;
use crate::packed::Packed;
use crate::pattern::{Capture, Matcher, Step};
use crate::value::{Str, Value};
use std::ops::Range;

/// What a search by a short cut may cost. If it is not enough, then the search begins anew.
const QUICK_FUEL: i64 = 200;

/// Subject and pattern, kept as strings in the argument slots.
fn subject_and_pattern<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> std::result::Result<(&'gc [u8], &'gc [u8]), Fault<'gc>> {
    let mut text = |number| {
        let text = machine.check_string(arguments, number)?;
        machine.set_slot(arguments.base + number - 1, Value::String(text));
        Ok(text.bytes())
    };
    Ok((text(1)?, text(2)?))
}

pub(super) fn text_slot<'gc>(machine: &Machine<'_, 'gc>, slot: usize) -> &'gc [u8] {
    match machine.slot(slot) {
        Value::String(text) => text.bytes(),
        _ => b"",
    }
}

/// Runs a matcher with the fuel that the slice has, or with less.
#[inline]
fn run(
    machine: &mut Machine<'_, '_>,
    matcher: &mut Matcher,
    subject: &[u8],
    pattern: &[u8],
    most_fuel: i64,
) -> Step {
    let given = machine.fuel.clamp(1, most_fuel);
    let mut left = given;
    let step = matcher.run(subject, pattern, &mut left);
    machine.fuel -= given - left;
    step
}

/// The value of a capture.
#[inline]
fn capture<'gc>(
    machine: &Machine<'_, 'gc>,
    matcher: &Matcher,
    index: usize,
    whole: &Range<usize>,
    subject: &[u8],
) -> std::result::Result<Packed<'gc>, &'static str> {
    Ok(match matcher.capture(index, whole)? {
        Capture::Bytes(range) => Packed::string(Str::new(machine.mc, &subject[range])),
        Capture::Position(position) => Packed::computed(position as f64),
    })
}

/// Pushes all captures, the whole match if there are none and `or_whole`; how many.
fn push_captures<'gc>(
    machine: &mut Machine<'_, 'gc>,
    matcher: &Matcher,
    whole: &Range<usize>,
    subject: &[u8],
    or_whole: bool,
) -> std::result::Result<usize, Fault<'gc>> {
    let count = matcher.level().max(usize::from(or_whole));
    for index in 0..count {
        match capture(machine, matcher, index, whole, subject) {
            Ok(value) => machine.push_packed(value),
            Err(message) => return Err(machine.error(message)),
        }
    }
    Ok(count)
}

/// The captures of a match, or the whole of it, if there are no more than two.
#[inline]
fn quick_captures<'gc>(
    machine: &Machine<'_, 'gc>,
    matcher: &Matcher,
    whole: &Range<usize>,
    subject: &[u8],
) -> Option<[Packed<'gc>; 2]> {
    let capture = |index| capture(machine, matcher, index, whole, subject).ok();
    match matcher.level() {
        0 | 1 => Some([capture(0)?, Packed::NIL]),
        2 => Some([capture(0)?, capture(1)?]),
        _ => None,
    }
}

pub(super) fn find<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    search(machine, arguments, true)
}

pub(super) fn r#match<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    search(machine, arguments, false)
}

fn search<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments, is_find: bool) -> Result<'gc> {
    let (subject, pattern) = subject_and_pattern(machine, arguments)?;
    let start = machine.optional_integer(arguments, 3, 1)?;
    let is_plain = is_find && machine.argument(arguments, 4).is_true();
    let matcher = matcher(subject, pattern, start, is_find, is_plain);
    Search { matcher, is_find }.go_on(machine, arguments)
}

/// What `find` and `match` look with.
#[inline]
fn matcher(subject: &[u8], pattern: &[u8], start: i64, is_find: bool, is_plain: bool) -> Matcher {
    let start = relative(start, subject.len()) - 1;
    let start = start.clamp(0, subject.len() as i64) as usize;
    if is_plain || is_find && Matcher::is_plain(pattern) {
        return Matcher::plain(start);
    }
    let mut matcher = Matcher::new(pattern, true);
    matcher.seek(start);
    if is_find {
        matcher.sift(pattern);
    }
    matcher
}

/// The short cut of `find` and `match`.
pub(super) fn quick_search<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    is_find: bool,
) -> Option<[Packed<'gc>; 2]> {
    let subject = machine.packed_argument(arguments, 1).as_str()?.bytes();
    let pattern = machine.packed_argument(arguments, 2).as_str()?.bytes();
    let start = quick_optional(machine, arguments, 3, 1)?;
    let is_plain = is_find && machine.packed_argument(arguments, 4).is_true();
    let mut matcher = matcher(subject, pattern, start, is_find, is_plain);
    match run(machine, &mut matcher, subject, pattern, QUICK_FUEL) {
        Step::NoMatch => Some([Packed::NIL; 2]),
        Step::Match(range) if is_find => {
            let place = [range.start + 1, range.end].map(|place| Packed::computed(place as f64));
            // Its captures would follow, and one may be unfinished.
            (matcher.level() == 0).then_some(place)
        }
        Step::Match(range) => quick_captures(machine, &matcher, &range, subject),
        Step::Paused | Step::Error(_) => None,
    }
}

/// `find` or `match` at work.
struct Search {
    matcher: Matcher,
    is_find: bool,
}

impl Search {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let (subject, pattern) =
            (text_slot(machine, arguments.base), text_slot(machine, arguments.base + 1));
        match run(machine, &mut self.matcher, subject, pattern, i64::MAX) {
            Step::Paused => Ok(Flow::pause(self, Search::go_on)),
            Step::NoMatch => machine.give(Value::Nil),
            Step::Error(message) => Err(machine.error(message)),
            Step::Match(range) => {
                if self.is_find {
                    machine.push(Value::Number((range.start + 1) as f64));
                    machine.push(Value::Number(range.end as f64));
                }
                let captures =
                    push_captures(machine, &self.matcher, &range, subject, !self.is_find)?;
                Ok(Flow::Return(captures + if self.is_find { 2 } else { 0 }))
            }
        }
    }
}

pub(super) fn gmatch<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    subject_and_pattern(machine, arguments)?;
    let (subject, pattern) = (machine.slot(arguments.base), machine.slot(arguments.base + 1));
    let state = vec![subject, pattern, Value::Number(0.0)];
    let iterator = machine.native(NativeCode::Quick(quick_gmatch_step, gmatch_step), state);
    machine.give(iterator)
}

/// What the iterator of `gmatch` keeps.
struct Kept<'gc> {
    iterator: Native<'gc>,
    subject: &'gc [u8],
    pattern: &'gc [u8],
    /// Where in the subject the next search begins.
    place: usize,
}

impl<'gc> Kept<'gc> {
    /// Lets the next search begin behind a match, and behind an empty one a byte further; if there was none, then never.
    #[inline]
    fn pass(&self, machine: &Machine<'_, 'gc>, matched: Option<&Range<usize>>) {
        let place = match matched {
            Some(range) => range.end + usize::from(range.is_empty()),
            None => self.subject.len() + 1,
        };
        self.iterator.0.upvalues.borrow_mut(machine.mc)[2] = Value::Number(place as f64);
    }
}

/// What the iterator that runs keeps.
#[inline(always)]
fn kept<'gc>(machine: &Machine<'_, 'gc>, arguments: Arguments) -> Option<Kept<'gc>> {
    let Value::Native(iterator) = machine.slot(arguments.base - 1) else { return None };
    match iterator.0.upvalues.borrow()[..] {
        [Value::String(subject), Value::String(pattern), Value::Number(place)] => Some(Kept {
            iterator,
            subject: subject.bytes(),
            pattern: pattern.bytes(),
            place: place as usize,
        }),
        _ => None,
    }
}

fn gmatch_step<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    match kept(machine, arguments) {
        Some(kept) if kept.place <= kept.subject.len() => {
            let mut matcher = Matcher::new(kept.pattern, false);
            matcher.seek(kept.place);
            Iteration(matcher).go_on(machine, &kept)
        }
        _ => Ok(Flow::Return(0)),
    }
}

/// The short cut of [`gmatch_step`].
fn quick_gmatch_step<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Option<[Packed<'gc>; 2]> {
    let kept = kept(machine, arguments).filter(|kept| kept.place <= kept.subject.len())?;
    let mut matcher = Matcher::new(kept.pattern, false);
    matcher.seek(kept.place);
    let (captures, matched) =
        match run(machine, &mut matcher, kept.subject, kept.pattern, QUICK_FUEL) {
            Step::NoMatch => ([Packed::NIL; 2], None),
            Step::Match(range) => {
                (quick_captures(machine, &matcher, &range, kept.subject)?, Some(range))
            }
            Step::Paused | Step::Error(_) => return None,
        };
    kept.pass(machine, matched.as_ref());
    Some(captures)
}

/// One turn of `gmatch`.
struct Iteration(Matcher);

impl Continue for Iteration {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        match kept(machine, arguments) {
            Some(kept) => self.go_on(machine, &kept),
            None => Ok(Flow::Return(0)),
        }
    }
}

impl Iteration {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, kept: &Kept<'gc>) -> Result<'gc> {
        let matched = match run(machine, &mut self.0, kept.subject, kept.pattern, i64::MAX) {
            Step::Paused => return Ok(Flow::Pause(Box::new(self))),
            Step::Error(message) => return Err(machine.error(message)),
            Step::NoMatch => None,
            Step::Match(range) => Some(range),
        };
        kept.pass(machine, matched.as_ref());
        match matched {
            Some(range) => {
                push_captures(machine, &self.0, &range, kept.subject, true).map(Flow::Return)
            }
            None => Ok(Flow::Return(0)),
        }
    }
}

pub(super) fn gsub<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let (subject, pattern) = subject_and_pattern(machine, arguments)?;
    let left = machine.optional_integer(arguments, 4, subject.len() as i64 + 1)? as i32;
    match machine.argument(arguments, 3) {
        Value::Number(_) => {
            let text = machine.check_string(arguments, 3)?;
            machine.set_slot(arguments.base + 2, Value::String(text));
        }
        Value::String(_) | Value::Table(_) | Value::Closure(_) | Value::Native(_) => {}
        _ => return Err(machine.argument_error(3, "string/function/table expected")),
    }
    let mut substitution = Substitution {
        matcher: Matcher::new(pattern, true),
        source: 0,
        count: 0,
        left: i64::from(left),
        out: Vec::new(),
        unchecked: 0,
        is_paused: false,
        matched: None,
        replacing: None,
        expanded: 0,
    };
    Ok(match substitution.go_on(machine, arguments)? {
        Halt::Done => Flow::Return(2),
        halt => Box::new(substitution).wait(halt),
    })
}

/// Why `gsub` goes no further.
#[derive(Clone, Copy)]
enum Halt {
    /// Its results have been pushed.
    Done,
    /// The fuel is spent.
    Paused,
    /// A function is asked for a replacement; it and so many arguments have been pushed.
    Asks(usize),
}

/// `gsub` at work.
struct Substitution {
    matcher: Matcher,
    /// Where the search goes on.
    source: usize,
    count: i64,
    /// Substitutions that may still be made.
    left: i64,
    out: Vec<u8>,
    /// The length of `out` from which on it is to be asked whether it fits into memory.
    unchecked: usize,
    /// The matcher is in the middle of a search.
    is_paused: bool,
    /// A match whose replacement a function is asked for.
    matched: Option<Range<usize>>,
    /// A match whose replacement is at work.
    replacing: Option<Range<usize>>,
    /// How much of the template has been put in its place.
    expanded: usize,
}

impl Continue for Substitution {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        if let Some(range) = self.matched.take() {
            let value = machine.first_result(outcome);
            machine.set_top(arguments.base + arguments.count);
            let subject = text_slot(machine, arguments.base);
            self.replace(machine, subject, &range, value)?;
            self.pass(subject, &range);
        }
        let halt = self.go_on(machine, arguments)?;
        Ok(self.wait(halt))
    }
}

impl Substitution {
    /// What to do until it can go on.
    fn wait(self: Box<Self>, halt: Halt) -> Flow {
        match halt {
            Halt::Done => Flow::Return(2),
            Halt::Paused => Flow::Pause(self),
            Halt::Asks(arguments) => {
                Flow::Call { arguments, protection: Protection::None, then: self }
            }
        }
    }

    fn go_on<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> std::result::Result<Halt, Fault<'gc>> {
        let (subject, pattern) =
            (text_slot(machine, arguments.base), text_slot(machine, arguments.base + 1));
        let replacement = machine.argument(arguments, 3);
        if let Some(range) = self.replacing.take()
            && let Some(halt) = self.substitute(machine, arguments, replacement, subject, range)?
        {
            return Ok(halt);
        }
        while self.left > 0 && self.source <= subject.len() {
            if !std::mem::take(&mut self.is_paused) {
                self.matcher.seek(self.source);
            }
            let range = match run(machine, &mut self.matcher, subject, pattern, i64::MAX) {
                Step::Paused => {
                    self.is_paused = true;
                    return Ok(Halt::Paused);
                }
                Step::Error(message) => return Err(machine.error(message)),
                Step::NoMatch => break,
                Step::Match(range) => range,
            };
            self.out.extend_from_slice(&subject[self.source..range.start]);
            self.left -= 1;
            self.count += 1;
            if let Value::Table(_) = replacement {
                match capture(machine, &self.matcher, 0, &range, subject) {
                    Ok(key) => machine.push_packed(key),
                    Err(message) => return Err(machine.error(message)),
                }
            }
            if let Some(halt) = self.substitute(machine, arguments, replacement, subject, range)? {
                return Ok(halt);
            }
        }
        let text = if self.count == 0 {
            machine.slot(arguments.base)
        } else {
            self.out.extend_from_slice(subject.get(self.source..).unwrap_or_default());
            machine.check_memory(self.out.len())?;
            machine.string(&self.out)
        };
        machine.push(text);
        machine.push(Value::Number(self.count as f64));
        Ok(Halt::Done)
    }

    /// Puts the replacement in the place of a match, and goes on behind it, unless it must wait. The key that a table is
    /// asked for lies behind the arguments.
    #[inline(always)]
    fn substitute<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        replacement: Value<'gc>,
        subject: &[u8],
        range: Range<usize>,
    ) -> std::result::Result<Option<Halt>, Fault<'gc>> {
        match replacement {
            Value::String(template) => {
                if !self.expand(machine, template.bytes(), subject, &range)? {
                    self.replacing = Some(range);
                    return Ok(Some(Halt::Paused));
                }
            }
            Value::Table(table) => {
                let place = arguments.base + arguments.count;
                let key = machine.slot(place).into();
                if !machine.hash_key(key) {
                    self.replacing = Some(range);
                    return Ok(Some(Halt::Paused));
                }
                machine.set_top(place);
                match machine.look_up(Value::Table(table).into(), key, None)? {
                    LookUp::Found(found) => {
                        self.replace(machine, subject, &range, found.unpack())?;
                    }
                    LookUp::Ask { handler, object } => {
                        for value in [handler, object, key] {
                            machine.push_packed(value);
                        }
                        self.matched = Some(range);
                        return Ok(Some(Halt::Asks(2)));
                    }
                }
            }
            function => {
                machine.push(function);
                let count = push_captures(machine, &self.matcher, &range, subject, true)?;
                self.matched = Some(range);
                return Ok(Some(Halt::Asks(count)));
            }
        }
        self.pass(subject, &range);
        Ok(None)
    }

    /// Goes on behind a match that has been replaced.
    fn pass(&mut self, subject: &[u8], range: &Range<usize>) {
        self.source = range.end;
        if range.is_empty() {
            self.out.extend(subject.get(range.end));
            self.source += 1;
        }
        if self.matcher.is_anchored() {
            self.left = 0;
        }
    }

    /// Puts a value in the place of a match. `nil` and `false` keep the match.
    fn replace<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        subject: &[u8],
        range: &Range<usize>,
        value: Value<'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        match value.to_str(machine.mc) {
            Some(text) => self.out.extend_from_slice(text.bytes()),
            None if !value.is_true() => self.out.extend_from_slice(&subject[range.clone()]),
            None => {
                let kind = value.type_name();
                return Err(machine.error(format!("invalid replacement value (a {kind})")));
            }
        }
        self.check(machine)
    }

    /// Puts the template in the place of a match, with `%0` to `%9` filled in. Gives whether that is done.
    fn expand<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        template: &[u8],
        subject: &[u8],
        range: &Range<usize>,
    ) -> std::result::Result<bool, Fault<'gc>> {
        let mut rest = &template[self.expanded..];
        let mut before = self.out.len();
        while let Some(at) = bytes::find(b'%', rest) {
            self.out.extend_from_slice(&rest[..at]);
            match rest.get(at + 1).copied().unwrap_or(0) {
                b'0' => self.out.extend_from_slice(&subject[range.clone()]),
                digit @ b'1'..=b'9' => {
                    match self.matcher.capture(usize::from(digit - b'1'), range) {
                        Ok(Capture::Bytes(range)) => self.out.extend_from_slice(&subject[range]),
                        Ok(Capture::Position(position)) => {
                            self.out.extend_from_slice(position.to_string().as_bytes());
                        }
                        Err(message) => return Err(machine.error(message)),
                    }
                }
                other => self.out.push(other),
            }
            // A small template can make a large text of large captures.
            self.check(machine)?;
            rest = rest.get(at + 2..).unwrap_or_default();
            let work = template.len() - rest.len() - self.expanded + self.out.len() - before;
            if work > PIECE {
                machine.pay_for_each(work);
                before = self.out.len();
                self.expanded = template.len() - rest.len();
                if machine.fuel <= 0 {
                    return Ok(false);
                }
            }
        }
        self.out.extend_from_slice(rest);
        machine.pay_for_each(template.len() - self.expanded + self.out.len() - before);
        self.expanded = 0;
        self.check(machine)?;
        Ok(true)
    }

    /// Asks, each time that it has grown by much, whether what has been made still fits into memory.
    #[inline]
    fn check<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        if self.out.len() < self.unchecked {
            return Ok(());
        }
        self.unchecked = self.out.len() + (1 << 16);
        machine.check_memory(self.out.len())
    }
}
