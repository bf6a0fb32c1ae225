//! Recipes that are killed: the same command again recovers.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{script, site};
use crate::support::{Daemon, Host, Strikes, all};

/// Kills per recipe.
fn times(short: usize) -> usize {
    if all() { short * 8 } else { short }
}

#[test]
fn the_same_command_completes_a_killed_clone_of_a_running_guest() {
    Strikes {
        name: "clone of a running guest".into(),
        build: Box::new(|| site(&["raw", "qcow2"], true)),
        script: script("clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" })"),
        again: script("if guest::find(conn, \"copy\") == () || conn.lookup_by_name(\"copy\").xml_desc().contains(\"virhai-work\") { \
            clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" }); }"),
        complete: script("assert_eq(conn.list_all_domains().len(), 2); \
            assert_eq(conn.lookup_by_name(\"web\").state(), \"running\"); \
            let images = conn.storage_pool_lookup_by_name(\"images\"); images.refresh(); \
            assert_eq(images.num_of_volumes(), 4); \
            assert(!conn.lookup_by_name(\"web\").xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(\"overlay\")); \
            assert(!conn.lookup_by_name(\"web\").xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(\"virhai-work\"))"),
        signal: Signal::SIGKILL,
        seed: 7,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

/// Starts a clone of `web` and kills it once the guest writes to an overlay.
fn kill_a_clone(host: &Daemon) {
    let clone = script("clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" })");
    let file = host.scratch().write("clone.rhai", clone);
    let status = host.scratch().path("run/libvirt/qemu/run/web.xml");
    let mut client = host.virhai().arg("run").arg(file).command();
    let mut client = client.process_group(0).spawn().expect("the program starts");
    let deadline = Instant::now() + Duration::from_secs(240);
    while !is_laid_over(&status) {
        assert!(Instant::now() < deadline, "the guest is not laid over");
        sleep(Duration::from_millis(2));
    }
    let group = Pid::from_raw(-client.id().cast_signed());
    kill(group, Signal::SIGKILL).expect("it lives");
    client.wait().expect("it ends");
}

/// True if the guest uses an overlay, according to the daemon's state of the guest in the file `status`. The part before
/// the domain also names an overlay that is only being created.
fn is_laid_over(status: &Path) -> bool {
    let known = std::fs::read_to_string(status).unwrap_or_default();
    let (_, domain) = known.split_once("<domain ").unwrap_or_default();
    let mut lines = domain.lines();
    lines.any(|line| line.contains("<source file='") && line.contains(".overlay'"))
}

/// The next run of any recipe finds the remains of a killed clone, also if the guest has stopped
/// meanwhile.
#[test]
fn a_killed_clone_is_taken_back_by_the_next_recipe_on_the_guest() {
    let host = site(&["raw"], false);
    // Large enough that the copy is still running when the client is killed.
    let disk = host.scratch().path("images/web-0.raw");
    let mut bytes = std::fs::read(&disk).expect("it is there");
    bytes.resize(400 << 20, 1);
    std::fs::write(&disk, bytes).expect("there is room");
    host.ok(&script("conn.storage_pool_lookup_by_name(\"images\").refresh(); conn.lookup_by_name(\"web\").create()"));
    let told = "a run of virhai was killed during the clone `copy` of the guest `web`: undoing its changes";

    kill_a_clone(&host);
    // The guest is destroyed while it uses the overlay, which can be merged only after the guest's
    // next start.
    host.ok("connect().lookup_by_name(\"web\").destroy()");
    let again = host.run(&script(
        "let web = conn.lookup_by_name(\"web\"); \
         guest::boot(web).wait(\"MG:up\", \"1m\"); \
         assert(web.xml().get(\"devices/disk/source/@file\").ends_with(\"web-0.raw\")); \
         assert_eq(conn.list_all_domains().len(), 1); \
         let images = conn.storage_pool_lookup_by_name(\"images\"); images.refresh(); \
         assert_eq(images.list_volumes(), [\"web-0.raw\"])",
    ));
    assert_eq!(again.status, 0, "{again}");
    assert!(again.stderr.contains(told), "{again}");
    assert!(
        again.stderr.contains("starting it paused to merge"),
        "{again}"
    );

    kill_a_clone(&host);
    let removed = host.run(&script(
        "guest::remove_with_volumes(conn.lookup_by_name(\"web\")); \
         assert_eq(conn.list_all_domains(), []); \
         let images = conn.storage_pool_lookup_by_name(\"images\"); images.refresh(); \
         assert_eq(images.list_volumes(), [])",
    ));
    assert_eq!(removed.status, 0, "{removed}");
    assert!(removed.stderr.contains(told), "{removed}");
}

#[test]
fn the_same_command_completes_a_killed_restore_point() {
    Strikes {
        name: "restore point of raw disks".into(),
        build: Box::new(|| site(&["raw", "raw"], true)),
        script: script("restore_point::make(conn.lookup_by_name(\"web\"), \"p\")"),
        again: script("let web = conn.lookup_by_name(\"web\"); \
            if web.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(\"virhai-work\") || restore_point::list(web) != [\"p\"] { \
                restore_point::make(web, \"p\") }"),
        complete: script("let web = conn.lookup_by_name(\"web\"); assert_eq(web.state(), \"running\"); \
            assert_eq(restore_point::list(web), [\"p\"]); \
            let images = conn.storage_pool_lookup_by_name(\"images\"); images.refresh(); \
            assert_eq(images.num_of_volumes(), 5); \
            restore_point::restore(web, \"p\"); assert_eq(web.state(), \"running\"); \
            assert(!web.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(\"virhai-work\"))"),
        signal: Signal::SIGKILL,
        seed: 11,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn the_same_command_completes_a_killed_return_to_a_restore_point() {
    Strikes {
        name: "return to raw disks".into(),
        build: Box::new(|| {
            let host = site(&["raw"], true);
            host.ok(&script(
                "restore_point::make(conn.lookup_by_name(\"web\"), \"p\")",
            ));
            host
        }),
        script: script("restore_point::restore(conn.lookup_by_name(\"web\"), \"p\")"),
        again: script("restore_point::restore(conn.lookup_by_name(\"web\"), \"p\")"),
        complete: script(
            "let web = conn.lookup_by_name(\"web\"); assert_eq(web.state(), \"running\"); \
            let images = conn.storage_pool_lookup_by_name(\"images\"); images.refresh(); \
            assert_eq(images.num_of_volumes(), 3); \
            assert(!web.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains(\"virhai-work\"))",
        ),
        signal: Signal::SIGKILL,
        seed: 13,
        times: times(2),
    }
    .run()
    .leaves_nothing();
}

#[test]
fn a_signal_at_a_random_time_leaves_what_was_before() {
    Strikes {
        name: "SIGTERM while a running guest is cloned".into(),
        build: Box::new(|| site(&["raw", "qcow2"], true)),
        script: script("clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" })"),
        again: String::new(),
        complete: String::new(),
        signal: Signal::SIGTERM,
        seed: 17,
        times: times(2),
    }
    .run()
    .says_nothing();
}

#[test]
fn a_recipe_refuses_a_guest_that_another_run_is_working_on() {
    let host = site(&["raw"], true);
    let file = host.scratch().write(
        "sweep/other.rhai",
        script(
            "import \"std/under_way\" as under_way; let web = conn.lookup_by_name(\"web\"); \
             let work = #{ task: \"the clone `x`\", mark: begin_work(), was: \"running\" }; \
             under_way::write(web, work); web.suspend(); print(\"noted\"); sleep(\"10m\")",
        ),
    );
    let mut other = host.virhai().arg("run").arg(file).command();
    let other = std::os::unix::process::CommandExt::process_group(&mut other, 0).spawn();
    let mut other = other.expect("the program can be started");
    let mut line = String::new();
    let output = other.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)
        .expect("it says that it noted");
    let make = script("restore_point::make(conn.lookup_by_name(\"web\"), \"p\")");
    let refused = host.run(&make);
    let group = nix::unistd::Pid::from_raw(-other.id().cast_signed());
    nix::sys::signal::kill(group, Signal::SIGKILL).expect("it lives");
    other.wait().expect("it ends");
    assert_eq!(refused.status, 1, "{refused}");
    let why = "another virhai is working on the guest `web`: the clone `x` (process ";
    assert!(refused.stderr.contains(why), "{refused}");
    // The killed run had suspended the guest; after the next run it runs again.
    let again = host.run(&make);
    assert_eq!(again.status, 0, "{again}");
    let told =
        "a run of virhai was killed during the clone `x` of the guest `web`: undoing its changes";
    assert!(again.stderr.contains(told), "{again}");
    host.ok("assert_eq(connect().lookup_by_name(\"web\").state(), \"running\");");
    // virhai cannot know whether a process on another machine still runs.
    host.ok(&script(
        "import \"std/under_way\" as under_way; \
         under_way::write(conn.lookup_by_name(\"web\"), #{ task: \"a clone\", mark: \"far:b:1:77:3:4\" })",
    ));
    let refused = host.run(&script(
        "restore_point::remove(conn.lookup_by_name(\"web\"), \"p\")",
    ));
    assert!(
        refused
            .stderr
            .contains("has not finished (process 77 on far)"),
        "{refused}"
    );
    host.ok(&script(
        "import \"std/under_way\" as under_way; let web = conn.lookup_by_name(\"web\"); \
         under_way::take_back(web); restore_point::remove(web, \"p\"); assert(!web.xml_desc().contains(\"virhai-work\"))",
    ));
}
