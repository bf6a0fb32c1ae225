//! Recipes that are stopped after each number of operations, or killed, leave the host as it was.

mod backups;
mod clones;
mod in_process;
mod kills;
mod kills_of_guests;
mod on_qemu;
mod restore_points;
mod save_files;

use crate::support::{Daemon, Host, micro, succeeds};

/// The beginning of the scripts of these tests.
pub const IMPORTS: &str = r#"
    import "std/clone" as clone;
    import "std/guest" as guest;
    import "std/image" as image;
    import "std/pool" as pool;
    import "std/restore_point" as restore_point;
    import "std/save_file" as save_file;
    let conn = connect();
"#;

/// A script for [`site`]s.
pub fn script(text: &str) -> String {
    format!("{IMPORTS}{text}; ()")
}

/// A script that runs only `recipe`, so that no stop can come after it.
pub fn recipe(recipe: &str) -> String {
    format!("{IMPORTS}all_or_nothing(|_undo| {{ {recipe} }})")
}

/// A host with the pool `images` and the guest `web`, which counts on its console. The guest's
/// disks have the formats `formats`; it boots from the first.
pub fn site(formats: &[&str], start: bool) -> Daemon {
    let host = Daemon::start();
    let folder = host.scratch().folder("images");
    let mut disks = Vec::new();
    for (number, format) in formats.iter().enumerate() {
        let disk = folder.join(format!("web-{number}.{format}"));
        succeeds(
            std::process::Command::new("qemu-img")
                .args(["convert", "-f", "raw", "-O", format])
                .arg(micro("counter.img"))
                .arg(&disk),
        );
        let name = format!("images/web-{number}.{format}");
        host.scratch().copy(&disk, &name);
        disks.push(format!("\"{}\"", disk.display()));
    }
    host.ok(&script(&format!(
        "pool::create(conn, #{{ name: \"images\", path: \"{}\", autostart: false }}); \
         guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], start: {start}, disks: [{}] }})",
        folder.display(),
        disks.join(", ")
    )));
    host
}
