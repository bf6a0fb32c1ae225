//! Managed saves: libvirt keeps the image and resumes it at the next start.

use rhai::NativeCallContext;
use rhai::plugin::*;

use super::Work;
use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::api::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::libvirt;
use crate::objects::domain::Domain;

#[export_module]
pub(super) mod functions {
    /// Saves the guest's memory in a file that libvirt manages, and stops the guest; `create` resumes it.
    ///
    /// The guest's clock stops meanwhile, and is late by that time when the guest is resumed: `set_time(#{},
    /// VIR_DOMAIN_TIME_SYNC)` makes its agent set it.
    ///
    /// Transient domains cannot be saved this way. A configuration that is defined after the save is in force only
    /// after the saved guest has stopped again.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.managed_save();
    /// assert(dom.has_managed_save_image());
    /// dom.create();
    /// assert_eq(dom.state_reason(), #{ state: "running", reason: "restored" });
    /// ```
    /// Calls virDomainManagedSave.
    #[rhai_fn(name = "managed_save", pure, return_raw)]
    pub fn managed_save(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        managed_save_flags(ctx, dom, 0)
    }

    /// Saves the guest's memory in a file that libvirt manages; flags: `VIR_DOMAIN_SAVE_PAUSED` and
    /// `VIR_DOMAIN_SAVE_RUNNING` set the state after the next start.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.managed_save(VIR_DOMAIN_SAVE_PAUSED);
    /// dom.create();
    /// assert_eq(dom.state(), "paused");
    /// ```
    /// Calls virDomainManagedSave.
    #[rhai_fn(name = "managed_save", pure, return_raw)]
    pub fn managed_save_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.job(&ctx, Work::Save, "virDomainManagedSave", "save", move |d| {
            d.managed_save(wanted)
        })
    }

    /// True if the guest has a managed save image.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").lookup_by_name("test").has_managed_save_image());
    /// ```
    /// Calls virDomainHasManagedSaveImage.
    #[rhai_fn(name = "has_managed_save_image", pure, return_raw)]
    pub fn has_managed_save_image(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        has_managed_save_image_flags(ctx, dom, 0)
    }

    /// True if the guest has a managed save image; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").lookup_by_name("test").has_managed_save_image(0));
    /// ```
    /// Calls virDomainHasManagedSaveImage.
    #[rhai_fn(name = "has_managed_save_image", pure, return_raw)]
    pub fn has_managed_save_image_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<bool> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainHasManagedSaveImage",
            "look for a managed save of",
            move |d| d.has_managed_save(wanted),
        )
    }

    /// Discards the managed save image; the next start boots the guest normally.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.managed_save();
    /// dom.managed_save_remove();
    /// assert(!dom.has_managed_save_image());
    /// ```
    /// Calls virDomainManagedSaveRemove.
    #[rhai_fn(name = "managed_save_remove", pure, return_raw)]
    pub fn managed_save_remove(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        managed_save_remove_flags(ctx, dom, 0)
    }

    /// Discards the managed save image; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.managed_save();
    /// dom.managed_save_remove(0);
    /// assert(!dom.has_managed_save_image());
    /// ```
    /// Calls virDomainManagedSaveRemove.
    #[rhai_fn(name = "managed_save_remove", pure, return_raw)]
    pub fn managed_save_remove_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainManagedSaveRemove",
            "remove the managed save of",
            move |d| d.managed_save_remove(wanted),
        )
    }

    /// The XML in the managed save image.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.managed_save();
    /// assert(dom.managed_save_get_xml_desc().contains("<name>web</name>"));
    /// ```
    /// Calls virDomainManagedSaveGetXMLDesc.
    #[rhai_fn(name = "managed_save_get_xml_desc", pure, return_raw)]
    pub fn managed_save_get_xml_desc(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<String> {
        managed_save_get_xml_desc_flags(ctx, dom, 0)
    }

    /// The XML in the managed save image; `VIR_DOMAIN_SAVE_IMAGE_XML_SECURE` includes secrets.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.managed_save();
    /// let xml = dom.managed_save_get_xml_desc(VIR_DOMAIN_SAVE_IMAGE_XML_SECURE);
    /// assert(xml.contains("<name>web</name>"));
    /// ```
    /// Calls virDomainManagedSaveGetXMLDesc.
    #[rhai_fn(name = "managed_save_get_xml_desc", pure, return_raw)]
    pub fn managed_save_get_xml_desc_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainManagedSaveGetXMLDesc",
            "read the managed save of",
            move |d| libvirt::domain::managed_save_xml(d, wanted),
        )
    }

    /// Changes the XML in the managed save image; parts that the guest can see must stay the same.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.managed_save();
    /// let xml = dom.managed_save_get_xml_desc();
    /// xml.replace("</name>", "</name><description>saved</description>");
    /// dom.managed_save_define_xml(xml, 0);
    /// assert(dom.managed_save_get_xml_desc().contains("<description>saved</description>"));
    /// ```
    /// Calls virDomainManagedSaveDefineXML.
    #[rhai_fn(pure, return_raw)]
    pub fn managed_save_define_xml(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let xml = xml_text(&ctx, "the XML", &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let owned = xml.clone();
        dom.call(
            &ctx,
            "virDomainManagedSaveDefineXML",
            "change the managed save of",
            move |d| libvirt::domain::managed_save_define_xml(d, &owned, wanted),
        )
        .of_xml(&xml)
    }
}
