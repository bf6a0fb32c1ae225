//! `NWFilterBinding`: the use of a network filter on one network device.

use rhai::plugin::*;
use rhai::{Engine, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use super::every_kind::Scripted;
use super::xml::XmlText;
use crate::libvirt::nwfilter;
use crate::objects::connection::Connection;
use crate::objects::nwfilter_binding::{Handle, NWFilterBinding, NWFilterBindingKind};

impl Scripted for NWFilterBindingKind {
    const VARIABLE: &'static str = "binding";
    const RUNS_ON: &'static str = "root";
    const EXAMPLE: &'static str = r#"let conn = connect();
conn.nwfilter_define_xml("<filter name='calm'/>");
let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
let binding = conn.nwfilter_binding_create_xml(xml);"#;
    const EXAMPLE_NAME: &'static str = "tap0";
    const GET_NAME: &'static str = "GetPortDev";
    const NAME: (&'static str, &'static [&'static str]) = ("port_dev", &["port_dev"]);
    /// libvirt has none for bindings.
    const GET_CONNECTION: &'static str = "";
    const XML: &'static str = "of the binding, with the parameters of the filter";
    const XML_FLAGS: &'static str = "";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(functions).into());
    }
}

#[export_module]
mod functions {
    /// All bindings of network filters.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// let binding = conn.nwfilter_binding_create_xml(xml);
    /// assert_eq(conn.list_all_nw_filter_bindings(), [binding]);
    /// ```
    /// Calls virConnectListAllNWFilterBindings.
    #[rhai_fn(name = "list_all_nw_filter_bindings", pure, return_raw)]
    pub fn list_all_nw_filter_bindings(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<NWFilterBinding>> {
        list_all_nw_filter_bindings_flags(ctx, conn, 0)
    }

    /// All bindings of network filters; libvirt has no flags for it yet.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// conn.nwfilter_binding_create_xml(xml);
    /// assert_eq(conn.list_all_nw_filter_bindings(0)[0].filter_name, "calm");
    /// ```
    /// Calls virConnectListAllNWFilterBindings.
    #[rhai_fn(name = "list_all_nw_filter_bindings", pure, return_raw)]
    pub fn list_all_nw_filter_bindings_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<NWFilterBinding>> {
        conn.list_objects::<NWFilterBindingKind>(&ctx, "virConnectListAllNWFilterBindings", flags)
    }

    /// The binding for the network device `port_dev` of the host; throws `VIR_ERR_NO_NWFILTER_BINDING` if there is none.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// let binding = conn.nwfilter_binding_create_xml(xml);
    /// assert_eq(conn.nwfilter_binding_lookup_by_port_dev("tap0"), binding);
    /// ```
    /// Calls virNWFilterBindingLookupByPortDev.
    #[rhai_fn(name = "nwfilter_binding_lookup_by_port_dev", pure, return_raw)]
    pub fn nwfilter_binding_lookup_by_port_dev(
        ctx: NativeCallContext,
        conn: &mut Connection,
        port_dev: &str,
    ) -> RhaiResultOf<NWFilterBinding> {
        conn.look_up(&ctx, "virNWFilterBindingLookupByPortDev", port_dev)
    }

    /// Applies a filter to a network device of the host, from XML, text or an `Xml`. libvirt creates the bindings of guests itself.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// let binding = conn.nwfilter_binding_create_xml(xml);
    /// assert_eq(binding.port_dev, "tap0");
    /// ```
    /// Calls virNWFilterBindingCreateXML.
    #[rhai_fn(name = "nwfilter_binding_create_xml", pure, return_raw)]
    pub fn nwfilter_binding_create_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<NWFilterBinding> {
        nwfilter_binding_create_xml_flags(ctx, conn, xml, 0)
    }

    /// Applies a filter to a network device; `VIR_NWFILTER_BINDING_CREATE_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// assert_eq(conn.nwfilter_binding_create_xml(xml, VIR_NWFILTER_BINDING_CREATE_VALIDATE).port_dev, "tap0");
    /// ```
    /// Calls virNWFilterBindingCreateXML.
    #[rhai_fn(name = "nwfilter_binding_create_xml", pure, return_raw)]
    pub fn nwfilter_binding_create_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<NWFilterBinding> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.create(&ctx, "virNWFilterBindingCreateXML", &xml, move |c, xml| {
            nwfilter::create_binding(c, xml, wanted)
        })
    }

    /// The name of the filter.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// let binding = conn.nwfilter_binding_create_xml(xml);
    /// assert_eq(binding.filter_name(), "calm");
    /// ```
    /// Calls virNWFilterBindingGetFilterName.
    #[rhai_fn(name = "filter_name", pure, return_raw)]
    pub fn filter_name(
        ctx: NativeCallContext,
        binding: &mut NWFilterBinding,
    ) -> RhaiResultOf<String> {
        let call = "virNWFilterBindingGetFilterName";
        binding.call(&ctx, call, "read the filter of", Handle::filter_name)
    }

    /// The name of the filter, for use in text.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// let binding = conn.nwfilter_binding_create_xml(xml);
    /// assert_eq(`filtered by ${binding.filter_name}`, "filtered by calm");
    /// ```
    /// Calls virNWFilterBindingGetFilterName.
    #[rhai_fn(get = "filter_name", pure, return_raw)]
    pub fn get_filter_name(
        ctx: NativeCallContext,
        binding: &mut NWFilterBinding,
    ) -> RhaiResultOf<String> {
        filter_name(ctx, binding)
    }

    /// Removes the filter from the network device.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// let xml = "<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>";
    /// let binding = conn.nwfilter_binding_create_xml(xml);
    /// binding.delete();
    /// assert_eq(conn.list_all_nw_filter_bindings(), []);
    /// ```
    /// Calls virNWFilterBindingDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete(ctx: NativeCallContext, binding: &mut NWFilterBinding) -> RhaiResultOf<()> {
        binding.call(&ctx, "virNWFilterBindingDelete", "delete", Handle::delete)
    }
}
