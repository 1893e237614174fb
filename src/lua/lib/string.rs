//! Defines the string library. Long work pays fuel by the byte or the step, and pauses.
//!
//! Long because what uses patterns, `find` to `gsub`, shares how it pauses.

use super::base::Result;
use crate::lua::format::{Spec, quote};
use crate::lua::function::{Native, NativeCode};
use crate::lua::machine::{
    Arguments, Continue, Fault, Flow, MAX_VALUES, Machine, NativeFunction, Outcome, Protection,
};
use crate::lua::operators::LookUp;
use crate::lua::pattern::{Capture, Matcher, Step};
use crate::lua::value::Value;
use std::ops::Range;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("byte", byte),
    ("char", char),
    ("dump", dump),
    ("find", find),
    ("format", format),
    ("gfind", gmatch),
    ("gmatch", gmatch),
    ("gsub", gsub),
    ("len", len),
    ("lower", lower),
    ("match", r#match),
    ("rep", rep),
    ("reverse", reverse),
    ("sub", sub),
    ("upper", upper),
];

/// Puts the library into the globals, and makes it what strings index: `("x"):rep(3)`.
pub fn open(machine: &mut Machine) {
    let library = machine.library("string", FUNCTIONS, &[]);
    // Lua 5.0's name for it.
    machine.set_field(library, "gfind", library.field(b"gmatch"));
    let metatable = machine.table(0, 1);
    machine.set_field(metatable, "__index", Value::Table(library));
    machine.state.string_metatable = Some(metatable);
}

/// A new string: its bytes are paid for, and must fit into memory.
fn give_string<'gc>(machine: &mut Machine<'_, 'gc>, bytes: &[u8]) -> Result<'gc> {
    machine.pay_for_bytes(bytes.len());
    machine.check_memory(bytes.len())?;
    let value = machine.string(bytes);
    machine.give(value)
}

/// A position that counts from the end if it is negative; 0 for one before the beginning.
fn relative(position: i64, length: usize) -> i64 {
    if position >= 0 { position } else { (length as i64 + 1).saturating_add(position).max(0) }
}

fn len<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?;
    machine.give(Value::Number(text.bytes().len() as f64))
}

fn sub<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?.bytes();
    let start = relative(machine.check_integer(arguments, 2)?, text.len()).max(1);
    let end =
        relative(machine.optional_integer(arguments, 3, -1)?, text.len()).min(text.len() as i64);
    let part = if start <= end { &text[start as usize - 1..end as usize] } else { b"" };
    give_string(machine, part)
}

fn map<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    change: impl Fn(&mut [u8]),
) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?;
    machine.check_memory(text.bytes().len())?;
    let mut bytes = text.bytes().to_vec();
    change(&mut bytes);
    give_string(machine, &bytes)
}

fn lower<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    map(machine, arguments, <[u8]>::make_ascii_lowercase)
}

fn upper<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    map(machine, arguments, <[u8]>::make_ascii_uppercase)
}

fn reverse<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    map(machine, arguments, <[u8]>::reverse)
}

fn rep<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?.bytes();
    // PUC-Rio counts in C's int.
    let count = machine.check_integer(arguments, 2)? as i32;
    let count = usize::try_from(count).unwrap_or(0);
    machine.check_memory(text.len().saturating_mul(count).saturating_mul(2))?;
    give_string(machine, &text.repeat(if text.is_empty() { 0 } else { count }))
}

fn byte<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let text = machine.check_string(arguments, 1)?.bytes();
    let start = relative(machine.optional_integer(arguments, 2, 1)?, text.len());
    let end =
        relative(machine.optional_integer(arguments, 3, start)?, text.len()).min(text.len() as i64);
    let start = start.max(1);
    if start > end {
        return Ok(Flow::Return(0));
    }
    let part = &text[start as usize - 1..end as usize];
    if part.len() + arguments.count > MAX_VALUES {
        return Err(machine.error("stack overflow (string slice too long)"));
    }
    for byte in part {
        machine.push(Value::Number(f64::from(*byte)));
    }
    Ok(Flow::Return(part.len()))
}

fn char<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let mut bytes = Vec::with_capacity(arguments.count);
    for number in 1..=arguments.count {
        // PUC-Rio looks at C's int.
        match u8::try_from(machine.check_integer(arguments, number)? as i32) {
            Ok(byte) => bytes.push(byte),
            Err(_) => return Err(machine.argument_error(number, "invalid value")),
        }
    }
    give_string(machine, &bytes)
}

/// A Lua function's code as a binary chunk. Redis refuses such chunks wherever one could be loaded.
fn dump<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    match machine.check_function(arguments, 1)? {
        Value::Closure(closure) => {
            let chunk = crate::lua::dump::dump(closure.proto());
            give_string(machine, &chunk)
        }
        _ => Err(machine.error("unable to dump given function")),
    }
}

fn format<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let template = machine.check_string(arguments, 1)?.bytes();
    let mut out = Vec::new();
    let mut argument = 1;
    let mut at = 0;
    while at < template.len() {
        let byte = template[at];
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        if template.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        argument += 1;
        if argument > arguments.count {
            return Err(machine.argument_error(argument, "no value"));
        }
        let (spec, length) =
            Spec::parse(&template[at..]).map_err(|message| machine.error(message))?;
        at += length;
        let conversion = template.get(at).copied().unwrap_or(0);
        at += 1;
        match conversion {
            b'c' => out.extend(spec.character(machine.check_number(arguments, argument)?)),
            b'd' | b'i' => out.extend(spec.integer(machine.check_number(arguments, argument)?)),
            b'o' | b'u' | b'x' | b'X' => {
                out.extend(spec.unsigned(conversion, machine.check_number(arguments, argument)?));
            }
            b'e' | b'E' | b'f' | b'g' | b'G' => {
                out.extend(spec.float(conversion, machine.check_number(arguments, argument)?));
            }
            b'q' => quote(machine.check_string(arguments, argument)?.bytes(), &mut out),
            b's' => out.extend(spec.string(machine.check_string(arguments, argument)?.bytes())),
            _ => {
                let mut message = b"invalid option '%".to_vec();
                // C's `%c` of a template that ends here.
                message.extend((conversion != 0).then_some(conversion));
                message.extend_from_slice(b"' to 'format'");
                return Err(machine.error(message));
            }
        }
        machine.fuel -= 1;
        machine.check_memory(out.len())?;
    }
    give_string(machine, &out)
}

// ---- Patterns

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

fn text_slot<'gc>(machine: &Machine<'_, 'gc>, slot: usize) -> &'gc [u8] {
    match machine.slot(slot) {
        Value::String(text) => text.bytes(),
        _ => b"",
    }
}

/// Runs a matcher with the fuel that the slice has.
fn run(
    machine: &mut Machine<'_, '_>,
    matcher: &mut Matcher,
    subject: &[u8],
    pattern: &[u8],
) -> Step {
    let mut fuel = machine.fuel.max(1);
    let step = matcher.run(subject, pattern, &mut fuel);
    machine.fuel = fuel;
    step
}

#[inline]
fn capture<'gc>(
    machine: &mut Machine<'_, 'gc>,
    matcher: &Matcher,
    index: usize,
    whole: &Range<usize>,
    subject: &[u8],
) -> std::result::Result<Value<'gc>, Fault<'gc>> {
    match matcher.capture(index, whole) {
        Ok(Capture::Bytes(range)) => Ok(machine.string(&subject[range])),
        Ok(Capture::Position(position)) => Ok(Value::Number(position as f64)),
        Err(message) => Err(machine.error(message)),
    }
}

/// Pushes all captures, the whole match if there are none and `or_whole`; how many.
fn push_captures<'gc>(
    machine: &mut Machine<'_, 'gc>,
    matcher: &Matcher,
    whole: &Range<usize>,
    subject: &[u8],
    or_whole: bool,
) -> std::result::Result<usize, Fault<'gc>> {
    let count = if matcher.level() == 0 && or_whole { 1 } else { matcher.level() };
    for index in 0..count {
        let value = capture(machine, matcher, index, whole, subject)?;
        machine.push(value);
    }
    Ok(count)
}

fn find<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    search(machine, arguments, true)
}

fn r#match<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    search(machine, arguments, false)
}

fn search<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments, is_find: bool) -> Result<'gc> {
    let (subject, pattern) = subject_and_pattern(machine, arguments)?;
    let start = relative(machine.optional_integer(arguments, 3, 1)?, subject.len()) - 1;
    let start = start.clamp(0, subject.len() as i64) as usize;
    // C looks for special bytes up to the first NUL.
    let end_of_plain = |byte: &u8| {
        matches!(byte, b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b'[' | b'%' | b'-' | 0)
    };
    let is_plain = || matches!(pattern.iter().find(|byte| end_of_plain(byte)), None | Some(0));
    if is_find && (machine.argument(arguments, 4).is_true() || is_plain()) {
        return find_plain(machine, subject, pattern, start);
    }
    let mut matcher = Matcher::new(pattern, true);
    matcher.seek(start);
    Search { matcher, is_find }.go_on(machine, arguments)
}

/// Bytes that a search without a pattern looks at for one unit of fuel.
const BYTES_PER_FUEL: usize = 64;

/// Looks for the pattern as it is, from a place on.
fn find_plain<'gc>(
    machine: &mut Machine<'_, 'gc>,
    subject: &[u8],
    pattern: &[u8],
    start: usize,
) -> Result<'gc> {
    let mut at = start;
    while let Some(rest) = subject.get(at..).filter(|rest| rest.len() >= pattern.len()) {
        let Some(first) = pattern.first() else { break };
        let ahead = &rest[..=rest.len() - pattern.len()];
        let ahead = &ahead[..ahead.len().min(64 * BYTES_PER_FUEL)];
        let skipped = ahead.iter().take_while(|byte| *byte != first).count();
        let equal = rest[skipped..].iter().zip(pattern).take_while(|(a, b)| a == b).count();
        at += skipped;
        if equal == pattern.len() {
            break;
        }
        at += usize::from(skipped < ahead.len());
        machine.fuel -= ((skipped + equal) / BYTES_PER_FUEL + 1) as i64;
        if machine.fuel <= 0 {
            return Ok(Flow::Pause(Box::new(PlainSearch { at })));
        }
    }
    if at + pattern.len() > subject.len() {
        return machine.give(Value::Nil);
    }
    machine.push(Value::Number((at + 1) as f64));
    machine.push(Value::Number((at + pattern.len()) as f64));
    Ok(Flow::Return(2))
}

/// A search without a pattern at work.
struct PlainSearch {
    at: usize,
}

impl Continue for PlainSearch {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        let (subject, pattern) =
            (text_slot(machine, arguments.base), text_slot(machine, arguments.base + 1));
        find_plain(machine, subject, pattern, self.at)
    }
}

/// `find` or `match` at work.
struct Search {
    matcher: Matcher,
    is_find: bool,
}

impl Continue for Search {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        self.go_on(machine, arguments)
    }
}

impl Search {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let (subject, pattern) =
            (text_slot(machine, arguments.base), text_slot(machine, arguments.base + 1));
        match run(machine, &mut self.matcher, subject, pattern) {
            Step::Paused => Ok(Flow::Pause(Box::new(self))),
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

fn gmatch<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    subject_and_pattern(machine, arguments)?;
    let (subject, pattern) = (machine.slot(arguments.base), machine.slot(arguments.base + 1));
    let state = vec![subject, pattern, Value::Number(0.0)];
    let iterator = machine.native(NativeCode::Library(gmatch_step), state);
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

/// What the iterator that runs keeps.
#[inline]
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
        let (place, matched) = match run(machine, &mut self.0, kept.subject, kept.pattern) {
            Step::Paused => return Ok(Flow::Pause(Box::new(self))),
            Step::Error(message) => return Err(machine.error(message)),
            Step::NoMatch => (kept.subject.len() + 1, None),
            // Behind an empty match the search goes on one byte further.
            Step::Match(range) => (range.end + usize::from(range.is_empty()), Some(range)),
        };
        kept.iterator.0.upvalues.borrow_mut(machine.mc)[2] = Value::Number(place as f64);
        match matched {
            Some(range) => {
                push_captures(machine, &self.0, &range, kept.subject, true).map(Flow::Return)
            }
            None => Ok(Flow::Return(0)),
        }
    }
}

fn gsub<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
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
    let substitution = Substitution {
        matcher: Matcher::new(pattern, true),
        source: 0,
        count: 0,
        left: i64::from(left),
        out: Vec::new(),
        unchecked: 0,
        is_paused: false,
        matched: None,
    };
    Box::new(substitution).resume(machine, arguments, Outcome::Resumed)
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
}

impl Continue for Substitution {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let (subject, pattern) =
            (text_slot(machine, arguments.base), text_slot(machine, arguments.base + 1));
        if let Some(range) = self.matched.take() {
            let value = machine.first_result(outcome);
            machine.set_top(arguments.base + arguments.count);
            self.replace(machine, subject, &range, value)?;
            self.pass(subject, &range);
        }
        let replacement = machine.argument(arguments, 3);
        while self.left > 0 && self.source <= subject.len() {
            if !std::mem::take(&mut self.is_paused) {
                self.matcher.seek(self.source);
            }
            let range = match run(machine, &mut self.matcher, subject, pattern) {
                Step::Paused => {
                    self.is_paused = true;
                    return Ok(Flow::Pause(self));
                }
                Step::Error(message) => return Err(machine.error(message)),
                Step::NoMatch => break,
                Step::Match(range) => range,
            };
            self.out.extend_from_slice(&subject[self.source..range.start]);
            self.left -= 1;
            self.count += 1;
            match replacement {
                Value::String(template) => {
                    self.expand(machine, template.bytes(), subject, &range)?;
                }
                Value::Table(table) => {
                    let key = capture(machine, &self.matcher, 0, &range, subject)?;
                    match machine.look_up(Value::Table(table).into(), key.into(), None)? {
                        LookUp::Found(found) => {
                            self.replace(machine, subject, &range, found.unpack())?;
                        }
                        LookUp::Ask { handler, object } => {
                            machine.push(handler.unpack());
                            machine.push(object.unpack());
                            machine.push(key);
                            return Ok(self.ask(2, range));
                        }
                    }
                }
                function => {
                    machine.push(function);
                    let count = push_captures(machine, &self.matcher, &range, subject, true)?;
                    return Ok(self.ask(count, range));
                }
            }
            self.pass(subject, &range);
        }
        if self.source < subject.len() {
            self.out.extend_from_slice(&subject[self.source..]);
        }
        machine.check_memory(self.out.len())?;
        let text = machine.string(&self.out);
        machine.push(text);
        machine.push(Value::Number(self.count as f64));
        Ok(Flow::Return(2))
    }
}

impl Substitution {
    /// Asks the function that lies below so many arguments for the replacement of a match.
    fn ask(mut self: Box<Self>, arguments: usize, range: Range<usize>) -> Flow {
        self.matched = Some(range);
        Flow::Call { arguments, protection: Protection::None, then: self }
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

    /// Puts the template in the place of a match, with `%0` to `%9` filled in.
    fn expand<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        template: &[u8],
        subject: &[u8],
        range: &Range<usize>,
    ) -> std::result::Result<(), Fault<'gc>> {
        let before = self.out.len();
        let mut rest = template;
        while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
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
        }
        self.out.extend_from_slice(rest);
        machine.fuel -= ((template.len() + self.out.len() - before) >> 6) as i64;
        self.check(machine)
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
