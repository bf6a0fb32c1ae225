//! Hosts by name, and work on many of them.

use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use crate::support::{Daemon, Run, Scratch, SshServer, virhai};

/// Four hosts in a repo with a `virhai.toml`; each connection has its own copy of its host.
fn repo(scratch: &Scratch, script: &str) -> Run {
    let guest = "<domain type='test'><name>NAME</name><memory>1024</memory><os><type>hvm</type></os></domain>";
    for name in ["web1", "web2", "web3", "db1"] {
        let text = format!("<node>{}</node>", guest.replace("NAME", name));
        scratch.write(&format!("{name}.xml"), text);
    }
    let uri = |name: &str| format!("test://{}", scratch.text(&format!("{name}.xml")));
    let file = format!(
        "[hosts]\nweb1 = {{ uri = '{}', groups = ['web'], vars = {{ rack = 3 }} }}\nweb2 = {{ uri = '{}', groups = ['web', 'old'] }}\nweb3 = {{ uri = '{}', groups = ['web'] }}\ndb1 = '{}'\n",
        uri("web1"),
        uri("web2"),
        uri("web3"),
        uri("db1")
    );
    scratch.write("virhai.toml", file);
    let script = scratch.write(
        "run.rhai",
        format!("import \"std/fleet\" as fleet;\n{script}"),
    );
    let run = virhai()
        .unprivileged()
        .without_grants()
        .env("HOME", scratch.path(""));
    run.arg("--allow-read")
        .arg(scratch.path(""))
        .arg("run")
        .arg(script)
}

#[test]
fn hosts_are_chosen_by_name_and_group_and_opened_once() {
    let scratch = Scratch::new();
    let script = r#"
        fn names(pattern) { hosts(pattern).map(|host| host.name).join(" ") }
        print(names("all") + "; " + names("web:!old") + "; " + names("db1,web1"));
        print(hosts("web1")[0].vars);
        let one = connect_host("web1");
        one.lookup_by_name("web1").destroy();
        assert(one == connect_host("web1"));
        assert_eq(connect_host("web1").lookup_by_name("web1").state(), "shutoff");
        one.close();
        assert_eq(connect_host("web1").lookup_by_name("web1").state(), "running");
        for name in [|| hosts("wbe"), || connect_host("web9")] {
            try { name.call(); throw "it worked"; } catch (err) { print(err.message); }
        }
    "#;
    let told = repo(&scratch, script).ok();
    let words = "web1 web2 web3 db1; web1 web3; web1 db1\n#{\"rack\": 3}\nno host and no group is called `wbe`\nno host is called `web9`\n";
    assert_eq!(told, words);
}

#[test]
fn work_goes_in_waves_and_stops_after_failures() {
    let scratch = Scratch::new();
    let script = r#"
        let rows = fleet::on_hosts("all", #{ wave: 2 }, |host| { host.conn.lookup_by_name(host.name).suspend(); host.conn.num_of_domains() });
        print(rows.map(|row| `${row.host} ${row.state} ${row.wave} ${row.value}`).join(", "));
        let rows = fleet::on_hosts("all", #{ wave: "25%", check: false, stop_after: 2 }, |host| {
            if host.name != "web1" { throw "no room"; }
        });
        print(rows.map(|row| `${row.host} ${row.state} ${row.wave} ${row.error}`).join(", "));
        let rows = fleet::on_hosts("all", #{ wave: 1, check: false, health: |host| host.name != "web2" }, |host| host.name);
        print(rows.map(|row| `${row.host} ${row.state}`).join(", "));
        try {
            fleet::on_hosts("web", #{}, |host| { if host.name == "web3" { throw "broken"; } host.name });
        } catch (err) {
            print(`${err.message} ${err.rows.len()}`);
        }
        let rows = fleet::rolling_restart("web*", #{ guests: "web*", check: false });
        print(rows.map(|row| `${row.host} ${row.state} ${row.value}`).join(", "));
        for wrong in ["0%", "x", 0] {
            try { fleet::on_hosts("all", #{ wave: wrong }, |host| 1); print("it worked"); } catch {}
        }
    "#;
    let told = repo(&scratch, script).ok();
    let rows = [
        "web1 done 1 1, web2 done 1 1, web3 done 2 1, db1 done 2 1",
        "web1 done 1 , web2 failed 2 no room, web3 failed 3 no room, db1 skipped 4 ",
        "web1 done, web2 unhealthy, web3 skipped, db1 skipped",
        "1 of 3 hosts failed; web3: broken 3",
        "web1 done [\"web1\"], web2 done [\"web2\"], web3 done [\"web3\"]",
        "",
    ];
    assert_eq!(told, rows.join("\n"));
}

#[test]
fn a_resumed_run_skips_the_hosts_that_are_done() {
    let scratch = Scratch::new();
    let script = format!(
        r#"
        let flag = "{}";
        fleet::on_hosts("all", #{{ stop_after: 9 }}, |host| {{
            print(host.name);
            if host.name == "web2" {{ read_text(flag); }}
            host.conn.num_of_domains()
        }});
        print("the end");"#,
        scratch.text("flag")
    );
    let failed = repo(&scratch, &script).fails(1);
    assert!(
        failed.stderr.contains("1 of 4 hosts failed; web2: "),
        "{failed}"
    );
    scratch.write("flag", "");
    let resumed = virhai()
        .unprivileged()
        .without_grants()
        .env("HOME", scratch.path(""))
        .arg("resume")
        .run();
    assert_eq!(resumed.status, 0, "{resumed}");
    assert_eq!(resumed.stdout, "web2\nthe end\n", "{resumed}");
}

#[test]
fn a_resumed_run_knows_which_guests_have_left_a_host() {
    let scratch = Scratch::new();
    let script = format!(
        r#"
        let flag = "{}";
        fleet::patch_in_waves("web", #{{ guests: "shut down", patch: |host| {{
            print(host.name);
            if host.name == "web2" {{ read_text(flag); }}
        }} }}); ()"#,
        scratch.text("flag")
    );
    let failed = repo(&scratch, &script).fails(1);
    assert_eq!(failed.stdout, "web1\nweb2\n", "{failed}");
    scratch.write("flag", "");
    let resumed = virhai()
        .unprivileged()
        .without_grants()
        .env("HOME", scratch.path(""))
        .arg("resume")
        .run();
    assert_eq!(resumed.stdout, "web2\nweb3\n", "{resumed}");
    for part in [
        "the guests leave web2: done before",
        "host web1: done before",
    ] {
        assert!(resumed.stderr.contains(part), "{resumed}");
    }
}

#[test]
fn an_inventory_is_a_file_or_a_program_that_the_user_accepts() {
    let scratch = Scratch::new();
    let program = "#!/bin/sh\n[ \"$1\" = --list ] && echo '{\"lab\": {\"hosts\": [\"a\"]}, \"_meta\": {\"hostvars\": {\"a\": {\"virhai_uri\": \"test:///default\"}}}}'\n";
    let inventory = scratch.write("list", program);
    scratch.write("hosts.ini", "[web]\nweb[1:3] virhai_uri=test:///default\n");
    let script = scratch.write("a.rhai", "print(hosts().map(|host| host.name).join(\" \") + connect_host(hosts()[0].name).num_of_domains());");
    let run = |option: &[&str]| {
        let run = virhai()
            .unprivileged()
            .without_grants()
            .env("HOME", scratch.path(""));
        let run = option.iter().fold(run, |run, option| run.arg(option));
        run.arg("run").arg(&script)
    };
    let none = run(&[]).fails(1);
    assert!(none.stderr.contains("the list of hosts is empty"), "{none}");
    let ini = scratch.text("hosts.ini");
    assert_eq!(
        run(&["--inventory", &ini, "--only-named-hosts"]).ok(),
        "web1 web2 web31\n"
    );
    std::fs::set_permissions(&inventory, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let program = inventory.to_str().expect("text");
    assert_eq!(run(&["--inventory", program]).ok(), "a1\n");
    // The value of an option is not a command.
    let by_name = run(&["--inventory", "list"]).folder(scratch.path(""));
    assert_eq!(by_name.ok(), "a1\n");
    scratch.write("virhai.toml", "inventory = 'list'\n");
    let asked = run(&[]).fails(2);
    assert!(asked.stderr.contains("run the program"), "{asked}");
    assert_eq!(run(&["--trust"]).ok(), "a1\n");
    scratch.write("virhai.toml", "inventory = 'hosts.ini'\n");
    assert_eq!(run(&[]).ok(), "web1 web2 web31\n");
    scratch.write("virhai.toml", "inventory = '/etc/passwd'\n");
    assert!(run(&[]).fails(2).stderr.contains("it is not in the repo"));
}

#[test]
fn an_inventory_is_stopped_with_all_its_processes_and_its_errors_quote_nothing() {
    let scratch = Scratch::new();
    scratch.write("run.rhai", "print(hosts(\"all\"))");
    scratch.write("hosts.yaml", "all:\n  vars: {code: sw0rd}\n  x: [1");
    let run = |arguments: &[&str]| {
        let run = virhai().folder(scratch.path("")).arg("--inventory");
        let run = arguments
            .iter()
            .fold(run, |run, argument| run.arg(argument));
        run.arg("run").arg("run.rhai")
    };
    let outcome = run(&["hosts.yaml"]).fails(2);
    assert!(!outcome.to_string().contains("sw0rd"), "{outcome}");

    // The program and its child hold the pipe open: reading it ends when both have ended.
    let pipe = scratch.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe can be made");
    let mut reader = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits())
        .open(&pipe)
        .expect("it is there");
    let program = format!(
        "#!/bin/sh\nexec 3> '{}'\necho up >&3\nsleep 600 &\nwait\n",
        pipe.display()
    );
    let list = scratch.write("hosts", program);
    std::fs::set_permissions(&list, PermissionsExt::from_mode(0o755)).expect("it is ours");

    let outcome = run(&["hosts", "--timeout", "1s"]).fails(2);
    assert!(outcome.stderr.contains("did not end in time"), "{outcome}");
    // The end of a killed process takes a moment.
    let until = Instant::now() + Duration::from_secs(10);
    while reader.read_to_end(&mut Vec::new()).is_err() {
        assert!(Instant::now() < until, "a process is left");
        std::thread::sleep(Duration::from_millis(20));
    }

    let mut child = run(&["hosts"]).command().spawn().expect("it starts");
    let mut pipe = std::fs::File::open(&pipe).expect("it is there");
    let mut up = [0; 3];
    pipe.read_exact(&mut up).expect("the program is up");
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it runs");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(15), "{status}");
    assert_eq!(pipe.read(&mut up).expect("it can be read"), 0);
}

/// Prints rows of hosts, and the states of their guests.
const TOLD: &str = r#"
    let told = |rows| print(rows.map(|row| `${row.host} ${row.state} ${row.wave} ${row.error ?? ""}`).join(", "));
    let guests = |pattern| print(fleet::guests(pattern).map(|row| `${row.name} ${row.state} on ${row.host}`).join(", "));
"#;

#[test]
fn hosts_are_patched_in_waves_and_a_failed_host_keeps_its_guests_away() {
    let scratch = Scratch::new();
    let script = r#"
        let rows = fleet::patch_in_waves("all", #{
            check: false, guests: "shut down", stop_after: 2,
            patch: |host| {
                assert_eq(host.conn.num_of_domains(), 0);
                if host.name == "web1" { throw "no disk space"; }
            },
            health: |host| host.name != "web3",
        });
        told.call(rows);
        guests.call("all");
        told.call(fleet::bring_back(rows, #{}));
        guests.call("web");
        connect_host("db1").lookup_by_name("db1").undefine();
        for options in [#{ patch: |host| 1, guests: "shut down" }, #{ patch: ["true"], guests: "leave" }] {
            try { fleet::patch_in_waves("db1", options); } catch (err) { print(`${err.message} ${err.rows.len()}`); }
        }
    "#;
    let told = repo(&scratch, &format!("{TOLD}{script}")).ok();
    let rows = [
        "web1 failed 1 no disk space; guests that are not back: web1 (off), web2 done 2 , \
         web3 unhealthy 3 its health check returned false; guests that are not back: web3 (off), db1 skipped 4 ",
        "web1 shutoff on web1, web2 running on web2, web3 shutoff on web3, db1 running on db1",
        "web1 done 1 , web2 done 1 , web3 done 1 ",
        "web1 running on web1, web2 running on web2, web3 running on web3",
        "1 of 1 hosts failed; db1: the guest `db1` is transient: it would be gone after a shutdown 1",
        "1 of 1 hosts failed; db1: cannot call `ssh`: the script may not run commands on `db1` by ssh 1",
        "",
    ];
    assert_eq!(told, rows.join("\n"));
}

#[test]
fn a_patch_by_ssh_runs_on_each_host_until_one_fails() {
    let daemon = Daemon::start();
    let Some(server) = SshServer::start(&daemon) else {
        return;
    };
    let scratch = Scratch::new();
    let log = scratch.text("patched");
    let script = format!(
        r#"
        let patch = ["sh", "-c", `echo "$SSH_CONNECTION" >> {log}; [ $(wc -l < {log}) -lt 3 ] || {{ echo 'no $room' >&2; exit 7; }}`];
        let rows = fleet::patch_in_waves("web,db1", #{{ patch: patch, guests: "shut down", check: false }});
        told.call(rows);
        guests.call("all");
    "#
    );
    let run = repo(&scratch, &format!("{TOLD}{script}"));
    let list = scratch.path("virhai.toml");
    let text = std::fs::read_to_string(&list).expect("it was written");
    // The host's name for ssh differs from its name in the list.
    let text = text.replace("vars = { rack = 3 }", "vars = { ssh = 'first' }");
    assert!(text.contains("'first'"), "{text}");
    scratch.write("virhai.toml", text);
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("users can be read");
    let config = format!(
        "Host first web2 web3\nHostName 127.0.0.1\nPort {}\nUser {}\nIdentityFile {}\n\
         StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n",
        server.port(),
        user.expect("the user has a name").name,
        server.path("key_of_test_user").display()
    );
    let config = scratch.write("config", config);
    let ssh = format!(
        "#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n",
        config.display()
    );
    let ssh = scratch.write("bin/ssh", ssh);
    std::fs::set_permissions(&ssh, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", scratch.text("bin"));
    let hosts = ["first", "web2", "web3"].into_iter();
    let run = hosts.fold(
        run.env("PATH", path).env("SSH_AUTH_SOCK", ""),
        |run, host| run.first_arg(host).first_arg("--allow-ssh"),
    );
    let outcome = run.run();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let [rows, guests] = lines.as_slice() else {
        panic!("{outcome}\n{}", server.log());
    };
    assert!(
        rows.starts_with("web1 done 1 , web2 done 2 , web3 failed 3 ")
            && rows.ends_with("guests that are not back: web3 (off), db1 skipped 4 "),
        "{outcome}\n{}",
        server.log()
    );
    assert!(
        rows.contains("status 7") && rows.contains("no $room"),
        "{outcome}"
    );
    let wanted =
        "web1 running on web1, web2 running on web2, web3 shutoff on web3, db1 running on db1";
    assert_eq!(*guests, wanted, "{outcome}");
    let patched = std::fs::read_to_string(log).expect("the command ran");
    assert_eq!(patched.matches("127.0.0.1 ").count(), 6, "{patched}");
}

#[test]
fn evacuated_guests_move_to_hosts_with_room_and_come_back() {
    let scratch = Scratch::new();
    let script = r#"
        let large = "<domain type='test'><name>large</name><memory unit='GiB'>2</memory><os><type>hvm</type></os></domain>";
        connect_host("web3").define_xml(large).create();
        let rows = fleet::evacuate("web1,web3", #{});
        for row in rows { print(`${row.host}: ${row.value.map(|place| `${place.guest} to ${place.host}`).join(", ")}`); }
        guests.call("web1,web3");
        told.call(fleet::bring_back(rows, #{}));
        // A second large guest has no room.
        connect_host("web2").define_xml(large).create();
        connect_host("db1").define_xml(large).create();
        told.call(fleet::evacuate("web3", #{ to: "web2,db1", check: false }));
        told.call(fleet::evacuate("web", #{ to: "web1", check: false, stop_after: 9 }));
        connect_host("web2").lookup_by_name("large").destroy();
        let patch = |host| {
            assert_eq(host.conn.num_of_domains(), 0);
            if host.name == "web3" { throw "no disk space"; }
        };
        let rows = fleet::patch_in_waves("web:!old", #{ patch: patch, to: "web", check: false });
        told.call(rows);
        guests.call("web");
    "#;
    // The test driver does not migrate guests; twins do.
    let told = repo(&scratch, &format!("{TOLD}{script}"));
    let told = told.first_arg("--rehearse").ok();
    let (printed, plan) = told.split_once("\nPlan\n").expect("there is a plan");
    let rows = [
        "web1: web1 to web2",
        "web3: large to db1, web3 to web2",
        "",
        "web1 done 1 , web3 done 1 ",
        "web3 failed 1 no host has room for the guest `large` with 2 GiB of memory; the most is 1023 MiB on web2",
        "web1 failed 1 there is no host for the guests of web1: no other host of the list can take guests now, \
         web2 failed 2 there is no host",
        "web1 done 1 , web3 failed 2 no disk space; guests that are not back: ",
        "web1 running on web1, ",
    ];
    let printed: Vec<&str> = printed.lines().collect();
    assert_eq!(printed.len(), rows.len(), "{told}");
    for (line, row) in printed.iter().zip(rows) {
        assert!(line.starts_with(row), "{row}: {told}");
    }
    assert!(plan.contains("migrated  domain web1"), "{told}");
}

#[test]
fn states_of_hosts_are_told_also_of_one_that_does_not_answer() {
    let scratch = Scratch::new();
    let script = r#"
        for row in fleet::status("all") { print(`${row.host} ${row.state} ${row.running} ${row.guests} ${row.free_kib} ${row.error ?? ""}`); }
        print(fleet::guests("all").len());
    "#;
    let run = repo(&scratch, script);
    std::fs::remove_file(scratch.path("web2.xml")).expect("it is there");
    let outcome = run.run();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines[0], "web1 answers 1 1 3144704 ", "{outcome}");
    assert!(lines[1].starts_with("web2 no answer    "), "{outcome}");
    assert_eq!(lines[4], "3", "{outcome}");
    assert!(
        outcome.stderr.contains("web2 does not answer: "),
        "{outcome}"
    );
}

#[test]
fn work_on_many_hosts_shares_no_variables() {
    let scratch = Scratch::new();
    let script = r#"
        let count = 0;
        let inner = |host, words| { count += 1; sleep("100ms"); `${words} ${host} ${count}` };
        let outer = |host| inner.call(host, "on");
        assert_eq(parallel(["a", "b", "c"], 3, |host| outer.call(host)), ["on a 1", "on b 1", "on c 1"]);
        let all = #{ work: [outer] };
        assert_eq(parallel(["a", "b"], 2, |host| all.work[0].call(host)).len(), 2);
        let rows = fleet::on_hosts("web", #{ wave: "100%", check: false }, |host| { sleep("200ms"); outer.call(host.name) });
        print(rows.map(|row| row.state).join(" "));
        assert_eq(count, 0);
    "#;
    let run = repo(&scratch, script);
    assert_eq!(run.ok(), "done done done\n");
}
