//! The channels and the screens of a guest.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use super::{Stream, console};
use crate::api::arguments::{RhaiResultOf, flag_bits, number, optional_text};
use crate::libvirt::{self, Failure};
use crate::objects::domain::Domain;

fn no_socket(error: std::io::Error) -> Failure {
    let message = format!("cannot create a socket: {error}");
    Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message)
}

#[export_module]
pub(super) mod functions {
    /// Opens a channel of the guest, such as `"org.example.0"`, or `()` for the first, and collects what the guest
    /// writes to it from then on.
    ///
    /// ```rhai,qemu
    /// let dom = connect().create_xml(`<domain type="qemu"><name>line</name><memory>32768</memory>
    ///     <os><type>hvm</type></os><devices><channel type="unix"><target type="virtio" name="line.0"/></channel>
    ///     </devices></domain>`, VIR_DOMAIN_START_PAUSED);
    /// let line = dom.open_channel("line.0");
    /// line.write("hello\n");
    /// assert(dom.xml().get("devices/channel/target/@state") != ());
    /// dom.destroy();
    /// ```
    /// Calls virDomainOpenChannel, virStreamEventAddCallback, virStreamEventRemoveCallback.
    #[rhai_fn(name = "open_channel", pure, return_raw)]
    pub fn open_channel(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: Dynamic,
    ) -> RhaiResultOf<Stream> {
        open_channel_flags(ctx, dom, name, 0)
    }

    /// Opens a channel of the guest; flags: `VIR_DOMAIN_CHANNEL_FORCE` disconnects another client.
    ///
    /// ```rhai,qemu
    /// let dom = connect().create_xml(`<domain type="qemu"><name>line</name><memory>32768</memory>
    ///     <os><type>hvm</type></os><devices><channel type="unix"><target type="virtio" name="line.0"/></channel>
    ///     </devices></domain>`, VIR_DOMAIN_START_PAUSED);
    /// let line = dom.open_channel((), VIR_DOMAIN_CHANNEL_FORCE);
    /// assert_eq(line.read(), "");
    /// dom.destroy();
    /// ```
    /// Calls virDomainOpenChannel, virStreamEventAddCallback, virStreamEventRemoveCallback.
    #[rhai_fn(name = "open_channel", pure, return_raw)]
    pub fn open_channel_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<Stream> {
        let name = optional_text(&ctx, "the channel", &name)?;
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virDomainOpenChannel";
        console::open(&ctx, dom, ("channel", call), move |d, stream| {
            libvirt::stream::open_channel(d, name.as_deref(), stream, wanted)
        })
    }

    /// Opens the guest's screen number `index`, counted from 0, for reading and writing its protocol, such as VNC. The
    /// libvirt host must be this machine.
    ///
    /// ```rhai,qemu
    /// let dom = connect().create_xml(`<domain type="qemu"><name>screen</name><memory>32768</memory>
    ///     <os><type>hvm</type></os><devices><graphics type="vnc" socket="/tmp/vnc.sock"/><video><model type="cirrus"/></video>
    ///     </devices></domain>`, VIR_DOMAIN_START_PAUSED);
    /// let screen = dom.open_graphics(0);
    /// screen.wait("RFB 003.", "30s");
    /// dom.destroy();
    /// ```
    /// Calls virDomainOpenGraphics.
    #[rhai_fn(name = "open_graphics", pure, return_raw)]
    pub fn open_graphics(
        ctx: NativeCallContext,
        dom: &mut Domain,
        index: i64,
    ) -> RhaiResultOf<Stream> {
        open_graphics_flags(ctx, dom, index, 0)
    }

    /// Opens a screen of the guest; flags: `VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH` needs no password.
    ///
    /// ```rhai,qemu
    /// let dom = connect().create_xml(`<domain type="qemu"><name>screen</name><memory>32768</memory>
    ///     <os><type>hvm</type></os><devices><graphics type="vnc" socket="/tmp/vnc.sock"/><video><model type="cirrus"/></video>
    ///     </devices></domain>`, VIR_DOMAIN_START_PAUSED);
    /// let screen = dom.open_graphics(0, VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH);
    /// screen.wait("RFB 003.", "30s");
    /// dom.destroy();
    /// ```
    /// Calls virDomainOpenGraphics.
    #[rhai_fn(name = "open_graphics", pure, return_raw)]
    pub fn open_graphics_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        index: i64,
        flags: i64,
    ) -> RhaiResultOf<Stream> {
        let index = number(&ctx, "the number of a screen", index)?;
        let wanted = flag_bits(&ctx, flags)?;
        console::open_socket(&ctx, dom, "virDomainOpenGraphics", move |d| {
            let (own, other) = UnixStream::pair().map_err(no_socket)?;
            libvirt::graphics::open(d, index, other.as_fd(), wanted).map(|()| own)
        })
    }

    /// Opens the guest's screen number `index` over a socket that libvirt creates; otherwise as `open_graphics`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().create_xml(`<domain type="qemu"><name>screen</name><memory>32768</memory>
    ///     <os><type>hvm</type></os><devices><graphics type="vnc" socket="/tmp/vnc.sock"/><video><model type="cirrus"/></video>
    ///     </devices></domain>`, VIR_DOMAIN_START_PAUSED);
    /// let screen = dom.open_graphics_fd(0);
    /// screen.wait("RFB 003.", "30s");
    /// dom.destroy();
    /// ```
    /// Calls virDomainOpenGraphicsFD.
    #[rhai_fn(name = "open_graphics_fd", pure, return_raw)]
    pub fn open_graphics_fd(
        ctx: NativeCallContext,
        dom: &mut Domain,
        index: i64,
    ) -> RhaiResultOf<Stream> {
        open_graphics_fd_flags(ctx, dom, index, 0)
    }

    /// Opens a screen of the guest over a socket that libvirt creates; flags:
    /// `VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().create_xml(`<domain type="qemu"><name>screen</name><memory>32768</memory>
    ///     <os><type>hvm</type></os><devices><graphics type="vnc" socket="/tmp/vnc.sock"/><video><model type="cirrus"/></video>
    ///     </devices></domain>`, VIR_DOMAIN_START_PAUSED);
    /// let screen = dom.open_graphics_fd(0, VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH);
    /// screen.wait("RFB 003.", "30s");
    /// dom.destroy();
    /// ```
    /// Calls virDomainOpenGraphicsFD.
    #[rhai_fn(name = "open_graphics_fd", pure, return_raw)]
    pub fn open_graphics_fd_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        index: i64,
        flags: i64,
    ) -> RhaiResultOf<Stream> {
        let index = number(&ctx, "the number of a screen", index)?;
        let wanted = flag_bits(&ctx, flags)?;
        console::open_socket(&ctx, dom, "virDomainOpenGraphicsFD", move |d| {
            libvirt::graphics::open_fd(d, index, wanted)
                .map(|file| UnixStream::from(OwnedFd::from(file)))
        })
    }
}
