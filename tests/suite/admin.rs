//! The admin API of a real daemon, and what a script may do with it.

use std::io::BufRead;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use nix::sys::signal::Signal;

use super::constants::version;
use crate::support::{Daemon, Host, Scratch, virhai};

#[test]
fn only_connected_clients_are_listed() {
    let host = Daemon::start();
    host.virhai_admin()
        .script(
            r#"
            let server = connect_admin().lookup_server("libvirtd");
            let before = server.client_limits().nclients;
            let conn = connect();
            let reader = connect_read_only(conn.uri);
            let clients = server.list_clients();
            assert_eq(clients.len(), before + 2);
            assert_eq(server.client_limits().nclients, before + 2);
            let infos = clients.extract(before).map(|client| client.info());
            assert_eq(infos.map(|info| info.readonly), [false, true]);
            assert_eq(infos[0].unix_process_id, infos[1].unix_process_id);

            // Only that client loses its connection.
            let client = clients[before];
            client.close();
            let failed = false;
            try { conn.get_hostname(); } catch { failed = true; }
            assert(failed);
            reader.get_hostname();
            let tries = 100;
            while server.client_limits().nclients > before + 1 && tries > 0 { sleep("20ms"); tries -= 1; }
            assert_eq(server.client_limits().nclients, before + 1);
            assert_throws(|| client.info(), "VIR_ERR_NO_CLIENT");
            assert_throws(|| server.lookup_client(client.id), "VIR_ERR_NO_CLIENT");
            assert_throws(|| server.lookup_client(-1), "VIR_ERR_INVALID_ARG");
            "#,
        )
        .ok();
}

#[test]
fn limits_of_a_server_hold_for_new_clients_and_threads() {
    let host = Daemon::start();
    host.virhai_admin()
        .script(
            r#"
            let admin = connect_admin();
            let server = admin.lookup_server("libvirtd");
            let conn = connect();
            let now = server.client_limits().nclients;
            server.set_client_limits(#{ nclients_max: now, nclients_unauth_max: now });
            assert_throws(|| connect(conn.uri, #{ timeout: "1s" }), "VIR_ERR_OPERATION_TIMEOUT");
            conn.get_hostname();
            server.set_client_limits(#{ nclients_max: 100 });
            assert(connect(conn.uri).is_alive());

            let pool = server.thread_pool_parameters();
            server.set_thread_pool_parameters(#{ maxWorkers: pool.maxWorkers + 10, minWorkers: pool.nWorkers + 3 });
            let now = server.thread_pool_parameters();
            assert_eq([now.minWorkers, now.maxWorkers], [pool.nWorkers + 3, pool.maxWorkers + 10]);
            assert(now.nWorkers >= pool.nWorkers + 3);

            assert_throws(|| server.set_thread_pool_parameters(#{ minWorkers: 1000 }), "VIR_ERR_INVALID_ARG");
            for wrong in [#{ nWorkers: 3 }, #{ minWorkers: "many" }, #{ minWorkers: -1 }] {
                assert_throws(|| server.set_thread_pool_parameters(wrong), "VIR_ERR_INVALID_ARG");
            }
            let current = #{};
            current["nclients"] = 3;
            assert_throws(|| server.set_client_limits(current), "VIR_ERR_INVALID_ARG");
            try { admin.lookup_server("libvirt"); } catch (err) { assert_eq(err.hint, "did you mean `libvirtd`?"); }
            "#,
        )
        .ok();
}

#[test]
fn the_log_of_a_daemon_goes_where_a_script_sends_it() {
    let host = Daemon::start();
    let log = host.scratch().path("run/daemon.log");
    let script = format!(
        r#"
        let admin = connect_admin();
        admin.set_logging_filters("1:rpc 4:qemu");
        admin.set_logging_outputs("1:file:{0} 4:stderr");
        assert_eq(admin.get_logging_filters(), "1:*rpc* 4:*qemu*");
        assert_eq(admin.get_logging_outputs(), "1:file:{0} 4:stderr");
        connect().get_hostname();
        assert_throws(|| admin.set_logging_filters("9:qemu"), "VIR_ERR_INVALID_ARG");
        assert_throws(|| admin.set_logging_outputs("1:file"), "VIR_ERR_INVALID_ARG");
        "#,
        log.display()
    );
    host.virhai_admin().script(script).ok();
    let written = std::fs::read_to_string(log).expect("the daemon wrote it");
    assert!(written.contains("virNetServer"), "{written}");
}

#[test]
fn a_script_opens_only_daemons_whose_exact_uri_is_allowed() {
    let host = Daemon::start();
    let uri = host.admin_uri();
    let allowed = |run: crate::support::Run, uri: &str| {
        run.unprivileged()
            .without_grants()
            .script(format!("connect_admin(\"{uri}\").list_servers();"))
    };
    allowed(virhai().arg("--allow-connect").arg(&uri), &uri).ok();
    allowed(virhai().env("LIBVIRT_ADMIN_DEFAULT_URI", &uri), &uri).ok();
    let named = virhai().arg("--only-named-hosts");
    allowed(named.arg("--allow-connect").arg(&uri), &uri).ok();

    // No URI of a script leads to a connection to a socket.
    let scratch = Scratch::new();
    let socket = scratch.path("run/socket");
    scratch.folder("run");
    let listener = UnixListener::bind(&socket).expect("the socket is new");
    listener
        .set_nonblocking(true)
        .expect("a socket can be asked without waiting");
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&socket, everybody).expect("the socket is ours");
    let own = format!("libvirtd:///session?socket={}", socket.display());
    let others = [
        own.clone(),
        own.replace("libvirtd:", "libvirtd+unix:"),
        own.replace("libvirtd:", "virtqemud:"),
        own.replace("libvirtd:", "LIBVIRTD:"),
        own.replace("libvirtd:", "virtd#"),
        own.replace("libvirtd:", "qemu:"),
        own.replace("libvirtd:", "qemu+unix:"),
        "libvirtd:///session".to_owned(),
        "libvirtd:///system".to_owned(),
        "virtproxyd:///system".to_owned(),
        "qemu:///session".to_owned(),
        "test:///default".to_owned(),
        "lab".to_owned(),
        String::new(),
    ];
    // An open hypervisor and an allowed daemon give no permission for any other daemon.
    let opens = others.iter().map(|other| {
        format!(
            "try {{ connect_admin(\"{other}\"); print(\"open\"); }} catch (err) {{ print(err); }}\n"
        )
    });
    let told = virhai()
        .unprivileged()
        .without_grants()
        .arg("--allow-connect")
        .arg(&uri)
        .env("XDG_RUNTIME_DIR", scratch.path("run"))
        .script(format!(
            "connect(\"test:///default\");\n{}",
            opens.collect::<String>()
        ))
        .ok();
    let refused = |line: &&str| {
        line.contains("may not administer") || line.contains("is not the URI of a daemon")
    };
    assert_eq!(told.lines().filter(refused).count(), others.len(), "{told}");
    assert!(listener.accept().is_err(), "nothing has connected");

    // A permission for a hypervisor does not cover its daemon, and the other way round.
    let told = virhai()
        .unprivileged()
        .without_grants()
        .arg("-c")
        .arg(host.uri())
        .script(format!("connect(); connect_admin(\"{uri}\");"))
        .fails(1);
    assert!(told.stderr.contains("may not administer"), "{told}");
    let told = virhai().unprivileged().script("connect_admin();").fails(1);
    assert!(told.stderr.contains("no daemon was named"), "{told}");
}

#[test]
fn a_read_only_session_changes_nothing_about_a_daemon() {
    let host = Daemon::start();
    host.virhai_admin()
        .arg("--readonly")
        .script(
            r#"
            let admin = connect_admin();
            let server = admin.lookup_server("libvirtd");
            let before = [server.client_limits().nclients_max, admin.get_logging_outputs()];
            let client = admin.lookup_server("admin").list_clients().pop();
            for change in [
                || admin.set_logging_outputs("4:stderr"),
                || admin.set_logging_filters("1:qemu"),
                || admin.set_daemon_timeout(1),
                || admin.daemon_shutdown(),
                || server.set_client_limits(#{ nclients_max: 7 }),
                || server.set_thread_pool_parameters(#{ maxWorkers: 7 }),
                || server.update_tls_files(),
                || client.close(),
            ] {
                assert_throws(change, "VIR_ERR_OPERATION_DENIED");
            }
            assert_eq([server.client_limits().nclients_max, admin.get_logging_outputs()], before);
            "#,
        )
        .ok();
}

#[test]
fn calls_to_a_hanging_or_ended_daemon_fail() {
    let mut host = Daemon::start();
    // It prints a line when it has all handles, and continues once the daemon has been killed.
    let script = r#"
        let admin = connect_admin();
        let server = admin.lookup_server("libvirtd");
        let client = admin.lookup_server("admin").list_clients().pop();
        admin.set_daemon_timeout("1h");
        print("ready");
        let reason = admin.wait_closed("60s");
        assert(reason == "eof" || reason == "error", reason);
        assert_eq(admin.wait_closed("0s"), reason);
        assert(!admin.is_alive());
        for task in [
            || admin.list_servers(), || admin.lookup_server("admin"), || admin.get_lib_version(),
            || server.client_limits(), || server.list_clients(), || server.lookup_client(1), || client.info(),
        ] {
            let hint = "";
            try { task.call(); } catch (err) { hint = err.hint; }
            assert(hint.contains("connect_admin(uri)"), hint);
        }
        admin.close();
        for task in [|| server.client_limits(), || client.info(), || admin.list_servers(), || admin.wait_closed(0)] {
            assert_throws(task, "VIR_ERR_INVALID_CONN");
        }
        // Values that libvirt keeps in the handles are still available.
        assert_eq([server.name, client.transport()], ["libvirtd", "unix"]);
    "#;
    let (child, mut output) = host.virhai_admin().script(script).started();
    let mut line = String::new();
    output
        .read_line(&mut line)
        .expect("the program prints a line");
    assert_eq!(line, "ready\n");
    host.kill();
    let ended = child.wait_with_output().expect("it ends");
    assert!(ended.status.success(), "{ended:?}");

    host.launch();
    host.signal(Signal::SIGSTOP);
    let began = Instant::now();
    let hung = host.virhai_admin();
    let told = hung
        .arg("--connect-timeout")
        .arg("1s")
        .script("connect_admin();")
        .fails(4);
    assert!(told.stderr.contains("does not answer"), "{told}");
    assert!(began.elapsed().as_secs() < 20, "{told}");
    host.signal(Signal::SIGCONT);
    host.virhai_admin()
        .script("connect_admin().list_servers();")
        .ok();
}

#[test]
fn a_daemon_is_ended_by_a_script() {
    let mut host = Daemon::start();
    let old = version() < vec![11, 2, 0];
    host.virhai_admin()
        .script(format!(
            r#"
            let admin = connect_admin();
            let conn = connect();
            if {old} {{
                assert_throws(|| admin.daemon_shutdown(), "VIR_ERR_NO_SUPPORT");
                exit(0);
            }}
            admin.daemon_shutdown();
            assert_eq(admin.wait_closed("30s"), "eof");
            let failed = false;
            try {{ conn.get_hostname(); }} catch {{ failed = true; }}
            assert(failed);
            "#
        ))
        .ok();
    if !old {
        assert!(host.ends(), "the daemon has ended by itself");
    }
}

#[test]
fn a_daemon_knows_the_identity_that_a_connection_has_set() {
    let host = Daemon::start();
    host.virhai_admin()
        .script(
            r#"
            let conn = connect();
            let client = connect_admin().lookup_server("libvirtd").list_clients().pop();
            let before = client.info();
            conn.set_identity(#{ "user-name": "alice", "unix-user-id": 4711, "sasl-user-name": "alice@lab" });
            let after = client.info();
            assert_eq([after.unix_user_name, after.unix_user_id, after.sasl_user_name], ["alice", 4711, "alice@lab"]);
            assert_ne(before.unix_user_id, 4711);
            // Its calls still reach the daemon.
            conn.get_hostname();
            "#,
        )
        .ok();
}
