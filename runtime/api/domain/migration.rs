//! Moving a running guest to another host.

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use super::Work;
use crate::api::arguments::{
    MibValue, RhaiResultOf, SizeValue, flag_bits, integer, mib, number, optional_text, text,
    typed_params,
};
use crate::api::stale_save;
use crate::api::xml::{OptionalXmlText, optional_xml_text};
use crate::error::Error;
use crate::libvirt::typed_params::TypedParams;
use crate::libvirt::{self, Failure};
use crate::objects::connection::{Connection, admit_destination};
use crate::objects::domain::{Domain, Handle};
use crate::vocabulary::{OptionsOf, ParamType, parameters};

parameters! {
    /// Parameters of a migration: the transfer, and the guest at the destination.
    pub(crate) struct MigrationParameters = "VIR_MIGRATE_PARAM_", |name| match name {
        "bandwidth" | "bandwidth.postcopy" | "bandwidth.avail.switchover" => ParamType::MiB,
        "compression.xbzrle.cache" => ParamType::Bytes,
        "disks_port"
        | "parallel.connections"
        | "auto_converge.initial"
        | "auto_converge.increment" => ParamType::Int,
        _ if name.starts_with("compression.") => ParamType::Int,
        "destination_xml" | "persistent_xml" => ParamType::Xml,
        "compression" | "migrate_disks" | "migrate_disks_detect_zeroes" => ParamType::Texts,
        _ => ParamType::Text,
    };
}

fn params(ctx: &NativeCallContext, params: &Map) -> RhaiResultOf<TypedParams> {
    typed_params(
        ctx,
        MigrationParameters::OPTIONS,
        MigrationParameters::TYPES,
        params,
    )
}

/// Refuses a migration to the name `name`, if rules forbid it.
fn refuse_name(ctx: &NativeCallContext, dom: &Domain, name: Option<&str>) -> RhaiResultOf<()> {
    match name {
        Some(name) => dom.refuse_name(ctx, "virDomainMigrate3", "migrate", name),
        None => Ok(()),
    }
}

/// Moves `dom` by `run` and returns the domain on the destination.
fn migrate(
    ctx: &NativeCallContext,
    dom: &Domain,
    destination: &Connection,
    flags: u32,
    call: &'static str,
    run: impl FnOnce(&Handle, &virt::connect::Connect) -> Result<Handle, Failure> + Send + 'static,
) -> RhaiResultOf<Domain> {
    stale_save::refuse_arrival(ctx, dom, destination)?;
    let there = destination.connect();
    let moved = dom.job(ctx, Work::Migrate(destination), call, "migrate", move |d| {
        run(d, &*there?)
    });
    let moved = moved.map_err(|thrown| Error::of_migration(thrown, flags))?;
    Ok(destination.adopt(moved))
}

/// The URI that the guest's own host is to connect to. In a hypervisor within this process that
/// is done here, and a daemon would do it with its rights: the rules of `connect` hold.
fn destination(ctx: &NativeCallContext, uri: &str, flags: u32) -> RhaiResultOf<String> {
    let connects = flags & virt_sys::VIR_MIGRATE_PEER2PEER != 0;
    match connects {
        true => admit_destination(ctx, uri),
        false => Ok(text(ctx, "the URI", uri)?.to_owned()),
    }
}

#[export_module]
pub(super) mod functions {
    /// Moves the guest to the host that `destination` is connected to, and returns it there.
    ///
    /// With `VIR_MIGRATE_LIVE` the guest runs during the migration. Without `VIR_MIGRATE_UNDEFINE_SOURCE` a persistent
    /// domain stays defined here and could be started a second time on the same disk. `VIR_MIGRATE_OFFLINE` copies only
    /// the configuration and leaves a running guest here. An interrupt aborts the migration, and the guest continues to
    /// run here.
    ///
    /// ```rhai,migrate
    /// let dest = connect(args[0]);
    /// let moved = connect().lookup_by_name("web").migrate(dest, VIR_MIGRATE_LIVE);
    /// assert_eq(moved.state(), "running");
    /// ```
    /// Calls virDomainMigrate.
    #[rhai_fn(name = "migrate", pure, return_raw)]
    pub fn migrate_plain(
        ctx: NativeCallContext,
        dom: &mut Domain,
        destination: Connection,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        migrate_positional(
            ctx,
            dom,
            destination,
            flags,
            Dynamic::UNIT,
            Dynamic::UNIT,
            0.into(),
        )
    }

    /// Moves the guest with options: `destination_name`, `migrate_uri`, `bandwidth` (MiB/s), `destination_xml`,
    /// `persistent_xml`, `migrate_disks` (a list), and all other parameters of libvirt under the values of the
    /// `VIR_MIGRATE_PARAM_` constants.
    ///
    /// ```rhai,migrate
    /// let dest = connect(args[0]);
    /// let options = #{ destination_name: "web2", bandwidth: "100MiB" };
    /// let moved = connect().lookup_by_name("web").migrate(dest, VIR_MIGRATE_LIVE, options);
    /// assert_eq(moved.name, "web2");
    /// ```
    /// Calls virDomainMigrate3.
    #[rhai_fn(name = "migrate", pure, return_raw)]
    pub fn migrate_options(
        ctx: NativeCallContext,
        dom: &mut Domain,
        destination: Connection,
        flags: i64,
        options: OptionsOf<MigrationParameters>,
    ) -> RhaiResultOf<Domain> {
        let wanted = flag_bits(&ctx, flags)?;
        let name = options
            .get("destination_name")
            .and_then(|name| name.clone().into_immutable_string().ok());
        refuse_name(&ctx, dom, name.as_deref())?;
        let params = params(&ctx, &options)?;
        migrate(
            &ctx,
            dom,
            &destination,
            wanted,
            "virDomainMigrate3",
            move |d, connect| libvirt::domain::migrate3(d, connect, &params, wanted),
        )
    }

    /// Moves the guest with options, in the order of libvirt-python's `migrate3`.
    ///
    /// ```rhai,migrate
    /// let dest = connect(args[0]);
    /// let moved = connect().lookup_by_name("web").migrate(dest, #{}, VIR_MIGRATE_LIVE);
    /// assert_eq(moved.name, "web");
    /// ```
    /// Calls virDomainMigrate3.
    #[rhai_fn(name = "migrate", pure, return_raw)]
    pub fn migrate_params(
        ctx: NativeCallContext,
        dom: &mut Domain,
        destination: Connection,
        options: OptionsOf<MigrationParameters>,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        migrate_options(ctx, dom, destination, flags, options)
    }

    /// Moves the guest: `name` on the destination, `uri` for the memory, `bandwidth` in MiB/s; for `()` or 0, libvirt
    /// chooses.
    ///
    /// ```rhai,migrate
    /// let dest = connect(args[0]);
    /// let dom = connect().lookup_by_name("web");
    /// let moved = dom.migrate(dest, VIR_MIGRATE_LIVE, "web2", "tcp://127.0.0.1", 100);
    /// assert_eq(moved.name, "web2");
    /// ```
    /// Calls virDomainMigrate.
    #[rhai_fn(name = "migrate", pure, return_raw)]
    pub fn migrate_positional(
        ctx: NativeCallContext,
        dom: &mut Domain,
        destination: Connection,
        flags: i64,
        name: Dynamic,
        uri: Dynamic,
        bandwidth: MibValue,
    ) -> RhaiResultOf<Domain> {
        let wanted = flag_bits(&ctx, flags)?;
        let name = optional_text(&ctx, "the name", &name)?;
        refuse_name(&ctx, dom, name.as_deref())?;
        let uri = optional_text(&ctx, "the URI", &uri)?;
        let bandwidth = mib(&ctx, &bandwidth)?;
        migrate(
            &ctx,
            dom,
            &destination,
            wanted,
            "virDomainMigrate",
            move |d, connect| {
                d.migrate(connect, wanted, name.as_deref(), uri.as_deref(), bandwidth)
                    .map_err(Failure::from)
            },
        )
    }

    /// Moves the guest with changed XML for the destination.
    ///
    /// ```rhai,migrate
    /// let dest = connect(args[0]);
    /// let dom = connect().lookup_by_name("web");
    /// let xml = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
    /// xml.replace("</name>", "</name><description>moved</description>");
    /// let moved = dom.migrate(dest, xml, VIR_MIGRATE_LIVE, (), (), 0);
    /// assert(moved.xml_desc().contains("<description>moved</description>"));
    /// ```
    /// Calls virDomainMigrate2.
    #[rhai_fn(name = "migrate", pure, return_raw)]
    pub fn migrate_xml(
        ctx: NativeCallContext,
        dom: &mut Domain,
        destination: Connection,
        xml: OptionalXmlText,
        flags: i64,
        name: Dynamic,
        uri: Dynamic,
        bandwidth: MibValue,
    ) -> RhaiResultOf<Domain> {
        let xml = optional_xml_text(&ctx, "the XML", &xml)?;
        let wanted = flag_bits(&ctx, flags)?;
        let name = optional_text(&ctx, "the name", &name)?;
        refuse_name(&ctx, dom, name.as_deref())?;
        let uri = optional_text(&ctx, "the URI", &uri)?;
        let bandwidth = mib(&ctx, &bandwidth)?;
        migrate(
            &ctx,
            dom,
            &destination,
            wanted,
            "virDomainMigrate2",
            move |d, connect| {
                d.migrate2(
                    connect,
                    xml.as_deref(),
                    wanted,
                    name.as_deref(),
                    uri.as_deref(),
                    bandwidth,
                )
                .map_err(Failure::from)
            },
        )
    }

    /// Moves the guest to the host at `uri`; the guest's host connects to it.
    ///
    /// QEMU needs `VIR_MIGRATE_PEER2PEER` for that. Such a migration continues if this client ends.
    /// A URI that names a program, a key or a socket needs `--allow-connect URI`.
    ///
    /// ```rhai,migrate
    /// let dom = connect().lookup_by_name("web");
    /// dom.migrate_to_uri(args[0], VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_LIVE);
    /// assert(connect(args[0]).lookup_by_name("web").is_active());
    /// ```
    /// Calls virDomainMigrateToURI.
    #[rhai_fn(name = "migrate_to_uri", pure, return_raw)]
    pub fn migrate_to_uri(
        ctx: NativeCallContext,
        dom: &mut Domain,
        uri: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        migrate_to_uri_positional(ctx, dom, uri, flags, Dynamic::UNIT, 0.into())
    }

    /// Moves the guest to the host at `uri` with the options of `migrate`.
    ///
    /// ```rhai,migrate
    /// let dom = connect().lookup_by_name("web");
    /// let flags = VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_LIVE;
    /// dom.migrate_to_uri(args[0], flags, #{ destination_name: "web2" });
    /// assert(connect(args[0]).lookup_by_name("web2").is_active());
    /// ```
    /// Calls virDomainMigrateToURI3.
    #[rhai_fn(name = "migrate_to_uri", pure, return_raw)]
    pub fn migrate_to_uri_options(
        ctx: NativeCallContext,
        dom: &mut Domain,
        uri: &str,
        flags: i64,
        options: OptionsOf<MigrationParameters>,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let uri = destination(&ctx, uri, wanted)?;
        let name = options
            .get("destination_name")
            .and_then(|name| name.clone().into_immutable_string().ok());
        refuse_name(&ctx, dom, name.as_deref())?;
        let params = params(&ctx, &options)?;
        dom.job(
            &ctx,
            Work::MigrateByDaemon,
            "virDomainMigrateToURI3",
            "migrate",
            move |d| libvirt::domain::migrate_to_uri3(d, Some(&uri), &params, wanted),
        )
        .map_err(|thrown| Error::of_migration(thrown, wanted))
    }

    /// Moves the guest to the host at `uri`, in the order of libvirt-python's `migrateToURI3`.
    ///
    /// ```rhai,migrate
    /// let dom = connect().lookup_by_name("web");
    /// dom.migrate_to_uri(args[0], #{}, VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_LIVE);
    /// assert(connect(args[0]).lookup_by_name("web").is_active());
    /// ```
    /// Calls virDomainMigrateToURI3.
    #[rhai_fn(name = "migrate_to_uri", pure, return_raw)]
    pub fn migrate_to_uri_params(
        ctx: NativeCallContext,
        dom: &mut Domain,
        uri: &str,
        options: OptionsOf<MigrationParameters>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        migrate_to_uri_options(ctx, dom, uri, flags, options)
    }

    /// Moves the guest to the host at `uri`, under another name or `()`, with `bandwidth` in MiB/s.
    ///
    /// ```rhai,migrate
    /// let dom = connect().lookup_by_name("web");
    /// dom.migrate_to_uri(args[0], VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_LIVE, "web2", 100);
    /// assert(connect(args[0]).lookup_by_name("web2").is_active());
    /// ```
    /// Calls virDomainMigrateToURI.
    #[rhai_fn(name = "migrate_to_uri", pure, return_raw)]
    pub fn migrate_to_uri_positional(
        ctx: NativeCallContext,
        dom: &mut Domain,
        uri: &str,
        flags: i64,
        name: Dynamic,
        bandwidth: MibValue,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let uri = destination(&ctx, uri, wanted)?;
        let name = optional_text(&ctx, "the name", &name)?;
        refuse_name(&ctx, dom, name.as_deref())?;
        let bandwidth = mib(&ctx, &bandwidth)?;
        let uri = uri.to_owned();
        dom.job(
            &ctx,
            Work::MigrateByDaemon,
            "virDomainMigrateToURI",
            "migrate",
            move |d| d.migrate_to_uri(&uri, wanted, name.as_deref(), bandwidth),
        )
        .map_err(|thrown| Error::of_migration(thrown, wanted))
    }

    /// Moves the guest to the host at `uri`, with a URI for the memory and changed XML, or `()`.
    ///
    /// ```rhai,migrate
    /// let dom = connect().lookup_by_name("web");
    /// let flags = VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_LIVE;
    /// dom.migrate_to_uri(args[0], "tcp://127.0.0.1", (), flags, "web2", 0);
    /// assert(connect(args[0]).lookup_by_name("web2").is_active());
    /// ```
    /// Calls virDomainMigrateToURI2.
    #[rhai_fn(name = "migrate_to_uri", pure, return_raw)]
    pub fn migrate_to_uri_xml(
        ctx: NativeCallContext,
        dom: &mut Domain,
        uri: Dynamic,
        memory_uri: Dynamic,
        xml: OptionalXmlText,
        flags: i64,
        name: Dynamic,
        bandwidth: MibValue,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let uri = optional_text(&ctx, "the URI", &uri)?;
        let uri = uri.map(|uri| destination(&ctx, &uri, wanted)).transpose()?;
        let memory_uri = optional_text(&ctx, "the URI for the memory", &memory_uri)?;
        let xml = optional_xml_text(&ctx, "the XML", &xml)?;
        let name = optional_text(&ctx, "the name", &name)?;
        refuse_name(&ctx, dom, name.as_deref())?;
        let bandwidth = mib(&ctx, &bandwidth)?;
        dom.job(
            &ctx,
            Work::MigrateByDaemon,
            "virDomainMigrateToURI2",
            "migrate",
            move |d| {
                d.migrate_to_uri2(
                    uri.as_deref(),
                    memory_uri.as_deref(),
                    xml.as_deref(),
                    wanted,
                    name.as_deref(),
                    bandwidth,
                )
            },
        )
        .map_err(|thrown| Error::of_migration(thrown, wanted))
    }

    /// Limits the bandwidth of migrations of this guest, in MiB/s or as text such as `"1GiB"`
    /// (see `parse_size`).
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.migrate_set_max_speed(50, 0);
    /// assert_eq(dom.migrate_get_max_speed(0), 50);
    /// ```
    /// Calls virDomainMigrateSetMaxSpeed.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_set_max_speed(
        ctx: NativeCallContext,
        dom: &mut Domain,
        speed: MibValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let speed = mib(&ctx, &speed)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateSetMaxSpeed",
            "limit the migration speed of",
            move |d| d.migrate_set_max_speed(speed, wanted),
        )
    }

    /// The limit for the bandwidth of migrations of this guest, in MiB/s.
    ///
    /// ```rhai,qemu
    /// assert(connect().lookup_by_name("web").migrate_get_max_speed(0) > 0);
    /// ```
    /// Calls virDomainMigrateGetMaxSpeed.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_get_max_speed(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateGetMaxSpeed",
            "read the migration speed of",
            move |d| d.migrate_max_speed(wanted),
        )
        .and_then(|number| integer(&ctx, number))
    }

    /// Sets the longest pause at the end of a live migration, in milliseconds.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.migrate_set_max_downtime(500, 0);
    /// assert_eq(dom.migrate_get_max_downtime(0), 500);
    /// ```
    /// Calls virDomainMigrateSetMaxDowntime.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_set_max_downtime(
        ctx: NativeCallContext,
        dom: &mut Domain,
        ms: i64,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let ms = number(&ctx, "a time in milliseconds", ms)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateSetMaxDowntime",
            "limit the migration downtime of",
            move |d| d.migrate_set_max_downtime(ms, wanted),
        )
    }

    /// The longest pause at the end of a live migration, in milliseconds.
    ///
    /// ```rhai,qemu
    /// assert(connect().lookup_by_name("web").migrate_get_max_downtime(0) > 0);
    /// ```
    /// Calls virDomainMigrateGetMaxDowntime.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_get_max_downtime(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateGetMaxDowntime",
            "read the migration downtime of",
            move |d| libvirt::domain::migrate_max_downtime(d, wanted),
        )
        .and_then(|number| integer(&ctx, number))
    }

    /// Sets the memory for compressing repeatedly sent pages, in bytes or as text such as
    /// `"64MiB"`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// dom.migrate_set_compression_cache("32MiB", 0);
    /// assert_eq(dom.migrate_get_compression_cache(0), 33554432);
    /// ```
    /// Calls virDomainMigrateSetCompressionCache.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_set_compression_cache(
        ctx: NativeCallContext,
        dom: &mut Domain,
        size: SizeValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let size = crate::api::arguments::bytes(&ctx, &size)?;
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateSetCompressionCache",
            "set the migration cache of",
            move |d| d.migrate_set_compression_cache(size, wanted),
        )
    }

    /// The memory for compressing repeatedly sent pages, in bytes.
    ///
    /// ```rhai,qemu
    /// assert(connect().lookup_by_name("web").migrate_get_compression_cache(0) > 0);
    /// ```
    /// Calls virDomainMigrateGetCompressionCache.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_get_compression_cache(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<i64> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateGetCompressionCache",
            "read the migration cache of",
            move |d| d.migrate_compression_cache(wanted),
        )
        .and_then(|number| integer(&ctx, number))
    }

    /// Switches a running migration that was begun with `VIR_MIGRATE_POSTCOPY` to post-copy: the guest runs on the
    /// destination at once and fetches the rest of its memory from here.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// try {
    ///     dom.migrate_start_post_copy(0);
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_INVALID");
    /// }
    /// ```
    /// Calls virDomainMigrateStartPostCopy.
    #[rhai_fn(pure, return_raw)]
    pub fn migrate_start_post_copy(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        dom.call(
            &ctx,
            "virDomainMigrateStartPostCopy",
            "switch to post-copy for",
            move |d| libvirt::domain::migrate_start_post_copy(d, wanted),
        )
    }
}
