//! QEMU without a daemon: the user that it runs as, and the time that it takes to start.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::support::{Run, Scratch, end_qemu, qemu_processes, skip, test_user, virhai};

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
        skip("only root can see how root fares");
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
    // libvirt 9.0 lets only root set a user.
    let user = match nix::unistd::geteuid().is_root() {
        true => "user = \"nobody\"\n",
        false => "# no user\n",
    };
    let own = format!("stdio_handler = \"file\"\n{user}");
    scratch.write("root/etc/qemu.conf", &own);
    virhai()
        .arg("-c")
        .arg(format!("qemu:///embed?root={}", scratch.text("root")))
        .script("connect();")
        .ok();
    let kept = std::fs::read_to_string(scratch.path("root/etc/qemu.conf"));
    assert_eq!(kept.expect("it can be read"), own);
}

#[test]
fn without_the_user_of_libvirts_package_root_is_told_and_an_ordinary_user_needs_none() {
    let scratch = Scratch::new();
    let accounts = std::fs::read_to_string("/etc/passwd").expect("users can be listed");
    let others = accounts
        .lines()
        .filter(|line| !line.starts_with("libvirt-qemu:"));
    let others = others.collect::<Vec<_>>().join("\n") + "\n";
    let others = scratch.write("passwd", others);
    let mount = format!("mount --bind {} /etc/passwd", others.display());
    let tried = Command::new("unshare")
        .args(["--mount", "sh", "-c", &mount])
        .output();
    if !tried.expect("unshare is installed").status.success() {
        skip("only root that may mount can hide a user");
        return;
    }
    scratch.folder("home");
    let connect = |root: &str, become_user: &str| {
        let script = format!("{mount} && exec {become_user} \"$@\"");
        virhai()
            .through(&["unshare", "--mount", "sh", "-c", &script, "sh"])
            .env("HOME", scratch.path("home"))
            .arg("-c")
            .arg(format!("qemu:///embed?root={}", scratch.text(root)))
            .script("connect();")
    };
    let told = connect("of_root", "").fails(4).stderr;
    assert!(
        told.contains(
            "only where `libvirt-qemu` exists: install the package libvirt-daemon-system"
        ),
        "{told}"
    );
    // The other solution that the hint names.
    let nobody = test_user().expect("only root may mount");
    connect(
        "of_nobody",
        &format!(
            "setpriv --reuid {} --regid {} --clear-groups",
            nobody.uid, nobody.gid
        ),
    )
    .ok();
}
