//! Defines the digest of values: equal for values that hold the same, however they are kept.

use super::Value;
use super::stream::id::Id;
use crate::number::format_g;
use sha1::{Digest as _, Sha1};

/// A digest to which parts are added.
#[derive(Clone, Copy, Default)]
pub struct Digest(pub [u8; 20]);

impl Digest {
    /// Adds a part whose order among the others does not matter.
    pub fn xor(&mut self, part: &[u8]) {
        let hashed: [u8; 20] = Sha1::digest(part).into();
        self.0.iter_mut().zip(hashed).for_each(|(byte, other)| *byte ^= other);
    }

    /// Adds a part whose order does matter.
    pub fn mix(&mut self, part: &[u8]) {
        self.xor(part);
        self.0 = Sha1::digest(self.0).into();
    }

    /// Adds parts that belong together, and whose order among the others does not matter.
    fn xor_pair(&mut self, first: &[u8], second: &[u8]) {
        let mut pair = Digest::default();
        pair.mix(first);
        pair.mix(second);
        self.xor(&pair.0);
    }

    /// Adds a value, its type first.
    pub fn mix_value(&mut self, value: &Value) {
        let number: u32 = match value {
            Value::String(_) => 0,
            Value::List(_) => 1,
            Value::Set(_) => 2,
            Value::SortedSet(_) => 3,
            Value::Hash(_) => 4,
            Value::Stream(_) => 6,
        };
        self.mix(&number.to_be_bytes());
        match value {
            Value::String(string) => self.mix(&string.bytes()),
            Value::List(list) => list.iter().for_each(|element| self.mix(element)),
            Value::Set(set) => set.members().iter().for_each(|member| self.xor(member)),
            Value::SortedSet(set) => set.members().into_iter().for_each(|(member, score)| {
                self.xor_pair(member, &format_g(score, 17));
            }),
            Value::Stream(stream) => {
                for entry in stream.range(Id::MIN, Id::MAX, false, usize::MAX) {
                    let id = [entry.id.milliseconds().to_string(), entry.id.sequence().to_string()];
                    self.mix(id.join(".").as_bytes());
                    entry.fields.iter().for_each(|part| self.mix(part));
                }
            }
            Value::Hash(hash) => {
                hash.iter().for_each(|(field, value)| self.xor_pair(field, value));
            }
        }
    }

    /// Its forty hexadecimal digits.
    pub fn hex(self) -> Vec<u8> {
        hex::encode(self.0).into_bytes()
    }
}
