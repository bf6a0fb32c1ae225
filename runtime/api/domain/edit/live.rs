//! One change to a running guest.

use std::time::Duration;

use rhai::{EvalAltResult, NativeCallContext};
use virt_sys as sys;

use crate::api::domain::{Device, tray};
use crate::api::wait::until_detached;
use crate::error::Error;
use crate::libvirt::typed_params::{Scalar, TypedParams};
use crate::libvirt::{self, Failure, domain, tuning};
use crate::objects::domain::{Domain, Handle};

/// A call that sets parameters of a guest.
type Setter = fn(&Handle, &TypedParams, u32) -> libvirt::Result<()>;

/// Time limit for a guest to release a device, after libvirt's own five seconds.
const LETTING_GO: Duration = Duration::from_secs(5);

/// A change to a running guest: the new and the old value.
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

/// A set of limits with its own call.
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

    /// The order of changes: removals come first, since they make room for additions.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Detach(_) => 0,
            Self::Attach { .. } => 2,
            _ => 1,
        }
    }

    /// Makes the change.
    pub fn apply(&self, ctx: &NativeCallContext, dom: &Domain) -> Result<(), Failure> {
        let flags = sys::VIR_DOMAIN_AFFECT_LIVE;
        match self {
            Self::Detach(xml) => detach(ctx, dom, xml),
            Self::Attach { xml, elsewhere } => {
                let (xml, elsewhere) = (xml.clone(), elsewhere.clone());
                dom.attempt("virDomainAttachDeviceFlags", move |d| {
                    let attach = |xml: &str| d.attach_device_flags(xml, flags);
                    attach(&xml).or_else(|error| {
                        if xml == elsewhere {
                            Err(error)
                        } else {
                            attach(&elsewhere)
                        }
                    })
                })
            }
            Self::Update { new, .. } => tray::update(ctx, dom, new, flags),
            Self::Memory { new, .. } => {
                let new = *new;
                dom.attempt("virDomainSetMemoryFlags", move |d| {
                    d.set_memory_flags(new, flags)
                })
            }
            Self::Vcpus { new, .. } => {
                let new = *new;
                dom.attempt("virDomainSetVcpusFlags", move |d| {
                    d.set_vcpus_flags(new, flags)
                })
            }
            Self::Metadata { kind, new, .. } => {
                let (kind, new) = (kind.cast_signed(), new.clone());
                dom.attempt("virDomainSetMetadata", move |d| {
                    domain::set_metadata(d, kind, new.as_deref(), None, None, flags)
                })
            }
            Self::Lifecycle { when, new, .. } => {
                let (when, new) = (*when, *new);
                dom.attempt("virDomainSetLifecycleAction", move |d| {
                    tuning::set_lifecycle_action(d, when, new, flags)
                })
            }
            Self::Tune {
                what, name, new, ..
            } => {
                let mut params = TypedParams::default();
                params.add(name, new)?;
                let (call, set): (_, Setter) = match what {
                    Tune::Scheduler => (
                        "virDomainSetSchedulerParametersFlags",
                        tuning::set_scheduler_parameters_flags,
                    ),
                    Tune::Memory => (
                        "virDomainSetMemoryParameters",
                        tuning::set_memory_parameters,
                    ),
                    Tune::Blkio => ("virDomainSetBlkioParameters", tuning::set_blkio_parameters),
                };
                dom.attempt(call, move |d| set(d, &params, flags))
            }
        }
    }
}

/// Detaches the device that `xml` describes, and waits until the guest has released it.
fn detach(ctx: &NativeCallContext, dom: &Domain, xml: &str) -> Result<(), Failure> {
    let flags = sys::VIR_DOMAIN_AFFECT_LIVE;
    let call = "virDomainDetachDeviceFlags";
    let device = Device::from_xml(ctx, &xml.into()).map_err(|error| failure_of(&error))?;
    let ask = || {
        let xml = xml.to_owned();
        dom.call(ctx, call, "edit", move |d| {
            d.detach_device_flags(&xml, flags)
        })
    };
    match until_detached(ctx, dom, &device, LETTING_GO, ask).map_err(|error| failure_of(&error)) {
        // A guest without this device is already in the requested state.
        Err(failure) if failure.code == i64::from(sys::VIR_ERR_DEVICE_MISSING) => Ok(()),
        other => other,
    }
}

/// The failure that was thrown as `error`.
fn failure_of(error: &EvalAltResult) -> Failure {
    if let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner()
        && let Some(error) = value.read_lock::<Error>()
    {
        return Failure {
            code: error.number(),
            message: error.message().to_owned(),
            ..Failure::default()
        };
    }
    Failure::new(sys::VIR_ERR_OPERATION_ABORTED, "the script was stopped")
}
