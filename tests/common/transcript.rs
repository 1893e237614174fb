//! Reads, replays, compares and rewrites transcripts: what a terminal shows, in a text file.
//!
//! ```text
//! # What this is about.
//! > SET greeting hi          a line typed in terminal 1
//! OK                         what redis-cli prints, up to a blank line or the next command
//! 2> GET greeting            the same in a second terminal, a client of its own
//! "hi"
//! 127.0.0.1:6379[1]> GET x   with its whole prompt, which is then compared as well
//! (nil)
//!
//! >>> name                   lines up to `<<<` are bound to $name, which later commands
//! return 1                   can use as an argument
//! <<<
//! > EVAL $name 0
//! (integer) 1
//!
//! #: blocks                  no reply comes yet
//! > EVAL "while true do end" 0
//! 2> SCRIPT KILL
//! OK
//! 1<                         what terminal 1 prints later: the reply if one is missing, and all that has come
//! (error) ...
//! 2^C                        Ctrl-C in terminal 2
//! ```
//! Each terminal shows all that it prints: a file in which something has come that no `1<` shows is wrong.
//!
//! Expected text that has blank lines, or lines that look like something else, is written with a `|` before each line;
//! `\ no newline` after it says that the text does not end with one.
//!
//! Directives stand before the command that they are about:
//! `#: unordered` the elements may come in any order (`#: unordered pairs`: each two stay together),
//! `#: about 5` numbers may differ by so much, `#: any` any text will do,
//! `#: only id db` shows these fields of lines like `id=3 addr=... db=0`,
//! `#: nothing` before `1<`: nothing has come, and what is missing is missing still,
//! `#: monitor` lines of MONITOR, whose times and addresses may differ,
//! `#: wait 50ms` time passes, `#: known-failure why` our engine must fail here. A `known-failure` with a blank line
//! after it is about the whole file. So is `#: config name value`: with what the server is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One file.
pub struct Transcript {
    /// Where it is.
    pub path: PathBuf,
    /// Everything in it, in its order.
    pub parts: Vec<Part>,
    /// Why our engine fails the whole file.
    pub known_failure: Option<String>,
    /// Names and values of parameters with which the server is started.
    pub config: Vec<(String, String)>,
}

/// A piece of a file.
pub enum Part {
    /// Lines that are kept as they are when a file is rewritten: comments, directives, blank lines, blocks.
    Text(Vec<u8>),
    /// A step.
    Step(Step),
}

/// Something that is done, and what is printed then.
pub struct Step {
    /// Its line in the file, from 1.
    pub line: usize,
    /// The line in the file as it stands there.
    source: Vec<u8>,
    /// Which terminal, from 1.
    pub terminal: usize,
    /// The prompt, if it is written.
    pub prompt: Option<Vec<u8>>,
    /// What is typed, with names replaced by what they are bound to; `None`: output that comes later is read.
    pub typed: Option<Vec<u8>>,
    /// What must be printed.
    pub expected: Vec<u8>,
    /// How it is compared.
    pub compare: Compare,
    /// The fields that are shown.
    only: Vec<String>,
    /// Ctrl-C, and no line.
    interrupts: bool,
    /// What comes later does not come yet.
    nothing: bool,
    /// The reply does not come at once.
    pub blocks: bool,
    /// Time that passes before.
    pub wait: Option<Duration>,
    /// Why our engine fails here.
    pub known_failure: Option<String>,
}

/// How what is printed is compared to what is expected.
#[derive(Clone, Copy, PartialEq, Default)]
pub enum Compare {
    /// To the byte.
    #[default]
    Exact,
    /// Elements, each of so many lines, in any order.
    Unordered(usize),
    /// Numbers may differ by so much.
    About(f64),
    /// Lines of MONITOR: their times and addresses may differ.
    Monitor,
    /// Anything.
    Any,
}

/// Who replays a transcript.
pub trait Player {
    /// Types a line into a terminal, which is opened if need be, and gives what is printed.
    fn type_line(&mut self, terminal: usize, line: &[u8], blocks: bool) -> Vec<u8>;
    /// What has been printed since; if a reply is missing, and it `waits`, up to that one at least.
    fn read(&mut self, terminal: usize, waits: bool) -> Vec<u8>;
    /// Presses Ctrl-C, and gives what is printed.
    fn interrupt(&mut self, terminal: usize) -> Vec<u8>;
    /// The terminals that are open.
    fn terminals(&self) -> Vec<usize>;
    /// The prompt, without the space behind it; `None` if this player has none.
    fn prompt(&mut self, terminal: usize) -> Option<Vec<u8>>;
    /// Lets time pass.
    fn wait(&mut self, time: Duration);
}

impl Transcript {
    /// Reads a file; panics at what is no transcript, with the place.
    pub fn read(path: &Path) -> Transcript {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Transcript::parse(path, &bytes)
    }

    /// Parses the text of a file.
    pub fn parse(path: &Path, bytes: &[u8]) -> Transcript {
        let mut transcript = Transcript {
            path: path.to_owned(),
            parts: Vec::new(),
            known_failure: None,
            config: Vec::new(),
        };
        let mut names: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').enumerate().peekable();
        let mut next = Directives::default();
        while let Some((index, source)) = lines.next() {
            let number = index + 1;
            let line = source.strip_suffix(b"\n").unwrap_or(source);
            let place = || format!("{}:{number}", path.display());
            if let Some(name) = line.strip_prefix(b">>> ") {
                let mut text = source.to_vec();
                let mut body = Vec::new();
                loop {
                    let (_, line) =
                        lines.next().unwrap_or_else(|| panic!("{}: no <<< for this", place()));
                    text.extend_from_slice(line);
                    if line.trim_ascii_end() == b"<<<" {
                        break;
                    }
                    body.extend_from_slice(line);
                }
                // The newline before `<<<` belongs to the block's end.
                body.pop();
                names.insert([b"$", name].concat(), body);
                transcript.parts.push(Part::Text(text));
            } else if let Some(directive) = line.strip_prefix(b"#: ") {
                let blank = lines.peek().is_none_or(|(_, line)| line.trim_ascii().is_empty());
                let text = String::from_utf8_lossy(directive);
                match text.split_once(' ') {
                    Some(("known-failure", why)) if blank => {
                        transcript.known_failure = Some(why.to_owned());
                    }
                    Some(("config", parameter)) => {
                        let pair = parameter.split_once(' ');
                        let (name, value) = pair.unwrap_or_else(|| panic!("{}: no value", place()));
                        transcript.config.push((name.to_owned(), value.to_owned()));
                    }
                    _ => next.add(&text, &place()),
                }
                transcript.parts.push(Part::Text(source.to_vec()));
            } else if line.starts_with(b"#") || line.is_empty() {
                transcript.parts.push(Part::Text(source.to_vec()));
            } else if let Some(Command { terminal, prompt, typed, interrupts }) = command(line) {
                let mut expected = Vec::new();
                let quoted = lines.peek().is_some_and(|(_, line)| line.starts_with(b"|"));
                while let Some((_, line)) = lines.peek() {
                    if *line == b"\\ no newline\n" {
                        expected.pop();
                        lines.next();
                        break;
                    }
                    if quoted {
                        let Some(line) = line.strip_prefix(b"|") else { break };
                        expected.extend_from_slice(line);
                    } else {
                        if line.trim_ascii_end().is_empty() && !line.starts_with(b" ")
                            || line.starts_with(b"#")
                            || line.starts_with(b">>> ")
                            || command(line.strip_suffix(b"\n").unwrap_or(line)).is_some()
                        {
                            break;
                        }
                        expected.extend_from_slice(line);
                    }
                    lines.next();
                }
                transcript.parts.push(Part::Step(Step {
                    line: number,
                    source: source.to_vec(),
                    terminal,
                    prompt,
                    typed: typed.map(|typed| replace_names(typed, &names)),
                    expected,
                    compare: next.compare,
                    only: std::mem::take(&mut next.only),
                    interrupts,
                    nothing: next.nothing,
                    blocks: next.blocks,
                    wait: next.wait,
                    known_failure: next.known_failure.take(),
                }));
                next = Directives::default();
            } else {
                panic!("{}: no command before this", place());
            }
        }
        transcript
    }

    /// Its steps.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Step(step) = part { Some(step) } else { None })
    }

    /// Replays it, and says what differs. `known_failures` is true for our engine: what is known to fail must fail.
    pub fn replay(&self, player: &mut dyn Player, known_failures: bool) -> Result<(), String> {
        let mut complaints = String::new();
        for step in self.steps() {
            let complaint = step.complaint(player);
            let known = step.known_failure.as_ref().filter(|_| known_failures);
            if let Some(complaint) = judge(complaint, known) {
                let place = format!("{}:{}", self.path.display(), step.line);
                complaints += &[place, "\n".to_owned(), show(&step.source), complaint].concat();
            }
        }
        complaints += &self.unread(player);
        let complaints = Some(complaints).filter(|complaints| !complaints.is_empty());
        let known = self.known_failure.as_ref().filter(|_| known_failures);
        judge(complaints, known)
            .map_or(Ok(()), |complaint| Err(format!("{}\n{complaint}", self.path.display())))
    }

    /// What terminals have got that the file does not show.
    fn unread(&self, player: &mut dyn Player) -> String {
        let mut complaints = String::new();
        for terminal in player.terminals() {
            let text = player.read(terminal, false);
            if !text.is_empty() {
                let place = format!("{}: at its end {terminal}< prints\n", self.path.display());
                complaints += &(place + &show(&text));
            }
        }
        complaints
    }

    /// Replays it by the real server and gives the file as it should be.
    pub fn bless(&self, player: &mut dyn Player) -> Vec<u8> {
        let mut file = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => file.extend_from_slice(text),
                Part::Step(step) => {
                    let (_, printed) = step.play(player);
                    file.extend_from_slice(&step.source);
                    if !step.source.ends_with(b"\n") {
                        file.push(b'\n');
                    }
                    let keep = step.agrees(&printed) && !step.expected.is_empty();
                    let text = if keep { &step.expected } else { &printed };
                    file.extend_from_slice(&write_expected(text));
                }
            }
        }
        let unread = self.unread(player);
        assert!(unread.is_empty(), "{unread}");
        file
    }
}

/// A failure that is known must happen, another must not.
fn judge(complaint: Option<String>, known: Option<&String>) -> Option<String> {
    match (complaint, known) {
        (None, Some(why)) => Some(format!("passes, though it is a known failure: {why}\n")),
        (Some(_), Some(_)) => None,
        (complaint, None) => complaint,
    }
}

impl Step {
    /// Plays the step; what is wrong, if anything is.
    fn complaint(&self, player: &mut dyn Player) -> Option<String> {
        let (prompt, printed) = self.play(player);
        if let (Some(expected), Some(prompt)) = (&self.prompt, prompt)
            && *expected != prompt
        {
            return Some(format!("~~~ the prompt is {}\n", prompt.escape_ascii()));
        }
        let (expected, shown) = (show(&self.expected), show(&printed));
        (!self.agrees(&printed))
            .then(|| format!("~~~ expected\n{expected}~~~ printed\n{shown}~~~\n"))
    }

    fn play(&self, player: &mut dyn Player) -> (Option<Vec<u8>>, Vec<u8>) {
        if let Some(time) = self.wait {
            player.wait(time);
        }
        match &self.typed {
            Some(line) => {
                let prompt = self.prompt.is_some().then(|| player.prompt(self.terminal)).flatten();
                let printed = player.type_line(self.terminal, line, self.blocks);
                (prompt, only(&self.only, printed))
            }
            None if self.interrupts => (None, player.interrupt(self.terminal)),
            None => (None, only(&self.only, player.read(self.terminal, !self.nothing))),
        }
    }

    fn agrees(&self, printed: &[u8]) -> bool {
        match self.compare {
            Compare::Exact => self.expected == printed,
            Compare::Monitor => monitored(&self.expected) == monitored(printed),
            Compare::Any => true,
            Compare::Unordered(together) => {
                elements(&self.expected, together) == elements(printed, together)
            }
            Compare::About(difference) => about(&self.expected, printed, difference),
        }
    }
}

/// Lines of MONITOR without times and addresses: the database stays, and that a script has called.
fn monitored(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let end = line.iter().position(|byte| *byte == b']');
        let place = line.iter().position(|byte| *byte == b'[').zip(end);
        if let Some((begin, end)) = place {
            let sender = &line[begin + 1..end];
            let database = sender.split(|byte| *byte == b' ').next().unwrap_or_default();
            out.extend_from_slice(database);
            out.extend_from_slice(if sender.ends_with(b" lua") { b" lua" } else { b" client" });
            out.extend_from_slice(&line[end + 1..]);
        } else {
            out.extend_from_slice(line);
        }
        out.push(b'\n');
    }
    out
}

#[derive(Default)]
struct Directives {
    compare: Compare,
    only: Vec<String>,
    nothing: bool,
    blocks: bool,
    wait: Option<Duration>,
    known_failure: Option<String>,
}

impl Directives {
    fn add(&mut self, text: &str, place: &str) {
        let (name, argument) = text.split_once(' ').unwrap_or((text, ""));
        match (name, argument) {
            ("unordered", "") => self.compare = Compare::Unordered(1),
            ("unordered", "pairs") => self.compare = Compare::Unordered(2),
            ("monitor", "") => self.compare = Compare::Monitor,
            ("any", "") => self.compare = Compare::Any,
            ("only", fields) if !fields.is_empty() => {
                self.only = fields.split(' ').map(str::to_owned).collect();
            }
            ("nothing", "") => self.nothing = true,
            ("blocks", "") => self.blocks = true,
            ("about", number) => {
                let number = number.parse();
                self.compare =
                    Compare::About(number.unwrap_or_else(|_| panic!("{place}: no number")));
            }
            ("wait", time) => {
                let millis = time.strip_suffix("ms").and_then(|number| number.parse().ok());
                let millis = millis.unwrap_or_else(|| panic!("{place}: no time, like 50ms"));
                self.wait = Some(Duration::from_millis(millis));
            }
            ("known-failure", why) if !why.is_empty() => self.known_failure = Some(why.to_owned()),
            _ => panic!("{place}: no such directive: {text}"),
        }
    }
}

/// A line that does something.
struct Command<'a> {
    terminal: usize,
    /// The whole prompt, if it is written.
    prompt: Option<Vec<u8>>,
    typed: Option<&'a [u8]>,
    interrupts: bool,
}

/// Takes a line apart that is a command.
fn command(line: &[u8]) -> Option<Command<'_>> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let terminal = match digits {
        0 => 1,
        _ => std::str::from_utf8(&line[..digits]).ok()?.parse().ok()?,
    };
    let command = Command { terminal, prompt: None, typed: None, interrupts: false };
    match &line[digits..] {
        b"<" if digits > 0 => return Some(command),
        b"^C" if digits > 0 => return Some(Command { interrupts: true, ..command }),
        [b'>', b' ', typed @ ..] => return Some(Command { typed: Some(typed), ..command }),
        b">" => return Some(Command { typed: Some(b""), ..command }),
        _ => {}
    }
    if line.starts_with(b"127.0.0.1:6379") || line.starts_with(b"not connected>") {
        let end = line.iter().position(|&byte| byte == b'>')? + 1;
        let typed = line[end..].strip_prefix(b" ").unwrap_or_default();
        let prompt = Some(line[..end].to_vec());
        return Some(Command { terminal: 1, prompt, typed: Some(typed), interrupts: false });
    }
    None
}

/// Keeps some fields of lines that are made of `name=value`; all of them if none is named. The flag of a Unix socket is
/// left out: it tells how the player reached the server.
fn only(names: &[String], text: Vec<u8>) -> Vec<u8> {
    if names.is_empty() {
        return text;
    }
    let named = |field: &&[u8]| {
        let name = field.split(|&byte| byte == b'=').next().unwrap_or_default();
        names.iter().any(|other| other.as_bytes() == name)
    };
    let mut kept = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let fields = line.split(|&byte| byte == b' ').filter(named).map(|field| {
            match field.strip_prefix(b"flags=") {
                Some(b"U") => b"flags=N".to_vec(),
                Some(flags) => {
                    let flags = flags.iter().copied().filter(|flag| *flag != b'U');
                    b"flags=".iter().copied().chain(flags).collect()
                }
                None => field.to_vec(),
            }
        });
        kept.extend_from_slice(&fields.collect::<Vec<_>>().join(&b' '));
        kept.push(b'\n');
    }
    kept
}

/// Puts what names are bound to in their place, quoted as an argument.
fn replace_names(line: &[u8], names: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let words = line.split(|&byte| byte == b' ').map(|word| match names.get(word) {
        Some(text) => evalsha::split::quoted(text),
        None => word.to_vec(),
    });
    words.collect::<Vec<_>>().join(&b' ')
}

/// Expected text as it is written into a file.
fn write_expected(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if text.is_empty() {
        return out;
    }
    let ended = text.ends_with(b"\n");
    let mut text = text.to_vec();
    if !ended {
        text.push(b'\n');
    }
    let lines = || text.split_inclusive(|&byte| byte == b'\n');
    let doubtful = lines().any(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.trim_ascii().is_empty()
            || matches!(line.first(), Some(b'#' | b'|' | b'\\'))
            || line.starts_with(b">>> ")
            || command(line).is_some()
    });
    for line in lines() {
        if doubtful {
            out.push(b'|');
        }
        out.extend_from_slice(line);
    }
    if !ended {
        out.extend_from_slice(b"\\ no newline\n");
    }
    out
}

/// The top level elements of a printed aggregate, so many together, sorted.
fn elements(text: &[u8], together: usize) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    // The width of the numbers at the beginning of the lines, their sign and the space behind it.
    let margin = lines.first().map_or(0, |line| {
        let spaces = line.iter().take_while(|&&byte| byte == b' ').count();
        let digits = line[spaces..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 { spaces + digits + 2 } else { 0 }
    });
    let mut elements: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        let (start, rest) = line.split_at(margin.min(line.len()));
        if start.iter().any(|&byte| byte != b' ') || elements.is_empty() || margin == 0 {
            elements.push(Vec::new());
        }
        elements.last_mut().expect("one was pushed").extend_from_slice(rest);
    }
    let mut groups: Vec<Vec<u8>> = elements.chunks(together).map(<[_]>::concat).collect();
    groups.sort();
    groups
}

/// Whether two texts are equal but for their numbers, which differ by at most so much.
fn about(expected: &[u8], printed: &[u8], difference: f64) -> bool {
    let (expected, printed) = (words(expected), words(printed));
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<f64>().ok();
    expected.len() == printed.len()
        && expected.iter().zip(&printed).all(|(expected, printed)| {
            expected == printed
                || match (number(expected), number(printed)) {
                    (Some(expected), Some(printed)) => (expected - printed).abs() <= difference,
                    _ => false,
                }
        })
}

/// Numbers, and what is between them.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e');
    text.chunk_by(|left, right| is_number(left) == is_number(right)).collect()
}

fn show(text: &[u8]) -> String {
    let mut shown: String =
        String::from_utf8_lossy(text).chars().take(4000).collect::<String>().replace('\r', "\\r");
    if !shown.ends_with('\n') && !shown.is_empty() {
        shown += "⏎\n";
    }
    shown
}

/// Every transcript below a folder of `tests`, by its name, `family/topic`.
pub fn all(folder: &str) -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "txt") {
                let name = path.strip_prefix(&root).expect("it is below").with_extension("");
                found.push((name.to_string_lossy().into_owned(), path));
            }
        }
    }
    found.sort();
    found
}
