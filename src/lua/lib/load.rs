//! Defines `load` and `loadstring`. They pay fuel by the byte, and pause.

use super::base::Result;
use crate::lexer::SyntaxError;
use crate::machine::{Arguments, Continue, Fault, Flow, Machine, Outcome, Protection};
use crate::parser::{Compilation, Compiled};
use crate::value::Value;

/// A chunk that is compiled to a function. Redis reads a binary one as text, and so refuses it.
struct Loading(Compilation);

/// Bytes that are compiled between two looks at the fuel.
const PORTION: usize = 1 << 10;

/// Begins to compile a chunk inside of so many calls from C.
fn begin(machine: &mut Machine, source: &[u8], chunk_name: &[u8], c_calls: u32) -> Compilation {
    // Whole portions are paid for one by one.
    machine.fuel -= (source.len() % PORTION) as i64;
    Compilation::new(source, chunk_name, c_calls)
}

/// Compiles on until the chunk is done, or fuel is spent.
fn compile<'gc>(
    machine: &mut Machine<'_, 'gc>,
    compilation: &mut Compilation,
) -> std::result::Result<Option<Compiled>, Fault<'gc>> {
    loop {
        if let Some(compiled) = compilation.resume(PORTION) {
            return Ok(Some(compiled));
        }
        machine.check_memory(compilation.memory())?;
        // A byte takes about as long as a call.
        machine.fuel -= PORTION as i64;
        if machine.fuel <= 0 {
            return Ok(None);
        }
    }
}

impl Continue for Loading {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        match compile(machine, &mut self.0)? {
            Some(compiled) => loaded(machine, compiled),
            None => Ok(Flow::Pause(self)),
        }
    }
}

fn loaded<'gc>(machine: &mut Machine<'_, 'gc>, compiled: Compiled) -> Result<'gc> {
    match compiled.result {
        Ok(proto) => {
            let closure = machine.close_over(&proto);
            machine.give(Value::Closure(closure))
        }
        Err(SyntaxError { message, is_raised: false }) => {
            let message = machine.string(message);
            refused(machine, message)
        }
        Err(SyntaxError { message, is_raised: true }) => {
            let error = machine.error_here(message);
            machine.raise_inside(error, Box::new(Refused))
        }
    }
}

/// What `load` and `loadstring` return for a chunk that is none.
fn refused<'gc>(machine: &mut Machine<'_, 'gc>, error: Value<'gc>) -> Result<'gc> {
    machine.push(Value::Nil);
    machine.push(error);
    Ok(Flow::Return(2))
}

/// An error has been raised while a chunk was compiled.
struct Refused;

impl Continue for Refused {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        refused(machine, if let Outcome::Failed(error) = outcome { error } else { Value::Nil })
    }
}

/// What [`crate::Lua::start_compiling`] calls: compiles its first argument, a chunk that the second one names, inside of
/// no call.
pub(crate) fn chunk<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let source = machine.check_string(arguments, 1)?;
    let name = machine.check_string(arguments, 2)?;
    let compilation = begin(machine, source.bytes(), name.bytes(), 0);
    Box::new(Loading(compilation)).resume(machine, arguments, Outcome::Resumed)
}

pub(super) fn loadstring<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let source = machine.check_string(arguments, 1)?;
    let name = machine.optional_string(arguments, 2)?.unwrap_or(source);
    let c_calls = machine.c_calls();
    let compilation = begin(machine, source.bytes(), name.bytes(), c_calls);
    Box::new(Loading(compilation)).resume(machine, arguments, Outcome::Resumed)
}

pub(super) fn load<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    // PUC-Rio looks at the name first.
    machine.optional_string(arguments, 2)?;
    let function = machine.check_function(arguments, 1)?;
    machine.push(function);
    Ok(Flow::Call {
        arguments: 0,
        protection: Protection::Inherited,
        then: Box::new(Reading::default()),
    })
}

/// Bytes that may be compiled for nothing. Behind it the rest is read to the end first.
const MAX_COMPILED: usize = 16 << 20;

/// Collects the pieces that `load`'s function gives until it gives none, or they cannot be the beginning of a chunk:
/// PUC-Rio reads a chunk piece by piece, and asks for no other behind an error.
#[derive(Default)]
struct Reading {
    source: Vec<u8>,
    /// What has been read so far, while that is compiled to see whether it is worth while to read on.
    beginning: Option<Compilation>,
    /// Bytes that have been compiled so: each piece means to begin anew.
    compiled: usize,
    /// It has been asked before. PUC-Rio takes a look at the first piece, and asks again if there is none.
    has_begun: bool,
}

impl Reading {
    /// Looks whether what has been read can be the beginning of a chunk, and asks for the next piece.
    fn go_on<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> Result<'gc> {
        if let Some(compilation) = &mut self.beginning {
            let Some(Compiled { result, has_read_all }) = compile(machine, compilation)? else {
                return Ok(Flow::Pause(self));
            };
            if result.is_err() && !has_read_all {
                return loaded(machine, Compiled { result, has_read_all });
            }
            self.beginning = None;
        }
        machine.push(machine.argument(arguments, 1));
        Ok(Flow::Call { arguments: 0, protection: Protection::Inherited, then: self })
    }

    /// What has been read, as a chunk.
    fn compilation<'gc>(
        &self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> std::result::Result<Compilation, Fault<'gc>> {
        let name = machine.optional_string(arguments, 2)?;
        let name = name.map_or(&b"=(load)"[..], |name| name.bytes());
        let c_calls = machine.c_calls();
        Ok(begin(machine, &self.source, name, c_calls))
    }
}

impl Continue for Reading {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        match outcome {
            Outcome::Failed(error) => return refused(machine, error),
            Outcome::Resumed => return self.go_on(machine, arguments),
            Outcome::Returned(_) => {}
        }
        let piece = machine.first_result(outcome);
        machine.set_top(arguments.base + arguments.count);
        let text = piece.to_str(machine.mc).map_or(&b""[..], |piece| piece.bytes());
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match piece {
            Value::String(_) | Value::Number(_) | Value::Nil if is_first || !text.is_empty() => {
                machine.check_memory(self.source.len() + text.len())?;
                self.source.extend_from_slice(text);
                self.compiled += self.source.len();
                if self.compiled <= MAX_COMPILED {
                    self.beginning = Some(self.compilation(machine, arguments)?);
                }
                self.go_on(machine, arguments)
            }
            Value::Boolean(_)
            | Value::Table(_)
            | Value::Closure(_)
            | Value::Native(_)
            | Value::Coroutine(_)
            | Value::Userdata(_) => {
                let error = machine.error("reader function must return a string");
                machine.raise_inside(error, self)
            }
            _ => {
                let compilation = self.compilation(machine, arguments)?;
                Box::new(Loading(compilation)).resume(machine, arguments, Outcome::Resumed)
            }
        }
    }
}
