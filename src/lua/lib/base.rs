//! Defines the base library: what every script can call without a table in front.

use super::load::{load, loadstring};
use crate::bytes::c_string;
use crate::function::NativeCode;
use crate::machine::{
    Arguments, Continue, Fault, Flow, MAX_VALUES, Machine, NativeFunction, Outcome, Protection,
    QuickFunction,
};
use crate::number::{format_number, parse_integer};
use crate::operators::Event;
use crate::packed::Packed;
use crate::value::Value;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("assert", assert),
    ("collectgarbage", collectgarbage),
    ("error", error),
    ("gcinfo", gcinfo),
    ("getmetatable", getmetatable),
    ("ipairs", ipairs),
    ("load", load),
    ("loadstring", loadstring),
    ("next", next),
    ("pairs", pairs),
    ("pcall", pcall),
    ("rawequal", rawequal),
    ("rawget", rawget),
    ("rawset", rawset),
    ("select", select),
    ("setmetatable", setmetatable),
    ("tonumber", tonumber),
    ("tostring", tostring),
    ("type", type_name),
    ("unpack", unpack),
    ("xpcall", xpcall),
];

/// Those that are done without a frame.
const SHORT_CUTS: &[(&str, QuickFunction)] = &[
    ("next", quick_next),
    ("rawequal", |machine, arguments| {
        let values = machine.pair_of_arguments(arguments)?;
        Some([Packed::boolean(values.0.quick_equals(values.1)?), Packed::NIL])
    }),
    ("rawget", |machine, arguments| {
        let (table, key) = machine.pair_of_arguments(arguments)?;
        Some([table.as_table()?.quick_get(key)?, Packed::NIL])
    }),
    ("tonumber", |machine, arguments| {
        let value = (arguments.count == 1).then(|| machine.packed_argument(arguments, 1))?;
        value.as_number().map(|_| [value, Packed::NIL])
    }),
];

/// How a function of a library goes on.
pub type Result<'gc> = std::result::Result<Flow, Fault<'gc>>;

/// Puts the library into the globals, `_G` and `_VERSION` with it.
pub fn open(machine: &mut Machine) {
    let globals = machine.state.globals;
    machine.register_with(globals, FUNCTIONS, SHORT_CUTS);
    machine.set_field(globals, "_G", Value::Table(globals));
    let version = machine.string("Lua 5.1");
    machine.set_field(globals, "_VERSION", version);
    // `ipairs` gives its iterator away, always the same one; so does `pairs` with `next`.
    let step = machine.native(NativeCode::Quick(quick_ipairs_step, ipairs_step), Vec::new());
    if let (Value::Native(ipairs), Value::Native(pairs)) =
        (globals.field(b"ipairs"), globals.field(b"pairs"))
    {
        let next = globals.field(b"next");
        ipairs.0.upvalues.borrow_mut(machine.mc).push(step);
        pairs.0.upvalues.borrow_mut(machine.mc).push(next);
    }
}

fn assert<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    if machine.check_any(arguments, 1)?.is_true() {
        return Ok(Flow::Return(arguments.count));
    }
    let message = match machine.optional_string(arguments, 2)? {
        Some(message) => c_string(message.bytes()),
        None => b"assertion failed!",
    };
    Err(machine.error(message))
}

/// Heap figures follow the arena: `count` is what it takes now, in kilobytes.
fn collectgarbage<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    const OPTIONS: [&[u8]; 7] =
        [b"stop", b"restart", b"collect", b"count", b"step", b"setpause", b"setstepmul"];
    let option = machine
        .optional_string(arguments, 1)?
        .map_or(&b"collect"[..], |option| c_string(option.bytes()));
    if !OPTIONS.contains(&option) {
        let message = [&b"invalid option '"[..], option, b"'"].concat();
        return Err(machine.argument_error(1, &message));
    }
    let size = machine.optional_integer(arguments, 2, 0)?;
    match option {
        b"collect" => {
            machine.forget_unused();
            machine.state.wants_collection = true;
            Ok(Flow::Pause(Box::new(Collected)))
        }
        b"count" => {
            let kilobytes = machine.mc.metrics().total_allocation() as f64 / 1024.0;
            machine.give(Value::Number(kilobytes))
        }
        // The arena takes its steps by itself. One that is as large as the heap would end a cycle.
        b"step" => {
            let heap = (machine.mc.metrics().total_allocation() / 1024) as i64;
            machine.give(Value::Boolean(size > heap))
        }
        // What PUC-Rio's collector starts with: pause and step multiplier of 200 percent.
        b"setpause" | b"setstepmul" => machine.give(Value::Number(200.0)),
        _ => machine.give(Value::Number(0.0)),
    }
}

struct Collected;

impl Continue for Collected {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        machine.give(Value::Number(0.0))
    }
}

fn gcinfo<'gc>(machine: &mut Machine<'_, 'gc>, _: Arguments) -> Result<'gc> {
    let kilobytes = (machine.mc.metrics().total_allocation() / 1024) as f64;
    machine.give(Value::Number(kilobytes))
}

/// A string gets the position of the function at the level; any other value is raised as it is.
fn error<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let level = machine.optional_integer(arguments, 2, 1)? as i32;
    let mut value = machine.argument(arguments, 1);
    if let (Some(text), true) = (value.to_str(machine.mc), level > 0) {
        machine.pay_for_bytes(text.bytes().len());
        let position = machine.position_prefix(usize::try_from(level).unwrap_or(0));
        value = machine.string([&position, text.bytes()].concat());
    }
    Err(Fault::Error(value))
}

fn getmetatable<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let value = machine.check_any(arguments, 1)?;
    let shown = match machine.metatable(value) {
        None => Value::Nil,
        Some(metatable) => match machine.metamethod(value, Event::Metatable) {
            Value::Nil => Value::Table(metatable),
            protected => protected,
        },
    };
    machine.give(shown)
}

fn setmetatable<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let metatable = match machine.argument(arguments, 2) {
        Value::Nil if arguments.count >= 2 => None,
        Value::Table(metatable) => Some(metatable),
        _ => return Err(machine.argument_error(2, "nil or table expected")),
    };
    if !machine.metamethod(Value::Table(table), Event::Metatable).is_nil() {
        return Err(machine.error("cannot change a protected metatable"));
    }
    if table.is_read_only() {
        return Err(machine.error_here("Attempt to modify a readonly table"));
    }
    table.set_metatable(machine.mc, metatable);
    machine.give(Value::Table(table))
}

fn ipairs<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let step = machine.kept(arguments);
    machine.push(step);
    machine.push(Value::Table(table));
    machine.push(Value::Number(0.0));
    Ok(Flow::Return(3))
}

fn ipairs_step<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let index = (machine.check_integer(arguments, 2)? as i32).wrapping_add(1);
    let table = machine.check_table(arguments, 1)?;
    let key = Value::Number(f64::from(index));
    let value = table.get(key);
    if value.is_nil() {
        return Ok(Flow::Return(0));
    }
    machine.push(key);
    machine.push(value);
    Ok(Flow::Return(2))
}

fn quick_ipairs_step<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Option<[Packed<'gc>; 2]> {
    let (table, index) = machine.pair_of_arguments(arguments)?;
    let next = Packed::computed(index.as_number()? + 1.0);
    // An index that is none, or too large, is no item's.
    let value = table.as_table()?.quick_get(next)?;
    Some(if value.is_nil() { [Packed::NIL; 2] } else { [next, value] })
}

fn pairs<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let next = machine.kept(arguments);
    machine.push(next);
    machine.push(Value::Table(table));
    machine.push(Value::Nil);
    Ok(Flow::Return(3))
}

fn next<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let key = machine.packed_argument(arguments, 2);
    if !machine.hash_key(key) {
        return Ok(Flow::Again);
    }
    match table.next_packed(key) {
        Ok(Some((key, value))) => {
            machine.push_packed(key);
            machine.push_packed(value);
            Ok(Flow::Return(2))
        }
        Ok(None) => machine.give(Value::Nil),
        Err(_) => Err(machine.error_here("invalid key to 'next'")),
    }
}

fn quick_next<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Option<[Packed<'gc>; 2]> {
    let table = machine.packed_argument(arguments, 1).as_table()?;
    let key = machine.packed_argument(arguments, 2);
    if key.as_str().is_some_and(|text| text.known_hash() == 0) {
        return None;
    }
    let next = table.next_packed(key).ok()?;
    Some(next.map_or([Packed::NIL; 2], |(key, value)| [key, value]))
}

fn rawequal<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.check_any(arguments, 1)?;
    machine.check_any(arguments, 2)?;
    let (left, right) =
        (machine.packed_argument(arguments, 1), machine.packed_argument(arguments, 2));
    machine.pay_for_comparison(left, right);
    machine.give(Value::Boolean(left.equals(right)))
}

fn rawget<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let key = machine.check_any(arguments, 2)?;
    if !machine.hash_key(key.into()) {
        return Ok(Flow::Again);
    }
    machine.pay_for_key(key.into());
    machine.give(table.get(key))
}

fn rawset<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let (key, value) = (machine.check_any(arguments, 2)?, machine.check_any(arguments, 3)?);
    machine.pay_for_key(key.into());
    if !machine.set_in_slices(table, key.into(), value.into())? {
        return Ok(Flow::Again);
    }
    machine.give(Value::Table(table))
}

fn select<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let count = arguments.count as i64;
    if let Value::String(text) = machine.argument(arguments, 1)
        && text.bytes().first() == Some(&b'#')
    {
        return machine.give(Value::Number((count - 1) as f64));
    }
    // PUC-Rio counts in C's int.
    let from = i64::from(machine.check_integer(arguments, 1)? as i32);
    let from = if from < 0 { from + count } else { from.min(count) };
    if from < 1 {
        return Err(machine.argument_error(1, "index out of range"));
    }
    Ok(Flow::Return((count - from) as usize))
}

fn tonumber<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let base = machine.optional_integer(arguments, 2, 10)? as i32;
    if base == 10 {
        let value = machine.check_any(arguments, 1)?;
        let number = machine.number_of(value);
        return machine.give(number.map_or(Value::Nil, Value::Number));
    }
    let text = machine.check_string(arguments, 1)?;
    match u32::try_from(base) {
        Ok(base @ 2..=36) => {
            machine.pay_for_number(text);
            let number = parse_integer(text.bytes(), base);
            machine.give(number.map_or(Value::Nil, Value::Number))
        }
        _ => Err(machine.argument_error(2, "base out of range")),
    }
}

fn tostring<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let value = machine.check_any(arguments, 1)?;
    let handler = machine.metamethod(value, Event::ToString);
    if !handler.is_nil() {
        machine.push(handler);
        machine.push(value);
        return Ok(Flow::Call {
            arguments: 1,
            protection: Protection::None,
            then: Box::new(FirstResult),
        });
    }
    if let Value::String(_) = value {
        return machine.give(value);
    }
    let text = display(value);
    let text = machine.string(text);
    machine.give(text)
}

/// Passes on the first result of the call, nil if there is none.
struct FirstResult;

impl Continue for FirstResult {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let first = machine.first_result(outcome);
        machine.give(first)
    }
}

/// A value as `tostring` shows it without metamethods. The address is the object's number, spread as addresses are.
pub fn display(value: Value<'_>) -> Vec<u8> {
    let address = |id: u32| 0x5581_0000_0000u64 + u64::from(id) * 32;
    match value {
        Value::Nil => b"nil".to_vec(),
        Value::Boolean(value) => value.to_string().into_bytes(),
        Value::Number(number) => format_number(number).to_vec(),
        Value::String(text) => text.bytes().to_vec(),
        Value::Table(table) => format!("table: {:#x}", address(table.id())).into_bytes(),
        Value::Closure(closure) => format!("function: {:#x}", address(closure.id())).into_bytes(),
        Value::Native(native) => format!("function: {:#x}", address(native.id())).into_bytes(),
        Value::Coroutine(coroutine) => {
            format!("thread: {:#x}", address(coroutine.id())).into_bytes()
        }
        Value::Userdata(0) => b"userdata: (nil)".to_vec(),
        Value::Userdata(number) => format!("userdata: {number:#x}").into_bytes(),
    }
}

fn type_name<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let name = machine.check_any(arguments, 1)?.type_name();
    let name = machine.string(name);
    machine.give(name)
}

fn unpack<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let first = machine.optional_integer(arguments, 2, 1)?;
    let last = match machine.argument(arguments, 3) {
        Value::Nil => table.length() as i64,
        _ => machine.check_integer(arguments, 3)?,
    };
    // PUC-Rio counts in C's int.
    let (first, last) = (i64::from(first as i32), i64::from(last as i32));
    if first > last {
        return Ok(Flow::Return(0));
    }
    let count = last - first + 1;
    if count + arguments.count as i64 > MAX_VALUES as i64 {
        return Err(machine.error("too many results to unpack"));
    }
    machine.fuel -= count / 16;
    for index in first..=last {
        machine.push(table.get(Value::Number(index as f64)));
    }
    Ok(Flow::Return(count as usize))
}

// ---- Protected calls

fn pcall<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.check_any(arguments, 1)?;
    // The arguments are the function and its arguments, in place.
    Ok(Flow::Call {
        arguments: arguments.count - 1,
        protection: Protection::Full,
        then: Box::new(Protected),
    })
}

/// What `pcall` gives for an outcome: the status, then the results or the error value.
pub fn finish_pcall<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    outcome: Outcome<'gc>,
) -> Result<'gc> {
    Box::new(Protected).resume(machine, arguments, outcome)
}

/// Puts the status before what a protected call gave.
struct Protected;

impl Continue for Protected {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let count = match outcome {
            Outcome::Returned(count) => count,
            Outcome::Resumed => 0,
            Outcome::Failed(value) => {
                machine.push(Value::Boolean(false));
                machine.push(value);
                return Ok(Flow::Return(2));
            }
        };
        let first = machine.top() - count;
        machine.push(Value::Boolean(true));
        for index in 0..count {
            machine.push(machine.slot(first + index));
        }
        Ok(Flow::Return(count + 1))
    }
}

fn xpcall<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.check_any(arguments, 2)?;
    machine.push(machine.argument(arguments, 1));
    let (protection, then) = (Protection::Handler, Box::new(Protected));
    Ok(Flow::Call { arguments: 0, protection, then })
}
