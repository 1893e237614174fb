//! Defines LATENCY: which kinds of event were slow, and how long commands take.

use super::args::Args;
use super::flag::{ADMIN, LOADING, NOSCRIPT, STALE};
use super::{Answer, Command, CommandId, Run};
use crate::error::Error;
use crate::number::fixed;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::latency::{Event, Sample};
use std::fmt::Write;

/// LATENCY.
pub const COMMANDS: &[Command] = &[Command {
    name: "latency",
    arity: -2,
    since: "2.8.13",
    group: "server",
    summary: "A container for latency diagnostics commands",
    complexity: "Depends on subcommand.",
    run: Run::Container(&[
        Command {
            name: "doctor",
            arity: 2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "2.8.13",
            group: "server",
            summary: "Return a human readable latency analysis report.",
            complexity: "O(1)",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            run: Run::Reply(latency_doctor),
            ..Command::EMPTY
        },
        Command {
            name: "graph",
            arity: 3,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "2.8.13",
            group: "server",
            summary: "Return a latency graph for the event.",
            complexity: "O(1)",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            syntax: "event:string",
            run: Run::Reply(latency_graph),
            ..Command::EMPTY
        },
        Command {
            name: "help",
            arity: 2,
            flags: LOADING | STALE,
            since: "2.8.13",
            group: "server",
            summary: "Show helpful text about the different subcommands.",
            complexity: "O(1)",
            run: Run::Reply(latency_help),
            ..Command::EMPTY
        },
        Command {
            name: "histogram",
            arity: -2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "7.0.0",
            group: "server",
            summary: "Return the cumulative distribution of latencies of a subset of commands or all.",
            complexity: "O(N) where N is the number of commands with latency information being retrieved.",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            syntax: "command:string?*",
            run: Run::Reply(latency_histogram),
            ..Command::EMPTY
        },
        Command {
            name: "history",
            arity: 3,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "2.8.13",
            group: "server",
            summary: "Return timestamp-latency samples for the event.",
            complexity: "O(1)",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            syntax: "event:string",
            run: Run::Reply(latency_history),
            ..Command::EMPTY
        },
        Command {
            name: "latest",
            arity: 2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "2.8.13",
            group: "server",
            summary: "Return the latest latency samples for all events.",
            complexity: "O(1)",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ],
            run: Run::Reply(latency_latest),
            ..Command::EMPTY
        },
        Command {
            name: "reset",
            arity: -2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "2.8.13",
            group: "server",
            summary: "Reset latency data for one or more events.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            syntax: "event:string?*",
            run: Run::Reply(latency_reset),
            ..Command::EMPTY
        },
    ]),
    ..Command::EMPTY
}];

/// `LATENCY LATEST`
fn latency_latest(context: &mut Context, _args: &mut Args) -> Answer {
    let show = |event: &Event| {
        let last = event.samples.back()?;
        let numbers = [last.time, last.milliseconds, event.worst];
        let numbers = numbers.map(|number| Reply::Integer(number as i64));
        Some(Reply::Array([Reply::bulk(event.name)].into_iter().chain(numbers).collect()))
    };
    Ok(Reply::Array(context.server.latency.0.iter().filter_map(show).collect()))
}

/// `LATENCY HISTORY event`
fn latency_history(context: &mut Context, args: &mut Args) -> Answer {
    let event = context.server.latency.event(args.bytes()?);
    let samples = event.into_iter().flat_map(|event| &event.samples);
    let show = |sample: &Sample| pair(sample.time, sample.milliseconds);
    Ok(Reply::Array(samples.map(show).collect()))
}

fn pair(first: u64, second: u64) -> Reply {
    Reply::Array(vec![Reply::Integer(first as i64), Reply::Integer(second as i64)])
}

/// `LATENCY RESET [event [event ...]]`
fn latency_reset(context: &mut Context, args: &mut Args) -> Answer {
    let events = &mut context.server.latency.0;
    let (before, names) = (events.len(), args.rest());
    events.retain(|event| {
        !names.is_empty() && !names.iter().any(|name| name == event.name.as_bytes())
    });
    Ok(Reply::Integer((before - events.len()) as i64))
}

/// `LATENCY HISTOGRAM [command [command ...]]`
fn latency_histogram(context: &mut Context, args: &mut Args) -> Answer {
    let calls = &context.server.stats.calls;
    let mut shown = Vec::new();
    let mut show = |wanted: &dyn Fn(CommandId) -> bool| {
        for (id, stats) in
            calls.iter().filter(|(id, stats)| !stats.latency.is_empty() && wanted(**id))
        {
            let steps = stats.latency.cumulative().into_iter();
            let steps = steps
                .map(|(step, count)| (Reply::Integer(step as i64), Reply::Integer(count as i64)));
            let latency = Reply::Map(vec![
                (Reply::bulk("calls"), Reply::Integer(stats.latency.total() as i64)),
                (Reply::bulk("histogram_usec"), Reply::Map(steps.collect())),
            ]);
            shown.push((Reply::bulk(id.full_name()), latency));
        }
    };
    if args.is_empty() {
        show(&|_| true);
    }
    for name in args.rest() {
        // A container stands for its subcommands as well.
        let words: Vec<Vec<u8>> =
            name.splitn(2, |byte| *byte == b'|').map(<[u8]>::to_vec).collect();
        let Ok(found) = super::resolve(&words) else { continue };
        show(&|id| id == found.id || words.len() == 1 && id.is_within(found.id));
    }
    Ok(Reply::Map(shown))
}

/// Samples beside each other in a graph.
const COLUMNS: usize = 80;
/// The height of a graph; each line of it can show three steps.
const LINES: usize = 4;
const STEPS: &[char] = &['_', 'o', '#'];

/// `LATENCY GRAPH event`
fn latency_graph(context: &mut Context, args: &mut Args) -> Answer {
    let name = args.bytes()?;
    let now = context.server.clocked() / 1_000_000;
    let event = context.server.latency.event(name);
    let event = event.ok_or_else(|| Error::no_samples(name))?;
    Ok(Reply::Verbatim(*b"txt", graph(event, now).into_bytes()))
}

fn graph(event: &Event, now: u64) -> String {
    let milliseconds = || event.samples.iter().map(|sample| sample.milliseconds);
    let (high, low) = (milliseconds().max().unwrap_or(0), milliseconds().min().unwrap_or(0));
    let mut out = String::new();
    let written = write!(
        out,
        "{} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        event.name,
        event.worst,
        "-".repeat(COLUMNS)
    );
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    let samples: Vec<Sample> = event.samples.iter().copied().collect();
    for (place, samples) in samples.chunks(COLUMNS).enumerate() {
        if place > 0 {
            out.push('\n');
        }
        let height = |sample: &Sample| {
            let steps = (LINES * STEPS.len()) as u64;
            let height = (sample.milliseconds - low) * steps / (high - low).max(1);
            height.min(steps - 1) as usize
        };
        for line in (0..LINES).rev() {
            out.extend(samples.iter().map(|sample| {
                match height(sample).checked_sub(line * STEPS.len()) {
                    None => ' ',
                    Some(step) => STEPS.get(step).copied().unwrap_or('|'),
                }
            }));
            out.push('\n');
        }
        // How long ago, from top to bottom, with an empty line above.
        let ages: Vec<String> =
            samples.iter().map(|sample| age(now.saturating_sub(sample.time))).collect();
        for line in 0..=ages.iter().map(String::len).max().unwrap_or(0) {
            out.extend(
                ages.iter().map(|age| {
                    line.checked_sub(1).and_then(|at| age.chars().nth(at)).unwrap_or(' ')
                }),
            );
            out.push('\n');
        }
    }
    out
}

/// Seconds in the largest unit that is not too large.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `LATENCY DOCTOR`
fn latency_doctor(context: &mut Context, _args: &mut Args) -> Answer {
    let server = &*context.server;
    let limit = server.config.active.latency_monitor_threshold;
    if limit == 0 && server.latency.0.is_empty() {
        return Ok(Reply::Verbatim(*b"txt", DISABLED.into()));
    }
    if server.latency.0.is_empty() {
        return Ok(Reply::Verbatim(*b"txt", NO_SPIKES.into()));
    }
    let now = server.clocked() / 1_000_000;
    let mut out = SPIKES.to_owned();
    for (place, event) in server.latency.0.iter().enumerate() {
        let (count, worst) = (event.samples.len() as u64, event.worst);
        let milliseconds = || event.samples.iter().map(|sample| sample.milliseconds);
        let average = milliseconds().sum::<u64>() / count.max(1);
        let deviation =
            milliseconds().map(|number| number.abs_diff(average)).sum::<u64>() / count.max(1);
        let first = event.samples.front().map_or(now, |sample| sample.time);
        let period = fixed(now.saturating_sub(first).max(1) as f64 / count.max(1) as f64, 2);
        let written = writeln!(
            out,
            "{}. {}: {count} latency spikes (average {average}ms, mean deviation {deviation}ms, period {period} sec). Worst all time event {worst}ms.",
            place + 1,
            event.name
        );
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    let is_slow = |name: &str| server.latency.event(name.as_bytes()).is_some();
    let mut advices = String::new();
    if is_slow("command") {
        let logged = server.config.active.slowlog_log_slower_than;
        if let Some(advice) = match u64::try_from(logged) {
            Err(_) => Some(ENABLE_SLOWLOG),
            Ok(logged) if logged / 1000 > limit => Some(LOWER_SLOWLOG),
            Ok(_) => None,
        } {
            advices.push_str(&advice.replace("{}", &limit.wrapping_mul(1000).to_string()));
        }
        advices.push_str(CHECK_SLOWLOG);
    }
    if is_slow("fast-command") {
        advices.push_str(SLOW_SYSTEM);
    }
    if is_slow("expire-cycle") && server.config.integer("hz") < 100 {
        advices.push_str(RAISE_HZ);
    }
    if ["command", "expire-cycle", "eviction-del"].into_iter().any(is_slow) {
        advices.push_str(LARGE_OBJECTS);
    }
    if is_slow("eviction-cycle") {
        advices.push_str(MASS_EVICTION);
    }
    out.push_str(if advices.is_empty() { NO_ADVICE } else { ADVICES });
    out.push_str(&advices);
    Ok(Reply::Verbatim(*b"txt", out.into_bytes()))
}

const DISABLED: &str = "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. If we weren't in a deep space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n";
const NO_SPIKES: &str = "Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n";
const SPIKES: &str = "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n";
const NO_ADVICE: &str = "\nWhile there are latency events logged, I'm not able to suggest any easy fix. Please use the Redis community to get some help, providing this report in your help request.\n";
const ADVICES: &str = "\nI have a few advices for you:\n\n";
const ENABLE_SLOWLOG: &str = "- There are latency issues with potentially slow commands you are using. Try to enable the Slow Log Redis feature using the command 'CONFIG SET slowlog-log-slower-than {}'. If the Slow log is disabled Redis is not able to log slow commands execution for you.\n";
const LOWER_SLOWLOG: &str = "- Your current Slow Log configuration only logs events that are slower than your configured latency monitor threshold. Please use 'CONFIG SET slowlog-log-slower-than {}'.\n";
const CHECK_SLOWLOG: &str = "- Check your Slow Log to understand what are the commands you are running which are too slow to execute. Please check https://redis.io/commands/slowlog for more information.\n";
const SLOW_SYSTEM: &str = "- The system is slow to execute Redis code paths not containing system calls. This usually means the system does not provide Redis CPU time to run for long periods. You should try to:\n  1) Lower the system load.\n  2) Use a computer / VM just for Redis if you are running other software in the same system.\n  3) Check if you have a \"noisy neighbour\" problem.\n  4) Check with 'redis-cli --intrinsic-latency 100' what is the intrinsic latency in your system.\n  5) Check if the problem is allocator-related by recompiling Redis with MALLOC=libc, if you are using Jemalloc. However this may create fragmentation problems.\n";
const RAISE_HZ: &str = "- In order to make the Redis keys expiring process more incremental, try to set the 'hz' configuration parameter to 100 using 'CONFIG SET hz 100'.\n";
const LARGE_OBJECTS: &str = "- Deleting, expiring or evicting (because of maxmemory policy) large objects is a blocking operation. If you have very large objects that are often deleted, expired, or evicted, try to fragment those objects into multiple smaller objects.\n";
const MASS_EVICTION: &str = "- Sudden changes to the 'maxmemory' setting via 'CONFIG SET', or allocation of large objects via sets or sorted sets intersections, STORE option of SORT, Redis Cluster large keys migrations (RESTORE command), may create sudden memory pressure forcing the server to block trying to evict keys. \n";

/// `LATENCY HELP`
fn latency_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

const HELP: (&str, &[&str]) = (
    "LATENCY",
    &[
        "DOCTOR",
        "    Return a human readable latency analysis report.",
        "GRAPH <event>",
        "    Return an ASCII latency graph for the <event> class.",
        "HISTORY <event>",
        "    Return time-latency samples for the <event> class.",
        "LATEST",
        "    Return the latest latency samples for all events.",
        "RESET [<event> ...]",
        "    Reset latency data of one or more <event> classes.",
        "    (default: reset all data for all event classes)",
        "HISTOGRAM [COMMAND ...]",
        "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
        "    If no commands are specified then all histograms are replied.",
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Clock, Server};

    fn event(samples: &[(u64, u64)], worst: u64) -> Event {
        let samples = samples.iter().map(|&(time, milliseconds)| Sample { time, milliseconds });
        Event { name: "command", samples: samples.collect(), worst }
    }

    /// Printed by redis-server 7.0.15 for these samples.
    #[test]
    fn graphs_as_redis_prints_them() {
        let expected = "command - high 20 ms, low 5 ms (all time high 30 ms)\n\
            --------------------------------------------------------------------------------\n\
            \x20 #\n\
            \x20 |\n\
            \x20o|\n\
            _||\n\
            \x20  \n\
            170\n\
            0ss\n\
            s  \n";
        assert_eq!(graph(&event(&[(0, 5), (3, 10), (10, 20)], 30), 10), expected);
        let expected = "command - high 13 ms, low 13 ms (all time high 13 ms)\n\
            --------------------------------------------------------------------------------\n\
            \x20\n \n \n_\n \n0\ns\n";
        assert_eq!(graph(&event(&[(7, 13)], 13), 7), expected);
    }

    struct Still;

    impl Clock for Still {
        fn now(&self) -> u64 {
            10_000_000
        }
    }

    /// Printed by redis-server 7.0.15 after these samples, but for the advices, which are checked one by one.
    #[test]
    fn the_doctor_knows_what_was_slow() {
        let mut server = Server::new(1, Box::new(Still));
        let client = server.connect("");
        let mut ask = |events: Vec<Event>, logged: &str, advices: &[&str]| {
            server.latency.0 = events;
            let config =
                ["CONFIG", "SET", "latency-monitor-threshold", "3", "slowlog-log-slower-than"];
            let config: Vec<Vec<u8>> =
                config.iter().chain([&logged]).map(|word| word.as_bytes().to_vec()).collect();
            server.send(client, &config);
            server.take_reply(client);
            server.send(client, &[b"LATENCY".to_vec(), b"DOCTOR".to_vec()]);
            let reply = server.take_reply(client);
            let Some(Reply::Bulk(text)) = &reply else { panic!("{reply:?}") };
            let text = String::from_utf8_lossy(text).into_owned();
            let (report, found) = text
                .split_once(if advices.is_empty() { NO_ADVICE } else { ADVICES })
                .unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found, advices.concat());
            report.to_owned()
        };
        let slow = || event(&[(0, 5), (3, 10), (10, 20)], 20);
        let advices = [&LOWER_SLOWLOG.replace("{}", "3000"), CHECK_SLOWLOG, LARGE_OBJECTS];
        let expected = "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n\
            1. command: 3 latency spikes (average 11ms, mean deviation 5ms, period 3.33 sec). Worst all time event 20ms.\n";
        assert_eq!(ask(vec![slow()], "10000", &advices), expected);
        ask(vec![slow()], "3999", &[CHECK_SLOWLOG, LARGE_OBJECTS]);
        let advices = [&ENABLE_SLOWLOG.replace("{}", "3000"), CHECK_SLOWLOG, LARGE_OBJECTS];
        ask(vec![slow()], "-1", &advices);
        let named = |name: &'static str| Event { name, ..slow() };
        ask(vec![named("fast-command")], "0", &[SLOW_SYSTEM]);
        ask(vec![named("expire-cycle"), named("expire-del")], "0", &[RAISE_HZ, LARGE_OBJECTS]);
        ask(vec![named("eviction-cycle")], "0", &[MASS_EVICTION]);
        ask(vec![named("eviction-del")], "0", &[LARGE_OBJECTS]);
        let expected = expected.replace("1. command", "1. expire-del");
        assert_eq!(ask(vec![named("expire-del")], "0", &[]), expected);
    }

    /// As redis-server 7.0.15 lets the number overflow.
    #[test]
    fn the_doctor_multiplies_every_threshold() {
        let mut server = Server::new(1, Box::new(Still));
        let client = server.connect("");
        server.latency.0 = vec![event(&[(0, 5)], 5)];
        for line in [
            &["CONFIG", "SET", "latency-monitor-threshold", "9223372036854775807"][..],
            &["CONFIG", "SET", "slowlog-log-slower-than", "-1"],
            &["LATENCY", "DOCTOR"],
        ] {
            let line: Vec<Vec<u8>> = line.iter().map(|word| word.as_bytes().to_vec()).collect();
            server.take_reply(client);
            server.send(client, &line);
        }
        let reply = server.take_reply(client);
        let Some(Reply::Bulk(text)) = &reply else { panic!("{reply:?}") };
        assert!(String::from_utf8_lossy(text).contains("slower-than 18446744073709550616'"));
    }

    #[test]
    fn a_long_graph_has_two_parts() {
        let samples: Vec<(u64, u64)> = (0..81).map(|time| (time, 3)).collect();
        let text = graph(&event(&samples, 3), 80);
        assert!(text.ends_with("\n\n \n \n \n_\n \n0\ns\n"), "{text}");
        assert_eq!(text.lines().nth(5).map(str::len), Some(80), "{text}");
    }
}
