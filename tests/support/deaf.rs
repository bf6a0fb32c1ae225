//! A proxy for a daemon: once a test says so, only keepalive messages are answered.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Daemon, Host, Scratch};

/// The program of keepalive messages, as libvirt's `virkeepaliveprotocol.x` numbers it.
const KEEPALIVE: u32 = 0x6b65_6570;

/// A daemon behind a socket of its own that drops calls once it is deaf.
pub struct Deaf {
    daemon: Daemon,
    socket: PathBuf,
    deaf: Arc<AtomicBool>,
}

impl Deaf {
    /// A daemon that gets all messages at first.
    pub fn start() -> Self {
        let daemon = Daemon::start();
        let socket = daemon.scratch().path("deaf-sock");
        let listener = UnixListener::bind(&socket).expect("the socket is new");
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&socket, everybody).expect("the socket is the test's own");
        let (deaf, target) = (Arc::new(AtomicBool::new(false)), daemon.socket());
        let own = Arc::clone(&deaf);
        // It ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(host) = UnixStream::connect(&target) else {
                    continue;
                };
                let (Ok(client_reads), Ok(host_reads)) = (client.try_clone(), host.try_clone())
                else {
                    continue;
                };
                let deaf = Arc::clone(&own);
                thread::spawn(move || {
                    pass(client_reads, host, |program| {
                        program == KEEPALIVE || !deaf.load(Ordering::SeqCst)
                    });
                });
                thread::spawn(move || pass(host_reads, client, |_| true));
            }
        });
        Self {
            daemon,
            socket,
            deaf,
        }
    }

    /// Drops all calls from now on.
    pub fn turn_deaf(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }
}

impl Host for Deaf {
    fn uri(&self) -> String {
        format!("qemu+unix:///session?socket={}", self.socket.display())
    }

    fn scratch(&self) -> &Scratch {
        self.daemon.scratch()
    }
}

/// Passes on the messages whose program `passes`; each begins with its length and its program.
fn pass(mut from: UnixStream, mut to: UnixStream, passes: impl Fn(u32) -> bool) {
    let number = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let mut head = [0; 8];
    while from.read_exact(&mut head).is_ok() {
        let length = number(&head[..4]) as usize;
        let mut message = head.to_vec();
        message.resize(length.max(head.len()), 0);
        if from.read_exact(&mut message[head.len()..]).is_err() {
            break;
        }
        if passes(number(&head[4..])) && to.write_all(&message).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
