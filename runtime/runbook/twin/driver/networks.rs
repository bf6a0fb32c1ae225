//! The networks of a twin.

use super::Driver;
use crate::libvirt::stand_in::Networks;
use crate::xml::Xml;

impl Networks for Driver {
    fn identity_of_network(&self, xml: &str) -> [Option<String>; 3] {
        let network = Xml::parse(xml.to_owned()).ok();
        ["name", "uuid", "bridge/@name"].map(|path| network.as_ref()?.find(path).ok()?)
    }
}
