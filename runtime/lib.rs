//! The engine of virhai: Rhai with libvirt's types, and the rules for scripts.
//!
//! A [`Session`] is one running program. [`engine::build`] makes a Rhai engine for it,
//! [`Program`] compiles a script with all that it imports, and [`Interrupt`] stops it.

pub mod advice;
mod api;
pub mod catalog;
pub mod check;
pub mod completion;
pub mod constants;
pub mod engine;
mod error;
#[allow(unsafe_code)] // The one place for it: each function wraps one libvirt call.
mod libvirt;
pub mod markup;
mod objects;
pub mod redact;
pub mod reference;
mod run;
pub mod runbook;
mod script;
pub mod show;
pub mod spec;
mod stored;
pub mod syntax;
mod vocabulary;
mod xml;

pub use advice::suggest;
pub use api::programs::of_user::{ProgramOutput, program_output};
pub use catalog::{inference, names};
pub use completion::host_names::HostNames;
pub use error::{Error, Rejected, extent, plain};
pub use objects::admin::{HELPER as ADMIN_HELPER, serve_admin_api};
pub use objects::any as objects_of;
pub use objects::call_class::{classified as classified_calls, may_change};
pub use objects::connection::{Connection, News, read_twin};
/// Subscriptions to the events of a host.
pub mod events {
    pub use crate::api::subscription::next_event;
    pub use crate::objects::watch::{Filter, Given, Outcome, Refusal, Subscription, nouns};
}
pub use objects::domain::Domain;
pub use objects::object::{Kind, Object};
pub use run::background::Unnoticed;
pub use run::exit::exit_status;
pub use run::grants::{Asker, Consent, GrantedProgram, Grants, Rule, Rules, Wish};
pub use run::hexadecimal::hexadecimal;
pub use run::hosts::{Fleet, NamedHost};
pub use run::interrupt::{self, Interrupt};
pub use run::person;
pub use run::place::Place;
pub use run::resources::memory::check as check_memory;
pub use run::resources::stack::size as stack_size;
pub use run::session::{Session, SessionOptions};
pub use run::sink::{Sink, StepNews};
pub use run::state_folder;
pub use run::version::{Versions, versions, warm_up};
pub use run::waiting::{Begun, JobProgress, LONG_WAIT, ReadProgress, WaitObserver};

pub use api::report_details::follow as follow_for_report;
pub use api::undo::locks::release as release_locks;
pub use api::undo::record::{follow as follow_in_journal, needs_script, undo_run};
pub use error::failure_line::line as failure_line;
pub use run::duration_text::{plain_duration, plain_millis};
pub use runbook::journal::has_no_journal;
pub use script::declarations;
pub use script::files;
pub use script::imports::Imports;
pub use script::program::{self, Program};
pub use show::DateTime;
pub use spec::duration::parse as parse_duration;
pub use spec::{duration, size};
pub use syntax::key_order::KeyOrder;
pub use xml::{Spot, Xml};
