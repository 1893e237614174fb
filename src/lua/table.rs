//! Defines tables as PUC-Rio builds them, so that `pairs`, `next` and `#` agree with it for any history.
//!
//! An array part holds the keys `1..=n`, a node vector of a power of two the rest. A key's main position is its hash;
//! a collision takes the highest free node, found by a pointer that only moves down; when none is left, everything is
//! counted and inserted again, from the top. For a large table that is done in time slices.
//!
//! Long because a table's look-ups, insertions and growth rely on one layout.

// A look-up without the count of borrows that a `RefCell` keeps is a tenth faster.
#![allow(unsafe_code)]

use super::operators::Event;
use super::packed::Packed;
use super::value::{Str, Value, hash};
use allocator_api2::vec::Vec as MeteredVec;
use gc_arena::allocator_api::MetricsAlloc;
use gc_arena::lock::RefLock;
use gc_arena::{Collect, Collection, Gc, GcWeak, Mutation};
use std::cell::RefCell;

/// The largest array part is `2^26` long.
const MAX_BITS: usize = 26;
const NONE: u32 = u32::MAX;
/// Entries from which on a table grows in time slices, where whoever sets a key can wait.
const LARGE: usize = if cfg!(miri) { 1 << 6 } else { 1 << 15 };
/// Entries of such a table that are worked on at once. Miri, which is slow, is to see it too.
const GROWN_AT_ONCE: usize = if cfg!(miri) { 1 << 3 } else { 1 << 10 };

/// Why a key cannot be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// `table index is nil`
    Nil,
    /// `table index is NaN`
    NaN,
    /// `table overflow`
    Overflow,
}

impl KeyError {
    /// The message.
    pub fn text(self) -> &'static str {
        match self {
            KeyError::Nil => "table index is nil",
            KeyError::NaN => "table index is NaN",
            KeyError::Overflow => "table overflow",
        }
    }
}

/// A key from which a table cannot go on to the next: it does not have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownKey;

/// A table; copies are the same table.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Table<'gc>(pub(super) Gc<'gc, Object<'gc>>);

impl PartialEq for Table<'_> {
    fn eq(&self, other: &Self) -> bool {
        Gc::ptr_eq(self.0, other.0)
    }
}

/// A table's identity, which can be read even while its state changes: a table may be a key of itself.
#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct Object<'gc> {
    id: u32,
    state: RefLock<TableState<'gc>>,
}

struct TableState<'gc> {
    array: MeteredVec<Packed<'gc>, MetricsAlloc<'gc>>,
    nodes: MeteredVec<Node<'gc>, MetricsAlloc<'gc>>,
    /// Nodes at or above this have been tried as free ones.
    last_free: u32,
    metatable: Option<Table<'gc>>,
    /// A bit for each [`Event`] that this table, as a metatable, is known not to have.
    absent: u32,
    read_only: bool,
    /// The table itself, if it has ever had a metatable: for [`FOUND_WEAK`].
    itself: Option<GcWeak<'gc, Object<'gc>>>,
}

/// What a table does not keep alive, as the `__mode` of its metatable says: keys or values that are objects.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Weakness {
    keys: bool,
    values: bool,
}

/// Weak tables of one arena that a collection has come by.
#[derive(Default)]
pub(super) struct FoundWeak(Vec<GcWeak<'static, Object<'static>>>);

thread_local! {
    /// Those that the collector has come by since [`FoundWeak::take_over`].
    static FOUND_WEAK: RefCell<Vec<GcWeak<'static, Object<'static>>>> = const { RefCell::new(Vec::new()) };
}

impl FoundWeak {
    /// To be called at once behind each piece of the collector's work, for its arena.
    pub(super) fn take_over(&mut self) {
        FOUND_WEAK.with_borrow_mut(|found| self.0.append(found));
    }

    /// Lets the tables forget what the collector is about to take, or has taken. To be called when it has marked all that
    /// stays, before anything else happens in the arena.
    pub(super) fn purge(&mut self, mc: &Mutation<'_>) {
        for weak in self.0.drain(..) {
            // SAFETY: only the lifetime is another: it is one of this arena's tables, and the collection keeps it.
            let weak = unsafe { std::mem::transmute::<GcWeak<'static, _>, GcWeak<'_, _>>(weak) };
            if let Some(table) = weak.upgrade(mc).map(Table) {
                let weakness = table.state().weakness();
                table.change(mc, |state| state.purge(mc, weakness));
            }
        }
    }
}

// SAFETY: every pointer is traced; what is weak only weakly, and then `FoundWeak::purge` has it forgotten before
// anybody looks.
unsafe impl Collect for TableState<'_> {
    fn trace(&self, collection: &Collection) {
        let trace = |value: Packed<'_>, weakly: bool| {
            if weakly { value.trace_weakly(collection) } else { value.trace(collection) }
        };
        let weak = self.weakness();
        for value in &self.array {
            trace(*value, weak.values);
        }
        for node in &self.nodes {
            trace(node.key, weak.keys);
            trace(node.value, weak.values);
        }
        self.metatable.trace(collection);
        if weak != Weakness::default()
            && let Some(itself) = self.itself
        {
            // SAFETY: only the lifetime is another. `FoundWeak::purge` takes it when all is marked, and this table is.
            let itself =
                unsafe { std::mem::transmute::<GcWeak<'_, _>, GcWeak<'static, _>>(itself) };
            FOUND_WEAK.with_borrow_mut(|found| found.push(itself));
        }
    }
}

#[derive(Clone, Copy)]
struct Node<'gc> {
    key: Packed<'gc>,
    value: Packed<'gc>,
    next: u32,
}

impl<'gc> Table<'gc> {
    /// A new table with room for `array` items and `hash` fields.
    pub fn new(mc: &Mutation<'gc>, id: u32, array: usize, hash: usize) -> Table<'gc> {
        let mut state = TableState::empty(MetricsAlloc::new(mc));
        if array > 0 {
            state.array.resize(array, Packed::NIL);
        }
        if hash > 0 {
            state.add_nodes(1 << ceil_log2(hash));
        }
        Table(Gc::new(mc, Object { id, state: RefLock::new(state) }))
    }

    #[inline(always)]
    fn state(&self) -> &TableState<'gc> {
        // SAFETY: nothing outside of this file reaches the state, no method here keeps a reference to it when it
        // returns, and none calls one that changes it while it has one. There is one thread.
        unsafe { &*self.0.state.as_ptr() }
    }

    #[inline(always)]
    fn change<R>(self, mc: &Mutation<'gc>, change: impl FnOnce(&mut TableState<'gc>) -> R) -> R {
        Gc::write(mc, self.0);
        // SAFETY: as in `state`; `change` is a closure of this file that touches this one table only. The collector
        // has been told of the write.
        change(unsafe { &mut *self.0.state.as_ptr() })
    }

    /// The value of a key, without metamethods.
    pub fn get(self, key: Value<'gc>) -> Value<'gc> {
        self.get_packed(key.into()).unpack()
    }

    /// See [`Table::get`].
    #[inline]
    pub(super) fn get_packed(self, key: Packed<'gc>) -> Packed<'gc> {
        self.state().get(key)
    }

    /// See [`Table::get`], for a string.
    #[inline]
    pub(super) fn get_str(self, key: Str<'gc>) -> Packed<'gc> {
        self.state().get_str(key)
    }

    /// The value of the field of this name, without metamethods and without making a Lua string of it.
    pub fn field(self, name: &[u8]) -> Value<'gc> {
        self.state().find_str(hash(name), |text| text.bytes() == name).unpack()
    }

    /// All entries in the order of `pairs`.
    pub fn entries(self) -> Vec<(Value<'gc>, Value<'gc>)> {
        let mut entries = Vec::new();
        let mut key = Value::Nil;
        while let Ok(Some((next, value))) = self.next(key) {
            entries.push((next, value));
            key = next;
        }
        entries
    }

    /// The value of `t[index]`, without metamethods.
    pub fn get_index(self, index: usize) -> Value<'gc> {
        self.get_item(index).unpack()
    }

    /// See [`Table::get_index`].
    #[inline(always)]
    pub(super) fn get_item(self, index: usize) -> Packed<'gc> {
        let state = self.state();
        match state.array.get(index.wrapping_sub(1)) {
            Some(value) => *value,
            None => state.get_number(index as f64),
        }
    }

    /// Sets a key, without metamethods. Whether the table is read-only is for the caller to look at.
    pub fn set(
        self,
        mc: &Mutation<'gc>,
        key: Value<'gc>,
        value: Value<'gc>,
    ) -> Result<(), KeyError> {
        self.set_packed(mc, key.into(), value.into())
    }

    /// See [`Table::set`].
    pub(super) fn set_packed(
        self,
        mc: &Mutation<'gc>,
        key: Packed<'gc>,
        value: Packed<'gc>,
    ) -> Result<(), KeyError> {
        self.change(mc, |state| {
            if state.set(key, value)? {
                return Ok(());
            }
            state.rehash(key)?;
            state.set(key, value).map(|_| ())
        })
    }

    /// As [`Table::set`], but does nothing if the table is large and has to grow first ([`Table::grow`]). Gives whether
    /// it did.
    pub(super) fn set_in_room(
        self,
        mc: &Mutation<'gc>,
        key: Packed<'gc>,
        value: Packed<'gc>,
    ) -> Result<bool, KeyError> {
        self.change(mc, |state| state.set(key, value))
    }

    /// Lets a table grow to have room for a key, as far as a piece of work goes. `growth` is how far that is: none before
    /// the first piece and behind the last.
    ///
    /// Nothing may happen to the table between two pieces.
    pub(super) fn grow(
        self,
        mc: &Mutation<'gc>,
        key: Packed<'gc>,
        growth: &mut Option<Growth<'gc>>,
    ) -> Result<(), KeyError> {
        if self.state().weakness() != Weakness::default() {
            // What a collection takes of it would stay in its new parts.
            return self.change(mc, |state| state.rehash(key));
        }
        let mut at_work = growth.take().unwrap_or_else(|| Growth::for_key(key));
        if at_work.go_on(self.state(), GROWN_AT_ONCE)? {
            self.change(mc, |state| at_work.finish(state));
        } else {
            *growth = Some(at_work);
        }
        Ok(())
    }

    /// Sets a key if that is all that `t[key] = value` has to do: the table may be written to, no `__newindex` can
    /// have a say, and the key is possible. Gives whether it did.
    #[inline]
    pub(super) fn set_plainly(
        self,
        mc: &Mutation<'gc>,
        key: Packed<'gc>,
        value: Packed<'gc>,
    ) -> bool {
        let state = self.state();
        if state.read_only || state.metatable.is_some_and(|table| !table.lacks(Event::NewIndex)) {
            return false;
        }
        self.change(mc, |state| state.set(key, value) == Ok(true))
    }

    /// The value of a key, if it can be told without a call.
    #[inline(always)]
    pub(super) fn quick_get(self, key: Packed<'gc>) -> Option<Packed<'gc>> {
        match key.as_number() {
            Some(number) => self.state().item(number).copied(),
            None => self.quick_field(key),
        }
    }

    /// The value of a field, if it can be told without a call: a string of the same bytes that is another object is
    /// not compared, nor hashed.
    #[inline(always)]
    pub(super) fn quick_field(self, name: Packed<'gc>) -> Option<Packed<'gc>> {
        let state = self.state();
        let hash = name.as_str()?.known_hash();
        let mut at = hash as usize & state.nodes.len().wrapping_sub(1);
        while let Some(node) = state.nodes.get(at) {
            if node.key.is(name) {
                return Some(node.value);
            }
            if node.key.as_str().is_some_and(|text| text.known_hash() == hash) {
                return None;
            }
            at = node.next as usize;
        }
        (hash != 0).then_some(Packed::NIL)
    }

    /// Gives a key that is there another value, if that takes no call and `t[key] = value` has to do no more. Gives
    /// whether it did.
    #[inline(always)]
    pub(super) fn quick_set(self, key: Packed<'gc>, value: Packed<'gc>) -> bool {
        let Some(number) = key.as_number() else { return self.quick_set_field(key, value) };
        // SAFETY: as in `state`. What is written is no pointer, so the collector need not hear of it.
        let state = unsafe { &mut *self.0.state.as_ptr() };
        if value.is_object() || state.read_only || state.metatable.is_some() {
            return false;
        }
        let Some(place) = state.item_mut(number) else { return false };
        *place = value;
        true
    }

    /// See [`Table::quick_set`], for a string.
    #[inline(always)]
    pub(super) fn quick_set_field(self, name: Packed<'gc>, value: Packed<'gc>) -> bool {
        // SAFETY: as in `quick_set`.
        let state = unsafe { &mut *self.0.state.as_ptr() };
        if value.is_object() || state.read_only {
            return false;
        }
        let Some(hash) = name.as_str().map(Str::known_hash) else { return false };
        let mut at = hash as usize & state.nodes.len().wrapping_sub(1);
        while let Some(node) = state.nodes.get_mut(at) {
            if node.key.is(name) {
                // A field that is nil is for `__newindex`, and a metatable is to forget that it lacked it.
                if node.value.is_nil() {
                    return false;
                }
                node.value = value;
                return true;
            }
            at = node.next as usize;
        }
        false
    }

    /// `#t`, if it can be told without a call: the border is in the array part.
    #[inline(always)]
    pub(super) fn quick_length(self) -> Option<usize> {
        self.state().border()
    }

    /// Puts values at the indices from `first` on; the array part grows to hold them.
    pub(super) fn set_items(self, mc: &Mutation<'gc>, first: usize, values: &[Packed<'gc>]) {
        self.change(mc, |state| {
            // More items than the constructor's size hint could say.
            let count = (first + values.len()).saturating_sub(1);
            if count > state.array.len() {
                // The node vector keeps its size, so it cannot overflow.
                let _ = state.grow(Growth::to(state, count, state.nodes.len()));
            }
            for (place, value) in values.iter().enumerate() {
                // A whole number is always a possible key, and there is room.
                let _ = state.set(Packed::number((first + place) as f64), *value);
            }
        });
    }

    /// The metatable.
    #[inline]
    pub fn metatable(self) -> Option<Table<'gc>> {
        self.state().metatable
    }

    /// Gives it a metatable, or takes it away.
    pub fn set_metatable(self, mc: &Mutation<'gc>, metatable: Option<Table<'gc>>) {
        self.change(mc, |state| {
            state.metatable = metatable;
            state.itself = Some(Gc::downgrade(self.0));
        });
    }

    /// Writes raise an error: the tables that Redis shares between scripts.
    pub fn is_read_only(self) -> bool {
        self.state().read_only
    }

    /// Makes writes raise an error from now on.
    pub fn make_read_only(self, mc: &Mutation<'gc>) {
        self.change(mc, |state| state.read_only = true);
    }

    /// A number of its own: what `tostring` shows as its address.
    pub fn id(self) -> u32 {
        self.0.id
    }

    /// What this table, as a metatable, has for an event. Remembers that it has nothing: most look-ups find that.
    pub(super) fn handler(self, mc: &Mutation<'gc>, event: Event, name: Str<'gc>) -> Packed<'gc> {
        if self.lacks(event) {
            return Packed::NIL;
        }
        let found = self.get_str(name);
        if found.is_nil() {
            self.change(mc, |state| state.absent |= 1 << event as u32);
        }
        found
    }

    /// Whether this table, as a metatable, is known to have nothing for an event.
    #[inline(always)]
    fn lacks(self, event: Event) -> bool {
        self.state().absent & 1 << event as u32 != 0
    }

    /// `#t`: a border, found as PUC-Rio finds it.
    pub fn length(self) -> usize {
        self.state().length()
    }

    /// The entry behind a key in the order of `pairs`, `None` behind the last; an error if the key is not there.
    pub fn next(self, key: Value<'gc>) -> Result<Option<(Value<'gc>, Value<'gc>)>, UnknownKey> {
        let entry = self.next_packed(key.into())?;
        Ok(entry.map(|(key, value)| (key.unpack(), value.unpack())))
    }

    /// See [`Table::next`].
    pub(super) fn next_packed(
        self,
        key: Packed<'gc>,
    ) -> Result<Option<(Packed<'gc>, Packed<'gc>)>, UnknownKey> {
        self.state().next(key)
    }
}

/// The smallest `n` with `size <= 2^n`.
fn ceil_log2(size: usize) -> usize {
    if size <= 1 { 0 } else { (usize::BITS - (size - 1).leading_zeros()) as usize }
}

/// A key as a place in an array part: a whole number from 1 to 2^26.
fn array_index(key: Packed<'_>) -> Option<usize> {
    Some(place_of(key.as_number()?)? + 1)
}

/// Where `t[number]` is in an array part, if that is long enough: the number less one, if it is a whole one from 1 on.
///
/// A sum with 2^52 has the rest of a small number in its lowest bits. That takes a third of the time of a conversion
/// that saturates.
#[inline(always)]
fn place_of(number: f64) -> Option<usize> {
    const BIAS: f64 = (1u64 << 52) as f64;
    let biased = number + BIAS;
    // Of anything but small whole numbers from 1 on this is too large for an array part: negative ones wrap.
    let place = biased.to_bits().wrapping_sub(BIAS.to_bits()).wrapping_sub(1);
    (biased - BIAS == number && place < 1 << MAX_BITS).then_some(place as usize)
}

impl<'gc> TableState<'gc> {
    /// What its metatable says now: PUC-Rio, too, asks at each collection.
    fn weakness(&self) -> Weakness {
        let Some(metatable) = self.metatable else { return Weakness::default() };
        let name = b"__mode";
        let mode = metatable.state().find_str(hash(name), |key| key.bytes() == name);
        let mode = mode.as_str().map_or(&b""[..], Str::bytes);
        Weakness { keys: mode.contains(&b'k'), values: mode.contains(&b'v') }
    }

    /// Forgets what it held weakly and the collector has taken.
    fn purge(&mut self, mc: &Mutation<'gc>, weak: Weakness) {
        if weak.values {
            for value in self.array.iter_mut().filter(|value| value.is_lost(mc)) {
                *value = Packed::NIL;
            }
        }
        for node in &mut self.nodes {
            if weak.keys && node.key.is_lost(mc) {
                node.key = Packed::LOST_KEY;
                node.value = Packed::NIL;
            }
            if weak.values && node.value.is_lost(mc) {
                node.value = Packed::NIL;
            }
        }
    }

    /// Adds nodes to those that are there, all of them free.
    fn add_nodes(&mut self, count: usize) {
        let size = self.nodes.len() + count;
        self.nodes.resize(size, Node { key: Packed::NIL, value: Packed::NIL, next: NONE });
        self.last_free = size as u32;
    }

    #[inline]
    fn main_position(&self, key: Packed<'gc>) -> usize {
        let size = self.nodes.len();
        if let Some(text) = key.as_str() {
            return text.hash() as usize & (size - 1);
        }
        // Where PUC-Rio hashes an address we hash the object's number: its order is as arbitrary, but always the same.
        let by_number = |number: u32| number as usize % ((size - 1) | 1);
        match key.unpack() {
            Value::Number(0.0) => 0,
            Value::Number(number) => {
                let bits = number.to_bits();
                by_number((bits as u32).wrapping_add((bits >> 32) as u32))
            }
            Value::Boolean(value) => usize::from(value) & (size - 1),
            Value::Table(table) => by_number(table.id()),
            Value::Closure(closure) => by_number(closure.id()),
            Value::Native(native) => by_number(native.id()),
            Value::Coroutine(coroutine) => by_number(coroutine.id()),
            Value::Userdata(number) => by_number(number),
            Value::Nil | Value::String(_) => 0,
        }
    }

    /// The node of a key. nil has none.
    fn find(&self, key: Packed<'gc>) -> Option<usize> {
        if self.nodes.is_empty() || key.is_nil() {
            return None;
        }
        let mut at = self.main_position(key);
        // Behind the last there is none: no index is as large as NONE.
        while let Some(node) = self.nodes.get(at) {
            if node.key.equals(key) {
                return Some(at);
            }
            at = node.next as usize;
        }
        None
    }

    #[inline(always)]
    fn get(&self, key: Packed<'gc>) -> Packed<'gc> {
        if let Some(number) = key.as_number() {
            self.get_number(number)
        } else if let Some(text) = key.as_str() {
            self.get_str(text)
        } else {
            self.find(key).map_or(Packed::NIL, |at| self.nodes[at].value)
        }
    }

    #[inline(always)]
    fn get_str(&self, key: Str<'gc>) -> Packed<'gc> {
        self.find_str(key.hash(), |text| text == key)
    }

    #[inline(always)]
    fn find_str(&self, hash: u32, is_key: impl Fn(Str<'gc>) -> bool) -> Packed<'gc> {
        let mut at = hash as usize & self.nodes.len().wrapping_sub(1);
        while let Some(node) = self.nodes.get(at) {
            if node.key.as_str().is_some_and(&is_key) {
                return node.value;
            }
            // Behind the last there is none: no index is as large as NONE.
            at = node.next as usize;
        }
        Packed::NIL
    }

    /// The place of `t[number]` in the array part, if it has one there.
    #[inline(always)]
    fn item(&self, number: f64) -> Option<&Packed<'gc>> {
        self.array.get(place_of(number)?)
    }

    #[inline(always)]
    fn item_mut(&mut self, number: f64) -> Option<&mut Packed<'gc>> {
        self.array.get_mut(place_of(number)?)
    }

    #[inline(always)]
    fn get_number(&self, number: f64) -> Packed<'gc> {
        if let Some(value) = self.item(number) {
            return *value;
        }
        self.find(Packed::number(number)).map_or(Packed::NIL, |at| self.nodes[at].value)
    }

    /// Sets a key. Gives whether that could be done: a large table may have to grow first.
    #[inline(always)]
    fn set(&mut self, key: Packed<'gc>, value: Packed<'gc>) -> Result<bool, KeyError> {
        if let Some(number) = key.as_number()
            && let Some(place) = self.item_mut(number)
        {
            *place = value;
            return Ok(true);
        }
        self.absent = 0;
        if let Some(text) = key.as_str() {
            return self.set_str(text, value);
        }
        if let Some(at) = self.find(key) {
            self.nodes[at].value = value;
            return Ok(true);
        }
        // A free node has nil for its key.
        if key.is_nil() {
            return Err(KeyError::Nil);
        }
        if key.as_number().is_some_and(f64::is_nan) {
            return Err(KeyError::NaN);
        }
        // As `lua_settable` does, a key is made even for nil.
        self.insert(key, value)
    }

    #[inline(always)]
    fn set_str(&mut self, text: Str<'gc>, value: Packed<'gc>) -> Result<bool, KeyError> {
        let home = text.hash() as usize & self.nodes.len().wrapping_sub(1);
        let mut at = home;
        while let Some(node) = self.nodes.get_mut(at) {
            if node.key.as_str() == Some(text) {
                node.value = value;
                return Ok(true);
            }
            at = node.next as usize;
        }
        let key = Packed::string(text);
        match self.nodes.get_mut(home) {
            // The common case of `insert`: nothing has ever been there.
            Some(node) if node.key.is_nil() => {
                *node = Node { key, value, next: NONE };
                Ok(true)
            }
            _ => self.insert(key, value),
        }
    }

    /// Sets a key that is not there; see [`TableState::set`].
    fn insert(&mut self, key: Packed<'gc>, value: Packed<'gc>) -> Result<bool, KeyError> {
        if self.nodes.is_empty() {
            return self.set_grown(key, value);
        }
        let mut at = self.main_position(key);
        if !self.nodes[at].value.is_nil() {
            let Some(free) = self.free_node() else { return self.set_grown(key, value) };
            let mut other = self.main_position(self.nodes[at].key);
            if other == at {
                // The node that is there is at home: the new key goes to the free one, second in the chain.
                self.nodes[free].next = self.nodes[at].next;
                self.nodes[at].next = free as u32;
                at = free;
            } else {
                // It is a guest: it moves to the free node, and the new key takes its place.
                while self.nodes[other].next as usize != at {
                    other = self.nodes[other].next as usize;
                }
                self.nodes[other].next = free as u32;
                self.nodes[free] = self.nodes[at];
                self.nodes[at].next = NONE;
            }
        }
        self.nodes[at].key = key;
        self.nodes[at].value = value;
        Ok(true)
    }

    /// Sets a key for which there is no room, if the table is not large.
    fn set_grown(&mut self, key: Packed<'gc>, value: Packed<'gc>) -> Result<bool, KeyError> {
        if self.array.len() + self.nodes.len() >= LARGE {
            return Ok(false);
        }
        self.rehash(key)?;
        self.set(key, value)
    }

    fn free_node(&mut self) -> Option<usize> {
        while self.last_free > 0 {
            self.last_free -= 1;
            if self.nodes[self.last_free as usize].key.is_nil() {
                return Some(self.last_free as usize);
            }
        }
        None
    }

    /// Makes room for one more key: both parts get the sizes that fit what is there now.
    fn rehash(&mut self, extra: Packed<'gc>) -> Result<(), KeyError> {
        self.grow(Growth::for_key(extra))
    }

    fn grow(&mut self, mut growth: Growth<'gc>) -> Result<(), KeyError> {
        while !growth.go_on(self, usize::MAX)? {}
        growth.finish(self);
        Ok(())
    }

    fn empty(allocator: MetricsAlloc<'gc>) -> TableState<'gc> {
        TableState {
            array: MeteredVec::new_in(allocator.clone()),
            nodes: MeteredVec::new_in(allocator),
            last_free: 0,
            metatable: None,
            absent: 0,
            read_only: false,
            itself: None,
        }
    }

    /// The border that PUC-Rio finds in the array part, if it looks no further.
    #[inline(always)]
    fn border(&self) -> Option<usize> {
        let mut high = self.array.len();
        if self.array.last().is_none_or(|last| !last.is_nil()) {
            return self.nodes.is_empty().then_some(high);
        }
        let mut low = 0;
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if self.array.get(middle - 1).is_none_or(|value| value.is_nil()) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(low)
    }

    /// A border `n`: `t[n]` is not nil and `t[n + 1]` is, or 0.
    fn length(&self) -> usize {
        if let Some(border) = self.border() {
            return border;
        }
        let mut high = self.array.len();
        let mut low = high;
        high += 1;
        while !self.get_number(high as f64).is_nil() {
            low = high;
            high *= 2;
            if high > i32::MAX as usize - 2 {
                // A table made to mislead the search: go through it one by one.
                let mut at = 1;
                while !self.get_number(at as f64).is_nil() {
                    at += 1;
                }
                return at - 1;
            }
        }
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if self.get_number(middle as f64).is_nil() {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }

    #[inline(always)]
    fn next(&self, key: Packed<'gc>) -> Result<Option<(Packed<'gc>, Packed<'gc>)>, UnknownKey> {
        let start = if key.is_nil() {
            0
        } else {
            match array_index(key).filter(|index| *index <= self.array.len()) {
                Some(index) => index,
                None => self.find(key).ok_or(UnknownKey)? + self.array.len() + 1,
            }
        };
        for at in start..self.array.len() {
            if !self.array[at].is_nil() {
                return Ok(Some((Packed::number((at + 1) as f64), self.array[at])));
            }
        }
        let nodes = self.nodes.iter().skip(start.saturating_sub(self.array.len()));
        Ok(nodes.filter(|node| !node.value.is_nil()).map(|node| (node.key, node.value)).next())
    }
}

/// What a table that has to grow has in it, and the key for which it grows.
struct Census {
    /// How many keys there are in `2^(i-1) < key <= 2^i`.
    counts: [usize; MAX_BITS + 1],
    in_array: usize,
    total: usize,
    /// Entries that have been looked at: those of the array part, then the nodes.
    seen: usize,
}

impl Census {
    fn new(extra: Packed<'_>) -> Census {
        let mut census = Census { counts: [0; MAX_BITS + 1], in_array: 0, total: 1, seen: 0 };
        census.add(extra);
        census
    }

    #[inline]
    fn add(&mut self, key: Packed<'_>) {
        if let Some(index) = array_index(key) {
            self.counts[ceil_log2(index)] += 1;
            self.in_array += 1;
        }
    }

    /// Looks at some more entries. Gives whether it has seen them all.
    fn go_on(&mut self, table: &TableState<'_>, most: usize) -> bool {
        let items = table.array.iter().enumerate().skip(self.seen).take(most);
        let (mut seen, in_array) = (0, self.in_array);
        for (at, value) in items {
            seen += 1;
            if !value.is_nil() {
                self.counts[ceil_log2(at + 1)] += 1;
                self.in_array += 1;
            }
        }
        self.total += self.in_array - in_array;
        let first = (self.seen + seen).saturating_sub(table.array.len());
        for node in table.nodes.iter().skip(first).take(most - seen) {
            seen += 1;
            if !node.value.is_nil() {
                self.add(node.key);
                self.total += 1;
            }
        }
        self.seen += seen;
        self.seen == table.array.len() + table.nodes.len()
    }

    /// What the sizes of the array part and of the node vector should be.
    fn sizes(&self) -> (usize, usize) {
        let (size, used) = array_size(&self.counts, self.in_array);
        (size, self.total - used)
    }
}

/// A table that grows. Its new parts are made beside the old ones, which stay as they are until all is done: so it can be
/// done in time slices, and given up.
pub(super) struct Growth<'gc> {
    census: Census,
    /// The new parts, when their sizes are known.
    new: Option<TableState<'gc>>,
    /// The size that the array part is to have.
    array: usize,
    /// The size that the node vector is to have.
    nodes: usize,
    /// Entries of the old parts that have been inserted: items that have no place in the array part any more, then the
    /// nodes, from the last one on.
    moved: usize,
}

// SAFETY: all values in the new parts are in the old ones too. Whoever keeps a growth keeps its table, and nothing
// happens to that until the growth is finished or dropped.
unsafe impl Collect for Growth<'_> {
    fn needs_trace() -> bool {
        false
    }
}

impl<'gc> Growth<'gc> {
    /// For one more key.
    fn for_key(key: Packed<'gc>) -> Growth<'gc> {
        Growth { census: Census::new(key), new: None, array: 0, nodes: 0, moved: 0 }
    }

    /// To these sizes.
    fn to(table: &TableState<'gc>, array: usize, nodes: usize) -> Growth<'gc> {
        let new = Some(TableState::empty(table.nodes.allocator().clone()));
        Growth { census: Census::new(Packed::NIL), new, array, nodes, moved: 0 }
    }

    /// Works on about so many entries. Gives whether all is done.
    fn go_on(&mut self, old: &TableState<'gc>, most: usize) -> Result<bool, KeyError> {
        let Some(new) = &mut self.new else {
            if self.census.go_on(old, most) {
                let (array, nodes) = self.census.sizes();
                if nodes > 1 << MAX_BITS {
                    return Err(KeyError::Overflow);
                }
                self.array = array;
                self.nodes = if nodes == 0 { 0 } else { 1 << ceil_log2(nodes) };
                self.new = Some(TableState::empty(old.nodes.allocator().clone()));
            }
            return Ok(false);
        };
        if new.nodes.len() < self.nodes {
            new.nodes.reserve_exact(self.nodes - new.nodes.len());
            new.add_nodes(most.min(self.nodes - new.nodes.len()));
            return Ok(false);
        }
        let kept = self.array.min(old.array.len());
        let length = new.array.len();
        if length < kept {
            new.array.reserve_exact(self.array - length);
            new.array.extend_from_slice(&old.array[length..kept.min(length.saturating_add(most))]);
            return Ok(false);
        }
        if length < self.array {
            new.array.resize(self.array.min(length.saturating_add(most)), Packed::NIL);
            return Ok(false);
        }
        let items = &old.array[kept..];
        let end = self.moved.saturating_add(most).min(items.len() + old.nodes.len());
        for at in self.moved..end {
            let (key, value) = if let Some(value) = items.get(at) {
                (Packed::number((kept + at + 1) as f64), *value)
            } else {
                let node = old.nodes[old.nodes.len() - 1 - (at - items.len())];
                (node.key, node.value)
            };
            if !value.is_nil() {
                new.set(key, value)?;
            }
        }
        self.moved = end;
        Ok(end == items.len() + old.nodes.len())
    }

    /// Gives the table the new parts.
    fn finish(self, table: &mut TableState<'gc>) {
        if let Some(new) = self.new {
            (table.array, table.nodes, table.last_free) = (new.array, new.nodes, new.last_free);
        }
    }
}

/// The largest power of two such that more than half of the array part up to it would be used, and how many of the
/// keys it would hold. `counts[i]` is the number of keys in `2^(i-1) < key <= 2^i`.
fn array_size(counts: &[usize], candidates: usize) -> (usize, usize) {
    let (mut size, mut used, mut sum) = (0, 0, 0);
    let mut power = 1;
    for count in counts {
        if power / 2 >= candidates {
            break;
        }
        sum += count;
        if *count > 0 && sum > power / 2 {
            size = power;
            used = sum;
        }
        if sum == candidates {
            break;
        }
        power *= 2;
    }
    (size, used)
}
