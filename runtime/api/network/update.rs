//! Changing parts of a network while it runs.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::api::xml::{XmlText, xml_text};
use crate::error::OfXml;
use crate::objects::network::Network;

#[export_module]
pub(super) mod functions {
    /// Changes a part of this network: of the running network if it is active, otherwise of its configuration.
    ///
    /// `command` is a constant such as `VIR_NETWORK_UPDATE_COMMAND_ADD_LAST`, `section` the part, such as
    /// `VIR_NETWORK_SECTION_DNS_HOST`, and `parent_index` the number of the parent element if there are several, or -1
    /// for any that fits. Not every section can be changed.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// let host = "<host ip='192.168.122.9'><hostname>web</hostname></host>";
    /// net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_DNS_HOST, -1, host);
    /// assert_eq(net.xml().get("dns/host/hostname"), "web");
    /// ```
    /// Calls virNetworkUpdate.
    #[rhai_fn(name = "update", pure, return_raw)]
    pub fn update(
        ctx: NativeCallContext,
        net: &mut Network,
        command: i64,
        section: i64,
        parent_index: i64,
        xml: XmlText,
    ) -> RhaiResultOf<()> {
        update_flags(ctx, net, command, section, parent_index, xml, 0)
    }

    /// Changes a part of this network; flags: `VIR_NETWORK_UPDATE_AFFECT_LIVE`,
    /// `VIR_NETWORK_UPDATE_AFFECT_CONFIG` for its next start, or both.
    ///
    /// ```rhai
    /// let net = connect("test:///default").network_lookup_by_name("default");
    /// let host = "<host mac='52:54:00:00:00:09' name='web' ip='192.168.122.9'/>";
    /// net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host,
    ///     VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG);
    /// assert_eq(net.xml().get("ip/dhcp/host/@name"), "web");
    /// ```
    /// Calls virNetworkUpdate.
    #[rhai_fn(name = "update", pure, return_raw)]
    pub fn update_flags(
        ctx: NativeCallContext,
        net: &mut Network,
        command: i64,
        section: i64,
        parent_index: i64,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let command = number(&ctx, "a command", command)?;
        let section = number(&ctx, "a section", section)?;
        let index = number(&ctx, "the parent's number", parent_index)?;
        let xml = xml_text(&ctx, "the part's XML", &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let owned = xml.clone();
        net.call(&ctx, "virNetworkUpdate", "update", move |n| {
            n.update(command, section, index, &owned, wanted)
        })
        .of_xml(&xml)
    }
}
