//! Writes a function's code as `string.dump` does: a binary chunk of Lua 5.1 on a machine of 64 bits.

use super::bytecode::{Constant, Instruction, Proto};

/// The signature, the version, and the sizes of C's `int`, `size_t`, an instruction and a number, little end first.
const HEADER: [u8; 12] = *b"\x1bLua\x51\0\x01\x04\x08\x04\x08\0";

/// The parts of the byte that tells how a function takes further arguments.
const HAS_ARG: u8 = 1;
const IS_VARARG: u8 = 2;
const NEEDS_ARG: u8 = 4;

/// The binary chunk of a function. Recurses as deep as functions stand in functions: at most 200 (the parser's limit).
pub fn dump(proto: &Proto) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    function(&mut out, proto, None);
    out
}

/// A function; the name of its chunk is left out where it is the one of the function around it.
fn function(out: &mut Vec<u8>, proto: &Proto, around: Option<&Proto>) {
    let is_inner = around.is_some_and(|around| around.source == proto.source);
    string(out, Some(&proto.source).filter(|_| !is_inner).map(|source| &**source));
    int(out, proto.line_defined as usize);
    int(out, proto.last_line_defined as usize);
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    // A main chunk takes arguments, but has no `arg` for them.
    let has_arg = proto.is_vararg && proto.line_defined > 0;
    let vararg = flag(has_arg, HAS_ARG)
        | flag(proto.is_vararg, IS_VARARG)
        | flag(proto.needs_arg, NEEDS_ARG);
    out.extend([proto.upvalues.len() as u8, proto.parameters, vararg, proto.max_stack]);
    list(out, &proto.code, |out, Instruction(word)| out.extend(word.to_le_bytes()));
    list(out, &proto.constants, |out, constant| match constant {
        Constant::Nil => out.push(0),
        Constant::Boolean(value) => out.extend([1, u8::from(*value)]),
        Constant::Number(number) => {
            out.push(3);
            out.extend(number.to_le_bytes());
        }
        Constant::String(text) => {
            out.push(4);
            string(out, Some(text));
        }
    });
    list(out, &proto.protos, |out, inner| function(out, inner, Some(proto)));
    list(out, &proto.lines, |out, line| int(out, *line as usize));
    list(out, &proto.locals, |out, local| {
        string(out, Some(&local.name));
        int(out, local.start as usize);
        int(out, local.end as usize);
    });
    list(out, &proto.upvalues, |out, name| string(out, Some(name)));
}

fn int(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u32).to_le_bytes());
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    int(out, items.len());
    for item in items {
        write(out, item);
    }
}

/// The length with the NUL that ends it, the bytes and the NUL; no string is a length of 0.
fn string(out: &mut Vec<u8>, text: Option<&[u8]>) {
    let length = text.map_or(0, |text| text.len() as u64 + 1);
    out.extend(length.to_le_bytes());
    if let Some(text) = text {
        out.extend_from_slice(text);
        out.push(0);
    }
}
