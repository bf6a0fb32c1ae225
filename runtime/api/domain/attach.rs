//! Attaching, detaching and changing devices of a guest.

use rhai::NativeCallContext;
use rhai::plugin::*;

use super::device::Device;
use super::tray;
use crate::api::arguments::{DurationValue, RhaiResultOf, duration, flag_bits};
use crate::api::wait;
use crate::api::xml::XmlText;
use crate::error::OfXml;
use crate::libvirt;
use crate::objects::domain::Domain;

/// True if `flags` change the running guest, if it runs.
fn is_live(flags: u32) -> bool {
    let both = virt_sys::VIR_DOMAIN_AFFECT_LIVE | virt_sys::VIR_DOMAIN_AFFECT_CONFIG;
    flags & both != virt_sys::VIR_DOMAIN_AFFECT_CONFIG
}

fn detach(
    ctx: &NativeCallContext,
    dom: &Domain,
    device: &Device,
    flags: Option<u32>,
) -> RhaiResultOf<()> {
    let verb = format_args!("detach {device} from");
    let owned = device.text.clone();
    match flags {
        None => dom.call(ctx, "virDomainDetachDevice", verb, move |d| {
            d.detach_device(&owned)
        }),
        Some(flags) => dom.call(ctx, "virDomainDetachDeviceFlags", verb, move |d| {
            d.detach_device_flags(&owned, flags)
        }),
    }
    .of_xml(&device.text)
}

fn detach_alias(
    ctx: &NativeCallContext,
    dom: &Domain,
    device: &Device,
    flags: u32,
) -> RhaiResultOf<()> {
    let verb = format_args!("detach {device} from");
    let alias = device.text.clone();
    dom.call(ctx, "virDomainDetachDeviceAlias", verb, move |d| {
        libvirt::device::detach_alias(d, &alias, flags)
    })
}

#[export_module]
pub(super) mod functions {
    /// Adds a device, described by XML, to the running guest; its configuration does not change.
    ///
    /// Returns when the hypervisor has the device; the guest's system finds it a moment later.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.attach_device("<input type='mouse' bus='usb'/>");
    /// assert(dom.xml().has("devices/input[@type='mouse'][@bus='usb']"));
    /// dom.detach_device("<input type='mouse' bus='usb'/>");
    /// ```
    /// Calls virDomainAttachDevice.
    #[rhai_fn(name = "attach_device", pure, return_raw)]
    pub fn attach_device(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
    ) -> RhaiResultOf<()> {
        let device = Device::from_xml(&ctx, &xml)?;
        let verb = format_args!("attach {device} to");
        let owned = device.text.clone();
        dom.call(&ctx, "virDomainAttachDevice", verb, move |d| {
            libvirt::device::attach(d, &owned)
        })
        .of_xml(&device.text)
    }

    /// Adds a device; flags: `VIR_DOMAIN_AFFECT_LIVE` to the running guest, `VIR_DOMAIN_AFFECT_CONFIG` for its next
    /// start, or both.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let disk = "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>";
    /// dom.attach_device(disk, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert(dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/disk[@device='cdrom']"));
    /// ```
    /// Calls virDomainAttachDeviceFlags.
    #[rhai_fn(name = "attach_device", pure, return_raw)]
    pub fn attach_device_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let device = Device::from_xml(&ctx, &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("attach {device} to");
        let owned = device.text.clone();
        dom.call(&ctx, "virDomainAttachDeviceFlags", verb, move |d| {
            d.attach_device_flags(&owned, wanted)
        })
        .of_xml(&device.text)
    }

    /// Asks the running guest to release a device, described by XML.
    ///
    /// The guest may be slow, or have no system that answers: libvirt waits five seconds and then succeeds although the
    /// device is still there. Pass a timeout to wait for the removal.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.attach_device("<input type='tablet' bus='usb'/>");
    /// dom.detach_device("<input type='tablet' bus='usb'/>");
    /// assert(!dom.xml().has("devices/input[@type='tablet']"));
    /// ```
    /// Calls virDomainDetachDevice.
    #[rhai_fn(name = "detach_device", pure, return_raw)]
    pub fn detach_device(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
    ) -> RhaiResultOf<()> {
        detach(&ctx, dom, &Device::from_xml(&ctx, &xml)?, None)
    }

    /// Removes a device; flags: `VIR_DOMAIN_AFFECT_LIVE` from the running guest, which may keep it,
    /// `VIR_DOMAIN_AFFECT_CONFIG` for its next start, or both.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let both = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    /// dom.attach_device("<input type='mouse' bus='usb'/>", both);
    /// dom.detach_device("<input type='mouse' bus='usb'/>", both);
    /// assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/input[@bus='usb']"));
    /// ```
    /// Calls virDomainDetachDeviceFlags.
    #[rhai_fn(name = "detach_device", pure, return_raw)]
    pub fn detach_device_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        detach(&ctx, dom, &Device::from_xml(&ctx, &xml)?, Some(wanted))
    }

    /// Removes a device, and waits until the running guest has released it.
    ///
    /// Throws `VIR_ERR_OPERATION_FAILED` if the guest refuses, and `VIR_ERR_OPERATION_TIMEOUT` if it does not answer in
    /// time; the request remains, and a system that boots later grants it. libvirt waits up to five seconds before the
    /// timeout begins.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.attach_device("<input type='mouse' bus='usb'/>");
    /// dom.detach_device("<input type='mouse' bus='usb'/>", VIR_DOMAIN_AFFECT_LIVE, "10s");
    /// assert(!dom.xml().has("devices/input[@bus='usb']"));
    /// ```
    /// Calls virDomainDetachDeviceFlags.
    #[rhai_fn(name = "detach_device", pure, return_raw)]
    pub fn detach_device_within(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
        timeout: DurationValue,
    ) -> RhaiResultOf<()> {
        let device = Device::from_xml(&ctx, &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let timeout = duration(&ctx, &timeout)?;
        let ask = || detach(&ctx, dom, &device, Some(wanted));
        match is_live(wanted) {
            true => wait::until_detached(&ctx, dom, &device, timeout, ask),
            false => ask(),
        }
    }

    /// Asks the running guest to release the device with that alias, and returns at once; the event `device_removed`
    /// reports the removal.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// dom.attach_device("<input type='mouse' bus='usb'><alias name='ua-mouse'/></input>");
    /// let gone = #{ kind: "device_removed", device: "ua-mouse" };
    /// conn.wait_event(gone, "10s", || dom.detach_device_alias("ua-mouse"));
    /// ```
    /// Calls virDomainDetachDeviceAlias.
    #[rhai_fn(name = "detach_device_alias", pure, return_raw)]
    pub fn detach_device_alias(
        ctx: NativeCallContext,
        dom: &mut Domain,
        alias: &str,
    ) -> RhaiResultOf<()> {
        detach_alias(&ctx, dom, &Device::from_alias(alias), 0)
    }

    /// Removes the device with that alias; flags: from the running guest, which is asked and may keep it, from its
    /// configuration, or both.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let mouse = "<input type='mouse' bus='usb'><alias name='ua-mouse'/></input>";
    /// dom.attach_device(mouse, VIR_DOMAIN_AFFECT_CONFIG);
    /// dom.detach_device_alias("ua-mouse", VIR_DOMAIN_AFFECT_CONFIG);
    /// assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE).has("devices/input[@bus='usb']"));
    /// ```
    /// Calls virDomainDetachDeviceAlias.
    #[rhai_fn(name = "detach_device_alias", pure, return_raw)]
    pub fn detach_device_alias_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        alias: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        detach_alias(&ctx, dom, &Device::from_alias(alias), wanted)
    }

    /// Removes the device with that alias, and waits until the running guest has released it.
    ///
    /// Throws as `detach_device` with a timeout does.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.attach_device("<input type='mouse' bus='usb'><alias name='ua-mouse'/></input>");
    /// dom.detach_device_alias("ua-mouse", VIR_DOMAIN_AFFECT_LIVE, "10s");
    /// assert(!dom.xml().has("devices/input[@bus='usb']"));
    /// ```
    /// Calls virDomainDetachDeviceAlias.
    #[rhai_fn(name = "detach_device_alias", pure, return_raw)]
    pub fn detach_device_alias_within(
        ctx: NativeCallContext,
        dom: &mut Domain,
        alias: &str,
        flags: i64,
        timeout: DurationValue,
    ) -> RhaiResultOf<()> {
        let device = Device::from_alias(alias);
        let wanted = flag_bits(&ctx, flags)?;
        let timeout = duration(&ctx, &timeout)?;
        let ask = || detach_alias(&ctx, dom, &device, wanted);
        match is_live(wanted) {
            true => wait::until_detached(&ctx, dom, &device, timeout, ask),
            false => ask(),
        }
    }

    /// Changes a device to match the XML, such as a new medium in a CD drive: the device of a running guest, or the
    /// configuration of a guest that is off.
    ///
    /// The device is the one with the same target or address. If the guest has locked its CD drive, it is asked to open
    /// the tray and has 10 seconds for it; then the update throws. It also throws for parts that cannot be changed.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.destroy();
    /// let disk = dom.xml().select("devices/disk")[0];
    /// disk.set("serial", "A1");
    /// dom.update_device(disk);
    /// assert_eq(dom.xml().get("devices/disk/serial"), "A1");
    /// ```
    /// Calls virDomainUpdateDeviceFlags.
    #[rhai_fn(name = "update_device", pure, return_raw)]
    pub fn update_device(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
    ) -> RhaiResultOf<()> {
        update_device_flags(ctx, dom, xml, 0)
    }

    /// Changes a device; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`, or both, and
    /// `VIR_DOMAIN_DEVICE_MODIFY_FORCE` to open a CD drive that the guest has locked.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let disk = dom.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk")[0];
    /// disk.set("serial", "A1");
    /// dom.update_device(disk, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.xml(VIR_DOMAIN_XML_INACTIVE).get("devices/disk/serial"), "A1");
    /// ```
    /// Calls virDomainUpdateDeviceFlags.
    #[rhai_fn(name = "update_device", pure, return_raw)]
    pub fn update_device_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let device = Device::from_xml(&ctx, &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("update {device} of");
        tray::update(&ctx, dom, &device.text, wanted)
            .map_err(|failure| {
                let error = dom.error(&ctx, failure, "virDomainUpdateDeviceFlags", verb);
                error.throw()
            })
            .of_xml(&device.text)
    }
}
