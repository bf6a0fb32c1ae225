//! Title, description, and user-defined XML in a domain.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, number, optional_text};
use crate::api::xml::{OptionalXmlText, optional_xml_text};
use crate::libvirt;
use crate::objects::domain::Domain;

fn read(
    ctx: &NativeCallContext,
    dom: &Domain,
    kind: i64,
    uri: &Dynamic,
    flags: i64,
) -> RhaiResultOf<String> {
    let kind = number(ctx, "the kind of metadata", kind)?;
    let uri = optional_text(ctx, "the namespace URI", uri)?;
    let wanted = flag_bits(ctx, flags)?;
    dom.call(
        ctx,
        "virDomainGetMetadata",
        "read the metadata of",
        move |d| libvirt::domain::metadata(d, kind, uri.as_deref(), wanted),
    )
}

#[export_module]
pub(super) mod functions {
    /// A piece of metadata: `VIR_DOMAIN_METADATA_TITLE`, `_DESCRIPTION`, or `_ELEMENT` with the namespace `uri` of the
    /// element; throws `VIR_ERR_NO_DOMAIN_METADATA` if there is none.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, "Web server", (), (), 0);
    /// assert_eq(dom.metadata(VIR_DOMAIN_METADATA_TITLE, ()), "Web server");
    /// ```
    /// Calls virDomainGetMetadata.
    #[rhai_fn(name = "metadata", pure, return_raw)]
    pub fn metadata(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: i64,
        uri: Dynamic,
    ) -> RhaiResultOf<String> {
        read(&ctx, dom, kind, &uri, 0)
    }

    /// A piece of metadata; flags: `VIR_DOMAIN_AFFECT_LIVE` or `VIR_DOMAIN_AFFECT_CONFIG`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_metadata(VIR_DOMAIN_METADATA_DESCRIPTION, "two vcpus", (), (), VIR_DOMAIN_AFFECT_CONFIG);
    /// let text = dom.metadata(VIR_DOMAIN_METADATA_DESCRIPTION, (), VIR_DOMAIN_AFFECT_CONFIG);
    /// assert_eq(text, "two vcpus");
    /// ```
    /// Calls virDomainGetMetadata.
    #[rhai_fn(name = "metadata", pure, return_raw)]
    pub fn metadata_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: i64,
        uri: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<String> {
        read(&ctx, dom, kind, &uri, flags)
    }

    /// Sets a piece of metadata, or removes it if `metadata` is `()`.
    ///
    /// An element needs a prefix as `key`, and its namespace as `uri`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let uri = "https://example.org/owner";
    /// dom.set_metadata(VIR_DOMAIN_METADATA_ELEMENT, "<team>web</team>", "o", uri, 0);
    /// assert(dom.metadata(VIR_DOMAIN_METADATA_ELEMENT, uri).contains("web"));
    /// ```
    /// Calls virDomainSetMetadata.
    #[rhai_fn(pure, return_raw)]
    pub fn set_metadata(
        ctx: NativeCallContext,
        dom: &mut Domain,
        kind: i64,
        metadata: OptionalXmlText,
        key: Dynamic,
        uri: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let kind = number(&ctx, "the kind of metadata", kind)?;
        let text = optional_xml_text(&ctx, "the metadata", &metadata)?;
        let key = optional_text(&ctx, "the key", &key)?;
        let uri = optional_text(&ctx, "the namespace URI", &uri)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainSetMetadata",
            "set the metadata of",
            move |d| {
                libvirt::domain::set_metadata(
                    d,
                    kind,
                    text.as_deref(),
                    key.as_deref(),
                    uri.as_deref(),
                    wanted,
                )
            },
        )
    }
}
