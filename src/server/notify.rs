//! Defines keyspace notifications: messages about what happens to keys, for those who listen.

use super::{Context, Server};

/// A class of events, by its letter in `notify-keyspace-events`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Commands for keys of any type.
    Generic = b'g' as isize,
    /// Commands for strings.
    String = b'$' as isize,
    /// Commands for lists.
    List = b'l' as isize,
    /// Commands for sets.
    Set = b's' as isize,
    /// Commands for sorted sets.
    SortedSet = b'z' as isize,
    /// Commands for hashes.
    Hash = b'h' as isize,
    /// Commands for streams.
    Stream = b't' as isize,
    /// A deadline has deleted a key.
    Expired = b'x' as isize,
    /// A key has gone because memory was short.
    Evicted = b'e' as isize,
    /// A key is there that was not.
    New = b'n' as isize,
    /// A command has looked for a key that is not there.
    Miss = b'm' as isize,
}

impl Event {
    fn letter(self) -> u8 {
        self as u8
    }

    /// Whether `A` stands for it, too.
    fn is_in_all(self) -> bool {
        !matches!(self, Event::New | Event::Miss)
    }
}

impl Server {
    /// Whether messages are sent about events of this class.
    pub(super) fn notifies(&self, event: Event) -> bool {
        let chosen = &self.config.active.keyspace_events;
        !chosen.is_empty()
            && (chosen.contains(&event.letter()) || event.is_in_all() && chosen.contains(&b'A'))
    }

    /// Tells those who listen what has happened to a key: its name, on the channel of the key and on the channel of the
    /// event.
    pub fn notify(&mut self, event: Event, name: &str, database: usize, key: &[u8]) {
        if self.config.active.keyspace_events.is_empty() {
            return;
        }
        if event != Event::Expired {
            self.note_expired();
        }
        if !matches!(event, Event::New | Event::Miss) {
            self.note_created();
        }
        if !self.notifies(event) {
            return;
        }
        let chosen = self.config.active.keyspace_events.clone();
        if chosen.contains(&b'K') {
            let channel = [format!("__keyspace@{database}__:").as_bytes(), key].concat();
            self.publish(&channel, name.as_bytes());
        }
        if chosen.contains(&b'E') {
            let channel = format!("__keyevent@{database}__:{name}");
            self.publish(channel.as_bytes(), key);
        }
    }

    /// Tells of the keys that have come and are not told of yet.
    pub(super) fn note_created(&mut self) {
        for index in 0..self.databases.len() {
            for created in self.databases[index].take_created() {
                self.notify(Event::New, "new", index, &created);
            }
        }
    }

    /// Lets the databases note new keys, if that is wanted: to be called when the configuration has changed.
    pub fn note_new_keys(&mut self) {
        let wanted = self.notifies(Event::New);
        for database in &mut self.databases {
            database.note_new_keys(wanted);
        }
    }
}

impl Context<'_> {
    /// Tells those who listen what a command has done to a key of its database; see [`Server::notify`].
    pub fn notify(&mut self, event: Event, name: &str, key: &[u8]) {
        self.server.notify(event, name, self.database, key);
    }
}
