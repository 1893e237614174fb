//! Shows a session that has stopped as data, for a debugger with windows instead of a terminal.

use super::Session;
use super::commands::{inspect, name_of};
use crate::lua::lib::base::display;
use crate::lua::machine::Machine;
use crate::lua::value::Value;
use crate::server::Server;
use crate::server::client::ClientId;

/// Tables in tables are shown this deep.
const DEEPEST: usize = 4;
/// Fields of one table that are shown.
const FIELDS: usize = 200;
/// Values in all: every level of a deep recursion has its variables.
const MOST: usize = 10_000;

/// Where a script has stopped, and what is there.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_arch = "wasm32", derive(serde::Serialize))]
pub struct View {
    /// The lines of the script, or of the function's library.
    pub source: Vec<String>,
    /// The line that comes next, from 1.
    pub line: i64,
    /// The number of the frame that `locals` and `inspect` are about.
    pub frame: usize,
    /// The functions that run, innermost first.
    pub frames: Vec<Frame>,
    /// `KEYS` and `ARGV`, if it is a script.
    pub globals: Vec<Variable>,
    /// Lines at which it stops.
    pub breakpoints: Vec<Breakpoint>,
    /// The commands that it has called with their replies, as `calls` shows them: the oldest first.
    pub calls: Vec<String>,
}

/// A function that runs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_arch = "wasm32", derive(serde::Serialize))]
pub struct Frame {
    /// What the code that called it calls it.
    pub name: String,
    /// Its line, from 1.
    pub line: i64,
    /// Its local variables in the order of their declarations, without the compiler's own.
    pub locals: Vec<Variable>,
    /// The variables of functions around it that it uses.
    pub upvalues: Vec<Variable>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_arch = "wasm32", derive(serde::Serialize))]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Shown,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_arch = "wasm32", derive(serde::Serialize))]
pub struct Shown {
    /// The name of its type.
    pub kind: &'static str,
    /// What `tostring` makes of it; bytes that are no text become U+FFFD.
    pub text: String,
    /// A table's fields in the order of `pairs`.
    pub fields: Vec<Field>,
    /// The table has more fields than these.
    pub has_more: bool,
}

/// A field of a table.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_arch = "wasm32", derive(serde::Serialize))]
pub struct Field {
    /// Its key.
    pub key: Shown,
    /// Its value.
    pub value: Shown,
}

/// A line at which the script stops.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_arch = "wasm32", derive(serde::Serialize))]
pub struct Breakpoint {
    /// From 1.
    pub line: i64,
    /// Code that must be true for that.
    pub condition: Option<String>,
}

/// The session of a client, if it has one that has stopped.
pub fn view(server: &mut Server, client: ClientId) -> Option<View> {
    let is_its = |session: &mut Session| session.client() == client && session.is_stopped();
    let mut session = server.debugging.take_if(is_its)?;
    session.exchange(server);
    let mut view = None;
    inspect(server, |machine, debugger| {
        let mut left = MOST;
        let globals = variables(&globals(machine), &mut left);
        let levels = machine.levels().into_iter();
        let frames = levels.map(|level| Frame {
            name: text(name_of(&level)),
            line: level.line,
            locals: variables(&level.locals, &mut left),
            upvalues: variables(&level.upvalues, &mut left),
        });
        let frames = frames.collect();
        let breakpoints = debugger.breakpoints.iter().map(|breakpoint| Breakpoint {
            line: breakpoint.line,
            condition: breakpoint.condition.as_deref().map(text),
        });
        view = Some(View {
            source: debugger.source.iter().map(|line| text(line)).collect(),
            line: debugger.line,
            frame: debugger.frame,
            frames,
            globals,
            breakpoints: breakpoints.collect(),
            calls: debugger.calls.iter().map(|call| text(call)).collect(),
        });
    });
    session.exchange(server);
    server.debugging = Some(session);
    view
}

fn globals<'gc>(machine: &mut Machine<'_, 'gc>) -> Vec<(Vec<u8>, Value<'gc>)> {
    let names = [&b"KEYS"[..], b"ARGV"];
    names.iter().filter_map(|name| Some((name.to_vec(), machine.global(name)?))).collect()
}

fn variables(all: &[(Vec<u8>, Value<'_>)], left: &mut usize) -> Vec<Variable> {
    let named = all.iter().filter(|(name, _)| !name.starts_with(b"("));
    named
        .map(|(name, value)| Variable { name: text(name), value: shown(*value, DEEPEST, left) })
        .collect()
}

/// The depth is bounded by `deepest`.
fn shown(value: Value<'_>, deepest: usize, left: &mut usize) -> Shown {
    *left = left.saturating_sub(1);
    let (mut fields, mut has_more) = (Vec::new(), false);
    if let Value::Table(table) = value {
        let mut last = Value::Nil;
        while let Ok(Some((key, value))) = table.next(last) {
            if deepest == 0 || *left == 0 || fields.len() == FIELDS {
                has_more = true;
                break;
            }
            fields.push(Field { key: shown(key, 0, left), value: shown(value, deepest - 1, left) });
            last = key;
        }
    }
    Shown { kind: value.type_name(), text: text(&display(value)), fields, has_more }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
