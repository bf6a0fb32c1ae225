//! Save files whose making or restoring is stopped.

use super::{recipe, script, site};
use crate::support::{Daemon, Host, Sweep};

/// A host whose guest has a disk of the format, and the path of a file in its pool.
fn host() -> Daemon {
    site(&["raw"], true)
}

const PATH: &str = "let path = conn.storage_pool_lookup_by_name(\"images\").xml().get(\"target/path\") + \"/web.save\";";

#[test]
fn a_save_that_is_stopped_leaves_the_guest_running() {
    let save = format!("{PATH} save_file::save(conn.lookup_by_name(\"web\"), path)");
    Sweep::new("save to a file", host, recipe(&save))
        .complete(script(
            "assert_eq(conn.lookup_by_name(\"web\").state(), \"shutoff\")",
        ))
        .at_most(6)
        .run()
        .says_nothing();
}

#[test]
fn a_restore_that_is_stopped_leaves_the_guest_in_its_file() {
    let saved = || {
        let host = host();
        host.ok(&script(&format!(
            "{PATH} save_file::save(conn.lookup_by_name(\"web\"), path)"
        )));
        host
    };
    let swept = Sweep::new(
        "restore from a file",
        saved,
        recipe(&format!("{PATH} save_file::restore(conn, path)")),
    )
    .complete(script(
        "assert_eq(conn.lookup_by_name(\"web\").state(), \"running\")",
    ))
    .ignoring("web.save")
    .at_most(6)
    .run();
    swept.says_nothing();
}
