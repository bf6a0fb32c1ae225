//! The root folder of a hypervisor within this process.

use std::path::Path;
use std::time::Duration;

use virt::connect::Connect;

use super::open::stopped;
use crate::libvirt::{self, Failure, Result};
use crate::objects::uri::Reading;
use crate::run::interrupt::Interrupt;
use crate::run::timeout::{self, NoAnswer};

/// The longest wait for the guests of the process that had the root before. A QEMU that does not
/// answer is not waited for any longer: calls to the other guests must not suffer.
const TAKE_OVER: Duration = Duration::from_secs(20);

/// Waits until the driver has taken over the guests that another process left running.
///
/// libvirt reconnects to each on a thread of its own after the connection is open. Until that is done, a
/// destroy ends the guest and fails, and its agent is out of reach. The thread holds the guest's job
/// lock from before the connection is open to its end, and a question about the job waits for it.
pub(super) fn wait_for_take_over(
    uri: &str,
    connect: &Connect,
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<()> {
    if !Reading::of(uri).is_some_and(|reading| reading.is_embedded()) {
        return Ok(());
    }
    let active = connect.list_all_domains(virt_sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE)?;
    if active.is_empty() {
        return Ok(());
    }
    let limit = limit.min(TAKE_OVER);
    let answer = timeout::run_with_timeout("take-over of guests", limit, interrupt, move || {
        for domain in active {
            // A guest that has disappeared meanwhile need not be taken over.
            let _ = libvirt::domain::job_info(&domain);
        }
    });
    match answer {
        Err(NoAnswer::Stopped) => Err(stopped()),
        Ok(()) | Err(NoAnswer::TimedOut | NoAnswer::NoThread(_)) => Ok(()),
    }
}

/// Makes a new `qemu:///embed?root=DIR` usable, by a configuration in it. One that exists belongs to
/// the user and is not changed.
///
/// A read-only connection creates no folders: its root must exist.
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
