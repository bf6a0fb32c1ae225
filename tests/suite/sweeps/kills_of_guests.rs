//! Killed recipes for guests: the same command recovers, or reports what it found.

use nix::sys::signal::Signal;

use crate::support::{Daemon, Host, Strikes, all, micro};

const IMPORTS: &str = r#"
    import "std/guest" as guest; import "std/image" as image; import "std/pool" as pool;
    import "std/install" as install; import "std/import_image" as import_image;
    import "std/phases" as phases;
    let conn = connect();
"#;

fn script(text: &str) -> String {
    format!("{IMPORTS}{text}; ()")
}

fn times(short: usize) -> usize {
    if all() { short * 8 } else { short }
}

/// A host with the pool `images`, which holds the disk of a micro guest.
fn host() -> Daemon {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    host.scratch()
        .copy(&micro("counter.img"), "images/counter.img");
    host.scratch()
        .copy(&micro("installer.iso"), "installer.iso");
    host.ok(&script(&format!(
        "pool::create(conn, #{{ name: \"images\", path: \"{}\", autostart: false }})",
        folder.display(),
    )));
    host
}

const WEB: &str = r#"#{ name: "web", memory: "32MiB", nics: [], disks: [
    #{ pool: "images", size: "64MiB", format: "raw" }, #{ pool: "images", size: "2MiB" },
    #{ pool: "images", backing: conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("counter.img") },
] }"#;

const WHOLE: &str = r#"
    let web = conn.lookup_by_name("web");
    assert_eq(web.state(), "running");
    assert(web.is_persistent());
    let images = conn.storage_pool_lookup_by_name("images");
    images.refresh();
    assert_eq(images.num_of_volumes(), 4);
    assert_eq(web.xml().select("devices/disk").len(), 3);"#;

#[test]
fn the_same_command_completes_a_killed_ensure_of_a_guest() {
    let ensure = format!("guest::ensure(conn, {WEB})");
    Strikes {
        name: "guest::ensure, missing".into(),
        build: Box::new(host),
        script: script(&ensure),
        again: script(&ensure),
        complete: script(WHOLE),
        signal: Signal::SIGKILL,
        seed: 23,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn create_after_a_kill_names_the_guest_and_its_volumes() {
    Strikes {
        name: "guest::create".into(),
        build: Box::new(host),
        script: script(&format!("guest::create(conn, {WEB})")),
        again: script(&format!(
            r#"
            let there = conn.storage_pool_lookup_by_name("images").list_all_volumes().filter(|volume| volume.name.starts_with("web"));
            let known = guest::find(conn, "web") != ();
            try {{
                guest::create(conn, {WEB});
                assert(!known && there == []);
            }} catch (err) {{
                let said = err.message;
                assert(said.contains("exist"), said);
                for volume in there {{ assert(known || said.contains(volume.path), said); }}
                guest::ensure(conn, {WEB});
            }}"#
        )),
        complete: script(WHOLE),
        signal: Signal::SIGKILL,
        seed: 29,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn the_same_command_completes_a_killed_installation() {
    let install = r#"
        let folder = conn.storage_pool_lookup_by_name("images").xml().get("target/path").split("/");
        folder.pop();
        let iso = folder.join("/") + "/installer.iso";
        let install = || install::from_iso(connect(), #{ name: "web", memory: "32MiB", nics: [], iso: iso, up: "MG:up", timeout: "60s",
            disks: [#{ pool: "images", size: "1MiB", format: "raw" }] });
    "#;
    Strikes {
        name: "install::from_iso".into(),
        build: Box::new(host),
        script: script(&format!("{install} install.call()")),
        // Until the guest is defined, its new disk cannot be distinguished from a volume of someone
        // else.
        again: script(&format!(
            r#"{install}
            let web = guest::find(conn, "web");
            let done = web != () && !["defined", "begun"].contains(phases::state(web));
            try {{
                if !done {{ install.call(); }}
            }} catch (err) {{
                assert(web == () && err.message.contains("web.raw"), `${{err}}`);
                image::remove(conn.storage_pool_lookup_by_name("images"), "web.raw");
                install.call();
            }}"#
        )),
        complete: script(
            r#"let web = conn.lookup_by_name("web");
               assert(["installed", "unknown"].contains(phases::state(web)), phases::state(web));
               assert_eq(web.state(), "running");
               assert_eq(conn.storage_pool_lookup_by_name("images").num_of_volumes(), 2);"#,
        ),
        signal: Signal::SIGKILL,
        seed: 31,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn an_import_after_a_kill_names_what_is_left() {
    let import = r#"
        let image = conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("counter.img");
        let bring = || import_image::cloud(conn, #{ name: "web", memory: "32MiB", nics: [], pool: "images", image: image, up: "MG:up" });
    "#;
    Strikes {
        name: "import_image::cloud".into(),
        build: Box::new(host),
        script: script(&format!("{import} bring.call()")),
        again: script(&format!(
            r#"{import}
            let images = conn.storage_pool_lookup_by_name("images");
            let there = images.list_all_volumes().filter(|volume| volume.name.starts_with("web"));
            let web = guest::find(conn, "web");
            let seeded = web != () && there.some(|volume| volume.name == "web-seed.img");
            try {{
                bring.call();
                assert(web == () && there == []);
            }} catch (err) {{
                let said = err.message;
                assert(said.contains("exist"), said);
                for volume in there {{ assert(web != () || said.contains(volume.path), said); }}
                assert(!seeded || said.contains("web-seed.img"), said);
                if web != () {{ guest::remove_with_volumes(web); }}
                for volume in there {{ image::discard(volume); }}
                bring.call();
            }}"#
        )),
        complete: script(
            r#"assert_eq(conn.lookup_by_name("web").state(), "running");
               assert_eq(conn.storage_pool_lookup_by_name("images").num_of_volumes(), 3);"#,
        ),
        signal: Signal::SIGKILL,
        seed: 43,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn ensure_completes_a_killed_creation_of_a_pool() {
    let ensure = r#"
        let folder = conn.storage_pool_lookup_by_name("images").xml().get("target/path") + "/more";
        pool::ensure(conn, #{ name: "more", path: folder })"#;
    Strikes {
        name: "pool::ensure, missing".into(),
        build: Box::new(host),
        script: script(ensure),
        again: script(ensure),
        complete: script(
            r#"let more = conn.storage_pool_lookup_by_name("more"); assert(more.is_active()); assert(more.autostart());"#,
        ),
        signal: Signal::SIGKILL,
        seed: 37,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn a_signal_while_a_guest_is_ensured_or_installed_leaves_what_was_before() {
    Strikes {
        name: "SIGTERM while a guest is ensured".into(),
        build: Box::new(host),
        script: script(&format!("guest::ensure(conn, {WEB})")),
        again: String::new(),
        complete: String::new(),
        signal: Signal::SIGTERM,
        seed: 41,
        times: times(2),
    }
    .run()
    .says_nothing();
}
