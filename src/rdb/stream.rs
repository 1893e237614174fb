//! Defines how a stream stands in a payload: its nodes, a listpack each, its numbers, and its groups.

use super::value::{ELEMENT_MEMORY, unpack};
use super::{Reader, Writer};
use crate::number::parse_integer;
use crate::value::listpack::{Listpack, uncounted};
use crate::value::stream::Stream;
use crate::value::stream::group::{Consumer, Group};
use crate::value::stream::id::Id;
use crate::value::stream::node::{Entry, Node};
use crate::value::stream::pending::Pending;

/// Flags of an entry: it is deleted; its fields are those of the node's first entry, and not written.
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// Nobody has this entry yet.
const NOBODY: usize = usize::MAX;

/// Writes a stream.
pub fn write(writer: &mut Writer, stream: &Stream) {
    writer.length(stream.nodes());
    for node in stream.iter_nodes() {
        writer.string(&node.id.0.to_be_bytes());
        writer.string(&pack(node));
    }
    writer.length(stream.len());
    for id in [stream.last, stream.first(), stream.max_deleted] {
        write_id(writer, id);
    }
    writer.number(stream.entries_added);
    writer.length(stream.groups().len());
    for group in stream.groups() {
        writer.string(&group.name);
        write_id(writer, group.last);
        writer.number(group.entries_read.unwrap_or(-1) as u64);
        writer.length(group.pending.count());
        for pending in group.pending.from(Id::MIN) {
            writer.out.extend_from_slice(&pending.id.0.to_be_bytes());
            writer.out.extend_from_slice(&pending.delivered.to_le_bytes());
            writer.number(pending.deliveries as u64);
        }
        writer.length(group.consumers.len());
        for (place, consumer) in group.consumers.iter().enumerate() {
            writer.string(&consumer.name);
            writer.out.extend_from_slice(&consumer.seen.to_le_bytes());
            writer.length(consumer.pending);
            let all = group.pending.from(Id::MIN);
            for pending in all.filter(|pending| pending.consumer == place) {
                writer.out.extend_from_slice(&pending.id.0.to_be_bytes());
            }
        }
    }
}

fn write_id(writer: &mut Writer, id: Id) {
    writer.number(id.milliseconds());
    writer.number(id.sequence());
}

/// How many entries there are and how many were, the fields of the first, and then each entry, which ends with the
/// number of elements that it has taken.
fn pack(node: &Node) -> Vec<u8> {
    let mut listpack = Listpack::default();
    let names = |entry: &Entry| entry.fields.iter().step_by(2).cloned().collect::<Vec<_>>();
    let first = node.entries.first().map(names).unwrap_or_default();
    listpack.push_integer(node.live as i64);
    listpack.push_integer((node.entries.len() - node.live) as i64);
    listpack.push_integer(first.len() as i64);
    for name in &first {
        listpack.push(name);
    }
    listpack.push_integer(0);
    for entry in &node.entries {
        let (before, same) = (listpack.count(), names(entry) == first);
        let flags = if same { SAME_FIELDS } else { 0 } | if entry.deleted { DELETED } else { 0 };
        listpack.push_integer(flags);
        let (id, base) = (entry.id, node.id);
        listpack.push_integer(id.milliseconds().wrapping_sub(base.milliseconds()) as i64);
        listpack.push_integer(id.sequence().wrapping_sub(base.sequence()) as i64);
        if !same {
            listpack.push_integer((entry.fields.len() / 2) as i64);
        }
        let strings = entry.fields.iter().enumerate();
        for (_, string) in strings.filter(|(place, _)| !same || place % 2 == 1) {
            listpack.push(string);
        }
        listpack.push_integer((listpack.count() - before) as i64);
    }
    listpack.finish()
}

/// Reads a stream; of the second version, or of the first, which knows less of what has been.
pub fn read(reader: &mut Reader, second: bool) -> Option<Stream> {
    let mut stream = Stream::default();
    for _ in 0..reader.length()? {
        let base = Id(u128::from_be_bytes(reader.string()?.try_into().ok()?));
        let elements = unpack(reader, uncounted)?;
        read_node(reader, &mut stream, base, elements)?;
    }
    let length = reader.number()?;
    stream.last = read_id(reader)?;
    stream.entries_added = length;
    if second {
        // The first entry is found by itself.
        read_id(reader)?;
        stream.max_deleted = read_id(reader)?;
        stream.entries_added = reader.number()?;
    }
    // How many entries there are, and that none is behind the last, is seen from them.
    let end = stream.iter_nodes().next_back().and_then(|node| node.entries.last());
    match end.map(|end| end.id) {
        None if length > 0 => return None,
        None => {}
        Some(end) => stream.last = stream.last.max(end),
    }
    for _ in 0..reader.length()? {
        let group = read_group(reader, &stream, second)?;
        if !stream.add_group(group) {
            return None;
        }
    }
    Some(stream)
}

fn read_id(reader: &mut Reader) -> Option<Id> {
    Some(Id::new(reader.number()?, reader.number()?))
}

fn read_node(
    reader: &mut Reader,
    stream: &mut Stream,
    base: Id,
    elements: Vec<Vec<u8>>,
) -> Option<()> {
    let mut elements = elements.into_iter();
    let integer = |elements: &mut std::vec::IntoIter<Vec<u8>>| parse_integer(&elements.next()?);
    let (live, deleted) = (integer(&mut elements)?, integer(&mut elements)?);
    let first: usize = integer(&mut elements)?.try_into().ok()?;
    if elements.len() <= first {
        return None;
    }
    let names: Vec<Vec<u8>> = elements.by_ref().take(first).collect();
    let names_memory: usize = names.iter().map(|name| ELEMENT_MEMORY + name.len()).sum();
    if integer(&mut elements)? != 0 {
        return None;
    }
    let count = live.checked_add(deleted).filter(|count| *count >= 0)?;
    for number in 0..count {
        let flags = integer(&mut elements)?;
        let (milliseconds, sequence) = (integer(&mut elements)?, integer(&mut elements)?);
        let mut fields = Vec::new();
        let mut written = 3;
        if flags & SAME_FIELDS == 0 {
            let count: usize = integer(&mut elements)?.try_into().ok()?;
            if count > elements.len() {
                return None;
            }
            written += 1 + 2 * count;
            for _ in 0..2 * count {
                fields.push(elements.next()?);
            }
        } else {
            written += names.len();
            reader.spend(names_memory)?;
            for name in &names {
                fields.push(name.clone());
                fields.push(elements.next()?);
            }
        }
        if integer(&mut elements)? != written as i64 {
            return None;
        }
        let id = Id::new(
            base.milliseconds().wrapping_add(milliseconds as u64),
            base.sequence().wrapping_add(sequence as u64),
        );
        if number == 0 && id != base {
            return None;
        }
        stream.keep(Entry { id, fields, deleted: flags & DELETED != 0 }, number == 0)?;
    }
    elements.next().is_none().then_some(())
}

fn read_group(reader: &mut Reader, stream: &Stream, second: bool) -> Option<Group> {
    let name = reader.string()?;
    let last = read_id(reader)?;
    let entries_read = if second {
        Some(reader.number()? as i64).filter(|read| *read != -1)
    } else {
        stream.entries_up_to(last)
    };
    let mut group = Group::new(&name, last, entries_read);
    for _ in 0..reader.length()? {
        reader.spend(ELEMENT_MEMORY)?;
        let pending = Pending {
            id: Id(u128::from_be_bytes(reader.array()?)),
            delivered: i64::from_le_bytes(reader.array()?),
            deliveries: reader.number()? as i64,
            consumer: NOBODY,
        };
        if group.pending.get_mut(pending.id).is_some() {
            return None;
        }
        group.pending.insert(pending);
    }
    for _ in 0..reader.length()? {
        reader.spend(ELEMENT_MEMORY)?;
        let name = reader.string()?;
        let seen = i64::from_le_bytes(reader.array()?);
        let place = group.consumers.len();
        let count = reader.length()?;
        // They come in the order of their names.
        if group.consumers.last().is_some_and(|last| last.name >= name) {
            return None;
        }
        for _ in 0..count {
            let id = Id(u128::from_be_bytes(reader.array()?));
            let pending = group.pending.get_mut(id);
            let pending = pending.filter(|pending| pending.consumer == NOBODY)?;
            pending.consumer = place;
        }
        group.consumers.push(Consumer { name, seen, pending: count });
    }
    // Each is somebody's.
    let is_whole = group.pending.from(Id::MIN).all(|pending| pending.consumer != NOBODY);
    is_whole.then_some(group)
}

#[cfg(test)]
mod tests {
    use super::{Listpack, Reader, Writer, read};

    #[test]
    fn an_entry_has_no_more_fields_than_there_are() {
        let mut listpack = Listpack::default();
        for integer in [1, 0, 0, 0, 0, 0, 0, i64::MAX, 0] {
            listpack.push_integer(integer);
        }
        let mut writer = Writer::new(false);
        writer.length(1);
        writer.string(&1u128.to_be_bytes());
        writer.string(&listpack.finish());
        assert!(read(&mut Reader::new(&writer.out, 100), true).is_none());
    }
}
