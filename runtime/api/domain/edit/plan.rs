//! From the differences between two configurations to changes of a running guest.

use virt_sys as sys;

use super::live::{Live, Tune};
use crate::libvirt::typed_params::Scalar;
use crate::xml::{Difference, Place, Xml};

/// The XML of a domain at each stage of an edit.
pub(super) struct Stages {
    /// The configuration that was edited.
    pub before: Xml,
    /// The XML as the script changed it.
    pub wanted: Xml,
    /// The XML as libvirt defined it.
    pub after: Xml,
    /// The running guest.
    pub live: Xml,
}

/// The changes to the running guest that `difference` asks for; none if libvirt has no call
/// for it.
///
/// Differences of one device, or otherwise of one call, give the same change.
pub(super) fn changes(stages: &Stages, difference: &Difference) -> Vec<Live> {
    let steps = difference.steps();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    match steps.as_slice() {
        [tune @ ("cputune" | "memtune" | "blkiotune"), ..] => {
            let path = steps.get(1).map(|name| format!("{tune}/{name}"));
            let limits = LIMITS.iter().filter(|limit| match &path {
                Some(path) => limit.path == path,
                None => limit.path.starts_with(tune),
            });
            limits.filter_map(|limit| limit.change(stages)).collect()
        }
        _ => change(stages, difference, &steps).into_iter().collect(),
    }
}

fn change(stages: &Stages, difference: &Difference, steps: &[&str]) -> Option<Live> {
    match steps {
        ["devices", device, ..] if !device.starts_with("emulator") => {
            device_change(stages, difference, device, steps.len())
        }
        ["currentMemory", ..] => Some(Live::Memory {
            new: kib(&stages.after, "currentMemory")?,
            old: kib(&stages.live, "currentMemory")?,
        }),
        ["vcpu", "@current"] => Some(Live::Vcpus {
            new: vcpus(&stages.after)?,
            old: vcpus(&stages.live)?,
        }),
        [name @ ("title" | "description")] => Some(Live::Metadata {
            kind: match *name {
                "title" => sys::VIR_DOMAIN_METADATA_TITLE,
                _ => sys::VIR_DOMAIN_METADATA_DESCRIPTION,
            },
            new: text(&stages.after, name),
            old: text(&stages.live, name),
        }),
        [name @ ("on_poweroff" | "on_reboot" | "on_crash")] => Some(Live::Lifecycle {
            when: match *name {
                "on_poweroff" => sys::VIR_DOMAIN_LIFECYCLE_POWEROFF,
                "on_reboot" => sys::VIR_DOMAIN_LIFECYCLE_REBOOT,
                _ => sys::VIR_DOMAIN_LIFECYCLE_CRASH,
            },
            new: action(&stages.after, name)?,
            old: action(&stages.live, name)?,
        }),
        _ => None,
    }
}

fn device_change(
    stages: &Stages,
    difference: &Difference,
    device: &str,
    steps: usize,
) -> Option<Live> {
    let path = format!("devices/{device}");
    // A path that tells the device apart finds it in the running guest, where it can sit at
    // another address; by its place alone, another one might be found.
    let tells_apart = device.contains("[mac/") || device.contains("[target/");
    let running = if tells_apart {
        find(&stages.live, &path)
    } else {
        None
    };
    match difference.change() {
        "added" if steps == 2 => added(stages, difference),
        "removed" if steps == 2 => {
            let xml = running.or_else(|| find(&stages.before, &path))?;
            Some(Live::Detach(xml.text()))
        }
        _ => {
            let old = find(&stages.before, &path)?;
            let new = find(&stages.wanted, &path)?;
            let address = |xml: &Xml| xml.texts("address").ok();
            if let Some(running) = running.filter(|_| address(&old) == address(&new)) {
                at_the_place_of(&new, &running)?;
                at_the_place_of(&old, &running)?;
            }
            Some(Live::Update {
                new: new.text(),
                old: old.text(),
            })
        }
    }
}

/// A copy of the element that `path` leads to.
fn find(xml: &Xml, path: &str) -> Option<Xml> {
    let text = xml.texts(path).ok()?.into_iter().next()?;
    Xml::parse(text).ok()
}

/// Copies the address and the alias of the running device to `device`.
fn at_the_place_of(device: &Xml, running: &Xml) -> Option<()> {
    for part in ["address", "alias"] {
        device.remove(part).ok()?;
        for text in running.texts(part).ok()? {
            device.insert(".", Place::In, &text).ok()?;
        }
    }
    Some(())
}

/// The device that was added, as the configuration has it now, with the MAC address and the like
/// that libvirt chose for it, so that the guest finds the same at its next boot.
fn added(stages: &Stages, difference: &Difference) -> Option<Live> {
    let wanted = difference.to.clone()?;
    let alike = |found: &&Difference| found.change() == "added" && found.to == difference.to;
    let asked = stages.before.diff(&stages.wanted).ok()?;
    let number = asked
        .iter()
        .filter(alike)
        .position(|found| found.path == difference.path)?;
    let is_it = |found: &&Difference| {
        found.change() == "added"
            && found.steps().len() == 2
            && found.names() == difference.names()
            && found
                .to
                .as_deref()
                .is_some_and(|made| has_all(made, &wanted))
    };
    let made = stages.before.diff(&stages.after).ok()?;
    let made = made.iter().filter(is_it).nth(number);
    let xml = made
        .and_then(|made| made.to.clone())
        .unwrap_or_else(|| wanted.clone());

    let elsewhere = Xml::parse(xml.as_str()).ok()?;
    if !Xml::parse(wanted).ok()?.has("address").ok()? {
        elsewhere.remove("address").ok()?;
    }
    Some(Live::Attach {
        xml,
        elsewhere: elsewhere.text(),
    })
}

/// True if `made` contains everything in `wanted`; it may contain more.
fn has_all(made: &str, wanted: &str) -> bool {
    let differences = Xml::parse(wanted).and_then(|wanted| wanted.diff(&Xml::parse(made)?));
    differences.is_ok_and(|all| all.iter().all(|found| found.change() == "added"))
}

fn text(xml: &Xml, path: &str) -> Option<String> {
    xml.find(path).ok().flatten()
}

fn number<T: std::str::FromStr>(xml: &Xml, path: &str) -> Option<T> {
    text(xml, path)?.trim().parse().ok()
}

/// A size in KiB, which is libvirt's unit where it writes the XML.
fn kib(xml: &Xml, path: &str) -> Option<u64> {
    let size: u64 = number(xml, path)?;
    let bytes = match text(xml, &format!("{path}/@unit")).as_deref() {
        None | Some("KiB" | "k") => return Some(size),
        Some("b" | "bytes") => 1,
        Some("KB") => 1000,
        Some("M" | "MiB") => 1 << 20,
        Some("MB") => 1_000_000,
        Some("G" | "GiB") => 1 << 30,
        Some("GB") => 1_000_000_000,
        Some("T" | "TiB") => 1 << 40,
        Some("TB") => 1_000_000_000_000,
        Some(_) => return None,
    };
    size.checked_mul(bytes).map(|bytes| bytes / 1024)
}

/// The number of the guest's vcpus that are in use.
fn vcpus(xml: &Xml) -> Option<u32> {
    number(xml, "vcpu/@current").or_else(|| number(xml, "vcpu"))
}

/// libvirt's number for the action at the end of a guest's life.
fn action(xml: &Xml, path: &str) -> Option<u32> {
    Some(match text(xml, path)?.as_str() {
        "destroy" => sys::VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY,
        "restart" => sys::VIR_DOMAIN_LIFECYCLE_ACTION_RESTART,
        "rename-restart" => sys::VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME,
        "preserve" => sys::VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE,
        "coredump-destroy" => sys::VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY,
        "coredump-restart" => sys::VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART,
        _ => return None,
    })
}

/// The C type of a limit.
#[derive(Clone, Copy)]
enum Type {
    ULong,
    Long,
    UInt,
    Kib,
}

/// A limit that can be changed in a running guest: its place in the XML, and libvirt's name for it.
struct Limit {
    path: &'static str,
    what: Tune,
    name: &'static str,
    kind: Type,
}

const fn limit(path: &'static str, what: Tune, name: &'static str, kind: Type) -> Limit {
    Limit {
        path,
        what,
        name,
        kind,
    }
}

static LIMITS: &[Limit] = &[
    limit("cputune/shares", Tune::Scheduler, "cpu_shares", Type::ULong),
    limit(
        "cputune/period",
        Tune::Scheduler,
        "vcpu_period",
        Type::ULong,
    ),
    limit("cputune/quota", Tune::Scheduler, "vcpu_quota", Type::Long),
    limit(
        "cputune/global_period",
        Tune::Scheduler,
        "global_period",
        Type::ULong,
    ),
    limit(
        "cputune/global_quota",
        Tune::Scheduler,
        "global_quota",
        Type::Long,
    ),
    limit(
        "cputune/emulator_period",
        Tune::Scheduler,
        "emulator_period",
        Type::ULong,
    ),
    limit(
        "cputune/emulator_quota",
        Tune::Scheduler,
        "emulator_quota",
        Type::Long,
    ),
    limit(
        "cputune/iothread_period",
        Tune::Scheduler,
        "iothread_period",
        Type::ULong,
    ),
    limit(
        "cputune/iothread_quota",
        Tune::Scheduler,
        "iothread_quota",
        Type::Long,
    ),
    limit("memtune/hard_limit", Tune::Memory, "hard_limit", Type::Kib),
    limit("memtune/soft_limit", Tune::Memory, "soft_limit", Type::Kib),
    limit(
        "memtune/swap_hard_limit",
        Tune::Memory,
        "swap_hard_limit",
        Type::Kib,
    ),
    limit("blkiotune/weight", Tune::Blkio, "weight", Type::UInt),
];

impl Limit {
    /// The change to the limit that the configuration has now; one that was taken away stays in
    /// force until the next boot.
    fn change(&self, stages: &Stages) -> Option<Live> {
        let new = self.value(&stages.after)?;
        let old = self.value(&stages.live);
        (old.as_ref() != Some(&new)).then_some(Live::Tune {
            what: self.what,
            name: self.name,
            new,
            old,
        })
    }

    fn value(&self, xml: &Xml) -> Option<Scalar> {
        Some(match self.kind {
            Type::ULong => Scalar::ULong(number(xml, self.path)?),
            Type::Long => Scalar::Long(number(xml, self.path)?),
            Type::UInt => Scalar::UInt(number(xml, self.path)?),
            Type::Kib => Scalar::ULong(kib(xml, self.path)?),
        })
    }
}
