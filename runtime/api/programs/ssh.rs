//! Commands on other hosts, by the program `ssh`.

use rhai::plugin::*;
use rhai::{Array, Map, NativeCallContext};

use super::run::{RunOptions, RunResult, run};
use super::words;
use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::objects::granted;
use crate::run::grants::GrantedProgram;
use crate::vocabulary::{OptionsOf, RecordOf};

/// The options of `ssh`: it never asks, has no forwarding, and needs no terminal.
const OPTIONS: [&str; 11] = [
    "-T",
    "-a",
    "-x",
    "-oBatchMode=yes",
    "-oClearAllForwardings=yes",
    "-oPermitLocalCommand=no",
    "-oConnectTimeout=30",
    "-oServerAliveInterval=15",
    "-oServerAliveCountMax=4",
    "-oLogLevel=ERROR",
    "--",
];

/// True if `host` is exactly `HOST` or `USER@HOST`.
fn is_host(host: &str) -> bool {
    let name = |text: &str| {
        let mut letters = text.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric() || "_:[".contains(first))
            && letters.all(|letter| letter.is_ascii_alphanumeric() || "._-:%[]".contains(letter))
    };
    match host.split_once('@') {
        Some((user, host)) => name(user) && name(host),
        None => name(host),
    }
}

/// `word` as the shell of the other host reads it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn run_there(
    ctx: &NativeCallContext,
    host: &str,
    command: &Array,
    options: &Map,
) -> RhaiResultOf<Map> {
    let words = words(ctx, command)?;
    if !is_host(host) {
        return Error::refuse(
            ctx,
            format!("`{host}` is not a host name"),
            "write HOST or USER@HOST; set ports and keys in ~/.ssh/config",
        );
    }
    granted::ssh(ctx, host)?;
    let program = GrantedProgram::named("ssh");
    let Some(file) = program.file() else {
        return Error::refuse(
            ctx,
            "no program `ssh` was found in PATH",
            "install the OpenSSH client",
        );
    };
    let there: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let mut line = vec!["ssh".to_owned()];
    line.extend(OPTIONS.map(str::to_owned));
    line.push(host.to_owned());
    line.push(there.join(" "));
    let first = words.first().map_or("", String::as_str);
    run(ctx, file, &line, options, &format!("`{first}` on {host}"))
}

#[export_module]
pub(super) mod functions {
    /// Runs a command on `host` (`HOST` or `USER@HOST`) by the program `ssh`, with your keys and your `~/.ssh/config`.
    ///
    /// Needs `--allow-ssh HOST`. The words of `command` are quoted for a POSIX shell on the host. `ssh` never asks: if it needs
    /// a password, or does not know the host key, the call throws. The result and the limits are the same as for `run`.
    ///
    /// ```rhai
    /// try {
    ///     ssh("root@web.example.com", ["systemctl", "is-system-running"]);
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-ssh"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "ssh", volatile, return_raw)]
    pub fn ssh(
        ctx: NativeCallContext,
        host: &str,
        command: Array,
    ) -> RhaiResultOf<RecordOf<RunResult>> {
        run_there(&ctx, host, &command, &Map::new())
    }

    /// Runs a command on `host` by ssh with the options of `run`.
    ///
    /// ```rhai
    /// try {
    ///     ssh("web.example.com", ["cat"], #{ stdin: "text", timeout: "20s" });
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-ssh"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "ssh", volatile, return_raw)]
    pub fn ssh_with_options(
        ctx: NativeCallContext,
        host: &str,
        command: Array,
        options: OptionsOf<RunOptions>,
    ) -> RhaiResultOf<RecordOf<RunResult>> {
        run_there(&ctx, host, &command, &options)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_host, quoted};

    #[test]
    fn a_host_cannot_be_an_option_or_have_other_parts() {
        for host in ["lab", "root@lab.example.com", "10.0.0.1", "fe80::1%eth0"] {
            assert!(is_host(host), "{host}");
        }
        for wrong in [
            "",
            "-oProxyCommand=x",
            "a b",
            "a@-b",
            "@a",
            "a@",
            "a@b@c",
            "a\n",
            "a;b",
            "ssh://a/b",
        ] {
            assert!(!is_host(wrong), "{wrong}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        for (word, there) in [
            ("a", "a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)\n", "'$(x)\n'"),
            ("~", "'~'"),
        ] {
            assert_eq!(quoted(word), there);
        }
    }
}
