//! Defines Lua's values.

use super::coroutine::Coroutine;
use super::function::{Closure, Native};
use super::table::Table;
use allocator_api2::vec::Vec as MeteredVec;
use gc_arena::allocator_api::MetricsAlloc;
use gc_arena::{Collect, Gc, Mutation};
use std::cell::Cell;
use std::cmp::Ordering;

/// A Lua value.
#[derive(Clone, Copy, Collect, Default)]
#[collect(no_drop)]
pub enum Value<'gc> {
    /// `nil`
    #[default]
    Nil,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string of bytes.
    String(Str<'gc>),
    /// A table.
    Table(Table<'gc>),
    /// A function written in Lua.
    Closure(Closure<'gc>),
    /// A function of a library or of the host.
    Native(Native<'gc>),
    /// A coroutine.
    Coroutine(Coroutine<'gc>),
    /// A light userdata, which scripts can only pass on: `cjson.null` is number 0.
    Userdata(u32),
}

/// An immutable string of bytes.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Str<'gc>(pub(super) Gc<'gc, Text<'gc>>);

#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct Text<'gc> {
    /// The hash once it has been asked for; 0 before.
    #[collect(require_static)]
    hash: Cell<u32>,
    bytes: Bytes<'gc>,
}

/// Short strings, which most are, need no allocation beside that of the object.
#[derive(Collect)]
#[collect(no_drop)]
enum Bytes<'gc> {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(MeteredVec<u8, MetricsAlloc<'gc>>),
}

/// As many as leave the object no larger than a long string's.
const SHORT: usize = 4 * size_of::<usize>() - 2;

impl<'gc> Str<'gc> {
    /// A new string with these bytes.
    #[inline]
    pub fn new(mc: &Mutation<'gc>, bytes: &[u8]) -> Str<'gc> {
        if bytes.len() > SHORT {
            return Str::joined(mc, bytes.len(), [bytes].into_iter());
        }
        let bytes = Bytes::Short { length: bytes.len() as u8, bytes: padded(bytes) };
        Str(Gc::new(mc, Text { hash: Cell::new(0), bytes }))
    }

    /// A new long string: so many bytes, which these parts have together. The collector counts their memory.
    pub(super) fn joined<'a>(
        mc: &Mutation<'gc>,
        length: usize,
        parts: impl Iterator<Item = &'a [u8]>,
    ) -> Str<'gc> {
        let mut bytes = MeteredVec::with_capacity_in(length, MetricsAlloc::new(mc));
        parts.for_each(|part| append(&mut bytes, part));
        Str(Gc::new(mc, Text { hash: Cell::new(0), bytes: Bytes::Long(bytes) }))
    }

    /// The bytes.
    #[inline]
    pub fn bytes(self) -> &'gc [u8] {
        match &self.0.as_ref().bytes {
            Bytes::Short { length, bytes } => &bytes[..usize::from(*length)],
            Bytes::Long(bytes) => bytes,
        }
    }

    /// See [`hash`].
    #[inline(always)]
    pub fn hash(self) -> u32 {
        let known = self.0.hash.get();
        if known != 0 { known } else { self.work_out_hash() }
    }

    /// See [`hash`]; 0 if it has not been worked out.
    #[inline(always)]
    pub fn known_hash(self) -> u32 {
        self.0.hash.get()
    }

    #[inline(never)]
    fn work_out_hash(self) -> u32 {
        let hash = hash(self.bytes());
        self.0.hash.set(hash);
        hash
    }

    /// Notes what [`hash_on`] has come to.
    pub(super) fn set_hash(self, hash: u32) {
        self.0.hash.set(hash);
    }
}

/// Adds bytes. The vector's own way takes them one by one.
#[inline]
#[allow(unsafe_code)] // A third of the time of long strings.
fn append(bytes: &mut MeteredVec<u8, MetricsAlloc<'_>>, part: &[u8]) {
    bytes.reserve(part.len());
    let length = bytes.len();
    // SAFETY: there is room for so many bytes, which are written before they count, and nothing else points there.
    unsafe {
        std::ptr::copy_nonoverlapping(part.as_ptr(), bytes.as_mut_ptr().add(length), part.len());
        bytes.set_len(length + part.len());
    }
}

/// The first bytes of a text, with zeros behind them. They are put together in registers: in the browser a copy of
/// some bytes is a call, and reading at once what it wrote is slow.
#[inline(always)]
fn padded(bytes: &[u8]) -> [u8; SHORT] {
    let word = |number: usize| {
        let bytes = bytes.get(number * 8..).unwrap_or_default();
        match bytes.first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        }
    };
    let words: [u64; SHORT.div_ceil(8)] = std::array::from_fn(word);
    std::array::from_fn(|place| words[place / 8].to_le_bytes()[place % 8])
}

/// The hash of a string, on which the order of `pairs` depends. It is PUC-Rio's, but every byte counts, as in Redis's
/// copy of it.
pub fn hash(bytes: &[u8]) -> u32 {
    hash_on(bytes.len() as u32, bytes)
}

/// A hash that begins with the length and has come to the end of these bytes, at their beginning.
pub(super) fn hash_on(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(hash, |hash, byte| {
        hash ^ (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(*byte))
    })
}

impl PartialEq for Str<'_> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        if Gc::ptr_eq(self.0, other.0) {
            return true;
        }
        let hashes = (self.known_hash(), other.known_hash());
        if hashes.0 != 0 && hashes.1 != 0 {
            hashes.0 == hashes.1 && same_bytes(self.bytes(), other.bytes())
        } else {
            self.equals_unhashed(*other)
        }
    }
}

/// From so many bytes on strings are compared at once: working out a hash takes longer than that.
const LONG_TO_HASH: usize = 1 << 10;

impl Str<'_> {
    /// Whether two strings are equal, of which one at least has no hash yet: another comparison will be quicker.
    #[inline(never)]
    fn equals_unhashed(self, other: Self) -> bool {
        let (bytes, others) = (self.bytes(), other.bytes());
        (bytes.len() > LONG_TO_HASH || others.len() > LONG_TO_HASH || self.hash() == other.hash())
            && same_bytes(bytes, others)
    }
}

/// Whether these are the same: eight bytes at a time, where the browser's build would take them one by one.
#[inline(never)]
pub(super) fn same_bytes(bytes: &[u8], others: &[u8]) -> bool {
    bytes.len() == others.len() && {
        let same = same_words(bytes, others);
        bytes[same..] == others[same..]
    }
}

/// How many bytes, eight by eight, are the same from the beginning.
pub(super) fn same_words(bytes: &[u8], others: &[u8]) -> usize {
    let words = bytes.as_chunks::<8>().0.iter().zip(others.as_chunks().0);
    let same = |(a, b): &(&[u8; 8], &[u8; 8])| u64::from_le_bytes(**a) == u64::from_le_bytes(**b);
    words.take_while(same).count() * 8
}

impl PartialOrd for Str<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let (bytes, others) = (self.bytes(), other.bytes());
        let same = same_words(bytes, others);
        bytes[same..].partial_cmp(&others[same..])
    }
}

/// Equality without metamethods.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Table(a), Value::Table(b)) => a == b,
            (Value::Closure(a), Value::Closure(b)) => a == b,
            (Value::Native(a), Value::Native(b)) => a == b,
            (Value::Coroutine(a), Value::Coroutine(b)) => a == b,
            (Value::Userdata(a), Value::Userdata(b)) => a == b,
            _ => false,
        }
    }
}

impl<'gc> Value<'gc> {
    /// Neither `nil` nor `false`.
    pub fn is_true(self) -> bool {
        !matches!(self, Value::Nil | Value::Boolean(false))
    }

    /// Is `nil`.
    pub fn is_nil(self) -> bool {
        matches!(self, Value::Nil)
    }

    /// What `type` gives.
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Boolean(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Table(_) => "table",
            Value::Closure(_) | Value::Native(_) => "function",
            Value::Coroutine(_) => "thread",
            Value::Userdata(_) => "userdata",
        }
    }

    /// As a number: a number, or a string that reads as one.
    pub fn to_number(self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number),
            Value::String(text) => super::number::parse_number(text.bytes()),
            _ => None,
        }
    }

    /// As a string: a string, or a number as `%.14g` prints it.
    pub fn to_str(self, mc: &Mutation<'gc>) -> Option<Str<'gc>> {
        match self {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(Str::new(mc, &super::number::format_number(number))),
            _ => None,
        }
    }
}
