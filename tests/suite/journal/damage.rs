//! Journals that were cut short, cannot be written, or must not hold a secret.

use super::{has, in_folder, journal};
use crate::support::{Scratch, SmallDisk, virhai};

const THREE: &str = r#"
    for name in ["one", "two", "three"] { step(name, || { print(name); #{ name: name } }); }
    print("the end");"#;

#[test]
fn a_journal_cut_at_any_byte_loses_no_finished_step() {
    let folder = Scratch::new();
    folder.write("three.rhai", THREE);
    in_folder(&folder).arg("run").arg("three.rhai").ok();
    let path = journal(&folder);
    let whole = std::fs::read_to_string(&path).expect("it is text");
    let begin = whole.find('\n').expect("it has lines") + 1;
    let end = whole.find("{\"record\":\"end\"").expect("it ended");
    let mut cuts = 0;
    for cut in (begin..end)
        .step_by(61)
        .chain([begin + 1, end - 1, end - 2])
    {
        std::fs::write(&path, &whole[..cut]).expect("it can be written");
        // A record counts as written if its last byte is there.
        let kept: Vec<&str> = whole[..cut]
            .lines()
            .filter(|line| line.ends_with('}') && line.contains("\"record\":\"done\""))
            .filter(|line| whole.lines().any(|other| other == *line))
            .collect();
        let resumed = in_folder(&folder).arg("resume").run();
        assert_eq!(resumed.status, 0, "cut at {cut}: {resumed}");
        let names = ["one", "two", "three"];
        let wanted: Vec<&str> = names.iter().skip(kept.len()).copied().collect();
        let told: Vec<&str> = resumed.stdout.lines().collect();
        assert_eq!(
            told,
            [wanted, vec!["the end"]].concat(),
            "cut at {cut}: {resumed}"
        );
        let torn = !whole[..cut].ends_with('\n') && !whole[..cut].ends_with('}');
        if torn {
            has(&resumed, &["was incomplete: removed"]);
        }
        cuts += 1;
    }
    println!("cut at {cuts} places");
}

#[test]
fn a_damaged_journal_is_reported_and_not_used() {
    let folder = Scratch::new();
    folder.write("three.rhai", THREE);
    in_folder(&folder).arg("run").arg("three.rhai").ok();
    let path = journal(&folder);
    let whole = std::fs::read_to_string(&path).expect("it is text");
    let damaged = whole.replacen("\"step\":1", "\"step\":!", 1);
    std::fs::write(&path, damaged).expect("it can be written");
    let refused = in_folder(&folder).arg("resume").fails(1);
    has(&refused, &["line 2 is damaged"]);
    let runs = in_folder(&folder).arg("runs").ok();
    assert!(runs.contains("damaged"), "{runs}");
    let newer = whole.replacen("\"format\":1", "\"format\":2", 1);
    std::fs::write(&path, newer).expect("it can be written");
    let refused = in_folder(&folder).arg("undo").fails(1);
    has(&refused, &["it has the format 2, and this virhai reads 1"]);
}

#[test]
fn a_journal_that_is_not_a_file_of_the_user_is_not_used() {
    let folder = Scratch::new();
    folder.write("three.rhai", THREE);
    in_folder(&folder).arg("run").arg("three.rhai").ok();
    let path = journal(&folder);
    let refuses = |why: &str| {
        for command in ["resume", "undo", "show"] {
            has(&in_folder(&folder).arg(command).fails(1), &[why]);
        }
        has(&in_folder(&folder).arg("runs").run(), &[why]);
    };
    let other = folder.path("other.jsonl");
    std::fs::rename(&path, &other).expect("it can be moved");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe can be made");
    refuses("it is not a file");
    std::fs::remove_file(&path).expect("it is there");
    std::os::unix::fs::symlink(&other, &path).expect("a link can be made");
    refuses("symbolic link");
    if nix::unistd::geteuid().is_root() {
        std::fs::rename(&other, &path).expect("it can be moved");
        std::os::unix::fs::chown(&path, Some(65534), None).expect("root may");
        refuses("it belongs to another user");
    }
}

#[test]
fn a_full_disk_stops_the_run_before_a_step_and_not_after() {
    let Some(disk) = SmallDisk::mount("1m") else {
        return;
    };
    let folder = Scratch::new();
    // The journal reserves more room than the disk has left after some steps.
    folder.write(
        "steps.rhai",
        "for number in 0..1000 { print(number); step(`step ${number}`, || { print(\"runs\"); \"x\" * 20000 }); }"
            .replace("\"x\" * 20000", "let text = \"x\"; text.pad(20000, \"x\"); text"),
    );
    let full = virhai()
        .folder(folder.path(""))
        .env("XDG_STATE_HOME", disk.path("state"))
        .arg("run")
        .arg("steps.rhai")
        .fails(1);
    has(
        &full,
        &["cannot write the journal in", "No space left on device"],
    );
    // Each step that ran has its value in the journal: the last line is a number, whose step did
    // not run.
    let told: Vec<&str> = full.stdout.lines().collect();
    assert_ne!(told.last(), Some(&"runs"), "{full}");
    let ran = told.iter().filter(|line| **line == "runs").count();
    assert!(ran > 5, "{ran}");
    let shown = virhai()
        .env("XDG_STATE_HOME", disk.path("state"))
        .arg("--json")
        .arg("show")
        .ok();
    assert_eq!(shown.matches(r#""state":"done""#).count(), ran, "{shown}");
}

#[test]
fn no_secret_reaches_a_journal() {
    let folder = Scratch::new();
    folder.write("token", "s3cr3t-token-value\n");
    folder.write(
        "secret.rhai",
        r#"const INPUTS = #{ token: #{ type: "secret", required: true, help: "token" } };
        fn main(inputs) {
            let xml = `<graphics type='vnc' passwd='another-secret'/>`;
            let dom = connect("test:///default").lookup_by_name("test");
            step(`call with ${inputs.token}`, || inputs.token);
            note(`the token is ${inputs.token}`);
            all_or_nothing(|undo| {
                undo.push(|| { dom.update_device(xml); print(inputs.token) });
                undo.push(|| { dom.update_device(parse_xml(xml)); });
            });
            // Reports cut long messages, here within the secret.
            let long = "";
            long.pad(8183, "x");
            let longer = "";
            longer.pad(16374, "x");
            try { throw long + inputs.token + longer; } catch (err) { note(err.message); }
            step("fail", || throw `no ${inputs.token} ${longer}${inputs.token}`);
        }"#,
    );
    let failed = in_folder(&folder)
        .arg("run")
        .arg("secret.rhai")
        .arg("--token-file")
        .arg("token")
        .fails(1);
    let path = journal(&folder);
    let mut written = std::fs::read_to_string(&path).expect("it is text");
    for command in [vec!["show"], vec!["--json", "show"], vec!["runs"]] {
        let run = command
            .iter()
            .fold(in_folder(&folder), |run, word| run.arg(word));
        written += &run.ok();
    }
    written += &failed.stderr;
    for secret in ["s3cr3t-token-value", "another-secret", "s3cr3"] {
        assert!(!written.contains(secret), "{secret}: {written}");
    }
    let undone = in_folder(&folder).arg("undo").fails(1);
    has(
        &undone,
        &["it needs a secret, and a journal contains no secrets"],
    );
}
