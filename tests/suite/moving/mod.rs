//! Recipes that move guests between two hosts, on real QEMU.

mod evacuation;
mod stopped;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{BlockDevice, Daemon, Host, Run, micro, micro_xml};

/// Two hosts that both have the pool `shared`, in the same folder; `there` also has the pool `own`.
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

            /// The error that `action` throws.
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
        assert_eq(result.changes, ["moved the running guest", "autostart is true"]);
        let moved = result.domain;
        assert_eq([moved.state(), moved.is_persistent(), moved.autostart()], ["running", true, true]);
        assert_eq(conn.list_all_domains(), []);
        up(moved);
        // A paused guest stays paused, and for one that is off, the configuration moves.
        moved.suspend();
        let back = migration::to(moved, conn, #{{ name: "www" }}).domain;
        assert_eq([back.name, back.state(), back.autostart()], ["www", "paused", true]);
        back.resume();
        up(back);
        back.destroy();
        let result = migration::to(back, dest, #{{}});
        assert_eq(result.changes, ["moved the configuration", "autostart is true"]);
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
        assert_eq(result.changes, [`made ${{copy.path}}`, "moved the running guest", `copied its disk hda to ${{copy.path}}`]);
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

#[test]
fn a_disk_is_copied_to_a_block_device_of_the_destination() {
    let hosts = Hosts::start();
    let name = format!("virhai-move-{}", std::process::id());
    let xml = hosts.guest("counter", &name);
    let Some(device) = BlockDevice::make(&hosts.there, &format!("{name}.img"), 1 << 20) else {
        return;
    };
    hosts.ok(&format!(
        r#"
        // Without a pool here, nobody can tell that it is one folder.
        pool::remove(conn, "shared");
        pool::create(dest, #{{ name: "devices", path: "/dev", autostart: false }});
        let dom = begin(conn, `{xml}`);
        let options = #{{ copy_storage: true, pool: "devices", overwrite: true }};
        let moved = migration::to(dom, dest, options).domain;
        for flags in [0, VIR_DOMAIN_XML_INACTIVE] {{
            let config = parse_xml(moved.xml_desc(flags));
            assert_eq(config.get("devices/disk/@type"), "block");
            assert_eq(config.get("devices/disk/source/@dev"), "{path}");
        }}
        up(moved);
        moved.destroy();
        guest::boot(moved).wait("MG:up", "30s");
        moved.destroy();
        guest::remove(moved);
        "#,
        path = device.path(),
    ));
    assert!(device.is_there());
}

#[test]
fn what_stands_against_a_move_is_told_before_anything_is_touched() {
    let hosts = Hosts::start();
    let xml = hosts.guest("counter", "web");
    let path = hosts.here.path("");
    let path = path.trim_end_matches('/');
    let iso = hosts.here.scratch().write("shared/cd.iso", b"not a CD");
    hosts.here.scratch().write("private/cd.iso", b"not a CD");
    let iso = iso.display();
    hosts.ok(&format!(
        r#"
        let xml = `{xml}`;
        let fatal = |found| found.filter(|one| one.fatal).map(|one| one.what);

        // For a guest that is off, its configuration.
        let changed = |pairs| {{
            let text = xml;
            for pair in pairs {{ text.replace(pair[0], pair[1]); }}
            let dom = conn.define_xml(text);
            let found = migration::check(dom, dest, #{{}});
            dom.undefine();
            found
        }};
        let cd = |file| ["</disk>", `</disk><disk type='file' device='cdrom'><source file='${{file}}'/><target dev='hdc' bus='ide'/></disk>`];
        assert_eq(changed.call([]), []);
        assert_eq(fatal.call(changed.call([["'MiB'>32", "'TiB'>2"]])), ["memory"]);
        assert_eq(fatal.call(changed.call([["</disk>", "</disk><interface type='network'><source network='lan'/></interface>"]])), ["network"]);
        assert_eq(changed.call([["</disk>", "</disk><interface type='bridge'><source bridge='br7'/></interface>"]])[0].what, "network");
        assert_eq(changed.call([["</disk>", "</disk><filesystem type='mount'><source dir='/tmp'/><target dir='x'/></filesystem>"]])[0].what, "folder");
        assert_eq(changed.call([cd.call("{iso}")]), []);
        assert_eq(changed.call([cd.call("{path}/private/cd.iso")]).map(|one| [one.what, one.fatal]), [["medium", false]]);
        assert_eq(fatal.call(changed.call([cd.call("{path}/shared/no.iso")])), ["medium"]);
        assert_eq(fatal.call(changed.call([["shared/web.img", "shared/no.img"]])), ["disk"]);
        assert_eq(fatal.call(changed.call([["shared/web.img", "elsewhere/web.img"]])), ["disk"]);
        assert_eq(fatal.call(changed.call([["<driver ", "<driver cache='unsafe' "]])), ["cache"]);
        assert_eq(fatal.call(changed.call([["</type>", "</type><loader readonly='yes' type='pflash'>/x</loader><nvram>/y</nvram>"]])), ["firmware"]);

        let cpu = ["</features>", "</features><cpu mode='custom' match='exact' check='partial'><model>Skylake-Server</model></cpu>"];
        let found = changed.call([cpu]);
        assert_eq(fatal.call(found), ["cpu"]);
        assert(found[0].why.contains("avx512"), found[0].why);

        // A running guest has the CPU that its host could give it, whatever was asked for.
        let text = xml;
        text.replace(cpu[0], cpu[1]);
        text.replace("partial", "none");
        let dom = begin(conn, text);
        assert_eq(migration::check(dom, dest, #{{}}), []);
        assert_eq(migration::check(dom, connect(), #{{}})[0].what, "host");

        // Another guest with its name, or with its UUID; a refusal names all that it found.
        let other = xml;
        other.replace("</name>", "</name><uuid>7e1a0000-0000-4000-8000-0000000000aa</uuid>");
        let other = dest.define_xml(other);
        assert_eq(fatal.call(migration::check(dom, dest, #{{}})), ["name"]);
        assert_eq(fatal.call(migration::check(dom, dest, #{{ accept: ["name"] }})), []);
        assert_eq(fatal.call(migration::check(dom, dest, #{{ name: "www" }})), []);
        let copy = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
        copy.replace(">web<", ">copy<");
        let copy = dest.define_xml(copy);
        let error = thrown(|| migration::to(dom, dest, #{{}}));
        assert_eq(error.findings.map(|one| one.what), ["uuid", "name"]);
        assert(error.message.contains("cannot move `web` to qemu+unix"), error.message);
        assert(error.hint.contains("undefine it there"), error.hint);
        assert_eq([dom.state(), dest.list_all_domains().len()], ["running", 2]);
        for one in [other, copy] {{ one.undefine(); }}

        // Without a common pool, a disk is copied, if there is room for it.
        pool::remove(conn, "shared");
        let fatal_of = |options| fatal.call(migration::check(dom, dest, options));
        assert_eq(fatal_of.call(#{{}}), ["disk"]);
        assert_eq(fatal_of.call(#{{ shared_storage: true }}), []);
        assert_eq(fatal_of.call(#{{ copy_storage: true, pool: "none" }}), ["copy"]);
        assert_eq(fatal_of.call(#{{ copy_storage: true, pool: "own" }}), []);
        let own = dest.storage_pool_lookup_by_name("own");
        let taken = own.create_xml(xml("volume", #{{ name: "web.img", capacity: 65536 }}));
        let found = migration::check(dom, dest, #{{ copy_storage: true, pool: "own", overwrite: true }});
        assert(found[0].why.contains("has 65536 bytes"), found.to_string());
        taken.delete();
        own.create_xml(xml("volume", #{{ name: "web.img", capacity: 1048576 }}));
        assert_eq(fatal_of.call(#{{ copy_storage: true, pool: "own" }}), ["copy"]);
        assert_eq(fatal_of.call(#{{ copy_storage: true, pool: "own", overwrite: true }}), []);
        pool::create(dest, #{{ name: "devices", path: "/dev", autostart: false }});
        let found = migration::check(dom, dest, #{{ copy_storage: true, pool: "devices" }});
        assert(found[0].why.contains("the pool `devices` of the destination has no device `web.img`"), found.to_string());

        // The error for an unknown option lists the known ones.
        assert(thrown(|| migration::check(dom, dest, parse_json(`{{"copy_storge": true}}`))).hint.contains("copy_storage"));
        assert(thrown(|| migration::check(dom, dest, parse_json(`{{"accept": ["cpus"]}}`))).message.contains("must be \"host\""));

        // libvirt moves no guest with snapshots.
        let kept = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE);
        let snapshot = dom.snapshot_create_xml(
            `<domainsnapshot><name>one</name><state>shutoff</state><creationTime>1</creationTime>${{kept}}</domainsnapshot>`,
            VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
        assert_eq(fatal.call(migration::check(dom, dest, #{{ shared_storage: true }})), ["snapshots"]);
        snapshot.delete(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY);

        // A managed save would stay behind.
        dom.managed_save();
        assert_eq(fatal.call(migration::check(dom, dest, #{{ shared_storage: true }})), ["managed save"]);
        dom.managed_save_remove();
        "#
    ));
}

/// The state after a failed move: `dom` runs here, and nothing is left there.
const AS_BEFORE: &str = r#"
    assert_eq([dom.state(), dom.connect()], ["running", conn]);
    assert_eq(dest.list_all_domains(), []);
    dest.storage_pool_lookup_by_name("own").refresh();
    assert_eq(dest.storage_pool_lookup_by_name("own").list_volumes(), []);
"#;

#[test]
fn a_move_that_fails_leaves_both_hosts_as_they_were() {
    let hosts = Hosts::start();
    let (web, bound) = (
        hosts.guest("counter", "web"),
        hosts.guest("counter", "bound"),
    );
    let hammer = hosts.guest("hammer", "hammer");
    hosts.ok(&format!(
        r#"
        pool::remove(conn, "shared");
        let copied = #{{ copy_storage: true, pool: "own" }};

        // Only libvirt's refusal shows that a guest is bound to its client.
        let dom = conn.create_xml(`{bound}`, VIR_DOMAIN_START_AUTODESTROY);
        let error = thrown(|| migration::to(dom, dest, copied));
        assert_eq(error.code, "VIR_ERR_OPERATION_INVALID");
        {AS_BEFORE}
        dom.destroy();

        // Aborted on the way.
        let dom = conn.create_xml(`{hammer}`);
        let ends = parallel(["move", "abort"], 2, |what| {{
            if what == "move" {{
                thrown(|| migration::to(dom, dest, copied + #{{ params: #{{ bandwidth: 1 }} }})).code
            }} else {{
                let job = connect().lookup_by_name("hammer");
                while job.job_info().type == "none" {{ sleep("20ms"); }}
                job.abort_job();
            }}
        }});
        assert_eq(ends[0], "VIR_ERR_OPERATION_ABORTED");
        {AS_BEFORE}
        dom.destroy();

        // It arrived, and what came after it failed.
        let dom = begin(conn, `{web}`);
        dom.set_autostart(true);
        let kinds = [VIR_DOMAIN_XML_INACTIVE, VIR_DOMAIN_XML_MIGRATABLE];
        let before = kinds.map(|kind| parse_xml(dom.xml_desc(kind)));
        let error = thrown(|| all_or_nothing(|undo| {{
            up(migration::to(dom, dest, copied).domain);
            throw "no";
        }}));
        assert_eq(error.message, "no");
        let dom = conn.lookup_by_name("web");
        {AS_BEFORE}
        for place in 0..2 {{ assert_eq(before[place].diff(parse_xml(dom.xml_desc(kinds[place]))), []); }}
        assert(dom.autostart());
        up(dom);
        "#
    ));
    assert_eq!(hosts.boots("web"), 1, "the guest never booted again");
}

#[test]
fn a_move_that_is_cut_off_at_any_stage_leaves_both_hosts_as_they_were() {
    let hosts = Hosts::start();
    let xml = hosts.guest("counter", "web");
    hosts.ok(&format!(
        "pool::remove(conn, \"shared\"); begin(conn, `{xml}`).set_autostart(true);"
    ));
    let (mut operations, mut cuts) = (1300, 0);
    loop {
        let outcome = hosts
            .script("migration::to(conn.lookup_by_name(\"web\"), dest, #{ copy_storage: true, pool: \"own\" })")
            .arg("--max-operations")
            .arg(operations.to_string())
            .run();
        if outcome.status == 0 {
            break;
        }
        assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
        hosts.ok(&format!(
            "let dom = conn.lookup_by_name(\"web\"); assert(dom.autostart() && dom.is_persistent()); {AS_BEFORE}"
        ));
        cuts += 1;
        operations += 150;
    }
    assert!(cuts > 5, "it was cut off {cuts} times only");
    assert_eq!(hosts.boots("web"), 1, "the guest never booted again");
}

#[test]
fn an_interrupted_move_leaves_both_hosts_as_they_were() {
    let hosts = Hosts::start();
    let xml = hosts.guest("hammer", "web");
    let script = hosts.text(&format!(
        r#"
        pool::remove(conn, "shared");
        let dom = conn.create_xml(`{xml}`);
        print("going");
        migration::to(dom, dest, #{{ copy_storage: true, pool: "own", params: #{{ bandwidth: 1 }} }})
        "#
    ));
    let mut child = hosts
        .here
        .virhai()
        .script(script.clone())
        .command()
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    input.write_all(script.as_bytes()).expect("it is read");
    drop(input);
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("standard output is a pipe"))
        .read_line(&mut line)
        .expect("the script tells that it goes");
    hosts.ok(
        r#"let dom = conn.lookup_by_name("web"); while dom.job_info().type == "none" { sleep("20ms"); }
           assert_eq(dest.storage_pool_lookup_by_name("own").list_volumes(), ["web.img"]);"#,
    );
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGINT).expect("the process can be told");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    hosts.ok(&format!(
        r#"let dom = conn.lookup_by_name("web"); {AS_BEFORE} assert_eq(dom.job_info().type, "none");"#
    ));
}
