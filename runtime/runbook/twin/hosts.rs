//! The twins of a rehearsal by the URIs of their hosts, for guests that move from one to another.

use std::collections::HashMap;

use parking_lot::Mutex;
use virt::connect::Connect;

/// Connections to twins.
#[derive(Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Connect>>);

impl Hosts {
    pub(super) fn add(&self, uri: &str, connect: &Connect) {
        let mut all = self.0.lock();
        all.insert(uri.to_owned(), connect.clone());
    }

    /// The twin of the host `uri`.
    pub(super) fn find(&self, uri: &str) -> Option<Connect> {
        let all = self.0.lock();
        all.get(uri).cloned()
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        let mut all = self.0.lock();
        all.clear();
    }
}
