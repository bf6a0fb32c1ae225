//! The admin API of a libvirt daemon: `AdminConnection`, `AdminServer`, `AdminClient`.

mod client;
mod connection;
mod server;

use rhai::{Engine, Map, NativeCallContext, exported_module};

use super::arguments::{RhaiResultOf, number};
use crate::libvirt::typed_params::Scalar;
use crate::objects::admin::{AdminClient, AdminConnection, AdminServer, Params};
use crate::vocabulary::{Declared, check};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<AdminConnection>("AdminConnection");
    engine.register_type_with_name::<AdminServer>("AdminServer");
    engine.register_type_with_name::<AdminClient>("AdminClient");
    engine.register_global_module(exported_module!(connection::functions).into());
    engine.register_global_module(exported_module!(server::functions).into());
    engine.register_global_module(exported_module!(client::functions).into());
}

/// The maps that these calls take and return.
pub(super) const DECLARED: &[&Declared] = &[
    client::ClientInfo::RECORD,
    server::ClientLimits::OPTIONS,
    server::ClientLimits::RECORD,
    server::ThreadPoolParameters::OPTIONS,
    server::ThreadPoolParameters::RECORD,
];

/// The limits that `map` gives, all of them numbers, which `declared` describes.
fn limits(ctx: &NativeCallContext, map: &Map, declared: &Declared) -> RhaiResultOf<Params> {
    check(ctx, &declared.spec(), map)?;
    let mut limits = Params::new();
    for (key, value) in map {
        if let Ok(whole) = value.as_int() {
            limits.push((key.to_string(), Scalar::UInt(number(ctx, key, whole)?)));
        }
    }
    Ok(limits)
}
