//! The engine of virhai: Rhai with libvirt's types, and the rules that scripts live by.
//!
//! A [`Session`] is one running program. [`engine::build`] makes a Rhai engine for it,
//! [`Program`] compiles a script with all that it imports, and [`Interrupt`] stops it.

pub mod catalog;
pub mod check;
pub mod completion;
pub mod constants;
pub mod duration;
pub mod engine;
pub mod extent;
pub mod files;
pub mod inference;
pub mod interrupt;
pub mod lexer;
pub mod names;
pub mod program;
pub mod redact;
pub mod reference;
pub mod size;
pub mod source;
pub mod spec;
pub mod suggest;
mod syntax_advice;
pub mod text;

mod api;
mod call_thread;
mod error;
mod exit;
mod grants;
mod host_names;
mod imports;
pub mod isolation;
mod language;
#[allow(unsafe_code)] // The one place for it: each function wraps one libvirt call.
mod libvirt;
mod nesting;
mod patience;
mod pipe;
mod resources;
mod session;
mod uri;
mod version;
mod vocabulary;
mod waiting;
mod watch;
mod xml;

/// The kinds of objects that a connection gives out.
pub mod kinds {
    pub use crate::api::domain::DomainKind;
    pub use crate::api::domain_snapshot::DomainSnapshotKind;
    pub use crate::api::interface::InterfaceKind;
    pub use crate::api::network::NetworkKind;
    pub use crate::api::storage_pool::StoragePoolKind;
    pub use crate::api::storage_vol::StorageVolKind;
}

pub use api::call_class::classified as classified_calls;
pub use api::connection::{Connection, News};
pub use api::domain::Domain;
pub use api::object::{Kind, Object};
pub use duration::parse as parse_duration;
pub use error::{Error, Rejected, plain};
pub use exit::exit_status;
pub use grants::Grants;
pub use host_names::HostNames;
pub use imports::Imports;
pub use interrupt::Interrupt;
pub use program::Program;
pub use resources::is_address_space_limited;
pub use resources::memory::check as check_memory;
pub use resources::stack::size as stack_size;
pub use session::{Session, SessionOptions, Sink};
pub use version::{Versions, versions, warm_up};
pub use waiting::{LONG_WAIT, WaitObserver};
pub use xml::{Spot, Xml};
