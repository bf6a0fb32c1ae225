//! A guest's keyboard, screen and interrupt line.

use rhai::plugin::*;
use rhai::{Array, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::error::Error;
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::vocabulary::{Bytes, RecordOf, record};

fn press(
    ctx: &NativeCallContext,
    dom: &Domain,
    codeset: i64,
    hold_ms: i64,
    keys: &Array,
    flags: i64,
) -> RhaiResultOf<()> {
    let codeset = number(ctx, "the code set", codeset)?;
    let hold_ms = number(ctx, "the time in milliseconds", hold_ms)?;
    let wanted = flag_bits(ctx, flags)?;
    let mut codes = Vec::with_capacity(keys.len());
    for key in keys {
        let code = key.as_int().map_err(|kind| {
            Error::invalid(ctx, format!("a key code is a whole number, not {kind}")).throw()
        })?;
        codes.push(number(ctx, "a key code", code)?);
    }
    dom.call(ctx, "virDomainSendKey", "send keys to", move |d| {
        libvirt::domain::send_key(d, codeset, hold_ms, &mut codes.clone(), wanted)
    })
}

record! {
    /// Picture of a guest's screen.
    pub(crate) struct Screenshot {
        /// Type of the picture, such as `image/png`.
        mime: String,
        /// The picture.
        data: Bytes,
    }
}

#[export_module]
pub(super) mod functions {
    /// Presses keys together and releases them after `hold_ms` milliseconds; `keys` are codes of
    /// `codeset`, such as `VIR_KEYCODE_SET_LINUX`, 16 at most.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.send_key(VIR_KEYCODE_SET_LINUX, 50, [29, 56, 111]);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainSendKey.
    #[rhai_fn(name = "send_key", pure, return_raw)]
    pub fn send_key(
        ctx: NativeCallContext,
        dom: &mut Domain,
        codeset: i64,
        hold_ms: i64,
        keys: Array,
    ) -> RhaiResultOf<()> {
        press(&ctx, dom, codeset, hold_ms, &keys, 0)
    }

    /// Presses keys together; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.send_key(VIR_KEYCODE_SET_LINUX, 50, [28], 0);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainSendKey.
    #[rhai_fn(name = "send_key", pure, return_raw)]
    pub fn send_key_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        codeset: i64,
        hold_ms: i64,
        keys: Array,
        flags: i64,
    ) -> RhaiResultOf<()> {
        press(&ctx, dom, codeset, hold_ms, &keys, flags)
    }

    /// Sends the guest a non-maskable interrupt (NMI), on which many kernels dump or halt.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.inject_nmi();
    /// assert(dom.is_active());
    /// ```
    /// Calls virDomainInjectNMI.
    #[rhai_fn(name = "inject_nmi", pure, return_raw)]
    pub fn inject_nmi(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        inject_nmi_flags(ctx, dom, 0)
    }

    /// Sends the guest a non-maskable interrupt (NMI); libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.inject_nmi(0);
    /// assert(dom.is_active());
    /// ```
    /// Calls virDomainInjectNMI.
    #[rhai_fn(name = "inject_nmi", pure, return_raw)]
    pub fn inject_nmi_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(&ctx, "virDomainInjectNMI", "interrupt", move |d| {
            libvirt::domain::inject_nmi(d, wanted)
        })
    }

    /// A screenshot of the guest's first screen, as `#{ mime, data }` with the bytes in a blob.
    ///
    /// ```rhai
    /// let shot = connect("test:///default").lookup_by_name("test").screenshot();
    /// assert_eq(shot.mime, "image/png");
    /// assert(shot.data.len() > 0);
    /// ```
    /// Calls virDomainScreenshot.
    #[rhai_fn(name = "screenshot", pure, return_raw)]
    pub fn screenshot(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<Screenshot>> {
        screenshot_flags(ctx, dom, 0, 0)
    }

    /// A screenshot of the guest's screen with the number `screen`; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let shot = connect("test:///default").lookup_by_name("test").screenshot(0, 0);
    /// assert_eq(shot.mime, "image/png");
    /// ```
    /// Calls virDomainScreenshot.
    #[rhai_fn(name = "screenshot", pure, return_raw)]
    pub fn screenshot_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        screen: i64,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<Screenshot>> {
        let screen = number(&ctx, "the screen", screen)?;
        let wanted = flag_bits(&ctx, flags)?;
        let (mime, data) = dom.call(
            &ctx,
            "virDomainScreenshot",
            "take a screenshot of",
            move |d| libvirt::screenshot::take(d, screen, wanted),
        )?;
        let data = Bytes(data);
        Ok(Screenshot { mime, data }.into_map())
    }

    /// Makes the running guest's screens load their TLS certificates again, after a renewal:
    /// `VIR_DOMAIN_GRAPHICS_RELOAD_TYPE_VNC`, or `_ANY`. Needs libvirt 10.2.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.graphics_reload(VIR_DOMAIN_GRAPHICS_RELOAD_TYPE_ANY);
    ///     assert(dom.is_active());
    /// } catch (err) {
    ///     // libvirt is older than 10.2.
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virDomainGraphicsReload.
    #[rhai_fn(name = "graphics_reload", pure, return_raw)]
    pub fn graphics_reload(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: i64,
    ) -> RhaiResultOf<()> {
        graphics_reload_flags(ctx, dom, kind, 0)
    }

    /// Makes the running guest's screens load their TLS certificates again; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.graphics_reload(VIR_DOMAIN_GRAPHICS_RELOAD_TYPE_ANY, 0);
    ///     assert(dom.is_active());
    /// } catch (err) {
    ///     // libvirt is older than 10.2.
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virDomainGraphicsReload.
    #[rhai_fn(name = "graphics_reload", pure, return_raw)]
    pub fn graphics_reload_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let kind = number(&ctx, "the kind of screen", kind)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainGraphicsReload",
            "reload the graphics of",
            move |d| libvirt::graphics::reload(d, kind, wanted),
        )
    }
}
