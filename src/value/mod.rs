//! Defines the types of value that a key can hold; knows no commands and no replies.

pub mod digest;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod listpack;
pub mod score_tree;
pub mod set;
pub mod sorted_set;
pub mod stream;
pub mod string;

use hash::Hash;
use list::List;
use set::Set;
use sorted_set::SortedSet;
use stream::Stream;
use string::StringValue;

/// What a key holds.
#[derive(Clone)]
pub enum Value {
    /// A string.
    String(StringValue),
    /// A hash.
    Hash(Hash),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A sorted set.
    SortedSet(SortedSet),
    /// A stream, in a box: it is larger than the others.
    Stream(Box<Stream>),
}

impl Value {
    /// The name that TYPE prints.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
            Value::Hash(_) => "hash",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::SortedSet(_) => "zset",
            Value::Stream(_) => "stream",
        }
    }

    /// The name that OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        match self {
            Value::String(string) => string.encoding(),
            Value::Hash(hash) => hash.encoding(),
            Value::List(list) => list.encoding(),
            Value::Set(set) => set.encoding(),
            Value::SortedSet(set) => set.encoding(),
            Value::Stream(_) => "stream",
        }
    }

    /// Bytes beyond the value's own size, nearly.
    pub fn memory(&self) -> usize {
        self.sampled_memory(0)
    }

    /// The same, if so many elements stand for all, half of them from either end; 0 means all.
    pub fn sampled_memory(&self, samples: usize) -> usize {
        match self {
            Value::String(string) => string.len(),
            Value::Hash(hash) => sampled(samples, hash.len(), &mut hash.iter().map(hash::cost)),
            Value::List(list) => sampled(samples, list.len(), &mut list.iter().map(list::cost)),
            Value::Set(Set::Intset(integers)) => size_of_val(integers.as_slice()),
            Value::Set(Set::Table(members)) => {
                sampled(samples, members.len(), &mut members.keys().map(set::cost))
            }
            Value::SortedSet(set) => sampled(samples, set.len(), &mut set.costs()),
            Value::Stream(stream) => stream.memory(samples),
        }
    }

    /// What OBJECT REFCOUNT prints: Redis shares the integers below 10000 among all keys, and says so.
    pub fn references(&self) -> i64 {
        match self {
            Value::String(string) if string.is_shared() => i64::from(i32::MAX),
            _ => 1,
        }
    }
}

/// The sum of what so many elements cost, taken from some of them.
fn sampled(samples: usize, len: usize, costs: &mut dyn DoubleEndedIterator<Item = usize>) -> usize {
    if samples == 0 || len <= samples {
        return costs.sum();
    }
    let first: usize = costs.take(samples.div_ceil(2)).sum();
    let last: usize = costs.rev().take(samples / 2).sum();
    let all = (first + last) as u128 * len as u128 / samples as u128;
    usize::try_from(all).unwrap_or(usize::MAX)
}

/// One type of value: how to see it in a [`Value`] and how to make an empty one.
pub trait Kind: Default {
    /// The value, if it is of this type.
    fn of(value: &Value) -> Option<&Self>;
    /// The value to change, if it is of this type.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// Into what a key holds.
    fn wrap(self) -> Value;
}

macro_rules! kinds {
    ($($type:ty => $variant:ident,)*) => {$(
        impl Kind for $type {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$variant(value) = value { Some(value) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$variant(value) = value { Some(value) } else { None }
            }
            fn wrap(self) -> Value {
                Value::$variant(self)
            }
        }
    )*};
}

kinds! {
    StringValue => String,
    Hash => Hash,
    List => List,
    Set => Set,
    SortedSet => SortedSet,
}

impl Kind for Stream {
    fn of(value: &Value) -> Option<&Self> {
        if let Value::Stream(value) = value { Some(value) } else { None }
    }
    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        if let Value::Stream(value) = value { Some(value) } else { None }
    }
    fn wrap(self) -> Value {
        Value::Stream(Box::new(self))
    }
}
