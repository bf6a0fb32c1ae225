//! `StorageVol`: a disk image or a device in a pool.

mod download;
mod file;
mod lifecycle;
mod plan;
mod upload;
mod wipe;

use crate::objects::storage_vol::StorageVol;
use rhai::{Engine, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<StorageVol>("StorageVol");
    engine.register_global_module(exported_module!(download::functions).into());
    engine.register_global_module(exported_module!(lifecycle::functions).into());
    engine.register_global_module(exported_module!(upload::functions).into());
    engine.register_global_module(exported_module!(wipe::functions).into());
}
