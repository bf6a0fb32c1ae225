//! The text of a script: its tokens and the positions in it.

pub mod key_order;
pub mod lexer;
pub mod source;
pub mod text;
pub mod written_names;
