//! What a URI says before anything is opened.

use percent_encoding::percent_decode_str;
use rhai::NativeCallContext;

use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::libvirt::{Failure, Result};
use crate::session::Session;
use crate::suggest;

/// Drivers that work within the process and so can neither be silent nor be starved.
const IN_PROCESS: [&str; 9] = [
    "test",
    "esx",
    "gsx",
    "vpx",
    "hyperv",
    "vmwareplayer",
    "vmwarews",
    "vmwarefusion",
    "vbox",
];

/// Whether the driver behind `uri` runs in this process instead of a daemon.
pub(crate) fn in_process(uri: &str) -> bool {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    IN_PROCESS.contains(&scheme) || (!scheme.contains('+') && path == "///embed")
}

/// Makes a new `qemu:///embed?root=DIR` usable: without a daemon there is no `virtlogd`, so
/// QEMU has to write its consoles itself. A configuration that exists is left alone.
pub(super) fn prepare_embed_root(uri: &str) -> Result<()> {
    let Some(root) = uri
        .split_once("embed?")
        .and_then(|(_, query)| query.split('&').find_map(|pair| pair.strip_prefix("root=")))
    else {
        return Ok(());
    };
    let root = percent_decode_str(root).decode_utf8_lossy();
    if !root.starts_with('/') || root.contains('\0') {
        // libvirt says what is wrong with it.
        return Ok(());
    }
    let etc = std::path::Path::new(root.as_ref()).join("etc");
    let config = etc.join("qemu.conf");
    let made = std::fs::create_dir_all(&etc).and_then(|()| {
        match std::fs::File::options()
            .write(true)
            .create_new(true)
            .open(&config)
        {
            Ok(mut file) => std::io::Write::write_all(&mut file, b"stdio_handler = \"file\"\n"),
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

/// The parameters that a URI of these drivers can have; libvirt ignores all others silently.
const PARAMETERS: [&str; 17] = [
    "auth",
    "command",
    "keyfile",
    "known_hosts",
    "known_hosts_verify",
    "mode",
    "name",
    "netcat",
    "no_tty",
    "no_verify",
    "pkipath",
    "proxy",
    "root",
    "socket",
    "sshauth",
    "tls_priority",
    "transport",
];
const CHECKED_DRIVERS: [&str; 6] = ["qemu", "test", "lxc", "xen", "ch", "bhyve"];

/// Refuses a URI by which libvirt would run a program of the script's choice: nobody granted that.
fn refuse_programs(ctx: &NativeCallContext, uri: &str) -> RhaiResultOf<()> {
    let (transport, query) = uri.split_once('?').unwrap_or((uri, ""));
    let scheme = transport.split(':').next().unwrap_or_default();
    let named = query
        .split(['&', ';', '#'])
        .any(|pair| pair.split('=').next() == Some("command"));
    let by_user = Session::of(ctx).uri() == Some(uri)
        || std::env::var("LIBVIRT_DEFAULT_URI").is_ok_and(|default| default == uri);
    if by_user || !(named || scheme.ends_with("+ext")) {
        return Ok(());
    }
    let message = format!("`{uri}` names a program to run, which is not a script's to choose");
    let error = Error::invalid(ctx, message);
    let hint = "give the URI with `-c` or in LIBVIRT_DEFAULT_URI, and open it with `connect()`";
    Err(error.with_hint(hint).throw())
}

/// Refuses a parameter that libvirt would ignore, such as a misspelt `socket`, and a program.
pub(super) fn check_parameters(ctx: &NativeCallContext, uri: &str) -> RhaiResultOf<()> {
    refuse_programs(ctx, uri)?;
    let driver = uri.split([':', '+']).next().unwrap_or_default();
    let Some((_, query)) = uri
        .split_once('?')
        .filter(|_| CHECKED_DRIVERS.contains(&driver))
    else {
        return Ok(());
    };
    for pair in query.split(['&', ';', '#']).filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or(pair);
        if !PARAMETERS.contains(&name) {
            let message = format!("`{uri}` has a parameter `{name}`, which libvirt does not know");
            let error = Error::invalid(ctx, message);
            return Err(match suggest::nearest(name, PARAMETERS.into_iter()) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => error.with_hint("https://libvirt.org/uri.html has the parameters"),
            }
            .throw());
        }
    }
    Ok(())
}
