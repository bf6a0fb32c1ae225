//! The ordinary user that runs real hypervisors if the tests run as root.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::LazyLock;

/// The user's number and its group's.
pub struct TestUser {
    pub uid: u32,
    pub gid: u32,
}

/// The user to switch to; `None` if the tests already run as an ordinary user.
pub fn test_user() -> Option<TestUser> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let nobody = nix::unistd::User::from_name("nobody").expect("users can be looked up");
    let nobody = nobody.expect("every system has the user nobody");
    Some(TestUser {
        uid: nobody.uid.as_raw(),
        gid: nobody.gid.as_raw(),
    })
}

/// Gives a process its own lock files of consoles: a lock that root or a killed process left for a
/// terminal would prevent every other user from opening it.
pub const OWN_LOCKS: &str = "mount -t tmpfs -o mode=1777 locks /var/lock";

/// True if a process can have its own mounts, which some containers do not allow.
static MOUNTS: LazyLock<bool> = LazyLock::new(|| {
    let tried = Command::new("unshare")
        .args(["--mount", "sh", "-c", OWN_LOCKS])
        .output();
    tried.is_ok_and(|tried| tried.status.success())
});

/// A command that runs `program` as the test user.
pub fn as_test_user(program: impl AsRef<OsStr>) -> Command {
    let Some(user) = test_user() else {
        return Command::new(program);
    };
    let become_user = format!(
        "exec setpriv --reuid {} --regid {} --clear-groups -- \"$@\"",
        user.uid, user.gid
    );
    let mut command = if *MOUNTS {
        let mut command = Command::new("unshare");
        let script = format!("{OWN_LOCKS}; {become_user}");
        command.args(["--mount", "sh", "-c", &script, "sh"]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &become_user, "sh"]);
        command
    };
    command.arg(program);
    command
}
