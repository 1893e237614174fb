//! Replays what the lessons show by our engine and by the real server: each lesson alone, and the course in order.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::engine::Engine;
use common::socket::RealPlayer;
use common::transcript::{Player, Transcript};
use std::path::PathBuf;

#[test]
fn our_engine_prints_what_the_lessons_show() {
    replay(|| Box::new(Engine::new()));
}

#[test]
fn the_real_server_prints_what_the_lessons_show() {
    if !common::real::is_installed() {
        assert!(std::env::var_os("CI").is_none(), "redis-server is not installed");
        eprintln!("*** NOT PROVED: no lesson was replayed by the real server ***");
        return;
    }
    replay(|| Box::new(RealPlayer::start().expect("it is installed")));
}

fn replay(fresh: impl Fn() -> Box<dyn Player>) {
    let lessons = lessons();
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
