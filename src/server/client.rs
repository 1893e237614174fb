//! Defines what the server keeps for each client.

use crate::resp::{Reply, Resp};
use std::collections::VecDeque;

/// Names a client for its whole life; CLIENT ID prints it. Numbers grow and are never used again.
pub type ClientId = u64;

/// One connection, or the inner client with which scripts call commands.
#[derive(Default)]
pub struct Client {
    /// CLIENT ID.
    pub id: ClientId,
    /// Address that CLIENT LIST prints.
    pub address: String,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// The database that SELECT chose.
    pub database: usize,
    /// The protocol that HELLO chose.
    pub resp: Resp,
    /// AUTH has succeeded, or none is needed.
    pub authenticated: bool,
    /// When it connected, in microseconds since the epoch.
    pub connected: u64,
    /// When it last sent a command, in microseconds since the epoch.
    pub active: u64,
    /// Full name of the last command, for CLIENT LIST.
    pub last_command: String,
    /// QUIT: the connection ends once its replies are out.
    pub closing: bool,
    /// Commands that wait until the server has time for them.
    pub(super) waiting: VecDeque<Vec<Vec<u8>>>,
    /// Replies that nobody has taken yet.
    pub(super) replies: VecDeque<Reply>,
}
