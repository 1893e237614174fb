//! Lua's source text into PUC-Rio's own instructions, and its numbers from text and back: a package of its own, so that
//! what runs once for each script is built to be small, and the machine that runs it to be fast.
//!
//! | file | what |
//! |---|---|
//! | `lexer` `parser` `codegen` | source into code |
//! | `bytecode` `dump` | the code, and the same as bytes |
//! | `number` `decimal` `format` | numbers read and printed |
//! | `bytes` | searches through long texts |

pub mod bytecode;
pub mod bytes;
pub mod codegen;
pub mod decimal;
pub mod dump;
pub mod format;
pub mod lexer;
pub mod number;
pub mod parser;
