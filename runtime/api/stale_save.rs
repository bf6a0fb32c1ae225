//! Managed saves that a change would make stale: the saved memory would not match the disks.
//!
//! libvirt keeps such an image and resumes it at the next start, over other disks. A change of disks or
//! memory is refused while one exists; a return to a snapshot, which gives up the present state in any
//! case, discards it.

use rhai::NativeCallContext;
use virt::connect::Connect;
use virt::domain::Domain as Handle;

use super::arguments::RhaiResultOf;
use crate::error::{Error, Task};
use crate::libvirt::{self, Failure};
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;
use crate::objects::storage_pool::StoragePool;
use crate::objects::storage_vol::StorageVol;
use crate::xml::{Selected, Xml};

/// The namespace of the notes of `std/under_way`, which discards the image itself.
const UNDER_WAY: &str = "https://virhai.org/xmlns/under-way/1";

const HINT: &str =
    "resume the image with `create()` of that guest, or discard it with `managed_save_remove()`";

/// True if `domain` has a managed save image that no recipe handles.
pub(crate) fn exists(domain: &Handle) -> bool {
    domain.has_managed_save(0).unwrap_or(false) && !is_under_way(domain)
}

fn is_under_way(domain: &Handle) -> bool {
    let config = domain.xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE);
    config.is_ok_and(|config| config.contains(UNDER_WAY))
}

/// The error that refuses to change disks or memory of the saved guest `name`, with the way out.
pub(crate) fn refusal(ctx: &NativeCallContext, name: &str, task: impl Task, uri: &str) -> Error {
    Error::new(ctx, failure(name), "", task, uri).with_hint(HINT)
}

fn failure(name: &str) -> Failure {
    Failure::new(
        virt_sys::VIR_ERR_OPERATION_INVALID,
        format!(
            "the domain `{name}` has a managed save image, which libvirt would resume at its next start: its memory would no longer match the disks"
        ),
    )
}

/// Refuses to change the content of a volume under a saved guest.
pub(crate) fn refuse_change(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    verb: &str,
) -> RhaiResultOf<()> {
    let path = vol.path().to_owned();
    let found = vol.attempt("virConnectListAllDomains", move |v| {
        let pool = v.lookup_storage_pool().and_then(|pool| pool.name());
        let place = (pool.unwrap_or_default(), v.name().unwrap_or_default());
        user_of(&v.connect()?, &path, &place).map_err(Failure::from)
    });
    match found {
        Ok(Some(guest)) => Err(vol
            .error(ctx, failure(&guest), "", verb)
            .with_hint(HINT)
            .throw()),
        _ => Ok(()),
    }
}

/// Refuses to make a volume in place of a saved guest's disk.
pub(crate) fn refuse_creation(
    ctx: &NativeCallContext,
    pool: &StoragePool,
    xml: &str,
    verb: impl std::fmt::Display,
) -> RhaiResultOf<()> {
    let name = Xml::parse(xml)
        .ok()
        .and_then(|xml| xml.find("name").ok().flatten());
    let Some(name) = name else { return Ok(()) };
    let found = pool.attempt("virConnectListAllDomains", move |p| {
        let target = Xml::parse(p.xml_desc(0)?).ok();
        let folder = target.and_then(|xml| xml.find("target/path").ok().flatten());
        let path = format!("{}/{name}", folder.unwrap_or_default());
        let place = (p.name()?, name.clone());
        user_of(&p.connect()?, &path, &place).map_err(Failure::from)
    });
    match found {
        Ok(Some(guest)) => Err(pool
            .error(ctx, failure(&guest), "", verb)
            .with_hint(HINT)
            .throw()),
        _ => Ok(()),
    }
}

/// Refuses to bring the running `dom` to a host that has a managed save of it.
pub(crate) fn refuse_arrival(
    ctx: &NativeCallContext,
    dom: &Domain,
    destination: &Connection,
) -> RhaiResultOf<()> {
    let uuid = dom.uuid().to_owned();
    let found = destination.attempt("virDomainLookupByUUIDString", move |connect| {
        let there = connect.lookup_domain_by_uuid_string(&uuid)?;
        Ok::<_, virt::error::Error>(exists(&there).then(|| there.name().unwrap_or_default()))
    });
    match found {
        Ok(Some(name)) => Err(refusal(
            ctx,
            &name,
            format!("migrate domain `{name}` here"),
            destination.uri(),
        )
        .throw()),
        _ => Ok(()),
    }
}

/// Refuses to start `dom` on a disk of another guest that is saved.
pub(crate) fn refuse_start(ctx: &NativeCallContext, dom: &Domain) -> RhaiResultOf<()> {
    let found = dom.attempt("virConnectListAllDomains", |d| {
        let xml = || d.xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE);
        let uuid = d.uuid_string()?;
        other_user(&d.connect()?, &uuid, xml).map_err(Failure::from)
    });
    match found {
        Ok(Some(other)) => Err(dom
            .error(ctx, shared_disk(&other), "", "start")
            .with_hint(HINT)
            .throw()),
        _ => Ok(()),
    }
}

/// Refuses to create a guest from `xml` on a disk of another guest that is saved.
pub(crate) fn refuse_guest(
    ctx: &NativeCallContext,
    conn: &Connection,
    xml: &str,
    task: impl Task,
) -> RhaiResultOf<()> {
    let text = xml.to_owned();
    let found = conn.attempt("virConnectListAllDomains", move |connect| {
        other_user(connect, "", || Ok(text.clone())).map_err(Failure::from)
    });
    match found {
        Ok(Some(other)) => Err(conn
            .error(ctx, shared_disk(&other), "", task)
            .with_hint(HINT)
            .throw()),
        _ => Ok(()),
    }
}

/// Refuses a snapshot that gives the saved guest `dom` other disks.
pub(crate) fn refuse_snapshot(
    ctx: &NativeCallContext,
    dom: &Domain,
    xml: &str,
    flags: u32,
) -> RhaiResultOf<()> {
    let external = |xml: Xml| xml.has("disks/disk[@snapshot='external']").unwrap_or(false);
    let redefines = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE != 0;
    let disk_only = flags & virt_sys::VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY != 0;
    if redefines || !(disk_only || Xml::parse(xml).is_ok_and(external)) {
        return Ok(());
    }
    let saved = dom.attempt("virDomainHasManagedSaveImage", |d| {
        Ok::<_, Failure>(exists(d))
    });
    match saved {
        Ok(true) => Err(dom
            .error(ctx, failure(&dom.name()), "", "take a snapshot of")
            .with_hint(HINT)
            .throw()),
        _ => Ok(()),
    }
}

fn shared_disk(other: &str) -> Failure {
    Failure::new(
        virt_sys::VIR_ERR_OPERATION_INVALID,
        format!(
            "it has a disk of the domain `{other}`, which has a managed save image: the memory in that would no longer match the disk"
        ),
    )
}

/// The saved guest, other than the one with the UUID `uuid`, that has one of the writable disks that `xml` describes.
fn other_user(
    connect: &Connect,
    uuid: &str,
    xml: impl Fn() -> Result<String, virt::error::Error>,
) -> Result<Option<String>, virt::error::Error> {
    let saved = connect.list_all_domains(virt_sys::VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)?;
    let mut others = Vec::new();
    for guest in saved {
        if guest.uuid_string()? != uuid {
            others.push(guest);
        }
    }
    // Most hosts have none, and no further call is made.
    if others.is_empty() {
        return Ok(None);
    }
    let disks = writable_disks(&xml()?);
    for guest in others {
        // The save names the disks that are resumed; the test driver cannot read one.
        let saved = libvirt::domain::managed_save_xml(&guest, 0).ok();
        let config = guest.xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE).ok();
        let mut texts = saved.iter().chain(&config);
        let shares = |text: &String| {
            let has = |(path, place): &(String, (String, String))| has_disk(text, path, place);
            disks.iter().any(has)
        };
        if texts.any(shares) && !is_under_way(&guest) {
            return guest.name().map(Some);
        }
    }
    Ok(None)
}

/// The path, and the pool and volume, of each disk in `xml` that its guest alone writes to.
fn writable_disks(xml: &str) -> Vec<(String, (String, String))> {
    let Ok(xml) = Xml::parse(xml) else {
        return Vec::new();
    };
    let disks = match xml.select("devices/disk") {
        Ok(Selected::Elements(disks)) => disks,
        _ => Vec::new(),
    };
    let own = |disk: &Xml| {
        let read = ["readonly", "shareable", ".[@device='cdrom']"];
        !read.iter().any(|path| disk.has(path).unwrap_or(false))
    };
    let source = |disk: &Xml| {
        let text = |path: &str| disk.find(path).ok().flatten().unwrap_or_default();
        let file = match text("source/@file") {
            file if file.is_empty() => text("source/@dev"),
            file => file,
        };
        (file, (text("source/@pool"), text("source/@volume")))
    };
    let named =
        |(path, (pool, _)): &(String, (String, String))| !path.is_empty() || !pool.is_empty();
    disks
        .iter()
        .filter(|disk| own(disk))
        .map(source)
        .filter(named)
        .collect()
}

/// The saved guest that has a disk at `path`, or in the volume `place` of a pool.
fn user_of(
    connect: &Connect,
    path: &str,
    place: &(String, String),
) -> Result<Option<String>, virt::error::Error> {
    for guest in connect.list_all_domains(virt_sys::VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)? {
        // The save names the disks that are resumed; the test driver cannot read one.
        let saved = libvirt::domain::managed_save_xml(&guest, 0).ok();
        let config = guest.xml_desc(virt_sys::VIR_DOMAIN_XML_INACTIVE).ok();
        let uses = |text: &String| has_disk(text, path, place);
        let used = saved.iter().chain(&config).any(uses);
        if used && !is_under_way(&guest) {
            return guest.name().map(Some);
        }
    }
    Ok(None)
}

fn has_disk(xml: &str, path: &str, (pool, volume): &(String, String)) -> bool {
    let Ok(xml) = Xml::parse(xml) else {
        return false;
    };
    let has = |place: &str, value: &str| {
        let texts = xml.texts(place);
        texts.is_ok_and(|texts| texts.iter().any(|text| text == value))
    };
    let volume = crate::xml::quoted(volume);
    has("devices/disk//source/@file", path)
        || has("devices/disk//source/@dev", path)
        || has(
            &format!("devices/disk/source[@volume={volume}]/@pool"),
            pool,
        )
}
