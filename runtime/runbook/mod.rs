//! Runbooks: scripts that declare their inputs, and rehearsals of scripts on twins of their hosts.

pub mod inputs;
pub mod twin;
