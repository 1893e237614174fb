//! Defines the latency monitor behind LATENCY: for each kind of event, the worst of each second in which there was a
//! slow one.

use super::Server;
use std::collections::VecDeque;

/// Samples that are kept of each kind of event.
const SAMPLES: usize = 160;

/// What has been slow, by kind of event, in the order in which they first were.
#[derive(Default)]
pub struct Monitor(pub Vec<Event>);

/// A kind of event that has been slow.
pub struct Event {
    /// `command`, `fast-command` and the like.
    pub name: &'static str,
    /// Oldest first; there always is one.
    pub samples: VecDeque<Sample>,
    /// The most milliseconds that it ever took.
    pub worst: u64,
}

/// The worst of a second.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Seconds since the epoch.
    pub time: u64,
    /// How long it took.
    pub milliseconds: u64,
}

impl Monitor {
    /// The kind of event of this name, if it has been slow.
    pub fn event(&self, name: &[u8]) -> Option<&Event> {
        self.0.iter().find(|event| event.name.as_bytes() == name)
    }

    fn add(&mut self, name: &'static str, sample: Sample) {
        let place = self.0.iter().position(|event| event.name == name);
        let place = place.unwrap_or_else(|| {
            self.0.push(Event { name, samples: VecDeque::new(), worst: 0 });
            self.0.len() - 1
        });
        let Some(event) = self.0.get_mut(place) else { return };
        event.worst = event.worst.max(sample.milliseconds);
        match event.samples.back_mut() {
            Some(last) if last.time == sample.time => {
                last.milliseconds = last.milliseconds.max(sample.milliseconds);
            }
            _ => {
                if event.samples.len() == SAMPLES {
                    event.samples.pop_front();
                }
                event.samples.push_back(sample);
            }
        }
    }
}

impl Server {
    /// Notes how long something took, if it was slow.
    pub(super) fn note_latency(&mut self, event: &'static str, microseconds: u64) {
        let (limit, milliseconds) =
            (self.config.active.latency_monitor_threshold, microseconds / 1000);
        if limit > 0 && milliseconds >= limit {
            let time = self.clocked / 1_000_000;
            self.latency.add(event, Sample { time, milliseconds });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Clock, Server};
    use std::cell::Cell;

    /// A clock that goes on by so many microseconds with every look at it.
    struct Hurried(Cell<u64>, u64);

    impl Clock for Hurried {
        fn now(&self) -> u64 {
            self.0.set(self.0.get() + self.1);
            self.0.get()
        }
    }

    /// What is watched when every look at the clock takes 200 milliseconds: a sample for each second.
    #[test]
    fn the_worst_of_each_second_is_kept() {
        let mut server = Server::new(1, Box::new(Hurried(Cell::new(1_000_000_000_000), 200_000)));
        let client = server.connect("");
        let mut call = |line: &str| -> Vec<(&'static str, usize)> {
            let argv: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            server.send(client, &argv);
            while server.run(10_000) {}
            server.latency.0.iter().map(|event| (event.name, event.samples.len())).collect()
        };
        let nothing: Vec<(&str, usize)> = Vec::new();
        assert_eq!(call("DBSIZE"), nothing);
        assert_eq!(call("CONFIG SET latency-monitor-threshold 100"), [("command", 1)]);
        assert_eq!(call("GET a"), [("command", 1), ("fast-command", 1)]);
        assert_eq!(
            call("CONFIG SET latency-monitor-threshold 300"),
            [("command", 1), ("fast-command", 1)]
        );
        assert_eq!(call("GET a"), [("command", 1), ("fast-command", 1)]);
        assert_eq!(
            call("CONFIG SET latency-monitor-threshold 200"),
            [("command", 2), ("fast-command", 1)]
        );
        for _ in 0..1000 {
            call("LATENCY LATEST");
        }
        let events = call("LATENCY RESET fast-command");
        assert_eq!(events, [("command", super::SAMPLES)]);
        let command = server.latency.event(b"command").expect("it was slow");
        assert_eq!(command.worst, 200);
        let times: Vec<u64> = command.samples.iter().map(|sample| sample.time).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    }
}
