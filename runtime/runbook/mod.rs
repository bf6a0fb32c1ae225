//! Runbooks: scripts that declare their inputs.

pub mod inputs;
