//! The processes in a guest, and what happens when the guest ends.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::libvirt::{self, tuning};
use crate::objects::domain::Domain;
use crate::vocabulary::{ConstantOf, LifecycleAction, LifecycleEvent, ProcessSignal};

#[export_module]
pub(super) mod functions {
    /// Sets what happens when the guest powers off, reboots or crashes: `kind` is `"poweroff"`, `"reboot"` or `"crash"`,
    /// and `action` a word such as `"restart"`, or libvirt's constants for these.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_lifecycle_action("crash", "preserve");
    /// assert_eq(dom.xml().get("on_crash"), "preserve");
    /// ```
    /// Calls virDomainSetLifecycleAction.
    #[rhai_fn(name = "set_lifecycle_action", pure, return_raw)]
    pub fn set_lifecycle_action(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: ConstantOf<LifecycleEvent>,
        action: ConstantOf<LifecycleAction>,
    ) -> RhaiResultOf<()> {
        set_lifecycle_action_flags(ctx, dom, kind, action, 0)
    }

    /// Sets what happens when the guest powers off, reboots or crashes; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let restart = VIR_DOMAIN_LIFECYCLE_ACTION_RESTART;
    /// dom.set_lifecycle_action(VIR_DOMAIN_LIFECYCLE_POWEROFF, restart, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains("<on_poweroff>restart<"));
    /// ```
    /// Calls virDomainSetLifecycleAction.
    #[rhai_fn(name = "set_lifecycle_action", pure, return_raw)]
    pub fn set_lifecycle_action_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: ConstantOf<LifecycleEvent>,
        action: ConstantOf<LifecycleAction>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let kind = LifecycleEvent::TABLE.constant(&ctx, "the kind of lifecycle event", &kind)?;
        let when = number(&ctx, "the kind of lifecycle event", kind)?;
        let action = LifecycleAction::TABLE.constant(&ctx, "the action", &action)?;
        let action = number(&ctx, "the action", action)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainSetLifecycleAction",
            "set the lifecycle of",
            move |d| tuning::set_lifecycle_action(d, when, action, wanted),
        )
    }

    /// Sends a signal such as `"term"` or `VIR_DOMAIN_PROCESS_SIGNAL_TERM` to the process `pid` in a container; -1 means all
    /// processes except the first. Hypervisors without containers throw `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.send_process_signal(1, "term");
    /// assert_throws(|| dom.send_process_signal(1, 99), "VIR_ERR_INVALID_ARG");
    /// ```
    /// Calls virDomainSendProcessSignal.
    #[rhai_fn(name = "send_process_signal", pure, return_raw)]
    pub fn send_process_signal(
        ctx: NativeCallContext,
        dom: &mut Domain,
        pid: i64,
        signal: ConstantOf<ProcessSignal>,
    ) -> RhaiResultOf<()> {
        send_process_signal_flags(ctx, dom, pid, signal, 0)
    }

    /// Sends a signal to a process in the guest; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// // The test driver knows only the first process.
    /// assert_throws(|| dom.send_process_signal(2, VIR_DOMAIN_PROCESS_SIGNAL_TERM, 0), "VIR_ERR_INVALID_ARG");
    /// ```
    /// Calls virDomainSendProcessSignal.
    #[rhai_fn(name = "send_process_signal", pure, return_raw)]
    pub fn send_process_signal_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        pid: i64,
        signal: ConstantOf<ProcessSignal>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let signal = ProcessSignal::TABLE.constant(&ctx, "the signal", &signal)?;
        let signal = number(&ctx, "the signal", signal)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format!("send a signal to the process {pid} in");
        dom.call(&ctx, "virDomainSendProcessSignal", verb, move |d| {
            libvirt::domain::send_process_signal(d, pid, signal, wanted)
        })
    }

    /// The number of namespaces of the running container that its host can enter; other hypervisors throw
    /// `VIR_ERR_INVALID_ARG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let error = assert_throws(|| dom.lxc_open_namespace());
    /// // The second code is for a host without libvirt's library for containers.
    /// assert(error.code in ["VIR_ERR_INVALID_ARG", "VIR_ERR_NO_SUPPORT"]);
    /// ```
    /// Calls virDomainLxcOpenNamespace.
    #[rhai_fn(name = "lxc_open_namespace", pure, return_raw)]
    pub fn lxc_open_namespace(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<i64> {
        lxc_open_namespace_flags(ctx, dom, 0)
    }

    /// The number of namespaces of the running container; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let error = assert_throws(|| dom.lxc_open_namespace(0));
    /// assert(error.code in ["VIR_ERR_INVALID_ARG", "VIR_ERR_NO_SUPPORT"]);
    /// ```
    /// Calls virDomainLxcOpenNamespace.
    #[rhai_fn(name = "lxc_open_namespace", pure, return_raw)]
    pub fn lxc_open_namespace_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainLxcOpenNamespace",
            "open the namespaces of",
            move |d| libvirt::lxc::open_namespace(d, wanted).map(|files| files.len() as i64),
        )
    }
}
