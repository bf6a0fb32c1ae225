//! The points of a guest whose name changed, records that people copied, and disks whose files have one name.

use super::{IMPORTS, Site};
use crate::support::Host;

#[test]
fn a_copied_or_incomplete_record_is_no_reason_to_delete_a_point() {
    let site = Site::new();
    let point = site.ok(r#"
        let dom = conn.lookup_by_name("web");
        backup::make(dom, #{ pool: "backups" });
        print(backup::make(dom, #{ pool: "backups" }).point);
        "#);
    let backups = site.0.scratch().path("backups");
    let record = backups.join(format!("web-{}.backup.json", point.trim()));
    site.0
        .scratch()
        .copy(&record, "backups/zz-copy.backup.json");
    for (name, text) in [
        ("less", r#"{ "backup_of_virhai": 1 }"#),
        (
            "disk",
            r#"{ "backup_of_virhai": 1, "base": "disk", "disks": [5] }"#,
        ),
        ("list", "[1]"),
    ] {
        let name = format!("backups/{name}.backup.json");
        site.0.scratch().write(&name, text);
    }
    site.ok(&format!(
        r#"
        let place = #{{ pool: "backups" }};
        let backups = conn.storage_pool_lookup_by_name("backups");
        backups.refresh();
        let files = backups.list_volumes().sort_by(|name| name);
        assert_eq(backup::list(conn, place).len(), 2);
        let pruned = backup::prune(conn, place + #{{ keep: 1 }});
        // The last point and the point that it needs.
        assert_eq([pruned.removed, pruned.needed.len()], [[], 1]);
        assert_eq(pruned.left.sort_by(|name| name), ["disk", "less", "zz-copy"]);
        assert_eq(backups.list_volumes().sort_by(|name| name), files);
        assert_eq(backup::make(conn.lookup_by_name("web"), place).kind, "incremental");
        let problems = thrown(|| backup::verify(conn, place)).problems.sort_by(|text| text);
        assert_eq(problems.len(), 3);
        assert(problems[0].contains("its record is incomplete"), problems[0]);
        assert(problems[2].contains("its record is a copy of web-{}.backup.json"), problems[2]);
        "#,
        point.trim()
    ));
}

#[test]
fn a_renamed_guest_keeps_its_points() {
    let site = Site::new();
    site.ok(
        r#"
        let place = #{ pool: "backups" };
        let dom = conn.lookup_by_name("web");
        let first = backup::make(dom, place);
        dom.destroy();
        dom.rename("www");
        // Before its first point under the new name, and after it.
        assert_eq(backup::list(conn, place + #{ guest: "www" }), [first]);
        let second = backup::make(dom, place);
        assert_eq([second.kind, second.guest], ["incremental", "www"]);
        for name in ["web", "www", dom.uuid] {
            assert_eq(backup::list(conn, place + #{ guest: name }), [first, second]);
            assert_eq(backup::verify(conn, place + #{ guest: name }).len(), 2);
        }
        let dom = backup::restore(conn, place + #{ guest: "www" });
        assert_eq(dom.name, "www");
        assert_eq(backup::prune(conn, place + #{ guest: "www", keep: 1 }).needed, [`web/${first.point}`]);
        "#,
    );
}

#[test]
fn disks_of_one_name_in_two_folders_are_restored_into_one_pool() {
    let site = Site::new();
    let scratch = site.0.scratch();
    for number in [1_u8, 2] {
        scratch.folder(&format!("p{number}"));
        scratch.write(&format!("p{number}/disk.raw"), vec![number; 1 << 20]);
    }
    let script = format!(
        r#"
        let dom = conn.lookup_by_name("web");
        dom.destroy();
        for number in 1..3 {{ pool::create(conn, #{{ name: `p${{number}}`, path: `{0}/p${{number}}` }}); }}
        dom.edit(|xml| for number in 1..3 {{
            let disk = xml.select(`devices/disk[${{number}}]`)[0];
            disk.set("driver/@type", "raw");
            disk.set("source/@file", `{0}/p${{number}}/disk.raw`);
        }});
        let place = #{{ pool: "backups" }};
        backup::make(dom, place);
        let dom = backup::restore(conn, place + #{{ guest: "web", to: "images" }});
        print(dom.xml().select("devices/disk/source/@file").map(|path| path.split("/").pop()).join(" "));
        let dom = backup::restore(conn, place + #{{ guest: "web", name: "twin", to: "images" }});
        print(dom.xml().select("devices/disk/source/@file").map(|path| path.split("/").pop()).join(" "));
        "#,
        scratch.path("p1").parent().expect("it has one").display(),
    );
    assert_eq!(
        site.ok(&script),
        "disk.raw disk.1.raw\ntwin-vda.raw twin-vdb.raw\n"
    );
    assert_eq!(site.bytes("disk.raw", &[0]), [1]);
    assert_eq!(site.bytes("disk.1.raw", &[0]), [2]);
}

#[test]
fn a_restored_guest_keeps_the_password_that_the_backup_left_out() {
    let site = Site::new();
    site.ok(
        r#"
        let place = #{ pool: "backups" };
        let dom = conn.lookup_by_name("web");
        dom.destroy();
        dom.edit(|xml| xml.insert("devices", "<graphics type='vnc' port='-1' autoport='yes' passwd='pass1234'/>"));
        backup::make(dom, place);
        let dom = backup::restore(conn, place + #{ guest: "web" });
        let secure = dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
        assert_eq(secure.get("devices/graphics/@passwd"), "pass1234");
        let copy = backup::restore(conn, place + #{ guest: "web", name: "copy" });
        assert(!copy.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE).has("devices/graphics/@passwd"));
        "#,
    );
}

#[test]
fn backups_at_the_same_time_wait_for_each_other() {
    let site = Site::new();
    site.ok(r#"conn.lookup_by_name("web").destroy();"#);
    let folder = site.0.scratch().path("points");
    // Locks of runs are files in the state folder of the user.
    let home = site.0.scratch().folder("home");
    let run = |script: &str| {
        let run = site.0.virhai().env("HOME", &home);
        run.script(format!("{IMPORTS}{script}; ()")).ok()
    };
    let make = format!(
        r#"print(backup::make(conn.lookup_by_name("web"), #{{ folder: "{0}" }}).point);"#,
        folder.display()
    );
    let made: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| run(&make))).collect();
        runs.into_iter()
            .map(|run| run.join().expect("the backup is made"))
            .collect()
    });
    assert_ne!(made[0], made[1]);
    site.ok(&format!(
        r#"
        let place = #{{ folder: "{0}" }};
        assert_eq(backup::verify(conn, place).len(), 2);
        // Two guests in one folder, from two threads.
        let other = backup::restore(conn, place + #{{ guest: "web", name: "other", to: "images" }});
        let points = parallel(["web", "other"], 2, |name| backup::make(conn.lookup_by_name(name), place));
        assert_eq(points.len(), 2);
        assert_eq(conn.list_all_storage_pools().map(|pool| pool.name).sort_by(|name| name), ["backups", "images"]);
        "#,
        folder.display()
    ));
    // Of two restores, the second goes back from the first.
    let restore = format!(
        r#"backup::restore(conn, #{{ folder: "{0}", guest: "web" }});"#,
        folder.display()
    );
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| run(&restore));
        }
    });
    site.ok(r#"
        for path in conn.lookup_by_name("web").xml().select("devices/disk/source/@file") {
            assert(image::at(conn, path) != (), path);
        }
        conn.lookup_by_name("web").create();
        conn.lookup_by_name("web").destroy();
        "#);
}

#[test]
fn a_started_restore_leaves_no_note_in_the_running_guest() {
    let site = Site::new();
    site.ok(r#"
        let place = #{ pool: "backups" };
        let dom = conn.lookup_by_name("web");
        dom.destroy();
        backup::make(dom, place);
        let dom = backup::restore(conn, place + #{ guest: "web", start: true });
        assert(!dom.xml_desc().contains("virhai-work"));
        assert(!dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains("virhai-work"));
        dom.destroy();
        "#);
}

#[test]
fn checkpoints_of_a_moved_folder_do_not_stay() {
    let site = Site::new();
    let scratch = site.0.scratch();
    let (old, new) = (scratch.folder("old"), scratch.path("new"));
    let count = r#"
        let dom = conn.lookup_by_name("web");
        let checkpoints = |dom| dom.list_all_checkpoints().len();
    "#;
    site.ok(&format!(
        r#"{count}
        for round in 0..3 {{ backup::make(dom, #{{ folder: "{}" }}); }}
        assert_eq(checkpoints.call(dom), 2);
        "#,
        old.display()
    ));
    std::fs::rename(&old, &new).expect("the folder is ours");
    site.ok(&format!(
        r#"{count}
        let place = #{{ folder: "{}" }};
        for round in 0..3 {{
            assert_eq(backup::make(dom, place).kind, "incremental");
            assert_eq(checkpoints.call(dom), 2);
        }}
        "#,
        new.display()
    ));
    // The same folder by another path, and a copy of it, which has its own next point.
    std::os::unix::fs::symlink(&new, scratch.path("link")).expect("the folder is ours");
    let copy = scratch.folder("copy");
    for name in site.files("new") {
        scratch.copy(&new.join(&name), &format!("copy/{name}"));
    }
    site.ok(&format!(
        r#"{count}
        let point = backup::make(dom, #{{ folder: "{0}" }});
        assert_eq(point.kind, "incremental");
        assert_eq(checkpoints.call(dom), 2);
        assert_eq(backup::make(dom, #{{ folder: "{1}" }}).kind, "incremental");
        assert_eq(backup::make(dom, #{{ folder: "{0}" }}).kind, "incremental");
        backup::make(dom, #{{ folder: "{1}", mode: "full" }});
        dom.destroy();
        backup::make(dom, #{{ folder: "{0}", mode: "full" }});
        let before = checkpoints.call(dom);
        assert_eq(backup::prune(conn, #{{ folder: "{0}", keep: 1 }}).removed.len(), 8);
        assert_eq(checkpoints.call(dom), before - 1);
        assert_eq(backup::make(dom, #{{ folder: "{0}" }}).kind, "incremental");
        "#,
        scratch.path("link").display(),
        copy.display()
    ));
}
