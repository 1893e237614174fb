//! Defines the commands of replication, as a node without a network and without replicas answers them.

use super::args::Args;
use super::flag::{ADMIN, ALLOW_BUSY, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, STALE};
use super::{Answer, Command, Run};
use crate::error::Error;
use crate::number;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::client::Muted;
use crate::split;

/// The replication commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "failover",
        arity: -1,
        flags: ADMIN | NOSCRIPT | STALE,
        since: "6.2.0",
        group: "server",
        summary: "Start a coordinated failover between this server and one of its replicas.",
        complexity: "O(1)",
        syntax: "TO=target{host:string port:integer FORCE?}? ABORT? TIMEOUT=milliseconds:integer?",
        run: Run::Reply(failover),
        ..Command::EMPTY
    },
    Command {
        name: "psync",
        arity: -3,
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        since: "2.8.0",
        group: "server",
        summary: "Internal command used for replication",
        syntax: "replicationid:string offset:integer",
        run: Run::Reply(psync),
        ..Command::EMPTY
    },
    Command {
        name: "replconf",
        arity: -1,
        flags: ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY,
        since: "3.0.0",
        group: "server",
        summary: "An internal command for configuring the replication stream",
        complexity: "O(1)",
        doc_flags: "syscmd",
        run: Run::Reply(replconf),
        ..Command::EMPTY
    },
    Command {
        name: "replicaof",
        arity: 3,
        flags: ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING,
        since: "5.0.0",
        group: "server",
        summary: "Make the server a replica of another instance, or promote it as master.",
        complexity: "O(1)",
        syntax: "args(host-port{host:string port:integer}|no-one{NO ONE})",
        run: Run::Reply(replicaof),
        ..Command::EMPTY
    },
    Command {
        name: "role",
        arity: 1,
        flags: NOSCRIPT | LOADING | STALE | FAST,
        categories: "admin dangerous",
        since: "2.8.12",
        group: "server",
        summary: "Return the role of the instance in the context of replication",
        complexity: "O(1)",
        run: Run::Reply(role),
        ..Command::EMPTY
    },
    Command {
        name: "slaveof",
        arity: 3,
        flags: ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING,
        since: "1.0.0",
        group: "server",
        summary: "Make the server a replica of another instance, or promote it as master.",
        complexity: "O(1)",
        doc_flags: "deprecated",
        deprecated: Some(("5.0.0", "`REPLICAOF`")),
        syntax: "args(host-port{host:string port:integer}|no-one{NO ONE})",
        run: Run::Reply(replicaof),
        ..Command::EMPTY
    },
    Command {
        name: "sync",
        arity: 1,
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        since: "1.0.0",
        group: "server",
        summary: "Internal command used for replication",
        run: Run::Reply(sync),
        ..Command::EMPTY
    },
];

/// The longest host name of a replica.
const LONGEST_ADDRESS: usize = 255;

/// `ROLE`
fn role(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Array(vec![Reply::bulk("master"), Reply::Integer(0), Reply::Array(Vec::new())]))
}

/// `REPLICAOF NO ONE`, which a master obeys already; there is no network to reach another one.
fn replicaof(_context: &mut Context, args: &mut Args) -> Answer {
    if args.clone().option("no")
        && args.argv().get(2).is_some_and(|word| word.eq_ignore_ascii_case(b"one"))
    {
        return Ok(Reply::OK);
    }
    args.bytes()?;
    match number::parse_integer(args.bytes()?) {
        Some(0..=65535) => Err(Error::NO_MASTER),
        _ => Err(Error::MASTER_PORT),
    }
}

/// `FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]`
fn failover(_context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() == 1 && args.option("abort") {
        return Err(Error::NO_FAILOVER);
    }
    let (mut target, mut timeout, mut force) = (false, false, false);
    while !args.is_empty() {
        if args.remaining() > 1 && !timeout && args.option("timeout") {
            if args.integer()? <= 0 {
                return Err(Error::FAILOVER_TIMEOUT);
            }
            timeout = true;
        } else if args.remaining() > 2 && !target && args.option("to") {
            args.bytes()?;
            args.integer()?;
            target = true;
        } else if !force && args.option("force") {
            force = true;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    Err(Error::FAILOVER_REPLICAS)
}

/// `REPLCONF [option value ...]`: what a replica says of itself is heard and has no effect.
fn replconf(context: &mut Context, args: &mut Args) -> Answer {
    if !args.remaining().is_multiple_of(2) {
        return Err(Error::SYNTAX);
    }
    while let Some(option) = args.peek() {
        if args.option("listening-port") {
            args.integer()?;
        } else if args.option("ip-address") {
            let length = args.bytes()?.len();
            if length > LONGEST_ADDRESS {
                return Err(Error::replica_address(length));
            }
        } else if args.option("capa") {
            args.bytes()?;
        } else if args.option("ack") || args.option("getack") {
            // Between a master and its replica: nothing is answered.
            if let Some(client) = context.client().filter(|client| client.muted == Muted::No) {
                client.muted = Muted::Replies(1);
            }
            break;
        } else if args.option("rdb-only") {
            if !(0..=1).contains(&args.integer()?) {
                return Err(Error::not_between(0, 1));
            }
        } else if args.option("rdb-filter-only") {
            let words = split::split(args.bytes()?).ok_or(Error::REPLICA_FILTER)?;
            if let Some(word) = words.iter().find(|word| *word != b"functions") {
                return Err(Error::unsupported_filter(word));
            }
        } else {
            return Err(Error::unknown_replconf(option));
        }
    }
    Ok(Reply::OK)
}

/// `PSYNC replicationid offset`
fn psync(_context: &mut Context, args: &mut Args) -> Answer {
    args.bytes()?;
    args.integer()?;
    Err(Error::NO_REPLICAS)
}

/// `SYNC`
fn sync(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::NO_REPLICAS)
}
