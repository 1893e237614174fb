//! Gives JavaScript the engine: converts and forwards, decides nothing. Only `wasm.js` beside it knows JavaScript, too.
//!
//! ```text
//! const engine = new Engine();                     // an empty Redis
//! const cli = engine.open();                       // one redis-cli at it: a number
//! engine.send(cli, "EVAL 'return 1' 0");           // { text: "(integer) 1\n", prompt: "127.0.0.1:6379> ", ... }
//! while (engine.run(8).more) {                      // lets scripts run that have not ended yet
//!   show(engine.take(cli));                        // what came since: the same shape, or null
//!   await turn();
//! }
//! ```
//!
//! An output is `{ text, prompt, ok, state, clear, unkillable }`: what is printed, lines ended by `\n`; the prompt that
//! follows; false if an error is among it; `"ready"`, `"waiting"` (a reply comes later) or `"closed"`; whether the screen
//! is to be cleared first; and whether it says that a script runs which only SHUTDOWN NOSAVE can end. What the debugger
//! prints has `roles` as well, one for each line from the first: `"current"`, `"value"`, and so on.

use crate::cli::hint;
use crate::cli::session::{self, Session};
use crate::lua::allocator;
use crate::ordered::Ordered;
use crate::script::ldb::view;
use crate::server::memory::MemoryLimit;
use crate::server::{Clock, Server};
use js_sys::{Array, Date, Function, Math};
use serde::Serialize;
use std::borrow::Cow;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// Fuel between two looks at the clock: some tenths of a millisecond.
const FUEL: i64 = 5_000;

/// Bytes that may be in use before a command takes more. WebAssembly ends at eight times as many, and a command may
/// need some copies of what it works on.
const MEMORY: usize = 512 << 20;

/// Bytes for the arguments of most commands.
const ROOM: usize = 1 << 10;

#[wasm_bindgen(module = "/src/wasm.js")]
extern "C" {
    fn output(text: &str, prompt: &JsValue, ok: bool, state: u32, flags: u32) -> JsValue;
    #[wasm_bindgen(js_name = withRoles)]
    fn with_roles(output: &JsValue, roles: &[u8]);
    fn pack(values: &Array, room: &mut [u8]) -> usize;
}

/// The version of the package, as in `Cargo.toml`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// A Redis, and the sessions that talk to it.
#[wasm_bindgen]
pub struct Engine {
    server: Server,
    sessions: Ordered<u32, Session>,
    next: u32,
    /// The time that JavaScript gives, for the server that follows a SHUTDOWN.
    clock: JsClock,
    /// Times that SHUTDOWN was called.
    restarts: u32,
    /// The last prompt, and the same in JavaScript: most outputs have the prompt of the one before.
    prompt: (Cow<'static, str>, JsValue),
    /// Where JavaScript packs arguments.
    room: Vec<u8>,
}

/// What [`Engine::run`] tells.
#[derive(Serialize)]
struct Turn {
    /// There is more to do, or to take: a session waits until its output has been taken. Take, and run again soon.
    more: bool,
    /// Milliseconds until something happens by itself: a key expires, a client has waited for too long.
    wake: Option<f64>,
    /// Times that SHUTDOWN was called, and an empty server has taken the place of the one before.
    restarts: u32,
}

/// The time that JavaScript gives.
#[derive(Clone)]
struct JsClock(Option<Function>);

impl Clock for JsClock {
    fn now(&self) -> u64 {
        let given = self.0.as_ref().and_then(|now| now.call0(&JsValue::NULL).ok()?.as_f64());
        (given.unwrap_or_else(Date::now) * 1000.0) as u64
    }
}

#[wasm_bindgen]
impl Engine {
    /// An empty Redis. `seed` decides every random choice, `now` tells the time in milliseconds since 1970; without them
    /// they are random and true.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: Option<f64>, now: Option<Function>) -> Engine {
        std::panic::set_hook(Box::new(|panic| {
            web_sys::console::error_1(&JsValue::from_str(&panic.to_string()));
        }));
        let seed =
            seed.map_or_else(|| Math::random().to_bits() ^ Date::now().to_bits(), f64::to_bits);
        let clock = JsClock(now);
        let mut server = Server::new(seed, Box::new(clock.clone()));
        server.limit_memory(MemoryLimit { bytes: MEMORY, used: allocator::used });
        Engine {
            server,
            sessions: Ordered::default(),
            next: 1,
            clock,
            restarts: 0,
            prompt: (Cow::Borrowed(""), JsValue::from_str("")),
            room: vec![0; ROOM],
        }
    }

    /// Lets scripts keep so many bytes in memory instead of 64 MiB.
    #[wasm_bindgen(js_name = limitScripts)]
    pub fn limit_scripts(&mut self, bytes: f64) {
        self.server.limit_scripts(bytes as usize);
    }

    /// Starts a redis-cli: the number that the other functions take.
    pub fn open(&mut self) -> u32 {
        let id = self.next;
        self.next += 1;
        self.sessions.insert(id, Session::open(&mut self.server));
        id
    }

    /// Ends a redis-cli.
    pub fn close(&mut self, id: u32) {
        if let Some(mut session) = self.sessions.remove(&id) {
            session.close(&mut self.server);
        }
    }

    /// A line was typed, and Enter.
    pub fn send(&mut self, id: u32, line: &str) -> JsValue {
        self.with(id, |session, server| Some(session.send(server, line.as_bytes())))
    }

    /// A command whose arguments are known one by one: an array of strings and `Uint8Array`s.
    #[wasm_bindgen(js_name = sendArguments)]
    pub fn send_arguments(&mut self, id: u32, arguments: &Array) -> JsValue {
        let argv = self.unpack(arguments);
        self.with(id, |session, server| Some(session.send_arguments(server, argv)))
    }

    /// Ctrl-C.
    pub fn interrupt(&mut self, id: u32) -> JsValue {
        self.with(id, |session, server| Some(session.interrupt(server)))
    }

    /// What has come since the last output; null if nothing has.
    pub fn take(&mut self, id: u32) -> JsValue {
        self.with(id, Session::take)
    }

    /// Runs what waits for at most so many milliseconds.
    pub fn run(&mut self, milliseconds: f64) -> JsValue {
        let end = Date::now() + milliseconds;
        while self.server.run(FUEL) && Date::now() < end {}
        self.restart_after_shutdown();
        let pending = |session: &Session| session.is_pending(&self.server);
        let more = self.server.is_busy() || self.sessions.values().any(pending);
        let now = self.server.now_millis();
        let wake =
            self.server.next_deadline().map(|deadline| deadline.saturating_sub(now).max(0) as f64);
        // Only numbers and a flag are converted: that cannot fail.
        let turn = Turn { more, wake, restarts: self.restarts };
        serde_wasm_bindgen::to_value(&turn).unwrap_or(JsValue::NULL)
    }

    /// The prompt, with the space behind it.
    pub fn prompt(&self, id: u32) -> String {
        self.sessions.get(&id).map_or(String::new(), |session| session.prompt().into_owned())
    }

    /// The script that is debugged and has stopped, as data: a `View` of `src/script/ldb/view.rs`; null if there is none.
    pub fn debugged(&mut self, id: u32) -> JsValue {
        let client = self.sessions.get(&id).and_then(Session::client);
        let view = client.and_then(|client| view::view(&mut self.server, client));
        // Only texts, numbers and flags are converted: that cannot fail.
        let value = view.and_then(|view| serde_wasm_bindgen::to_value(&view).ok());
        value.unwrap_or(JsValue::NULL)
    }

    /// The whole lines that Tab could make of this one.
    pub fn complete(&self, id: u32, line: &str) -> Vec<String> {
        let is_open = self.sessions.get(&id).is_some();
        let lines = if is_open { hint::complete(line.as_bytes()) } else { Vec::new() };
        lines.iter().map(|line| text(line).into_owned()).collect()
    }

    /// What could follow the line; empty if that is not known, or hints are switched off.
    pub fn hint(&self, id: u32, line: &str) -> String {
        match self.sessions.get(&id) {
            Some(session) if session.hints() => hint::hint(line.as_bytes()),
            _ => String::new(),
        }
    }

    /// The bytes of strings and `Uint8Array`s.
    fn unpack(&mut self, values: &Array) -> Vec<Vec<u8>> {
        let mut length = pack(values, &mut self.room);
        if length > self.room.len() {
            self.room.resize(length, 0);
            length = pack(values, &mut self.room);
        }
        let mut argv = Vec::new();
        let mut rest = self.room.get(..length).unwrap_or_default();
        while let Some((length, behind)) = rest.split_first_chunk()
            && let Some((value, behind)) =
                behind.split_at_checked(u32::from_le_bytes(*length) as usize)
        {
            argv.push(value.to_vec());
            rest = behind;
        }
        self.room.truncate(ROOM);
        self.room.shrink_to_fit();
        argv
    }

    /// Nobody else could start the server again.
    fn restart_after_shutdown(&mut self) {
        if self.server.shutdown {
            self.server.restart(Box::new(self.clock.clone()));
            self.restarts += 1;
        }
    }

    fn with(
        &mut self,
        id: u32,
        work: impl FnOnce(&mut Session, &mut Server) -> Option<session::Output>,
    ) -> JsValue {
        let Some(session) = self.sessions.get_mut(&id) else { return JsValue::NULL };
        let shown = work(session, &mut self.server);
        self.restart_after_shutdown();
        let (Some(shown), Some(session)) = (shown, self.sessions.get(&id)) else {
            return JsValue::NULL;
        };
        let prompt = session.prompt();
        if self.prompt.0 != prompt {
            self.prompt = (prompt.clone(), JsValue::from_str(&prompt));
        }
        let state = match shown.state {
            session::State::Ready => 0,
            session::State::Waiting => 1,
            session::State::Closed => 2,
        };
        let flags = u32::from(shown.clear) | u32::from(shown.unkillable) << 1;
        let output = output(&text(&shown.text), &self.prompt.1, shown.ok, state, flags);
        if !shown.roles.is_empty() {
            let roles: Vec<u8> = shown.roles.iter().map(|role| *role as u8).collect();
            with_roles(&output, &roles);
        }
        output
    }
}

/// Bytes as JavaScript can hold them: redis-cli escapes nearly all that are no text; the rest become U+FFFD.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// piccolo's hasher asks for random bytes and nothing of ours does; a constant keeps runs repeatable.
fn no_randomness(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(0x5a);
    Ok(())
}

getrandom::register_custom_getrandom!(no_randomness);
