//! `DomainSnapshot`: a saved state of a guest, for a later revert.

mod identity;
mod tree;

use rhai::{Engine, exported_module};

use crate::api::every_kind::Scripted;
use crate::objects::domain_snapshot::DomainSnapshotKind;

impl Scripted for DomainSnapshotKind {
    const VARIABLE: &'static str = "snapshot";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let dom = conn.lookup_by_name("test");
let snapshot = dom.snapshot_create_xml("<domainsnapshot><name>fresh</name></domainsnapshot>");"#;
    const EXAMPLE_NAME: &'static str = "fresh";
    const NAME: (&'static str, &'static [&'static str]) = ("name", &["get_name"]);
    const PREFIX: &'static str = "get_";
    const XML: &'static str =
        "with the time and the manner of the snapshot, and the domain as it was then";
    const XML_FLAGS: &'static str = "`VIR_DOMAIN_SNAPSHOT_XML_SECURE` includes secrets";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(identity::functions).into());
        engine.register_global_module(exported_module!(tree::functions).into());
    }
}
