//! Every error text that Redis prints, once.

use std::borrow::Cow;

/// A Redis error: code and message as a client receives them, without the leading dash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(pub Cow<'static, [u8]>);

impl Error {
    const fn fixed(text: &'static str) -> Error {
        Error(Cow::Borrowed(text.as_bytes()))
    }

    /// An error whose text is made at run time, code included. Line ends become spaces: an error is one line.
    pub fn new(text: impl Into<Vec<u8>>) -> Error {
        let mut text = text.into();
        for byte in &mut text {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        Error(Cow::Owned(text))
    }

    /// The code: the first word, by which INFO errorstats counts.
    pub fn code(&self) -> &[u8] {
        self.0.split(|&byte| byte == b' ').next().unwrap_or_default()
    }
}

macro_rules! fixed {
    ($($name:ident $text:literal)*) => {
        impl Error { $(#[doc = concat!("`", $text, "`")] pub const $name: Error = Error::fixed($text);)* }
    };
}

fixed! {
    SYNTAX "ERR syntax error"
    NOT_INTEGER "ERR value is not an integer or out of range"
    NOT_FLOAT "ERR value is not a valid float"
    WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"
    NO_SUCH_KEY "ERR no such key"
    OUT_OF_RANGE "ERR value is out of range"
    NOT_POSITIVE "ERR value is out of range, must be positive"
    INDEX_OUT_OF_RANGE "ERR index out of range"
    DB_OUT_OF_RANGE "ERR DB index is out of range"
    INVALID_DB "ERR invalid DB index"
    OOM "OOM command not allowed when used memory > 'maxmemory'."
    NOT_IN_SCRIPT "ERR This Redis command is not allowed from script"
    WRITE_IN_READ_ONLY_SCRIPT "ERR Write commands are not allowed from read-only scripts."
    NO_SCRIPT "NOSCRIPT No matching script. Please use EVAL."
    NOT_BUSY "NOTBUSY No scripts in execution right now."
    UNKILLABLE "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
}

impl Error {
    /// A command that is in no table.
    pub fn unknown_command(name: &[u8], args: &[Vec<u8>]) -> Error {
        let mut text = b"ERR unknown command '".to_vec();
        text.extend_from_slice(&c_string(name)[..c_string(name).len().min(128)]);
        text.extend_from_slice(b"', with args beginning with: ");
        let mut shown = Vec::new();
        for arg in args {
            if shown.len() >= 128 {
                break;
            }
            let room = 128 - shown.len();
            let arg = c_string(arg);
            shown.push(b'\'');
            shown.extend_from_slice(&arg[..arg.len().min(room)]);
            shown.extend_from_slice(b"' ");
        }
        text.extend_from_slice(&shown);
        Error::new(text)
    }

    /// A container's subcommand that is in no table.
    pub fn unknown_subcommand(container: &str, name: &[u8]) -> Error {
        let mut text = b"ERR unknown subcommand '".to_vec();
        text.extend_from_slice(&c_string(name)[..c_string(name).len().min(128)]);
        text.extend_from_slice(b"'. Try ");
        text.extend_from_slice(container.to_uppercase().as_bytes());
        text.extend_from_slice(b" HELP.");
        Error::new(text)
    }

    /// Too few or too many arguments; `name` is the full name, `config|get`.
    pub fn wrong_arity(name: &str) -> Error {
        Error::new(format!("ERR wrong number of arguments for '{name}' command"))
    }
}

/// The text as C's `%s` prints it: up to the first NUL byte.
fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
