//! Groups of disks of a guest that share limits.

use rhai::NativeCallContext;
use rhai::plugin::*;

use super::device_limits::BlockIoTune;
use crate::api::arguments::{RhaiResultOf, flag_bits, typed_params};
use crate::libvirt::tuning;
use crate::objects::domain::Domain;
use crate::vocabulary::OptionsOf;

#[export_module]
pub(super) mod functions {
    /// Creates or changes the throttle group `group`. All disks in the group share its limits; the keys are those of
    /// `block_io_tune`. Needs libvirt 11.2.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>throttled</name><memory>32768</memory>
    ///     <os><type>hvm</type></os></domain>`);
    /// try {
    ///     dom.set_throttle_group("slow", #{ total_bytes_sec: "1MiB" });
    ///     assert(dom.xml_desc().contains("<group_name>slow</group_name>"));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// dom.undefine();
    /// ```
    /// Calls virDomainSetThrottleGroup.
    #[rhai_fn(name = "set_throttle_group", pure, return_raw)]
    pub fn set_throttle_group(
        ctx: NativeCallContext,
        dom: &mut Domain,
        group: &str,
        params: OptionsOf<BlockIoTune>,
    ) -> RhaiResultOf<()> {
        set_throttle_group_flags(ctx, dom, group, params, 0)
    }

    /// Creates or changes a throttle group; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>throttled</name><memory>32768</memory>
    ///     <os><type>hvm</type></os></domain>`);
    /// try {
    ///     dom.set_throttle_group("slow", #{ total_iops_sec: 50 }, VIR_DOMAIN_AFFECT_CONFIG);
    ///     assert(dom.xml_desc().contains("<total_iops_sec>50</total_iops_sec>"));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// dom.undefine();
    /// ```
    /// Calls virDomainSetThrottleGroup.
    #[rhai_fn(name = "set_throttle_group", pure, return_raw)]
    pub fn set_throttle_group_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        group: &str,
        params: OptionsOf<BlockIoTune>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        // libvirt 11.3 loses the name of the group in the definition unless the parameters have it too.
        let mut params = params;
        params
            .entry("group_name".into())
            .or_insert_with(|| group.into());
        let params = typed_params(&ctx, BlockIoTune::OPTIONS, BlockIoTune::TYPES, &params)?;
        let verb = format!("set the throttle group `{group}` of");
        let group = group.to_owned();
        dom.call(&ctx, "virDomainSetThrottleGroup", verb, move |d| {
            tuning::set_throttle_group(d, &group, &params, wanted)
        })
    }

    /// Removes the throttle group `group`, which must have no disks. Needs libvirt 11.2.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>throttled</name><memory>32768</memory>
    ///     <os><type>hvm</type></os></domain>`);
    /// try {
    ///     dom.set_throttle_group("slow", #{ total_bytes_sec: "1MiB" });
    ///     dom.del_throttle_group("slow");
    ///     assert(!dom.xml_desc().contains("throttlegroup"));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// dom.undefine();
    /// ```
    /// Calls virDomainDelThrottleGroup.
    #[rhai_fn(name = "del_throttle_group", pure, return_raw)]
    pub fn del_throttle_group(
        ctx: NativeCallContext,
        dom: &mut Domain,
        group: &str,
    ) -> RhaiResultOf<()> {
        del_throttle_group_flags(ctx, dom, group, 0)
    }

    /// Removes a throttle group; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().define_xml(`<domain type="qemu"><name>throttled</name><memory>32768</memory>
    ///     <os><type>hvm</type></os></domain>`);
    /// try {
    ///     dom.set_throttle_group("slow", #{ total_bytes_sec: "1MiB" }, VIR_DOMAIN_AFFECT_CONFIG);
    ///     dom.del_throttle_group("slow", VIR_DOMAIN_AFFECT_CONFIG);
    ///     assert(!dom.xml_desc().contains("throttlegroup"));
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// dom.undefine();
    /// ```
    /// Calls virDomainDelThrottleGroup.
    #[rhai_fn(name = "del_throttle_group", pure, return_raw)]
    pub fn del_throttle_group_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        group: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format!("remove the throttle group `{group}` of");
        let group = group.to_owned();
        dom.call(&ctx, "virDomainDelThrottleGroup", verb, move |d| {
            tuning::del_throttle_group(d, &group, wanted)
        })
    }
}
