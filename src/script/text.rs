//! Makes a script of a text: compiles it, in slices, caches it, and starts it if it is to run.

use super::cache::{Flags, Script, Sha, shebang};
use super::{CHUNK_NAME, Called, Progress, Running};
use crate::error::Error;
use crate::resp::{Reply, Resp};
use crate::server::client::ClientId;
use crate::server::{Context, Origin, Server};

/// The text of a script, while it is compiled.
pub struct Text {
    sha: Sha,
    body: Vec<u8>,
    flags: Flags,
    /// How it is to be called then, if it is.
    call: Option<Arguments>,
}

/// How a script is called.
struct Arguments {
    keys: Vec<Vec<u8>>,
    argv: Vec<Vec<u8>>,
    read_only: bool,
    client: ClientId,
    database: usize,
}

/// EVAL: starts a script, which is compiled first if it is not in the cache.
pub fn eval(
    context: &mut Context,
    body: &[u8],
    keys: &[Vec<u8>],
    argv: &[Vec<u8>],
    read_only: bool,
) -> Result<(), Error> {
    let (sha, is_cached) = context.server.scripts.cache.find(body);
    if is_cached {
        return super::start_script(context, sha, keys, argv, read_only);
    }
    let call = Arguments {
        keys: keys.to_vec(),
        argv: argv.to_vec(),
        read_only,
        client: context.client,
        database: context.database,
    };
    compile(context, sha, body, Some(call))
}

/// SCRIPT LOAD: the script's name, if it is in the cache; otherwise it is the reply when the script has been compiled.
pub fn load(context: &mut Context, body: &[u8]) -> Result<Option<Reply>, Error> {
    let (sha, is_cached) = context.server.scripts.cache.find(body);
    if is_cached {
        return Ok(Some(Reply::bulk(sha.name())));
    }
    compile(context, sha, body, None).map(|()| None)
}

fn compile(
    context: &mut Context,
    sha: Sha,
    body: &[u8],
    call: Option<Arguments>,
) -> Result<(), Error> {
    let (flags, code) = shebang(body)?;
    let scripts = &mut context.server.scripts;
    let limit = scripts.room_for_scripts();
    let Some(lua) = scripts.lua.as_mut() else { return Err(Error::NOT_IN_SCRIPT) };
    lua.set_limit(limit);
    lua.start_compiling(code, CHUNK_NAME);
    let text = Text { sha, body: body.to_vec(), flags, call };
    context.server.scripts.running = Some(Running::new(context, Called::Text(Box::new(text))));
    Ok(())
}

impl Text {
    /// Goes on when compiling has ended: it has, or the script has been started.
    pub(super) fn go_on(&mut self, server: &mut Server) -> Result<Progress, Error> {
        let Some(lua) = server.scripts.lua.as_mut() else { return Err(Error::NOT_IN_SCRIPT) };
        let function = lua.compiled().map_err(|message| Error::compile(&message))?;
        let body = std::mem::take(&mut self.body);
        server.scripts.cache.insert(self.sha, Script { body, flags: self.flags, function });
        let Some(call) = self.call.take() else {
            return Ok(Progress::Ended(Reply::bulk(self.sha.name())));
        };
        let Arguments { keys, argv, read_only, client, database } = call;
        let mut context = Context {
            server,
            client,
            database,
            resp: Resp::V2,
            origin: Origin::Client,
            changed_key: None,
        };
        super::start_script(&mut context, self.sha, &keys, &argv, read_only)?;
        Ok(Progress::Started)
    }
}
