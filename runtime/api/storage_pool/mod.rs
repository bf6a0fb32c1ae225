//! `StoragePool`: a place for volumes.

mod lifecycle;
pub(crate) mod volumes;

use rhai::{Engine, exported_module};

use crate::api::every_kind::Scripted;
use crate::objects::storage_pool::StoragePoolKind;
use crate::vocabulary::Declared;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[lifecycle::PoolInfo::DECLARED];

impl Scripted for StoragePoolKind {
    const VARIABLE: &'static str = "pool";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let pool = conn.storage_pool_lookup_by_name("default-pool");"#;
    const EXAMPLE_NAME: &'static str = "default-pool";
    const XML: &'static str = "of the active pool; for an inactive pool, its configuration";
    const XML_FLAGS: &'static str = "`VIR_STORAGE_XML_INACTIVE` is the configuration";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(lifecycle::functions).into());
        engine.register_global_module(exported_module!(volumes::functions).into());
    }
}
