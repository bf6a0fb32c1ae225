//! The identity and lifecycle of a volume.

use rhai::NativeCallContext;
use rhai::plugin::*;
use virt::storage_vol::StorageVol as Handle;

use crate::api::arguments::{RhaiResultOf, SizeValue, bytes, flag_bits};
use crate::api::stale_save;
use crate::objects::storage_pool::StoragePool;
use crate::objects::storage_vol::StorageVol;
use crate::vocabulary::{IfKnown, RecordOf, VolumeType, Whole, Word, record};

record! {
    /// Type and sizes of a volume.
    pub(crate) struct VolumeInfo {
        /// Type of the volume.
        r#type: Word<VolumeType>,
        /// Size that a guest sees.
        capacity_bytes: Whole,
        /// Size of the allocated storage; not with `VIR_STORAGE_VOL_GET_PHYSICAL`.
        allocation_bytes: IfKnown<Whole>,
        /// Size of the volume's file; only with `VIR_STORAGE_VOL_GET_PHYSICAL`.
        physical_bytes: IfKnown<Whole>,
    }
}

#[export_module]
pub(super) mod functions {
    /// The volume's key, unique on the host and often its path; for use in text.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.key, "/default-pool/a.img");
    /// ```
    /// Calls virStorageVolGetKey.
    #[rhai_fn(get = "key", pure)]
    pub fn get_key(vol: &mut StorageVol) -> String {
        vol.facts().key.clone()
    }

    /// The volume's key, unique on the host and often its path.
    ///
    /// libvirt keeps it in the handle, so the call does not ask the host and works after the volume is deleted.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.key(), vol.key);
    /// ```
    /// Calls virStorageVolGetKey.
    #[rhai_fn(pure)]
    pub fn key(vol: &mut StorageVol) -> String {
        vol.facts().key.clone()
    }

    /// The path on the host that the volume had when it was looked up; for use in text.
    ///
    /// It remains available after the volume is deleted. `path()` asks the host.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// vol.delete();
    /// assert_eq(vol.path, "/default-pool/a.img");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "path", pure)]
    pub fn get_path(vol: &mut StorageVol) -> String {
        vol.facts().path.clone()
    }

    /// The path on the host, as a guest's XML names it; throws `VIR_ERR_NO_STORAGE_VOL` if the volume is deleted.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.path(), vol.path);
    /// ```
    /// Calls virStorageVolGetPath.
    #[rhai_fn(pure, return_raw)]
    pub fn path(ctx: NativeCallContext, vol: &mut StorageVol) -> RhaiResultOf<String> {
        vol.call(
            &ctx,
            "virStorageVolGetPath",
            "ask for the path of",
            Handle::path,
        )
    }

    /// The pool that the volume is in.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.storage_pool_lookup_by_volume().name, "default-pool");
    /// ```
    /// Calls virStoragePoolLookupByVolume.
    #[rhai_fn(pure, return_raw)]
    pub fn storage_pool_lookup_by_volume(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
    ) -> RhaiResultOf<StoragePool> {
        let pool = vol.call(
            &ctx,
            "virStoragePoolLookupByVolume",
            "look up the pool of",
            Handle::lookup_storage_pool,
        )?;
        Ok(StoragePool::new(vol.connection().clone(), pool))
    }

    /// The type in a word, and `capacity_bytes` and `allocation_bytes`.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.info().capacity_bytes, 1048576);
    /// ```
    /// Calls virStorageVolGetInfo.
    #[rhai_fn(name = "info", pure, return_raw)]
    pub fn info(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
    ) -> RhaiResultOf<RecordOf<VolumeInfo>> {
        info_flags(ctx, vol, 0)
    }

    /// The type and the sizes; with `VIR_STORAGE_VOL_GET_PHYSICAL` the second is the size of the volume's file.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.info(VIR_STORAGE_VOL_USE_ALLOCATION).type, "file");
    /// ```
    /// Calls virStorageVolGetInfoFlags.
    #[rhai_fn(name = "info", pure, return_raw)]
    pub fn info_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<VolumeInfo>> {
        let wanted = flag_bits(&ctx, flags)?;

        let info = match wanted {
            // The test driver has this call alone.
            0 => vol.call(&ctx, "virStorageVolGetInfo", "read", Handle::info)?,
            _ => vol.call(&ctx, "virStorageVolGetInfoFlags", "read", move |v| {
                v.info_flags(wanted)
            })?,
        };
        let physical = i64::from(wanted) & i64::from(virt_sys::VIR_STORAGE_VOL_GET_PHYSICAL) != 0;
        let size_if = |asked: bool| IfKnown(asked.then_some(Whole(info.allocation)));
        Ok(VolumeInfo {
            r#type: VolumeType::TABLE.word(i64::from(info.kind)).into(),
            capacity_bytes: Whole(info.capacity),
            allocation_bytes: size_if(!physical),
            physical_bytes: size_if(physical),
        }
        .into_map())
    }

    /// Deletes the volume with its contents.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// vol.delete();
    /// assert_eq(pool.num_of_volumes(), 0);
    /// ```
    /// Calls virStorageVolDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete(ctx: NativeCallContext, vol: &mut StorageVol) -> RhaiResultOf<()> {
        delete_flags(ctx, vol, 0)
    }

    /// Deletes the volume; `VIR_STORAGE_VOL_DELETE_ZEROED` overwrites it first.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// vol.delete(0);
    /// assert_eq(pool.num_of_volumes(), 0);
    /// ```
    /// Calls virStorageVolDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        stale_save::refuse_change(&ctx, vol, "delete")?;
        vol.call(&ctx, "virStorageVolDelete", "delete", move |v| {
            v.delete(wanted)
        })
    }

    /// Sets the size of the volume to `capacity`, in bytes or as text such as "20GiB" (see `parse_size`); a guest that
    /// uses it does not notice the change.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.resize("2MiB");
    /// assert_eq(vol.info().capacity_bytes, 2097152);
    /// ```
    /// Calls virStorageVolResize.
    #[rhai_fn(name = "resize", pure, return_raw)]
    pub fn resize(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        capacity: SizeValue,
    ) -> RhaiResultOf<()> {
        resize_flags(ctx, vol, capacity, 0)
    }

    /// Changes the size: `VIR_STORAGE_VOL_RESIZE_SHRINK` allows a smaller size, which loses the data beyond it, and
    /// `VIR_STORAGE_VOL_RESIZE_DELTA` adds `capacity` to the size.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.resize("1MiB", VIR_STORAGE_VOL_RESIZE_DELTA);
    /// assert_eq(vol.info().capacity_bytes, 2097152);
    /// ```
    /// Calls virStorageVolResize.
    #[rhai_fn(name = "resize", pure, return_raw)]
    pub fn resize_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        capacity: SizeValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let capacity = bytes(&ctx, &capacity)?;
        let wanted = flag_bits(&ctx, flags)?;
        stale_save::refuse_change(&ctx, vol, "resize")?;
        vol.call(&ctx, "virStorageVolResize", "resize", move |v| {
            v.resize(capacity, wanted)
        })
    }
}
