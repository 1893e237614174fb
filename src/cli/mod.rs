//! The manners of redis-cli: the only place where text for people is made.

pub use crate::split;
pub mod debugger;
pub mod help;
pub mod hint;
pub mod print;
pub mod session;
pub mod terminal;
