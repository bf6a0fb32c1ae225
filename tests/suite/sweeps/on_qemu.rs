//! Recipes on a real host, stopped at their calls.

use super::site;
use crate::support::{Daemon, Host, Sweep, all, micro};

const IMPORTS: &str = r#"
    import "std/guest" as guest; import "std/image" as image; import "std/pool" as pool;
    import "std/install" as install; import "std/import_image" as import_image;
    import "std/phases" as phases; import "std/witness" as witness; import "std/boot_order" as boot_order;
    let conn = connect();
"#;

fn script(text: &str) -> String {
    format!("{IMPORTS}{text}; ()")
}

/// A host with the pool `images`, which holds the micro guests' images `images`; beside it is an
/// installer as a CD and as a kernel.
fn host(images: &'static [&'static str], prepare: &str) -> Daemon {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    for image in images {
        host.scratch()
            .copy(&micro(image), &format!("images/{image}"));
    }
    for medium in ["installer.iso", "installer.kernel"] {
        host.scratch().copy(&micro(medium), medium);
    }
    host.ok(&script(&format!(
        "pool::create(conn, #{{ name: \"images\", path: \"{}\", autostart: false }}); {prepare}",
        folder.display(),
    )));
    host
}

#[test]
fn a_stopped_ensure_on_qemu_restores_the_guest() {
    Sweep::new(
        "guest::ensure on QEMU, off: other memory, a grown disk, another disk, started",
        || {
            let host = site(&["raw", "qcow2"], false);
            host.ok(&script(
                r#"image::create(conn, #{ pool: "images", name: "more.img", size: "1MiB", format: "raw" })"#,
            ));
            host
        },
        script(
            r#"
            let disks = conn.lookup_by_name("web").xml().select("devices/disk").map(|disk| disk.get("source/@file"));
            disks.push(#{ pool: "images", volume: "more.img", size: "2MiB", format: "raw" });
            disks.push(#{ pool: "images", size: "1MiB" });
            guest::ensure(conn, #{ name: "web", memory: "48MiB", nics: [], disks: disks })"#,
        ),
    )
    .complete(script(
        r#"assert_eq(conn.lookup_by_name("web").state(), "running");
           assert_eq(conn.storage_pool_lookup_by_name("images").num_of_volumes(), 4);"#,
    ))
    .at_most(6)
    .run()
    .says_nothing();
}

#[test]
fn a_guest_from_a_cloud_image_leaves_nothing() {
    Sweep::new(
        "import_image::cloud on QEMU",
        || host(&["counter.img"], ""),
        script(
            r#"conn.storage_pool_lookup_by_name("images").refresh();
               import_image::cloud(conn, #{ name: "web", memory: "32MiB", nics: [], pool: "images",
                   image: conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("counter.img"), up: "MG:up" })"#,
        ),
    )
    .complete(script(
        r#"assert_eq(conn.lookup_by_name("web").state(), "running");
           assert_eq(conn.storage_pool_lookup_by_name("images").num_of_volumes(), 3);"#,
    ))
    .at_most(6)
    .run()
    .says_only("delete it when the guest is off");
}

/// An installation by `std/install`'s function `by`, whose `options` use `folder`, where the installers are.
fn install(by: &str, options: &str) -> String {
    script(&format!(
        r#"
        let folder = connect().storage_pool_lookup_by_name("images").xml().get("target/path").split("/");
        folder.pop();
        folder = folder.join("/");
        install::{by}(conn, #{{ name: "web", memory: "32MiB", nics: [], {options}, up: "MG:up", timeout: "60s",
            disks: [#{{ pool: "images", size: "1MiB", format: "raw" }}] }})"#
    ))
}

const ISO: &str = "iso: folder + \"/installer.iso\"";

const INSTALLED: &str = r#"
    assert_eq(conn.lookup_by_name("web").state(), "running");
    assert_eq(phases::state(conn.lookup_by_name("web")), "installed");"#;

fn installation_is_swept(name: &str, script_text: String) {
    Sweep::new(name, || host(&[], ""), script_text)
        .complete(script(INSTALLED))
        .at_most(6)
        .run()
        .says_nothing();
}

#[test]
fn an_installation_in_one_phase_leaves_nothing() {
    installation_is_swept(
        "install::from_iso on QEMU, one phase",
        install("from_iso", ISO),
    );
}

#[test]
fn an_installation_in_two_phases_leaves_nothing() {
    installation_is_swept(
        "install::from_iso on QEMU, two phases",
        install("from_iso", &format!("{ISO}, way: \"two phases\"")),
    );
}

#[test]
fn an_installation_by_a_kernel_leaves_nothing() {
    installation_is_swept(
        "install::from_kernel on QEMU",
        install("from_kernel", "kernel: folder + \"/installer.kernel\""),
    );
}

#[test]
fn an_installation_that_another_client_began_is_left_as_it_was_found() {
    Sweep::new(
        "install::from_iso on QEMU, half installed and off",
        || {
            let host = host(&[], "");
            let iso = host.path("installer.iso");
            host.ok(&script(&format!(
                r#"let dom = guest::create(conn, #{{ name: "web", memory: "32MiB", nics: [], start: false, cdrom: "{iso}",
                       disks: [#{{ pool: "images", size: "1MiB", format: "raw" }}] }});
                   phases::define(dom, #{{ way: "one phase", medium: "cdrom", sector: witness::fingerprint(witness::boot_sector(dom)) }}, ())"#
            )));
            host
        },
        install("from_iso", ISO),
    )
    // The data that the installer wrote stays.
    .ignoring("web.raw")
    .at_most(6)
    .run()
    .says_nothing();
}

#[test]
fn an_order_of_guests_on_qemu_is_taken_back() {
    Sweep::new(
        "boot_order::start with back on QEMU: managed save, off",
        || {
            let host = site(&["raw"], true);
            let disk = host.scratch().copy(&micro("counter.img"), "images/db.img");
            host.ok(&script(&format!(
                r#"conn.lookup_by_name("web").open_console().wait("MG:c=", "30s");
                   conn.lookup_by_name("web").managed_save();
                   guest::create(conn, #{{ name: "db", memory: "32MiB", nics: [], start: false, disks: ["{}"] }})"#,
                disk.display()
            )));
            host
        },
        script(
            r#"boot_order::start(conn, ["web", #{ name: "db", ready: #{ console: "MG:c=" } }], #{ back: true })"#,
        ),
    )
    .at_most(6)
    .run()
    .says_nothing();
}

#[test]
fn the_same_call_completes_a_stopped_removal_of_a_persistent_guest() {
    removal_is_completed("guest::create");
}

#[test]
fn the_same_call_completes_a_stopped_removal_of_a_transient_guest() {
    removal_is_completed("guest::run");
}

/// A removal cannot be undone: after a stop, the same call finishes it. `made` makes the guest.
fn removal_is_completed(made: &str) {
    let step = if all() { 3 } else { 220 };
    let host = host(&[], "");
    let make = format!(
        r#"if guest::find(conn, "web") == () {{
            {made}(conn, #{{ name: "web", memory: "32MiB", nics: [], disks: [
                #{{ pool: "images", size: "1MiB", format: "raw" }}, #{{ pool: "images", size: "2MiB" }},
            ] }});
        }}"#
    );
    let remove = r#"
        let dom = guest::find(conn, "web");
        if dom != () { guest::remove_with_volumes(dom); }"#;
    let mut stops = 0;
    for operations in (100..).step_by(step) {
        host.ok(&script(&make));
        let stopped = host
            .virhai()
            .arg("--max-operations")
            .arg(operations.to_string())
            .script(script(remove))
            .run();
        stops += 1;
        host.ok(&script(&format!(
            r#"{remove}
            assert(guest::find(conn, "web") == ());
            let images = conn.storage_pool_lookup_by_name("images");
            images.refresh();
            assert_eq(images.list_volumes(), []);"#
        )));
        if stopped.status == 0 {
            break;
        }
    }
    println!("guest::remove_with_volumes after {made}: {stops} points, 0 left behind");
    assert!(stops > 3, "it was stopped {stops} times");
}
