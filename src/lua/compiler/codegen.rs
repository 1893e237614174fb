//! Emits instructions: registers, constants, jump lists and the code of expressions, allocated as PUC-Rio does,
//! because run-time messages are worked out from the instruction that failed.
//!
//! Long because expressions, jumps and registers share one state.

use super::bytecode::{
    CONSTANT_BIT, Constant, FIELDS_PER_FLUSH, Instruction, LocalVariable, MAX_BX, MAX_INDEX_RK,
    MAX_SBX, OpCode, Proto,
};
use super::lexer::SyntaxError;
use super::parser::Parser;
// A table of constants: never iterated.
use std::collections::HashMap;
use std::rc::Rc;

pub(super) type Code<T> = Result<T, SyntaxError>;

/// The end of a jump list, in the offset of its last jump.
pub(super) const NO_JUMP: i32 = -1;
const NO_REGISTER: u32 = 255;
const MAX_STACK: u32 = 250;

/// Jumps to one place that is not known yet, each leading to the next by its offset. The last is kept at hand:
/// PUC-Rio walks to it, which takes quadratic time on a long chain of `or`, `elseif` or `break`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JumpList {
    first: i32,
    last: i32,
}

impl JumpList {
    pub const EMPTY: JumpList = JumpList { first: NO_JUMP, last: NO_JUMP };

    /// The list of the one jump at `pc`.
    pub fn one(pc: usize) -> JumpList {
        JumpList { first: pc as i32, last: pc as i32 }
    }
}

impl Default for JumpList {
    fn default() -> JumpList {
        JumpList::EMPTY
    }
}

/// Where the value of an expression is, or what is still to be done to get it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Void,
    Nil,
    True,
    False,
    Constant(u32),
    Number(f64),
    Local(u32),
    Upvalue(u32),
    Global(u32),
    /// A table's register and the key as an RK operand.
    Indexed(u32, u32),
    /// A comparison that jumps: the jump's address.
    Jump(usize),
    /// An instruction whose register A is still to be chosen.
    Relocatable(usize),
    NonRelocatable(u32),
    Call(usize),
    Vararg(usize),
}

/// An expression with the jumps that leave it when it is true and when it is false.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expression {
    pub kind: Kind,
    pub if_true: JumpList,
    pub if_false: JumpList,
}

impl Expression {
    pub fn new(kind: Kind) -> Expression {
        Expression { kind, if_true: JumpList::EMPTY, if_false: JumpList::EMPTY }
    }

    fn has_jumps(&self) -> bool {
        self.if_true != self.if_false
    }

    fn numeral(&self) -> Option<f64> {
        match self.kind {
            Kind::Number(number) if !self.has_jumps() => Some(number),
            _ => None,
        }
    }

    pub fn has_multiple_results(&self) -> bool {
        matches!(self.kind, Kind::Call(_) | Kind::Vararg(_))
    }
}

/// What a block keeps while it is open.
pub(super) struct Block {
    pub breaks: JumpList,
    pub active_locals: usize,
    pub has_upvalue: bool,
    pub is_loop: bool,
}

/// Where a function's upvalue comes from: the enclosing function's register or its upvalue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    Local(u32),
    Upvalue(u32),
}

/// Where things are, by their bytes. Looked up only, never iterated.
pub type Places = HashMap<Rc<[u8]>, u32>;

/// A function that is being compiled.
#[derive(Default)]
pub(super) struct Function {
    pub proto: Proto,
    /// The constants that are strings, and the others by the bytes of their numbers.
    strings: Places,
    others: Places,
    pub blocks: Vec<Block>,
    /// Indices into the prototype's locals of those in scope: register by register.
    pub active: Vec<usize>,
    pub captures: Vec<Capture>,
    pub free_register: u32,
    /// Where the last jump target was: code before it must not be merged with code behind it.
    last_target: i32,
    /// Jumps to the next instruction.
    pending: JumpList,
}

impl Function {
    pub fn new(source: Rc<[u8]>) -> Function {
        let proto = Proto { source, max_stack: 2, ..Proto::default() };
        Function { proto, last_target: -1, ..Function::default() }
    }

    pub fn pc(&self) -> usize {
        self.proto.code.len()
    }

    fn code(&mut self, pc: usize) -> &mut Instruction {
        &mut self.proto.code[pc]
    }

    pub fn set_a(&mut self, pc: usize, a: u32) {
        let old = self.proto.code[pc].0;
        self.proto.code[pc].0 = old & !(0xff << 6) | a << 6;
    }

    pub fn set_b(&mut self, pc: usize, b: u32) {
        let old = self.proto.code[pc].0;
        self.proto.code[pc].0 = old & !(0x1ff << 23) | b << 23;
    }

    pub fn set_c(&mut self, pc: usize, c: u32) {
        let old = self.proto.code[pc].0;
        self.proto.code[pc].0 = old & !(0x1ff << 14) | c << 14;
    }

    /// The jump that follows in a list.
    fn jump_target(&self, pc: i32) -> i32 {
        match self.proto.code[pc as usize].sbx() {
            NO_JUMP => NO_JUMP,
            offset => pc + 1 + offset,
        }
    }

    /// The instruction that decides whether the jump at `pc` is taken.
    fn jump_control(&mut self, pc: i32) -> &mut Instruction {
        let pc = pc as usize;
        let tests = |op| {
            matches!(op, OpCode::Eq | OpCode::Lt | OpCode::Le | OpCode::Test | OpCode::TestSet)
        };
        if pc >= 1 && tests(self.proto.code[pc - 1].op()) {
            self.code(pc - 1)
        } else {
            self.code(pc)
        }
    }

    /// Whether some jump of a list does not carry a value.
    fn needs_value(&mut self, list: JumpList) -> bool {
        let mut list = list.first;
        while list != NO_JUMP {
            if self.jump_control(list).op() != OpCode::TestSet {
                return true;
            }
            list = self.jump_target(list);
        }
        false
    }

    fn patch_test(&mut self, pc: i32, register: u32) -> bool {
        let control = self.jump_control(pc);
        if control.op() != OpCode::TestSet {
            return false;
        }
        *control = if register != NO_REGISTER && register != control.b() {
            Instruction::abc(OpCode::TestSet, register, control.b(), control.c())
        } else {
            Instruction::abc(OpCode::Test, control.b(), 0, control.c())
        };
        true
    }

    fn remove_values(&mut self, list: JumpList) {
        let mut list = list.first;
        while list != NO_JUMP {
            self.patch_test(list, NO_REGISTER);
            list = self.jump_target(list);
        }
    }

    /// Marks the next instruction as a jump target.
    pub fn label(&mut self) -> usize {
        self.last_target = self.pc() as i32;
        self.pc()
    }
}

impl Parser<'_> {
    pub(super) fn emit(&mut self, instruction: Instruction) -> Code<usize> {
        let line = self.lexer.last_line;
        self.discharge_pending()?;
        let function = self.function();
        function.proto.code.push(instruction);
        function.proto.lines.push(line);
        Ok(function.pc() - 1)
    }

    pub(super) fn emit_abc(&mut self, op: OpCode, a: u32, b: u32, c: u32) -> Code<usize> {
        self.emit(Instruction::abc(op, a, b, c))
    }

    pub(super) fn emit_abx(&mut self, op: OpCode, a: u32, bx: u32) -> Code<usize> {
        self.emit(Instruction::abx(op, a, bx))
    }

    pub(super) fn emit_asbx(&mut self, op: OpCode, a: u32, sbx: i32) -> Code<usize> {
        self.emit(Instruction::asbx(op, a, sbx))
    }

    /// Gives the last instruction another line.
    pub(super) fn fix_line(&mut self, line: u32) {
        if let Some(last) = self.function().proto.lines.last_mut() {
            *last = line;
        }
    }

    pub(super) fn emit_nil(&mut self, from: u32, count: u32) -> Code<()> {
        let function = self.function();
        let pc = function.pc();
        if pc as i32 > function.last_target {
            if pc == 0 {
                // A function starts with nothing but nil above its parameters.
                if from >= function.active.len() as u32 {
                    let clean = &mut function.proto.clean;
                    *clean = (*clean).max((from + count) as u8);
                    return Ok(());
                }
            } else {
                let previous = function.proto.code[pc - 1];
                if previous.op() == OpCode::LoadNil {
                    let (first, last) = (previous.a(), previous.b());
                    if first <= from && from <= last + 1 {
                        if from + count > last + 1 {
                            function.set_b(pc - 1, from + count - 1);
                        }
                        return Ok(());
                    }
                }
            }
        }
        self.emit_abc(OpCode::LoadNil, from, from + count - 1, 0).map(drop)
    }

    /// Emits a jump; what was to jump here goes where it will go.
    pub(super) fn jump(&mut self) -> Code<JumpList> {
        let pending = std::mem::take(&mut self.function().pending);
        let mut jump = JumpList::one(self.emit_asbx(OpCode::Jmp, 0, NO_JUMP)?);
        self.concat_jumps(&mut jump, pending)?;
        Ok(jump)
    }

    pub(super) fn emit_return(&mut self, first: u32, count: i32) -> Code<()> {
        self.emit_abc(OpCode::Return, first, (count + 1) as u32, 0).map(drop)
    }

    fn conditional_jump(&mut self, op: OpCode, a: u32, b: u32, c: u32) -> Code<JumpList> {
        self.emit_abc(op, a, b, c)?;
        self.jump()
    }

    fn fix_jump(&mut self, pc: i32, destination: i32) -> Code<()> {
        let offset = destination - (pc + 1);
        if offset.abs() > MAX_SBX {
            return Err(self.lexer.error_near("control structure too long"));
        }
        let instruction = self.function().code(pc as usize);
        *instruction = Instruction::asbx(instruction.op(), instruction.a(), offset);
        Ok(())
    }

    fn patch_list_to(
        &mut self,
        list: JumpList,
        value_target: i32,
        register: u32,
        default_target: i32,
    ) -> Code<()> {
        let mut list = list.first;
        while list != NO_JUMP {
            let next = self.function().jump_target(list);
            let carries = self.function().patch_test(list, register);
            self.fix_jump(list, if carries { value_target } else { default_target })?;
            list = next;
        }
        Ok(())
    }

    fn discharge_pending(&mut self) -> Code<()> {
        let pc = self.function().pc() as i32;
        let pending = std::mem::take(&mut self.function().pending);
        self.patch_list_to(pending, pc, NO_REGISTER, pc)
    }

    pub(super) fn patch_list(&mut self, list: JumpList, target: usize) -> Code<()> {
        if target == self.function().pc() {
            return self.patch_to_here(list);
        }
        self.patch_list_to(list, target as i32, NO_REGISTER, target as i32)
    }

    pub(super) fn patch_to_here(&mut self, list: JumpList) -> Code<()> {
        self.function().label();
        let mut pending = self.function().pending;
        self.concat_jumps(&mut pending, list)?;
        self.function().pending = pending;
        Ok(())
    }

    pub(super) fn concat_jumps(&mut self, list: &mut JumpList, behind: JumpList) -> Code<()> {
        if behind == JumpList::EMPTY {
            return Ok(());
        }
        if *list == JumpList::EMPTY {
            *list = behind;
            return Ok(());
        }
        self.fix_jump(list.last, behind.first)?;
        list.last = behind.last;
        Ok(())
    }

    pub(super) fn check_stack(&mut self, count: u32) -> Code<()> {
        let needed = self.function().free_register + count;
        if needed > u32::from(self.function().proto.max_stack) {
            if needed >= MAX_STACK {
                return Err(self.lexer.error_near("function or expression too complex"));
            }
            self.function().proto.max_stack = needed as u8;
        }
        Ok(())
    }

    pub(super) fn reserve_registers(&mut self, count: u32) -> Code<()> {
        self.check_stack(count)?;
        self.function().free_register += count;
        Ok(())
    }

    fn free_register(&mut self, register: u32) {
        let function = self.function();
        if register & CONSTANT_BIT == 0 && register >= function.active.len() as u32 {
            function.free_register -= 1;
            debug_assert_eq!(register, function.free_register);
        }
    }

    fn free_expression(&mut self, expression: &Expression) {
        if let Kind::NonRelocatable(register) = expression.kind {
            self.free_register(register);
        }
    }

    fn add_constant(&mut self, key: Rc<[u8]>, constant: Constant) -> Code<u32> {
        let function = self.function();
        let next = function.proto.constants.len() as u32;
        let places = match constant {
            Constant::String(_) => &mut function.strings,
            _ => &mut function.others,
        };
        if let Some(&index) = places.get(&key) {
            return Ok(index);
        }
        if next >= MAX_BX {
            return Err(overflow("constant table overflow"));
        }
        places.insert(key, next);
        function.proto.constants.push(constant);
        Ok(next)
    }

    pub(super) fn string_constant(&mut self, text: &Rc<[u8]>) -> Code<u32> {
        self.add_constant(text.clone(), Constant::String(text.clone()))
    }

    fn number_constant(&mut self, number: f64) -> Code<u32> {
        // Both zeros are one key, as in a Lua table: the first one met is the constant.
        let key = if number == 0.0 { 0 } else { number.to_bits() }.to_le_bytes();
        self.add_constant(Rc::new(key), Constant::Number(number))
    }

    pub(super) fn set_returns(&mut self, expression: &mut Expression, count: i32) -> Code<()> {
        match expression.kind {
            Kind::Call(pc) => self.function().set_c(pc, (count + 1) as u32),
            Kind::Vararg(pc) => {
                let register = self.function().free_register;
                self.function().set_b(pc, (count + 1) as u32);
                self.function().set_a(pc, register);
                self.reserve_registers(1)?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn set_one_return(&mut self, expression: &mut Expression) {
        match expression.kind {
            Kind::Call(pc) => {
                expression.kind = Kind::NonRelocatable(self.function().proto.code[pc].a());
            }
            Kind::Vararg(pc) => {
                self.function().set_b(pc, 2);
                expression.kind = Kind::Relocatable(pc);
            }
            _ => {}
        }
    }

    pub(super) fn discharge_variables(&mut self, expression: &mut Expression) -> Code<()> {
        expression.kind = match expression.kind {
            Kind::Local(register) => Kind::NonRelocatable(register),
            Kind::Upvalue(index) => {
                Kind::Relocatable(self.emit_abc(OpCode::GetUpval, 0, index, 0)?)
            }
            Kind::Global(name) => Kind::Relocatable(self.emit_abx(OpCode::GetGlobal, 0, name)?),
            Kind::Indexed(table, key) => {
                self.free_register(key);
                self.free_register(table);
                Kind::Relocatable(self.emit_abc(OpCode::GetTable, 0, table, key)?)
            }
            Kind::Call(_) | Kind::Vararg(_) => {
                self.set_one_return(expression);
                return Ok(());
            }
            _ => return Ok(()),
        };
        Ok(())
    }

    fn discharge_to_register(&mut self, expression: &mut Expression, register: u32) -> Code<()> {
        self.discharge_variables(expression)?;
        match expression.kind {
            Kind::Nil => self.emit_nil(register, 1)?,
            Kind::False => drop(self.emit_abc(OpCode::LoadBool, register, 0, 0)?),
            Kind::True => drop(self.emit_abc(OpCode::LoadBool, register, 1, 0)?),
            Kind::Constant(index) => drop(self.emit_abx(OpCode::LoadK, register, index)?),
            Kind::Number(number) => {
                let index = self.number_constant(number)?;
                self.emit_abx(OpCode::LoadK, register, index)?;
            }
            Kind::Relocatable(pc) => self.function().set_a(pc, register),
            Kind::NonRelocatable(from) => {
                if from != register {
                    self.emit_abc(OpCode::Move, register, from, 0)?;
                }
            }
            _ => return Ok(()),
        }
        expression.kind = Kind::NonRelocatable(register);
        Ok(())
    }

    fn discharge_to_any_register(&mut self, expression: &mut Expression) -> Code<()> {
        if matches!(expression.kind, Kind::NonRelocatable(_)) {
            return Ok(());
        }
        self.reserve_registers(1)?;
        let register = self.function().free_register - 1;
        self.discharge_to_register(expression, register)
    }

    fn load_boolean(&mut self, register: u32, value: u32, skip: u32) -> Code<i32> {
        self.function().label();
        Ok(self.emit_abc(OpCode::LoadBool, register, value, skip)? as i32)
    }

    fn to_register(&mut self, expression: &mut Expression, register: u32) -> Code<()> {
        self.discharge_to_register(expression, register)?;
        if let Kind::Jump(pc) = expression.kind {
            let mut list = expression.if_true;
            self.concat_jumps(&mut list, JumpList::one(pc))?;
            expression.if_true = list;
        }
        if expression.has_jumps() {
            let (mut load_false, mut load_true) = (NO_JUMP, NO_JUMP);
            let (if_true, if_false) = (expression.if_true, expression.if_false);
            if self.function().needs_value(if_true) || self.function().needs_value(if_false) {
                let is_jump = matches!(expression.kind, Kind::Jump(_));
                let over = if is_jump { JumpList::EMPTY } else { self.jump()? };
                load_false = self.load_boolean(register, 0, 1)?;
                load_true = self.load_boolean(register, 1, 0)?;
                self.patch_to_here(over)?;
            }
            let end = self.function().label() as i32;
            self.patch_list_to(if_false, end, register, load_false)?;
            self.patch_list_to(if_true, end, register, load_true)?;
        }
        *expression = Expression::new(Kind::NonRelocatable(register));
        Ok(())
    }

    pub(super) fn to_next_register(&mut self, expression: &mut Expression) -> Code<()> {
        self.discharge_variables(expression)?;
        self.free_expression(expression);
        self.reserve_registers(1)?;
        let register = self.function().free_register - 1;
        self.to_register(expression, register)
    }

    pub(super) fn to_any_register(&mut self, expression: &mut Expression) -> Code<u32> {
        self.discharge_variables(expression)?;
        if let Kind::NonRelocatable(register) = expression.kind {
            if !expression.has_jumps() {
                return Ok(register);
            }
            if register >= self.function().active.len() as u32 {
                self.to_register(expression, register)?;
                return Ok(register);
            }
        }
        self.to_next_register(expression)?;
        Ok(self.function().free_register - 1)
    }

    pub(super) fn to_value(&mut self, expression: &mut Expression) -> Code<()> {
        if expression.has_jumps() {
            self.to_any_register(expression).map(drop)
        } else {
            self.discharge_variables(expression)
        }
    }

    pub(super) fn to_rk(&mut self, expression: &mut Expression) -> Code<u32> {
        self.to_value(expression)?;
        let fits = self.function().proto.constants.len() as u32 <= MAX_INDEX_RK;
        match expression.kind {
            Kind::Number(_) | Kind::True | Kind::False | Kind::Nil if fits => {
                let index = match expression.kind {
                    Kind::Number(number) => self.number_constant(number)?,
                    Kind::Nil => self.add_constant(Rc::new([]), Constant::Nil)?,
                    kind => {
                        let value = kind == Kind::True;
                        let key = Rc::new([u8::from(value)]);
                        self.add_constant(key, Constant::Boolean(value))?
                    }
                };
                expression.kind = Kind::Constant(index);
                return Ok(index | CONSTANT_BIT);
            }
            Kind::Constant(index) if index <= MAX_INDEX_RK => return Ok(index | CONSTANT_BIT),
            _ => {}
        }
        self.to_any_register(expression)
    }

    pub(super) fn store(&mut self, variable: &Expression, value: &mut Expression) -> Code<()> {
        match variable.kind {
            Kind::Local(register) => {
                self.free_expression(value);
                return self.to_register(value, register);
            }
            Kind::Upvalue(index) => {
                let register = self.to_any_register(value)?;
                self.emit_abc(OpCode::SetUpval, register, index, 0)?;
            }
            Kind::Global(name) => {
                let register = self.to_any_register(value)?;
                self.emit_abx(OpCode::SetGlobal, register, name)?;
            }
            Kind::Indexed(table, key) => {
                let operand = self.to_rk(value)?;
                self.emit_abc(OpCode::SetTable, table, key, operand)?;
            }
            _ => {}
        }
        self.free_expression(value);
        Ok(())
    }

    pub(super) fn method(&mut self, object: &mut Expression, key: &mut Expression) -> Code<()> {
        let register = self.to_any_register(object)?;
        self.free_expression(object);
        let function = self.function().free_register;
        self.reserve_registers(2)?;
        let operand = self.to_rk(key)?;
        self.emit_abc(OpCode::OpSelf, function, register, operand)?;
        self.free_expression(key);
        object.kind = Kind::NonRelocatable(function);
        Ok(())
    }

    fn invert_jump(&mut self, pc: usize) {
        let control = self.function().jump_control(pc as i32);
        *control =
            Instruction::abc(control.op(), u32::from(control.a() == 0), control.b(), control.c());
    }

    fn jump_on(&mut self, expression: &mut Expression, condition: bool) -> Code<JumpList> {
        if let Kind::Relocatable(pc) = expression.kind {
            let instruction = self.function().proto.code[pc];
            if instruction.op() == OpCode::Not {
                self.function().proto.code.pop();
                self.function().proto.lines.pop();
                return self.conditional_jump(
                    OpCode::Test,
                    instruction.b(),
                    0,
                    u32::from(!condition),
                );
            }
        }
        self.discharge_to_any_register(expression)?;
        self.free_expression(expression);
        let Kind::NonRelocatable(register) = expression.kind else {
            return Ok(JumpList::EMPTY);
        };
        self.conditional_jump(OpCode::TestSet, NO_REGISTER, register, u32::from(condition))
    }

    pub(super) fn go_if_true(&mut self, expression: &mut Expression) -> Code<()> {
        self.discharge_variables(expression)?;
        let jump = match expression.kind {
            Kind::Constant(_) | Kind::Number(_) | Kind::True => JumpList::EMPTY,
            Kind::Jump(pc) => {
                self.invert_jump(pc);
                JumpList::one(pc)
            }
            _ => self.jump_on(expression, false)?,
        };
        let mut list = expression.if_false;
        self.concat_jumps(&mut list, jump)?;
        expression.if_false = list;
        self.patch_to_here(expression.if_true)?;
        expression.if_true = JumpList::EMPTY;
        Ok(())
    }

    fn go_if_false(&mut self, expression: &mut Expression) -> Code<()> {
        self.discharge_variables(expression)?;
        let jump = match expression.kind {
            Kind::Nil | Kind::False => JumpList::EMPTY,
            Kind::Jump(pc) => JumpList::one(pc),
            _ => self.jump_on(expression, true)?,
        };
        let mut list = expression.if_true;
        self.concat_jumps(&mut list, jump)?;
        expression.if_true = list;
        self.patch_to_here(expression.if_false)?;
        expression.if_false = JumpList::EMPTY;
        Ok(())
    }

    fn negate(&mut self, expression: &mut Expression) -> Code<()> {
        self.discharge_variables(expression)?;
        match expression.kind {
            Kind::Nil | Kind::False => expression.kind = Kind::True,
            Kind::Constant(_) | Kind::Number(_) | Kind::True => expression.kind = Kind::False,
            Kind::Jump(pc) => self.invert_jump(pc),
            _ => {
                self.discharge_to_any_register(expression)?;
                self.free_expression(expression);
                if let Kind::NonRelocatable(register) = expression.kind {
                    expression.kind =
                        Kind::Relocatable(self.emit_abc(OpCode::Not, 0, register, 0)?);
                }
            }
        }
        std::mem::swap(&mut expression.if_true, &mut expression.if_false);
        let (if_true, if_false) = (expression.if_true, expression.if_false);
        self.function().remove_values(if_false);
        self.function().remove_values(if_true);
        Ok(())
    }

    pub(super) fn index(&mut self, table: &mut Expression, key: &mut Expression) -> Code<()> {
        let operand = self.to_rk(key)?;
        if let Kind::NonRelocatable(register) | Kind::Local(register) = table.kind {
            table.kind = Kind::Indexed(register, operand);
        }
        Ok(())
    }

    /// Works out an operation on two numerals now, unless that would give NaN or divide by zero.
    fn fold(op: OpCode, left: &Expression, right: &Expression) -> Option<f64> {
        let (a, b) = (left.numeral()?, right.numeral()?);
        let result = match op {
            OpCode::Add => a + b,
            OpCode::Sub => a - b,
            OpCode::Mul => a * b,
            OpCode::Div if b != 0.0 => a / b,
            OpCode::Mod if b != 0.0 => super::number::modulo(a, b),
            OpCode::Pow => super::number::power(a, b),
            OpCode::Unm => -a,
            _ => return None,
        };
        if result.is_nan() { None } else { Some(result) }
    }

    fn arithmetic(
        &mut self,
        op: OpCode,
        left: &mut Expression,
        right: &mut Expression,
    ) -> Code<()> {
        if let Some(result) = Self::fold(op, left, right) {
            left.kind = Kind::Number(result);
            return Ok(());
        }
        let second = if matches!(op, OpCode::Unm | OpCode::Len) { 0 } else { self.to_rk(right)? };
        let first = self.to_rk(left)?;
        if first > second {
            self.free_expression(left);
            self.free_expression(right);
        } else {
            self.free_expression(right);
            self.free_expression(left);
        }
        *left = Expression::new(Kind::Relocatable(self.emit_abc(op, 0, first, second)?));
        Ok(())
    }

    fn comparison(
        &mut self,
        op: OpCode,
        wanted: u32,
        left: &mut Expression,
        right: &mut Expression,
    ) -> Code<()> {
        let mut first = self.to_rk(left)?;
        let mut second = self.to_rk(right)?;
        self.free_expression(right);
        self.free_expression(left);
        let mut wanted = wanted;
        if wanted == 0 && op != OpCode::Eq {
            std::mem::swap(&mut first, &mut second);
            wanted = 1;
        }
        let jump = self.conditional_jump(op, wanted, first, second)?;
        *left = Expression::new(Kind::Jump(jump.first as usize));
        Ok(())
    }

    pub(super) fn prefix(&mut self, operator: Unary, operand: &mut Expression) -> Code<()> {
        let mut zero = Expression::new(Kind::Number(0.0));
        match operator {
            Unary::Minus => {
                if operand.numeral().is_none() {
                    self.to_any_register(operand)?;
                }
                self.arithmetic(OpCode::Unm, operand, &mut zero)
            }
            Unary::Not => self.negate(operand),
            Unary::Length => {
                self.to_any_register(operand)?;
                self.arithmetic(OpCode::Len, operand, &mut zero)
            }
        }
    }

    /// Prepares the left operand before the right one is read.
    pub(super) fn infix(&mut self, operator: Binary, left: &mut Expression) -> Code<()> {
        match operator {
            Binary::And => self.go_if_true(left),
            Binary::Or => self.go_if_false(left),
            Binary::Concat => self.to_next_register(left),
            Binary::Arithmetic(_) if left.numeral().is_some() => Ok(()),
            _ => self.to_rk(left).map(drop),
        }
    }

    pub(super) fn postfix(
        &mut self,
        operator: Binary,
        left: &mut Expression,
        right: &mut Expression,
    ) -> Code<()> {
        match operator {
            Binary::And => {
                self.discharge_variables(right)?;
                let mut list = right.if_false;
                self.concat_jumps(&mut list, left.if_false)?;
                *left = Expression { if_false: list, ..*right };
                Ok(())
            }
            Binary::Or => {
                self.discharge_variables(right)?;
                let mut list = right.if_true;
                self.concat_jumps(&mut list, left.if_true)?;
                *left = Expression { if_true: list, ..*right };
                Ok(())
            }
            Binary::Concat => {
                self.to_value(right)?;
                if let (Kind::Relocatable(pc), Kind::NonRelocatable(first)) =
                    (right.kind, left.kind)
                    && self.function().proto.code[pc].op() == OpCode::Concat
                {
                    self.free_expression(left);
                    self.function().set_b(pc, first);
                    left.kind = Kind::Relocatable(pc);
                    return Ok(());
                }
                self.to_next_register(right)?;
                self.arithmetic(OpCode::Concat, left, right)
            }
            Binary::Arithmetic(op) => self.arithmetic(op, left, right),
            Binary::Compare(op, wanted) => self.comparison(op, wanted, left, right),
        }
    }

    /// Flushes a constructor's list items from the registers behind the table.
    pub(super) fn set_list(&mut self, table: u32, stored: u32, count: i32) -> Code<()> {
        let batch = (stored - 1) / FIELDS_PER_FLUSH + 1;
        let items = if count < 0 { 0 } else { count as u32 };
        if batch < 512 {
            self.emit_abc(OpCode::SetList, table, items, batch)?;
        } else {
            self.emit_abc(OpCode::SetList, table, items, 0)?;
            self.emit(Instruction(batch))?;
        }
        self.function().free_register = table + 1;
        Ok(())
    }

    pub(super) fn add_local(&mut self, name: &[u8]) -> usize {
        let locals = &mut self.function().proto.locals;
        locals.push(LocalVariable { name: name.into(), start: 0, end: 0 });
        locals.len() - 1
    }
}

/// The error of a table that the instructions cannot address. PUC-Rio raises it where it knows no line.
pub(super) fn overflow(message: &str) -> SyntaxError {
    SyntaxError { message: message.as_bytes().to_vec(), is_raised: true }
}

/// A prefix operator.
#[derive(Clone, Copy)]
pub(super) enum Unary {
    Minus,
    Not,
    Length,
}

/// An operator between two operands.
#[derive(Clone, Copy)]
pub(super) enum Binary {
    And,
    Or,
    Concat,
    Arithmetic(OpCode),
    /// The instruction, and the result at which it jumps.
    Compare(OpCode, u32),
}
