//! Installations over a network of libvirt: DHCP, TFTP and PXE. They need root.

use std::path::Path;

use super::install::kill_once;
use super::provisioning::installer_initrd;
use crate::support::{Host, NetHost, Outcome, Sweep, micro, tiny};

fn host(boot: &str) -> Option<NetHost> {
    let host = NetHost::start()?;
    let tftp = host.scratch().folder("tftp");
    host.scratch().folder("images");
    host.virhai()
        .script(format!(
            r#"
            import "std/network" as network;
            import "std/pool" as pool;
            let conn = connect();
            network::create(conn, #{{
                name: "lan", forward: "open", address: "192.168.77.1/24", tftp: "{}", boot: "{boot}",
            }});
            pool::create(conn, #{{ name: "images", path: "{}" }});
            "#,
            tftp.display(),
            host.path("images")
        ))
        .ok();
    Some(host)
}

fn script(options: &str) -> String {
    format!(
        r#"
        import "std/install" as install;
        let result = install::from_network(connect(), #{{
            name: "web", virt_type: "qemu", memory: "256MiB", nics: ["lan"], timeout: "4m", {options}
        }});
        print(`${{result.verdict}} ${{result.evidence.ended}}`);
        "#
    )
}

fn install(host: &NetHost, options: &str) -> Outcome {
    host.virhai().script(script(options)).run()
}

/// A disk whose boot sector only prints.
fn used_disk(host: &NetHost) -> String {
    let mut disk = std::fs::read(micro("blank.img")).expect("it was built");
    let sector = std::fs::read(micro("hello.img")).expect("it was built");
    disk[..512].copy_from_slice(&sector[..512]);
    host.scratch().write("disk.img", disk).display().to_string()
}

#[test]
fn a_blank_disk_falls_through_to_the_network() {
    let Some(host) = host("installer.nbp") else {
        return;
    };
    host.scratch()
        .copy(&micro("installer.nbp"), "tftp/installer.nbp");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install_network.rhai");
    let text = std::fs::read_to_string(script).expect("it is there");
    // Root sees KVM on machines where it does not work, so the test uses emulation.
    let text = text.replace(
        "name: inputs.name,",
        "name: inputs.name, virt_type: \"qemu\",",
    );
    let copy = host.scratch().write("install_network.rhai", text);
    let told = [
        "--name",
        "web",
        "--pool",
        "images",
        "--network",
        "lan",
        "--up",
        "MG:up",
    ]
    .iter()
    .fold(host.virhai().arg("run").arg(copy), |run, arg| run.arg(arg))
    .ok_with_plan();
    assert_eq!(told, "web: installed\n");
    // The result that the guide promises: the guest had an address of this network.
    let leases = host
        .virhai()
        .script("connect().network_lookup_by_name(\"lan\").dhcp_leases().len() > 0")
        .ok();
    assert_eq!(leases, "true\n");
}

#[test]
fn a_used_disk_is_installed_by_a_linux_from_the_network_in_two_phases() {
    let Some(host) = host("boot.ipxe") else {
        return;
    };
    host.scratch().copy(&tiny("vmlinuz"), "tftp/vmlinuz");
    host.scratch()
        .write("tftp/initrd", installer_initrd(host.scratch()));
    host.scratch().write(
        "tftp/boot.ipxe",
        "#!ipxe\nkernel vmlinuz initrd=initrd console=ttyS0 quiet\ninitrd initrd\nboot\n",
    );
    let disk = used_disk(&host);
    let outcome = install(&host, &format!("disks: [\"{disk}\"], up: \"MG:up\""));
    assert_eq!(
        outcome.stdout, "installed stopped (shutdown)\n",
        "{outcome}"
    );
}

#[test]
fn installers_from_the_network_that_fail_leave_the_disk_alone() {
    let Some(host) = host("wrong.nbp") else {
        return;
    };
    let (used, blank) = (used_disk(&host), host.path("blank.img"));
    host.scratch().copy(&micro("blank.img"), "blank.img");
    let cases = [
        (
            "poweroff",
            &blank,
            "the boot sector of the disk is unchanged",
            "4m",
        ),
        (
            "poweroff",
            &used,
            "the boot sector of the disk is unchanged",
            "4m",
        ),
        ("hang", &blank, "the installer did not end in time", "40s"),
    ];
    for (kind, disk, why, timeout) in cases {
        let program = format!("{kind}.nbp");
        host.scratch().copy(&micro(&program), "tftp/wrong.nbp");
        let before = std::fs::read(disk).expect("it is there");
        let options = format!("disks: [\"{disk}\"], up: \"MG:up\"");
        let script = script(&options).replace("4m", timeout);
        let outcome = host.virhai().script(script).run();
        assert_eq!(outcome.status, 1, "{outcome}");
        assert!(outcome.stderr.contains(why), "{outcome}");
        let shown = format!("MG:{kind}");
        assert!(
            outcome.stderr.contains(&shown),
            "the console is shown: {outcome}"
        );
        assert_eq!(host.ok("connect().list_all_domains().len()"), "0\n");
        assert_eq!(std::fs::read(disk).expect("it is there"), before);
    }
}

#[test]
fn an_installation_from_the_network_goes_on_after_its_client_was_killed() {
    let Some(host) = host("installer.nbp") else {
        return;
    };
    host.scratch()
        .copy(&micro("installer.nbp"), "tftp/installer.nbp");
    let (disk, log) = (used_disk(&host), host.path("console.log"));
    let script = script(&format!(
        "disks: [\"{disk}\"], up: \"MG:c=\", serial: \"{log}\""
    ));
    let client = host.virhai().arg("-e").arg(&script).command();
    kill_once(client, Path::new(&log), "MG:installer");
    let told = host.virhai().script(script).ok();
    // The installer continued, and ended before the second client ran.
    assert!(told.starts_with("installed "), "{told}");
}

#[test]
fn a_stopped_installation_from_the_network_leaves_nothing() {
    let with_installer = || {
        let host = host("installer.nbp")?;
        host.scratch()
            .copy(&micro("installer.nbp"), "tftp/installer.nbp");
        Some(host)
    };
    if with_installer().is_none() {
        return;
    }
    Sweep::new(
        "install::from_network on QEMU, from the network of its host",
        move || with_installer().expect("there was one before"),
        r#"import "std/install" as install;
           install::from_network(connect(), #{ name: "web", virt_type: "qemu", memory: "64MiB", nics: ["lan"],
               disks: [#{ pool: "images", size: "1MiB", format: "raw" }], up: "MG:up", timeout: "4m" }); ()"#,
    )
    .complete(
        r#"import "std/phases" as phases;
           let dom = connect().lookup_by_name("web");
           assert_eq(dom.state(), "running");
           assert_eq(phases::state(dom), "installed");"#,
    )
    .at_most(2)
    .run()
    .says_nothing();
}
