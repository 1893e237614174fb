//! Defines the coroutine library.

use super::base::{Result, finish_pcall};
use crate::lua::coroutine::{Coroutine, Status};
use crate::lua::function::NativeCode;
use crate::lua::machine::{Arguments, Continue, Fault, Flow, Machine, NativeFunction, Outcome};
use crate::lua::value::Value;

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
    machine.library("coroutine", FUNCTIONS);
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

/// Why a coroutine cannot be resumed, if it cannot.
fn refusal(coroutine: Coroutine<'_>) -> Option<String> {
    let status = coroutine.status();
    (status != Status::Suspended).then(|| format!("cannot resume {} coroutine", status.name()))
}

fn resume<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let coroutine = check(machine, arguments)?;
    if let Some(refusal) = refusal(coroutine) {
        let refusal = machine.string(refusal);
        machine.push(Value::Boolean(false));
        machine.push(refusal);
        return Ok(Flow::Return(2));
    }
    // The coroutine and its arguments are ours, in place.
    Ok(Flow::Resume { arguments: arguments.count - 1, then: Box::new(Resumed) })
}

/// Gives what `pcall` would give.
struct Resumed;

impl Continue for Resumed {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        finish_pcall(machine, arguments, outcome)
    }
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
    if let Some(refusal) = refusal(coroutine) {
        return Err(machine.error(refusal));
    }
    machine.push(Value::Coroutine(coroutine));
    for number in 1..=arguments.count {
        machine.push(machine.argument(arguments, number));
    }
    Ok(Flow::Resume { arguments: arguments.count, then: Box::new(Unwrapped) })
}

/// Gives the values as they are, and raises an error again: a text with the position of the caller before it.
struct Unwrapped;

impl Continue for Unwrapped {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        match outcome {
            Outcome::Returned(count) => Ok(Flow::Return(count)),
            Outcome::Resumed => Ok(Flow::Return(0)),
            Outcome::Failed(value) => match value.to_str(machine.mc) {
                Some(text) => Err(machine.error(text.bytes())),
                None => Err(Fault::Error(value)),
            },
        }
    }
}

fn yield_values<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    if !machine.can_yield() {
        return Err(machine.error_here("attempt to yield across metamethod/C-call boundary"));
    }
    Ok(Flow::Yield { count: arguments.count, then: Box::new(Unwrapped) })
}
