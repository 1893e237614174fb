//! Defines MULTI, EXEC, DISCARD, WATCH and UNWATCH.

use super::args::Args;
use super::flag::{ALLOW_BUSY, FAST, LOADING, NOSCRIPT, SKIP_SLOWLOG, STALE};
use super::{Answer, Command, KeySpec, Run};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::transaction::Transaction;

/// The family of transactions.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "discard",
        arity: 1,
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        categories: "transaction",
        since: "2.0.0",
        group: "transactions",
        summary: "Discard all commands issued after MULTI",
        complexity: "O(N), when N is the number of queued commands",
        run: Run::Reply(discard),
        ..Command::EMPTY
    },
    Command {
        name: "exec",
        arity: 1,
        flags: NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG,
        categories: "transaction",
        since: "1.2.0",
        group: "transactions",
        summary: "Execute all commands issued after MULTI",
        complexity: "Depends on commands in the transaction",
        run: Run::Later(exec),
        ..Command::EMPTY
    },
    Command {
        name: "multi",
        arity: 1,
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        categories: "transaction",
        since: "1.2.0",
        group: "transactions",
        summary: "Mark the start of a transaction block",
        complexity: "O(1)",
        run: Run::Reply(multi),
        ..Command::EMPTY
    },
    Command {
        name: "unwatch",
        arity: 1,
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        categories: "transaction",
        since: "2.2.0",
        group: "transactions",
        summary: "Forget about all watched keys",
        complexity: "O(1)",
        run: Run::Reply(unwatch),
        ..Command::EMPTY
    },
    Command {
        name: "watch",
        arity: -2,
        flags: NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        categories: "transaction",
        keys: &[KeySpec::range(1, -1, 1, "RO")],
        since: "2.2.0",
        group: "transactions",
        summary: "Watch the given keys to determine execution of the MULTI/EXEC block",
        complexity: "O(1) for every key.",
        syntax: "key:key#0*",
        run: Run::Reply(watch),
        ..Command::EMPTY
    },
];

/// MULTI
fn multi(context: &mut Context, _: &mut Args) -> Answer {
    match context.client() {
        Some(client) if client.transaction.is_some() => Err(Error::NESTED_MULTI),
        Some(client) => {
            client.transaction = Some(Transaction::default());
            Ok(Reply::OK)
        }
        None => Ok(Reply::OK),
    }
}

/// EXEC
fn exec(context: &mut Context, _: &mut Args) -> Result<Option<Reply>, Error> {
    let begun = context.server.execute(context.client)?;
    Ok(if begun { None } else { Some(Reply::NullArray) })
}

/// DISCARD
fn discard(context: &mut Context, _: &mut Args) -> Answer {
    if context.client().is_none_or(|client| client.transaction.is_none()) {
        return Err(Error::DISCARD_WITHOUT_MULTI);
    }
    context.server.discard(context.client);
    Ok(Reply::OK)
}

/// WATCH key [key ...]
fn watch(context: &mut Context, args: &mut Args) -> Answer {
    if context.client().is_some_and(|client| client.transaction.is_some()) {
        return Err(Error::WATCH_IN_MULTI);
    }
    for key in args.rest() {
        context.server.watch(context.client, key);
    }
    Ok(Reply::OK)
}

/// UNWATCH
fn unwatch(context: &mut Context, _: &mut Args) -> Answer {
    context.server.unwatch(context.client);
    Ok(Reply::OK)
}
