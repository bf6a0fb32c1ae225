//! Sizes have libvirt's meaning, and impossible sizes are refused.

use crate::support::{Daemon, Host, TestHost};

/// The refusal of `options` of a guest, and its hint.
fn refused(options: &str) -> String {
    let host = TestHost::new();
    let script = format!(
        r#"
        import "std/description" as description;
        let conn = connect();
        let told = ();
        try {{ description::of(conn, #{{ name: "a" }} + {options}); }} catch (err) {{ told = err; }}
        assert(told != (), "it was taken");
        print(`${{told.message}} ${{told.hint}}`)
        "#
    );
    // The check finds most of them before the run.
    host.virhai().arg("--no-check").script(script).ok()
}

#[test]
fn memory_has_libvirts_units() {
    TestHost::new().ok(
        r#"
        import "std/description" as description;
        let conn = connect();
        let kib = |options| {
            let xml = description::of(conn, #{ name: "a" } + options);
            xml.get("memory").parse_int()
        };
        for size in ["512M", "512MiB", "512m", 524288, "524288", "524288KiB"] { assert_eq(kib.call(#{ memory: size }), 524288); }
        assert_eq(kib.call(#{ memory: "512MB" }), 500000);
        // A part of a KiB counts whole, as in libvirt.
        assert_eq(kib.call(#{ memory: "2000001B" }), 1954);
        let xml = description::of(conn, #{ name: "a", memory: 1048576, hugepages: 2048, numa: [#{ cpus: "0", memory: 1048576 }] });
        assert_eq(xml.get("cpu/numa/cell/@memory"), "1048576");
        assert_eq(xml.get("cpu/numa/cell/@unit"), "KiB");
        assert_eq(xml.get("memoryBacking/hugepages/page/@size"), "2048");
        "#,
    );
}

#[test]
fn sizes_that_cannot_be_meant_are_refused() {
    for (options, reasons) in [
        ("#{ memory: 512 }", ["512 KiB", "\"512MiB\""]),
        ("#{ memory: \"4096\" }", ["4 MiB", "\"4096MiB\""]),
        ("#{ memory: \"512k\" }", ["512 KiB", "at least 1 MiB"]),
        ("#{ memory: 0 }", ["must be 1KiB or more", ""]),
        ("#{ memory: \"-1GiB\" }", ["negative", ""]),
        ("#{ memory: \"1GiBB\" }", ["no unit", ""]),
        ("#{ memory: \"9999999999T\" }", ["8 EiB", ""]),
        (
            "#{ memory: \"2GiB\", max_memory: \"1GiB\" }",
            ["more than", "max_memory"],
        ),
        ("#{ hugepages: 2 }", ["not a page size", "\"2MiB\""]),
        (
            "#{ numa: [#{ cpus: \"0\", memory: 512 }] }",
            ["512 KiB", "\"512MiB\""],
        ),
        (
            "#{ memory: \"4GiB\", numa: [#{ cpus: \"0\", memory: \"2GiB\" }] }",
            ["2 GiB of memory in total", "4GiB"],
        ),
    ] {
        let told = refused(options);
        for reason in reasons {
            assert!(told.contains(reason), "{options}: {told}");
        }
    }
    let memory = TestHost::new().ok(r#"
        let dom = connect().lookup_by_name("test");
        let told = "";
        try { dom.set_memory(512); } catch (err) { told = `${err.message} ${err.hint}`; }
        assert(told.contains("512 KiB") && told.contains("\"512MiB\""), told);
        print(dom.info().memory_kib)
        "#);
    assert_eq!(memory, "2097152\n");
}

#[test]
fn a_disk_is_never_smaller_than_its_backing_image() {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    host.ok(&format!(
        r#"
        import "std/pool" as pool;
        import "std/image" as image;
        import "std/guest" as guest;
        import "std/import_image" as import_image;
        let conn = connect();
        let images = pool::create(conn, #{{ name: "images", path: "{}" }});
        let base = image::create(conn, #{{ pool: "images", name: "base.qcow2", size: "10G" }});
        assert_eq(base.info().capacity_bytes, 10737418240);
        for size in ["10G", "10GiB", "20GiB", 10737418240, "11264M"] {{
            let made = image::create(conn, #{{ pool: "images", name: "over.qcow2", backing: base, size: size }});
            assert_eq(made.info().capacity_bytes, parse_size(size));
            made.delete();
        }}
        let disk = #{{ pool: "images", backing: "base.qcow2", size: "5GiB" }};
        let guest_options = #{{ name: "g", memory: "64MiB", nics: [] }};
        let tries = [
            || image::create(conn, #{{ pool: "images", name: "over.qcow2", backing: base, size: "5GiB" }}),
            || image::create(conn, #{{ pool: "images", name: "over.qcow2", backing: "base.qcow2", size: "10GB" }}),
            || image::ensure(conn, #{{ pool: "images", name: "over.qcow2", backing: base.path, size: "5GiB" }}),
            || guest::create(conn, guest_options + #{{ disks: [disk], start: false }}),
            || guest::ensure(conn, guest_options + #{{ disks: [disk], start: false }}),
            || import_image::disk(conn, guest_options + #{{ image: base, backed: true, pool: "images", size: "5GiB" }}),
            || import_image::cloud(conn, guest_options + #{{ image: base, pool: "images", size: "5GiB" }}),
        ];
        for attempt in tries {{
            let told = "taken";
            try {{ attempt.call(); }} catch (err) {{ told = err.message; }}
            assert(told.contains("smaller than its backing image") && told.contains("10 GiB"), told);
        }}
        for size in [0, 1, 20, "0", "100B", "-5GiB", "5Gig"] {{
            let told = "taken";
            try {{ image::create(conn, #{{ pool: "images", name: "tiny.raw", format: "raw", size: size }}); }} catch (err) {{ told = `${{err}}`; }}
            assert(told != "taken", `${{size}}`);
        }}
        for size in [0, "0", "0GiB"] {{
            try {{ image::create(conn, #{{ pool: "images", name: "tiny.raw", format: "raw", size: size }}); assert(false, "taken"); }}
            catch (err) {{ assert(err.message.contains("at least 512 bytes"), err.message); }}
        }}
        // An image that exists over the backing image is held to the same.
        let over = image::create(conn, #{{ pool: "images", name: "over.qcow2", backing: base }});
        try {{ image::ensure(conn, #{{ pool: "images", name: "over.qcow2", backing: base, size: "5GiB" }}); assert(false, "taken"); }}
        catch (err) {{ assert(err.message.contains("smaller than its backing image"), err.message); }}
        let left = images.list_volumes(); left.sort();
        assert_eq(left, ["base.qcow2", "over.qcow2"]);
        assert_eq(conn.list_all_domains(), []);
        "#,
        folder.display()
    ));
}
