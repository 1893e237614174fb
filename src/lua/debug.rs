//! Works out, from bytecode alone, what the source calls a register: for the messages of run-time errors.

use super::bytecode::{CONSTANT_BIT, Constant, Instruction, OpCode, Proto};

/// What the source calls the value in a register at an instruction: its role and its name.
pub fn register_name(proto: &Proto, pc: usize, register: u32) -> Option<(&'static str, Vec<u8>)> {
    let mut pc = pc;
    let mut register = register;
    // A copy of a lower register has that one's name; each turn goes to a lower register.
    loop {
        if let Some(name) = local_name(proto, register as usize, pc) {
            return Some(("local", name));
        }
        let setter = last_setter(proto, pc, register)?;
        let instruction = proto.code[setter];
        return match instruction.op() {
            OpCode::GetGlobal => Some(("global", string_constant(proto, instruction.bx()))),
            OpCode::Move if instruction.b() < instruction.a() => {
                register = instruction.b();
                pc = setter;
                continue;
            }
            OpCode::GetTable => Some(("field", key_name(proto, instruction.c()))),
            OpCode::GetUpval => {
                let name = proto.upvalues.get(instruction.b() as usize);
                Some(("upvalue", name.map_or(b"?".to_vec(), |name| name.to_vec())))
            }
            OpCode::OpSelf => Some(("method", key_name(proto, instruction.c()))),
            _ => None,
        };
    }
}

/// What the source calls the function that the instruction calls.
pub fn called_name(proto: &Proto, pc: usize) -> Option<(&'static str, Vec<u8>)> {
    let instruction = *proto.code.get(pc)?;
    match instruction.op() {
        OpCode::Call | OpCode::TailCall | OpCode::TForLoop => {
            register_name(proto, pc, instruction.a())
        }
        _ => None,
    }
}

/// The name of the `register`-th local variable in scope at an instruction.
pub fn local_name(proto: &Proto, register: usize, pc: usize) -> Option<Vec<u8>> {
    let pc = pc as u32;
    let mut active =
        proto.locals.iter().take_while(|local| local.start <= pc).filter(|local| pc < local.end);
    active.nth(register).map(|local| local.name.to_vec())
}

fn string_constant(proto: &Proto, index: u32) -> Vec<u8> {
    match proto.constants.get(index as usize) {
        Some(Constant::String(text)) => text.to_vec(),
        _ => b"?".to_vec(),
    }
}

fn key_name(proto: &Proto, operand: u32) -> Vec<u8> {
    if operand >= CONSTANT_BIT {
        string_constant(proto, operand - CONSTANT_BIT)
    } else {
        b"?".to_vec()
    }
}

/// The last instruction before `end` that gave the register its value, jumps forward that do not pass `end` followed.
fn last_setter(proto: &Proto, end: usize, register: u32) -> Option<usize> {
    let mut setter = None;
    let mut pc = 0;
    while pc < end {
        let instruction = proto.code[pc];
        let (a, b) = (instruction.a(), instruction.b());
        let sets = match instruction.op() {
            OpCode::LoadNil => a <= register && register <= b,
            OpCode::TForLoop => register >= a + 2,
            OpCode::Call | OpCode::TailCall => register >= a,
            OpCode::OpSelf => register == a || register == a + 1,
            op => sets_a(op) && a == register,
        };
        if sets {
            setter = Some(pc);
        }
        pc = match instruction.op() {
            OpCode::ForLoop | OpCode::ForPrep | OpCode::Jmp => {
                let target = pc as i64 + 1 + i64::from(instruction.sbx());
                if pc as i64 + 1 < target && target <= end as i64 {
                    target as usize
                } else {
                    pc + 1
                }
            }
            OpCode::SetList if instruction.c() == 0 => pc + 2,
            OpCode::Closure => pc + 1 + captures(proto, instruction),
            _ => pc + 1,
        };
    }
    setter
}

/// Instructions behind a closure that say what it captures.
fn captures(proto: &Proto, closure: Instruction) -> usize {
    proto.protos.get(closure.bx() as usize).map_or(0, |inner| inner.upvalues.len())
}

/// Whether an instruction sets register A, by PUC-Rio's table of modes (which counts TEST among them).
fn sets_a(op: OpCode) -> bool {
    use OpCode::{Close, Eq, Jmp, Le, Lt, Return, SetGlobal, SetList, SetTable, SetUpval};
    !matches!(op, SetGlobal | SetUpval | SetTable | Jmp | Eq | Lt | Le | Return | SetList | Close)
}
