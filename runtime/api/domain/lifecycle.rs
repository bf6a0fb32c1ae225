//! Starting and stopping a guest, and pausing it.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::api::stale_save;
use crate::libvirt::{self, Failure};
use crate::objects::domain::{Domain, Handle};
use crate::vocabulary::{ConstantOf, SuspendTarget};

impl Domain {
    /// Ends the guest by `run`, which makes the libvirt call `call`. A guest that ran before the
    /// call and is off after it counts as ended.
    ///
    /// A restarted daemon takes over its guests in the background. A destroy during that time ends the guest but fails:
    /// the takeover has already removed it.
    pub(crate) fn unplug(
        &self,
        call: &'static str,
        run: impl Fn(&Handle) -> Result<(), virt::error::Error> + Send + Sync + 'static,
    ) -> Result<(), Failure> {
        self.attempt(call, move |handle| {
            let ran = handle.is_active().unwrap_or(false);
            let Err(error) = run(handle) else {
                return Ok(());
            };
            let failure = Failure::from(error);
            match ran && is_off(&failure) && !handle.is_active().unwrap_or(false) {
                true => Ok(()),
                false => Err(failure),
            }
        })
    }
}

/// True if `failure` means that the guest is off.
fn is_off(failure: &Failure) -> bool {
    let codes = [
        virt_sys::VIR_ERR_NO_DOMAIN,
        virt_sys::VIR_ERR_OPERATION_INVALID,
    ];
    codes.map(i64::from).contains(&failure.code)
}

#[export_module]
pub(super) mod functions {
    /// Boots this domain; returns when the hypervisor runs it, before the guest's system is up.
    ///
    /// If a managed save image exists, the guest in it is resumed instead, and the image is removed. libvirt discards a
    /// damaged image silently and boots the guest normally: the reason in `state_reason()` is then `booted` and not
    /// `restored`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// dom.create();
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        stale_save::refuse_start(&ctx, dom)?;
        dom.call(&ctx, "virDomainCreate", "start", |d| d.create())
    }

    /// Boots this domain; flags: `VIR_DOMAIN_START_PAUSED`, `VIR_DOMAIN_START_AUTODESTROY`
    /// (destroyed with the connection), `VIR_DOMAIN_START_FORCE_BOOT` (discards a managed save).
    ///
    /// libvirt refuses to migrate a guest with `VIR_DOMAIN_START_AUTODESTROY`, but saves it and takes snapshots of it.
    /// A guest that was started from its managed save no longer has the flag (libvirt 11.3). An embedded hypervisor
    /// does not support the flag.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.destroy();
    /// dom.create(VIR_DOMAIN_START_PAUSED);
    /// assert_eq(dom.state(), "paused");
    /// ```
    /// Calls virDomainCreateWithFlags.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create_flags(ctx: NativeCallContext, dom: &mut Domain, flags: i64) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        stale_save::refuse_start(&ctx, dom)?;
        dom.call(&ctx, "virDomainCreateWithFlags", "start", move |d| {
            d.create_with_flags(wanted)
        })
    }

    /// Removes the definition; a running guest continues to run and becomes transient.
    ///
    /// Throws if a managed save image, snapshots or NVRAM exist: pass their flag as well.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// dom.destroy();
    /// dom.undefine();
    /// assert_eq(conn.list_all_domains(), []);
    /// ```
    /// Calls virDomainUndefine.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(&ctx, "virDomainUndefine", "undefine", Handle::undefine)
    }

    /// Removes the definition and the data that `flags` select, such as `VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
    /// VIR_DOMAIN_UNDEFINE_NVRAM`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// dom.managed_save();
    /// dom.undefine(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE);
    /// assert_eq(conn.list_all_domains(), []);
    /// ```
    /// Calls virDomainUndefineFlags.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(&ctx, "virDomainUndefineFlags", "undefine", move |d| {
            d.undefine_flags(wanted)
        })
    }

    /// Asks the guest to shut down, and returns at once; `wait` waits for the end.
    ///
    /// A guest without an operating system, or one that ignores the power button, continues to run; `stop` also stops
    /// such a guest.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.shutdown();
    /// dom.wait("shutoff", "1m");
    /// assert_eq(dom.state(), "shutoff");
    /// ```
    /// Calls virDomainShutdown.
    #[rhai_fn(name = "shutdown", pure, return_raw)]
    pub fn shutdown(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(&ctx, "virDomainShutdown", "shut down", |d| d.shutdown())
    }

    /// Asks the guest to shut down in the ways that `flags` select, such as
    /// `VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_GUEST_AGENT`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.shutdown(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
    /// assert_eq(dom.wait("shutoff", "1m").reason, "shutdown");
    /// ```
    /// Calls virDomainShutdownFlags.
    #[rhai_fn(name = "shutdown", pure, return_raw)]
    pub fn shutdown_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(&ctx, "virDomainShutdownFlags", "shut down", move |d| {
            d.shutdown_flags(wanted)
        })
    }

    /// Stops the guest at once, as if it lost power; unwritten data is lost.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// assert_eq(dom.state(), "shutoff");
    /// ```
    /// Calls virDomainDestroy.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        let call = "virDomainDestroy";
        dom.unplug(call, Handle::destroy)
            .map_err(|failure| dom.error(&ctx, failure, call, "destroy").throw())
    }

    /// Stops the guest at once; with the flag `VIR_DOMAIN_DESTROY_GRACEFUL` it only asks QEMU to end, so that QEMU
    /// writes its caches, and throws if QEMU does not end.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy(VIR_DOMAIN_DESTROY_GRACEFUL);
    /// assert_eq(dom.state(), "shutoff");
    /// ```
    /// Calls virDomainDestroyFlags.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy_flags(ctx: NativeCallContext, dom: &mut Domain, flags: i64) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virDomainDestroyFlags";
        dom.unplug(call, move |d| d.destroy_flags(wanted))
            .map_err(|failure| dom.error(&ctx, failure, call, "destroy").throw())
    }

    /// Asks the guest to boot again; it keeps its id, and may ignore the request.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.reboot();
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainReboot.
    #[rhai_fn(name = "reboot", pure, return_raw)]
    pub fn reboot(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(&ctx, "virDomainReboot", "reboot", |d| d.reboot(0))
    }

    /// Asks the guest to boot again in the ways that `flags` select, such as
    /// `VIR_DOMAIN_REBOOT_GUEST_AGENT`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.reboot(VIR_DOMAIN_REBOOT_ACPI_POWER_BTN);
    /// assert(dom.is_active());
    /// ```
    /// Calls virDomainReboot.
    #[rhai_fn(name = "reboot", pure, return_raw)]
    pub fn reboot_flags(ctx: NativeCallContext, dom: &mut Domain, flags: i64) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(&ctx, "virDomainReboot", "reboot", move |d| d.reboot(wanted))
    }

    /// Presses the reset button: the guest starts again without having shut down.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let dom = conn.lookup_by_name("web");
    /// conn.wait_event(#{ kind: "reboot", domain: "web" }, "1m", || dom.reset());
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainReset.
    #[rhai_fn(name = "reset", pure, return_raw)]
    pub fn reset(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(&ctx, "virDomainReset", "reset", |d| d.reset())
    }

    /// Presses the reset button; libvirt has no flags for it yet, so that 0 is the one value.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.reset(0);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainReset.
    #[rhai_fn(name = "reset", pure, return_raw)]
    pub fn reset_flags(ctx: NativeCallContext, dom: &mut Domain, flags: i64) -> RhaiResultOf<()> {
        if flag_bits(&ctx, flags)? != 0 {
            let message = "libvirt has no flags for reset: pass 0, or no flags";
            return Err(crate::error::Error::invalid(&ctx, message).throw());
        }
        dom.call(&ctx, "virDomainReset", "reset", |d| d.reset())
    }

    /// Stops the guest's CPUs; the guest stays in memory.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.suspend();
    /// assert_eq(dom.state(), "paused");
    /// ```
    /// Calls virDomainSuspend.
    #[rhai_fn(pure, return_raw)]
    pub fn suspend(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(&ctx, "virDomainSuspend", "suspend", |d| d.suspend())
    }

    /// Resumes the CPUs of a paused guest.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.suspend();
    /// dom.resume();
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainResume.
    #[rhai_fn(pure, return_raw)]
    pub fn resume(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.call(&ctx, "virDomainResume", "resume", |d| d.resume())
    }

    /// Puts the guest to sleep by its power management, to `"mem"`, `"disk"` or `"hybrid"`, for `seconds`; 0 means
    /// until it is woken. `VIR_NODE_SUSPEND_TARGET_MEM` and the like are accepted too. Needs the guest agent.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_throws(|| dom.pm_suspend_for_duration("mem", 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainPMSuspendForDuration.
    #[rhai_fn(name = "pm_suspend_for_duration", pure, return_raw)]
    pub fn pm_suspend(
        ctx: NativeCallContext,
        dom: &mut Domain,
        target: ConstantOf<SuspendTarget>,
        seconds: i64,
    ) -> RhaiResultOf<()> {
        pm_suspend_flags(ctx, dom, target, seconds, 0)
    }

    /// Puts the guest to sleep by its power management; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_throws(|| dom.pm_suspend_for_duration(VIR_NODE_SUSPEND_TARGET_DISK, 0, 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainPMSuspendForDuration.
    #[rhai_fn(name = "pm_suspend_for_duration", pure, return_raw)]
    pub fn pm_suspend_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        target: ConstantOf<SuspendTarget>,
        seconds: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let target = SuspendTarget::TABLE.constant(&ctx, "the target", &target)?;
        let target = number(&ctx, "the target", target)?;
        let seconds = number(&ctx, "the duration", seconds)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainPMSuspendForDuration",
            "put to sleep",
            move |d| libvirt::domain::pm_suspend_for_duration(d, target, seconds, wanted),
        )
    }

    /// Wakes a guest that its own power management put to sleep.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_throws(|| dom.pm_wakeup(), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainPMWakeup.
    #[rhai_fn(name = "pm_wakeup", pure, return_raw)]
    pub fn pm_wakeup(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        pm_wakeup_flags(ctx, dom, 0)
    }

    /// Wakes a guest that its own power management put to sleep; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_throws(|| dom.pm_wakeup(0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virDomainPMWakeup.
    #[rhai_fn(name = "pm_wakeup", pure, return_raw)]
    pub fn pm_wakeup_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(&ctx, "virDomainPMWakeup", "wake", move |d| {
            d.pm_wakeup(wanted)
        })
    }
}
