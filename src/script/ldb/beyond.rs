//! Defines the debugger's commands that Redis does not have. Their words are ones that LDB does not know.

use super::commands::{
    Command, FUEL, TIMEOUT, command, error_text, inspect, number, push_chunk, step, with,
};
use super::{Debugger, show};
use crate::lua::machine::Machine;
use crate::lua::value::Value;
use crate::script::CHUNK_NAME;
use crate::script::api::Api;
use crate::server::Server;

/// What stands besides LDB's own commands.
pub(super) const COMMANDS: &[Command] = &[
    command("more", "", more),
    Command { resumes: true, ..command("into", "", step) },
    Command { resumes: true, ..command("over", "", over) },
    Command { resumes: true, ..command("out", "", out) },
    command("when", "", when),
    command("frames", "", frames),
    command("frame", "", frame),
    command("locals", "", locals),
    command("inspect", "", evaluate),
    command("calls", "", calls),
];

const HELP: &str = "\
What this debugger has besides:
into                 Alias for step.
over                 Run to the next line of this function.
out                  Run till this function has returned.
when                 Show all conditions of breakpoints.
when <line> <code>   Stop at the breakpoint of <line> only if <code> is true.
when <line>          Stop there always.
frames               Show the functions that run, the innermost first.
frame <n>            Choose one, for locals and inspect.
locals               Show its local variables and its upvalues.
inspect <code>       Execute some Lua code that sees these.
calls                Show the commands that the script has called.";

/// Commands that are kept for CALLS.
const CALLS: usize = 1000;
/// Variables that a chunk may see: a function has 200 at most.
const VARIABLES: usize = 150;

fn more(server: &mut Server, _: &[Vec<u8>]) {
    with(server, |debugger| HELP.split('\n').for_each(|line| debugger.log(line)));
}

fn over(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        debugger.stepping = true;
        debugger.deepest = Some(machine.depth());
    });
}

fn out(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        let (threads, frames) = machine.depth();
        debugger.stepping = true;
        debugger.deepest = Some((threads, frames.saturating_sub(1)));
    });
}

fn when(server: &mut Server, argv: &[Vec<u8>]) {
    with(server, |debugger| match argv {
        [_] if debugger.conditions.is_empty() => debugger.log("No conditions set."),
        [_] => {
            for (line, code) in debugger.conditions.clone() {
                debugger.log([format!("{line}: ").as_bytes(), &code].concat());
            }
        }
        [_, line, code @ ..] => {
            let line = number(line);
            if !debugger.breakpoints.contains(&line) {
                debugger.log("No breakpoint in the specified line.");
                return;
            }
            debugger.conditions.retain(|(other, _)| *other != line);
            if code.is_empty() {
                debugger.log("Condition removed.");
            } else {
                debugger.conditions.push((line, code.join(&b' ')));
                debugger.log_line(line);
            }
        }
        [] => {}
    });
}

/// Whether the script, which has come to a line, is to stop there: not if it is one with a breakpoint whose condition is
/// false. A condition that fails is told, and holds.
pub(super) fn is_wanted(server: &mut Server) -> bool {
    let mut condition = None;
    inspect(server, |machine, debugger| {
        let depth = machine.depth();
        let is_step = debugger.stepping && debugger.deepest.is_none_or(|deepest| depth <= deepest);
        if is_step || debugger.breakpoint_called {
            return;
        }
        let line = machine.levels().first().map(|level| level.line);
        let found = debugger.conditions.iter().find(|(other, _)| Some(*other) == line);
        condition = found.map(|(_, code)| code.clone());
        debugger.frame = 0;
    });
    let Some(code) = condition else { return true };
    run_in_frame(server, &code, |machine, result| match result {
        Ok(value) => (value.is_true(), None),
        Err(error) => (true, Some([b"<error> ", &error_text(machine, error)[..]].concat())),
    })
}

/// The functions that run, by their numbers.
fn frames(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        for (depth, level) in machine.levels().into_iter().enumerate() {
            let name = level.name.as_deref().unwrap_or(b"top level");
            let mark = if depth == debugger.frame { "->" } else { "  " };
            let place = format!("{mark} {depth} line {} in ", level.line);
            debugger.log([place.as_bytes(), name].concat());
        }
    });
}

fn frame(server: &mut Server, argv: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        let wanted = argv.get(1).map_or(debugger.frame as i64, |text| number(text));
        let levels = machine.levels();
        let chosen = usize::try_from(wanted).ok().and_then(|wanted| levels.get(wanted));
        let Some(level) = chosen else {
            debugger.log("No such frame.");
            return;
        };
        debugger.frame = wanted as usize;
        if level.source == CHUNK_NAME {
            debugger.log_line(level.line);
        }
    });
}

fn locals(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        let Some(level) = machine.levels().into_iter().nth(debugger.frame) else { return };
        if level.locals.is_empty() && level.upvalues.is_empty() {
            debugger.log("No local variables in the current context.");
        }
        for (kind, variables) in [("<local> ", level.locals), ("<upvalue> ", level.upvalues)] {
            for (name, value) in variables {
                let text = show::value(value);
                debugger.log_cut([kind.as_bytes(), &name, b" = ", &text].concat());
            }
        }
    });
}

fn evaluate(server: &mut Server, argv: &[Vec<u8>]) {
    let code = argv.get(1..).unwrap_or_default().join(&b' ');
    run_in_frame(server, &code, |machine, result| match result {
        Ok(value) => ((), Some([b"<retval> ", &show::value(value)[..]].concat())),
        Err(error) => ((), Some([b"<error> ", &error_text(machine, error)[..]].concat())),
    });
}

/// Runs code that sees the variables of the chosen frame: as they are now, so what it gives them is its own. Logs a line
/// of the outcome.
fn run_in_frame<R: Default>(
    server: &mut Server,
    code: &[u8],
    show: for<'gc> fn(
        &mut Machine<'_, 'gc>,
        Result<Value<'gc>, Value<'gc>>,
    ) -> (R, Option<Vec<u8>>),
) -> R {
    let Some(debugger) = &mut server.scripts.debugger else { return R::default() };
    let frame = debugger.frame;
    let stopped = std::mem::replace(&mut debugger.stopped, true);
    let Some(mut lua) = server.scripts.lua.take() else { return R::default() };
    let (outcome, line) = lua.enter_with(&mut Api(server), FUEL, |machine| {
        let mut variables =
            machine.levels().into_iter().nth(frame).map_or_else(Vec::new, |level| {
                // The inner one of two with one name is declared last.
                level.upvalues.into_iter().chain(level.locals).collect()
            });
        // The compiler's own have no names that code could use.
        variables.retain(|(name, _)| !name.starts_with(b"("));
        let shown = variables.split_off(variables.len().saturating_sub(VARIABLES));
        let result = machine.call_beside(
            |machine| {
                let names: Vec<_> = shown.iter().map(|(name, _)| &name[..]).collect();
                let declared = if names.is_empty() {
                    Vec::new()
                } else {
                    [b"local ", &names.join(&b',')[..], b" = ... "].concat()
                };
                let count = push_chunk(machine, &declared, code)?;
                for (_, value) in &shown {
                    machine.push(*value);
                }
                Ok(count + shown.len())
            },
            TIMEOUT,
        );
        show(machine, result)
    });
    server.scripts.lua = Some(lua);
    with(server, |debugger| {
        debugger.stopped = stopped;
        if let Some(line) = line {
            debugger.log_cut(line);
        }
    });
    outcome
}

fn calls(server: &mut Server, _: &[Vec<u8>]) {
    with(server, |debugger| {
        if debugger.calls.is_empty() {
            debugger.log("The script has called no commands.");
        }
        for line in debugger.calls.clone() {
            debugger.log_cut(line);
        }
    });
}

impl Debugger {
    /// Keeps a command that the script calls, rather than the one who debugs it,
    pub(super) fn note_call(&mut self, argv: &[Vec<u8>]) {
        if self.stopped {
            return;
        }
        if self.calls.len() == CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(argv.join(&b' '));
    }

    /// and what came of it.
    pub(super) fn note_outcome(&mut self, text: &[u8]) {
        if let Some(call) = self.calls.back_mut().filter(|_| !self.stopped) {
            call.extend_from_slice(b" -> ");
            call.extend_from_slice(text);
        }
    }
}
