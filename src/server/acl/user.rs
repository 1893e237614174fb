//! Defines a user: the passwords, and the selectors that say what the user may do.

use super::commands::{Commands, Refusal};
use super::sha256::sha256;
use crate::command::Found;
use crate::command::key_specs::KeyArgument;
use crate::error::reason;
use crate::glob;
use crate::script::convert::c_string;
use crate::split::split;

/// Hexadecimal digits of a password's SHA-256.
const DIGITS: usize = 64;

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
    sanitizes: Option<bool>,
    /// The SHA-256 of each password, in hexadecimal digits.
    pub passwords: Vec<Vec<u8>>,
    /// The selectors; each of them is enough. The first one is the user's own.
    pub selectors: Vec<Selector>,
}

/// Commands that may be used with certain keys and channels.
#[derive(Clone)]
pub struct Selector {
    commands: Commands,
    all_keys: bool,
    keys: Vec<KeyPattern>,
    all_channels: bool,
    channels: Vec<Vec<u8>>,
}

/// Keys, and what may be done with them.
#[derive(Clone)]
struct KeyPattern {
    pattern: Vec<u8>,
    read: bool,
    write: bool,
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

    /// Whether this user may listen to whatever another one may.
    pub fn listens_as(&self, other: &User) -> bool {
        let has_all = |user: &User| user.selectors.iter().any(|selector| selector.all_channels);
        let has =
            |pattern: &Vec<u8>| self.selectors.iter().any(|own| own.channels.contains(pattern));
        let has_those_of = |selector: &Selector| selector.channels.iter().all(&has);
        has_all(self) || !has_all(other) && other.selectors.iter().all(has_those_of)
    }

    /// Follows a rule; what is wrong with it otherwise.
    pub fn apply(&mut self, rule: &[u8], all_channels: bool) -> Result<(), &'static str> {
        match c_string(rule).to_ascii_lowercase().as_slice() {
            b"" if rule.is_empty() => {}
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => self.set_password(b""),
            b"resetpass" => {
                self.passwords.clear();
                self.nopass = false;
            }
            b"sanitize-payload" => self.sanitizes = Some(true),
            b"skip-sanitize-payload" => self.sanitizes = Some(false),
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => {
                let sanitizes = Some(true);
                *self = User { sanitizes, ..User::new(&self.name, all_channels) };
            }
            _ => return self.apply_other(rule, all_channels),
        }
        Ok(())
    }

    fn apply_other(&mut self, rule: &[u8], all_channels: bool) -> Result<(), &'static str> {
        match rule {
            [b'>' | b'#', ..] => {
                let digits = password_of(rule)?;
                self.nopass = false;
                if !self.passwords.contains(&digits) {
                    self.passwords.push(digits);
                }
            }
            [b'<' | b'!', ..] => {
                let digits = password_of(rule)?;
                let place = self.passwords.iter().position(|password| *password == digits);
                self.passwords.remove(place.ok_or(reason::NO_SUCH_PASSWORD)?);
            }
            [b'(', rules @ .., b')'] => {
                let mut selector = Selector::new(all_channels);
                for rule in split(rules).unwrap_or_default() {
                    selector.apply(&rule)?;
                }
                self.selectors.push(selector);
            }
            _ => self.selectors.first_mut().ok_or(reason::RULE_SYNTAX)?.apply(rule)?,
        }
        Ok(())
    }

    /// The words for what the user is beside what selectors say.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let sanitizes = match self.sanitizes {
            None => None,
            Some(true) => Some("sanitize-payload"),
            Some(false) => Some("skip-sanitize-payload"),
        };
        let enabled = if self.enabled { "on" } else { "off" };
        [Some(enabled), self.nopass.then_some("nopass"), sanitizes].into_iter().flatten()
    }

    /// The line of ACL LIST, which a configuration file could have.
    pub fn line(&self) -> Vec<u8> {
        let mut line = [b"user ", self.name.as_slice()].concat();
        for flag in self.flags() {
            push_word(&mut line, b"", flag.as_bytes());
        }
        for password in &self.passwords {
            push_word(&mut line, b"#", password);
        }
        for (number, selector) in self.selectors.iter().enumerate() {
            let rules = selector.rules();
            if number == 0 {
                push_word(&mut line, b"", &rules);
            } else {
                push_word(&mut line, b"(", &rules);
                line.push(b')');
            }
        }
        line
    }
}

impl Selector {
    fn new(all_channels: bool) -> Selector {
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

    fn apply(&mut self, rule: &[u8]) -> Result<(), &'static str> {
        let word = c_string(rule).to_ascii_lowercase();
        match word.as_slice() {
            b"allkeys" | b"~*" | b"resetkeys" => {
                self.all_keys = word != b"resetkeys";
                self.keys.clear();
            }
            b"allchannels" | b"&*" | b"resetchannels" => {
                self.all_channels = word != b"resetchannels";
                self.channels.clear();
            }
            b"allcommands" => self.commands = Commands::new(true),
            b"nocommands" => self.commands = Commands::new(false),
            _ => return self.apply_other(rule),
        }
        Ok(())
    }

    fn apply_other(&mut self, rule: &[u8]) -> Result<(), &'static str> {
        match rule {
            [b'~' | b'%', ..] if self.all_keys => return Err(reason::AFTER_ALL_KEYS),
            [b'~' | b'%', ..] => {
                let key = KeyPattern::parse(rule).ok_or(reason::RULE_SYNTAX)?;
                match self.keys.iter_mut().find(|other| other.pattern == key.pattern) {
                    Some(other) => {
                        other.read |= key.read;
                        other.write |= key.write;
                    }
                    None => self.keys.push(key),
                }
            }
            [b'&', ..] if self.all_channels => return Err(reason::AFTER_ALL_CHANNELS),
            [b'&', channel @ ..] if !has_spaces(channel) => {
                if !self.channels.iter().any(|other| other == channel) {
                    self.channels.push(channel.to_vec());
                }
            }
            [sign @ (b'+' | b'-'), name @ ..] => {
                let applied = self.commands.apply(*sign == b'+', c_string(name));
                applied.map_err(|refusal| match refusal {
                    Refusal::Syntax => reason::RULE_SYNTAX,
                    Refusal::Unknown => reason::UNKNOWN_COMMAND,
                    Refusal::FirstOfSubcommand => reason::FIRST_OF_SUBCOMMAND,
                })?;
            }
            _ => return Err(reason::RULE_SYNTAX),
        }
        Ok(())
    }

    /// Its rules about commands.
    pub fn command_rules(&self) -> Vec<u8> {
        self.commands.rules()
    }

    /// Its rules about keys.
    pub fn key_rules(&self) -> Vec<u8> {
        let mut rules = Vec::new();
        if self.all_keys {
            push_word(&mut rules, b"~", b"*");
        }
        for key in &self.keys {
            let prefix: &[u8] = match (key.read, key.write) {
                (true, true) => b"~",
                (true, false) => b"%R~",
                _ => b"%W~",
            };
            push_word(&mut rules, prefix, &key.pattern);
        }
        rules
    }

    /// Its rules about channels.
    pub fn channel_rules(&self) -> Vec<u8> {
        let mut rules = Vec::new();
        if self.all_channels {
            push_word(&mut rules, b"&", b"*");
        }
        for channel in &self.channels {
            push_word(&mut rules, b"&", channel);
        }
        rules
    }

    /// All of its rules, for whoever begins with a selector to which channels may have been given.
    fn rules(&self) -> Vec<u8> {
        let mut rules = self.key_rules();
        if !self.all_channels {
            push_word(&mut rules, b"", b"resetchannels");
        }
        for part in [self.channel_rules(), self.command_rules()] {
            if !part.is_empty() {
                push_word(&mut rules, b"", &part);
            }
        }
        rules
    }
}

impl KeyPattern {
    /// `~pattern`, or `%R~pattern`, `%W~pattern` and `%RW~pattern`.
    fn parse(rule: &[u8]) -> Option<KeyPattern> {
        let (mut read, mut write) = (false, false);
        let mut rest = rule.get(1..)?;
        if rule.starts_with(b"~") {
            (read, write) = (true, true);
        } else {
            loop {
                let flag = match rest {
                    [b'R' | b'r', ..] => &mut read,
                    [b'W' | b'w', ..] => &mut write,
                    _ => break,
                };
                if std::mem::replace(flag, true) {
                    return None;
                }
                rest = &rest[1..];
            }
            // Without anything behind the flags the pattern is empty.
            match rest {
                [] => {}
                [b'~', pattern @ ..] => rest = pattern,
                _ => return None,
            }
        }
        let is_good = (read || write) && !has_spaces(rest);
        is_good.then(|| KeyPattern { pattern: rest.to_vec(), read, write })
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

/// Whether a name or a pattern has what separates rules, or ends a text.
pub fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b' ' | b'\t'..=b'\r' | 0))
}

fn digest(password: &[u8]) -> Vec<u8> {
    hex::encode(sha256(password)).into_bytes()
}

/// The digest of the password that a rule names, or the digest that it gives.
fn password_of(rule: &[u8]) -> Result<Vec<u8>, &'static str> {
    match rule {
        [b'>' | b'<', password @ ..] => Ok(digest(password)),
        [_, digits @ ..] if digits.len() == DIGITS && digits.iter().all(is_digit) => {
            Ok(digits.to_vec())
        }
        _ => Err(reason::BAD_HASH),
    }
}

fn is_digit(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Adds a word behind a space, if it is not the first.
fn push_word(line: &mut Vec<u8>, prefix: &[u8], word: &[u8]) {
    if !line.is_empty() {
        line.push(b' ');
    }
    line.extend_from_slice(prefix);
    line.extend_from_slice(word);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    #[test]
    fn rules_give_the_same_rules_again() {
        #[track_caller]
        fn check(rules: &str, expected: &str) {
            let mut user = User::new(b"u", false);
            for rule in rules.split(' ') {
                user.apply(rule.as_bytes(), false).expect("the rule is good");
            }
            let line = String::from_utf8_lossy(&user.line()).into_owned();
            assert_eq!(line, format!("user u {expected}"));
            let again = split(line.as_bytes()).expect("it has no quotes");
            let mut other = User::new(b"u", false);
            for rule in &again[2..] {
                other.apply(rule, false).expect("the rule is good");
            }
            assert_eq!(other.line(), user.line());
        }
        check("off", "off resetchannels -@all");
        check("on nopass ~* &* +@all", "on nopass ~* &* +@all");
        check("+@all -@dangerous", "off resetchannels +@all -@dangerous");
        check("%W~a %R~a %R~b &c", "off ~a %R~b resetchannels &c -@all");
        check("+@all -config|set", "off resetchannels +@all -config|set");
        check("+select|1 +SELECT|1 +get", "off resetchannels -@all +get +select|1");
    }

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

    #[test]
    fn what_was_never_said_is_not_told() {
        assert_eq!(User::default_user().line(), b"user default on nopass ~* &* +@all");
    }
}
