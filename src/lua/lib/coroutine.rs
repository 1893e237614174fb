//! Defines the coroutine library.

use super::base::{MAX_VALUES, Result, finish_pcall};
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
    machine.library("coroutine", FUNCTIONS, &[]);
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

/// Refuses what the stack of a native would not take: the results of a coroutine, and `others` beside them.
fn check_results<'gc>(
    machine: &mut Machine<'_, 'gc>,
    outcome: Outcome<'gc>,
    others: usize,
) -> std::result::Result<(), Fault<'gc>> {
    match outcome {
        Outcome::Returned(count) if count + others > MAX_VALUES => {
            Err(machine.error("too many results to resume"))
        }
        _ => Ok(()),
    }
}

fn resume<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let coroutine = check(machine, arguments)?;
    if let Some(refusal) = refusal(machine, coroutine) {
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
        // The coroutine and the status stand beside them.
        check_results(machine, outcome, 2)?;
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
    if let Some(refusal) = refusal(machine, coroutine) {
        return Err(machine.error(refusal));
    }
    machine.push(Value::Coroutine(coroutine));
    for number in 1..=arguments.count {
        machine.push(machine.argument(arguments, number));
    }
    Ok(Flow::Resume { arguments: arguments.count, then: Box::new(Wrapped) })
}

/// Gives the values as they are, and raises an error again: a text with the position of the caller before it.
struct Wrapped;

impl Continue for Wrapped {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        check_results(machine, outcome, 1)?;
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
    Ok(Flow::Yield(arguments.count))
}
