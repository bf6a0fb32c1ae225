//! Transfers into and out of volumes: complete, or with a correct report of the missing part.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Store;
use crate::support::{Host, SmallDisk, Terminal, succeeds};

const MIB: u64 = 1024 * 1024;

/// The bytes that a file occupies on its disk.
fn taken(path: &PathBuf) -> u64 {
    std::fs::metadata(path).expect("it is there").blocks() * 512
}

impl Store {
    /// A file of `length` bytes that holds `pieces` and nothing else.
    fn sparse_file(&self, name: &str, length: u64, pieces: &[(u64, &[u8])]) -> String {
        let path = self.host.scratch().write(name, "");
        let file = std::fs::File::options()
            .write(true)
            .open(&path)
            .expect("it is there");
        file.set_len(length).expect("it can be made long");
        for (place, piece) in pieces {
            file.write_all_at(piece, *place).expect("it can be written");
        }
        path.display().to_string()
    }

    fn content(&self, volume: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(volume)).expect("the volume is a file")
    }
}

/// A script's function that creates a raw volume without allocated blocks.
const EMPTY: &str = r#"fn empty(pool, name, size) {
    pool.create_xml(xml("volume", #{ name: name, capacity: size, allocation: 0, target: #{ format: #{ "@type": "raw" } } }))
}"#;

#[test]
fn where_a_file_has_holes_nothing_is_left_of_what_the_volume_held() {
    let store = Store::new();
    let source = store.sparse_file("holes.img", 4 * MIB, &[(2 * MIB, b"data")]);
    store.ok(&format!(
        r#"{EMPTY}
        let disk = empty(images, "disk.img", 4194304);
        disk.upload(blob(4194304, 7));
        // libvirt itself would keep the sevens in the place of holes.
        try {{ disk.upload_file("{source}", #{{ sparse: true }}); assert(false, "it was taken"); }}
        catch (err) {{
            assert_eq(err.code, "VIR_ERR_INVALID_ARG");
            assert(err.message.contains("only an empty volume"));
        }}
        disk.upload_file("{source}");
        "#
    ));
    assert!(
        store.content("disk.img") == std::fs::read(source).expect("it is there"),
        "the volume is the file"
    );
}

#[test]
fn holes_take_no_place_in_an_empty_volume_and_it_keeps_its_length() {
    let store = Store::new();
    // libvirt cuts a volume off behind each hole, so that the guest would see a smaller disk.
    let source = store.sparse_file("holes.img", 2 * MIB, &[(MIB, b"data")]);
    store.ok(&format!(
        r#"{EMPTY}
        let disk = empty(images, "disk.img", "8388608");
        disk.upload_file("{source}", #{{ sparse: true }});
        assert_eq(disk.info(VIR_STORAGE_VOL_GET_PHYSICAL).physical_bytes, 8388608);
        let dense = empty(images, "dense.img", "8388608");
        dense.upload_file("{source}", #{{ sparse: false }});
        "#
    ));
    let content = store.content("disk.img");
    assert_eq!(content.len() as u64, 8 * MIB);
    assert!(&content[MIB as usize..][..4] == b"data");
    assert!(content == store.content("dense.img"));
    assert!(taken(&store.folder.join("disk.img")) < MIB / 4);
    assert!(taken(&store.folder.join("dense.img")) >= 2 * MIB);
}

#[test]
fn data_beyond_the_end_of_a_raw_volume_is_refused_and_nothing_is_written() {
    let store = Store::new();
    let large = store.sparse_file("large.img", 2 * MIB, &[(0, b"large")]);
    store.ok(&format!(
        r#"{EMPTY}
        let disk = empty(images, "disk.img", 1048576);
        for upload in [
            || disk.upload_file("{large}"),
            || disk.upload_file("{large}", #{{ length: "1MiB", offset: 1 }}),
            || disk.upload(blob(2), 1048575),
            || disk.upload(blob(1048577)),
        ] {{
            try {{ upload.call(); assert(false, "it was taken"); }}
            catch (err) {{
                assert_eq(err.code, "VIR_ERR_INVALID_ARG");
                assert(err.hint.contains("resize("), err.hint);
            }}
        }}
        assert_eq(disk.info(), #{{ type: "file", capacity_bytes: 1048576, allocation_bytes: 0 }});
        disk.upload_file("{large}", #{{ length: "1MiB" }});
        assert_eq(disk.download(0, 5).as_string(), "large");
        "#
    ));
}

#[test]
fn an_image_goes_into_a_volume_of_its_format_whatever_its_size() {
    let store = Store::new();
    let image = store.path("image.qcow2");
    succeeds(Command::new("qemu-img").args(["create", "-q", "-f", "qcow2", &image, "64M"]));
    let owner =
        std::fs::set_permissions(&image, std::os::unix::fs::PermissionsExt::from_mode(0o644));
    owner.expect("the file is ours");
    store.ok(&format!(
        r#"
        let disk = images.create_xml(volume("disk.qcow2", 4096, "qcow2"));
        disk.upload_file("{image}");
        images.refresh();
        assert_eq(disk.info().capacity_bytes, 67108864);
        // The bytes are those of the image, and not those that a guest sees.
        assert_eq(disk.download(0, 3).as_string(), "QFI");
        let copy = images.create_xml_from(volume("copy.img", 0, "raw"), disk);
        assert_eq(copy.info().capacity_bytes, 67108864);
        "#
    ));
    assert_eq!(store.image("disk.qcow2")["virtual-size"], 64 * MIB);
    assert_eq!(store.image("copy.img")["virtual-size"], 64 * MIB);
}

#[test]
fn an_upload_that_the_disk_has_no_room_for_is_refused() {
    let Some(small) = SmallDisk::mount("1m") else {
        return;
    };
    let store = Store::new();
    let source = store.host.scratch().write("large.img", vec![1; 8 << 20]);
    let outcome = store.run(&format!(
            r#"{EMPTY}
            let pool = conn.storage_pool_create_xml(xml("pool", #{{ "@type": "dir", name: "small", target: #{{ path: "{}" }} }}));
            let disk = empty(pool, "disk.img", "8388608");
            // libvirtd itself would hang for everybody once the disk is full.
            for upload in [|| disk.upload_file("{}"), || disk.upload(blob(8388608, 1))] {{
                try {{ upload.call(); assert(false, "it went in"); }}
                catch (err) {{
                    assert_eq(err.code, "VIR_ERR_OPERATION_FAILED");
                    assert(err.message.contains("needs 8388608 bytes"), err.message);
                }}
            }}
            assert_eq(disk.info().allocation_bytes, 0);
            disk.delete();
            assert_eq(pool.num_of_volumes(), 0);
            pool.destroy();
            print("lives");
            "#,
        small.path("").display(),
        source.display()
    ));
    assert_eq!(outcome.stdout, "lives\n", "{outcome}");
}

/// Runs a script until it prints, sends it Ctrl-C, and returns status and standard error.
fn interrupted(store: &Store, script: &str) -> (Option<i32>, String) {
    once_under_way(store, script, |program| {
        kill(program, Signal::SIGINT).expect("it runs");
    })
}

/// Runs a script until it prints, does `act`, and returns status and standard error.
fn once_under_way(store: &Store, script: &str, act: impl FnOnce(Pid)) -> (Option<i32>, String) {
    let mut command = store.script("").command();
    let mut child = command.spawn().expect("the program can be started");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    std::io::Write::write_all(&mut input, script.as_bytes()).expect("it takes the script");
    drop(input);
    let mut lines = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("the output is text");
    assert_eq!(line, "under way\n");
    act(Pid::from_raw(child.id().cast_signed()));
    let mut said = String::new();
    let mut errors = child.stderr.take().expect("standard error is a pipe");
    errors.read_to_string(&mut said).expect("it says text");
    (child.wait().expect("it ends").code(), said)
}

#[test]
fn an_interrupt_ends_an_upload_and_says_that_the_volume_is_incomplete() {
    let store = Store::new();
    let source = store.sparse_file("large.img", 1024 * MIB, &[(0, b"large")]);
    let (status, said) = interrupted(
        &store,
        &format!(
            r#"{EMPTY}
            let images = connect().storage_pool_lookup_by_name("images");
            let disk = empty(images, "disk.img", "1073741824");
            let told = false;
            disk.upload_file("{source}", #{{ sparse: false, progress: |done, total| {{
                if !told {{ told = true; print("under way"); }}
            }} }});
            print("it arrived");
            "#
        ),
    );
    assert_eq!(status, Some(130), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    assert!(said.contains("`disk.img` is incomplete: "), "{said}");
    assert!(said.contains("of 1073741824 bytes"), "{said}");
    assert!(taken(&store.folder.join("disk.img")) < 1024 * MIB);
    // The host no longer works on it.
    store.ok(r#"
        let disk = images.storage_vol_lookup_by_name("disk.img");
        disk.upload("again");
        assert_eq(disk.download(0, 5).as_string(), "again");
        disk.delete();
    "#);
}

#[test]
fn at_the_prompt_the_connection_lives_on_after_an_interrupted_upload() {
    let store = Store::new();
    let source = store.sparse_file("large.img", 1024 * MIB, &[]);
    let volume = "#{ name: \"disk.img\", capacity: \"1073741824\", allocation: 0 }";
    store.ok(&format!("images.create_xml(xml(\"volume\", {volume})); ()"));
    let mut prompt = Terminal::start(&store.program().command());
    prompt.line_is("qemu:session>");
    prompt.types("let disk = conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"disk.img\")\r");
    prompt.line_is("qemu:session>");
    prompt.types(&format!(
        "disk.upload_file(\"{source}\", #{{ sparse: false, progress: |done, total| print(`at ${{done}}`) }})\r"
    ));
    prompt.shows("\nat ");
    prompt.types("\x03");
    prompt.shows("`disk.img` is incomplete");
    prompt.line_is("qemu:session>");
    prompt.types("disk.upload(\"again\"); disk.download(0, 5).as_string()\r");
    prompt.shows("\nagain");
    prompt.line_is("qemu:session>");
    prompt.types("exit()\r");
    assert_eq!(prompt.ends(), 0);
}

#[test]
fn an_upload_whose_daemon_dies_says_that_the_volume_is_incomplete() {
    let store = Store::new();
    let source = store.sparse_file("large.img", 1024 * MIB, &[]);
    let script = format!(
        r#"{EMPTY}
        let images = connect().storage_pool_lookup_by_name("images");
        let disk = empty(images, "disk.img", "1073741824");
        let told = false;
        try {{
            disk.upload_file("{source}", #{{ sparse: false, progress: |done, total| {{
                if !told {{ told = true; print("under way"); }}
            }} }});
        }} catch (err) {{
            assert(err.lost_connection);
            assert(err.hint.contains("`disk.img` is incomplete"), err.hint);
            exit(7);
        }}
        "#
    );
    let (status, said) = once_under_way(&store, &script, |_| store.host.signal(Signal::SIGKILL));
    assert_eq!(status, Some(7), "{said}");
}

#[test]
fn a_wait_for_data_ends_with_its_daemon() {
    let store = Store::new();
    let script = r#"
        let images = connect().storage_pool_lookup_by_name("images");
        let disk = images.create_xml(xml("volume", #{ name: "disk.img", capacity: 4096 }));
        let stream = disk.connect().new_stream();
        disk.upload(stream, 0, 0);
        print("under way");
        try { stream.recv(1); } catch (err) {
            assert(err.lost_connection, err.message);
            exit(7);
        }
        "#;
    let (status, said) = once_under_way(&store, script, |_| store.host.signal(Signal::SIGKILL));
    assert_eq!(status, Some(7), "{said}");
}

#[test]
fn an_interrupt_ends_a_download_and_leaves_no_part_of_the_file() {
    let store = Store::new();
    let folder = store.host.scratch().folder("arrivals");
    let (status, said) = interrupted(
        &store,
        &format!(
            r#"{EMPTY}
            let images = connect().storage_pool_lookup_by_name("images");
            let disk = empty(images, "disk.img", "1073741824");
            let told = false;
            disk.download_file("{}/disk.img", #{{ sparse: false, progress: |done, total| {{
                if !told {{ told = true; print("under way"); }}
            }} }});
            print("it arrived");
            "#,
            folder.display()
        ),
    );
    assert_eq!(status, Some(130), "{said}");
    assert_eq!(std::fs::read_dir(folder).expect("it is there").count(), 0);
}

#[test]
fn the_time_limit_ends_a_wait_for_data_that_does_not_come() {
    let store = Store::new();
    let outcome = store
        .program()
        .arg("--timeout")
        .arg("2s")
        .script(
            r#"
            let images = connect().storage_pool_lookup_by_name("images");
            let disk = images.create_xml(xml("volume", #{ name: "disk.img", capacity: 4096 }));
            let stream = disk.connect().new_stream();
            disk.upload(stream, 0, 0);
            // No data arrives on a stream that leads into a volume.
            stream.recv(1);
            "#,
        )
        .fails(124);
    assert!(outcome.stderr.contains("the script timed out"), "{outcome}");
}

#[test]
fn progress_is_told_five_times_a_second_at_most_and_at_the_end() {
    let store = Store::new();
    let source = store.sparse_file("large.img", 256 * MIB, &[]);
    store.ok(&format!(
        r#"{EMPTY}
        let disk = empty(images, "disk.img", "268435456");
        let told = [];
        let began = timestamp();
        disk.upload_file("{source}", #{{ sparse: false, progress: |done, total| told.push([done, total]) }});
        let seconds = began.elapsed.to_int() + 1;
        assert(told.len() <= seconds * 5 + 1, `${{told.len()}} times in ${{seconds}} s`);
        assert_eq(told.pop(), [268435456, 268435456]);
        for index in 1..told.len() {{ assert(told[index][0] > told[index - 1][0]); }}
        "#
    ));
}

#[test]
fn transfers_leave_the_connection_to_what_progress_asks_of_it() {
    let store = Store::new();
    let source = store.sparse_file("source.img", MIB, &[(0, b"data")]);
    store.ok(&format!(
        r#"{EMPTY}
        let disks = [];
        for number in 0..6 {{ disks.push(empty(images, `disk${{number}}.img`, 1048576)); }}
        // More transfers than a connection has calls at a time, each with a call of its own.
        parallel(disks, 6, |disk| disk.upload_file("{source}", #{{
            sparse: false, progress: |done, total| images.info()
        }}));
        for disk in disks {{ assert_eq(disk.download(0, 4).as_string(), "data"); }}
        "#
    ));
}

#[test]
fn what_is_neither_a_file_nor_a_disk_is_refused_and_not_waited_for() {
    let store = Store::new();
    let pipe = store.host.scratch().path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o666))
        .expect("it can be made");
    store.ok(&format!(
        r#"{EMPTY}
        let disk = empty(images, "disk.img", 4096);
        for path in ["{}", "{}"] {{
            try {{ disk.upload_file(path); assert(false, "it was taken"); }}
            catch (err) {{ assert(err.message.contains("neither a file nor a disk"), err.message); }}
        }}
        "#,
        pipe.display(),
        store.path("images"),
    ));
}

#[test]
fn a_wipe_that_is_interrupted_is_said_to_go_on() {
    let store = Store::new();
    store.ok(&format!(
        r#"{EMPTY}
        empty(images, "disk.img", "536870912").upload("secret"); ()"#
    ));
    let disk = std::fs::File::open(store.folder.join("disk.img")).expect("it is there");
    // Once the first byte is 0, the host is working on the volume.
    let begun = || {
        let mut first = [1];
        disk.read_exact_at(&mut first, 0).expect("it can be read");
        first == [0]
    };
    let (status, said) = once_under_way(
        &store,
        r#"
        let images = connect().storage_pool_lookup_by_name("images");
        let disk = images.storage_vol_lookup_by_name("disk.img");
        disk.resize("1GiB", VIR_STORAGE_VOL_RESIZE_ALLOCATE);
        print("under way");
        disk.wipe();
        print("it is wiped");
        "#,
        |program| {
            while !begun() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            kill(program, Signal::SIGINT).expect("it runs");
        },
    );
    assert_eq!(status, Some(130), "{said}");
    assert!(said.contains("continues on the host"), "{said}");
}

#[test]
fn the_progress_of_an_upload_is_in_a_json_log_and_nothing_of_it_in_a_quiet_run() {
    let store = Store::new();
    let source = store.sparse_file("data.img", 4 * MIB, &[(0, b"data")]);
    let run = |name: &str, option: &str, value: &str| {
        let script = format!(
            r#"{EMPTY}
            let images = connect().storage_pool_lookup_by_name("images");
            empty(images, "{name}", 4194304).upload_file("{source}",
                #{{ sparse: false, progress: |done, total| if done == total {{ sleep(2.7) }} }});"#
        );
        let run = store.program().arg(option).arg(value).script(script).run();
        assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{run}");
        run.stderr
    };
    let (json, quiet, plain) = std::thread::scope(|scope| {
        let json = scope.spawn(|| run("json.img", "--log", "json"));
        let quiet = scope.spawn(|| run("quiet.img", "-q", "--color=never"));
        let plain = scope.spawn(|| run("plain.img", "--color", "never"));
        (json.join(), quiet.join(), plain.join())
    });
    // Without a terminal, a progress line is printed only every 30 seconds.
    assert_eq!(
        (quiet.expect("it ends"), plain.expect("it ends")),
        (String::new(), String::new())
    );
    let json = json.expect("it ends");
    let entry: serde_json::Value = serde_json::from_str(json.trim()).expect("it is one entry");
    assert_eq!(entry["kind"], "progress", "{entry}");
    let text = entry["text"].as_str().expect("it is text");
    assert!(text.contains("`json.img`"), "{text}");
    assert_eq!(entry["total_bytes"], 4 * MIB, "{entry}");
    assert_eq!(entry["done_bytes"], 4 * MIB, "{entry}");
    assert_eq!(entry["percent"], 100, "{entry}");
    assert!(entry["bytes_per_second"].is_u64(), "{entry}");
}
