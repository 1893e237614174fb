//! The libraries, each in a file that begins with its table of functions.

pub mod base;

use super::machine::Machine;

/// Puts every library into the globals.
pub fn open(machine: &mut Machine) {
    base::open(machine);
}
