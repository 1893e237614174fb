//! Defines what the compiler hands to the interpreter: PUC-Rio Lua 5.1's instructions and function prototypes.
//!
//! The instruction set, its encoding and the register discipline are those of Lua 5.1, because error messages
//! ("attempt to index local 'x'") are worked out from the instruction that failed. `luac5.1 -l -l` prints the
//! same listing for the same source.
//!
//! ```text
//!  31        23        14    6      0
//!  |    B:9   |   C:9   |  A:8 | op:6 |
//!  |    Bx:18 (sBx = Bx - 131071)     |
//! ```

use std::rc::Rc;

/// A function as the compiler made it, before it is bound to upvalues. Holds no collected values.
#[derive(Debug, Default)]
pub struct Proto {
    /// The chunk's name as given to `load`: `=name`, `@file` or the source text itself.
    pub source: Rc<[u8]>,
    /// Line of the `function` keyword; 0 for a main chunk.
    pub line_defined: u32,
    /// Line of the closing `end`; 0 for a main chunk.
    pub last_line_defined: u32,
    /// Fixed parameters.
    pub parameters: u8,
    /// The parameter list ends with `...`.
    pub is_vararg: bool,
    /// The function is vararg and never names `...`: it gets Lua 5.0's local `arg` table (`LUA_COMPAT_VARARG`).
    pub needs_arg: bool,
    /// Registers that the function uses, at least 2.
    pub max_stack: u8,
    /// Registers that must be nil at the start, those of the arguments that are given excepted: the parameters, and
    /// first local variables for which no instruction says so.
    pub clean: u8,
    /// Instructions.
    pub code: Vec<Instruction>,
    /// The source line of each instruction.
    pub lines: Vec<u32>,
    /// Constants, indexed by `Bx` or by `RK` operands.
    pub constants: Vec<Constant>,
    /// Functions defined inside.
    pub protos: Vec<Rc<Proto>>,
    /// Local variables with the instructions over which they live, in order of declaration.
    pub locals: Vec<LocalVariable>,
    /// Name of each upvalue; the length is the number of upvalues.
    pub upvalues: Vec<Box<[u8]>>,
}

impl Proto {
    /// Bytes that the function takes once it is linked, without the texts of its constants and without the functions
    /// inside.
    pub fn memory(&self) -> usize {
        /// Code, quick code and line of an instruction.
        const INSTRUCTION: usize = 12;
        /// An allocation of its own with a short name in it.
        const NAME: usize = 32;
        size_of::<Proto>()
            + self.code.len() * INSTRUCTION
            + self.constants.len() * (size_of::<Constant>() + size_of::<u64>())
            + self.locals.len() * (size_of::<LocalVariable>() + NAME)
            + self.upvalues.len() * NAME
    }
}

/// A constant of a prototype.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `nil`
    Nil,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(Rc<[u8]>),
}

/// A local variable and the instructions `start..end` over which it is in scope.
#[derive(Debug, Clone)]
pub struct LocalVariable {
    /// The name; `(for index)` and its like for hidden ones.
    pub name: Box<[u8]>,
    /// First instruction in scope.
    pub start: u32,
    /// First instruction out of scope.
    pub end: u32,
}

/// One instruction: an opcode and its packed operands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Instruction(pub u32);

/// Instructions that flush a list constructor's pending items carry at most this many.
pub const FIELDS_PER_FLUSH: u32 = 50;
/// An RK operand at or above this is a constant's index plus this bit.
pub const CONSTANT_BIT: u32 = 1 << 8;
/// Largest constant index that fits an RK operand.
pub const MAX_INDEX_RK: u32 = CONSTANT_BIT - 1;
/// Largest `Bx`.
pub const MAX_BX: u32 = (1 << 18) - 1;
/// Largest `sBx`, and the bias of its encoding.
pub const MAX_SBX: i32 = (MAX_BX >> 1) as i32;

macro_rules! opcodes {
    ($($name:ident $doc:literal,)*) => {
        /// Lua 5.1's opcodes. `R[x]` is a register, `K[x]` a constant, `RK[x]` either, `U[x]` an upvalue, `G` the globals.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum OpCode { $(#[doc = $doc] $name,)* }

        /// Every opcode, at the index of its number.
        pub const OPCODES: &[OpCode] = &[$(OpCode::$name,)*];
    };
}

opcodes! {
    Move "`R[A] := R[B]`",
    LoadK "`R[A] := K[Bx]`",
    LoadBool "`R[A] := (bool)B; if C skip the next instruction`",
    LoadNil "`R[A] := ... := R[B] := nil`",
    GetUpval "`R[A] := U[B]`",
    GetGlobal "`R[A] := G[K[Bx]]`",
    GetTable "`R[A] := R[B][RK[C]]`",
    SetGlobal "`G[K[Bx]] := R[A]`",
    SetUpval "`U[B] := R[A]`",
    SetTable "`R[A][RK[B]] := RK[C]`",
    NewTable "`R[A] := {}` with size hints B (array) and C (hash) as floating point bytes",
    OpSelf "`R[A+1] := R[B]; R[A] := R[B][RK[C]]`",
    Add "`R[A] := RK[B] + RK[C]`",
    Sub "`R[A] := RK[B] - RK[C]`",
    Mul "`R[A] := RK[B] * RK[C]`",
    Div "`R[A] := RK[B] / RK[C]`",
    Mod "`R[A] := RK[B] % RK[C]`",
    Pow "`R[A] := RK[B] ^ RK[C]`",
    Unm "`R[A] := -R[B]`",
    Not "`R[A] := not R[B]`",
    Len "`R[A] := #R[B]`",
    Concat "`R[A] := R[B] .. ... .. R[C]`",
    Jmp "`pc += sBx`",
    Eq "`if (RK[B] == RK[C]) ~= A then pc++`",
    Lt "`if (RK[B] < RK[C]) ~= A then pc++`",
    Le "`if (RK[B] <= RK[C]) ~= A then pc++`",
    Test "`if not (R[A] <=> C) then pc++`",
    TestSet "`if R[B] <=> C then R[A] := R[B] else pc++`",
    Call "`R[A], ..., R[A+C-2] := R[A](R[A+1], ..., R[A+B-1])`; B = 0: up to the top; C = 0: keeps all, sets the top",
    TailCall "`return R[A](R[A+1], ..., R[A+B-1])`",
    Return "`return R[A], ..., R[A+B-2]`; B = 0: up to the top",
    ForLoop "`R[A] += R[A+2]; if R[A] <?= R[A+1] then { pc += sBx; R[A+3] := R[A] }`",
    ForPrep "`R[A] -= R[A+2]; pc += sBx`",
    TForLoop "`R[A+3], ..., R[A+2+C] := R[A](R[A+1], R[A+2]); if R[A+3] ~= nil then R[A+2] := R[A+3] else pc++`",
    SetList "`R[A][(C-1)*50+i] := R[A+i], 1 <= i <= B`; B = 0: up to the top; C = 0: the next word is C",
    Close "closes all upvalues at or above `R[A]`",
    Closure "`R[A] := closure(P[Bx], ...)`; a move or an upvalue per capture follows",
    Vararg "`R[A], R[A+1], ..., R[A+B-2] := vararg`; B = 0: all, sets the top",
}

/// The opcode of every six-bit pattern, so that decoding needs no check.
const DECODE: [OpCode; 64] = {
    let mut table = [OpCode::Vararg; 64];
    let mut number = 0;
    while number < OPCODES.len() {
        table[number] = OPCODES[number];
        number += 1;
    }
    table
};

impl Instruction {
    /// An instruction with three operands.
    pub fn abc(op: OpCode, a: u32, b: u32, c: u32) -> Instruction {
        Instruction(op as u32 | a << 6 | c << 14 | b << 23)
    }

    /// An instruction with one long unsigned operand.
    pub fn abx(op: OpCode, a: u32, bx: u32) -> Instruction {
        Instruction(op as u32 | a << 6 | bx << 14)
    }

    /// An instruction with one long signed operand.
    pub fn asbx(op: OpCode, a: u32, sbx: i32) -> Instruction {
        Instruction::abx(op, a, (sbx + MAX_SBX) as u32)
    }

    /// The opcode. The word behind a `SetList`, which is a number and no instruction, may have none of its own:
    /// it then counts as `Vararg`.
    #[inline]
    pub fn op(self) -> OpCode {
        DECODE[(self.0 & 0x3f) as usize]
    }

    /// Operand A, 8 bits.
    #[inline]
    pub fn a(self) -> u32 {
        self.0 >> 6 & 0xff
    }

    /// Operand B, 9 bits.
    #[inline]
    pub fn b(self) -> u32 {
        self.0 >> 23
    }

    /// Operand C, 9 bits.
    #[inline]
    pub fn c(self) -> u32 {
        self.0 >> 14 & 0x1ff
    }

    /// Operand Bx, 18 bits.
    #[inline]
    pub fn bx(self) -> u32 {
        self.0 >> 14
    }

    /// Operand sBx, 18 bits, signed.
    #[inline]
    pub fn sbx(self) -> i32 {
        self.bx() as i32 - MAX_SBX
    }
}

impl Proto {
    /// Whether every register, constant and jump that an instruction names is there, and no path leads past the end:
    /// what the interpreter's loop relies on. The functions inside are not looked at.
    pub fn is_sound(&self) -> bool {
        if self.parameters > self.max_stack || self.clean > self.max_stack {
            return false;
        }
        let slots = u32::from(self.max_stack);
        let constants = self.constants.len() as u32;
        let register = |register: u32| register < slots;
        let constant = |constant: u32| constant < constants;
        let either = |operand: u32| match operand.checked_sub(CONSTANT_BIT) {
            Some(index) => constant(index),
            None => register(operand),
        };
        let end = self.code.len();
        // Where an instruction may lead: the last one is always a return.
        let place = |place: i64| place >= 0 && (place as usize) < end;
        // A comparison takes the jump behind it, or passes it by.
        let branches = |pc: usize| {
            self.code.get(pc + 1).is_some_and(|next| next.op() == OpCode::Jmp)
                && place(pc as i64 + 2)
        };
        let mut pc = 0;
        while pc < end {
            let instruction = self.code[pc];
            if instruction.0 & 0x3f >= OPCODES.len() as u32 {
                return false;
            }
            let (a, b, c) = (instruction.a(), instruction.b(), instruction.c());
            let next = pc as i64 + 1;
            let jump = || place(next + i64::from(instruction.sbx()));
            let sound = match instruction.op() {
                OpCode::Move | OpCode::Unm | OpCode::Not | OpCode::Len => {
                    register(a) && register(b)
                }
                OpCode::LoadK | OpCode::GetGlobal | OpCode::SetGlobal => {
                    register(a) && constant(instruction.bx())
                }
                OpCode::LoadBool => register(a) && (c == 0 || place(next + 1)),
                OpCode::LoadNil => a <= b && register(b),
                OpCode::GetUpval | OpCode::SetUpval => {
                    register(a) && (b as usize) < self.upvalues.len()
                }
                OpCode::GetTable => register(a) && register(b) && either(c),
                OpCode::SetTable => register(a) && either(b) && either(c),
                OpCode::NewTable | OpCode::TailCall | OpCode::Vararg => register(a),
                OpCode::Call => register(a) && (c < 2 || register(a + c - 2)),
                OpCode::Return => a <= slots && (b < 2 || register(a + b - 2)),
                OpCode::Close => a <= slots,
                OpCode::OpSelf => register(a + 1) && register(b) && either(c),
                OpCode::Add
                | OpCode::Sub
                | OpCode::Mul
                | OpCode::Div
                | OpCode::Mod
                | OpCode::Pow => register(a) && either(b) && either(c),
                OpCode::Concat => register(a) && b < c && register(c),
                OpCode::Jmp => jump(),
                OpCode::Eq | OpCode::Lt | OpCode::Le => either(b) && either(c) && branches(pc),
                OpCode::Test => register(a) && branches(pc),
                OpCode::TestSet => register(a) && register(b) && branches(pc),
                OpCode::ForLoop | OpCode::ForPrep => register(a + 3) && jump(),
                OpCode::TForLoop => register(a + 2 + c.max(1)) && branches(pc),
                OpCode::SetList => {
                    pc += usize::from(c == 0);
                    register(a) && place(pc as i64 + 1)
                }
                OpCode::Closure => {
                    let inner = self.protos.get(instruction.bx() as usize);
                    let captures = inner.map_or(0, |inner| inner.upvalues.len());
                    let named = self.code.get(pc + 1..=pc + captures).unwrap_or_default();
                    pc += captures;
                    let captured = |capture: &Instruction| match capture.op() {
                        OpCode::GetUpval => (capture.b() as usize) < self.upvalues.len(),
                        op => op == OpCode::Move && register(capture.b()),
                    };
                    inner.is_some()
                        && named.len() == captures
                        && named.iter().all(captured)
                        && register(a)
                }
            };
            if !sound {
                return false;
            }
            pc += 1;
        }
        self.code.last().is_some_and(|last| last.op() == OpCode::Return)
    }
}

impl std::fmt::Debug for Instruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} {} {}", self.op(), self.a(), self.b(), self.c())
    }
}
