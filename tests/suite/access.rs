//! Permissions to connect: the URIs that each permits, and those that stay refused.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::{Daemon, Embed, Host, Run, Scratch, Terminal, TestHost, virhai};

/// A program that creates a file when it runs: the path of that file, and a URI that names the
/// program.
fn program(scratch: &Scratch) -> (PathBuf, String) {
    scratch.folder("mark");
    let mark = scratch.path("mark/it-ran");
    let text = format!("#!/bin/sh\n: > '{}'\n", mark.display());
    let program = scratch.write("program.sh", text);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("the file is ours");
    let uri = format!("qemu+ext:///system?command={}", program.display());
    (mark, uri)
}

/// A script that opens `uri`, and succeeds even if no host answers.
fn opens(uri: &str) -> Run {
    virhai().unprivileged().without_grants().script(format!(
        "try {{ connect(\"{uri}\"); }} catch (err) {{ print(err); }}"
    ))
}

#[test]
fn allow_connect_permits_exactly_one_uri() {
    let scratch = Scratch::new();
    let (mark, uri) = program(&scratch);
    for other in [
        String::new(),
        uri.replace("system", "session"),
        uri.replace("command", "Command"),
        format!("{uri}2"),
        uri[..uri.len() - 1].to_owned(),
    ] {
        let told = opens(&uri).arg("--allow-connect").arg(&other).ok();
        assert!(told.contains("may not connect"), "{other}: {told}");
        assert!(!mark.exists(), "{other}");
    }
    opens(&uri).arg("--allow-connect").arg(&uri).ok();
    assert!(mark.exists(), "the user has allowed it");
}

#[test]
fn a_password_in_a_uri_is_refused_and_not_shown() {
    for uri in [
        "qemu+ssh://user:verysecret@127.0.0.1/system",
        "qemu+ssh://user%3Averysecret@127.0.0.1/system",
        "qemu+tcp://user:verysecret@127.0.0.1:1/system",
        "qemu+ssh://user:very/verysecret@127.0.0.1/system",
        "esx://root:verysecret@127.0.0.1/",
    ] {
        for run in [
            virhai().arg("-e").arg(format!("connect(\"{uri}\")")),
            virhai().arg("-c").arg(uri).arg("-e").arg("connect()"),
            virhai()
                .env("LIBVIRT_DEFAULT_URI", uri)
                .arg("-e")
                .arg("connect()"),
        ] {
            let outcome = run.unprivileged().run();
            let told = outcome.to_string();
            assert_ne!(outcome.status, 0, "{told}");
            assert!(told.contains("takes no password from a URI"), "{told}");
            assert!(told.contains("ssh-agent"), "{told}");
            assert!(!outcome.stderr.contains("verysecret"), "{told}");
        }
    }
}

#[test]
fn only_named_hosts_closes_every_other_host() {
    for uri in [
        "qemu:///session",
        "qemu:///system",
        "qemu+ssh://127.0.0.1/system",
        "test:///default",
        "alias",
    ] {
        let told = opens(uri).arg("--only-named-hosts").ok();
        assert!(
            told.contains("allows only hosts that you name"),
            "{uri}: {told}"
        );
    }
    let unnamed = virhai()
        .arg("--only-named-hosts")
        .arg("-e")
        .arg("connect()");
    let told = unnamed.fails(1);
    assert!(told.stderr.contains("name it with `-c URI`"), "{told}");
    let named = virhai().without_grants().arg("--only-named-hosts");
    let script = "connect(connect().uri).list_all_domains().len()";
    let named = named.arg("-c").arg("test:///default").arg("-e").arg(script);
    assert_eq!(named.ok(), "1\n");
    let other = virhai().without_grants().arg("--only-named-hosts");
    let other = other.arg("--allow-connect").arg("test:///default");
    assert_eq!(
        other
            .arg("-e")
            .arg("connect(\"test:///default\").num_of_domains()")
            .ok(),
        "1\n"
    );
}

#[test]
fn uris_given_by_the_user_need_no_permission() {
    let ways: [fn(Run, &str) -> Run; 2] = [
        |run, uri| run.arg("-c").arg(uri),
        |run, uri| run.env("LIBVIRT_DEFAULT_URI", uri),
    ];
    for way in ways {
        for script in ["connect()", "connect(args[0])"] {
            let scratch = Scratch::new();
            let (mark, uri) = program(&scratch);
            let run = virhai().unprivileged().without_grants();
            let code = format!("try {{ {script}; }} catch {{}}");
            let run = way(run, &uri).arg("run").arg("-");
            let run = match script.contains("args") {
                true => run.arg(&uri),
                false => run,
            };
            run.script(code).ok();
            assert!(mark.exists(), "{script}");
        }
    }
}

#[test]
fn an_alias_in_the_users_libvirt_conf_needs_no_permission() {
    let scratch = Scratch::new();
    let (mark, uri) = program(&scratch);
    let config = format!("uri_aliases = [ \"lab={uri}\" ]\n");
    scratch.write("home/.config/libvirt/libvirt.conf", config.clone());
    scratch.write("config/libvirt/libvirt.conf", config);
    for folder in ["home", "config"] {
        let world = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(scratch.path(folder), world).expect("the folder is ours");
    }
    opens("lab")
        .env("HOME", scratch.path("home"))
        .env("XDG_CONFIG_HOME", scratch.path("config"))
        .ok();
    assert!(mark.exists());
}

#[test]
fn a_uri_typed_at_the_prompt_needs_no_permission_but_a_script_needs_one() {
    let daemon = Daemon::start();
    let home = Scratch::new();
    let command = virhai()
        .without_grants()
        .arg("-c")
        .arg("test:///default")
        .env("HOME", home.path(""))
        .env("NO_COLOR", "1")
        .command();
    let mut terminal = Terminal::start(&command);
    terminal.line_is("test> ");
    terminal.types(&format!("connect(\"{}\")\r", daemon.uri()));
    terminal.shows("may not connect");
    terminal.types(&format!(":connect {}\r", daemon.uri()));
    terminal.line_is("conn2 qemu:session> ");
    terminal.types(":reconnect\r");
    terminal.line_is("conn2 qemu:session> ");
}

#[test]
fn an_embedded_hypervisor_stays_below_the_granted_folder() {
    let host = Embed::new();
    let scratch = host.scratch();
    scratch.folder("other");
    std::os::unix::fs::symlink(scratch.path("other"), scratch.path("root/link"))
        .expect("the folder is ours");
    std::os::unix::fs::symlink(scratch.path("root"), scratch.path("elsewhere"))
        .expect("the folder is ours");
    let open = |granted: &str, root: &str| {
        virhai()
            .unprivileged()
            .without_grants()
            .env("HOME", scratch.path("home"))
            .arg("--allow-embed")
            .arg(scratch.path(granted))
            .script(format!(
                "print(connect(`qemu:///embed?root={}`).get_uri())",
                scratch.path(root).display()
            ))
            .run()
    };
    for (granted, root) in [
        ("root/below", "root"),
        ("root", "other"),
        ("root", "root/link"),
        ("root", "root/link/new"),
        ("root", "root/../other"),
        ("root", "root/../root2"),
        ("root", "root2"),
        ("root", "root/missing/../../other"),
    ] {
        let refused = open(granted, root);
        assert_eq!(refused.status, 1, "{granted} {root}: {refused}");
        assert!(refused.stderr.contains("--allow-embed"), "{refused}");
    }
    let files = std::fs::read_dir(scratch.path("other")).expect("it is there");
    assert_eq!(files.count(), 0, "nothing was made");
    // libvirt gets the path with its symbolic links resolved.
    for (granted, root, real) in [
        ("root", "root", "root"),
        ("root", "root/new/one", "root/new/one"),
        ("elsewhere", "elsewhere", "root"),
        ("missing", "missing/one", "missing/one"),
    ] {
        let opened = open(granted, root);
        assert_eq!(opened.status, 0, "{granted} {root}: {opened}");
        let uri = format!("qemu:///embed?root={}\n", scratch.path(real).display());
        assert_eq!(opened.stdout, uri);
    }
}

#[test]
fn a_read_only_embedded_hypervisor_changes_nothing() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    host.ok(&format!("connect().define_xml(`{xml}`);"));
    let script = format!(
        r#"
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        let image = "{image}";
        for attack in [
            || dom.create(), || dom.undefine(), || dom.set_memory("8MiB"), || dom.save(image), || dom.managed_save(),
            || dom.core_dump(image), || dom.rename("x"), || dom.set_autostart(true), || dom.attach_device("<disk/>"),
            || conn.define_xml(dom.xml_desc()), || conn.create_xml(dom.xml_desc()), || conn.restore(image),
            || conn.save_image_get_xml_desc("/etc/passwd"), || dom.block_peek("vda", 0, 512),
            || dom.snapshot_create_xml("<domainsnapshot/>"),
        ] {{
            let refused = false;
            try {{ attack.call(); }} catch (err) {{
                print(err);
                refused = err.code == "VIR_ERR_OPERATION_DENIED";
            }}
            assert(refused);
        }}
        assert_eq!(dom.state(), "shutoff");
        "#,
        image = host.path("image")
    );
    host.virhai()
        .arg("--readonly")
        .arg("--no-check")
        .script(script)
        .ok();
    assert!(!host.scratch().path("image").exists());
    let left = host
        .ok("let dom = connect().lookup_by_name(\"web\"); print([dom.state(), dom.autostart()])");
    assert_eq!(left.trim(), "[\"shutoff\", false]");
}

#[test]
fn errors_about_files_do_not_quote_their_content() {
    let host = TestHost::new();
    let scratch = host.scratch();
    let bad = [
        ("text", "swordfish:x:0\n"),
        ("tags", "<node>\n<swordfish>\n</node>"),
        ("root", "<swordfish/>"),
        ("entity", "<node>&swordfish;</node>"),
        (
            "guest",
            "<node><domain type='swordfish'><name>swordfish</name></domain></node>",
        ),
        (
            "uuid",
            "<node><domain type='test'><name>x</name><uuid>swordfish</uuid></domain></node>",
        ),
        ("pool", "<node><pool type='swordfish'/></node>"),
    ];
    for (name, text) in bad {
        let file = scratch.write(name, text);
        let uri = format!("test://{}", file.display());
        let script = "try { connect(args[0]); } catch (err) { print(`${err} ${err.message} ${err.hint}`); } connect();";
        for run in [
            virhai().arg("-c").arg(&uri),
            virhai().without_grants().arg("--allow-read").arg(&file),
        ] {
            let told = run.arg("run").arg("-").arg(&uri).script(script).run();
            let all = format!("{}{}", told.stdout, told.stderr);
            assert!(all.contains(name), "{name}: {all}");
            assert!(!all.contains("swordfish"), "{name}: {all}");
        }
    }
    // A save image of the test driver whose XML is damaged.
    let image = scratch.text("image");
    host.ok(&format!(
        "connect().lookup_by_name(\"test\").save(\"{image}\");"
    ));
    let mut bytes = std::fs::read(&image).expect("it was saved");
    let at = bytes
        .windows(6)
        .position(|part| part == b"<name>")
        .expect("it has XML");
    bytes[at..at + 6].copy_from_slice(b"sword<");
    std::fs::write(&image, bytes).expect("it is ours");
    for call in [
        "conn.restore(args[0])",
        "conn.save_image_get_xml_desc(args[0])",
        "conn.save_image_define_xml(args[0], \"<domain/>\", 0)",
    ] {
        let script =
            format!("let conn = connect(); try {{ {call}; }} catch (err) {{ print(err); }}");
        let told = host
            .virhai()
            .arg("run")
            .arg("-")
            .arg(&image)
            .script(script)
            .ok();
        assert!(told.contains("is not valid XML"), "{call}: {told}");
        assert!(!told.contains("sword"), "{call}: {told}");
    }
}

/// A folder that a script may read and write, and a guest's XML outside of it that holds a secret.
fn shared_and_secret(scratch: &Scratch) -> (PathBuf, String) {
    let shared = scratch.folder("shared");
    let secret = scratch.write(
        "secret.xml",
        "<domain type='test'><name>hidden</name><memory>1024</memory><os><type>hvm</type></os></domain>",
    );
    (shared, secret.display().to_string())
}

#[test]
fn a_test_host_includes_no_forbidden_file_by_an_attribute_with_a_prefix() {
    let scratch = Scratch::new();
    let (shared, secret) = shared_and_secret(&scratch);
    scratch.write("shared/x", "<domain/>");
    for node in [
        format!("<node><domain xml:file='{secret}'/></node>"),
        format!("<node xmlns:x='urn:x'><domain x:file='{secret}'/></node>"),
        format!("<node><network xml:file='{secret}'/></node>"),
        format!(
            "<node><domain name='web' file='{}/x' xml:file='{secret}'/></node>",
            shared.display()
        ),
    ] {
        let file = scratch.write("shared/node.xml", &node);
        let outcome = virhai()
            .without_grants()
            .arg("--allow-read")
            .arg(&shared)
            .arg("-e")
            .arg(format!(
                "connect(\"test://{}\").list_all_domains().map(|dom| dom.name)",
                file.display()
            ))
            .run();
        assert_eq!(outcome.status, 1, "{node}: {outcome}");
        assert!(outcome.stderr.contains("may not read"), "{node}: {outcome}");
    }
}

#[test]
fn a_test_host_is_examined_each_time_it_is_opened() {
    let scratch = Scratch::new();
    let (shared, secret) = shared_and_secret(&scratch);
    let node = scratch.write("shared/node.xml", "<node/>");
    let now = scratch.path("shared/now.xml");
    let script = format!(
        r#"connect("test://{}").close();
        print("ready");
        while true {{ try {{ connect("test://{}"); break; }} catch {{ sleep("20ms"); }} }}
        print(connect("test://{}").list_all_domains().map(|dom| dom.name));"#,
        node.display(),
        now.display(),
        node.display(),
    );
    let run = virhai().without_grants().arg("--allow-read").arg(&shared);
    let mut child = run
        .arg("-e")
        .arg(script)
        .command()
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("standard output is a pipe"))
        .read_line(&mut line)
        .expect("the script says that it is ready");
    scratch.write(
        "shared/node.xml",
        format!("<node><domain file='{secret}'/></node>"),
    );
    scratch.write("shared/now.xml", "<node/>");
    let outcome = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&outcome.stderr);
    assert!(said.contains("may not read"), "{said}");
}

#[test]
fn a_read_only_embedded_driver_of_secrets_makes_no_folder() {
    let scratch = Scratch::new();
    let root = scratch.path("root");
    let outcome = virhai()
        .arg("--readonly")
        .arg("--allow-embed")
        .arg(scratch.path("."))
        .arg("-e")
        .arg(format!(
            "connect(\"secret:///embed?root={}\")",
            root.display()
        ))
        .run();
    assert!(outcome.status != 0, "{outcome}");
    assert!(!root.exists(), "{outcome}");
}
