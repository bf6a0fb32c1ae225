//! Hosts that cannot be reached.

use std::io::Write;
use std::os::unix::net::UnixListener;

use crate::support::{Scratch, virhai};

/// The result of connecting to a socket that `prepare` makes.
fn connecting(prepare: impl FnOnce(&Scratch)) -> String {
    let scratch = Scratch::new();
    prepare(&scratch);
    let socket = scratch.text("sock");
    let code = format!("connect(\"qemu+unix:///system?socket={socket}\", #{{ timeout: \"2s\" }})");
    virhai().arg("-e").arg(code).fails(4).stderr
}

#[test]
fn a_socket_that_is_missing_is_named_with_what_to_do() {
    let told = connecting(|_| {});
    assert!(told.contains("VIR_ERR_SYSTEM_ERROR"), "{told}");
    assert!(told.contains("no libvirt daemon listens there"), "{told}");
}

#[test]
fn a_socket_that_refuses_is_no_connection() {
    // The file outlives the listener.
    let told =
        connecting(|scratch| drop(UnixListener::bind(scratch.path("sock")).expect("a socket")));
    assert!(told.contains("Connection refused"), "{told}");
}

#[test]
fn a_socket_that_is_silent_is_given_up() {
    let told = connecting(|scratch| {
        let listener = UnixListener::bind(scratch.path("sock")).expect("a socket");
        std::thread::spawn(move || {
            let mut clients = Vec::new();
            for client in listener.incoming() {
                clients.push(client);
            }
        });
    });
    assert!(told.contains("no answer within 2s"), "{told}");
}

#[test]
fn a_socket_that_answers_garbage_is_an_error() {
    let told = connecting(|scratch| {
        let listener = UnixListener::bind(scratch.path("sock")).expect("a socket");
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                // The client may already have closed the connection.
                let _ = client.write_all(&[0xff; 4096]);
            }
        });
    });
    assert!(told.contains("error["), "{told}");
}

#[test]
fn a_uri_that_is_nonsense_is_refused() {
    for uri in [
        "nonsense",
        "nonsense:///system",
        "://",
        "qemu://",
        "test:///no/such/file.xml",
        "qemu:///embed?root=relative",
        "",
    ] {
        let outcome = virhai()
            .arg("-e")
            .arg(format!("connect(\"{uri}\", #{{ timeout: \"5s\" }})"))
            .run();
        // For an empty URI, libvirt chooses a host by itself.
        assert!(
            outcome.status == 4 || (uri.is_empty() && outcome.status == 0),
            "{uri}: {outcome}"
        );
    }
}

#[test]
fn a_parameter_that_libvirt_would_ignore_is_refused() {
    let outcome = virhai()
        .without_grants()
        .arg("-e")
        .arg("connect(\"qemu+unix:///system?sokcet=/tmp/x\")")
        .fails(1);
    assert!(
        outcome.stderr.contains("did you mean `socket`?"),
        "{outcome}"
    );
    virhai()
        .without_grants()
        .arg("-e")
        .arg("connect(\"test:///default?x=1\")")
        .fails(1);
}
