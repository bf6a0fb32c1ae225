//! Rules for calls of libvirt, and read-only runs.

use crate::support::{Run, virhai};

const HOST: &str = "test:///default";

fn run(options: &[&str], script: &str) -> Run {
    let run = options.iter().fold(virhai(), |run, option| run.arg(option));
    run.arg("-c").arg(HOST).script(script)
}

/// A function that counts how each of `calls`, closures with words for messages, ends.
const TRIES: &str = r#"
fn refused(call, words) {
    try { call.call(); } catch (err) {
        assert(["VIR_ERR_ACCESS_DENIED", "VIR_ERR_OPERATION_DENIED"].contains(err.code), `${words}: ${err}`);
        return;
    }
    throw `${words} was done`;
}
const GUEST = "<domain type='test'><name>NAME</name><memory>1024</memory><os><type>hvm</type></os></domain>";
fn guest(name) { let xml = global::GUEST; xml.replace("NAME", name); xml }
let conn = connect();
"#;

#[test]
fn a_denied_call_is_refused_before_libvirt_is_asked() {
    let script = format!(
        "{TRIES}{}",
        r#"
        let dom = conn.lookup_by_name("test");
        refused(|| dom.destroy(), "destroy");
        refused(|| dom.destroy(0), "destroy with flags");
        assert_eq(dom.state(), "running");
        dom.suspend();
        // A rule on names is not avoided by another name, nor on a snapshot of the guest.
        let other = conn.define_xml(guest("other"));
        refused(|| other.rename("test-2"), "rename");
        assert_eq(conn.list_all_domains().map(|dom| dom.name), ["test", "other"]);
        dom.destroy();
    "#
    );
    let failed = run(&["--deny", "destroy,rename:test*"], &script).fails(1);
    assert!(
        failed.stderr.contains("cannot destroy domain `test` on test:///default: the rule `destroy,rename:test*` of the command line denies it"),
        "{failed}"
    );
}

#[test]
fn allow_rules_refuse_all_other_changes() {
    let script = format!(
        "{TRIES}{}",
        r#"
        let own = conn.define_xml(guest("own-1"));
        own.create();
        own.snapshot_create_xml("<domainsnapshot><name>own-s</name></domainsnapshot>");
        own.destroy();
        own.undefine(VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);
        let dom = conn.lookup_by_name("test");
        let snapshot = "<domainsnapshot><name>own-x</name></domainsnapshot>";
        refused(|| dom.suspend(), "suspend");
        refused(|| dom.snapshot_create_xml(snapshot), "snapshot of another guest");
        refused(|| dom.save("/tmp/never"), "save");
        refused(|| dom.set_memory(1024), "set_memory");
        refused(|| dom.open_console(), "console");
        refused(|| conn.define_xml(guest("theirs")), "define");
        refused(|| conn.create_xml(guest("theirs")), "create");
        refused(|| conn.define_xml("<domain type='test'/>"), "define without a name");
        refused(|| conn.restore("/tmp/never"), "restore");
        refused(|| conn.lookup_by_name("test").rename("own-2"), "rename");
        refused(|| conn.network_lookup_by_name("default").destroy(), "network");
        let pool = conn.storage_pool_lookup_by_name("default-pool");
        refused(|| pool.refresh(), "pool");
        refused(|| pool.create_xml("<volume><name>theirs</name><capacity>1</capacity></volume>"), "volume");
        print(dom.state() + " " + dom.xml_desc().len().to_string().len());
    "#
    );
    let told = run(
        &[
            "--allow",
            "*:own-*",
            "--allow-write",
            "/tmp",
            "--allow-read",
            "/tmp",
        ],
        &script,
    )
    .ok();
    assert!(told.starts_with("running "), "{told}");
    let elsewhere =
        format!("{TRIES} refused(|| conn.lookup_by_name(\"test\").suspend(), \"suspend\");");
    run(&["--allow", "*:*@lab"], &elsewhere).ok();
    run(&["--deny", "*:*@localhost"], &elsewhere).ok();
    run(&["--deny", "suspend:*@test:///*"], &elsewhere).ok();
}

#[test]
fn rules_know_the_functions_of_scripts_and_the_kinds_of_objects() {
    for (rule, call) in [
        (
            "network_define_xml",
            "conn.network_define_xml(\"<network><name>x</name></network>\")",
        ),
        (
            "network",
            "conn.network_lookup_by_name(\"default\").destroy()",
        ),
        (
            "storage_pool",
            "conn.storage_pool_lookup_by_name(\"default-pool\").destroy()",
        ),
        (
            "storage",
            "conn.storage_pool_lookup_by_name(\"default-pool\").refresh()",
        ),
        ("snapshot", "dom.snapshot_create_xml(\"<domainsnapshot/>\")"),
        (
            "snapshot_create_xml",
            "dom.snapshot_create_xml(\"<domainsnapshot/>\")",
        ),
        ("stop", "dom.stop()"),
        ("edit", "dom.edit(|xml| xml.set(\"title\", \"x\"))"),
    ] {
        let script = format!(
            "{TRIES} let dom = conn.lookup_by_name(\"test\"); conn.network_lookup_by_name(\"default\").name; refused(|| {call}, \"{rule}\");"
        );
        let told = run(&["--deny", rule], &script).run();
        assert_eq!(told.status, 0, "{rule}: {told}");
    }
    let failed = run(&["--deny", "*@lab"], "").fails(2);
    assert!(
        failed.stderr.contains("a rule is VERBS:NAME@HOST"),
        "{failed}"
    );
}

#[test]
fn a_rule_with_an_unknown_verb_is_wrong_usage() {
    let failed = run(&["--deny", "destory:prod-*"], "").fails(2);
    assert!(
        failed.stderr.contains("no call is called `destory`"),
        "{failed}"
    );
}

#[test]
fn a_run_that_only_reads_refuses_every_change_before_libvirt_is_asked() {
    let script = format!(
        "{TRIES}{}",
        r#"
        let dom = conn.lookup_by_name("test");
        let net = conn.network_lookup_by_name("default");
        let pool = conn.storage_pool_lookup_by_name("default-pool");
        let changes = [
            || dom.destroy(), || dom.suspend(), || dom.reboot(), || dom.set_memory("1GiB"), || dom.undefine(), || dom.abort_job(),
            || dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, "x", (), (), 0), || dom.open_console(), || dom.rename("x"),
            || dom.snapshot_create_xml("<domainsnapshot/>"), || dom.managed_save(), || dom.send_key(0, 0, [1]),
            || conn.define_xml(guest("x")), || conn.create_xml(guest("x")), || net.destroy(), || net.set_autostart(true),
            || pool.destroy(), || pool.refresh(), || pool.create_xml("<volume/>"),
            || conn.network_define_xml("<network/>"), || conn.storage_pool_create_xml("<pool/>"),
        ];
        for change in changes {
            refused(change, `${change}`);
        }
        print(dom.state() + " " + conn.list_all_domains().len());
    "#
    );
    assert_eq!(run(&["--readonly"], &script).ok(), "running 1\n");
}
