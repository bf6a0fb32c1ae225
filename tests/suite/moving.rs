//! Recipes that move guests between two hosts, on real QEMU.

use crate::support::{Daemon, Run, micro, micro_xml};

/// Two hosts that both have the pool `shared`, one folder; and there the pool `own`.
struct Hosts {
    here: Daemon,
    there: Daemon,
}

impl Hosts {
    fn start() -> Self {
        let hosts = Self {
            here: Daemon::start(),
            there: Daemon::start(),
        };
        let shared = hosts.here.scratch().folder("shared");
        let own = hosts.there.scratch().folder("own");
        hosts.ok(&format!(
            r#"for host in [conn, dest] {{ pool::create(host, #{{ name: "shared", path: "{}" }}); }}
               pool::create(dest, #{{ name: "own", path: "{}" }});"#,
            shared.display(),
            own.display()
        ));
        hosts
    }

    /// XML of the micro guest `kind`, called `name`, whose disk is in `shared`.
    fn guest(&self, kind: &str, name: &str) -> String {
        let disk = self.here.scratch().copy(
            &micro(&format!("{kind}.img")),
            &format!("shared/{name}.img"),
        );
        let console = self.here.path(&format!("{name}.console"));
        micro_xml(name, &disk.display().to_string(), &console)
    }

    fn text(&self, body: &str) -> String {
        format!(
            r#"
            import "std/migration" as migration;
            import "std/guest" as guest;
            import "std/pool" as pool;
            let conn = connect();
            let dest = connect("{}");
            for host in [conn, dest] {{ for pool in host.list_all_storage_pools() {{ pool.refresh(); }} }}
            const TIMEOUT = "30s";

            /// Waits until the guest counts.
            fn up(dom) {{ dom.open_console((), VIR_DOMAIN_CONSOLE_FORCE).wait("MG:c=", global::TIMEOUT); }}

            fn begin(conn, xml) {{ let dom = conn.define_xml(xml); dom.create(); up(dom); dom }}

            /// What `action` throws.
            fn thrown(action) {{
                let error = ();
                try {{ action.call(); }} catch (err) {{ error = err; }}
                assert(error != (), "nothing was thrown");
                error
            }}
            {body}; ()
            "#,
            self.there.uri()
        )
    }

    fn script(&self, body: &str) -> Run {
        self.here.virhai().script(self.text(body))
    }

    fn ok(&self, body: &str) -> String {
        self.script(body).ok()
    }

    fn boots(&self, name: &str) -> usize {
        self.here.console(name).matches("MG:up").count()
    }
}

#[test]
fn a_guest_moves_with_all_it_has_and_leaves_nothing_behind() {
    let hosts = Hosts::start();
    let xml = hosts.guest("counter", "web");
    hosts.ok(&format!(
        r#"
        let dom = begin(conn, `{xml}`);
        dom.set_autostart(true);
        assert_eq(migration::check(dom, dest, #{{}}), []);
        let result = migration::to(dom, dest, #{{}});
        assert_eq(result.changes, ["moved as it ran", "autostart is true"]);
        let moved = result.domain;
        assert_eq([moved.state(), moved.is_persistent(), moved.autostart()], ["running", true, true]);
        assert_eq(conn.list_all_domains(), []);
        up(moved);
        // What is paused stays paused, and what is off takes its configuration along.
        moved.suspend();
        let back = migration::to(moved, conn, #{{ name: "www" }}).domain;
        assert_eq([back.name, back.state(), back.autostart()], ["www", "paused", true]);
        back.resume();
        up(back);
        back.destroy();
        let result = migration::to(back, dest, #{{}});
        assert_eq(result.changes, ["moved its configuration", "autostart is true"]);
        assert_eq([conn.list_all_domains().len(), dest.list_all_domains().len()], [0, 1]);
        "#
    ));
    assert_eq!(hosts.boots("web"), 1, "the guest never booted again");
}

#[test]
fn a_disk_is_copied_to_a_volume_that_is_made_there() {
    let hosts = Hosts::start();
    let xml = hosts.guest("counter", "web");
    hosts.ok("pool::remove(conn, \"shared\");");
    hosts.ok(&format!(
        r#"
        let dom = begin(conn, `{xml}`);
        // Without a pool here, nobody can tell that it is one folder.
        assert_eq(migration::check(dom, dest, #{{}}).map(|found| found.what), ["disk"]);
        let result = migration::to(dom, dest, #{{ copy_storage: true, pool: "own" }});
        let copy = dest.storage_pool_lookup_by_name("own").storage_vol_lookup_by_name("web.img");
        assert_eq(result.changes, [`made ${{copy.path}}`, "moved as it ran", `copied its disk hda to ${{copy.path}}`]);
        up(result.domain);
        for flags in [0, VIR_DOMAIN_XML_INACTIVE] {{
            assert_eq(parse_xml(result.domain.xml_desc(flags)).get("devices/disk/source/@file"), copy.path);
        }}
        result.domain.destroy();
        guest::boot(result.domain).wait("MG:up", "30s");
        result.domain.destroy();
        "#
    ));
    let copy = std::fs::read(hosts.there.path("own/web.img")).expect("the copy is there");
    let original = std::fs::read(hosts.here.path("shared/web.img")).expect("the disk is there");
    assert!(copy == original, "the disk was copied whole");
}
