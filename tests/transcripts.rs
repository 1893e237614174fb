//! Replays every transcript by our engine, by the real server, and by our engine behind real sockets.
//!
//! `BLESS=1` first rewrites what is expected, and only from the real server.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::engine::Engine;
use common::socket::{RealPlayer, SocketPlayer};
use common::transcript::{Transcript, all};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;

fn main() {
    let mut arguments = Arguments::from_args();
    let bless = std::env::var_os("BLESS").is_some();
    if bless {
        // One server at a time, so that a rewritten file is never read half written.
        arguments.test_threads = Some(1);
    }
    let mut trials = Vec::new();
    for (name, path) in all("transcripts") {
        let real = format!("real::{name}");
        if common::real::is_installed() {
            let path = path.clone();
            trials.push(Trial::test(real, move || by_the_real_server(&path, bless)));
        } else {
            trials.push(Trial::test(real, not_proved).with_ignored_flag(true));
        }
        #[cfg(feature = "native-door")]
        {
            let path = path.clone();
            trials.push(Trial::test(format!("sockets::{name}"), move || over_sockets(&path)));
        }
        trials.push(Trial::test(format!("engine::{name}"), move || by_our_engine(&path)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Said again at the end, where it is seen.
    if !common::real::is_installed() {
        eprintln!("*** NOT PROVED: no transcript was replayed by the real server ***\n");
    }
    conclusion.exit();
}

fn by_our_engine(path: &Path) -> Result<(), Failed> {
    let transcript = Transcript::read(path);
    let mut player = Engine::with(&transcript.config);
    transcript.replay(&mut player, true).map_err(Failed::from)
}

#[cfg(feature = "native-door")]
fn over_sockets(path: &Path) -> Result<(), Failed> {
    let transcript = Transcript::read(path);
    let program = env!("CARGO_BIN_EXE_evalsha-server");
    let mut player = SocketPlayer::at_door(program, &transcript.config);
    transcript.replay(&mut player, true).map_err(Failed::from)
}

fn by_the_real_server(path: &Path, bless: bool) -> Result<(), Failed> {
    let start = |transcript: &Transcript| {
        RealPlayer::start_with(&transcript.config).expect("it is installed")
    };
    if bless {
        let transcript = Transcript::read(path);
        let blessed = transcript.bless(&mut start(&transcript));
        std::fs::write(path, blessed)?;
    }
    let transcript = Transcript::read(path);
    transcript.replay(&mut start(&transcript), false).map_err(Failed::from)
}

fn not_proved() -> Result<(), Failed> {
    Err("redis-server is not installed".into())
}
