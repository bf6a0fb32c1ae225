//! Backups and restores that are stopped or killed.

use nix::sys::signal::Signal;

use super::site;
use crate::support::{Daemon, Host, Strikes, Sweep, Trace, all};

const IMPORTS: &str = r#"import "std/backup" as backup; import "std/pool" as pool; import "std/guest" as guest; let conn = connect();"#;

const MAKE: &str = r#"backup::make(conn.lookup_by_name("web"), #{ pool: "backups" })"#;

/// Fails with the names of files in the pool that belong to no point.
const ONLY_POINTS: &str = r#"
    let points = backup::verify(conn, #{ pool: "backups" });
    let files = [];
    for point in points { for disk in point.disks { files.push(disk.file); } }
    let there = conn.storage_pool_lookup_by_name("backups").list_volumes();
    assert_eq(there.filter(|name| !files.contains(name) && !name.ends_with(".backup.json")), []);
    assert_eq(there.len(), files.len() + points.len());
    let web = conn.lookup_by_name("web");
    assert(!web.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains("virhai-work"));
    assert(web.list_all_checkpoints().len() <= 2, `${web.list_all_checkpoints()}`);
    assert(!conn.list_all_domains().some(|dom| dom.name.starts_with("virhai-")));"#;

fn script(text: &str) -> String {
    format!("{IMPORTS}{text}; ()")
}

fn recipe(text: &str) -> String {
    format!("{IMPORTS}all_or_nothing(|_undo| {{ {text} }})")
}

/// A host with the pool `backups`, whose guest was taken through `before`.
fn host(before: &str) -> Daemon {
    let host = site(&["qcow2", "raw"], true);
    let folder = host.scratch().folder("backups");
    host.ok(&script(&format!(
        r#"pool::create(conn, #{{ name: "backups", path: "{}", autostart: false }}); {before}"#,
        folder.display()
    )));
    host
}

#[test]
fn a_backup_of_a_running_guest_is_stopped_at_each_call() {
    Sweep::new("backup, running, incremental", || host(MAKE), recipe(MAKE))
        .complete(script(&format!(
            r#"assert_eq(backup::list(conn, #{{ pool: "backups" }}).map(|point| point.kind), ["full", "incremental"]);
               assert_eq(conn.lookup_by_name("web").state(), "running"); {ONLY_POINTS}"#
        )))
        // The dirty bitmaps in this file come and go.
        .ignoring("web-0.qcow2")
        .at_most(4)
        .run()
        .says_nothing();
}

#[test]
fn a_backup_of_a_guest_that_is_off_is_stopped_at_each_call() {
    Sweep::new(
        "backup, off, incremental",
        || host(&format!(r#"{MAKE}; conn.lookup_by_name("web").destroy()"#)),
        recipe(MAKE),
    )
    .complete(script(ONLY_POINTS))
    .ignoring("web-0.qcow2")
    .at_most(4)
    .run()
    .says_nothing();
}

/// Once its old disks are being deleted, the guest stays restored. Its boot disk exists in any
/// case.
#[test]
fn a_stopped_restore_leaves_the_guest_with_all_of_its_disks_and_no_others() {
    let host = host(&format!(r#"{MAKE}; conn.lookup_by_name("web").destroy()"#));
    let restore = recipe(r#"backup::restore(conn, #{ pool: "backups", guest: "web" })"#);
    let trace = Trace::of(&host, &restore);
    let mut stopped = 0;
    for operations in trace.points(6) {
        let run = host
            .virhai()
            .arg("--max-operations")
            .arg(operations.to_string())
            .script(&restore)
            .run();
        stopped += usize::from(run.status != 0);
        let said = run.stderr.contains("cannot undo: ");
        let stays = run.stderr.contains("stays there");
        assert_eq!(said, stays, "{run}");
        host.ok(&script(&format!(
            r#"import "std/under_way" as under_way;
               under_way::settle(conn.lookup_by_name("web"));
               let images = conn.storage_pool_lookup_by_name("images"); images.refresh();
               assert_eq(images.num_of_volumes(), 2);
               {ONLY_POINTS} web.create(); web.destroy();"#
        )));
    }
    assert!(stopped > 3, "it was stopped {stopped} times");
}

#[test]
fn a_restore_to_a_new_guest_is_stopped_at_each_call() {
    Sweep::new(
        "restore to a new guest",
        || host(MAKE),
        recipe(r#"backup::restore(conn, #{ pool: "backups", guest: "web", name: "copy", start: true })"#),
    )
    .complete(script(r#"assert_eq(conn.lookup_by_name("copy").state(), "running")"#))
    .at_most(4)
    .run()
    .says_nothing();
}

#[test]
fn the_same_command_completes_a_killed_backup() {
    for (seed, before) in [(53, MAKE), (59, r#"conn.lookup_by_name("web").destroy()"#)] {
        Strikes {
            name: format!("backup after {before}"),
            build: Box::new(move || host(before)),
            script: script(MAKE),
            again: script(MAKE),
            complete: script(ONLY_POINTS),
            signal: Signal::SIGKILL,
            seed,
            times: if all() { 16 } else { 1 },
        }
        .run()
        .leaves_nothing();
    }
}

#[test]
fn the_same_command_completes_a_killed_restore() {
    let restore = r#"backup::restore(conn, #{ pool: "backups", guest: "web" })"#;
    Strikes {
        name: "restore".into(),
        build: Box::new(|| host(&format!(r#"{MAKE}; conn.lookup_by_name("web").destroy()"#))),
        script: script(restore),
        again: script(restore),
        complete: script(&format!(
            r#"{ONLY_POINTS} web.create();
               let images = conn.storage_pool_lookup_by_name("images"); images.refresh();
               assert_eq(images.num_of_volumes(), 2);"#
        )),
        signal: Signal::SIGKILL,
        seed: 61,
        times: if all() { 16 } else { 1 },
    }
    .run()
    .leaves_nothing();
}
