//! Compares the pure parts of Lua's library (patterns, reading and printing numbers) with `lua5.1` on random input.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::format_collect)]

use evalsha::lua::format::Spec;
use evalsha::lua::number::{format_number, parse_integer, parse_number};
use evalsha::lua::pattern::{Capture, Matcher, Step};
use std::fmt::Write;
use std::process::Command;

/// Random numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn bits(&mut self) -> u64 {
        (self.below(1 << 30) as u64) << 40
            ^ (self.below(1 << 30) as u64) << 17
            ^ self.below(1 << 30) as u64
    }
}

/// A Lua literal of these bytes.
fn literal(bytes: &[u8]) -> String {
    bytes.iter().fold("\"".to_owned(), |text, byte| text + &format!("\\{byte:03}")) + "\""
}

/// Runs a program with `lua5.1`; its lines of output, if it is installed.
fn lua(name: &str, program: &str) -> Option<Vec<String>> {
    let file = std::env::temp_dir().join(format!("evalsha-{name}-{}.lua", std::process::id()));
    std::fs::write(&file, program).unwrap();
    let output = Command::new("lua5.1").arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    let Ok(output) = output else {
        assert!(std::env::var_os("CI").is_none(), "lua5.1 is not installed");
        eprintln!("NOT COMPARED: lua5.1 is not installed, so the {name} test proves nothing");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn compare(name: &str, program: &str, ours: &[(String, String)]) {
    let Some(theirs) = lua(name, program) else { return };
    assert_eq!(theirs.len(), ours.len());
    let mut wrong = String::new();
    for ((input, ours), theirs) in ours.iter().zip(theirs) {
        if *ours != theirs {
            writeln!(wrong, "{input}\n  lua5.1: {theirs}\n  ours:   {ours}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Bytes as numbers, for a line of output.
fn codes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte},")).collect()
}

/// What `string.match` gives, printed as the program below prints it.
fn matched(subject: &[u8], pattern: &[u8], random: &mut Random) -> String {
    let mut matcher = Matcher::new(pattern, true);
    let whole = loop {
        let mut fuel = 1 + random.below(20) as i64;
        match matcher.run(subject, pattern, &mut fuel) {
            Step::Paused => {}
            Step::NoMatch => return "nil".to_owned(),
            Step::Error(error) => return error.to_owned(),
            Step::Match(whole) => break whole,
        }
    };
    let mut text = String::new();
    for index in 0..matcher.level().max(1) {
        match matcher.capture(index, &whole) {
            Ok(Capture::Bytes(range)) => text += &format!("s{} ", codes(&subject[range])),
            Ok(Capture::Position(position)) => text += &format!("p{position} "),
            Err(error) => return error.to_owned(),
        }
    }
    text
}

#[test]
fn patterns() {
    const ITEMS: &[&str] = &[
        "a", "b", "a", "b", ".", "%a", "%A", "%d", "%s", "%p", "%w", "%x", "%z", "%c", "%u", "%L",
        "%.", "%%", "[ab]", "[^a]", "[%a]", "[a-]", "[]]", "[^]]", "[%]]", "[a-c1-3]", "[^%s]",
        "[%z\x01]", "(", ")", "()", "(a)", "(.-)", "(%a*)", "%1", "%2", "%b()", "%bab", "%f[a]",
        "%f[%w]", "%f[^a]", "^", "$", "-", "*", "+", "?", "[", "]", "%", "\0", "[a", "%f", "%b",
    ];
    const REPEATS: &[&str] = &["", "", "", "", "*", "+", "-", "?"];
    const LETTERS: &[u8] = b"aaabbbab1 ()]-.%\0A$^\xff\t";
    let mut random = Random(1);
    let mut ours = Vec::new();
    let mut program = "local function t(s, p) local r = {pcall(string.match, s, p)}
        if not r[1] then print((r[2]:gsub('^.-:%d+: ', ''))) return end
        if r[2] == nil then print('nil') return end
        for i = 2, #r do local v = r[i]
            if type(v) == 'number' then io.write('p', v, ' ') else io.write('s', (v:gsub('.', function(c) return c:byte() .. ',' end)), ' ') end
        end print() end\n"
        .to_owned();
    for _ in 0..20_000 {
        let subject: Vec<u8> =
            (0..random.below(13)).map(|_| LETTERS[random.below(LETTERS.len())]).collect();
        let mut pattern = String::new();
        for _ in 0..=random.below(7) {
            pattern += random.pick(ITEMS);
            pattern += random.pick(REPEATS);
        }
        let pattern = pattern.as_bytes();
        writeln!(program, "t({}, {})", literal(&subject), literal(pattern)).unwrap();
        ours.push((
            format!(
                "{:?} by {:?}",
                String::from_utf8_lossy(&subject),
                String::from_utf8_lossy(pattern)
            ),
            matched(&subject, pattern, &mut random),
        ));
    }
    compare("pattern", &program, &ours);
}

/// Doubles of every size, round and crooked.
fn double(random: &mut Random) -> f64 {
    match random.below(8) {
        0 => f64::from_bits(random.bits()),
        1 => random.below(1000) as f64 - 500.0,
        2 => (random.bits() as i64) as f64,
        3 => random.below(1_000_000) as f64 / 1000.0,
        4 => 10f64.powi(random.below(40) as i32 - 20),
        5 => -(random.below(1 << 30) as f64) * 2f64.powi(random.below(120) as i32 - 60),
        6 => [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN, 0.5, 1.5, 2.5]
            [random.below(9)],
        _ => (random.below(200) as f64 - 100.0) / 8.0,
    }
}

/// A Lua expression that is this double to the bit.
fn expression(number: f64) -> String {
    if number.is_nan() {
        // On x86-64 a fresh NaN is negative.
        return if number.is_sign_negative() { "(zero/zero)" } else { "(-(zero/zero))" }.to_owned();
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    format!("({sign}tonumber('{:.17e}'))", number.abs())
}

#[test]
fn printed_numbers() {
    let mut random = Random(2);
    let mut ours = Vec::new();
    let mut program =
        "local zero = 0 local function t(...) print((string.format(...):gsub('%z', '0'))) end\n"
            .to_owned();
    for _ in 0..6_000 {
        let number = double(&mut random);
        writeln!(program, "print({})", expression(number)).unwrap();
        ours.push((
            format!("{number:e}"),
            String::from_utf8_lossy(&format_number(number)).into_owned(),
        ));
    }
    for _ in 0..12_000 {
        let number = double(&mut random);
        let mut format = String::new();
        for _ in 0..random.below(4) {
            format += random.pick(&["-", "+", " ", "#", "0"]);
        }
        if random.below(2) == 0 {
            write!(format, "{}", random.below(40)).unwrap();
        }
        if random.below(2) == 0 {
            format += random.pick(&[".", ".0", ".1", ".2", ".5", ".17", ".30", ".99"]);
        }
        let (spec, length) = Spec::parse(format.as_bytes()).unwrap();
        assert_eq!(length, format.len());
        format += random.pick(&["d", "i", "u", "o", "x", "X", "e", "E", "f", "g", "G", "c"]);
        let printed = match format.as_bytes()[length] {
            b'd' | b'i' => spec.integer(number),
            b'c' => spec.character(number),
            conversion @ (b'u' | b'o' | b'x' | b'X') => spec.unsigned(conversion, number),
            conversion => spec.float(conversion, number),
        };
        if format.ends_with('c') && !printed.iter().all(u8::is_ascii_graphic) {
            continue;
        }
        writeln!(program, "t('%{format}', {})", expression(number)).unwrap();
        ours.push((
            format!("%{format} of {number:e}"),
            String::from_utf8_lossy(&printed).into_owned(),
        ));
    }
    compare("printf", &program, &ours);
}

#[test]
fn read_numbers() {
    const PARTS: &[&str] = &[
        "0x",
        "0X",
        "1",
        "9",
        "007",
        ".",
        "e",
        "E",
        "p",
        "P",
        "+",
        "-",
        " ",
        "\t",
        "inf",
        "nan",
        "(",
        ")",
        "infinity",
        "a",
        "f",
        "FF",
        "5",
        "25",
        "308",
        "324",
        "123456789012345678901234567890",
        "0.000001",
        "\0",
        "_",
        "z",
        "8000000000000000",
        "fffffffffffffbff",
    ];
    let mut random = Random(3);
    let mut ours = Vec::new();
    let mut program = "local function t(...) local n = tonumber(...) print(n and string.format('%.17g', n) or 'nil') end\n".to_owned();
    let exact = Spec { precision: Some(17), ..Spec::default() };
    let print = |number: Option<f64>| match number {
        Some(number) => String::from_utf8_lossy(&exact.float(b'g', number)).into_owned(),
        None => "nil".to_owned(),
    };
    for turn in 0..20_000 {
        let mut text = String::new();
        for _ in 0..=random.below(6) {
            text += random.pick(PARTS);
        }
        if turn % 4 == 0 {
            let base = 2 + random.below(35) as u32;
            writeln!(program, "t({}, {base})", literal(text.as_bytes())).unwrap();
            let number = if base == 10 {
                parse_number(text.as_bytes())
            } else {
                parse_integer(text.as_bytes(), base)
            };
            ours.push((format!("{text:?} in base {base}"), print(number)));
        } else {
            if turn % 4 == 1 {
                text = format!(
                    "0x{:x}.{:x}p{}",
                    random.bits(),
                    random.bits(),
                    random.below(2400) as i32 - 1200
                );
            } else if turn % 4 == 2 {
                text = format!(
                    "{}.{}e{}",
                    random.bits(),
                    random.bits(),
                    random.below(700) as i32 - 350
                );
            }
            writeln!(program, "t({})", literal(text.as_bytes())).unwrap();
            ours.push((format!("{text:?}"), print(parse_number(text.as_bytes()))));
        }
    }
    compare("number", &program, &ours);
}
