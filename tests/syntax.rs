//! Compares the compiler with the real Lua 5.1: the code of a corpus and of random programs to the bit, and the
//! message of everything that does not compile.
//!
//! `PROGRAMS=100000` tries more random programs.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::lua51::{self, C_CALLS};
use common::program::{Grammar, Random};
use evalsha::lua::bytecode::{Constant, OpCode, Proto};
use evalsha::lua::parser::{compile, compile_within};
use std::fmt::Write;

/// Everything that a prototype holds, a line each.
fn listing(proto: &Proto, out: &mut String) {
    writeln!(
        out,
        "function <{},{}> of {:?}: {} parameters, vararg {}, arg {}, {} slots",
        proto.line_defined,
        proto.last_line_defined,
        String::from_utf8_lossy(&proto.source).chars().take(20).collect::<String>(),
        proto.parameters,
        proto.is_vararg,
        proto.needs_arg,
        proto.max_stack,
    )
    .unwrap();
    assert_eq!(proto.code.len(), proto.lines.len());
    for (pc, (code, line)) in proto.code.iter().zip(&proto.lines).enumerate() {
        write!(out, "{pc} [{line}] {:08x} {:?} A={} ", code.0, code.op(), code.a()).unwrap();
        match code.op() {
            OpCode::LoadK | OpCode::GetGlobal | OpCode::SetGlobal | OpCode::Closure => {
                writeln!(out, "Bx={}", code.bx()).unwrap();
            }
            OpCode::Jmp | OpCode::ForLoop | OpCode::ForPrep => {
                writeln!(out, "to {}", pc as i32 + 1 + code.sbx()).unwrap();
            }
            _ => writeln!(out, "B={} C={}", code.b(), code.c()).unwrap(),
        }
    }
    for (index, constant) in proto.constants.iter().enumerate() {
        match constant {
            Constant::Number(number) => {
                writeln!(out, "constant {index} {number:?} {:x}", number.to_bits())
            }
            Constant::String(text) => writeln!(out, "constant {index} \"{}\"", text.escape_ascii()),
            other => writeln!(out, "constant {index} {other:?}"),
        }
        .unwrap();
    }
    for local in &proto.locals {
        writeln!(out, "local {} {}..{}", local.name.escape_ascii(), local.start, local.end)
            .unwrap();
    }
    for upvalue in &proto.upvalues {
        writeln!(out, "upvalue {}", upvalue.escape_ascii()).unwrap();
    }
    for inner in &proto.protos {
        listing(inner, out);
    }
}

fn lines(proto: &Proto) -> String {
    let mut out = String::new();
    listing(proto, &mut out);
    out
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// How our compiler differs from lua5.1 on some chunks; nothing if it does not.
fn differences(chunks: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for ((source, name), theirs) in chunks.iter().zip(lua51::compile_all(chunks)) {
        let ours = compile_within(source, name, C_CALLS);
        let difference = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                let (ours, theirs) = (lines(&ours), lines(&theirs));
                if ours == theirs {
                    continue;
                }
                let pair = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
                let (ours, theirs) = pair.unwrap_or(("(another length)", ""));
                format!("ours:    {ours}\nlua5.1:  {theirs}")
            }
            (Err(ours), Err(theirs)) if ours.message == theirs => continue,
            // Redis builds its Lua without this refusal (`LUA_COMPAT_LSTR`); tests/transcripts has what it does.
            (_, Err(theirs)) if contains(&theirs, b"nesting of [[...]] is deprecated") => continue,
            (Err(ours), Err(theirs)) => {
                format!(
                    "ours:    {}\nlua5.1:  {}",
                    ours.message.escape_ascii(),
                    theirs.escape_ascii()
                )
            }
            (Ok(_), Err(theirs)) => {
                format!("ours:    compiles\nlua5.1:  {}", theirs.escape_ascii())
            }
            (Err(ours), Ok(_)) => {
                format!("ours:    {}\nlua5.1:  compiles", ours.message.escape_ascii())
            }
        };
        let shown = &source[..source.len().min(2000)];
        found.push(format!("{difference}\n{}\n", String::from_utf8_lossy(shown)));
    }
    found
}

fn check_all(chunks: &[(Vec<u8>, Vec<u8>)]) {
    if !lua51::is_installed() {
        return;
    }
    let found = differences(chunks);
    let shortest = found.iter().min_by_key(|text| text.len());
    assert!(
        found.is_empty(),
        "{} of {} differ, the shortest:\n{}",
        found.len(),
        chunks.len(),
        shortest.unwrap()
    );
}

fn count() -> u64 {
    std::env::var("PROGRAMS").map_or(300, |text| text.parse().unwrap())
}

fn corpus() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut paths: Vec<_> =
        std::fs::read_dir("tests/lua/syntax").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let chunk = |path: std::path::PathBuf| {
        (std::fs::read(&path).unwrap(), format!("@{}", path.display()).into_bytes())
    };
    paths.into_iter().map(chunk).collect()
}

#[test]
fn the_corpus_compiles_to_the_same_code() {
    for (source, name) in corpus() {
        if let Err(error) = compile(&source, &name) {
            panic!("{}", error.message.escape_ascii());
        }
    }
    check_all(&corpus());
}

#[test]
fn random_programs_compile_to_the_same_code() {
    let program = |seed| Grammar::program(seed, 20 + seed as usize % 400).into_bytes();
    let chunks: Vec<_> = (0..count()).map(|seed| (program(seed), b"=random".to_vec())).collect();
    check_all(&chunks);
}

#[test]
fn damaged_programs_give_the_same_message() {
    let mut random = Random::new(51);
    let originals = corpus();
    let mut chunks = Vec::new();
    for seed in 0..count() * 4 {
        let mut source = if seed % 4 == 0 {
            let (source, _) = &originals[random.below(originals.len())];
            let start = random.below(source.len());
            source[start..source.len().min(start + 400)].to_vec()
        } else {
            Grammar::program(seed, 5 + random.below(60)).into_bytes()
        };
        damage(&mut source, &mut random);
        let name = random.pick(&["=damaged", "@a/damaged/file.lua", ""]);
        let name = if name.is_empty() { source.clone() } else { name.as_bytes().to_vec() };
        // A chunk that starts with ESC is taken for compiled code, which is not the compiler's business.
        if source.first() != Some(&0x1b) {
            chunks.push((source, name));
        }
    }
    check_all(&chunks);
}

/// Removes, doubles, swaps or replaces a few bytes or words.
fn damage(source: &mut Vec<u8>, random: &mut Random) {
    const PIECES: &[&str] = &[
        "end",
        "\0",
        "[[",
        "]]",
        "[=[",
        "]=]",
        "--[[",
        "--",
        "\"",
        "'",
        "\\",
        "\\300",
        "\n",
        "\r\n",
        "\n\r",
        "=",
        "==",
        "~",
        "~=",
        "...",
        "..",
        ".",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ":",
        ";",
        ",",
        "0x",
        "1e",
        "1..2",
        "3x",
        "\u{80}",
        "@",
        "$",
        "`",
        "!",
        "&",
        "|",
        "?",
        "\x7f",
        "\x01",
        "local",
        "function",
        "for",
        "in",
        "do",
        "then",
        "else",
        "elseif",
        "until",
        "repeat",
        "while",
        "if",
        "return",
        "break",
        "not",
        "and",
        "or",
        "nil",
        "true",
        "x",
        "1",
        "'s'",
        "[[long]]",
        "local function f() return",
        "goto",
        "a.b.c",
        "a:b",
        "f()",
        "#",
        "-",
        "+ 1",
        "\\\n",
        "\\x",
        "function f(...) ",
        "arg",
        "0xep1",
        "0x1p4",
        ".5",
        "5.",
        "1e+5",
        "08",
        "--[==[\n]==]",
    ];
    for _ in 0..=random.below(3) {
        let at = random.below(source.len() + 1);
        let until = (at + random.below(12)).min(source.len());
        match random.below(5) {
            0 => drop(source.drain(at..until)),
            1 => source.truncate(at),
            2 => {
                let copy = source[at..until].to_vec();
                let to = random.below(source.len() + 1);
                source.splice(to..to, copy);
            }
            _ => {
                let piece = random.pick(PIECES);
                source.splice(at..at, format!(" {piece} ").into_bytes());
            }
        }
    }
}
