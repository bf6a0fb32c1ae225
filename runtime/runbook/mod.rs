//! Runbooks: scripts that declare their inputs, the journals and reports of their runs, and rehearsals on twins of their hosts.

pub mod data;
pub mod inputs;
pub mod inventory;
pub mod journal;
pub(crate) mod locks;
pub mod report;
pub mod twin;
