//! The `ssh` that libvirt starts for a URI with `+ssh`, protected from the terminal's signals.
//!
//! `ssh` runs in the terminal's foreground process group, so that it can ask for a password there.
//! Ctrl-C, which should only stop a script, would therefore end the connection. libvirt resets all
//! signals of its child processes, so a wrapper script starts `ssh` with SIGINT ignored: unlike
//! handlers, ignored signals stay ignored in the started program, and `ssh` respects that once it
//! has connected.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{AccessFlags, Pid, access};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tempfile::TempDir;

use crate::objects::uri::Reading;

/// The folders that the script may be in. libvirt drops all capabilities of its child processes, so
/// even root's `ssh` can access only those files that the modes of folders and files allow. A file
/// system can also be mounted with `noexec`.
const FOLDERS: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// True if libvirt would start `ssh` for `uri`.
///
/// A URI with the user's own spelling, such as `Command=`, is passed to libvirt unchanged.
pub(crate) fn is_needed(uri: &str) -> bool {
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

/// A tunnel to a host through an `ssh` that ignores Ctrl-C; used while the connection is being
/// opened.
pub(super) struct Tunnel {
    /// The URI that libvirt opens instead.
    pub(super) uri: String,
    /// Holds the script, and later the number of its process.
    folder: TempDir,
}

impl Tunnel {
    /// A tunnel for `uri`; none if no folder can hold the script.
    pub(super) fn new(uri: &str) -> Option<Self> {
        let (command, rest) = without_command(uri);
        let folder = FOLDERS
            .iter()
            .find_map(|folder| with_script(Path::new(folder), &command).ok())?;
        let separator = if rest.contains('?') { '&' } else { '?' };
        let path = script_in(folder.path());
        let path = utf8_percent_encode(path.to_str()?, NON_ALPHANUMERIC);
        Some(Self {
            uri: format!("{rest}{separator}command={path}"),
            folder,
        })
    }

    /// Ends an `ssh` that has no user: it would wait for its host or for a password,
    /// and change the terminal when it ends.
    pub(super) fn end(&self) {
        let number = std::fs::read_to_string(number_in(self.folder.path()));
        let number = number.ok().and_then(|number| number.trim().parse().ok());
        // libvirt may have waited for it, so that the number is another's.
        if let Some(number) = number.filter(|number| is_child(*number)) {
            let _ = kill(Pid::from_raw(number), Signal::SIGTERM);
        }
    }
}

/// True if `number` is that of a child of this process.
fn is_child(number: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    // The name before it may have spaces and parentheses.
    let parent = stat
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.split_whitespace().nth(1)?.parse().ok());
    parent == Some(std::process::id())
}

fn script_in(folder: &Path) -> PathBuf {
    folder.join("ssh")
}

fn number_in(folder: &Path) -> PathBuf {
    folder.join("pid")
}

/// A new folder in `parent` with a script that runs `command`.
///
/// A process of its own writes the script. A file that is open for writing cannot be executed, and
/// other threads' child processes would inherit it open.
fn with_script(parent: &Path, command: &str) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("virhai-ssh.")
        .tempdir_in(parent)?;
    let script = script_in(folder.path());
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat >\"$0\" && chmod 700 \"$0\""])
        .arg(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = writer.stdin.take() {
        input.write_all(text(&number_in(folder.path()), command).as_bytes())?;
    }
    writer.wait()?;
    // It fails on a file system that allows no programs.
    access(&script, AccessFlags::X_OK)?;
    Ok(folder)
}

fn text(number: &Path, command: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let number = quoted(&number.to_string_lossy());
    let command = quoted(command);
    format!("#!/bin/sh\necho $$ >{number}\ntrap '' INT\nexec {command} \"$@\"\n")
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
    use std::path::Path;

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
        let script = text(Path::new("/tmp/x/pid"), "it's");
        assert!(script.contains(r"exec 'it'\''s' "), "{script}");
    }
}
