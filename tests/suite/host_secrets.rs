//! Secrets that a host keeps: their lifecycle as another program sees it, and that no value is
//! shown.

use crate::support::{Daemon, Host};

#[test]
fn a_secret_is_defined_found_given_a_value_and_undefined() {
    let host = Daemon::start();
    host.ok(r#"
        fn definition(attributes) {
            `<secret${attributes}><description>Key of the backup</description><uuid>7e1a0000-0000-4000-8000-00000000000a</uuid>
            <usage type='ceph'><name>backup</name></usage></secret>`
        }
        let conn = connect();
        let other = connect(conn.uri);
        let event = conn.wait_event("secret_lifecycle", "10s", || other.secret_define_xml(definition("")));
        assert_eq([event.event, event.uuid], ["defined", "7e1a0000-0000-4000-8000-00000000000a"]);
        let secret = conn.list_all_secrets()[0];
        assert_eq(secret.xml().get("description"), "Key of the backup");
        assert_eq(secret.to_string(), "Secret(backup)");
        assert_eq(conn.list_all_secrets(VIR_CONNECT_LIST_SECRETS_PRIVATE), []);

        // Without a value, and with one: what another connection reads.
        try { secret.value(); assert(false); } catch (err) {
            assert_eq(err.code, "VIR_ERR_NO_SECRET");
            assert_eq(err.hint, "`set_value(bytes)` gives the secret a value");
        }
        conn.wait_event(#{ kind: "secret_value_changed", uuid: secret.uuid }, "10s", || secret.set_value("k\u00e9y"));
        let other = other.secret_lookup_by_usage("ceph", "backup");
        assert_eq(other.value(), "k\u00e9y".to_blob());
        assert_eq(other.usage_type(), "ceph");
        // A daemon takes no empty value.
        try { secret.set_value(blob()); assert(false); } catch (err) { assert_eq(err.code, "VIR_ERR_INVALID_ARG"); }

        // The definition of a private secret keeps its value, which nobody reads any more.
        secret.set_value("open");
        conn.secret_define_xml(definition(" private='yes'"));
        try { other.value(); assert(false); } catch (err) { assert_eq(err.code, "VIR_ERR_INVALID_SECRET"); }

        try { conn.secret_lookup_by_usage("cep" + "hh", "backup"); assert(false); } catch (err) {
            assert_eq(err.hint, "did you mean \"ceph\"?");
        }
        try { conn.secret_lookup_by_usage("volume", "backup"); assert(false); } catch (err) {
            assert_eq([err.code, err.hint], ["VIR_ERR_NO_SECRET", "`list_all_secrets()` shows the secrets that this host has"]);
        }
        secret.undefine();
        assert_eq(conn.num_of_secrets(), 0);
        try { other.xml_desc(); assert(false); } catch (err) { assert_eq(err.code, "VIR_ERR_NO_SECRET"); }
        assert_eq(other.usage_id, "backup");
    "#);
}

#[test]
fn an_error_about_a_secret_shows_no_value() {
    let host = Daemon::start();
    let outcome = host
        .virhai()
        .script(
            r#"
            let conn = connect();
            let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='iscsi'><target>x</target></usage></secret>");
            try { secret.set_value(#{ key: "hunter2" }); } catch (err) { print(err); }
            secret.undefine();
            secret.set_value("hunter2");
            "#,
        )
        .run();
    assert_eq!(outcome.status, 1, "{outcome}");
    let refused = "the value of a secret must be bytes or text, not map";
    assert!(outcome.stdout.contains(refused), "{outcome}");
    assert!(
        outcome
            .stderr
            .contains("cannot set the value of secret `x`"),
        "{outcome}"
    );
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!shown.contains("hunter2"), "{shown}");
}
