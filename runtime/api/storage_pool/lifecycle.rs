//! The identity and lifecycle of a pool.

use rhai::NativeCallContext;
use rhai::plugin::*;
use virt::storage_pool::StoragePool as Handle;

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::objects::storage_pool::StoragePool;
use crate::vocabulary::{PoolState, RecordOf, Whole, Word, record};

record! {
    /// State and sizes of a storage pool.
    pub(crate) struct PoolInfo {
        /// State of the pool.
        state: Word<PoolState>,
        /// Size of the storage.
        capacity_bytes: Whole,
        /// Size of the used storage.
        allocation_bytes: Whole,
        /// Size of the free storage.
        available_bytes: Whole,
    }
}

#[export_module]
pub(super) mod functions {
    /// True if the pool is started, so that its volumes can be used.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert(pool.is_active());
    /// ```
    /// Calls virStoragePoolIsActive.
    #[rhai_fn(pure, return_raw)]
    pub fn is_active(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<bool> {
        pool.call(
            &ctx,
            "virStoragePoolIsActive",
            "check the activity of",
            Handle::is_active,
        )
    }

    /// True if the pool is defined, so that it still exists after a stop.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert(pool.is_persistent());
    /// ```
    /// Calls virStoragePoolIsPersistent.
    #[rhai_fn(pure, return_raw)]
    pub fn is_persistent(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<bool> {
        pool.call(
            &ctx,
            "virStoragePoolIsPersistent",
            "check the persistence of",
            Handle::is_persistent,
        )
    }

    /// True if the pool starts with its host.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert(!pool.autostart());
    /// ```
    /// Calls virStoragePoolGetAutostart.
    #[rhai_fn(pure, return_raw)]
    pub fn autostart(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<bool> {
        pool.call(
            &ctx,
            "virStoragePoolGetAutostart",
            "read the autostart of",
            Handle::autostart,
        )
    }

    /// Sets whether the pool starts with its host.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// pool.set_autostart(true);
    /// assert(pool.autostart());
    /// ```
    /// Calls virStoragePoolSetAutostart.
    #[rhai_fn(pure, return_raw)]
    pub fn set_autostart(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        on: bool,
    ) -> RhaiResultOf<()> {
        pool.call(
            &ctx,
            "virStoragePoolSetAutostart",
            "set the autostart of",
            move |p| p.set_autostart(on),
        )
    }

    /// The state in a word, and `capacity_bytes`, `allocation_bytes` and `available_bytes`.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert_eq(pool.info().state, "running");
    /// ```
    /// Calls virStoragePoolGetInfo.
    #[rhai_fn(pure, return_raw)]
    pub fn info(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
    ) -> RhaiResultOf<RecordOf<PoolInfo>> {
        let info = pool.call(&ctx, "virStoragePoolGetInfo", "read", Handle::info)?;
        Ok(PoolInfo {
            state: PoolState::TABLE.word(i64::from(info.state)).into(),
            capacity_bytes: Whole(info.capacity),
            allocation_bytes: Whole(info.allocation),
            available_bytes: Whole(info.available),
        }
        .into_map())
    }

    /// Starts the pool, whose storage must already exist.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// assert(pool.is_active());
    /// ```
    /// Calls virStoragePoolCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.call(&ctx, "virStoragePoolCreate", "start", |p| p.create(0))
    }

    /// Starts the pool; `VIR_STORAGE_POOL_CREATE_WITH_BUILD` creates its storage first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create(VIR_STORAGE_POOL_CREATE_NORMAL);
    /// assert(pool.is_active());
    /// ```
    /// Calls virStoragePoolCreate.
    #[rhai_fn(name = "create", pure, return_raw)]
    pub fn create_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        pool.call(&ctx, "virStoragePoolCreate", "start", move |p| {
            p.create(wanted)
        })
    }

    /// Creates the pool's storage, such as its folder, while the pool is not active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.build();
    /// pool.create();
    /// ```
    /// Calls virStoragePoolBuild.
    #[rhai_fn(name = "build", pure, return_raw)]
    pub fn build(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.call(&ctx, "virStoragePoolBuild", "build", |p| p.build(0))
    }

    /// Creates the pool's storage; `VIR_STORAGE_POOL_BUILD_OVERWRITE` destroys existing data.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.build(VIR_STORAGE_POOL_BUILD_NEW);
    /// ```
    /// Calls virStoragePoolBuild.
    #[rhai_fn(name = "build", pure, return_raw)]
    pub fn build_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        pool.call(&ctx, "virStoragePoolBuild", "build", move |p| {
            p.build(wanted)
        })
    }

    /// Stops the pool; its volumes stay on its storage. A pool without a definition is gone afterwards.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.destroy();
    /// assert(!pool.is_active());
    /// ```
    /// Calls virStoragePoolDestroy.
    #[rhai_fn(name = "destroy", pure, return_raw)]
    pub fn destroy(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.call(&ctx, "virStoragePoolDestroy", "stop", Handle::destroy)
    }

    /// Deletes the storage of an inactive pool; a folder must be empty.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.build();
    /// pool.delete();
    /// ```
    /// Calls virStoragePoolDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.call(&ctx, "virStoragePoolDelete", "delete the storage of", |p| {
            p.delete(0)
        })
    }

    /// Deletes the pool's storage; `VIR_STORAGE_POOL_DELETE_ZEROED` overwrites it with zeros.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.build();
    /// pool.delete(VIR_STORAGE_POOL_DELETE_NORMAL);
    /// ```
    /// Calls virStoragePoolDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        pool.call(
            &ctx,
            "virStoragePoolDelete",
            "delete the storage of",
            move |p| p.delete(wanted),
        )
    }

    /// Removes the definition of a pool that is not active; its storage stays.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.undefine();
    /// assert(!conn.list_defined_storage_pools().contains("images"));
    /// ```
    /// Calls virStoragePoolUndefine.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.call(&ctx, "virStoragePoolUndefine", "undefine", Handle::undefine)
    }

    /// Searches the pool's storage for volumes again.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.refresh();
    /// ```
    /// Calls virStoragePoolRefresh.
    #[rhai_fn(name = "refresh", pure, return_raw)]
    pub fn refresh(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.call(&ctx, "virStoragePoolRefresh", "refresh", |p| p.refresh(0))
    }

    /// Searches for volumes again; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.refresh(0);
    /// ```
    /// Calls virStoragePoolRefresh.
    #[rhai_fn(name = "refresh", pure, return_raw)]
    pub fn refresh_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        pool.call(&ctx, "virStoragePoolRefresh", "refresh", move |p| {
            p.refresh(wanted)
        })
    }
}
