//! The name or the statement that was most likely meant.

pub use syntax_advice::is_word_elsewhere;

pub mod suggest;
pub(crate) mod syntax_advice;
pub mod virsh;
mod virsh_commands;
mod virsh_options;
