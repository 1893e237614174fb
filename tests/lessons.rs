//! Replays what the lessons show by our engine and by the real server: each lesson alone, and the course in order.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::engine::Engine;
use common::real::RealServer;
use common::redis_cli::through_pipe;
use common::socket::RealPlayer;
use common::transcript::{Player, Transcript};
use evalsha::cli::debugger::BANNER;
use std::path::PathBuf;

#[test]
fn our_engine_prints_what_the_lessons_show() {
    replay(&lessons(), || Box::new(Engine::new()));
}

#[test]
fn the_real_server_prints_what_the_lessons_show() {
    if !common::real::is_installed() {
        assert!(std::env::var_os("CI").is_none(), "redis-server is not installed");
        eprintln!("*** NOT PROVED: no lesson was replayed by the real server ***");
        return;
    }
    let (debugged, lessons): (Vec<_>, Vec<_>) = lessons().into_iter().partition(debugs);
    replay(&lessons, || Box::new(RealPlayer::start().expect("it is installed")));
    assert!(!debugged.is_empty(), "a lesson is about the debugger");
    for (path, transcript) in debugged {
        let parsed = Transcript::parse(&path, transcript.as_bytes());
        let typed = parsed.steps().filter_map(|step| step.typed.as_deref());
        let lines: Vec<u8> = typed.flat_map(|line| [line, b"\n"].concat()).collect();
        let shown: Vec<u8> = parsed.steps().flat_map(|step| step.expected.clone()).collect();
        // With --ldb redis-cli says how to use the debugger, and without it does not.
        let shown = String::from_utf8(shown).expect("lessons are text").replace(BANNER, "");
        let server = RealServer::start().expect("it is installed");
        let printed = without_colours(&through_pipe(&server, &lines));
        assert_eq!(printed, shown, "{}", path.display());
    }
}

/// Whether a lesson is about the debugger: then redis-cli itself is asked, as only it has that mode.
fn debugs((_, transcript): &(PathBuf, String)) -> bool {
    transcript.contains("> SCRIPT DEBUG")
}

fn without_colours(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).expect("lessons are text");
    let mut parts = text.split("\u{1b}[");
    let plain = parts.next().unwrap_or_default().to_owned();
    parts.fold(plain, |all, part| all + part.split_once('m').map_or(part, |(_, rest)| rest))
}

fn replay(lessons: &[(PathBuf, String)], fresh: impl Fn() -> Box<dyn Player>) {
    assert!(lessons.len() >= 11, "the tutorial's walkthrough has eleven steps");
    let course: String = lessons.iter().map(|(_, transcript)| transcript.as_str()).collect();
    for (path, transcript) in lessons.iter().chain([&(PathBuf::from("the whole course"), course)]) {
        let parsed = Transcript::parse(path, transcript.as_bytes());
        assert!(parsed.steps().next().is_some(), "{} has no command", path.display());
        if let Err(difference) = parsed.replay(&mut *fresh(), false) {
            panic!("{}: {difference}", path.display());
        }
    }
}

/// The lessons in order, each with its redis blocks as one transcript.
fn lessons() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www/lessons");
    let entries = std::fs::read_dir(&folder).expect("www/lessons is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("it can be listed").path().join("README.md")).collect();
    paths.sort();
    let blocks = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("each lesson has a README.md");
        let blocks = text.split("\n```redis\n").skip(1);
        let inside = blocks.map(|rest| rest.split("```").next().unwrap_or(rest));
        let transcript = inside.fold(String::new(), |all, block| all + block + "\n");
        (path, transcript)
    };
    paths.into_iter().map(blocks).collect()
}
