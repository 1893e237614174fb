//! Starts evalsha-server, our engine behind a real socket, and tells when a server has done all that it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Our server as a process of its own, on a free port; it ends with this value.
pub struct Door {
    pub process: Child,
    pub port: u16,
}

impl Door {
    /// Starts it, and waits until it listens.
    pub fn open(program: &str) -> Door {
        Door::open_with(program, &[])
    }

    /// The same with further command line arguments.
    pub fn open_with(program: &str, arguments: &[String]) -> Door {
        let mut process = Command::new(program)
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        output.read_line(&mut line).expect("it says that it is ready");
        let port = line.trim().strip_prefix("evalsha-server: ready on 127.0.0.1:");
        let port =
            port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("it said {line:?}"));
        Door { process, port }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the threads of a process do: the state of each, and how often it has slept and been interrupted.
type Threads = BTreeMap<String, (String, String)>;

/// Waits until a server has handled all that was sent to it: its threads sleep, and go on sleeping. A script that runs
/// for long has been begun then.
///
/// Nobody has to ask the server, so no client is seen that is not in the transcript.
pub fn settle(process: u32) {
    /// Looks, each a tenth of a millisecond after the other.
    const PATIENCE: usize = 50_000;
    /// Hundredths of a second, which no other command than a script takes.
    const LONG: u64 = 2;
    let Some(start) = processor_time(process) else {
        std::thread::sleep(Duration::from_millis(20));
        return;
    };
    let mut before = None;
    for _ in 0..PATIENCE {
        let Some(threads) = threads(process) else { return };
        if threads.values().any(|(state, _)| state == "Z") {
            return;
        }
        let asleep = threads.values().all(|(state, _)| state == "S");
        let threads = Some(threads);
        if asleep && threads == before {
            return;
        }
        if processor_time(process).is_none_or(|now| now >= start + LONG) {
            return;
        }
        before = threads;
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The processor's time that the main thread has had, in hundredths of a second.
fn processor_time(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/task/{process}/stat")).ok()?;
    // The name in parentheses may have spaces.
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

fn threads(process: u32) -> Option<Threads> {
    let mut threads = Threads::new();
    for entry in std::fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten() {
        // One that has ended in the meantime is the same as one that is not there.
        let Ok(text) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let state = of("State:").chars().take(1).collect();
        let switches = of("voluntary_ctxt_switches:") + "+" + &of("nonvoluntary_ctxt_switches:");
        threads.insert(entry.file_name().to_string_lossy().into_owned(), (state, switches));
    }
    Some(threads)
}
