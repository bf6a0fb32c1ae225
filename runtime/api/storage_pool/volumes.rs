//! The volumes of a pool.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};
use virt::storage_vol::StorageVol as Volume;

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use crate::api::connection::about::About;
use crate::api::stale_save;
use crate::api::xml::{XmlText, xml_text};
use crate::error::{Error, OfXml, Task};
use crate::libvirt::Failure;
use crate::objects::natural_order;
use crate::objects::object::Listed;
use crate::objects::storage_pool::{Handle, StoragePool};
use crate::objects::storage_vol::{StorageVol, StorageVolKind};

fn names(volumes: &[Volume]) -> impl Iterator<Item = String> {
    volumes.iter().filter_map(|volume| volume.name().ok())
}

/// Refuses a new volume in `pool` if rules forbid its name, which `xml` has.
pub(crate) fn refuse_new_name(
    ctx: &NativeCallContext,
    pool: &StoragePool,
    xml: &str,
) -> RhaiResultOf<()> {
    match About("create", "volume", xml).subject() {
        Some(volume) => pool.refuse_name(
            ctx,
            "virStorageVolCreateXML",
            "create a volume in",
            &volume.name,
        ),
        None => Ok(()),
    }
}

#[export_module]
pub(super) mod functions {
    /// The number of volumes of the active pool.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// assert_eq(pool.num_of_volumes(), 0);
    /// ```
    /// Calls virStoragePoolNumOfVolumes.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_volumes(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<i64> {
        pool.call(
            &ctx,
            "virStoragePoolNumOfVolumes",
            "count the volumes of",
            |p| p.num_of_volumes().map(i64::from),
        )
    }

    /// The names of the volumes of the active pool.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(pool.list_volumes(), ["a.img"]);
    /// ```
    /// Calls virStoragePoolListAllVolumes.
    #[rhai_fn(pure, return_raw)]
    pub fn list_volumes(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<Array> {
        // The call for names alone stops at 1024.
        let volumes = pool.call(
            &ctx,
            "virStoragePoolListAllVolumes",
            "list the volumes of",
            |p| p.list_all_volumes(0),
        )?;
        Ok(names(&volumes).map(Dynamic::from).collect())
    }

    /// The volumes of the active pool.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(pool.list_all_volumes()[0].name, "a.img");
    /// ```
    /// Calls virStoragePoolListAllVolumes.
    #[rhai_fn(name = "list_all_volumes", pure, return_raw)]
    pub fn list_all_volumes(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
    ) -> RhaiResultOf<ArrayOf<StorageVol>> {
        list_all_volumes_flags(ctx, pool, 0)
    }

    /// The volumes of the active pool; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(pool.list_all_volumes(0).len(), 1);
    /// ```
    /// Calls virStoragePoolListAllVolumes.
    #[rhai_fn(name = "list_all_volumes", pure, return_raw)]
    pub fn list_all_volumes_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<StorageVol>> {
        let wanted = flag_bits(&ctx, flags)?;

        let mut volumes = pool.call(
            &ctx,
            "virStoragePoolListAllVolumes",
            "list the volumes of",
            move |p| p.list_all_volumes(wanted),
        )?;
        natural_order::sort(&mut volumes, Volume::name);
        Ok(volumes
            .into_iter()
            .map(|volume| Dynamic::from(pool.adopt(volume)))
            .collect())
    }

    /// The volume called `name`; throws `VIR_ERR_NO_STORAGE_VOL` if there is none.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(pool.storage_vol_lookup_by_name("a.img").name, "a.img");
    /// ```
    /// Calls virStorageVolLookupByName.
    #[rhai_fn(pure, return_raw)]
    pub fn storage_vol_lookup_by_name(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        name: &str,
    ) -> RhaiResultOf<StorageVol> {
        let verb = format_args!("look up the volume `{name}` of");
        let wanted = name.to_owned();
        pool.call(&ctx, "virStorageVolLookupByName", verb, move |p| {
            p.lookup_storage_vol_by_name(&wanted)
        })
        .map(|volume| pool.adopt(volume))
        .map_err(|thrown| {
            let volumes = || {
                let list = |p: &Handle| p.list_all_volumes(0);
                pool.attempt("virStoragePoolListAllVolumes", list).ok()
            };
            Error::with_nearest(thrown, StorageVolKind::MISSING, name, || {
                names(&volumes().unwrap_or_default()).collect()
            })
        })
    }

    /// Creates the volume that `xml` describes.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// assert_eq(vol.info().capacity_bytes, 1048576);
    /// ```
    /// Calls virStorageVolCreateXML.
    #[rhai_fn(name = "create_xml", pure, return_raw)]
    pub fn create_xml(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        xml: XmlText,
    ) -> RhaiResultOf<StorageVol> {
        create_xml_flags(ctx, pool, xml, 0)
    }

    /// Creates the volume that `xml` describes; `VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA` allocates a qcow2 image's
    /// metadata for its full size.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>", 0);
    /// assert_eq(vol.name, "a.img");
    /// ```
    /// Calls virStorageVolCreateXML.
    #[rhai_fn(name = "create_xml", pure, return_raw)]
    pub fn create_xml_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<StorageVol> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = xml_text(&ctx, "the volume's XML", &xml)?;
        let verb = format!("{} in", About("create", "volume", &text));
        stale_save::refuse_creation(&ctx, pool, &text, &verb)?;
        refuse_new_name(&ctx, pool, &text)?;
        let owned = text.clone();
        let volume = pool
            .call(&ctx, "virStorageVolCreateXML", verb, move |p| {
                Volume::create_xml(p, &owned, wanted)
            })
            .of_xml(&text)?;
        Ok(pool.adopt(volume))
    }

    /// Creates the volume that `xml` describes as a copy of `original`, which may be in another pool.
    ///
    /// Returns when the copy is complete.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// let copy = pool.create_xml_from("<volume><name>b.img</name><capacity>1048576</capacity></volume>", vol);
    /// assert_eq(copy.name, "b.img");
    /// ```
    /// Calls virStorageVolCreateXMLFrom.
    #[rhai_fn(name = "create_xml_from", pure, return_raw)]
    pub fn create_xml_from(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        xml: XmlText,
        original: StorageVol,
    ) -> RhaiResultOf<StorageVol> {
        create_xml_from_flags(ctx, pool, xml, original, 0)
    }

    /// Creates a copy of `original`; `VIR_STORAGE_VOL_CREATE_REFLINK` shares its blocks if the file system supports
    /// that.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>/tmp/images</path></target></pool>");
    /// pool.create();
    /// let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
    /// let copy = pool.create_xml_from("<volume><name>b.img</name><capacity>1048576</capacity></volume>", vol, 0);
    /// assert_eq(copy.name, "b.img");
    /// ```
    /// Calls virStorageVolCreateXMLFrom.
    #[rhai_fn(name = "create_xml_from", pure, return_raw)]
    pub fn create_xml_from_flags(
        ctx: NativeCallContext,
        pool: &mut StoragePool,
        xml: XmlText,
        original: StorageVol,
        flags: i64,
    ) -> RhaiResultOf<StorageVol> {
        let wanted = flag_bits(&ctx, flags)?;
        let text = xml_text(&ctx, "the volume's XML", &xml)?;
        let verb = format_args!("copy the volume `{}` to", original.name());
        stale_save::refuse_creation(&ctx, pool, &text, verb)?;
        let (owned, source) = (text.clone(), original.clone());
        let volume = pool
            .call(&ctx, "virStorageVolCreateXMLFrom", verb, move |p| {
                let source = source.handle()?;
                Volume::create_xml_from(p, &owned, &source, wanted).map_err(Failure::from)
            })
            .of_xml(&text)?;
        Ok(pool.adopt(volume))
    }
}
