//! Definitions that would lose something: the XML of a running object is not its definition, and XML that
//! was read without its secrets has none.

use rhai::{Dynamic, NativeCallContext};
use virt::connect::Connect;
use virt_sys as sys;

use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::objects::connection::Connection;
use crate::objects::object::Kind;
use crate::xml::{Selected, Xml};

/// Refuses XML that describes a running guest, and XML without a password that the definition has.
pub(super) fn check_domain(
    ctx: &NativeCallContext,
    conn: &Connection,
    xml: &str,
) -> RhaiResultOf<()> {
    if conn.is_read_only() {
        // libvirt refuses any definition.
        return Ok(());
    }
    let Ok(given) = Xml::parse(xml) else {
        return Ok(());
    };
    let name = given.find("name").ok().flatten().unwrap_or_default();
    if given.name() == "domain" && given.has("@id").unwrap_or_default() {
        let message = format!(
            "this is the XML of the running domain `{name}`, not its definition: it lacks passwords, \
             and devices attached for this run would become permanent"
        );
        return Error::refuse(
            ctx,
            message,
            "`dom.edit(|xml| ...)` changes the definition; `dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)` reads it; \
                 to define it anyway, remove the attribute `id` of `domain`",
        );
    }
    if is_migratable_dump(conn, &name, xml) {
        let message = format!(
            "this is the XML of the running domain `{name}`, not its definition: devices attached for this run would become permanent"
        );
        return Error::refuse(
            ctx,
            message,
            "`dom.edit(|xml| ...)` changes the definition; `dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)` reads it",
        );
    }
    let Some(graphics) = lost_password(conn, &given, &name) else {
        return Ok(());
    };
    let message = format!(
        "the domain `{name}` has a password for its {graphics} screen, and this XML would remove it"
    );
    Error::refuse(
        ctx,
        message,
        "`dom.edit(|xml| ...)` keeps the password; `xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)` reads it; \
             `dom.edit(|xml| xml.remove(\"devices/graphics/@passwd\"))` removes it",
    )
}

/// True if `xml` equals the XML of the running domain `name` (without its `id`) by `VIR_DOMAIN_XML_MIGRATABLE` and
/// differs from its definition.
fn is_migratable_dump(conn: &Connection, name: &str, xml: &str) -> bool {
    let (name, xml) = (name.to_owned(), xml.trim().to_owned());
    let found = conn.attempt("virDomainGetXMLDesc", move |connect: &Connect| {
        let domain = connect.lookup_domain_by_name(&name)?;
        if !domain.is_active()? || !domain.is_persistent()? {
            return Ok(false);
        }
        for secrets in [0, sys::VIR_DOMAIN_XML_SECURE] {
            let live = domain.xml_desc(sys::VIR_DOMAIN_XML_MIGRATABLE | secrets)?;
            if live.trim() == xml {
                let defined = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE | secrets)?;
                return Ok(defined.trim() != xml);
            }
        }
        Ok::<_, virt::error::Error>(false)
    });
    found.unwrap_or(false)
}

/// The kind of screen whose password the definition of `name` has, and `given` has not.
fn lost_password(conn: &Connection, given: &Xml, name: &str) -> Option<String> {
    let open = screens(given, "devices/graphics[@type]")
        .into_iter()
        .find(|graphics| !graphics.has("@passwd").unwrap_or(true))?;
    let kind = open.find("@type").ok().flatten()?;
    let name = name.to_owned();
    let before = conn
        .attempt("virDomainGetXMLDesc", move |connect: &Connect| {
            let flags = sys::VIR_DOMAIN_XML_INACTIVE | sys::VIR_DOMAIN_XML_SECURE;
            connect.lookup_domain_by_name(&name)?.xml_desc(flags)
        })
        .ok()?;
    // With another UUID it is another guest, and libvirt refuses the name.
    let before = Xml::parse(before).ok()?;
    let had = screens(&before, "devices/graphics[@passwd]");
    had.iter()
        .any(|graphics| graphics.find("@type").ok().flatten().as_deref() == Some(&kind))
        .then_some(kind)
}

fn screens(xml: &Xml, path: &str) -> Vec<Xml> {
    match xml.select(path) {
        Ok(Selected::Elements(elements)) => elements,
        _ => Vec::new(),
    }
}

/// Refuses an `Xml` of a running object if it differs from the definition.
pub(super) fn check_live<K: Kind>(
    ctx: &NativeCallContext,
    conn: &Connection,
    given: &Dynamic,
) -> RhaiResultOf<()> {
    let live = |xml: &Xml| xml.is_live() && !conn.is_read_only();
    let Some(((flag, inactive), xml)) =
        K::INACTIVE.zip(given.read_lock::<Xml>().filter(|xml| live(xml)))
    else {
        return Ok(());
    };
    let Some(name) = xml.find(K::NAME_PATH).ok().flatten() else {
        return Ok(());
    };
    let wanted = name.clone();
    let both = conn.attempt(K::GET_XML, move |connect: &Connect| {
        let found = K::by_name(connect, &wanted)?;
        Ok::<_, Failure>((K::xml(&found, 0)?, K::xml(&found, inactive)?))
    });
    // A missing domain, or one without a definition, cannot lose anything.
    let Ok((live, definition)) = both else {
        return Ok(());
    };
    let (Ok(live), Ok(definition)) = (Xml::parse(live), Xml::parse(definition)) else {
        return Ok(());
    };
    let differences = definition.diff(&live).unwrap_or_default();
    let Some(first) = differences.first() else {
        return Ok(());
    };
    let message = format!(
        "this is the XML of the running {} `{name}`, not its definition, which differs at `{}`",
        K::NOUN,
        first.path
    );
    let hint =
        format!("`xml({flag})` reads the definition; to define this XML anyway, pass `xml.copy()`");
    Error::refuse(ctx, message, hint)
}
