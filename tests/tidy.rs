//! Holds the invariants that `src/lib.rs` states, over the source text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// `(words, where they may stand, why)`: nowhere else in src/ does the code name them. A place is a path or a folder.
const ONLY_THERE: &[(&[&str], &[&str], &str)] = &[
    (
        &["wasm_bindgen", "js_sys", "web_sys", "serde_wasm_bindgen"],
        &["src/wasm.rs"],
        "one file knows JavaScript",
    ),
    (
        &[
            "std::fs",
            "std::net",
            "std::thread",
            "std::process",
            "std::env::var",
            "std::env::args",
            "std::io",
            "std::time",
        ],
        &["src/bin/"],
        "the core has no clock and no input or output of its own",
    ),
    (
        &["HashMap", "HashSet", "RandomState::new"],
        &[],
        "no reply may depend on a random order: use ordered::Ordered or keyspace::dict, or say \"never iterated\" above",
    ),
    (
        &[
            "BTreeMap",
            "BTreeSet",
            "BinaryHeap",
            "sort_by",
            "sort_by_key",
            "sort_unstable",
            "sort_unstable_by",
        ],
        &["src/bin/"],
        "every kind of map and every sort is kilobytes of code in the browser: use ordered or keyspace::dict",
    ),
    (&["crate::cli"], &["src/cli/", "src/wasm.rs"], "only cli/ makes text for people"),
    (&["crate::wasm"], &[], "the door is not used from inside"),
];

/// `(folder, crate modules that it may name, why)`. `lua/` is a package of its own, which names nothing else.
const KNOWS_ONLY: &[(&str, &[&str], &str)] = &[
    (
        "src/value/",
        &["value", "number", "keyspace::dict"],
        "value/ knows no commands and no replies",
    ),
    ("src/keyspace/", &["keyspace", "value", "error", "number"], "the keyspace knows no commands"),
    (
        "src/cli/",
        &["cli", "split", "resp", "command", "number", "ordered", "error", "server"],
        "the terminal's manners need replies, the command table and the server's door",
    ),
];

/// The codes with which Redis's errors begin; a text that starts so is an error text and stands in src/error.rs.
const ERROR_CODES: &[&str] = &[
    "ERR",
    "WRONGTYPE",
    "NOSCRIPT",
    "BUSY",
    "BUSYKEY",
    "BUSYGROUP",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
    "NOPROTO",
    "EXECABORT",
    "OOM",
    "READONLY",
    "NOREPLICAS",
    "MISCONF",
    "UNKILLABLE",
    "NOTBUSY",
    "NOGROUP",
    "LOADING",
    "MASTERDOWN",
    "CROSSSLOT",
    "UNBLOCKED",
    "NOTREADY",
];

/// Where `unsafe` may stand; each block says why it is sound in a SAFETY comment.
const UNSAFE_IN: &[&str] = &["src/lua/"];

/// A file with more lines than this, unit tests and command table not counted, says why: `//! Long because ...`.
const LONG: usize = 600;

#[test]
fn modules_open_with_what_they_define() {
    for file in rust_files("src") {
        complain_unless(
            file.text.starts_with("//! "),
            &file,
            1,
            "a module opens with a `//!` sentence",
        );
    }
    finish();
}

#[test]
fn names_stand_only_where_they_may() {
    for file in rust_files("src") {
        let code = Code::of(&file.text);
        for (words, places, why) in ONLY_THERE {
            if places.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            for (number, line) in code.lines() {
                let found = words.iter().find(|word| names(line, word));
                let said = line_above(&file.text, number).ends_with("never iterated.");
                complain_unless(
                    found.is_none() || said,
                    &file,
                    number,
                    &format!("{found:?}: {why}"),
                );
            }
        }
    }
    finish();
}

#[test]
fn layers_know_only_what_lies_below() {
    for file in rust_files("src") {
        let code = Code::of(&file.text);
        for (folder, known, why) in KNOWS_ONLY {
            if !file.path.starts_with(folder) {
                continue;
            }
            for (number, line) in code.lines() {
                for (at, _) in line.match_indices("crate::") {
                    let path = &line[at + "crate::".len()..];
                    let allowed = known.iter().any(|module| {
                        path.strip_prefix(module).is_some_and(|rest| !rest.starts_with(is_word))
                    });
                    complain_unless(allowed, &file, number, &format!("crate::{path}: {why}"));
                }
            }
        }
    }
    finish();
}

#[test]
fn error_texts_stand_in_error_rs() {
    for file in rust_files("src") {
        if file.path == "src/error.rs" {
            continue;
        }
        for (number, literal) in &Code::of(&file.text).literals {
            let code = ERROR_CODES.iter().find(|code| {
                let text = literal.trim_start_matches('-');
                text.strip_prefix(**code)
                    .is_some_and(|rest| rest.starts_with(' ') && rest.len() > 1)
            });
            complain_unless(
                code.is_none(),
                &file,
                *number,
                &format!("the error text {literal:?} belongs into src/error.rs"),
            );
        }
    }
    finish();
}

#[test]
fn unsafe_code_has_its_place_and_its_reason() {
    for file in rust_files("src") {
        let code = Code::of(&file.text);
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in code.lines() {
            if !names(line, "unsafe") {
                continue;
            }
            let placed = UNSAFE_IN.iter().any(|place| file.path.starts_with(place));
            complain_unless(
                placed,
                &file,
                number,
                "unsafe code outside of Lua's values, tables and loop",
            );
            let above = &lines[number.saturating_sub(12)..number];
            let reasoned =
                above.iter().any(|line| line.contains("SAFETY") || line.contains("# Safety"));
            complain_unless(reasoned, &file, number, "unsafe code without a SAFETY comment");
        }
    }
    finish();
}

#[test]
fn long_files_say_why() {
    for file in rust_files("src") {
        let lines = lines_that_count(&file.text);
        let says = file.text.lines().any(|line| line.starts_with("//! Long because "));
        complain_unless(
            lines <= LONG || says,
            &file,
            lines,
            "a longer file needs `//! Long because ...`, or a cut",
        );
        complain_unless(lines > LONG || !says, &file, 1, "is no longer long: take the excuse out");
    }
    finish();
}

/// Lines without unit tests and without the table on top of a family, which is data.
fn lines_that_count(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    let mut in_table = false;
    let mut count = 0;
    for line in code.lines() {
        in_table |= line.starts_with("pub const COMMANDS: &[") && !line.ends_with("];");
        count += usize::from(!in_table);
        in_table &= line != "];";
    }
    count
}

#[test]
fn what_is_left_to_do_has_a_reason() {
    let todo = ["TO", "DO"].concat();
    let fixme = ["FIX", "ME"].concat();
    for file in text_files() {
        for (number, line) in numbered(&file.text) {
            let reason = line
                .split_once(&todo)
                .map(|(_, rest)| rest.trim_start_matches([':', '(', ' ']).len());
            complain_unless(
                reason.is_none_or(|length| length > 20),
                &file,
                number,
                "a mark of something to do without a reason",
            );
            complain_unless(!line.contains(&fixme), &file, number, "mend it, or write an issue");
        }
    }
    finish();
}

/// The tree is anybody's: no file names a folder of one machine.
#[test]
fn no_file_names_a_path_of_one_machine() {
    let private = ["/home/", "/root/", "/Users/", "/tmp/", "/work", "/mnt/"];
    for file in text_files() {
        if file.path == "tests/tidy.rs" {
            continue;
        }
        for (number, line) in numbered(&file.text) {
            let found = private.iter().find(|path| {
                line.match_indices(**path).any(|(at, _)| {
                    !line[..at].ends_with(|before: char| {
                        before.is_alphanumeric() || "._-*}/".contains(before)
                    })
                })
            });
            complain_unless(found.is_none(), &file, number, &format!("names {found:?}"));
        }
    }
    finish();
}

/// The code map in `src/lib.rs` names every file and folder of src/, and nothing that is not there.
#[test]
fn the_code_map_is_true() {
    let lib = read("src/lib.rs");
    let map: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
        .filter_map(|line| line.split('`').next())
        .map(str::to_owned)
        .collect();
    let mut tree = BTreeSet::new();
    for entry in sorted_entries(Path::new("src")) {
        let name =
            entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match name.as_str() {
            "lib.rs" => {}
            "bin" => tree.extend(sorted_entries(&entry).iter().map(|file| {
                format!(
                    "bin/{}",
                    file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default()
                )
            })),
            _ if entry.is_dir() => drop(tree.insert(format!("{name}/"))),
            _ => drop(tree.insert(name)),
        }
    }
    assert_eq!(map, tree, "left: the code map of src/lib.rs; right: src/");
}

/// A folder earns its place by three files.
#[test]
fn folders_hold_three_files_or_more() {
    let mut folders = BTreeSet::new();
    for file in rust_files("src") {
        folders.extend(Path::new(&file.path).parent().map(Path::to_path_buf));
    }
    for folder in folders {
        let known = ["src/bin", "src/keyspace", "src/script", "src/cli"]
            .iter()
            .any(|known| folder == Path::new(known));
        let entries = sorted_entries(&folder).len();
        assert!(known || entries >= 3, "{} holds {entries} files", folder.display());
    }
    let vague = ["utils", "helpers", "misc", "common", "util", "manager"];
    for file in rust_files("src") {
        let found = file.path.split(['/', '.']).find(|part| vague.contains(part));
        complain_unless(found.is_none(), &file, 1, "a name that says nothing");
    }
    finish();
}

#[test]
fn every_dependency_has_a_reason_and_one_version() {
    let manifest = read("Cargo.toml");
    let mut inside = false;
    let mut reasoned = false;
    for (number, line) in numbered(&manifest) {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
            reasoned = false;
        } else if line.starts_with('#') {
            reasoned = true;
        } else if inside && line.contains(" = ") {
            assert!(reasoned, "Cargo.toml:{number}: {line}: a dependency has a reason above it");
        } else if line.is_empty() {
            reasoned = false;
        }
    }

    let package: Vec<String> =
        read("package.json").lines().map(|line| line.trim().to_owned()).collect();
    let quoted =
        |line: &str, at: usize| line.split('"').nth(at).map(str::to_owned).unwrap_or_default();
    let start =
        |name: &str| package.iter().position(|line| line.starts_with(&format!("\"{name}\": {{")));
    let block = |name: &str| -> Vec<(String, String)> {
        let Some(start) = start(name) else { return Vec::new() };
        let lines = package[start + 1..].iter().take_while(|line| !line.starts_with('}'));
        lines.map(|line| (quoted(line, 1), quoted(line, 3))).collect()
    };
    let reasons = block("//");
    let wanted: Vec<(String, String)> =
        block("dependencies").into_iter().chain(block("devDependencies")).collect();
    assert!(wanted.len() >= 3, "package.json is not read well: {wanted:?}");
    for (name, version) in &wanted {
        assert!(
            reasons.iter().any(|(reason, _)| reason == name),
            "package.json: {name} has no reason under \"//\""
        );
        assert!(
            version.starts_with(|first: char| first.is_ascii_digit()),
            "package.json: {name} {version} is not exact"
        );
    }

    let version = |path: &str, line: &str| {
        let text = read(path);
        let found = text
            .lines()
            .find(|candidate| candidate.starts_with(line))
            .unwrap_or_default()
            .to_owned();
        found
            .rsplit('"')
            .nth(1)
            .map(|version| version.trim_start_matches('=').to_owned())
            .unwrap_or_default()
    };
    assert_eq!(
        version("Cargo.toml", "wasm-bindgen ="),
        version("tools/Cargo.toml", "version ="),
        "the wasm-bindgen command must have the library's version"
    );
}

/// What README.md names is there: files, commands of ./x.
#[test]
fn the_readme_is_true() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 120, "README.md is one page");
    let script = read("x");
    for (number, line) in numbered(&readme) {
        for (at, _) in line.match_indices("](") {
            let link = line[at + 2..].split(')').next().unwrap_or_default();
            if !link.contains("://") && !link.starts_with('#') {
                assert!(Path::new(link).exists(), "README.md:{number}: there is no {link}");
            }
        }
        for (at, _) in line.match_indices("./x ") {
            let command: String =
                line[at + 4..].chars().take_while(char::is_ascii_alphabetic).collect();
            assert!(
                script.contains(&format!("\n  {command})")),
                "README.md:{number}: ./x knows no '{command}'"
            );
        }
    }
}

// ---- the source text ---------------------------------------------------------------------------------------------

struct File {
    /// With `/`, from the top of the tree.
    path: String,
    text: String,
}

/// A Rust file taken apart: its code without comments, literals and the module `tests`, and its string literals.
struct Code {
    code: String,
    literals: Vec<(usize, String)>,
}

impl Code {
    fn of(text: &str) -> Code {
        let text = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        let bytes = text.as_bytes();
        let mut code = String::new();
        let mut literals = Vec::new();
        let mut at = 0;
        let mut line = 1;
        while at < bytes.len() {
            let rest = &text[at..];
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else if rest.starts_with('"') {
                let end = string_end(rest.as_bytes());
                literals.push((line, rest[1..end - 1].to_owned()));
                end
            } else if let Some(hashes) = raw_string(text, at) {
                let close = format!("\"{}", "#".repeat(hashes));
                let open = hashes + 2;
                let end = rest[open..].find(&close).map_or(rest.len(), |end| open + end);
                literals.push((line, rest[open..end].to_owned()));
                (end + close.len()).min(rest.len())
            } else if rest.starts_with('\'') {
                char_length(rest)
            } else {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                code.push_str(&rest[..length]);
                line += usize::from(rest.starts_with('\n'));
                at += length;
                continue;
            };
            let newlines = rest[..length].matches('\n').count();
            line += newlines;
            code.push(' ');
            code.push_str(&"\n".repeat(newlines));
            at += length;
        }
        Code { code, literals }
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.code)
    }
}

/// The length of a string literal with both of its quotes.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The number of hashes if a raw string starts here.
fn raw_string(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].strip_prefix('r')?;
    let before = text[..at].chars().next_back();
    if before.is_some_and(|before| is_word(before) && before != 'b') {
        return None;
    }
    let hashes = rest.bytes().take_while(|&byte| byte == b'#').count();
    (rest.as_bytes().get(hashes) == Some(&b'"')).then_some(hashes)
}

/// The length of a character literal, or of the quote alone where it starts a lifetime.
fn char_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |end| end + 4),
        Some((at, one)) if rest[at + one.len_utf8()..].starts_with('\'') => at + one.len_utf8() + 1,
        _ => 1,
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether a line of code has the word, not as a part of another.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word)
    })
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(number, line)| (number + 1, line))
}

fn line_above(text: &str, number: usize) -> &str {
    numbered(text).find(|(above, _)| above + 1 == number).map_or("", |(_, line)| line)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rust_files(folder: &str) -> Vec<File> {
    let mut files = Vec::new();
    collect(Path::new(folder), &mut files);
    files.retain(|file| {
        Path::new(&file.path).extension().is_some_and(|extension| extension == "rs")
    });
    assert!(files.len() > 3, "{folder} is not read well");
    files
}

/// Every text of the tree but what tools wrote.
fn text_files() -> Vec<File> {
    let mut files = Vec::new();
    for entry in sorted_entries(Path::new(".")) {
        let name =
            entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !["target", "dist", "node_modules", ".git"].contains(&name.as_str()) {
            collect(entry.strip_prefix(".").unwrap_or(&entry), &mut files);
        }
    }
    files.retain(|file| {
        !file.path.contains("lock")
            && !file.path.contains("/node_modules/")
            && !file.path.starts_with("tests/browser/results")
    });
    assert!(files.iter().any(|file| file.path == "README.md"), "the tree is not read well");
    files
}

fn collect(path: &Path, files: &mut Vec<File>) {
    if path.is_dir() {
        for entry in sorted_entries(path) {
            collect(&entry, files);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        files.push(File { path: path.to_string_lossy().replace('\\', "/"), text });
    }
}

fn sorted_entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    entries
}

thread_local! {
    static COMPLAINTS: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn complain_unless(sound: bool, file: &File, line: usize, what: &str) {
    if !sound {
        COMPLAINTS
            .with_borrow_mut(|complaints| complaints.push(format!("{}:{line}: {what}", file.path)));
    }
}

/// Fails with every complaint of this test, not only the first.
fn finish() {
    let complaints = COMPLAINTS.take();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The scanner itself: what it takes for code, and what for literals.
#[test]
fn code_is_taken_apart() {
    let check = |text: &str, code: &str, literals: &[&str]| {
        let parts = Code::of(text);
        let words: Vec<&str> = parts.code.split_whitespace().collect();
        assert_eq!(words.join(" "), code, "code of {text}");
        let found: Vec<&str> = parts.literals.iter().map(|(_, literal)| literal.as_str()).collect();
        assert_eq!(found, literals, "literals of {text}");
    };
    check("a // b \"c\"\nd", "a d", &[]);
    check("a /* \" */ b", "a b", &[]);
    check(r#"f("x \" // y", b"z");"#, "f( , b );", &[r#"x \" // y"#, "z"]);
    check("g(r#\"a \" b\"#)", "g( )", &["a \" b"]);
    check("for<'a> h('\"', '\\'', 'é')", "for< a> h( , , )", &[]);
    check("let var = r\"q\"; bar\"\"", "let var = ; bar", &["q", ""]);
    check("a\n#[cfg(test)]\nmod tests { unsafe }", "a", &[]);
}
