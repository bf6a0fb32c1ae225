//! Open files for a guest: its first process inherits them, or its disks use them.

use std::fs::{File, OpenOptions};

use rhai::plugin::*;
use rhai::{Array, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits};
use crate::error::Error;
use crate::libvirt;
use crate::objects::domain::Domain;
use crate::objects::granted::writable;

/// The files that `paths` name, open to be read and written.
pub(crate) fn open_files(ctx: &NativeCallContext, paths: &Array) -> RhaiResultOf<Vec<File>> {
    paths.iter().map(|path| open_file(ctx, path)).collect()
}

fn open_file(ctx: &NativeCallContext, path: &Dynamic) -> RhaiResultOf<File> {
    let path = path.clone().into_immutable_string().map_err(|kind| {
        Error::invalid(ctx, format!("the path of a file must be text, not {kind}")).throw()
    })?;
    let real = writable(ctx, &path)?;
    // A pipe is not waited for, since it is open at both ends.
    let file = OpenOptions::new().read(true).write(true).open(real);
    file.map_err(|error| Error::invalid(ctx, format!("cannot open {path}: {error}")).throw())
}

fn create(ctx: &NativeCallContext, dom: &Domain, paths: &Array, flags: i64) -> RhaiResultOf<()> {
    let wanted = flag_bits(ctx, flags)?;
    let files = open_files(ctx, paths)?;
    dom.call(ctx, "virDomainCreateWithFiles", "start", move |d| {
        libvirt::inherited::create(d, &files, wanted)
    })
}

#[export_module]
pub(super) mod functions {
    /// Boots this domain, a container; its first process inherits the files at `paths`, opened for reading and writing,
    /// as its file descriptors 3 and following.
    ///
    /// The files are on this machine; `--allow-write` must allow them. Throws if the hypervisor has no containers, as
    /// QEMU, or if the connection cannot pass open files: only local connections can.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// let error = assert_throws(|| dom.create_with_files(["/dev/null"]));
    /// assert(error.hint.contains("--allow-write"));
    /// ```
    /// Calls virDomainCreateWithFiles.
    #[rhai_fn(name = "create_with_files", pure, return_raw)]
    pub fn create_with_files(
        ctx: NativeCallContext,
        dom: &mut Domain,
        paths: Array,
    ) -> RhaiResultOf<()> {
        create(&ctx, dom, &paths, 0)
    }

    /// Boots this domain with the files at `paths`, with flags such as
    /// `VIR_DOMAIN_START_AUTODESTROY`.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.destroy();
    /// dom.create_with_files([], 0);
    /// assert_eq(dom.state(), "running");
    /// ```
    /// Calls virDomainCreateWithFiles.
    #[rhai_fn(name = "create_with_files", pure, return_raw)]
    pub fn create_with_files_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        paths: Array,
        flags: i64,
    ) -> RhaiResultOf<()> {
        create(&ctx, dom, &paths, flags)
    }

    /// Passes the files at `paths`, opened for reading and writing, to the guest: a disk whose source has
    /// `fdgroup='NAME'` uses them, until this connection is closed. The hypervisor itself needs no access to them.
    ///
    /// The files are on this machine; `--allow-write` must allow them.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let error = assert_throws(|| dom.fd_associate("disks", ["/dev/null"]));
    /// assert(error.hint.contains("--allow-write"));
    /// ```
    /// Calls virDomainFDAssociate.
    #[rhai_fn(name = "fd_associate", pure, return_raw)]
    pub fn fd_associate(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
        paths: Array,
    ) -> RhaiResultOf<()> {
        fd_associate_flags(ctx, dom, name, paths, 0)
    }

    /// Passes files to the guest; flags: `VIR_DOMAIN_FD_ASSOCIATE_SECLABEL_RESTORE` restores the security
    /// labels of the files afterwards, `_WRITABLE` lets the guest write to them.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_throws(|| dom.fd_associate("none", [], 0), "VIR_ERR_INVALID_ARG");
    /// ```
    /// Calls virDomainFDAssociate.
    #[rhai_fn(name = "fd_associate", pure, return_raw)]
    pub fn fd_associate_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        name: &str,
        paths: Array,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let files = open_files(&ctx, &paths)?;
        let verb = format!("pass the files `{name}` to");
        let name = name.to_owned();
        dom.call(&ctx, "virDomainFDAssociate", verb, move |d| {
            libvirt::inherited::associate(d, &name, &files, wanted)
        })
    }
}
