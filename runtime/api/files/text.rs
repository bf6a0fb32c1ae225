//! Text files and XML files.

use rhai::NativeCallContext;
use rhai::plugin::*;

use super::place;
use crate::api::arguments::RhaiResultOf;
use crate::api::xml::{OrThrow, XmlText, ensure_room_to_parse, xml_text};
use crate::xml::Xml;

#[export_module]
pub(super) mod functions {
    /// The text of the file `path`, which must be UTF-8 and at most 16 MiB.
    ///
    /// Needs `--allow-read`. Throws for folders, pipes and devices.
    ///
    /// ```rhai
    /// write_text("/tmp/motd", "hello\n");
    /// assert_eq(read_text("/tmp/motd"), "hello\n");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn read_text(ctx: NativeCallContext, path: &str) -> RhaiResultOf<String> {
        place::read_text(&ctx, path)
    }

    /// Writes `text` to the file `path`, in place of what it holds.
    ///
    /// Needs `--allow-write`. The old file stays until all of the new one is on the disk. Its permissions are kept.
    ///
    /// ```rhai
    /// write_text("/tmp/motd", "hello\n");
    /// write_text("/tmp/motd", "goodbye\n");
    /// assert_eq(read_text("/tmp/motd"), "goodbye\n");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn write_text(ctx: NativeCallContext, path: &str, text: &str) -> RhaiResultOf<()> {
        place::write(&ctx, path, text.as_bytes())
    }

    /// The XML document in the file `path`, at most 16 MiB.
    ///
    /// Needs `--allow-read`. To define a guest from a file, `define_xml` takes the value as it is.
    ///
    /// ```rhai
    /// write_text("/tmp/net.xml", "<network><name>lab</name></network>");
    /// let net = connect().network_define_xml(read_xml("/tmp/net.xml"));
    /// assert_eq(net.name, "lab");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn read_xml(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Xml> {
        let text = place::read_text(&ctx, path)?;
        ensure_room_to_parse(&ctx, text.len())?;
        Xml::parse(&text).or_throw(&ctx)
    }

    /// Writes `xml` to the file `path`, in place of what it holds, as `write_text` does.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// write_xml("/tmp/test.xml", dom.xml());
    /// assert_eq(read_xml("/tmp/test.xml").get("name"), "test");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn write_xml(ctx: NativeCallContext, path: &str, xml: XmlText) -> RhaiResultOf<()> {
        let text = xml_text(&ctx, "the XML", &xml)?;
        place::write(&ctx, path, text.as_bytes())
    }
}
