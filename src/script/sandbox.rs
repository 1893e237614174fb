//! Sets up what scripts can see, and protects it.

use super::api;
use crate::lua::Lua;
use crate::lua::function::NativeCode;
use crate::lua::lib;
use crate::lua::machine::Machine;
use crate::lua::table::Table;
use crate::lua::value::Value;
use crate::server::REDIS_VERSION;

/// Bytes that scripts may keep in memory.
const HEAP_LIMIT: usize = 64 << 20;

/// An interpreter as the server gives it to every script.
pub fn interpreter() -> Lua {
    let mut lua = Lua::new(HEAP_LIMIT);
    lua.enter(|machine| {
        lib::open(machine);
        redis(machine);
        let globals = machine.state.globals;
        let others = api::REDIS.len();
        for (place, (name, _)) in api::OTHERS.iter().enumerate() {
            let function = host_function(machine, others + place);
            if *name == "__index" {
                let metatable = machine.table(0, 1);
                machine.set_field(metatable, name, function);
                machine.set_metatable(globals, Some(metatable));
            } else {
                machine.set_field(globals, name, function);
            }
        }
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
    let table = machine.library("redis", &[]);
    for (place, (name, _)) in api::REDIS.iter().enumerate() {
        let function = host_function(machine, place);
        machine.set_field(table, name, function);
    }
    for (name, value) in api::CONSTANTS {
        machine.set_field(table, name, Value::Number(f64::from(*value)));
    }
    let version = machine.string(REDIS_VERSION);
    machine.set_field(table, "REDIS_VERSION", version);
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
