//! The options of `virhai resume` and `virhai undo`, beside those of the run.

use super::{has, in_folder, on};
use crate::support::{Embed, Host, Scratch, virhai};

const GUEST: &str =
    "<domain type='qemu'><name>NAME</name><memory>1024</memory><os><type>hvm</type></os></domain>";

/// A script that defines the guest `name` in a step, and then does the rest.
fn defines(name: &str, rest: &str) -> String {
    let xml = GUEST.replace("NAME", name);
    format!(
        "step(\"define {name}\", || all_or_nothing(|undo| undo.step(|| connect().define_xml(`{xml}`), |dom| dom.undefine())));\n{rest}"
    )
}

#[test]
fn undo_and_resume_obey_their_own_options() {
    let host = Embed::new();
    let path = host
        .scratch()
        .write("home/web.rhai", defines("web", "throw \"x\""));
    on(&host).arg("run").arg("web.rhai").fails(1);
    let is_there = || host.ok(r#"assert_eq(connect().list_all_domains().len(), 1)"#);
    for (options, reason) in [
        (&["--rehearse"][..], "they cannot be rehearsed"),
        (&["--plan-first"], "they cannot be rehearsed"),
        (&["--against", "no.twin"], "they cannot be rehearsed"),
        (&["--readonly"], "read only access"),
        (
            &["--deny", "*"],
            "the rule `*` of the command line denies it",
        ),
    ] {
        let run = options
            .iter()
            .fold(on(&host), |run, option| run.arg(option));
        let refused = run.arg("undo").run();
        assert_ne!(refused.status, 0, "{options:?}: {refused}");
        has(&refused, &[reason]);
        is_there();
    }
    // A recipe of the script's own is needed, so the script is.
    std::fs::rename(&path, host.scratch().path("home/moved.rhai")).expect("it is there");
    on(&host).arg("undo").fails(1);
    std::fs::rename(host.scratch().path("home/moved.rhai"), &path).expect("it is there");
    let undone = on(&host).arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    host.ok("assert_eq(connect().list_all_domains(), [])");
}

#[test]
fn a_time_limit_of_undo_replaces_that_of_the_run() {
    let folder = Scratch::new();
    folder.write(
        "slow.rhai",
        "step(\"slow\", || 1, #{ undo: |value| sleep(\"700ms\") }); throw \"x\"",
    );
    let run = || in_folder(&folder);
    run()
        .arg("--undo-timeout")
        .arg("100ms")
        .arg("run")
        .arg("slow.rhai")
        .fails(1);
    let late = run().arg("undo").run();
    assert_ne!(late.status, 0, "the limit of the run holds: {late}");
    let undone = run().arg("--undo-timeout").arg("1m").arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
}

#[test]
fn a_resumed_run_has_the_default_host_of_its_beginning() {
    let (host, other) = (Embed::new(), Embed::new());
    let script = format!(
        "{}\n{}",
        defines("a", "assert(inputs.ready);"),
        defines("b", "")
    );
    let script =
        format!("const INPUTS = #{{ ready: #{{ type: \"bool\", default: false }} }};\n{script}");
    host.scratch().write("home/two.rhai", script);
    let home = host.scratch().path("home");
    let run = |uri: &str| {
        virhai()
            .unprivileged()
            .folder(&home)
            .env("HOME", &home)
            .env("LIBVIRT_DEFAULT_URI", uri)
            .arg("--allow-connect")
            .arg(uri)
    };
    run(&host.uri()).arg("run").arg("two.rhai").fails(1);
    let resumed = run(&other.uri())
        .env("VIRHAI_READY", "true")
        .arg("resume")
        .arg("--changed")
        .run();
    assert_eq!(resumed.status, 0, "{resumed}");
    host.ok(r#"assert_eq(connect().list_all_domains().map(|dom| dom.name), ["a", "b"])"#);
    other.ok("assert_eq(connect().list_all_domains(), [])");
}

#[test]
fn what_recipes_undo_needs_no_script() {
    let host = Embed::new();
    let path = host.scratch().write(
        "home/recipe.rhai",
        "import \"std/guest\" as guest;\nstep(\"web\", || guest::ensure(connect(), #{ name: \"web\", virt_type: \"qemu\", memory: \"32MiB\", start: false }));",
    );
    on(&host).arg("run").arg("recipe.rhai").ok();
    std::fs::remove_file(path).expect("it is there");
    let undone = on(&host).arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    host.ok("assert_eq(connect().list_all_domains(), [])");
}

#[test]
fn what_had_a_secret_is_not_replaced_by_asterisks() {
    let folder = Scratch::new();
    let run = || in_folder(&folder);
    // An input, which is given again.
    let script = "const INPUTS = #{ url: #{ type: \"string\" }, note: #{ type: \"string\" }, token: #{ type: \"secret\" } };\n\
                  fn main(inputs) { step(\"first\", || 1); print(inputs.url.len()); assert(inputs.token == \"abc\"); assert(inputs.note == ()); throw \"x\" }";
    folder.write("url.rhai", script);
    let url = "http://me:pw1234@host/x";
    let first = || {
        run()
            .env("VIRHAI_TOKEN", "abc")
            .arg("run")
            .arg("url.rhai")
            .arg("--url")
            .arg(url)
    };
    first().fails(1);
    has(
        &run().env("VIRHAI_TOKEN", "abc").arg("resume").fails(2),
        &["VIRHAI_URL is missing"],
    );
    has(
        &run().env("VIRHAI_URL", url).arg("resume").fails(2),
        &["VIRHAI_TOKEN is missing"],
    );
    let again = || run().env("VIRHAI_URL", url).env("VIRHAI_TOKEN", "abc");
    has(&again().arg("resume").fails(1), &["23\n"]);
    // An input that was not given stays so.
    has(
        &again().env("VIRHAI_NOTE", "new").arg("resume").fails(2),
        &["`note` was not given when the run began"],
    );
    // Code and arguments, which cannot be given again.
    let code = "let password = \"hunter22\"; step(\"first\", || 1, #{ undo: |value| print(password.len()) }); throw \"x\"";
    run().arg("-e").arg(code).fails(1);
    has(
        &run().arg("undo").fails(1),
        &["the code of the run had a secret, which no journal contains"],
    );
    folder.write("args.rhai", "step(\"first\", || 1); throw args[0]");
    run().arg("run").arg("args.rhai").arg(url).fails(1);
    has(
        &run().arg("resume").fails(1),
        &["the command line of the run had a secret"],
    );
}
