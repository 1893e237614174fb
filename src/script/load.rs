//! Loads libraries of functions: compiles their code and runs it, in slices, which registers their functions.

use super::api::raise;
use super::cache::split_line;
use super::library::{CHUNK_NAME, Engine, FLAGS, FUNCTION, Function, Library, Store, join};
use super::sandbox;
use super::{Called, Progress, Running};
use crate::error::Error;
use crate::keyspace::dict::Dict;
use crate::lua::lib::base::{Result as Native, display};
use crate::lua::machine::{Arguments, Fault, Flow, Machine};
use crate::lua::table::Table;
use crate::lua::value::Value;
use crate::lua::{Lua, Step};
use crate::number::c_string;
use crate::rdb;
use crate::resp::Reply;
use crate::server::{Context, Server};
use crate::split::split;
use std::collections::VecDeque;
use std::rc::Rc;

/// What a library's body may take, in fuel: some 300 ms of a plain loop in a browser. The real server stops it after
/// 500 ms. In both nobody else is served meanwhile.
const LOAD_FUEL: i64 = 30_000_000;

/// What stands before a library in a payload of the first release candidates of Redis 7.0, where name and engine were
/// apart from the code.
const FUNCTION_PRE_GA: u8 = 246;

/// What a library's body has registered so far.
#[derive(Default)]
pub(super) struct Loading {
    functions: Vec<Rc<Function>>,
    names: Dict<()>,
}

/// FUNCTION LOAD: the library's name will be the reply. If it fails, all is as before.
pub fn load(context: &mut Context, code: &[u8], replace: bool) -> Result<Option<Reply>, Error> {
    begin(context, VecDeque::from([Ok(code.to_vec())]), Then::Join { replace })
}

/// What FUNCTION RESTORE does with the libraries that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// They go.
    Flush,
    /// They stay; one of the same name is an error.
    Append,
    /// They stay, but for those of the same names.
    Replace,
}

/// FUNCTION RESTORE. If it fails, all is as before.
pub fn restore(
    context: &mut Context,
    payload: &[u8],
    policy: Policy,
) -> Result<Option<Reply>, Error> {
    if !context.server.accepts_payload(payload) {
        return Err(Error::BAD_PAYLOAD);
    }
    let mut reader = rdb::Reader::new(payload, context.server.longest_string());
    let mut codes = VecDeque::new();
    while reader.remaining() > 0 && codes.back().is_none_or(Result::is_ok) {
        codes.push_back(read(&mut reader));
    }
    begin(context, codes, Then::Restore(policy))
}

/// The code of the next library of a payload.
fn read(reader: &mut rdb::Reader) -> Result<Vec<u8>, Error> {
    match reader.byte().unwrap_or_default() {
        FUNCTION => reader.string().ok_or(Error::PAYLOAD_CODE),
        FUNCTION_PRE_GA => {
            let name = reader.string().ok_or(Error::PAYLOAD_NAME)?;
            let engine = reader.string().ok_or(Error::PAYLOAD_ENGINE)?;
            if reader.length().ok_or(Error::PAYLOAD_DESCRIBED)? != 0 {
                reader.string().ok_or(Error::PAYLOAD_DESCRIPTION)?;
            }
            let code = reader.string().ok_or(Error::PAYLOAD_BLOB)?;
            Ok([b"#!", &engine[..], b" name=", &name, b"\n", &code].concat())
        }
        _ => Err(Error::PAYLOAD_TYPE),
    }
}

/// Libraries that are loaded: FUNCTION LOAD's one, or those of FUNCTION RESTORE's payload.
pub struct Load {
    /// The code of those that are still to come, or what is wrong with the payload there.
    codes: VecDeque<Result<Vec<u8>, Error>>,
    /// The one that is loaded now.
    current: Option<Current>,
    /// Those that are loaded.
    loaded: Store,
    then: Then,
}

/// A library that is loaded.
struct Current {
    name: Vec<u8>,
    code: Vec<u8>,
    /// Its body has been compiled, and runs: for so much fuel at most.
    fuel: Option<i64>,
}

/// What is done with libraries when all are loaded.
enum Then {
    /// They are added, and the last one's name is the reply.
    Join { replace: bool },
    /// They are what FUNCTION RESTORE wants.
    Restore(Policy),
}

fn begin(
    context: &mut Context,
    codes: VecDeque<Result<Vec<u8>, Error>>,
    then: Then,
) -> Result<Option<Reply>, Error> {
    let mut load = Load { codes, current: None, loaded: Store::default(), then };
    if let Progress::Ended(reply) = load.next(context.server)? {
        return Ok(Some(reply));
    }
    let called = Called::Libraries(Box::new(load));
    context.server.scripts.running = Some(Running::new(context, called));
    Ok(None)
}

impl Load {
    /// Begins with the next library, or does what is to be done with all of them.
    fn next(&mut self, server: &mut Server) -> Result<Progress, Error> {
        let Some(code) = self.codes.pop_front() else { return self.finish(server) };
        let code = code?;
        let (name, body) = metadata(&code)?;
        let there = match self.then {
            Then::Join { replace: true } => false,
            Then::Join { replace: false } => server.scripts.libraries.store.has(&name),
            Then::Restore(_) => self.loaded.has(&name),
        };
        if there {
            return Err(Error::library_exists_quoted(&name));
        }
        let limit = server.scripts.room_for_functions();
        let all = &mut server.scripts.libraries;
        all.loading = Some(Loading::default());
        let engine = all.engine.get_or_insert_with(|| {
            let (lua, scopes) = sandbox::library_interpreter(limit);
            Engine { lua, scopes }
        });
        engine.lua.set_limit(limit);
        sandbox::choose(&mut engine.lua, engine.scopes.loading);
        engine.lua.start_compiling(body, CHUNK_NAME);
        self.current = Some(Current { name, code, fuel: None });
        Ok(Progress::Paused)
    }

    /// Goes on when the interpreter has stopped so, after so much fuel.
    pub(super) fn go_on(
        &mut self,
        server: &mut Server,
        step: Step,
        spent: i64,
    ) -> Result<Progress, Error> {
        self.go_on_or_fail(server, step, spent).map_err(|error| self.give_up(server, error))
    }

    /// Forgets all that has been loaded, for this reason.
    pub(super) fn give_up(&self, server: &mut Server, error: Error) -> Error {
        let begun = end_body(server);
        let all = &mut server.scripts.libraries;
        all.forget_functions(&begun);
        all.forget(&self.loaded.libraries);
        error
    }

    fn go_on_or_fail(
        &mut self,
        server: &mut Server,
        step: Step,
        spent: i64,
    ) -> Result<Progress, Error> {
        let engine = server.scripts.libraries.engine.as_mut();
        let (Some(engine), Some(current)) = (engine, &mut self.current) else {
            return Err(Error::NOT_IN_SCRIPT);
        };
        let lua = &mut engine.lua;
        match (step, &mut current.fuel) {
            (Step::Paused | Step::Stopped, None) => Ok(Progress::Paused),
            (Step::Paused | Step::Stopped, Some(fuel)) => {
                *fuel -= spent;
                if *fuel > 0 {
                    Ok(Progress::Paused)
                } else {
                    Err(Error::registering(&Error::LOAD_TIMEOUT.0))
                }
            }
            (Step::Failed, Some(_)) => Err(Error::registering(&failure(lua))),
            (Step::Finished | Step::Failed, None) => {
                let compiled = lua.compiled();
                let function = compiled.map_err(|message| Error::compile_function(&message))?;
                lua.start(function);
                lua.forget(function);
                current.fuel = Some(LOAD_FUEL);
                Ok(Progress::Paused)
            }
            (Step::Finished, Some(_)) => self.registered(server),
        }
    }

    /// A library's body has run.
    fn registered(&mut self, server: &mut Server) -> Result<Progress, Error> {
        let Some(Current { name, code, .. }) = self.current.take() else {
            return Err(Error::NOT_IN_SCRIPT);
        };
        let functions = end_body(server);
        if functions.is_empty() {
            return Err(Error::NO_FUNCTIONS);
        }
        if let Err((error, refused)) =
            self.loaded.join(vec![Library { name, code, functions }], false)
        {
            server.scripts.libraries.forget(&refused);
            return Err(error);
        }
        self.next(server)
    }

    /// Does with the libraries what is to be done with all of them.
    fn finish(&mut self, server: &mut Server) -> Result<Progress, Error> {
        let loaded = std::mem::take(&mut self.loaded);
        let reply = match (&self.then, loaded.libraries.last()) {
            (Then::Join { .. }, Some(library)) => Reply::bulk(&library.name),
            _ => Reply::OK,
        };
        match self.then {
            Then::Join { replace } => join(server, loaded.libraries, replace)?,
            Then::Restore(Policy::Append) => join(server, loaded.libraries, false)?,
            Then::Restore(Policy::Replace) => join(server, loaded.libraries, true)?,
            Then::Restore(Policy::Flush) => {
                let all = &mut server.scripts.libraries;
                let old = std::mem::replace(&mut all.store, loaded);
                all.forget(&old.libraries);
                server.changes += 1;
            }
        }
        Ok(Progress::Ended(reply))
    }
}

/// What a library's body has failed with.
fn failure(lua: &mut Lua) -> Vec<u8> {
    lua.enter(|machine| match machine.state.failure.take().unwrap_or_default() {
        // Only the server makes errors that are tables here.
        Value::Table(table) => text_of(table.field(b"err"), machine).unwrap_or_default(),
        value => Error::from_script(c_string(&display(value))).0.into_owned(),
    })
}

/// A library's body has ended: what it has registered.
fn end_body(server: &mut Server) -> Vec<Rc<Function>> {
    let all = &mut server.scripts.libraries;
    if let Some(engine) = &mut all.engine {
        sandbox::choose(&mut engine.lua, engine.scopes.calling);
    }
    all.loading.take().unwrap_or_default().functions
}

/// The name in a library's shebang, and the code behind it.
fn metadata(code: &[u8]) -> Result<(Vec<u8>, &[u8]), Error> {
    if !code.starts_with(b"#!") {
        return Err(Error::NO_METADATA);
    }
    let (line, body) = split_line(code).ok_or(Error::INVALID_METADATA)?;
    let words = split(line).ok_or(Error::INVALID_METADATA)?;
    let (engine, options) = words.split_first().ok_or(Error::INVALID_METADATA)?;
    let mut name = None;
    for option in options {
        match option.split_at_checked(5) {
            Some((key, _)) if key.eq_ignore_ascii_case(b"name=") && name.is_some() => {
                return Err(Error::NAME_TWICE);
            }
            Some((key, value)) if key.eq_ignore_ascii_case(b"name=") => name = Some(value),
            _ => return Err(Error::invalid_metadata(option)),
        }
    }
    let name = name.ok_or(Error::NO_LIBRARY_NAME)?;
    if !is_name(name) {
        return Err(Error::LIBRARY_NAME);
    }
    let engine = engine.get(2..).unwrap_or_default();
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(Error::no_engine(engine));
    }
    Ok((name.to_vec(), body))
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// `redis.register_function(name, callback)`, or with a table of what a function has.
pub(super) fn register_function<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Native<'gc> {
    let registered = match &mut server.scripts.libraries.loading {
        None => Err(Error::REGISTER_LATE),
        Some(loading) => read_function(machine, arguments).and_then(|function| {
            if !is_name(&function.name) {
                Err(Error::LIBRARY_NAME)
            } else if loading.names.contains(&function.name) {
                Err(Error::FUNCTION_TWICE)
            } else {
                Ok((loading, function))
            }
        }),
    };
    let (loading, function) =
        registered.map_err(|error| -> Fault<'gc> { raise(machine, &error) })?;
    let Described { name, description, flags, callback } = function;
    machine.pay_for_bytes(name.len());
    machine.fuel -= 10;
    loading.names.insert(&name, ());
    let callback = machine.keep(callback);
    loading.functions.push(Rc::new(Function { name, description, flags, callback }));
    Ok(Flow::Return(0))
}

/// A function as a library describes it.
struct Described<'gc> {
    name: Vec<u8>,
    description: Option<Vec<u8>>,
    flags: u8,
    callback: Value<'gc>,
}

fn read_function<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<Described<'gc>, Error> {
    let first = machine.argument(arguments, 1);
    match arguments.count {
        1 => match first {
            Value::Table(table) => read_named(machine, table),
            _ => Err(Error::REGISTER_TABLE),
        },
        2 => {
            let name = text_of(first, machine).ok_or(Error::REGISTER_FIRST)?;
            let callback = machine.argument(arguments, 2);
            if !is_function(callback) {
                return Err(Error::REGISTER_SECOND);
            }
            Ok(Described { name, description: None, flags: 0, callback })
        }
        _ => Err(Error::REGISTER_ARGUMENTS),
    }
}

fn read_named<'gc>(
    machine: &mut Machine<'_, 'gc>,
    table: Table<'gc>,
) -> Result<Described<'gc>, Error> {
    let (mut name, mut description, mut flags, mut callback) = (None, None, 0, None);
    for (key, value) in table.entries() {
        machine.fuel -= 1;
        let key = text_of(key, machine).ok_or(Error::REGISTER_KEY)?;
        match &c_string(&key).to_ascii_lowercase()[..] {
            b"function_name" => {
                name = Some(text_of(value, machine).ok_or(Error::REGISTER_NAME_TYPE)?);
            }
            b"description" => {
                description =
                    Some(text_of(value, machine).ok_or(Error::REGISTER_DESCRIPTION_TYPE)?);
            }
            b"callback" if is_function(value) => callback = Some(value),
            b"callback" => return Err(Error::REGISTER_CALLBACK_TYPE),
            b"flags" => match value {
                Value::Table(table) => flags = read_flags(machine, table)?,
                _ => return Err(Error::REGISTER_FLAGS_TYPE),
            },
            _ => return Err(Error::REGISTER_UNKNOWN),
        }
    }
    let name = name.ok_or(Error::REGISTER_NO_NAME)?;
    let callback = callback.ok_or(Error::REGISTER_NO_CALLBACK)?;
    Ok(Described { name, description, flags, callback })
}

fn read_flags<'gc>(machine: &mut Machine<'_, 'gc>, table: Table<'gc>) -> Result<u8, Error> {
    let mut flags = 0;
    for index in 1.. {
        machine.fuel -= 1;
        let value = table.get_index(index);
        if value.is_nil() {
            break;
        }
        let name = text_of(value, machine).unwrap_or_default();
        let name = c_string(&name);
        let bit = FLAGS.iter().position(|flag| flag.as_bytes().eq_ignore_ascii_case(name));
        flags |= 1 << bit.ok_or(Error::REGISTER_FLAG)?;
    }
    Ok(flags)
}

fn is_function(value: Value) -> bool {
    matches!(value, Value::Closure(_) | Value::Native(_))
}

/// The bytes of a string, or of a number's digits.
fn text_of<'gc>(value: Value<'gc>, machine: &Machine<'_, 'gc>) -> Option<Vec<u8>> {
    value.to_str(machine.mc).map(|text| text.bytes().to_vec())
}
