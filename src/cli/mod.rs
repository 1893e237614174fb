//! The manners of redis-cli: the only place where text for people is made.

pub mod print;
pub use crate::split;
