//! Parses Lua 5.1 and drives the code generator, in one pass.
//!
//! Long because it holds the whole grammar.

use super::bytecode::{FIELDS_PER_FLUSH, Instruction, MAX_BX, OpCode, Proto};
use super::codegen::{
    Binary, Block, Capture, Code, Expression, Function, JumpList, Kind, NO_JUMP, Unary, overflow,
};
use super::lexer::{Fixed, Lexer, SyntaxError, Token};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Nested blocks and expressions that the parser accepts (`LUAI_MAXCCALLS`).
const MAX_LEVELS: u32 = 200;
/// Local variables of one function.
const MAX_LOCALS: usize = 200;
/// Upvalues of one function.
const MAX_UPVALUES: usize = 60;
/// All local variables that one function declares.
const MAX_DECLARED: usize = i16::MAX as usize;
/// Binds tighter than every operator but `^`.
const UNARY_PRIORITY: u32 = 8;
/// Keeps all results.
const MULTIPLE: i32 = -1;

/// Compiles a chunk. `chunk_name` is as for `load`: `=name`, `@file` or the source itself.
pub fn compile(source: &[u8], chunk_name: &[u8]) -> Result<Rc<Proto>, SyntaxError> {
    compile_within(source, chunk_name, 0)
}

/// [`compile`] for a caller that is itself inside `c_calls` calls from C to Lua; see [`Compilation::new`].
pub fn compile_within(
    source: &[u8],
    chunk_name: &[u8],
    c_calls: u32,
) -> Result<Rc<Proto>, SyntaxError> {
    let mut compilation = Compilation::new(source, chunk_name, c_calls);
    loop {
        if let Some(compiled) = compilation.resume(usize::MAX) {
            return compiled.result;
        }
    }
}

/// A chunk that is being compiled, portion by portion.
///
/// The parser is recursive, so what it keeps between two portions is many functions deep: the futures of its `async`
/// functions, which wait for nothing but the next portion.
pub struct Compilation {
    parser: Pin<Box<dyn Future<Output = Compiled>>>,
    meter: Rc<Meter>,
}

/// What the parser and whoever waits for it tell each other.
#[derive(Default)]
struct Meter {
    /// Bytes of source that may still be read before the next pause.
    budget: Cell<usize>,
    /// Bytes that the functions took at the last pause.
    memory: Cell<usize>,
}

/// What has become of a chunk.
pub struct Compiled {
    /// The function, or why there is none.
    pub result: Result<Rc<Proto>, SyntaxError>,
    /// The whole source has been read: what follows it, if anything, could change the result.
    pub has_read_all: bool,
}

impl Compilation {
    /// A chunk of which nothing has been read yet. Its caller is inside `c_calls` calls from C to Lua (PUC-Rio's
    /// `nCcalls`, which counts them and the parser's levels together): a `loadstring` in a script has 1 of them, and one
    /// more for every `pcall`, metamethod and the like around it.
    pub fn new(source: &[u8], chunk_name: &[u8], c_calls: u32) -> Compilation {
        let meter = Rc::new(Meter::default());
        let (source, name): (Rc<[u8]>, Rc<[u8]>) = (Rc::from(source), Rc::from(chunk_name));
        let shared = meter.clone();
        let parser = async move {
            let lexer = Lexer::new(&source, &name);
            let mut parser = Parser {
                lexer,
                functions: vec![Function::new(name.clone())],
                levels: c_calls,
                name: name.clone(),
                read: 0,
                closed: 0,
                meter: shared,
            };
            let result = parser.main().await;
            Compiled { result, has_read_all: parser.lexer.is_at_end() }
        };
        Compilation { parser: Box::pin(parser), meter }
    }

    /// Goes on for about so many bytes of source, or one token.
    pub fn resume(&mut self, bytes: usize) -> Option<Compiled> {
        self.meter.budget.set(bytes);
        match self.parser.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(compiled) => Some(compiled),
            Poll::Pending => None,
        }
    }

    /// Bytes that the functions compiled so far take.
    pub fn memory(&self) -> usize {
        self.meter.memory.get()
    }
}

pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    functions: Vec<Function>,
    levels: u32,
    name: Rc<[u8]>,
    /// Bytes of source that have been paid for.
    read: usize,
    /// Bytes that the functions take which are done.
    closed: usize,
    meter: Rc<Meter>,
}

impl Parser<'_> {
    async fn main(&mut self) -> Result<Rc<Proto>, SyntaxError> {
        self.function().proto.is_vararg = true;
        self.lexer.advance()?;
        Box::pin(self.chunk()).await?;
        if self.lexer.token != Token::Fixed(Fixed::Eof) {
            return Err(self.expected(&Token::Fixed(Fixed::Eof)));
        }
        self.close_function().map(|function| Rc::new(function.proto))
    }

    /// Pays for what has been read, and waits for the next portion if this one is used up. Stands in every loop that the
    /// grammar does not bound.
    async fn pay(&mut self) {
        let at = self.lexer.position();
        let read = at - std::mem::replace(&mut self.read, at);
        let left = self.meter.budget.get().saturating_sub(read);
        self.meter.budget.set(left);
        if left == 0 {
            let open: usize = self.functions.iter().map(|function| function.proto.memory()).sum();
            self.meter.memory.set(self.closed + open);
            let mut has_waited = false;
            poll_fn(|_| {
                if std::mem::replace(&mut has_waited, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
    }

    pub(super) fn function(&mut self) -> &mut Function {
        self.functions.last_mut().expect("the main function stays until the end")
    }

    fn expected(&self, token: &Token) -> SyntaxError {
        self.lexer.error_near(&format!("'{}' expected", text(token)))
    }

    /// Refuses a `count` beyond `limit` in the function that has `level` others around it.
    fn limit(&self, level: usize, count: usize, limit: usize, what: &str) -> Code<()> {
        if count <= limit {
            return Ok(());
        }
        let message = match self.functions[level].proto.line_defined {
            0 => format!("main function has more than {limit} {what}"),
            line => format!("function at line {line} has more than {limit} {what}"),
        };
        Err(self.lexer.error(&message, None))
    }

    fn enter_level(&mut self) -> Code<()> {
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            return Err(self.lexer.error("chunk has too many syntax levels", None));
        }
        Ok(())
    }

    fn at(&self, byte: u8) -> bool {
        self.lexer.token == Token::Byte(byte)
    }

    fn at_word(&self, word: Fixed) -> bool {
        self.lexer.token == Token::Fixed(word)
    }

    fn accept(&mut self, token: &Token) -> Code<bool> {
        if self.lexer.token != *token {
            return Ok(false);
        }
        self.lexer.advance()?;
        Ok(true)
    }

    fn expect(&mut self, token: &Token) -> Code<()> {
        if self.accept(token)? { Ok(()) } else { Err(self.expected(token)) }
    }

    fn expect_match(&mut self, what: &Token, who: &Token, line: u32) -> Code<()> {
        if self.accept(what)? {
            return Ok(());
        }
        if line == self.lexer.line {
            return Err(self.expected(what));
        }
        let message =
            format!("'{}' expected (to close '{}' at line {line})", text(what), text(who));
        Err(self.lexer.error_near(&message))
    }

    fn name(&mut self) -> Code<Rc<[u8]>> {
        let Token::Name(name) = &self.lexer.token else {
            return Err(self.lexer.error_near("'<name>' expected"));
        };
        let name = name.clone();
        self.lexer.advance()?;
        Ok(name)
    }

    fn string_expression(&mut self, text: &Rc<[u8]>) -> Code<Expression> {
        Ok(Expression::new(Kind::Constant(self.string_constant(text)?)))
    }

    // ---- Variables

    /// Declares the local that will be the `ahead`-th after those in scope; gives its index.
    fn new_local(&mut self, name: &[u8], ahead: usize) -> Code<usize> {
        let count = self.function().active.len() + ahead + 1;
        self.limit(self.functions.len() - 1, count, MAX_LOCALS, "local variables")?;
        if self.function().proto.locals.len() >= MAX_DECLARED {
            return Err(overflow("too many local variables"));
        }
        Ok(self.add_local(name))
    }

    fn activate(&mut self, locals: &[usize]) {
        let function = self.function();
        let pc = function.pc() as u32;
        for &local in locals {
            function.proto.locals[local].start = pc;
            function.active.push(local);
        }
    }

    fn deactivate(&mut self, keep: usize) {
        let function = self.function();
        let pc = function.pc() as u32;
        for local in function.active.split_off(keep) {
            function.proto.locals[local].end = pc;
        }
    }

    fn find_local(function: &Function, name: &[u8]) -> Option<u32> {
        let found =
            function.active.iter().rposition(|&local| *function.proto.locals[local].name == *name);
        found.map(|register| register as u32)
    }

    fn variable(&mut self) -> Code<Expression> {
        let name = self.name()?;
        let innermost = self.functions.len() - 1;
        let kind = match Self::find_local(&self.functions[innermost], &name) {
            Some(register) => Kind::Local(register),
            None => match self.capture(innermost, &name)? {
                Some(upvalue) => Kind::Upvalue(upvalue),
                None => Kind::Global(self.string_constant(&name)?),
            },
        };
        Ok(Expression::new(kind))
    }

    /// The upvalue of the function at `level` for a variable of some enclosing function. A loop, not a recursion:
    /// first outward to the function that has the local, then inward through every function between.
    fn capture(&mut self, level: usize, name: &[u8]) -> Code<Option<u32>> {
        let found = (0..level)
            .rev()
            .find_map(|at| Some((at, Self::find_local(&self.functions[at], name)?)));
        let Some((owner, register)) = found else { return Ok(None) };
        let block = self.functions[owner]
            .blocks
            .iter_mut()
            .rev()
            .find(|block| block.active_locals <= register as usize);
        if let Some(block) = block {
            block.has_upvalue = true;
        }
        let mut from = Capture::Local(register);
        for at in owner + 1..=level {
            let function = &mut self.functions[at];
            let known = function.captures.iter().position(|&capture| capture == from);
            let index = if let Some(index) = known {
                index
            } else {
                let count = function.captures.len();
                self.limit(at, count + 1, MAX_UPVALUES, "upvalues")?;
                let function = &mut self.functions[at];
                function.captures.push(from);
                function.proto.upvalues.push(name.into());
                count
            };
            from = Capture::Upvalue(index as u32);
        }
        Ok(match from {
            Capture::Upvalue(index) => Some(index),
            Capture::Local(_) => None,
        })
    }

    // ---- Blocks and functions

    fn enter_block(&mut self, is_loop: bool) {
        let function = self.function();
        let active_locals = function.active.len();
        function.blocks.push(Block {
            breaks: JumpList::EMPTY,
            active_locals,
            has_upvalue: false,
            is_loop,
        });
    }

    fn leave_block(&mut self) -> Code<()> {
        let block = self.function().blocks.pop().expect("blocks are left as they are entered");
        self.deactivate(block.active_locals);
        if block.has_upvalue {
            self.emit_abc(OpCode::Close, block.active_locals as u32, 0, 0)?;
        }
        let function = self.function();
        function.free_register = function.active.len() as u32;
        self.patch_to_here(block.breaks)
    }

    fn close_function(&mut self) -> Code<Function> {
        self.deactivate(0);
        self.emit_return(0, 0)?;
        let mut function = self.functions.pop().expect("the main function stays until the end");
        // The last line of code may follow a pending jump list: nothing can be pending behind a return.
        function.proto.code.shrink_to_fit();
        self.closed += function.proto.memory();
        Ok(function)
    }

    fn block_ends(&self) -> bool {
        use Fixed::{Else, Elseif, End, Eof, Until};
        matches!(self.lexer.token, Token::Fixed(Else | Elseif | End | Eof | Until))
    }

    async fn chunk(&mut self) -> Code<()> {
        self.enter_level()?;
        let mut is_last = false;
        while !is_last && !self.block_ends() {
            self.pay().await;
            is_last = self.statement().await?;
            self.accept(&Token::Byte(b';'))?;
            let function = self.function();
            function.free_register = function.active.len() as u32;
        }
        self.levels -= 1;
        Ok(())
    }

    async fn block(&mut self) -> Code<()> {
        self.enter_block(false);
        Box::pin(self.chunk()).await?;
        self.leave_block()
    }

    /// A function's parameters and body, from the parenthesis on.
    async fn body(&mut self, is_method: bool, line: u32) -> Code<Expression> {
        let mut function = Function::new(self.name.clone());
        function.proto.line_defined = line;
        self.functions.push(function);
        self.expect(&Token::Byte(b'('))?;
        let mut locals = Vec::new();
        if is_method {
            locals.push(self.new_local(b"self", 0)?);
            self.activate(&locals);
        }
        self.parameters()?;
        self.expect(&Token::Byte(b')'))?;
        Box::pin(self.chunk()).await?;
        self.function().proto.last_line_defined = self.lexer.line;
        self.expect_match(&Token::Fixed(Fixed::End), &Token::Fixed(Fixed::Function), line)?;
        let Function { proto, captures, .. } = self.close_function()?;
        let function = self.function();
        let index = function.proto.protos.len() as u32;
        if index >= MAX_BX {
            return Err(overflow("constant table overflow"));
        }
        function.proto.protos.push(Rc::new(proto));
        let closure = self.emit_abx(OpCode::Closure, 0, index)?;
        for capture in captures {
            match capture {
                Capture::Local(register) => self.emit_abc(OpCode::Move, 0, register, 0)?,
                Capture::Upvalue(index) => self.emit_abc(OpCode::GetUpval, 0, index, 0)?,
            };
        }
        Ok(Expression::new(Kind::Relocatable(closure)))
    }

    fn parameters(&mut self) -> Code<()> {
        let mut locals = Vec::new();
        let mut has_arg = false;
        if !self.at(b')') {
            loop {
                match &self.lexer.token {
                    Token::Name(_) => {
                        let name = self.name()?;
                        locals.push(self.new_local(&name, locals.len())?);
                    }
                    Token::Fixed(Fixed::Dots) => {
                        self.lexer.advance()?;
                        // Lua 5.0's table of the extra arguments: a hidden parameter.
                        locals.push(self.new_local(b"arg", locals.len())?);
                        has_arg = true;
                        let proto = &mut self.function().proto;
                        proto.is_vararg = true;
                        proto.needs_arg = true;
                    }
                    _ => return Err(self.lexer.error_near("<name> or '...' expected")),
                }
                if has_arg || !self.accept(&Token::Byte(b','))? {
                    break;
                }
            }
        }
        self.activate(&locals);
        let function = self.function();
        let count = function.active.len();
        function.proto.parameters = (count - usize::from(has_arg)) as u8;
        self.reserve_registers(count as u32)
    }

    // ---- Expressions

    /// The last expression of a list is left as it is; gives it and the length of the list.
    async fn expression_list(&mut self) -> Code<(Expression, i32)> {
        let mut count = 1;
        let mut last = self.expression().await?;
        while self.accept(&Token::Byte(b','))? {
            self.to_next_register(&mut last)?;
            last = self.expression().await?;
            count += 1;
        }
        Ok((last, count))
    }

    async fn arguments(&mut self, function: &mut Expression) -> Code<()> {
        let line = self.lexer.line;
        let mut last = match self.lexer.token.clone() {
            Token::Byte(b'(') => {
                if line != self.lexer.last_line {
                    return Err(self
                        .lexer
                        .error_near("ambiguous syntax (function call x new statement)"));
                }
                self.lexer.advance()?;
                let last = if self.at(b')') {
                    Expression::new(Kind::Void)
                } else {
                    let (mut last, _) = self.expression_list().await?;
                    self.set_returns(&mut last, MULTIPLE)?;
                    last
                };
                self.expect_match(&Token::Byte(b')'), &Token::Byte(b'('), line)?;
                last
            }
            Token::Byte(b'{') => self.constructor().await?,
            Token::String(text) => {
                let last = self.string_expression(&text)?;
                self.lexer.advance()?;
                last
            }
            _ => return Err(self.lexer.error_near("function arguments expected")),
        };
        let Kind::NonRelocatable(base) = function.kind else { return Ok(()) };
        let count = if last.has_multiple_results() {
            MULTIPLE
        } else {
            if last.kind != Kind::Void {
                self.to_next_register(&mut last)?;
            }
            (self.function().free_register - (base + 1)) as i32
        };
        *function = Expression::new(Kind::Call(self.emit_abc(
            OpCode::Call,
            base,
            (count + 1) as u32,
            2,
        )?));
        self.fix_line(line);
        self.function().free_register = base + 1;
        Ok(())
    }

    async fn primary(&mut self) -> Code<Expression> {
        let mut expression = match self.lexer.token {
            Token::Byte(b'(') => {
                let line = self.lexer.line;
                self.lexer.advance()?;
                let mut inner = self.expression().await?;
                self.expect_match(&Token::Byte(b')'), &Token::Byte(b'('), line)?;
                self.discharge_variables(&mut inner)?;
                inner
            }
            Token::Name(_) => self.variable()?,
            _ => return Err(self.lexer.error_near("unexpected symbol")),
        };
        loop {
            self.pay().await;
            match self.lexer.token {
                Token::Byte(b'.') => self.field(&mut expression)?,
                Token::Byte(b'[') => {
                    self.to_any_register(&mut expression)?;
                    let mut key = self.bracketed().await?;
                    self.index(&mut expression, &mut key)?;
                }
                Token::Byte(b':') => {
                    self.lexer.advance()?;
                    let name = self.name()?;
                    let mut key = self.string_expression(&name)?;
                    self.method(&mut expression, &mut key)?;
                    self.arguments(&mut expression).await?;
                }
                Token::Byte(b'(' | b'{') | Token::String(_) => {
                    self.to_next_register(&mut expression)?;
                    self.arguments(&mut expression).await?;
                }
                _ => return Ok(expression),
            }
        }
    }

    fn field(&mut self, expression: &mut Expression) -> Code<()> {
        self.to_any_register(expression)?;
        self.lexer.advance()?;
        let name = self.name()?;
        let mut key = self.string_expression(&name)?;
        self.index(expression, &mut key)
    }

    async fn bracketed(&mut self) -> Code<Expression> {
        self.lexer.advance()?;
        let mut key = self.expression().await?;
        self.to_value(&mut key)?;
        self.expect(&Token::Byte(b']'))?;
        Ok(key)
    }

    async fn constructor(&mut self) -> Code<Expression> {
        let line = self.lexer.line;
        let pc = self.emit_abc(OpCode::NewTable, 0, 0, 0)?;
        let mut table = Expression::new(Kind::Relocatable(pc));
        self.to_next_register(&mut table)?;
        let Kind::NonRelocatable(register) = table.kind else { return Ok(table) };
        let (mut items, mut fields, mut pending) = (0u32, 0u32, 0u32);
        let mut item = Expression::new(Kind::Void);
        self.expect(&Token::Byte(b'{'))?;
        while !self.at(b'}') {
            self.pay().await;
            if item.kind != Kind::Void {
                self.to_next_register(&mut item)?;
                item.kind = Kind::Void;
                if pending == FIELDS_PER_FLUSH {
                    self.set_list(register, items, pending as i32)?;
                    pending = 0;
                }
            }
            let is_record = match self.lexer.token {
                Token::Name(_) => *self.lexer.look_ahead()? == Token::Byte(b'='),
                Token::Byte(b'[') => true,
                _ => false,
            };
            if is_record {
                self.record(register).await?;
                fields += 1;
            } else {
                item = self.expression().await?;
                items += 1;
                pending += 1;
            }
            if !self.accept(&Token::Byte(b','))? && !self.accept(&Token::Byte(b';'))? {
                break;
            }
        }
        self.expect_match(&Token::Byte(b'}'), &Token::Byte(b'{'), line)?;
        if pending > 0 {
            if item.has_multiple_results() {
                self.set_returns(&mut item, MULTIPLE)?;
                self.set_list(register, items, MULTIPLE)?;
                items -= 1;
            } else {
                if item.kind != Kind::Void {
                    self.to_next_register(&mut item)?;
                }
                self.set_list(register, items, pending as i32)?;
            }
        }
        self.function().set_b(pc, floating_byte(items));
        self.function().set_c(pc, floating_byte(fields));
        Ok(table)
    }

    async fn record(&mut self, table: u32) -> Code<()> {
        let free = self.function().free_register;
        let mut key = if self.at(b'[') {
            self.bracketed().await?
        } else {
            let name = self.name()?;
            self.string_expression(&name)?
        };
        self.expect(&Token::Byte(b'='))?;
        let key = self.to_rk(&mut key)?;
        let mut value = self.expression().await?;
        let value = self.to_rk(&mut value)?;
        self.emit_abc(OpCode::SetTable, table, key, value)?;
        self.function().free_register = free;
        Ok(())
    }

    async fn simple(&mut self) -> Code<Expression> {
        let expression = match self.lexer.token.clone() {
            Token::Number(number) => Expression::new(Kind::Number(number)),
            Token::String(text) => self.string_expression(&text)?,
            Token::Fixed(Fixed::Nil) => Expression::new(Kind::Nil),
            Token::Fixed(Fixed::True) => Expression::new(Kind::True),
            Token::Fixed(Fixed::False) => Expression::new(Kind::False),
            Token::Fixed(Fixed::Dots) => {
                if !self.function().proto.is_vararg {
                    return Err(self
                        .lexer
                        .error_near("cannot use '...' outside a vararg function"));
                }
                self.function().proto.needs_arg = false;
                Expression::new(Kind::Vararg(self.emit_abc(OpCode::Vararg, 0, 1, 0)?))
            }
            Token::Byte(b'{') => return self.constructor().await,
            Token::Fixed(Fixed::Function) => {
                self.lexer.advance()?;
                let line = self.lexer.line;
                return self.body(false, line).await;
            }
            _ => return self.primary().await,
        };
        self.lexer.advance()?;
        Ok(expression)
    }

    pub(super) async fn expression(&mut self) -> Code<Expression> {
        Box::pin(self.sub_expression(0)).await
    }

    /// Reads operators that bind tighter than `limit`.
    async fn sub_expression(&mut self, limit: u32) -> Code<Expression> {
        self.enter_level()?;
        let mut left = match unary(&self.lexer.token) {
            Some(operator) => {
                self.lexer.advance()?;
                let mut operand = Box::pin(self.sub_expression(UNARY_PRIORITY)).await?;
                self.prefix(operator, &mut operand)?;
                operand
            }
            None => self.simple().await?,
        };
        while let Some((operator, priority, right_priority)) = binary(&self.lexer.token) {
            if priority <= limit {
                break;
            }
            self.pay().await;
            self.lexer.advance()?;
            self.infix(operator, &mut left)?;
            let mut right = Box::pin(self.sub_expression(right_priority)).await?;
            self.postfix(operator, &mut left, &mut right)?;
        }
        self.levels -= 1;
        Ok(left)
    }

    // ---- Statements

    /// Reads one statement; true if it must be the last of its block.
    async fn statement(&mut self) -> Code<bool> {
        let line = self.lexer.line;
        match self.lexer.token {
            Token::Fixed(Fixed::If) => self.if_statement(line).await?,
            Token::Fixed(Fixed::While) => self.while_statement(line).await?,
            Token::Fixed(Fixed::Do) => {
                self.lexer.advance()?;
                self.block().await?;
                self.expect_match(&Token::Fixed(Fixed::End), &Token::Fixed(Fixed::Do), line)?;
            }
            Token::Fixed(Fixed::For) => self.for_statement(line).await?,
            Token::Fixed(Fixed::Repeat) => self.repeat_statement(line).await?,
            Token::Fixed(Fixed::Function) => self.function_statement(line).await?,
            Token::Fixed(Fixed::Local) => {
                self.lexer.advance()?;
                if self.accept(&Token::Fixed(Fixed::Function))? {
                    self.local_function().await?;
                } else {
                    self.local_statement().await?;
                }
            }
            Token::Fixed(Fixed::Return) => {
                self.return_statement().await?;
                return Ok(true);
            }
            Token::Fixed(Fixed::Break) => {
                self.lexer.advance()?;
                self.break_statement()?;
                return Ok(true);
            }
            _ => self.expression_statement().await?,
        }
        Ok(false)
    }

    /// Reads a condition; gives the jumps that leave when it is false.
    async fn condition(&mut self) -> Code<JumpList> {
        let mut expression = self.expression().await?;
        if expression.kind == Kind::Nil {
            expression.kind = Kind::False;
        }
        self.go_if_true(&mut expression)?;
        Ok(expression.if_false)
    }

    async fn then_block(&mut self) -> Code<JumpList> {
        self.lexer.advance()?;
        let exit = self.condition().await?;
        self.expect(&Token::Fixed(Fixed::Then))?;
        self.block().await?;
        Ok(exit)
    }

    async fn if_statement(&mut self, line: u32) -> Code<()> {
        let mut escapes = JumpList::EMPTY;
        let mut exit = self.then_block().await?;
        while self.at_word(Fixed::Elseif) {
            let jump = self.jump()?;
            self.concat_jumps(&mut escapes, jump)?;
            self.patch_to_here(exit)?;
            exit = self.then_block().await?;
        }
        if self.at_word(Fixed::Else) {
            let jump = self.jump()?;
            self.concat_jumps(&mut escapes, jump)?;
            self.patch_to_here(exit)?;
            self.lexer.advance()?;
            self.block().await?;
        } else {
            self.concat_jumps(&mut escapes, exit)?;
        }
        self.patch_to_here(escapes)?;
        self.expect_match(&Token::Fixed(Fixed::End), &Token::Fixed(Fixed::If), line)
    }

    async fn while_statement(&mut self, line: u32) -> Code<()> {
        self.lexer.advance()?;
        let start = self.function().label();
        let exit = self.condition().await?;
        self.enter_block(true);
        self.expect(&Token::Fixed(Fixed::Do))?;
        self.block().await?;
        let back = self.jump()?;
        self.patch_list(back, start)?;
        self.expect_match(&Token::Fixed(Fixed::End), &Token::Fixed(Fixed::While), line)?;
        self.leave_block()?;
        self.patch_to_here(exit)
    }

    async fn repeat_statement(&mut self, line: u32) -> Code<()> {
        let start = self.function().label();
        self.enter_block(true);
        self.enter_block(false);
        self.lexer.advance()?;
        Box::pin(self.chunk()).await?;
        self.expect_match(&Token::Fixed(Fixed::Until), &Token::Fixed(Fixed::Repeat), line)?;
        let exit = self.condition().await?;
        let has_upvalue = self.function().blocks.last().is_some_and(|block| block.has_upvalue);
        if has_upvalue {
            self.break_statement()?;
            self.patch_to_here(exit)?;
            self.leave_block()?;
            let back = self.jump()?;
            self.patch_list(back, start)?;
        } else {
            self.leave_block()?;
            self.patch_list(exit, start)?;
        }
        self.leave_block()
    }

    fn break_statement(&mut self) -> Code<()> {
        let blocks = &self.function().blocks;
        let Some(target) = blocks.iter().rposition(|block| block.is_loop) else {
            return Err(self.lexer.error_near("no loop to break"));
        };
        let has_upvalue = blocks[target + 1..].iter().any(|block| block.has_upvalue);
        if has_upvalue {
            let level = blocks[target].active_locals as u32;
            self.emit_abc(OpCode::Close, level, 0, 0)?;
        }
        let jump = self.jump()?;
        let mut breaks = self.function().blocks[target].breaks;
        self.concat_jumps(&mut breaks, jump)?;
        self.function().blocks[target].breaks = breaks;
        Ok(())
    }

    async fn for_statement(&mut self, line: u32) -> Code<()> {
        self.enter_block(true);
        self.lexer.advance()?;
        let name = self.name()?;
        match self.lexer.token {
            Token::Byte(b'=') => self.numeric_for(&name, line).await?,
            Token::Byte(b',') | Token::Fixed(Fixed::In) => self.generic_for(&name).await?,
            _ => return Err(self.lexer.error_near("'=' or 'in' expected")),
        }
        self.expect_match(&Token::Fixed(Fixed::End), &Token::Fixed(Fixed::For), line)?;
        self.leave_block()
    }

    async fn numeric_for(&mut self, name: &[u8], line: u32) -> Code<()> {
        let base = self.function().free_register;
        let mut hidden = Vec::new();
        for (ahead, name) in [&b"(for index)"[..], b"(for limit)", b"(for step)"].iter().enumerate()
        {
            hidden.push(self.new_local(name, ahead)?);
        }
        let shown = vec![self.new_local(name, 3)?];
        self.lexer.advance()?;
        self.to_register_next().await?;
        self.expect(&Token::Byte(b','))?;
        self.to_register_next().await?;
        if self.accept(&Token::Byte(b','))? {
            self.to_register_next().await?;
        } else {
            let mut one = Expression::new(Kind::Number(1.0));
            self.to_next_register(&mut one)?;
        }
        self.for_body(base, line, &hidden, &shown, true).await
    }

    async fn to_register_next(&mut self) -> Code<()> {
        let mut expression = self.expression().await?;
        self.to_next_register(&mut expression)
    }

    async fn generic_for(&mut self, name: &[u8]) -> Code<()> {
        let base = self.function().free_register;
        let mut hidden = Vec::new();
        for (ahead, name) in
            [&b"(for generator)"[..], b"(for state)", b"(for control)"].iter().enumerate()
        {
            hidden.push(self.new_local(name, ahead)?);
        }
        let mut shown = vec![self.new_local(name, 3)?];
        while self.accept(&Token::Byte(b','))? {
            let name = self.name()?;
            shown.push(self.new_local(&name, 3 + shown.len())?);
        }
        self.expect(&Token::Fixed(Fixed::In))?;
        let line = self.lexer.line;
        let (mut last, count) = self.expression_list().await?;
        self.adjust(3, count, &mut last)?;
        self.check_stack(3)?;
        self.for_body(base, line, &hidden, &shown, false).await
    }

    async fn for_body(
        &mut self,
        base: u32,
        line: u32,
        hidden: &[usize],
        shown: &[usize],
        is_numeric: bool,
    ) -> Code<()> {
        self.activate(hidden);
        self.expect(&Token::Fixed(Fixed::Do))?;
        let prepare = if is_numeric {
            JumpList::one(self.emit_asbx(OpCode::ForPrep, base, NO_JUMP)?)
        } else {
            self.jump()?
        };
        let start = self.function().pc();
        self.enter_block(false);
        self.activate(shown);
        self.reserve_registers(shown.len() as u32)?;
        self.block().await?;
        self.leave_block()?;
        self.patch_to_here(prepare)?;
        let end = if is_numeric {
            self.emit_asbx(OpCode::ForLoop, base, NO_JUMP)?
        } else {
            self.emit_abc(OpCode::TForLoop, base, 0, shown.len() as u32)?
        };
        self.fix_line(line);
        let back = if is_numeric { JumpList::one(end) } else { self.jump()? };
        self.patch_list(back, start)
    }

    async fn function_statement(&mut self, line: u32) -> Code<()> {
        self.lexer.advance()?;
        let mut target = self.variable()?;
        while self.at(b'.') {
            self.field(&mut target)?;
        }
        let is_method = self.at(b':');
        if is_method {
            self.field(&mut target)?;
        }
        let mut body = self.body(is_method, line).await?;
        self.store(&target, &mut body)?;
        self.fix_line(line);
        Ok(())
    }

    async fn local_function(&mut self) -> Code<()> {
        let name = self.name()?;
        let local = self.new_local(&name, 0)?;
        let target = Expression::new(Kind::Local(self.function().free_register));
        self.reserve_registers(1)?;
        self.activate(&[local]);
        let line = self.lexer.line;
        let mut body = self.body(false, line).await?;
        self.store(&target, &mut body)?;
        let function = self.function();
        function.proto.locals[local].start = function.proto.code.len() as u32;
        Ok(())
    }

    async fn local_statement(&mut self) -> Code<()> {
        let mut locals = Vec::new();
        loop {
            let name = self.name()?;
            locals.push(self.new_local(&name, locals.len())?);
            if !self.accept(&Token::Byte(b','))? {
                break;
            }
        }
        let (mut last, count) = if self.accept(&Token::Byte(b'='))? {
            self.expression_list().await?
        } else {
            (Expression::new(Kind::Void), 0)
        };
        self.adjust(locals.len() as i32, count, &mut last)?;
        self.activate(&locals);
        Ok(())
    }

    /// Makes a list of `count` expressions fill `wanted` registers.
    fn adjust(&mut self, wanted: i32, count: i32, last: &mut Expression) -> Code<()> {
        let mut extra = wanted - count;
        if last.has_multiple_results() {
            extra = (extra + 1).max(0);
            self.set_returns(last, extra)?;
            if extra > 1 {
                self.reserve_registers(extra as u32 - 1)?;
            }
            return Ok(());
        }
        if last.kind != Kind::Void {
            self.to_next_register(last)?;
        }
        if extra > 0 {
            let register = self.function().free_register;
            self.reserve_registers(extra as u32)?;
            self.emit_nil(register, extra as u32)?;
        }
        Ok(())
    }

    async fn return_statement(&mut self) -> Code<()> {
        self.lexer.advance()?;
        if self.block_ends() || self.at(b';') {
            return self.emit_return(0, 0);
        }
        let (mut last, count) = self.expression_list().await?;
        let active = self.function().active.len() as u32;
        if last.has_multiple_results() {
            self.set_returns(&mut last, MULTIPLE)?;
            if let (Kind::Call(pc), 1) = (last.kind, count) {
                let call = &mut self.function().proto.code[pc];
                *call = Instruction::abc(OpCode::TailCall, call.a(), call.b(), call.c());
            }
            return self.emit_return(active, MULTIPLE);
        }
        if count == 1 {
            let register = self.to_any_register(&mut last)?;
            return self.emit_return(register, 1);
        }
        self.to_next_register(&mut last)?;
        self.emit_return(active, count)
    }

    async fn expression_statement(&mut self) -> Code<()> {
        let first = self.primary().await?;
        if let Kind::Call(pc) = first.kind {
            self.function().set_c(pc, 1);
            return Ok(());
        }
        let mut targets = vec![first];
        loop {
            let target = targets[targets.len() - 1];
            if !matches!(
                target.kind,
                Kind::Local(_) | Kind::Upvalue(_) | Kind::Global(_) | Kind::Indexed(..)
            ) {
                return Err(self.lexer.error_near("syntax error"));
            }
            if !self.accept(&Token::Byte(b','))? {
                break;
            }
            let next = self.primary().await?;
            if let Kind::Local(register) = next.kind {
                self.resolve_conflict(&mut targets, register)?;
            }
            let room = MAX_LEVELS.saturating_sub(self.levels) as usize;
            let level = self.functions.len() - 1;
            self.limit(level, targets.len(), room, "variables in assignment")?;
            targets.push(next);
        }
        self.expect(&Token::Byte(b'='))?;
        let (mut last, count) = self.expression_list().await?;
        let wanted = targets.len() as i32;
        if count == wanted {
            self.set_one_return(&mut last);
            let target = targets.pop().expect("there is at least one target");
            self.store(&target, &mut last)?;
        } else {
            self.adjust(wanted, count, &mut last)?;
            if count > wanted {
                self.function().free_register -= (count - wanted) as u32;
            }
        }
        for target in targets.iter().rev() {
            let mut value =
                Expression::new(Kind::NonRelocatable(self.function().free_register - 1));
            self.store(target, &mut value)?;
        }
        Ok(())
    }

    /// A local that is assigned to while an earlier target indexes by it: the index uses a copy.
    fn resolve_conflict(&mut self, targets: &mut [Expression], register: u32) -> Code<()> {
        let copy = self.function().free_register;
        let mut conflict = false;
        for target in targets {
            if let Kind::Indexed(table, key) = &mut target.kind {
                for operand in [table, key] {
                    if *operand == register {
                        *operand = copy;
                        conflict = true;
                    }
                }
            }
        }
        if conflict {
            self.emit_abc(OpCode::Move, copy, register, 0)?;
            self.reserve_registers(1)?;
        }
        Ok(())
    }
}

/// A token as messages name it where it is expected.
fn text(token: &Token) -> String {
    match token {
        Token::Byte(byte) => char::from(*byte).to_string(),
        Token::Fixed(fixed) => fixed.text().to_owned(),
        Token::Number(_) => "<number>".to_owned(),
        Token::Name(_) => "<name>".to_owned(),
        Token::String(_) => "<string>".to_owned(),
    }
}

fn unary(token: &Token) -> Option<Unary> {
    match token {
        Token::Byte(b'-') => Some(Unary::Minus),
        Token::Byte(b'#') => Some(Unary::Length),
        Token::Fixed(Fixed::Not) => Some(Unary::Not),
        _ => None,
    }
}

/// The operator with its left and right priorities: a right one below the left one associates to the right.
fn binary(token: &Token) -> Option<(Binary, u32, u32)> {
    use Binary::{And, Arithmetic, Compare, Concat, Or};
    Some(match token {
        Token::Byte(b'+') => (Arithmetic(OpCode::Add), 6, 6),
        Token::Byte(b'-') => (Arithmetic(OpCode::Sub), 6, 6),
        Token::Byte(b'*') => (Arithmetic(OpCode::Mul), 7, 7),
        Token::Byte(b'/') => (Arithmetic(OpCode::Div), 7, 7),
        Token::Byte(b'%') => (Arithmetic(OpCode::Mod), 7, 7),
        Token::Byte(b'^') => (Arithmetic(OpCode::Pow), 10, 9),
        Token::Fixed(Fixed::Concat) => (Concat, 5, 4),
        Token::Fixed(Fixed::NotEqual) => (Compare(OpCode::Eq, 0), 3, 3),
        Token::Fixed(Fixed::Equal) => (Compare(OpCode::Eq, 1), 3, 3),
        Token::Byte(b'<') => (Compare(OpCode::Lt, 1), 3, 3),
        Token::Fixed(Fixed::LessEqual) => (Compare(OpCode::Le, 1), 3, 3),
        Token::Byte(b'>') => (Compare(OpCode::Lt, 0), 3, 3),
        Token::Fixed(Fixed::GreaterEqual) => (Compare(OpCode::Le, 0), 3, 3),
        Token::Fixed(Fixed::And) => (And, 2, 2),
        Token::Fixed(Fixed::Or) => (Or, 1, 1),
        _ => return None,
    })
}

/// A size hint as a floating point byte `eeeeexxx`: `(1xxx) * 2^(eeeee - 1)`, rounded up.
fn floating_byte(mut size: u32) -> u32 {
    let mut exponent = 0;
    while size >= 16 {
        size = (size + 1) >> 1;
        exponent += 1;
    }
    if size < 8 { size } else { (exponent + 1) << 3 | (size - 8) }
}
