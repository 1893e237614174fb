//! What the test programs share: transcripts, the real server, and our engine with a clock that tests move.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

pub mod chance;
pub mod door;
pub mod effects;
pub mod engine;
pub mod json;
pub mod lua51;
pub mod program;
pub mod real;
pub mod redis_cli;
pub mod script;
pub mod socket;
pub mod transcript;
