//! A guest's IO threads.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use super::pinning::cpu_map;
use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, number, typed_params};
use crate::api::cpu_set::CpuSet;
use crate::libvirt::{self, pinning};
use crate::objects::domain::{Domain, Handle};
use crate::vocabulary::{OptionsOf, ParamType, RecordOf, parameters, record};

record! {
    /// A thread for input and output.
    pub(crate) struct IoThread {
        /// Number of the thread.
        id: i64,
        /// CPUs of the host that it may run on.
        affinity: Vec<i64>,
    }
}

parameters! {
    /// Polling and worker threads of an IO thread.
    pub(crate) struct IoThreadParameters = "VIR_DOMAIN_IOTHREAD_", |name| match name {
        "poll_max_ns" => ParamType::ULong,
        "thread_pool_min" | "thread_pool_max" => ParamType::Int,
        _ => ParamType::UInt,
    };
}

/// The number of an IO thread.
fn thread(ctx: &NativeCallContext, id: i64) -> RhaiResultOf<u32> {
    number(ctx, "the number of an IO thread", id)
}

/// Adds or removes the IO thread `id` by `call`; the words stand before and after it in messages.
fn change(
    ctx: &NativeCallContext,
    dom: &Domain,
    id: i64,
    flags: i64,
    (call, (before, after)): (&'static str, (&str, &str)),
    change: fn(&Handle, u32, u32) -> libvirt::Result<()>,
) -> RhaiResultOf<()> {
    let id = thread(ctx, id)?;
    let wanted = flag_bits(ctx, flags)?;
    let verb = format_args!("{before} IO thread {id} {after}");
    dom.call(ctx, call, verb, move |d| change(d, id, wanted))
}

#[export_module]
pub(super) mod functions {
    /// The guest's IO threads, which serve its disks: each with its `id`, and `affinity`, the host's CPUs it may run on.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(5);
    /// assert_eq(dom.io_thread_info()[0].id, 5);
    /// dom.del_io_thread(5);
    /// ```
    /// Calls virDomainGetIOThreadInfo.
    #[rhai_fn(name = "io_thread_info", pure, return_raw)]
    pub fn io_thread_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<RecordOf<IoThread>>> {
        io_thread_info_flags(ctx, dom, 0)
    }

    /// The guest's IO threads; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.io_thread_info(VIR_DOMAIN_AFFECT_CONFIG), []);
    /// ```
    /// Calls virDomainGetIOThreadInfo.
    #[rhai_fn(name = "io_thread_info", pure, return_raw)]
    pub fn io_thread_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<IoThread>>> {
        let wanted = flag_bits(&ctx, flags)?;
        let threads = dom.call(
            &ctx,
            "virDomainGetIOThreadInfo",
            "list the IO threads of",
            move |d| pinning::io_thread_info(d, wanted),
        )?;
        let record = |(id, affinity)| Dynamic::from_map(IoThread { id, affinity }.into_map());
        Ok(threads.into_iter().map(record).collect())
    }

    /// Adds the IO thread `id`, a number from 1, to the guest. A disk names it in the attribute `iothread` of its
    /// `driver`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(1);
    /// assert_eq(dom.io_thread_info()[0].id, 1);
    /// dom.del_io_thread(1);
    /// ```
    /// Calls virDomainAddIOThread.
    #[rhai_fn(name = "add_io_thread", pure, return_raw)]
    pub fn add_io_thread(ctx: NativeCallContext, dom: &mut Domain, id: i64) -> RhaiResultOf<()> {
        add_io_thread_flags(ctx, dom, id, 0)
    }

    /// Adds an IO thread; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(2, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.io_thread_info(VIR_DOMAIN_AFFECT_CONFIG)[0].id, 2);
    /// ```
    /// Calls virDomainAddIOThread.
    #[rhai_fn(name = "add_io_thread", pure, return_raw)]
    pub fn add_io_thread_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        id: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let words = ("add", "to");
        change(
            &ctx,
            dom,
            id,
            flags,
            ("virDomainAddIOThread", words),
            pinning::add_io_thread,
        )
    }

    /// Removes the IO thread `id` of the guest; no disk may use it.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(1);
    /// dom.del_io_thread(1);
    /// assert_eq(dom.io_thread_info(), []);
    /// ```
    /// Calls virDomainDelIOThread.
    #[rhai_fn(name = "del_io_thread", pure, return_raw)]
    pub fn del_io_thread(ctx: NativeCallContext, dom: &mut Domain, id: i64) -> RhaiResultOf<()> {
        del_io_thread_flags(ctx, dom, id, 0)
    }

    /// Removes an IO thread; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(2, VIR_DOMAIN_AFFECT_CONFIG);
    /// dom.del_io_thread(2, VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(dom.io_thread_info(VIR_DOMAIN_AFFECT_CONFIG), []);
    /// ```
    /// Calls virDomainDelIOThread.
    #[rhai_fn(name = "del_io_thread", pure, return_raw)]
    pub fn del_io_thread_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        id: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let words = ("remove", "of");
        change(
            &ctx,
            dom,
            id,
            flags,
            ("virDomainDelIOThread", words),
            pinning::del_io_thread,
        )
    }

    /// Pins the IO thread `id` to the host's CPUs `cpus`, a list of numbers or text such as `"0-3,^2"`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(5);
    /// dom.pin_io_thread(5, [0]);
    /// assert_eq(dom.io_thread_info()[0].affinity, [0]);
    /// dom.del_io_thread(5);
    /// ```
    /// Calls virDomainPinIOThread.
    #[rhai_fn(name = "pin_io_thread", pure, return_raw)]
    pub fn pin_io_thread(
        ctx: NativeCallContext,
        dom: &mut Domain,
        id: i64,
        cpus: CpuSet,
    ) -> RhaiResultOf<()> {
        pin_io_thread_flags(ctx, dom, id, cpus, 0)
    }

    /// Pins an IO thread to `cpus`; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(5);
    /// dom.pin_io_thread(5, "1-2", VIR_DOMAIN_AFFECT_LIVE);
    /// assert_eq(dom.io_thread_info()[0].affinity, [1, 2]);
    /// dom.del_io_thread(5);
    /// ```
    /// Calls virDomainPinIOThread.
    #[rhai_fn(name = "pin_io_thread", pure, return_raw)]
    pub fn pin_io_thread_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        id: i64,
        cpus: CpuSet,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let id = thread(&ctx, id)?;
        let wanted = flag_bits(&ctx, flags)?;
        let cpus = cpu_map(&ctx, dom, &cpus)?;
        let verb = format!("pin IO thread {id} of");
        dom.call(&ctx, "virDomainPinIOThread", verb, move |d| {
            pinning::pin_io_thread(d, id, &cpus, wanted)
        })
    }

    /// Sets how the IO thread `id` polls: `poll_max_ns` (0 turns polling off), `poll_grow` and `poll_shrink`; and how
    /// many worker threads it has: `thread_pool_min` and `thread_pool_max`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.add_io_thread(5);
    /// dom.set_io_thread_params(5, #{ poll_max_ns: 50000 });
    /// let answer = dom.qemu_monitor_command(`{"execute": "query-iothreads"}`);
    /// assert(answer.contains(`"poll-max-ns":50000`));
    /// dom.del_io_thread(5);
    /// ```
    /// Calls virDomainSetIOThreadParams.
    #[rhai_fn(name = "set_io_thread_params", pure, return_raw)]
    pub fn set_io_thread_params(
        ctx: NativeCallContext,
        dom: &mut Domain,
        id: i64,
        params: OptionsOf<IoThreadParameters>,
    ) -> RhaiResultOf<()> {
        set_io_thread_params_flags(ctx, dom, id, params, 0)
    }

    /// Sets how an IO thread polls; flags: `VIR_DOMAIN_AFFECT_LIVE`,
    /// `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.add_io_thread(5);
    /// dom.set_io_thread_params(5, #{ poll_max_ns: 7000 }, VIR_DOMAIN_AFFECT_LIVE);
    /// let stats = dom.connect().get_all_domain_stats(VIR_DOMAIN_STATS_IOTHREAD);
    /// assert_eq(stats[0].iothread[0].poll_max_ns, 7000);
    /// dom.del_io_thread(5);
    /// ```
    /// Calls virDomainSetIOThreadParams.
    #[rhai_fn(name = "set_io_thread_params", pure, return_raw)]
    pub fn set_io_thread_params_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        id: i64,
        params: OptionsOf<IoThreadParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let id = thread(&ctx, id)?;
        let wanted = flag_bits(&ctx, flags)?;
        let params = typed_params(
            &ctx,
            IoThreadParameters::OPTIONS,
            IoThreadParameters::TYPES,
            &params,
        )?;
        let verb = format!("tune IO thread {id} of");
        dom.call(&ctx, "virDomainSetIOThreadParams", verb, move |d| {
            pinning::set_io_thread_params(d, id, &params, wanted)
        })
    }
}
