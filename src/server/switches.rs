//! Defines what DEBUG switches.

use super::Server;
use crate::rdb::value::{Form, NodeLimits};

/// Elements of lists that are longer have a node of their own, in bytes.
const PACKED_THRESHOLD: usize = 1 << 30;

/// What DEBUG switches, as long as the server lives.
pub(crate) struct Switches {
    /// Keys are deleted when their deadline has passed, and not only when they are looked at.
    pub active_expire: bool,
    /// The checksum of a payload may be wrong.
    pub skips_checksum: bool,
    packed_threshold: usize,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches { active_expire: true, skips_checksum: false, packed_threshold: PACKED_THRESHOLD }
    }
}

impl Switches {
    /// Gives longer elements of lists a node of their own; 0 means as it was at first.
    pub fn set_packed_threshold(&mut self, bytes: usize) {
        self.packed_threshold = if bytes == 0 { PACKED_THRESHOLD } else { bytes };
    }
}

impl Server {
    /// How values stand in payloads.
    pub(crate) fn payload_form(&self) -> Form {
        let config = &self.config.active;
        let nodes = NodeLimits {
            fill: config.list_max_listpack_size,
            plain: self.switches.packed_threshold,
        };
        Form { compresses: config.rdb_compression, nodes }
    }

    /// Whether a payload is whole, and of a version that is known.
    pub(crate) fn accepts_payload(&self, payload: &[u8]) -> bool {
        crate::rdb::is_sealed(payload, self.switches.skips_checksum)
    }
}
