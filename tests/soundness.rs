//! Small programs that touch every part of the interpreter which is written with `unsafe`, in slices with collections
//! between them. Here they only have to run; Miri looks at what they do:
//! `MIRIFLAGS="-Zmiri-permissive-provenance" cargo +nightly miri test --test soundness`.

use evalsha::lua::lib::base::display;
use evalsha::lua::{Lua, NoHost, Step, lib};

/// A program, and what it returns.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "local t = {} for i = 1, 40 do t[i] = {i} t['k' .. i] = i end local s = 0
         for k, v in pairs(t) do if type(v) == 'number' then s = s + v end end return s",
        "820",
    ),
    ("local function f(n) if n < 2 then return n end return f(n - 1) + f(n - 2) end return f(8)", "21"),
    (
        "local C = {} C.__index = C function C:add(n) self.v = self.v + n return self end
         local o = setmetatable({v = 0}, C) for i = 1, 20 do o:add(i) end return o.v",
        "210",
    ),
    (
        "local c = coroutine.wrap(function(a, ...) local n = a for i = 1, 5 do n = n + coroutine.yield(n, ...) end
         return n end) local s = c(1, 2, 3) for i = 1, 5 do s = s + c(i) end return s",
        "41",
    ),
    (
        "local w = setmetatable({}, {__mode = 'kv'}) for i = 1, 10 do w[i] = {} w[{}] = i end collectgarbage()
         local n = 0 for _ in pairs(w) do n = n + 1 end w[w] = w return n, w[w] == w",
        "0 true",
    ),
    (
        "local t = {5, 3, 9, 1} table.sort(t) table.sort(t, function(a, b) return a > b end)
         local x = 1 local g = function() x = x + 1 return x end g()
         return t[1], g(), pcall(error, 'e'), select('#', unpack(t)), (('a%d'):rep(3):gsub('%a', string.upper))",
        "9 3 false 4 A%DA%DA%D",
    ),
    (
        "local t = {} t[t] = 1 local a = setmetatable({}, {__add = function(x, y) return y end,
         __concat = function(x, y) return 'c' end, __lt = function() return true end,
         __call = function(self, ...) return ... end}) return t[t], a + 1, a .. 'x' .. 'y', a < a, a(1, 2)",
        "1 1 c true 1 2",
    ),
    (
        "local fs = {} for i = 1, 5 do local a, b, c = i, i, i fs[i] = function() a = a + b + c return a end end
         collectgarbage() return fs[1](), fs[5](), fs[5]()",
        "3 15 25",
    ),
    (
        "local t = {} setmetatable(t, t) t.__mode = 'v' for i = 1, 9 do t[i] = {} t['k' .. i] = {} end t[10] = 'kept'
         collectgarbage() t.__mode = nil t[11] = {} collectgarbage()
         local n = 0 for _ in pairs(t) do n = n + 1 end return n, t[10], type(t[11])",
        "2 kept table",
    ),
    (
        "local t, n = {}, 0 for i = 1, 20 do table.insert(t, math.max(i, 3)) end
         for i, v in ipairs(t) do n = n + v end for k, v in next, t do n = n + v end
         local words = 0 for w in ('one two  three'):gmatch('%a+') do words = words + #w end
         return n, words, ('a-b'):find('-', 1, true), (('x=1, y=2'):gsub('(%w)=(%w)', '%2:%1')), bit.band(7, 12),
             rawget(t, 20), rawequal(t, t), ('abc'):sub(2, 2):byte()",
        "426 11 2 1:x, 2:y 4 20 true 98",
    ),
    (
        "local c = coroutine.wrap(function() local f = function() return coroutine.yield() end
         for i = 1, 4 do local a, b = coroutine.yield(i, i) coroutine.yield(a, b) end return (f()) end)
         local s = 0 for i = 1, 9 do local a, b = c(i, i) s = s + (a or 0) + (b or 0) end return s, c('end')",
        "60 end",
    ),
    ("return struct.unpack('d', '\\1\\2\\3\\4\\5\\6\\250\\255'), 0/0 == 0/0, -(0/0) ~= 0", "-nan false true"),
];

#[test]
fn small_programs_run() {
    let mut lua = Lua::new(8 << 20);
    lua.enter(lib::open);
    run(&mut lua, |lua, slices| {
        if slices % 5 == 0 {
            lua.collect();
        }
    });
}

/// A collection goes on all the time, between slices that change what it looks at.
#[test]
fn small_programs_run_while_garbage_is_collected() {
    let mut lua = Lua::new(8 << 20);
    lua.enter(lib::open);
    lua.set_small_heap(0);
    lua.collect();
    run(&mut lua, |lua, _| {
        // There is little room, so it is collected often.
        lua.set_limit(lua.memory() + lua.memory() / 8);
    });
}

fn run(lua: &mut Lua, between: impl Fn(&mut Lua, u32)) {
    for (source, expected) in PROGRAMS {
        let function = lua.load(source.as_bytes(), b"@t");
        lua.start(
            function.unwrap_or_else(|error| panic!("{}", String::from_utf8_lossy(&error.message))),
        );
        let mut slices = 0;
        let mut step = Step::Paused;
        while step == Step::Paused {
            step = lua.resume(&mut NoHost, 7);
            slices += 1;
            between(lua, slices);
        }
        let returned = lua.enter(|machine| match step {
            Step::Failed => display(machine.state.failure.unwrap_or_default()),
            _ => (0..machine.top())
                .map(|slot| display(machine.slot(slot)))
                .collect::<Vec<_>>()
                .join(&b' '),
        });
        assert_eq!(String::from_utf8_lossy(&returned), *expected, "{source}");
    }
}

/// Its new parts hold values that only the old ones keep alive, while garbage is collected.
#[test]
fn a_large_table_grows() {
    // What is large is small for Miri.
    let count = if cfg!(miri) { 128 } else { 32_768 };
    let source = format!(
        "local t, sum, rubbish = {{}}, 0 for i = 1, {count} do t[-i] = {{i}} end
         t.last = {{{count}}} for i = 1, 40 do rubbish = {{}} end
         for k, v in pairs(t) do sum = sum + v[1] end return sum - {count} * ({count} + 3) / 2"
    );
    let mut lua = Lua::new(16 << 20);
    lua.enter(lib::open);
    lua.set_small_heap(0);
    lua.collect();
    let function = lua.load(source.as_bytes(), b"@t").expect("it compiles");
    lua.start(function);
    while lua.resume(&mut NoHost, 100) == Step::Paused {}
    assert_eq!(lua.enter(|machine| display(machine.slot(0))), b"0");
}
