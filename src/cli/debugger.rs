//! What redis-cli shows of a Lua debugging session: its lines, their roles, and what it says around it.

use super::split;
use crate::resp::Reply;

/// The prompt while a script is debugged.
pub const PROMPT: &str = "lua debugger> ";

/// What is said when a session starts.
pub const BANNER: &str = "\
Lua debugging session started, please use:
quit    -- End the session.
restart -- Restart the script in debug mode again.
help    -- Show Lua script debugging commands.

";

/// What is said of a script that cannot be debugged, before its error.
pub const REFUSAL: &str = "Eval debugging session can't start:\n";

/// The last line of a session.
const END: &[u8] = b"<endsession>";

/// A script that is debugged, or that can be debugged again.
#[derive(Clone)]
pub struct Debugging {
    /// Its EVAL.
    pub argv: Vec<Vec<u8>>,
    /// Its changes are kept.
    pub sync: bool,
    /// It has stopped at a line at least once.
    pub begun: bool,
    /// It has ended: only its reply is missing.
    pub ended: bool,
}

impl Debugging {
    /// What `ldb [sync] EVAL ...` or `ldb FCALL ...` asks for: words of this terminal alone, since SCRIPT DEBUG does not
    /// know functions.
    pub fn typed(words: &[Vec<u8>]) -> Option<Debugging> {
        let [ldb, argv @ ..] = words else { return None };
        let (argv, sync) = match argv {
            [sync, argv @ ..] if sync.eq_ignore_ascii_case(b"sync") => (argv, true),
            _ => (argv, false),
        };
        let debugging = Debugging { argv: argv.to_vec(), sync, begun: false, ended: false };
        let is_possible = can_be_debugged(argv) || debugging.is_function() && !sync;
        (ldb == b"ldb" && is_possible).then_some(debugging)
    }

    /// A function is debugged.
    pub fn is_function(&self) -> bool {
        is_function(&self.argv)
    }

    /// What is said when the session has ended.
    pub fn farewell(&self) -> &'static str {
        if !self.begun {
            ""
        } else if self.sync {
            "\n(Lua debugging session ended)\n\n"
        } else {
            "\n(Lua debugging session ended -- dataset changes rolled back)\n\n"
        }
    }

    /// SCRIPT DEBUG, which makes the next EVAL a session like this one.
    pub fn request(&self) -> Vec<Vec<u8>> {
        let mode: &[u8] = if self.sync { b"SYNC" } else { b"YES" };
        vec![b"SCRIPT".to_vec(), b"DEBUG".to_vec(), mode.to_vec()]
    }
}

/// Whether a command makes the next EVAL a session, and whether one whose changes are kept; none if it is another command.
pub fn asked_for(argv: &[Vec<u8>]) -> Option<Option<bool>> {
    let [script, debug, mode] = argv else { return None };
    let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if !is(script, "script") || !is(debug, "debug") {
        return None;
    }
    match () {
        () if is(mode, "yes") => Some(Some(false)),
        () if is(mode, "sync") => Some(Some(true)),
        () => Some(None),
    }
}

/// Whether a command is one that can be debugged.
pub fn can_be_debugged(argv: &[Vec<u8>]) -> bool {
    is_one_of(argv, ["eval", "eval_ro"])
}

/// Whether a command calls a function.
pub fn is_function(argv: &[Vec<u8>]) -> bool {
    is_one_of(argv, ["fcall", "fcall_ro"])
}

fn is_one_of(argv: &[Vec<u8>], names: [&str; 2]) -> bool {
    let is = |name: &[u8]| names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
    argv.first().is_some_and(|name| is(name))
}

/// The arguments in a line for the debugger: what follows EVAL is one of them, as it was typed.
pub fn arguments(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    for name in [&b"eval"[..], b"e"] {
        if let Some(code) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(b" ")) {
            return Some(vec![name.to_vec(), code.to_vec()]);
        }
    }
    split::split(line)
}

/// What a line of the debugger's is about: redis-cli gives each a colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Nothing special.
    Plain,
    /// What `redis.debug` says.
    Debug,
    /// A command that the script calls.
    Command,
    /// The command's reply.
    Reply,
    /// Something has gone wrong.
    Error,
    /// How to see more.
    Hint,
    /// A value.
    Value,
    /// The line of the source that comes next.
    Current,
    /// A line of the source with a breakpoint.
    Breakpoint,
}

/// What a line is about.
pub fn role(line: &[u8]) -> Role {
    let marks: &[(&[u8], Role)] = &[
        (b"<debug>", Role::Debug),
        (b"<redis>", Role::Command),
        (b"<reply>", Role::Reply),
        (b"<error>", Role::Error),
        (b"<hint>", Role::Hint),
        (b"<value>", Role::Value),
        (b"<retval>", Role::Value),
        (b"->", Role::Current),
        (b"  #", Role::Breakpoint),
    ];
    let found = marks.iter().find(|(mark, _)| line.starts_with(mark));
    found.map_or(Role::Plain, |(_, role)| *role)
}

/// The lines of a reply of the debugger's, and whether the session ends with them; none if it is another reply.
pub fn lines(reply: &Reply) -> Option<(Vec<&[u8]>, bool)> {
    let Reply::Array(items) = reply else { return None };
    let lines = items.iter().map(|item| match item {
        Reply::Status(text) => Some(&text[..]),
        _ => None,
    });
    let mut lines = lines.collect::<Option<Vec<&[u8]>>>()?;
    let ends = lines.last() == Some(&END);
    if ends {
        lines.pop();
    }
    Some((lines, ends))
}

#[cfg(test)]
mod tests {
    use super::{Role, arguments, role};

    #[test]
    fn roles_follow_from_how_a_line_begins() {
        let check = |line: &str, expected| assert_eq!(role(line.as_bytes()), expected, "{line}");
        check("* Stopped at 1, stop reason = step over", Role::Plain);
        check("-> 1   local a = 1", Role::Current);
        check("->#1   local a = 1", Role::Current);
        check("  #2   return a", Role::Breakpoint);
        check("   3   return a", Role::Plain);
        check("<retval> 1", Role::Value);
        check("<error> ldb_eval:1: x", Role::Error);
    }

    #[test]
    fn code_is_one_argument() {
        let check = |line: &str, expected: &[&str]| {
            let arguments = arguments(line.as_bytes()).unwrap_or_default();
            assert_eq!(arguments, expected.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
        };
        check("e return 'a  b'", &["e", "return 'a  b'"]);
        check("eval \"x\"", &["eval", "\"x\""]);
        check("p  a", &["p", "a"]);
        check("redis get \"a b\"", &["redis", "get", "a b"]);
    }
}
