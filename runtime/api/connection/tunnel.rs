//! The `ssh` that libvirt starts for a URI with `+ssh`, kept from the terminal's signals.
//!
//! It is in the process group of the terminal's foreground, so that it can ask for a password
//! there; Ctrl-C, which is to stop a script, would take the connection with it. libvirt gives its
//! children all signals back, so it is started by way of a script that turns this one off: unlike
//! handlers, that outlives the start of a program, and `ssh` respects it once it has connected.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;

use nix::sys::memfd::{MFdFlags, memfd_create};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::uri::Reading;

/// Whether libvirt would start `ssh` for `uri`.
///
/// A URI of the user's in a spelling of its own, such as `Command=`, goes to libvirt as it is.
pub(super) fn is_needed(uri: &str) -> bool {
    Reading::of(uri).is_some_and(|reading| {
        // A name can be percent-encoded.
        let usual = |(name, _): &(String, String)| {
            !name.eq_ignore_ascii_case("command") || (name == "command" && uri.contains("command="))
        };
        reading.scheme.ends_with("+ssh")
            && uri.contains("://")
            && reading.fragment.is_none()
            && !uri.contains(';')
            && reading.parameters.iter().all(usual)
    })
}

/// The way to a host through an `ssh` that ignores Ctrl-C, for as long as it is being opened.
pub(super) struct Tunnel {
    /// What libvirt opens instead.
    pub(super) uri: String,
    /// The script, which has no name in any folder.
    _script: File,
}

impl Tunnel {
    /// A tunnel for `uri`; none where this system has no files without names.
    pub(super) fn new(uri: &str) -> Option<Self> {
        let (command, rest) = without_command(uri);
        let descriptor = memfd_create(c"virhai-ssh", MFdFlags::MFD_CLOEXEC).ok()?;
        let mut script = File::from(descriptor);
        script.write_all(text(&command).as_bytes()).ok()?;
        // Not `self`: it is libvirt's child that opens it.
        let path = format!("/proc/{}/fd/{}", std::process::id(), script.as_raw_fd());
        let separator = if rest.contains('?') { '&' } else { '?' };
        let path = utf8_percent_encode(&path, NON_ALPHANUMERIC);
        Some(Self {
            uri: format!("{rest}{separator}command={path}"),
            _script: script,
        })
    }
}

fn text(command: &str) -> String {
    let command = command.replace('\'', r"'\''");
    format!("#!/bin/sh\ntrap '' INT\nexec '{command}' \"$@\"\n")
}

/// The command that `uri` names, `ssh` where it names none, and `uri` without it.
fn without_command(uri: &str) -> (String, String) {
    let Some((base, query)) = uri.split_once('?') else {
        return ("ssh".into(), uri.to_owned());
    };
    let mut command = String::from("ssh");
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| match pair.strip_prefix("command=") {
            Some(value) => {
                command = percent_decode_str(value).decode_utf8_lossy().into_owned();
                false
            }
            None => true,
        })
        .collect();
    let uri = match kept.is_empty() {
        true => base.to_owned(),
        false => format!("{base}?{}", kept.join("&")),
    };
    (command, uri)
}

#[cfg(test)]
mod tests {
    use super::{is_needed, text, without_command};

    #[test]
    fn only_libvirts_own_ssh_is_a_process() {
        assert!(is_needed("qemu+ssh://root@kvm1/system"));
        for uri in [
            "qemu:///system",
            "qemu+libssh2://kvm1/system",
            "qemu+tls://kvm1/system",
            "qemu+ssh://kvm1/system?Command=/opt/ssh",
            "qemu+ssh://kvm1/system?%63ommand=/opt/ssh",
            "qemu+ssh://kvm1/system#here",
        ] {
            assert!(!is_needed(uri), "{uri}");
        }
    }

    #[test]
    fn a_command_of_the_users_own_is_kept() {
        let parts = |uri| without_command(uri);
        assert_eq!(
            parts("qemu+ssh://kvm1/system?keyfile=/k&command=/opt/my%20ssh&no_tty=1"),
            (
                "/opt/my ssh".into(),
                "qemu+ssh://kvm1/system?keyfile=/k&no_tty=1".into()
            )
        );
        assert_eq!(
            parts("qemu+ssh://kvm1/system?command=/opt/ssh"),
            ("/opt/ssh".into(), "qemu+ssh://kvm1/system".into())
        );
        assert_eq!(
            parts("qemu+ssh://kvm1/system"),
            ("ssh".into(), "qemu+ssh://kvm1/system".into())
        );
        assert!(text("it's").contains(r"exec 'it'\''s' "));
    }
}
