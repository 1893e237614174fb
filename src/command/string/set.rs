//! Runs the commands that read and replace whole strings, and set their expiry with them.

use crate::command::args::Args;
use crate::command::{Answer, Room};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::number;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::Kind;
use crate::value::string::StringValue;

/// What stands behind the value of SET, or behind the key of GETEX.
#[derive(Default)]
struct Options<'a> {
    nx: bool,
    xx: bool,
    get: bool,
    keep_ttl: bool,
    persist: bool,
    expiry: Option<(Unit, &'a [u8])>,
}

/// How the time of an expiry is given.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Unit {
    milliseconds: i64,
    absolute: bool,
}

/// The words of the units, with what they mean.
const UNITS: [(&str, Unit); 4] = [
    ("EX", SECONDS),
    ("PX", MILLISECONDS),
    ("EXAT", Unit { milliseconds: 1000, absolute: true }),
    ("PXAT", Unit { milliseconds: 1, absolute: true }),
];

const SECONDS: Unit = Unit { milliseconds: 1000, absolute: false };
const MILLISECONDS: Unit = Unit { milliseconds: 1, absolute: false };

impl<'a> Options<'a> {
    /// NX, XX, GET, KEEPTTL and an expiry.
    fn of_set(args: &mut Args<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        while !args.is_empty() {
            if !options.xx && args.option("NX") {
                options.nx = true;
            } else if !options.nx && args.option("XX") {
                options.xx = true;
            } else if args.option("GET") {
                options.get = true;
            } else if options.expiry.is_none() && args.option("KEEPTTL") {
                options.keep_ttl = true;
            } else if options.keep_ttl || !options.expiry(args)? {
                return Err(Error::SYNTAX);
            }
        }
        Ok(options)
    }

    /// PERSIST or an expiry.
    fn of_getex(args: &mut Args<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        while !args.is_empty() {
            if options.expiry.is_none() && args.option("PERSIST") {
                options.persist = true;
            } else if options.persist || !options.expiry(args)? {
                return Err(Error::SYNTAX);
            }
        }
        Ok(options)
    }

    /// Takes an expiry, if one comes: a second one in the same unit replaces the first.
    fn expiry(&mut self, args: &mut Args<'a>) -> Result<bool, Error> {
        if args.remaining() < 2 {
            return Ok(false);
        }
        let found = UNITS.into_iter().find(|(word, _)| args.option(word));
        let Some((_, unit)) = found else { return Ok(false) };
        if self.expiry.is_some_and(|(other, _)| other != unit) {
            return Ok(false);
        }
        self.expiry = Some((unit, args.bytes()?));
        Ok(true)
    }

    /// The deadline that the expiry gives; `name` is the command's, for the error.
    fn deadline(&self, now: Millis, name: &str) -> Result<Option<Millis>, Error> {
        let Some((unit, time)) = self.expiry else { return Ok(None) };
        let time = number::parse_integer(time).ok_or(Error::NOT_INTEGER)?;
        let base = if unit.absolute { 0 } else { now };
        Some(time)
            .filter(|time| *time > 0)
            .and_then(|time| time.checked_mul(unit.milliseconds)?.checked_add(base))
            .ok_or_else(|| Error::invalid_expire(name))
            .map(Some)
    }
}

/// A string that a command reads, copied.
fn read(context: &mut Context, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    Ok(context.read::<StringValue>(key)?.map(|value| value.bytes().into_owned()))
}

/// Gives a key a new string.
fn store(context: &mut Context, key: &[u8], value: &[u8]) {
    context.set(key, StringValue::new(value).wrap());
    context.notify(Event::String, "set", key);
}

pub fn get(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(Reply::bulk_or_null(read(context, key)?))
}

pub fn set(context: &mut Context, args: &mut Args) -> Answer {
    let (key, value) = (args.key()?, args.bytes()?);
    let options = Options::of_set(args)?;
    set_with(context, key, value, &options, "set")
}

pub fn setex(context: &mut Context, args: &mut Args) -> Answer {
    let (key, time, value) = (args.key()?, args.bytes()?, args.bytes()?);
    let options = Options { expiry: Some((SECONDS, time)), ..Options::default() };
    set_with(context, key, value, &options, "setex")
}

pub fn psetex(context: &mut Context, args: &mut Args) -> Answer {
    let (key, time, value) = (args.key()?, args.bytes()?, args.bytes()?);
    let options = Options { expiry: Some((MILLISECONDS, time)), ..Options::default() };
    set_with(context, key, value, &options, "psetex")
}

pub fn setnx(context: &mut Context, args: &mut Args) -> Answer {
    let (key, value) = (args.key()?, args.bytes()?);
    let new = !context.exists(key);
    if new {
        store(context, key, value);
    }
    Ok(Reply::flag(new))
}

/// SET with its options, and its older sisters.
fn set_with(
    context: &mut Context,
    key: &[u8],
    value: &[u8],
    options: &Options,
    name: &str,
) -> Answer {
    let now = context.now();
    let deadline = options.deadline(now, name)?;
    let old = if options.get { Some(Reply::bulk_or_null(read(context, key)?)) } else { None };
    let current = context.db().peek(key, now).map(|entry| entry.deadline);
    if options.nx && current.is_some() || options.xx && current.is_none() {
        return Ok(old.unwrap_or(Reply::Null));
    }
    store(context, key, value);
    let deadline = if options.keep_ttl { current.flatten() } else { deadline };
    context.db().set_deadline(key, deadline);
    if options.expiry.is_some() {
        context.notify(Event::Generic, "expire", key);
    }
    Ok(old.unwrap_or(Reply::OK))
}

pub fn getset(context: &mut Context, args: &mut Args) -> Answer {
    let (key, value) = (args.key()?, args.bytes()?);
    let old = read(context, key)?;
    store(context, key, value);
    Ok(Reply::bulk_or_null(old))
}

pub fn getdel(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let old = read(context, key)?;
    if old.is_some() {
        context.delete(key);
    }
    Ok(Reply::bulk_or_null(old))
}

pub fn getex(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let options = Options::of_getex(args)?;
    let Some(value) = read(context, key)? else { return Ok(Reply::Null) };
    let now = context.now();
    match options.deadline(now, "getex")? {
        Some(deadline) if deadline <= now => {
            context.delete(key);
        }
        Some(deadline) => {
            context.db().set_deadline(key, Some(deadline));
            context.changed(key);
            context.notify(Event::Generic, "expire", key);
        }
        None if options.persist => {
            let expires = context.db().peek(key, now).is_some_and(|entry| entry.deadline.is_some());
            if expires {
                context.db().set_deadline(key, None);
                context.changed(key);
                context.notify(Event::Generic, "persist", key);
            }
        }
        None => {}
    }
    Ok(Reply::Bulk(value))
}

pub fn mget(context: &mut Context, args: &mut Args) -> Answer {
    // A key of another type counts as missing.
    let mut room = Room::new();
    let values = args.rest().iter().map(|key| room.bulk(read(context, key).unwrap_or_default()));
    values.collect::<Result<_, _>>().map(Reply::Array)
}

pub fn mset(context: &mut Context, args: &mut Args) -> Answer {
    for (key, value) in args.pairs("mset")? {
        store(context, key, value);
    }
    Ok(Reply::OK)
}

pub fn msetnx(context: &mut Context, args: &mut Args) -> Answer {
    let pairs = args.pairs("msetnx")?;
    if pairs.iter().any(|(key, _)| context.exists(key)) {
        return Ok(Reply::Integer(0));
    }
    for (key, value) in pairs {
        store(context, key, value);
    }
    Ok(Reply::Integer(1))
}
