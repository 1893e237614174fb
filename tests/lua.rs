//! Runs the Lua chapters and compares what they print with `lua5.1` and, through EVAL, with the real server, at several
//! sizes of time slice.
//!
//! A chapter that is not for both says so in its first line, with the reason: `-- lua5.1 only: ` or `-- redis only: `.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::engine::Engine;
use common::real::RealServer;
use evalsha::lua::lib::base::display;
use evalsha::lua::lines::Stops;
use evalsha::lua::machine::{Arguments, Fault, Flow, Machine};
use evalsha::lua::{Lua, NoHost, Step, lib};
use evalsha::resp::Reply;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Prints its arguments to a global list of lines; `lua5.1` gets the same function in Lua.
fn out<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<Flow, Fault<'gc>> {
    let texts: Vec<Vec<u8>> =
        (1..=arguments.count).map(|n| display(machine.argument(arguments, n))).collect();
    let line = machine.string(texts.join(&b'\t'));
    let lines = machine.string("lines");
    if let evalsha::lua::value::Value::Table(table) = machine.state.globals.get(lines) {
        let next = table.length() + 1;
        let key = evalsha::lua::value::Value::Number(next as f64);
        table.set(machine.mc, key, line).expect("a number is a key");
    }
    Ok(Flow::Return(0))
}

const PRELUDE: &str = "function out(...) local t = {...} for i = 1, select('#', ...) do t[i] = tostring(t[i]) end \
                       io.write(table.concat(t, '\\t'), '\\n') end print = out ";

/// Stands before a chapter that is sent to EVAL, where there are no globals to be made; it is one line, so that the
/// chapter's own lines keep their numbers but for the first.
const EVAL_PRELUDE: &[u8] = b"local lines = {} local function out(...) local t = {...} \
    for i = 1, select('#', ...) do t[i] = tostring(t[i]) end \
    lines[#lines + 1] = table.concat(t, '\\t') end local print = out ";
/// Stands behind it.
const EVAL_END: &[u8] = b"\nreturn lines";

/// Addresses differ from run to run.
fn without_addresses(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).into_owned();
    let mut parts = text.split("0x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("0x");
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    plain
}

/// How garbage is collected between slices.
#[derive(Clone, Copy, PartialEq)]
enum Collected {
    /// As the interpreter sees fit.
    WhenDue,
    /// All of it, after every slice.
    Always,
    /// Bit by bit, however small the heap is.
    Gradually,
}

fn ours(path: &Path, slice: i64, collected: Collected) -> String {
    let source = std::fs::read(path).expect("the chapter is there");
    let mut lua = Lua::new(64 << 20);
    if collected == Collected::Gradually {
        lua.set_small_heap(0);
        lua.collect();
    }
    lua.enter(|machine| {
        lib::open(machine);
        let globals = machine.state.globals;
        machine.register(globals, &[("out", out), ("print", out)]);
        let lines = machine.table(0, 0);
        machine.set_field(globals, "lines", evalsha::lua::value::Value::Table(lines));
    });
    let name = format!("@{}", path.display());
    let function = lua
        .load(&source, name.as_bytes())
        .unwrap_or_else(|error| panic!("{}", String::from_utf8_lossy(&error.message)));
    lua.start(function);
    let mut pauses = 0;
    loop {
        match lua.resume(&mut NoHost, slice) {
            Step::Paused => {
                // Every slice at first; a long chapter would take for ever.
                if collected == Collected::Always && (pauses < 5000 || pauses % 997 == 0) {
                    lua.collect();
                }
                pauses += 1;
            }
            Step::Stopped => panic!("nothing debugs it"),
            Step::Finished => break,
            Step::Failed => {
                let message =
                    lua.enter(|machine| display(machine.state.failure.unwrap_or_default()));
                panic!("{}: {}", path.display(), String::from_utf8_lossy(&message));
            }
        }
    }
    let text = lua.enter(|machine| {
        let key = machine.string("lines");
        let mut text = Vec::new();
        if let evalsha::lua::value::Value::Table(table) = machine.state.globals.get(key) {
            for line in 1..=table.length() {
                text.extend(display(table.get_index(line)));
                text.push(b'\n');
            }
        }
        text
    });
    without_addresses(&text)
}

fn theirs(path: &Path) -> Option<String> {
    let output = Command::new("lua5.1").args(["-e", PRELUDE]).arg(path).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(without_addresses(&output.stdout))
}

/// The chapters but those with a mark, which must have a reason.
fn chapters_without(mark: &str) -> Vec<PathBuf> {
    let is_for = |path: &PathBuf| {
        let source = std::fs::read(path).expect("the chapter is there");
        let Some(reason) = source.strip_prefix(mark.as_bytes()) else { return true };
        assert!(!reason.starts_with(b"\n"), "{}: no reason", path.display());
        false
    };
    chapters().into_iter().filter(is_for).collect()
}

/// The chapters that are Lua alone.
fn language_chapters() -> Vec<PathBuf> {
    chapters_without("-- redis only: ")
}

/// EVAL of a chapter.
fn eval(path: &Path) -> [Vec<u8>; 3] {
    let chapter = std::fs::read(path).expect("the chapter is there");
    [b"EVAL".to_vec(), [EVAL_PRELUDE, &chapter, EVAL_END].concat(), b"0".to_vec()]
}

/// What our engine replies to EVAL of a chapter, in slices of some size.
fn evaluated(path: &Path, slice: i64) -> Reply {
    let mut engine = Engine::new();
    let client = engine.server.connect("");
    engine.server.send(client, &eval(path));
    while engine.server.is_busy() {
        engine.server.run(slice);
    }
    engine.server.take_reply(client).expect("the script has ended")
}

/// The lines of a reply.
fn lines(path: &Path, reply: &Reply) -> Vec<String> {
    let items = match reply {
        Reply::Array(items) => items,
        Reply::Error(text) => panic!("{}: {}", path.display(), text.escape_ascii()),
        other => panic!("{}: {other:?}", path.display()),
    };
    let line = |item: &Reply| match item {
        Reply::Bulk(line) => without_addresses(line),
        other => panic!("{}: {other:?}", path.display()),
    };
    items.iter().map(line).collect()
}

fn chapters() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("tests/lua/chapters")
        .expect("the chapters are there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn chapters_print_what_lua_prints() {
    let mut differences = Vec::new();
    for path in language_chapters() {
        let Some(expected) = theirs(&path) else {
            assert!(std::env::var_os("CI").is_none(), "lua5.1 is not installed");
            eprintln!("NOT PROVED: lua5.1 is not installed");
            return;
        };
        let printed = ours(&path, 100_000, Collected::WhenDue);
        for (line, (printed, expected)) in printed.lines().zip(expected.lines()).enumerate() {
            if printed != expected {
                differences.push(format!(
                    "{} line {}\n  ours {printed}\n  lua  {expected}",
                    path.display(),
                    line + 1
                ));
            }
        }
        if printed.lines().count() != expected.lines().count() {
            differences.push(format!("{}: another number of lines", path.display()));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn chapters_reply_what_redis_replies() {
    let Some(real) = RealServer::start() else { return };
    let mut differences = Vec::new();
    for path in chapters_without("-- lua5.1 only: ") {
        let theirs = lines(&path, &real.connect().call(&eval(&path)));
        for slice in [100_000, 997, 7] {
            let ours = lines(&path, &evaluated(&path, slice));
            for (line, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                if ours != theirs {
                    differences.push(format!(
                        "{} in slices of {slice}, line {}\n  ours  {ours}\n  redis {theirs}",
                        path.display(),
                        line + 1
                    ));
                }
            }
            if ours.len() != theirs.len() {
                differences.push(format!(
                    "{} in slices of {slice}: {} lines, not {}",
                    path.display(),
                    ours.len(),
                    theirs.len()
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn slices_of_any_size_change_nothing() {
    let json = PathBuf::from("tests/lua/chapters/json.lua");
    for path in language_chapters().into_iter().chain([json]) {
        let whole = ours(&path, 100_000, Collected::WhenDue);
        let small = [(1, Collected::Always), (7, Collected::Always), (50, Collected::Gradually)];
        // With tables of a hundred thousand entries, those would take minutes.
        let large = [(500, Collected::WhenDue), (3000, Collected::Gradually)];
        let slices = if path.ends_with("large_tables.lua") { &large[..] } else { &small[..] };
        for (slice, collected) in slices.iter().copied() {
            let cut = ours(&path, slice, collected);
            assert_eq!(cut, whole, "{} in slices of {slice}", path.display());
        }
    }
}

/// Whatever it does and catches, it comes to an end.
#[test]
fn a_script_that_is_to_give_up_does_so() {
    for path in language_chapters() {
        let source = std::fs::read(&path).expect("the chapter is there");
        for before in (0..400).step_by(3) {
            let mut lua = Lua::new(64 << 20);
            lua.enter(|machine| {
                lib::open(machine);
                let globals = machine.state.globals;
                machine.register(globals, &[("out", out), ("print", out)]);
            });
            let function = lua.load(&source, b"@chapter").expect("it compiles");
            lua.start(function);
            if (0..before).any(|_| lua.resume(&mut NoHost, 5) != Step::Paused) {
                break;
            }
            lua.enter(|machine| {
                let error = machine.string("give up");
                machine.set_hook(error);
            });
            let mut slices = 0;
            while lua.resume(&mut NoHost, 100) == Step::Paused {
                slices += 1;
                assert!(slices < 1000, "{} goes on", path.display());
            }
        }
    }
}

/// Natives whose work the script makes as long as it likes give the turn back.
#[test]
fn long_natives_pause() {
    let scripts: [&[u8]; 50] = [
        b"loadstring(('x = {y(1, [[z]])} '):rep(1e5))",
        b"loadstring('return {' .. ('1, a = 1, '):rep(1e5) .. '}')",
        b"loadstring('return 1' .. ('+ x'):rep(3e5))",
        b"loadstring('return x' .. ('.y'):rep(3e5))",
        b"local n = 0 load(function() n = n + 1 return n < 1e4 and 'x = y.z ' or nil end)",
        b"local s = ('x'):rep(1e6) for i = 1, 1000 do pcall(error, s) end",
        b"('a'):rep(3e6):find(('a'):rep(1e6) .. 'b', 1, true)",
        b"('a'):rep(3e6):find(('a'):rep(1e6) .. 'b')",
        b"table.insert({1}, -2e9, 2)",
        b"local t = {} for i = 1, 3e5 do t[i] = i + 0.1 end table.concat(t)",
        b"local s = ('1'):rep(1e6) for i = 1, 1000 do local x = s + s end",
        b"local s = ('x'):rep(1e6) for i = 1, 1000 do pcall(function() return s + 1 end) end",
        b"local s = ('1'):rep(1e6) for i = 1, 1000 do tonumber(s) end",
        b"local s = ('1'):rep(1e6) for i = 1, 1000 do tonumber(s, 36) end",
        b"local s = ('1'):rep(1e6) for i = 1, 1000 do math.sin(s) end",
        b"local s = ('1'):rep(1e6) for i = 1, 1000 do for j = 1, 0, s do end end",
        b"local s = ('1'):rep(1e6) for i = 1, 1000 do bit.band(s) end",
        b"local s, t = ('1'):rep(1e6), ('1'):rep(1e6) for i = 1, 1000 do rawequal(s, t) end",
        b"('x'):rep(8e6):upper()",
        b"('x'):rep(8e6):lower()",
        b"('x'):rep(8e6):reverse()",
        b"('%q'):format(('x'):rep(8e6))",
        b"(('%%'):rep(8e6)):format()",
        b"(('x%%'):rep(8e6)):format()",
        b"local t = {} local v = t[('x'):rep(8e6)]",
        b"local t = {} t[('x'):rep(8e6)] = 1",
        b"local v = _G[('x'):rep(8e6)]",
        b"rawget({}, ('x'):rep(8e6))",
        b"rawset({}, ('x'):rep(8e6), 1)",
        b"next({}, ('x'):rep(8e6))",
        b"cmsgpack.unpack(cmsgpack.pack({[('x'):rep(8e6)] = 1}))",
        b"('x'):rep(8e6):gsub('.+', {})",
        b"('x'):rep(8):gsub('x', ('%%'):rep(1e6))",
        b"struct.size(('i'):rep(8e6))",
        b"struct.pack(('x'):rep(8e6))",
        b"struct.unpack(('x'):rep(8e6), ('x'):rep(8e6))",
        b"local t = {} for i = 1, 3e5 do t[i] = i end while true do table.maxn(t) end",
        b"local s, t = ('x'):rep(8e6), ('x'):rep(8e6) .. 'y' for i = 1, 1000 do local x = s < t end",
        b"cjson.encode(('x'):rep(4e6))",
        b"cjson.encode({1, {a = ('\\n'):rep(4e6)}})",
        b"cjson.encode({[('x'):rep(4e6)] = 1})",
        b"cjson.decode('\"' .. ('x'):rep(4e6) .. '\"')",
        b"cjson.decode('[\"' .. ('\\\\n'):rep(2e6) .. '\"]')",
        b"cjson.decode((' '):rep(4e6) .. '1')",
        b"cjson.decode('[' .. (' '):rep(4e6) .. ']')",
        b"cjson.decode('{\"a\"' .. ('\\n'):rep(4e6) .. ':1}')",
        b"cjson.decode('[1]' .. (' '):rep(4e6))",
        b"cjson.decode(('1'):rep(4e6))",
        b"cjson.decode('[0x.' .. ('1'):rep(4e6) .. ']')",
        b"cjson.decode('nan(' .. ('1'):rep(4e6) .. ')')",
    ];
    let mut hasty = Vec::new();
    for source in scripts {
        let mut lua = Lua::new(64 << 20);
        lua.enter(lib::open);
        let function = lua.load(source, b"@t").expect("it compiles");
        lua.start(function);
        if let Some(slice) = (0..50).find(|_| lua.resume(&mut NoHost, 2000) != Step::Paused) {
            hasty.push(format!("{} in slice {slice}", String::from_utf8_lossy(source)));
        }
    }
    assert!(hasty.is_empty(), "{}", hasty.join("\n"));
}

/// A key that takes several slices to be looked up does not let its line begin again.
#[test]
fn a_line_with_a_long_key_begins_once() {
    let source =
        b"local t, key = {}, ('x'):rep(1e6)\nt[key] = 1\nlocal v = t[('x'):rep(1e6)]\nreturn v";
    let mut lua = Lua::new(64 << 20);
    lua.enter(lib::open);
    let function = lua.load(source, b"@t").expect("it compiles");
    lua.start(function);
    let stops = Stops { every_line: true, ..Stops::default() };
    lua.enter(|machine| machine.set_stops(b"@t", Some(stops)));
    let (mut lines, mut pauses) = (Vec::new(), 0);
    loop {
        match lua.resume(&mut NoHost, 1000) {
            Step::Paused => pauses += 1,
            Step::Stopped => lines.push(lua.enter(|machine| machine.levels()[0].line)),
            step => break assert_eq!(step, Step::Finished),
        }
    }
    assert_eq!(lines, [1, 2, 3, 4]);
    assert!(pauses > 20, "{pauses} pauses");
    assert_eq!(lua.enter(|machine| display(machine.slot(0))), b"1");
}

/// A replacement that would be larger than the memory is refused before it is made.
#[test]
fn a_huge_replacement_is_refused() {
    const LIMIT: usize = 8 << 20;
    let scripts: [&[u8]; 2] = [
        b"return pcall(string.gsub, ('x'):rep(1e5), '.*', ('%0'):rep(1e5))",
        b"return pcall(string.gsub, ('x'):rep(1e5), '(.*)', ('%1'):rep(1e5))",
    ];
    for source in scripts {
        let mut lua = Lua::new(LIMIT);
        lua.enter(lib::open);
        let function = lua.load(source, b"@t").expect("it compiles");
        lua.start(function);
        while lua.resume(&mut NoHost, 2000) == Step::Paused {}
        let message = lua.enter(|machine| display(machine.slot(1)));
        assert_eq!(message, b"not enough memory");
    }
}

/// A large heap is collected bit by bit while the script changes it: nothing that it can reach is lost, weak tables forget
/// what is gone before the script looks, and garbage does not pile up.
#[test]
fn a_large_heap_is_collected_while_it_changes() {
    let mut lua = Lua::new(64 << 20);
    lua.enter(lib::open);
    let source = b"local kept, weak, named = {}, setmetatable({}, {__mode = 'kv'}), setmetatable({}, {__mode = 'k'}) \
        for i = 1, 120000 do kept[i] = {i, {i}, name = 'n' .. i} end \
        local wrong, random = 0, 7 \
        local function next_random() random = (random * 16807) % 2147483647 return random % 120000 + 1 end \
        local co = coroutine.wrap(function() local own = {} while true do for i = 1, 50 do own[i] = {i} end coroutine.yield(own) end end) \
        for i = 1, 400000 do \
            local a, b = next_random(), next_random() \
            kept[a], kept[b] = kept[b], kept[a] \
            local old = kept[a] \
            kept[a] = {old[1], old[2], name = old.name} \
            if i % 7 == 0 then weak[i % 1000] = kept[b] weak[kept[b]] = i named[old] = {i} end \
            if i % 5000 == 0 then \
                for _, object in pairs(weak) do if type(object) == 'table' and object[2][1] ~= object[1] then wrong = wrong + 1 end end \
                for object, value in pairs(named) do if object.name ~= 'n' .. object[1] or value[1] % 7 ~= 0 then wrong = wrong + 1 end end \
                for j, item in ipairs(co()) do if item[1] ~= j then wrong = wrong + 1 end end \
            end \
        end \
        local seen = 0 \
        for i = 1, 120000 do if kept[i].name == 'n' .. kept[i][1] and kept[i][2][1] == kept[i][1] then seen = seen + 1 end end \
        return wrong, seen";
    let function = lua.load(source, b"@t").expect("it compiles");
    lua.start(function);
    let mut most = 0;
    while lua.resume(&mut NoHost, 700) == Step::Paused {
        most = most.max(lua.memory());
    }
    let shown =
        lua.enter(|machine| (0..2).map(|slot| display(machine.slot(slot))).collect::<Vec<_>>());
    assert_eq!(shown, [&b"0"[..], b"120000"]);
    assert!(most > 16 << 20, "{most} is not large");
    assert!(most < 65 << 20, "{most} is too much");
}

/// Compiled code is memory like other memory, while it is compiled and as long as it is kept.
#[test]
fn code_counts_as_memory() {
    const LIMIT: usize = 8 << 20;
    let mut lua = Lua::new(LIMIT);
    lua.enter(lib::open);
    let source = b"local large = ('f\"\"'):rep(1e6) local kept = {} \
        local ok, why = pcall(loadstring, large) large = nil \
        local fine, why2 = pcall(function() \
            for i = 1, 1e9 do kept[i] = loadstring(('x = 1 '):rep(5000), '=kept') end end) \
        local count = #kept kept = nil return why, why2, count, type(loadstring('return 1'))";
    let function = lua.load(source, b"@t").expect("it compiles");
    lua.start(function);
    while lua.resume(&mut NoHost, 1000) == Step::Paused {}
    let shown =
        lua.enter(|machine| (0..4).map(|slot| display(machine.slot(slot))).collect::<Vec<_>>());
    assert_eq!(shown[..2], [&b"not enough memory"[..]; 2]);
    assert_eq!(shown[3], b"function");
    // 10,000 instructions each, of twelve bytes at least. The last one may go beyond the limit.
    let kept: usize = String::from_utf8_lossy(&shown[2]).parse().expect("it is a count");
    assert!((30..=LIMIT / 120_000 + 1).contains(&kept), "{kept}");
}

/// The host may collect all garbage while a script waits for that.
#[test]
fn garbage_is_collected_once() {
    let source = b"local kept = {} for i = 1, 20000 do kept[i] = {i} end \
        for i = 1, 14 do kept[i] = #string.rep('x', 5000000) end kept = nil collectgarbage() return 5";
    for turn in (0..200).step_by(7) {
        let mut lua = Lua::new(16 << 20);
        lua.set_small_heap(1 << 20);
        lua.enter(lib::open);
        let function = lua.load(source, b"@t").expect("it compiles");
        lua.start(function);
        let mut slices = 0;
        while lua.resume(&mut NoHost, 2000) == Step::Paused {
            slices += 1;
            if slices == turn {
                lua.collect();
            }
        }
        assert_eq!(lua.enter(|machine| display(machine.slot(0))), b"5");
    }
}

/// Rubbish of every kind, for as long as it likes, stays within the limit; what does not fit is an error like others.
#[test]
fn the_heap_stays_within_its_limit() {
    const LIMIT: usize = 8 << 20;
    let mut lua = Lua::new(LIMIT);
    lua.enter(lib::open);
    let source = b"local kept = {} for i = 1, 60000 do local t = {i, tostring(i), {x = i}} t.f = function() return t end \
        kept[i % 500] = t local s = ('x'):rep(i % 300) .. i local c = coroutine.wrap(function() coroutine.yield(s) end) c() end \
        local ok, why = pcall(function() local all = {} for i = 1, 1e9 do all[i] = {i} end end) \
        local list = setmetatable({}, {__mode = 'v'}) for i = 1, 20000 do list[i] = {} end \
        local fine, why2 = pcall(string.rep, 'x', 1e8) \
        return why, why2, pcall(string.rep, 'x', 100)";
    let function = lua.load(source, b"@t").expect("it compiles");
    lua.start(function);
    let mut most = 0;
    let mut step = Step::Paused;
    while step == Step::Paused {
        step = lua.resume(&mut NoHost, 1000);
        most = most.max(lua.memory());
    }
    let shown =
        lua.enter(|machine| (0..3).map(|slot| display(machine.slot(slot))).collect::<Vec<_>>());
    assert_eq!(step, Step::Finished);
    assert_eq!(shown, [&b"not enough memory"[..], b"not enough memory", b"true"]);
    // A slice may make as much again before the collector is asked.
    assert!(most < 2 * LIMIT, "{most}");
}
