//! Defines which clients have to do with what: listen to a channel, watch a key, wait for it.

use super::client::ClientId;
use crate::keyspace::dict::Dict;

/// Clients by name, who has come first first.
#[derive(Default)]
pub struct Audience(Dict<Vec<ClientId>>);

impl Audience {
    /// Adds a client, if it is not there.
    pub fn add(&mut self, name: &[u8], id: ClientId) {
        let clients = self.0.get_or_default(name);
        if !clients.contains(&id) {
            clients.push(id);
        }
    }

    /// Removes a client, and the name with the last one.
    pub fn remove(&mut self, name: &[u8], id: ClientId) {
        let Some(clients) = self.0.get_mut(name) else { return };
        clients.retain(|client| *client != id);
        if clients.is_empty() {
            self.0.remove(name);
        }
    }

    /// The clients of a name.
    pub fn of(&self, name: &[u8]) -> &[ClientId] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Names with their clients, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[ClientId])> {
        self.0.iter().map(|(name, clients)| (name, clients.as_slice()))
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No names.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Clients by key of a database.
#[derive(Default)]
pub struct KeyAudience(Vec<Audience>);

impl KeyAudience {
    /// Adds a client, if it is not there.
    pub fn add(&mut self, database: usize, key: &[u8], id: ClientId) {
        if self.0.len() <= database {
            self.0.resize_with(database + 1, Audience::default);
        }
        self.0[database].add(key, id);
    }

    /// Removes a client.
    pub fn remove(&mut self, database: usize, key: &[u8], id: ClientId) {
        if let Some(audience) = self.0.get_mut(database) {
            audience.remove(key, id);
        }
    }

    /// The clients of a key.
    pub fn of(&self, database: usize, key: &[u8]) -> &[ClientId] {
        self.0.get(database).map_or(&[], |audience| audience.of(key))
    }

    /// The keys of a database that have clients.
    pub fn keys(&self, database: usize) -> Vec<Vec<u8>> {
        let audience = self.0.get(database);
        audience.into_iter().flat_map(Audience::iter).map(|(key, _)| key.to_vec()).collect()
    }

    /// No keys.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Audience::is_empty)
    }
}
