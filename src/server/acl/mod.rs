//! Defines who may do what: the users, as whom each client acts, and what is noted of what they are denied.

pub mod commands;
pub mod log;
pub mod rules;
pub mod user;

use super::Server;
use super::client::{Client, ClientId, SCRIPT_CLIENT};
use super::pubsub::Kind;
use crate::command::{Found, connection};
use crate::error::Error;
use crate::ordered;
use log::{Entry, Log};
use rules::has_spaces;
pub use user::Denied;
use user::User;

/// Names a user while there is one. Clients of a user who is deleted act as the default user, and are closed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct UserId(usize);

/// The users, and the log of what they were denied.
pub struct Acl {
    /// Who has the number 0, and cannot be deleted.
    default: User,
    /// The others, from number 1 on; places of deleted ones are used again.
    others: Vec<Option<User>>,
    /// What was denied.
    pub log: Log,
}

impl Default for Acl {
    fn default() -> Acl {
        Acl { default: User::default_user(), others: Vec::new(), log: Log::default() }
    }
}

impl Acl {
    /// The user of this number.
    pub fn user(&self, id: UserId) -> &User {
        let other = id.0.checked_sub(1).and_then(|at| self.others.get(at)?.as_ref());
        other.unwrap_or(&self.default)
    }

    /// The user of this name.
    pub fn find(&self, name: &[u8]) -> Option<UserId> {
        if name == self.default.name {
            return Some(UserId::default());
        }
        let is_named = |user: &Option<User>| user.as_ref().is_some_and(|user| user.name == name);
        self.others.iter().position(is_named).map(|at| UserId(at + 1))
    }

    /// Every user, by name.
    pub fn users(&self) -> Vec<&User> {
        let mut users: Vec<&User> = self.others.iter().flatten().chain([&self.default]).collect();
        ordered::sort(&mut users, |one, other| one.name.cmp(&other.name));
        users
    }

    /// Puts a user in a place, or a new one in a free one.
    fn put(&mut self, id: Option<UserId>, user: User) {
        let free = || self.others.iter().position(Option::is_none).unwrap_or(self.others.len());
        match id.map_or_else(|| free() + 1, |id| id.0) {
            0 => self.default = user,
            place => {
                self.others.resize_with(self.others.len().max(place), || None);
                self.others[place - 1] = Some(user);
            }
        }
    }
}

impl Server {
    /// The user as whom a client acts.
    pub fn user_of(&self, id: ClientId) -> &User {
        self.acl.user(self.client(id).map(|client| client.user).unwrap_or_default())
    }

    /// Whether a client's user may run a command line.
    pub fn permits(&self, id: ClientId, found: &Found, argv: &[Vec<u8>]) -> Result<(), Denied> {
        self.user_of(id).check(found, argv)
    }

    /// The same, noted if it is denied.
    pub(super) fn check_permission(
        &mut self,
        id: ClientId,
        found: &Found,
        argv: &[Vec<u8>],
    ) -> Result<(), Denied> {
        self.permits(id, found, argv).inspect_err(|denied| {
            let argument = |at: usize| argv.get(at).cloned().unwrap_or_default();
            let (reason, object) = match *denied {
                Denied::Command => ("command", found.full_name().into_bytes()),
                Denied::Key(at) => ("key", argument(at)),
                Denied::Channel(at) => ("channel", argument(at)),
            };
            let user = self.user_of(id).name.clone();
            self.log_denied(id, argv, reason, object, user);
        })
    }

    fn log_denied(
        &mut self,
        id: ClientId,
        argv: &[Vec<u8>],
        reason: &'static str,
        object: Vec<u8>,
        user: Vec<u8>,
    ) {
        let (context, asker) = if id == SCRIPT_CLIENT {
            ("lua", self.scripts.running.as_ref().map_or(id, |running| running.client))
        } else if self.queued(id).is_some() {
            ("multi", id)
        } else {
            ("toplevel", id)
        };
        let mut client =
            self.client(asker).map(|it| connection::line(self, it, argv)).unwrap_or_default();
        // The end of the line.
        client.pop();
        let at = self.now_millis();
        let most = usize::try_from(self.config.integer("acllog-max-len")).unwrap_or(usize::MAX);
        let entry = Entry { count: 1, reason, context, object, user, at, client };
        self.acl.log.add(entry, most);
    }

    /// Whether a client has to authenticate before it may do anything else.
    pub fn needs_authentication(&self, client: &Client) -> bool {
        !client.authenticated && !self.is_open()
    }

    /// Whether clients are the default user from the beginning.
    pub fn is_open(&self) -> bool {
        self.acl.default.nopass && self.acl.default.enabled
    }

    /// AUTH and HELLO: makes a client act as a user, if the password is right. `word` is the command's name.
    pub fn authenticate(
        &mut self,
        id: ClientId,
        argv: &[Vec<u8>],
        name: &[u8],
        password: &[u8],
    ) -> Result<(), Error> {
        let user = self.acl.find(name).filter(|user| self.acl.user(*user).accepts(password));
        let Some(user) = user else {
            let object = argv.first().cloned().unwrap_or_default();
            self.log_denied(id, argv, "auth", object, name.to_vec());
            return Err(Error::WRONG_PASS);
        };
        if let Some(client) = self.client_mut(id) {
            client.user = user;
            client.authenticated = true;
        }
        Ok(())
    }

    /// CONFIG SET requirepass: the default user's only password; none is needed if it is empty.
    pub fn set_default_password(&mut self, password: &[u8]) {
        self.acl.default.set_password(password);
    }

    /// ACL SETUSER: all of the rules or none. Gives the clients that listen to what they may not listen to any more.
    pub fn set_user(&mut self, name: &[u8], rules: &[Vec<u8>]) -> Result<Vec<ClientId>, Error> {
        if has_spaces(name) {
            return Err(Error::USER_NAME);
        }
        let rules = join_selectors(rules)?;
        let all_channels = self.config.text("acl-pubsub-default") == b"allchannels";
        let id = self.acl.find(name);
        let new = || User::new(name, all_channels);
        let mut user = id.map_or_else(new, |id| self.acl.user(id).clone());
        for rule in &rules {
            user.apply(rule, all_channels).map_err(|why| Error::acl_rule(rule, why))?;
        }
        let listeners = id.map(|id| self.listeners_beyond(id, &user)).unwrap_or_default();
        self.acl.put(id, user);
        Ok(listeners)
    }

    /// Clients of a user who listen to what the user, such as it will be, may not listen to.
    fn listeners_beyond(&self, id: UserId, user: &User) -> Vec<ClientId> {
        // Redis does not look at clients of a user who had no channels: whatever they listen to is from another time.
        if !self.acl.user(id).has_channels() {
            return Vec::new();
        }
        let is_beyond = |client: &&Client| {
            let mut kinds = [Kind::Pattern, Kind::Channel, Kind::Shard].into_iter();
            client.user == id
                && kinds.any(|kind| {
                    let mut names = client.subscriptions.of(kind).iter();
                    !names.all(|(name, ())| user.may_listen(name, kind == Kind::Pattern))
                })
        };
        self.clients().filter(is_beyond).map(|client| client.id).collect()
    }

    /// ACL DELUSER: false if there is no such user. Gives the clients that acted as that user.
    pub fn delete_user(&mut self, name: &[u8]) -> Option<Vec<ClientId>> {
        let id = self.acl.find(name)?;
        *self.acl.others.get_mut(id.0.checked_sub(1)?)? = None;
        let mut clients = Vec::new();
        for client in self.clients.values_mut().chain([&mut self.script_client]) {
            if client.user == id {
                client.user = UserId::default();
                client.authenticated = false;
                clients.push(client.id);
            }
        }
        Some(clients)
    }
}

/// Rules in which each selector, from one that begins with `(` to one that ends with `)`, is one.
fn join_selectors(rules: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
    let mut joined: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<&[u8]> = None;
    for rule in rules {
        match joined.last_mut() {
            Some(selector) if open.is_some() => {
                selector.push(b' ');
                selector.extend_from_slice(rule);
            }
            _ => joined.push(rule.clone()),
        }
        if rule.ends_with(b")") {
            open = None;
        } else if rule.starts_with(b"(") && open.is_none() {
            open = Some(rule);
        }
    }
    open.map_or(Ok(joined), |rule| Err(Error::unmatched_parenthesis(rule)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Clock;
    use crate::split::split;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> u64 {
            0
        }
    }

    /// Such a client must speak RESP3, and redis-cli reads no command any more, so that no transcript can show it. All
    /// of these were seen at the real server.
    #[test]
    fn who_listens_since_another_user_allowed_it() {
        #[track_caller]
        fn check(before: &str, change: &str, stays: bool) {
            let mut server = Server::new(1, Box::new(Still));
            let [admin, client] = ["a", "b"].map(|address| server.connect(address));
            for (who, line) in [
                (admin, format!("ACL SETUSER u on nopass +@all {before}").as_str()),
                (client, "HELLO 3"),
                (client, "SUBSCRIBE z"),
                (client, "AUTH u x"),
                (admin, format!("ACL SETUSER u {change}").as_str()),
            ] {
                server.send(who, &split(line.as_bytes()).expect("it has no quotes"));
            }
            assert_eq!(server.client(client).is_some(), stays, "{before}, then {change}");
        }
        check("", "on", true);
        check("", "&q", true);
        check("&q", "on", false);
        check("&q", "&r", false);
        check("&q", "resetchannels", false);
        check("&q", "&z", true);
        check("(+get)", "(+get &x)", true);
        check("(+get &x)", "(+get &x)", false);
        check("allchannels", "resetchannels &z", true);
        check("&z", "allchannels", true);
        check("&z", "resetchannels", false);
    }

    #[test]
    fn selectors_are_joined() {
        #[track_caller]
        fn check(rules: &[&str], expected: Option<&[&str]>) {
            let bytes = |rules: &[&str]| -> Vec<Vec<u8>> {
                rules.iter().map(|rule| rule.as_bytes().to_vec()).collect()
            };
            assert_eq!(join_selectors(&bytes(rules)).ok(), expected.map(bytes));
        }
        check(&[], Some(&[]));
        check(&["on", "(", "+get", "~a", ")", "off"], Some(&["on", "( +get ~a )", "off"]));
        check(&["(a", "(b", "c)", "d)"], Some(&["(a (b c)", "d)"]));
        check(&["(a)", "(b"], None);
        check(&["(", "", ")"], Some(&["(  )"]));
    }
}
