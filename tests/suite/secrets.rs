//! virhai's own messages contain no secrets.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Prompt, Scratch, virhai};

const SECRET: &str = "hunter2geheim";

fn says_no_secret(code: &str) {
    for json in [false, true] {
        let run = virhai().arg("-e").arg(code);
        let outcome = if json {
            run.arg("--json").arg("-v").run()
        } else {
            run.run()
        };
        assert_ne!(outcome.status, 0, "{code}: {outcome}");
        assert!(!outcome.stdout.contains(SECRET), "{code}: {outcome}");
        assert!(!outcome.stderr.contains(SECRET), "{code}: {outcome}");
    }
}

#[test]
fn errors_hide_passwords() {
    for code in [
        format!("connect(\"nonsense+ssh://root:{SECRET}@127.0.0.1/system\")"),
        format!("connect(\"esx://root:{SECRET}@127.0.0.1:1/?no_verify=1&password={SECRET}\")"),
        format!("let uri = \"qemu+tcp://root:{SECRET}@127.0.0.1:1/system\"; connect(uri)"),
        format!(
            "connect_auth(\"qemu+tcp://127.0.0.1:1/system\", #{{ username: \"root\", password: \"{SECRET}\" }})"
        ),
        format!(
            "connect(\"test:///default\").define_xml(\"<domain type='test'><graphics type='vnc' passwd='{SECRET}'/></domain>\")"
        ),
        format!(
            "connect(\"test:///default\").define_xml(`<domain type='test'>\n<graphics passwd='{SECRET}'\n</domain>`)"
        ),
        format!(
            "connect(\"test:///default\").lookup_by_name(\"test\").set_user_password(\"root\", \"{SECRET}\"); throw \"x\""
        ),
        format!("throw \"cannot log in to esx://root:{SECRET}@host\""),
        format!("throw #{{ message: \"no\", password: \"{SECRET}\" }}"),
        format!("let password = \"{SECRET}\"; nope()"),
        format!("let passphrase = \"{SECRET}\"; throw \"x\""),
        format!("fn f(password) {{ throw \"x\" }} f(\"a\" /* password = \"{SECRET}\" */)"),
    ] {
        says_no_secret(&code);
    }
}

#[test]
fn errors_hide_passwords_in_any_notation() {
    for code in [
        format!("let password = #\"{SECRET}\"#; nope()"),
        format!("let m = #{{ password: (\"\" + \"{SECRET}\") }}; nope()"),
        format!("let m = #{{}}; m[\"password\"] = \"{SECRET}\"; nope()"),
        format!("let password = if true {{ \"{SECRET}\" }}; nope()"),
        format!("throw #{{ password: [\"{SECRET}\"] }}"),
        format!("throw #{{ message: \"no\", password: #{{ value: \"{SECRET}\" }} }}"),
        format!("throw `<password type=\"x\"><![CDATA[{SECRET}]]></password>`"),
        format!("throw \"<password>x<!-- -->{SECRET}</password>\""),
        format!("set_user_password (nope, \"root\", \"{SECRET}\")"),
        format!("connect_auth (\"qemu+tcp://127.0.0.1:1/system\", \"root\", \"{SECRET}\")"),
        format!("nope.qemu_monitor_command(\"set_password vnc {SECRET}\", 1)"),
        format!("nope.agent_exec([\"mysql\", \"--password\", \"{SECRET}\"])"),
    ] {
        says_no_secret(&code);
    }
}

#[test]
fn a_failing_connect_hides_a_password_with_any_character() {
    for uri in ["'", "#", "?", " ", "|", "`", "\"", "/", "@"]
        .map(|letter| format!("qemu+tcp://bob:hun{letter}{SECRET}@127.0.0.1:1/system"))
        .into_iter()
        .chain([format!("qemu+tcp:bob:{SECRET}@127.0.0.1:1/system")])
    {
        for output in ["--verbose", "--json"] {
            let outcome = virhai()
                .arg(output)
                .arg("-c")
                .arg(&uri)
                .arg("-e")
                .arg("connect()")
                .run();
            assert_ne!(outcome.status, 0, "{uri}: {outcome}");
            assert!(!outcome.stdout.contains(SECRET), "{uri}: {outcome}");
            assert!(!outcome.stderr.contains(SECRET), "{uri}: {outcome}");
        }
    }
}

#[test]
fn the_output_of_a_script_is_not_masked() {
    let code = format!("let uri = \"qemu+ssh://root:{SECRET}@host/\"; print(uri); uri");
    assert_eq!(
        virhai().arg("-e").arg(&code).ok().matches(SECRET).count(),
        2
    );
}

#[test]
fn reports_of_tests_hide_passwords() {
    let scratch = Scratch::new();
    scratch.write(
        "a_test.rhai",
        format!("fn test_it() {{ connect(\"nonsense://root:{SECRET}@127.0.0.1/\"); }}"),
    );
    let outcome = virhai()
        .folder(scratch.path(""))
        .arg("test")
        .arg("--junit")
        .arg("report.xml")
        .arg("a_test.rhai")
        .fails(1);
    let report = std::fs::read_to_string(scratch.path("report.xml")).expect("it was written");
    assert!(report.contains("nonsense://root:***@"), "{report}");
    assert!(!report.contains(SECRET), "{report}");
    assert!(!outcome.stdout.contains(SECRET), "{outcome}");
}

#[test]
fn the_history_is_private_and_has_no_secrets() {
    let mut prompt = Prompt::open();
    prompt.answers("let seen = 1", "");
    prompt.answers(&format!("let password = \"{SECRET}\""), "");
    let call = format!("if false {{ set_user_password (1, \"root\", \"{SECRET}\") }}");
    prompt.answers(&call, "");
    prompt.answers("let after = 2", "");
    prompt.answers(":history", "password = \"***\"");
    prompt.answers(":save saved.rhai", "wrote saved.rhai");
    let file = prompt.home.path(".local/state/virhai/history");
    let text = std::fs::read_to_string(&file).expect("there is a history");
    assert!(
        text.contains("let seen") && text.contains("let after"),
        "{text}"
    );
    assert!(
        !text.contains(SECRET) && !text.contains("password"),
        "{text}"
    );
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let saved = std::fs::read_to_string(prompt.home.path("saved.rhai")).expect("it was saved");
    assert!(
        saved.contains("let seen") && !saved.contains(SECRET),
        "{saved}"
    );
    assert!(saved.contains("// let password = \"***\""), "{saved}");
}

#[test]
fn an_older_history_becomes_private() {
    let (host, home) = (crate::support::TestHost::new(), Scratch::new());
    let file = home.write(".local/state/virhai/history", "1 + 1\n");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&file, open).expect("the file is ours");
    let uri = crate::support::Host::uri(&host);
    let mut terminal = Prompt::terminal(&uri, &home, &[("NO_COLOR", "1")]);
    terminal.types("6 * 7\r");
    terminal.shows("42");
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
