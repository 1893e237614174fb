//! Defines who listens to which channels, and MONITOR: what reaches clients without their asking.

use super::Server;
use super::audience::Audience;
use super::client::{ClientId, SCRIPT_CLIENT};
use crate::command::{Found, flag};
use crate::glob;
use crate::keyspace::dict::Dict;
use crate::resp::Reply;
use crate::split::quoted;

/// What a client can subscribe to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A channel, by its name.
    Channel,
    /// All channels whose names match a pattern.
    Pattern,
    /// A channel of a shard; there is one shard.
    Shard,
}

/// Subscriptions of a client.
#[derive(Default)]
pub struct Subscriptions {
    channels: Dict<()>,
    patterns: Dict<()>,
    shards: Dict<()>,
}

impl Subscriptions {
    /// Those of a kind.
    pub fn of(&self, kind: Kind) -> &Dict<()> {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Shard => &self.shards,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Dict<()> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }

    /// The names of a kind, in order of subscription.
    pub fn names(&self, kind: Kind) -> Vec<Vec<u8>> {
        self.of(kind).keys().map(<[u8]>::to_vec).collect()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.shards.is_empty()
    }

    /// The number that a reply about this kind tells: channels and patterns are counted together.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Shard => self.shards.len(),
            _ => self.channels.len() + self.patterns.len(),
        }
    }
}

/// Who listens, by channel or pattern, in order of subscription.
#[derive(Default)]
pub struct Listeners {
    channels: Audience,
    patterns: Audience,
    shards: Audience,
}

impl Listeners {
    /// Channels or patterns with the clients that have subscribed to them.
    pub fn of(&self, kind: Kind) -> &Audience {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Shard => &self.shards,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Audience {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }
}

/// Messages that a client may leave unread even when memory is short.
const MOST_UNREAD: usize = 16;

impl Server {
    /// Subscribes a client; how many subscriptions it has then.
    pub fn subscribe(&mut self, id: ClientId, kind: Kind, name: &[u8]) -> usize {
        let Some(client) = self.clients.get_mut(&id) else { return 0 };
        if client.subscriptions.of_mut(kind).insert(name, ()).is_none() {
            self.channels.of_mut(kind).add(name, id);
        }
        client.subscriptions.count(kind)
    }

    /// Ends a subscription; how many are left.
    pub fn unsubscribe(&mut self, id: ClientId, kind: Kind, name: &[u8]) -> usize {
        let Some(client) = self.clients.get_mut(&id) else { return 0 };
        if client.subscriptions.of_mut(kind).remove(name).is_some() {
            self.channels.of_mut(kind).remove(name, id);
        }
        client.subscriptions.count(kind)
    }

    /// Ends all subscriptions of a client, and MONITOR.
    pub fn stop_listening(&mut self, id: ClientId) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            let names = self.client(id).map(|client| client.subscriptions.names(kind));
            for name in names.unwrap_or_default() {
                self.unsubscribe(id, kind, &name);
            }
        }
        self.monitors.retain(|monitor| *monitor != id);
    }

    /// Sends a message to those who listen to a channel; how many they are.
    pub fn publish(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let listeners = self.channels.channels.of(channel).to_vec();
        let mut receivers = listeners.len();
        for id in listeners {
            self.push(
                id,
                Reply::Push(["message".as_bytes(), channel, message].map(Reply::bulk).into()),
            );
        }
        let patterns = self.channels.patterns.iter();
        let matching = patterns.filter(|(pattern, _)| glob::matches(pattern, channel, false));
        let matching: Vec<_> =
            matching.map(|(pattern, listeners)| (pattern.to_vec(), listeners.to_vec())).collect();
        for (pattern, listeners) in matching {
            receivers += listeners.len();
            for id in listeners {
                let message = ["pmessage".as_bytes(), &pattern, channel, message];
                self.push(id, Reply::Push(message.map(Reply::bulk).into()));
            }
        }
        receivers
    }

    /// Sends a message to those who listen to a shard's channel; how many they are.
    pub fn publish_in_shard(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let listeners = self.channels.shards.of(channel).to_vec();
        let receivers = listeners.len();
        for id in listeners {
            let message = ["smessage".as_bytes(), channel, message];
            self.push(id, Reply::Push(message.map(Reply::bulk).into()));
        }
        receivers
    }

    /// Tells those who monitor the server of a command that a client has run.
    pub(super) fn show_to_monitors(&mut self, id: ClientId, found: &Found, argv: &[Vec<u8>]) {
        if self.monitors.is_empty() || found.command.has(flag::ADMIN) {
            return;
        }
        let (database, sender) = match self.client(id) {
            Some(client) if id == SCRIPT_CLIENT => (client.database, "lua".to_owned()),
            Some(client) => (client.database, client.address.clone()),
            None => return,
        };
        let (seconds, microseconds) = (self.clocked / 1_000_000, self.clocked % 1_000_000);
        let mut line = format!("{seconds}.{microseconds:06} [{database} {sender}]").into_bytes();
        for (place, argument) in argv.iter().enumerate() {
            line.push(b' ');
            if self.redacted.contains(&place) {
                line.extend_from_slice(b"\"(redacted)\"");
            } else {
                line.extend_from_slice(&quoted(argument));
            }
        }
        for monitor in self.monitors.clone() {
            if self.is_muted(monitor) {
                continue;
            }
            let line = Reply::Status(line.clone().into());
            // A script is shown before it runs, and any other command behind its reply.
            let client = self.clients.get_mut(&monitor).filter(|_| monitor == id);
            match client.filter(|_| !found.command.runs_script()) {
                Some(client) => client.own_line = Some(line),
                None => self.push(monitor, line),
            }
        }
    }

    /// Queues what MONITOR says of a client's own command, now that it has been answered.
    pub(super) fn push_own_line(&mut self, id: ClientId) {
        let client = self.clients.get_mut(&id);
        if let Some(line) = client.and_then(|client| client.own_line.take()) {
            self.push(id, line);
        }
    }

    /// Queues a message, behind what the client's transaction has been answered so far; CLIENT REPLY does not withhold it.
    pub(crate) fn push(&mut self, id: ClientId, mut message: Reply) {
        if self.is_in_transaction(id) && !self.is_muted(id) {
            return self.keep(id, message);
        }
        self.downgrade(id, &mut message);
        let Some(client) = self.clients.get_mut(&id).filter(|client| !client.closing) else {
            return;
        };
        client.note_in(&mut self.news);
        client.replies.push_back(message);
        // As over `client-output-buffer-limit`.
        if client.replies.len() > MOST_UNREAD && self.is_full() {
            self.disconnect(id);
        }
    }
}
