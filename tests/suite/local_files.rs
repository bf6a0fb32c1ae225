//! Files of the machine that virhai runs on: the extent of each permission.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::support::{Outcome, Run, Scratch, Terminal, virhai};

/// A run that may read and write `inner` in `scratch`, with the folder as `args[0]`.
fn within(scratch: &Scratch, script: &str) -> Run {
    scratch.folder("inner");
    let file = scratch.write("run.rhai", script);
    virhai()
        .without_grants()
        .arg("--allow-read")
        .arg(scratch.path("inner"))
        .arg("--allow-write")
        .arg(scratch.path("inner"))
        .arg("run")
        .arg(file)
        .arg(scratch.path("inner"))
}

#[test]
fn data_is_read_as_it_was_written() {
    let scratch = Scratch::new();
    let script = r#"
        let folder = args[0];
        let value = #{ name: "web", disks: [#{ size: 20, bus: "virtio" }, #{ size: 1.5, bus: "sata" }], on: true };
        for ending in ["json", "toml", "yaml"] {
            let path = `${folder}/guest.${ending}`;
            switch ending {
                "json" => { write_json(path, value); assert_eq(read_json(path), value); }
                "toml" => { write_toml(path, value); assert_eq(read_toml(path), value); }
                _ => { write_yaml(path, value); assert_eq(read_yaml(path), value); }
            }
        }
        write_json(folder + "/null.json", [(), "ü\n", -1]);
        assert_eq(read_json(folder + "/null.json"), [(), "ü\n", -1]);
        let rows = [#{ name: "a,b", note: "two\nlines" }, #{ name: "\"c\"", note: "" }];
        write_csv(folder + "/rows.csv", rows);
        assert_eq(read_csv(folder + "/rows.csv"), rows);
        write_text(folder + "/sub.txt", "x");
        assert_eq(glob(folder + "/*.{json}").len(), 0);
        print(glob(folder + "/*.*ml").join(" ").replace_all_of(folder));
        fn replace_all_of(folder) { let text = this; text.replace(folder + "/", ""); text }
    "#;
    assert_eq!(within(&scratch, script).ok(), "guest.toml guest.yaml\n");
    let written = std::fs::metadata(scratch.path("inner/guest.json")).expect("it is there");
    assert_eq!(written.mode() & 0o600, 0o600);
}

#[test]
fn a_wrong_file_is_an_error_with_its_place() {
    let scratch = Scratch::new();
    scratch.folder("inner");
    for (name, bytes, call, words) in [
        ("a.json", "{\n \"a\": }", "read_json", "line 2 column 7"),
        ("a.toml", "a = ", "read_toml", "at line 1, column 5"),
        ("a.yaml", "a: [", "read_yaml", "line 1"),
        ("a.csv", "a,b\n1\n", "read_csv", "line: 2"),
        (
            "b.csv",
            "a,a\n1,2\n",
            "read_csv",
            "two columns are called `a`",
        ),
        ("a.xml", "<a>\n<b>", "read_xml", "line 2"),
        ("missing", "", "read_text", "No such file"),
    ] {
        if name != "missing" {
            scratch.write(&format!("inner/{name}"), bytes);
        }
        let script = format!("{call}(args[0] + \"/{name}\")");
        let failed = within(&scratch, &script).fails(1);
        assert!(failed.stderr.contains(words), "{name}: {failed}");
    }
    std::fs::write(scratch.path("inner/latin"), b"one\ntw\xf6\n").expect("it is ours");
    let failed = within(&scratch, "read_text(args[0] + \"/latin\")").fails(1);
    assert!(
        failed.stderr.contains("invalid byte is on line 2"),
        "{failed}"
    );
    let failed = within(&scratch, "write_toml(args[0] + \"/a\", #{ a: () })").fails(1);
    assert!(failed.stderr.contains("cannot write"), "{failed}");
    assert!(!scratch.path("inner/a").exists());
}

#[test]
fn a_write_into_a_missing_folder_names_the_folder() {
    let scratch = Scratch::new();
    let script = "write_text(args[0] + \"/none/deep/x\", \"x\")";
    let failed = within(&scratch, script).fails(1);
    let folder = scratch.path("inner/none/deep");
    let said = format!("the folder {} does not exist", folder.display());
    assert!(failed.stderr.contains(&said), "{failed}");
    assert!(failed.stderr.contains("mkdir -p"), "{failed}");
    // Where the script may not write, the message does not tell whether the folder exists.
    let failed = within(&scratch, "write_text(args[0] + \"/../none/x\", \"x\")").fails(1);
    assert!(failed.stderr.contains("may not write"), "{failed}");
}

#[test]
fn a_write_replaces_a_file_as_a_whole_and_keeps_its_permissions() {
    let scratch = Scratch::new();
    let kept = scratch.write("inner/kept", "before");
    std::fs::set_permissions(&kept, PermissionsExt::from_mode(0o640)).expect("it is ours");
    let before = std::fs::metadata(&kept).expect("it is there");
    within(&scratch, "write_text(args[0] + \"/kept\", \"after\")").ok();
    let after = std::fs::metadata(&kept).expect("it is there");
    assert_eq!(std::fs::read_to_string(&kept).expect("text"), "after");
    assert_eq!(after.mode(), before.mode());
    assert_ne!(after.ino(), before.ino(), "it is another file");
    let left = std::fs::read_dir(scratch.path("inner")).expect("a folder");
    assert_eq!(left.count(), 1, "no part of it is left");
}

#[test]
fn links_do_not_leave_the_granted_folder() {
    let scratch = Scratch::new();
    scratch.folder("inner/deep");
    scratch.write("secret", "swordfish");
    scratch.write("inner/own", "mine");
    for (to, from) in [
        ("../secret", "file"),
        ("..", "folder"),
        ("/nowhere", "dangling"),
        ("own", "good"),
    ] {
        symlink(to, scratch.path("inner").join(from)).expect("a link can be made");
    }
    let script = r#"
        let tried = ["/file", "/folder/secret", "/../secret", "/deep/../../secret", "/folder/inner/../secret"];
        for path in tried {
            for call in [|| read_text(args[0] + path), || write_text(args[0] + path, "x")] {
                let refused = false;
                try { print(call.call()); } catch (err) { refused = err.message.contains("may not"); }
                assert(refused, path);
            }
        }
        // A link to nowhere is like a file that does not exist.
        for call in [|| read_text(args[0] + "/dangling"), || write_text(args[0] + "/dangling", "x")] {
            try { call.call(); print("it worked"); } catch {}
        }
        print(read_text(args[0] + "/good") + " " + glob(args[0] + "/**/*").join(" "));
    "#;
    let told = within(&scratch, script).ok();
    let own = scratch.path("inner/own");
    assert_eq!(told, format!("mine {}\n", own.display()));
    assert_eq!(
        std::fs::read(scratch.path("secret")).expect("it is there"),
        b"swordfish"
    );
}

#[test]
fn templates_are_filled_and_stay_within_their_limits() {
    let fill = |text: &str, values: &str| -> Outcome {
        let script = format!("print(template(args[0], {values}))");
        virhai().arg("run").arg("-").arg(text).script(script).run()
    };
    let made = fill(
        "{% for d in disks %}\n<disk n='{{ d|xml }}'/>\n{% endfor %}\n",
        "#{ disks: [\"a\", \"'\"] }",
    );
    assert_eq!(
        made.stdout, "<disk n='a'/>\n<disk n='&apos;'/>\n\n",
        "{made}"
    );
    for (text, words) in [
        ("{{ missing }}", "undefined value"),
        ("{% if %}", "syntax error"),
        ("{% include '/etc/passwd' %}", "wrong"),
        (
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
            "limit of work",
        ),
        ("{{ 'a' * 99999999999 }}", "limit of work"),
        (
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "calls are nested more than 50 deep",
        ),
    ] {
        let failed = fill(text, "#{}");
        assert_eq!(failed.status, 1, "{text}: {failed}");
        assert!(failed.stderr.contains(words), "{text}: {failed}");
    }
}

#[test]
fn a_permission_is_asked_for_on_a_terminal_and_shown_without_control_characters() {
    let scratch = Scratch::new();
    let file = scratch.write("a\u{1b}[2Jb", "content");
    let script = format!(
        "for i in 0..2 {{ print(read_text(\"{}\").len()); }}",
        file.display().to_string().replace('\u{1b}', "\\x1b")
    );
    let script = scratch.write("run.rhai", script);
    let run = |options: &[&str]| {
        let run = options
            .iter()
            .fold(virhai().without_grants(), |run, option| run.arg(option));
        let run = run.env("NO_COLOR", "1").env("HOME", scratch.path(""));
        Terminal::start(&run.arg("run").arg(&script).command())
    };
    let mut once = run(&[]);
    once.shows("the script asks to read");
    once.shows("a\u{241b}[2Jb");
    once.types("y\r");
    once.shows("7\nthe script asks to read");
    once.types("n\r");
    once.shows("may not read");
    assert_eq!(once.ends(), 1);
    let mut always = run(&[]);
    always.shows("allow it?");
    always.types("a\r");
    always.shows("--allow-read");
    assert_eq!(always.ends(), 0);
    let mut stopped = run(&["--timeout", "1s"]);
    stopped.shows("allow it?");
    assert_eq!(stopped.ends(), 124);
    let mut silent = run(&["--no-ask"]);
    silent.shows("may not read");
    assert_eq!(silent.ends(), 1);
}
