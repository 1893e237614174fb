//! Replays debugging sessions by our terminal and by the real `redis-cli --ldb`, and wants what they print to be equal:
//! the real one debugs on the real server and on evalsha-server.
//!
//! A file has a script, a line `---`, what is typed into the debugger, a line `---`, and all that is printed. Lines
//! before the script that begin with `#` say what it is about; `#: sync` keeps its changes, `#: keys a b , x y` are its
//! keys and arguments; `#: ours` says why only evalsha can do it; with `#: function f` the script is a library, one function
//! of which our terminal debugs. Addresses are not compared. `BLESS=1` rewrites what is printed, and only from the real one.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::real::{Connection, RealServer};
use evalsha::cli::debugger::{Role, role};
use evalsha::cli::session::{Session, State};
use evalsha::server::Server;
use libtest_mimic::{Arguments, Failed, Trial};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn main() {
    let mut arguments = Arguments::from_args();
    let bless = std::env::var_os("BLESS").is_some();
    if bless {
        arguments.test_threads = Some(1);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/debugger");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("it is there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let mut trials = Vec::new();
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = path.clone();
        if common::real::is_installed() {
            let text = std::fs::read_to_string(&path).expect("it is UTF-8");
            if !text.starts_with("#: ours ") {
                trials
                    .push(Trial::test(format!("real::{name}"), move || by_redis_cli(&file, bless)));
            }
        } else {
            eprintln!("*** NOT PROVED: redis-cli did not replay {name} ***");
        }
        #[cfg(feature = "native-door")]
        if common::real::is_installed() {
            let file = path.clone();
            if Case::read(&path).function.is_none() {
                trials.push(Trial::test(format!("sockets::{name}"), move || over_sockets(&file)));
            }
        }
        trials.push(Trial::test(format!("engine::{name}"), move || by_our_terminal(&path)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Times that redis-cli is asked.
const TRIES: usize = 40;

/// A file.
struct Case {
    script: String,
    sync: bool,
    /// The function that is debugged, if the script is a library.
    function: Option<String>,
    /// The keys, a comma, the other arguments.
    arguments: Vec<String>,
    typed: Vec<String>,
    expected: String,
    /// Everything before what is printed.
    head: String,
}

impl Case {
    fn read(path: &Path) -> Case {
        let text = std::fs::read_to_string(path).expect("it is UTF-8");
        let head_end = text.match_indices("---\n").nth(1).expect("it has two lines ---").0 + 4;
        let mut parts = text.splitn(3, "---\n");
        let mut part = || parts.next().unwrap_or_default();
        let (script, typed, expected) = (part(), part(), part());
        let about = |line: &&str| line.starts_with('#') && !line.starts_with("#!");
        let directives: Vec<&str> = script.lines().take_while(about).collect();
        let keys = directives.iter().find_map(|line| line.strip_prefix("#: keys "));
        Case {
            script: script
                .lines()
                .skip_while(about)
                .fold(String::new(), |all, line| all + line + "\n"),
            sync: directives.contains(&"#: sync"),
            function: directives
                .iter()
                .find_map(|line| Some(line.strip_prefix("#: function ")?.into())),
            arguments: keys.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            typed: typed.lines().map(str::to_owned).collect(),
            expected: expected.to_owned(),
            head: text[..head_end].to_owned(),
        }
    }

    /// EVAL with everything behind it, or FCALL.
    fn command(&self) -> Vec<Vec<u8>> {
        let mut keys = self.arguments.split(|word| word == ",");
        let (keys, rest) = (keys.next().unwrap_or_default(), keys.next().unwrap_or_default());
        let mut argv = match &self.function {
            Some(name) => vec!["ldb".to_owned(), "FCALL".to_owned(), name.clone()],
            None => vec!["EVAL".to_owned(), self.script.clone()],
        };
        argv.push(keys.len().to_string());
        argv.extend(keys.iter().chain(rest).cloned());
        argv.into_iter().map(String::into_bytes).collect()
    }
}

fn compare(expected: &str, printed: &str) -> Result<(), Failed> {
    let difference = expected.lines().zip(printed.lines()).position(|(one, other)| one != other);
    if expected == printed {
        return Ok(());
    }
    let line = difference.unwrap_or(expected.lines().count().min(printed.lines().count())) + 1;
    Err(format!("from line {line} on\n~~~ expected\n{expected}\n~~~ printed\n{printed}").into())
}

fn by_our_terminal(path: &Path) -> Result<(), Failed> {
    let case = Case::read(path);
    let clock = common::engine::TestClock::new();
    let mut server = Server::new(1, Box::new(clock.clone()));
    let mut session = Session::open(&mut server);
    let mut printed = Vec::new();
    let mut outputs = Vec::new();
    if case.function.is_some() {
        let load = ["FUNCTION", "LOAD", &case.script].map(|word| word.as_bytes().to_vec());
        session.send_arguments(&mut server, load.to_vec());
        // Words of the terminal are typed.
        outputs.push(session.send(&mut server, &case.command().join(&b' ')));
    } else {
        let mode = if case.sync { "SCRIPT DEBUG SYNC" } else { "SCRIPT DEBUG YES" };
        session.send(&mut server, mode.as_bytes());
        outputs.push(session.send_arguments(&mut server, case.command()));
    }
    let mut typed = case.typed.iter();
    loop {
        for output in outputs.drain(..) {
            let lines = output.text.split(|byte| *byte == b'\n');
            for (line, found) in lines.zip(&output.roles) {
                assert!(*found == Role::Plain || *found == role(line), "{line:?} is {found:?}");
            }
            printed.extend_from_slice(&output.text);
        }
        if session.state() == State::Waiting {
            clock.advance(std::time::Duration::from_millis(50));
            server.run(100_000);
            outputs.extend(session.take(&mut server));
        } else if let Some(line) = typed.next() {
            outputs.push(session.send(&mut server, line.as_bytes()));
        } else {
            break;
        }
    }
    compare(&case.expected, &masked(&String::from_utf8_lossy(&printed)))
}

fn by_redis_cli(path: &Path, bless: bool) -> Result<(), Failed> {
    let case = Case::read(path);
    let real = RealServer::start().expect("it is installed");
    let printed = ask(&case, real.connect(), "-s", &real.socket().to_string_lossy(), bless)?;
    if bless {
        std::fs::write(path, format!("{}{printed}", case.head))?;
        return Ok(());
    }
    compare(&case.expected, &printed)
}

/// The real redis-cli debugs on our server.
#[cfg(feature = "native-door")]
fn over_sockets(path: &Path) -> Result<(), Failed> {
    let case = Case::read(path);
    let door = common::door::Door::open(env!("CARGO_BIN_EXE_evalsha-server"));
    let flush = Connection::open_tcp(door.port);
    compare(&case.expected, &ask(&case, flush, "-p", &door.port.to_string(), false)?)
}

/// What redis-cli prints at a server, which is made empty before.
fn ask(
    case: &Case,
    mut flush: Connection,
    option: &str,
    address: &str,
    bless: bool,
) -> Result<String, Failed> {
    let folder = tempfile();
    let script = folder.join("script.lua");
    std::fs::write(&script, &case.script)?;
    // redis-cli loses the end of a session if the server closes the connection too soon: then it is asked again.
    let mut printed = String::new();
    for _ in 0..TRIES {
        flush.call(&["FLUSHALL"]);
        let output = debug(case, option, address, &script)?;
        let output = masked(&without_colours(&String::from_utf8_lossy(&output)));
        if output.len() > printed.len() {
            printed = output;
        }
        if !bless && printed == case.expected {
            break;
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(printed)
}

/// What redis-cli prints.
fn debug(case: &Case, option: &str, address: &str, script: &Path) -> std::io::Result<Vec<u8>> {
    let mut child = Command::new("redis-cli")
        .args([option, address])
        .arg(if case.sync { "--ldb-sync-mode" } else { "--ldb" })
        .arg("--eval")
        .arg(script)
        .args(&case.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let typed: String = case.typed.iter().fold(String::new(), |all, line| all + line + "\n");
    child.stdin.take().expect("it is piped").write_all(typed.as_bytes())?;
    Ok(child.wait_with_output()?.stdout)
}

/// A new folder.
fn tempfile() -> PathBuf {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("evalsha-debugger-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("there is room");
    folder
}

/// Takes redis-cli's colours away; each must be that of the line's role.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        let Some(rest) = line.strip_prefix("\u{1b}[") else {
            plain.push_str(line);
            continue;
        };
        let (colour, rest) = rest.split_once('m').expect("a colour ends");
        let bare = rest.replace("\u{1b}[0m", "");
        let expected = match role(bare.as_bytes()) {
            Role::Plain => "0;37;49",
            Role::Debug | Role::Hint | Role::Breakpoint => "1;37;49",
            Role::Command => "0;32;49",
            Role::Reply => "0;36;49",
            Role::Error => "0;31;49",
            Role::Value => "0;35;49",
            Role::Current => "0;33;49",
        };
        assert_eq!(colour, expected, "the colour of {bare}");
        plain.push_str(&bare);
    }
    plain
}

/// Addresses differ from run to run.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("@0x") {
        out.push_str(before);
        out.push_str("@0x...");
        rest = behind.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
    }
    out.push_str(rest);
    out
}
