//! Runbooks: scripts that declare their inputs, the journals of their runs, and rehearsals on twins of their hosts.

pub mod inputs;
pub mod journal;
pub mod twin;
