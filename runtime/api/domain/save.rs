//! Writing a guest's memory to a file.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use super::Work;
use crate::api::arguments::{RhaiResultOf, SaveParameters, flag_bits, typed_params};
use crate::api::xml::{OptionalXmlText, optional_xml_text};
use crate::error::Error;
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::objects::granted::{Use, host_file};
use crate::vocabulary::OptionsOf;

#[export_module]
pub(super) mod functions {
    /// Writes the guest's memory to the file `path` on the hypervisor's host, and stops it.
    ///
    /// `conn.restore(path)` resumes the guest. The disks are not saved and must not change in between. If the save
    /// fails, the guest continues to run. A transient domain is gone afterwards. A test host, `test:///default`, needs
    /// `--allow-write PATH`. An interrupt aborts the save, and the guest continues to run.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.save("/tmp/web.save");
    /// assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "saved" });
    /// ```
    /// Calls virDomainSave.
    #[rhai_fn(name = "save", pure, return_raw)]
    pub fn save(ctx: NativeCallContext, dom: &mut Domain, path: &str) -> RhaiResultOf<()> {
        let path = host_file(&ctx, dom.connection(), path, Use::Write)?;
        dom.job(&ctx, Work::Save, "virDomainSave", "save", move |d| {
            libvirt::domain::save(d, &path)
        })
    }

    /// Writes the guest's memory to the file `path`, with changed XML, or `()`, and flags.
    ///
    /// `VIR_DOMAIN_SAVE_PAUSED` and `VIR_DOMAIN_SAVE_RUNNING` set the state after the restore.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.save("/tmp/web.save", (), 0);
    /// assert_eq(dom.state(), "shutoff");
    /// ```
    /// Calls virDomainSaveFlags.
    #[rhai_fn(name = "save", pure, return_raw)]
    pub fn save_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        path: &str,
        xml: OptionalXmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let xml = optional_xml_text(&ctx, "the XML", &xml)?;
        let path = &host_file(&ctx, dom.connection(), path, Use::Write)?;
        let wanted = flag_bits(&ctx, flags)?;
        let path = path.to_owned();
        dom.job(&ctx, Work::Save, "virDomainSaveFlags", "save", move |d| {
            libvirt::domain::save_flags(d, &path, xml.as_deref(), wanted)
        })
    }

    /// Writes the guest's memory with a map of parameters: `file`, `dxml`, and, with newer libvirt, `image_format` and
    /// `parallel.channels`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.save_params(#{ file: "/tmp/web.save" }, VIR_DOMAIN_SAVE_PAUSED);
    /// assert_eq(dom.state_reason().reason, "saved");
    /// ```
    /// Calls virDomainSaveParams.
    #[rhai_fn(pure, return_raw)]
    pub fn save_params(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<SaveParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let typed = typed_params(
            &ctx,
            SaveParameters::OPTIONS,
            SaveParameters::TYPES,
            &params,
        )?;
        match params.get("file").map(Dynamic::as_immutable_string_ref) {
            Some(Ok(path)) => {
                host_file(&ctx, dom.connection(), &path, Use::Write)?;
            }
            // Without a file libvirt makes a managed save, which is its own affair.
            None => {}
            Some(Err(kind)) => {
                return Err(
                    Error::invalid(&ctx, format!("`file` must be text, not {kind}")).throw(),
                );
            }
        }
        dom.job(&ctx, Work::Save, "virDomainSaveParams", "save", move |d| {
            libvirt::domain::save_params(d, &typed, wanted)
        })
    }
}
