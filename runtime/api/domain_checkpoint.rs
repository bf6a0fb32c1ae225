//! `DomainCheckpoint`: a point in time from which the changes of a guest's disks are tracked, for incremental backups.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, RhaiResultOf, flag_bits};
use super::every_kind::Scripted;
use super::xml::{XmlText, xml_text};
use crate::error::{Error, OfXml};
use crate::libvirt::checkpoint;
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;
use crate::objects::domain_checkpoint::{DomainCheckpoint, DomainCheckpointKind, Handle};
use crate::objects::object::Listed;

impl Scripted for DomainCheckpointKind {
    const VARIABLE: &'static str = "checkpoint";
    const RUNS_ON: &'static str = "daemon";
    const EXAMPLE: &'static str = r#"let conn = connect();
let dom = conn.lookup_by_name("web");
let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);"#;
    const EXAMPLE_NAME: &'static str = "monday";
    const NAME: (&'static str, &'static [&'static str]) = ("name", &["get_name"]);
    const PREFIX: &'static str = "get_";
    const XML: &'static str =
        "with the time of the checkpoint, its disks, and the domain as it was then";
    const XML_FLAGS: &'static str = "`VIR_DOMAIN_CHECKPOINT_XML_SIZE` includes the bytes changed since, `VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN` leaves out the domain, `VIR_DOMAIN_CHECKPOINT_XML_SECURE` includes secrets";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(finding).into());
        engine.register_global_module(exported_module!(functions).into());
    }
}

fn adopt(dom: &Domain, checkpoint: Handle) -> DomainCheckpoint {
    DomainCheckpoint::new(dom.connection().clone(), checkpoint)
}

/// The checkpoints as values for scripts.
fn values(connection: &Connection, checkpoints: Vec<Handle>) -> Array {
    let value = |it| Dynamic::from(DomainCheckpoint::new(connection.clone(), it));
    checkpoints.into_iter().map(value).collect()
}

fn names(dom: &Domain) -> Vec<String> {
    let list = |d: &virt::domain::Domain| checkpoint::list(d, 0);
    let all = dom.attempt("virDomainListAllCheckpoints", list);
    let all = all.unwrap_or_default();
    all.iter().filter_map(|it| it.name().ok()).collect()
}

#[export_module]
mod finding {
    /// Creates a checkpoint of the running guest: from now on QEMU tracks the changes of its disks, which must be qcow2.
    ///
    /// A later backup can copy only what changed since the checkpoint.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// dom.create();
    /// let checkpoint = dom.checkpoint_create_xml("<domaincheckpoint><name>monday</name></domaincheckpoint>");
    /// assert_eq(checkpoint.name, "monday");
    /// ```
    /// Calls virDomainCheckpointCreateXML.
    #[rhai_fn(name = "checkpoint_create_xml", pure, return_raw)]
    pub fn checkpoint_create_xml(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
    ) -> RhaiResultOf<DomainCheckpoint> {
        checkpoint_create_xml_flags(ctx, dom, xml, 0)
    }

    /// Creates a checkpoint; flags: `VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE` freezes the guest's file systems
    /// meanwhile, with the help of its agent; `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE` registers a checkpoint that the
    /// disks already have.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(checkpoint.name, "monday");
    /// ```
    /// Calls virDomainCheckpointCreateXML.
    #[rhai_fn(name = "checkpoint_create_xml", pure, return_raw)]
    pub fn checkpoint_create_xml_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<DomainCheckpoint> {
        let wanted = flag_bits(&ctx, flags)?;
        let xml = xml_text(&ctx, "the checkpoint's XML", &xml)?;
        let owned = xml.clone();
        dom.call(
            &ctx,
            "virDomainCheckpointCreateXML",
            "make a checkpoint of",
            move |d| checkpoint::create_xml(d, &owned, wanted),
        )
        .of_xml(&xml)
        .map(|made| adopt(dom, made))
    }

    /// The checkpoints of the domain.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(dom.list_all_checkpoints(), [checkpoint]);
    /// ```
    /// Calls virDomainListAllCheckpoints.
    #[rhai_fn(name = "list_all_checkpoints", pure, return_raw)]
    pub fn list_all_checkpoints(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<DomainCheckpoint>> {
        list_all_checkpoints_flags(ctx, dom, 0)
    }

    /// The checkpoints that `flags` select, such as `VIR_DOMAIN_CHECKPOINT_LIST_ROOTS`; `VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL` lists parents
    /// before their children.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// let xml = "<domaincheckpoint><name>tuesday</name><parent><name>monday</name></parent><creationTime>2</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(dom.list_all_checkpoints(VIR_DOMAIN_CHECKPOINT_LIST_ROOTS), [checkpoint]);
    /// ```
    /// Calls virDomainListAllCheckpoints.
    #[rhai_fn(name = "list_all_checkpoints", pure, return_raw)]
    pub fn list_all_checkpoints_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<DomainCheckpoint>> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virDomainListAllCheckpoints";
        let found = dom.call(&ctx, call, "list the checkpoints of", move |d| {
            checkpoint::list(d, wanted)
        })?;
        Ok(values(dom.connection(), found))
    }

    /// The checkpoint called `name`; throws `VIR_ERR_NO_DOMAIN_CHECKPOINT` if there is none.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(dom.checkpoint_lookup_by_name("monday"), checkpoint);
    /// ```
    /// Calls virDomainCheckpointLookupByName.
    #[rhai_fn(name = "checkpoint_lookup_by_name", pure, return_raw)]
    pub fn checkpoint_lookup_by_name(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
    ) -> RhaiResultOf<DomainCheckpoint> {
        checkpoint_lookup_by_name_flags(ctx, dom, name, 0)
    }

    /// The checkpoint called `name`; libvirt has no flags for it yet.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(dom.checkpoint_lookup_by_name("monday", 0), checkpoint);
    /// ```
    /// Calls virDomainCheckpointLookupByName.
    #[rhai_fn(name = "checkpoint_lookup_by_name", pure, return_raw)]
    pub fn checkpoint_lookup_by_name_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
        flags: i64,
    ) -> RhaiResultOf<DomainCheckpoint> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("look up the checkpoint `{name}` of");
        let owned = name.to_owned();
        dom.call(&ctx, "virDomainCheckpointLookupByName", verb, move |d| {
            checkpoint::lookup_by_name(d, &owned, wanted)
        })
        .map(|found| adopt(dom, found))
        .map_err(|thrown| {
            Error::with_nearest(thrown, DomainCheckpointKind::MISSING, name, || names(dom))
        })
    }
}

#[export_module]
mod functions {
    /// The domain that this is a checkpoint of.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(checkpoint.get_domain(), dom);
    /// ```
    /// Calls virDomainCheckpointGetDomain.
    #[rhai_fn(name = "get_domain", pure, return_raw)]
    pub fn get_domain(
        ctx: NativeCallContext,
        checkpoint: &mut DomainCheckpoint,
    ) -> RhaiResultOf<Domain> {
        let call = "virDomainCheckpointGetDomain";
        let domain = checkpoint.call(&ctx, call, "look up the domain of", Handle::domain)?;
        Ok(checkpoint.connection().adopt(domain))
    }

    /// The checkpoint before this one; throws `VIR_ERR_NO_DOMAIN_CHECKPOINT` if there is none.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// let xml = "<domaincheckpoint><name>tuesday</name><parent><name>monday</name></parent><creationTime>2</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let child = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(child.get_parent(), checkpoint);
    /// ```
    /// Calls virDomainCheckpointGetParent.
    #[rhai_fn(name = "get_parent", pure, return_raw)]
    pub fn get_parent(
        ctx: NativeCallContext,
        checkpoint: &mut DomainCheckpoint,
    ) -> RhaiResultOf<DomainCheckpoint> {
        get_parent_flags(ctx, checkpoint, 0)
    }

    /// The checkpoint before this one; libvirt has no flags for it yet.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// let xml = "<domaincheckpoint><name>tuesday</name><parent><name>monday</name></parent><creationTime>2</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let child = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(child.get_parent(0), checkpoint);
    /// ```
    /// Calls virDomainCheckpointGetParent.
    #[rhai_fn(name = "get_parent", pure, return_raw)]
    pub fn get_parent_flags(
        ctx: NativeCallContext,
        checkpoint: &mut DomainCheckpoint,
        flags: i64,
    ) -> RhaiResultOf<DomainCheckpoint> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virDomainCheckpointGetParent";
        checkpoint
            .call(&ctx, call, "look up the parent of", move |c| {
                c.parent(wanted)
            })
            .map(|parent| DomainCheckpoint::new(checkpoint.connection().clone(), parent))
    }

    /// The checkpoints directly after this one.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// let xml = "<domaincheckpoint><name>tuesday</name><parent><name>monday</name></parent><creationTime>2</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let child = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(checkpoint.list_all_children(), [child]);
    /// ```
    /// Calls virDomainCheckpointListAllChildren.
    #[rhai_fn(name = "list_all_children", pure, return_raw)]
    pub fn list_all_children(
        ctx: NativeCallContext,
        checkpoint: &mut DomainCheckpoint,
    ) -> RhaiResultOf<ArrayOf<DomainCheckpoint>> {
        list_all_children_flags(ctx, checkpoint, 0)
    }

    /// The checkpoints directly after this one, or all later ones with `VIR_DOMAIN_CHECKPOINT_LIST_DESCENDANTS`.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// let xml = "<domaincheckpoint><name>tuesday</name><parent><name>monday</name></parent><creationTime>2</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let child = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// assert_eq(checkpoint.list_all_children(VIR_DOMAIN_CHECKPOINT_LIST_DESCENDANTS), [child]);
    /// ```
    /// Calls virDomainCheckpointListAllChildren.
    #[rhai_fn(name = "list_all_children", pure, return_raw)]
    pub fn list_all_children_flags(
        ctx: NativeCallContext,
        checkpoint: &mut DomainCheckpoint,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<DomainCheckpoint>> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virDomainCheckpointListAllChildren";
        let found = checkpoint.call(&ctx, call, "list the children of", move |c| {
            c.children(wanted)
        })?;
        Ok(values(checkpoint.connection(), found))
    }

    /// Removes this checkpoint; the one before it takes over its tracked changes. The guest must run.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// dom.create();
    /// let checkpoint = dom.checkpoint_create_xml("<domaincheckpoint/>");
    /// checkpoint.delete();
    /// assert_eq(dom.list_all_checkpoints(), []);
    /// ```
    /// Calls virDomainCheckpointDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete(ctx: NativeCallContext, checkpoint: &mut DomainCheckpoint) -> RhaiResultOf<()> {
        delete_flags(ctx, checkpoint, 0)
    }

    /// Removes this checkpoint: with `VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN` also the later ones, with
    /// `VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY` only from libvirt's memory, not from the disks.
    ///
    /// ```rhai,daemon
    /// let dom = connect().lookup_by_name("web");
    /// let xml = "<domaincheckpoint><name>monday</name><creationTime>1</creationTime><disks><disk name='vda'/></disks></domaincheckpoint>";
    /// let checkpoint = dom.checkpoint_create_xml(xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE);
    /// checkpoint.delete(VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY);
    /// assert_eq(dom.list_all_checkpoints(), []);
    /// ```
    /// Calls virDomainCheckpointDelete.
    #[rhai_fn(name = "delete", pure, return_raw)]
    pub fn delete_flags(
        ctx: NativeCallContext,
        checkpoint: &mut DomainCheckpoint,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        checkpoint.call(&ctx, "virDomainCheckpointDelete", "delete", move |c| {
            c.delete(wanted)
        })
    }
}
