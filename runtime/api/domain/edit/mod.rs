//! Changes a domain by its XML, in the configuration and in the running guest.

mod live;
mod plan;

use rhai::plugin::*;
use rhai::{Array, Dynamic, FnPtr, NativeCallContext};
use virt::connect::Connect;
use virt_sys as sys;

use crate::api::arguments::{ArrayOf, RhaiResultOf};
use crate::api::xml::OrThrow;
use crate::error::{Error, OfXml};
use crate::libvirt::Failure;
use crate::objects::domain::Domain;
use crate::run::exit::terminated;
use crate::vocabulary::{DifferenceKind, EditEffect, RecordOf, Word, record};
use crate::xml::{Difference, Xml};
use live::Live;
use plan::Stages;

/// The XML of the running guest, or of the configuration, with secrets: it is given back.
const LIVE: u32 = sys::VIR_DOMAIN_XML_SECURE;
const CONFIGURATION: u32 = sys::VIR_DOMAIN_XML_SECURE | sys::VIR_DOMAIN_XML_INACTIVE;

record! {
    /// Difference that an edit made, and its effect.
    pub(crate) struct Edited {
        /// Path of the element or attribute.
        path: String,
        /// The kind of the change.
        change: Word<DifferenceKind>,
        /// Old text; `()` if the element or attribute was added.
        from: Option<String>,
        /// New text; `()` if the element or attribute was removed.
        to: Option<String>,
        /// The time from which it is in force.
        effect: Word<EditEffect>,
        /// The reason why it is not live.
        reason: String,
    }
}

/// The outcome of a difference.
enum Effect {
    Live,
    NextBoot(&'static str),
    Impossible(String),
}

impl Effect {
    /// The difference with its outcome, for a script.
    fn of(self, difference: Difference) -> Dynamic {
        let change = difference.change();
        let (effect, reason) = match self {
            Self::Live => ("live", String::new()),
            Self::NextBoot(why) => ("next boot", why.to_owned()),
            Self::Impossible(why) => ("impossible", why),
        };
        let edited = Edited {
            path: difference.path,
            change: change.into(),
            from: difference.from,
            to: difference.to,
            effect: effect.into(),
            reason,
        };
        Dynamic::from_map(edited.into_map())
    }
}

/// An edit of a domain that is under way.
struct Edit<'a> {
    ctx: &'a NativeCallContext<'a>,
    dom: &'a Domain,
    persistent: bool,
    active: bool,
}

impl<'a> Edit<'a> {
    fn new(ctx: &'a NativeCallContext<'a>, dom: &'a Domain) -> RhaiResultOf<Self> {
        let call = "virDomainIsPersistent";
        let persistent = dom.call(ctx, call, "edit", |d| d.is_persistent())?;
        let active = dom.call(ctx, "virDomainIsActive", "edit", |d| d.is_active())?;
        Ok(Self {
            ctx,
            dom,
            persistent,
            active,
        })
    }

    fn fail(&self, failure: Failure, call: &'static str) -> Error {
        self.dom.error(self.ctx, failure, call, "edit")
    }

    fn read(&self, flags: u32) -> RhaiResultOf<Xml> {
        let text = self
            .dom
            .call(self.ctx, "virDomainGetXMLDesc", "edit", move |d| {
                d.xml_desc(flags)
            })?;
        crate::api::xml::parse(self.ctx, text)
    }

    fn differences(&self, from: &Xml, to: &Xml) -> RhaiResultOf<Vec<Difference>> {
        from.diff(to).or_throw(self.ctx)
    }

    /// Lets `action` change the XML and applies the changes.
    fn run(&self, action: &FnPtr) -> RhaiResultOf<Array> {
        // Another run could change the domain between the reading and the definition.
        let locked = self.dom.lock_for_run();
        locked.map_err(|failure| self.fail(failure, "").throw())?;
        let flags = if self.persistent { CONFIGURATION } else { LIVE };
        let before = self.read(flags)?;
        let wanted = crate::api::xml::parse(self.ctx, before.text())?;
        let _: Dynamic = action.call_within_context(self.ctx, (wanted.clone(),))?;
        let differences = self.differences(&before, &wanted)?;
        if differences.is_empty() {
            return Ok(Array::new());
        }
        self.check_identity(&before, &wanted)?;

        if self.persistent {
            let text = wanted.text();
            self.define(&text, sys::VIR_DOMAIN_DEFINE_VALIDATE)
                .of_xml(&text)?;
        }
        let result = self.take_over(before.clone(), wanted, differences);
        if result.is_err() && self.persistent {
            self.put_back(&before.text());
        }
        result
    }

    /// Refuses changes of the name or the UUID.
    fn check_identity(&self, before: &Xml, wanted: &Xml) -> RhaiResultOf<()> {
        let same = |path: &str| before.find(path) == wanted.find(path);
        let wrong = match (same("uuid"), same("name")) {
            (true, true) => return Ok(()),
            (false, _) => Error::invalid(self.ctx, "an edit cannot change the UUID of a domain")
                .with_hint("define a copy of the XML to make another domain"),
            (true, false) => Error::invalid(self.ctx, "an edit cannot change the name of a domain")
                .with_hint("`rename` does that"),
        };
        Err(wrong.throw())
    }

    fn define(&self, xml: &str, flags: u32) -> RhaiResultOf<()> {
        let call = "virDomainDefineXMLFlags";
        let xml = xml.to_owned();
        let name = self.dom.name();
        let define = move |connect: &Connect| connect.define_domain_xml_flags(&xml, flags);
        let defined = self.dom.connection().attempt_on(call, &name, define);
        defined
            .map(drop)
            .map_err(|failure| self.fail(failure, call).throw())
    }

    /// Puts the previous configuration back, whatever stops the script.
    fn put_back(&self, xml: &str) {
        let session = self.dom.connection().session();
        let _shield = session.interrupt().shield();
        // Not validated: libvirt accepted this definition before, perhaps without validating it.
        if let Err(error) = self.define(xml, 0) {
            session.note(&format!("cannot put the previous definition back: {error}"));
        }
    }

    /// Applies the changes that a running guest can take, and returns the outcome of each
    /// difference.
    fn take_over(
        &self,
        before: Xml,
        wanted: Xml,
        differences: Vec<Difference>,
    ) -> RhaiResultOf<Array> {
        let after = if self.persistent {
            self.read(CONFIGURATION)?
        } else {
            wanted.clone()
        };
        let kept = self.differences(&before, &after)?;
        let saved = !self.active && {
            let call = "virDomainHasManagedSaveImage";
            self.dom
                .attempt(call, |d| d.has_managed_save(0))
                .unwrap_or(false)
        };
        let live = if self.active {
            self.read(LIVE)?
        } else {
            after.clone()
        };
        let stages = Stages {
            before,
            wanted,
            after,
            live,
        };

        let plan: Vec<(Difference, Vec<Live>)> = differences
            .into_iter()
            .map(|difference| {
                let took = !self.persistent || is_kept(&difference, &kept);
                let changes = if took && self.active {
                    plan::changes(&stages, &difference)
                } else {
                    Vec::new()
                };
                (difference, changes)
            })
            .collect();
        let done = self.apply(plan.iter().flat_map(|(_, changes)| changes.clone()))?;

        let effects = plan.into_iter().map(|(difference, changes)| {
            let failed = done
                .iter()
                .filter(|(known, _)| changes.contains(known))
                .find_map(|(_, failed)| failed.clone());
            let effect = match failed {
                Some(why) => Effect::Impossible(why),
                None if !changes.is_empty() => Effect::Live,
                None if self.persistent && !is_kept(&difference, &kept) => {
                    Effect::Impossible("libvirt did not accept the change".into())
                }
                None if !self.persistent => Effect::Impossible(
                    "libvirt cannot change this in a running guest, and a transient domain has no next boot"
                        .into(),
                ),
                None if saved => Effect::NextBoot(
                    "the next start resumes the managed save, which has the previous configuration",
                ),
                None if self.active => Effect::NextBoot("libvirt cannot change this in a running guest"),
                None => Effect::NextBoot("the guest does not run"),
            };
            effect.of(difference)
        });
        Ok(effects.collect())
    }

    /// Makes each of `changes` once, and returns why one could not be made.
    ///
    /// If the script is stopped or the connection lost, all of them are undone.
    fn apply(
        &self,
        changes: impl Iterator<Item = Live>,
    ) -> RhaiResultOf<Vec<(Live, Option<String>)>> {
        let mut all: Vec<Live> = Vec::new();
        for change in changes {
            if !all.contains(&change) {
                all.push(change);
            }
        }
        all.sort_by_key(Live::rank);

        let interrupt = self.dom.connection().session().interrupt();
        let mut done = Vec::new();
        for change in all {
            let result = change.apply(self.ctx, self.dom);
            let failed = match &result {
                Err(failure) if failure.lost_connection() => Some(
                    self.fail(failure.clone(), "virDomainUpdateDeviceFlags")
                        .throw(),
                ),
                _ if interrupt.stopping().is_some() => Some(terminated(self.ctx)),
                _ => None,
            };
            done.push((change, result.err().map(|failure| failure.message)));
            if let Some(error) = failed {
                self.take_back(done);
                return Err(error);
            }
        }
        Ok(done)
    }

    /// Reverts changes to the running guest, the last first.
    fn take_back(&self, done: Vec<(Live, Option<String>)>) {
        let session = self.dom.connection().session();
        let _shield = session.interrupt().shield();
        let made = done
            .into_iter()
            .rev()
            .filter(|(_, failed)| failed.is_none());
        for inverse in made.filter_map(|(change, _)| change.inverse()) {
            if let Err(failure) = inverse.apply(self.ctx, self.dom) {
                session.note(&format!("cannot undo: {}", failure.message));
            }
        }
    }
}

/// True if libvirt's configuration now has the change `difference`.
fn is_kept(difference: &Difference, kept: &[Difference]) -> bool {
    let wanted = difference.names();
    kept.iter().any(|kept| {
        let names = kept.names();
        names.starts_with(&wanted) || wanted.starts_with(&names)
    })
}

#[export_module]
pub(super) mod functions {
    /// Lets `action` change the domain's XML and applies the changes: to the configuration, and to the running guest as
    /// far as the hypervisor can.
    ///
    /// `action` gets the configuration as an `Xml`, or the running guest's XML for a transient domain. The changed XML
    /// is checked against libvirt's schema and defined; if that fails, or `action` throws, or the script is stopped,
    /// the previous definition stays.
    ///
    /// Returns the differences as `diff` does, each with its `effect`: `"live"`, in force in the running guest and the
    /// configuration; `"next boot"`, only in the configuration; or `"impossible"`, if libvirt refused the change to the
    /// running guest or did not apply it. `reason` says why a change is not live. Devices are attached, detached and
    /// updated; memory, vcpus, title, description, actions at the end of life and limits are set. A guest has 10
    /// seconds to release a device.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let changes = dom.edit(|xml| {
    ///     xml.set("title", "Web server");
    ///     xml.set("memory", 4194304);
    /// });
    /// assert_eq(changes.map(|change| `${change.path}: ${change.effect}`), ["memory: next boot", "title: live"]);
    /// ```
    /// Calls virDomainGetXMLDesc, virDomainDefineXMLFlags, virDomainAttachDeviceFlags, virDomainDetachDeviceFlags, virDomainUpdateDeviceFlags, virDomainSetMemoryFlags, virDomainSetVcpusFlags, virDomainSetMetadata, virDomainSetLifecycleAction, virDomainSetSchedulerParametersFlags, virDomainSetMemoryParameters, virDomainSetBlkioParameters.
    #[rhai_fn(pure, return_raw)]
    pub fn edit(
        ctx: NativeCallContext,
        dom: &mut Domain,
        action: FnPtr,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Edited>>> {
        Edit::new(&ctx, dom)?.run(&action)
    }
}
