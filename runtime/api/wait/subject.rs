//! The guest that an event is about: if the guest is gone, the event cannot come.

use virt::connect::Connect;

use crate::api::domain::state::reason;
use crate::libvirt::{self, Failure};
use crate::vocabulary::DomainState;

/// The kinds of events about objects that end with the guest's run.
const OF_A_RUN: [&str; 5] = [
    "block_job",
    "device_removal_failed",
    "device_removed",
    "job_completed",
    "migration_iteration",
];

/// The reason why the domain `uuid` sends no event of `kind` unless somebody starts something new; `None`
/// if one may still come.
///
/// Events of a lifecycle may: the domain can be defined or started again.
pub(super) fn over(connect: &Connect, kind: &str, uuid: &str) -> Option<String> {
    if kind == "lifecycle" {
        return None;
    }
    let domain = match connect.lookup_domain_by_uuid_string(uuid) {
        Ok(domain) => domain,
        Err(error) => {
            let gone = Failure::from(error).code == i64::from(virt_sys::VIR_ERR_NO_DOMAIN);
            return gone.then(|| "the domain is gone".to_owned());
        }
    };
    if !OF_A_RUN.contains(&kind) || domain.is_active().unwrap_or(true) {
        return None;
    }
    let (state, why) = libvirt::domain::state(&domain).ok()?;
    Some(format!(
        "the domain is {} ({})",
        DomainState::TABLE.word(state),
        reason(state, why)
    ))
}
