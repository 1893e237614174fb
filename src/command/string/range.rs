//! Runs the commands that read and change parts of strings.

use crate::command::Answer;
use crate::command::args::Args;
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::Kind;
use crate::value::string::StringValue;

pub fn strlen(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let length = context.read::<StringValue>(key)?.map_or(0, StringValue::len);
    Ok(Reply::Integer(length as i64))
}

pub fn getrange(context: &mut Context, args: &mut Args) -> Answer {
    let (key, start, end) = (args.key()?, args.integer()?, args.integer()?);
    let Some(value) = context.read::<StringValue>(key)? else { return Ok(Reply::bulk("")) };
    let bytes = value.bytes();
    let length = bytes.len() as i64;
    // Negative positions count from the end; both before the start and in the wrong order is nothing.
    if start < 0 && end < 0 && start > end {
        return Ok(Reply::bulk(""));
    }
    let (start, end) = (place(start, length).min(length), place(end, length).min(length - 1));
    let found = bytes.get(start as usize..(end + 1) as usize);
    Ok(Reply::bulk(found.unwrap_or_default()))
}

/// A position in what has so many: negative ones count from the end, and none is before the start.
pub fn place(at: i64, length: i64) -> i64 {
    if at < 0 { at.saturating_add(length).max(0) } else { at }
}

pub fn append(context: &mut Context, args: &mut Args) -> Answer {
    let (key, suffix) = (args.key()?, args.bytes()?);
    let length = context.write::<StringValue>(key)?.map(|value| value.len());
    let Some(length) = length else {
        context.set(key, StringValue::new(suffix).wrap());
        context.notify(Event::String, "append", key);
        return Ok(Reply::Integer(suffix.len() as i64));
    };
    let length = check_length(context, length as u64, suffix.len())?;
    let bytes = context.create::<StringValue>(key)?.make_raw();
    bytes.extend_from_slice(suffix);
    context.changed(key);
    context.notify(Event::String, "append", key);
    Ok(Reply::Integer(length as i64))
}

pub fn setrange(context: &mut Context, args: &mut Args) -> Answer {
    let (key, offset, part) = (args.key()?, args.integer()?, args.bytes()?);
    let offset = u64::try_from(offset).map_err(|_| Error::OFFSET_OUT_OF_RANGE)?;
    let length = context.write::<StringValue>(key)?.map(|value| value.len());
    if part.is_empty() {
        return Ok(Reply::Integer(length.unwrap_or(0) as i64));
    }
    let end = check_length(context, offset, part.len())?;
    let (bytes, _) = context.create::<StringValue>(key)?.lengthen(end);
    if let Some(place) = bytes.get_mut(end - part.len()..end) {
        place.copy_from_slice(part);
    }
    let length = bytes.len();
    context.changed(key);
    context.notify(Event::String, "setrange", key);
    Ok(Reply::Integer(length as i64))
}

/// The length that a string would grow to, if it may.
fn check_length(context: &Context, length: u64, more: usize) -> Result<usize, Error> {
    let limit = context.server.config.active.proto_max_bulk_len;
    let length = length.checked_add(more as u64).filter(|length| *length <= limit);
    context.server.room_for(length.ok_or(Error::STRING_TOO_LONG)?)
}
