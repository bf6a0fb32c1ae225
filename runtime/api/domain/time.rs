//! The guest's clock and name, which only its agent knows.

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, fields, flag_bits, number};
use crate::api::option_keys;
use crate::error::Error;
use crate::objects::domain::Domain;
use crate::vocabulary::{GuestTime, RecordOf};

fn set(ctx: &NativeCallContext, dom: &Domain, time: &Map, flags: i64) -> RhaiResultOf<()> {
    crate::api::arguments::unknown_key(ctx, time, option_keys::TIME.into_iter())?;
    let part = |name: &str| match time.get(name).map(Dynamic::as_int) {
        None => Ok(0),
        Some(Ok(value)) => Ok(value),
        Some(Err(kind)) => {
            Err(Error::invalid(ctx, format!("`{name}` must be a whole number, not {kind}")).throw())
        }
    };
    let (seconds, nseconds) = (
        part("seconds")?,
        number(ctx, "nseconds", part("nseconds")?)?,
    );
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
    Ok(GuestTime::TABLE.of(fields! { "seconds": seconds, "nseconds": i64::from(nseconds) }))
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
    /// The name that the guest gave itself.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").hostname(), "testhost");
    /// ```
    /// Calls virDomainGetHostname.
    #[rhai_fn(name = "hostname", pure, return_raw)]
    pub fn hostname(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<String> {
        host_name(&ctx, dom, 0)
    }

    /// The name that the guest gave itself, from where `flags` say:
    /// `VIR_DOMAIN_GET_HOSTNAME_AGENT` or `VIR_DOMAIN_GET_HOSTNAME_LEASE`.
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
    pub fn set_time(ctx: NativeCallContext, dom: &mut Domain, time: Map) -> RhaiResultOf<()> {
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
        time: Map,
        flags: i64,
    ) -> RhaiResultOf<()> {
        set(&ctx, dom, &time, flags)
    }
}
