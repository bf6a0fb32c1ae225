//! Starting a guest with its host.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::RhaiResultOf;
use crate::libvirt;
use crate::objects::domain::{Domain, Handle};

#[export_module]
pub(super) mod functions {
    /// True if the guest starts with its host.
    ///
    /// ```rhai
    /// assert(!connect("test:///default").lookup_by_name("test").autostart());
    /// ```
    /// Calls virDomainGetAutostart.
    #[rhai_fn(pure, return_raw)]
    pub fn autostart(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        dom.call(
            &ctx,
            "virDomainGetAutostart",
            "read the autostart of",
            Handle::autostart,
        )
    }

    /// Sets whether the guest starts with its host: once for each boot of the host, when libvirt starts; a managed save
    /// image is resumed.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_autostart(true);
    /// assert(dom.autostart());
    /// ```
    /// Calls virDomainSetAutostart.
    #[rhai_fn(pure, return_raw)]
    pub fn set_autostart(ctx: NativeCallContext, dom: &mut Domain, on: bool) -> RhaiResultOf<()> {
        dom.call(
            &ctx,
            "virDomainSetAutostart",
            "set the autostart of",
            move |d| d.set_autostart(on),
        )
    }

    /// True if the guest starts with its host, only the next time.
    ///
    /// Needs libvirt 11.2; the test driver does not have it.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_throws(|| dom.autostart_once(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainGetAutostartOnce.
    #[rhai_fn(pure, return_raw)]
    pub fn autostart_once(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<bool> {
        dom.call(
            &ctx,
            "virDomainGetAutostartOnce",
            "read the autostart of",
            libvirt::domain::autostart_once,
        )
    }

    /// Sets whether the guest starts with its host, only the next time.
    ///
    /// Needs libvirt 11.2; the test driver does not have it.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_throws(|| dom.set_autostart_once(true), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainSetAutostartOnce.
    #[rhai_fn(pure, return_raw)]
    pub fn set_autostart_once(
        ctx: NativeCallContext,
        dom: &mut Domain,
        on: bool,
    ) -> RhaiResultOf<()> {
        dom.call(
            &ctx,
            "virDomainSetAutostartOnce",
            "set the autostart of",
            move |d| libvirt::domain::set_autostart_once(d, on),
        )
    }
}
