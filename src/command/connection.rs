//! Defines the commands about the connection itself: AUTH, CLIENT, ECHO, HELLO, PING, QUIT, RESET, SELECT.

use super::args::Args;
use super::flag::{ADMIN, ALLOW_BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, STALE};
use super::{Command, Run};
use crate::error::Error;
use crate::number;
use crate::resp::{Reply, Resp};
use crate::server::acl::UserId;
use crate::server::blocking::Unblock;
use crate::server::client::{Client, ClientId, Muted, SCRIPT_CLIENT};
use crate::server::pubsub::Kind;
use crate::server::{Context, REDIS_VERSION, Server};

/// The connection commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "auth",
        arity: -2,
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        categories: "connection",
        since: "1.0.0",
        group: "connection",
        summary: "Authenticate to the server",
        complexity: "O(N) where N is the number of passwords defined for the user",
        history: &[("6.0.0", "Added ACL style (username and password).")],
        syntax: "username:string?@6.0.0 password:string",
        run: Run::Reply(auth),
        ..Command::EMPTY
    },
    Command {
        name: "client",
        arity: -2,
        flags: 0,
        categories: "",
        since: "2.4.0",
        group: "connection",
        summary: "A container for client connection commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "caching",
                arity: 3,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "6.0.0",
                group: "connection",
                summary: "Instruct the server about tracking or not keys in the next request",
                complexity: "O(1)",
                syntax: "mode(YES|NO)",
                run: Run::Reply(client_caching),
                ..Command::EMPTY
            },
            Command {
                name: "getname",
                arity: 2,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "2.6.9",
                group: "connection",
                summary: "Get the current connection name",
                complexity: "O(1)",
                run: Run::Reply(client_getname),
                ..Command::EMPTY
            },
            Command {
                name: "getredir",
                arity: 2,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "6.0.0",
                group: "connection",
                summary: "Get tracking notifications redirection client ID if any",
                complexity: "O(1)",
                run: Run::Reply(client_getredir),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "connection",
                since: "5.0.0",
                group: "connection",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(client_help),
                ..Command::EMPTY
            },
            Command {
                name: "id",
                arity: 2,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "5.0.0",
                group: "connection",
                summary: "Returns the client ID for the current connection",
                complexity: "O(1)",
                run: Run::Reply(client_id),
                ..Command::EMPTY
            },
            Command {
                name: "info",
                arity: 2,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "6.2.0",
                group: "connection",
                summary: "Returns information about the current client connection.",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                run: Run::Reply(client_info),
                ..Command::EMPTY
            },
            Command {
                name: "kill",
                arity: -3,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "2.4.0",
                group: "connection",
                summary: "Kill the connection of a client",
                complexity: "O(N) where N is the number of client connections",
                history: &[
                    ("2.8.12", "Added new filter format."),
                    ("2.8.12", "`ID` option."),
                    ("3.2.0", "Added `master` type in for `TYPE` option."),
                    (
                        "5.0.0",
                        "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.",
                    ),
                    ("6.2.0", "`LADDR` option."),
                ],
                syntax: "filter(\"ip:port\":string@-2.8.12|new-format(ID=client-id:integer?@2.8.12|TYPE=normal_master_slave_pubsub(NORMAL|MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB)?@2.8.12|USER=username:string?|ADDR=\"ip:port\":string?|LADDR=\"ip:port\":string?@6.2.0|SKIPME=\"yes/no\":string?)*)",
                run: Run::Reply(client_kill),
                ..Command::EMPTY
            },
            Command {
                name: "list",
                arity: -2,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "2.4.0",
                group: "connection",
                summary: "Get the list of client connections",
                complexity: "O(N) where N is the number of client connections",
                history: &[
                    ("2.8.12", "Added unique client `id` field."),
                    ("5.0.0", "Added optional `TYPE` filter."),
                    ("6.0.0", "Added `user` field."),
                    (
                        "6.2.0",
                        "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.",
                    ),
                    ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
                    ("7.0.3", "Added `ssub` field."),
                ],
                tips: &["nondeterministic_output"],
                syntax: "TYPE=normal_master_replica_pubsub(NORMAL|MASTER|REPLICA|PUBSUB)?@5.0.0 ID=id{client-id:integer*}?@6.2.0",
                run: Run::Reply(client_list),
                ..Command::EMPTY
            },
            Command {
                name: "no-evict",
                arity: 3,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "7.0.0",
                group: "connection",
                summary: "Set client eviction mode for the current connection",
                complexity: "O(1)",
                syntax: "enabled(ON|OFF)",
                run: Run::Reply(client_no_evict),
                ..Command::EMPTY
            },
            Command {
                name: "pause",
                arity: -3,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "2.9.50",
                group: "connection",
                summary: "Stop processing commands from clients for some time",
                complexity: "O(1)",
                history: &[(
                    "6.2.0",
                    "`CLIENT PAUSE WRITE` mode added along with the `mode` option.",
                )],
                syntax: "timeout:integer mode(WRITE|ALL)?@6.2.0",
                run: Run::Reply(client_pause),
                ..Command::EMPTY
            },
            Command {
                name: "reply",
                arity: 3,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "3.2.0",
                group: "connection",
                summary: "Instruct the server whether to reply to commands",
                complexity: "O(1)",
                syntax: "on_off_skip(ON|OFF|SKIP)",
                run: Run::Reply(client_reply),
                ..Command::EMPTY
            },
            Command {
                name: "setname",
                arity: 3,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "2.6.9",
                group: "connection",
                summary: "Set the current connection name",
                complexity: "O(1)",
                syntax: "connection-name:string",
                run: Run::Reply(client_setname),
                ..Command::EMPTY
            },
            Command {
                name: "tracking",
                arity: -3,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "6.0.0",
                group: "connection",
                summary: "Enable or disable server assisted client side caching support",
                complexity: "O(1). Some options may introduce additional complexity.",
                syntax: "status(ON|OFF) REDIRECT=client-id:integer? PREFIX=prefix:string?*+ BCAST? OPTIN? OPTOUT? NOLOOP?",
                run: Run::Reply(client_tracking),
                ..Command::EMPTY
            },
            Command {
                name: "trackinginfo",
                arity: 2,
                flags: NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "6.2.0",
                group: "connection",
                summary: "Return information about server assisted client side caching for the current connection",
                complexity: "O(1)",
                run: Run::Reply(client_trackinginfo),
                ..Command::EMPTY
            },
            Command {
                name: "unblock",
                arity: -3,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "5.0.0",
                group: "connection",
                summary: "Unblock a client blocked in a blocking command from a different connection",
                complexity: "O(log N) where N is the number of client connections",
                syntax: "client-id:integer timeout_error(TIMEOUT|ERROR)?",
                run: Run::Reply(client_unblock),
                ..Command::EMPTY
            },
            Command {
                name: "unpause",
                arity: 2,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "connection",
                since: "6.2.0",
                group: "connection",
                summary: "Resume processing of clients that were paused",
                complexity: "O(N) Where N is the number of paused clients",
                run: Run::Reply(client_unpause),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "echo",
        arity: 2,
        flags: LOADING | STALE | FAST,
        categories: "connection",
        since: "1.0.0",
        group: "connection",
        summary: "Echo the given string",
        complexity: "O(1)",
        syntax: "message:string",
        run: Run::Reply(echo),
        ..Command::EMPTY
    },
    Command {
        name: "hello",
        arity: -1,
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        categories: "connection",
        since: "6.0.0",
        group: "connection",
        summary: "Handshake with Redis",
        complexity: "O(1)",
        history: &[(
            "6.2.0",
            "`protover` made optional; when called without arguments the command reports the current connection's context.",
        )],
        syntax: "arguments{protover:integer AUTH=username_password{username:string password:string}? SETNAME=clientname:string?}?",
        run: Run::Reply(hello),
        ..Command::EMPTY
    },
    Command {
        name: "ping",
        arity: -1,
        flags: FAST,
        categories: "connection",
        since: "1.0.0",
        group: "connection",
        summary: "Ping the server",
        complexity: "O(1)",
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        syntax: "message:string?",
        run: Run::Reply(ping),
        ..Command::EMPTY
    },
    Command {
        name: "quit",
        arity: -1,
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        categories: "connection",
        since: "1.0.0",
        group: "connection",
        summary: "Close the connection",
        complexity: "O(1)",
        run: Run::Reply(quit),
        ..Command::EMPTY
    },
    Command {
        name: "reset",
        arity: 1,
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        categories: "connection",
        since: "6.2.0",
        group: "connection",
        summary: "Reset the connection",
        complexity: "O(1)",
        run: Run::Reply(reset),
        ..Command::EMPTY
    },
    Command {
        name: "select",
        arity: 2,
        flags: LOADING | STALE | FAST,
        categories: "connection",
        since: "1.0.0",
        group: "connection",
        summary: "Change the selected database for the current connection",
        complexity: "O(1)",
        syntax: "index:integer",
        run: Run::Reply(select),
        ..Command::EMPTY
    },
];

type Answer = Result<Reply, Error>;

fn ping(context: &mut Context, args: &mut Args) -> Answer {
    // In RESP2 only a message can come then.
    if context.resp == Resp::V2
        && context.client().is_some_and(|client| !client.subscriptions.is_empty())
        && args.remaining() < 2
    {
        return Ok(Reply::bulks([b"pong".as_slice(), args.peek().unwrap_or_default()]));
    }
    match (args.remaining(), args.peek()) {
        (0, _) => Ok(Reply::status("PONG")),
        (1, Some(message)) => Ok(Reply::bulk(message)),
        _ => Err(Error::wrong_arity("ping")),
    }
}

fn echo(_context: &mut Context, args: &mut Args) -> Answer {
    Ok(Reply::bulk(args.bytes()?))
}

fn select(context: &mut Context, args: &mut Args) -> Answer {
    let index = usize::try_from(args.int()?)
        .ok()
        .filter(|index| *index < context.server.databases.len())
        .ok_or(Error::DB_OUT_OF_RANGE)?;
    context.database = index;
    if let Some(client) = context.client() {
        client.database = index;
    }
    Ok(Reply::OK)
}

fn quit(context: &mut Context, _args: &mut Args) -> Answer {
    if let Some(client) = context.client() {
        client.closing = true;
    }
    Ok(Reply::OK)
}

fn reset(context: &mut Context, _args: &mut Args) -> Answer {
    let open = context.server.is_open();
    context.server.discard(context.client);
    context.server.stop_listening(context.client);
    if let Some(client) = context.client() {
        client.database = 0;
        client.name.clear();
        client.resp = Resp::V2;
        client.user = UserId::default();
        client.authenticated = open;
        // What CLIENT REPLY SKIP skips is this.
        if client.muted == Muted::Always {
            client.muted = Muted::No;
        }
        client.no_evict = false;
        client.monitors = false;
    }
    Ok(Reply::status("RESET"))
}

fn auth(context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() <= 2 {
        context.redact(args, 2);
    }
    let (user, password) = match args.remaining() {
        1 if context.server.acl.user(UserId::default()).nopass => {
            return Err(Error::AUTH_WITHOUT_PASSWORD);
        }
        1 => (b"default".as_slice(), args.bytes()?),
        2 => (args.bytes()?, args.bytes()?),
        _ => return Err(Error::SYNTAX),
    };
    context.server.authenticate(context.client, args.argv(), user, password)?;
    Ok(Reply::OK)
}

fn hello(context: &mut Context, args: &mut Args) -> Answer {
    let mut version = None;
    if !args.is_empty() {
        version = match args.integer_or(Error::PROTOCOL_NOT_INTEGER)? {
            2 => Some(Resp::V2),
            3 => Some(Resp::V3),
            _ => return Err(Error::NO_PROTO),
        };
    }
    while let Some(word) = args.peek() {
        if args.remaining() >= 3 && args.option("auth") {
            context.redact(args, 2);
            let (user, password) = (args.bytes()?, args.bytes()?);
            context.server.authenticate(context.client, args.argv(), user, password)?;
        } else if args.remaining() >= 2 && args.option("setname") {
            set_name(context, args.bytes()?)?;
        } else {
            return Err(Error::hello_option(word));
        }
    }
    let id = context.client;
    let Some(client) = context.client() else { return Err(Error::NO_AUTH) };
    if !client.authenticated {
        return Err(Error::HELLO_NO_AUTH);
    }
    client.resp = version.unwrap_or(client.resp);
    let protocol = if client.resp == Resp::V3 { 3 } else { 2 };
    let fields = [
        ("server", Reply::bulk("redis")),
        ("version", Reply::bulk(REDIS_VERSION)),
        ("proto", Reply::Integer(protocol)),
        ("id", Reply::Integer(id as i64)),
        ("mode", Reply::bulk("standalone")),
        ("role", Reply::bulk("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Map(fields.into_iter().map(|(name, value)| (Reply::bulk(name), value)).collect()))
}

fn set_name(context: &mut Context, name: &[u8]) -> Result<(), Error> {
    if !name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Err(Error::CLIENT_NAME);
    }
    if let Some(client) = context.client() {
        client.name = name.to_vec();
    }
    Ok(())
}

fn client_id(context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Integer(context.client as i64))
}

fn client_getname(context: &mut Context, _args: &mut Args) -> Answer {
    let name = context.client().map(|client| client.name.clone()).filter(|name| !name.is_empty());
    Ok(name.map_or(Reply::Null, Reply::Bulk))
}

fn client_setname(context: &mut Context, args: &mut Args) -> Answer {
    set_name(context, args.bytes()?)?;
    Ok(Reply::OK)
}

fn client_info(context: &mut Context, args: &mut Args) -> Answer {
    let server = &*context.server;
    let client = server.client(context.client);
    let line = client.map(|client| line(server, client, args.argv())).unwrap_or_default();
    Ok(Reply::Verbatim(*b"txt", line))
}

fn client_list(context: &mut Context, args: &mut Args) -> Answer {
    let mut kind = None;
    let mut ids: Option<Vec<ClientId>> = None;
    let count = args.remaining();
    if count == 2 && args.option("type") {
        kind = Some(Type::parse(args.bytes()?)?);
    } else if count > 1 && args.option("id") {
        // A number that no client can have is no error.
        let parse =
            |text: &Vec<u8>| Some(ClientId::try_from(number::parse_integer(text)?).unwrap_or(0));
        let parsed: Option<Vec<ClientId>> = args.rest().iter().map(parse).collect();
        ids = Some(parsed.ok_or(Error::INVALID_CLIENT_ID)?);
    } else if count > 0 {
        return Err(Error::SYNTAX);
    }
    let (server, own) = (&*context.server, context.client);
    let show = |client: &Client| {
        // Only the caller's command is known; the others keep their last one's name.
        line(server, client, if client.id == own { args.argv() } else { &[] })
    };
    let lines = match (ids, kind) {
        (Some(ids), _) => ids
            .into_iter()
            .filter(|id| *id != SCRIPT_CLIENT)
            .filter_map(|id| server.client(id))
            .flat_map(show)
            .collect(),
        (None, kind) => server
            .clients()
            .filter(|client| kind.is_none_or(|kind| Type::of(client) == kind))
            .flat_map(show)
            .collect(),
    };
    Ok(Reply::Verbatim(*b"txt", lines))
}

/// One line of CLIENT LIST. The engine has no buffers of its own, so their sizes are 0, and the memory in all is that of commands.
pub fn line(server: &Server, client: &Client, argv: &[Vec<u8>]) -> Vec<u8> {
    let seconds = |since: u64| server.now().saturating_sub(since) / 1_000_000;
    let argv_memory = server.pending_memory(client.id);
    let argv_memory = argv_memory.unwrap_or_else(|| argv.iter().map(Vec::len).sum());
    let queued = server.queued(client.id);
    let letters = [
        ('O', client.monitors),
        ('P', !client.subscriptions.is_empty()),
        ('x', queued.is_some()),
        ('b', client.blocked.is_some()),
        ('d', client.dirty),
        ('c', client.closing),
        ('U', client.unix_socket),
        ('e', client.no_evict),
    ];
    let flags: String =
        letters.iter().filter(|(_, is_set)| *is_set).map(|(letter, _)| letter).collect();
    let flags = if flags.is_empty() { "N" } else { &flags };
    let (queued, queued_memory) = queued.map_or((-1, 0), |(count, bytes)| (count as i64, bytes));
    let memory = argv_memory + queued_memory;
    let mut line = format!(
        "id={} addr={} laddr={} fd={} name=",
        client.id, client.address, client.local_address, client.fd
    )
    .into_bytes();
    line.extend_from_slice(&client.name);
    line.extend_from_slice(
        format!(
            " age={} idle={} flags={flags} db={} sub={} psub={} ssub={} multi={queued} qbuf=0 qbuf-free=0 \
             argv-mem={argv_memory} multi-mem={queued_memory} rbs=0 rbp=0 obl=0 oll={} omem=0 tot-mem={memory} events=r \
             cmd={} user=",
            seconds(client.connected),
            seconds(client.active),
            client.database,
            client.subscriptions.of(Kind::Channel).len(),
            client.subscriptions.of(Kind::Pattern).len(),
            client.subscriptions.of(Kind::Shard).len(),
            client.unsent(),
            client.last_command.map_or("NULL".to_owned(), |found| found.full_name()),
        )
        .as_bytes(),
    );
    line.extend_from_slice(&server.acl.user(client.user).name);
    let resp = if client.resp == Resp::V3 { b'3' } else { b'2' };
    line.extend_from_slice(&[b" redir=-1 resp=".as_slice(), &[resp, b'\n']].concat());
    line
}

/// The kinds of client that CLIENT LIST and CLIENT KILL tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Normal,
    Replica,
    PubSub,
    Master,
}

impl Type {
    /// There are no replicas and no masters.
    fn of(client: &Client) -> Type {
        if client.subscriptions.is_empty() { Type::Normal } else { Type::PubSub }
    }

    fn parse(text: &[u8]) -> Result<Type, Error> {
        match text.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Type::Normal),
            b"slave" | b"replica" => Ok(Type::Replica),
            b"pubsub" => Ok(Type::PubSub),
            b"master" => Ok(Type::Master),
            _ => Err(Error::unknown_client_type(text)),
        }
    }
}

fn client_kill(context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() == 1 {
        let address = args.bytes()?;
        let found = context.server.clients().find(|client| client.address.as_bytes() == address);
        let id = found.map(|client| client.id).ok_or(Error::NO_SUCH_CLIENT)?;
        kill(context, id);
        return Ok(Reply::OK);
    }
    let (mut id, mut kind, mut user, mut skip_me) = (None, None, None, true);
    let (mut address, mut local_address): (Option<&[u8]>, Option<&[u8]>) = (None, None);
    while !args.is_empty() {
        if args.remaining() < 2 {
            return Err(Error::SYNTAX);
        }
        if args.option("id") {
            let number = args.integer_or(Error::CLIENT_ID_NOT_POSITIVE)?;
            let number = ClientId::try_from(number).ok().filter(|id| *id > 0);
            id = Some(number.ok_or(Error::CLIENT_ID_NOT_POSITIVE)?);
        } else if args.option("type") {
            kind = Some(Type::parse(args.bytes()?)?);
        } else if args.option("addr") {
            address = Some(args.bytes()?);
        } else if args.option("laddr") {
            local_address = Some(args.bytes()?);
        } else if args.option("user") {
            let name = args.bytes()?;
            let found = context.server.acl.find(name);
            user = Some(found.ok_or_else(|| Error::no_such_user(name))?);
        } else if args.option("skipme") {
            skip_me = if args.option("yes") {
                true
            } else if args.option("no") {
                false
            } else {
                return Err(Error::SYNTAX);
            };
        } else {
            return Err(Error::SYNTAX);
        }
    }
    let own = context.client;
    let doomed: Vec<ClientId> = context
        .server
        .clients()
        .filter(|client| id.is_none_or(|id| client.id == id))
        .filter(|client| kind.is_none_or(|kind| kind == Type::of(client)))
        .filter(|client| user.is_none_or(|user| client.user == user))
        .filter(|client| address.is_none_or(|address| client.address.as_bytes() == address))
        .filter(|client| {
            local_address.is_none_or(|address| client.local_address.as_bytes() == address)
        })
        .filter(|client| !(skip_me && client.id == own))
        .map(|client| client.id)
        .collect();
    for id in &doomed {
        kill(context, *id);
    }
    Ok(Reply::Integer(doomed.len() as i64))
}

/// Ends a connection; one's own after the reply.
pub fn kill(context: &mut Context, id: ClientId) {
    if id == context.client {
        if let Some(client) = context.client() {
            client.closing = true;
        }
    } else {
        context.server.disconnect(id);
    }
}

fn client_unblock(context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() > 2 {
        return Err(Error::wrong_subcommand_arity(
            args.argv().get(1).map_or(&[][..], Vec::as_slice),
            "CLIENT",
        ));
    }
    let id = args.bytes()?;
    let how = if args.is_empty() || args.option("timeout") {
        Unblock::TimedOut
    } else if args.option("error") {
        Unblock::Error
    } else {
        return Err(Error::UNBLOCK_REASON);
    };
    let id = Args::new(&[id.to_vec()], 0).integer()?;
    let id = ClientId::try_from(id).unwrap_or(SCRIPT_CLIENT);
    Ok(Reply::flag(context.server.unblock(id, how)))
}

fn client_pause(context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() > 2 {
        let name = args.argv().get(1).map_or(&[][..], Vec::as_slice);
        return Err(Error::wrong_subcommand_arity(name, "CLIENT"));
    }
    let milliseconds = args.bytes()?;
    let all = args.is_empty() || args.option("all");
    if !all && !args.option("write") {
        return Err(Error::PAUSE_MODE);
    }
    let milliseconds = number::parse_integer(milliseconds).ok_or(Error::TIMEOUT_NOT_INTEGER)?;
    if milliseconds < 0 {
        return Err(Error::TIMEOUT_NEGATIVE);
    }
    // Redis lets the sum overflow: a pause for ever is over at once.
    let until = context.now().wrapping_add(milliseconds);
    context.server.pause(until, all);
    Ok(Reply::OK)
}

fn client_unpause(context: &mut Context, _args: &mut Args) -> Answer {
    context.server.pause = None;
    Ok(Reply::OK)
}

fn client_reply(context: &mut Context, args: &mut Args) -> Answer {
    let Some(client) = context.client() else { return Ok(Reply::OK) };
    if args.option("on") {
        client.muted = Muted::No;
    } else if args.option("off") {
        client.muted = Muted::Always;
    } else if args.option("skip") {
        // This command's own reply, and the next.
        if client.muted != Muted::Always {
            client.muted = Muted::Replies(2);
        }
    } else {
        return Err(Error::SYNTAX);
    }
    Ok(Reply::OK)
}

fn client_no_evict(context: &mut Context, args: &mut Args) -> Answer {
    let on = if args.option("on") {
        true
    } else if args.option("off") {
        false
    } else {
        return Err(Error::SYNTAX);
    };
    if let Some(client) = context.client() {
        client.no_evict = on;
    }
    Ok(Reply::OK)
}

/// No client is ever tracked, so none redirects its messages.
fn client_getredir(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Integer(-1))
}

fn client_trackinginfo(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Map(vec![
        (Reply::bulk("flags"), Reply::Set(vec![Reply::bulk("off")])),
        (Reply::bulk("redirect"), Reply::Integer(-1)),
        (Reply::bulk("prefixes"), Reply::Array(Vec::new())),
    ]))
}

/// Nobody tracks, so every call comes too early.
fn client_caching(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::CACHING_WITHOUT_TRACKING)
}

fn client_tracking(context: &mut Context, args: &mut Args) -> Answer {
    let mode = args.bytes()?;
    let (mut bcast, mut optin, mut optout, mut redirect) = (false, false, false, false);
    let mut prefixes: Vec<&[u8]> = Vec::new();
    while !args.is_empty() {
        if args.remaining() >= 2 && args.option("redirect") {
            if redirect {
                return Err(Error::TRACKING_REDIRECTS);
            }
            let id = ClientId::try_from(args.integer()?).unwrap_or(SCRIPT_CLIENT);
            redirect = id != SCRIPT_CLIENT && context.server.client(id).is_some();
            if !redirect {
                return Err(Error::TRACKING_REDIRECT);
            }
        } else if args.option("bcast") {
            bcast = true;
        } else if args.option("optin") {
            optin = true;
        } else if args.option("optout") {
            optout = true;
        } else if args.option("noloop") {
        } else if args.remaining() >= 2 && args.option("prefix") {
            prefixes.push(args.bytes()?);
        } else {
            return Err(Error::SYNTAX);
        }
    }
    if mode.eq_ignore_ascii_case(b"off") {
        return Ok(Reply::OK);
    }
    if !mode.eq_ignore_ascii_case(b"on") {
        return Err(Error::SYNTAX);
    }
    Err(if !bcast && !prefixes.is_empty() {
        Error::TRACKING_PREFIX
    } else if bcast && (optin || optout) {
        Error::TRACKING_BCAST
    } else if optin && optout {
        Error::TRACKING_OPTIN_OPTOUT
    } else if let Some((first, second)) = overlap(&prefixes) {
        Error::prefixes_overlap(first, second)
    } else {
        Error::TRACKING_ABSENT
    })
}

/// Two prefixes of which one begins with the other.
fn overlap<'a>(prefixes: &[&'a [u8]]) -> Option<(&'a [u8], &'a [u8])> {
    let mut others = prefixes;
    while let Some((first, rest)) = others.split_first() {
        let overlaps = |other: &&&[u8]| first.starts_with(other) || other.starts_with(first);
        if let Some(second) = rest.iter().find(overlaps) {
            return Some((first, second));
        }
        others = rest;
    }
    None
}

fn client_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(CLIENT_HELP))
}

const CLIENT_HELP: (&str, &[&str]) = (
    "CLIENT",
    &[
        "CACHING (YES|NO)",
        "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
        "GETREDIR",
        "    Return the client ID we are redirecting to when tracking is enabled.",
        "GETNAME",
        "    Return the name of the current connection.",
        "ID",
        "    Return the ID of the current connection.",
        "INFO",
        "    Return information about the current client connection.",
        "KILL <ip:port>",
        "    Kill connection made from <ip:port>.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Kill connections. Options are:",
        "    * ADDR (<ip:port>|<unixsocket>:0)",
        "      Kill connections made from the specified address",
        "    * LADDR (<ip:port>|<unixsocket>:0)",
        "      Kill connections made to specified local address",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      Kill connections by type.",
        "    * USER <username>",
        "      Kill connections authenticated by <username>.",
        "    * SKIPME (YES|NO)",
        "      Skip killing current connection (default: yes).",
        "LIST [options ...]",
        "    Return information about client connections. Options:",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      Return clients of specified type.",
        "UNPAUSE",
        "    Stop the current client pause, resuming traffic.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Suspend all, or just write, clients for <timeout> milliseconds.",
        "REPLY (ON|OFF|SKIP)",
        "    Control the replies sent to the current connection.",
        "SETNAME <name>",
        "    Assign the name <name> to the current connection.",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
        "    Unblock the specified blocked client.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Control server assisted client side caching.",
        "TRACKINGINFO",
        "    Report tracking status for the current connection.",
        "NO-EVICT (ON|OFF)",
        "    Protect current client connection from eviction.",
    ],
);
