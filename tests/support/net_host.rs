//! A host where networks start and guests attach to them: a daemon run by root, in a network and
//! with system folders of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::capabilities::{self, Whose};
use super::user::OWN_LOCKS;
use super::{Host, Run, Scratch, skip, virhai};

/// The daemon's own folders, by the system's names for them.
const FOLDERS: [(&str, &str); 5] = [
    ("etc", "/etc/libvirt"),
    ("lib", "/var/lib/libvirt"),
    ("run", "/run/libvirt"),
    ("log", "/var/log/libvirt"),
    ("cache", "/var/cache/libvirt"),
];

/// The folder with the daemon's results of probing QEMU.
const CAPABILITIES: &str = "cache/qemu/capabilities";

/// The programs that libvirt needs to start a network with addresses.
const PROGRAMS: [&str; 3] = ["unshare", "ip", "dnsmasq"];

/// A libvirtd as root, isolated from the machine's own network; everything that guests and networks
/// leave behind disappears with it.
pub struct NetHost {
    scratch: Scratch,
    process: Child,
}

impl NetHost {
    /// Starts a host. If that is impossible, prints the reason and returns `None`; the test then
    /// ends.
    pub fn start() -> Option<Self> {
        if let Some(reason) = impossible() {
            skip(format!("no network can be started here: {reason}"));
            return None;
        }
        let scratch = Scratch::new();
        for (folder, _) in FOLDERS {
            scratch.folder(folder);
        }
        capabilities::give(Whose::Root, &scratch, CAPABILITIES);
        scratch.write(
            "etc/libvirtd.conf",
            "auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n",
        );
        scratch.write(
            "etc/qemu.conf",
            "stdio_handler = \"file\"\nsecurity_driver = \"none\"\nuser = \"root\"\ngroup = \"root\"\n\
             cgroup_controllers = []\nnamespaces = []\nremember_owner = 0\n",
        );
        let mut script = "set -e; ip link set lo up; mount --make-rprivate /;".to_owned();
        script += OWN_LOCKS;
        script += ";";
        for (folder, place) in FOLDERS {
            let folder = scratch.text(folder);
            script += &format!("mkdir -p {place}; mount --bind {folder} {place};");
        }
        // The shell keeps running to reap ended guests that the daemon leaves behind.
        script += "libvirtd --pid-file /run/libvirt/libvirtd.pid & wait";
        // The end of this process ends all of them: daemon, guests, DHCP servers.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount"])
            .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("setpriv is installed");
        let host = Self { scratch, process };
        let until = Instant::now() + Duration::from_secs(30);
        while std::os::unix::net::UnixStream::connect(host.socket()).is_err() {
            assert!(Instant::now() < until, "libvirtd does not open its socket");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(host)
    }

    /// Makes a network device for a guest's card.
    pub fn make_tap(&self, name: &str) {
        let process = self.process.id().to_string();
        let made = Command::new("nsenter")
            .args(["--target", &process, "--net", "--"])
            .args(["ip", "tuntap", "add", name, "mode", "tap"])
            .status();
        assert!(made.expect("nsenter is installed").success());
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path("run/libvirt-sock")
    }
}

impl Host for NetHost {
    fn uri(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.socket().display())
    }

    fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// A run of the program within this host's network, whose `connect()` opens this host.
    fn virhai(&self) -> Run {
        let process = self.process.id().to_string();
        virhai()
            .through(&["nsenter", "--target", &process, "--net", "--"])
            .arg("-c")
            .arg(self.uri())
    }
}

impl Drop for NetHost {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        capabilities::keep(Whose::Root, &self.scratch.path(CAPABILITIES));
    }
}

/// The reason why no host can be started, if there is one.
fn impossible() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("this is not root".into());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let missing = PROGRAMS.into_iter().find(|program| {
        let mut folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        !folders.any(|folder| folder.join(program).exists())
    });
    if let Some(program) = missing {
        return Some(format!("`{program}` is not installed"));
    }
    let tried = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "sh",
            "-c",
        ])
        .arg("mount --make-rprivate / && ip link add vhtest type bridge")
        .output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(String::from_utf8_lossy(&tried.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
