//! Defines the quick form of a function's code: what the interpreter's loop runs.
//!
//! Word for word it follows the code that the compiler made, so that an index into one is an index into the other. A
//! quick opcode says what kind its operands have where that is known beforehand: a register (`R`), a constant (`K`),
//! a name (a constant string).

use super::bytecode::{CONSTANT_BIT, Instruction, OpCode, Proto};
use super::packed::Packed;

macro_rules! quick {
    ($($name:ident),* $(,)?) => {
        /// A quick opcode; operands are as in [`OpCode`].
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(super) enum Quick { $($name,)* }
        const COUNT: usize = [$(Quick::$name),*].len();
    };
}

quick! {
    Move, LoadK, LoadBool, LoadNil, GetUpval, SetUpval,
    GetGlobal, GetTable, GetField, SetTable, SetField, Method,
    Add, AddRR, AddRK, Sub, SubRR, SubRK, Mul, MulRR, MulRK, Div, DivRK, Mod, ModRK,
    Unm, Not, Len, Jmp,
    Eq, EqRK, Lt, LtRR, LtRK, Le, LeRR, LeRK, Test, TestSet,
    Call, Return, ForLoop,
    // What the loop always leaves to `Machine::complete`.
    SetGlobal, NewTable, OpSelf, Pow, Concat, TailCall, ForPrep, TForLoop, SetList, Close, Closure, Vararg,
}

const _: () = assert!(COUNT <= 64, "an opcode has six bits");

impl Quick {
    /// The quick opcode of an instruction.
    ///
    /// # Safety
    ///
    /// [`quicken`] must have made the instruction.
    #[inline(always)]
    #[allow(unsafe_code)] // A tenth of an instruction's time.
    pub(super) unsafe fn of(instruction: Instruction) -> Quick {
        // SAFETY: opcodes are numbered from 0 on, and the caller promises that this is one of them.
        unsafe { std::mem::transmute::<u8, Quick>((instruction.0 & 0x3f) as u8) }
    }
}

/// The quick form of a prototype's code. `constants` are its constants.
pub(super) fn quicken(proto: &Proto, constants: &[Packed<'_>]) -> Box<[Instruction]> {
    let constant = |operand: u32| match operand & CONSTANT_BIT {
        0 => None,
        _ => constants.get((operand & !CONSTANT_BIT) as usize),
    };
    let is_number =
        |operand: u32| constant(operand).is_some_and(|value| value.as_number().is_some());
    let is_name = |operand: u32| constant(operand).is_some_and(|value| value.as_str().is_some());
    let is_register = |operand: u32| operand & CONSTANT_BIT == 0;
    let quick = |instruction: &Instruction| {
        let (b, c) = (instruction.b(), instruction.c());
        // For two registers, for a register and a number, for anything else.
        let by_kind = |registers: Quick, number: Quick, any: Quick| {
            if is_register(b) && is_register(c) {
                registers
            } else if is_register(b) && is_number(c) {
                number
            } else {
                any
            }
        };
        let opcode = match instruction.op() {
            OpCode::Move => Quick::Move,
            OpCode::LoadK => Quick::LoadK,
            OpCode::LoadBool => Quick::LoadBool,
            OpCode::LoadNil => Quick::LoadNil,
            OpCode::GetUpval => Quick::GetUpval,
            OpCode::SetUpval => Quick::SetUpval,
            OpCode::GetGlobal => Quick::GetGlobal,
            OpCode::GetTable if is_name(c) => Quick::GetField,
            OpCode::GetTable => Quick::GetTable,
            OpCode::SetTable if is_name(b) => Quick::SetField,
            OpCode::SetTable => Quick::SetTable,
            OpCode::OpSelf if is_name(c) => Quick::Method,
            OpCode::Add => by_kind(Quick::AddRR, Quick::AddRK, Quick::Add),
            OpCode::Sub => by_kind(Quick::SubRR, Quick::SubRK, Quick::Sub),
            OpCode::Mul => by_kind(Quick::MulRR, Quick::MulRK, Quick::Mul),
            OpCode::Div => by_kind(Quick::Div, Quick::DivRK, Quick::Div),
            OpCode::Mod => by_kind(Quick::Mod, Quick::ModRK, Quick::Mod),
            OpCode::Unm => Quick::Unm,
            OpCode::Not => Quick::Not,
            OpCode::Len => Quick::Len,
            OpCode::Jmp => Quick::Jmp,
            OpCode::Eq if is_register(b) && !is_register(c) => Quick::EqRK,
            OpCode::Eq => Quick::Eq,
            OpCode::Lt => by_kind(Quick::LtRR, Quick::LtRK, Quick::Lt),
            OpCode::Le => by_kind(Quick::LeRR, Quick::LeRK, Quick::Le),
            OpCode::Test => Quick::Test,
            OpCode::TestSet => Quick::TestSet,
            OpCode::Call => Quick::Call,
            OpCode::Return => Quick::Return,
            OpCode::ForLoop => Quick::ForLoop,
            OpCode::SetGlobal => Quick::SetGlobal,
            OpCode::NewTable => Quick::NewTable,
            OpCode::OpSelf => Quick::OpSelf,
            OpCode::Pow => Quick::Pow,
            OpCode::Concat => Quick::Concat,
            OpCode::TailCall => Quick::TailCall,
            OpCode::ForPrep => Quick::ForPrep,
            OpCode::TForLoop => Quick::TForLoop,
            OpCode::SetList => Quick::SetList,
            OpCode::Close => Quick::Close,
            OpCode::Closure => Quick::Closure,
            OpCode::Vararg => Quick::Vararg,
        };
        Instruction(instruction.0 & !0x3f | opcode as u32)
    };
    proto.code.iter().map(quick).collect()
}
