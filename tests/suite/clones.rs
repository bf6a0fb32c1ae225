//! Clones of guests on a real host: what is their own, and what is not touched.

use crate::support::{Daemon, Host, Outcome, micro};

struct Site(Daemon);

const IMPORTS: &str = r#"
    import "std/clone" as clone;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    let conn = connect();
    let images = { try { conn.storage_pool_lookup_by_name("images") } catch { } };
"#;

impl Site {
    /// A host with the guest `web`, which has a disk that boots, one more, and a CD.
    fn new() -> Self {
        let host = Daemon::start();
        let folder = host.scratch().folder("images");
        host.scratch().copy(&micro("counter.img"), "images/web.img");
        let iso = host.scratch().copy(&micro("hello.iso"), "hello.iso");
        let site = Self(host);
        site.ok(&format!(
            "pool::create(conn, #{{ name: \"images\", path: \"{0}\" }}); \
             guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [\"user\"], start: false, cdrom: \"{1}\", \
               disks: [\"{0}/web.img\", #{{ pool: \"images\", size: \"1MiB\" }}] }});",
            folder.display(),
            iso.display()
        ));
        site
    }

    fn ok(&self, script: &str) -> String {
        self.0.ok(&format!("{IMPORTS}{script}; ()"))
    }

    fn run(&self, script: &str) -> Outcome {
        self.0
            .virhai()
            .script(format!("{IMPORTS}{script}; ()"))
            .run()
    }
}

#[test]
fn a_full_clone_has_all_of_its_own_and_boots() {
    let site = Site::new();
    site.ok(
        r#"
        let web = conn.lookup_by_name("web");
        let made = clone::of(web, #{ name: "copy" });
        let a = web.xml(); let b = made.xml();
            assert(a.get("uuid") != b.get("uuid"));
            assert(a.get("devices/interface/mac/@address") != b.get("devices/interface/mac/@address"));
            assert_eq(b.select("devices/disk[@device='disk']/source/@file").map(|path| path.split("/").pop()), ["copy.raw", "copy-1.qcow2"]);
            assert_eq(b.get("devices/disk[@device='cdrom']/source/@file"), a.get("devices/disk[@device='cdrom']/source/@file"));
            assert_eq(b.get("memory"), a.get("memory"));
            guest::boot(made).wait("MG:up", "30s");
            made.destroy();
            assert_eq(guest::remove_with_volumes(made).len(), 2);
            assert_eq(images.num_of_volumes(), 2);
        "#,
    );
}

#[test]
fn a_guest_that_runs_is_cloned_while_it_stands_still_and_goes_on() {
    let site = Site::new();
    site.ok(r#"
        let web = conn.lookup_by_name("web");
        let console = guest::boot(web);
        console.wait("MG:c=", "30s");
        let made = clone::of(web, #{ name: "copy", start: true });
        assert_eq(web.state(), "running");
        console.wait("MG:c=", "30s");
        made.open_console().wait("MG:c=", "30s");
        made.destroy();
        try { clone::of(web, #{ name: "over", mode: "backed" }); throw "cloned"; } catch (err) {
            assert(err.message.contains("would corrupt"), err.to_string());
        }
        web.destroy();
        let over = clone::of(web, #{ name: "over", mode: "backed" });
        let disk = conn.storage_vol_lookup_by_path(over.xml().get("devices/disk/source/@file"));
        assert(parse_xml(disk.xml_desc()).get("backingStore/path").ends_with("web.img"));
        guest::boot(over).wait("MG:up", "30s");
        over.destroy();
        "#);
}

#[test]
fn a_clone_that_is_taken_back_leaves_the_original_on_its_own_image() {
    let site = Site::new();
    site.ok(r#"
        let base = image::create(conn, #{ pool: "images", name: "base.raw", format: "raw", size: "1MiB" });
        let own = image::create(conn, #{ pool: "images", name: "db.qcow2", format: "qcow2", backing: base });
        let db = guest::create(conn, #{ name: "db", memory: "32MiB", nics: [], disks: [own.path] });
        let before = base.download();
        try {
            all_or_nothing(|undo| { clone::of(db, #{ name: "copy" }); throw "later"; });
        } catch (err) {
            assert_eq(err.message, "later");
        }
        assert_eq(conn.list_all_domains().len(), 2);
        assert_eq(db.state(), "running");
        assert_eq(db.xml().get("devices/disk/source/@file"), own.path);
        assert_eq(db.xml().get("devices/disk/backingStore/source/@file"), base.path);
        assert_eq(base.download(), before);
        images.refresh();
        assert(images.list_volumes().contains("db.qcow2"), images.list_volumes().to_string());
        db.destroy();
        "#);
}

#[test]
fn a_guest_is_not_given_the_disk_of_another() {
    let site = Site::new();
    // The second disk of `web` is called as the first of `web-1` would be.
    let outcome = site.run(
        "let options = #{ name: \"web-1\", memory: \"32MiB\", nics: [], start: false }; \
         guest::create(conn, options); \
         options.disks = [#{ pool: \"images\", size: \"1MiB\" }]; \
         guest::ensure(conn, options)",
    );
    assert_eq!(outcome.status, 1, "{outcome}");
    let why = "is a disk of the guest `web`: two guests would write to it";
    assert!(outcome.stderr.contains(why), "{outcome}");
    site.ok("assert(!conn.lookup_by_name(\"web-1\").xml().has(\"devices/disk\"));");
}

#[test]
fn a_clone_that_cannot_be_made_leaves_nothing_and_the_original_running() {
    let site = Site::new();
    site.ok(r#"
        let web = conn.lookup_by_name("web");
        web.create();
        // The name of its second disk is taken.
        image::create(conn, #{ pool: "images", name: "copy-1.qcow2", size: "1MiB" });
        try { clone::of(web, #{ name: "copy" }); throw "cloned"; } catch (err) {
            assert(err.message.contains("already in use"), err.to_string());
        }
        assert_eq(web.state(), "running");
        assert_eq(conn.list_all_domains().len(), 1);
        let names = images.list_volumes();
        assert(!names.contains("copy.raw"), names.to_string());
        web.destroy();
        "#);
    let outcome = site.run("clone::of(conn.lookup_by_name(\"web\"), #{ nme: \"copy\" })");
    assert!(outcome.stderr.contains("did you mean `name`?"), "{outcome}");
    let outcome = site.run("clone::of(conn.lookup_by_name(\"web\"), #{ name: \"web\" })");
    assert!(outcome.stderr.contains("exists already"), "{outcome}");
}

#[test]
fn a_guest_that_runs_is_not_touched_where_one_of_its_disks_cannot_be_cloned() {
    let site = Site::new();
    let outside = site.0.scratch().folder("outside");
    let disk = site
        .0
        .scratch()
        .copy(&micro("counter.img"), "outside/other.img");
    site.ok(&format!(
        r#"
        let both = guest::create(conn, #{{ name: "both", memory: "32MiB", nics: [], disks: ["{}", #{{ size: "1MiB", pool: "images" }}] }});
        let before = both.xml().select("devices/disk/source/@file");
        try {{ clone::of(both, #{{ name: "copy" }}); throw "cloned"; }} catch (err) {{
            assert(err.message.contains("is in no storage pool"), err.to_string());
        }}
        assert_eq(both.xml().select("devices/disk/source/@file"), before);
        assert(!both.xml().has("devices/disk/backingStore/source"));
        both.destroy();
        "#,
        disk.display()
    ));
    let left = std::fs::read_dir(&outside).expect("it is there");
    assert_eq!(left.count(), 1, "nothing is left beside the disk");
}
