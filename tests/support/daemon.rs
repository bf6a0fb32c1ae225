//! A libvirt daemon of the test's own, run by an ordinary user.

use std::fmt::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::capabilities::{self, Whose};
use super::qemu::{end_qemu, qemu_ports};
use super::user::as_test_user;
use super::{Host, Run, Scratch};

/// QEMU without `virtlogd`, and migrations to this host over loopback.
fn qemu_conf() -> String {
    format!(
        "stdio_handler = \"file\"\nmigration_host = \"127.0.0.2\"\n{}",
        qemu_ports()
    )
}

/// The folder with a daemon's results of probing QEMU.
const CAPABILITIES: &str = "cache/libvirt/qemu/capabilities";

/// A libvirtd session daemon with folders and a host UUID of its own.
pub struct Daemon {
    scratch: Scratch,
    /// The ports for TCP and TLS.
    ports: Option<(u16, u16)>,
    process: Option<Child>,
}

impl Daemon {
    /// Starts a daemon and waits until it accepts connections.
    pub fn start() -> Self {
        Self::with(|_| String::new(), None)
    }

    /// Starts a daemon that listens on the loopback interface, at ports of its own; `configuration`
    /// is added to its `libvirtd.conf`.
    pub fn listening(configuration: impl FnOnce(&Scratch) -> String) -> Self {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
        let (tcp, tls) = (free(), free());
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let ports = (port(&tcp), port(&tls));
        drop((tcp, tls));
        Self::with(configuration, Some(ports))
    }

    fn with(configuration: impl FnOnce(&Scratch) -> String, ports: Option<(u16, u16)>) -> Self {
        let scratch = Scratch::new();
        for folder in ["run", "config", "cache", "data", "home"] {
            scratch.folder(folder);
        }
        scratch.folder("config/libvirt");
        capabilities::give(Whose::User, &scratch, CAPABILITIES);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let unique = now.expect("the clock is past 1970").as_nanos() & 0xffff_ffff_ffff;
        let uuid = format!("7e1a0000-0000-4000-8000-{unique:012x}");
        let mut settings = format!("host_uuid = \"{uuid}\"\n{}", configuration(&scratch));
        if let Some((tcp, tls)) = ports {
            let _ = write!(
                settings,
                "listen_addr = \"127.0.0.1\"\ntcp_port = \"{tcp}\"\ntls_port = \"{tls}\"\n"
            );
            // By default, the daemon listens for TLS, and would miss the certificates.
            if !settings.contains("listen_tls") {
                settings += "listen_tls = 0\n";
            }
        }
        scratch.write("config/libvirt/libvirtd.conf", settings);
        scratch.write("config/libvirt/qemu.conf", qemu_conf());
        let mut daemon = Self {
            scratch,
            ports,
            process: None,
        };
        daemon.launch();
        daemon
    }

    /// Starts the daemon again, after `kill`.
    pub fn launch(&mut self) {
        let mut command = as_test_user("libvirtd");
        if self.ports.is_some() {
            command
                .arg("--listen")
                .env("SASL_CONF_PATH", self.scratch.path("sasl"));
        }
        let process = command
            .env("XDG_RUNTIME_DIR", self.scratch.path("run"))
            .env("XDG_CONFIG_HOME", self.scratch.path("config"))
            .env("XDG_CACHE_HOME", self.scratch.path("cache"))
            .env("XDG_DATA_HOME", self.scratch.path("data"))
            .env("HOME", self.scratch.path("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("libvirtd is installed");
        self.process = Some(process);
        let until = Instant::now() + Duration::from_secs(30);
        // Its sockets do not begin to listen at the same moment.
        for socket in [self.socket(), self.admin_socket()] {
            while UnixStream::connect(&socket).is_err() {
                assert!(Instant::now() < until, "libvirtd does not open its socket");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Waits until the daemon, started again, has taken over the running guest `name`.
    ///
    /// A `destroy` before that ends the guest, but fails with the error that there is no such
    /// domain; a `suspend` waits until the daemon is ready.
    pub fn takes_over(&self, name: &str) {
        self.ok(&format!(
            "let dom = connect().lookup_by_name(\"{name}\"); dom.suspend(); dom.resume();"
        ));
    }

    /// The port for TCP.
    pub fn tcp_port(&self) -> u16 {
        self.ports.expect("the daemon listens").0
    }

    /// The port for TLS.
    pub fn tls_port(&self) -> u16 {
        self.ports.expect("the daemon listens").1
    }

    pub fn socket(&self) -> PathBuf {
        self.scratch.path("run/libvirt/libvirt-sock")
    }

    /// The URI of the daemon's admin API.
    pub fn admin_uri(&self) -> String {
        let socket = self.admin_socket();
        format!("libvirtd+unix:///session?socket={}", socket.display())
    }

    fn admin_socket(&self) -> PathBuf {
        self.scratch.path("run/libvirt/libvirt-admin-sock")
    }

    /// A run of the program whose `connect()` opens this daemon, and `connect_admin()` its admin API.
    pub fn virhai_admin(&self) -> Run {
        self.virhai()
            .env("LIBVIRT_ADMIN_DEFAULT_URI", self.admin_uri())
    }

    /// Sends a signal to the daemon.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            let _ = kill(Pid::from_raw(process.id().cast_signed()), signal);
        }
    }

    /// Waits for the end of the daemon; returns whether it ended by itself with success.
    pub fn ends(&mut self) -> bool {
        let ended = self.process.take().map(|mut process| process.wait());
        ended.is_some_and(|ended| ended.is_ok_and(|status| status.success()))
    }

    /// Kills the daemon; its guests live on.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Host for Daemon {
    fn uri(&self) -> String {
        format!("qemu+unix:///session?socket={}", self.socket().display())
    }

    fn scratch(&self) -> &Scratch {
        &self.scratch
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        capabilities::keep(Whose::User, &self.scratch.path(CAPABILITIES));
        // A stopped daemon would not die of a plain signal.
        self.signal(Signal::SIGCONT);
        self.kill();
        end_qemu(&self.scratch);
    }
}
