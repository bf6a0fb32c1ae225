//! Names that libvirt allows, and that break text which is built without quoting.

use virhai::files::scripts_below;

use crate::support::{Daemon, Host, TestHost, micro};

const NAME: &str = r#"a'b "c" & <d>"#;

const IMPORTS: &str = r#"
    import "std/clone" as clone; import "std/guest" as guest; import "std/restore_point" as restore_point;
    import "std/image" as image; import "std/pool" as pool; import "std/save_file" as save_file;
    import "std/boot_order" as boot_order; import "std/import_image" as import_image; import "std/install" as install;
    import "std/ready" as ready; import "std/network" as network; import "std/migration" as migration; import "std/backup" as backup;
    let conn = connect();
"#;

#[test]
fn recipes_for_guests_and_images_take_any_name() {
    let host = Daemon::start();
    let folder = host.scratch().folder(NAME);
    host.scratch()
        .copy(&micro("counter.img"), &format!("{NAME}/{NAME}"));
    let kernel = host
        .scratch()
        .copy(&micro("installer.kernel"), "installer.kernel");
    let save = host.path(&format!("{NAME}.save"));
    let script = r#"
        let images = pool::create(conn, #{ name: name, path: folder });
        assert(!pool::ensure(conn, #{ name: name, path: folder }).changed);
        let base = image::find(images, name);
        let made = import_image::cloud(conn, #{
            name: name, pool: name, memory: "32MiB", nics: [], image: base.path, user_data: #{}, keep_seed: true, up: "MG:up", timeout: "1m",
        });
        assert_eq(made.up.console, "MG:up");
        let dom = made.domain;
        assert_eq(dom.name, name);
        let copy = clone::of(dom, #{ name: name + "2", start: true });
        ready::wait_for(copy, copy.open_console(), #{ console: "MG:c", timeout: "1m" });
        assert_eq(guest::remove_with_volumes(copy).len(), 1);
        save_file::save(dom, save);
        dom = save_file::restore(conn, save);
        backup::make(dom, #{ folder: save + " backups" });
        let copy = backup::restore(conn, #{ folder: save + " backups", guest: name, name: name + "3" });
        assert_eq(backup::verify(conn, #{ folder: save + " backups" }).map(|point| point.guest), [name]);
        assert(!guest::remove_with_volumes(copy).is_empty());
        boot_order::define(conn, [#{ name: name, ready: #{ console: "MG:up" } }]);
        dom.destroy();
        assert_eq(boot_order::start(conn)[0].seen.console, "MG:up");
        dom.managed_save();
        assert_eq(guest::remove_with_volumes(dom).len(), 2);
        let raw = import_image::disk(conn, #{
            name: name, memory: "32MiB", nics: [], image: image::copy(base, name + ".raw").path, up: "MG:up", timeout: "1m",
        }).domain;
        restore_point::make(raw, name);
        assert_eq(restore_point::list(raw), [name]);
        raw = restore_point::restore(raw, name);
        restore_point::remove(raw, name);
        assert_eq(restore_point::list(raw), []);
        guest::remove_with_volumes(raw);
        let installed = install::from_kernel(conn, #{
            name: name, memory: "64MiB", nics: [], disks: [#{ pool: name, volume: name + ".disk", size: "1MiB", format: "raw" }],
            kernel: kernel, up: "MG:up", timeout: "2m",
        });
        assert_eq(installed.verdict, "installed");
        guest::remove_with_volumes(installed.domain);
        let ran = guest::run(conn, #{ name: name, memory: "32MiB", nics: [], disks: [] });
        guest::remove(guest::keep(ran));
        image::ensure(conn, #{ pool: name, name: name, format: "raw", size: "2MiB" });
        image::remove(images, name);
        images.refresh();
        assert_eq(images.list_volumes(), []);
        pool::remove(conn, name);
        assert_eq(conn.list_all_domains(), []);
    "#;
    host.ok(&format!(
        "{IMPORTS} let name = {NAME:?}; let folder = {folder:?}; let save = {save:?}; let kernel = {kernel:?}; {script}; ()"
    ));
}

#[test]
fn recipes_for_networks_take_any_name() {
    let host = TestHost::new();
    host.ok(&format!(
        r#"{IMPORTS} let name = {NAME:?};
        let net = network::create(conn, #{{ name: name, forward: (), address: "192.168.77.1/24" }});
        assert_eq(network::ensure(conn, #{{ name: name, forward: (), address: "192.168.77.1/24" }}).network.name, name);
        let options = #{{ name: name, memory: "64MiB", nics: [#{{ network: name }}], disks: [], start: false }};
        let dom = guest::create(conn, options);
        assert_eq(dom.xml().get("devices/interface/source/@network"), name);
        assert(!guest::ensure(conn, options).changed);
        let snapshot = dom.snapshot_create_xml(xml("domainsnapshot", #{{ name: name, description: "restore point of virhai" }}));
        assert_eq(dom.snapshot_lookup_by_name(name).name, name);
        assert_eq(restore_point::list(dom), [name]);
        guest::remove(dom);
        network::remove(conn, name);
        assert(network::find(conn, name) == ());
        ()"#
    ));
}

/// libvirt allows this name and QEMU does not: it is refused before anything is changed.
#[test]
fn a_restore_point_that_qemu_cannot_name_is_refused_early() {
    let host = TestHost::new();
    let outcome = host.run(&format!(
        "{IMPORTS} restore_point::make(conn.lookup_by_name(\"test\"), \"before the update\")"
    ));
    assert_eq!(outcome.status, 1, "{outcome}");
    let why = "a restore point of qcow2 disks cannot be called \"before the update\": QEMU allows only letters";
    assert!(outcome.stderr.contains(why), "{outcome}");
}

/// Every recipe and every shipped script quotes values in paths by `quoted`.
#[test]
fn no_recipe_puts_a_value_between_quotes_in_a_path() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = String::new();
    for folder in ["stdlib", "scripts"] {
        for found in scripts_below(&root.join(folder)) {
            let path = found.expect("scripts can be listed");
            let text = std::fs::read_to_string(&path).expect("recipes are text");
            for (number, line) in text.lines().enumerate() {
                let in_path = ["='${", "=\"${", "= '${"].iter().any(|quote| {
                    line.match_indices(quote)
                        .any(|(at, _)| line[..at].contains('['))
                });
                if in_path {
                    wrong.push_str(&format!("{}:{}: {line}\n", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "write ${{quoted(value)}}:\n{wrong}");
}
