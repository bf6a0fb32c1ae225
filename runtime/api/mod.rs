//! The functions that scripts can call: a module for each libvirt object, and the prelude.

#![allow(clippy::unwrap_used)] // Rhai's macro unwraps arguments whose types it has checked.

pub(crate) mod admin;
pub(crate) mod arguments;
pub(crate) mod asking;
pub(crate) mod assertions;
pub(crate) mod bounded_growth;
pub(crate) mod by_key;
mod comparison;
pub(crate) mod connection;
pub(crate) mod cpu_set;
pub(crate) mod dates;
pub(crate) mod disk_image;
pub(crate) mod domain;
pub(crate) mod domain_checkpoint;
pub(crate) mod domain_snapshot;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod every_kind;
pub(crate) mod files;
pub(crate) mod fleet;
pub(crate) mod handler;
pub(crate) mod interface;
pub(crate) mod nested;
pub(crate) mod net;
pub(crate) mod network;
pub(crate) mod network_port;
pub(crate) mod node_device;
pub(crate) mod nwfilter;
pub(crate) mod nwfilter_binding;
pub(crate) mod options;
mod own_copy;
mod parameters;
pub(crate) mod person;
pub(crate) mod prelude;
pub(crate) mod printing;
pub(crate) mod programs;
mod rehearsal;
pub(crate) mod report_details;
pub(crate) mod room;
pub(crate) mod secret;
pub(crate) mod sorting;
pub(crate) mod stale_save;
pub(crate) mod step;
pub(crate) mod storage_pool;
pub(crate) mod storage_vol;
pub(crate) mod stream;
pub(crate) mod subscription;
pub(crate) mod undo;
pub(crate) mod value_text;
pub(crate) mod wait;
pub(crate) mod web;
pub(crate) mod work;
pub(crate) mod xml;

use std::sync::Arc;

use rhai::Engine;

use crate::objects::for_each_kind;
use crate::spec::Spec;
use crate::vocabulary::{Declared, Role};

/// Every map that calls take or return.
pub(crate) fn all_declared() -> impl Iterator<Item = &'static Declared> {
    let folders = [
        admin::DECLARED,
        connection::DECLARED,
        domain::DECLARED,
        event::DECLARED,
        files::DECLARED,
        fleet::DECLARED,
        network::DECLARED,
        network_port::DECLARED,
        programs::DECLARED,
        step::DECLARED,
        storage_pool::DECLARED,
        storage_vol::DECLARED,
        subscription::DECLARED,
        wait::DECLARED,
        web::DECLARED,
        xml::DECLARED,
    ];
    let shared = [arguments::SaveParameters::OPTIONS];
    folders.into_iter().flatten().copied().chain(shared)
}

/// The options of a Rust function that signatures, and the doc comments of scripts, call `name`.
pub(crate) fn declared_options(name: &str) -> Option<Arc<Spec>> {
    declared(Role::Options, name).map(Declared::spec)
}

/// The map that signatures call `name`.
pub(crate) fn declared(role: Role, name: &str) -> Option<&'static Declared> {
    all_declared().find(|known| known.role == role && known.name == name)
}

macro_rules! register_kinds {
    ($($module:ident $kind:ident $about:tt $calls:tt)*) => {
        /// Registers every kind of object.
        fn register_kinds(engine: &mut Engine) {
            $(every_kind::register::<crate::objects::$module::$kind>(engine);)*
        }
    };
}
for_each_kind!(register_kinds);

/// Registers all types and functions with `engine`.
pub(crate) fn register(engine: &mut Engine) {
    error::register(engine);
    connection::register(engine);
    admin::register(engine);
    register_kinds(engine);
    disk_image::register(engine);
    net::register(engine);
    files::register(engine);
    fleet::register(engine);
    programs::register(engine);
    rehearsal::register(engine);
    web::register(engine);
    stream::register(engine);
    wait::register(engine);
    subscription::register(engine);
    handler::register(engine);
    xml::register(engine);
    step::register(engine);
    person::register(engine);
    undo::register(engine);
    work::register(engine);
    options::register(engine);
    sorting::register(engine);
    by_key::register(engine);
    dates::register(engine);
    printing::register(engine);
    prelude::register(engine);
    assertions::register(engine);
    bounded_growth::register(engine);
}
