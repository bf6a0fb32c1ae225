//! Detaches devices from the host for a guest, and attaches them again.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, optional_text};
use crate::objects::node_device::{Handle, NodeDevice};

#[export_module]
pub(super) mod functions {
    /// Detaches the device from the host's driver, for a guest. The spelling of the name is libvirt's.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.dettach(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceDettach.
    #[rhai_fn(name = "dettach", pure, return_raw)]
    pub fn dettach(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceDettach", "detach", Handle::detach)
    }

    /// Detaches the device from the host's driver, for a guest, and attaches it to the driver `driver`, such as
    /// `"vfio"`; `()` lets libvirt choose. libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.detach((), 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceDetachFlags.
    #[rhai_fn(name = "detach", pure, return_raw)]
    pub fn detach(
        ctx: NativeCallContext,
        dev: &mut NodeDevice,
        driver: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let driver = optional_text(&ctx, "the driver", &driver)?;
        dev.call(&ctx, "virNodeDeviceDetachFlags", "detach", move |d| {
            d.detach_flags(driver.as_deref(), wanted)
        })
    }

    /// Returns the device to the host's driver.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.re_attach(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceReAttach.
    #[rhai_fn(name = "re_attach", pure, return_raw)]
    pub fn re_attach(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceReAttach", "give back", Handle::reattach)
    }

    /// Resets the device, which must be detached from the host's driver.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_throws(|| dev.reset(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeDeviceReset.
    #[rhai_fn(name = "reset", pure, return_raw)]
    pub fn reset(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<()> {
        dev.call(&ctx, "virNodeDeviceReset", "reset", Handle::reset)
    }
}
