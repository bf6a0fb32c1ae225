//! Guests from images: used directly, through overlays, and configured by a cloud-init seed.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use crate::support::{Daemon, Host, Run, micro, virhai};

/// A host whose pool `images` has an image that boots.
fn host() -> (Daemon, PathBuf) {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    host.scratch()
        .copy(&micro("counter.img"), "images/counter.img");
    host.ok(&format!(
        "import \"std/pool\" as pool; pool::create(connect(), #{{ name: \"images\", path: \"{}\" }}); ()",
        folder.display()
    ));
    (host, folder)
}

fn script(host: &Daemon, name: &str, args: &[&str]) -> Run {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name);
    let run = host
        .virhai()
        .arg("run")
        .arg(host.scratch().copy(&from, name));
    args.iter().fold(run, |run, arg| run.arg(arg))
}

/// The files in an image with a FAT file system.
fn files(image: &Path) -> Vec<(String, String)> {
    let bytes = std::fs::read(image).expect("the image is there");
    let system =
        fatfs::FileSystem::new(Cursor::new(bytes), fatfs::FsOptions::new()).expect("it is FAT");
    assert_eq!(system.volume_label(), "CIDATA");
    let mut found: Vec<(String, String)> = system
        .root_dir()
        .iter()
        .map(|entry| entry.expect("it can be read"))
        .map(|entry| {
            let mut text = String::new();
            entry
                .to_file()
                .read_to_string(&mut text)
                .expect("it is text");
            (entry.file_name(), text)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn an_image_that_boots_becomes_a_guest() {
    let (host, folder) = host();
    let image = folder.join("counter.img").display().to_string();
    let args = ["--name", "web", "--image", &image, "--up", "MG:up"];
    let told = script(&host, "import_image.rhai", &args).ok_with_plan();
    assert_eq!(told, "web is running\n");
}

#[test]
fn a_cloud_image_gets_a_seed_and_is_not_written_to() {
    let (host, folder) = host();
    let before = std::fs::read(folder.join("counter.img")).expect("it is there");
    let password = host.ok(&format!(
        r#"
        import "std/import_image" as import_image;
        let conn = connect();
        let result = import_image::cloud(conn, #{{
            ssh_keys: ["ssh-ed25519 AAAA admin"], root_ssh_keys: ["ssh-ed25519 BBBB root"], password: "given", root_password: true,
            disable: true, autostart: true, name: "web", memory: "32MiB", nics: [], pool: "images", image: "{}", size: "2MiB", host_name: "web.example",
            user_data: #{{ users: [#{{ name: "admin" }}] }}, network_config: "version: 2\n", keep_seed: true, up: "MG:up",
        }});
        let disks = result.domain.xml().select("devices/disk/source/@file").map(|path| path.split("/").pop());
        assert_eq(disks, ["web.qcow2", "web-seed.img"]);
        assert(result.domain.xml().has("devices/disk[source/@file='{}/web-seed.img']/readonly"));
        assert(result.domain.autostart());
        let password = result.root_password.call();
        for shown in [result.to_string(), result.to_debug()] {{ assert(!shown.contains(password) && !shown.contains("given"), shown); }}
        assert_eq(result.password.call(), "given");
        print(password);
        "#,
        folder.join("counter.img").display(),
        folder.display()
    ));
    assert!(before == std::fs::read(folder.join("counter.img")).expect("it is there"));
    let seed = files(&folder.join("web-seed.img"));
    let names: Vec<&str> = seed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["meta-data", "network-config", "user-data"]);
    assert_eq!(seed[1].1, "version: 2\n");
    let meta: serde_json::Value = serde_json::from_str(&seed[0].1).expect("JSON is YAML");
    assert_eq!(meta["local-hostname"], "web.example");
    let user = seed[2]
        .1
        .strip_prefix("#cloud-config\n")
        .expect("cloud-init looks for it");
    let user: serde_json::Value = serde_json::from_str(user).expect("JSON is YAML");
    assert_eq!(user["users"][0]["name"], "admin");
    assert_eq!(
        user["users"][1]["ssh_authorized_keys"][0],
        "ssh-ed25519 BBBB root"
    );
    assert_eq!(user["ssh_authorized_keys"][0], "ssh-ed25519 AAAA admin");
    assert_eq!(user["disable_root"], false);
    assert_eq!(user["password"], "given");
    let password = password.trim_end();
    assert_eq!(password.len(), 20, "{password}");
    assert_eq!(user["chpasswd"]["list"], format!("root:{password}\n"));
    assert_eq!(user["runcmd"][0], "touch /etc/cloud/cloud-init.disabled");
}

#[test]
fn logins_that_cloud_init_would_not_understand_are_refused() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r##"import "std/import_image" as import_image;
            fn refused(more) {
                try { import_image::cloud(connect(), #{ name: "web", image: "x", pool: "default-pool" } + more); } catch (err) { return err.message; }
                "not refused"
            }
            fn seed(more) {
                import "std/cloud_init" as cloud_init;
                try { cloud_init::seed(connect(), #{ name: "seed.img", pool: "default-pool", instance: "web" } + more); } catch (err) { return err.message; }
                "not refused"
            }
            assert(seed(#{ ssh_keys: ["-----BEGIN OPENSSH PRIVATE KEY-----"] }).contains("is a private key"));
            assert(seed(#{ root_ssh_keys: ["AAAA"] }).contains("not a public SSH key: `AAAA...`"));
            assert(seed(#{ ssh_keys: ["ssh-ed25519 AAAA"], user_data: "#!/bin/sh" }).contains("`user_data` is text"));
            assert(seed(#{ root_password: "x", user_data: #{ chpasswd: #{} } }).contains("already have `chpasswd`"));
            // A password is never shown with what is wrong.
            let shown = refused(#{ root_password: "geheim", memry: 1 });
            assert(shown.contains("`memry`") && !shown.contains("geheim"), shown);"##,
        )
        .ok();
}

#[test]
fn a_seed_that_cloud_init_would_ignore_is_refused_before_anything_is_made() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r###"import "std/import_image" as import_image;
            fn refused(more) {
                assert_throws(|| import_image::cloud(connect(), #{ name: "web", image: "no-such.img", pool: "default-pool" } + more)).message
            }
            for wrong in ["#cloud-config\nusers: [", "#cloud-config\nusers:\n\t- a", "#cloud-config\na: b: c", "#cloud-config\na: 1\na: 2"] {
                let shown = refused(#{ user_data: wrong });
                assert(shown.contains("cloud-init would ignore `user_data`: the text is not YAML: ") && shown.contains("line "), shown);
            }
            let no_map = " its YAML is not a map of keys and values";
            assert_eq(refused(#{ user_data: "#cloud-config\n- users" }), "cloud-init would ignore `user_data`:" + no_map);
            assert_eq(refused(#{ network_config: "ethernets" }), "cloud-init would ignore `network_config`:" + no_map);
            assert_eq(refused(#{ meta_data: "- a" }), "cloud-init would ignore `meta_data`:" + no_map);
            assert(refused(#{ network_config: "version: [" }).contains("`network_config`: the text is not YAML"));
            assert(refused(#{ user_data: "users: []" }).contains("begins with `users: []`"));
            assert_eq(refused(#{ host_name: "a", meta_data: "instance-id: b" }), "`host_name` cannot be combined with `meta_data`");
            // Everything that cloud-init reads is accepted, so the image is looked for.
            for right in [
                "#cloud-config\n", "#cloud-config\nusers: []\n", "#Cloud-config\nwrite_files:\n- path: /a\n  content: !!binary |\n    f0VM/w==\n",
                "#!/bin/sh\na: b: c\n", "#include\nhttps://example.org/a\n", "## template: jinja\n#cloud-config\na: {{ ds.x }}\n", "#cloud-config-archive\n- a\n",
                "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n",
            ] {
                let shown = refused(#{ user_data: right });
                assert(shown.contains("no-such.img"), `${right}: ${shown}`);
            }
            assert(refused(#{ network_config: "version: 2\n", meta_data: "instance-id: a\n" }).contains("no-such.img"));"###,
        )
        .ok();
}

#[test]
fn the_seed_is_gone_once_the_guest_is_up_and_a_failure_leaves_nothing() {
    let (host, folder) = host();
    let image = folder.join("counter.img").display().to_string();
    let args = [
        "--name",
        "web",
        "--pool",
        "images",
        "--image",
        &image,
        "--ssh-key",
        "ssh-ed25519 AAAA",
        "--up",
        "MG:up",
    ];
    let outcome = script(&host, "cloud_image.rhai", &args).run();
    assert_eq!(outcome.stdout, "web is running\n", "{outcome}");
    // This guest has no operating system to release a device, so it keeps an empty seed.
    assert!(
        outcome.stderr.contains("delete it when the guest is off"),
        "{outcome}"
    );
    let seed = std::fs::read(folder.join("web-seed.img")).expect("it is there");
    assert!(seed.iter().all(|&byte| byte == 0), "the seed is not empty");
    // A guest that was saved with the seed attached starts again.
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        dom.managed_save();
        dom.create();
        assert_eq(dom.state(), "running");
        "#);
    let kept = host.ok("connect().lookup_by_name(\"web\").xml(VIR_DOMAIN_XML_INACTIVE).select(\"devices/disk\").len()");
    assert_eq!(kept, "1\n");
    let outcome = host
        .virhai()
        .script(format!(
            "import \"std/import_image\" as import_image; \
             import_image::cloud(connect(), #{{ name: \"other\", memory: \"32MiB\", nics: [], pool: \"images\", image: \"{image}\", up: \"never\", timeout: \"3s\" }})"
        ))
        .fails(1);
    assert!(
        outcome.stderr.contains("was not ready within 3s"),
        "{outcome}"
    );
    let left: Vec<_> = std::fs::read_dir(&folder)
        .expect("it is there")
        .map(|entry| entry.expect("it can be read").file_name())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(host.ok("connect().list_all_domains().len()"), "1\n");
}

#[test]
fn a_seed_is_deleted_with_its_guest_or_once_the_guest_is_up() {
    let (host, folder) = host();
    host.ok(&format!(
        r#"
        import "std/guest" as guest;
        import "std/import_image" as import_image;
        let conn = connect();
        let pool = conn.storage_pool_lookup_by_name("images");
        let cloud = |more| import_image::cloud(conn, #{{ name: "web", memory: "32MiB", nics: [], pool: "images", image: "{}" }} + more).domain;
        let has_seed = || {{ pool.refresh(); pool.list_all_volumes().some(|volume| volume.name == "web-seed.img") }};
        for way in [#{{ }}, #{{ up: "MG:up", keep_seed: true }}, #{{ up: "MG:up" }}] {{
            let dom = cloud.call(way);
            assert(has_seed.call());
            assert(guest::remove_with_volumes(dom).some(|path| path.ends_with("/web-seed.img")));
            assert(!has_seed.call());
        }}
        // A clone shares the seed, which is deleted with neither of them as long as the other needs it.
        let dom = cloud.call(#{{ }});
        dom.destroy();
        import "std/clone" as clone;
        let other = clone::of(dom, #{{ name: "other" }});
        guest::remove_with_volumes(other);
        assert(has_seed.call());
        let other = clone::of(dom, #{{ name: "other" }});
        import_image::drop_seed(dom);
        assert(has_seed.call() && dom.xml().select("devices/disk").len() == 1);
        guest::remove_with_volumes(dom);
        assert(has_seed.call());
        guest::remove_with_volumes(other);
        assert(!has_seed.call());
        let dom = cloud.call(#{{ }});
        dom.destroy();
        import_image::drop_seed(dom);
        assert(!has_seed.call() && !dom.xml().has("metadata/virhai-made:images") && dom.xml().select("devices/disk").len() == 1);
        "#,
        folder.join("counter.img").display()
    ));
}
