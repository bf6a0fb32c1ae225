//! `StoragePool`: where volumes are kept.

mod lifecycle;
mod volumes;

use crate::objects::storage_pool::StoragePool;
use rhai::{Engine, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<StoragePool>("StoragePool");
    engine.register_global_module(exported_module!(lifecycle::functions).into());
    engine.register_global_module(exported_module!(volumes::functions).into());
}
