//! Defines the hash value.

use crate::keyspace::dict::Dict;

/// Fields and their values, in insertion order.
#[derive(Clone, Default)]
pub struct Hash {
    fields: Dict<Vec<u8>>,
}

impl Hash {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// No fields; such a hash is never stored.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The name that OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        "listpack"
    }
}
