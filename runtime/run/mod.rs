//! A running program: the engine, the session, what it may use, and how it ends.

pub(crate) mod awaited;
pub mod background;
pub(crate) mod beneath;
pub mod duration_text;
pub mod exit;
pub(crate) mod grants;
pub mod guarded;
pub mod hexadecimal;
pub mod hosts;
pub mod interrupt;
pub(crate) mod nesting;
pub mod person;
pub mod place;
pub(crate) mod report_details;
pub(crate) mod resources;
pub mod session;
pub mod sink;
pub mod state_folder;
pub(crate) mod timeout;
pub mod version;
pub mod waiting;
