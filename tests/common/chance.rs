//! What random comparisons with the real server share: choices, command lines, and how replies are compared.

use evalsha::resp::{Reply, Resp};
use evalsha::server::random::Random;
use evalsha::split::quoted;

/// A command's name and arguments.
pub type Argv = Vec<Vec<u8>>;

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
        Err(_) => default,
    }
}

/// One of several.
pub fn pick<'a, T>(random: &mut Random, choices: &'a [T]) -> &'a T {
    &choices[random.below(choices.len() as u64) as usize]
}

/// True that seldom.
pub fn one_in(random: &mut Random, chances: u64) -> bool {
    random.below(chances) == 0
}

/// The arguments of a line without quotes.
pub fn words(line: &str) -> Argv {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// The line that has these arguments.
pub fn line(argv: &[Vec<u8>]) -> Vec<u8> {
    let plain = |argument: &Vec<u8>| {
        let easy = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+.:*".contains(byte);
        !argument.is_empty() && argument.iter().all(easy)
    };
    let words = argv
        .iter()
        .map(|argument| if plain(argument) { argument.clone() } else { quoted(argument) });
    words.collect::<Vec<_>>().join(&b' ')
}

/// A reply's bytes, in which replies differ that RESP2 would show alike.
pub fn encode(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.encode(Resp::V3, &mut bytes);
    bytes
}
