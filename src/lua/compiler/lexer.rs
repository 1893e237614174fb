//! Splits Lua source into tokens, and words syntax errors as PUC-Rio does.

use super::bytes::c_string;
use super::number::parse_number;
use memchr::{memchr, memchr2, memchr3};
use std::rc::Rc;

/// Why a chunk does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// `chunk:line: what near 'token'`.
    pub message: Vec<u8>,
    /// PUC-Rio's compiler raises it as running code does: handlers of errors see it.
    pub is_raised: bool,
}

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A byte that stands for itself: `+ - * / % ^ # < > = ( ) { } [ ] ; : , .` or one that Lua does not know.
    Byte(u8),
    /// A reserved word, an operator of several bytes, or the end.
    Fixed(Fixed),
    /// A number.
    Number(f64),
    /// A name.
    Name(Rc<[u8]>),
    /// A string.
    String(Rc<[u8]>),
}

macro_rules! fixed {
    ($($name:ident $text:literal,)*) => {
        /// Tokens with one spelling of several bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fixed { $(#[doc = concat!("`", $text, "`")] $name,)* }

        impl Fixed {
            /// The spelling.
            pub fn text(self) -> &'static str {
                match self { $(Fixed::$name => $text,)* }
            }

            fn reserved(name: &[u8]) -> Option<Fixed> {
                match name { $(n if n == $text.as_bytes() => Some(Fixed::$name),)* _ => None }
            }
        }
    };
}

fixed! {
    And "and", Break "break", Do "do", Else "else", Elseif "elseif", End "end", False "false", For "for",
    Function "function", If "if", In "in", Local "local", Nil "nil", Not "not", Or "or", Repeat "repeat",
    Return "return", Then "then", True "true", Until "until", While "while",
    Concat "..", Dots "...", Equal "==", GreaterEqual ">=", LessEqual "<=", NotEqual "~=", Eof "<eof>",
}

/// The length of chunk names in messages of the compiler, with the NUL that ends them (`MAXSRC`).
const COMPILER_SIZE: usize = 80;
/// The length of chunk names in messages of what runs (`LUA_IDSIZE`).
pub const RUNNING_SIZE: usize = 60;

/// The name under which messages show a chunk: `=name` and `@name` without their mark, else the first line of the
/// source in `[string "..."]`; always less than `size` bytes, which is one of the sizes above.
pub fn chunk_id(source: &[u8], size: usize) -> Vec<u8> {
    let source = c_string(source);
    match source.first() {
        Some(b'=') => source[1..source.len().min(size)].to_vec(),
        Some(b'@') => {
            let (name, room) = (&source[1..], size - 8);
            if name.len() > room {
                [b"...", &name[name.len() - room..]].concat()
            } else {
                name.to_vec()
            }
        }
        _ => {
            let line = memchr2(b'\n', b'\r', source).unwrap_or(source.len());
            let shown = line.min(size - 17);
            let dots: &[u8] = if shown < source.len() { b"..." } else { b"" };
            [b"[string \"", &source[..shown], dots, b"\"]"].concat()
        }
    }
}

/// Where something stands that cannot be part of a name.
fn find_no_letter(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))
}

/// Reads tokens one after the other, with one token of look-ahead.
pub struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    chunk: &'a [u8],
    /// Line of the byte to read next.
    pub line: u32,
    /// Line of the last token taken.
    pub last_line: u32,
    /// The current token.
    pub token: Token,
    ahead: Option<Token>,
    /// The text of the last name, string or number read, as messages quote it.
    buffer: Vec<u8>,
}

impl<'a> Lexer<'a> {
    /// A lexer before its first token: call [`Lexer::advance`].
    pub fn new(source: &'a [u8], chunk: &'a [u8]) -> Lexer<'a> {
        let token = Token::Fixed(Fixed::Eof);
        Lexer {
            source,
            at: 0,
            chunk,
            line: 1,
            last_line: 1,
            token,
            ahead: None,
            buffer: Vec::new(),
        }
    }

    /// Whether the whole source has been read: then what follows it, if anything, could change the current token.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.source.len()
    }

    /// Bytes that have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Takes the current token.
    pub fn advance(&mut self) -> Result<(), SyntaxError> {
        self.last_line = self.line;
        self.token = match self.ahead.take() {
            Some(token) => token,
            None => self.read()?,
        };
        Ok(())
    }

    /// The token behind the current one.
    pub fn look_ahead(&mut self) -> Result<&Token, SyntaxError> {
        if self.ahead.is_none() {
            self.ahead = Some(self.read()?);
        }
        Ok(self.ahead.as_ref().unwrap_or(&self.token))
    }

    /// An error at the current token.
    pub fn error_near(&self, message: &str) -> SyntaxError {
        let token = self.token.clone();
        self.error(message, Some(&token))
    }

    /// An error at the line reached, near a token if one is given.
    pub fn error(&self, message: &str, token: Option<&Token>) -> SyntaxError {
        let near = match token {
            // PUC-Rio's number of a NUL byte is also its sign for "no token".
            None | Some(Token::Byte(0)) => return self.located(message.as_bytes()),
            Some(Token::Byte(byte)) if byte.is_ascii_control() => {
                format!("char({byte})").into_bytes()
            }
            Some(Token::Byte(byte)) => vec![*byte],
            Some(Token::Fixed(fixed)) => fixed.text().as_bytes().to_vec(),
            // C prints the text up to its first NUL byte.
            Some(_) => c_string(&self.buffer).to_vec(),
        };
        self.located(&[message.as_bytes(), b" near '", &near, b"'"].concat())
    }

    fn located(&self, message: &[u8]) -> SyntaxError {
        let line = format!(":{}: ", self.line);
        let message = [&chunk_id(self.chunk, COMPILER_SIZE), line.as_bytes(), message].concat();
        SyntaxError { message, is_raised: false }
    }

    /// An error near what has been read of a string, comment or number.
    fn error_in_text(&self, message: &str) -> SyntaxError {
        self.error(message, Some(&Token::Name(Rc::from(&b""[..]))))
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn save(&mut self) {
        if let Some(byte) = self.peek() {
            self.buffer.push(byte);
            self.at += 1;
        }
    }

    /// Takes everything before what is to be found.
    fn save_until(&mut self, find: impl FnOnce(&[u8]) -> Option<usize>) {
        let rest = &self.source[self.at..];
        let length = find(rest).unwrap_or(rest.len());
        self.buffer.extend_from_slice(&rest[..length]);
        self.at += length;
    }

    /// Takes one line end: `\n`, `\r`, `\r\n` or `\n\r`.
    fn line_end(&mut self) -> Result<(), SyntaxError> {
        let first = self.peek();
        self.at += 1;
        if matches!(self.peek(), Some(b'\n' | b'\r')) && self.peek() != first {
            self.at += 1;
        }
        self.line += 1;
        if self.line >= i32::MAX as u32 - 2 {
            return Err(self.error("chunk has too many lines", None));
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Token, SyntaxError> {
        self.buffer.clear();
        loop {
            let Some(byte) = self.peek() else { return Ok(Token::Fixed(Fixed::Eof)) };
            match byte {
                b'\n' | b'\r' => self.line_end()?,
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                b'-' => {
                    self.at += 1;
                    if self.peek() != Some(b'-') {
                        return Ok(Token::Byte(b'-'));
                    }
                    self.at += 1;
                    self.comment()?;
                }
                b'[' => {
                    let level = self.long_bracket();
                    self.buffer.clear();
                    return match level {
                        Ok(level) => self.long_string(level, true).map(Token::String),
                        Err(0) => {
                            self.at += 1;
                            Ok(Token::Byte(b'['))
                        }
                        Err(equals) => {
                            let end = self.at + equals + 1;
                            self.buffer = self.source[self.at..end].to_vec();
                            self.at = end;
                            Err(self.error_in_text("invalid long string delimiter"))
                        }
                    };
                }
                b'=' => return Ok(self.two(b'=', b'=', Fixed::Equal)),
                b'<' => return Ok(self.two(b'<', b'=', Fixed::LessEqual)),
                b'>' => return Ok(self.two(b'>', b'=', Fixed::GreaterEqual)),
                b'~' => return Ok(self.two(b'~', b'=', Fixed::NotEqual)),
                b'"' | b'\'' => return self.string(byte),
                b'.' => {
                    self.save();
                    if matches!(self.peek(), Some(b'.' | 0)) {
                        self.at += 1;
                        if matches!(self.peek(), Some(b'.' | 0)) {
                            self.at += 1;
                            return Ok(Token::Fixed(Fixed::Dots));
                        }
                        return Ok(Token::Fixed(Fixed::Concat));
                    }
                    if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                        return Ok(Token::Byte(b'.'));
                    }
                    return self.number();
                }
                b'0'..=b'9' => return self.number(),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    self.save_until(find_no_letter);
                    return Ok(match Fixed::reserved(&self.buffer) {
                        Some(fixed) => Token::Fixed(fixed),
                        None => Token::Name(Rc::from(&self.buffer[..])),
                    });
                }
                _ => {
                    self.at += 1;
                    return Ok(Token::Byte(byte));
                }
            }
        }
    }

    fn two(&mut self, first: u8, second: u8, both: Fixed) -> Token {
        self.at += 1;
        if self.peek() == Some(second) {
            self.at += 1;
            return Token::Fixed(both);
        }
        Token::Byte(first)
    }

    /// At `[`: the number of `=` of a long bracket, or (no bracket) how many `=` follow.
    fn long_bracket(&self) -> Result<usize, usize> {
        let equals = self.source[self.at + 1..].iter().take_while(|&&byte| byte == b'=').count();
        if self.source.get(self.at + 1 + equals) == self.source.get(self.at) {
            Ok(equals)
        } else {
            Err(equals)
        }
    }

    fn comment(&mut self) -> Result<(), SyntaxError> {
        if self.peek() == Some(b'[')
            && let Ok(level) = self.long_bracket()
        {
            self.long_string(level, false)?;
            self.buffer.clear();
            return Ok(());
        }
        self.save_until(|text| memchr2(b'\n', b'\r', text));
        self.buffer.clear();
        Ok(())
    }

    fn long_string(&mut self, level: usize, keep: bool) -> Result<Rc<[u8]>, SyntaxError> {
        for _ in 0..level + 2 {
            self.save();
        }
        if matches!(self.peek(), Some(b'\n' | b'\r')) {
            self.line_end()?;
        }
        loop {
            match self.peek() {
                None => {
                    let what =
                        if keep { "unfinished long string" } else { "unfinished long comment" };
                    return Err(self.error(what, Some(&Token::Fixed(Fixed::Eof))));
                }
                Some(b']') => {
                    if self.long_bracket() == Ok(level) {
                        for _ in 0..level + 2 {
                            self.save();
                        }
                        let text = &self.buffer[level + 2..self.buffer.len() - level - 2];
                        return Ok(Rc::from(text));
                    }
                    self.save();
                }
                Some(b'\n' | b'\r') => {
                    self.buffer.push(b'\n');
                    self.line_end()?;
                }
                Some(_) => self.save_until(|text| memchr3(b']', b'\n', b'\r', text)),
            }
            if !keep {
                self.buffer.truncate(level + 2);
            }
        }
    }

    fn string(&mut self, quote: u8) -> Result<Token, SyntaxError> {
        self.save();
        loop {
            match self.peek() {
                None => {
                    return Err(self.error("unfinished string", Some(&Token::Fixed(Fixed::Eof))));
                }
                Some(b'\n' | b'\r') => return Err(self.error_in_text("unfinished string")),
                Some(b'\\') => {
                    self.at += 1;
                    let Some(escaped) = self.peek() else { continue };
                    let byte = match escaped {
                        b'a' => 7,
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'v' => 11,
                        b'\n' | b'\r' => {
                            self.buffer.push(b'\n');
                            self.line_end()?;
                            continue;
                        }
                        b'0'..=b'9' => {
                            let mut code = 0u32;
                            for _ in 0..3 {
                                let Some(digit @ b'0'..=b'9') = self.peek() else { break };
                                code = code * 10 + u32::from(digit - b'0');
                                self.at += 1;
                            }
                            let Ok(byte) = u8::try_from(code) else {
                                return Err(self.error_in_text("escape sequence too large"));
                            };
                            self.buffer.push(byte);
                            continue;
                        }
                        other => other,
                    };
                    self.buffer.push(byte);
                    self.at += 1;
                }
                Some(byte) if byte == quote => {
                    self.save();
                    return Ok(Token::String(Rc::from(&self.buffer[1..self.buffer.len() - 1])));
                }
                Some(_) => {
                    self.save_until(|text| {
                        let end = memchr3(quote, b'\\', b'\n', text);
                        memchr(b'\r', &text[..end.unwrap_or(text.len())]).or(end)
                    });
                }
            }
        }
    }

    /// A numeral takes everything that could be part of one; then it must read as a number.
    ///
    /// PUC-Rio looks for the byte in a set that C ends with a NUL, and so finds NUL in every set; here as for dots. C's
    /// reading of the number stops there.
    fn number(&mut self) -> Result<Token, SyntaxError> {
        self.save_until(|text| {
            text.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'.'))
        });
        if matches!(self.peek(), Some(b'e' | b'E' | 0)) {
            self.save();
            if matches!(self.peek(), Some(b'+' | b'-' | 0)) {
                self.save();
            }
        }
        self.save_until(find_no_letter);
        parse_number(&self.buffer)
            .map(Token::Number)
            .ok_or_else(|| self.error_in_text("malformed number"))
    }
}
