//! Defines the cjson library: its functions, and the settings that scripts change for all scripts after them.

mod decode;
mod encode;
mod token;

use super::base::Result;
use crate::bytes::c_string;
use crate::function::{Native, NativeCode, NativeState};
use crate::machine::{Arguments, Fault, Flow, Machine, NativeFunction};
use crate::table::Table;
use crate::value::Value;
use gc_arena::Gc;

/// The functions, in the order in which they enter the table: the order of `pairs` comes from it.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("encode", encode::encode),
    ("decode", decode::decode),
    ("encode_sparse_array", encode_sparse_array),
    ("encode_max_depth", |machine, arguments| {
        configure_integer(machine, arguments, Setting::EncodeMaxDepth, 1, i32::MAX)
    }),
    ("decode_max_depth", |machine, arguments| {
        configure_integer(machine, arguments, Setting::DecodeMaxDepth, 1, i32::MAX)
    }),
    ("encode_number_precision", |machine, arguments| {
        configure_integer(machine, arguments, Setting::Precision, 1, 14)
    }),
    ("encode_keep_buffer", |machine, arguments| {
        configure_choice(machine, arguments, Setting::KeepBuffer, SWITCH)
    }),
    ("encode_invalid_numbers", |machine, arguments| {
        configure_choice(machine, arguments, Setting::EncodeInvalid, SWITCH_OR_NULL)
    }),
    ("decode_invalid_numbers", |machine, arguments| {
        configure_choice(machine, arguments, Setting::DecodeInvalid, SWITCH)
    }),
    ("new", new),
];

/// What `null` reads as, and what is written as `null`: a light userdata.
const NULL: u32 = 0;

/// Slots that PUC-Rio gives to a C function (`LUAI_MAXCSTACK`): nesting ends where they do, whatever the settings say.
const MAX_SLOTS: usize = 8000;

/// What can be set, by its place among the values that all functions of an instance share.
#[derive(Clone, Copy)]
enum Setting {
    SparseConvert,
    SparseRatio,
    SparseSafe,
    EncodeMaxDepth,
    DecodeMaxDepth,
    Precision,
    /// Whether a buffer is kept between calls: it is remembered, and that is all.
    KeepBuffer,
    EncodeInvalid,
    DecodeInvalid,
}

/// The settings that an instance begins with.
const DEFAULTS: [i32; 9] = [0, 2, 10, 1000, 1000, 14, 1, 0, 1];

const SWITCH: &[&str] = &["off", "on"];
const SWITCH_OR_NULL: &[&str] = &["off", "on", "null"];

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    let library = instance(machine);
    machine.set_field(machine.state.globals, "cjson", Value::Table(library));
}

/// A table of the library's functions with settings of their own.
fn instance<'gc>(machine: &mut Machine<'_, 'gc>) -> Table<'gc> {
    let table = machine.table(0, 0);
    let mut shared = None;
    for (name, function) in FUNCTIONS {
        let code = NativeCode::Library(*function);
        let native = match shared {
            None => {
                machine.native(code, DEFAULTS.map(|value| Value::Number(value.into())).to_vec())
            }
            Some(upvalues) => {
                let id = machine.new_id();
                Value::Native(Native(Gc::new(machine.mc, NativeState { code, upvalues, id })))
            }
        };
        if let Value::Native(native) = native {
            shared = Some(native.0.upvalues);
        }
        machine.set_field(table, name, native);
    }
    machine.set_field(table, "null", Value::Userdata(NULL));
    for (name, text) in [("_NAME", "cjson"), ("_VERSION", "2.1.0")] {
        let text = machine.string(text);
        machine.set_field(table, name, text);
    }
    table
}

fn new<'gc>(machine: &mut Machine<'_, 'gc>, _: Arguments) -> Result<'gc> {
    let table = instance(machine);
    machine.give(Value::Table(table))
}

// ---- Settings

/// The settings of the instance to which the function that runs belongs, by their places.
fn settings(machine: &Machine<'_, '_>, arguments: Arguments) -> [i32; DEFAULTS.len()] {
    let mut settings = DEFAULTS;
    if let Value::Native(native) = machine.slot(arguments.base - 1) {
        for (setting, value) in settings.iter_mut().zip(native.0.upvalues.borrow().iter()) {
            if let Value::Number(number) = value {
                *setting = *number as i32;
            }
        }
    }
    settings
}

/// One of them.
fn setting(machine: &Machine<'_, '_>, arguments: Arguments, setting: Setting) -> i32 {
    settings(machine, arguments)[setting as usize]
}

fn set(machine: &Machine<'_, '_>, arguments: Arguments, setting: Setting, number: i32) {
    if let Value::Native(native) = machine.slot(arguments.base - 1)
        && let Some(value) = native.0.upvalues.borrow_mut(machine.mc).get_mut(setting as usize)
    {
        *value = Value::Number(f64::from(number));
    }
}

/// No more arguments than there are settings; each may be left out.
fn check_count<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    most: usize,
) -> std::result::Result<(), Fault<'gc>> {
    if arguments.count > most {
        return Err(machine.argument_error(most + 1, "found too many arguments"));
    }
    Ok(())
}

/// The one argument of `encode` and `decode`.
fn check_single<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
) -> std::result::Result<(), Fault<'gc>> {
    if arguments.count != 1 {
        return Err(machine.argument_error(1, "expected 1 argument"));
    }
    Ok(())
}

/// Takes argument `number` as an integer setting, if it is there, and pushes what is set then. An integer out of
/// bounds is blamed on the first argument, wherever it stands.
fn integer_option<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    number: usize,
    which: Setting,
    (least, most): (i32, i32),
) -> std::result::Result<(), Fault<'gc>> {
    if !machine.argument(arguments, number).is_nil() {
        let value = machine.check_integer(arguments, number)? as i32;
        if !(least..=most).contains(&value) {
            let message = format!("expected integer between {least} and {most}");
            return Err(machine.argument_error(1, message));
        }
        set(machine, arguments, which, value);
    }
    machine.push(Value::Number(f64::from(setting(machine, arguments, which))));
    Ok(())
}

/// As [`integer_option`], for a boolean or one of the words.
fn choice_option<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    number: usize,
    which: Setting,
    words: &[&str],
) -> std::result::Result<(), Fault<'gc>> {
    match machine.argument(arguments, number) {
        Value::Nil => {}
        Value::Boolean(value) => set(machine, arguments, which, i32::from(value)),
        _ => {
            let text = machine.check_string(arguments, number)?.bytes();
            // C compares up to the first NUL.
            let word = c_string(text);
            let Some(place) = words.iter().position(|known| known.as_bytes() == word) else {
                let message = [b"invalid option '", word, b"'"].concat();
                return Err(machine.argument_error(number, message));
            };
            set(machine, arguments, which, place as i32);
        }
    }
    let value = match setting(machine, arguments, which) {
        0 => Value::Boolean(false),
        1 => Value::Boolean(true),
        _ => machine.string("null"),
    };
    machine.push(value);
    Ok(())
}

fn configure_integer<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    which: Setting,
    least: i32,
    most: i32,
) -> Result<'gc> {
    check_count(machine, arguments, 1)?;
    integer_option(machine, arguments, 1, which, (least, most))?;
    Ok(Flow::Return(1))
}

fn configure_choice<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    which: Setting,
    words: &[&str],
) -> Result<'gc> {
    check_count(machine, arguments, 1)?;
    choice_option(machine, arguments, 1, which, words)?;
    Ok(Flow::Return(1))
}

fn encode_sparse_array<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    check_count(machine, arguments, 3)?;
    choice_option(machine, arguments, 1, Setting::SparseConvert, SWITCH)?;
    integer_option(machine, arguments, 2, Setting::SparseRatio, (0, i32::MAX))?;
    integer_option(machine, arguments, 3, Setting::SparseSafe, (0, i32::MAX))?;
    Ok(Flow::Return(3))
}
