//! Maps that are declared in Rust, beside the call that takes or returns them.

use std::sync::{Arc, OnceLock};

use crate::spec::{Key, Spec};

/// The use of a map: calls take it or return it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A map of options, which calls take.
    Options,
    /// A record, which calls return.
    Record,
}

/// The declaration of a map; its keys are made on first use.
pub(crate) struct Declared {
    /// The name in signatures, such as `StopOptions`.
    pub(crate) name: &'static str,
    /// True if calls take the map or return it.
    pub(crate) role: Role,
    /// The lines of its doc comment.
    pub(crate) about: &'static [&'static str],
    /// True if the map can have other keys as well, such as those of a newer libvirt.
    pub(crate) open: bool,
    /// Makes the keys.
    pub(crate) keys: fn() -> Vec<Key>,
    /// The declaration as types have it.
    pub(crate) spec: OnceLock<Arc<Spec>>,
}

impl Declared {
    /// The declaration as types have it.
    pub(crate) fn spec(&self) -> Arc<Spec> {
        let spec = || Spec {
            name: self.name.to_owned(),
            about: in_a_line(self.about),
            open: self.open,
            keys: (self.keys)(),
            ..Spec::default()
        };
        Arc::clone(self.spec.get_or_init(|| Arc::new(spec())))
    }
}

/// A key as scripts write it; Rust marks those that are words of its own.
pub(crate) fn name_of(key: &'static str) -> &'static str {
    key.strip_prefix("r#").unwrap_or(key)
}

/// The lines of a doc comment as one line without a full stop.
pub(super) fn in_a_line(help: &[&str]) -> String {
    let lines: Vec<&str> = help.iter().map(|line| line.trim()).collect();
    lines.join(" ").trim_end_matches('.').to_owned()
}
