//! Defines libraries of functions: keeping them, and what FCALL calls.

use super::cache::Flags;
use super::load::Loading;
use super::sandbox::{self, Scopes};
use super::{Call, Called};
use crate::error::Error;
use crate::keyspace::dict::Dict;
use crate::lua::{FunctionId, Lua};
use crate::rdb;
use crate::server::{Context, Server};
use std::rc::Rc;

/// The name of every library's chunk, as errors show it.
pub(super) const CHUNK_NAME: &[u8] = b"@user_function";

/// What stands before a library in a payload.
pub(super) const FUNCTION: u8 = 245;

/// The flags of functions, in the order in which FUNCTION LIST shows them.
pub(super) const FLAGS: [&str; 5] =
    ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];
const NO_WRITES: u8 = 1 << 0;
const ALLOW_OOM: u8 = 1 << 1;

/// A function of a library.
pub struct Function {
    /// Its name, which FCALL takes in any case.
    pub name: Vec<u8>,
    /// What it is for, in its author's words.
    pub description: Option<Vec<u8>>,
    /// A bit for each of [`FLAGS`].
    pub(super) flags: u8,
    pub(super) callback: FunctionId,
}

impl Function {
    /// The names of its flags.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let flags = self.flags;
        FLAGS
            .iter()
            .enumerate()
            .filter(move |(bit, _)| flags >> bit & 1 == 1)
            .map(|(_, name)| *name)
    }

    fn declared(&self) -> Flags {
        Flags {
            declared: true,
            no_writes: self.flags & NO_WRITES != 0,
            allow_oom: self.flags & ALLOW_OOM != 0,
        }
    }
}

/// A library.
pub struct Library {
    /// Its name.
    pub name: Vec<u8>,
    /// Its text, shebang and all.
    pub code: Vec<u8>,
    /// In the order in which it has registered them.
    pub functions: Vec<Rc<Function>>,
}

/// Some libraries, whose functions have different names.
#[derive(Default)]
pub(super) struct Store {
    /// In the order in which they were loaded. In the real server it is random.
    pub libraries: Vec<Library>,
    /// Every function by its name in lower case, and its library's name.
    functions: Dict<(Rc<Function>, Vec<u8>)>,
}

/// All libraries, and the interpreter that runs their functions.
#[derive(Default)]
pub struct Libraries {
    /// Made when it is needed first; away while a slice runs.
    pub(super) engine: Option<Engine>,
    pub(super) store: Store,
    /// What the library that is loaded now has registered.
    pub(super) loading: Option<Loading>,
}

/// The interpreter of all functions.
pub(super) struct Engine {
    pub lua: Lua,
    pub scopes: Scopes,
}

impl Libraries {
    /// The libraries, in the order in which they were loaded.
    pub fn all(&self) -> &[Library] {
        &self.store.libraries
    }

    /// Functions in all libraries.
    pub fn functions(&self) -> usize {
        self.all().iter().map(|library| library.functions.len()).sum()
    }

    /// Bytes that the libraries take, without what their interpreter does.
    pub fn overhead(&self) -> usize {
        let function = |function: &Rc<Function>| {
            size_of::<Function>()
                + function.name.len() * 3
                + function.description.as_ref().map_or(0, Vec::len)
        };
        let library = |library: &Library| {
            let functions: usize = library.functions.iter().map(function).sum();
            size_of::<Library>() + library.name.len() + library.code.len() + functions
        };
        size_of::<Libraries>() + self.all().iter().map(library).sum::<usize>()
    }

    /// Bytes that the interpreter's heap takes.
    pub fn memory(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.lua.memory())
    }

    /// What the function has declared.
    pub fn declared(&self, name: &[u8]) -> Option<Flags> {
        self.store.function(name).map(|function| function.declared())
    }

    /// Forgets the functions of libraries that are no more.
    pub(super) fn forget(&mut self, libraries: &[Library]) {
        for library in libraries {
            self.forget_functions(&library.functions);
        }
    }

    pub(super) fn forget_functions(&mut self, functions: &[Rc<Function>]) {
        let Some(engine) = &mut self.engine else { return };
        for function in functions {
            engine.lua.forget(function.callback);
        }
    }
}

impl Store {
    fn function(&self, name: &[u8]) -> Option<&Rc<Function>> {
        self.functions.get(&name.to_ascii_lowercase()).map(|(function, _)| function)
    }

    /// Whether there is a library of this name.
    pub fn has(&self, name: &[u8]) -> bool {
        self.libraries.iter().any(|library| library.name == name)
    }

    /// Adds libraries, all or none, and gives those whose place they have taken; or why not, and themselves.
    pub fn join(
        &mut self,
        libraries: Vec<Library>,
        replace: bool,
    ) -> Result<Vec<Library>, (Error, Vec<Library>)> {
        let mut names = Dict::default();
        for library in &libraries {
            names.insert(&library.name, ());
        }
        let taken = self.libraries.iter().find(|old| !replace && names.contains(&old.name));
        if let Some(old) = taken {
            return Err((Error::library_exists(&old.name), libraries));
        }
        let mut functions = libraries.iter().flat_map(|library| &library.functions);
        let taken = functions.find(|function| {
            let same = self.functions.get(&function.name.to_ascii_lowercase());
            same.is_some_and(|(_, library)| !names.contains(library))
        });
        if let Some(function) = taken {
            return Err((Error::function_exists(&function.name), libraries));
        }
        let replaced = self.remove(|library| names.contains(&library.name));
        for library in libraries {
            for function in &library.functions {
                let key = function.name.to_ascii_lowercase();
                if !self.functions.contains(&key) {
                    self.functions.insert(&key, (function.clone(), library.name.clone()));
                }
            }
            self.libraries.push(library);
        }
        Ok(replaced)
    }

    fn remove(&mut self, is_meant: impl Fn(&Library) -> bool) -> Vec<Library> {
        let removed: Vec<_> = self.libraries.extract_if(.., |library| is_meant(library)).collect();
        for function in removed.iter().flat_map(|library| &library.functions) {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        removed
    }
}

/// Adds libraries to those that are there, all or none.
pub(super) fn join(
    server: &mut Server,
    libraries: Vec<Library>,
    replace: bool,
) -> Result<(), Error> {
    let all = &mut server.scripts.libraries;
    match all.store.join(libraries, replace) {
        Ok(replaced) => {
            all.forget(&replaced);
            server.changes += 1;
            Ok(())
        }
        Err((error, refused)) => {
            all.forget(&refused);
            Err(error)
        }
    }
}

/// FUNCTION DELETE
pub fn delete(server: &mut Server, name: &[u8]) -> Result<(), Error> {
    let all = &mut server.scripts.libraries;
    let removed = all.store.remove(|library| library.name == name);
    if removed.is_empty() {
        return Err(Error::NO_LIBRARY);
    }
    all.forget(&removed);
    server.changes += 1;
    Ok(())
}

/// FUNCTION FLUSH: the interpreter goes as well.
pub fn flush(server: &mut Server) {
    server.scripts.libraries = Libraries::default();
    server.changes += 1;
}

/// FUNCTION DUMP
pub fn dump(server: &Server) -> Vec<u8> {
    let mut writer = rdb::Writer::new(server.config.active.rdb_compression);
    for library in server.scripts.libraries.all() {
        writer.out.push(FUNCTION);
        writer.string(&library.code);
    }
    rdb::seal(writer.out)
}

/// FCALL: starts a function; [`Server::run`] does the rest.
pub fn call(
    context: &mut Context,
    name: &[u8],
    argv: &[Vec<u8>],
    keys: &[Vec<u8>],
    arguments: &[Vec<u8>],
    read_only: bool,
) -> Result<(), Error> {
    let libraries = &context.server.scripts.libraries;
    let function = libraries.store.function(name).ok_or(Error::NO_FUNCTION)?.clone();
    let called = Called::Function { name: function.name.clone(), argv: argv.to_vec() };
    let flags = function.declared();
    super::start(
        context,
        Call { function: function.callback, called, flags, read_only },
        |machine| {
            let keys = sandbox::list(machine, keys);
            machine.push(keys);
            let arguments = sandbox::list(machine, arguments);
            machine.push(arguments);
        },
    )
}

/// The library of a function.
pub(super) fn library_of<'s>(server: &'s Server, function: &[u8]) -> Option<&'s Library> {
    let store = &server.scripts.libraries.store;
    let (_, name) = store.functions.get(&function.to_ascii_lowercase())?;
    store.libraries.iter().find(|library| library.name == *name)
}

/// Whether FCALL would find it.
pub fn exists(server: &Server, name: &[u8]) -> bool {
    server.scripts.libraries.store.function(name).is_some()
}
