//! The points of a guest whose name changed, records that people copied, and disks whose files have one name.

use std::fs;

use super::Site;
use crate::support::Host;

#[test]
fn a_copied_or_incomplete_record_is_no_reason_to_delete_a_point() {
    let site = Site::new();
    let point = site.ok(
        r#"
        let dom = conn.lookup_by_name("web");
        backup::make(dom, #{ pool: "backups" });
        print(backup::make(dom, #{ pool: "backups" }).point);
        "#,
    );
    let backups = site.0.scratch().path("backups");
    let record = backups.join(format!("web-{}.backup.json", point.trim()));
    fs::copy(record, backups.join("zz-copy.backup.json")).expect("it is the test's own");
    for (name, text) in [
        ("less", r#"{ "backup_of_virhai": 1 }"#),
        (
            "disk",
            r#"{ "backup_of_virhai": 1, "base": "disk", "disks": [5] }"#,
        ),
        ("list", "[1]"),
    ] {
        let file = backups.join(format!("{name}.backup.json"));
        fs::write(file, text).expect("it is the test's own");
    }
    site.ok(&format!(
        r#"
        let place = #{{ pool: "backups" }};
        let files = conn.storage_pool_lookup_by_name("backups").list_volumes();
        assert_eq(backup::list(conn, place).len(), 2);
        let pruned = backup::prune(conn, place + #{{ keep: 1 }});
        // The last point and the point that it needs.
        assert_eq([pruned.removed, pruned.needed.len()], [[], 1]);
        assert_eq(pruned.left.sorted(), ["disk", "less", "zz-copy"]);
        assert_eq(conn.storage_pool_lookup_by_name("backups").list_volumes(), files);
        assert_eq(backup::make(conn.lookup_by_name("web"), place).kind, "incremental");
        let problems = thrown(|| backup::verify(conn, place)).problems.sorted();
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
