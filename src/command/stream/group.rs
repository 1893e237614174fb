//! Defines XGROUP and XACK.

use super::super::args::Args;
use super::super::{Answer, help};
use super::{NEW_CONSUMER, group, ids, note, now, parse_bound, parse_id, three};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::stream::Stream;
use crate::value::stream::group::Group;
use crate::value::stream::id::Id;

const HELP: (&str, &[&str]) = (
    "XGROUP",
    &[
        "CREATE <key> <groupname> <id|$> [option]",
        "    Create a new consumer group. Options are:",
        "    * MKSTREAM",
        "      Create the empty stream if it does not exist.",
        "    * ENTRIESREAD entries_read",
        "      Set the group's entries_read counter (internal use).",
        "CREATECONSUMER <key> <groupname> <consumer>",
        "    Create a new consumer in the specified group.",
        "DELCONSUMER <key> <groupname> <consumer>",
        "    Remove the specified consumer.",
        "DESTROY <key> <groupname>",
        "    Remove the specified group.",
        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        "    Set the current group ID and entries_read counter.",
    ],
);

/// XGROUP HELP
pub(super) fn xgroup_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(help(HELP))
}

/// What CREATE and SETID take behind the ID.
struct Options {
    make_stream: bool,
    entries_read: Option<i64>,
}

impl Options {
    fn parse(args: &mut Args, creates: bool) -> Result<Options, Error> {
        let mut options = Options { make_stream: false, entries_read: None };
        while !args.is_empty() {
            if creates && args.option("mkstream") {
                options.make_stream = true;
            } else if args.remaining() > 1 && args.option("entriesread") {
                let read = args.integer()?;
                if read < -1 {
                    return Err(Error::ENTRIESREAD_NEGATIVE);
                }
                options.entries_read = (read >= 0).then_some(read);
            } else {
                return Err(wrong_arity(args));
            }
        }
        Ok(options)
    }
}

fn wrong_arity(args: &Args) -> Error {
    Error::wrong_subcommand_arity(args.argv().get(1).map_or(b"", Vec::as_slice), "XGROUP")
}

/// The stream of a key that must be there.
fn stream<'a>(context: &'a mut Context, key: &[u8]) -> Result<&'a mut Stream, Error> {
    context.write::<Stream>(key)?.ok_or(Error::XGROUP_NO_KEY)
}

/// The group that must be there.
fn known_group<'a>(
    context: &'a mut Context,
    key: &[u8],
    name: &[u8],
) -> Result<&'a mut Group, Error> {
    stream(context, key)?.group_mut(name).ok_or_else(|| Error::no_such_group(key, name))
}

/// `XGROUP CREATE key groupname id | $ [MKSTREAM] [ENTRIESREAD entries_read]`
pub(super) fn xgroup_create(context: &mut Context, args: &mut Args) -> Answer {
    let [key, name, id] = three(args)?;
    let options = Options::parse(args, true)?;
    let found = context.write::<Stream>(key)?;
    if found.is_none() && !options.make_stream {
        return Err(Error::XGROUP_NO_KEY);
    }
    if args.argv().len() > 8 {
        return Err(wrong_arity(args));
    }
    let is_there = found.is_some();
    let id = match id {
        b"$" => found.map_or(Id::MIN, |stream| stream.last),
        id => parse_id(id)?,
    };
    let added = Group::new(name, id, options.entries_read);
    if !context.create::<Stream>(key)?.add_group(added) {
        return Err(Error::GROUP_EXISTS);
    }
    if !is_there {
        context.server.touched(context.database, key);
    }
    note(context, key, "xgroup-create");
    Ok(Reply::OK)
}

/// `XGROUP SETID key groupname id | $ [ENTRIESREAD entries_read]`
pub(super) fn xgroup_setid(context: &mut Context, args: &mut Args) -> Answer {
    let [key, name, id] = three(args)?;
    let options = Options::parse(args, false)?;
    let last = stream(context, key)?.last;
    let group = known_group(context, key, name)?;
    if args.argv().len() > 7 {
        return Err(wrong_arity(args));
    }
    group.last = if id == b"$" { last } else { parse_bound(id, 0)? };
    group.entries_read = options.entries_read;
    note(context, key, "xgroup-setid");
    Ok(Reply::OK)
}

/// XGROUP DESTROY key groupname
pub(super) fn xgroup_destroy(context: &mut Context, args: &mut Args) -> Answer {
    let (key, name) = (args.key()?, args.bytes()?);
    let is_there = stream(context, key)?.remove_group(name);
    if is_there {
        note(context, key, "xgroup-destroy");
        // Those who wait for the group need not wait any more.
        context.wake(key);
    }
    Ok(Reply::flag(is_there))
}

/// XGROUP CREATECONSUMER key groupname consumername
pub(super) fn xgroup_createconsumer(context: &mut Context, args: &mut Args) -> Answer {
    let [key, name, consumer] = three(args)?;
    let now = now(context);
    let group = known_group(context, key, name)?;
    let is_new = group.consumer(consumer).is_err();
    if is_new {
        group.see(consumer, now);
        note(context, key, NEW_CONSUMER);
    }
    Ok(Reply::flag(is_new))
}

/// XGROUP DELCONSUMER key groupname consumername
pub(super) fn xgroup_delconsumer(context: &mut Context, args: &mut Args) -> Answer {
    let [key, name, consumer] = three(args)?;
    let removed = known_group(context, key, name)?.remove_consumer(consumer);
    if removed.is_some() {
        note(context, key, "xgroup-delconsumer");
    }
    Ok(Reply::Integer(removed.map_or(0, |consumer| consumer.pending) as i64))
}

/// `XACK key group id [id ...]`
pub(super) fn xack(context: &mut Context, args: &mut Args) -> Answer {
    let (key, name) = (args.key()?, args.bytes()?);
    if context.read::<Stream>(key)?.is_none_or(|stream| stream.group(name).is_none()) {
        return Ok(Reply::Integer(0));
    }
    let ids = ids(args)?;
    let Some(group) = group(context, key, name)? else { return Ok(Reply::Integer(0)) };
    let acknowledged = ids.into_iter().filter(|id| group.acknowledge(*id)).count();
    context.server.changes += acknowledged as u64;
    Ok(Reply::Integer(acknowledged as i64))
}
