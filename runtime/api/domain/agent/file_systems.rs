//! The file systems in a guest.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use super::Domain;
use crate::api::arguments::{ArrayOf, RhaiResultOf, bytes, flag_bits, optional_text};
use crate::error::Error;
use crate::libvirt;
use crate::vocabulary::{RecordOf, record};

/// A list of mount points, or `()` for all file systems.
fn mountpoints(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<Vec<String>> {
    if value.is_unit() {
        return Ok(Vec::new());
    }
    let wrong =
        || Error::invalid(ctx, "the mount points are a list of texts, or () for all").throw();
    let list = value.read_lock::<Array>().ok_or_else(wrong)?;
    list.iter()
        .map(|place| place.clone().into_string().map_err(|_| wrong()))
        .collect()
}

record! {
    /// File system that is mounted in a guest.
    pub(crate) struct FileSystem {
        /// Path in the guest.
        mountpoint: String,
        /// Name that the guest's system gives it.
        name: String,
        /// Type of the file system.
        fstype: String,
        /// Targets of the disks that it is on.
        devices: Vec<String>,
    }
}

#[export_module]
pub(super) mod functions {
    /// The mounted file systems of the guest: maps with `mountpoint`, `name` (the device in the guest), `fstype`, and
    /// `devices`, the targets of the guest's disks that contain it.
    ///
    /// ```rhai
    /// let systems = connect("test:///default").lookup_by_name("test").fs_info();
    /// assert_eq(systems[0], #{ mountpoint: "/", name: "vda1", fstype: "ext4", devices: ["vda"] });
    /// ```
    /// Calls virDomainGetFSInfo.
    #[rhai_fn(name = "fs_info", pure, return_raw)]
    pub fn fs_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<RecordOf<FileSystem>>> {
        fs_info_flags(ctx, dom, 0)
    }

    /// The mounted file systems of the guest; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// assert_eq(connect("test:///default").lookup_by_name("test").fs_info(0).len(), 2);
    /// ```
    /// Calls virDomainGetFSInfo.
    #[rhai_fn(name = "fs_info", pure, return_raw)]
    pub fn fs_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<RecordOf<FileSystem>>> {
        let wanted = flag_bits(&ctx, flags)?;
        let found = dom.call(
            &ctx,
            "virDomainGetFSInfo",
            "list the file systems of",
            move |d| libvirt::agent::fs_info(d, wanted),
        )?;
        let map = |it: libvirt::agent::FileSystem| {
            let found = FileSystem {
                mountpoint: it.mountpoint,
                name: it.name,
                fstype: it.kind,
                devices: it.disks,
            };
            Dynamic::from_map(found.into_map())
        };
        Ok(found.into_iter().map(map).collect())
    }

    /// Freezes all file systems of the guest, so that its disks can be copied in a consistent state, and returns their
    /// number.
    ///
    /// Until `fs_thaw`, every program that writes in the guest is blocked, and the agent accepts only the thaw. Make
    /// sure that the thaw follows in every case, with `try` or `all_or_nothing`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.fs_freeze(), 2);
    /// assert_eq(dom.fs_thaw(), 2);
    /// ```
    /// Calls virDomainFSFreeze.
    #[rhai_fn(name = "fs_freeze", pure, return_raw)]
    pub fn fs_freeze(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<i64> {
        fs_freeze_flags(ctx, dom, Dynamic::UNIT, 0)
    }

    /// Freezes the file systems mounted at `places`, a list, or all if it is `()`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.fs_freeze(["/"]), 1);
    /// dom.fs_thaw();
    /// ```
    /// Calls virDomainFSFreeze.
    #[rhai_fn(name = "fs_freeze", pure, return_raw)]
    pub fn fs_freeze_places(
        ctx: NativeCallContext,
        dom: &mut Domain,
        places: Dynamic,
    ) -> RhaiResultOf<i64> {
        fs_freeze_flags(ctx, dom, places, 0)
    }

    /// Freezes file systems; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.fs_freeze((), 0), 2);
    /// dom.fs_thaw();
    /// ```
    /// Calls virDomainFSFreeze.
    #[rhai_fn(name = "fs_freeze", pure, return_raw)]
    pub fn fs_freeze_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        places: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let places = mountpoints(&ctx, &places)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "freeze the file systems of";
        dom.call(&ctx, "virDomainFSFreeze", verb, move |d| {
            libvirt::agent::fs_freeze(d, &places, wanted)
        })
    }

    /// Thaws all frozen file systems of the guest and returns their number.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.fs_freeze();
    /// assert_eq(dom.fs_thaw(), 2);
    /// ```
    /// Calls virDomainFSThaw.
    #[rhai_fn(name = "fs_thaw", pure, return_raw)]
    pub fn fs_thaw(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<i64> {
        fs_thaw_flags(ctx, dom, Dynamic::UNIT, 0)
    }

    /// Thaws the file systems mounted at `places`, a list, or all if it is `()`, which is the only choice QEMU
    /// supports.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.fs_freeze();
    /// assert_eq(dom.fs_thaw(["/"]), 1);
    /// ```
    /// Calls virDomainFSThaw.
    #[rhai_fn(name = "fs_thaw", pure, return_raw)]
    pub fn fs_thaw_places(
        ctx: NativeCallContext,
        dom: &mut Domain,
        places: Dynamic,
    ) -> RhaiResultOf<i64> {
        fs_thaw_flags(ctx, dom, places, 0)
    }

    /// Thaws frozen file systems; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.fs_freeze();
    /// assert_eq(dom.fs_thaw((), 0), 2);
    /// ```
    /// Calls virDomainFSThaw.
    #[rhai_fn(name = "fs_thaw", pure, return_raw)]
    pub fn fs_thaw_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        places: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let places = mountpoints(&ctx, &places)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "thaw the file systems of";
        dom.call(&ctx, "virDomainFSThaw", verb, move |d| {
            libvirt::agent::fs_thaw(d, &places, wanted)
        })
    }

    /// Discards the free blocks of the guest's file systems (fstrim), so that a sparse image can shrink.
    ///
    /// ```rhai
    /// connect("test:///default").lookup_by_name("test").fs_trim();
    /// ```
    /// Calls virDomainFSTrim.
    #[rhai_fn(name = "fs_trim", pure, return_raw)]
    pub fn fs_trim(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        fs_trim_flags(ctx, dom, Dynamic::UNIT, Dynamic::from_int(0), 0)
    }

    /// Discards the free blocks of the file system at `place`, or of all if it is `()`, the only choice QEMU supports;
    /// skips free ranges of less than `minimum` bytes.
    ///
    /// ```rhai
    /// connect("test:///default").lookup_by_name("test").fs_trim((), "1MiB");
    /// ```
    /// Calls virDomainFSTrim.
    #[rhai_fn(name = "fs_trim", pure, return_raw)]
    pub fn fs_trim_place(
        ctx: NativeCallContext,
        dom: &mut Domain,
        place: Dynamic,
        minimum: Dynamic,
    ) -> RhaiResultOf<()> {
        fs_trim_flags(ctx, dom, place, minimum, 0)
    }

    /// Discards the free blocks of file systems; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// connect("test:///default").lookup_by_name("test").fs_trim("/", 0, 0);
    /// ```
    /// Calls virDomainFSTrim.
    #[rhai_fn(name = "fs_trim", pure, return_raw)]
    pub fn fs_trim_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        place: Dynamic,
        minimum: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let place = optional_text(&ctx, "the mount point", &place)?;
        let minimum = bytes(&ctx, &minimum)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "trim the file systems of";
        dom.call(&ctx, "virDomainFSTrim", verb, move |d| {
            libvirt::agent::fs_trim(d, place.as_deref(), minimum, wanted)
        })
    }
}
