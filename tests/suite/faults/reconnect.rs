//! Undoing after the connection was lost: it is opened again if the host comes back.

use std::time::{Duration, Instant};

use nix::sys::signal::kill;

use super::daemon::Dialogue;
use super::guest::qemu;
use crate::support::{Daemon, Host};

/// A script that makes a volume, a guest and a network, runs the guest, and then loses its host.
fn script(host: &Daemon) -> String {
    let xml = host.micro("counter", "web");
    host.scratch().folder("images");
    format!(
        r#"
        let conn = connect();
        let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>{images}</path></target></pool>");
        pool.create();
        all_or_nothing(|undo| {{
            undo.step(
                || pool.create_xml("<volume><name>a.img</name><capacity>65536</capacity></volume>"),
                |vol| vol.delete()
            );
            let dom = undo.step(|| conn.define_xml(`{xml}`), |dom| dom.undefine());
            undo.step(
                || conn.network_define_xml("<network><name>inner</name></network>"),
                |net| net.undefine()
            );
            undo.step(|| dom.create(), |it| {{ dom.destroy(); dom.wait("shutoff", "30s"); }});
            dom.wait("running", "30s");
            print("made");
            loop {{ conn.list_all_domains(); sleep("20ms"); }}
        }});
        "#,
        images = host.path("images"),
    )
}

#[test]
fn undo_continues_after_the_daemon_was_killed_and_restarted() {
    let mut host = Daemon::start();
    let mut script = Dialogue::of(host.virhai(), &script(&host));
    script.says("made");
    let guest = qemu(&host, "web");
    host.kill();
    host.launch();
    let (status, errors) = script.ends();
    assert_eq!(status, Some(1), "{errors}");
    assert!(kill(guest, None).is_err(), "the guest's QEMU runs on");
    assert!(!errors.contains("cannot undo"), "{errors}");
    host.ok(r#"
        let conn = connect();
        assert_eq(conn.list_all_domains(), []);
        assert_eq(conn.list_all_networks(), []);
        assert_eq(conn.storage_pool_lookup_by_name("images").list_all_volumes(), []);
        "#);
}

#[test]
fn undo_reports_each_step_and_ends_if_the_daemon_stays_down() {
    let mut host = Daemon::start();
    let run = host.virhai().arg("--connect-timeout").arg("3s");
    let mut script = Dialogue::of(run, &script(&host));
    script.says("made");
    host.kill();
    let began = Instant::now();
    let (status, errors) = script.ends();
    assert_eq!(status, Some(1), "{errors}");
    assert_eq!(errors.matches("cannot undo: ").count(), 4, "{errors}");
    assert_eq!(
        errors.matches("could not be opened again").count(),
        4,
        "{errors}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    // Its guest runs on.
    host.launch();
    host.takes_over("web");
    host.ok(r#"connect().lookup_by_name("web").destroy();"#);
}

#[test]
fn a_connection_lost_during_undo_is_opened_again() {
    let mut host = Daemon::start();
    let mut script = Dialogue::of(
        host.virhai(),
        r#"
        let conn = connect();
        all_or_nothing(|undo| {
            undo.push(|| {
                print("undoing");
                for count in 0..100 { conn.list_all_domains(); sleep("20ms"); }
                print("undone");
            });
            throw "no";
        });
        "#,
    );
    script.says("undoing");
    host.kill();
    host.launch();
    script.says("undone");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(1), "{errors}");
    assert!(!errors.contains("cannot undo"), "{errors}");
}

#[test]
fn a_lost_connection_stays_lost_when_nothing_is_undone() {
    let mut host = Daemon::start();
    let mut script = Dialogue::of(
        host.virhai(),
        r#"
        let conn = connect();
        print("connected");
        loop {
            try { conn.list_all_domains(); sleep("20ms"); }
            catch (err) { assert(err.lost_connection); break; }
        }
        print("lost");
        sleep("1s");
        try { conn.list_all_domains(); print("no error"); } catch (err) { print(err.lost_connection); }
        "#,
    );
    script.says("connected");
    host.kill();
    script.says("lost");
    host.launch();
    script.says("true");
    let (status, errors) = script.ends();
    assert_eq!(status, Some(0), "{errors}");
}
