//! Sets up what scripts can see, and protects it.

use super::api::{self, Field, REDIS};
use crate::lua::function::NativeCode;
use crate::lua::lib;
use crate::lua::machine::Machine;
use crate::lua::table::Table;
use crate::lua::value::Value;
use crate::lua::{FunctionId, Lua};

/// The names that the real server gives to globals, in its order: the order of `pairs(_G)` follows from it. Lua's own
/// libraries come first, then Redis's.
const GLOBALS: &[&str] = &[
    "_G",
    "assert",
    "collectgarbage",
    "dofile",
    "error",
    "gcinfo",
    "getfenv",
    "getmetatable",
    "loadfile",
    "load",
    "loadstring",
    "next",
    "pcall",
    "print",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setfenv",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
    "_VERSION",
    "ipairs",
    "pairs",
    "newproxy",
    "coroutine",
    "table",
    "string",
    "math",
    "debug",
    "cjson",
    "struct",
    "cmsgpack",
    "bit",
    "redis",
    "__redis__err__handler",
];

/// Those of them that scripts do not get. Their keys are made all the same, with nil for a value.
const DENIED: &[&str] = &["dofile", "getfenv", "loadfile", "newproxy", "print", "setfenv"];

/// An interpreter as the server gives it to every script.
pub fn interpreter(limit: usize) -> Lua {
    let mut lua = Lua::new(limit);
    lua.enter(|machine| {
        open(machine, GLOBALS, REDIS.len());
        let handler = machine.state.handler;
        let globals = machine.state.globals;
        machine.set_field(globals, "__redis__err__handler", handler);
        machine.set_field(globals, "debug", Value::Nil);
        protect_globals(machine);
    });
    lua
}

/// An interpreter as the server gives it to functions, and where they find their globals: while they are called, and
/// while their library is loaded.
pub fn library_interpreter(limit: usize) -> (Lua, Scopes) {
    let mut lua = Lua::new(limit);
    let scopes = lua.enter(|machine| {
        let (_, names) = GLOBALS.split_last().unwrap_or((&"", &[]));
        open(machine, names, api::SHARED);
        let globals = machine.state.globals;
        machine.set_field(globals, "debug", Value::Nil);
        protect_globals(machine);

        let redis = machine.table(0, 0);
        let register = host_function(machine, api::REGISTER_FUNCTION);
        machine.set_field(redis, "register_function", register);
        for (place, (name, field)) in REDIS.iter().enumerate() {
            if api::LOADING.contains(name) {
                let value = field_value(machine, place, field);
                machine.set_field(redis, name, value);
            }
        }
        refuse_unknown(machine, redis);
        let loading = machine.table(0, 0);
        machine.set_field(loading, "redis", Value::Table(redis));
        refuse_unknown(machine, loading);
        protect(machine, loading);

        // What functions take for the globals is empty, and looks elsewhere.
        let outer = machine.table(0, 0);
        let metatable = machine.table(0, 0);
        machine.set_field(metatable, "__index", Value::Table(globals));
        outer.set_metatable(machine.mc, Some(metatable));
        protect(machine, outer);
        machine.state.globals = outer;
        Scopes {
            calling: machine.keep(Value::Table(globals)),
            loading: machine.keep(Value::Table(loading)),
        }
    });
    (lua, scopes)
}

/// Two sets of global variables.
#[derive(Clone, Copy)]
pub struct Scopes {
    /// For functions that are called.
    pub calling: FunctionId,
    /// For a library that is loaded.
    pub loading: FunctionId,
}

/// Lets functions see these global variables from now on.
pub fn choose(lua: &mut Lua, scope: FunctionId) {
    lua.enter(|machine| {
        let scope = machine.value_of(scope);
        if let Some(metatable) = machine.state.globals.metatable() {
            machine.set_field(metatable, "__index", scope);
        }
    });
}

/// Makes the globals: Lua's libraries and Redis's, of whose table functions get only the first fields.
fn open(machine: &mut Machine, names: &[&str], fields: usize) {
    let globals = machine.state.globals;
    for name in names {
        let held = if DENIED.contains(name) { Value::Nil } else { Value::Boolean(true) };
        machine.set_field(globals, name, held);
    }
    lib::open(machine);
    let table = machine.table(0, 0);
    machine.set_field(globals, "redis", Value::Table(table));
    for (place, (name, field)) in REDIS.iter().enumerate().take(fields) {
        let value = field_value(machine, place, field);
        machine.set_field(table, name, value);
    }
    machine.state.handler = host_function(machine, api::ERROR_HANDLER);
    let pcall = host_function(machine, api::PCALL);
    machine.set_field(globals, "pcall", pcall);
}

fn protect_globals(machine: &mut Machine) {
    let globals = machine.state.globals;
    refuse_unknown(machine, globals);
    protect(machine, globals);
    if let Some(metatable) = machine.state.string_metatable {
        protect(machine, metatable);
    }
}

/// Makes it an error to read what is not in a table.
fn refuse_unknown<'gc>(machine: &mut Machine<'_, 'gc>, table: Table<'gc>) {
    let metatable = machine.table(0, 0);
    let unknown = host_function(machine, api::UNKNOWN_GLOBAL);
    machine.set_field(metatable, "__index", unknown);
    table.set_metatable(machine.mc, Some(metatable));
}

fn host_function<'gc>(machine: &mut Machine<'_, 'gc>, number: usize) -> Value<'gc> {
    machine.native(NativeCode::Host(number as u32), Vec::new())
}

fn field_value<'gc>(machine: &mut Machine<'_, 'gc>, place: usize, field: &Field) -> Value<'gc> {
    match field {
        Field::Function(_) => host_function(machine, place),
        Field::Number(number) => Value::Number(f64::from(*number)),
        Field::Text(text) => machine.string(text),
    }
}

/// Makes a table, its metatable and the tables in it read-only. `_G` holds itself: what is done is not done again.
fn protect<'gc>(machine: &mut Machine<'_, 'gc>, table: Table<'gc>) {
    let mut left = vec![table];
    while let Some(table) = left.pop() {
        if table.is_read_only() {
            continue;
        }
        table.make_read_only(machine.mc);
        left.extend(table.metatable());
        for (_, value) in table.entries() {
            if let Value::Table(inner) = value {
                left.push(inner);
            }
        }
    }
}

/// Gives a script its KEYS or its ARGV. The globals are read-only to scripts, not to the server.
pub fn set_global_list(machine: &mut Machine<'_, '_>, name: &str, items: &[Vec<u8>]) {
    let list = list(machine, items);
    machine.set_field(machine.state.globals, name, list);
}

/// The keys or the arguments as a table, which grows as Redis's does: what `#` finds behind a hole depends on it.
pub fn list<'gc>(machine: &mut Machine<'_, 'gc>, items: &[Vec<u8>]) -> Value<'gc> {
    let list = machine.table(0, 0);
    for (index, item) in items.iter().enumerate() {
        let value = machine.string(item);
        // A whole number is always a possible key.
        let _ = list.set(machine.mc, Value::Number((index + 1) as f64), value);
    }
    Value::Table(list)
}
