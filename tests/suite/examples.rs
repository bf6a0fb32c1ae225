//! The examples in the documentation, run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rhai::Engine;
use virhai::catalog::{self, Function};
use virhai::engine::{self, Limits};
use virhai::{Imports, Session, SessionOptions};

use super::constants::version;
use crate::support::{
    Daemon, Embed, Host, NetHost, Outcome, Run, Scratch, agent_xml, micro, skip, virhai,
};

/// An example, and where it stands.
struct Example {
    function: String,
    code: String,
}

fn engine() -> Engine {
    let session = Session::new(SessionOptions::default());
    engine::build(&session, &Limits::default(), Imports::default())
}

/// The examples whose fence says `rhai,TAG`, or `rhai` alone for an empty tag.
fn examples(tag: &str) -> Vec<Example> {
    let functions = catalog::functions(&engine());
    let of = |function: &Function| {
        let signature = format!("{}({})", function.name, function.taken());
        let examples = function
            .examples()
            .into_iter()
            .filter(|(kind, _)| kind == tag);
        examples
            .map(|(_, code)| Example {
                function: signature.clone(),
                code,
            })
            .collect::<Vec<_>>()
    };
    functions.iter().flat_map(of).collect()
}

/// Runs `work` on each example on `threads` threads, and shows all failures at once.
fn check(examples: &[Example], threads: usize, work: impl Fn(usize, &Example) -> Outcome + Sync) {
    assert!(
        !examples.is_empty(),
        "the catalogue has examples of this kind"
    );
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, failures, work) = (&next, &failures, &work);
            scope.spawn(move || {
                while let Some(example) = examples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = work(thread, example);
                    if outcome.status != 0 {
                        let Example { function, code } = example;
                        let failure = format!("=== {function}\n{code}{outcome}");
                        failures.lock().expect("no thread panicked").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panicked");
    let (bad, all) = (failures.len(), examples.len());
    assert!(
        bad == 0,
        "{bad} of {all} examples fail\n{}",
        failures.join("\n")
    );
}

/// The example with its files in `scratch`; the code `before` it is on one line with its first
/// line, so that line numbers stay.
fn script(before: &str, example: &Example, scratch: &Scratch) -> String {
    let folder = format!("{}/", scratch.text("").trim_end_matches('/'));
    let before: Vec<&str> = before.lines().map(str::trim).collect();
    format!(
        "{} {}",
        before.join(" "),
        example.code.replace("/tmp/", &folder)
    )
}

fn run(run: Run, before: &str, example: &Example, scratch: &Scratch) -> Outcome {
    run.arg("--timeout")
        .arg("4m")
        .script(script(before, example, scratch))
        .run()
}

/// Functions that the test driver of an older libvirt lacks, each with an expression that is false there.
const NEWER: [(&str, &str); 3] = [
    (
        "get_free_pages(",
        "!connect().get_free_pages([4], 0, 1).is_empty()",
    ),
    ("is_active(NodeDevice)", HAS_NODE_DEVICE_STATES),
    ("is_persistent(NodeDevice)", HAS_NODE_DEVICE_STATES),
];
const HAS_NODE_DEVICE_STATES: &str = r#"
    let found = true;
    let dev = connect().list_all_devices()[0];
    try { dev.is_active(); } catch (err) { assert_eq(err.code, "VIR_ERR_NO_SUPPORT"); found = false; }
    found
"#;

/// True if the test driver of this libvirt supports the example; if not, prints that it is skipped.
fn is_in_the_test_driver(example: &Example) -> bool {
    let newer = NEWER.iter();
    let mut newer = newer.filter(|(function, _)| example.function.starts_with(function));
    let lacking = newer.any(|(_, expression)| {
        let host = virhai().arg("-c").arg("test:///default");
        host.script(*expression).ok().trim() == "false"
    });
    if lacking {
        let function = &example.function;
        skip(format!(
            "the example of {function}: the test driver of this libvirt lacks it"
        ));
    }
    !lacking
}

#[test]
fn every_plain_example_runs_on_the_test_driver() {
    let examples = examples("").into_iter().filter(is_in_the_test_driver);
    check(&examples.collect::<Vec<_>>(), 4, |_, example| {
        let scratch = Scratch::new();
        let files = scratch.path("");
        let program = virhai()
            .arg("-c")
            .arg("test:///default")
            .arg("--allow-read")
            .arg(&files)
            .arg("--allow-write")
            .arg(&files);
        let programs = ["echo", "false", "sort"].into_iter();
        let program = programs.fold(program, |run, name| run.arg("--allow-run").arg(name));
        run(program, "", example, &scratch)
    });
}

/// Puts `web` into the state that every example starts from, whatever the previous one left behind.
///
/// libvirt first has to take over a guest that another process started. A `suspend` waits for that;
/// a `destroy` before it ends the guest, but fails with the error that there is no such domain.
const RESTORE_WEB: &str = r#"{
    let conn = connect();
    let dom = conn.define_xml(`XML`);
    if dom.has_managed_save_image() { dom.managed_save_remove(); }
    if dom.state() == "paused" { dom.resume(); }
    if dom.is_active() { dom.suspend(); dom.resume(); } else { dom.create(); }
    dom.open_console("serial0", VIR_DOMAIN_CONSOLE_FORCE).wait("MG:c=", "30s");
}"#;

#[test]
fn every_example_for_qemu_runs_on_an_embedded_one() {
    let hosts: Vec<(Embed, String)> = (0..2)
        .map(|_| {
            let host = Embed::new();
            let uuid = "</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid>";
            let xml = host.micro("counter", "web").replace("</name>", uuid);
            (host, RESTORE_WEB.replace("XML", &xml))
        })
        .collect();
    check(&examples("qemu"), hosts.len(), |thread, example| {
        let (host, restore) = &hosts[thread];
        run(host.virhai(), restore, example, host.scratch())
    });
}

/// Puts the pool `images` into the state that every example starts from: one volume of zeros, and
/// no others.
const RESTORE_IMAGES: &str = r#"{
    let conn = connect();
    for pool in conn.list_all_storage_pools() {
        if pool.is_active() {
            for vol in pool.list_all_volumes() { vol.delete(); }
            pool.destroy();
        }
        pool.undefine();
    }
    let pool = conn.storage_pool_define_xml("<pool type='dir'><name>images</name><target><path>IMAGES</path></target></pool>");
    pool.create();
    pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
}"#;

#[test]
fn every_example_of_storage_runs_in_a_real_pool() {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    let restore = RESTORE_IMAGES.replace("IMAGES", &folder.display().to_string());
    check(&examples("pool"), 1, |_, example| {
        let grants = host.scratch().path("");
        let program = host
            .virhai()
            .arg("--allow-read")
            .arg(&grants)
            .arg("--allow-write")
            .arg(&grants);
        run(program, &restore, example, host.scratch())
    });
}

/// Runs the examples one after the other in one program, since each takes only a moment; `before`
/// runs before each.
fn run_together(host: &impl Host, tag: &str, before: &str) {
    run_examples_together(host.virhai(), &examples(tag), before);
}

fn run_examples_together(program: Run, examples: &[Example], before: &str) {
    assert!(
        !examples.is_empty(),
        "the catalogue has examples of this kind"
    );
    let blocks = examples.iter().map(|example| {
        format!(
            "// {}\n{{\n{before}\n}}\n{{\n{}}}\n",
            example.function, example.code
        )
    });
    program.script(blocks.collect::<String>()).ok();
}

#[test]
fn every_example_for_a_daemon_runs_on_one() {
    let host = Daemon::start();
    let disk = host.path("web.qcow2");
    let made = std::process::Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", &disk, "1M"])
        .status();
    assert!(made.expect("qemu-img is installed").success());
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&disk, everyone).expect("the file is ours");
    let before = format!(
        "let conn = connect();
        for secret in conn.list_all_secrets() {{ secret.undefine(); }}
        for dom in conn.list_all_domains() {{
            if dom.is_active() {{ dom.destroy(); }}
            dom.undefine(VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA);
        }}
        conn.define_xml(`<domain type='qemu'><name>web</name><memory unit='MiB'>32</memory>
            <os><type arch='x86_64' machine='pc'>hvm</type></os>
            <devices><disk type='file'><driver name='qemu' type='qcow2'/><source file='{disk}'/><target dev='vda'/></disk></devices></domain>`);"
    );
    run_together(&host, "daemon", &before);
}

#[test]
fn every_example_of_the_admin_api_runs_on_a_daemon() {
    let (ending, other): (Vec<Example>, Vec<Example>) = examples("admin")
        .into_iter()
        .partition(|example| example.code.contains("daemon_shutdown"));
    let mut host = Daemon::start();
    run_examples_together(host.virhai_admin(), &other, "");
    for example in ending {
        if version() < vec![11, 2, 0] {
            break;
        }
        let outcome = run(host.virhai_admin(), "", &example, host.scratch());
        assert_eq!(outcome.status, 0, "{}: {outcome}", example.function);
        host.kill();
        host.launch();
    }
}

/// Removes the bindings, filters and networks of the previous example.
const NOTHING_LEFT: &str = "let conn = connect();
    for binding in conn.list_all_nw_filter_bindings() { binding.delete(); }
    for filter in conn.list_all_nw_filters() { filter.undefine(); }
    for net in conn.list_all_networks() { net.destroy(); }";

#[test]
fn every_example_for_a_daemon_of_root_runs_on_one() {
    let Some(host) = NetHost::start() else { return };
    host.make_tap("tap0");
    run_together(&host, "root", NOTHING_LEFT);
}

/// Makes `web` run with its agent, and leaves it so.
const KEEP_AGENT: &str = r#"{
    let conn = connect();
    let dom = conn.define_xml(`XML`);
    if !dom.is_active() {
        conn.wait_event(#{ kind: "agent_lifecycle", state: "connected" }, "4m", || dom.create());
    }
}"#;

#[test]
fn every_example_with_an_agent_runs_on_a_linux_guest() {
    let host = Daemon::start();
    let uuid = "</name><uuid>7e1a0000-0000-4000-8000-000000000001</uuid>";
    let xml = agent_xml(host.scratch(), "web", "")
        .replace("</name>", uuid)
        .replace("<vcpu>1</vcpu>", "<vcpu>2</vcpu>");
    let keep = KEEP_AGENT.replace("XML", &xml);
    check(&examples("agent"), 1, |_, example| {
        run(host.virhai(), &keep, example, host.scratch())
    });
}

/// Starts `web` anew, after removing the guests that the previous example left on either host.
const START_WEB: &str = r#"{
    for uri in [connect().uri, args[0]] {
        for dom in connect(uri).list_all_domains() { dom.destroy(); }
    }
    connect().create_xml(`XML`);
}"#;

#[test]
fn every_example_of_a_migration_runs_between_two_daemons() {
    let pairs: Vec<(Daemon, Daemon, String)> = (0..2)
        .map(|_| {
            let (here, there) = (Daemon::start(), Daemon::start());
            let kernel = here
                .scratch()
                .copy(&micro("counter.kernel"), "counter.kernel");
            let start = START_WEB.replace("XML", &diskless_xml(&kernel.display().to_string()));
            (here, there, start)
        })
        .collect();
    check(&examples("migrate"), pairs.len(), |thread, example| {
        let (here, there, start) = &pairs[thread];
        let program = here.virhai().arg("run").arg("-").arg(there.uri());
        run(program, start, example, here.scratch())
    });
}

/// A guest without a disk, which can migrate without shared storage.
fn diskless_xml(kernel: &str) -> String {
    format!(
        "<domain type='qemu'><name>web</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel></os>\
         <features><acpi/></features></domain>"
    )
}
