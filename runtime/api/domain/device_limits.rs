//! The limits of a guest's disks and network cards, and the errors of its disks.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{MapOf, RhaiResultOf, SizeValue, bytes, flag_bits};
use crate::api::parameters::Parameters;
use crate::libvirt::{self, tuning};
use crate::objects::domain::Domain;
use crate::vocabulary::{DiskError, OptionsOf, ParamType, RecordOf, WordOf, parameters};

parameters! {
    /// Bandwidth of a network card: rates in KiB/s, bursts in KiB.
    pub(crate) struct InterfaceParameters = "VIR_DOMAIN_BANDWIDTH_", |_| ParamType::UInt;
}

parameters! {
    /// Limits of the input and output of a disk or a throttle group.
    pub(crate) struct BlockIoTune = "VIR_DOMAIN_BLOCK_IOTUNE_", |name| match name {
        "group_name" => ParamType::Text,
        name if name.contains("bytes_sec") && !name.ends_with("_length") => ParamType::Bytes,
        _ => ParamType::ULong,
    };
}

fn bandwidth(device: &str) -> Parameters<String> {
    Parameters {
        noun: format!("bandwidth of `{device}`"),
        options: InterfaceParameters::OPTIONS,
        types: InterfaceParameters::TYPES,
    }
}

fn disk_limits(disk: &str) -> Parameters<String> {
    Parameters {
        noun: format!("limits of disk `{disk}`"),
        options: BlockIoTune::OPTIONS,
        types: BlockIoTune::TYPES,
    }
}

#[export_module]
pub(super) mod functions {
    /// The bandwidth of a network card, given by its MAC address or the name of its target.
    ///
    /// `inbound.average`, `inbound.peak` and `inbound.floor` are in KiB/s, `inbound.burst` is in KiB; `outbound` has
    /// the same keys without `floor`. 0 means no limit.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.interface_parameters("aa:bb:cc:dd:ee:ff")["inbound.average"], 0);
    /// ```
    /// Calls virDomainGetInterfaceParameters.
    #[rhai_fn(name = "interface_parameters", pure, return_raw)]
    pub fn interface_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: &str,
    ) -> RhaiResultOf<RecordOf<InterfaceParameters>> {
        interface_parameters_flags(ctx, dom, device, 0)
    }

    /// The bandwidth of a network card; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let card = "aa:bb:cc:dd:ee:ff";
    /// assert_eq(dom.interface_parameters(card, VIR_DOMAIN_AFFECT_LIVE)["outbound.peak"], 0);
    /// ```
    /// Calls virDomainGetInterfaceParameters.
    #[rhai_fn(name = "interface_parameters", pure, return_raw)]
    pub fn interface_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: &str,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<InterfaceParameters>> {
        let (call, owned) = ("virDomainGetInterfaceParameters", device.to_owned());
        bandwidth(device).read(&ctx, dom, call, flags, move |d, flags| {
            tuning::interface_parameters(d, &owned, flags)
        })
    }

    /// Limits the bandwidth of a network card; the keys are those of `interface_parameters`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let card = "aa:bb:cc:dd:ee:ff";
    /// dom.set_interface_parameters(card, #{ "inbound.average": 1024 });
    /// assert_eq(dom.interface_parameters(card)["inbound.average"], 1024);
    /// ```
    /// Calls virDomainSetInterfaceParameters.
    #[rhai_fn(name = "set_interface_parameters", pure, return_raw)]
    pub fn set_interface_parameters(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: &str,
        params: OptionsOf<InterfaceParameters>,
    ) -> RhaiResultOf<()> {
        set_interface_parameters_flags(ctx, dom, device, params, 0)
    }

    /// Limits the bandwidth of a network card; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let card = "aa:bb:cc:dd:ee:ff";
    /// dom.set_interface_parameters(card, #{ "outbound.average": 512 }, VIR_DOMAIN_AFFECT_LIVE);
    /// assert_eq(dom.interface_parameters(card)["outbound.average"], 512);
    /// ```
    /// Calls virDomainSetInterfaceParameters.
    #[rhai_fn(name = "set_interface_parameters", pure, return_raw)]
    pub fn set_interface_parameters_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: &str,
        params: OptionsOf<InterfaceParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let (call, owned) = ("virDomainSetInterfaceParameters", device.to_owned());
        bandwidth(device).set(&ctx, dom, call, &params, flags, move |d, params, flags| {
            tuning::set_interface_parameters(d, &owned, params, flags)
        })
    }

    /// The limits of a disk's input and output; 0 means no limit.
    ///
    /// `total_`, `read_` and `write_` each have `bytes_sec` and `iops_sec`, such as `read_iops_sec`. The same keys with
    /// `_max` are the limits in a burst, and with `_max_length` the length of a burst in seconds. `size_iops_sec` is
    /// the size in bytes that counts as one operation. Disks with the same `group_name` share their limits.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.block_io_tune("vda").total_bytes_sec, 0);
    /// ```
    /// Calls virDomainGetBlockIoTune.
    #[rhai_fn(name = "block_io_tune", pure, return_raw)]
    pub fn block_io_tune(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
    ) -> RhaiResultOf<RecordOf<BlockIoTune>> {
        block_io_tune_flags(ctx, dom, disk, 0)
    }

    /// The limits of a disk's input and output; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.block_io_tune("vda", VIR_DOMAIN_AFFECT_CONFIG).read_iops_sec, 0);
    /// ```
    /// Calls virDomainGetBlockIoTune.
    #[rhai_fn(name = "block_io_tune", pure, return_raw)]
    pub fn block_io_tune_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<BlockIoTune>> {
        let (call, owned) = ("virDomainGetBlockIoTune", disk.to_owned());
        disk_limits(disk).read(&ctx, dom, call, flags, move |d, flags| {
            tuning::block_io_tune(d, &owned, flags)
        })
    }

    /// Limits a disk's input and output; the keys are those of `block_io_tune`. Limits in bytes are numbers or text
    /// such as `"10MiB"`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.set_block_io_tune("hda", #{ total_bytes_sec: "10MiB" });
    /// assert_eq(dom.block_io_tune("hda").total_bytes_sec, 10485760);
    /// ```
    /// Calls virDomainSetBlockIoTune.
    #[rhai_fn(name = "set_block_io_tune", pure, return_raw)]
    pub fn set_block_io_tune(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        params: OptionsOf<BlockIoTune>,
    ) -> RhaiResultOf<()> {
        set_block_io_tune_flags(ctx, dom, disk, params, 0)
    }

    /// Limits a disk's input and output; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.set_block_io_tune("hda", #{ read_iops_sec: 100 }, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.block_io_tune("hda", VIR_DOMAIN_AFFECT_CONFIG).read_iops_sec, 100);
    /// ```
    /// Calls virDomainSetBlockIoTune.
    #[rhai_fn(name = "set_block_io_tune", pure, return_raw)]
    pub fn set_block_io_tune_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        params: OptionsOf<BlockIoTune>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let (call, owned) = ("virDomainSetBlockIoTune", disk.to_owned());
        disk_limits(disk).set(&ctx, dom, call, &params, flags, move |d, params, flags| {
            tuning::set_block_io_tune(d, &owned, params, flags)
        })
    }

    /// Asks for one event `block_threshold` as soon as the guest writes beyond the first `threshold` bytes of a disk's
    /// image. `threshold` is a number or text such as `"10GiB"`; 0 cancels the request.
    ///
    /// `device` is the disk's target, such as `"vda"`, or an image of its chain, `"vda[1]"`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.set_block_threshold("hda", "512KiB");
    /// let nodes = dom.qemu_monitor_command(`{"execute": "query-named-block-nodes"}`);
    /// assert(nodes.contains(`"write_threshold":524288`));
    /// ```
    /// Calls virDomainSetBlockThreshold.
    #[rhai_fn(name = "set_block_threshold", pure, return_raw)]
    pub fn set_block_threshold(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: &str,
        threshold: SizeValue,
    ) -> RhaiResultOf<()> {
        set_block_threshold_flags(ctx, dom, device, threshold, 0)
    }

    /// Asks for one event as soon as the guest writes beyond the first `threshold` bytes of a disk's image; libvirt has
    /// no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.set_block_threshold("hda", 1048576, 0);
    /// let nodes = dom.qemu_monitor_command(`{"execute": "query-named-block-nodes"}`);
    /// assert(nodes.contains(`"write_threshold":1048576`));
    /// ```
    /// Calls virDomainSetBlockThreshold.
    #[rhai_fn(name = "set_block_threshold", pure, return_raw)]
    pub fn set_block_threshold_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        device: &str,
        threshold: SizeValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let bytes = bytes(&ctx, &threshold)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format!("set the threshold of `{device}` of");
        let device = device.to_owned();
        dom.call(&ctx, "virDomainSetBlockThreshold", verb, move |d| {
            tuning::set_block_threshold(d, &device, bytes, wanted)
        })
    }

    /// The disks of the guest with an error, by their targets: `no_space` if the host's storage was full, `unspec` for
    /// other errors.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.disk_errors(), #{ vda: "unspec" });
    /// ```
    /// Calls virDomainGetDiskErrors.
    #[rhai_fn(name = "disk_errors", pure, return_raw)]
    pub fn disk_errors(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<MapOf<WordOf<DiskError>>> {
        disk_errors_flags(ctx, dom, 0)
    }

    /// The disks of the guest with an error; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_eq(dom.disk_errors(0), #{});
    /// ```
    /// Calls virDomainGetDiskErrors.
    #[rhai_fn(name = "disk_errors", pure, return_raw)]
    pub fn disk_errors_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<MapOf<WordOf<DiskError>>> {
        let wanted = flag_bits(&ctx, flags)?;
        let errors = dom.call(
            &ctx,
            "virDomainGetDiskErrors",
            "read the disk errors of",
            move |d| libvirt::domain::disk_errors(d, wanted),
        )?;
        let word =
            |(disk, error): (String, i64)| (disk.into(), DiskError::TABLE.word(error).into());
        Ok(errors.into_iter().map(word).collect())
    }
}
