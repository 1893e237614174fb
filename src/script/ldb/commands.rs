//! Defines the debugger's commands.

use super::{Breakpoint, Debugger, beyond, past, set_stops, show};
use crate::error::Error;
use crate::lua::function::NativeCode;
use crate::lua::lib::base::display;
use crate::lua::lines::Level;
use crate::lua::machine::Machine;
use crate::lua::parser::compile;
use crate::lua::value::Value;
use crate::number::parse_integer;
use crate::script::api::{Api, CALL, uncounted};
use crate::script::with_lua;
use crate::server::Server;

/// Most breakpoints.
const BREAKPOINTS: usize = 64;
/// The least length at which values are cut off.
const LEAST_MAXLEN: i64 = 60;
/// Lines around a line that LIST shows.
const CONTEXT: i64 = 5;
/// The name of EVAL's chunk.
const EVAL_NAME: &[u8] = b"@ldb_eval";
/// Fuel for what EVAL and REDIS run.
const FUEL: i64 = 20_000_000;
/// The error of what needs more. (The real server goes on for ever.)
const TIMEOUT: &str = "it takes too long";
/// Variables of a frame that code may see: a function has 200 at most.
const VARIABLES: usize = 150;

/// Variables with their names.
type Variables<'gc> = Vec<(Vec<u8>, Value<'gc>)>;

/// A command: its names, and what it does.
pub(super) struct Command {
    pub long: &'static str,
    /// Empty where there is none.
    pub short: &'static str,
    pub run: fn(&mut Server, &[Vec<u8>]),
    /// It needs an argument.
    pub argument: bool,
    /// The script goes on then.
    pub resumes: bool,
    /// It can change what the script does.
    pub acts: bool,
}

pub(super) const fn command(
    long: &'static str,
    short: &'static str,
    run: fn(&mut Server, &[Vec<u8>]),
) -> Command {
    Command { long, short, run, argument: false, resumes: false, acts: false }
}

const COMMANDS: &[Command] = &[
    command("help", "h", help),
    Command { resumes: true, ..command("step", "s", step) },
    Command { resumes: true, ..command("next", "n", step) },
    Command { resumes: true, ..command("continue", "c", |_, _| {}) },
    command("list", "l", list),
    command("whole", "w", whole),
    command("print", "p", print),
    command("break", "b", r#break),
    command("trace", "t", trace),
    Command { acts: true, ..command("eval", "e", eval) },
    Command { argument: true, acts: true, ..command("redis", "r", redis) },
    command("maxlen", "m", maxlen),
    Command { resumes: true, ..command("abort", "a", abort) },
];

const HELP: &str = "\
Redis Lua debugger help:
[h]elp               Show this help.
[s]tep               Run current line and stop again.
[n]ext               Alias for step.
[c]ontinue           Run till next breakpoint.
[l]ist               List source code around current line.
[l]ist [line]        List source code around [line].
                     line = 0 means: current position.
[l]ist [line] [ctx]  In this form [ctx] specifies how many lines
                     to show before/after [line].
[w]hole              List all source code. Alias for 'list 1 1000000'.
[p]rint              Show all the local variables.
[p]rint <var>        Show the value of the specified variable.
                     Can also show global vars KEYS and ARGV.
[b]reak              Show all breakpoints.
[b]reak <line>       Add a breakpoint to the specified line.
[b]reak -<line>      Remove breakpoint from the specified line.
[b]reak 0            Remove all breakpoints.
[t]race              Show a backtrace.
[e]val <code>        Execute some Lua code (in a different callframe).
[r]edis <cmd>        Execute a Redis command.
[m]axlen [len]       Trim logged Redis replies and Lua var dumps to len.
                     Specifying zero as <len> means unlimited.
[a]bort              Stop the execution of the script. In sync
                     mode dataset changes will be retained.

Debugger functions you can call from Lua scripts:
redis.debug()        Produce logs in the debugger console.
redis.breakpoint()   Stop execution like if there was a breakpoint in the
                     next line of code.";

/// Runs a command that the client of a stopped session has sent. The reply is queued; none if the script goes on.
pub fn run(server: &mut Server, argv: &[Vec<u8>]) {
    let Some(mut session) = server.debugging.take() else { return };
    session.exchange(server);
    let resumes = run_inside(server, argv);
    session.exchange(server);
    let goes_back = past::go_back(server, &mut session);
    if !resumes
        && !goes_back
        && let Some(debugger) = &mut session.scripts.debugger
    {
        let log = debugger.take_log();
        server.reply(session.client(), log);
    }
    server.debugging = Some(session);
}

/// Gives whether the script goes on.
fn run_inside(server: &mut Server, argv: &[Vec<u8>]) -> bool {
    let found = find(argv);
    if found.is_some_and(|command| command.acts) {
        past::note(server, argv);
    }
    let resumes = if argv.iter().any(Vec::is_empty) {
        fail(server, "protocol error");
        true
    } else if let Some(command) = found {
        (command.run)(server, argv);
        command.resumes
    } else {
        let text = "<error> Unknown Redis Lua debugger command or wrong number of arguments.";
        with(server, |debugger| debugger.log(text));
        false
    };
    if resumes {
        let now = server.clocked();
        with(server, |debugger| {
            debugger.stopped = false;
            debugger.resumed = now;
        });
    }
    set_stops(server);
    resumes
}

fn find(argv: &[Vec<u8>]) -> Option<&'static Command> {
    let name = argv.first().map_or(&[][..], Vec::as_slice);
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    COMMANDS.iter().chain(beyond::COMMANDS).find(|command| {
        (is(command.long) || is(command.short)) && (!command.argument || argv.len() > 1)
    })
}

/// Does once more what a command has done.
pub(super) fn act(server: &mut Server, argv: &[Vec<u8>]) {
    if let Some(command) = find(argv) {
        (command.run)(server, argv);
    }
}

pub(super) fn with(server: &mut Server, work: impl FnOnce(&mut Debugger)) {
    if let Some(debugger) = &mut server.scripts.debugger {
        work(debugger);
    }
}

fn help(server: &mut Server, _: &[Vec<u8>]) {
    tell(server, HELP);
}

/// Logs lines.
pub(super) fn tell(server: &mut Server, text: &'static str) {
    with(server, |debugger| text.split('\n').for_each(|line| debugger.log(line)));
}

pub(super) fn step(server: &mut Server, _: &[Vec<u8>]) {
    with(server, |debugger| debugger.stepping = true);
}

/// The script ends with an error.
fn fail(server: &mut Server, text: &str) {
    inspect(server, |machine, _| {
        let error = uncounted(machine, &Error::from_script(text.as_bytes()));
        machine.raise_at_line(error);
    });
}

fn abort(server: &mut Server, _: &[Vec<u8>]) {
    fail(server, "script aborted for user request");
}

/// A number as C's `atoi` reads it.
pub(super) fn number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text.first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    i64::from((sign * value) as i32)
}

fn list(server: &mut Server, argv: &[Vec<u8>]) {
    let around = argv.get(1).map_or(0, |text| number(text));
    let context = argv.get(2).map_or(CONTEXT, |text| number(text));
    with(server, |debugger| {
        let around = if around > 0 { around } else { debugger.line };
        list_around(debugger, around, context);
    });
}

fn list_around(debugger: &mut Debugger, around: i64, context: i64) {
    for line in 1..=debugger.source.len() as i64 {
        if (around - line).abs() <= context {
            debugger.log_line(line);
        }
    }
}

fn whole(server: &mut Server, _: &[Vec<u8>]) {
    with(server, |debugger| list_around(debugger, 1, 1_000_000));
}

fn r#break(server: &mut Server, argv: &[Vec<u8>]) {
    with(server, |debugger| match argv {
        [_] if debugger.breakpoints.is_empty() => {
            debugger.log("No breakpoints set. Use 'b <line>' to add one.");
        }
        [_] => {
            debugger.log(format!("{} breakpoints set:", debugger.breakpoints.len()));
            for place in 0..debugger.breakpoints.len() {
                debugger.log_line(debugger.breakpoints[place].line);
            }
        }
        _ => {
            for text in &argv[1..] {
                break_at(debugger, text);
            }
        }
    });
}

fn break_at(debugger: &mut Debugger, text: &[u8]) {
    let Some(line) = parse_integer(text) else {
        debugger.log([b"Invalid argument:'", text, b"'"].concat());
        return;
    };
    if line == 0 {
        debugger.breakpoints.clear();
        debugger.log("All breakpoints removed.");
    } else if line > 0 {
        let is_full = debugger.breakpoints.len() == BREAKPOINTS;
        if is_full {
            debugger.log("Too many breakpoints set.");
        } else if line > debugger.source.len() as i64 || debugger.breakpoint(line).is_some() {
            debugger.log("Wrong line number.");
        } else {
            debugger.breakpoints.push(Breakpoint { line, condition: None });
            list_around(debugger, line, 1);
        }
    } else if let Some(place) = debugger.breakpoints.iter().position(|other| other.line == -line) {
        debugger.breakpoints.remove(place);
        debugger.log("Breakpoint removed.");
    } else {
        debugger.log("No breakpoint in the specified line.");
    }
}

fn maxlen(server: &mut Server, argv: &[Vec<u8>]) {
    with(server, |debugger| {
        if let [_, text] = argv {
            let length = number(text);
            let length = if length == 0 { 0 } else { length.max(LEAST_MAXLEN) };
            debugger.maxlen = length as usize;
            debugger.hinted = true;
        }
        debugger.log(match debugger.maxlen {
            0 => "<value> replies are unlimited.".to_owned(),
            length => format!("<value> replies are truncated at {length} bytes."),
        });
    });
}

/// Works with the interpreter and the debugger of the session.
pub(super) fn inspect(
    server: &mut Server,
    work: impl for<'gc> FnOnce(&mut Machine<'_, 'gc>, &mut Debugger),
) {
    if let Some((lua, debugger)) = server.scripts.debugged() {
        lua.enter(|machine| work(machine, debugger));
    }
}

fn print(server: &mut Server, argv: &[Vec<u8>]) {
    inspect(server, |machine, debugger| match argv {
        [_, name] => print_one(machine, debugger, name),
        _ => print_all(machine, debugger),
    });
}

/// The first variable of this name, from the function that runs on down; in a function the one declared first.
fn print_one(machine: &mut Machine, debugger: &mut Debugger, name: &[u8]) {
    let mut levels = machine.levels().into_iter();
    let mut found = levels
        .find_map(|level| level.locals.into_iter().find(|(local, _)| local == name))
        .map(|(_, value)| value);
    if found.is_none() && matches!(name, b"KEYS" | b"ARGV") {
        found = machine.global(name);
    }
    match found {
        Some(value) => {
            let text = show::value(value);
            debugger.log_cut([b"<value> ", &text[..]].concat());
        }
        None => debugger.log("No such variable."),
    }
}

fn print_all(machine: &mut Machine, debugger: &mut Debugger) {
    let locals = machine.levels().into_iter().next().map(|level| level.locals);
    log_variables(debugger, [("<value> ", locals.unwrap_or_default())]);
}

/// Logs variables, each kind behind its mark.
pub(super) fn log_variables<'gc>(
    debugger: &mut Debugger,
    kinds: impl IntoIterator<Item = (&'static str, Variables<'gc>)>,
) {
    let all = kinds.into_iter().flat_map(|(mark, variables)| {
        variables.into_iter().map(move |(name, value)| (mark, name, value))
    });
    let mut is_empty = true;
    for (mark, name, value) in all {
        is_empty = false;
        debugger.log_cut([mark.as_bytes(), &name, b" = ", &show::value(value)].concat());
    }
    if is_empty {
        debugger.log("No local variables in the current context.");
    }
}

/// What a function is called where it was called.
pub(super) fn name_of<'l>(level: &'l Level<'_>) -> &'l [u8] {
    level.name.as_deref().unwrap_or(b"top level")
}

fn trace(server: &mut Server, _: &[Vec<u8>]) {
    inspect(server, |machine, debugger| {
        for (depth, level) in machine.levels().into_iter().enumerate() {
            if level.source == debugger.chunk_name {
                let from = if depth == 0 { "In " } else { "From " };
                debugger.log([from.as_bytes(), name_of(&level), b":"].concat());
                debugger.log_line(level.line);
            }
        }
    });
}

/// Works beside the script, where commands may be called. Logs a line of what comes of it.
fn beside<R: Default>(
    server: &mut Server,
    work: impl for<'gc> FnOnce(&mut Machine<'_, 'gc>) -> (R, Option<Vec<u8>>),
) -> R {
    // The script calls nothing now.
    let mut stopped = true;
    with(server, |debugger| std::mem::swap(&mut debugger.stopped, &mut stopped));
    let done = with_lua(server, |server, lua| lua.enter_with(&mut Api(server), FUEL, work));
    let (result, line) = done.unwrap_or_default();
    with(server, |debugger| {
        debugger.stopped = stopped;
        if let Some(line) = line {
            debugger.log_cut(line);
        }
    });
    result
}

/// Runs code that sees the variables of a frame, if one is given: as they are now, so what it assigns is its own. `show`
/// gives what comes of it, and a line to log.
pub(super) fn run_code<R: Default>(
    server: &mut Server,
    code: &[u8],
    frame: Option<usize>,
    show: for<'gc> fn(
        &mut Machine<'_, 'gc>,
        Result<Value<'gc>, Value<'gc>>,
    ) -> (R, Option<Vec<u8>>),
) -> R {
    beside(server, |machine| {
        let seen = frame.map_or_else(Vec::new, |frame| variables(machine, frame));
        let result = machine.call_beside(|machine| push_code(machine, &seen, code), TIMEOUT);
        show(machine, result)
    })
}

/// What code can see in a frame: of two variables of one name the inner one comes last.
fn variables<'gc>(machine: &Machine<'_, 'gc>, frame: usize) -> Variables<'gc> {
    let Some(level) = machine.levels().into_iter().nth(frame) else { return Vec::new() };
    let mut all: Variables = level.upvalues.into_iter().chain(level.locals).collect();
    // The compiler's own have no names that code could use.
    all.retain(|(name, _)| !name.starts_with(b"("));
    all.split_off(all.len().saturating_sub(VARIABLES))
}

/// The line about what code gave.
pub(super) fn outcome<'gc>(
    machine: &mut Machine<'_, 'gc>,
    result: Result<Value<'gc>, Value<'gc>>,
) -> Vec<u8> {
    let (mark, text) = match result {
        Ok(value) => (&b"<retval> "[..], show::value(value)),
        Err(value) => (&b"<error> "[..], error_text(machine, value)),
    };
    [mark, &text].concat()
}

/// Runs the code that a command has behind its name.
pub(super) fn eval_in(server: &mut Server, argv: &[Vec<u8>], frame: Option<usize>) {
    let code = argv.get(1..).unwrap_or_default().join(&b' ');
    run_code(server, &code, frame, |machine, result| ((), Some(outcome(machine, result))));
}

fn eval(server: &mut Server, argv: &[Vec<u8>]) {
    eval_in(server, argv, None);
}

/// The text of an error. (The real server dies of one that is a table.)
fn error_text<'gc>(machine: &mut Machine<'_, 'gc>, error: Value<'gc>) -> Vec<u8> {
    match machine.field_of(error, "err") {
        Ok(Some(text)) if matches!(error, Value::Table(_)) => display(text),
        _ if matches!(error, Value::Table(_)) => show::value(error),
        _ => display(error),
    }
}

/// Pushes the function of an expression, or else of a chunk, and the variables that it sees; their number, or the error of
/// the code.
fn push_code<'gc>(
    machine: &mut Machine<'_, 'gc>,
    seen: &[(Vec<u8>, Value<'gc>)],
    code: &[u8],
) -> Result<usize, Value<'gc>> {
    let mut declared = Vec::new();
    if !seen.is_empty() {
        let names: Vec<_> = seen.iter().map(|(name, _)| &name[..]).collect();
        declared = [b"local ", &names.join(&b',')[..], b" = ... "].concat();
    }
    let expression = [&declared, &b"return "[..], code].concat();
    let chunk = compile(&expression, EVAL_NAME)
        .or_else(|_| compile(&[&declared, code].concat(), EVAL_NAME));
    match chunk {
        Ok(chunk) => {
            let chunk = machine.close_over(&chunk);
            machine.push(Value::Closure(chunk));
            for (_, value) in seen {
                machine.push(*value);
            }
            Ok(seen.len())
        }
        Err(error) => Err(machine.string(error.message)),
    }
}

fn redis(server: &mut Server, argv: &[Vec<u8>]) {
    // So that it is logged.
    with(server, |debugger| debugger.stepping = true);
    beside(server, |machine| {
        // The log tells what comes of it.
        let _ = machine.call_beside(|machine| push_command(machine, argv), TIMEOUT);
        ((), None)
    });
    with(server, |debugger| debugger.stepping = false);
}

fn push_command<'gc>(
    machine: &mut Machine<'_, 'gc>,
    argv: &[Vec<u8>],
) -> Result<usize, Value<'gc>> {
    let call = machine.native(NativeCode::Host(CALL), Vec::new());
    machine.push(call);
    let arguments = argv.get(1..).unwrap_or_default();
    for argument in arguments {
        let argument = machine.string(argument);
        machine.push(argument);
    }
    Ok(arguments.len())
}
