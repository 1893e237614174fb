//! Makes Lua programs at random: the same seed gives the same program.

use std::fmt::Write;

/// A xorshift generator: small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// A generator; any seed will do.
    pub fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.below(2);
        }
        random
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// True once in `count` times.
    pub fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of several.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Programs that use the whole grammar, and compile. They are not meant to run.
pub struct Grammar {
    random: Random,
    out: String,
    /// Names that are locals somewhere, and some globals.
    names: Vec<String>,
    loops: usize,
    is_vararg: bool,
    budget: usize,
}

const GLOBALS: &[&str] = &["print", "x", "y", "t", "f", "a.b", "a.b.c[1]", "t[i]", "t.x", "t[1]"];
const BINARY: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", ">", "<=", ">=", "and", "or", "and", "or",
];
const ATOMS: &[&str] = &[
    "nil", "true", "false", "0", "1", "2", "-1", "0.5", "1e300", "0x10", "\"s\"", "'k'", "[[l]]",
    "{}", "3", "1e-5", "255", "256",
];

impl Grammar {
    /// A program of about `size` statements and operators.
    pub fn program(seed: u64, size: usize) -> String {
        let mut grammar = Grammar {
            random: Random::new(seed),
            out: String::new(),
            names: vec!["a".to_owned(), "b".to_owned()],
            loops: 0,
            is_vararg: true,
            budget: size,
        };
        grammar.block(0);
        grammar.out
    }

    fn say(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push(if self.random.once_in(12) { '\n' } else { ' ' });
    }

    fn spend(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    fn new_name(&mut self) -> String {
        let name = format!("v{}", self.random.below(12));
        self.names.push(name.clone());
        name
    }

    fn name(&mut self) -> String {
        let at = self.random.below(self.names.len());
        self.names[at].clone()
    }

    fn block(&mut self, depth: usize) {
        let known = self.names.len();
        for _ in 0..=self.random.below(6) {
            if !self.spend() {
                break;
            }
            self.statement(depth);
        }
        match self.random.below(10) {
            0 => {
                self.say("return");
                match self.random.below(4) {
                    0 => {}
                    1 => self.call(depth),
                    _ => self.expressions(depth, 3),
                }
                if self.random.once_in(3) {
                    self.say(";");
                }
            }
            1 | 2 if self.loops > 0 => self.say("break"),
            _ => {}
        }
        self.names.truncate(known);
    }

    fn nested(&mut self, depth: usize, is_loop: bool) {
        self.loops += usize::from(is_loop);
        self.block(depth + 1);
        self.loops -= usize::from(is_loop);
    }

    fn statement(&mut self, depth: usize) {
        let kind = if depth > 6 { self.random.below(6) } else { self.random.below(16) };
        match kind {
            0 | 1 => {
                let names: Vec<String> =
                    (0..=self.random.below(3)).map(|_| self.new_name()).collect();
                self.say(&format!("local {}", names.join(", ")));
                if !self.random.once_in(4) {
                    self.say("=");
                    self.expressions(depth, 3);
                }
            }
            2 | 3 => {
                for at in 0..=self.random.below(3) {
                    if at > 0 {
                        self.say(",");
                    }
                    self.target(depth);
                }
                self.say("=");
                self.expressions(depth, 3);
                self.say(";");
            }
            4 | 5 => {
                self.call(depth);
                self.say(";");
            }
            6 | 7 => {
                self.say("if");
                self.expression(depth);
                self.say("then");
                self.nested(depth, false);
                while self.random.once_in(3) {
                    self.say("elseif");
                    self.expression(depth);
                    self.say("then");
                    self.nested(depth, false);
                }
                if self.random.once_in(2) {
                    self.say("else");
                    self.nested(depth, false);
                }
                self.say("end");
            }
            8 => {
                self.say("while");
                self.expression(depth);
                self.say("do");
                self.nested(depth, true);
                self.say("end");
            }
            9 => {
                self.say("repeat");
                self.nested(depth, true);
                self.say("until");
                self.expression(depth);
            }
            10 => {
                let name = self.new_name();
                self.say(&format!("for {name} ="));
                self.expression(depth);
                self.say(",");
                self.expression(depth);
                if self.random.once_in(3) {
                    self.say(",");
                    self.expression(depth);
                }
                self.say("do");
                self.nested(depth, true);
                self.say("end");
            }
            11 => {
                let name = self.new_name();
                self.say(&format!("for {name}"));
                while self.random.once_in(2) {
                    let name = self.new_name();
                    self.say(&format!(", {name}"));
                }
                self.say("in");
                self.expressions(depth, 4);
                self.say("do");
                self.nested(depth, true);
                self.say("end");
            }
            12 => {
                let name = self.new_name();
                self.say(&format!("local function {name}"));
                self.body(depth);
            }
            13 => {
                let name = self.name();
                let tail = self.random.pick(&["", ".m", ".m.n", ":o", ".m:o"]);
                self.say(&format!("function {name}{tail}"));
                self.body(depth);
            }
            14 => {
                self.say("do");
                self.nested(depth, false);
                self.say("end");
            }
            _ => {
                let name = self.new_name();
                self.say(&format!("local {name} = function"));
                self.body(depth);
            }
        }
    }

    fn body(&mut self, depth: usize) {
        let loops = std::mem::take(&mut self.loops);
        let was_vararg = self.is_vararg;
        let known = self.names.len();
        let mut parameters: Vec<String> =
            (0..self.random.below(4)).map(|_| self.new_name()).collect();
        self.is_vararg = self.random.once_in(3);
        if self.is_vararg {
            parameters.push("...".to_owned());
        }
        self.say(&format!("({})", parameters.join(", ")));
        self.block(depth + 1);
        self.say("end");
        self.names.truncate(known);
        self.is_vararg = was_vararg;
        self.loops = loops;
    }

    fn expressions(&mut self, depth: usize, limit: usize) {
        for at in 0..=self.random.below(limit) {
            if at > 0 {
                self.say(",");
            }
            self.expression(depth);
        }
    }

    fn target(&mut self, depth: usize) {
        let name = self.name();
        match self.random.below(5) {
            0 | 1 => self.say(&name),
            2 => {
                self.say(&format!("{name}["));
                self.expression(depth);
                self.say("]");
            }
            3 => self.say(&format!("{name}.key")),
            _ => {
                let global = self.random.pick(GLOBALS);
                self.say(global);
            }
        }
    }

    fn call(&mut self, depth: usize) {
        match self.random.below(5) {
            0 => {
                self.out.push('(');
                self.expression(depth);
                self.out.push(')');
            }
            1 => {
                let global = self.random.pick(GLOBALS);
                self.out.push_str(global);
            }
            _ => {
                let name = self.name();
                self.out.push_str(&name);
            }
        }
        loop {
            match self.random.below(6) {
                0 => {
                    self.out.push('[');
                    self.expression(depth);
                    self.out.push(']');
                    continue;
                }
                1 => {
                    self.out.push_str(".n");
                    continue;
                }
                2 => self.out.push_str(":m"),
                _ => {}
            }
            match self.random.below(6) {
                0 => self.out.push_str("'lit'"),
                1 => self.table(depth),
                2 => self.out.push_str("()"),
                _ => {
                    self.out.push('(');
                    self.expressions(depth, 3);
                    self.out.push(')');
                }
            }
            if !self.random.once_in(4) {
                break;
            }
        }
        self.out.push(' ');
    }

    fn table(&mut self, depth: usize) {
        self.out.push('{');
        let many = self.random.once_in(12);
        for _ in 0..self.random.below(if many { 120 } else { 4 }) {
            match self.random.below(5) {
                0 => self.say("k ="),
                1 => {
                    self.out.push('[');
                    self.expression(depth + 2);
                    self.out.push_str("] = ");
                }
                _ => {}
            }
            if many {
                let number = self.random.below(400);
                write!(self.out, "{number}").expect("a String takes everything");
            } else {
                self.expression(depth + 1);
            }
            let separator = self.random.pick(&[",", ";"]);
            self.say(separator);
        }
        if self.random.once_in(3) {
            self.call(depth);
        }
        self.say("}");
    }

    fn expression(&mut self, depth: usize) {
        if !self.spend() || depth > 9 {
            let atom = self.random.pick(ATOMS);
            return self.say(atom);
        }
        match self.random.below(16) {
            0..=5 => {
                self.expression(depth + 1);
                let operator = self.random.pick(BINARY);
                self.say(operator);
                self.expression(depth + 1);
            }
            6 => {
                let operator = self.random.pick(&["not", "- ", "#"]);
                self.say(operator);
                self.expression(depth + 1);
            }
            7 => {
                self.say("(");
                self.expression(depth + 1);
                self.say(")");
            }
            8 => self.call(depth + 1),
            9 if self.random.once_in(3) => {
                self.say("function");
                self.body(depth + 1);
            }
            10 if self.is_vararg => self.say("..."),
            11 => self.table(depth + 1),
            12 => {
                let global = self.random.pick(GLOBALS);
                self.say(global);
            }
            13 | 14 => {
                let name = self.name();
                self.say(&name);
            }
            _ => {
                let atom = self.random.pick(ATOMS);
                self.say(atom);
            }
        }
    }
}
