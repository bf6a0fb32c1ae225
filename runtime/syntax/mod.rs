//! A script's text: its tokens, its parts, and the positions in it. Nothing else reads script text.

pub mod bindings;
pub mod brackets;
pub(crate) mod call_context;
pub(crate) mod cursor;
pub(crate) mod doc_comment;
pub mod key_order;
pub mod keywords;
pub mod lexer;
pub(crate) mod mending;
pub mod name_at;
pub mod occurrences;
pub mod outline;
pub mod source;
pub mod span;
pub mod switch_cases;
pub mod text;
pub mod written_keys;
pub mod written_names;
