//! The libraries, each in a file that begins with its table of functions.

pub mod base;
