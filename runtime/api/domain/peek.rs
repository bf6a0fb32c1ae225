//! Looking into a guest's disks and memory.

use rhai::plugin::*;
use rhai::{Blob, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::api::bounded_growth::length;
use crate::libvirt;
use crate::objects::domain::Domain;

#[export_module]
pub(super) mod functions {
    /// Reads `size` bytes of the disk `disk`, a target such as `vda` or a path, from `offset` on, as the guest sees
    /// them; only for raw images.
    ///
    /// ```rhai,qemu
    /// let sector = connect().lookup_by_name("web").block_peek("hda", 0, 512);
    /// assert_eq(sector.parse_le_int(510..512), 0xaa55);
    /// ```
    /// Calls virDomainBlockPeek.
    #[rhai_fn(name = "block_peek", pure, return_raw)]
    pub fn block_peek(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        offset: i64,
        size: i64,
    ) -> RhaiResultOf<Blob> {
        block_peek_flags(ctx, dom, disk, offset, size, 0)
    }

    /// Reads bytes of a disk; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let sector = connect().lookup_by_name("web").block_peek("hda", 510, 2, 0);
    /// assert_eq(sector.len(), 2);
    /// ```
    /// Calls virDomainBlockPeek.
    #[rhai_fn(name = "block_peek", pure, return_raw)]
    pub fn block_peek_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        disk: &str,
        offset: i64,
        size: i64,
        flags: i64,
    ) -> RhaiResultOf<Blob> {
        let offset = number(&ctx, "an offset", offset)?;
        let size = length(&ctx, size)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("read the disk `{disk}` of");
        let disk = disk.to_owned();
        dom.call(&ctx, "virDomainBlockPeek", verb, move |d| {
            libvirt::peek::block(d, &disk, offset, size, wanted)
        })
    }

    /// Reads `size` bytes of the running guest's memory from the address `start` on; the flag `VIR_MEMORY_VIRTUAL` or
    /// `VIR_MEMORY_PHYSICAL` gives the kind of address.
    ///
    /// ```rhai,qemu
    /// let boot = connect().lookup_by_name("web").memory_peek(0x7c00, 512, VIR_MEMORY_PHYSICAL);
    /// assert_eq(boot.parse_le_int(510..512), 0xaa55);
    /// ```
    /// Calls virDomainMemoryPeek.
    #[rhai_fn(name = "memory_peek", pure, return_raw)]
    pub fn memory_peek(
        ctx: NativeCallContext,
        dom: &mut Domain,
        start: i64,
        size: i64,
        flags: i64,
    ) -> RhaiResultOf<Blob> {
        let start = number(&ctx, "an address", start)?;
        let size = length(&ctx, size)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMemoryPeek",
            "read the memory of",
            move |d| libvirt::peek::memory(d, start, size, wanted),
        )
    }
}
