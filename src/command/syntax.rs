//! Defines the notation of a command's arguments, from which COMMAND DOCS, HELP and hints are made.
//!
//! ```text
//! name:type          an argument; #n names the key spec that finds it
//! TOKEN              a word that stands for itself; TOKEN/name when the argument's name is not the word in lower case
//! TOKEN=argument     an argument behind a word
//! name(a|b)          one of these
//! name{a b}          these in turn
//! ?  *  +            optional; may be repeated; repeats the token as well
//! @6.2.0             since this version;  @-6.2.0  deprecated since
//! ```
//! A token that is not a plain word stands in double quotes.

use std::borrow::Cow;

/// One argument of a command.
#[derive(Debug, PartialEq, Eq, Default, Clone)]
pub struct Argument {
    /// Its name.
    pub name: Cow<'static, str>,
    /// `key`, `string`, `integer`, `double`, `pattern`, `unix-time`, `pure-token`, `oneof` or `block`.
    pub kind: &'static str,
    /// The word before it, or the word that it is.
    pub token: Option<&'static str>,
    /// Which of the command's key specs finds it.
    pub key_spec: Option<i64>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Its token is repeated with it.
    pub multiple_token: bool,
    /// The version that brought it.
    pub since: Option<&'static str>,
    /// The version that deprecated it.
    pub deprecated: Option<&'static str>,
    /// What a `oneof` or a `block` holds.
    pub arguments: Vec<Argument>,
}

/// Parses a row's syntax. The tables are constants of ours, and a test parses them all.
pub fn parse(syntax: &'static str) -> Vec<Argument> {
    Parser { text: syntax, at: 0 }.arguments()
}

struct Parser {
    text: &'static str,
    at: usize,
}

impl Parser {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// A run of bytes that are not the notation's own, or a quoted word.
    fn word(&mut self) -> &'static str {
        if self.eat(b'"') {
            let start = self.at;
            while !matches!(self.peek(), b'"' | 0) {
                self.at += 1;
            }
            self.at += 1;
            return &self.text[start..self.at - 1];
        }
        let start = self.at;
        while !matches!(
            self.peek(),
            0 | b' '
                | b'|'
                | b'('
                | b')'
                | b'{'
                | b'}'
                | b'='
                | b'/'
                | b':'
                | b'?'
                | b'*'
                | b'+'
                | b'@'
                | b'#'
        ) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// Arguments separated by spaces or bars, up to a closing bracket.
    fn arguments(&mut self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        while !matches!(self.peek(), 0 | b')' | b'}') {
            if !self.eat(b' ') && !self.eat(b'|') {
                arguments.push(self.argument());
            }
        }
        self.at += 1;
        arguments
    }

    fn argument(&mut self) -> Argument {
        let mut argument = Argument::default();
        let mut word = self.word();
        if self.eat(b'=') {
            argument.token = Some(word);
            word = self.word();
        }
        argument.name = word.into();
        if self.eat(b':') {
            argument.kind = self.word();
        } else if self.eat(b'(') {
            argument.kind = "oneof";
            argument.arguments = self.arguments();
        } else if self.eat(b'{') {
            argument.kind = "block";
            argument.arguments = self.arguments();
        } else {
            argument.kind = "pure-token";
            argument.token = Some(word);
            argument.name =
                if self.eat(b'/') { self.word().into() } else { word.to_ascii_lowercase().into() };
        }
        loop {
            match self.peek() {
                b'#' => {
                    self.at += 1;
                    argument.key_spec = self.word().parse().ok();
                }
                b'?' => argument.optional = self.eat(b'?'),
                b'*' => argument.multiple = self.eat(b'*'),
                b'+' => argument.multiple_token = self.eat(b'+'),
                b'@' => {
                    self.at += 1;
                    let version = self.word();
                    match version.strip_prefix('-') {
                        Some(version) => argument.deprecated = Some(version),
                        None => argument.since = Some(version),
                    }
                }
                _ => return argument,
            }
        }
    }
}
