//! A host's memory: NUMA cells, huge pages, and the sharing of equal pages.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use crate::api::arguments::{
    ArrayOf, MapOf, RhaiResultOf, flag_bits, kib, map, number, typed_params, whole,
};
use crate::api::room::ensure_room;
use crate::error::Error;
use crate::libvirt::host;
use crate::objects::connection::Connection;
use crate::vocabulary::{IfKnown, OptionsOf, ParamType, RecordOf, Whole, parameters, record};

/// More NUMA cells than any host has.
const MOST_CELLS: u32 = 1024;

/// The number of NUMA cells that a script asks for.
fn cells(ctx: &NativeCallContext, count: i64) -> RhaiResultOf<u32> {
    number::<u32>(ctx, "a number of cells", count).map(|count| count.min(MOST_CELLS))
}

/// The size of a page in KiB.
fn page_size(ctx: &NativeCallContext, size: &Dynamic) -> RhaiResultOf<u32> {
    number(ctx, "the size of a page", kib(ctx, size)?)
}

record! {
    /// A host's memory.
    pub(crate) struct HostMemoryStats {
        /// Size of the memory.
        total_kib: IfKnown<Whole>,
        /// Size of the free memory.
        free_kib: IfKnown<Whole>,
        /// Size of the buffers.
        buffers_kib: IfKnown<Whole>,
        /// Size of the cache.
        cached_kib: IfKnown<Whole>,
        .. open
    }
}

record! {
    /// Free pages of one size on one NUMA cell.
    pub(crate) struct FreePages {
        /// Number of the cell.
        cell: i64,
        /// Size of a page.
        size_kib: i64,
        /// Number of free pages.
        free: Whole,
    }
}

parameters! {
    /// Parameters of kernel same-page merging (KSM) on a host.
    pub(crate) struct HostMemoryParameters = "VIR_NODE_MEMORY_SHARED_", |name| match name {
        "shm_pages_to_scan" | "shm_sleep_millisecs" | "shm_merge_across_nodes" => ParamType::UInt,
        _ => ParamType::ULong,
    }, set ["shm_pages_to_scan", "shm_sleep_millisecs", "shm_merge_across_nodes"];
}

#[export_module]
pub(super) mod functions {
    /// The memory of the host's NUMA cell `cell`: `total_kib` and `free_kib`. For `VIR_NODE_MEMORY_STATS_ALL_CELLS` it
    /// is the memory of the whole host, also with `buffers_kib` and `cached_kib`.
    ///
    /// The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let stats = conn.get_memory_stats(VIR_NODE_MEMORY_STATS_ALL_CELLS);
    /// assert(stats.total_kib > stats.free_kib);
    /// ```
    /// Calls virNodeGetMemoryStats.
    #[rhai_fn(name = "get_memory_stats", pure, return_raw)]
    pub fn get_memory_stats(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cell: i64,
    ) -> RhaiResultOf<RecordOf<HostMemoryStats>> {
        get_memory_stats_flags(ctx, conn, cell, 0)
    }

    /// The memory of one of the host's NUMA cells; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// assert(conn.get_memory_stats(-1, 0).free_kib > 0);
    /// ```
    /// Calls virNodeGetMemoryStats.
    #[rhai_fn(name = "get_memory_stats", pure, return_raw)]
    pub fn get_memory_stats_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        cell: i64,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<HostMemoryStats>> {
        let cell = number(&ctx, "the number of a cell", cell)?;
        let wanted = flag_bits(&ctx, flags)?;
        let figures = conn.call(
            &ctx,
            "virNodeGetMemoryStats",
            "read the memory statistics",
            move |c| host::memory_stats(c, cell, wanted),
        )?;
        let figure = |wanted: &str| {
            let found = figures.iter().find(|(name, _)| name == wanted);
            IfKnown(found.map(|(_, value)| Whole(*value)))
        };
        let known = HostMemoryStats {
            total_kib: figure("total"),
            free_kib: figure("free"),
            buffers_kib: figure("buffers"),
            cached_kib: figure("cached"),
        };
        let others = figures.iter();
        let others = others.map(|(name, value)| (format!("{name}_kib").into(), whole(*value)));
        let mut stats: Map = others.collect();
        stats.extend(known.into_map());
        Ok(stats)
    }

    /// The parameters by which the host's kernel shares equal pages of memory (KSM): `shm_pages_to_scan`,
    /// `shm_sleep_millisecs`, `shm_merge_across_nodes`, and counts of pages, which cannot be set.
    ///
    /// The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai,qemu
    /// let ksm = connect().get_memory_parameters();
    /// // A kernel without KSM has no parameters.
    /// assert(ksm.is_empty() || ksm.shm_pages_to_scan >= 0);
    /// ```
    /// Calls virNodeGetMemoryParameters.
    #[rhai_fn(name = "get_memory_parameters", pure, return_raw)]
    pub fn get_memory_parameters(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<RecordOf<HostMemoryParameters>> {
        get_memory_parameters_flags(ctx, conn, 0)
    }

    /// The parameters by which the host's kernel shares equal pages of memory; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let ksm = connect().get_memory_parameters(0);
    /// assert(ksm.is_empty() || ksm.shm_sleep_millisecs >= 0);
    /// ```
    /// Calls virNodeGetMemoryParameters.
    #[rhai_fn(name = "get_memory_parameters", pure, return_raw)]
    pub fn get_memory_parameters_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<HostMemoryParameters>> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virNodeGetMemoryParameters",
            "read the memory parameters",
            move |c| host::memory_parameters(c, wanted),
        )
        .map(map)
    }

    /// Sets the parameters by which the host's kernel shares equal pages of memory: `shm_pages_to_scan`,
    /// `shm_sleep_millisecs`, `shm_merge_across_nodes`.
    ///
    /// libvirt must run as root. The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.set_memory_parameters(#{ shm_pages_to_scan: 100 }), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeSetMemoryParameters.
    #[rhai_fn(name = "set_memory_parameters", pure, return_raw)]
    pub fn set_memory_parameters(
        ctx: NativeCallContext,
        conn: &mut Connection,
        params: OptionsOf<HostMemoryParameters>,
    ) -> RhaiResultOf<()> {
        set_memory_parameters_flags(ctx, conn, params, 0)
    }

    /// Sets the parameters by which the host's kernel shares equal pages of memory; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.set_memory_parameters(#{ shm_sleep_millisecs: 20 }, 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeSetMemoryParameters.
    #[rhai_fn(name = "set_memory_parameters", pure, return_raw)]
    pub fn set_memory_parameters_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        params: OptionsOf<HostMemoryParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let (declared, types) = (HostMemoryParameters::OPTIONS, HostMemoryParameters::TYPES);
        let params = typed_params(&ctx, declared, types, &params)?;
        conn.call(
            &ctx,
            "virNodeSetMemoryParameters",
            "set the memory parameters",
            move |c| host::set_memory_parameters(c, &params, wanted),
        )
    }

    /// The free memory in bytes of at most `count` NUMA cells of the host, beginning with the cell `first`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.get_cells_free_memory(0, 8), [2097152, 4194304]);
    /// ```
    /// Calls virNodeGetCellsFreeMemory.
    #[rhai_fn(name = "get_cells_free_memory", pure, return_raw)]
    pub fn get_cells_free_memory(
        ctx: NativeCallContext,
        conn: &mut Connection,
        first: i64,
        count: i64,
    ) -> RhaiResultOf<ArrayOf<i64>> {
        let first = number(&ctx, "the number of a cell", first)?;
        let count = cells(&ctx, count)?;
        let free = conn.call(
            &ctx,
            "virNodeGetCellsFreeMemory",
            "read the free memory of cells",
            move |c| host::cells_free_memory(c, first, count as usize),
        )?;
        Ok(free.into_iter().map(whole).collect())
    }

    /// The number of free pages of each size in `sizes` on each of `count` NUMA cells of the host, beginning with the
    /// cell `first`: `cell`, `size_kib`, `free`. The sizes are in KiB or text such as `"2MiB"`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.get_free_pages(["4KiB", "2MiB"], 0, 1)[1], #{ cell: 0, size_kib: 2048, free: 21 });
    /// ```
    /// Calls virNodeGetFreePages.
    #[rhai_fn(name = "get_free_pages", pure, return_raw)]
    pub fn get_free_pages(
        ctx: NativeCallContext,
        conn: &mut Connection,
        sizes: Array,
        first: i64,
        count: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<FreePages>>> {
        get_free_pages_flags(ctx, conn, sizes, first, count, 0)
    }

    /// The number of free pages of each size on each of the host's NUMA cells; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.get_free_pages([4], 0, 2, 0).len(), 2);
    /// ```
    /// Calls virNodeGetFreePages.
    #[rhai_fn(name = "get_free_pages", pure, return_raw)]
    pub fn get_free_pages_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        sizes: Array,
        first: i64,
        count: i64,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<FreePages>>> {
        let sizes: Vec<u32> = sizes
            .iter()
            .map(|size| page_size(&ctx, size))
            .collect::<RhaiResultOf<_>>()?;
        let first: i32 = number(&ctx, "the number of a cell", first)?;
        let count = cells(&ctx, count)?;
        let wanted = flag_bits(&ctx, flags)?;
        ensure_room(&ctx, sizes.len() * count as usize * size_of::<u64>())?;
        let asked = sizes.clone();
        let free = conn.call(
            &ctx,
            "virNodeGetFreePages",
            "count the free pages",
            move |c| host::free_pages(c, &asked, first, count, wanted),
        )?;
        let mut records = Array::new();
        for (cell, counts) in (i64::from(first)..).zip(free) {
            for (size, free) in sizes.iter().zip(counts) {
                records.push(Dynamic::from_map(
                    FreePages {
                        cell,
                        size_kib: i64::from(*size),
                        free: Whole(free),
                    }
                    .into_map(),
                ));
            }
        }
        Ok(records)
    }

    /// Adds huge pages to each of `count` NUMA cells of the host, beginning with the cell `first`. `pages` has a count
    /// for each size, which is in KiB or text, such as `#{ "2MiB": 10 }`. Returns the number of pools that changed.
    ///
    /// libvirt must run as root. The test driver throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.alloc_pages(#{ "2MiB": 10 }, 0, 1), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeAllocPages.
    #[rhai_fn(name = "alloc_pages", pure, return_raw)]
    pub fn alloc_pages(
        ctx: NativeCallContext,
        conn: &mut Connection,
        pages: MapOf<i64>,
        first: i64,
        count: i64,
    ) -> RhaiResultOf<i64> {
        alloc_pages_flags(ctx, conn, pages, first, count, 0)
    }

    /// Adds huge pages to the host, or sets their count with `VIR_NODE_ALLOC_PAGES_SET`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.alloc_pages(#{ "2048": 0 }, 0, 1, VIR_NODE_ALLOC_PAGES_SET), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virNodeAllocPages.
    #[rhai_fn(name = "alloc_pages", pure, return_raw)]
    pub fn alloc_pages_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        pages: MapOf<i64>,
        first: i64,
        count: i64,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let mut wanted_pages = Vec::new();
        for (size, count) in &pages {
            let size = match size.parse::<i64>() {
                Ok(number) => Dynamic::from_int(number),
                Err(_) => size.as_str().into(),
            };
            let count = count.as_int().map_err(|kind| {
                Error::invalid(
                    &ctx,
                    format!("a count of pages is a whole number, not {kind}"),
                )
                .throw()
            })?;
            wanted_pages.push((
                page_size(&ctx, &size)?,
                number(&ctx, "a count of pages", count)?,
            ));
        }
        let first = number(&ctx, "the number of a cell", first)?;
        let count = cells(&ctx, count)?;
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(&ctx, "virNodeAllocPages", "allocate pages", move |c| {
            host::alloc_pages(c, &wanted_pages, first, count, wanted)
        })
    }
}
