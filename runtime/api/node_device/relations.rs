//! A device's parent and capabilities.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use crate::api::arguments::RhaiResultOf;
use crate::libvirt::node_device;
use crate::objects::node_device::{Handle, NodeDevice};

#[export_module]
pub(super) mod functions {
    /// The name of the parent device, or `()` for the top device.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.parent(), "computer");
    /// assert_eq(connect("test:///default").node_device_lookup_by_name("computer").parent(), ());
    /// ```
    /// Calls virNodeDeviceGetParent.
    #[rhai_fn(name = "parent", pure, return_raw)]
    pub fn parent(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<Dynamic> {
        let call = "virNodeDeviceGetParent";
        let parent = dev.call(&ctx, call, "look up the parent of", node_device::parent)?;
        Ok(parent.map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// The capabilities, such as `"pci"` or `"net"`.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.list_caps(), ["scsi_host"]);
    /// ```
    /// Calls virNodeDeviceListCaps.
    #[rhai_fn(name = "list_caps", pure, return_raw)]
    pub fn list_caps(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<Array> {
        let call = "virNodeDeviceListCaps";
        let names = dev.call(&ctx, call, "list the capabilities of", Handle::list_caps)?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// The number of capabilities.
    ///
    /// ```rhai
    /// let dev = connect("test:///default").node_device_lookup_by_name("scsi_host1");
    /// assert_eq(dev.num_of_caps(), 1);
    /// ```
    /// Calls virNodeDeviceNumOfCaps.
    #[rhai_fn(name = "num_of_caps", pure, return_raw)]
    pub fn num_of_caps(ctx: NativeCallContext, dev: &mut NodeDevice) -> RhaiResultOf<i64> {
        let call = "virNodeDeviceNumOfCaps";
        dev.call(&ctx, call, "count the capabilities of", Handle::num_of_caps)
            .map(i64::from)
    }
}
