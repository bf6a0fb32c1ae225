//! Handles of every kind: thousands of dropped handles leave nothing behind, and the use of a
//! handle that outlives its object, its connection or its daemon is an error.

use std::fmt::Write;
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Child;
use std::time::{Duration, Instant};

use crate::support::{Daemon, Host, NetHost, Run, virhai};

/// A kind of handle: its name, the number of handles to make, and the code that makes one.
type Made<'a> = (&'a str, usize, &'a str);

/// The memory by which a process may grow from hundreds of handles to thousands.
const GROWTH_KIB: usize = 1024;

/// The objects of each kind on the test driver.
const PARTS: &str = r#"
let conn = connect("test:///default");
let dom = conn.lookup_by_name("test");
let pool = conn.storage_pool_lookup_by_name("default-pool");
dom.snapshot_create_xml("<domainsnapshot><name>s</name></domainsnapshot>");
pool.create_xml("<volume><name>v</name><capacity>1048576</capacity></volume>");
let other = conn.define_xml("<domain type='test'><name>other</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='file'><source file='/x'/><target dev='vda'/></disk></devices></domain>");
other.create();
other.checkpoint_create_xml("<domaincheckpoint><name>c</name></domaincheckpoint>");
"#;

#[test]
fn handles_that_are_dropped_leave_no_memory_and_no_file_behind() {
    let kinds: [Made; 18] = [
        ("connection", 800, "connect(\"test:///default\")"),
        ("domain", 4000, "conn.lookup_by_name(\"test\")"),
        ("domains", 2000, "conn.list_all_domains()"),
        ("snapshot", 4000, "dom.snapshot_lookup_by_name(\"s\")"),
        ("checkpoint", 4000, "other.checkpoint_lookup_by_name(\"c\")"),
        ("network", 4000, "conn.network_lookup_by_name(\"default\")"),
        (
            "pool",
            4000,
            "conn.storage_pool_lookup_by_name(\"default-pool\")",
        ),
        ("volume", 4000, "pool.storage_vol_lookup_by_name(\"v\")"),
        ("interface", 4000, "conn.interface_lookup_by_name(\"eth1\")"),
        (
            "device",
            4000,
            "conn.node_device_lookup_by_name(\"computer\")",
        ),
        ("stream", 4000, "conn.new_stream()"),
        ("xml", 500, "dom.xml()"),
        (
            "error",
            1000,
            "try { conn.lookup_by_name(\"none\") } catch (err) { err }",
        ),
        (
            "statistics",
            2000,
            "[conn.get_all_domain_stats(), dom.vcpus(), conn.get_cpu_map()]",
        ),
        (
            "parameters",
            2000,
            "dom.set_scheduler_parameters(dom.scheduler_parameters())",
        ),
        (
            "definition",
            300,
            "conn.network_define_xml(\"<network><name>n</name></network>\").undefine()",
        ),
        (
            "wait",
            300,
            "try { conn.wait_event(\"lifecycle\", 0) } catch {}",
        ),
        (
            "watch",
            150,
            "{ let own = connect(\"test:///default\"); try { own.wait_event(\"lifecycle\", 0) } catch {} own.close(); }",
        ),
    ];
    let grown = growth(&virhai(), &Gate::new(), PARTS, &kinds);
    nothing_grows(&grown);

    // The measurement notices handles that a script keeps.
    let kept: [Made; 1] = [(
        "kept",
        8000,
        "kept.push(pool.storage_vol_lookup_by_name(\"v\"))",
    )];
    let grown = growth(
        &virhai(),
        &Gate::new(),
        &format!("{PARTS} let kept = [];"),
        &kept,
    );
    assert!(grown[0].kib > GROWTH_KIB, "{grown:?}");
}

#[test]
fn handles_of_a_daemon_that_are_dropped_leave_nothing_behind() {
    let host = Daemon::start();
    let parts = format!(
        r#"
let conn = connect();
let secret = conn.secret_define_xml("<secret><usage type='volume'><volume>/a</volume></usage></secret>");
let uuid = secret.uuid;
let admin = connect_admin();
let server = admin.lookup_server("admin");
let pool = conn.storage_pool_create_xml("<pool type='dir'><name>images</name><target><path>{}</path></target></pool>");
let vol = pool.create_xml("<volume><name>v</name><capacity>1048576</capacity></volume>");
let dom = conn.create_xml(`{}`, VIR_DOMAIN_START_PAUSED);
"#,
        host.scratch().folder("images").display(),
        host.micro("counter", "web")
    );
    let kinds: [Made; 9] = [
        ("connection", 60, "connect(conn.uri)"),
        ("secret", 1000, "conn.secret_lookup_by_uuid(uuid)"),
        ("stream", 300, "conn.new_stream()"),
        // Transfers wait for the host through a callback of libvirt: a lost callback leaves memory
        // and a stream behind.
        ("transfer", 200, "vol.download(0, 65536)"),
        (
            "broken transfer",
            200,
            "{ let s = conn.new_stream(); vol.download(s, 0, 0); s.recv(512); }",
        ),
        (
            "console",
            150,
            "dom.open_console((), VIR_DOMAIN_CONSOLE_FORCE)",
        ),
        (
            "watch",
            30,
            "{ let own = connect(conn.uri); try { own.wait_event(\"lifecycle\", 0) } catch {} own.close(); }",
        ),
        ("client", 300, "server.list_clients()"),
        ("admin", 12, "connect_admin(admin.uri)"),
    ];
    nothing_grows(&growth(&host.virhai_admin(), &Gate::new(), &parts, &kinds));
}

#[test]
fn handles_of_network_filters_and_ports_leave_nothing_behind() {
    let Some(host) = NetHost::start() else { return };
    host.make_tap("tap0");
    let parts = format!("{NETWORK_PARTS} let uuid = port.uuid;");
    let kinds: [Made; 3] = [
        ("filter", 500, "conn.nwfilter_lookup_by_name(\"calm\")"),
        (
            "binding",
            500,
            "conn.nwfilter_binding_lookup_by_port_dev(\"tap0\")",
        ),
        ("port", 500, "net.port_lookup_by_uuid(uuid)"),
    ];
    nothing_grows(&growth(&host.virhai(), &Gate::Asleep, &parts, &kinds));
}

/// A filter, its binding, and a port of a network.
const NETWORK_PARTS: &str = r#"
let conn = connect();
let filter = conn.nwfilter_define_xml("<filter name='calm'/>");
let binding = conn.nwfilter_binding_create_xml("<filterbinding><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><portdev name='tap0'/><mac address='52:54:00:00:00:01'/><filterref filter='calm'/></filterbinding>");
let net = conn.network_create_xml("<network><name>lab</name><bridge name='lab0'/></network>");
let port = net.port_create_xml("<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>");
"#;

/// The resources that a process has after many handles of a kind, but not after a few.
#[derive(Debug)]
struct Growth {
    kind: String,
    kib: usize,
    files: usize,
    threads: usize,
}

fn nothing_grows(growth: &[Growth]) {
    let grows = |it: &&Growth| it.kib > GROWTH_KIB || it.files > 4 || it.threads > 4;
    let kinds = growth.iter().filter(grows).map(|it| it.kind.as_str());
    let kinds: Vec<&str> = kinds.collect();
    assert!(kinds.is_empty(), "{kinds:?} of {growth:#?}");
}

/// Fills memory that was freed before the first handle: leaks would go there first and be noticed
/// late.
const BALLAST: &str = "let ballast = []; for i in 0..80000 { ballast.push(\"x\".repeat(200)); }";

/// Makes a script wait until it has been measured.
enum Gate {
    /// The script waits until the test accepts a connection at this address.
    Open(SocketAddr),
    /// The program is in its own network namespace, and is measured while it sleeps.
    Asleep,
}

impl Gate {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
        Self::Open(listener.local_addr().expect("it is bound"))
    }

    /// The code that waits.
    fn code(&self) -> String {
        let Self::Open(address) = self else {
            return "print(\"measure\"); sleep(\"200ms\");".to_owned();
        };
        // After the answer, waits until there is no answer, so that one does not end two waits.
        let answers = format!("tcp_answers(\"127.0.0.1\", {}, \"5s\")", address.port());
        format!(
            "print(\"measure\"); while !{answers} {{ sleep(\"2ms\"); }} while {answers} {{ sleep(\"2ms\"); }}"
        )
    }

    fn open(&self) {
        if let Self::Open(address) = self {
            let listener = TcpListener::bind(address).expect("the port is free again");
            let _ = listener.accept();
        }
    }
}

/// Runs a script that makes handles of each kind, and measures it after a few and after all of them.
fn growth(program: &Run, gate: &Gate, parts: &str, kinds: &[Made]) -> Vec<Growth> {
    let measured = gate.code();
    let mut script = format!("{parts}\n{BALLAST}\n{measured}\n");
    for (_, count, make) in kinds {
        for count in [count / 5 + 1, *count] {
            let _ = writeln!(script, "for i in 0..{count} {{ {make}; }} {measured}");
        }
    }
    let run = program
        .clone()
        .arg("--no-check")
        .arg("--allow-net")
        .arg("127.0.0.1");
    let (mut child, mut output) = run.script(script).started();
    let mut usages = Vec::new();
    let mut line = String::new();
    while output.read_line(&mut line).is_ok_and(|length| length > 0) {
        let mut usage = Usage::of(&child);
        // Threads close the last connections, while the script waits.
        if let (Gate::Open(_), Some(before), 0) = (gate, usages.last(), usages.len() % 2) {
            let until = Instant::now() + Duration::from_secs(5);
            while usage.has_more_than(before) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
                usage = Usage::of(&child);
            }
        }
        usages.push(usage);
        line.clear();
        gate.open();
    }
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert_eq!(usages.len(), 1 + 2 * kinds.len());
    let pairs = usages[1..].chunks(2).zip(kinds);
    pairs
        .map(|(usages, (kind, ..))| Growth {
            kind: (*kind).to_owned(),
            kib: usages[1].kib.saturating_sub(usages[0].kib),
            files: usages[1].files.saturating_sub(usages[0].files),
            threads: usages[1].threads.saturating_sub(usages[0].threads),
        })
        .collect()
}

/// The resources of a process at one time.
struct Usage {
    kib: usize,
    files: usize,
    threads: usize,
}

impl Usage {
    fn has_more_than(&self, before: &Self) -> bool {
        self.files > before.files || self.threads > before.threads
    }

    fn of(child: &Child) -> Self {
        // With a network namespace, the child is the program that creates it, and virhai is below
        // that.
        let mut process = child.id().to_string();
        while let Some(inner) = children(&process) {
            process = inner;
        }
        let folder = format!("/proc/{process}");
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let digits = line.and_then(|line| line.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
        };
        let count =
            |name: &str| std::fs::read_dir(format!("{folder}/{name}")).map_or(0, Iterator::count);
        Self {
            kib: number("VmRSS:"),
            files: count("fd"),
            threads: count("task"),
        }
    }
}

/// The only child of `process` if it is the program or leads to it.
fn children(process: &str) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.ok()?;
    let first = children.split_whitespace().next().map(str::to_owned);
    first.filter(|_| name.trim() != "virhai")
}

#[test]
fn a_handle_that_outlives_its_connection_is_an_error() {
    virhai()
        .script(format!(
            r#"{PARTS}
            let volume = pool.storage_vol_lookup_by_name("v");
            let snapshot = dom.snapshot_lookup_by_name("s");
            let checkpoint = other.checkpoint_lookup_by_name("c");
            let net = conn.network_lookup_by_name("default");
            let interface = conn.interface_lookup_by_name("eth1");
            let device = conn.node_device_lookup_by_name("computer");
            let stream = conn.new_stream();
            conn.close();
            let tasks = #{{
                connection: || conn.list_all_domains(), look_up: || conn.lookup_by_name("test"), event: || conn.wait_event("lifecycle", 1),
                domain: || dom.xml_desc(), domain_change: || dom.destroy(), snapshot: || snapshot.get_xml_desc(), snapshot_change: || snapshot.delete(),
                checkpoint: || checkpoint.get_xml_desc(), network: || net.destroy(), pool: || pool.info(), volume: || volume.delete(),
                interface: || interface.undefine(), device: || device.destroy(), stream: || stream.recv(1), wait: || dom.wait("running", 1),
                of_snapshot: || snapshot.get_domain().state(), of_volume: || volume.storage_pool_lookup_by_volume().info(),
            }};
            for name in tasks.keys() {{
                let code = "none";
                try {{ tasks[name].call(); }} catch (err) {{ code = err.code; }}
                assert_eq(`${{name}}: ${{code}}`, `${{name}}: VIR_ERR_INVALID_CONN`);
            }}
            assert_eq([dom.name, pool.name, volume.name, net.name], ["test", "default-pool", "v", "default"]);
            "#
        ))
        .ok();
}

#[test]
fn a_handle_that_outlives_its_object_is_an_error() {
    virhai()
        .script(format!(
            r#"{PARTS}
            let volume = pool.storage_vol_lookup_by_name("v");
            let snapshot = dom.snapshot_lookup_by_name("s");
            let checkpoint = other.checkpoint_lookup_by_name("c");
            let net = conn.network_define_xml("<network><name>gone</name></network>");
            let interface = conn.interface_lookup_by_name("eth1");
            let device = conn.node_device_create_xml("<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'><wwnn>2000000012340001</wwnn><wwpn>1000000012340001</wwpn></capability></capability></device>");
            let transient = conn.create_xml("<domain type='test'><name>brief</name><memory>65536</memory><os><type>hvm</type></os></domain>");
            snapshot.delete(); checkpoint.delete(); volume.delete(); net.undefine(); device.destroy(); transient.destroy();
            interface.destroy(); interface.undefine();
            let empty = conn.storage_pool_define_xml("<pool type='dir'><name>empty</name><target><path>/x</path></target></pool>");
            empty.undefine();
            let tasks = #{{
                DOMAIN: [|| transient.xml_desc(), || transient.create(), || transient.info()],
                DOMAIN_SNAPSHOT: [|| snapshot.get_xml_desc(), || snapshot.delete(), || dom.revert_to_snapshot(snapshot)],
                DOMAIN_CHECKPOINT: [|| checkpoint.get_xml_desc(), || checkpoint.delete()],
                STORAGE_VOL: [|| volume.info(), || volume.delete(), || volume.xml_desc()],
                STORAGE_POOL: [|| empty.info(), || empty.create(), || empty.undefine()],
                NETWORK: [|| net.xml_desc(), || net.create(), || net.undefine()],
                INTERFACE: [|| interface.xml_desc(), || interface.create(), || interface.undefine()],
                NODE_DEVICE: [|| device.xml_desc(), || device.destroy()],
            }};
            for name in tasks.keys() {{
                for task in tasks[name] {{ assert_throws(task, `VIR_ERR_NO_${{name}}`); }}
            }}
            // Other guests are not affected.
            assert_eq(dom.state(), "running");
            "#
        ))
        .ok();
}

#[test]
fn a_handle_that_outlives_its_daemon_is_an_error() {
    let mut host = Daemon::start();
    let folder = host.scratch().folder("images");
    let script = format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml("<domain type='qemu'><name>web</name><memory>65536</memory><os><type>hvm</type></os></domain>");
        let snapshot = dom.snapshot_create_xml(`<domainsnapshot><name>s</name><creationTime>1</creationTime><state>shutoff</state>${{dom.xml_desc()}}</domainsnapshot>`, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
        let net = conn.network_define_xml("<network><name>lab</name></network>");
        let pool = conn.storage_pool_create_xml("<pool type='dir'><name>images</name><target><path>{}</path></target></pool>");
        let volume = pool.create_xml("<volume><name>v</name><capacity>1048576</capacity></volume>");
        let secret = conn.secret_define_xml("<secret><usage type='volume'><volume>/a</volume></usage></secret>");
        let stream = conn.new_stream();
        volume.download(stream, 0, 0);
        print("ready");
        let hint = "no error";
        try {{ conn.wait_event("agent_lifecycle", "60s"); }} catch (err) {{ hint = `${{err.hint}}`; }}
        assert(hint.contains("connect(uri)"), hint);
        let tasks = #{{
            connection: || conn.list_all_domains(), domain: || dom.xml_desc(), change: || dom.create(), snapshot: || snapshot.get_xml_desc(),
            network: || net.xml_desc(), pool: || pool.info(), volume: || volume.info(), secret: || secret.xml_desc(), wait: || dom.wait("running", "5s"),
        }};
        for name in tasks.keys() {{
            let hint = "no error";
            try {{ tasks[name].call(); }} catch (err) {{ hint = `${{err.hint}}`; }}
            assert(hint.contains("connect(uri)") , `${{name}}: ${{hint}}`);
        }}
        let failed = false;
        try {{ loop {{ if stream.recv(65536).is_empty() {{ stream.finish(); }} }} }} catch {{ failed = true; }}
        assert(failed);
        conn.close();
        assert_throws(|| dom.xml_desc(), "VIR_ERR_INVALID_CONN");
        "#,
        folder.display()
    );
    let (child, mut output) = host.virhai().script(script).started();
    let mut line = String::new();
    output
        .read_line(&mut line)
        .expect("the program prints a line");
    if line == "ready\n" {
        host.kill();
    }
    let ended = child.wait_with_output().expect("it ends");
    assert!(ended.status.success() && line == "ready\n", "{ended:?}");
}

#[test]
fn a_network_filter_or_port_that_is_gone_is_an_error() {
    let Some(host) = NetHost::start() else { return };
    host.make_tap("tap0");
    host.virhai()
        .script(format!(
            r#"{NETWORK_PARTS}
            port.delete(); binding.delete(); filter.undefine();
            let tasks = #{{
                NETWORK_PORT: [|| port.xml_desc(), || port.delete(), || port.parameters()],
                NWFILTER_BINDING: [|| binding.xml_desc(), || binding.delete()],
                NWFILTER: [|| filter.xml_desc(), || filter.undefine()],
            }};
            for name in tasks.keys() {{
                for task in tasks[name] {{ assert_throws(task, `VIR_ERR_NO_${{name}}`); }}
            }}
            let port = net.port_create_xml("<networkport><uuid>7e1a0000-0000-4000-8000-000000000002</uuid><owner><name>web</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid></owner><mac address='52:54:00:00:00:01'/></networkport>");
            conn.close();
            for task in [|| port.xml_desc(), || filter.xml_desc(), || binding.xml_desc()] {{
                assert_throws(task, "VIR_ERR_INVALID_CONN");
            }}
            "#
        ))
        .ok();
}
