//! Support for tests: scripts, private hosts, and guests.

#![allow(dead_code)] // Each test takes the part that it needs.

mod alone;
mod block_device;
mod browser;
mod capabilities;
mod certificates;
mod child;
mod daemon;
mod deaf;
mod embed;
mod golden;
mod guests;
mod host;
mod net_host;
mod prompt;
mod qemu;
mod run;
mod scratch;
mod skip;
mod small_disk;
mod ssh_server;
mod sweep;
mod terminal;
mod user;
mod web_server;

pub use alone::ran_alone;
pub use block_device::BlockDevice;
pub use browser::Browser;
pub use certificates::Certificates;
pub use child::succeeds;
pub use daemon::Daemon;
pub use deaf::Deaf;
pub use embed::Embed;
pub use golden::{golden, rewrite, updates};
pub use guests::{agent_xml, has_uefi, micro, micro_xml, tiny, tiny_xml};
pub use host::Host;
pub use net_host::NetHost;
pub use prompt::{PROMPT, Prompt};
pub use qemu::{end_qemu, qemu_processes};
pub use run::{Outcome, Run, virhai};
pub use scratch::{Scratch, TestHost};
pub use skip::skip;
pub use small_disk::SmallDisk;
pub use ssh_server::{SshServer, path_with_ssh, ssh_clients, uri as ssh_uri};
#[allow(unused_imports)] // Each test takes the part that it needs.
pub use sweep::{InProcess, Picture, Strikes, Sweep, Swept, Trace, all, strike};
pub use terminal::{Screen, Terminal};
pub use user::test_user;
pub use web_server::{WebServer, web_answer};
