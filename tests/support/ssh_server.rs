//! An `sshd` of a test's own, on this machine's loopback.

use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};

use super::{Daemon, Scratch, skip};

const SSHD: &str = "/usr/sbin/sshd";

/// An `sshd` on which the user of the tests logs in with a key and reaches a daemon.
pub struct SshServer {
    scratch: Scratch,
    process: Child,
    port: u16,
    way: String,
}

impl SshServer {
    /// Starts a server whose users have `daemon` as their session daemon. If that is impossible,
    /// prints the reason and returns `None`; the test then ends.
    pub fn start(daemon: &Daemon) -> Option<Self> {
        if let Some(reason) = impossible() {
            skip(format!("no sshd can run here: {reason}"));
            return None;
        }
        let scratch = Scratch::new();
        for key in ["host_key", "key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(scratch.path(key))
                .output()
                .expect("ssh-keygen comes with ssh");
            assert!(made.status.success(), "{made:?}");
        }
        // ssh refuses a key that others can read, and libvirt runs ssh without root's capabilities,
        // so each user needs a key file of its own.
        let copy = scratch.copy(&scratch.path("key"), "key_of_test_user");
        std::fs::set_permissions(copy, Permissions::from_mode(0o600)).expect("it is ours");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        if geteuid().is_root() {
            // `sshd` confines its unprivileged process to this folder.
            std::fs::create_dir_all("/run/sshd").expect("root can make it");
        }
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\n\
             KbdInteractiveAuthentication no\n",
            scratch.text("host_key"),
            scratch.text("key.pub"),
        );
        let file = scratch.write("sshd_config", &config);
        // OpenSSH 9.8 and newer refuse a client for a while after connections without a login, and
        // tests make such connections.
        let patient = Command::new(SSHD)
            .args(["-t", "-o", "PerSourcePenalties=no", "-f"])
            .arg(file)
            .output()
            .is_ok_and(|checked| checked.status.success());
        if patient {
            scratch.write("sshd_config", format!("{config}PerSourcePenalties no\n"));
        }
        program(&scratch, "netcat", NETCAT);
        let socket = daemon.socket();
        let way = format!(
            "{}&proxy=netcat&netcat={}&socket={}",
            uri(port),
            scratch.text("netcat"),
            socket.display()
        );
        let process = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(scratch.path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(scratch.path("log")).expect("the folder is ours"))
            .spawn()
            .expect("sshd is installed");
        let server = Self {
            scratch,
            process,
            port,
            way,
        };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < until, "sshd listens: {}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path("log")).unwrap_or_default()
    }

    /// The URI of the daemon through this server, with a key that the test user or root can read.
    pub fn uri(&self, root: bool) -> String {
        let key = match root {
            true => "key",
            false => "key_of_test_user",
        };
        format!(
            "{}&keyfile={}",
            self.uri_without_key(),
            self.scratch.text(key)
        )
    }

    /// The same without a key, so that `ssh` has to ask for a password.
    pub fn uri_without_key(&self) -> String {
        self.way.clone()
    }

    /// The path of one of its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to the server itself, which accepts connections.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), signal);
    }

    /// The processes that serve the open connections.
    pub fn sessions(&self) -> Vec<u32> {
        descendants(self.process.id())
    }

    /// Sends a signal to the processes `sessions`.
    pub fn signal_sessions(sessions: &[u32], signal: Signal) {
        for session in sessions {
            let _ = kill(Pid::from_raw(session.cast_signed()), signal);
        }
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let sessions = self.sessions();
        let _ = self.process.kill();
        let _ = self.process.wait();
        Self::signal_sessions(&sessions, Signal::SIGKILL);
    }
}

/// Connects standard input and output with the socket that its last argument names. Root has no
/// session daemon, which libvirt's own helper would look for.
const NETCAT: &str = r#"#!/usr/bin/env python3
import os, socket, sys, threading
if len(sys.argv) < 3: sys.exit(1)
end = socket.socket(socket.AF_UNIX)
end.connect(sys.argv[-1])
def send():
    while data := os.read(0, 65536): end.sendall(data)
    os._exit(0)
threading.Thread(target=send, daemon=True).start()
while data := end.recv(65536): os.write(1, data)
"#;

/// An `ssh` that keeps the servers of tests out of the user's known hosts.
const SSH: &str =
    "#!/bin/sh\nexec /usr/bin/ssh -F /dev/null -o UserKnownHostsFile=/dev/null \"$@\"\n";

/// Puts a program into `scratch`, and returns its folder.
fn program(scratch: &Scratch, name: &str, text: &str) -> PathBuf {
    let file = scratch.write(name, text);
    std::fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("it is ours");
    file.parent().expect("it is in a folder").to_owned()
}

/// A `PATH` that has an `ssh` for tests first, which it puts into `scratch`.
pub fn path_with_ssh(scratch: &Scratch) -> String {
    let folder = program(scratch, "bin/ssh", SSH);
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", folder.display())
}

/// A URI that leads to this machine by the ssh server at `port`.
pub fn uri(port: u16) -> String {
    let user = User::from_uid(geteuid()).ok().flatten();
    let user = user.expect("the user has a name").name;
    format!("qemu+ssh://{user}@127.0.0.1:{port}/session?no_verify=1")
}

/// The number of `ssh` processes that connect to `port`.
pub fn ssh_clients(port: u16) -> usize {
    let arguments = format!("-p\0{port}\0");
    let is_client = |process: std::fs::DirEntry| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&arguments)
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| process.file_name().to_string_lossy().parse::<u32>().is_ok())
        .filter_map(|process| is_client(process).then_some(()))
        .count()
}

/// The children of the process `parent`, and theirs.
fn descendants(parent: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
            let (_, fields) = stat.rsplit_once(')')?;
            Some((pid, fields.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = vec![parent];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(processes.iter().filter(|of| of.1 == parent).map(|of| of.0));
        next += 1;
    }
    found.split_off(1)
}

fn impossible() -> Option<String> {
    if !PathBuf::from(SSHD).exists() {
        return Some(format!("{SSHD} is missing (package openssh-server)"));
    }
    let shadow = std::fs::read_to_string("/etc/shadow").unwrap_or_default();
    if geteuid().is_root() && shadow.lines().any(|line| line.starts_with("root:!")) {
        return Some("root's account is locked".into());
    }
    None
}
