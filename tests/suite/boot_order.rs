//! Guests that are started one after another, on real QEMU.

use crate::support::{Daemon, Host};

const RECIPES: &str = r#"
    import "std/boot_order" as boot_order;
    let conn = connect();
    let done = |reports| reports.map(|report| [report.guest, report.done]);

    /// The error that `action` throws.
    fn thrown(action) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), "nothing was thrown");
        error
    }
"#;

fn ok(host: &Daemon, script: &str) {
    host.ok(&format!("{RECIPES}{script}; ()"));
}

#[test]
fn an_order_is_kept_with_the_guests_and_outlives_the_host() {
    let mut host = Daemon::start();
    let xml = ["web", "db", "mail"].map(|name| host.micro("counter", name));
    for xml in xml {
        ok(&host, &format!("conn.define_xml(`{xml}`)"));
    }
    ok(
        &host,
        r#"
        assert_eq(boot_order::order(conn), []);
        conn.lookup_by_name("web").set_autostart(true);
        let wanted = [#{ name: "db", ready: #{ console: "MG:c=", timeout: "30s" } }, #{ name: "web", ready: #{ console: "MG:up" } }];
        let kept = boot_order::define(conn, wanted);
        assert_eq(kept.changes, ["db is number 1", "web is number 2", "autostart of web is false"]);
        assert(!conn.lookup_by_name("web").autostart());
        assert_eq(boot_order::define(conn, wanted), #{ changed: false, changes: [] });
        assert_eq(boot_order::order(conn), wanted);
        // An impossible order leaves no marks.
        thrown(|| boot_order::define(conn, ["mail", "nobody"]));
        assert_eq(boot_order::order(conn).map(|guest| guest.name), ["db", "web"]);
        assert(thrown(|| boot_order::define(conn, ["db", "db"])).message.contains("twice"));
        assert(thrown(|| boot_order::define(conn, [#{ name: "db", ready: #{ consol: "x" } }])).hint.contains("console"));
        "#,
    );
    host.kill();
    host.launch();
    ok(
        &host,
        r#"
        let reports = ();
        let watched = conn;
        let first = watched.wait_event(#{ event: "started" }, "1s", || reports = boot_order::start(conn));
        assert_eq(first.domain, "db");
        assert_eq(done.call(reports), [["db", "started"], ["web", "started"]]);
        assert(reports[0].seen.console.contains("MG:c="), reports.to_string());
        assert_eq(conn.lookup_by_name("mail").state(), "shutoff");

        // Again: what runs is fine, what is paused or saved goes on.
        assert_eq(done.call(boot_order::start(conn)), [["db", "nothing"], ["web", "nothing"]]);
        conn.lookup_by_name("db").suspend();
        conn.lookup_by_name("web").managed_save();
        assert_eq(done.call(boot_order::start(conn)), [["db", "resumed"], ["web", "restored"]]);

        // And down, the other way round; mail was off.
        let stopped = boot_order::shutdown(conn, ["db", "web", "mail"]);
        assert_eq(stopped.map(|report| [report.guest, report.by]), [["mail", "nothing"], ["web", "shutdown"], ["db", "shutdown"]]);
        assert_eq(boot_order::define(conn, ["web"]).changes, ["db is not in the order", "web is number 1"]);
        "#,
    );
}

#[test]
fn a_guest_that_does_not_become_ready_holds_up_those_after_it() {
    let host = Daemon::start();
    let (hang, web) = (host.micro("hang", "db"), host.micro("counter", "web"));
    let first = host.micro("counter", "first");
    ok(
        &host,
        &format!(
            r#"
        for xml in [`{first}`, `{hang}`, `{web}`] {{ conn.define_xml(xml); }}
        let guests = ["first", #{{ name: "db", ready: #{{ console: "MG:c=", timeout: "2s" }} }}, "web"];
        let states = || ["first", "db", "web"].map(|name| conn.lookup_by_name(name).state());
        let error = thrown(|| boot_order::start(conn, guests));
        assert_eq(error.guest, "db");
        assert(error.message.contains("`db` was not ready within 2s") && error.message.contains("not tried: web"), error.message);
        assert(error.hint.contains("MG:hang"), error.hint);
        assert_eq(states.call(), ["running", "running", "shutoff"]);
        for name in ["first", "db"] {{ conn.lookup_by_name(name).destroy(); }}
        // Or all is as it was.
        let guests = [#{{ name: "first", ready: #{{ console: "MG:c=" }} }}, #{{ name: "web", ready: #{{ console: "never" }} }}];
        thrown(|| boot_order::start(conn, guests, #{{ back: true, timeout: "2s" }}));
        assert_eq(states.call(), ["shutoff", "shutoff", "shutoff"]);
        "#
        ),
    );
}
