//! The job whose end a script waits for by an event.

use std::sync::Arc;

use virt::connect::Connect;

use crate::api::domain::job::{progress_of_block_job, progress_of_job};
use crate::libvirt::Failure;
use crate::objects::connection::Connection;
use crate::objects::domain::{DomainKind, Handle};
use crate::objects::object::Listed;
use crate::objects::watch::Filter;
use crate::run::waiting::ReadProgress;

/// The job whose end all `filters` wait for: its description, and how to read its progress. `None` if they wait for something
/// else, or for several jobs.
pub(super) fn of(conn: &Connection, filters: &[Filter]) -> Option<(String, ReadProgress)> {
    let of_filter = |filter: &Filter| {
        let text = |field: &str| filter.field(field).map(str::to_owned);
        Some((filter.kind()?, text("uuid"), text("domain"), text("disk")))
    };
    let wanted = of_filter(filters.first()?)?;
    if filters
        .iter()
        .any(|other| of_filter(other).as_ref() != Some(&wanted))
    {
        return None;
    }
    let (kind, uuid, name, disk) = wanted;
    let name = match (&uuid, name) {
        (_, Some(name)) => name,
        (Some(uuid), None) => conn
            .noted_name(DomainKind::TYPE, uuid)
            .unwrap_or_else(|| uuid.clone()),
        (None, None) => return None,
    };
    let (own, wanted) = (name.clone(), uuid);
    let find = move |connect: &Connect| -> Result<Arc<Handle>, Failure> {
        Ok(Arc::new(match &wanted {
            Some(uuid) => connect.lookup_domain_by_uuid_string(uuid)?,
            None => connect.lookup_domain_by_name(&own)?,
        }))
    };
    let guest = format!("domain `{name}` on {}", conn.uri());
    match (kind, disk) {
        ("block_job", Some(disk)) => Some((
            format!("the job of disk `{disk}` of {guest}"),
            progress_of_block_job(conn, disk, find),
        )),
        ("job_completed", _) => Some((format!("the job of {guest}"), progress_of_job(conn, find))),
        _ => None,
    }
}
