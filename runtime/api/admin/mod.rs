//! The admin API of a libvirt daemon: `AdminConnection`, `AdminServer`, `AdminClient`.

mod client;
mod connection;
mod server;

use rhai::{Engine, Map, NativeCallContext, exported_module};

use super::arguments::{RhaiResultOf, number, unknown_key};
use crate::error::Error;
use crate::libvirt::typed_params::Scalar;
use crate::objects::admin::{AdminClient, AdminConnection, AdminServer, Params};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<AdminConnection>("AdminConnection");
    engine.register_type_with_name::<AdminServer>("AdminServer");
    engine.register_type_with_name::<AdminClient>("AdminClient");
    engine.register_global_module(exported_module!(connection::functions).into());
    engine.register_global_module(exported_module!(server::functions).into());
    engine.register_global_module(exported_module!(client::functions).into());
}

/// A map of limits, all of them numbers, whose keys are among `known`.
fn limits(ctx: &NativeCallContext, map: &Map, known: &[&str]) -> RhaiResultOf<Params> {
    unknown_key(ctx, map, known.iter().copied())?;
    let mut limits = Params::new();
    for (key, value) in map {
        let whole = value.as_int().map_err(|kind| {
            let message = format!("`{key}` must be a whole number, not {kind}");
            Error::invalid(ctx, message).throw()
        })?;
        limits.push((key.to_string(), Scalar::UInt(number(ctx, key, whole)?)));
    }
    Ok(limits)
}
