//! Packs a value into eight bytes: what registers, tables, constants and captured variables hold.
//!
//! A number is itself. Every other value is a NaN that no arithmetic gives: sixteen bits of tag over a payload or a
//! pointer. The only NaNs that are numbers are the two that Lua can print, `nan` and `-nan`; [`Packed::from`] makes
//! every other one of them, whatever bits it comes with, so that no script can forge a pointer.

// Eight bytes a value instead of sixteen: numeric loops take two thirds of the time, and tables half of the memory.
#![allow(unsafe_code)]

use super::coroutine::Coroutine;
use super::function::{Closure, Native};
use super::number::canonical;
use super::table::Table;
use super::value::{Str, Value};
use gc_arena::{Collect, Collection, Gc, Mutation};
use std::marker::PhantomData;
use std::ptr::with_exposed_provenance;

/// A [`Value`] in eight bytes.
#[derive(Clone, Copy)]
pub struct Packed<'gc> {
    bits: u64,
    held: PhantomData<Value<'gc>>,
}

/// Bits of a tag's payload.
const SHIFT: u32 = 48;
/// nil, false, true, and userdata by their number.
const PLAIN: u64 = 0xfff9;
const STRING: u64 = 0xfffa;
const TABLE: u64 = 0xfffb;
const CLOSURE: u64 = 0xfffc;
const NATIVE: u64 = 0xfffd;
const COROUTINE: u64 = 0xfffe;
/// Marks the payload of a userdata, whose number is in the lower half.
const USERDATA: u64 = 1 << 32;

const fn plain<'gc>(payload: u64) -> Packed<'gc> {
    Packed { bits: PLAIN << SHIFT | payload, held: PhantomData }
}

fn pointer<T>(tag: u64, gc: Gc<'_, T>) -> Packed<'_> {
    let address = Gc::as_ptr(gc).expose_provenance() as u64;
    debug_assert!(address >> SHIFT == 0, "user space ends below 2^48");
    Packed { bits: tag << SHIFT | address, held: PhantomData }
}

impl<'gc> Packed<'gc> {
    /// nil
    pub const NIL: Packed<'gc> = plain(0);
    /// false
    pub const FALSE: Packed<'gc> = plain(1);
    /// true
    pub const TRUE: Packed<'gc> = plain(2);

    /// What a table has in the place of a key that the collector took: equal to no value, and not nil.
    pub(super) const LOST_KEY: Packed<'gc> = plain(3);

    /// A boolean.
    #[inline(always)]
    pub fn boolean(value: bool) -> Packed<'gc> {
        if value { Packed::TRUE } else { Packed::FALSE }
    }

    /// A number that comes from anywhere.
    #[inline(always)]
    pub fn number(number: f64) -> Packed<'gc> {
        Packed::computed(canonical(number))
    }

    /// A number that `+ - * /` or a rounding made of packed numbers. Rust promises that if no operand is a NaN with a
    /// payload, then the result is none: it needs no look.
    #[inline(always)]
    pub fn computed(number: f64) -> Packed<'gc> {
        Packed { bits: number.to_bits(), held: PhantomData }
    }

    /// A string.
    #[inline(always)]
    pub fn string(text: Str<'gc>) -> Packed<'gc> {
        pointer(STRING, text.0)
    }

    #[inline(always)]
    fn tag(self) -> u64 {
        self.bits >> SHIFT
    }

    /// The object.
    ///
    /// # Safety
    ///
    /// To be asked only of a value with the tag of objects of type `T`.
    #[inline(always)]
    unsafe fn gc<T>(self) -> Gc<'gc, T> {
        let address = (self.bits & ((1 << SHIFT) - 1)) as usize;
        // SAFETY: only `pointer` makes these tags, from a `Gc<'gc, T>` of the tag's own type. The object lives: the
        // collector runs only when no `'gc` is there, and finds this pointer by `trace` wherever it is kept.
        unsafe { Gc::from_ptr(with_exposed_provenance::<T>(address)) }
    }

    /// Is nil.
    #[inline(always)]
    pub fn is_nil(self) -> bool {
        self.bits == Packed::NIL.bits
    }

    /// Neither nil nor false.
    #[inline(always)]
    pub fn is_true(self) -> bool {
        self.bits != Packed::NIL.bits && self.bits != Packed::FALSE.bits
    }

    /// The number, if it is one.
    #[inline(always)]
    pub fn as_number(self) -> Option<f64> {
        (self.bits < PLAIN << SHIFT).then(|| f64::from_bits(self.bits))
    }

    /// The number that the bits are: the value if it is a number, a NaN if it is anything else.
    #[inline(always)]
    pub fn as_bits_of_number(self) -> f64 {
        f64::from_bits(self.bits)
    }

    /// The string, if it is one.
    #[inline(always)]
    pub fn as_str(self) -> Option<Str<'gc>> {
        // SAFETY: the tag is that of strings.
        (self.tag() == STRING).then(|| Str(unsafe { self.gc() }))
    }

    /// The table, if it is one.
    #[inline(always)]
    pub fn as_table(self) -> Option<Table<'gc>> {
        // SAFETY: the tag is that of tables.
        (self.tag() == TABLE).then(|| Table(unsafe { self.gc() }))
    }

    /// The Lua function, if it is one.
    #[inline(always)]
    pub fn as_closure(self) -> Option<Closure<'gc>> {
        // SAFETY: the tag is that of Lua functions.
        (self.tag() == CLOSURE).then(|| Closure(unsafe { self.gc() }))
    }

    /// The native function, if it is one.
    #[inline(always)]
    pub fn as_native(self) -> Option<Native<'gc>> {
        // SAFETY: the tag is that of natives.
        (self.tag() == NATIVE).then(|| Native(unsafe { self.gc() }))
    }

    /// Tells the collector of an object without keeping it alive. Strings are values, not objects: they are kept.
    pub(super) fn trace_weakly(self, collection: &Collection) {
        match self.unpack() {
            Value::Table(Table(gc)) => Gc::downgrade(gc).trace(collection),
            Value::Closure(Closure(gc)) => Gc::downgrade(gc).trace(collection),
            Value::Native(Native(gc)) => Gc::downgrade(gc).trace(collection),
            Value::Coroutine(Coroutine(gc)) => Gc::downgrade(gc).trace(collection),
            value => value.trace(collection),
        }
    }

    /// Whether an object that was traced weakly is gone, or is going: nothing may look at it again.
    pub(super) fn is_lost(self, mc: &Mutation<'gc>) -> bool {
        match self.unpack() {
            Value::Table(Table(gc)) => Gc::downgrade(gc).upgrade(mc).is_none(),
            Value::Closure(Closure(gc)) => Gc::downgrade(gc).upgrade(mc).is_none(),
            Value::Native(Native(gc)) => Gc::downgrade(gc).upgrade(mc).is_none(),
            Value::Coroutine(Coroutine(gc)) => Gc::downgrade(gc).upgrade(mc).is_none(),
            _ => false,
        }
    }

    /// Is a function of either kind.
    pub fn is_function(self) -> bool {
        matches!(self.tag(), CLOSURE | NATIVE)
    }

    /// Points at an object of the collector's.
    #[inline(always)]
    pub fn is_object(self) -> bool {
        self.bits >= STRING << SHIFT
    }

    /// Equality, if it can be told without a call: strings of the same bytes may be two, tables may have `__eq`.
    #[inline(always)]
    pub fn quick_equals(self, other: Packed<'gc>) -> Option<bool> {
        if let (Some(left), Some(right)) = (self.as_number(), other.as_number()) {
            return Some(left == right);
        }
        let both = |tag| self.tag() == tag && other.tag() == tag;
        if self.bits == other.bits {
            Some(true)
        } else {
            (!both(STRING) && !both(TABLE)).then_some(false)
        }
    }

    /// `#`, if it can be told without a call.
    #[inline(always)]
    pub fn quick_length(self) -> Option<usize> {
        match self.as_table() {
            Some(table) => table.quick_length(),
            None => self.as_str().map(|text| text.bytes().len()),
        }
    }

    /// Is the very same object, or a number with the same bits.
    #[inline(always)]
    pub fn is(self, other: Packed<'gc>) -> bool {
        self.bits == other.bits
    }

    /// Equality without metamethods.
    #[inline(always)]
    pub fn equals(self, other: Packed<'gc>) -> bool {
        match (self.as_number(), other.as_number()) {
            (Some(left), Some(right)) => left == right,
            (None, None) => {
                self.bits == other.bits || (self.tag() == STRING && self.as_str() == other.as_str())
            }
            _ => false,
        }
    }

    /// The value.
    #[inline]
    pub fn unpack(self) -> Value<'gc> {
        match self.tag() {
            // SAFETY (all of them): the tag is that of the kind.
            STRING => Value::String(Str(unsafe { self.gc() })),
            TABLE => Value::Table(Table(unsafe { self.gc() })),
            CLOSURE => Value::Closure(Closure(unsafe { self.gc() })),
            NATIVE => Value::Native(Native(unsafe { self.gc() })),
            COROUTINE => Value::Coroutine(Coroutine(unsafe { self.gc() })),
            PLAIN => match self.bits & ((1 << SHIFT) - 1) {
                0 => Value::Nil,
                1 => Value::Boolean(false),
                2 => Value::Boolean(true),
                userdata if userdata & USERDATA != 0 => Value::Userdata(userdata as u32),
                _ => Value::Nil,
            },
            _ => Value::Number(f64::from_bits(self.bits)),
        }
    }
}

impl<'gc> From<Value<'gc>> for Packed<'gc> {
    #[inline]
    fn from(value: Value<'gc>) -> Packed<'gc> {
        match value {
            Value::Nil => Packed::NIL,
            Value::Boolean(value) => Packed::boolean(value),
            Value::Number(number) => Packed::number(number),
            Value::String(text) => Packed::string(text),
            Value::Table(table) => pointer(TABLE, table.0),
            Value::Closure(closure) => pointer(CLOSURE, closure.0),
            Value::Native(native) => pointer(NATIVE, native.0),
            Value::Coroutine(coroutine) => pointer(COROUTINE, coroutine.0),
            Value::Userdata(number) => plain(USERDATA | u64::from(number)),
        }
    }
}

impl Default for Packed<'_> {
    fn default() -> Self {
        Packed::NIL
    }
}

// SAFETY: `trace` reaches the one pointer that a packed value may hold; there is no interior mutability.
unsafe impl Collect for Packed<'_> {
    fn trace(&self, collection: &Collection) {
        self.unpack().trace(collection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_come_back() {
        let numbers = [0.0, -0.0, 1.5, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 5e-324];
        for number in numbers {
            let packed = Packed::number(number);
            assert_eq!(packed.as_number().map(f64::to_bits), Some(number.to_bits()));
        }
        for value in [Value::Nil, Value::Boolean(false), Value::Boolean(true), Value::Userdata(7)] {
            assert!(Packed::from(value).unpack() == value);
            assert!(Packed::from(value).as_number().is_none());
        }
    }

    /// Bytes from outside must not become a pointer: every NaN is one of two.
    #[test]
    fn no_number_is_anything_else() {
        for tag in 0x7ff0u64..=0x7fff {
            for sign in [0, 1 << 63] {
                for payload in [0u64, 1, 0x1234_5678_9abc, (1 << 48) - 1] {
                    let number = f64::from_bits(sign | tag << 48 | payload);
                    let packed = Packed::number(number);
                    assert!(matches!(packed.unpack(), Value::Number(same)
                        if same.to_bits() == number.to_bits() || same.is_nan() && number.is_nan()
                            && same.is_sign_negative() == number.is_sign_negative()));
                }
            }
        }
    }
}
