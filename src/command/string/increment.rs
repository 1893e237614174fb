//! Runs the commands that count: INCR and its sisters.

use crate::command::Answer;
use crate::command::args::Args;
use crate::error::Error;
use crate::long_double::LongDouble;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::string::StringValue;

pub fn incr(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    add(context, key, 1)
}

pub fn decr(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    add(context, key, -1)
}

pub fn incrby(context: &mut Context, args: &mut Args) -> Answer {
    let (key, increment) = (args.key()?, args.integer()?);
    add(context, key, increment)
}

pub fn decrby(context: &mut Context, args: &mut Args) -> Answer {
    let (key, decrement) = (args.key()?, args.integer()?);
    let increment = decrement.checked_neg().ok_or(Error::DECREMENT_OVERFLOW)?;
    add(context, key, increment)
}

fn add(context: &mut Context, key: &[u8], increment: i64) -> Answer {
    let add = |old: i64| old.checked_add(increment).ok_or(Error::INCREMENT_OVERFLOW);
    let sum = if let Some(value) = context.write::<StringValue>(key)? {
        let sum = add(value.as_integer().ok_or(Error::NOT_INTEGER)?)?;
        *value = StringValue::from(sum);
        sum
    } else {
        *context.create(key)? = StringValue::from(increment);
        increment
    };
    context.changed(key);
    context.notify(Event::String, "incrby", key);
    Ok(Reply::Integer(sum))
}

pub fn incrbyfloat(context: &mut Context, args: &mut Args) -> Answer {
    let (key, increment) = (args.key()?, args.bytes()?);
    let old = match context.write::<StringValue>(key)? {
        Some(value) => LongDouble::parse(&value.bytes()).ok_or(Error::NOT_FLOAT)?,
        None => LongDouble::from_integer(0),
    };
    let increment = LongDouble::parse(increment).ok_or(Error::NOT_FLOAT)?;
    let sum = old.plus(increment).filter(|sum| !sum.is_infinite());
    let sum = sum.ok_or(Error::INCREMENT_NOT_FINITE)?.to_text();
    *context.create(key)? = StringValue::text(&sum);
    context.changed(key);
    context.notify(Event::String, "incrbyfloat", key);
    Ok(Reply::Bulk(sum))
}
