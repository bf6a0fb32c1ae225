//! A libvirtd as root with networks of its own: a world apart, of which only a socket is seen.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Run, Scratch, capabilities, virhai};

const CAPABILITIES: &str = "var/cache/libvirt/qemu/capabilities";

/// What becomes of the machine inside: libvirt's folders are the test's, the network is empty, and
/// KVM, which root could use and the tests don't, is not there.
const INSIDE: &str = r#"
    set -e
    mount --make-rprivate /
    for part in run etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt; do
        mkdir -p "/$part"
        mount --bind "$1/$part" "/$part"
    done
    if [ -e /dev/kvm ]; then mount --bind /dev/null /dev/kvm; fi
    ip link set lo up
    # Not the first process of all, who would have to bury the orphans of the others.
    libvirtd &
    wait
"#;

/// A libvirtd of root's in namespaces of its own; all its processes end with it.
pub struct NetHost {
    scratch: Scratch,
    process: Child,
}

impl NetHost {
    /// Starts one, or tells why not and answers none: it takes root.
    pub fn start() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root can make networks");
            return None;
        }
        let scratch = Scratch::new();
        for part in [
            "run/lock",
            "etc/libvirt",
            "var/lib/libvirt",
            "var/log/libvirt",
        ] {
            std::fs::create_dir_all(scratch.path(part)).expect("the folder is ours");
        }
        capabilities::give(&scratch, CAPABILITIES);
        let root = |name: &str, text: &str| {
            std::fs::write(scratch.path(name), text).expect("the folder is ours");
        };
        root(
            "etc/libvirt/libvirtd.conf",
            "auth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\n",
        );
        root(
            "etc/libvirt/qemu.conf",
            "user = \"root\"\ngroup = \"root\"\nstdio_handler = \"file\"\nsecurity_driver = \"none\"\n\
             cgroup_controllers = []\nremember_owner = 0\n",
        );
        let process = Command::new("unshare")
            .args([
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ])
            .args(["sh", "-c", INSIDE, "sh"])
            .arg(scratch.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare is installed");
        let host = Self { scratch, process };
        let until = Instant::now() + Duration::from_secs(30);
        while std::os::unix::net::UnixStream::connect(host.socket()).is_err() {
            assert!(Instant::now() < until, "libvirtd does not open its socket");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(host)
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path("run/libvirt/libvirt-sock")
    }

    pub fn path(&self, name: &str) -> String {
        self.scratch.text(name)
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// A run of the program whose `connect()` opens this host.
    pub fn virhai(&self) -> Run {
        let uri = format!("qemu+unix:///system?socket={}", self.socket().display());
        virhai().arg("-c").arg(uri)
    }
}

impl Drop for NetHost {
    fn drop(&mut self) {
        capabilities::keep(&self.scratch.path(CAPABILITIES));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
