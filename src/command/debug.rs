//! Defines DEBUG: what the tests of servers and clients ask for, allowed by `enable-debug-command` only.

use super::args::Args;
use super::flag::{ADMIN, LOADING, NOSCRIPT, STALE};
use super::{Answer, Attempt, Command, MOST_ELEMENTS, Run, Wait};
use crate::error::Error;
use crate::keyspace::{Entry, Millis, dict::hash};
use crate::number::{fixed, leading_float, parse_integer};
use crate::rdb;
use crate::resp::{Reply, Resp};
use crate::script::{
    self, library,
    load::{self, Policy},
};
use crate::server::client::Muted;
use crate::server::config::parse_memory;
use crate::server::{Context, LogLevel};
use crate::value::digest::Digest;
use crate::value::string::StringValue;
use crate::value::{Kind, Value};

/// The command for debugging.
pub const COMMANDS: &[Command] = &[Command {
    name: "debug",
    arity: -2,
    flags: ADMIN | NOSCRIPT | LOADING | STALE,
    since: "1.0.0",
    group: "server",
    summary: "A container for debugging commands",
    complexity: "Depends on subcommand.",
    doc_flags: "syscmd",
    run: Run::Block(debug),
    ..Command::EMPTY
}];

/// The longest that DEBUG SLEEP sleeps, in milliseconds: what is longer than a day is for ever.
const LONGEST_SLEEP: f64 = 86_400_000.0;

/// DEBUG subcommand \[arg ...\]
fn debug(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    if args.remaining() == 2 && args.option("sleep") {
        return Ok(sleep(context, args.bytes()?));
    }
    subcommand(context, args).map(Attempt::Done)
}

/// The server stands still for so many seconds: its clients wait, this one for its reply.
fn sleep(context: &mut Context, seconds: &[u8]) -> Attempt {
    // As C reads it: what is no number is none.
    let milliseconds = leading_float(seconds).unwrap_or(0.0) * 1000.0;
    let now = context.now();
    let deadline = now + milliseconds.clamp(0.0, LONGEST_SLEEP) as Millis;
    if deadline == now {
        return Attempt::Done(Reply::OK);
    }
    context.server.pause(deadline, true);
    Attempt::Wait(Wait { timed_out: Reply::OK, ..Wait::new(&[], "", Some(deadline - 1)) })
}

fn subcommand(context: &mut Context, args: &mut Args) -> Answer {
    let name = args.bytes()?;
    let rest = args.rest();
    let switch = |value: &[u8]| leading_float(value).is_some_and(|number| number != 0.0);
    match (name.to_ascii_lowercase().as_slice(), rest) {
        (b"help", []) => return Ok(super::help(HELP)),
        // What makes the real server crash ends ours as well.
        (
            b"assert" | b"panic" | b"segfault" | b"oom" | b"restart" | b"crash-and-recover"
            | b"loadaof",
            _,
        )
        | (b"clusterlink", []) => crash(context),
        (b"log", [line]) => {
            let line = [b"DEBUG LOG: ", line.as_slice()].concat();
            context.server.log(LogLevel::Warning, &line);
        }
        (b"error", [text]) => {
            // It is no failure of the command, and not counted.
            return Ok(Reply::Error(Error::new(text.as_slice()).0));
        }
        (b"leak" | b"pause-cron" | b"aof-flush-sleep", [_]) | (b"replicate", [_, ..]) => {}
        (b"replybuffer", [what, _]) if what.eq_ignore_ascii_case(b"resizing") => {}
        (b"replybuffer", [what, time]) if what.eq_ignore_ascii_case(b"peak-reset-time") => {
            if !time.eq_ignore_ascii_case(b"never") && !time.eq_ignore_ascii_case(b"reset") {
                parse_integer(time).ok_or(Error::NOT_INTEGER)?;
            }
        }
        (b"drop-cluster-packet-filter", [number]) => {
            parse_integer(number).ok_or(Error::NOT_INTEGER)?;
        }
        (b"clusterlink", [what, _, _]) if what.eq_ignore_ascii_case(b"kill") => {
            return Err(Error::DEBUG_CLUSTER);
        }
        (b"client-eviction", []) if context.server.config.integer("maxmemory-clients") == 0 => {
            return Err(Error::DEBUG_CLIENT_EVICTION);
        }
        (b"stringmatch-test", []) => {
            return Ok(Reply::status("Apparently Redis did not crash: test passed"));
        }
        (b"structsize", []) => return Ok(Reply::bulk(STRUCT_SIZES)),
        // There is no file to write.
        (b"config-rewrite-force-all", []) => return Err(Error::DEBUG_CONFIG_REWRITE),
        (b"htstats", [index]) => return tables(context, index),
        (b"htstats-key", [key]) => return table_of(context, key),
        (b"change-repl-id", []) => context.server.change_replication_id(),
        (b"set-active-expire", [value]) => context.server.switches.active_expire = switch(value),
        (b"set-skip-checksum-validation", [value]) => {
            context.server.switches.skips_checksum = switch(value);
        }
        (b"quicklist-packed-threshold", [size]) => {
            let size = parse_memory(size).filter(|size| *size <= MOST_PACKED);
            let size = size.ok_or(Error::PACKED_THRESHOLD)?;
            context.server.switches.set_packed_threshold(size as usize);
        }
        (b"digest", []) => return Ok(Reply::Status(digest(context).hex().into())),
        (b"digest-value", keys) => {
            let digests = keys.iter().map(|key| {
                let mut digest = Digest::default();
                if let Some(entry) = context.db().entries().get(key) {
                    mix_entry(&mut digest, entry);
                }
                Reply::Status(digest.hex().into())
            });
            return Ok(Reply::Array(digests.collect()));
        }
        (b"object", [key]) => return object(context, key),
        (b"listpack", [key]) => {
            let is_one = inspected(context, key)?.value.encoding() == "listpack";
            let printed = Reply::status("Listpack structure printed on stdout");
            return if is_one { Ok(printed) } else { Err(Error::NOT_LISTPACK) };
        }
        (b"quicklist", [key] | [key, _]) => {
            let is_one = inspected(context, key)?.value.encoding() == "quicklist";
            let printed = Reply::status("Quicklist structure printed on stdout");
            return if is_one { Ok(printed) } else { Err(Error::NOT_QUICKLIST) };
        }
        (b"populate", [count, rest @ ..]) if rest.len() <= 2 => {
            populate(context, count, rest)?;
        }
        (b"protocol", [kind]) => return protocol(context, kind),
        (b"reload", options) => reload(context, options)?,
        // SDSLEN, MALLCTL and MALLCTL-STR show the allocator of a C program. SET-DISABLE-DENY-SCRIPTS, which HELP does not
        // know, lets scripts call commands of which the real server then dies.
        _ => return Err(Error::wrong_subcommand_arity(name, "DEBUG")),
    }
    Ok(Reply::OK)
}

/// Ends the server; nobody is answered any more.
fn crash(context: &mut Context) {
    context.server.shutdown = true;
    if let Some(client) = context.client() {
        client.closing = true;
        client.muted = Muted::Always;
    }
}

/// The largest threshold of DEBUG QUICKLIST-PACKED-THRESHOLD.
const MOST_PACKED: u64 = (1 << 32) - (1 << 20);

/// What the real server's structures take, on machines of 64 bits.
const STRUCT_SIZES: &str =
    "bits:64 robj:16 dictentry:24 sdshdr5:1 sdshdr8:3 sdshdr16:5 sdshdr32:9 sdshdr64:17 ";

/// A key's entry, even if it has expired and nobody has noticed.
fn entry<'a>(context: &'a mut Context, key: &[u8]) -> Result<&'a Entry, Error> {
    context.db().entries().get(key).ok_or(Error::NO_SUCH_KEY)
}

/// A key's entry as OBJECT looks at it: counted, and gone if it has expired.
fn inspected<'a>(context: &'a mut Context, key: &[u8]) -> Result<&'a Entry, Error> {
    context.inspect(key).ok_or(Error::NO_SUCH_KEY)
}

/// DEBUG HTSTATS dbid
fn tables(context: &mut Context, index: &[u8]) -> Answer {
    let index = parse_integer(index).ok_or(Error::NOT_INTEGER)?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let database = context.server.databases.get(index).ok_or(Error::DEBUG_DB_OUT_OF_RANGE)?;
    let (mut keys, mut expires) = (Vec::new(), Vec::new());
    for (key, entry) in database.entries().iter() {
        keys.push(hash(key));
        if entry.deadline.is_some() {
            expires.push(hash(key));
        }
    }
    let text = format!("[Dictionary HT]\n{}[Expires HT]\n{}", table(&keys), table(&expires));
    Ok(Reply::Verbatim(*b"txt", text.into_bytes()))
}

/// DEBUG HTSTATS-KEY key
fn table_of(context: &mut Context, key: &[u8]) -> Answer {
    let value = &inspected(context, key)?.value;
    let keys: Vec<u64> = match value {
        _ if !matches!(value.encoding(), "hashtable" | "skiplist") => {
            return Err(Error::NOT_HASH_TABLE);
        }
        Value::Set(set) => set.members().iter().map(|member| hash(member)).collect(),
        Value::Hash(fields) => fields.iter().map(|(field, _)| hash(field)).collect(),
        Value::SortedSet(set) => {
            set.members().into_iter().map(|(member, _)| hash(member)).collect()
        }
        _ => return Err(Error::NOT_HASH_TABLE),
    };
    Ok(Reply::Verbatim(*b"txt", table(&keys).into_bytes()))
}

/// How a hash table of chains, as Redis has it, holds keys with these hashes. The lengths of its chains are chance there, too.
fn table(keys: &[u64]) -> String {
    const LONGEST: usize = 49;
    let mut text = String::from("Hash table 0 stats (main hash table):\n");
    if keys.is_empty() {
        return text + "No stats available for empty dictionaries\n";
    }
    let size = keys.len().next_power_of_two().max(4);
    let mut chains = vec![0_usize; size];
    for key in keys {
        chains[*key as usize & (size - 1)] += 1;
    }
    let mut lengths = [0; LONGEST + 1];
    for length in &chains {
        lengths[LONGEST.min(*length)] += 1;
    }
    let used = size - lengths[0];
    let average = fixed(keys.len() as f64 / used as f64, 2);
    text += &format!(
        " table size: {size}\n number of elements: {}\n different slots: {used}\n \
         max chain length: {}\n avg chain length (counted): {average}\n \
         avg chain length (computed): {average}\n Chain length distribution:\n",
        keys.len(),
        chains.iter().max().unwrap_or(&0),
    );
    for (length, count) in lengths.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let least = if length == LONGEST { ">= " } else { "" };
        let share = fixed(count as f64 / size as f64 * 100.0, 2);
        text += &format!("   {least}{length}: {count} ({share}%)\n");
    }
    text
}

/// Adds a key's value to a digest, and whether it has a deadline.
fn mix_entry(digest: &mut Digest, entry: &Entry) {
    digest.mix_value(&entry.value);
    if entry.deadline.is_some() {
        digest.xor(b"!!expire!!");
    }
}

/// The digest of all databases, in which the order of keys does not matter.
fn digest(context: &Context) -> Digest {
    let mut all = Digest::default();
    for (index, database) in context.server.databases.iter().enumerate() {
        if database.is_empty() {
            continue;
        }
        all.mix(&(index as u32).to_be_bytes());
        for (key, entry) in database.entries().iter() {
            let mut digest = Digest::default();
            digest.mix(key);
            mix_entry(&mut digest, entry);
            all.xor(&digest.0);
        }
    }
    all
}

/// DEBUG OBJECT key
fn object(context: &mut Context, key: &[u8]) -> Answer {
    let form = context.server.payload_form();
    let now = context.now();
    let entry = entry(context, key)?;
    let value = &entry.value;
    let seconds = (entry.accessed / 1000) & 0xff_ffff;
    let mut line = format!(
        "Value at:0x7f0000000000 refcount:{} encoding:{} serializedlength:{} lru:{seconds} \
         lru_seconds_idle:{}",
        value.references(),
        value.encoding(),
        form.data(value).len() - 1,
        (now - entry.accessed).max(0) / 1000,
    );
    if let Value::List(list) = value {
        let nodes = rdb::value::nodes(list, form.nodes);
        let size: usize = nodes.iter().map(rdb::value::Node::size).sum();
        line += &format!(
            " ql_nodes:{} ql_avg_node:{} ql_listpack_max:{} ql_compressed:0 \
             ql_uncompressed_size:{size}",
            nodes.len(),
            fixed(list.len() as f64 / nodes.len() as f64, 2),
            form.nodes.fill,
        );
    }
    Ok(Reply::Status(line.into_bytes().into()))
}

/// DEBUG POPULATE count \[prefix\] \[size\]
fn populate(context: &mut Context, count: &[u8], rest: &[Vec<u8>]) -> Result<(), Error> {
    let positive = |text: &[u8]| {
        let number = parse_integer(text).and_then(|number| u64::try_from(number).ok());
        number.ok_or(Error::NOT_POSITIVE)
    };
    let count = positive(count)?;
    let prefix = rest.first().map_or(&b"key"[..], Vec::as_slice);
    let size = rest.get(1).map_or(Ok(0), |size| positive(size))?;
    if count > MOST_ELEMENTS {
        return Err(Error::NOT_POSITIVE);
    }
    context.server.room_for(size.saturating_mul(count))?;
    for number in 0..count {
        let key = [prefix, format!(":{number}").as_bytes()].concat();
        if context.exists(&key) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size as usize, 0);
        }
        let now = context.now();
        context.db().set(&key, StringValue::text(&value).wrap(), now);
        context.server.touched(context.database, &key);
    }
    Ok(())
}

/// DEBUG PROTOCOL type
fn protocol(context: &mut Context, kind: &[u8]) -> Answer {
    let numbers = || (0..3).map(Reply::Integer).collect();
    Ok(match kind.to_ascii_lowercase().as_slice() {
        b"string" => Reply::bulk("Hello World"),
        b"integer" => Reply::Integer(12345),
        b"double" => Reply::Double(3141.0 / 1000.0),
        b"null" => Reply::Null,
        b"array" => Reply::Array(numbers()),
        b"set" => Reply::Set(numbers()),
        b"map" => {
            let pair = |number| (Reply::Integer(number), Reply::Boolean(number == 1));
            Reply::Map((0..3).map(pair).collect())
        }
        // Nothing of ours has attributes: only what follows is there.
        b"attrib" => Reply::bulk("Some real reply following the attribute"),
        b"push" if context.resp == Resp::V2 => return Err(Error::DEBUG_RESP2),
        b"push" => {
            let message = vec![Reply::bulk("server-cpu-usage"), Reply::Integer(42)];
            context.server.push(context.client, Reply::Push(message));
            Reply::bulk("Some real reply following the push reply")
        }
        b"bignum" => Reply::BigNumber(b"1234567999999999999999999999999999999".to_vec()),
        b"true" => Reply::Boolean(true),
        b"false" => Reply::Boolean(false),
        b"verbatim" => Reply::Verbatim(*b"txt", b"This is a verbatim\nstring".to_vec()),
        _ => return Err(Error::DEBUG_PROTOCOL),
    })
}

/// DEBUG RELOAD \[MERGE\] \[NOFLUSH\] \[NOSAVE\]: every value becomes a payload and a value again. There is no file, and so
/// with NOSAVE nothing to load.
fn reload(context: &mut Context, options: &[Vec<u8>]) -> Result<(), Error> {
    let is = |word: &Vec<u8>, name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let has = |name| options.iter().any(|word| is(word, name));
    let known = ["merge", "noflush", "nosave"];
    if !options.iter().all(|word| known.iter().any(|name| is(word, name))) {
        return Err(Error::DEBUG_RELOAD_OPTION);
    }
    let (now, form) = (context.now(), context.server.payload_form());
    let server = &mut *context.server;
    if has("noflush")
        && !has("merge")
        && server.databases.iter().any(|database| !database.is_empty())
    {
        // Every key that has been saved is still there when it is loaded.
        crash(context);
        return Ok(());
    }
    if !has("noflush") {
        let all: Vec<usize> = (0..server.databases.len()).collect();
        server.touched_all(&all);
        if has("nosave") {
            server.databases.iter_mut().for_each(crate::keyspace::Database::clear);
        }
    }
    if has("nosave") {
        return Err(Error::DEBUG_RELOAD);
    }
    let longest = server.longest_string();
    let keeps_idle_time = server.config.text("maxmemory-policy").ends_with(b"lru");
    for database in &mut server.databases {
        let keys: Vec<Vec<u8>> = database.entries().keys().map(<[u8]>::to_vec).collect();
        for key in keys {
            let Some(mut entry) = database.remove(&key) else { continue };
            if entry.deadline.is_some_and(|deadline| deadline < now) {
                continue;
            }
            let value = rdb::value::read(
                &rdb::seal(form.data(&entry.value)),
                &server.config.active,
                longest,
            );
            let Some(value) = value else { return Err(Error::DEBUG_RELOAD) };
            entry.value = value;
            if !keeps_idle_time {
                entry.accessed = now;
            }
            database.put(&key, entry);
        }
    }
    let libraries = library::dump(server);
    load::restore(context, &libraries, Policy::Flush)?;
    script::load_all(context.server)?;
    context.server.saved_changes = context.server.changes;
    Ok(())
}

const HELP: (&str, &[&str]) = (
    "DEBUG",
    &[
        "AOF-FLUSH-SLEEP <microsec>",
        "    Server will sleep before flushing the AOF, this is used for testing.",
        "ASSERT",
        "    Crash by assertion failed.",
        "CHANGE-REPL-ID",
        "    Change the replication IDs of the instance.",
        "    Dangerous: should be used only for testing the replication subsystem.",
        "CONFIG-REWRITE-FORCE-ALL",
        "    Like CONFIG REWRITE but writes all configuration options, including",
        "    keywords not listed in original configuration file or default values.",
        "CRASH-AND-RECOVER [<milliseconds>]",
        "    Hard crash and restart after a <milliseconds> delay (default 0).",
        "DIGEST",
        "    Output a hex signature representing the current DB content.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    Output a hex signature of the values of all the specified keys.",
        "ERROR <string>",
        "    Return a Redis protocol error with <string> as message. Useful for clients",
        "    unit tests to simulate Redis errors.",
        "LEAK <string>",
        "    Create a memory leak of the input string.",
        "LOG <message>",
        "    Write <message> to the server log.",
        "HTSTATS <dbid>",
        "    Return hash table statistics of the specified Redis database.",
        "HTSTATS-KEY <key>",
        "    Like HTSTATS but for the hash table stored at <key>'s value.",
        "LOADAOF",
        "    Flush the AOF buffers on disk and reload the AOF in memory.",
        "REPLICATE <string>",
        "    Replicates the provided string to replicas, allowing data divergence.",
        "MALLCTL <key> [<val>]",
        "    Get or set a malloc tuning integer.",
        "MALLCTL-STR <key> [<val>]",
        "    Get or set a malloc tuning string.",
        "OBJECT <key>",
        "    Show low level info about `key` and associated value.",
        "DROP-CLUSTER-PACKET-FILTER <packet-type>",
        "    Drop all packets that match the filtered type. Set to -1 allow all packets.",
        "OOM",
        "    Crash the server simulating an out-of-memory error.",
        "PANIC",
        "    Crash the server simulating a panic.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Create <count> string keys named key:<num>. If <prefix> is specified then",
        "    it is used instead of the 'key' prefix. These are not propagated to",
        "    replicas. Cluster slots are not respected so keys not belonging to the",
        "    current node can be created in cluster mode.",
        "PROTOCOL <type>",
        "    Reply with a test value of the specified type. <type> can be: string,",
        "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
        "    true, false.",
        "RELOAD [option ...]",
        "    Save the RDB on disk and reload it back to memory. Valid <option> values:",
        "    * MERGE: conflicting keys will be loaded from RDB.",
        "    * NOFLUSH: the existing database will not be removed before load, but",
        "      conflicting keys will generate an exception and kill the server.",
        "    * NOSAVE: the database will be loaded from an existing RDB file.",
        "    Examples:",
        "    * DEBUG RELOAD: verify that the server is able to persist, flush and reload",
        "      the database.",
        "    * DEBUG RELOAD NOSAVE: replace the current database with the contents of an",
        "      existing RDB file.",
        "    * DEBUG RELOAD NOSAVE NOFLUSH MERGE: add the contents of an existing RDB",
        "      file to the database.",
        "RESTART [<milliseconds>]",
        "    Graceful restart: save config, db, restart after a <milliseconds> delay (default 0).",
        "SDSLEN <key>",
        "    Show low level SDS string info representing `key` and value.",
        "SEGFAULT",
        "    Crash the server with sigsegv.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Setting it to 0 disables expiring keys in background when they are not",
        "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
        "    default.",
        "QUICKLIST-PACKED-THRESHOLD <size>",
        "    Sets the threshold for elements to be inserted as plain vs packed nodes",
        "    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.",
        "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
        "    Enables or disables checksum checks for RDB files and RESTORE's payload.",
        "SLEEP <seconds>",
        "    Stop the server for <seconds>. Decimals allowed.",
        "STRINGMATCH-TEST",
        "    Run a fuzz tester against the stringmatchlen() function.",
        "STRUCTSIZE",
        "    Return the size of different Redis core C structures.",
        "LISTPACK <key>",
        "    Show low level info about the listpack encoding of <key>.",
        "QUICKLIST <key> [<0|1>]",
        "    Show low level info about the quicklist encoding of <key>.",
        "    The optional argument (0 by default) sets the level of detail",
        "CLIENT-EVICTION",
        "    Show low level client eviction pools info (maxmemory-clients).",
        "PAUSE-CRON <0|1>",
        "    Stop periodic cron job processing.",
        "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
        "    Sets the time (in milliseconds) to wait between client reply buffer peak resets.",
        "    In case NEVER is provided the last observed peak will never be reset",
        "    In case RESET is provided the peak reset time will be restored to the default value",
        "REPLYBUFFER RESIZING <0|1>",
        "    Enable or disable the reply buffer resize cron job",
        "CLUSTERLINK KILL <to|from|all> <node-id>",
        "    Kills the link based on the direction to/from (both) with the provided node.",
    ],
);
