//! Defines how a command is declared, and finds it; each family's file begins with its table.

pub mod acl;
pub mod args;
pub mod bitmap;
pub mod cluster;
pub mod connection;
pub mod debug;
pub mod dump;
pub mod function;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
mod introspection;
pub mod key_specs;
pub mod keys;
pub mod latency;
pub mod list;
mod lolwut;
pub mod memory;
pub mod module;
pub mod persistence;
pub mod pubsub;
pub mod replication;
pub mod scan;
pub mod scripting;
pub mod server;
pub mod set;
pub mod slowlog;
pub mod sort;
pub mod sorted_set;
mod sorting;
pub mod stream;
pub mod string;
pub mod syntax;
pub mod transactions;

use crate::error::Error;
use crate::keyspace::Millis;
use crate::ordered;
use crate::resp::Reply;
use crate::server::Context;
use args::Args;
use std::sync::OnceLock;

/// Every family's table. The order is the order of COMMAND LIST.
pub const FAMILIES: &[&[Command]] = &[
    acl::COMMANDS,
    bitmap::COMMANDS,
    cluster::COMMANDS,
    connection::COMMANDS,
    debug::COMMANDS,
    dump::COMMANDS,
    function::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    keys::COMMANDS,
    latency::COMMANDS,
    list::COMMANDS,
    memory::COMMANDS,
    module::COMMANDS,
    persistence::COMMANDS,
    pubsub::COMMANDS,
    replication::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    slowlog::COMMANDS,
    sort::COMMANDS,
    sorted_set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transactions::COMMANDS,
];

/// A command (or a container's subcommand) in Redis's own terms, as COMMAND INFO and COMMAND DOCS print it.
pub struct Command {
    /// The name in lower case; of a subcommand only its own word.
    pub name: &'static str,
    /// Number of arguments, the name (and the container's name) counted; negative: at least so many.
    pub arity: i32,
    /// What the command does and where it may run: a sum of [`flag`]s.
    pub flags: u32,
    /// ACL categories that do not follow from the flags, separated by spaces.
    pub categories: &'static str,
    /// Where its keys are.
    pub keys: &'static [KeySpec],
    /// The version that brought it.
    pub since: &'static str,
    /// The group in Redis's documentation.
    pub group: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Time complexity.
    pub complexity: &'static str,
    /// Documentation flags, separated by spaces.
    pub doc_flags: &'static str,
    /// Since when it is deprecated, and what takes its place.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// Versions and what they changed.
    pub history: &'static [(&'static str, &'static str)],
    /// Hints for client libraries and proxies.
    pub tips: &'static [&'static str],
    /// The arguments, in the notation of [`syntax`].
    pub syntax: &'static str,
    /// What runs it.
    pub run: Run,
}

/// Most elements that one reply may hold, where the client asks for a number: what Redis would send piece by piece
/// for hours, a page has to hold at once.
const MOST_ELEMENTS: u64 = 1_000_000;

/// Bytes that are left for a reply which may hold the same value many times.
struct Room(usize);

impl Room {
    /// For one reply: more than any reader wants, and as much as a page can hold beside all else.
    fn new() -> Room {
        Room(512 << 20)
    }

    /// Takes some bytes more.
    fn take(&mut self, bytes: usize) -> Result<(), Error> {
        self.0 = self.0.checked_sub(bytes).ok_or(Error::OOM)?;
        Ok(())
    }

    /// A bulk string, or null for none.
    fn bulk(&mut self, value: Option<Vec<u8>>) -> Answer {
        self.take(value.as_ref().map_or(0, Vec::len))?;
        Ok(value.map_or(Reply::Null, Reply::Bulk))
    }
}

/// What a handler answers.
pub type Answer = Result<Reply, Error>;

/// A handler that answers at once.
pub type Handler = fn(&mut Context, &mut Args) -> Answer;

/// A handler of a command that may have to wait. It runs again when a key that it waits for has changed, and looks only
/// at that one then ([`Context::looks_at`]).
pub type BlockHandler = fn(&mut Context, &mut Args) -> Result<Attempt, Error>;

/// What comes of a command that may have to wait.
pub enum Attempt {
    /// Its reply.
    Done(Reply),
    /// None of its keys has what it looks for. In a transaction and in a script its time has passed at once.
    Wait(Wait),
}

/// What a command waits for.
pub struct Wait {
    /// The keys, in the order in which they are looked at.
    pub keys: Vec<Vec<u8>>,
    /// The type that a key must have, as TYPE prints it.
    pub kind: &'static str,
    /// Until when, in milliseconds since the epoch; without one for ever.
    pub deadline: Option<Millis>,
    /// The reply when that has passed.
    pub timed_out: Reply,
    /// The command line that is tried again, if it is not the one that came.
    pub argv: Option<Vec<Vec<u8>>>,
    /// The error when the key is not of that type any more, if it is not waited for then.
    pub gone: Option<Error>,
    /// What it changes when it has waited is not counted among the changes.
    pub uncounted: bool,
}

impl Wait {
    /// For one of these keys.
    pub fn new(keys: &[Vec<u8>], kind: &'static str, deadline: Option<Millis>) -> Wait {
        let (keys, timed_out) = (keys.to_vec(), Reply::NullArray);
        Wait { keys, kind, deadline, timed_out, argv: None, gone: None, uncounted: false }
    }
}

/// What runs a command.
pub enum Run {
    /// It answers at once.
    Reply(Handler),
    /// It starts a script or a transaction, which answers when it ends, or it answers at once.
    Later(fn(&mut Context, &mut Args) -> Result<Option<Reply>, Error>),
    /// It may have to wait for a key.
    Block(BlockHandler),
    /// It only holds subcommands.
    Container(&'static [Command]),
    /// It holds subcommands, and answers without one as well.
    Both(Handler, &'static [Command]),
}

impl Command {
    /// What the rows of the tables leave out.
    pub const EMPTY: Command = Command {
        name: "",
        arity: 0,
        flags: 0,
        categories: "",
        keys: &[],
        since: "",
        group: "",
        summary: "",
        complexity: "",
        doc_flags: "",
        deprecated: None,
        history: &[],
        tips: &[],
        syntax: "",
        run: Run::Container(&[]),
    };

    /// The subcommands of a container.
    pub fn subcommands(&self) -> &'static [Command] {
        match self.run {
            Run::Container(subcommands) | Run::Both(_, subcommands) => subcommands,
            _ => &[],
        }
    }

    /// Whether so many arguments, the name counted, fit the arity.
    pub fn takes(&self, count: usize) -> bool {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        if self.arity < 0 { count >= -self.arity } else { count == self.arity }
    }

    /// Whether it is EVAL, FCALL or one of their variants.
    pub fn runs_script(&self) -> bool {
        self.group == "scripting" && !self.keys.is_empty()
    }

    /// Whether replicas hear of it, or of what it does, though it is no write. COMMAND INFO does not tell.
    pub fn may_replicate(&self) -> bool {
        self.has(flag::MAY_REPLICATE)
            || matches!(self.name, "publish" | "spublish" | "pfcount")
            || self.runs_script() && !self.has(flag::READONLY)
    }

    /// Whether the command has the flag.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// The flags of COMMAND INFO, in the order in which it prints them.
pub mod flag {
    macro_rules! flags {
        ($($bit:literal $name:ident $text:literal $doc:literal,)*) => {
            $(#[doc = $doc] pub const $name: u32 = 1 << $bit;)*
            /// Every flag with its name.
            pub const NAMES: &[(u32, &str)] = &[$(($name, $text),)*];
        };
    }
    flags! {
        0 WRITE "write" "May change the keyspace.",
        1 READONLY "readonly" "Reads keys and changes nothing.",
        2 DENYOOM "denyoom" "May use more memory: refused over maxmemory.",
        3 MODULE "module" "Comes from a module.",
        4 ADMIN "admin" "Administers the server.",
        5 PUBSUB "pubsub" "Belongs to publish and subscribe.",
        6 NOSCRIPT "noscript" "Not allowed in scripts.",
        7 BLOCKING "blocking" "May block its client.",
        8 LOADING "loading" "Allowed while a data set loads.",
        9 STALE "stale" "Allowed on a replica with stale data.",
        10 SKIP_MONITOR "skip_monitor" "Not shown by MONITOR.",
        11 SKIP_SLOWLOG "skip_slowlog" "Not logged by SLOWLOG.",
        12 ASKING "asking" "A cluster client may send it after ASKING.",
        13 FAST "fast" "Constant or logarithmic time.",
        14 NO_AUTH "no_auth" "Allowed before authentication.",
        15 MAY_REPLICATE "may_replicate" "May reach replicas though it is no write.",
        16 NO_ASYNC_LOADING "no_async_loading" "Denied while a data set loads asynchronously.",
        17 NO_MULTI "no_multi" "Not allowed in a transaction.",
        18 NO_MANDATORY_KEYS "no_mandatory_keys" "Has keys, but none may be given.",
        19 ALLOW_BUSY "allow_busy" "Allowed while a script keeps the server busy.",
    }
}

/// Where some of a command's keys are, and what is done with them.
pub struct KeySpec {
    /// A remark for people.
    pub notes: &'static str,
    /// Access flags, separated by spaces.
    pub flags: &'static str,
    /// Where to start looking.
    pub begin: Begin,
    /// How the keys follow from there.
    pub find: Find,
}

/// Where the first key of a [`KeySpec`] is looked for.
#[derive(Clone, Copy)]
pub enum Begin {
    /// At this argument, the command's name being 0.
    Index(i64),
    /// Behind this word, looked for from this argument on (from the end if negative).
    Keyword(&'static str, i64),
    /// Only the command knows.
    Unknown,
}

/// How the keys of a [`KeySpec`] are found from where it begins.
#[derive(Clone, Copy)]
pub enum Find {
    /// Every `step`-th argument up to `last` (relative to the first; negative: from the end), at most 1/`limit` of them.
    Range {
        /// Last key.
        last: i64,
        /// Distance between keys.
        step: i64,
        /// If above 1, only that fraction of the arguments holds keys.
        limit: i64,
    },
    /// Their number is an argument.
    Count {
        /// Where the number is, relative to the beginning.
        at: i64,
        /// Where the first key is, relative to the beginning.
        first: i64,
        /// Distance between keys.
        step: i64,
    },
    /// Only the command knows.
    Unknown,
}

impl KeySpec {
    /// One key at this argument.
    pub const fn at(index: i64, flags: &'static str) -> KeySpec {
        KeySpec::range(index, 0, 1, flags)
    }

    /// Keys from `index` to `last` in steps.
    pub const fn range(index: i64, last: i64, step: i64, flags: &'static str) -> KeySpec {
        KeySpec {
            notes: "",
            flags,
            begin: Begin::Index(index),
            find: Find::Range { last, step, limit: 0 },
        }
    }
}

/// Every command, family by family.
pub fn all() -> impl Iterator<Item = &'static Command> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The command of this name in any case.
pub fn find(name: &[u8]) -> Option<&'static Command> {
    place(name).and_then(|place| sorted().get(place)).map(|(_, command)| *command)
}

/// Every command by its name.
struct Names {
    /// In their order; the beginning of the name stands before the command.
    sorted: Vec<(u64, &'static Command)>,
    /// Where commands are among these: each at the first slot behind [`slot`] that was free.
    slots: [Option<u16>; SLOTS],
}

/// Several times as many as there are commands: most names are found at once.
const SLOTS: usize = 1024;

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let beginning = |command: &Command| beginning(command.name.as_bytes());
        let mut sorted: Vec<_> = all().map(|command| (beginning(command), command)).collect();
        ordered::sort(&mut sorted, |(_, one), (_, other)| one.name.cmp(other.name));
        let mut slots = [None; SLOTS];
        for (place, (beginning, command)) in (0..).zip(&sorted) {
            let mut slot = slot(*beginning, command.name.len());
            while slots[slot].is_some() {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = Some(place);
        }
        Names { sorted, slots }
    })
}

fn sorted() -> &'static [(u64, &'static Command)] {
    &names().sorted
}

/// The first bytes of a name, in lower case, as a number: compared without a call.
#[inline]
fn beginning(name: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(name).for_each(|(first, byte)| *first = byte.to_ascii_lowercase());
    u64::from_le_bytes(first)
}

/// Where a name is looked for first.
#[inline]
fn slot(beginning: u64, length: usize) -> usize {
    let spread = (beginning ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> 32) as usize % SLOTS
}

/// The place of the command of this name, in any case, among all by their names.
#[inline]
fn place(name: &[u8]) -> Option<usize> {
    let names = names();
    let first = beginning(name);
    let mut slot = slot(first, name.len());
    loop {
        let place = usize::from(names.slots[slot]?);
        let (beginning, command) = names.sorted[place];
        let is_it = beginning == first
            && command.name.len() == name.len()
            && (name.len() <= 8 || command.name.as_bytes().eq_ignore_ascii_case(name));
        if is_it {
            return Some(place);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// Names a command or a subcommand: statistics are kept by it. In the order of the commands' names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandId {
    place: usize,
    /// The subcommand's place in its container's table, counted from 1; 0 for none.
    subcommand: usize,
}

impl CommandId {
    /// Whether it is a subcommand of this command.
    pub fn is_within(self, container: CommandId) -> bool {
        self.place == container.place && self.subcommand > 0
    }

    /// `get`, or `config|get`.
    pub fn full_name(self) -> String {
        let Some((_, command)) = sorted().get(self.place) else { return String::new() };
        let subcommand = self.subcommand.checked_sub(1);
        match subcommand.and_then(|place| command.subcommands().get(place)) {
            Some(subcommand) => format!("{}|{}", command.name, subcommand.name),
            None => command.name.to_owned(),
        }
    }
}

/// A command as it was called: the row that runs, and its full name (`config|get`).
#[derive(Clone, Copy)]
pub struct Found {
    /// The container, if the row is a subcommand.
    pub container: Option<&'static Command>,
    /// The row.
    pub command: &'static Command,
    /// What statistics are kept by.
    pub id: CommandId,
}

impl Found {
    /// `get`, or `config|get`.
    pub fn full_name(&self) -> String {
        self.id.full_name()
    }

    /// Where the arguments start.
    pub fn arguments_at(&self) -> usize {
        if self.container.is_some() { 2 } else { 1 }
    }
}

/// Every command, each with its subcommands behind it, in the order of their ids.
pub fn every() -> impl Iterator<Item = Found> {
    sorted().iter().enumerate().flat_map(|(place, (_, command))| {
        let found = move |subcommand: usize| Found {
            container: (subcommand > 0).then_some(*command),
            command: command.subcommands().get(subcommand.wrapping_sub(1)).unwrap_or(command),
            id: CommandId { place, subcommand },
        };
        (0..=command.subcommands().len()).map(found)
    })
}

/// What `get` or `config|get` names, in any case.
pub fn named(full_name: &[u8]) -> Option<Found> {
    let mut words = full_name.split(|&byte| byte == b'|').map(<[u8]>::to_vec);
    let name = [words.next()?];
    match (words.next(), words.next()) {
        (None, _) => resolve(&name).ok(),
        (Some(word), None) => {
            let [name] = name;
            resolve(&[name, word]).ok().filter(|found| found.container.is_some())
        }
        _ => None,
    }
}

/// Finds what a whole command line names; the error of an unknown command or subcommand otherwise.
/// The arity is not looked at: a container without a subcommand is found as the container.
pub fn resolve(argv: &[Vec<u8>]) -> Result<Found, Error> {
    let name = argv.first().map(Vec::as_slice).unwrap_or_default();
    let place =
        place(name).ok_or_else(|| Error::unknown_command(name, &argv[1.min(argv.len())..]))?;
    let (_, command) = sorted()[place];
    match (command.subcommands(), argv.get(1)) {
        ([], _) | (_, None) => {
            Ok(Found { container: None, command, id: CommandId { place, subcommand: 0 } })
        }
        (subcommands, Some(word)) => {
            let is_named = |sub: &Command| sub.name.as_bytes().eq_ignore_ascii_case(word);
            let at = subcommands.iter().position(is_named);
            let at = at.ok_or_else(|| Error::unknown_subcommand(command.name, word))?;
            let id = CommandId { place, subcommand: at + 1 };
            Ok(Found { container: Some(command), command: &subcommands[at], id })
        }
    }
}

/// The reply of a container's HELP: what its table of lines holds, between the lines that all of them share.
pub fn help((container, lines): (&str, &[&str])) -> Reply {
    let first = format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    let last = ["HELP", "    Prints this help."];
    let all = [first.as_str()].into_iter().chain(lines.iter().copied()).chain(last);
    Reply::Array(all.map(|line| Reply::Status(line.as_bytes().to_vec().into())).collect())
}
