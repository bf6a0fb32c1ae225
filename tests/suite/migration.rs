//! Guests that move between two hosts.
//!
//! The numbers in the comments are those of the promises of libvirt's lifecycle guide.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Daemon, Host, virhai};

/// Two hosts, and the common beginning of the scripts on them.
struct Hosts {
    here: Daemon,
    there: Daemon,
}

impl Hosts {
    fn start() -> Self {
        Self {
            here: Daemon::start(),
            there: Daemon::start(),
        }
    }

    /// Runs a script in which `conn` and `dest` are the hosts, and `xml` describes the guest `web`
    /// of the kind `kind`.
    fn script(&self, kind: &str, body: &str) -> String {
        let (xml, dest) = (self.here.micro(kind, "web"), self.there.uri());
        format!(
            r#"
            const UNSAFE = VIR_MIGRATE_UNSAFE;
            let conn = connect();
            let dest = connect("{dest}");
            let xml = `{xml}`;

            /// Waits until the guest counts.
            fn up(dom) {{ dom.open_console((), VIR_DOMAIN_CONSOLE_FORCE).wait("MG:c=", "30s"); }}

            /// The error that `action` throws.
            fn thrown(action) {{
                let error = ();
                try {{ action.call(); }} catch (err) {{ error = err; }}
                assert(error != (), "nothing was thrown");
                error
            }}
            {body}
            "#
        )
    }

    fn ok(&self, kind: &str, body: &str) -> String {
        self.here.ok(&self.script(kind, body))
    }

    /// The number of boots of the guest, from its console.
    fn boots(&self) -> usize {
        self.here.console("web").matches("MG:up").count()
    }
}

#[test]
fn a_guest_moves_in_every_way_and_comes_back_without_noticing() {
    let hosts = Hosts::start();
    let dest = hosts.there.uri();
    hosts.ok(
        "counter",
        &format!(
            r#"
            let dom = conn.create_xml(xml);
            up(dom);
            // 59, 62, 70: live, with all left to libvirt.
            let moved = dom.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE);
            assert_eq(moved.state_reason(), #{{ state: "running", reason: "migrated" }});
            assert_eq(conn.num_of_domains(), 0);
            // The old handle's domain is gone, and says so.
            assert_eq(thrown(|| dom.state()).code, "VIR_ERR_NO_DOMAIN");
            up(moved);
            // 59: no flag but the one for the disk; and back.
            let back = moved.migrate(conn, UNSAFE, (), "tcp://127.0.0.2", 0);
            assert_eq(back.state(), "running");
            // 69: another name.
            let renamed = back.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE, "web2", "tcp://127.0.0.2", "100MiB");
            assert_eq(renamed.name, "web2");
            let back = renamed.migrate(conn, #{{ destination_name: "web" }}, VIR_MIGRATE_LIVE | UNSAFE);
            assert_eq(back.name, "web");
            // 75: changed XML, as far as the guest cannot see it.
            let changed = back.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
            changed.replace("</name>", "</name><title>moved</title>");
            let moved = back.migrate(dest, changed, VIR_MIGRATE_LIVE | UNSAFE, (), "tcp://127.0.0.2", 0);
            assert_eq(moved.metadata(VIR_DOMAIN_METADATA_TITLE, ()), "moved");
            moved.migrate(conn, VIR_MIGRATE_LIVE | UNSAFE);
            // 61: to a URI, peer to peer.
            let dom = conn.lookup_by_name("web");
            dom.migrate_to_uri("{dest}", VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_LIVE | UNSAFE);
            let moved = dest.lookup_by_name("web");
            // 64: stopped on arrival.
            let back = moved.migrate(conn, VIR_MIGRATE_LIVE | VIR_MIGRATE_PAUSED | UNSAFE);
            assert_eq(back.state(), "paused");
            back.resume();
            // 63: through the daemons' own connection.
            let flags = VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_LIVE | UNSAFE;
            back.migrate_to_uri("{dest}", flags);
            assert_eq(dest.lookup_by_name("web").state(), "running");
            up(dest.lookup_by_name("web"));
            dest.lookup_by_name("web").destroy();
            "#
        ),
    );
    assert_eq!(hosts.boots(), 1, "the guest never booted again");
}

#[test]
fn what_is_persistent_and_where_is_told_by_flags() {
    let hosts = Hosts::start();
    hosts.ok(
        "counter",
        r#"
        let dom = conn.define_xml(xml);
        dom.create();
        // 65: the source stays defined, and could be started a second time.
        let moved = dom.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE);
        assert(!moved.is_persistent());
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "migrated" });
        assert(dom.is_persistent());
        // 74: the name is taken over there.
        moved.destroy();
        let other = dest.define_xml(moved_xml(xml));
        dom.create();
        let error = thrown(|| dom.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE));
        assert_eq(error.code, "VIR_ERR_OPERATION_FAILED");
        assert_eq(dom.state(), "running");
        other.undefine();
        // The destination has a managed save of the guest, which it would resume later over a newer disk.
        dom.destroy();
        let twin = dest.define_xml(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE));
        twin.create();
        twin.managed_save();
        dom.create();
        let error = thrown(|| dom.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE));
        assert(error.message.contains("has a managed save image"), error.message);
        assert_eq(dom.state(), "running");
        twin.undefine(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE);
        // 64: persistent there, undefined here, with a configuration of its own for the next start.
        let persistent = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
        persistent.replace("</name>", "</name><title>configured</title>");
        let options = #{ persistent_xml: persistent };
        let flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE | UNSAFE;
        let moved = dom.migrate(dest, flags, options);
        assert(moved.is_persistent());
        assert_eq(conn.list_all_domains(), []);
        assert_eq(moved.metadata(VIR_DOMAIN_METADATA_TITLE, (), VIR_DOMAIN_AFFECT_CONFIG), "configured");
        // 66: offline copies the configuration and leaves a running guest where it is.
        assert_eq(thrown(|| moved.migrate(conn, VIR_MIGRATE_OFFLINE)).code, "VIR_ERR_OPERATION_INVALID");
        let copied = moved.migrate(conn, VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST);
        assert_eq(copied.state(), "shutoff");
        assert_eq(moved.state(), "running");
        moved.destroy();

        fn moved_xml(xml) {
            let other = xml;
            other.replace("</name>", "</name><uuid>7e1a0000-0000-4000-8000-0000000000aa</uuid>");
            other
        }
        "#,
    );
}

#[test]
fn what_cannot_migrate_is_refused_and_runs_on() {
    let hosts = Hosts::start();
    let dest = hosts.there.uri();
    hosts.ok(
        "counter",
        &format!(
            r#"
            let dom = conn.create_xml(xml);
            // 67: a disk that the destination may not share.
            let error = thrown(|| dom.migrate(dest, VIR_MIGRATE_LIVE));
            assert_eq(error.code, "VIR_ERR_MIGRATE_UNSAFE");
            assert(error.hint.contains("VIR_MIGRATE_UNSAFE"));
            // 60: the same host.
            let error = thrown(|| dom.migrate(connect(), VIR_MIGRATE_LIVE | UNSAFE));
            assert(error.message.contains("same host") || error.message.contains("itself"), error.message);
            // 61: QEMU has no direct migration to a URI.
            let error = thrown(|| dom.migrate_to_uri("{dest}", 0));
            assert_eq(error.code, "VIR_ERR_ARGUMENT_UNSUPPORTED");
            assert(error.hint.contains("VIR_MIGRATE_PEER2PEER"));
            // 63: tunnelled without peer to peer.
            let error = thrown(|| dom.migrate(dest, VIR_MIGRATE_TUNNELLED | UNSAFE));
            assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
            // A parameter that does not exist, and one of the wrong type.
            let options = #{{}};
            options["bandwith"] = 1;
            assert(thrown(|| dom.migrate(dest, 0, options)).hint.contains("bandwidth"));
            // The check before the run would find it in a literal.
            let options = #{{}};
            options["disks_port"] = "x";
            assert_eq(thrown(|| dom.migrate(dest, 0, options)).code, "VIR_ERR_INVALID_ARG");
            assert_eq(dom.state(), "running");
            assert_eq(dest.list_all_domains(), []);
            dom.destroy();
            // 18: bound to the connection that started it.
            let bound = conn.create_xml(xml, VIR_DOMAIN_START_AUTODESTROY);
            let error = thrown(|| bound.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE));
            assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
            assert_eq(bound.state(), "running");
            conn.close();
            "#
        ),
    );
}

#[test]
fn a_disk_is_copied_to_a_host_that_does_not_share_it() {
    let hosts = Hosts::start();
    let target = hosts.there.scratch().write("web.img", vec![0; 1 << 20]);
    let source = hosts.here.path("web.img");
    hosts.ok(
        "counter",
        &format!(
            r#"
            let dom = conn.create_xml(xml);
            up(dom);
            let changed = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
            changed.replace("{source}", "{}");
            let options = #{{
                destination_xml: changed,
                migrate_disks: ["hda"],
            }};
            let moved = dom.migrate(dest, VIR_MIGRATE_LIVE | VIR_MIGRATE_NON_SHARED_DISK, options);
            assert_eq(moved.state(), "running");
            moved.destroy();
            "#,
            target.display()
        ),
    );
    let (copy, original) = (std::fs::read(&target), std::fs::read(&source));
    assert_eq!(
        copy.expect("the copy is there"),
        original.expect("the disk is there")
    );
}

#[test]
fn limits_of_migrations_are_set_and_read() {
    let hosts = Hosts::start();
    hosts.ok(
        "counter",
        r#"
        let dom = conn.create_xml(xml);
        dom.migrate_set_max_speed("1GiB", 0);
        assert_eq(dom.migrate_get_max_speed(0), 1024);
        dom.migrate_set_max_downtime(750, 0);
        assert_eq(dom.migrate_get_max_downtime(0), 750);
        dom.migrate_set_compression_cache("64MiB", 0);
        assert_eq(dom.migrate_get_compression_cache(0), 67108864);
        assert_eq(dom.job_info().type, "none");
        // The figures of the last job outlive it.
        let moved = dom.migrate(dest, VIR_MIGRATE_LIVE | UNSAFE);
        let stats = moved.job_stats(VIR_DOMAIN_JOB_STATS_COMPLETED);
        assert_eq(stats.type, "completed");
        assert(stats.memory_total > 0);
        moved.destroy();
        "#,
    );
}

/// A migration that takes minutes, unless something ends it.
const SLOW: &str = r#"
    let dom = conn.create_xml(xml);
    dom.migrate_set_max_speed(1, 0);
    let slow = #{ bandwidth: 1 };
"#;

#[test]
fn an_aborted_migration_leaves_the_guest_where_it_was() {
    let hosts = Hosts::start();
    hosts.ok(
        "hammer",
        &format!(
            r#"{SLOW}
            // 72: aborted from elsewhere once it is under way.
            let ends = parallel(["migrate", "abort"], 2, |what| {{
                if what == "migrate" {{
                    thrown(|| dom.migrate(dest, VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE, slow)).code
                }} else {{
                    let watcher = connect();
                    let job = watcher.lookup_by_name("web");
                    while job.job_info().type == "none" {{ sleep("20ms"); }}
                    let during = job.job_stats();
                    job.abort_job();
                    during.type
                }}
            }});
            assert_eq(ends[0], "VIR_ERR_OPERATION_ABORTED");
            assert(ends[1] != "none");
            assert_eq(dom.state(), "running");
            assert_eq(dest.list_all_domains(), []);
            // Post-copy cannot be begun without its flag, nor outside a migration.
            assert_eq(thrown(|| dom.migrate_start_post_copy(0)).code, "VIR_ERR_OPERATION_INVALID");
            dom.destroy();
            "#
        ),
    );
}

/// Starts a script that migrates slowly in its own process, and waits until the migration is under
/// way.
fn migrating(hosts: &Hosts, flags: &str, call: &str) -> Child {
    let script = hosts.script(
        "hammer",
        &format!(
            r#"{SLOW} let flags = {flags} | VIR_MIGRATE_LIVE | UNSAFE; print("going"); {call}"#
        ),
    );
    let mut child = hosts.here.virhai().script(script.clone()).command();
    let mut child = child
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    input
        .write_all(script.as_bytes())
        .expect("the script is read");
    drop(input);
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("standard output is a pipe"))
        .read_line(&mut line)
        .expect("the script tells that it goes");
    hosts.here.ok(r#"let dom = connect().lookup_by_name("web");
           while dom.job_info().type == "none" { sleep("20ms"); }"#);
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("the process can be told");
}

#[test]
fn an_interrupt_aborts_a_migration() {
    let hosts = Hosts::start();
    let mut child = migrating(&hosts, "0", "dom.migrate(dest, flags, slow);");
    send(&child, Signal::SIGINT);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    hosts.here.ok(r#"let dom = connect().lookup_by_name("web");
           assert_eq(dom.state(), "running");
           assert_eq(dom.job_info().type, "none");"#);
    assert_eq!(
        virhai()
            .arg("-c")
            .arg(hosts.there.uri())
            .arg("-e")
            .arg("connect().num_of_domains()")
            .ok(),
        "0\n"
    );
}

#[test]
fn an_interrupt_leaves_the_jobs_of_others_alone() {
    let hosts = Hosts::start();
    let mut other = migrating(&hosts, "0", "dom.migrate(dest, flags, slow);");
    // The guest is transient, so libvirt would refuse a managed save at once.
    let file = hosts.here.path("web.save");
    let child = hosts.here.virhai().arg("-e").arg(format!(
        r#"let dom = connect().lookup_by_name("web"); print("going"); dom.save("{file}");"#
    ));
    let mut child = child.command().spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("standard output is a pipe"))
        .read_line(&mut line)
        .expect("the script tells that it goes");
    // The save waits for the migration to end. There is no event for that: give it time to begin.
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        child.try_wait().expect("it can be asked").is_none(),
        "the save is under way"
    );
    send(&child, Signal::SIGINT);
    hosts.here.ok(
        r#"sleep("2s"); // Time for an abort, of which there is no event.
           assert(connect().lookup_by_name("web").job_info().type != "none");"#,
    );
    send(&child, Signal::SIGINT);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    send(&other, Signal::SIGINT);
    assert_eq!(other.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_migration_whose_client_dies_is_rolled_back() {
    let hosts = Hosts::start();
    // 73: direct, the client carries it.
    let mut child = migrating(&hosts, "0", "dom.migrate(dest, flags, slow);");
    send(&child, Signal::SIGKILL);
    child.wait().expect("it ends");
    hosts.here.ok(r#"
        let dom = connect().lookup_by_name("web");
        while dom.job_info().type != "none" { sleep("50ms"); }
        assert_eq(dom.state(), "running");
        "#);
}

#[test]
fn a_peer_to_peer_migration_goes_on_without_its_client() {
    let hosts = Hosts::start();
    // 73: peer to peer, the daemons carry it.
    let call = format!(
        "dom.migrate_to_uri(\"{}\", flags, slow);",
        hosts.there.uri()
    );
    let mut child = migrating(&hosts, "VIR_MIGRATE_PEER2PEER", &call);
    send(&child, Signal::SIGKILL);
    child.wait().expect("it ends");
    let dest = hosts.there.uri();
    hosts.here.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        assert(dom.job_info().type != "none", "the job is still there");
        dom.migrate_set_max_downtime(20000, 0);
        dom.migrate_set_max_speed(1000, 0);
        dom.wait("shutoff", "60s");
        assert_eq(connect("{dest}").lookup_by_name("web").state(), "running");
        "#
    ));
}
