//! Runs damaged programs on the interpreter: it may refuse or fail them, and must neither panic nor hang, whatever the
//! slices and collections between them.
//!
//! `FUZZ_SECONDS=1800 FUZZ_SEED=7 cargo test --release --test fuzz` goes on for so long. With a nightly compiler the
//! address sanitizer watches: `RUSTFLAGS=-Zsanitizer=address cargo +nightly test --release --target
//! x86_64-unknown-linux-gnu --test fuzz`. What a run finds becomes a chapter in `tests/lua/chapters/`.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::print_stderr, reason = "a long run says how far it came")]
#![allow(clippy::disallowed_methods, reason = "how long a run goes on is the machine's time")]

mod common;

use common::program::Random;
use evalsha::lua::{FunctionId, Lua, NoHost, Step, lib};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of heap for each program.
const HEAP: usize = 16 << 20;
/// A slice is small: one that takes so long hangs.
const SLICE_LIMIT: Duration = Duration::from_secs(5);
/// Slices after which a program is left alone.
const SLICES: usize = 60;

/// Words, numbers, strings and marks, with the spaces behind them.
fn tokens(source: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let mut last = 0;
    for c in source.chars() {
        let this = class(c);
        match tokens.last_mut() {
            Some(token) if this == 2 || (this == last && this != 3) => token.push(c),
            _ => tokens.push(c.to_string()),
        }
        last = this;
    }
    tokens
}

/// Every Lua file of the tests, and the scripts of the transcripts.
fn corpus() -> Vec<Vec<String>> {
    let mut programs = Vec::new();
    let mut folders = vec![
        Path::new("tests/lua").to_path_buf(),
        "tests/transcripts".into(),
        "tests/bench/lua".into(),
    ];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            if path.extension().is_some_and(|extension| extension == "lua") {
                // Pieces are more use than whole chapters.
                let lines: Vec<&str> = text.lines().collect();
                programs.extend(lines.chunks(12).map(|piece| tokens(&piece.join("\n"))));
            } else {
                let scripts = text.lines().filter_map(|line| line.strip_prefix("> EVAL \""));
                let scripts =
                    scripts.filter_map(|line| line.rsplit_once("\" ")).map(|(script, _)| script);
                programs.extend(scripts.map(|script| tokens(&script.replace("\\\"", "\""))));
            }
        }
    }
    assert!(programs.len() > 100, "the corpus is not read well");
    programs
}

/// Things that matter to an interpreter.
const WORDS: &[&str] = &[
    "nil",
    "true",
    "0",
    "-1",
    "1e308",
    "0/0",
    "2^53",
    "-2^63",
    "1e15",
    "\"\"",
    "\"%\"",
    "'[a-'",
    "{}",
    "...",
    "#",
    "..",
    "(",
    ")",
    "end ",
    "do ",
    "function() ",
    "return ",
    "local ",
    "goto ",
    "coroutine.yield(",
    "coroutine.wrap(",
    "pcall(",
    "error(",
    "setmetatable(",
    "__index",
    "__newindex",
    "__call",
    "__eq",
    "__lt",
    "__mode",
    "string.rep(",
    "string.format(",
    "table.concat(",
    "table.sort(",
    "unpack(",
    "select(",
    "loadstring(",
    "collectgarbage()",
    "cjson.decode(",
    "cmsgpack.unpack(",
    "struct.unpack(",
    "while true do ",
    "repeat ",
    "until ",
    "for i = 1, 1e9 do ",
    "_G",
    "\\",
    "\0",
    "[[",
    "]]",
    "--",
    "=",
    "==",
    "~=",
    ",",
    ";",
];

fn damaged(corpus: &[Vec<String>], random: &mut Random) -> String {
    let mut program = corpus[random.below(corpus.len().max(1))].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(program.len().max(1));
        let other = &corpus[random.below(corpus.len().max(1))];
        let word = WORDS[random.below(WORDS.len())];
        let from = random.below(other.len().max(1));
        let to = (from + random.below(20)).min(other.len());
        match random.below(7) {
            0 => program.insert(at, word.to_owned()),
            1 => drop(program.splice(at..at, other[from.min(to)..to].iter().cloned())),
            _ if program.is_empty() => {}
            2 => drop(program.remove(at)),
            3 => word.clone_into(&mut program[at]),
            4 => {
                let to = (at + random.below(12)).min(program.len());
                let piece = program[at..to].to_vec();
                program.splice(to..to, piece);
            }
            5 => program.truncate(at + 1),
            _ => {
                let other = random.below(program.len());
                program.swap(at, other);
            }
        }
    }
    program.concat()
}

fn interpreter() -> Lua {
    let mut lua = Lua::new(HEAP);
    lua.enter(lib::open);
    lua
}

/// Runs a program in slices of changing size. Whether it ends well is its own matter.
fn run(lua: &mut Lua, source: &str, random: &mut Random) {
    let Ok(function): Result<FunctionId, _> = lua.load(source.as_bytes(), b"@user_script") else {
        return;
    };
    lua.start(function);
    for _ in 0..SLICES {
        let fuel = [1, 3, 50, 2_000, 20_000][random.below(5)];
        let started = Instant::now();
        let step = lua.resume(&mut NoHost, fuel);
        assert!(started.elapsed() < SLICE_LIMIT, "a slice took {:?}", started.elapsed());
        if step != Step::Paused {
            return;
        }
        if random.below(8) == 0 {
            lua.collect();
        }
    }
}

#[test]
fn damaged_programs_neither_panic_nor_hang() {
    let number = |name: &str, default| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (seconds, seed) = (number("FUZZ_SECONDS", 2), number("FUZZ_SEED", 1));
    let corpus = corpus();
    let mut random = Random::new(seed);
    let mut lua = interpreter();
    let started = Instant::now();
    let mut count = 0u64;
    while started.elapsed() < Duration::from_secs(seconds) {
        if count.is_multiple_of(64) {
            lua = interpreter();
        }
        let program = damaged(&corpus, &mut random);
        // If it panics or hangs, here it is.
        if seconds > 10 {
            std::fs::write("target/fuzz.lua", &program).unwrap();
        }
        run(&mut lua, &program, &mut random);
        count += 1;
    }
    eprintln!("{count} damaged programs in {seconds} s, seed {seed}");
}
