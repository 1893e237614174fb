//! The libraries, each in a file that begins with its table of functions.

pub mod base;
pub mod bit;
pub mod cjson;
pub mod cmsgpack;
pub mod coroutine;
pub(crate) mod load;
pub mod math;
mod search;
pub mod string;
pub mod r#struct;
pub mod table;

use super::machine::Machine;

/// Puts every library into the globals.
pub fn open(machine: &mut Machine) {
    base::open(machine);
    table::open(machine);
    string::open(machine);
    math::open(machine);
    coroutine::open(machine);
    bit::open(machine);
    cjson::open(machine);
    r#struct::open(machine);
    cmsgpack::open(machine);
}
