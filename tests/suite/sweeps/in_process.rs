//! Recipes on libvirt's test driver, stopped after every number of operations.

use crate::support::InProcess;

/// A host with the pool `images`, the network `lan`, the running guest `web`, and the guests `db`
/// and `old`, which are off.
const NODE: &str = "\
    <pool type='dir'><name>images</name><target><path>/images</path></target></pool>\
    <network><name>lan</name><forward mode='nat'/><bridge name='virbr9'/>\
    <mac address='52:54:00:00:00:09'/><ip address='192.168.99.1' netmask='255.255.255.0'/></network>\
    <domain type='test'><name>web</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>\
    <memory>32768</memory><os><type>hvm</type></os></domain>\
    <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>\
    <name>db</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e1940</uuid>\
    <memory>32768</memory><os><type>hvm</type></os><test:runstate>5</test:runstate></domain>\
    <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>\
    <name>old</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e1941</uuid>\
    <memory>32768</memory><os><type>hvm</type></os><test:runstate>5</test:runstate>\
    <test:hasmanagedsave/></domain>";

/// Stops `recipe` on that host after `prepare`; nothing may be left behind or reported. The recipe
/// may use every module of `std/` that works on the test driver.
fn sweep(name: &str, prepare: &str, recipe: &str) {
    const IMPORTS: &str = r#"
        import "std/guest" as guest; import "std/image" as image; import "std/pool" as pool;
        import "std/network" as network; import "std/boot_order" as boot_order;
    "#;
    InProcess::new(
        name,
        NODE,
        &format!("{IMPORTS}{prepare}"),
        &format!("{IMPORTS}{recipe}"),
    )
    .run()
    .says_nothing();
}

const TWO_DISKS: &str = r#"disks: [#{ pool: "images", size: "1MiB", format: "raw" }, #{ pool: "images", size: "2MiB" }]"#;

#[test]
fn a_stopped_create_leaves_a_complete_guest_or_none() {
    sweep(
        "guest::create, two disks, started",
        "",
        &format!(
            r#"guest::create(conn, #{{ name: "new", memory: "32MiB", nics: [], {TWO_DISKS} }})"#
        ),
    );
}

#[test]
fn a_stopped_run_leaves_a_complete_guest_or_none() {
    sweep(
        "guest::run, two disks",
        "",
        &format!(r#"guest::run(conn, #{{ name: "new", memory: "32MiB", nics: [], {TWO_DISKS} }})"#),
    );
}

#[test]
fn a_stopped_ensure_leaves_a_complete_guest_or_none_and_keeps_existing_volumes() {
    sweep(
        "guest::ensure, missing, one of its volumes exists",
        r#"image::create(conn, #{ pool: "images", name: "new.raw", size: "1MiB", format: "raw" });"#,
        &format!(
            r#"guest::ensure(conn, #{{ name: "new", memory: "32MiB", nics: [], {TWO_DISKS} }})"#
        ),
    );
}

#[test]
fn a_stopped_ensure_restores_the_old_configuration_and_state() {
    sweep(
        "guest::ensure, defined, gets a disk and is started",
        "",
        r#"guest::ensure(conn, #{ name: "db", memory: "64MiB", nics: [], disks: [#{ pool: "images", size: "1MiB" }] })"#,
    );
    sweep(
        "guest::ensure, running, is redefined",
        "",
        r#"guest::ensure(conn, #{ name: "web", memory: "64MiB", nics: [] })"#,
    );
}

#[test]
fn a_stopped_ensure_returns_a_guest_to_its_managed_save() {
    sweep(
        "guest::ensure, managed save, is started",
        "",
        r#"guest::ensure(conn, #{ name: "old", memory: "32MiB", nics: [] })"#,
    );
}

#[test]
fn a_transient_guest_that_is_ensured_is_transient_again() {
    sweep(
        "guest::ensure, transient",
        r#"guest::run(conn, #{ name: "brief", memory: "32MiB", nics: [] });"#,
        r#"guest::ensure(conn, #{ name: "brief", memory: "64MiB", nics: [] })"#,
    );
}

#[test]
fn a_stopped_keep_leaves_the_guest_transient_or_persistent() {
    sweep(
        "guest::keep",
        r#"guest::run(conn, #{ name: "brief", memory: "32MiB", nics: [] });"#,
        r#"guest::keep(conn.lookup_by_name("brief"))"#,
    );
}

#[test]
fn a_stopped_recipe_leaves_complete_images_or_none() {
    sweep(
        "image::create over a backing image",
        r#"image::create(conn, #{ pool: "images", name: "base.qcow2", size: "1MiB" });"#,
        r#"image::create(conn, #{ pool: "images", name: "new.qcow2", backing: "/images/base.qcow2" })"#,
    );
    sweep(
        "image::ensure, missing",
        "",
        r#"image::ensure(conn, #{ pool: "images", name: "new.qcow2", size: "1MiB" })"#,
    );
    sweep(
        "image::copy",
        r#"image::create(conn, #{ pool: "images", name: "base.qcow2", size: "1MiB" });"#,
        r#"image::copy(conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("base.qcow2"), "copy.qcow2")"#,
    );
    sweep(
        "image::for_guest",
        "",
        r#"image::for_guest(conn, "new", 0, #{ pool: "images", size: "1MiB" }, false)"#,
    );
}

#[test]
fn a_stopped_recipe_leaves_pools_as_they_were() {
    sweep(
        "pool::create",
        "",
        r#"pool::create(conn, #{ name: "more", path: "/more" })"#,
    );
    sweep(
        "pool::ensure, inactive",
        r#"pool::create(conn, #{ name: "more", path: "/more", autostart: false }).destroy();"#,
        r#"pool::ensure(conn, #{ name: "more", path: "/more" })"#,
    );
}

#[test]
fn a_stopped_recipe_leaves_networks_as_they_were() {
    sweep(
        "network::create",
        "",
        r#"network::create(conn, #{ name: "inner", address: "192.168.98.1/24" })"#,
    );
    sweep(
        "network::ensure, running, restarted",
        "",
        r#"network::ensure(conn, #{ name: "lan", address: "192.168.97.1/24", restart: true })"#,
    );
    sweep(
        "network::ensure, inactive",
        r#"conn.network_lookup_by_name("lan").destroy();"#,
        r#"network::ensure(conn, #{ name: "lan", address: "192.168.97.1/24", domain: "lan.test" })"#,
    );
}

#[test]
fn a_stopped_boot_order_is_set_for_all_guests_or_none() {
    sweep(
        "boot_order::define, new",
        r#"conn.lookup_by_name("web").set_autostart(true);"#,
        r#"boot_order::define(conn, ["db", #{ name: "web", ready: #{ timeout: "5s" } }])"#,
    );
    sweep(
        "boot_order::define, over another one",
        r#"boot_order::define(conn, ["old", "web", "db"]);"#,
        r#"boot_order::define(conn, ["db", "web"])"#,
    );
}

#[test]
fn a_stopped_start_in_order_returns_all_guests_to_their_states() {
    sweep(
        "boot_order::start with back: off, managed save, paused, running",
        r#"conn.lookup_by_name("web").suspend(); guest::create(conn, #{ name: "up", memory: "32MiB", nics: [] });"#,
        r#"boot_order::start(conn, ["up", "db", "old", "web"], #{ back: true })"#,
    );
}
