//! The memory of a guest: its size, limits and statistics.

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use crate::api::arguments::{KibValue, RhaiResultOf, flag_bits, integer, memory_kib, whole};
use crate::constants::{self, Words};
use crate::libvirt;
use crate::objects::domain::{Domain, Handle};
use crate::spec::{Key, Type};
use crate::vocabulary::{RecordOf, record};

/// The prefix of the constants' names.
const PREFIX: &str = "VIR_DOMAIN_MEMORY_STAT_";

static TAGS: Words = Words::new("virDomainMemoryStatTags", PREFIX);

record! {
    /// Figures of a guest's balloon driver, in KiB or counts.
    pub(crate) struct MemoryStats by figures;
}

fn figures() -> Vec<Key> {
    let constants = constants::group("virDomainMemoryStatTags");
    let names = constants.filter_map(|constant| {
        let name = constant.name.strip_prefix(PREFIX)?;
        (name != "NR" && name != "LAST").then_some((constant.name, name.to_lowercase()))
    });
    let key = |(constant, name): (&str, String)| Key {
        help: match constants::sentence(constant) {
            Some(sentence) => sentence.trim_end_matches('.').to_owned(),
            None => name.replace('_', " "),
        },
        ..Key::of_result(&name, Type::Int)
    };
    names.map(key).collect()
}

fn stats(ctx: &NativeCallContext, dom: &Domain, flags: u32) -> RhaiResultOf<Map> {
    let stats = dom.call(
        ctx,
        "virDomainMemoryStats",
        "read the memory statistics of",
        move |d| libvirt::domain::memory_stats(d, flags),
    )?;
    Ok(stats
        .into_iter()
        .map(|(tag, value)| (TAGS.word(tag).as_str().into(), Dynamic::from(whole(value))))
        .collect())
}

#[export_module]
pub(super) mod functions {
    /// The maximum memory of the guest, in KiB.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").max_memory(), 8388608);
    /// ```
    /// Calls virDomainGetMaxMemory.
    #[rhai_fn(pure, return_raw)]
    pub fn max_memory(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<i64> {
        dom.call(
            &ctx,
            "virDomainGetMaxMemory",
            "read the maximum memory of",
            Handle::max_memory,
        )
        .and_then(|number| integer(&ctx, number))
    }

    /// Sets the maximum memory of the guest, in KiB or as text such as `"2GiB"` (see `parse_size`); 1 MiB at least.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// dom.set_max_memory("2GiB");
    /// assert_eq(dom.max_memory(), 2097152);
    /// ```
    /// Calls virDomainSetMaxMemory.
    #[rhai_fn(pure, return_raw)]
    pub fn set_max_memory(
        ctx: NativeCallContext,
        dom: &mut Domain,
        size: KibValue,
    ) -> RhaiResultOf<()> {
        let size = memory_kib(&ctx, &size)?;
        dom.call(
            &ctx,
            "virDomainSetMaxMemory",
            "set the maximum memory of",
            move |d| d.set_max_memory(size),
        )
    }

    /// Sets the memory of the running guest, in KiB or as text such as `"512MiB"` (see `parse_size`);
    /// 1 MiB at least.
    ///
    /// The guest's balloon driver makes the change, which takes a moment.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory("512MiB");
    /// assert_eq(dom.info().memory_kib, 524288);
    /// ```
    /// Calls virDomainSetMemory.
    #[rhai_fn(name = "set_memory", pure, return_raw)]
    pub fn set_memory(
        ctx: NativeCallContext,
        dom: &mut Domain,
        size: KibValue,
    ) -> RhaiResultOf<()> {
        let size = memory_kib(&ctx, &size)?;
        dom.call(&ctx, "virDomainSetMemory", "set the memory of", move |d| {
            libvirt::domain::set_memory(d, size)
        })
    }

    /// Sets the memory; flags: `VIR_DOMAIN_AFFECT_LIVE`, `VIR_DOMAIN_AFFECT_CONFIG`,
    /// `VIR_DOMAIN_MEM_MAXIMUM`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_memory("256MiB", VIR_DOMAIN_AFFECT_LIVE);
    /// assert_eq(dom.info().memory_kib, 262144);
    /// ```
    /// Calls virDomainSetMemoryFlags.
    #[rhai_fn(name = "set_memory", pure, return_raw)]
    pub fn set_memory_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        size: KibValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let size = memory_kib(&ctx, &size)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainSetMemoryFlags",
            "set the memory of",
            move |d| d.set_memory_flags(size, wanted),
        )
    }

    /// The statistics of the guest's balloon driver, in KiB or counts, under libvirt's names in lower case, such as
    /// `actual_balloon`, `unused`, `rss`.
    ///
    /// ```rhai
    /// let stats = connect("test:///default").lookup_by_name("test").memory_stats();
    /// assert_eq(stats.actual_balloon, 2097152);
    /// ```
    /// Calls virDomainMemoryStats.
    #[rhai_fn(name = "memory_stats", pure, return_raw)]
    pub fn memory_stats(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<MemoryStats>> {
        stats(&ctx, dom, 0)
    }

    /// The statistics of the guest's balloon driver; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let stats = connect("test:///default").lookup_by_name("test").memory_stats(0);
    /// assert_eq(stats.actual_balloon, 2097152);
    /// ```
    /// Calls virDomainMemoryStats.
    #[rhai_fn(name = "memory_stats", pure, return_raw)]
    pub fn memory_stats_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<MemoryStats>> {
        let wanted = flag_bits(&ctx, flags)?;
        stats(&ctx, dom, wanted)
    }
}
