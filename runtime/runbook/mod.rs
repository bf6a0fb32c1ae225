//! Runbooks: scripts that declare what they need.

pub mod inputs;
