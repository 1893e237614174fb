//! Sets up what scripts can see, and protects it.

use super::api::{self, Field};
use crate::lua::Lua;
use crate::lua::function::NativeCode;
use crate::lua::lib;
use crate::lua::machine::Machine;
use crate::lua::table::Table;
use crate::lua::value::Value;

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
        for name in GLOBALS {
            let held = if DENIED.contains(name) { Value::Nil } else { Value::Boolean(true) };
            machine.set_field(machine.state.globals, name, held);
        }
        lib::open(machine);
        redis(machine);
        let globals = machine.state.globals;
        let handler = host_function(machine, api::ERROR_HANDLER);
        machine.set_field(globals, "__redis__err__handler", handler);
        machine.state.handler = handler;
        machine.set_field(globals, "debug", Value::Nil);
        let pcall = host_function(machine, api::PCALL);
        machine.set_field(globals, "pcall", pcall);
        let metatable = machine.table(0, 0);
        let unknown = host_function(machine, api::UNKNOWN_GLOBAL);
        machine.set_field(metatable, "__index", unknown);
        globals.set_metatable(machine.mc, Some(metatable));
        protect(machine, globals);
        if let Some(metatable) = machine.state.string_metatable {
            protect(machine, metatable);
        }
    });
    lua
}

fn host_function<'gc>(machine: &mut Machine<'_, 'gc>, number: usize) -> Value<'gc> {
    machine.native(NativeCode::Host(number as u32), Vec::new())
}

fn redis(machine: &mut Machine) {
    let table = machine.table(0, 0);
    machine.set_field(machine.state.globals, "redis", Value::Table(table));
    for (place, (name, field)) in api::REDIS.iter().enumerate() {
        let value = match field {
            Field::Function(_) => host_function(machine, place),
            Field::Number(number) => Value::Number(f64::from(*number)),
            Field::Text(text) => machine.string(text),
        };
        machine.set_field(table, name, value);
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
    let list = machine.table(items.len(), 0);
    for (index, item) in items.iter().enumerate() {
        let value = machine.string(item);
        // A whole number is always a possible key.
        let _ = list.set(machine.mc, Value::Number((index + 1) as f64), value);
    }
    machine.set_field(machine.state.globals, name, Value::Table(list));
}
