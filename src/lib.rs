//! evalsha: a Redis Lua-scripting playground that runs wholly in the browser.
//!
//! This page is the architecture. The sentence to steer by: a small Redis that one can read in an afternoon, whose
//! every promise is a transcript that the real Redis also signs. The reference is Redis 7.0.15; when a text here and
//! that server disagree, the server is right.
//!
//! # Bird's eye
//!
//! ```text
//!   a line typed in the page              bytes on a socket          redis.call in a script, EXEC
//!            |                                    |                              |
//!   wasm.rs, cli/: line -> arguments     bin/evalsha-server.rs                   |
//!            |                                    |                              |
//!            +------------------+-----------------+------------------------------+
//!                               v
//!                server/: Server::call, the one door, and the clients behind it
//!                               v
//!                command/: a table per family; arguments in, Reply or Error out
//!                    |                        |
//!      keyspace/, value/: the data      script/: EVAL and its cache; lua/: the language, in slices of fuel
//!                               v
//!                resp.rs: Reply -> RESP2 or RESP3; cli/: Reply -> what redis-cli prints
//! ```
//!
//! The engine has one thread and never waits. A command runs at once. A script runs in slices: the caller gets control
//! back after each, and so a second client, SCRIPT KILL, the Stop button and the debugger work without threads, on any
//! static host.
//!
//! # Code map
//!
//! | where | what it defines |
//! |---|---|
//! | `bin/evalsha-server.rs` | the engine behind RESP on a loopback port, for redis-cli and client libraries |
//! | `cli/` | redis-cli's manners: a line into arguments, a reply into text, prompt, hints, help |
//! | `command/` | the command table, one file per family, and the cursor that reads arguments |
//! | `error.rs` | every error text that Redis prints, once |
//! | `glob.rs` | the patterns of KEYS, SCAN and CONFIG GET |
//! | `keyspace/` | databases: keys, their deadlines, their order |
//! | `long_double.rs` | the numbers of INCRBYFLOAT: 80 bits, as on x86 |
//! | `lua/` | Lua 5.1, able to pause at any instruction; knows no Redis, and is a package of its own, built for speed |
//! | `number.rs` | numbers as Redis reads and prints them |
//! | `ordered.rs` | a small map in the order of its keys, and sorting |
//! | `rdb/` | the payloads of DUMP and FUNCTION DUMP: strings, values, versions, checksums |
//! | `request.rs` | the commands in the bytes that a client sends |
//! | `resp.rs` | a reply, and its bytes in RESP2 and RESP3 |
//! | `script/` | EVAL and its family, functions: the cache, libraries, running in slices, `redis.*`, conversion between Lua and replies; `ldb/` the debugger |
//! | `server/` | clients, dispatch, transactions, waiting, publish and subscribe, the clock that the caller gives |
//! | `split.rs` | a line split into arguments, as redis-cli and inline commands do |
//! | `value/` | what a key can hold: strings, hashes, lists |
//! | `wasm.rs` | the door to JavaScript |
//! | `wasm.js` | its other half: what JavaScript does in one step |
//!
//! `tests/transcripts/` shows what the engine does, as a terminal shows it; `www/` is the page, and `x` has the commands.
//!
//! # Invariants
//!
//! `tests/tidy.rs`, `clippy.toml` and the lints in `Cargo.toml` hold these:
//!
//! - The core has no clock, no randomness and no input or output of its own: the caller gives them
//!   ([`server::Clock`], [`server::Server::new`]). Only `bin/` names the operating system.
//! - Only `wasm.rs` names `wasm_bindgen`, `js_sys` and `web_sys`. Only `cli/` makes text for people. Only `error.rs` holds
//!   Redis's error texts. `lua/` knows no Redis; `value/` knows no commands.
//! - Strings are bytes everywhere.
//! - Every command, from the terminal, from `redis.call`, from EXEC, from a socket, enters by one function.
//! - A script can be paused at any instruction, and so interrupted, stepped and killed. Nothing that a script does can
//!   freeze the tab, exhaust its memory, overflow the stack or panic the engine.
//! - Equal input gives equal output: no reply depends on the order of a randomly seeded hash table.
//! - There are three kinds of failure, and they are never mixed: a Redis error ([`error::Error`]), a Lua error (a value),
//!   and a panic, which is a bug of ours. `unsafe` is denied; only `lua/` may have it, each with the reason beside it.
//!
//! # Why piccolo's own VM is not used
//!
//! [piccolo](https://crates.io/crates/piccolo) carries the scripts: its arena, its incremental collector, exact memory
//! figures, and fuel, by which a script can be paused. Its language is another one: Lua 5.3's integers and operators, no
//! arithmetic metamethods, errors without line and variable name, and tables whose order is random for each process,
//! where Redis's is fixed and shows in every `cjson.encode`. Scripts took 1.7 to 18 times as long as in a rival's wasm. So
//! `lua/` has its own lexer, compiler, tables and loop, made to Lua 5.1's measure, and lives in piccolo's arena.
//!
//! # Where to start reading
//!
//! [`server`] for the door, then any family in [`command`], whose table stands on top of its file. [`resp::Reply`] is what
//! all of them answer. For the language start with [`lua::bytecode`].

pub mod cli;
pub mod command;
pub mod error;
pub mod glob;
pub mod keyspace;
pub mod long_double;
pub mod number;
pub mod ordered;
pub mod rdb;
pub mod request;
pub mod resp;
pub mod script;
pub mod server;
pub mod split;
pub mod value;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use evalsha_lua as lua;
