//! `DomainSnapshot`: what a guest was at one moment, to go back to.

mod identity;
mod tree;

use crate::objects::domain_snapshot::DomainSnapshot;
use rhai::{Engine, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<DomainSnapshot>("DomainSnapshot");
    engine.register_global_module(exported_module!(identity::functions).into());
    engine.register_global_module(exported_module!(tree::functions).into());
}
