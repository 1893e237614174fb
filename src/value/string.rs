//! Defines the string value: bytes, or an integer kept as one.

/// A string, kept as an integer where its text is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StringValue {
    /// Text that is the shortest decimal form of a 64-bit integer.
    Integer(i64),
    /// Any other bytes.
    Bytes(Vec<u8>),
}

impl Default for StringValue {
    fn default() -> Self {
        StringValue::Bytes(Vec::new())
    }
}

impl StringValue {
    /// The name that OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        match self {
            StringValue::Integer(_) => "int",
            StringValue::Bytes(bytes) if bytes.len() <= 44 => "embstr",
            StringValue::Bytes(_) => "raw",
        }
    }
}
