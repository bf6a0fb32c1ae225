//! `NWFilter`: rules for the packets of guests' network cards.

use rhai::plugin::*;
use rhai::{Array, Blob, Engine, NativeCallContext, exported_module};
use virt::connect::Connect;

use super::arguments::{ArrayOf, RhaiResultOf, flag_bits, uuid_text};
use super::every_kind::Scripted;
use super::xml::XmlText;
use crate::libvirt::nwfilter;
use crate::objects::connection::Connection;
use crate::objects::nwfilter::{Handle, NWFilter, NWFilterKind};

impl Scripted for NWFilterKind {
    const VARIABLE: &'static str = "filter";
    const RUNS_ON: &'static str = "root";
    const EXAMPLE: &'static str = r#"let conn = connect();
let filter = conn.nwfilter_define_xml("<filter name='calm'/>");"#;
    const EXAMPLE_NAME: &'static str = "calm";
    /// libvirt has none for filters.
    const GET_CONNECTION: &'static str = "";
    const XML: &'static str = "of the filter, with its rules";
    const XML_FLAGS: &'static str = "";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(functions).into());
    }
}

#[export_module]
mod functions {
    /// All network filters of the host.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert("calm" in conn.list_all_nw_filters().map(|filter| filter.name));
    /// ```
    /// Calls virConnectListAllNWFilters.
    #[rhai_fn(name = "list_all_nw_filters", pure, return_raw)]
    pub fn list_all_nw_filters(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<NWFilter>> {
        list_all_nw_filters_flags(ctx, conn, 0)
    }

    /// All network filters; libvirt has no flags for it yet.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert_eq(conn.list_all_nw_filters(0).len(), conn.num_of_nw_filters());
    /// ```
    /// Calls virConnectListAllNWFilters.
    #[rhai_fn(name = "list_all_nw_filters", pure, return_raw)]
    pub fn list_all_nw_filters_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<NWFilter>> {
        conn.list_objects::<NWFilterKind>(&ctx, "virConnectListAllNWFilters", flags)
    }

    /// The names of all network filters.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert("calm" in conn.list_nw_filters());
    /// ```
    /// Calls virConnectListAllNWFilters.
    #[rhai_fn(name = "list_nw_filters", pure, return_raw)]
    pub fn list_nw_filters(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        conn.list_names::<NWFilterKind>(&ctx, "virConnectListAllNWFilters", 0)
    }

    /// The number of network filters.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert(conn.num_of_nw_filters() > 0);
    /// ```
    /// Calls virConnectNumOfNWFilters.
    #[rhai_fn(name = "num_of_nw_filters", pure, return_raw)]
    pub fn num_of_nw_filters(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        let call = "virConnectNumOfNWFilters";
        conn.call(&ctx, call, "count the network filters", nwfilter::count)
            .map(i64::from)
    }

    /// The network filter called `name`; throws `VIR_ERR_NO_NWFILTER` if there is none.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let filter = conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert_eq(conn.nwfilter_lookup_by_name("calm"), filter);
    /// ```
    /// Calls virNWFilterLookupByName.
    #[rhai_fn(name = "nwfilter_lookup_by_name", pure, return_raw)]
    pub fn nwfilter_lookup_by_name(
        ctx: NativeCallContext,
        conn: &mut Connection,
        name: &str,
    ) -> RhaiResultOf<NWFilter> {
        conn.look_up(&ctx, "virNWFilterLookupByName", name)
    }

    /// The network filter with that UUID, given as text.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let filter = conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert_eq(conn.nwfilter_lookup_by_uuid(filter.uuid), filter);
    /// ```
    /// Calls virNWFilterLookupByUUIDString.
    #[rhai_fn(
        name = "nwfilter_lookup_by_uuid",
        name = "nwfilter_lookup_by_uuid_string",
        pure,
        return_raw
    )]
    pub fn nwfilter_lookup_by_uuid_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: &str,
    ) -> RhaiResultOf<NWFilter> {
        conn.look_up_uuid(&ctx, uuid)
    }

    /// The network filter with that UUID, given as its 16 bytes.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let filter = conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert_eq(conn.nwfilter_lookup_by_uuid(filter.uuid_bytes()), filter);
    /// ```
    /// Calls virNWFilterLookupByUUIDString.
    #[rhai_fn(name = "nwfilter_lookup_by_uuid", pure, return_raw)]
    pub fn nwfilter_lookup_by_uuid_bytes(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: Blob,
    ) -> RhaiResultOf<NWFilter> {
        let uuid = uuid_text(&ctx, &uuid)?;
        conn.look_up_uuid(&ctx, &uuid)
    }

    /// Defines a network filter from XML, text or an `Xml`; an existing filter of this name gets the new rules, also while guests use it.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let filter = conn.nwfilter_define_xml("<filter name='calm'/>");
    /// assert_eq(filter.name, "calm");
    /// ```
    /// Calls virNWFilterDefineXML.
    #[rhai_fn(name = "nwfilter_define_xml", pure, return_raw)]
    pub fn nwfilter_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<NWFilter> {
        conn.define(
            &ctx,
            "virNWFilterDefineXML",
            &xml,
            Connect::define_nwfilter_xml,
        )
    }

    /// Defines a network filter; `VIR_NWFILTER_DEFINE_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai,root
    /// let filter = connect().nwfilter_define_xml("<filter name='calm'/>", VIR_NWFILTER_DEFINE_VALIDATE);
    /// assert_eq(filter.name, "calm");
    /// ```
    /// Calls virNWFilterDefineXMLFlags.
    #[rhai_fn(name = "nwfilter_define_xml", pure, return_raw)]
    pub fn nwfilter_define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<NWFilter> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.define(&ctx, "virNWFilterDefineXMLFlags", &xml, move |c, xml| {
            nwfilter::define_xml_flags(c, xml, wanted)
        })
    }

    /// Removes this filter, which must not be in use.
    ///
    /// ```rhai,root
    /// let conn = connect();
    /// let filter = conn.nwfilter_define_xml("<filter name='calm'/>");
    /// filter.undefine();
    /// assert(!("calm" in conn.list_nw_filters()));
    /// ```
    /// Calls virNWFilterUndefine.
    #[rhai_fn(name = "undefine", pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, filter: &mut NWFilter) -> RhaiResultOf<()> {
        filter.call(&ctx, "virNWFilterUndefine", "undefine", Handle::undefine)
    }
}
