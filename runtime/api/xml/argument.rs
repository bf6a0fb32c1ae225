//! XML arguments of libvirt calls.

use rhai::{Dynamic, NativeCallContext};

use super::OrThrow;
use crate::api::arguments::{RhaiResultOf, text};
use crate::error::Error;
use crate::xml::Xml;

/// XML as text, or an `Xml`; the catalogue shows both.
pub(crate) type XmlText = Dynamic;

/// The same; `()` means no XML.
pub(crate) type OptionalXmlText = Dynamic;

/// The text of the XML that a script gave.
pub(crate) fn xml_text(
    ctx: &NativeCallContext,
    what: &str,
    value: &XmlText,
) -> RhaiResultOf<String> {
    optional_xml_text(ctx, what, value)?.ok_or_else(|| wrong(ctx, what, "()"))
}

/// The text of the XML that a script gave, or `()` for none.
pub(crate) fn optional_xml_text(
    ctx: &NativeCallContext,
    what: &str,
    value: &OptionalXmlText,
) -> RhaiResultOf<Option<String>> {
    if value.is_unit() {
        return Ok(None);
    }
    if let Some(xml) = value.read_lock::<Xml>() {
        return xml.standalone().or_throw(ctx).map(Some);
    }
    match value.clone().into_immutable_string() {
        Ok(string) => text(ctx, what, &string).map(|text| Some(text.to_owned())),
        Err(kind) => Err(wrong(ctx, what, kind)),
    }
}

fn wrong(ctx: &NativeCallContext, what: &str, kind: &str) -> Box<rhai::EvalAltResult> {
    let kind = kind.rsplit("::").next().unwrap_or_default();
    Error::invalid(ctx, format!("{what} must be text or an Xml, not {kind}"))
        .with_hint("`xml(name, map)` makes XML from a map")
        .throw()
}
