//! `Network`: a virtual network of a host, active or not.

mod bridge;
mod leases;
mod lifecycle;
mod metadata;
mod update;

use rhai::{Engine, exported_module};

use crate::api::every_kind::Scripted;
use crate::objects::network::NetworkKind;
use crate::vocabulary::Declared;

/// The maps that these calls take and return.
pub(crate) const DECLARED: &[&Declared] = &[leases::Lease::DECLARED];

impl Scripted for NetworkKind {
    const VARIABLE: &'static str = "net";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let net = conn.network_lookup_by_name("default");"#;
    const EXAMPLE_NAME: &'static str = "default";
    const XML: &'static str = "of the active network; for an inactive network, its configuration";
    const XML_FLAGS: &'static str =
        "`VIR_NETWORK_XML_INACTIVE` is the configuration for the next start";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(bridge::functions).into());
        engine.register_global_module(exported_module!(leases::functions).into());
        engine.register_global_module(exported_module!(lifecycle::functions).into());
        engine.register_global_module(exported_module!(metadata::functions).into());
        engine.register_global_module(exported_module!(update::functions).into());
    }
}
