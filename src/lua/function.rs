//! Defines functions: Lua closures with their upvalues, and native functions.

use super::bytecode::{Constant, Instruction, Proto};
use super::machine::{NativeFunction, QuickFunction};
use super::packed::Packed;
use super::quick::quicken;
use super::value::{Str, Value};
use gc_arena::lock::{Lock, RefLock};
use gc_arena::metrics::Metrics;
use gc_arena::{Collect, Gc, Mutation};
use std::rc::Rc;

/// A prototype whose constants have become values.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Function<'gc> {
    /// What the compiler made.
    #[collect(require_static)]
    pub proto: Rc<Proto>,
    /// The quick form of the prototype's code, which has been verified.
    #[collect(require_static)]
    pub(super) code: Box<[Instruction]>,
    /// Fixed parameters.
    pub(super) parameters: u8,
    /// Registers that it uses.
    pub(super) max_stack: u8,
    /// Registers that must be nil at the start if no argument gives them a value.
    pub(super) clean: u8,
    /// It takes any number of arguments.
    pub(super) is_vararg: bool,
    /// The constants.
    pub(super) constants: Box<[Packed<'gc>]>,
    /// The functions defined inside.
    pub functions: Vec<Gc<'gc, Function<'gc>>>,
    #[collect(require_static)]
    _charge: Charge,
}

/// Memory that the arena did not give, and counts for as long as this lives.
struct Charge {
    metrics: Metrics,
    bytes: usize,
}

impl Charge {
    fn new(mc: &Mutation<'_>, bytes: usize) -> Charge {
        mc.metrics().mark_external_allocation(bytes);
        Charge { metrics: mc.metrics().clone(), bytes }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.metrics.mark_external_deallocation(self.bytes);
    }
}

impl<'gc> Function<'gc> {
    /// Makes the values of a prototype and of those inside it (at most 200 deep: the parser's limit).
    /// `string` gives the string of a constant.
    pub(super) fn link(
        mc: &Mutation<'gc>,
        proto: &Rc<Proto>,
        string: &mut dyn FnMut(&Rc<[u8]>) -> Str<'gc>,
    ) -> Gc<'gc, Function<'gc>> {
        let mut bytes = proto.memory();
        if proto.line_defined == 0 {
            bytes += proto.source.len();
        }
        let mut constant = |constant: &Constant| match constant {
            Constant::Nil => Packed::NIL,
            Constant::Boolean(value) => Packed::boolean(*value),
            Constant::Number(number) => Packed::number(*number),
            Constant::String(text) => {
                bytes += text.len();
                let text = string(text);
                // The loop looks only for names whose hash is known.
                text.hash();
                Packed::string(text)
            }
        };
        assert!(
            proto.is_sound(),
            "the compiler keeps to a function's registers, constants and code"
        );
        let constants: Box<[_]> = proto.constants.iter().map(&mut constant).collect();
        let code = quicken(proto, &constants);
        let functions =
            proto.protos.iter().map(|proto| Function::link(mc, proto, string)).collect();
        let Proto { parameters, max_stack, is_vararg, .. } = **proto;
        // A function that names `...` has a variable `arg` all the same, without a value.
        let named = parameters.saturating_add(u8::from(is_vararg)).min(max_stack);
        let clean = proto.clean.max(named);
        Gc::new(
            mc,
            Function {
                proto: proto.clone(),
                code,
                parameters,
                max_stack,
                clean,
                is_vararg,
                constants,
                functions,
                _charge: Charge::new(mc, bytes),
            },
        )
    }
}

/// A variable that a closure captured.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Upvalue<'gc> {
    /// It still lives in this stack slot.
    Open(u32),
    /// Its scope has ended.
    Closed(Packed<'gc>),
}

/// A captured variable, shared by all closures that captured it.
pub type UpvalueRef<'gc> = Gc<'gc, Lock<Upvalue<'gc>>>;

/// What a closure captured: the first two without an allocation of their own, since most have no more.
#[derive(Collect, Default)]
#[collect(no_drop)]
pub struct Upvalues<'gc> {
    first: [Option<UpvalueRef<'gc>>; INLINE],
    rest: Vec<UpvalueRef<'gc>>,
}

const INLINE: usize = 2;

impl<'gc> Upvalues<'gc> {
    /// The upvalue of this number, from 0.
    #[inline(always)]
    pub fn get(&self, number: usize) -> Option<UpvalueRef<'gc>> {
        match self.first.get(number) {
            Some(upvalue) => *upvalue,
            None => self.rest.get(number - INLINE).copied(),
        }
    }

    /// Adds one.
    pub fn push(&mut self, upvalue: UpvalueRef<'gc>) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(upvalue),
            None => self.rest.push(upvalue),
        }
    }
}

/// A Lua function; copies are the same function.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Closure<'gc>(pub Gc<'gc, ClosureState<'gc>>);

/// What a Lua function is made of.
#[derive(Collect)]
#[collect(no_drop)]
pub struct ClosureState<'gc> {
    /// Its code.
    pub function: Gc<'gc, Function<'gc>>,
    /// What it captured.
    pub upvalues: Upvalues<'gc>,
    /// A number of its own.
    pub id: u32,
}

impl<'gc> Closure<'gc> {
    /// A number of its own: what `tostring` shows as its address.
    pub fn id(self) -> u32 {
        self.0.id
    }

    /// The prototype.
    pub fn proto(self) -> &'gc Proto {
        &self.0.as_ref().function.as_ref().proto
    }

    /// The code.
    #[inline(always)]
    pub(super) fn function(self) -> &'gc Function<'gc> {
        self.0.as_ref().function.as_ref()
    }
}

impl PartialEq for Closure<'_> {
    fn eq(&self, other: &Self) -> bool {
        Gc::ptr_eq(self.0, other.0)
    }
}

/// A native function; copies are the same function.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Native<'gc>(pub Gc<'gc, NativeState<'gc>>);

/// What a native function is made of.
#[derive(Collect)]
#[collect(no_drop)]
pub struct NativeState<'gc> {
    /// What runs it.
    #[collect(require_static)]
    pub code: NativeCode,
    /// Values that it keeps between calls: the state of an iterator such as `gmatch`'s.
    pub upvalues: Gc<'gc, RefLock<Vec<Value<'gc>>>>,
    /// A number of its own.
    pub id: u32,
}

/// What runs a native function.
#[derive(Clone, Copy)]
pub enum NativeCode {
    /// A library's function.
    Library(NativeFunction),
    /// A library's function that has a short cut.
    Quick(QuickFunction, NativeFunction),
    /// `coroutine.yield`, which a Lua function does without a frame for it.
    Yield(NativeFunction),
    /// The host's function of this number ([`super::Host::invoke`]).
    Host(u32),
}

impl Native<'_> {
    /// A number of its own: what `tostring` shows as its address.
    pub fn id(self) -> u32 {
        self.0.id
    }
}

impl PartialEq for Native<'_> {
    fn eq(&self, other: &Self) -> bool {
        Gc::ptr_eq(self.0, other.0)
    }
}
