//! Defines eviction: which keys go when maxmemory is exceeded.
//!
//! As in Redis the choice is made among samples, `maxmemory-samples` of each database, and the best that were seen but not
//! needed are remembered. Keys that expire soonest are known, and so `volatile-ttl` is exact.

use super::notify::Event;
use super::random::Random;
use super::{Millis, Server};
use crate::keyspace::{Database, Entry};
use crate::ordered;

/// Candidates that are remembered.
const POOL: usize = 16;

/// Most keys that go before one command; the others before the next, or as soon as there is time.
const MOST_AT_ONCE: usize = 4096;

/// Random keys that are looked at for one with a deadline, before those that have one are counted through.
const TRIES: usize = 16;

/// `maxmemory-policy`.
#[derive(Clone, Copy, Default)]
pub struct Policy {
    order: Order,
    /// Only keys with a deadline go.
    volatile: bool,
}

/// What makes a key go before others.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    /// No key goes.
    #[default]
    None,
    /// It has not been used for longest.
    Lru,
    /// It is used least often.
    Lfu,
    /// Any key.
    Random,
    /// It expires soonest.
    Ttl,
}

impl Policy {
    /// The policy of this name.
    pub fn parse(name: &[u8]) -> Policy {
        let order = match name.split(|byte| *byte == b'-').nth(1) {
            Some(b"lru") => Order::Lru,
            Some(b"lfu") => Order::Lfu,
            Some(b"random") => Order::Random,
            Some(b"ttl") => Order::Ttl,
            _ => Order::None,
        };
        Policy { order, volatile: name.starts_with(b"volatile") }
    }

    /// It goes by how often keys are used.
    pub fn is_lfu(self) -> bool {
        self.order == Order::Lfu
    }
}

/// Keys that were seen, with what speaks for their going; who goes first is last.
#[derive(Default)]
pub struct Candidates(Vec<(u64, usize, Box<[u8]>)>);

impl Server {
    /// Lets keys go until maxmemory is kept. False if no more can go and it is still exceeded.
    pub(super) fn evict(&mut self) -> bool {
        if !self.is_over_memory() {
            return true;
        }
        let measured = self.config.active.latency_monitor_threshold > 0;
        let start = if measured { self.look() } else { 0 };
        let mut is_kept = true;
        for _ in 0..MOST_AT_ONCE {
            let Some((database, key)) = self.victim() else {
                is_kept = false;
                break;
            };
            let begun = self.clocked;
            self.databases[database].remove(&key);
            if measured {
                let microseconds = self.look().saturating_sub(begun);
                self.note_latency("eviction-del", microseconds);
            }
            self.stats.evicted_keys += 1;
            self.touched(database, &key);
            self.notify(Event::Evicted, "evicted", database, &key);
            if !self.is_over_memory() {
                break;
            }
        }
        if measured {
            let microseconds = self.look().saturating_sub(start);
            self.note_latency("eviction-cycle", microseconds);
        }
        is_kept
    }

    /// The next key that goes.
    fn victim(&mut self) -> Option<(usize, Box<[u8]>)> {
        match self.config.active.policy.order {
            Order::None => None,
            Order::Ttl => {
                let soonest = self.databases.iter().enumerate().filter_map(|(index, database)| {
                    database.soonest().map(|(deadline, key)| (deadline, index, key))
                });
                soonest.min().map(|(_, index, key)| (index, key.into()))
            }
            Order::Random => {
                let places = (0..self.databases.len()).cycle().skip(self.next_database);
                for index in places.take(self.databases.len()) {
                    if let Some((_, key)) = self.samples(index, 1).pop() {
                        self.next_database = (index + 1) % self.databases.len();
                        return Some((index, key));
                    }
                }
                None
            }
            Order::Lru | Order::Lfu => self.best_candidate(),
        }
    }

    fn best_candidate(&mut self) -> Option<(usize, Box<[u8]>)> {
        let mut candidates = std::mem::take(&mut self.candidates).0;
        for index in 0..self.databases.len() {
            for (badness, key) in self.samples(index, self.config.active.maxmemory_samples) {
                if !candidates.iter().any(|(_, other, known)| *other == index && *known == key) {
                    candidates.push((badness, index, key));
                }
            }
        }
        // Who was seen long ago may be gone, or used again.
        let now = self.now_millis();
        candidates.retain_mut(|(badness, index, key)| {
            let known = self.databases.get(*index).and_then(|database| {
                let entry = database.entries().get(key)?;
                Some(self.badness(database, entry, now))
            });
            *badness = known.unwrap_or_default();
            known.is_some()
        });
        ordered::sort(&mut candidates, |(one, ..), (other, ..)| one.cmp(other));
        let chosen = candidates.pop();
        candidates.drain(..candidates.len().saturating_sub(POOL));
        self.candidates = Candidates(candidates);
        chosen.map(|(_, index, key)| (index, key))
    }

    /// How much speaks for a key's going.
    fn badness(&self, database: &Database, entry: &Entry, now: Millis) -> u64 {
        match self.config.active.policy.order {
            Order::Lfu => u64::from(u8::MAX - entry.frequency.count(now, &database.counting)),
            _ => now.saturating_sub(entry.accessed).unsigned_abs(),
        }
    }

    /// Up to so many keys of a database that may go, all of them if there are no more.
    fn samples(&mut self, index: usize, count: usize) -> Vec<(u64, Box<[u8]>)> {
        let now = self.now_millis();
        let mut random = self.random.clone();
        let volatile = self.config.active.policy.volatile;
        let Some(database) = self.databases.get(index) else { return Vec::new() };
        let there = if volatile { database.expiring() } else { database.len() };
        let keys: Vec<&[u8]> = if there > count {
            (0..count).filter_map(|_| sample(database, volatile, &mut random)).collect()
        } else if volatile {
            database.expiring_keys().collect()
        } else {
            database.entries().keys().collect()
        };
        let rated = keys.into_iter().filter_map(|key| {
            let entry = database.entries().get(key)?;
            Some((self.badness(database, entry, now), key.into()))
        });
        let rated = rated.collect();
        self.random = random;
        rated
    }
}

/// A random key, or a random one of those that have a deadline.
fn sample<'a>(database: &'a Database, volatile: bool, random: &mut Random) -> Option<&'a [u8]> {
    for _ in 0..TRIES {
        let (key, entry) = database.entries().random(|| random.next())?;
        if !volatile || entry.deadline.is_some() {
            return Some(key);
        }
    }
    let place = random.below(database.expiring() as u64);
    database.expiring_keys().nth(place as usize)
}

#[cfg(test)]
mod tests {
    use super::super::{Clock, Server};
    use crate::server::random::Random;
    use std::cell::Cell;
    use std::rc::Rc;

    struct Clockwork(Rc<Cell<u64>>);

    impl Clock for Clockwork {
        fn now(&self) -> u64 {
            self.0.get()
        }
    }

    /// A server with a client, whose time passes second by second.
    struct Bench {
        server: Server,
        client: u64,
        clock: Rc<Cell<u64>>,
    }

    impl Bench {
        fn new() -> Bench {
            let clock = Rc::new(Cell::new(1_000_000_000_000));
            let mut server = Server::new(1, Box::new(Clockwork(Rc::clone(&clock))));
            let client = server.connect("");
            Bench { server, client, clock }
        }

        fn call(&mut self, line: &str) {
            self.clock.set(self.clock.get() + 1_000_000);
            let argv: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            self.server.send(self.client, &argv);
            while self.server.run(10_000) {}
            while self.server.take_reply(self.client).is_some() {}
        }

        fn keys(&self) -> String {
            let keys = self.server.databases.iter().flat_map(|database| database.entries().keys());
            keys.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
        }
    }

    /// Which keys are left when there is room for four of six.
    #[track_caller]
    fn check(policy: &str, uses: &[&str], left: &str) {
        let mut bench = Bench::new();
        bench.call(&format!("CONFIG SET maxmemory-policy {policy}"));
        let text = "x".repeat(1000);
        for key in ["a", "b", "c", "d", "e", "f"] {
            bench.call(&format!("SET {key} {text}"));
        }
        uses.iter().for_each(|line| bench.call(line));
        let room = bench.server.used_memory() - 1500;
        bench.call(&format!("CONFIG SET maxmemory {room}"));
        bench.call("PING");
        assert_eq!(bench.keys(), left, "{policy}");
        assert_eq!(bench.server.stats.evicted_keys, 2, "{policy}");
    }

    #[test]
    fn the_right_keys_go() {
        check("allkeys-lru", &["GET a", "GET c"], "a c e f");
        check("allkeys-lru", &["STRLEN b", "TYPE a", "EXPIRE a 100"], "b d e f");
        let often = ["GET a", "GET a", "GET b", "GET c", "GET e", "GET b", "GET e", "GET e"];
        check("allkeys-lfu", &often, "a b c e");
        let volatile = ["EXPIRE e 100", "EXPIRE a 5000", "EXPIRE b 90", "EXPIRE c 1000", "GET a"];
        check("volatile-ttl", &volatile, "a c d f");
        check("volatile-lru", &["EXPIRE e 100", "EXPIRE a 50", "EXPIRE b 9", "GET e"], "c d e f");
        check("volatile-lfu", &["EXPIRE e 100", "EXPIRE b 100", "GET a"], "a c d f");
        check("volatile-random", &["EXPIRE e 100", "EXPIRE b 100"], "a c d f");
    }

    /// With as many keys as that the choice is made among samples, and is nearly as good.
    #[test]
    fn samples_stand_for_all() {
        for policy in ["allkeys-lru", "volatile-lru"] {
            let mut bench = Bench::new();
            bench.call(&format!("CONFIG SET maxmemory-policy {policy}"));
            for key in 0..1000 {
                bench.call(&format!("SET {key} x EX 1000000"));
                bench.call(&format!("SET never{key} x"));
            }
            for key in 0..500 {
                bench.call(&format!("GET {key}"));
            }
            let used = bench.server.used_memory();
            bench.call(&format!("CONFIG SET maxmemory {}", used - used / 10));
            bench.call("PING");
            let (keys, evicted) = (bench.keys(), bench.server.stats.evicted_keys);
            assert!((150..300).contains(&evicted), "{policy}: {evicted}");
            let lost = |key: &u32| !keys.split(' ').any(|other| other == key.to_string());
            let (fresh, stale) = ((0..500).filter(lost).count(), (500..1000).filter(lost).count());
            assert!(fresh * 20 <= stale, "{policy}: {fresh} fresh and {stale} stale keys went");
        }
    }

    /// What is counted change by change is what counting anew gives.
    #[test]
    fn memory_is_counted_with_every_change() {
        let templates = [
            "SET $ x",
            "SET $ yyyyyyyyyyyyyyy EX 3",
            "APPEND $ zzz",
            "SETRANGE $ 100 x",
            "INCR $",
            "GETDEL $",
            "LPUSH $ a bb ccc",
            "LPOP $",
            "LTRIM $ 1 2",
            "LINSERT $ AFTER a dddddd",
            "RPOPLPUSH $ $",
            "SADD $ a 1 bbb",
            "SREM $ a",
            "SMOVE $ $ bbb",
            "SPOP $",
            "SUNIONSTORE $ $ $",
            "HSET $ f v g wwwwww",
            "HDEL $ f",
            "HINCRBY $ n 1",
            "DEL $",
            "UNLINK $",
            "RENAME $ $",
            "COPY $ $ REPLACE",
            "MOVE $ 1",
            "SWAPDB 0 1",
            "SELECT 1",
            "SELECT 0",
            "EXPIRE $ 2",
            "PERSIST $",
            "SORT $ ALPHA STORE $",
            "BITOP NOT $ $",
            "MSET $ a $ b",
            "FLUSHDB",
            "LSET $ 0 long",
            "EVAL return(redis.call('SET',KEYS[1],'abc')) 1 $",
            "MULTI",
            "EXEC",
            "SETBIT $ 500 1",
            "PING",
        ];
        let mut bench = Bench::new();
        bench.call("CONFIG SET maxmemory 1000000000");
        let mut random = Random::new(1);
        for step in 0..3000 {
            let template = templates[random.below(templates.len() as u64) as usize];
            let mut line = String::new();
            for part in template.split('$') {
                if !line.is_empty() {
                    line.push((b'a' + random.below(6) as u8) as char);
                }
                line.push_str(part);
            }
            bench.call(&line);
            for database in &mut bench.server.databases {
                let counted = database.memory();
                database.count_memory(false);
                assert_eq!(counted, database.memory(), "step {step}: {line}");
                database.count_memory(true);
            }
        }
    }
}
