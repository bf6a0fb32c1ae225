//! The objects that a connection gives out, and how calls on them are made and waited for.

pub mod any;
pub(crate) mod c_text;
pub(crate) mod call_class;
pub(crate) mod call_thread;
pub mod connection;
pub mod domain;
pub mod domain_snapshot;
pub(crate) mod granted;
pub(crate) mod host_hint;
pub mod interface;
pub(crate) mod natural_order;
pub mod network;
pub mod object;
pub(crate) mod pipe;
pub mod storage_pool;
pub mod storage_vol;
pub(crate) mod uri;
pub(crate) mod watch;
