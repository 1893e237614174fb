//! Defines CLIENT PAUSE: which commands are put off, and until when.

use super::Server;
use super::client::ClientId;
use super::transaction::writes;
use crate::command::{self, Command, flag};
use crate::keyspace::Millis;
use crate::resp::Resp;
use crate::script;

/// A pause that CLIENT PAUSE has begun.
pub struct Pause {
    until: Millis,
    /// Every command is put off, and not only those that write.
    all: bool,
}

impl Pause {
    /// When it ends, in milliseconds since the epoch.
    pub fn until(&self) -> Millis {
        self.until
    }
}

impl Server {
    /// CLIENT PAUSE. A pause that has not ended never becomes shorter or weaker.
    pub fn pause(&mut self, until: Millis, all: bool) {
        let before = self.pause.take().filter(|pause| pause.until > self.now_millis());
        let (least, all_before) = before.map_or((until, false), |pause| (pause.until, pause.all));
        self.pause = Some(Pause { until: until.max(least), all: all || all_before });
    }

    /// Whether a pause has not ended: nothing expires meanwhile.
    pub(super) fn is_paused(&self) -> bool {
        let now = (self.clocked / 1000) as Millis;
        self.pause.as_ref().is_some_and(|pause| now < pause.until)
    }

    /// Whether a pause puts a client's command off. One that is refused in any case is not put off.
    pub(super) fn is_postponed(&self, id: ClientId, argv: &[Vec<u8>]) -> bool {
        if !self.is_paused() {
            return false;
        }
        let Ok(found) = command::resolve(argv) else { return false };
        let command = found.command;
        let is_write = self.may_write(command, argv)
            || (command.name == "exec"
                && writes(self.client(id).and_then(|client| client.transaction.as_ref())));
        // One who listens is told so at once.
        let listens = self
            .client(id)
            .is_some_and(|client| client.resp == Resp::V2 && !client.subscriptions.is_empty());
        command.takes(argv.len())
            && !listens
            && self.permits(id, &found, argv).is_ok()
            && (is_write || self.pause.as_ref().is_some_and(|pause| pause.all))
    }

    /// Whether the command writes, or may reach replicas: a script unless it has declared that it does not.
    pub(super) fn may_write(&self, command: &Command, argv: &[Vec<u8>]) -> bool {
        if command.runs_script() && !command.has(flag::READONLY) {
            let name = argv.get(1).map_or(&[][..], Vec::as_slice);
            return script::declared(self, command.name, name).is_none_or(|flags| !flags.no_writes);
        }
        command.has(flag::WRITE) || command.may_replicate()
    }
}
