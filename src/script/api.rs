//! Defines the `redis` table, and what Redis puts in the place of Lua's own functions.

use super::cache::Sha;
use super::convert::{error_table, give_reply, status_table};
use super::ldb::show;
use super::load;
use crate::command;
use crate::error::Error;
use crate::lua::Host;
use crate::lua::lib::base::{Result, display};
use crate::lua::machine::{
    Arguments, Continue, Fault, Flow, Machine, Outcome, Position, Protection,
};
use crate::lua::number::to_long;
use crate::lua::value::Value;
use crate::number::format_g;
use crate::resp::{Reply, Resp};
use crate::server::client::SCRIPT_CLIENT;
use crate::server::{LogLevel, Origin, REDIS_VERSION, Server};
use sha1::{Digest, Sha1};

/// A function that scripts call and the server runs.
type Function =
    for<'a, 'b, 'gc> fn(&'a mut Server, &'a mut Machine<'b, 'gc>, Arguments) -> Result<'gc>;

/// A field of the `redis` table.
pub enum Field {
    /// A function of the server.
    Function(Function),
    /// A constant.
    Number(i32),
    /// A constant.
    Text(&'static str),
}

/// The `redis` table, in the real server's order: the order of `pairs` follows from it. A function's number is its
/// place here.
pub const REDIS: &[(&str, Field)] = &[
    ("call", Field::Function(call)),
    ("pcall", Field::Function(pcall)),
    ("log", Field::Function(log)),
    ("LOG_DEBUG", Field::Number(0)),
    ("LOG_VERBOSE", Field::Number(1)),
    ("LOG_NOTICE", Field::Number(2)),
    ("LOG_WARNING", Field::Number(3)),
    ("REDIS_VERSION_NUM", Field::Number(0x0007_000f)),
    ("REDIS_VERSION", Field::Text(REDIS_VERSION)),
    ("setresp", Field::Function(setresp)),
    ("sha1hex", Field::Function(sha1hex)),
    ("error_reply", Field::Function(error_reply)),
    ("status_reply", Field::Function(status_reply)),
    ("set_repl", Field::Function(set_repl)),
    ("REPL_NONE", Field::Number(REPL_NONE)),
    ("REPL_AOF", Field::Number(1)),
    ("REPL_SLAVE", Field::Number(2)),
    ("REPL_REPLICA", Field::Number(2)),
    ("REPL_ALL", Field::Number(REPL_ALL)),
    ("acl_check_cmd", Field::Function(acl_check_cmd)),
    ("breakpoint", Field::Function(breakpoint)),
    ("debug", Field::Function(debug)),
    ("replicate_commands", Field::Function(replicate_commands)),
];

/// The number of `redis.call`.
pub const CALL: u32 = 0;

/// How many of these functions have too; the others are for EVAL alone.
pub const SHARED: usize = REDIS.len() - 3;

/// What the `redis` table holds while a library is loaded, in the real server's order.
pub const LOADING: &[&str] = &[
    "log",
    "LOG_DEBUG",
    "LOG_VERBOSE",
    "LOG_NOTICE",
    "LOG_WARNING",
    "REDIS_VERSION_NUM",
    "REDIS_VERSION",
];

/// The number of Redis's own `pcall`.
pub const PCALL: usize = REDIS.len();
/// The number of the globals' `__index`.
pub const UNKNOWN_GLOBAL: usize = REDIS.len() + 1;
/// The number of the error handler, which the real server gives to its scripts too.
pub const ERROR_HANDLER: usize = REDIS.len() + 2;
/// The number of `redis.register_function`, which only libraries have, while they are loaded.
pub const REGISTER_FUNCTION: usize = REDIS.len() + 3;

const REPL_NONE: i32 = 0;
const REPL_ALL: i32 = 3;

/// The server, while one of its scripts runs.
pub struct Api<'a>(pub &'a mut Server);

impl Host for Api<'_> {
    fn invoke<'gc>(
        &mut self,
        number: u32,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> Result<'gc> {
        let server = &mut *self.0;
        match number as usize {
            PCALL => lua_pcall(server, machine, arguments),
            UNKNOWN_GLOBAL => unknown_global(server, machine, arguments),
            ERROR_HANDLER => error_handler(server, machine, arguments),
            REGISTER_FUNCTION => load::register_function(server, machine, arguments),
            number => match REDIS.get(number) {
                Some((_, Field::Function(function))) => function(server, machine, arguments),
                _ => Err(machine.error("no such function")),
            },
        }
    }
}

/// The table of an error that no command counted: it is counted when it leaves the script.
pub(super) fn uncounted<'gc>(machine: &mut Machine<'_, 'gc>, error: &Error) -> Value<'gc> {
    let table = machine.table(0, 1);
    let text = machine.string(&error.0);
    machine.set_field(table, "err", text);
    Value::Table(table)
}

pub(super) fn raise<'gc>(machine: &mut Machine<'_, 'gc>, error: &Error) -> Fault<'gc> {
    Fault::Error(uncounted(machine, error))
}

/// redis.call(command, ...): a failure is an error.
fn call<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    match run(server, machine, arguments) {
        Ok((reply, resp)) => give_reply(machine, arguments, reply, resp),
        Err(table) => Err(Fault::Error(table)),
    }
}

/// redis.pcall(command, ...): a failure is a result.
fn pcall<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    match run(server, machine, arguments) {
        Ok((reply, resp)) => give_reply(machine, arguments, reply, resp),
        Err(table) => machine.give(table),
    }
}

/// What a command costs, beside what its arguments and its reply do.
const FUEL_PER_MICROSECOND: i64 = 4;
/// The time is not taken again where a script has done so little since its last command: that costs as much as a small
/// command.
const LITTLE: i64 = 8;

/// Runs the command that the arguments name; its reply and how the script wants to see it, or the table of its error.
fn run<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> std::result::Result<(Reply, Resp), Value<'gc>> {
    let argv = match command_line(machine, arguments) {
        Ok(argv) => argv,
        Err(error) => return Err(uncounted(machine, &error)),
    };
    let Some(running) = server.scripts.running.as_ref() else {
        return Err(uncounted(machine, &Error::NOT_IN_SCRIPT));
    };
    let is_time_known = (machine.fuel..=machine.fuel + LITTLE).contains(&running.fuel_then);
    let origin =
        Origin::Script { read_only: running.read_only, allow_oom: running.may_use_memory() };
    let resp = server.client(SCRIPT_CLIENT).map_or(Resp::V2, |client| client.resp);
    let bytes: usize = argv.iter().map(Vec::len).sum();
    machine.fuel -= 2;
    machine.pay_for_bytes(bytes);
    let before = if is_time_known { server.clocked() } else { server.look() };
    let result = server.call(SCRIPT_CLIENT, &argv, origin);
    // A command cannot be paused; one that took long is the last of its slice.
    machine.fuel -= server.clocked().saturating_sub(before) as i64 * FUEL_PER_MICROSECOND;
    if let Some(running) = &mut server.scripts.running {
        running.fuel_then = machine.fuel;
    }
    match result {
        Ok(Some(Reply::Error(ref text))) => Err(error_table(machine, text)),
        Ok(Some(reply)) => Ok((reply, resp)),
        // No command that a script may call has no reply.
        Ok(None) => Ok((Reply::Null, resp)),
        Err(error) => Err(error_table(machine, &error.0)),
    }
}

/// Bytes of a command's arguments. They may be the same string many times, each of which is copied.
const MOST_BYTES: usize = 256 << 20;

fn command_line(
    machine: &mut Machine,
    arguments: Arguments,
) -> std::result::Result<Vec<Vec<u8>>, Error> {
    if arguments.count == 0 {
        return Err(Error::SCRIPT_NO_ARGUMENTS);
    }
    let mut argv = Vec::with_capacity(arguments.count);
    let mut bytes = 0;
    for number in 1..=arguments.count {
        argv.push(match machine.argument(arguments, number) {
            Value::String(text) => {
                bytes += text.bytes().len();
                if bytes > MOST_BYTES {
                    return Err(Error::OOM);
                }
                text.bytes().to_vec()
            }
            Value::Number(number) => number_text(number),
            _ => return Err(Error::SCRIPT_ARGUMENT_TYPE),
        });
    }
    Ok(argv)
}

/// A number as an argument of a command: `%.17g`.
fn number_text(number: f64) -> Vec<u8> {
    let integer = number as i64;
    let is_small = integer.unsigned_abs() < 100_000_000_000_000_000;
    if integer as f64 == number && is_small && (integer != 0 || number.is_sign_positive()) {
        return integer.to_string().into_bytes();
    }
    format_g(number, 17)
}

/// `redis.error_reply(text)`: a text without a code gets the general one; a leading dash is dropped.
fn error_reply<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    let (1, Value::String(text)) = (arguments.count, machine.argument(arguments, 1)) else {
        let table = uncounted(machine, &Error::SCRIPT_REPLY_ARGUMENTS);
        return machine.give(table);
    };
    machine.pay_for_bytes(text.bytes().len());
    let table = uncounted(machine, &Error::error_reply(text.bytes()));
    machine.give(table)
}

/// `redis.status_reply(text)`
fn status_reply<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    let table = match (arguments.count, machine.argument(arguments, 1)) {
        (1, Value::String(text)) => {
            machine.pay_for_bytes(text.bytes().len());
            status_table(machine, text.bytes())
        }
        _ => uncounted(machine, &Error::SCRIPT_REPLY_ARGUMENTS),
    };
    machine.give(table)
}

/// redis.sha1hex(text): what is neither a string nor a number counts as empty.
fn sha1hex<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    if arguments.count != 1 {
        return Err(raise(machine, &Error::SCRIPT_SHA1_ARGUMENTS));
    }
    Hashing::default().go_on(machine, arguments)
}

/// `sha1hex` at work.
#[derive(Default)]
struct Hashing {
    hasher: Sha1,
    done: usize,
}

impl Hashing {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        const PIECE: usize = 1 << 12;
        let text = machine.argument(arguments, 1).to_str(machine.mc);
        let rest = text.map_or(&b""[..], |text| &text.bytes()[self.done..]);
        for piece in rest.chunks(PIECE) {
            if machine.fuel <= 0 {
                return Ok(Flow::pause(self, Hashing::go_on));
            }
            self.hasher.update(piece);
            self.done += piece.len();
            machine.fuel -= (piece.len() >> 4) as i64;
        }
        let value = machine.string(Sha::of_hashed(self.hasher).name());
        machine.give(value)
    }
}

/// The first argument as a number, if it reads as one.
fn number(machine: &mut Machine<'_, '_>, arguments: Arguments) -> Option<f64> {
    let value = machine.argument(arguments, 1);
    machine.number_of(value)
}

/// redis.log(level, message, ...): the messages, joined by spaces, go to the server's log.
fn log<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    if arguments.count < 2 {
        return Err(raise(machine, &Error::SCRIPT_LOG_ARGUMENTS));
    }
    let Some(level) = number(machine, arguments) else {
        return Err(raise(machine, &Error::SCRIPT_LOG_LEVEL_TYPE));
    };
    let level = match to_long(level) {
        0 => LogLevel::Debug,
        1 => LogLevel::Verbose,
        2 => LogLevel::Notice,
        3 => LogLevel::Warning,
        _ => return Err(raise(machine, &Error::SCRIPT_LOG_LEVEL)),
    };
    let mut line = Vec::new();
    for number in 2..=arguments.count {
        if let Some(text) = machine.argument(arguments, number).to_str(machine.mc) {
            if number > 2 {
                line.push(b' ');
            }
            line.extend_from_slice(text.bytes());
        }
    }
    machine.pay_for_bytes(line.len());
    server.log(level, &line);
    Ok(Flow::Return(0))
}

/// redis.setresp(2 or 3)
fn setresp<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    if arguments.count != 1 {
        return Err(raise(machine, &Error::SCRIPT_RESP_ARGUMENTS));
    }
    let version = number(machine, arguments).map_or(0, to_long);
    let resp = match version {
        2 => Resp::V2,
        3 => Resp::V3,
        _ => return Err(raise(machine, &Error::SCRIPT_RESP_VERSION)),
    };
    if let Some(client) = server.client_mut(SCRIPT_CLIENT) {
        client.resp = resp;
    }
    Ok(Flow::Return(0))
}

/// `redis.set_repl(flags)`: checked, and without effect, as nothing replicates.
fn set_repl<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    if arguments.count != 1 {
        return Err(raise(machine, &Error::SCRIPT_REPL_ARGUMENTS));
    }
    let flags = number(machine, arguments).map_or(0, to_long);
    if !(i64::from(REPL_NONE)..=i64::from(REPL_ALL)).contains(&flags) {
        return Err(raise(machine, &Error::SCRIPT_REPL_FLAGS));
    }
    Ok(Flow::Return(0))
}

/// `redis.replicate_commands()`: since Redis 7 always on.
fn replicate_commands<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    _: Arguments,
) -> Result<'gc> {
    machine.give(Value::Boolean(true))
}

/// `redis.breakpoint()`: stops a script that is debugged at its next line; whether it is debugged.
fn breakpoint<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    _: Arguments,
) -> Result<'gc> {
    if let Some(debugger) = &mut server.scripts.debugger {
        debugger.break_at_next_line();
        machine.stop_at_next_line();
    }
    machine.give(Value::Boolean(server.scripts.debugger.is_some()))
}

/// redis.debug(...): prints to the debugger; nothing without one.
fn debug<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    if let Some(debugger) = &mut server.scripts.debugger {
        let line = machine.position_at(1).map_or(-1, |position| position.line);
        let values = (1..=arguments.count).map(|number| machine.argument(arguments, number));
        let values: Vec<Vec<u8>> = values.map(show::value).collect();
        debugger.debug(line, &values);
    }
    Ok(Flow::Return(0))
}

/// `redis.acl_check_cmd(command`, ...): whether the script's user may call this.
fn acl_check_cmd<'gc>(
    server: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    let argv = match command_line(machine, arguments) {
        Ok(argv) => argv,
        Err(error) => return Err(raise(machine, &error)),
    };
    let Ok(found) = command::resolve(&argv) else {
        return Err(raise(machine, &Error::SCRIPT_ACL_COMMAND));
    };
    machine.give(Value::Boolean(server.permits(SCRIPT_CLIENT, &found, &argv).is_ok()))
}

/// Lua's pcall as Redis changes it: of an error that is a table, scripts written before Redis 7 want the text.
fn lua_pcall<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    if arguments.count == 0 {
        // Redis pushes the status before it looks for a function, and then finds that.
        machine.push(Value::Boolean(true));
    }
    let arguments = arguments.count.saturating_sub(1);
    Ok(Flow::Call { arguments, protection: Protection::Full, then: Box::new(Protected) })
}

struct Protected;

impl Continue for Protected {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let Outcome::Failed(Value::Table(table)) = outcome else {
            return crate::lua::lib::base::finish_pcall(machine, arguments, outcome);
        };
        machine.push(Value::Boolean(false));
        machine.push(Value::Table(table));
        if let Some(text) = machine.field_of(Value::Table(table), "err")? {
            return give_text(machine, text);
        }
        let (protection, then) = (Protection::None, Box::new(TextAsked));
        Ok(Flow::Call { arguments: 2, protection, then })
    }
}

/// The error's table has a function for its text, which has given it.
struct TextAsked;

impl Continue for TextAsked {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let text = machine.first_result(outcome);
        // Behind the status and the table.
        machine.set_top(arguments.base + arguments.count + 2);
        give_text(machine, text)
    }
}

/// Gives the status that is pushed already, and the text instead of the table that stands on top, or both of these.
fn give_text<'gc>(machine: &mut Machine<'_, 'gc>, text: Value<'gc>) -> Result<'gc> {
    if matches!(text, Value::String(_) | Value::Number(_)) {
        machine.set_slot(machine.top() - 1, text);
        return Ok(Flow::Return(2));
    }
    machine.push(text);
    Ok(Flow::Return(3))
}

/// Reading a global variable that is not there.
fn unknown_global<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    let message = match machine.argument(arguments, 2).to_str(machine.mc) {
        _ if arguments.count != 2 => Error::GLOBAL_ARGUMENTS.to_vec(),
        Some(name) => Error::unknown_global(name.bytes()),
        None => Error::GLOBAL_NAME_TYPE.to_vec(),
    };
    Err(machine.error(message))
}

/// What the real server's handler, which is a function in Lua, makes of an error whose table it cannot change.
pub(super) const READ_ONLY_ERROR: &str = "err_handler_def:10: Attempt to modify a readonly table";

/// A line of it.
pub(super) fn handler_position(line: i64) -> Position {
    Position { source: b"@err_handler_def".to_vec(), line }
}

/// Makes of any error a table with `err`, and notes in it where the code that called the handler is. In the real server
/// this is a function in Lua: only there can it be dumped, and does a tail call of it hide its caller.
fn error_handler<'gc>(
    _: &mut Server,
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> Result<'gc> {
    let caller = machine.position_at(1);
    let position = match caller {
        // What a native raised is the fault of whoever called it.
        Some(native) if native.line < 0 && native.source == b"=[C]" => machine.position_at(2),
        caller => caller,
    };
    let table = match machine.argument(arguments, 1) {
        Value::Table(table) => table,
        other => {
            let text = [&b"ERR "[..], &display(other)].concat();
            machine.pay_for_bytes(text.len());
            let text = machine.string(text);
            let table = machine.table(0, 1);
            machine.set_field(table, "err", text);
            table
        }
    };
    if position.is_some() && table.is_read_only() {
        return Err(Fault::Error(machine.string(READ_ONLY_ERROR)));
    }
    if let Some(position) = position {
        let (source, source_name) = (machine.string(&position.source), machine.string("source"));
        let line_name = machine.string("line");
        machine.raw_set(table, source_name, source)?;
        machine.raw_set(table, line_name, Value::Number(position.line as f64))?;
    }
    machine.give(Value::Table(table))
}
