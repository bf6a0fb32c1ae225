use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

use super::{has_secret, hide, hide_in_json, hide_of, hide_uri, mask};

#[test]
fn secrets_are_hidden_wherever_they_stand() {
    for (text, hidden) in [
        (
            "qemu+ssh://root:hunter2@kvm1:22/system",
            "qemu+ssh://root:***@kvm1:22/system",
        ),
        (
            "qemu+ssh://root:a@b/c@kvm1/system",
            "qemu+ssh://root:***@kvm1/system",
        ),
        (
            "esx://a:b@h/?password=x&no_verify=1",
            "esx://a:***@h/?password=***&no_verify=1",
        ),
        (
            "<graphics type='vnc' passwd='geheim' port='-1'/>",
            "<graphics type='vnc' passwd='***' port='-1'/>",
        ),
        (
            "<graphics passwd = \"a&quot;b\"/>",
            "<graphics passwd = \"***\"/>",
        ),
        (
            "<cookie name='a'>geheim</cookie>",
            "<cookie name='a'>***</cookie>",
        ),
        (
            "<x:password>geheim</x:password>",
            "<x:password>***</x:password>",
        ),
        (
            "{\"username\":\"root\",\"password\":\"Z2Vo\"}",
            "{\"username\":\"root\",\"password\":\"***\"}",
        ),
        (
            "\"{\\\"password\\\":\\\"Z2Vo\\\"}\"",
            "\"{\\\"password\\\":\\\"***\\\"}\"",
        ),
        (
            "let db_password = \"geheim\";",
            "let db_password = \"***\";",
        ),
        (
            "#{ username: \"a\", password: `ge``heim\\` }",
            "#{ username: \"a\", password: `***` }",
        ),
        (
            "connect_auth(\"test:///default\", \"root\", \"geheim\")",
            "connect_auth(\"test:///default\", \"root\", \"***\")",
        ),
        (
            "dom.set_user_password(\"root\", \"ge)heim\", 1)",
            "dom.set_user_password(\"root\", \"***\", 1)",
        ),
        (
            "dom.set_user_password(user(\"x\"), \"geheim\")",
            "dom.set_user_password(user(\"x\"), \"***\")",
        ),
        (
            "secret,id=sec0,data=geheim,format=raw",
            "secret,id=sec0,data=***,format=raw",
        ),
        (
            "qemu:commandline/qemu:arg/@value: -object secret,id=a,data=geheim",
            "qemu:commandline/qemu:arg/@value: -object secret,id=a,data=***",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----",
        ),
        ("Passwd=geheim", "Passwd=***"),
        (
            "cannot parse qemu+tcp:bob:geheim@127.0.0.1:1/system",
            "cannot parse qemu+tcp:bob:***@127.0.0.1:1/system",
        ),
        (
            "connect(\"qemu+tcp://bob:ge heim@h/system\")",
            "connect(\"qemu+tcp://bob:***@h/system\")",
        ),
        ("password: #\"geheim\"#", "password: #\"***\"#"),
        ("password: ##\"ge\"#heim\"##", "password: ##\"***\"##"),
        ("password: (\"geheim\")", "password: (\"***\")"),
        ("password: \"ge\\\"heim\"", "password: \"***\""),
        ("password: `${`geheim`}`", "password: `***`"),
        ("password: \"ge\"\"heim\"", "password: \"***\""),
        ("password: \"ge\" + \"heim\"", "password: \"***\" + \"***\""),
        ("password: x + #\"heim\"#", "password: x + #\"***\"#"),
        (
            "password: if c { \"geheim\" } else { \"heim\" }, user: \"a\"",
            "password: if c { \"***\" } else { \"***\" }, user: \"a\"",
        ),
        ("password:\n  \"geheim\"", "password:\n  \"***\""),
        (
            "m[\"password\"] = \"geheim\"; print(\"x\")",
            "m[\"password\"] = \"***\"; print(\"x\")",
        ),
        (
            "m.set(\"password\", \"geheim\")",
            "m.set(\"password\", \"***\")",
        ),
        ("m.password += \"geheim\"", "m.password += \"***\""),
        (
            "let password = #\"geheim\"#; let a = \"b\"",
            "let password = #\"***\"#; let a = \"b\"",
        ),
        ("let pin = 4711", "let pin = ***"),
        (
            "#{\"password\": [\"geheim\", \"heim\"], \"user\": \"a\"}",
            "#{\"password\": [\"***\", \"***\"], \"user\": \"a\"}",
        ),
        (
            "#{ password: #{ value: \"geheim\" } }",
            "#{ password: #{ value: \"***\" } }",
        ),
        (
            "{\\\"password\\\":[\\\"geheim\\\"],\\\"a\\\":\\\"b\\\"}",
            "{\\\"password\\\":[\\\"***\\\"],\\\"a\\\":\\\"b\\\"}",
        ),
        (
            "<password type=\"x\"><![CDATA[geheim</password>]]></password><a>b</a>",
            "<password type=\"x\">***</password><a>b</a>",
        ),
        (
            "<x:password>x<!-- -->geheim</x:password >",
            "<x:password>***</x:password >",
        ),
        (
            "<password a='>'><b>geheim</b></password>",
            "<password a='>'>***</password>",
        ),
        (
            "set_user_password (d, \"root\", \"geheim\")",
            "set_user_password (d, \"***\", \"***\")",
        ),
        (
            "connect_auth /* a */\n(\"test:///default\", \"root\", (#\"ge\"heim\"#))",
            "connect_auth /* a */\n(\"test:///default\", \"root\", (#\"***\"#))",
        ),
        (
            "uri.connect_auth(\"root\", \"geheim\")",
            "uri.connect_auth(\"root\", \"***\")",
        ),
        (
            "d.qemu_monitor_command(\"set_password vnc geheim\", 1)",
            "d.qemu_monitor_command(\"set_password vnc ***\", 1)",
        ),
        (
            "d.qemu_monitor_command(\"set_password vnc \" + \"geheim\", 1)",
            "d.qemu_monitor_command(\"set_password vnc \" + \"***\", 1)",
        ),
        (
            "d.agent_exec([\"mysql\", \"--password\", \"geheim\", \"--user\", \"a\"])",
            "d.agent_exec([\"mysql\", \"--password\", \"***\", \"--user\", \"a\"])",
        ),
        (
            "d.agent_exec([\"sh\", \"-c\", \"mysql --db-passwd geheim x\"])",
            "d.agent_exec([\"sh\", \"-c\", \"mysql --db-passwd *** x\"])",
        ),
        ("\"passwd=\" + \"geheim\"", "\"passwd=\"***\"***\""),
    ] {
        assert_eq!(hide(text), hidden, "{text}");
        assert!(has_secret(text), "{text}");
        assert_eq!(mask(text).chars().count(), text.chars().count(), "{text}");
        assert_eq!(
            hide(&hide(text)),
            hidden,
            "hiding twice changes nothing: {text}"
        );
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "qemu+ssh://root@kvm1:22/system",
        "qemu+ssh://kvm1:22/a@b",
        "qemu:///system?socket=/run/x",
        "<secret type='passphrase' uuid='1'/>",
        "<auth username='a'><secret type='ceph' usage='b'/></auth>",
        "the password is wrong: try again",
        "password: read(x)",
        "<secret ephemeral='no'><usage type='volume'><volume>/a</volume></usage></secret>",
        "<graphics type='vnc' port='-1'/>",
        "#{ user: \"a\", host: \"b:c\" }",
        "script.rhai:3:5: no such user@host",
        "a:1:b@c is at 2:3",
        "'set_password': could not be run",
        "connect_auth fails",
        "let password = read_password();",
        "guest::password(x)",
        "ssh-ed25519 AAAAC3Nza root@host",
        "a token: of trust",
        "https://example.org/a:b",
        "qemu:commandline/qemu:arg/@value",
        "qemu:commandline/qemu:arg[2]/@value is gone",
    ] {
        assert_eq!(hide(text), text);
    }
}

#[test]
fn the_secrets_of_a_uri_are_hidden_without_it_too() {
    let uri = "qemu+ssh://root:hunt%65r2@kvm1/system";
    let text = "cannot resolve root:hunter2@kvm1";
    assert_eq!(hide_of(text, uri), "cannot resolve root:***@kvm1");
}

#[test]
fn a_password_with_any_character_is_hidden() {
    for letter in (' '..='~').filter(|letter| *letter != '*') {
        for password in [
            format!("hun{letter}ter2geheim"),
            format!("{letter}ter2geheim"),
            format!("ter2geheim{letter}"),
        ] {
            for begin in ["qemu+tcp://", "qemu+tcp:", "qemu+tcp:/", "nonsense:///"] {
                let uri = format!("{begin}bob:{password}@127.0.0.1:1/system");
                let texts = [
                    format!("cannot connect to {uri}: Unable to parse URI {uri}"),
                    format!("Unable to parse `{uri}`, because bob:{password} has no port"),
                    format!("cannot resolve '{password}'"),
                ];
                for text in &texts {
                    let shown = hide_of(text, &uri);
                    assert!(!shown.contains("ter2"), "{shown} of {text}");
                }
                let shown = hide_uri(&uri);
                assert!(!shown.contains("ter2"), "{shown} of {uri}");
                assert!(shown.ends_with("@127.0.0.1:1/system"), "{shown} of {uri}");
                // Without the URI at hand, the word ends at a space.
                if letter != ' ' {
                    let shown = hide(&texts[0]);
                    assert!(!shown.contains("ter2"), "{shown} of {}", texts[0]);
                }
            }
        }
    }
}

#[test]
fn a_call_with_a_blank_before_its_arguments_has_a_secret() {
    for text in ["connect_auth (u, a, b)", "set_user_password\n(d, a, b)"] {
        assert!(has_secret(text), "{text}");
    }
    assert!(!has_secret(":help connect_auth"));
}

/// The processor time of this thread, which does not depend on the load of the machine.
fn processor_seconds() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("the kernel counts");
    usage.user_time().tv_sec() + usage.system_time().tv_sec()
}

#[test]
fn long_texts_take_little_time() {
    for part in [
        "a:",
        "password=(",
        "<password>",
        "set_password vnc ",
        "://a:",
    ] {
        let begun = processor_seconds();
        hide(&part.repeat(100_000));
        let seconds = processor_seconds() - begun;
        assert!(seconds < 5, "{part}: {seconds} s");
    }
}

#[test]
fn json_hides_by_key_and_within_texts() {
    let mut value = json!({
        "thrown": { "password": "geheim", "uri": "esx://a:b@c/" }, "list": ["passwd=x"], "pin": 4,
        "a": { "password": ["geheim"], "secret": { "value": "geheim" }, "token": null, "pass": true },
    });
    hide_in_json(&mut value);
    let hidden = json!({
        "thrown": { "password": "***", "uri": "esx://a:***@c/" }, "list": ["passwd=***"], "pin": "***",
        "a": { "password": "***", "secret": "***", "token": null, "pass": true },
    });
    assert_eq!(value, hidden);
}
