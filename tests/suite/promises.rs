//! The promises of libvirt's lifecycle guide, numbered as in its list.
//!
//! Each test names the promises that it checks. T is the test driver, Q real QEMU. Other files test
//! provisioning (25 to 35), migration (59 to 75), clients, daemons and autostart across a restart
//! (15, 77), and snapshots (20).

mod autostart;
mod life;
mod saving;
mod slips;
mod start;
mod stopping;

use crate::support::{Embed, Host, TestHost};

/// A script with these values, and with `thrown`, which returns the code of the error that a
/// closure throws.
fn script(values: &[(&str, &str)], body: &str) -> String {
    let mut text = String::from(
        "fn thrown(action) {
            try { action.call(); } catch (err) {
                if err.code == () { throw err; }
                return err.code;
            }
            throw \"nothing was thrown\";
        }
        fn silent(console, time) {
            thrown(|| console.wait(\"MG:\", time)) == \"VIR_ERR_OPERATION_TIMEOUT\"
        }\n",
    );
    for (name, value) in values {
        text.push_str(&format!("let {name} = `{value}`;\n"));
    }
    text + body
}

/// Runs `body` on the test driver, with `xml` for a domain `web` and a path `save`.
fn on_test(body: &str) {
    let host = TestHost::with("");
    let xml = "<domain type='test'><name>web</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
               <os><type>hvm</type></os></domain>";
    let values = [
        ("driver", "test"),
        ("xml", xml),
        ("save", &host.path("web.save")),
    ];
    host.ok(&script(&values, body));
}

/// Runs `body` on QEMU, with `xml` for a domain `web` that counts, and a path `save`.
fn on_qemu(host: &Embed, body: &str) {
    let xml = host.micro("counter", "web");
    let values = [
        ("driver", "qemu"),
        ("xml", xml.as_str()),
        ("save", &host.path("web.save")),
    ];
    host.ok(&script(&values, body));
}

/// The numbers in the console output of a counting guest.
fn counted(console: &str) -> Vec<u32> {
    console
        .split("MG:c=0x")
        .skip(1)
        .filter_map(|text| u32::from_str_radix(text.get(..8)?, 16).ok())
        .collect()
}

/// Asserts that a counting guest booted once and that its count only grew.
fn assert_counted_on(console: &str) {
    assert_eq!(console.matches("MG:up").count(), 1, "one boot: {console}");
    let numbers = counted(console);
    assert!(numbers.is_sorted(), "the count goes on: {console}");
}
