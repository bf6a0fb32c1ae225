//! One change to a running guest.

use std::time::{Duration, Instant};

use virt::domain::Domain as Handle;
use virt_sys as sys;

use crate::api::domain::Domain;
use crate::libvirt::typed_params::{Scalar, TypedParams};
use crate::libvirt::{Failure, domain, tuning};
use crate::watch::Outcome;
use crate::xml::Xml;

/// How long a guest has to let go of a device.
const LETTING_GO: Duration = Duration::from_secs(10);

/// A change to a running guest: what is to be, and what was.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Live {
    /// A device, at its address in the configuration or `elsewhere`.
    Attach {
        xml: String,
        elsewhere: String,
    },
    Detach(String),
    Update {
        new: String,
        old: String,
    },
    /// The balloon, in KiB.
    Memory {
        new: u64,
        old: u64,
    },
    Vcpus {
        new: u32,
        old: u32,
    },
    Metadata {
        kind: u32,
        new: Option<String>,
        old: Option<String>,
    },
    Lifecycle {
        when: u32,
        new: u32,
        old: u32,
    },
    Tune {
        what: Tune,
        name: &'static str,
        new: Scalar,
        old: Option<Scalar>,
    },
}

/// A set of limits, which has a call of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tune {
    Scheduler,
    Memory,
    Blkio,
}

impl Live {
    /// The change back.
    pub fn inverse(self) -> Option<Self> {
        Some(match self {
            Self::Attach { elsewhere, .. } => Self::Detach(elsewhere),
            Self::Detach(xml) => Self::Attach {
                elsewhere: xml.clone(),
                xml,
            },
            Self::Update { new, old } => Self::Update { new: old, old: new },
            Self::Memory { new, old } => Self::Memory { new: old, old: new },
            Self::Vcpus { new, old } => Self::Vcpus { new: old, old: new },
            Self::Metadata { kind, new, old } => Self::Metadata {
                kind,
                new: old,
                old: new,
            },
            Self::Lifecycle { when, new, old } => Self::Lifecycle {
                when,
                new: old,
                old: new,
            },
            Self::Tune {
                what,
                name,
                new,
                old,
            } => Self::Tune {
                what,
                name,
                new: old?,
                old: Some(new),
            },
        })
    }

    /// Which changes come first: what goes makes room for what comes.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Detach(_) => 0,
            Self::Attach { .. } => 2,
            _ => 1,
        }
    }

    /// Makes the change.
    pub fn apply(&self, dom: &Domain) -> Result<(), Failure> {
        let flags = sys::VIR_DOMAIN_AFFECT_LIVE;
        match self {
            Self::Detach(xml) => detach(dom, xml),
            Self::Attach { xml, elsewhere } => dom.attempt(|d| {
                let attach = |xml| d.attach_device_flags(xml, flags);
                attach(xml).or_else(|error| {
                    if xml == elsewhere {
                        Err(error)
                    } else {
                        attach(elsewhere)
                    }
                })
            }),
            Self::Update { new, .. } => dom.attempt(|d| d.update_device_flags(new, flags)),
            Self::Memory { new, .. } => dom.attempt(|d| d.set_memory_flags(*new, flags)),
            Self::Vcpus { new, .. } => dom.attempt(|d| d.set_vcpus_flags(*new, flags)),
            Self::Metadata { kind, new, .. } => dom.attempt(|d| {
                domain::set_metadata(d, kind.cast_signed(), new.as_deref(), None, None, flags)
            }),
            Self::Lifecycle { when, new, .. } => {
                dom.attempt(|d| tuning::set_lifecycle_action(d, *when, *new, flags))
            }
            Self::Tune {
                what, name, new, ..
            } => {
                let mut params = TypedParams::default();
                params.add(name, new)?;
                dom.attempt(|d| match what {
                    Tune::Scheduler => tuning::set_scheduler_parameters(d, &params, flags),
                    Tune::Memory => tuning::set_memory_parameters(d, &params, flags),
                    Tune::Blkio => tuning::set_blkio_parameters(d, &params, flags),
                })
            }
        }
    }
}

/// Detaches the device that `xml` describes, and waits until the guest has let go of it.
fn detach(dom: &Domain, xml: &str) -> Result<(), Failure> {
    let kind = Xml::parse(xml).map(|xml| xml.name()).unwrap_or_default();
    let before = count(dom, &kind)?;
    let watch = dom.connection().watch()?;
    let mut place = watch.now();
    watch.follow("device_removed")?;
    // Not every driver has it.
    let _ = watch.follow("device_removal_failed");
    let deadline = Instant::now().checked_add(LETTING_GO);
    let detached: Result<(), Failure> =
        dom.attempt(|d| d.detach_device_flags(xml, sys::VIR_DOMAIN_AFFECT_LIVE));
    match detached {
        // A guest that has no such device is as it is wanted.
        Err(failure) if failure.code == i64::from(sys::VIR_ERR_DEVICE_MISSING) => return Ok(()),
        other => other?,
    }

    let interrupt = dom.connection().session().interrupt();
    loop {
        if count(dom, &kind)? < before {
            return Ok(());
        }
        let told = watch.wait(&mut place, deadline, interrupt, |event| {
            let ours = event.uuid == dom.uuid();
            match event.kind {
                "device_removed" if ours => Some(true),
                "device_removal_failed" if ours => Some(false),
                _ => None,
            }
        });
        match told {
            Outcome::Found(true) => {}
            Outcome::Found(false) => return Err(kept("the guest refused to let go of it")),
            Outcome::TimedOut if count(dom, &kind)? < before => return Ok(()),
            Outcome::TimedOut => {
                return Err(kept("the guest has not let go of it, and may still do so"));
            }
            Outcome::Stopped => return Err(kept("the script was stopped")),
            Outcome::Lost => {
                return Err(Failure::new(
                    sys::VIR_ERR_RPC,
                    "the connection was lost (End of file)",
                ));
            }
        }
    }
}

fn kept(why: &str) -> Failure {
    Failure::new(sys::VIR_ERR_OPERATION_FAILED, why)
}

/// How many devices of a kind the guest has.
fn count(dom: &Domain, kind: &str) -> Result<usize, Failure> {
    let xml = dom.attempt(|d: &Handle| d.xml_desc(0))?;
    let devices = Xml::parse(xml).and_then(|xml| xml.texts(&format!("devices/{kind}")));
    devices
        .map(|devices| devices.len())
        .map_err(|fault| Failure::new(sys::VIR_ERR_XML_ERROR, fault.message))
}
