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
