//! Makes scripts at random that use cjson: Lua values to encode, JSON texts to decode, some of them damaged.

use evalsha::server::random::Random;

/// Shows a decoded value to the last bit, in the order of `pairs`.
const SHOW: &str = "local out = {} local function show(value) local kind = type(value) \
    if kind == 'table' then out[#out + 1] = '{' for k, v in pairs(value) do show(k) show(v) end out[#out + 1] = '}' \
    elseif kind == 'number' then out[#out + 1] = string.format('%.17g', value) \
    else out[#out + 1] = kind .. tostring(value) end end ";

const NUMBERS: &[&str] = &["2^31", "2^53", "-0", "1e300", "1/3", "-7/64", "1e15"];
const JSON_NUMBERS: &[&str] = &[
    "nan",
    "NaN(1)",
    "-nan",
    "inf",
    "-Infinity",
    "+1",
    "-",
    "0.",
    "-.5",
    "1.e5",
    "1e400",
    "1e-400",
    "007",
    "0x1.8p1",
    "0x",
    "123456789012345678901234567890",
    "4.9e-324",
    "9007199254740993",
    "1E+2",
    "-0",
];
const ESCAPES: &[&str] = &[
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\u00e9",
    "\\u20AC",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\u0000",
    "\\u12",
    "\\x",
];
const SETTINGS: &[&str] = &[
    "encode_sparse_array(true)",
    "encode_sparse_array(false, 0)",
    "encode_sparse_array(false, 3, 2)",
    "encode_sparse_array(false, 2, 10)",
    "encode_number_precision(3)",
    "encode_number_precision(14)",
    "encode_invalid_numbers(true)",
    "encode_invalid_numbers('null')",
    "encode_invalid_numbers(false)",
    "decode_invalid_numbers(false)",
    "decode_invalid_numbers(true)",
    "encode_max_depth(2)",
    "encode_max_depth(1000)",
    "decode_max_depth(2)",
    "decode_max_depth(1000)",
];

/// A script.
pub fn script(random: &mut Random) -> Vec<u8> {
    let script = match random.below(20) {
        0 => format!("cjson.{}", pick(random, SETTINGS)),
        1..9 => format!("return cjson.encode({})", lua_value(random, 4)),
        9 | 10 => format!("return cjson.encode(cjson.decode({}))", quote(&json(random, 5))),
        kind => {
            let mut text = json(random, 4);
            if kind > 13 {
                damage(random, &mut text);
            }
            format!("{SHOW} show(cjson.decode({})) return table.concat(out, ' ')", quote(&text))
        }
    };
    script.into_bytes()
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len() as u64) as usize]
}

/// Bytes as a Lua string.
fn quote(bytes: &[u8]) -> String {
    let escaped = bytes.iter().map(|byte| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b' ' | b'"' | b'[' | b']' | b'{' | b'}' | b':' | b',' => {
            char::from(*byte).to_string()
        }
        _ => format!("\\{byte:03}"),
    });
    format!("'{}'", escaped.collect::<String>())
}

fn bytes(random: &mut Random) -> Vec<u8> {
    match random.below(4) {
        0 => (0..random.below(60)).map(|_| random.below(256) as u8).collect(),
        1 => pick(random, &["", "/", "\"", "\\", "\0", "\x7f", "é"]).as_bytes().to_vec(),
        _ => pick(random, &["a", "b", "abc", "key", "name", "id", "1", "2"]).as_bytes().to_vec(),
    }
}

fn lua_number(random: &mut Random) -> String {
    match random.below(4) {
        0 if random.below(8) == 0 => pick(random, &["1/0", "-1/0", "0/0", "-(0/0)"]).to_owned(),
        0 => pick(random, NUMBERS).to_owned(),
        1 => format!("{}/{}", random.below(2000) as i64 - 1000, random.below(999) + 1),
        _ => (random.below(24) as i64 - 4).to_string(),
    }
}

/// A value of at most so many levels, as Lua source.
fn lua_value(random: &mut Random, levels: usize) -> String {
    if levels == 0 || random.below(2) == 0 {
        return match random.below(10) {
            0..3 => quote(&bytes(random)),
            3..7 => lua_number(random),
            _ if random.below(20) == 0 => "type".to_owned(),
            _ => pick(random, &["true", "false", "nil", "cjson.null", "{}"]).to_owned(),
        };
    }
    let is_list = random.below(2) == 0;
    let fields = (0..random.below(9)).map(|_| {
        let value = lua_value(random, levels - 1);
        match random.below(8) {
            _ if is_list => value,
            0 => format!(
                "[{}] = {value}",
                pick(random, &["1.5", "2^40", "-3", "1/7", "1/0", "true"])
            ),
            1..4 => format!("[{}] = {value}", random.below(14)),
            _ => format!("[{}] = {value}", quote(&bytes(random))),
        }
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

/// A JSON text of at most so many levels.
fn json(random: &mut Random, levels: usize) -> Vec<u8> {
    let mut out = Vec::new();
    write_json(random, levels, &mut out);
    out
}

fn write_json(random: &mut Random, levels: usize, out: &mut Vec<u8>) {
    let space = |random: &mut Random| pick(random, &["", "", "", "", " ", "\n", "\t\r "]);
    out.extend_from_slice(space(random).as_bytes());
    match random.below(8) {
        0 => write_json_string(random, out),
        1 => out.extend_from_slice(random.below(2000).to_string().as_bytes()),
        2 => out.extend_from_slice(pick(random, JSON_NUMBERS).as_bytes()),
        3 => out.extend_from_slice(pick(random, &["true", "false", "null"]).as_bytes()),
        _ if levels == 0 => out.extend_from_slice(b"[]"),
        kind => {
            let is_object = kind > 5;
            out.push(if is_object { b'{' } else { b'[' });
            for place in 0..random.below(9) {
                if place > 0 {
                    out.push(b',');
                }
                if is_object {
                    write_json_string(random, out);
                    out.extend_from_slice(space(random).as_bytes());
                    out.push(b':');
                }
                write_json(random, levels - 1, out);
            }
            out.push(if is_object { b'}' } else { b']' });
        }
    }
    out.extend_from_slice(space(random).as_bytes());
}

fn write_json_string(random: &mut Random, out: &mut Vec<u8>) {
    out.push(b'"');
    for _ in 0..random.below(5) {
        match random.below(8) {
            0 => out.extend_from_slice(pick(random, ESCAPES).as_bytes()),
            1 => out.push(128 + random.below(128) as u8),
            _ => {
                out.extend_from_slice(pick(random, &["a", "b", "id", "name", "0", " "]).as_bytes());
            }
        }
    }
    out.push(b'"');
}

/// Leaves out, adds or changes a byte or two.
fn damage(random: &mut Random, text: &mut Vec<u8>) {
    const BYTES: &[u8] = b"{}[],:\"\\ \0tfnul0-+.x";
    for _ in 0..=random.below(2) {
        let place = random.below(text.len() as u64) as usize;
        let byte = BYTES[random.below(BYTES.len() as u64) as usize];
        match random.below(4) {
            0 if text.len() > 1 => drop(text.remove(place)),
            1 => text.insert(place, byte),
            2 => text[place] = byte,
            _ => text.truncate(place.max(1)),
        }
    }
}
