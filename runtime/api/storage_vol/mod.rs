//! `StorageVol`: a disk image or a device in a pool.

mod download;
mod file;
mod filling;
mod lifecycle;
mod plan;
mod upload;
mod wipe;

use rhai::{Engine, exported_module};

pub(crate) use filling::Filling;

use crate::api::every_kind::Scripted;
use crate::objects::storage_vol::StorageVolKind;
use crate::vocabulary::Declared;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[
    lifecycle::VolumeInfo::DECLARED,
    plan::TransferOptions::DECLARED,
];

impl Scripted for StorageVolKind {
    const VARIABLE: &'static str = "vol";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let pool = conn.storage_pool_lookup_by_name("default-pool");
let vol = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");"#;
    const EXAMPLE_NAME: &'static str = "a.img";
    const XML: &'static str = "of the volume";
    const XML_FLAGS: &'static str = "";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(download::functions).into());
        engine.register_global_module(exported_module!(lifecycle::functions).into());
        engine.register_global_module(exported_module!(upload::functions).into());
        engine.register_global_module(exported_module!(wipe::functions).into());
    }
}
