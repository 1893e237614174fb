//! Asks the real Lua 5.1 what it makes of a chunk, and reads the code that it answers with.

#![allow(clippy::unwrap_used, reason = "a judge that cannot be asked is a failure")]

use evalsha::lua::bytecode::{Constant, Instruction, LocalVariable, Proto};
use std::io::Write;
use std::process::{Command, Stdio};
use std::rc::Rc;

/// `loadstring` in the script that compiles stands inside so many calls from C.
pub const C_CALLS: u32 = 2;

/// Whether `lua5.1` is here. If not, that is said loudly; where `CI=true` it is a failure.
pub fn is_installed() -> bool {
    let found = Command::new("lua5.1").arg("-v").output().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "lua5.1 is not installed");
        eprintln!("*** NOT PROVED: lua5.1 is not installed ***");
    }
    found
}

/// What `loadstring(source, name)` gives for each: the code, or the message.
pub fn compile_all(chunks: &[(Vec<u8>, Vec<u8>)]) -> Vec<Result<Proto, Vec<u8>>> {
    let mut process = Command::new("lua5.1")
        .arg("tests/common/compile.lua")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut bytes = Vec::new();
    for field in chunks.iter().flat_map(|(source, name)| [source, name]) {
        bytes.extend(format!("{}\n", field.len()).into_bytes());
        bytes.extend(field);
    }
    let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "lua5.1 failed");
    let mut rest = &output.stdout[..];
    let mut answers = Vec::new();
    while let [sign, tail @ ..] = rest {
        let end = tail.iter().position(|&byte| byte == b'\n').unwrap();
        let length: usize = std::str::from_utf8(&tail[..end]).unwrap().parse().unwrap();
        let (answer, behind) = tail[end + 1..].split_at(length);
        answers.push(if *sign == b'+' { Ok(undump(answer)) } else { Err(answer.to_vec()) });
        rest = behind;
    }
    assert_eq!(answers.len(), chunks.len(), "lua5.1 answered all");
    answers
}

/// Reads what `string.dump` wrote: 12 bytes of header, then the main function.
fn undump(dump: &[u8]) -> Proto {
    let mut reader = Reader(&dump[12..]);
    let proto = reader.function(&Rc::from(&b""[..]));
    assert!(reader.0.is_empty(), "the dump ends with its function");
    proto
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn int(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn string(&mut self) -> Vec<u8> {
        let size = u64::from_le_bytes(self.take(8).try_into().unwrap()) as usize;
        let mut text = self.take(size).to_vec();
        text.pop();
        text
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.int()).map(|_| item(self)).collect()
    }

    /// A function; one with its parent's chunk name has it left out.
    fn function(&mut self, parent: &Rc<[u8]>) -> Proto {
        const IS_VARARG: u8 = 2;
        const NEEDS_ARG: u8 = 4;
        let name = self.string();
        let source = if name.is_empty() { parent.clone() } else { Rc::from(name) };
        let (line_defined, last_line_defined) = (self.int(), self.int());
        let upvalue_count = self.byte();
        let (parameters, vararg, max_stack) = (self.byte(), self.byte(), self.byte());
        let proto = Proto {
            clean: 0,
            source: source.clone(),
            line_defined,
            last_line_defined,
            parameters,
            is_vararg: vararg & IS_VARARG != 0,
            needs_arg: vararg & NEEDS_ARG != 0,
            max_stack,
            code: self.list(|reader| Instruction(reader.int())),
            constants: self.list(|reader| match reader.byte() {
                0 => Constant::Nil,
                1 => Constant::Boolean(reader.byte() != 0),
                3 => Constant::Number(f64::from_le_bytes(reader.take(8).try_into().unwrap())),
                _ => Constant::String(Rc::from(reader.string())),
            }),
            protos: self.list(|reader| Rc::new(reader.function(&source))),
            lines: self.list(Reader::int),
            locals: self.list(|reader| LocalVariable {
                name: reader.string().into(),
                start: reader.int(),
                end: reader.int(),
            }),
            upvalues: self.list(|reader| reader.string().into()),
        };
        assert_eq!(usize::from(upvalue_count), proto.upvalues.len());
        proto
    }
}
