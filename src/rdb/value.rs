//! Defines how a value stands in the payload of DUMP, and reads what any version up to 7.0 has written.

use super::{Reader, Writer, older, stream};
use crate::number::{format_g, leading_float};
use crate::server::config::Active;
use crate::value::hash::{Hash, Limits};
use crate::value::list::{End, List};
use crate::value::listpack::{Listpack, entries, signed};
use crate::value::set::{Intset, Set};
use crate::value::sorted_set::SortedSet;
use crate::value::string::StringValue;
use crate::value::{Kind, Value};

/// The first byte of a payload: the type of the value, and its form.
mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    pub const SORTED_SET: u8 = 3;
    pub const HASH: u8 = 4;
    pub const SORTED_SET_2: u8 = 5;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const SORTED_SET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const SORTED_SET_LISTPACK: u8 = 17;
    pub const LIST_QUICKLIST_2: u8 = 18;
    pub const STREAM_2: u8 = 19;
}

/// What a node of a list holds: one long element, or a listpack.
const PLAIN: usize = 1;
const PACKED: usize = 2;
/// Bytes of a node by the classes -1 to -5 of `list-max-listpack-size`, and of one whose elements are counted.
const NODE_SIZES: [usize; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];
const COUNTED_NODE: usize = 8 << 10;
/// What an element takes beside its own bytes, as nodes reckon it.
const ELEMENT_OVERHEAD: usize = 8;
/// What an element takes of the memory beside its own bytes, nearly.
pub(super) const ELEMENT_MEMORY: usize = 40;

/// How values are written.
#[derive(Clone, Copy)]
pub struct Form {
    /// Long strings are compressed.
    pub compresses: bool,
    /// The nodes of lists.
    pub nodes: NodeLimits,
}

impl Form {
    /// The data of a value's payload: its type, and what it holds.
    pub fn data(self, value: &Value) -> Vec<u8> {
        let mut writer = Writer::new(self.compresses);
        write(&mut writer, value, self.nodes);
        writer.out
    }
}

fn write(writer: &mut Writer, value: &Value, limits: NodeLimits) {
    match value {
        Value::String(string) => {
            writer.out.push(kind::STRING);
            writer.string(&string.bytes());
        }
        Value::List(list) => write_list(writer, nodes(list, limits)),
        Value::Set(Set::Intset(integers)) => {
            writer.out.push(kind::SET_INTSET);
            writer.string(&intset(integers));
        }
        Value::Set(Set::Table(members)) => {
            writer.out.push(kind::SET);
            write_strings(writer, members.len(), &mut members.keys());
        }
        Value::Stream(value) => {
            writer.out.push(kind::STREAM_2);
            stream::write(writer, value);
        }
        Value::SortedSet(set) if set.encoding() == "listpack" => {
            writer.out.push(kind::SORTED_SET_LISTPACK);
            let mut listpack = Listpack::default();
            for (member, score) in set.members() {
                listpack.push(member);
                push_score(&mut listpack, score);
            }
            writer.string(&listpack.finish());
        }
        Value::SortedSet(set) => {
            writer.out.push(kind::SORTED_SET_2);
            writer.length(set.len());
            for (member, score) in set.members().into_iter().rev() {
                writer.string(member);
                writer.out.extend_from_slice(&score.to_le_bytes());
            }
        }
        Value::Hash(hash) => {
            let mut strings = hash.iter().flat_map(|(field, value)| [field, value]);
            if hash.encoding() == "listpack" {
                writer.out.push(kind::HASH_LISTPACK);
                write_listpack(writer, &mut strings);
            } else {
                writer.out.push(kind::HASH);
                write_strings(writer, hash.len(), &mut strings);
            }
        }
    }
}

fn write_strings(writer: &mut Writer, count: usize, strings: &mut dyn Iterator<Item = &[u8]>) {
    writer.length(count);
    for string in strings {
        writer.string(string);
    }
}

fn write_listpack(writer: &mut Writer, strings: &mut dyn Iterator<Item = &[u8]>) {
    let mut listpack = Listpack::default();
    for string in strings {
        listpack.push(string);
    }
    writer.string(&listpack.finish());
}

/// A score: an integer as long as half of all of them stand for it, and digits otherwise.
fn push_score(listpack: &mut Listpack, score: f64) {
    const MOST: f64 = (i64::MAX / 2) as f64;
    if score.abs() <= MOST && score.fract() == 0.0 {
        listpack.push_integer(score as i64);
    } else {
        listpack.push(&format_g(score, 17));
    }
}

/// How wide integers are, how many they are, and the integers.
fn intset(integers: &Intset) -> Vec<u8> {
    let width = integers.width();
    let mut out = [(width as u32).to_le_bytes(), (integers.len() as u32).to_le_bytes()].concat();
    for integer in integers.iter() {
        out.extend_from_slice(&integer.to_le_bytes()[..width]);
    }
    out
}

/// How the elements of a list are divided among its nodes.
#[derive(Clone, Copy)]
pub struct NodeLimits {
    /// `list-max-listpack-size`: elements of a node, or -1 to -5 for a class of sizes.
    pub fill: i64,
    /// An element of so many bytes has a node of its own.
    pub plain: usize,
}

/// A node of a list.
pub enum Node<'a> {
    /// An element so long that it has a node of its own.
    Plain(&'a [u8]),
    /// Some elements.
    Packed(Listpack),
}

impl Node<'_> {
    /// Bytes.
    pub fn size(&self) -> usize {
        match self {
            Node::Plain(element) => element.len(),
            Node::Packed(listpack) => listpack.size(),
        }
    }
}

/// The nodes that a list has when its elements are pushed at its tail, one after the other.
pub fn nodes(list: &List, limits: NodeLimits) -> Vec<Node<'_>> {
    let class = usize::try_from(-1 - limits.fill).ok().and_then(|class| NODE_SIZES.get(class));
    let fits = |listpack: &Listpack, element: &[u8]| {
        let size = listpack.size() + element.len() + ELEMENT_OVERHEAD;
        match class {
            Some(most) => size <= *most,
            None => size <= COUNTED_NODE && (listpack.count() as i64) < limits.fill,
        }
    };
    let mut nodes: Vec<Node> = Vec::new();
    for element in list.iter() {
        match nodes.last_mut() {
            _ if element.len() >= limits.plain => nodes.push(Node::Plain(element)),
            Some(Node::Packed(listpack)) if fits(listpack, element) => listpack.push(element),
            _ => {
                let mut listpack = Listpack::default();
                listpack.push(element);
                nodes.push(Node::Packed(listpack));
            }
        }
    }
    nodes
}

fn write_list(writer: &mut Writer, nodes: Vec<Node>) {
    writer.out.push(kind::LIST_QUICKLIST_2);
    writer.length(nodes.len());
    for node in nodes {
        match node {
            Node::Plain(element) => {
                writer.length(PLAIN);
                writer.string(element);
            }
            Node::Packed(listpack) => {
                writer.length(PACKED);
                writer.string(&listpack.finish());
            }
        }
    }
}

/// Reads a value, its type first; `None` if it is none, has a longer string, or would take too much memory.
///
/// It is looked at as `sanitize-dump-payload yes` has it, always: without it the real server takes a damaged value, and
/// crashes later.
pub fn read(payload: &[u8], config: &Active, longest: usize) -> Option<Value> {
    let mut reader = Reader::new(payload, longest);
    let reader = &mut reader;
    match reader.byte()? {
        kind::STRING => Some(StringValue::new(&reader.string()?).wrap()),
        kind::LIST => list(strings(reader, 1)?),
        kind::LIST_ZIPLIST => list(unpack(reader, older::ziplist)?),
        kind::LIST_QUICKLIST => {
            let mut elements = Vec::new();
            for _ in 0..reader.length()? {
                elements.append(&mut unpack(reader, older::ziplist)?);
            }
            list(elements)
        }
        kind::LIST_QUICKLIST_2 => {
            let mut elements = Vec::new();
            for _ in 0..reader.length()? {
                match reader.length()? {
                    PLAIN => elements.push(reader.string().filter(|plain| !plain.is_empty())?),
                    PACKED => elements.append(&mut unpack(reader, entries)?),
                    _ => return None,
                }
            }
            list(elements)
        }
        kind::SET => set(strings(reader, 1)?, 0, config),
        kind::SET_INTSET => {
            let (members, width) = integers(&reader.string()?)?;
            reader.spend(members.len() * ELEMENT_MEMORY)?;
            set(members, width, config)
        }
        form @ (kind::SORTED_SET | kind::SORTED_SET_2) => {
            let mut set = SortedSet::skiplist();
            for _ in 0..reader.length()? {
                let member = reader.string()?;
                reader.spend(ELEMENT_MEMORY)?;
                let score = match form {
                    kind::SORTED_SET => digits(reader)?,
                    _ => f64::from_le_bytes(reader.array()?),
                };
                add(&mut set, &member, score, ANY)?;
            }
            set.pack(sorted_set_limits(config));
            sorted_set(set)
        }
        kind::SORTED_SET_ZIPLIST => scored(&unpack(reader, older::ziplist)?, config),
        kind::SORTED_SET_LISTPACK => scored(&unpack(reader, entries)?, config),
        kind::HASH => hash(strings(reader, 2)?, hash_limits(config)),
        kind::HASH_ZIPMAP => hash(unpack(reader, older::zipmap)?, hash_limits(config)),
        // What was a listpack somewhere is one here, however long its values are.
        kind::HASH_ZIPLIST => {
            hash(unpack(reader, older::ziplist)?, of_any_length(hash_limits(config)))
        }
        kind::HASH_LISTPACK => hash(unpack(reader, entries)?, of_any_length(hash_limits(config))),
        kind::STREAM => stream::read(reader, false).map(Kind::wrap),
        kind::STREAM_2 => stream::read(reader, true).map(Kind::wrap),
        _ => None,
    }
}

/// So many strings for each that is counted.
fn strings(reader: &mut Reader, each: usize) -> Option<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    for _ in 0..reader.length()?.checked_mul(each)? {
        strings.push(reader.string()?);
        reader.spend(ELEMENT_MEMORY)?;
    }
    Some(strings)
}

/// The entries of what is packed in a string.
pub(super) fn unpack(
    reader: &mut Reader,
    entries: fn(&[u8], usize) -> Option<Vec<Vec<u8>>>,
) -> Option<Vec<Vec<u8>>> {
    let packed = reader.string()?;
    let entries = entries(&packed, reader.memory / ELEMENT_MEMORY)?;
    reader.spend(entries.len() * ELEMENT_MEMORY)?;
    Some(entries)
}

/// The integers of an intset by their digits, and how wide they are.
fn integers(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (header, content) = bytes.split_at_checked(8)?;
    let (width, count) = (signed(&header[..4]) as usize, signed(&header[4..]) as u32 as usize);
    if !matches!(width, 2 | 4 | 8) || count.checked_mul(width)? != content.len() {
        return None;
    }
    let integers: Vec<i64> = content.chunks(width).map(signed).collect();
    let is_ordered = integers.is_sorted_by(|one, next| one < next);
    let digits = integers.iter().map(|integer| integer.to_string().into_bytes()).collect();
    is_ordered.then_some((digits, width))
}

fn list(elements: Vec<Vec<u8>>) -> Option<Value> {
    let mut list = List::default();
    for element in elements {
        list.push(End::Right, element);
    }
    (!list.is_empty()).then(|| list.wrap())
}

fn set(members: Vec<Vec<u8>>, width: usize, config: &Active) -> Option<Value> {
    let mut set = Set::default();
    for member in members {
        if !set.add(&member, config.set_max_intset_entries) {
            return None;
        }
    }
    set.widen(width);
    (!set.is_empty()).then(|| set.wrap())
}

fn hash(strings: Vec<Vec<u8>>, limits: Limits) -> Option<Value> {
    let mut hash = Hash::default();
    let mut strings = strings.into_iter();
    while let Some(field) = strings.next() {
        if !hash.set(&field, strings.next()?, limits) {
            return None;
        }
    }
    (!hash.is_empty()).then(|| hash.wrap())
}

fn hash_limits(config: &Active) -> Limits {
    Limits { entries: config.hash_max_listpack_entries, value: config.hash_max_listpack_value }
}

fn sorted_set_limits(config: &Active) -> Limits {
    Limits { entries: config.zset_max_listpack_entries, value: config.zset_max_listpack_value }
}

fn of_any_length(limits: Limits) -> Limits {
    Limits { value: usize::MAX, ..limits }
}

/// No limit at all.
const ANY: Limits = Limits { entries: usize::MAX, value: usize::MAX };

/// Adds a member that is none.
fn add(set: &mut SortedSet, member: &[u8], score: f64, limits: Limits) -> Option<()> {
    if score.is_nan() || set.score(member).is_some() {
        return None;
    }
    set.set(member, score, limits);
    Some(())
}

fn sorted_set(set: SortedSet) -> Option<Value> {
    (!set.is_empty()).then(|| set.wrap())
}

/// Members, each with its score behind it. A score that is no number is 0, as the real server reads it.
fn scored(strings: &[Vec<u8>], config: &Active) -> Option<Value> {
    let limits = of_any_length(sorted_set_limits(config));
    let mut set = SortedSet::default();
    let (pairs, []) = strings.as_chunks::<2>() else { return None };
    for [member, score] in pairs {
        // Only so many bytes of it are looked at.
        let score = score.get(..127).unwrap_or(score);
        let is_nan = score.to_ascii_lowercase().starts_with(b"nan");
        let score = if is_nan { f64::NAN } else { leading_float(score).unwrap_or(0.0) };
        add(&mut set, member, score, limits)?;
    }
    sorted_set(set)
}

/// A double by its digits, as the first versions wrote it.
fn digits(reader: &mut Reader) -> Option<f64> {
    match reader.byte()? {
        0xff => Some(f64::NEG_INFINITY),
        0xfe => Some(f64::INFINITY),
        0xfd => None,
        length => leading_float(reader.take(length.into())?),
    }
}
