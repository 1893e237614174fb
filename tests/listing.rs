//! Compares our bytecode with what `luac5.1 -l -l` lists for the same source.

#![allow(clippy::unwrap_used, reason = "a listing of another form is a failure")]

use evalsha::lua::bytecode::{CONSTANT_BIT, Constant, OpCode, Proto};
use evalsha::lua::parser::compile;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The instructions, locals and upvalues of a prototype and of those inside it, a line each.
fn listing(proto: &Proto, out: &mut String) {
    writeln!(
        out,
        "function <{},{}> {}{} params, {} slots, {} upvalues, {} locals, {} constants, {} functions",
        proto.line_defined,
        proto.last_line_defined,
        proto.parameters,
        if proto.is_vararg { "+" } else { "" },
        proto.max_stack,
        proto.upvalues.len(),
        proto.locals.len(),
        proto.constants.len(),
        proto.protos.len()
    )
    .unwrap();
    let mut skip = false;
    for (pc, (code, line)) in proto.code.iter().zip(&proto.lines).enumerate() {
        if skip {
            skip = false;
            continue;
        }
        let rk = |operand: u32| {
            if operand >= CONSTANT_BIT {
                -1 - (i64::from(operand) - i64::from(CONSTANT_BIT))
            } else {
                i64::from(operand)
            }
        };
        let (a, b, c) = (i64::from(code.a()), rk(code.b()), rk(code.c()));
        use OpCode::*;
        let operands: Vec<i64> = match code.op() {
            LoadK | GetGlobal | SetGlobal => vec![a, -1 - i64::from(code.bx())],
            Closure => vec![a, i64::from(code.bx())],
            Jmp => vec![i64::from(code.sbx())],
            ForLoop | ForPrep => vec![a, i64::from(code.sbx())],
            Move | LoadNil | GetUpval | SetUpval | Unm | Not | Len | Return | Vararg => vec![a, b],
            TForLoop => vec![a, c],
            Close => vec![a],
            _ => vec![a, b, c],
        };
        let operands: Vec<String> = operands.iter().map(i64::to_string).collect();
        let name = format!("{:?}", code.op()).to_uppercase().replace("OPSELF", "SELF");
        writeln!(out, "{} [{line}] {name} {}", pc + 1, operands.join(" ")).unwrap();
        skip = code.op() == SetList && code.c() == 0;
    }
    for constant in &proto.constants {
        match constant {
            Constant::Number(number) => writeln!(
                out,
                "k {}",
                String::from_utf8(evalsha::number::format_g(*number, 14)).unwrap()
            ),
            Constant::String(text) => writeln!(out, "k {:?}", String::from_utf8_lossy(text)),
            Constant::Boolean(value) => writeln!(out, "k {value}"),
            Constant::Nil => writeln!(out, "k nil"),
        }
        .unwrap();
    }
    for local in &proto.locals {
        writeln!(
            out,
            "local {} {} {}",
            String::from_utf8_lossy(&local.name),
            local.start + 1,
            local.end + 1
        )
        .unwrap();
    }
    for upvalue in &proto.upvalues {
        writeln!(out, "upvalue {}", String::from_utf8_lossy(upvalue)).unwrap();
    }
    for inner in &proto.protos {
        listing(inner, out);
    }
}

/// The same lines from luac's listing.
fn reference(path: &Path) -> String {
    let output = Command::new("luac5.1")
        .args(["-l", "-l", "-p"])
        .arg(path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "luac5.1 refuses {}", path.display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut out = String::new();
    let mut header = String::new();
    let mut section = "";
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with("main <") || line.starts_with("function <") {
            let range = &line[line.rfind(':').unwrap() + 1..line.find('>').unwrap()];
            header = format!("function <{range}>");
            section = "code";
        } else if words.len() > 5 && words[1].starts_with("param") {
            writeln!(
                out,
                "{header} {} params, {} slots, {} upvalues, {} locals, {} constants, {} functions",
                words[0], words[2], words[4], words[6], words[8], words[10]
            )
            .unwrap();
        } else if line.starts_with("constants (") {
            section = "constants";
        } else if line.starts_with("locals (") {
            section = "locals";
        } else if line.starts_with("upvalues (") {
            section = "upvalues";
        } else if !words.is_empty() {
            match section {
                "code" => {
                    let end = words.iter().position(|word| *word == ";").unwrap_or(words.len());
                    writeln!(out, "{} {} {}", words[0], words[1], words[2..end].join(" ")).unwrap();
                }
                "constants" => {
                    let value = line.splitn(3, '\t').nth(2).unwrap();
                    writeln!(out, "k {value}").unwrap();
                }
                "locals" => writeln!(
                    out,
                    "local {}",
                    line.splitn(3, '\t').nth(2).unwrap().replace('\t', " ")
                )
                .unwrap(),
                _ => writeln!(out, "upvalue {}", words[1]).unwrap(),
            }
        }
    }
    out
}

#[test]
fn the_corpus_compiles_to_the_same_code() {
    if Command::new("luac5.1").arg("-v").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "luac5.1 is not installed");
        eprintln!("NOT PROVED: luac5.1 is not installed");
        return;
    }
    let mut count = 0;
    for entry in std::fs::read_dir("tests/lua/syntax").unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read(&path).unwrap();
        let proto =
            compile(&source, format!("@{}", path.display()).as_bytes()).unwrap_or_else(|error| {
                panic!("{}: {}", path.display(), String::from_utf8_lossy(&error.0))
            });
        let mut ours = String::new();
        listing(&proto, &mut ours);
        let theirs = reference(&path);
        for (line, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
            assert_eq!(
                ours,
                theirs,
                "{} differs from luac5.1's listing at line {}",
                path.display(),
                line + 1
            );
        }
        assert_eq!(ours.lines().count(), theirs.lines().count(), "{}", path.display());
        count += 1;
    }
    assert!(count > 0);
}
