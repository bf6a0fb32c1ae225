//! The root folder of a hypervisor within this process.

use std::path::Path;

use crate::libvirt::{Failure, Result};
use crate::uri::Reading;

/// Makes a new `qemu:///embed?root=DIR` usable, by a configuration in it. One that exists belongs to
/// the user and is not changed.
///
/// A read-only connection makes nothing: its root must exist.
pub(super) fn prepare_root(uri: &str, read_only: bool) -> Result<()> {
    let reading = Reading::of(uri).filter(|reading| reading.is_embedded());
    let Some(reading) = reading else {
        return Ok(());
    };
    let Some(root) = reading.parameter("root") else {
        return Ok(());
    };
    if !root.starts_with('/') || root.contains('\0') {
        // libvirt says what is wrong with it.
        return Ok(());
    }
    let root = Path::new(root);
    if read_only {
        return match root.is_dir() {
            true => Ok(()),
            false => Err(Failure::new(
                virt_sys::VIR_ERR_OPERATION_DENIED,
                format!(
                    "the folder {} does not exist, and a read-only connection does not create it",
                    root.display()
                ),
            )),
        };
    }
    if reading.scheme != "qemu" {
        return Ok(());
    }
    let etc = root.join("etc");
    let config = etc.join("qemu.conf");
    let made = std::fs::create_dir_all(&etc).and_then(|()| {
        match std::fs::File::options()
            .write(true)
            .create_new(true)
            .open(&config)
        {
            Ok(mut file) => std::io::Write::write_all(&mut file, configuration().as_bytes()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    });
    made.map_err(|error| {
        Failure::new(
            virt_sys::VIR_ERR_SYSTEM_ERROR,
            format!("cannot write {}: {error}", config.display()),
        )
    })
}

/// The `qemu.conf` of a new root.
fn configuration() -> String {
    let mut text = String::from(
        "# Written by virhai. No virtlogd runs here, so QEMU writes its consoles itself.\n\
         stdio_handler = \"file\"\n",
    );
    // As root, libvirt would give QEMU to a user of its own. Where that user may not open /dev/kvm,
    // libvirt probes QEMU again for each start, for half a minute.
    if nix::unistd::geteuid().is_root() {
        text.push_str(
            "# QEMU runs as the user who runs virhai.\n\
             user = \"root\"\n\
             group = \"root\"\n",
        );
    }
    text
}
