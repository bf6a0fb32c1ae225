//! Text files and XML files.

use rhai::NativeCallContext;
use rhai::plugin::*;

use super::place;
use crate::api::arguments::RhaiResultOf;
use crate::api::xml::{OrThrow, XmlText, ensure_room_to_parse, xml_text};
use crate::xml::Xml;

#[export_module]
pub(super) mod functions {
    /// Returns the text of the file `path`: UTF-8, at most 16 MiB.
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

    /// Writes `text` to the file `path`, and replaces the old file.
    ///
    /// Needs `--allow-write`. The old file stays until the new file is on the disk. The new file gets the old permissions.
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

    /// Returns the XML document in the file `path`, at most 16 MiB.
    ///
    /// Needs `--allow-read`. `define_xml` accepts the result, to define a guest from a file.
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

    /// Writes `xml` to the file `path`, and replaces the old file as `write_text` does.
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
