//! Calls for the web, if the script has the permission.

mod client;
mod download;
mod get;

use rhai::{Engine, exported_module};

use crate::vocabulary::Declared;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[
    download::HttpDownloadOptions::DECLARED,
    get::HttpOptions::DECLARED,
    get::HttpResponse::DECLARED,
];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(get::functions).into());
    engine.register_global_module(exported_module!(download::functions).into());
}
