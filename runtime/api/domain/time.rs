//! The guest's clock and name, which only its agent knows.

use rhai::plugin::*;
use rhai::{Map, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::objects::domain::Domain;
use crate::vocabulary::{OptionsOf, RecordOf, options, record};

record! {
    /// Time in a guest, since 1970.
    pub(crate) struct GuestTime {
        /// Seconds.
        seconds: i64,
        /// Nanoseconds beyond the seconds.
        nseconds: i64,
    }
}

options! {
    /// Time that a guest is set to, since 1970.
    pub(crate) struct TimeOptions {
        /// Seconds.
        seconds: i64 = 0,
        /// Nanoseconds beyond the seconds.
        nseconds: i64 = 0; 0..1_000_000_000,
    }
}

fn set(ctx: &NativeCallContext, dom: &Domain, time: &Map, flags: i64) -> RhaiResultOf<()> {
    let time = TimeOptions::read(ctx, time)?;
    let seconds = time.seconds;
    let nseconds = number(ctx, "nseconds", time.nseconds)?;
    let wanted = flag_bits(ctx, flags)?;
    dom.call(ctx, "virDomainSetTime", "set the time of", move |d| {
        d.set_time(seconds, nseconds, wanted)
    })
}

fn read(ctx: &NativeCallContext, dom: &Domain, flags: i64) -> RhaiResultOf<Map> {
    let wanted = flag_bits(ctx, flags)?;
    let (seconds, nseconds) = dom.call(ctx, "virDomainGetTime", "read the time of", move |d| {
        d.time(wanted)
    })?;
    let nseconds = i64::from(nseconds);
    Ok(GuestTime { seconds, nseconds }.into_map())
}

fn host_name(ctx: &NativeCallContext, dom: &Domain, flags: i64) -> RhaiResultOf<String> {
    let wanted = flag_bits(ctx, flags)?;
    dom.call(
        ctx,
        "virDomainGetHostname",
        "read the host name of",
        move |d| d.hostname(wanted),
    )
}

#[export_module]
pub(super) mod functions {
    /// The host name that the guest has set.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").hostname(), "testhost");
    /// ```
    /// Calls virDomainGetHostname.
    #[rhai_fn(name = "hostname", pure, return_raw)]
    pub fn hostname(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        host_name(&ctx, dom, 0)
    }

    /// The host name of the guest; flags select the source: `VIR_DOMAIN_GET_HOSTNAME_AGENT` or
    /// `VIR_DOMAIN_GET_HOSTNAME_LEASE`.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").hostname(0), "testhost");
    /// ```
    /// Calls virDomainGetHostname.
    #[rhai_fn(name = "hostname", pure, return_raw)]
    pub fn hostname_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<String> {
        host_name(&ctx, dom, flags)
    }

    /// The guest's clock since 1970 as `#{ seconds, nseconds }`; needs the guest agent.
    ///
    /// ```rhai
    /// assert(connect("test:///default").lookup_by_name("test").get_time().seconds >= 0);
    /// ```
    /// Calls virDomainGetTime.
    #[rhai_fn(name = "get_time", pure, return_raw)]
    pub fn get_time(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<RecordOf<GuestTime>> {
        read(&ctx, dom, 0)
    }

    /// The guest's clock since 1970; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// assert(connect("test:///default").lookup_by_name("test").get_time(0).seconds >= 0);
    /// ```
    /// Calls virDomainGetTime.
    #[rhai_fn(name = "get_time", pure, return_raw)]
    pub fn get_time_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<GuestTime>> {
        read(&ctx, dom, flags)
    }

    /// Sets the guest's clock to `#{ seconds, nseconds }` since 1970; needs the guest agent.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_throws(|| dom.set_time(#{ seconds: 1700000000 }), "VIR_ERR_ARGUMENT_UNSUPPORTED");
    /// ```
    /// Calls virDomainSetTime.
    #[rhai_fn(name = "set_time", pure, return_raw)]
    pub fn set_time(
        ctx: NativeCallContext,
        dom: &mut Domain,
        time: OptionsOf<TimeOptions>,
    ) -> RhaiResultOf<()> {
        set(&ctx, dom, &time, 0)
    }

    /// Sets the guest's clock; `VIR_DOMAIN_TIME_SYNC` takes the time from the guest's own
    /// hardware clock.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_throws(|| dom.set_time(#{}, VIR_DOMAIN_TIME_SYNC), "VIR_ERR_ARGUMENT_UNSUPPORTED");
    /// ```
    /// Calls virDomainSetTime.
    #[rhai_fn(name = "set_time", pure, return_raw)]
    pub fn set_time_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        time: OptionsOf<TimeOptions>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        set(&ctx, dom, &time, flags)
    }
}
