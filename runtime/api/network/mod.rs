//! `Network`: a virtual network of a host, active or not.

mod identity;
mod leases;
mod lifecycle;
mod metadata;
mod update;

use crate::objects::network::Network;
use rhai::{Engine, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Network>("Network");
    engine.register_global_module(exported_module!(identity::functions).into());
    engine.register_global_module(exported_module!(leases::functions).into());
    engine.register_global_module(exported_module!(lifecycle::functions).into());
    engine.register_global_module(exported_module!(metadata::functions).into());
    engine.register_global_module(exported_module!(update::functions).into());
}
