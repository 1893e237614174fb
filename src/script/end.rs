//! Defines how a script ends: its result as a reply, or its error.

use super::api;
use super::convert::{Conversion, Errors};
use crate::error::{self, Error};
use crate::lua::lib::base::display;
use crate::lua::machine::Machine;
use crate::lua::value::Value;
use crate::lua::{Lua, NoHost};
use crate::number::c_string;
use crate::resp::{Reply, Resp};
use crate::server::Server;
use crate::server::client::SCRIPT_CLIENT;
/// Goes on with the first result's way to a reply.
pub(super) fn finished(
    server: &mut Server,
    lua: &mut Lua,
    fuel: i64,
) -> Option<(Result<Reply, Error>, Errors)> {
    /// There is so much at least in the slice in which the script ends: a short reply needs no other one.
    const LEAST_FUEL: i64 = 1000;
    let resp = server.client(SCRIPT_CLIENT).map_or(Resp::V2, |client| client.resp);
    let running = server.scripts.running.as_mut()?;
    let begun = running.result.take();
    let mut conversion = begun.map_or_else(|| Conversion::new(resp), |begun| *begun);
    let fuel = (fuel - server.scripts.spent).max(LEAST_FUEL);
    let (reply, left) =
        lua.enter_with(&mut NoHost, fuel, |machine| (conversion.go_on(machine), machine.fuel));
    server.scripts.spent += fuel - left;
    let Some(mut reply) = reply else {
        server.scripts.running.as_mut()?.result = Some(Box::new(conversion));
        return None;
    };
    let errors = conversion.errors;
    let result = match &mut reply {
        Reply::Error(text) => Err(Error(std::mem::take(text))),
        _ => Ok(reply),
    };
    Some((result, errors))
}

/// Whether the text of the error with which a script has ended is asked for; it is then going to be the result.
pub(super) fn asks_for_text(server: &mut Server, lua: &mut Lua) -> bool {
    let Some(running) = server.scripts.running.as_mut() else { return false };
    // A function that fails is not asked about its own error. (The real server dies.)
    if running.asked {
        return false;
    }
    running.asked = lua.enter(|machine| {
        let Some(error @ Value::Table(table)) = machine.state.failure else { return false };
        if table.is_read_only() {
            return false;
        }
        let asks = matches!(machine.field_of(error, "err"), Ok(None));
        if asks {
            machine.begin_call(1);
        }
        asks
    });
    running.asked
}

/// The text of an error's table, if it is one: up to its first NUL.
pub(super) fn error_text<'gc>(machine: &Machine<'_, 'gc>, field: Value<'gc>) -> Option<Vec<u8>> {
    field.to_str(machine.mc).map(|text| c_string(text.bytes()).to_vec())
}

/// The error as a reply, with the script's name and where the error was raised; `text` is what its table was asked for.
pub(super) fn failed(
    server: &mut Server,
    lua: &mut Lua,
    text: Option<Vec<u8>>,
) -> (Result<Reply, Error>, Errors) {
    let name = server.scripts.running.as_ref().map(|running| running.called.name());
    let name = name.unwrap_or_default();
    lua.enter(|machine| {
        let mut value = machine.state.failure.take().unwrap_or_default();
        // Any other error of a script that is killed leads to the real server's error handler, and it is there that the
        // script is killed again: where its first line begins.
        if let Some(error) = machine.hook_error().filter(|error| *error != value) {
            machine.state.position = Some(api::handler_position(4));
            value = error;
        }
        // The real server's error handler notes in the error's table where the error was raised, or fails to.
        if let Value::Table(table) = value
            && table.is_read_only()
        {
            machine.state.position = Some(api::handler_position(10));
            value = machine.string(api::READ_ONLY_ERROR);
        }
        let (table, mut message) = match value {
            Value::Table(table) => {
                // Where the real server finds no text it dies.
                let inherited = match machine.field_of(value, "err") {
                    Ok(Some(field)) => error_text(machine, field),
                    _ => None,
                };
                let text = text
                    .or(inherited)
                    .unwrap_or_else(|| Error::from_script(&display(value)).0.into_owned());
                (Some(table), text)
            }
            Value::String(text) => {
                (None, Error::from_script(c_string(text.bytes())).0.into_owned())
            }
            value => (None, Error::from_script(&display(value)).0.into_owned()),
        };
        let place = machine.state.position.take().map_or(String::new(), |position| {
            let source = String::from_utf8_lossy(&position.source).into_owned();
            error::script_position(&name, &source, position.line)
        });
        message.extend_from_slice(place.as_bytes());
        let error = Error::new(message);
        let mut errors = Errors::default();
        match table {
            Some(table) => errors.add(table, &error),
            None => errors.uncounted.push(error.code().to_vec()),
        }
        (Err(error), errors)
    })
}
