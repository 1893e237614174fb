//! Defines the stream commands that add, count, trim and delete entries.

use super::super::Answer;
use super::super::args::Args;
use super::{id_reply, ids, note, now, parse_id};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::stream::id::Id;
use crate::value::stream::node::Limits;
use crate::value::stream::{Stream, Trim};

/// `XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value [field value ...]`
pub(super) fn xadd(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let options = Options::parse(context, args, true)?;
    let wanted = args.bytes().map_err(|_| Error::wrong_arity("xadd")).and_then(Wanted::parse)?;
    if args.is_empty() || !args.remaining().is_multiple_of(2) {
        return Err(Error::wrong_arity("xadd"));
    }
    if wanted == Wanted::This(Id::MIN) {
        return Err(Error::XADD_ZERO_ID);
    }
    if options.no_stream && context.write::<Stream>(key)?.is_none() {
        return Ok(Reply::Null);
    }
    let now = now(context) as u64;
    let config = &context.server.config.active;
    let limit = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let limits = Limits {
        bytes: limit(config.stream_node_max_bytes),
        entries: limit(config.stream_node_max_entries),
    };
    let stream = context.create::<Stream>(key)?;
    if stream.last == Id::MAX {
        return Err(Error::XADD_NO_ID_LEFT);
    }
    let id = wanted.after(stream.last, now)?;
    if id <= stream.last {
        return Err(Error::XADD_LOW_ID);
    }
    stream.add(id, args.rest().to_vec(), limits);
    let trimmed = options.trim(stream);
    context.changed(key);
    context.notify(Event::Stream, "xadd", key);
    if trimmed > 0 {
        context.notify(Event::Stream, "xtrim", key);
    }
    Ok(id_reply(id))
}

/// The ID that an entry is to have.
#[derive(PartialEq)]
enum Wanted {
    /// `*`: of this time.
    Auto,
    /// `ms-*`: the next one of this millisecond.
    Next(u64),
    /// This one.
    This(Id),
}

impl Wanted {
    fn parse(text: &[u8]) -> Result<Wanted, Error> {
        Ok(match text {
            b"*" => Wanted::Auto,
            text => match Id::parse_open(text) {
                Some(milliseconds) => Wanted::Next(milliseconds),
                None => Wanted::This(parse_id(text)?),
            },
        })
    }

    /// The ID that this is behind the last one; not if it is given and not behind that.
    fn after(self, last: Id, now: u64) -> Result<Id, Error> {
        match self {
            Wanted::Auto if now > last.milliseconds() => Ok(Id::new(now, 0)),
            Wanted::Next(time) if time != last.milliseconds() => Ok(Id::new(time, 0)),
            // Redis has no word for this, and uses what is left from another failure: this one, if there was none.
            Wanted::Next(_) if last.sequence() == u64::MAX => Err(Error::XADD_TOO_LARGE),
            Wanted::Auto | Wanted::Next(_) => last.next().ok_or(Error::XADD_NO_ID_LEFT),
            Wanted::This(id) => Ok(id),
        }
    }
}

/// What XADD and XTRIM take before their last arguments.
#[derive(Default)]
struct Options {
    no_stream: bool,
    trim: Option<Trim>,
    whole_nodes: bool,
    limit: Option<usize>,
}

impl Options {
    /// Reads up to the ID of XADD, or all of XTRIM's.
    fn parse(context: &Context, args: &mut Args, adds: bool) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut limit = None;
        while !args.is_empty() {
            let has_more = args.remaining() > 1;
            if has_more && args.option("maxlen") {
                let length = options.threshold(args)?.integer()?;
                let length = u64::try_from(length).map_err(|_| Error::TRIM_MAXLEN_NEGATIVE)?;
                options.trim = Some(Trim::Length(length));
            } else if has_more && args.option("minid") {
                options.trim = Some(Trim::From(parse_id(options.threshold(args)?.bytes()?)?));
            } else if has_more && args.option("limit") {
                let count = args.integer()?;
                limit = Some(usize::try_from(count).map_err(|_| Error::TRIM_LIMIT_NEGATIVE)?);
            } else if adds && args.option("nomkstream") {
                options.no_stream = true;
            } else if adds {
                break;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        if let Some(id) = args.peek() {
            // One that is none is noticed before what the options are together.
            Wanted::parse(id)?;
        }
        if options.trim.is_none() && limit.is_some_and(|limit| limit > 0) {
            return Err(Error::TRIM_LIMIT_ALONE);
        }
        if options.trim.is_none() && !adds {
            return Err(Error::XTRIM_NO_STRATEGY);
        }
        if limit.is_some() && !options.whole_nodes {
            return Err(Error::TRIM_LIMIT_EXACT);
        }
        options.limit = match limit {
            // What trims nearly does not do too much at once.
            None if options.whole_nodes => {
                match context.server.config.active.stream_node_max_entries.wrapping_mul(100) {
                    ..=0 => Some(10_000),
                    limit => Some(limit.min(1_000_000) as usize),
                }
            }
            None | Some(0) => None,
            limit => limit,
        };
        Ok(options)
    }

    /// Behind MAXLEN or MINID: whether it is meant exactly. The threshold is next.
    fn threshold<'a, 'b>(&mut self, args: &'a mut Args<'b>) -> Result<&'a mut Args<'b>, Error> {
        if self.trim.is_some() {
            return Err(Error::TRIM_TWICE);
        }
        self.whole_nodes = args.remaining() > 1 && args.option("~");
        if !self.whole_nodes && args.remaining() > 1 {
            args.option("=");
        }
        Ok(args)
    }

    /// Trims a stream; how many entries are gone.
    fn trim(&self, stream: &mut Stream) -> usize {
        self.trim.map_or(0, |trim| stream.trim(trim, self.whole_nodes, self.limit))
    }
}

/// XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]
pub(super) fn xtrim(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let options = Options::parse(context, args, false)?;
    let trimmed = context.write::<Stream>(key)?.map_or(0, |stream| options.trim(stream));
    if trimmed > 0 {
        context.changed_in_place(key, trimmed as u64);
        context.notify(Event::Stream, "xtrim", key);
    }
    Ok(Reply::Integer(trimmed as i64))
}

/// XLEN key
pub(super) fn xlen(context: &mut Context, args: &mut Args) -> Answer {
    let stream = context.read::<Stream>(args.key()?)?;
    Ok(Reply::Integer(stream.map_or(0, Stream::len) as i64))
}

/// `XDEL key id [id ...]`
pub(super) fn xdel(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let Some(stream) = context.write::<Stream>(key)? else { return Ok(Reply::Integer(0)) };
    let ids = ids(args)?;
    let deleted = ids.into_iter().filter(|id| stream.delete(*id)).count();
    if deleted > 0 {
        context.changed_in_place(key, deleted as u64);
        context.notify(Event::Stream, "xdel", key);
    }
    Ok(Reply::Integer(deleted as i64))
}

/// `XSETID key last-id [ENTRIESADDED entries_added] [MAXDELETEDID max_deleted_entry_id]`
pub(super) fn xsetid(context: &mut Context, args: &mut Args) -> Answer {
    let (key, id) = (args.key()?, parse_id(args.bytes()?)?);
    let (mut added, mut deleted) = (None, Id::MIN);
    while !args.is_empty() {
        if args.remaining() > 1 && args.option("entriesadded") {
            added = Some(args.integer()?);
            if added < Some(0) {
                return Err(Error::XSETID_ADDED_NEGATIVE);
            }
        } else if args.remaining() > 1 && args.option("maxdeletedid") {
            deleted = parse_id(args.bytes()?)?;
            if id < deleted {
                return Err(Error::XSETID_BELOW_GIVEN);
            }
        } else {
            return Err(Error::SYNTAX);
        }
    }
    let added = added.map(i64::unsigned_abs);
    let stream = context.write::<Stream>(key)?.ok_or(Error::NO_SUCH_KEY)?;
    if stream.last_entry().is_some_and(|last| id < last) {
        return Err(Error::XSETID_BELOW_TOP);
    }
    if !stream.is_empty() && added.is_some_and(|added| added < stream.len() as u64) {
        return Err(Error::XSETID_BELOW_LENGTH);
    }
    stream.last = id;
    stream.entries_added = added.unwrap_or(stream.entries_added);
    if deleted != Id::MIN {
        stream.max_deleted = deleted;
    }
    note(context, key, "xsetid");
    Ok(Reply::OK)
}
