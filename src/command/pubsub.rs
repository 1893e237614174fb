//! Defines SUBSCRIBE and its family, PUBLISH and PUBSUB.

use super::args::Args;
use super::flag::{FAST, LOADING, NOSCRIPT, PUBSUB, STALE};
use super::{Answer, Command, KeySpec, Run};
use crate::error::Error;
use crate::glob;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::pubsub::Kind;

/// The family of publish and subscribe.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "psubscribe",
        arity: -2,
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        categories: "",
        since: "2.0.0",
        group: "pubsub",
        summary: "Listen for messages published to channels matching the given patterns",
        complexity: "O(N) where N is the number of patterns the client is already subscribed to.",
        syntax: "pattern{pattern:pattern}*",
        run: Run::Reply(psubscribe),
        ..Command::EMPTY
    },
    Command {
        name: "publish",
        arity: 3,
        flags: PUBSUB | LOADING | STALE | FAST,
        categories: "",
        since: "2.0.0",
        group: "pubsub",
        summary: "Post a message to a channel",
        complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
        syntax: "channel:string message:string",
        run: Run::Reply(publish),
        ..Command::EMPTY
    },
    Command {
        name: "pubsub",
        arity: -2,
        flags: 0,
        categories: "",
        since: "2.8.0",
        group: "pubsub",
        summary: "A container for Pub/Sub commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "channels",
                arity: -2,
                flags: PUBSUB | LOADING | STALE,
                categories: "",
                since: "2.8.0",
                group: "pubsub",
                summary: "List active channels",
                complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
                syntax: "pattern:pattern?",
                run: Run::Reply(pubsub_channels),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "",
                since: "6.2.0",
                group: "pubsub",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(pubsub_help),
                ..Command::EMPTY
            },
            Command {
                name: "numpat",
                arity: 2,
                flags: PUBSUB | LOADING | STALE,
                categories: "",
                since: "2.8.0",
                group: "pubsub",
                summary: "Get the count of unique patterns pattern subscriptions",
                complexity: "O(1)",
                run: Run::Reply(pubsub_numpat),
                ..Command::EMPTY
            },
            Command {
                name: "numsub",
                arity: -2,
                flags: PUBSUB | LOADING | STALE,
                categories: "",
                since: "2.8.0",
                group: "pubsub",
                summary: "Get the count of subscribers for channels",
                complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
                syntax: "channel:string?*",
                run: Run::Reply(pubsub_numsub),
                ..Command::EMPTY
            },
            Command {
                name: "shardchannels",
                arity: -2,
                flags: PUBSUB | LOADING | STALE,
                categories: "",
                since: "7.0.0",
                group: "pubsub",
                summary: "List active shard channels",
                complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
                syntax: "pattern:pattern?",
                run: Run::Reply(pubsub_shardchannels),
                ..Command::EMPTY
            },
            Command {
                name: "shardnumsub",
                arity: -2,
                flags: PUBSUB | LOADING | STALE,
                categories: "",
                since: "7.0.0",
                group: "pubsub",
                summary: "Get the count of subscribers for shard channels",
                complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
                syntax: "shardchannel:string?*",
                run: Run::Reply(pubsub_shardnumsub),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "punsubscribe",
        arity: -1,
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        categories: "",
        since: "2.0.0",
        group: "pubsub",
        summary: "Stop listening for messages posted to channels matching the given patterns",
        complexity: "O(N+M) where N is the number of patterns the client is already subscribed and M is the number of total patterns subscribed in the system (by any client).",
        syntax: "pattern:pattern?*",
        run: Run::Reply(punsubscribe),
        ..Command::EMPTY
    },
    Command {
        name: "spublish",
        arity: 3,
        flags: PUBSUB | LOADING | STALE | FAST,
        categories: "",
        keys: &[KeySpec::at(1, "not_key")],
        since: "7.0.0",
        group: "pubsub",
        summary: "Post a message to a shard channel",
        complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
        syntax: "shardchannel:string message:string",
        run: Run::Reply(spublish),
        ..Command::EMPTY
    },
    Command {
        name: "ssubscribe",
        arity: -2,
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        categories: "",
        keys: &[KeySpec::range(1, -1, 1, "not_key")],
        since: "7.0.0",
        group: "pubsub",
        summary: "Listen for messages published to the given shard channels",
        complexity: "O(N) where N is the number of shard channels to subscribe to.",
        syntax: "shardchannel:string*",
        run: Run::Reply(ssubscribe),
        ..Command::EMPTY
    },
    Command {
        name: "subscribe",
        arity: -2,
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        categories: "",
        since: "2.0.0",
        group: "pubsub",
        summary: "Listen for messages published to the given channels",
        complexity: "O(N) where N is the number of channels to subscribe to.",
        syntax: "channel:string*",
        run: Run::Reply(subscribe),
        ..Command::EMPTY
    },
    Command {
        name: "sunsubscribe",
        arity: -1,
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        categories: "",
        keys: &[KeySpec::range(1, -1, 1, "not_key")],
        since: "7.0.0",
        group: "pubsub",
        summary: "Stop listening for messages posted to the given shard channels",
        complexity: "O(N) where N is the number of clients already subscribed to a shard channel.",
        syntax: "shardchannel:string?*",
        run: Run::Reply(sunsubscribe),
        ..Command::EMPTY
    },
    Command {
        name: "unsubscribe",
        arity: -1,
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        categories: "",
        since: "2.0.0",
        group: "pubsub",
        summary: "Stop listening for messages posted to the given channels",
        complexity: "O(N) where N is the number of clients already subscribed to a channel.",
        syntax: "channel:string?*",
        run: Run::Reply(unsubscribe),
        ..Command::EMPTY
    },
];

/// SUBSCRIBE channel [channel ...]
fn subscribe(context: &mut Context, args: &mut Args) -> Answer {
    Ok(subscribe_to(context, args, Kind::Channel, "subscribe"))
}

/// PSUBSCRIBE pattern [pattern ...]
fn psubscribe(context: &mut Context, args: &mut Args) -> Answer {
    Ok(subscribe_to(context, args, Kind::Pattern, "psubscribe"))
}

/// SSUBSCRIBE shardchannel [shardchannel ...]
fn ssubscribe(context: &mut Context, args: &mut Args) -> Answer {
    if context.server.is_in_transaction(context.client) {
        return Err(Error::SSUBSCRIBE_IN_MULTI);
    }
    Ok(subscribe_to(context, args, Kind::Shard, "ssubscribe"))
}

fn subscribe_to(context: &mut Context, args: &mut Args, kind: Kind, word: &str) -> Reply {
    let replies = args.rest().iter().map(|name| {
        let count = context.server.subscribe(context.client, kind, name);
        confirmation(word, Reply::bulk(name), count)
    });
    let replies = replies.collect();
    send_all(context, replies)
}

/// UNSUBSCRIBE [channel [channel ...]]
fn unsubscribe(context: &mut Context, args: &mut Args) -> Answer {
    Ok(unsubscribe_from(context, args, Kind::Channel, "unsubscribe"))
}

/// PUNSUBSCRIBE [pattern [pattern ...]]
fn punsubscribe(context: &mut Context, args: &mut Args) -> Answer {
    Ok(unsubscribe_from(context, args, Kind::Pattern, "punsubscribe"))
}

/// SUNSUBSCRIBE [shardchannel [shardchannel ...]]
fn sunsubscribe(context: &mut Context, args: &mut Args) -> Answer {
    Ok(unsubscribe_from(context, args, Kind::Shard, "sunsubscribe"))
}

/// Without names from all; if there are none, that is said, too.
fn unsubscribe_from(context: &mut Context, args: &mut Args, kind: Kind, word: &str) -> Reply {
    let mut names = args.rest().to_vec();
    if names.is_empty() {
        let all = context.client().map(|client| client.subscriptions.names(kind));
        names = all.unwrap_or_default();
    }
    if names.is_empty() {
        let count = context.client().map_or(0, |client| client.subscriptions.count(kind));
        return confirmation(word, Reply::Null, count);
    }
    let replies = names.iter().map(|name| {
        let count = context.server.unsubscribe(context.client, kind, name);
        confirmation(word, Reply::bulk(name), count)
    });
    let replies = replies.collect();
    send_all(context, replies)
}

fn confirmation(word: &str, name: Reply, count: usize) -> Reply {
    Reply::Push(vec![Reply::bulk(word), name, Reply::Integer(count as i64)])
}

/// Sends all replies but the last, which is the command's own.
fn send_all(context: &mut Context, mut replies: Vec<Reply>) -> Reply {
    let last = replies.pop().unwrap_or(Reply::Null);
    for reply in replies {
        context.server.push(context.client, reply);
    }
    last
}

/// PUBLISH channel message
fn publish(context: &mut Context, args: &mut Args) -> Answer {
    let (channel, message) = (args.bytes()?, args.bytes()?);
    Ok(Reply::Integer(context.server.publish(channel, message) as i64))
}

/// SPUBLISH shardchannel message
fn spublish(context: &mut Context, args: &mut Args) -> Answer {
    let (channel, message) = (args.bytes()?, args.bytes()?);
    Ok(Reply::Integer(context.server.publish_in_shard(channel, message) as i64))
}

/// `PUBSUB CHANNELS [pattern]`
fn pubsub_channels(context: &mut Context, args: &mut Args) -> Answer {
    names(context, args, Kind::Channel)
}

/// `PUBSUB SHARDCHANNELS [pattern]`
fn pubsub_shardchannels(context: &mut Context, args: &mut Args) -> Answer {
    names(context, args, Kind::Shard)
}

fn names(context: &mut Context, args: &mut Args, kind: Kind) -> Answer {
    if args.remaining() > 1 {
        let subcommand = args.argv().get(1).map_or(&[][..], Vec::as_slice);
        return Err(Error::wrong_subcommand_arity(subcommand, "PUBSUB"));
    }
    let pattern = args.peek();
    let channels = context.server.channels.of(kind).iter().map(|(name, _)| name);
    let matching =
        channels.filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false)));
    Ok(Reply::bulks(matching))
}

/// PUBSUB NUMSUB [channel [channel ...]]
fn pubsub_numsub(context: &mut Context, args: &mut Args) -> Answer {
    Ok(numbers(context, args, Kind::Channel))
}

/// PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]
fn pubsub_shardnumsub(context: &mut Context, args: &mut Args) -> Answer {
    Ok(numbers(context, args, Kind::Shard))
}

fn numbers(context: &mut Context, args: &mut Args, kind: Kind) -> Reply {
    let channels = context.server.channels.of(kind);
    let pairs = args.rest().iter().flat_map(|name| {
        let count = channels.of(name).len();
        [Reply::bulk(name), Reply::Integer(count as i64)]
    });
    Reply::Array(pairs.collect())
}

/// PUBSUB NUMPAT
fn pubsub_numpat(context: &mut Context, _: &mut Args) -> Answer {
    Ok(Reply::Integer(context.server.channels.of(Kind::Pattern).len() as i64))
}

/// PUBSUB HELP
fn pubsub_help(_: &mut Context, _: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

/// What PUBSUB HELP prints between its first and its last lines.
const HELP: (&str, &[&str]) = (
    "PUBSUB",
    &[
        "CHANNELS [<pattern>]",
        "    Return the currently active channels matching a <pattern> (default: '*').",
        "NUMPAT",
        "    Return number of subscriptions to patterns.",
        "NUMSUB [<channel> ...]",
        "    Return the number of subscribers for the specified channels, excluding",
        "    pattern subscriptions(default: no channels).",
        "SHARDCHANNELS [<pattern>]",
        "    Return the currently active shard level channels matching a <pattern> (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Return the number of subscribers for the specified shard level channel(s)",
    ],
);
