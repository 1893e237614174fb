//! Defines what an operator may need several time slices for: the hash of a very long key, and the growth of a large table.
//!
//! Nothing is left half done. Whoever is told that fuel is spent, an instruction or a native, is done again from its
//! beginning in the next slice, and then finds here how far the work is.

use super::machine::{Fault, Machine};
use super::native::PIECE;
use super::packed::Packed;
use super::table::Table;
use super::value::{Str, hash_on};

/// From this length on the hash of a key is worked out in time slices.
const LONG_TO_HASH: usize = 1 << 16;

impl<'gc> Machine<'_, 'gc> {
    /// Gets the hash of a key that is a very long string ready, which takes a look at each byte. Gives whether it is:
    /// otherwise fuel is spent, and the key must wait until there is more.
    #[inline]
    pub fn hash_key(&mut self, key: Packed<'gc>) -> bool {
        key.as_str().is_none_or(|text| {
            text.bytes().len() < LONG_TO_HASH || text.known_hash() != 0 || self.hash_on(text)
        })
    }

    #[cold]
    fn hash_on(&mut self, text: Str<'gc>) -> bool {
        let begun = self
            .state
            .hashing
            .take()
            .filter(|begun| Packed::string(begun.0).is(Packed::string(text)));
        let length = text.bytes().len();
        let (_, mut rest, mut hash) = begun.unwrap_or((text, length, length as u32));
        // A piece at least, however little fuel there is: who asks may ask anew each time.
        loop {
            let start = rest.saturating_sub(PIECE);
            hash = hash_on(hash, &text.bytes()[start..rest]);
            self.pay_for_each(rest - start);
            rest = start;
            if rest == 0 {
                break;
            }
            if self.fuel <= 0 {
                self.state.hashing = Some((text, rest, hash));
                return false;
            }
        }
        text.set_hash(hash);
        true
    }

    /// As [`Machine::raw_set`], but with a very long key or a table that has to grow it may take several time slices. Gives
    /// whether it is done: otherwise fuel is spent, and whoever asks must ask again before anything else happens.
    #[inline]
    pub(crate) fn set_in_slices(
        &mut self,
        table: Table<'gc>,
        key: Packed<'gc>,
        value: Packed<'gc>,
    ) -> Result<bool, Fault<'gc>> {
        // As nearly always.
        if !table.is_read_only()
            && self.hash_key(key)
            && table.set_in_room(self.mc, key, value) == Ok(true)
        {
            return Ok(true);
        }
        self.set_slowly(table, key, value)
    }

    #[cold]
    fn set_slowly(
        &mut self,
        table: Table<'gc>,
        key: Packed<'gc>,
        value: Packed<'gc>,
    ) -> Result<bool, Fault<'gc>> {
        /// For each piece of work on a table that grows.
        const FUEL: i64 = 400;
        if table.is_read_only() {
            return Err(self.error_here("Attempt to modify a readonly table"));
        }
        if !self.hash_key(key) {
            return Ok(false);
        }
        while !table.set_in_room(self.mc, key, value).map_err(|error| self.key_error(error))? {
            let begun = self.state.growing.take().filter(|(growing, _)| *growing == table);
            let mut growth = begun.map(|(_, growth)| growth);
            loop {
                table.grow(self.mc, key, &mut growth).map_err(|error| self.key_error(error))?;
                self.fuel -= FUEL;
                if growth.is_none() {
                    break;
                }
                if self.fuel <= 0 {
                    self.state.growing = growth.map(|growth| (table, growth));
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
