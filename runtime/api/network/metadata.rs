//! Title, description, and user-defined XML in a network.

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, number, optional_text};
use crate::api::xml::{OptionalXmlText, optional_xml_text};
use crate::libvirt;
use crate::objects::network::Network;

#[export_module]
pub(super) mod functions {
    /// A piece of metadata: `VIR_NETWORK_METADATA_TITLE`, `_DESCRIPTION`, or `_ELEMENT` with the namespace `uri` of the
    /// element; throws `VIR_ERR_NO_NETWORK_METADATA` if there is none.
    ///
    /// Needs libvirt 9.7.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// let error = assert_throws(|| net.metadata(VIR_NETWORK_METADATA_TITLE, ()));
    /// assert(error.code in ["VIR_ERR_NO_NETWORK_METADATA", "VIR_ERR_NO_SUPPORT"]);
    /// ```
    /// Calls virNetworkGetMetadata.
    #[rhai_fn(name = "metadata", pure, return_raw)]
    pub fn metadata(
        ctx: NativeCallContext,
        net: &mut Network,
        kind: i64,
        uri: Dynamic,
    ) -> RhaiResultOf<String> {
        metadata_flags(ctx, net, kind, uri, 0)
    }

    /// A piece of metadata; flags: `VIR_NETWORK_UPDATE_AFFECT_LIVE` or
    /// `VIR_NETWORK_UPDATE_AFFECT_CONFIG`. Needs libvirt 9.7.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// let error = assert_throws(|| net.metadata(VIR_NETWORK_METADATA_TITLE, (), VIR_NETWORK_UPDATE_AFFECT_LIVE));
    /// assert(error.code in ["VIR_ERR_NO_NETWORK_METADATA", "VIR_ERR_NO_SUPPORT"]);
    /// ```
    /// Calls virNetworkGetMetadata.
    #[rhai_fn(name = "metadata", pure, return_raw)]
    pub fn metadata_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        kind: i64,
        uri: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let kind = number(&ctx, "the kind of metadata", kind)?;
        let uri = optional_text(&ctx, "the namespace URI", &uri)?;
        let wanted = flag_bits(&ctx, flags)?;
        net.call(
            &ctx,
            "virNetworkGetMetadata",
            "read the metadata of",
            move |n| libvirt::network::metadata(n, kind, uri.as_deref(), wanted),
        )
    }

    /// Sets a piece of metadata, or removes it if `metadata` is `()`; an element needs a prefix as `key`, and its
    /// namespace as `uri`. Needs libvirt 9.7.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// try {
    ///     net.set_metadata(VIR_NETWORK_METADATA_TITLE, "The lab", (), (), 0);
    ///     assert_eq(net.metadata(VIR_NETWORK_METADATA_TITLE, ()), "The lab");
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_NO_SUPPORT");
    /// }
    /// ```
    /// Calls virNetworkSetMetadata.
    #[rhai_fn(pure, return_raw)]
    pub fn set_metadata(
        ctx: NativeCallContext,
        net: &mut Network,
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
        net.call(
            &ctx,
            "virNetworkSetMetadata",
            "set the metadata of",
            move |n| {
                libvirt::network::set_metadata(
                    n,
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
