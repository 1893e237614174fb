//! evalsha: a Redis Lua-scripting playground that runs wholly in the browser.

pub mod cli;
pub mod command;
pub mod error;
pub mod glob;
pub mod keyspace;
pub mod lua;
pub mod number;
pub mod resp;
pub mod server;
pub mod value;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
