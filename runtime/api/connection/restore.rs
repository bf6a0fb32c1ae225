//! Save images: resuming the guest in one, and reading and changing its XML.

use rhai::NativeCallContext;
use rhai::plugin::*;
use virt::connect::Connect;

use crate::api::arguments::{RhaiResultOf, SaveParameters, flag_bits, typed_params};
use crate::api::stale_save;
use crate::api::xml::{OptionalXmlText, XmlText, optional_xml_text, xml_text};
use crate::error::{Error, OfXml, file_content};
use crate::libvirt::{self, Failure};
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;
use crate::objects::granted::{Use, host_file};
use crate::vocabulary::OptionsOf;
use crate::xml::Xml;

/// Restores by `restore` and returns the domain, whose UUID is only in the image.
fn restored(
    ctx: &NativeCallContext,
    conn: &Connection,
    path: &str,
    call: &'static str,
    restore: impl Fn(&Connect) -> Result<(), Failure> + Send + Sync + 'static,
) -> RhaiResultOf<Domain> {
    let action = format!("restore a domain from {path}");
    let image = path.to_owned();
    refuse_over_managed_save(ctx, conn, path, &action)?;
    let domain = conn.call(ctx, call, action, move |connect| {
        // Read first: some drivers remove the image once it runs.
        let xml = connect
            .save_image_xml_desc(&image, 0)
            .map_err(Failure::from);
        let found = restore(connect).and_then(|()| find(connect, &xml?));
        found.map_err(|failure| file_content::of_image(failure, &image))
    })?;
    Ok(conn.adopt(domain))
}

/// Refuses to restore a guest that has a managed save: it has run since it was saved to `path`, and the
/// managed save would be resumed later over the disks of the restored guest.
fn refuse_over_managed_save(
    ctx: &NativeCallContext,
    conn: &Connection,
    path: &str,
    action: &str,
) -> RhaiResultOf<()> {
    let image = path.to_owned();
    let saved = conn.attempt("virDomainSaveImageGetXMLDesc", move |connect| {
        let domain = find(connect, &connect.save_image_xml_desc(&image, 0)?)?;
        Ok::<_, Failure>(stale_save::exists(&domain).then(|| domain.name().unwrap_or_default()))
    });
    match saved {
        Ok(Some(name)) => Err(stale_save::refusal(ctx, &name, action, conn.uri()).throw()),
        // Errors in the image are reported by the call itself.
        _ => Ok(()),
    }
}

/// The domain that `xml` describes.
fn find(connect: &Connect, xml: &str) -> Result<virt::domain::Domain, Failure> {
    let parsed = Xml::parse(xml).ok();
    let find = |path| parsed.as_ref()?.find(path).ok().flatten();
    match (find("uuid"), find("name")) {
        (Some(uuid), _) => connect
            .lookup_domain_by_uuid_string(uuid.trim())
            .map_err(Failure::from),
        (None, Some(name)) => connect.lookup_domain_by_name(&name).map_err(Failure::from),
        _ => Err(Failure::new(
            virt_sys::VIR_ERR_XML_ERROR,
            "the save image names no domain",
        )),
    }
}

#[export_module]
pub(super) mod functions {
    /// Resumes the guest in the save image at `path` and returns its domain.
    ///
    /// A guest that was saved while paused stays paused. The image stays and can be restored again, but its memory then
    /// does not match the disks, which have changed since: restore the disks as well.
    /// Throws if the guest has a managed save, which libvirt would keep and resume later over newer disks.
    /// The guest's clock stood still since it was saved: `set_time(#{}, VIR_DOMAIN_TIME_SYNC)` makes its agent set it.
    /// `path` is absolute, on the hypervisor's host. A test host, `test:///default`, needs
    /// `--allow-read PATH`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let path = "/tmp/web.save";
    /// conn.lookup_by_name("test").save(path);
    /// let dom = conn.restore(path);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainRestore.
    #[rhai_fn(name = "restore", pure, return_raw)]
    pub fn restore(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
    ) -> RhaiResultOf<Domain> {
        let path = &host_file(&ctx, conn, path, Use::Read)?;
        let image = path.to_owned();
        restored(&ctx, conn, path, "virDomainRestore", move |c| {
            c.restore_domain(&image).map_err(Failure::from)
        })
    }

    /// Resumes the guest in the save image at `path` with changed XML, or `()`, and flags.
    ///
    /// Only parts that the guest cannot see may change. `VIR_DOMAIN_SAVE_RUNNING` and
    /// `VIR_DOMAIN_SAVE_PAUSED` override the state in which it was saved.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let path = "/tmp/web.save";
    /// conn.lookup_by_name("test").save(path);
    /// let dom = conn.restore(path, (), 0);
    /// assert(dom.is_active());
    /// ```
    /// Calls virDomainRestoreFlags.
    #[rhai_fn(name = "restore", pure, return_raw)]
    pub fn restore_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
        xml: OptionalXmlText,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        let xml = optional_xml_text(&ctx, "the XML", &xml)?;
        let path = &host_file(&ctx, conn, path, Use::Read)?;
        let wanted = flag_bits(&ctx, flags)?;
        let image = path.to_owned();
        restored(&ctx, conn, path, "virDomainRestoreFlags", move |c| {
            c.restore_domain_flags(&image, xml.as_deref(), wanted)
                .map_err(Failure::from)
        })
    }

    /// Resumes a guest with a map of parameters: `file`, `dxml`, and, with newer libvirt, `image_format` and
    /// `parallel.channels`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// let path = "/tmp/web.save";
    /// conn.lookup_by_name("web").save(path);
    /// let dom = conn.restore_params(#{ file: path }, VIR_DOMAIN_SAVE_PAUSED);
    /// assert_eq(dom.state(), "paused");
    /// ```
    /// Calls virDomainRestoreParams.
    #[rhai_fn(pure, return_raw)]
    pub fn restore_params(
        ctx: NativeCallContext,
        conn: &mut Connection,
        params: OptionsOf<SaveParameters>,
        flags: i64,
    ) -> RhaiResultOf<Domain> {
        let wanted = flag_bits(&ctx, flags)?;
        let typed = typed_params(
            &ctx,
            SaveParameters::OPTIONS,
            SaveParameters::TYPES,
            &params,
        )?;
        let Some(path) = params
            .get("file")
            .and_then(|file| file.clone().into_immutable_string().ok())
        else {
            return Err(
                Error::invalid(&ctx, "`file` is missing: the path of the save image").throw(),
            );
        };
        let path = host_file(&ctx, conn, &path, Use::Read)?;
        restored(&ctx, conn, &path, "virDomainRestoreParams", move |c| {
            libvirt::connection::domain_restore_params(c, &typed, wanted)
        })
    }

    /// The XML in the save image at `path`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let path = "/tmp/web.save";
    /// conn.lookup_by_name("test").save(path);
    /// assert(conn.save_image_get_xml_desc(path).contains("<name>test</name>"));
    /// ```
    /// Calls virDomainSaveImageGetXMLDesc.
    #[rhai_fn(name = "save_image_get_xml_desc", pure, return_raw)]
    pub fn save_image_get_xml_desc(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
    ) -> RhaiResultOf<String> {
        save_image_get_xml_desc_flags(ctx, conn, path, 0)
    }

    /// The XML in the save image at `path`; `VIR_DOMAIN_SAVE_IMAGE_XML_SECURE` includes secrets.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let path = "/tmp/web.save";
    /// conn.lookup_by_name("test").save(path);
    /// let xml = conn.save_image_get_xml_desc(path, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE);
    /// assert(xml.contains("<name>test</name>"));
    /// ```
    /// Calls virDomainSaveImageGetXMLDesc.
    #[rhai_fn(name = "save_image_get_xml_desc", pure, return_raw)]
    pub fn save_image_get_xml_desc_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let path = &host_file(&ctx, conn, path, Use::Read)?;
        let wanted = flag_bits(&ctx, flags)?;
        let action = format!("read the XML in the save image {path}");
        let path = path.to_owned();
        conn.call(&ctx, "virDomainSaveImageGetXMLDesc", action, move |c| {
            c.save_image_xml_desc(&path, wanted)
                .map_err(|error| file_content::of_image(error.into(), &path))
        })
    }

    /// Changes the XML in the save image at `path`; parts that the guest can see must stay the same.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let path = "/tmp/web.save";
    /// conn.lookup_by_name("test").save(path);
    /// let xml = conn.save_image_get_xml_desc(path);
    /// xml.replace("<vcpu", "<description>saved</description><vcpu");
    /// conn.save_image_define_xml(path, xml, 0);
    /// assert(conn.restore(path).xml_desc().contains("<description>saved</description>"));
    /// ```
    /// Calls virDomainSaveImageDefineXML.
    #[rhai_fn(pure, return_raw)]
    pub fn save_image_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        path: &str,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let xml = xml_text(&ctx, "the XML", &xml)?;
        let path = &host_file(&ctx, conn, path, Use::Change)?;
        let wanted = flag_bits(&ctx, flags)?;
        let action = format!("change the XML in the save image {path}");
        let (path, owned) = (path.to_owned(), xml.clone());
        conn.call(&ctx, "virDomainSaveImageDefineXML", action, move |c| {
            // Reports errors in the image apart from errors in the new XML.
            c.save_image_xml_desc(&path, 0)
                .map_err(|error| file_content::of_image(error.into(), &path))?;
            c.save_image_define_xml(&path, &owned, wanted)
                .map_err(Failure::from)
        })
        .of_xml(&xml)
    }
}
