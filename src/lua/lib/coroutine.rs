//! Defines the coroutine library.

use super::base::Result;
use crate::coroutine::{Coroutine, Status};
use crate::function::NativeCode;
use crate::machine::{Arguments, Fault, Flow, Machine, NativeFunction};
use crate::value::Value;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("create", create),
    ("resume", resume),
    ("running", running),
    ("status", status),
    ("wrap", wrap),
    ("yield", yield_values),
];

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    let library = machine.library("coroutine", FUNCTIONS, &[]);
    let function = machine.native(NativeCode::Yield(yield_values), Vec::new());
    machine.set_field(library, "yield", function);
}

fn new<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> std::result::Result<Coroutine<'gc>, Fault<'gc>> {
    match machine.argument(arguments, 1) {
        function @ Value::Closure(_) => Ok(machine.coroutine(function)),
        _ => Err(machine.argument_error(1, "Lua function expected")),
    }
}

fn check<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> std::result::Result<Coroutine<'gc>, Fault<'gc>> {
    match machine.argument(arguments, 1) {
        Value::Coroutine(coroutine) => Ok(coroutine),
        _ => Err(machine.argument_error(1, "coroutine expected")),
    }
}

fn create<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let coroutine = new(machine, arguments)?;
    machine.give(Value::Coroutine(coroutine))
}

/// The most calls from C that may be open where a coroutine is resumed (`LUAI_MAXCCALLS`).
const MAX_C_CALLS: u32 = 200;

/// Why a coroutine cannot be resumed, if it cannot.
fn refusal<'gc>(machine: &Machine<'_, 'gc>, coroutine: Coroutine<'gc>) -> Option<String> {
    let status = coroutine.status();
    if status != Status::Suspended {
        return Some(format!("cannot resume {} coroutine", status.name()));
    }
    (machine.c_calls() >= MAX_C_CALLS).then(|| "C stack overflow".to_owned())
}

fn resume<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let coroutine = check(machine, arguments)?;
    if let Some(refusal) = refusal(machine, coroutine) {
        let refusal = machine.string(refusal);
        machine.push(Value::Boolean(false));
        machine.push(refusal);
        return Ok(Flow::Return(2));
    }
    let given = Arguments { base: arguments.base + 1, count: arguments.count - 1 };
    machine.resume_coroutine(coroutine, given, true)
}

fn running<'gc>(machine: &mut Machine<'_, 'gc>, _: Arguments) -> Result<'gc> {
    let running = machine.running().map_or(Value::Nil, Value::Coroutine);
    machine.give(running)
}

fn status<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let status = check(machine, arguments)?.status();
    let name = machine.string(status.name());
    machine.give(name)
}

fn wrap<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let coroutine = new(machine, arguments)?;
    let resume = NativeCode::Library(resume_wrapped);
    let function = machine.native(resume, vec![Value::Coroutine(coroutine)]);
    machine.give(function)
}

fn resume_wrapped<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let Value::Coroutine(coroutine) = machine.kept(arguments) else { return Ok(Flow::Return(0)) };
    if let Some(refusal) = refusal(machine, coroutine) {
        return Err(machine.error(refusal));
    }
    machine.resume_coroutine(coroutine, arguments, false)
}

fn yield_values<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    if !machine.can_yield() {
        return Err(machine.error_here("attempt to yield across metamethod/C-call boundary"));
    }
    machine.yield_values(arguments)
}
