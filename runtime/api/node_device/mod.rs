//! `NodeDevice`: a device of the host, such as a PCI card or a disk.

mod assignment;
mod finding;
mod life;
mod relations;

use rhai::{Engine, exported_module};

use crate::api::every_kind::Scripted;
use crate::objects::node_device::NodeDeviceKind;

impl Scripted for NodeDeviceKind {
    const VARIABLE: &'static str = "dev";
    const EXAMPLE: &'static str = r#"let conn = connect("test:///default");
let dev = conn.node_device_lookup_by_name("scsi_host1");"#;
    const EXAMPLE_NAME: &'static str = "scsi_host1";
    /// libvirt has none for devices.
    const GET_CONNECTION: &'static str = "";
    const XML: &'static str = "of the device, with its capabilities";
    const XML_FLAGS: &'static str =
        "`VIR_NODE_DEVICE_XML_INACTIVE` is the definition of a mediated device for its next start";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(finding::functions).into());
        engine.register_global_module(exported_module!(life::functions).into());
        engine.register_global_module(exported_module!(assignment::functions).into());
        engine.register_global_module(exported_module!(relations::functions).into());
    }
}
