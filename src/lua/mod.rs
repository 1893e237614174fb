//! Lua 5.1 as PUC-Rio defines it, able to pause at any instruction; knows no Redis.

pub mod bytecode;
mod codegen;
pub mod lexer;
pub mod number;
pub mod parser;
