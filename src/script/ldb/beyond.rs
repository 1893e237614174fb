//! Defines the debugger's commands that Redis does not have. Their words are ones that LDB does not know.

use super::commands::{
    Command, command, eval_in, inspect, log_variables, name_of, number, outcome, run_code, step,
    tell, with,
};
use super::past::back;
use super::{Breakpoint, Debugger};
use crate::server::Server;

/// What stands besides LDB's own commands.
pub(super) const COMMANDS: &[Command] = &[
    command("more", "", more),
    Command { resumes: true, ..command("into", "", step) },
    Command { resumes: true, ..command("over", "", over) },
    Command { resumes: true, ..command("out", "", out) },
    command("back", "", back),
    command("when", "", when),
    command("frames", "", frames),
    command("frame", "", frame),
    command("locals", "", locals),
    Command { acts: true, ..command("inspect", "", eval_in_frame) },
    command("calls", "", calls),
];

const HELP: &str = "\
What this debugger has besides:
into                 Alias for step.
over                 Run to the next line of this function.
out                  Run till this function has returned.
back                 Go back to the line before, and undo what has been done since.
when                 Show all conditions of breakpoints.
when <line> <code>   Stop at the breakpoint of <line> only if <code> is true.
when <line>          Stop there always.
frames               Show the functions that run, the innermost first.
frame <n>            Choose one, for locals and inspect.
locals               Show its local variables and its upvalues.
inspect <code>       Execute some Lua code that sees these.
calls                Show the commands that the script has called.
In this terminal, ldb FCALL <function> ... debugs a function.";

/// Commands that are kept for CALLS.
const CALLS: usize = 1000;
/// Bytes of each of them, with its reply.
const CALL_BYTES: usize = 4096;

fn more(server: &mut Server, _: &[Vec<u8>]) {
    tell(server, HELP);
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
    with(server, |debugger| {
        if let [_, line, code @ ..] = argv {
            set_condition(debugger, number(line), code);
        } else {
            list_conditions(debugger);
        }
    });
}

fn set_condition(debugger: &mut Debugger, line: i64, code: &[Vec<u8>]) {
    let Some(breakpoint) = debugger.breakpoint(line) else {
        debugger.log("No breakpoint in the specified line.");
        return;
    };
    breakpoint.condition = (!code.is_empty()).then(|| code.join(&b' '));
    if code.is_empty() {
        debugger.log("Condition removed.");
    } else {
        debugger.log_line(line);
    }
}

fn list_conditions(debugger: &mut Debugger) {
    let told = debugger.log.len();
    for Breakpoint { line, condition } in &debugger.breakpoints {
        if let Some(code) = condition {
            debugger.log.push([format!("{line}: ").as_bytes(), code].concat());
        }
    }
    if debugger.log.len() == told {
        debugger.log("No conditions set.");
    }
}

/// Whether the script, which has come to a line, is to stop there: not if it is one with a breakpoint whose condition is
/// false. A condition that fails is told, and holds.
pub(super) fn is_wanted(server: &mut Server) -> bool {
    let mut condition = None;
    inspect(server, |machine, debugger| {
        let depth = machine.depth();
        let is_step = debugger.stepping && debugger.deepest.is_none_or(|deepest| depth <= deepest);
        if !is_step && !debugger.breakpoint_called {
            let breakpoint = debugger.breakpoint(debugger.line);
            condition = breakpoint.and_then(|breakpoint| breakpoint.condition.clone());
        }
    });
    let Some(code) = condition else { return true };
    run_code(server, &code, Some(0), |machine, result| match result {
        Ok(value) => (value.is_true(), None),
        Err(_) => (true, Some(outcome(machine, result))),
    })
}

/// The functions that run, by their numbers.
fn frames(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        for (depth, level) in machine.levels().into_iter().enumerate() {
            let mark = if depth == debugger.frame { "->" } else { "  " };
            let place = format!("{mark} {depth} line {} in ", level.line);
            debugger.log([place.as_bytes(), name_of(&level)].concat());
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
        if level.source == debugger.chunk_name {
            debugger.log_line(level.line);
        }
    });
}

fn locals(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        let Some(level) = machine.levels().into_iter().nth(debugger.frame) else { return };
        log_variables(debugger, [("<local> ", level.locals), ("<upvalue> ", level.upvalues)]);
    });
}

fn eval_in_frame(server: &mut Server, argv: &[Vec<u8>]) {
    let frame = server.scripts.debugger.as_ref().map(|debugger| debugger.frame);
    eval_in(server, argv, frame);
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
        let mut call = Vec::new();
        for (place, argument) in argv.iter().enumerate() {
            extend(&mut call, if place > 0 { b" " } else { b"" });
            extend(&mut call, argument);
        }
        self.calls.push_back(call);
    }

    /// and what came of it.
    pub(super) fn note_outcome(&mut self, text: &[u8]) {
        if let Some(call) = self.calls.back_mut().filter(|_| !self.stopped) {
            extend(call, b" -> ");
            extend(call, text);
        }
    }
}

/// Adds to a line of CALLS what it has room for: a script must not fill the memory by it.
fn extend(call: &mut Vec<u8>, text: &[u8]) {
    let room = CALL_BYTES.saturating_sub(call.len());
    call.extend_from_slice(&text[..text.len().min(room)]);
}
