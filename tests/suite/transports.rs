//! Hosts over TCP, TLS and the SSH libraries, with logins on real daemons.

use std::fs::Permissions;
use std::io::{BufRead, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Certificates, Daemon, Host, Outcome, Run, SshServer, skip, virhai};

const USER: &str = "admin@testhost";
const PASSWORD: &str = "geheim4711wort";

/// A daemon whose clients log in with the SASL mechanism `mechanism`. If that is impossible, prints
/// the reason and returns `None`.
fn with_sasl(mechanism: &str, configuration: &str) -> Option<Daemon> {
    let daemon = Daemon::listening(|scratch| {
        scratch.folder("sasl");
        scratch.write(
            "sasl/libvirt.conf",
            format!(
                "mech_list: {mechanism}\nsasldb_path: {}\n",
                scratch.text("sasl/passwords")
            ),
        );
        let mut command = Command::new("sh");
        let script = "printf %s \"$PASSWORD\" | PATH=$PATH:/usr/sbin saslpasswd2 -p -c -a libvirt -u testhost -f \"$1\" admin";
        command.args(["-c", script, "sh"]);
        command
            .arg(scratch.path("sasl/passwords"))
            .env("PASSWORD", PASSWORD);
        let made = command.output().is_ok_and(|made| made.status.success());
        let file = scratch.path("sasl/passwords");
        if made && file.exists() {
            std::fs::set_permissions(file, Permissions::from_mode(0o666))
                .expect("the file is ours");
        }
        configuration.to_owned()
    });
    if !daemon.scratch().path("sasl/passwords").exists() {
        skip("no password can be made here: saslpasswd2 is missing (package sasl2-bin)".to_owned());
        return None;
    }
    Some(daemon)
}

fn no_secret(outcome: &Outcome) {
    let told = format!("{outcome}");
    assert!(!told.contains(PASSWORD), "{told}");
}

#[test]
fn tcp_with_sasl_requires_the_password() {
    let Some(host) = with_sasl("digest-md5", "listen_tcp = 1\nauth_tcp = \"sasl\"\n") else {
        return;
    };
    let uri = format!("qemu+tcp://127.0.0.1:{}/session", host.tcp_port());
    let script = format!(
        r#"
        let admin = connect_admin();
        let conn = connect_auth("{uri}", #{{ username: "{USER}", password: "{PASSWORD}" }});
        assert(conn.is_encrypted() && conn.is_secure());
        let client = admin.lookup_server("libvirtd").list_clients().pop();
        assert_eq([client.transport(), client.info().sasl_user_name], ["tcp", "{USER}"]);
        // A wait opens another connection, and a closed one can be opened again.
        try {{ conn.wait_event("lifecycle", "10ms"); }} catch (err) {{ assert_eq(err.code, "VIR_ERR_OPERATION_TIMEOUT"); }}
        conn.close();
        connect_auth("{uri}", #{{ authname: "{USER}", passphrase: "{PASSWORD}" }}).get_hostname();
        for wrong in [#{{ username: "{USER}", password: "falsch" }}, #{{ username: "nobody@testhost", password: "{PASSWORD}" }}, #{{ username: "{USER}" }}, #{{}}] {{
            let failed = ();
            try {{ connect_auth("{uri}", wrong); }} catch (err) {{ failed = err; }}
            assert_eq(failed.code, "VIR_ERR_AUTH_FAILED");
            assert(failed.hint.contains("connect_auth"), failed.hint);
        }}
        "#
    );
    host.virhai_admin().script(script).ok();

    // libvirt's own file with logins.
    let file = format!(
        "[credentials-x]\nauthname={USER}\npassword={PASSWORD}\n[auth-libvirt-127.0.0.1]\ncredentials=x\n"
    );
    host.scratch().write("home/.config/libvirt/auth.conf", file);
    let home = host.scratch().path("home");
    for connection in [
        "connect(uri)",
        "connect_auth(uri, #{})",
        "connect_auth(uri, #{ username: \"admin@testhost\" })",
    ] {
        let script = format!("let uri = \"{uri}\"; assert({connection}.is_secure());");
        let run = host.virhai().env("HOME", &home);
        run.arg("--allow-connect").arg(&uri).script(script).ok();
    }

    // A wrong password, in every form in which virhai reports a failure.
    let wrong =
        format!("connect_auth(\"{uri}\", #{{ username: \"admin\", password: \"{PASSWORD}\" }});");
    for format in [&["-v"][..], &["--json", "-v"], &["--no-check"]] {
        let run = format
            .iter()
            .fold(virhai().unprivileged(), |run, arg| run.arg(arg));
        let outcome = run.script(wrong.clone()).fails(4);
        no_secret(&outcome);
    }
}

#[test]
fn no_command_line_has_the_password_during_a_connection() {
    let Some(host) = with_sasl("scram-sha-256", "auth_unix_rw = \"sasl\"\n") else {
        return;
    };
    let script = format!(
        r#"
        let conn = connect_auth("{}", #{{ username: "{USER}", password: "{PASSWORD}" }});
        let admin = connect_admin();
        print("open");
        try {{ conn.wait_event("lifecycle", "300ms"); }} catch {{}}
        admin.list_servers();
        "#,
        host.uri()
    );
    let run = host.virhai_admin().arg("-v");
    let (child, mut output) = run.script(script).started();
    let mut lines = String::new();
    output
        .read_line(&mut lines)
        .expect("the program prints a line");
    assert_eq!(lines, "open\n");
    for process in std::fs::read_dir("/proc")
        .expect("it can be read")
        .flatten()
    {
        for file in ["cmdline", "comm"] {
            let text = std::fs::read(process.path().join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(!text.contains(PASSWORD), "{text}");
        }
    }
    output.read_to_string(&mut lines).expect("it prints text");
    let ended = child.wait_with_output().expect("it ends");
    lines.push_str(&String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{lines}");
    assert!(!lines.contains(PASSWORD), "{lines}");

    // Without credentials, the daemon refuses the client.
    let refused = host.run("connect();");
    assert_eq!(refused.status, 4, "{refused}");
}

#[test]
fn tls_requires_a_valid_certificate() {
    let Some(certificates) = Certificates::new() else {
        return;
    };
    // The default folder of a user's daemon: libvirt reads files with configured paths only once.
    let host = Daemon::listening(|scratch| {
        let folder = scratch.folder("home/.pki/libvirt");
        for (from, to) in [
            ("cacert.pem", "cacert.pem"),
            ("crl.pem", "cacrl.pem"),
            ("server.pem", "servercert.pem"),
            ("key.pem", "serverkey.pem"),
        ] {
            let copied = std::fs::copy(certificates.path(from), folder.join(to));
            copied.expect("both are the test's own");
        }
        "listen_tls = 1\n".to_owned()
    });
    let port = host.tls_port();
    let uri = |folder: &std::path::Path| {
        format!(
            "qemu+tls://127.0.0.1:{port}/session?pkipath={}",
            folder.display()
        )
    };
    let right = uri(&certificates.client("alice", &[]));
    let script = format!(
        r#"
        let admin = connect_admin();
        let conn = connect("{right}");
        assert(conn.is_encrypted() && conn.is_secure());
        let client = admin.lookup_server("libvirtd").list_clients().pop();
        assert_eq([client.transport(), client.info().tls_x509_dname], ["tls", "CN=alice"]);
        conn.get_hostname();
        "#
    );
    host.virhai_admin().script(script).ok();

    let fails = |uri: &str, words: &[&str]| {
        let run: Run = virhai()
            .unprivileged()
            .script(format!("connect(\"{uri}\");"));
        let told = run.fails(4).to_string();
        assert!(
            words.iter().all(|word| told.contains(word)),
            "{words:?}: {told}"
        );
    };
    let expired = [
        "-startdate",
        "20200101000000Z",
        "-enddate",
        "20200102000000Z",
    ];
    fails(
        &uri(&certificates.client("late", &expired)),
        &["has expired", "certificate"],
    );
    fails(
        &uri(&certificates.distrustful("mallory")),
        &["known issuer"],
    );
    // Only the daemon knows that it does not trust this certificate.
    let unknown = format!("{}&no_sanity=1", uri(&certificates.stranger("eve")));
    fails(&unknown, &["the daemon's log has the reason"]);
    // The daemon's certificate is for 127.0.0.1.
    let by_name = right.replace("//127.0.0.1:", "//localhost:");
    fails(&by_name, &["does not have the name in the URI"]);
    virhai()
        .unprivileged()
        .script(format!(
            "connect(\"{by_name}&no_verify=1\").get_hostname();"
        ))
        .ok();

    // A certificate is revoked while the daemon runs.
    let bob = uri(&certificates.client("bob", &[]));
    let connects = format!("connect(\"{bob}\").get_hostname();");
    virhai().unprivileged().script(connects.clone()).ok();
    certificates.revoke("bob");
    let list = host.scratch().path("home/.pki/libvirt/cacrl.pem");
    std::fs::copy(certificates.path("crl.pem"), list).expect("both are the test's own");
    virhai().unprivileged().script(connects).ok();
    host.virhai_admin()
        .script("connect_admin().lookup_server(\"libvirtd\").update_tls_files();")
        .ok();
    fails(&bob, &["the daemon's log has the reason"]);
    virhai()
        .unprivileged()
        .script(format!("connect(\"{right}\").get_hostname();"))
        .ok();
}

#[test]
fn the_ssh_libraries_of_libvirt_log_in_by_a_key_and_check_the_host() {
    let daemon = Daemon::start();
    let Some(server) = SshServer::start(&daemon) else {
        return;
    };
    let scratch = daemon.scratch();
    let root = nix::unistd::geteuid().is_root();
    for library in ["libssh", "libssh2"] {
        let known = scratch.path(format!("{library}-hosts"));
        let uri = |verify: &str| {
            let uri = server
                .uri(root)
                .replace("qemu+ssh:", &format!("qemu+{library}:"));
            let uri = uri.replace("no_verify=1&", "");
            format!(
                "{uri}&sshauth=privkey&known_hosts={}&known_hosts_verify={verify}",
                known.display()
            )
        };
        let opens = |verify: &str| {
            virhai()
                .env("HOME", scratch.path("home"))
                .script(format!(
                    "print(connect(\"{}\").list_all_domains());",
                    uri(verify)
                ))
                .run()
        };
        let first = opens("auto");
        if first.stderr.contains("not supported") || first.stderr.contains("transport") {
            skip(format!("this libvirt has no {library}: {first}"));
            continue;
        }
        assert_eq!(
            (first.status, first.stdout.as_str()),
            (0, "[]\n"),
            "{first}"
        );
        let entry = std::fs::read_to_string(&known).expect("the key is kept");
        assert_eq!(opens("normal").status, 0, "the key is known");
        // Another key in its place is refused.
        let (names, _) = entry
            .split_once(" ssh-")
            .expect("it has the host and a key");
        let other = std::fs::read_to_string(server.path("key.pub")).expect("ssh-keygen made it");
        let other: Vec<&str> = other.split_whitespace().take(2).collect();
        std::fs::write(&known, format!("{names} {}\n", other.join(" "))).expect("it is ours");
        let refused = opens("normal");
        assert_eq!(refused.status, 4, "{refused}");
        assert!(refused.stderr.contains("ssh-keygen -R"), "{refused}");
    }
}

#[test]
fn a_refused_port_is_answered_with_the_socket_to_start() {
    // Nothing listens on the port of a listener that has ended.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    drop(listener);
    let uri = format!("qemu+tcp://127.0.0.1:{port}/system");
    let outcome = virhai().arg("-c").arg(uri).script("connect();").run();
    assert_eq!(outcome.status, 4, "{outcome}");
    let advice = "start its socket on that host (`systemctl start libvirtd-tcp.socket`)";
    assert!(outcome.stderr.contains(advice), "{outcome}");
}
