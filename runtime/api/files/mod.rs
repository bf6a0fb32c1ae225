//! Calls for files on the machine that runs virhai, if the script has the permission.

mod csv;
mod data;
mod glob;
mod place;
mod template;
mod text;

use rhai::{Engine, exported_module};

use crate::vocabulary::Declared;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[csv::CsvOptions::DECLARED];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(text::functions).into());
    engine.register_global_module(exported_module!(data::functions).into());
    engine.register_global_module(exported_module!(csv::functions).into());
    engine.register_global_module(exported_module!(glob::functions).into());
    engine.register_global_module(exported_module!(template::functions).into());
}
