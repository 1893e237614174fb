//! Defines the commands of a cluster, each of which a single node refuses.

use super::args::Args;
use super::flag::{ADMIN, FAST, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE};
use super::{Answer, Command, Run};
use crate::error::Error;
use crate::server::Context;

/// The cluster commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "asking",
        arity: 1,
        flags: FAST,
        categories: "connection",
        since: "3.0.0",
        group: "cluster",
        summary: "Sent by cluster clients after an -ASK redirect",
        complexity: "O(1)",
        run: Run::Reply(disabled),
        ..Command::EMPTY
    },
    Command {
        name: "cluster",
        arity: -2,
        since: "3.0.0",
        group: "cluster",
        summary: "A container for cluster commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "addslots",
                arity: -3,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Assign new hash slots to receiving node",
                complexity: "O(N) where N is the total number of hash slot arguments",
                syntax: "slot:integer*",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "addslotsrange",
                arity: -4,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "7.0.0",
                group: "cluster",
                summary: "Assign new hash slots to receiving node",
                complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
                syntax: "start-slot_end-slot{start-slot:integer end-slot:integer}*",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "bumpepoch",
                arity: 2,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Advance the cluster config epoch",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "count-failure-reports",
                arity: 3,
                flags: ADMIN | STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Return the number of failure reports active for a given node",
                complexity: "O(N) where N is the number of failure reports",
                tips: &["nondeterministic_output"],
                syntax: "node-id:string",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "countkeysinslot",
                arity: 3,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Return the number of local keys in the specified hash slot",
                complexity: "O(1)",
                syntax: "slot:integer",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "delslots",
                arity: -3,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Set hash slots as unbound in receiving node",
                complexity: "O(N) where N is the total number of hash slot arguments",
                syntax: "slot:integer*",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "delslotsrange",
                arity: -4,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "7.0.0",
                group: "cluster",
                summary: "Set hash slots as unbound in receiving node",
                complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
                syntax: "start-slot_end-slot{start-slot:integer end-slot:integer}*",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "failover",
                arity: -2,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Forces a replica to perform a manual failover of its master.",
                complexity: "O(1)",
                syntax: "options(FORCE|TAKEOVER)?",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "flushslots",
                arity: 2,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Delete a node's own slots information",
                complexity: "O(1)",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "forget",
                arity: 3,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Remove a node from the nodes table",
                complexity: "O(1)",
                syntax: "node-id:string",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "getkeysinslot",
                arity: 4,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Return local key names in the specified hash slot",
                complexity: "O(log(N)) where N is the number of requested keys",
                tips: &["nondeterministic_output"],
                syntax: "slot:integer count:integer",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                since: "5.0.0",
                group: "cluster",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "info",
                arity: 2,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Provides info about Redis Cluster node state",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "keyslot",
                arity: 3,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Returns the hash slot of the specified key",
                complexity: "O(N) where N is the number of bytes in the key",
                syntax: "key:string",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "links",
                arity: 2,
                flags: STALE,
                since: "7.0.0",
                group: "cluster",
                summary: "Returns a list of all TCP links to and from peer nodes in cluster",
                complexity: "O(N) where N is the total number of Cluster nodes",
                tips: &["nondeterministic_output"],
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "meet",
                arity: -4,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Force a node cluster to handshake with another node",
                complexity: "O(1)",
                history: &[("4.0.0", "Added the optional `cluster_bus_port` argument.")],
                syntax: "ip:string port:integer cluster_bus_port:integer?@4.0.0",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "myid",
                arity: 2,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Return the node id",
                complexity: "O(1)",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "nodes",
                arity: 2,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Get Cluster config for the node",
                complexity: "O(N) where N is the total number of Cluster nodes",
                tips: &["nondeterministic_output"],
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "replicas",
                arity: 3,
                flags: ADMIN | STALE,
                since: "5.0.0",
                group: "cluster",
                summary: "List replica nodes of the specified master node",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                syntax: "node-id:string",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "replicate",
                arity: 3,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Reconfigure a node as a replica of the specified master node",
                complexity: "O(1)",
                syntax: "node-id:string",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "reset",
                arity: -2,
                flags: ADMIN | NOSCRIPT | STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Reset a Redis Cluster node",
                complexity: "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.",
                syntax: "hard_soft(HARD|SOFT)?",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "saveconfig",
                arity: 2,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Forces the node to save cluster state on disk",
                complexity: "O(1)",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "set-config-epoch",
                arity: 3,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Set the configuration epoch in a new node",
                complexity: "O(1)",
                syntax: "config-epoch:integer",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "setslot",
                arity: -4,
                flags: ADMIN | STALE | NO_ASYNC_LOADING,
                since: "3.0.0",
                group: "cluster",
                summary: "Bind a hash slot to a specific node",
                complexity: "O(1)",
                syntax: "slot:integer subcommand(IMPORTING=node-id:string|MIGRATING=node-id:string|NODE=node-id:string|STABLE)",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "shards",
                arity: 2,
                flags: STALE,
                since: "7.0.0",
                group: "cluster",
                summary: "Get array of cluster slots to node mappings",
                complexity: "O(N) where N is the total number of cluster nodes",
                tips: &["nondeterministic_output"],
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "slaves",
                arity: 3,
                flags: ADMIN | STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "List replica nodes of the specified master node",
                complexity: "O(1)",
                doc_flags: "deprecated",
                deprecated: Some(("5.0.0", "`CLUSTER REPLICAS`")),
                tips: &["nondeterministic_output"],
                syntax: "node-id:string",
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
            Command {
                name: "slots",
                arity: 2,
                flags: STALE,
                since: "3.0.0",
                group: "cluster",
                summary: "Get array of Cluster slot to node mappings",
                complexity: "O(N) where N is the total number of Cluster nodes",
                doc_flags: "deprecated",
                deprecated: Some(("7.0.0", "`CLUSTER SHARDS`")),
                history: &[
                    ("4.0.0", "Added node IDs."),
                    ("7.0.0", "Added additional networking metadata field."),
                ],
                tips: &["nondeterministic_output"],
                run: Run::Reply(disabled),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "readonly",
        arity: 1,
        flags: LOADING | STALE | FAST,
        categories: "connection",
        since: "3.0.0",
        group: "cluster",
        summary: "Enables read queries for a connection to a cluster replica node",
        complexity: "O(1)",
        run: Run::Reply(disabled),
        ..Command::EMPTY
    },
    Command {
        name: "readwrite",
        arity: 1,
        flags: LOADING | STALE | FAST,
        categories: "connection",
        since: "3.0.0",
        group: "cluster",
        summary: "Disables read queries for a connection to a cluster replica node",
        complexity: "O(1)",
        run: Run::Reply(disabled),
        ..Command::EMPTY
    },
];

fn disabled(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::CLUSTER_DISABLED)
}
