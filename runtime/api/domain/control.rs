//! The hypervisor's side of a guest: its control channel, its messages, its core dump.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use super::Work;
use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::objects::granted::{Use, host_file};
use crate::vocabulary::{ControlError, ControlState, RecordOf, Whole, Word, record};

fn control(ctx: &NativeCallContext, dom: &Domain, flags: i64) -> RhaiResultOf<Map> {
    let wanted = flag_bits(ctx, flags)?;
    let (state, details, time) = dom.call(
        ctx,
        "virDomainGetControlInfo",
        "read the control state of",
        move |d| libvirt::domain::control_info(d, wanted),
    )?;
    Ok(ControlInfo {
        state: ControlState::TABLE.word(state).into(),
        details: ControlError::TABLE.word(details).into(),
        state_time_ms: Whole(time),
    }
    .into_map())
}

record! {
    /// The hypervisor's channel to a guest.
    pub(crate) struct ControlInfo {
        /// State of the channel.
        state: Word<ControlState>,
        /// The failure, if the state is `error`.
        details: Word<ControlError>,
        /// Time in that state.
        state_time_ms: Whole,
    }
}

fn notices(ctx: &NativeCallContext, dom: &Domain, flags: i64) -> RhaiResultOf<Array> {
    let wanted = flag_bits(ctx, flags)?;
    dom.call(
        ctx,
        "virDomainGetMessages",
        "read the messages about",
        move |d| libvirt::domain::messages(d, wanted),
    )
    .map(|texts| texts.into_iter().map(Dynamic::from).collect())
}

#[export_module]
pub(super) mod functions {
    /// The state of libvirt's connection to the hypervisor of this guest: `state` (`ok`, `job`,
    /// `occupied`, `error`), `details`, and `state_time_ms`, the time in that state.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").control_info().state, "ok");
    /// ```
    /// Calls virDomainGetControlInfo.
    #[rhai_fn(name = "control_info", pure, return_raw)]
    pub fn control_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<ControlInfo>> {
        control(&ctx, dom, 0)
    }

    /// The state of libvirt's connection to the hypervisor of this guest; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").control_info(0).state, "ok");
    /// ```
    /// Calls virDomainGetControlInfo.
    #[rhai_fn(name = "control_info", pure, return_raw)]
    pub fn control_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<ControlInfo>> {
        control(&ctx, dom, flags)
    }

    /// libvirt's warnings about this guest: tainting and deprecated features.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").messages(), []);
    /// ```
    /// Calls virDomainGetMessages.
    #[rhai_fn(name = "messages", pure, return_raw)]
    pub fn messages(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<Array> {
        notices(&ctx, dom, 0)
    }

    /// libvirt's warnings of the kinds that `flags` select, such as `VIR_DOMAIN_MESSAGE_TAINTING`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.messages(VIR_DOMAIN_MESSAGE_TAINTING), []);
    /// ```
    /// Calls virDomainGetMessages.
    #[rhai_fn(name = "messages", pure, return_raw)]
    pub fn messages_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        notices(&ctx, dom, flags)
    }

    /// Writes the guest's memory to the file `path` on the hypervisor's host, for debugging.
    ///
    /// A test host, `test:///default`, needs `--allow-write PATH`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.core_dump("/tmp/web.core");
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainCoreDump.
    #[rhai_fn(name = "core_dump", pure, return_raw)]
    pub fn core_dump(ctx: NativeCallContext, dom: &mut Domain, path: &str) -> RhaiResultOf<()> {
        core_dump_flags(ctx, dom, path, 0)
    }

    /// Writes the guest's memory to the file `path`; flags: `VIR_DUMP_CRASH` ends the
    /// guest, `VIR_DUMP_LIVE` leaves it running meanwhile, `VIR_DUMP_MEMORY_ONLY`, `VIR_DUMP_RESET`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.core_dump("/tmp/web.core", VIR_DUMP_CRASH);
    /// assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "crashed" });
    /// ```
    /// Calls virDomainCoreDump.
    #[rhai_fn(name = "core_dump", pure, return_raw)]
    pub fn core_dump_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        path: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let path = &host_file(&ctx, dom.connection(), path, Use::Write)?;
        let wanted = flag_bits(&ctx, flags)?;
        let path = path.to_owned();
        dom.job(
            &ctx,
            Work::Dump,
            "virDomainCoreDump",
            "dump the core of",
            move |d| d.core_dump(&path, wanted),
        )
    }

    /// Writes the guest's memory to the file `path` in a format such as
    /// `VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.core_dump_with_format("/tmp/web.core", VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, 0);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainCoreDumpWithFormat.
    #[rhai_fn(pure, return_raw)]
    pub fn core_dump_with_format(
        ctx: NativeCallContext,
        dom: &mut Domain,
        path: &str,
        format: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let path = &host_file(&ctx, dom.connection(), path, Use::Write)?;
        let format = number(&ctx, "the format", format)?;
        let wanted = flag_bits(&ctx, flags)?;
        let path = path.to_owned();
        dom.job(
            &ctx,
            Work::Dump,
            "virDomainCoreDumpWithFormat",
            "dump the core of",
            move |d| d.core_dump_with_format(&path, format, wanted),
        )
    }
}
