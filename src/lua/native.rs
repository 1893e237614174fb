//! Defines what natives ask of the machine: their arguments, checked, and errors worded as PUC-Rio does.

use super::lexer::{RUNNING_SIZE, chunk_id};
use super::machine::{Arguments, Fault, Flow, Frame, Machine, Outcome, Position};
use super::operators::LookUp;
use super::packed::Packed;
use super::table::{KeyError, Table};
use super::value::{Str, Value};

/// Bytes that natives work on between two looks at the fuel.
pub const PIECE: usize = 1 << 12;
/// Bytes of a number's text that are read for one unit of fuel.
const READ_PER_FUEL: usize = 16;

impl<'gc> Machine<'_, 'gc> {
    /// Returns one value.
    pub fn give(&mut self, value: Value<'gc>) -> Result<Flow, Fault<'gc>> {
        self.push(value);
        Ok(Flow::Return(1))
    }

    /// The first result of the call that a native waited for; nil if there is none.
    pub fn first_result(&self, outcome: Outcome<'gc>) -> Value<'gc> {
        match outcome {
            Outcome::Returned(count @ 1..) => self.slot(self.top() - count),
            _ => Value::Nil,
        }
    }

    /// Argument `number`, from 1; nil if there is none.
    pub fn argument(&self, arguments: Arguments, number: usize) -> Value<'gc> {
        self.packed_argument(arguments, number).unpack()
    }

    /// See [`Machine::argument`].
    #[inline(always)]
    pub(super) fn packed_argument(&self, arguments: Arguments, number: usize) -> Packed<'gc> {
        if number <= arguments.count {
            self.packed(arguments.base + number - 1)
        } else {
            Packed::NIL
        }
    }

    /// Both arguments, if there are two.
    #[inline(always)]
    pub(super) fn pair_of_arguments(
        &self,
        arguments: Arguments,
    ) -> Option<(Packed<'gc>, Packed<'gc>)> {
        (arguments.count == 2)
            .then(|| (self.packed(arguments.base), self.packed(arguments.base + 1)))
    }

    /// The first value that the native which runs keeps.
    pub fn kept(&self, arguments: Arguments) -> Value<'gc> {
        match self.slot(arguments.base - 1) {
            Value::Native(native) => {
                native.0.upvalues.borrow().first().copied().unwrap_or_default()
            }
            _ => Value::Nil,
        }
    }

    /// An error about argument `number`: `bad argument #1 to 'f' (message)`.
    pub fn argument_error(&mut self, number: usize, message: impl AsRef<[u8]>) -> Fault<'gc> {
        let message = message.as_ref();
        let (is_method, name) = match self.called_as() {
            Some((kind, name)) => (kind == "method", name),
            None => (false, b"?".to_vec()),
        };
        let text = if is_method && number == 1 {
            [b"calling '", &name[..], b"' on bad self (", message, b")"].concat()
        } else {
            // What is wrong with all arguments together is said about number 0, and for a method about -1.
            let place = format!("bad argument #{} to '", number as i64 - i64::from(is_method));
            [place.as_bytes(), &name, b"' (", message, b")"].concat()
        };
        self.error(text)
    }

    /// An error about the type of argument `number`: `table expected, got nil`.
    pub fn type_error(
        &mut self,
        arguments: Arguments,
        number: usize,
        expected: &str,
    ) -> Fault<'gc> {
        let got = if number > arguments.count {
            "no value"
        } else {
            self.argument(arguments, number).type_name()
        };
        self.argument_error(number, format!("{expected} expected, got {got}"))
    }

    /// Argument `number`, whatever it is, but it must be there.
    pub fn check_any(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<Value<'gc>, Fault<'gc>> {
        if number > arguments.count {
            return Err(self.argument_error(number, "value expected"));
        }
        Ok(self.argument(arguments, number))
    }

    /// Argument `number` as a table.
    pub fn check_table(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<Table<'gc>, Fault<'gc>> {
        match self.packed_argument(arguments, number).as_table() {
            Some(table) => Ok(table),
            None => Err(self.type_error(arguments, number, "table")),
        }
    }

    /// Argument `number` as a number, or as a string that reads as one.
    #[inline]
    pub fn check_number(&mut self, arguments: Arguments, number: usize) -> Result<f64, Fault<'gc>> {
        match self.packed_argument(arguments, number).as_number() {
            Some(value) => Ok(value),
            None => self.read_number(arguments, number),
        }
    }

    #[cold]
    fn read_number(&mut self, arguments: Arguments, number: usize) -> Result<f64, Fault<'gc>> {
        let value = self.argument(arguments, number);
        match self.number_of(value) {
            Some(value) => Ok(value),
            None => Err(self.type_error(arguments, number, "number")),
        }
    }

    /// A value as a number: a number, or a string that reads as one. A long string is paid for.
    pub fn number_of(&mut self, value: Value<'gc>) -> Option<f64> {
        if let Value::String(text) = value {
            self.pay_for_number(text);
        }
        value.to_number()
    }

    /// Pays for reading a string as a number.
    pub fn pay_for_number(&mut self, text: Str<'gc>) {
        self.fuel -= (text.bytes().len() / READ_PER_FUEL) as i64;
    }

    /// Argument `number` as an integer, converted as C does.
    #[inline]
    pub fn check_integer(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<i64, Fault<'gc>> {
        self.check_number(arguments, number).map(super::number::to_long)
    }

    /// Argument `number` as an integer; `default` for nil or none.
    #[inline]
    pub fn optional_integer(
        &mut self,
        arguments: Arguments,
        number: usize,
        default: i64,
    ) -> Result<i64, Fault<'gc>> {
        if self.packed_argument(arguments, number).is_nil() {
            Ok(default)
        } else {
            self.check_integer(arguments, number)
        }
    }

    /// Argument `number` as a string, or as a number's text.
    #[inline]
    pub fn check_string(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<Str<'gc>, Fault<'gc>> {
        match self.packed_argument(arguments, number).as_str() {
            Some(text) => Ok(text),
            None => self.print_string(arguments, number),
        }
    }

    #[cold]
    fn print_string(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<Str<'gc>, Fault<'gc>> {
        match self.argument(arguments, number).to_str(self.mc) {
            Some(text) => Ok(text),
            None => Err(self.type_error(arguments, number, "string")),
        }
    }

    /// Argument `number` as a string; `None` for nil or none.
    pub fn optional_string(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<Option<Str<'gc>>, Fault<'gc>> {
        if self.argument(arguments, number).is_nil() {
            Ok(None)
        } else {
            self.check_string(arguments, number).map(Some)
        }
    }

    /// Argument `number` as a function.
    pub fn check_function(
        &mut self,
        arguments: Arguments,
        number: usize,
    ) -> Result<Value<'gc>, Fault<'gc>> {
        match self.argument(arguments, number) {
            function @ (Value::Closure(_) | Value::Native(_)) => Ok(function),
            _ => Err(self.type_error(arguments, number, "function")),
        }
    }

    /// Calls from C that stand around the native that runs: the one that started the script or the coroutine, and those
    /// that natives and metamethods have made since.
    pub(super) fn c_calls(&self) -> u32 {
        let thread = &*self.thread;
        thread
            .frames
            .last()
            .map_or(0, |frame| u32::from(thread.outside) + u32::from(frame.nested) + 1)
    }

    /// The field of a value, metamethods included. None if a function is asked for it: that function is pushed then,
    /// with its two arguments.
    pub fn field_of(
        &mut self,
        value: Value<'gc>,
        name: &str,
    ) -> Result<Option<Value<'gc>>, Fault<'gc>> {
        let key = self.string(name);
        match self.look_up(value.into(), key.into(), None)? {
            LookUp::Found(found) => Ok(Some(found.unpack())),
            LookUp::Ask { handler, object } => {
                self.push_packed(handler);
                self.push_packed(object);
                self.push(key);
                Ok(None)
            }
        }
    }

    // ---- Errors

    /// An error with the position of the code that called the native (`luaL_error`), or of the Lua function that
    /// runs.
    pub fn error(&mut self, message: impl AsRef<[u8]>) -> Fault<'gc> {
        let is_native = self.thread.frames.last().is_some_and(Frame::is_native);
        let mut text = self.position_prefix(usize::from(is_native));
        text.extend_from_slice(message.as_ref());
        self.pay_for_bytes(text.len());
        Fault::Error(self.string(text))
    }

    /// `chunk:line: ` of the function `level` frames below the top; nothing for a native or beyond the bottom.
    pub fn position_prefix(&self, level: usize) -> Vec<u8> {
        match self.position_at(level) {
            Some(Position { source, line }) if line >= 0 => {
                [&chunk_id(&source, RUNNING_SIZE)[..], format!(":{line}: ").as_bytes()].concat()
            }
            _ => Vec::new(),
        }
    }

    /// Where the function `level` frames below the top is. A frame that a tail call replaced counts as a level
    /// without a position.
    pub fn position_at(&self, level: usize) -> Option<Position> {
        let mut left = level;
        for frame in self.thread.frames.iter().rev() {
            if left == 0 {
                return Some(match frame.closure {
                    Some(closure) => {
                        let proto = closure.proto();
                        let pc = frame.pc.saturating_sub(1) as usize;
                        let line = proto.lines.get(pc).copied().unwrap_or(0);
                        Position { source: proto.source.to_vec(), line: i64::from(line) }
                    }
                    None => Position { source: b"=[C]".to_vec(), line: -1 },
                });
            }
            left -= 1;
            if frame.tail {
                if left == 0 {
                    return Some(Position { source: b"=(tail call)".to_vec(), line: -1 });
                }
                left -= 1;
            }
        }
        None
    }

    /// How the code that runs named the native that it called.
    fn called_as(&self) -> Option<(&'static str, Vec<u8>)> {
        let mut frames = self.thread.frames.iter().rev();
        if frames.next().is_some_and(|native| native.tail || !native.after.is_plain()) {
            return None;
        }
        let caller = frames.next()?;
        super::debug::called_name(caller.closure?.proto(), caller.pc.checked_sub(1)? as usize)
    }

    /// The error of a native that wants more memory than the limit leaves.
    pub fn out_of_memory(&mut self) -> Fault<'gc> {
        Fault::Handled(self.string("not enough memory"))
    }

    /// Pays for work on so many bytes that is as quick as a copy.
    pub fn pay_for_bytes(&mut self, bytes: usize) {
        self.fuel -= (bytes >> 8) as i64;
    }

    /// Pays for work on so many bytes that takes them one by one.
    #[inline]
    pub fn pay_for_each(&mut self, bytes: usize) {
        self.fuel -= (bytes >> 6) as i64;
    }

    /// Refuses to go on if so many more bytes cannot fit. To be asked before anything large is made.
    ///
    /// What is taken now may be garbage, and none is collected before the slice ends: only then is the limit held to.
    /// Until then it may be passed by as much again.
    pub fn check_memory(&mut self, bytes: usize) -> Result<(), Fault<'gc>> {
        let used = self.mc.metrics().total_allocation();
        if bytes <= self.limit && used.saturating_add(bytes) / 2 <= self.limit {
            return Ok(());
        }
        // A script that catches the error goes on without the garbage.
        self.state.wants_collection = true;
        self.fuel = self.fuel.min(0);
        Err(self.out_of_memory())
    }

    /// The error for a key that cannot be set.
    pub fn key_error(&mut self, error: KeyError) -> Fault<'gc> {
        let message = error.text();
        self.error_here(message)
    }

    /// An error with the position of the function on top, if that is a Lua function (`luaG_runerror`): what the core
    /// raises. Where a native ran into it there is none.
    pub fn error_here(&mut self, message: impl AsRef<[u8]>) -> Fault<'gc> {
        let mut text = self.position_prefix(0);
        text.extend_from_slice(message.as_ref());
        Fault::Error(self.string(text))
    }
}
