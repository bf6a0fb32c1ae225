//! Finds storage, and creates and defines pools.

use rhai::plugin::*;
use rhai::{Array, Blob, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, uuid_text};
use crate::api::xml::{OptionalXmlText, XmlText, optional_xml_text};
use crate::libvirt;
use crate::objects::connection::Connection;
use crate::objects::storage_pool::{StoragePool, StoragePoolKind};
use crate::objects::storage_vol::StorageVol;

#[export_module]
pub(super) mod functions {
    /// The storage pool called `name`; throws `VIR_ERR_NO_STORAGE_POOL` if there is none.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.storage_pool_lookup_by_name("default-pool").name, "default-pool");
    /// ```
    /// Calls virStoragePoolLookupByName.
    #[rhai_fn(pure, return_raw)]
    pub fn storage_pool_lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<StoragePool> {
        conn.look_up(&ctx, "virStoragePoolLookupByName", name)
    }

    /// The storage pool with the UUID `uuid` as text.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let uuid = conn.storage_pool_lookup_by_name("default-pool").uuid;
    /// assert_eq(conn.storage_pool_lookup_by_uuid_string(uuid).name, "default-pool");
    /// ```
    /// Calls virStoragePoolLookupByUUIDString.
    #[rhai_fn(
        name = "storage_pool_lookup_by_uuid",
        name = "storage_pool_lookup_by_uuid_string",
        pure,
        return_raw
    )]
    pub fn storage_pool_lookup_by_uuid_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: &str,
    ) -> RhaiResultOf<StoragePool> {
        conn.look_up_uuid(&ctx, uuid)
    }

    /// The storage pool with a UUID as 16 bytes.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let bytes = conn.storage_pool_lookup_by_name("default-pool").uuid_bytes();
    /// assert_eq(conn.storage_pool_lookup_by_uuid(bytes).name, "default-pool");
    /// ```
    /// Calls virStoragePoolLookupByUUIDString.
    #[rhai_fn(name = "storage_pool_lookup_by_uuid", pure, return_raw)]
    pub fn storage_pool_lookup_by_uuid_bytes(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: Blob,
    ) -> RhaiResultOf<StoragePool> {
        let uuid = uuid_text(&ctx, &uuid)?;
        storage_pool_lookup_by_uuid_string(ctx, conn, &uuid)
    }

    /// The names of the active storage pools.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_storage_pools(), ["default-pool"]);
    /// ```
    /// Calls virConnectListAllStoragePools.
    #[rhai_fn(pure, return_raw)]
    pub fn list_storage_pools(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<Array> {
        let active = virt_sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE;
        conn.list_names::<StoragePoolKind>(&ctx, "virConnectListAllStoragePools", active)
    }

    /// The names of the storage pools that are defined but not active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_defined_storage_pools(), []);
    /// ```
    /// Calls virConnectListAllStoragePools.
    #[rhai_fn(pure, return_raw)]
    pub fn list_defined_storage_pools(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<Array> {
        let inactive = virt_sys::VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE;
        conn.list_names::<StoragePoolKind>(&ctx, "virConnectListAllStoragePools", inactive)
    }

    /// The number of active storage pools.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_storage_pools(), 1);
    /// ```
    /// Calls virConnectNumOfStoragePools.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_storage_pools(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfStoragePools",
            "count storage pools",
            |c| c.num_of_storage_pools().map(i64::from),
        )
    }

    /// The number of storage pools that are defined but not active.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.num_of_defined_storage_pools(), 0);
    /// ```
    /// Calls virConnectNumOfDefinedStoragePools.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_defined_storage_pools(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<i64> {
        conn.call(
            &ctx,
            "virConnectNumOfDefinedStoragePools",
            "count storage pools",
            |c| c.num_of_defined_storage_pools().map(i64::from),
        )
    }

    /// The storage pools of the host, active or not.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_all_storage_pools()[0].name, "default-pool");
    /// ```
    /// Calls virConnectListAllStoragePools.
    #[rhai_fn(name = "list_all_storage_pools", pure, return_raw)]
    pub fn list_all_storage_pools(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<StoragePool>> {
        list_all_storage_pools_flags(ctx, conn, 0)
    }

    /// The storage pools that `flags` select, such as `VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.list_all_storage_pools(VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE).len(), 1);
    /// ```
    /// Calls virConnectListAllStoragePools.
    #[rhai_fn(name = "list_all_storage_pools", pure, return_raw)]
    pub fn list_all_storage_pools_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<StoragePool>> {
        conn.list_objects::<StoragePoolKind>(&ctx, "virConnectListAllStoragePools", flags)
    }

    /// The pool whose volumes are in the folder `path`.
    ///
    /// ```rhai,pool
    /// let conn = connect();
    /// let folder = parse_xml(conn.list_all_storage_pools()[0].xml_desc()).get("target/path");
    /// assert_eq(conn.storage_pool_lookup_by_target_path(folder).name, "images");
    /// ```
    /// Calls virStoragePoolLookupByTargetPath.
    #[rhai_fn(pure, return_raw)]
    pub fn storage_pool_lookup_by_target_path(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
    ) -> RhaiResultOf<StoragePool> {
        let action = format_args!("look up the storage pool in `{path}`");
        let path = path.to_owned();
        let found = conn.call(&ctx, "virStoragePoolLookupByTargetPath", action, move |c| {
            c.lookup_storage_pool_by_target_path(&path)
        })?;
        Ok(StoragePool::new(conn.clone(), found))
    }

    /// Defines the pool that `xml` describes, without starting it.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// assert(!pool.is_active());
    /// ```
    /// Calls virStoragePoolDefineXML.
    #[rhai_fn(name = "storage_pool_define_xml", pure, return_raw)]
    pub fn storage_pool_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<StoragePool> {
        storage_pool_define_xml_flags(ctx, conn, xml, 0)
    }

    /// Defines a pool; `VIR_STORAGE_POOL_DEFINE_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>", 0);
    /// assert(!pool.is_active());
    /// ```
    /// Calls virStoragePoolDefineXML.
    #[rhai_fn(name = "storage_pool_define_xml", pure, return_raw)]
    pub fn storage_pool_define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<StoragePool> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.define(&ctx, "virStoragePoolDefineXML", &xml, move |c, xml| {
            c.define_storage_pool_xml(xml, wanted)
        })
    }

    /// Starts the pool that `xml` describes without defining it: it is gone when it is stopped.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_create_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// assert(pool.is_active());
    /// ```
    /// Calls virStoragePoolCreateXML.
    #[rhai_fn(name = "storage_pool_create_xml", pure, return_raw)]
    pub fn storage_pool_create_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<StoragePool> {
        storage_pool_create_xml_flags(ctx, conn, xml, 0)
    }

    /// Starts a pool without defining it; `VIR_STORAGE_POOL_CREATE_WITH_BUILD` creates its storage first.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_create_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>", VIR_STORAGE_POOL_CREATE_NORMAL);
    /// assert(pool.is_active());
    /// ```
    /// Calls virStoragePoolCreateXML.
    #[rhai_fn(name = "storage_pool_create_xml", pure, return_raw)]
    pub fn storage_pool_create_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<StoragePool> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.create(&ctx, "virStoragePoolCreateXML", &xml, move |c, xml| {
            c.create_storage_pool_xml(xml, wanted)
        })
    }

    /// The volume with the key `key`, in any active pool.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let vol = conn.storage_pool_lookup_by_name("default-pool").create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(conn.storage_vol_lookup_by_key(vol.key).name, "a.img");
    /// ```
    /// Calls virStorageVolLookupByKey.
    #[rhai_fn(pure, return_raw)]
    pub fn storage_vol_lookup_by_key(
        ctx: NativeCallContext,
        conn: &mut Connection,
        key: &str,
    ) -> RhaiResultOf<StorageVol> {
        let action = format_args!("look up the volume with the key `{key}`");
        let key = key.to_owned();
        let found = conn.call(&ctx, "virStorageVolLookupByKey", action, move |c| {
            c.lookup_storage_vol_by_key(&key)
        })?;
        Ok(StorageVol::new(conn.clone(), found))
    }

    /// The volume with the path `path`, in any active pool.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let vol = conn.storage_pool_lookup_by_name("default-pool").create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(conn.storage_vol_lookup_by_path(vol.path).name, "a.img");
    /// ```
    /// Calls virStorageVolLookupByPath.
    #[rhai_fn(pure, return_raw)]
    pub fn storage_vol_lookup_by_path(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
    ) -> RhaiResultOf<StorageVol> {
        let action = format_args!("look up the volume with the path `{path}`");
        let path = path.to_owned();
        let found = conn.call(&ctx, "virStorageVolLookupByPath", action, move |c| {
            c.lookup_storage_vol_by_path(&path)
        })?;
        Ok(StorageVol::new(conn.clone(), found))
    }

    /// Finds sources for pools of the type `kind` on the host that `source` describes in XML, or on this host if it is
    /// `()`; returns XML.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.find_storage_pool_sources("logical", (), 0).contains("sources"));
    /// ```
    /// Calls virConnectFindStoragePoolSources.
    #[rhai_fn(name = "find_storage_pool_sources", pure, return_raw)]
    pub fn find_storage_pool_sources_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        kind: &str,
        source: OptionalXmlText,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        let source = optional_xml_text(&ctx, "the source", &source)?;
        let action = format_args!("find sources for pools of the type `{kind}`");
        let kind = kind.to_owned();
        conn.call(&ctx, "virConnectFindStoragePoolSources", action, move |c| {
            c.find_storage_pool_sources(&kind, source.as_deref(), wanted)
        })
    }

    /// Finds sources for pools of a type, as XML: exports of a server for `netfs`, volume groups for `logical`.
    /// `source` is XML that says where to look, or `()`.
    ///
    /// ```rhai
    /// let found = connect("test:///default").find_storage_pool_sources("logical", ());
    /// assert(found.contains("<sources>"));
    /// ```
    /// Calls virConnectFindStoragePoolSources.
    #[rhai_fn(name = "find_storage_pool_sources", pure, return_raw)]
    pub fn find_storage_pool_sources(
        ctx: NativeCallContext,
        conn: &mut Connection,
        kind: &str,
        source: OptionalXmlText,
    ) -> RhaiResultOf<String> {
        find_storage_pool_sources_flags(ctx, conn, kind, source, 0)
    }

    /// The types of storage pool that the host supports, as XML.
    ///
    /// ```rhai,pool
    /// assert(connect().get_storage_pool_capabilities().contains("<pool type='dir'"));
    /// ```
    /// Calls virConnectGetStoragePoolCapabilities.
    #[rhai_fn(name = "get_storage_pool_capabilities", pure, return_raw)]
    pub fn get_storage_pool_capabilities(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<String> {
        get_storage_pool_capabilities_flags(ctx, conn, 0)
    }

    /// The types of storage pool that the host supports; libvirt has no flags for it yet.
    ///
    /// ```rhai,pool
    /// assert(connect().get_storage_pool_capabilities(0).contains("<pool type='dir'"));
    /// ```
    /// Calls virConnectGetStoragePoolCapabilities.
    #[rhai_fn(name = "get_storage_pool_capabilities", pure, return_raw)]
    pub fn get_storage_pool_capabilities_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virConnectGetStoragePoolCapabilities";
        conn.call(&ctx, call, "read the storage capabilities", move |c| {
            libvirt::connection::storage_pool_capabilities(c, wanted)
        })
    }
}
