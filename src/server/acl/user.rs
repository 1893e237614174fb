//! Defines a user: the passwords, and the selectors that say what the user may do.

use super::commands::Commands;
use crate::command::Found;
use crate::command::key_specs::KeyArgument;
use crate::glob;
use sha2::{Digest, Sha256};

/// A user.
#[derive(Clone)]
pub struct User {
    /// The name.
    pub name: Vec<u8>,
    /// `on`: clients can authenticate as this user.
    pub enabled: bool,
    /// `nopass`: every password will do.
    pub nopass: bool,
    /// What `sanitize-payload` and `skip-sanitize-payload` last said, if they did.
    pub(super) sanitizes: Option<bool>,
    /// The SHA-256 of each password, in hexadecimal digits.
    pub passwords: Vec<Vec<u8>>,
    /// The selectors; each of them is enough. The first one is the user's own.
    pub selectors: Vec<Selector>,
}

/// Commands that may be used with certain keys and channels.
#[derive(Clone)]
pub struct Selector {
    pub(super) commands: Commands,
    pub(super) all_keys: bool,
    pub(super) keys: Vec<KeyPattern>,
    pub(super) all_channels: bool,
    pub(super) channels: Vec<Vec<u8>>,
}

/// Keys, and what may be done with them.
#[derive(Clone)]
pub(super) struct KeyPattern {
    pub pattern: Vec<u8>,
    pub read: bool,
    pub write: bool,
}

/// What a user may not do. What comes later weighs more: it is what is said of several selectors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Denied {
    /// The command.
    Command,
    /// To touch the key that is this argument.
    Key(usize),
    /// The channel that is this argument.
    Channel(usize),
}

impl User {
    /// A user who is not enabled, has no password and may do nothing; any channel perhaps.
    pub fn new(name: &[u8], all_channels: bool) -> User {
        User {
            name: name.to_vec(),
            enabled: false,
            nopass: false,
            sanitizes: None,
            passwords: Vec::new(),
            selectors: vec![Selector::new(all_channels)],
        }
    }

    /// The user as whom every client begins: everything is allowed, with any password.
    pub fn default_user() -> User {
        let mut user = User::new(b"default", true);
        user.enabled = true;
        user.nopass = true;
        user.selectors =
            vec![Selector { commands: Commands::new(true), all_keys: true, ..Selector::new(true) }];
        user
    }

    /// Gives the user this password and no other; every password if it is empty.
    pub fn set_password(&mut self, password: &[u8]) {
        self.passwords.clear();
        self.nopass = password.is_empty();
        if !self.nopass {
            self.passwords.push(digest(password));
        }
    }

    /// Whether a client that tells this password becomes this user.
    pub fn accepts(&self, password: &[u8]) -> bool {
        self.enabled && (self.nopass || self.passwords.contains(&digest(password)))
    }

    /// Whether the user may run a command line.
    pub fn check(&self, found: &Found, argv: &[Vec<u8>]) -> Result<(), Denied> {
        let mut keys = None;
        let mut worst = Denied::Command;
        for selector in &self.selectors {
            match selector.check(found, argv, &mut keys) {
                Ok(()) => return Ok(()),
                Err(denied) => worst = worst.max(denied),
            }
        }
        Err(worst)
    }

    /// Whether the user may run a command line, whichever keys it reads.
    pub fn reads_all(&self, found: &Found, argv: &[Vec<u8>]) -> bool {
        let mut selectors = self.selectors.iter().filter(|selector| selector.reads_all());
        selectors.any(|selector| selector.check(found, argv, &mut None).is_ok())
    }

    /// Whether the user may go on listening.
    pub fn may_listen(&self, name: &[u8], is_pattern: bool) -> bool {
        self.selectors.iter().any(|selector| selector.allows_channel(name, is_pattern))
    }

    /// Whether there is any channel that the user may use.
    pub fn has_channels(&self) -> bool {
        let mut selectors = self.selectors.iter();
        selectors.any(|selector| selector.all_channels || !selector.channels.is_empty())
    }
}

impl Selector {
    pub(super) fn new(all_channels: bool) -> Selector {
        Selector {
            commands: Commands::new(false),
            all_keys: false,
            keys: Vec::new(),
            all_channels,
            channels: Vec::new(),
        }
    }

    /// Whether the command line is allowed; its keys are looked for at most once.
    fn check(
        &self,
        found: &Found,
        argv: &[Vec<u8>],
        keys: &mut Option<Vec<KeyArgument>>,
    ) -> Result<(), Denied> {
        let command = found.command;
        if !command.has(crate::command::flag::NO_AUTH) && !self.commands.allow(found, argv) {
            return Err(Denied::Command);
        }
        if !self.all_keys && !command.keys.is_empty() {
            let keys = keys.get_or_insert_with(|| command.key_arguments(argv).unwrap_or_default());
            let denied = keys
                .iter()
                .find(|key| argv.get(key.at).is_some_and(|name| !self.allows_key(name, key.flags)));
            if let Some(key) = denied {
                return Err(Denied::Key(key.at));
            }
        }
        if !self.all_channels
            && let Some((channels, is_pattern)) = channels(command.name, argv)
        {
            let denied = channels.iter().position(|name| !self.allows_channel(name, is_pattern));
            if let Some(at) = denied {
                return Err(Denied::Channel(at + 1));
            }
        }
        Ok(())
    }

    /// Whether a key may be used as a key spec's flags say: who only asks for a key needs no more than some pattern.
    fn allows_key(&self, name: &[u8], flags: &str) -> bool {
        let (mut reads, mut writes) = (false, false);
        for flag in flags.split(' ') {
            reads |= flag == "access";
            writes |= matches!(flag, "insert" | "delete" | "update");
        }
        self.keys.iter().any(|key| {
            (key.read || !reads)
                && (key.write || !writes)
                && glob::matches(&key.pattern, name, false)
        })
    }

    fn reads_all(&self) -> bool {
        self.all_keys || self.keys.iter().any(|key| key.read && key.pattern == b"*")
    }

    /// Whether a channel may be used. A pattern must be one of those that are allowed, to the letter.
    fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        let allows = |allowed: &Vec<u8>| {
            if is_pattern { allowed == name } else { glob::matches(allowed, name, false) }
        };
        self.all_channels || self.channels.iter().any(allows)
    }
}

/// The channels, or patterns of channels, that a command line uses from its second word on.
fn channels<'a>(name: &str, argv: &'a [Vec<u8>]) -> Option<(&'a [Vec<u8>], bool)> {
    let last = match name {
        "publish" | "spublish" => 2,
        "subscribe" | "ssubscribe" | "psubscribe" => argv.len(),
        _ => return None,
    };
    Some((argv.get(1..last)?, name == "psubscribe"))
}

/// The SHA-256 of a password, in hexadecimal digits.
pub(super) fn digest(password: &[u8]) -> Vec<u8> {
    hex::encode(Sha256::digest(password)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;
    use crate::split::split;

    #[test]
    fn what_is_denied_most_is_told() {
        #[track_caller]
        fn check(rules: &[&str], line: &str, expected: Result<(), Denied>) {
            let mut user = User::new(b"u", false);
            for rule in rules {
                user.apply(rule.as_bytes(), false).expect("the rule is good");
            }
            let argv = split(line.as_bytes()).expect("it has no quotes");
            let found = command::resolve(&argv).expect("it exists");
            assert_eq!(user.check(&found, &argv), expected, "{line}");
        }
        check(&["+get"], "GET a", Err(Denied::Key(1)));
        check(&["+get", "~a"], "GET a", Ok(()));
        check(&["+get", "%W~a"], "GET a", Err(Denied::Key(1)));
        check(&["+mget ~a", "(+mget ~a ~b)"][1..], "MGET a b c", Err(Denied::Key(3)));
        check(&["-@all", "(+mget ~b)", "(+mget ~a)"], "MGET a b c", Err(Denied::Key(2)));
        check(&["+publish"], "PUBLISH a b", Err(Denied::Channel(1)));
        check(&["-@all"], "AUTH a", Ok(()));
        check(&["+@all", "&a*"], "PSUBSCRIBE a* ab*", Err(Denied::Channel(2)));
    }
}
