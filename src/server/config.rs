//! Defines the server's configuration: every parameter of CONFIG with its default, its type and its value.
//!
//! Long because it is a table with a row for each of Redis's parameters.

use super::eviction::Policy;
use crate::error::{Error, reason};
use crate::glob;
use crate::number::{self, c_string};
use crate::ordered;
use Kind::{
    Alias, Bool, BufferLimits, Hostname, Immutable, Integer, KeyspaceEvents, Memory,
    MemoryOrPercent, Percentiles, ProcessTitle, Protected, Save, ScoreAdjustments, Text, Word,
    Words,
};

/// One parameter, as CONFIG GET and CONFIG SET know it.
struct Parameter {
    name: &'static str,
    default: &'static str,
    kind: Kind,
}

/// What values a parameter takes, and how it prints them.
#[derive(Clone, Copy)]
enum Kind {
    /// Another name of a parameter.
    Alias(&'static str),
    /// Only the command line and the configuration file may set it.
    Immutable,
    /// The same, for its danger.
    Protected,
    /// `yes` or `no`.
    Bool,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words; the first stands for none.
    Words(&'static [&'static str]),
    /// A number between these two.
    Integer(i128, i128),
    /// A number of bytes between these two, with a unit perhaps.
    Memory(i128, i128),
    /// A number of bytes, or a percentage of maxmemory.
    MemoryOrPercent,
    /// Any text.
    Text,
    /// What `save` takes: seconds and changes in turn.
    Save,
    /// Classes of keyspace events, a letter each.
    KeyspaceEvents,
    /// Limits for the classes of clients.
    BufferLimits,
    /// Percentages of INFO latencystats.
    Percentiles,
    /// A host's name.
    Hostname,
    /// The title of the process, with variables.
    ProcessTitle,
    /// Three numbers for the operating system.
    ScoreAdjustments,
}

/// Most commands that SLOWLOG keeps, whatever `slowlog-max-len` says: with every command logged, a script would fill the
/// memory.
const MOST_SLOW: i64 = 10_000;

/// `maxmemory-samples` beyond this make no difference but to time.
const MOST_SAMPLES: i64 = 64;

const I32_MIN: i128 = i32::MIN as i128;
const I32_MAX: i128 = i32::MAX as i128;
const U32_MAX: i128 = u32::MAX as i128;
const I64_MAX: i128 = i64::MAX as i128;
const U64_MAX: i128 = u64::MAX as i128;

const fn parameter(name: &'static str, default: &'static str, kind: Kind) -> Parameter {
    Parameter { name, default, kind }
}

/// Recorded from redis-server 7.0.15, `CONFIG GET *` and an attempt to set each of them. Ordered by name.
#[rustfmt::skip]
const PARAMETERS: &[Parameter] = &[
    parameter("acl-pubsub-default", "resetchannels", Word(&["allchannels", "resetchannels"])),
    parameter("aclfile", "", Immutable),
    parameter("acllog-max-len", "128", Integer(0, I64_MAX)),
    parameter("active-defrag-cycle-max", "25", Integer(1, 99)),
    parameter("active-defrag-cycle-min", "1", Integer(1, 99)),
    parameter("active-defrag-ignore-bytes", "104857600", Memory(1, I64_MAX)),
    parameter("active-defrag-max-scan-fields", "1000", Integer(1, I64_MAX)),
    parameter("active-defrag-threshold-lower", "10", Integer(0, 1000)),
    parameter("active-defrag-threshold-upper", "100", Integer(0, 1000)),
    parameter("active-expire-effort", "1", Integer(1, 10)),
    parameter("activedefrag", "no", Bool),
    parameter("activerehashing", "yes", Bool),
    parameter("always-show-logo", "no", Immutable),
    parameter("aof-disable-auto-gc", "no", Bool),
    parameter("aof-load-truncated", "yes", Bool),
    parameter("aof-rewrite-incremental-fsync", "yes", Bool),
    parameter("aof-timestamp-enabled", "no", Bool),
    parameter("aof-use-rdb-preamble", "yes", Bool),
    parameter("aof_rewrite_cpulist", "", Immutable),
    parameter("appenddirname", "appendonlydir", Immutable),
    parameter("appendfilename", "appendonly.aof", Immutable),
    parameter("appendfsync", "everysec", Word(&["everysec", "always", "no"])),
    parameter("appendonly", "no", Bool),
    parameter("auto-aof-rewrite-min-size", "67108864", Memory(0, I64_MAX)),
    parameter("auto-aof-rewrite-percentage", "100", Integer(0, I32_MAX)),
    parameter("bgsave_cpulist", "", Immutable),
    parameter("bind", "* -::*", Text),
    parameter("bind-source-addr", "", Text),
    parameter("bio_cpulist", "", Immutable),
    parameter("busy-reply-threshold", "5000", Integer(0, I64_MAX)),
    parameter("client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", BufferLimits),
    parameter("client-query-buffer-limit", "1073741824", Memory(1_048_576, I64_MAX)),
    parameter("cluster-allow-pubsubshard-when-down", "yes", Bool),
    parameter("cluster-allow-reads-when-down", "no", Bool),
    parameter("cluster-allow-replica-migration", "yes", Bool),
    parameter("cluster-announce-bus-port", "0", Integer(0, 65_535)),
    parameter("cluster-announce-hostname", "", Hostname),
    parameter("cluster-announce-ip", "", Text),
    parameter("cluster-announce-port", "0", Integer(0, 65_535)),
    parameter("cluster-announce-tls-port", "0", Integer(0, 65_535)),
    parameter("cluster-config-file", "nodes.conf", Immutable),
    parameter("cluster-enabled", "no", Immutable),
    parameter("cluster-link-sendbuf-limit", "0", Memory(0, U64_MAX)),
    parameter("cluster-migration-barrier", "1", Integer(0, I32_MAX)),
    parameter("cluster-node-timeout", "15000", Integer(0, I64_MAX)),
    parameter("cluster-port", "0", Immutable),
    parameter("cluster-preferred-endpoint-type", "ip", Word(&["ip", "hostname", "unknown-endpoint"])),
    parameter("cluster-replica-no-failover", "no", Bool),
    parameter("cluster-replica-validity-factor", "10", Integer(0, I32_MAX)),
    parameter("cluster-require-full-coverage", "yes", Bool),
    parameter("cluster-slave-no-failover", "no", Alias("cluster-replica-no-failover")),
    parameter("cluster-slave-validity-factor", "10", Alias("cluster-replica-validity-factor")),
    parameter("crash-log-enabled", "yes", Bool),
    parameter("crash-memcheck-enabled", "yes", Bool),
    parameter("daemonize", "no", Immutable),
    parameter("databases", "16", Immutable),
    parameter("dbfilename", "dump.rdb", Protected),
    parameter("dir", "/", Protected),
    parameter("disable-thp", "yes", Immutable),
    parameter("dynamic-hz", "yes", Bool),
    parameter("enable-debug-command", "no", Immutable),
    parameter("enable-module-command", "no", Immutable),
    parameter("enable-protected-configs", "no", Immutable),
    parameter("hash-max-listpack-entries", "512", Integer(0, I64_MAX)),
    parameter("hash-max-listpack-value", "64", Memory(0, I64_MAX)),
    parameter("hash-max-ziplist-entries", "512", Alias("hash-max-listpack-entries")),
    parameter("hash-max-ziplist-value", "64", Alias("hash-max-listpack-value")),
    parameter("hll-sparse-max-bytes", "3000", Memory(0, I64_MAX)),
    parameter("hz", "10", Integer(0, I32_MAX)),
    parameter("ignore-warnings", "", Text),
    parameter("io-threads", "1", Immutable),
    parameter("io-threads-do-reads", "no", Immutable),
    parameter("jemalloc-bg-thread", "yes", Bool),
    parameter("latency-monitor-threshold", "0", Integer(0, I64_MAX)),
    parameter("latency-tracking", "yes", Bool),
    parameter("latency-tracking-info-percentiles", "50 99 99.9", Percentiles),
    parameter("lazyfree-lazy-eviction", "no", Bool),
    parameter("lazyfree-lazy-expire", "no", Bool),
    parameter("lazyfree-lazy-server-del", "no", Bool),
    parameter("lazyfree-lazy-user-del", "no", Bool),
    parameter("lazyfree-lazy-user-flush", "no", Bool),
    parameter("lfu-decay-time", "1", Integer(0, I32_MAX)),
    parameter("lfu-log-factor", "10", Integer(0, I32_MAX)),
    parameter("list-compress-depth", "0", Integer(0, I32_MAX)),
    parameter("list-max-listpack-size", "-2", Integer(I32_MIN, I32_MAX)),
    parameter("list-max-ziplist-size", "-2", Alias("list-max-listpack-size")),
    parameter("logfile", "", Immutable),
    parameter("loglevel", "notice", Word(&["debug", "verbose", "notice", "warning"])),
    parameter("lua-time-limit", "5000", Alias("busy-reply-threshold")),
    parameter("masterauth", "", Text),
    parameter("masteruser", "", Text),
    parameter("maxclients", "10000", Integer(1, U32_MAX)),
    parameter("maxmemory", "0", Memory(0, U64_MAX)),
    parameter("maxmemory-clients", "0", MemoryOrPercent),
    parameter("maxmemory-eviction-tenacity", "10", Integer(0, 100)),
    parameter("maxmemory-policy", "noeviction", Word(&["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"])),
    parameter("maxmemory-samples", "5", Integer(1, I32_MAX)),
    parameter("min-replicas-max-lag", "10", Integer(0, I32_MAX)),
    parameter("min-replicas-to-write", "0", Integer(0, I32_MAX)),
    parameter("min-slaves-max-lag", "10", Alias("min-replicas-max-lag")),
    parameter("min-slaves-to-write", "0", Alias("min-replicas-to-write")),
    parameter("no-appendfsync-on-rewrite", "no", Bool),
    parameter("notify-keyspace-events", "", KeyspaceEvents),
    parameter("oom-score-adj", "no", Word(&["no", "yes", "relative", "absolute"])),
    parameter("oom-score-adj-values", "0 200 800", ScoreAdjustments),
    parameter("pidfile", "", Immutable),
    parameter("port", "6379", Integer(0, 65_535)),
    parameter("proc-title-template", "{title} {listen-addr} {server-mode}", ProcessTitle),
    parameter("propagation-error-behavior", "ignore", Word(&["ignore", "panic", "panic-on-replicas"])),
    parameter("protected-mode", "yes", Bool),
    parameter("proto-max-bulk-len", "536870912", Memory(1_048_576, I64_MAX)),
    parameter("rdb-del-sync-files", "no", Bool),
    parameter("rdb-save-incremental-fsync", "yes", Bool),
    parameter("rdbchecksum", "yes", Immutable),
    parameter("rdbcompression", "yes", Bool),
    parameter("repl-backlog-size", "1048576", Memory(1, I64_MAX)),
    parameter("repl-backlog-ttl", "3600", Integer(0, I64_MAX)),
    parameter("repl-disable-tcp-nodelay", "no", Bool),
    parameter("repl-diskless-load", "disabled", Word(&["disabled", "on-empty-db", "swapdb"])),
    parameter("repl-diskless-sync", "yes", Bool),
    parameter("repl-diskless-sync-delay", "5", Integer(0, I32_MAX)),
    parameter("repl-diskless-sync-max-replicas", "0", Integer(0, I32_MAX)),
    parameter("repl-ping-replica-period", "10", Integer(1, I32_MAX)),
    parameter("repl-ping-slave-period", "10", Alias("repl-ping-replica-period")),
    parameter("repl-timeout", "60", Integer(1, I32_MAX)),
    parameter("replica-announce-ip", "", Text),
    parameter("replica-announce-port", "0", Integer(0, 65_535)),
    parameter("replica-announced", "yes", Bool),
    parameter("replica-ignore-disk-write-errors", "no", Bool),
    parameter("replica-ignore-maxmemory", "yes", Bool),
    parameter("replica-lazy-flush", "no", Bool),
    parameter("replica-priority", "100", Integer(0, I32_MAX)),
    parameter("replica-read-only", "yes", Bool),
    parameter("replica-serve-stale-data", "yes", Bool),
    parameter("replicaof", "", Immutable),
    parameter("requirepass", "", Text),
    parameter("sanitize-dump-payload", "no", Word(&["no", "yes", "clients"])),
    parameter("save", "", Save),
    parameter("server_cpulist", "", Immutable),
    parameter("set-max-intset-entries", "512", Integer(0, I64_MAX)),
    parameter("set-proc-title", "yes", Immutable),
    parameter("shutdown-on-sigint", "default", Words(&["default", "save", "nosave", "now", "force"])),
    parameter("shutdown-on-sigterm", "default", Words(&["default", "save", "nosave", "now", "force"])),
    parameter("shutdown-timeout", "10", Integer(0, I32_MAX)),
    parameter("slave-announce-ip", "", Alias("replica-announce-ip")),
    parameter("slave-announce-port", "0", Alias("replica-announce-port")),
    parameter("slave-ignore-maxmemory", "yes", Alias("replica-ignore-maxmemory")),
    parameter("slave-lazy-flush", "no", Alias("replica-lazy-flush")),
    parameter("slave-priority", "100", Alias("replica-priority")),
    parameter("slave-read-only", "yes", Alias("replica-read-only")),
    parameter("slave-serve-stale-data", "yes", Alias("replica-serve-stale-data")),
    parameter("slaveof", "", Alias("replicaof")),
    parameter("slowlog-log-slower-than", "10000", Integer(-1, I64_MAX)),
    parameter("slowlog-max-len", "128", Integer(0, I64_MAX)),
    parameter("socket-mark-id", "0", Immutable),
    parameter("stop-writes-on-bgsave-error", "yes", Bool),
    parameter("stream-node-max-bytes", "4096", Memory(0, I64_MAX)),
    parameter("stream-node-max-entries", "100", Integer(0, I64_MAX)),
    parameter("supervised", "no", Immutable),
    parameter("syslog-enabled", "no", Immutable),
    parameter("syslog-facility", "local0", Immutable),
    parameter("syslog-ident", "redis", Immutable),
    parameter("tcp-backlog", "511", Immutable),
    parameter("tcp-keepalive", "300", Integer(0, I32_MAX)),
    parameter("timeout", "0", Integer(0, I32_MAX)),
    parameter("tls-auth-clients", "yes", Word(&["no", "yes", "optional"])),
    parameter("tls-ca-cert-dir", "", Text),
    parameter("tls-ca-cert-file", "", Text),
    parameter("tls-cert-file", "", Text),
    parameter("tls-ciphers", "", Text),
    parameter("tls-ciphersuites", "", Text),
    parameter("tls-client-cert-file", "", Text),
    parameter("tls-client-key-file", "", Text),
    parameter("tls-client-key-file-pass", "", Text),
    parameter("tls-cluster", "no", Bool),
    parameter("tls-dh-params-file", "", Text),
    parameter("tls-key-file", "", Text),
    parameter("tls-key-file-pass", "", Text),
    parameter("tls-port", "0", Integer(0, 65_535)),
    parameter("tls-prefer-server-ciphers", "no", Bool),
    parameter("tls-protocols", "", Text),
    parameter("tls-replication", "no", Bool),
    parameter("tls-session-cache-size", "20480", Integer(0, I32_MAX)),
    parameter("tls-session-cache-timeout", "300", Integer(0, I32_MAX)),
    parameter("tls-session-caching", "yes", Bool),
    parameter("tracking-table-max-keys", "1000000", Integer(0, I64_MAX)),
    parameter("unixsocket", "", Immutable),
    parameter("unixsocketperm", "0", Immutable),
    parameter("zset-max-listpack-entries", "128", Integer(0, I64_MAX)),
    parameter("zset-max-listpack-value", "64", Memory(0, I64_MAX)),
    parameter("zset-max-ziplist-entries", "128", Alias("zset-max-listpack-entries")),
    parameter("zset-max-ziplist-value", "64", Alias("zset-max-listpack-value")),
];

/// The values of all parameters.
pub struct Config {
    /// In the order of [`PARAMETERS`], as CONFIG GET prints them.
    values: Vec<Vec<u8>>,
    /// The letter `n` is among the classes of keyspace events. CONFIG GET does not show it beside `A`.
    new_keys: bool,
    /// What the engine itself reads, taken from the values after each change.
    pub active: Active,
}

/// The parameters that the engine obeys, as numbers.
#[derive(Default, Clone)]
pub struct Active {
    /// Most fields of a hash that is still a listpack.
    pub hash_max_listpack_entries: usize,
    /// Longest field or value of such a hash, in bytes.
    pub hash_max_listpack_value: usize,
    /// Most members of a set that is still an intset.
    pub set_max_intset_entries: usize,
    /// Most members of a sorted set that is still a listpack.
    pub zset_max_listpack_entries: usize,
    /// Longest member of such a sorted set, in bytes.
    pub zset_max_listpack_value: usize,
    /// Most bytes of a stream's node; 0 means no limit.
    pub stream_node_max_bytes: i64,
    /// Most entries of a stream's node; 0 means no limit.
    pub stream_node_max_entries: i64,
    /// Longest HyperLogLog that is still sparse, in bytes.
    pub hll_sparse_max_bytes: usize,
    /// Milliseconds after which a script makes the server answer BUSY; 0 means never.
    pub busy_reply_threshold: u64,
    /// Bytes of memory over which commands that need more are refused; 0 means no limit.
    pub maxmemory: u64,
    /// Commands that write are refused: there are no replicas, and `min-replicas-to-write` asks for some.
    pub lacks_replicas: bool,
    /// Longest bulk string that a client may send, in bytes.
    pub proto_max_bulk_len: u64,
    /// Long strings of payloads are compressed.
    pub rdb_compression: bool,
    /// How large a node of a list is in a payload: elements, or negative for a class of sizes.
    pub list_max_listpack_size: i64,
    /// Seconds after which an idle client is closed; 0 means never.
    pub timeout: u64,
    /// Most clients at once.
    pub maxclients: u64,
    /// maxmemory-policy counts how often keys are used.
    pub lfu: bool,
    /// Which keys are evicted.
    pub policy: Policy,
    /// Keys of each database that are looked at for one that is evicted.
    pub maxmemory_samples: usize,
    /// Microseconds from which on SLOWLOG has a command; negative means never.
    pub slowlog_log_slower_than: i64,
    /// Most commands that SLOWLOG has.
    pub slowlog_max_len: usize,
    /// Milliseconds from which on LATENCY has an event; 0 means never.
    pub latency_monitor_threshold: u64,
    /// INFO latencystats is kept.
    pub latency_tracking: bool,
    /// Letters of `notify-keyspace-events`.
    pub keyspace_events: Vec<u8>,
}

impl Default for Config {
    fn default() -> Config {
        let values = PARAMETERS.iter().map(|parameter| parameter.default.into()).collect();
        let mut config = Config { values, new_keys: false, active: Active::default() };
        config.activate();
        config
    }
}

impl Config {
    /// The value of a parameter, as CONFIG GET prints it; empty if there is no such parameter.
    pub fn text(&self, name: &str) -> &[u8] {
        let value = position(name.as_bytes()).and_then(|at| self.values.get(target(at)));
        value.map(Vec::as_slice).unwrap_or_default()
    }

    /// The value of a parameter that is a number; 0 if it is none.
    pub fn integer(&self, name: &str) -> i64 {
        std::str::from_utf8(self.text(name)).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Gives a parameter its value before anything runs, as a command line does: any, even one that CONFIG SET cannot set.
    pub fn preset(&mut self, name: &str, value: &str) {
        if let Some(place) = position(name.as_bytes()).map(target) {
            self.values[place] = value.into();
            self.activate();
        }
    }

    /// Bytes that the values take.
    pub fn memory(&self) -> usize {
        self.values.iter().map(|value| size_of::<Vec<u8>>() + value.len()).sum()
    }

    fn activate(&mut self) {
        let number = |name| self.integer(name);
        // maxmemory may lie beyond what an i64 holds.
        let maxmemory = std::str::from_utf8(self.text("maxmemory")).unwrap_or_default();
        let policy = Policy::parse(self.text("maxmemory-policy"));
        self.active = Active {
            hash_max_listpack_entries: number("hash-max-listpack-entries") as usize,
            hash_max_listpack_value: number("hash-max-listpack-value") as usize,
            set_max_intset_entries: number("set-max-intset-entries") as usize,
            zset_max_listpack_entries: number("zset-max-listpack-entries") as usize,
            zset_max_listpack_value: number("zset-max-listpack-value") as usize,
            stream_node_max_bytes: number("stream-node-max-bytes"),
            stream_node_max_entries: number("stream-node-max-entries"),
            hll_sparse_max_bytes: usize::try_from(number("hll-sparse-max-bytes"))
                .unwrap_or(usize::MAX),
            busy_reply_threshold: number("busy-reply-threshold") as u64,
            maxmemory: maxmemory.parse().unwrap_or(0),
            lacks_replicas: number("min-replicas-to-write").min(number("min-replicas-max-lag")) > 0,
            proto_max_bulk_len: number("proto-max-bulk-len") as u64,
            rdb_compression: self.text("rdbcompression") == b"yes",
            list_max_listpack_size: number("list-max-listpack-size"),
            timeout: number("timeout") as u64,
            maxclients: number("maxclients") as u64,
            lfu: policy.is_lfu(),
            policy,
            maxmemory_samples: number("maxmemory-samples").clamp(1, MOST_SAMPLES) as usize,
            slowlog_log_slower_than: number("slowlog-log-slower-than"),
            slowlog_max_len: number("slowlog-max-len").clamp(0, MOST_SLOW) as usize,
            latency_monitor_threshold: number("latency-monitor-threshold") as u64,
            latency_tracking: self.text("latency-tracking") == b"yes",
            keyspace_events: self.keyspace_events(),
        };
    }

    fn keyspace_events(&self) -> Vec<u8> {
        let mut letters = self.text("notify-keyspace-events").to_vec();
        if self.new_keys {
            letters.push(b'n');
        }
        letters
    }

    /// Names and values of the parameters that any of the patterns names; a name without a pattern is
    /// answered as it was written.
    pub fn get(&self, patterns: &[Vec<u8>]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(usize, Vec<u8>)> = Vec::new();
        for pattern in patterns {
            let is_pattern = pattern.iter().any(|byte| b"[*?".contains(byte));
            for (at, parameter) in PARAMETERS.iter().enumerate() {
                let name = parameter.name.as_bytes();
                let fits = if is_pattern {
                    glob::matches(pattern, name, true)
                } else {
                    pattern.eq_ignore_ascii_case(name)
                };
                if fits && !found.iter().any(|(other, _)| *other == at) {
                    found.push((at, if is_pattern { name.to_vec() } else { pattern.clone() }));
                }
            }
        }
        ordered::sort(&mut found, |(one, _), (other, _)| one.cmp(other));
        found.into_iter().map(|(at, name)| (name, self.values[target(at)].clone())).collect()
    }

    /// Sets all of these parameters or none: names and values in turn.
    pub fn set(&mut self, pairs: &[Vec<u8>]) -> Result<(), Error> {
        let pairs: Vec<(&[u8], &[u8])> = pairs
            .chunks_exact(2)
            .filter_map(|pair| Some((pair.first()?.as_slice(), pair.get(1)?.as_slice())))
            .collect();
        let mut places = Vec::new();
        for (name, _) in &pairs {
            let at = position(name).ok_or_else(|| Error::unknown_config(name))?;
            let refused = match PARAMETERS[target(at)].kind {
                Immutable => Some(reason::IMMUTABLE),
                Protected => Some(reason::PROTECTED),
                _ if places.contains(&at) => Some(reason::DUPLICATE),
                _ => None,
            };
            if let Some(reason) = refused {
                return Err(Error::config_set(name, reason));
            }
            places.push(at);
        }
        let old = self.values.clone();
        for (at, (name, value)) in places.into_iter().zip(&pairs) {
            let at = target(at);
            match parse(&PARAMETERS[at], value, &self.values[at]) {
                Ok(text) => self.values[at] = text,
                Err(reason) => {
                    self.values = old;
                    return Err(Error::config_set(name, &reason));
                }
            }
        }
        for (name, value) in pairs {
            if name.eq_ignore_ascii_case(b"notify-keyspace-events") {
                self.new_keys = value.contains(&b'n');
            }
        }
        self.activate();
        Ok(())
    }
}

fn position(name: &[u8]) -> Option<usize> {
    PARAMETERS.iter().position(|parameter| parameter.name.as_bytes().eq_ignore_ascii_case(name))
}

/// Where the value is kept: an alias has none of its own.
fn target(at: usize) -> usize {
    match PARAMETERS[at].kind {
        Alias(name) => position(name.as_bytes()).unwrap_or(at),
        _ => at,
    }
}

/// The canonical text of a new value, or the reason why it is refused.
fn parse(parameter: &Parameter, value: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
    // Only these are read beyond a NUL.
    let value = match parameter.kind {
        BufferLimits | Integer(..) | MemoryOrPercent | Percentiles => value,
        _ => c_string(value),
    };
    let text = match parameter.kind {
        Alias(_) | Immutable | Protected | Text => value.to_vec(),
        Bool => {
            let word = word(&["yes", "no"], value).ok_or(reason::BOOL)?;
            refuse_what_this_engine_cannot_do(parameter.name, word.as_bytes(), old)?;
            word.into()
        }
        Word(words) => match word(words, value).ok_or_else(|| reason::one_of(words))? {
            // Two words for the same.
            "relative" => "yes".into(),
            word => word.into(),
        },
        Words(words) => some_words(words, value)?,
        Integer(low, high) => {
            let number = number::parse_integer(value).ok_or(reason::INTEGER)?;
            let number = in_range(i128::from(number), low, high)?;
            let number = if parameter.name == "hz" { number.clamp(1, 500) } else { number };
            let text = number.to_string().into_bytes();
            refuse_what_this_engine_cannot_do(parameter.name, &text, old)?;
            text
        }
        Memory(low, high) => {
            let number = parse_memory(value).ok_or(reason::MEMORY)?;
            let number = in_range(i128::from(number), low, high)?;
            let least = if parameter.name == "repl-backlog-size" { 16384 } else { 0 };
            number.max(least).to_string().into()
        }
        MemoryOrPercent => memory_or_percent(value)?,
        Save => save(value)?,
        KeyspaceEvents => keyspace_events(value)?,
        BufferLimits => buffer_limits(value, old)?,
        Percentiles => percentiles(value)?,
        Hostname => hostname(value)?,
        ProcessTitle => process_title(value)?,
        ScoreAdjustments => score_adjustments(value)?,
    };
    Ok(text)
}

/// There are no files, no sockets, no TLS and no jemalloc here: what would need them is refused as a server
/// refuses it that cannot have them.
fn refuse_what_this_engine_cannot_do(name: &str, new: &[u8], old: &[u8]) -> Result<(), String> {
    let refused = match (name, new) {
        ("activedefrag", b"yes") => reason::NO_DEFRAGMENTATION,
        ("tls-cluster" | "tls-replication", b"yes") => reason::NO_TLS,
        ("tls-port", port) if port != b"0" => reason::NO_TLS,
        ("appendonly", b"yes") => reason::NO_AOF,
        ("port", _) if new != old => reason::NO_PORT,
        _ => return Ok(()),
    };
    Err(refused.into())
}

fn word(words: &'static [&'static str], value: &[u8]) -> Option<&'static str> {
    words.iter().copied().find(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

fn some_words(words: &'static [&'static str], value: &[u8]) -> Result<Vec<u8>, String> {
    let mut chosen = vec![false; words.len()];
    for text in value.split(|&byte| byte == b' ') {
        let found = words.iter().position(|word| word.as_bytes().eq_ignore_ascii_case(text));
        chosen[found.ok_or_else(|| reason::one_of(words))?] = true;
    }
    // `save` and `nosave` contradict each other; they stand behind the word for none.
    if chosen.get(1) == Some(&true) && chosen.get(2) == Some(&true) {
        return Err(reason::SAVE_AND_NOSAVE.into());
    }
    let names: Vec<&str> =
        words.iter().zip(&chosen).skip(1).filter(|(_, yes)| **yes).map(|(word, _)| *word).collect();
    Ok(if names.is_empty() { words[0].into() } else { names.join(" ").into() })
}

fn in_range(number: i128, low: i128, high: i128) -> Result<i128, String> {
    if (low..=high).contains(&number) { Ok(number) } else { Err(reason::between(low, high)) }
}

/// A number of bytes with a unit: `k` and `kb` are 1000 and 1024, and so on. Too large a number becomes the
/// largest.
pub fn parse_memory(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(digits);
    let unit: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let mut number: u64 = 0;
    for digit in digits {
        number = number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    }
    Some(number.wrapping_mul(unit))
}

fn memory_or_percent(value: &[u8]) -> Result<Vec<u8>, String> {
    let percent = value.strip_suffix(b"%").and_then(number::parse_integer);
    if let Some(percent) = percent.filter(|percent| *percent >= 0) {
        return if percent > 100 {
            Err(reason::PERCENT.into())
        } else if percent == 0 {
            Ok(b"0".to_vec())
        } else {
            Ok(format!("{percent}%").into())
        };
    }
    let number = parse_memory(c_string(value)).ok_or(reason::MEMORY_OR_PERCENT)?;
    // Redis keeps percentages as negative numbers, and so shows numbers beyond an i64 as percentages.
    let number = number as i64;
    if number < -100 {
        return Err(reason::PERCENT.into());
    }
    Ok(if number < 0 { format!("{}%", number.unsigned_abs()) } else { number.to_string() }.into())
}

fn arguments(value: &[u8]) -> Vec<&[u8]> {
    if value.is_empty() { Vec::new() } else { value.split(|&byte| byte == b' ').collect() }
}

fn save(value: &[u8]) -> Result<Vec<u8>, String> {
    let words = arguments(value);
    if !words.len().is_multiple_of(2) {
        return Err(reason::SAVE.into());
    }
    let mut numbers = Vec::new();
    for (index, word) in words.into_iter().enumerate() {
        let is_seconds = index % 2 == 0;
        let number = number::strtoll(word).filter(|number| *number >= i128::from(is_seconds));
        let number = number.ok_or(reason::SAVE)?.min(I64_MAX);
        // Redis lets the number of changes overflow.
        let number = if is_seconds { number } else { i128::from(number as i32) };
        numbers.push(number.to_string());
    }
    Ok(numbers.join(" ").into())
}

/// The letters in the order in which Redis prints them; `A` stands for the first ten, and hides `n`.
fn keyspace_events(value: &[u8]) -> Result<Vec<u8>, String> {
    const CLASSES: &[u8] = b"g$lshzxetdn";
    const OTHERS: &[u8] = b"KEm";
    let known = |byte: &u8| *byte == b'A' || CLASSES.contains(byte) || OTHERS.contains(byte);
    if !value.iter().all(known) {
        return Err(reason::KEYSPACE_EVENTS.into());
    }
    let chosen = |byte: &u8| value.contains(byte);
    let all = chosen(&b'A') || CLASSES.iter().filter(|byte| **byte != b'n').all(chosen);
    let classes: &[u8] = if all { b"A" } else { CLASSES };
    let letters = classes.iter().filter(|byte| all || chosen(byte));
    Ok(letters.chain(OTHERS.iter().filter(|byte| chosen(byte))).copied().collect())
}

fn buffer_limits(value: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
    let words = arguments(value);
    if !words.len().is_multiple_of(4) {
        return Err(reason::BUFFER_WORDS.into());
    }
    let old = String::from_utf8_lossy(old).into_owned();
    let mut limits: Vec<String> = old.split(' ').map(str::to_owned).collect();
    for limit in words.chunks_exact(4) {
        let [class, hard, soft, seconds] = limit else { continue };
        let class = match class.to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => return Err(reason::BUFFER_CLASS.into()),
        };
        // Redis lets the seconds overflow.
        let seconds = number::strtoll(seconds).map(|number| number.min(I64_MAX) as i32);
        let numbers = (parse_memory(hard), parse_memory(soft), seconds);
        let (Some(hard), Some(soft), Some(seconds @ 0..)) = numbers else {
            return Err(reason::BUFFER_LIMIT.into());
        };
        for (at, text) in
            [hard.to_string(), soft.to_string(), seconds.to_string()].into_iter().enumerate()
        {
            if let Some(place) = limits.get_mut(class * 4 + 1 + at) {
                *place = text;
            }
        }
    }
    Ok(limits.join(" ").into())
}

fn percentiles(value: &[u8]) -> Result<Vec<u8>, String> {
    let mut texts = Vec::new();
    for word in arguments(value) {
        let number = number::parse_float(word).ok_or(reason::PERCENTILE)?;
        if !(0.0..=100.0).contains(&number) {
            return Err(reason::PERCENTILE_RANGE.into());
        }
        let text = number::fixed(number, 6);
        texts.push(text.trim_end_matches('0').trim_end_matches('.').to_owned());
    }
    Ok(texts.join(" ").into())
}

fn hostname(value: &[u8]) -> Result<Vec<u8>, String> {
    if value.len() >= 256 {
        return Err(reason::HOSTNAME_LENGTH.into());
    }
    if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte)) {
        return Err(reason::HOSTNAME.into());
    }
    Ok(value.to_vec())
}

/// The template must know its variables and print something though `{title}` and the like are empty.
fn process_title(value: &[u8]) -> Result<Vec<u8>, String> {
    let text = String::from_utf8_lossy(value);
    let mut rest: &str = &text;
    let mut prints = false;
    while let Some((before, behind)) = rest.split_once('{') {
        prints |= !before.trim().is_empty();
        if let Some(behind) = behind.strip_prefix('{') {
            prints = true;
            rest = behind;
            continue;
        }
        let (name, behind) = behind.split_once('}').ok_or(reason::PROCESS_TITLE)?;
        match name {
            "title" | "server-mode" | "unixsocket" => {}
            "config-file" | "listen-addr" | "port" | "tls-port" => prints = true,
            _ => return Err(reason::PROCESS_TITLE.into()),
        }
        rest = behind;
    }
    if !prints && rest.trim().is_empty() {
        return Err(reason::PROCESS_TITLE.into());
    }
    Ok(value.to_vec())
}

fn score_adjustments(value: &[u8]) -> Result<Vec<u8>, String> {
    let words = arguments(value);
    if words.len() != 3 {
        return Err(reason::WRONG_NUMBER.into());
    }
    let mut texts = Vec::new();
    for word in words {
        let number = number::strtoll(word).filter(|number| (-2000..=2000).contains(number));
        texts.push(number.ok_or(reason::SCORE_ADJUSTMENT)?.to_string());
    }
    Ok(texts.join(" ").into())
}
