//! Defines the types of value that a key can hold; knows no commands and no replies.

pub mod digest;
pub mod geo;
pub mod hash;
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

/// The longest string that a command may make grow, in bytes: eight times less than Redis allows, because in a page
/// the memory for more may not be there.
pub const LONGEST_STRING: usize = 64 << 20;

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
        match self {
            Value::String(string) => string.len(),
            Value::Hash(hash) => {
                hash.iter().map(|(field, value)| 48 + field.len() + value.len()).sum()
            }
            Value::List(list) => list.iter().map(|element| 24 + element.len()).sum(),
            Value::Set(set) => set.memory(),
            Value::SortedSet(set) => set.memory(),
            Value::Stream(stream) => stream.memory(),
        }
    }

    /// What OBJECT REFCOUNT prints: Redis shares the integers below 10000 among all keys, and says so.
    pub fn references(&self) -> i64 {
        match self {
            Value::String(string) if string.is_small_integer() => i64::from(i32::MAX),
            _ => 1,
        }
    }
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
