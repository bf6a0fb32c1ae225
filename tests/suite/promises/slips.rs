//! The mistakes in the guide's Python code, by their letters in the list: virhai makes them
//! impossible, or its error helps to correct them.

use super::on_test;
use crate::support::{Embed, Host, Outcome, TestHost, virhai};

/// A script that is run with a domain `dom` that is defined and off.
fn slip(body: &str) -> Outcome {
    let host = TestHost::with("");
    let begin = "let conn = connect();\nlet dom = conn.define_xml(`<domain type='test'>\
                 <name>web</name><memory>32768</memory><os><type>hvm</type></os></domain>`);\n";
    virhai()
        .arg("-c")
        .arg(host.uri())
        .arg("--allow-write")
        .arg("/tmp/never.save")
        .script(format!("{begin}{body}"))
        .run()
}

/// a, e, f, g, h, p: mistakes with types in Python.
#[test]
fn calls_take_flags_where_the_guide_passes_them_and_answer_what_it_expects() {
    on_test(
        r#"
        let conn = connect();
        let dom = conn.define_xml(xml, 0);
        dom.create();
        assert_eq(dom.info().state, "running");
        assert_eq(VIR_DOMAIN_SHUTOFF, 5);
        dom.save(save);
        let back = conn.restore(save);
        assert_eq(back.name, "web");
        assert_eq(thrown(|| conn.lookup_by_id(6)), "VIR_ERR_NO_DOMAIN");
        "#,
    );
}

/// b: a method does not take its own domain as an argument.
#[test]
fn a_domain_passed_to_its_own_method_is_refused_with_the_forms_that_exist() {
    // Refused by the check, and at run time if the check cannot know the type.
    for (written, status) in [
        ("dom.create(dom);", 3),
        ("let all = [1, dom]; dom.create(all[1]);", 1),
    ] {
        let outcome = slip(written);
        assert_eq!(outcome.status, status, "{outcome}");
        assert!(outcome.stderr.contains("create"), "{outcome}");
    }
    assert!(slip("dom.create(); dom.destroy();").status == 0);
}

/// c, d: a script that does not parse has no effect at all.
#[test]
fn a_script_with_a_syntax_error_does_nothing() {
    for broken in [
        "conn.restore(\"/tmp/web.save\"));",
        "if new_not dom { print(1); }",
    ] {
        let outcome = slip(&format!("print(\"began\");\n{broken}"));
        assert_eq!(outcome.status, 3, "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}

/// e, i: only a boolean can be a condition, so a 0 cannot be mistaken for a failure.
#[test]
fn a_domain_or_a_number_is_no_truth_value() {
    for condition in ["dom", "!dom", "dom.id", "dom.create()", "0"] {
        let outcome = slip(&format!(
            "if {condition} {{ print(\"yes\"); }} else {{ print(\"no\"); }}"
        ));
        assert_ne!(outcome.status, 0, "{condition}: {outcome}");
        assert_eq!(outcome.stdout, "", "{condition}: {outcome}");
    }
}

/// i, j, o: an uncaught failure ends the script with a message on stderr.
#[test]
fn a_failed_save_never_prints_that_it_saved() {
    let outcome = slip("dom.save(\"/tmp/never.save\");\nprint(\"saved\");");
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
    for part in [
        "cannot save domain `web`",
        "VIR_ERR_OPERATION_INVALID",
        "dom.save(",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome}");
    }
}

/// 24, s: names that no binding has, and names of other bindings.
#[test]
fn names_that_the_guide_invents_are_answered_with_the_right_ones() {
    for (written, meant) in [
        ("conn.createXMLFlags(\"<domain/>\", 0)", "create_xml"),
        ("conn.create_xml_flags(\"<domain/>\", 0)", "create_xml"),
        ("conn.defineDomain(\"<domain/>\", 0)", "define_xml"),
        ("conn.defineXML(\"<domain/>\")", "define_xml"),
        ("conn.defineXMLFlags(\"<domain/>\", 0)", "define_xml"),
        ("dom.migrateToUri(\"qemu:///system\", 0)", "migrate_to_uri"),
        ("dom.migrateToURI2(\"qemu:///system\", 0)", "migrate_to_uri"),
        ("conn.virDomainRestore(\"/tmp/web.save\")", "restore"),
        ("dom.createWithFlags(0)", "create"),
        ("dom.shutdownFlags(0)", "shutdown"),
    ] {
        let outcome = slip(&format!("{written};"));
        assert_ne!(outcome.status, 0, "{written}: {outcome}");
        let named = format!("`{meant}`");
        assert!(
            outcome.stderr.contains(&named),
            "{written} is {named}: {outcome}"
        );
    }
}

/// t: options have names, and the error for a wrong name suggests the nearest.
#[test]
fn a_misspelt_option_is_answered_with_the_nearest() {
    let hidden = "let options = #{}; options[\"bandwith\"] = 100; dom.migrate(conn, 0, options);";
    for (written, status) in [
        ("dom.migrate(conn, 0, #{ bandwith: 100 });", 3),
        (hidden, 1),
    ] {
        let outcome = slip(written);
        assert_eq!(outcome.status, status, "{outcome}");
        assert!(outcome.stderr.contains("`bandwidth`"), "{outcome}");
    }
}

/// k, l, m on real QEMU: each failure has a hint with the next step.
#[test]
fn what_the_guide_does_wrongly_on_qemu_has_a_hint() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let text = super::script(
        &[("xml", &xml)],
        r#"
        let conn = connect();
        fn failure(action) {
            try { action.call(); } catch (err) { return err; }
            throw "nothing was thrown";
        }
        // l: what was created runs already.
        let dom = conn.create_xml(xml);
        let err = failure(|| dom.create());
        assert_eq(err.code, "VIR_ERR_OPERATION_INVALID");
        assert(err.hint.contains("the domain is running: `reboot()` boots it again"), err.hint);
        // k: a plain migration to a URI is not to be had.
        let err = failure(|| dom.migrate_to_uri("qemu+ssh://host/system", 0));
        assert_eq(err.code, "VIR_ERR_ARGUMENT_UNSUPPORTED");
        assert(err.hint.contains("VIR_MIGRATE_PEER2PEER"));
        assert_eq(dom.state(), "running");
        dom.destroy();
        // m, 34: a Xen boot loader in a QEMU guest.
        let xen = xml;
        xen.replace("<os>", "<bootloader>/usr/bin/pygrub</bootloader><os>");
        assert_eq(failure(|| conn.define_xml(xen)).code, "VIR_ERR_CONFIG_UNSUPPORTED");
        assert_eq(conn.list_all_domains(), []);
        "#,
    );
    host.ok(&text);
}
