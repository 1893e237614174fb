//! Defines the script cache: scripts by the SHA1 of their text, and what their shebang asks for.

use crate::error::Error;
use crate::keyspace::dict::Dict;
use crate::split::split;
use sha1::{Digest, Sha1};

/// The SHA1 of a script's text. Its hexadecimal digits are the script's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Sha([u8; 20]);

impl Sha {
    /// Hexadecimal digits in a name.
    pub const DIGITS: usize = 40;

    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Sha {
        Sha(Sha1::digest(bytes).into())
    }

    /// Of what the hasher has been given.
    pub fn of_hashed(hasher: Sha1) -> Sha {
        Sha(hasher.finalize().into())
    }

    /// What a name, digits in any case, stands for; `None` if it is none.
    pub fn named(name: &[u8]) -> Option<Sha> {
        let mut sha = Sha([0; 20]);
        hex::decode_to_slice(name, &mut sha.0).ok()?;
        Some(sha)
    }

    /// The name, in lower case.
    pub fn name(self) -> String {
        hex::encode(self.0)
    }
}

/// What a script may do, by the flags of its shebang line.
///
/// A script without a shebang runs as before Redis 7: it is not refused when memory is short, only its commands are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Flags {
    /// The script has a shebang.
    pub declared: bool,
    /// `no-writes`: commands that write are refused.
    pub no_writes: bool,
    /// `allow-oom`: it may run, and write, over maxmemory.
    pub allow_oom: bool,
}

/// A script as it is cached.
pub struct Script<F> {
    /// The text, shebang and all.
    pub body: Vec<u8>,
    /// From its shebang.
    pub flags: Flags,
    /// The compiled function.
    pub function: F,
}

/// The cache. Redis 7.0 evicts nothing from it: only SCRIPT FLUSH and a restart empty it.
pub struct Cache<F> {
    scripts: Dict<Script<F>>,
    /// The script that was asked for last by its text.
    last: Option<Sha>,
}

impl<F> Default for Cache<F> {
    fn default() -> Self {
        Cache { scripts: Dict::default(), last: None }
    }
}

impl<F> Cache<F> {
    /// The script of which this is the SHA1.
    pub fn get(&self, sha: Sha) -> Option<&Script<F>> {
        self.scripts.get(&sha.0)
    }

    /// The SHA1 of a script's text, and whether it is here. Programs send one script many times: that is noticed
    /// without working it out again.
    pub fn find(&mut self, body: &[u8]) -> (Sha, bool) {
        let same = |sha: &Sha| self.scripts.get(&sha.0).is_some_and(|script| script.body == body);
        let sha = self.last.filter(same).unwrap_or_else(|| Sha::of(body));
        self.last = Some(sha);
        (sha, self.scripts.contains(&sha.0))
    }

    /// Keeps a script.
    pub fn insert(&mut self, sha: Sha, script: Script<F>) {
        self.scripts.insert(&sha.0, script);
    }

    /// Number of scripts.
    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    /// No scripts.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }
}

/// Splits a text behind its first line: what is left begins with the line end, so that lines keep their numbers. The real
/// server looks for the line end as C does: not behind a NUL.
pub(super) fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|&byte| byte == b'\n' || byte == 0)?;
    let (line, rest) = text.split_at(end);
    rest.starts_with(b"\n").then_some((line, rest))
}

/// Reads the shebang of a script. Gives its flags and the code behind it.
pub fn shebang(body: &[u8]) -> Result<(Flags, &[u8]), Error> {
    let mut flags = Flags::default();
    if !body.starts_with(b"#!") {
        return Ok((flags, body));
    }
    let (line, code) = split_line(body).ok_or(Error::INVALID_SHEBANG)?;
    let words = split(line).ok_or(Error::INVALID_SHEBANG_ENGINE)?;
    let (engine, options) = words.split_first().ok_or(Error::INVALID_SHEBANG_ENGINE)?;
    if engine != b"#!lua" {
        return Err(Error::unexpected_engine(engine));
    }
    flags.declared = true;
    for option in options {
        let names =
            option.strip_prefix(b"flags=").ok_or_else(|| Error::unknown_shebang_option(option))?;
        if names.is_empty() {
            continue;
        }
        for name in names.split(|&byte| byte == b',') {
            match name {
                b"no-writes" => flags.no_writes = true,
                b"allow-oom" => flags.allow_oom = true,
                // They matter to replicas and clusters, which this server is not.
                b"allow-stale" | b"no-cluster" | b"allow-cross-slot-keys" => {}
                _ => return Err(Error::unexpected_flag(name)),
            }
        }
    }
    Ok((flags, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_is_the_one_of_the_server() {
        let body = b"redis.call('set', KEYS[1], ARGV[1]); return redis.call('get', KEYS[1])";
        let name = "5afd00504d9d21a8fc37cd1b4400872d2e69296a";
        assert_eq!(Sha::of(body).name(), name);
        assert_eq!(Sha::named(name.to_uppercase().as_bytes()), Some(Sha::of(body)));
        assert_eq!(Sha::named(&name.as_bytes()[1..]), None);
        assert_eq!(Sha::named(&[b'g'; Sha::DIGITS]), None);
    }

    #[test]
    fn shebangs() {
        #[track_caller]
        fn check(body: &str, expected: Result<(Flags, &str), &str>) {
            let found = shebang(body.as_bytes())
                .map_err(|error| String::from_utf8_lossy(&error.0).into_owned());
            let expected =
                expected.map(|(flags, code)| (flags, code.as_bytes())).map_err(str::to_owned);
            assert_eq!(found, expected);
        }
        let declared = Flags { declared: true, ..Flags::default() };
        check("return 1", Ok((Flags::default(), "return 1")));
        check("#!lua\nreturn 1", Ok((declared, "\nreturn 1")));
        check("#!lua flags=\nreturn 1", Ok((declared, "\nreturn 1")));
        check("#!lua \"flags=no-writes\"\nx", Ok((Flags { no_writes: true, ..declared }, "\nx")));
        check(
            "#!lua flags=allow-oom,no-cluster\nx",
            Ok((Flags { allow_oom: true, ..declared }, "\nx")),
        );
        check("#!lua", Err("ERR Invalid script shebang"));
        check("#!lua\0\nx", Err("ERR Invalid script shebang"));
        check("#!lua\n\0", Ok((declared, "\n\0")));
        check("#!lua \"flags\nx", Err("ERR Invalid engine in script shebang"));
        check("#!\nx", Err("ERR Unexpected engine in script shebang: #!"));
        check("#!lua x=1\nx", Err("ERR Unknown lua shebang option: x=1"));
        check("#!lua flags=a,,b\nx", Err("ERR Unexpected flag in script shebang: a"));
    }
}
