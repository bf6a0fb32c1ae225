//! QEMU without a daemon: who runs it, and how long it takes to start.

use std::os::unix::fs::MetadataExt;

use crate::support::{Run, Scratch, end_qemu, qemu_processes, virhai};

/// Starts three guests on a new hypervisor, and returns the seconds that each took. The last one
/// still runs.
fn starts(run: Run, scratch: &Scratch) -> Vec<f64> {
    let script = r#"
        let conn = connect();
        for name in ["a", "b", "c"] {
            let began = timestamp();
            let dom = conn.create_xml(`<domain type="qemu"><name>${name}</name><memory>32768</memory>
                <os><type arch="x86_64" machine="pc">hvm</type></os></domain>`);
            print(began.elapsed);
            if name != "c" { dom.destroy(); }
        }"#;
    let uri = format!("qemu:///embed?root={}", scratch.text("root"));
    let told = run
        .env("HOME", scratch.path("home"))
        .arg("-c")
        .arg(uri)
        .script(script)
        .ok();
    let seconds = told.lines().map(|line| line.parse().expect("seconds"));
    seconds.collect()
}

/// The user that each QEMU process of `scratch` runs as.
fn users(scratch: &Scratch) -> Vec<u32> {
    let owner = |pid| std::fs::metadata(format!("/proc/{pid}")).map(|process| process.uid());
    let found = qemu_processes(scratch).into_iter().map(owner);
    found.map(|user| user.expect("it runs")).collect()
}

#[test]
fn an_embedded_guest_runs_as_the_user_of_virhai_and_starts_as_fast_for_root() {
    let scratch = Scratch::new();
    scratch.folder("home");
    let ordinary = starts(virhai().unprivileged(), &scratch);
    let user = std::fs::metadata(scratch.path("root")).expect("the root was made");
    assert_eq!(users(&scratch), [user.uid()]);
    end_qemu(&scratch);
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped for root, since these tests do not run as root");
        return;
    }
    let scratch = Scratch::new();
    let of_root = starts(virhai(), &scratch);
    assert_eq!(users(&scratch), [0]);
    end_qemu(&scratch);
    for (root, ordinary) in of_root.iter().zip(&ordinary) {
        assert!(
            *root < ordinary * 10.0,
            "root took {of_root:?} s, an ordinary user {ordinary:?} s"
        );
    }
    assert_eq!(of_root.len(), 3);
}

#[test]
fn a_configuration_of_the_users_own_is_kept() {
    let scratch = Scratch::new();
    let own = "stdio_handler = \"file\"\nuser = \"nobody\"\n";
    scratch.write("root/etc/qemu.conf", own);
    virhai()
        .arg("-c")
        .arg(format!("qemu:///embed?root={}", scratch.text("root")))
        .script("connect();")
        .ok();
    let kept = std::fs::read_to_string(scratch.path("root/etc/qemu.conf"));
    assert_eq!(kept.expect("it can be read"), own);
}
