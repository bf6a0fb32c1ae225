//! Tests of whole documents: preserved bytes, edits and refusals.

mod differences;
mod editing;
mod fuzz;
mod limits;
mod properties;
mod reading;

use super::{Place, Selected, Xml};

/// A document with all that XML has to offer, oddly set out.
const ODD: &str = "<?xml version=\"1.0\" encoding='UTF-8' ?>\r
<!DOCTYPE domain SYSTEM \"domain.dtd\">
<!-- before --><?pi  some thing?>
<domain  type = 'kvm'\txmlns:qemu=\"http://libvirt.org/schemas/domain/qemu/1.0\"
         id=\"1\" >
\t<name >w&#101;b &amp; co</name\n>
  <description><![CDATA[a < b & c]]> and <!-- in - between --> d</description>
  <devices>
    <disk type='file' device=\"disk\"  ><target dev='vda'/><source file=\"/a&quot;b'\"/></disk>
    <disk device='cdrom' type='file'>
      <target dev='sda'></target>
    </disk>

  </devices>
  <qemu:commandline><qemu:arg value='-x'/></qemu:commandline>
  <unknown:thing xmlns:unknown='urn:x'/>\u{e9}\u{1f600}
</domain>
<!-- after -->
";

fn xml(text: &str) -> Xml {
    Xml::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// The document after `edit`.
fn after(text: &str, edit: impl FnOnce(&Xml) -> super::Result<()>) -> String {
    let document = xml(text);
    edit(&document).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    xml(&document.text());
    document.text()
}

fn elements(document: &Xml, path: &str) -> Vec<Xml> {
    match document.select(path).expect("the path is right") {
        Selected::Elements(elements) => elements,
        Selected::Texts(texts) => panic!("{path} leads to {texts:?}"),
    }
}

fn texts(document: &Xml, path: &str) -> Vec<String> {
    match document.select(path).expect("the path is right") {
        Selected::Elements(elements) => elements.iter().map(Xml::text).collect(),
        Selected::Texts(texts) => texts,
    }
}
