//! Makes scripts at random that end by construction, and return all that they saw: what Lua does with odd values.
//!
//! Left out is what the real server cannot answer: an uncaught `error({})`, which ends it, `string.rep` of 2^53 and
//! `table.insert` at -2^31, which it never comes back from; and what no two servers answer alike: addresses and the
//! size of the heap.

use evalsha::server::random::Random;

/// Shows values to the last bit and without addresses; tables in the order of `pairs`, unless that depends on addresses:
/// an object as a key. `try` calls and shows.
const PRELUDE: &str = "local out = {} local function tos(v) local k = type(v) if k == 'number' then return \
    string.format('%.14g', v) elseif k == 'string' or k == 'nil' or k == 'boolean' then return tostring(v) end return k end \
    local function show(v, d) if type(v) == 'table' then if d > 3 then out[#out + 1] = '...' return end out[#out + 1] = '{' \
    for k in pairs(v) do local kind = type(k) if kind ~= 'number' and kind ~= 'string' and kind ~= 'boolean' then \
    out[#out + 1] = '?}' return end end \
    for k, x in pairs(v) do show(k, d + 1) show(x, d + 1) end out[#out + 1] = '}' elseif type(v) == 'number' then \
    out[#out + 1] = string.format('%.17g', v) else out[#out + 1] = type(v) .. ':' .. tos(v) end end \
    local function try(f, ...) local r = {n = 0} local function keep(...) r.n = select('#', ...) for i = 1, r.n do r[i] = \
    (select(i, ...)) end end keep(pcall(f, ...)) for i = 1, r.n do show(r[i], 1) end end ";

/// Plain values.
const VALUES: &[&str] = &[
    "nil",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "0.5",
    "-2.25",
    "1e15",
    "1e16",
    "2^31",
    "2^53",
    "-2^63",
    "1e308",
    "1/0",
    "-1/0",
    "0/0",
    "''",
    "'a'",
    "'abc'",
    "'10'",
    "' 0x10 '",
    "'1e2'",
    "'-7'",
    "'%d'",
    "'a,b,,c'",
    "'x=1, y=22'",
    "'\\0\\255'",
    "('ab'):rep(20)",
    "{}",
    "{1, 2, 3}",
    "{1, nil, 3}",
    "{x = 1, y = 'b'}",
    "{[1] = 'a', [2] = 'b', [4] = 'd'}",
    "{n = 2, 5, 6}",
    "{{1}, {2}}",
    "#t",
    "t.x",
    "t[1]",
    "s",
    "a",
    "b",
    "print",
    "show",
    "tos",
    "string.len",
    "cjson.null",
    "redis",
    "_G.string",
];

const OPERATORS: &[&str] =
    &["+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", " and ", " or "];

/// Functions with the number of arguments that they are mostly given.
const CALLS: &[(&str, usize)] = &[
    ("xpcall", 2),
    ("tos", 1),
    ("tonumber", 1),
    ("tonumber", 2),
    ("type", 1),
    ("select", 3),
    ("unpack", 1),
    ("unpack", 3),
    ("rawget", 2),
    ("rawset", 3),
    ("rawequal", 2),
    ("next", 1),
    ("ipairs", 1),
    ("pcall", 2),
    ("error", 1),
    ("error", 2),
    ("assert", 2),
    ("setmetatable", 2),
    ("getmetatable", 1),
    ("math.floor", 1),
    ("math.ceil", 1),
    ("math.max", 2),
    ("math.min", 3),
    ("math.fmod", 2),
    ("math.modf", 1),
    ("math.abs", 1),
    ("math.sqrt", 1),
    ("math.frexp", 1),
    ("math.ldexp", 2),
    ("math.pow", 2),
    ("string.len", 1),
    ("string.sub", 2),
    ("string.sub", 3),
    ("string.byte", 1),
    ("string.byte", 3),
    ("string.char", 2),
    ("string.upper", 1),
    ("string.lower", 1),
    ("string.reverse", 1),
    ("string.find", 2),
    ("string.find", 4),
    ("string.match", 2),
    ("string.match", 3),
    ("string.gsub", 3),
    ("string.gsub", 4),
    ("string.format", 2),
    ("string.format", 3),
    ("table.concat", 1),
    ("table.concat", 2),
    ("table.concat", 4),
    ("table.insert", 2),
    ("table.remove", 1),
    ("table.getn", 1),
    ("table.maxn", 1),
    ("table.sort", 1),
    ("bit.band", 2),
    ("bit.tohex", 1),
    ("bit.lshift", 2),
    ("bit.tobit", 1),
    ("cjson.encode", 1),
    ("cjson.decode", 1),
    ("cmsgpack.pack", 1),
    ("cmsgpack.unpack", 1),
    ("struct.pack", 2),
    ("struct.unpack", 2),
    ("struct.size", 1),
    ("redis.sha1hex", 1),
    ("redis.error_reply", 1),
    ("redis.status_reply", 1),
    ("redis.call", 2),
    ("redis.pcall", 3),
    ("loadstring", 1),
    ("coroutine.create", 1),
    ("coroutine.wrap", 1),
    ("coroutine.status", 1),
    ("coroutine.resume", 2),
    ("coroutine.yield", 1),
    ("collectgarbage", 1),
    ("nosuch", 1),
    ("t.x", 1),
    ("s.len", 1),
];

/// Texts that some functions look at closely: patterns, formats, commands.
const TEXTS: &[&str] = &[
    "'%a+'",
    "'(%w+)=(%w+)'",
    "'[^,]*'",
    "'^%s*(.-)%s*$'",
    "'%b()'",
    "'%f[%w]%w+'",
    "'()b()'",
    "'[a-'",
    "'%'",
    "'(a'",
    "'a)'",
    "'.-x'",
    "'%1'",
    "'(.)%1'",
    "'[%]x]+'",
    "'%d'",
    "'%5.2f'",
    "'%-8s|'",
    "'%+d'",
    "'%#x'",
    "'%q'",
    "'%c'",
    "'%5%'",
    "'%z'",
    "'%i %u'",
    "'%e'",
    "'%g'",
    "'%.20s'",
    "'%100d'",
    "'%y'",
    "'>i4'",
    "'<d'",
    "'bhl'",
    "'s'",
    "'z'",
    "'GET'",
    "'SET'",
    "'HSET'",
    "'INCR'",
    "'get'",
    "'nope'",
    "KEYS[1]",
    "'[1,2,{\"a\":null}]'",
    "'return 1 + '",
    "'return ...'",
    "'x ='",
    "'collect'",
];

fn pick<'a, T: ?Sized>(random: &mut Random, from: &[&'a T]) -> &'a T {
    from[random.below(from.len() as u64) as usize]
}

struct Writer<'a> {
    random: &'a mut Random,
    out: String,
}

impl Writer<'_> {
    fn one_in(&mut self, count: u64) -> bool {
        self.random.below(count) == 0
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn one_of(&mut self, from: &[&str]) {
        let text = pick(self.random, from);
        self.put(text);
    }

    fn expression(&mut self, depth: usize) {
        match self.random.below(if depth == 0 { 3 } else { 14 }) {
            0 | 1 => self.one_of(VALUES),
            2 => self.one_of(TEXTS),
            3..=5 => {
                self.put("(");
                self.expression(depth - 1);
                self.one_of(OPERATORS);
                self.expression(depth - 1);
                self.put(")");
            }
            6 => {
                self.one_of(&["-", "not ", "#"]);
                self.put("(");
                self.expression(depth - 1);
                self.put(")");
            }
            7 => {
                self.put("{");
                for _ in 0..self.random.below(4) {
                    self.one_of(&["", "x = ", "[1] = ", "['k'] = ", "[2^53] = "]);
                    self.expression(depth - 1);
                    self.put(", ");
                }
                self.put("}");
            }
            8 => {
                self.put("(function(a, ...) ");
                self.statement(depth - 1);
                self.put(" return ");
                self.expression(depth - 1);
                self.one_of(&[", ...", "", ", select('#', ...)"]);
                self.put(" end)");
            }
            9 => {
                self.put("setmetatable({x = 1}, {__index = {x = 5, err = 'e'}, ");
                let events = [
                    "__newindex",
                    "__call",
                    "__add",
                    "__concat",
                    "__eq",
                    "__lt",
                    "__le",
                    "__unm",
                    "__len",
                    "__tostring",
                ];
                for _ in 0..=self.random.below(3) {
                    self.one_of(&events);
                    self.put(" = ");
                    self.one_of(&[
                        "function(p, q) return tos(p) .. tos(q) end",
                        "function(p, q) return q end",
                        "{x = 5, y = 6}",
                        "function() error('m') end",
                        "3",
                    ]);
                    self.put(", ");
                }
                self.put("})");
            }
            10 => {
                self.expression(depth - 1);
                // Whether it may be indexed like this is its own matter.
                let last = self.out.chars().last();
                if last == Some(')') {
                    self.one_of(&[".x", "[1]", ":len()"]);
                }
            }
            _ => self.call(depth - 1),
        }
    }

    fn call(&mut self, depth: usize) {
        let (name, count) = CALLS[self.random.below(CALLS.len() as u64) as usize];
        let count = if self.one_in(8) { self.random.below(4) as usize } else { count };
        self.put(name);
        self.put("(");
        for number in 0..count {
            if number > 0 {
                self.put(", ");
            }
            self.expression(depth);
        }
        self.put(")");
    }

    fn statement(&mut self, depth: usize) {
        match self.random.below(if depth == 0 { 4 } else { 12 }) {
            0 => {
                self.one_of(&[
                    "a",
                    "b",
                    "s",
                    "t.x",
                    "t[1]",
                    "t[#t + 1]",
                    "t[a]",
                    "t.y.z",
                    "local a",
                    "local c",
                ]);
                self.put(" = ");
                self.expression(depth.min(2));
            }
            1 => {
                self.put("a, b = ");
                self.expression(depth.min(1));
                self.put(", ");
                self.expression(depth.min(1));
            }
            2 => {
                self.put("show(");
                self.expression(depth.min(2));
                self.put(", 1)");
            }
            3 => {
                self.put("try(");
                self.expression(depth.min(2));
                self.put(", ");
                self.expression(0);
                self.put(")");
            }
            4 => {
                self.put("if ");
                self.expression(depth - 1);
                self.put(" then ");
                self.statement(depth - 1);
                self.put(" else ");
                self.statement(depth - 1);
                self.put(" end");
            }
            5 => {
                self.one_of(&[
                    "for i = 1, 3 do ",
                    "for i = 3, 1, -1 do ",
                    "for i = 1, 2, 0.5 do ",
                    "for i, v in ipairs({4, 'x', 6}) do ",
                    "for k, v in pairs({5, x = 1}) do ",
                    "for i = a, 2 do if i ~= i or i < -5 then break end ",
                    "for w in ('a b c'):gmatch('%w') do ",
                ]);
                // Loops do not nest: a text that grows in each turn would not stop.
                self.statement(0);
                self.put(" end");
            }
            6 => {
                self.put("do local n = 0 while n < 3 do n = n + 1 ");
                self.statement(0);
                self.put(" end end");
            }
            7 => {
                self.put("do local f = function(x, ...) ");
                self.statement(depth - 1);
                self.put(" return x, ... end b = f(");
                self.expression(depth - 1);
                self.put(", a) end");
            }
            8 => {
                self.put("try(coroutine.wrap(function(x) local y = coroutine.yield(x) ");
                self.statement(depth - 1);
                self.put(" return y end), ");
                self.expression(0);
                self.put(")");
            }
            9 => {
                self.put("try(function() ");
                self.statement(depth - 1);
                self.put("\n ");
                self.statement(depth - 1);
                self.put(" return ");
                self.expression(depth - 1);
                self.put(" end)");
            }
            10 => {
                self.put("table.sort(t, function(p, q) return tos(p) < tos(q) end)");
            }
            _ => {
                self.put("local _ = ");
                self.call(depth - 1);
            }
        }
    }
}

/// A script for two keys.
pub fn script(random: &mut Random) -> String {
    let mut writer = Writer { random, out: PRELUDE.to_owned() };
    writer.put("local t, s, a, b = {1, 2, 'three', x = 'y'}, 'text', 4, nil\n");
    for _ in 0..=writer.random.below(4) {
        writer.put("try(function() ");
        writer.statement(3);
        writer.put("\n ");
        writer.statement(2);
        writer.put(" end)\n");
    }
    let last = if writer.one_in(10) { "return a" } else { "return out" };
    writer.put(last);
    if writer.one_in(25) {
        let at =
            PRELUDE.len() + writer.random.below((writer.out.len() - PRELUDE.len()) as u64) as usize;
        if writer.out.is_char_boundary(at) {
            writer.out.remove(at);
        }
    }
    writer.out
}
