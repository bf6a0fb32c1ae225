//! The name or the statement that was most likely meant.

pub mod suggest;
pub(crate) mod syntax_advice;
pub mod virsh;
mod virsh_commands;
