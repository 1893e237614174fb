//! Defines what the server keeps for each client.

use super::acl::UserId;
use super::blocking::Blocked;
use super::pubsub::Subscriptions;
use super::transaction::Transaction;
use crate::command::Found;
use crate::resp::{Reply, Resp};
use crate::script::ldb::Mode;
use std::collections::VecDeque;

/// Names a client for its whole life; CLIENT ID prints it. Numbers grow and are never used again.
pub type ClientId = u64;

/// The inner client with which scripts call commands. No connection has this number.
pub const SCRIPT_CLIENT: ClientId = 0;

/// One connection, or the inner client with which scripts call commands.
#[derive(Default)]
pub struct Client {
    /// CLIENT ID.
    pub id: ClientId,
    /// Address that CLIENT LIST prints.
    pub address: String,
    /// The server's side of the connection, `laddr` of CLIENT LIST.
    pub local_address: String,
    /// The file descriptor that CLIENT LIST prints; -1 where there is no socket.
    pub fd: i64,
    /// The connection is a Unix socket.
    pub unix_socket: bool,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// The database that SELECT chose.
    pub database: usize,
    /// The protocol that HELLO chose.
    pub resp: Resp,
    /// As whom it acts.
    pub user: UserId,
    /// AUTH has succeeded, or none is needed.
    pub authenticated: bool,
    /// When it connected, in microseconds since the epoch.
    pub connected: u64,
    /// When it last sent a command, in microseconds since the epoch.
    pub active: u64,
    /// The last command that it called, for CLIENT LIST.
    pub last_command: Option<Found>,
    /// CLIENT REPLY.
    pub muted: Muted,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// QUIT: the connection ends once its replies are out.
    pub closing: bool,
    /// What it has queued since MULTI.
    pub transaction: Option<Transaction>,
    /// WATCH: databases and keys.
    pub watched: Vec<(usize, Vec<u8>)>,
    /// One of these has changed.
    pub dirty: bool,
    /// What it listens to.
    pub subscriptions: Subscriptions,
    /// MONITOR.
    pub monitors: bool,
    /// What MONITOR says of the client's own command: it comes behind the reply.
    pub(super) own_line: Option<Reply>,
    /// SCRIPT DEBUG.
    pub debug: Mode,
    /// The next function that it calls is debugged.
    pub debugs_function: bool,
    /// The command that waits for a key.
    pub blocked: Option<Box<Blocked>>,
    /// Commands that it has sent and that wait until the server has time for them.
    pub(super) backlog: VecDeque<Vec<Vec<u8>>>,
    /// Replies that nobody has taken yet.
    pub(super) replies: VecDeque<Reply>,
    /// The server has it among its news.
    pub(super) in_news: bool,
}

impl Client {
    /// Replies that nobody has taken yet.
    pub fn unsent(&self) -> usize {
        self.replies.len()
    }

    /// Puts it among the clients of whom there is news.
    pub(super) fn note_in(&mut self, news: &mut Vec<ClientId>) {
        if !self.in_news {
            self.in_news = true;
            news.push(self.id);
        }
    }
}

/// Which replies CLIENT REPLY withholds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Muted {
    /// None.
    #[default]
    No,
    /// So many from now on.
    Replies(u8),
    /// All.
    Always,
}
