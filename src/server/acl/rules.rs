//! Defines the rules of ACL SETUSER: what each does to a user, and in which a user is told.

use super::commands::Commands;
use super::user::{KeyPattern, Selector, User, digest};
use crate::error::reason;
use crate::number::c_string;
use crate::split::split;

/// Hexadecimal digits of a password's SHA-256.
const DIGITS: usize = 64;

impl User {
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
                self.commands.apply(*sign == b'+', c_string(name))?;
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

/// Whether a name or a pattern has what separates rules, or ends a text.
pub fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b' ' | b'\t'..=b'\r' | 0))
}

/// The digest of the password that a rule names, or the digest that it gives.
fn password_of(rule: &[u8]) -> Result<Vec<u8>, &'static str> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match rule {
        [b'>' | b'<', password @ ..] => Ok(digest(password)),
        [_, digits @ ..] if digits.len() == DIGITS && digits.iter().all(is_digit) => {
            Ok(digits.to_vec())
        }
        _ => Err(reason::BAD_HASH),
    }
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
    fn what_was_never_said_is_not_told() {
        assert_eq!(User::default_user().line(), b"user default on nopass ~* &* +@all");
    }
}
