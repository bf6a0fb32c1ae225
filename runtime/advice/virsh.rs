//! The counterparts of virsh's commands in scripts.

use super::virsh_commands::COMMANDS;
use crate::syntax::{brackets, lexer};

/// A command of virsh, or a word that people expect to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirshCommand {
    /// Its name, such as `net-start`.
    pub name: &'static str,
    code: &'static str,
    is_everyday: bool,
}

/// Everyday words that are not commands of virsh, each with its code.
const EVERYDAY: &[(&str, &str)] = &[
    ("stop", "<dom>.stop()"),
    ("halt", "<dom>.shutdown()"),
    ("poweroff", "<dom>.shutdown()"),
    ("kill", "<dom>.destroy()"),
    ("restart", "<dom>.reboot()"),
    ("pause", "<dom>.suspend()"),
    ("unpause", "<dom>.resume()"),
    ("delete", "<dom>.undefine()"),
    ("remove", "<dom>.undefine()"),
    ("rename", "<dom>.rename(<\"NEW_NAME\">)"),
    ("status", "<dom>.state()"),
    ("info", "<dom>.info()"),
    (
        "ip",
        "<dom>.interface_addresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)",
    ),
    ("ls", "conn.list_all_domains()"),
    ("ps", "conn.list_all_domains()"),
    ("vms", "conn.list_all_domains()"),
    ("guests", "conn.list_all_domains()"),
    ("domains", "conn.list_all_domains()"),
];

/// The objects that the codes name: the placeholder, the variable that stands for it, how it is looked up, and the
/// names for arguments that are not given.
const OBJECTS: &[(&str, &str, &str, &[&str])] = &[
    ("<dom>", "dom", "conn.lookup_by_name(1)", &["NAME"]),
    (
        "<snap>",
        "snapshot",
        "conn.lookup_by_name(1).snapshot_lookup_by_name(2)",
        &["NAME", "SNAPSHOT"],
    ),
    ("<net>", "net", "conn.network_lookup_by_name(1)", &["NAME"]),
    (
        "<iface>",
        "iface",
        "conn.interface_lookup_by_name(1)",
        &["NAME"],
    ),
    (
        "<pool>",
        "pool",
        "conn.storage_pool_lookup_by_name(1)",
        &["POOL"],
    ),
    (
        "<vol>",
        "vol",
        "conn.storage_pool_lookup_by_name(2).storage_vol_lookup_by_name(1)",
        &["VOLUME", "POOL"],
    ),
    (
        "<checkpoint>",
        "checkpoint",
        "conn.lookup_by_name(1).checkpoint_lookup_by_name(2)",
        &["NAME", "CHECKPOINT"],
    ),
    (
        "<filter>",
        "filter",
        "conn.nwfilter_lookup_by_name(1)",
        &["FILTER"],
    ),
    (
        "<binding>",
        "binding",
        "conn.nwfilter_binding_lookup_by_port_dev(1)",
        &["DEVICE"],
    ),
    (
        "<port>",
        "port",
        "conn.network_lookup_by_name(1).port_lookup_by_uuid(2)",
        &["NAME", "UUID"],
    ),
    (
        "<dev>",
        "dev",
        "conn.node_device_lookup_by_name(1)",
        &["DEVICE"],
    ),
    (
        "<secret>",
        "secret",
        "conn.secret_lookup_by_uuid(1)",
        &["UUID"],
    ),
    (
        "<volpool>",
        "pool",
        "conn.storage_pool_lookup_by_name(\"POOL\")",
        &[],
    ),
];

/// Every command, in virsh's own order.
pub fn all() -> impl Iterator<Item = VirshCommand> {
    commands(COMMANDS, false)
}

fn commands(
    table: &'static [(&'static str, &'static str)],
    is_everyday: bool,
) -> impl Iterator<Item = VirshCommand> {
    table.iter().map(move |(name, code)| VirshCommand {
        name,
        code,
        is_everyday,
    })
}

/// The command `word`, which may be written with underscores as scripts write names.
pub fn find(word: &str) -> Option<VirshCommand> {
    all().find(|command| command.name == word || command.name.replace('-', "_") == word)
}

/// The command that a line begins with: one of virsh's, or an everyday word such as `stop`.
pub fn first_word(word: &str) -> Option<VirshCommand> {
    let everyday = || commands(EVERYDAY, true).find(|command| command.name == word);
    find(word).or_else(everyday)
}

impl VirshCommand {
    /// The command in a message.
    pub fn in_words(self) -> String {
        match self.is_everyday {
            true => format!("`{}`", self.name),
            false => format!("virsh's `{}`", self.name),
        }
    }

    /// True if scripts have a counterpart.
    pub fn has_counterpart(self) -> bool {
        !self.code.is_empty()
    }

    /// True if it is a command for the terminal, which the prompt has too.
    pub fn is_of_the_prompt(self) -> bool {
        self.code.starts_with(':')
    }

    /// The only function that the command needs; none if it needs several calls.
    pub fn function(self) -> Option<&'static str> {
        let (_, call) = self.code.split_once('.')?;
        let tokens = lexer::code(call);
        let [name, open, ..] = &tokens[..] else {
            return None;
        };
        let is_one_call = open.of(call) == "("
            && brackets::partner(call, &tokens, 1) == tokens.len().checked_sub(1);
        let (name, arguments) = (name.of(call), &call[open.span.end..]);
        // For an edit, only its closure tells the change.
        let is_told_by_its_name = !arguments.contains('|') || self.name == name;
        (is_one_call && is_told_by_its_name).then_some(name)
    }

    /// The code on variables such as `dom` for the objects.
    pub fn on_variables(self) -> String {
        let mut code = self.code.to_owned();
        for (placeholder, variable, ..) in OBJECTS {
            code = code.replace(placeholder, variable);
        }
        filled(&code, &mut Vec::new().into_iter())
    }

    /// The code for the words that follow the command, where `is_object` tells whether a word is a variable that
    /// holds an object.
    pub fn code(self, words: &[&str], is_object: &dyn Fn(&str) -> bool) -> String {
        let mut arguments = self.arguments(words).into_iter();
        let mut code = self.code.to_owned();
        let used = OBJECTS
            .iter()
            .filter(|(placeholder, ..)| self.code.contains(placeholder));
        for (placeholder, _, look_up, missing) in used {
            let mut object = (*look_up).to_owned();
            for (index, missing) in missing.iter().enumerate() {
                let given = arguments.next();
                if index == 0 && missing != &"VOLUME" && given.as_deref().is_some_and(is_object) {
                    let name = given.unwrap_or_default();
                    object = match look_up.split_once(").") {
                        Some((_, rest)) => format!("{name}.{rest}"),
                        None => name,
                    };
                    continue;
                }
                // A volume may be given by its path, which needs no pool.
                if let Some(path) = given.as_deref().filter(|path| path.starts_with('/'))
                    && *missing == "VOLUME"
                {
                    object = format!("conn.storage_vol_lookup_by_path({path:?})");
                    break;
                }
                let name = given.unwrap_or_else(|| (*missing).to_owned());
                object = object.replace(&format!("({})", index + 1), &format!("({name:?})"));
            }
            code = code.replace(placeholder, &object);
        }
        filled(&code, &mut arguments)
    }

    /// True if the words after the command fill all of its code.
    pub fn is_filled_by(self, words: &[&str]) -> bool {
        let object = OBJECTS
            .iter()
            .find(|(placeholder, ..)| self.code.contains(placeholder));
        let objects = object.map_or(0, |(.., missing)| missing.len());
        // `xml` and `volume` stand for values that no word can be.
        let takes_xml = ["xml)", "xml,", "volume)"]
            .iter()
            .any(|value| self.code.contains(value));
        let others = ["<\"", "<1", "<2", "<3"]
            .iter()
            .map(|begin| self.code.matches(begin).count());
        !takes_xml && self.arguments(words).len() >= objects + others.sum::<usize>()
    }
}

/// The words of a line for virsh, which quotes names as a shell does.
pub fn words(line: &str) -> Vec<String> {
    let plain = || line.split_whitespace().map(str::to_owned).collect();
    match line.contains(['"', '\'']) {
        true => shlex::split(line).unwrap_or_else(plain),
        false => plain(),
    }
}

/// The options whose effect the code has.
const TRANSLATED: &[&str] = &[
    "--all",
    "--domain",
    "--network",
    "--pool",
    "--vol",
    "--live",
    "--config",
    "--current",
];

/// The options whose value only says how virsh works. The code leaves both out.
const MODES: &[&str] = &["--mode", "--source", "--timeout", "--interval", "--format"];

/// The first option among `words` whose effect the code does not have.
pub fn untranslated<'a>(words: &[&'a str]) -> Option<&'a str> {
    let options = words.iter().filter(|word| word.starts_with('-'));
    let mut names = options.map(|word| word.split_once('=').map_or(*word, |(name, _)| name));
    names.find(|name| !TRANSLATED.contains(name) && name.parse::<f64>().is_err())
}

impl VirshCommand {
    /// The values among the words: virsh takes `--domain web` and `--domain=web` for `web`.
    fn arguments(self, words: &[&str]) -> Vec<String> {
        let (mut values, mut pool) = (Vec::new(), None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (option, inline) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option, Some(value)),
                _ => (*word, None),
            };
            if MODES.contains(&option) {
                if inline.is_none() {
                    words.next();
                }
            } else if option == "--pool" && self.code.contains("<vol>") {
                pool = inline.or_else(|| words.next().copied());
            } else if let Some(value) = inline {
                values.push(value);
            } else if !word.starts_with('-') {
                values.push(word);
            }
        }
        if let Some(pool) = pool {
            values.insert(values.len().min(1), pool);
        }
        let values = values.into_iter().filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    }
}

/// The code with `arguments`, or else the values shown in their places.
fn filled(code: &str, arguments: &mut dyn Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((shown, after)) = after.split_once('>') else {
            break;
        };
        text.push_str(before);
        match (shown.starts_with('"'), arguments.next()) {
            (true, Some(given)) => text.push_str(&format!("{given:?}")),
            (false, Some(given)) if given.parse::<i64>().is_ok() => text.push_str(&given),
            _ => text.push_str(shown),
        }
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::{EVERYDAY, all, find, first_word};

    fn code(line: &str) -> String {
        let words = super::words(line);
        let mut words = words.iter().map(String::as_str);
        let command = words.next().and_then(find).expect(line);
        let words: Vec<&str> = words.collect();
        command.code(&words, &|name| name == "dom")
    }

    #[test]
    fn the_words_behind_a_command_become_arguments() {
        for (line, expected) in [
            ("list --all", "conn.list_all_domains()"),
            ("start web", "conn.lookup_by_name(\"web\").create()"),
            (
                "start --domain web",
                "conn.lookup_by_name(\"web\").create()",
            ),
            (
                "start --domain=web",
                "conn.lookup_by_name(\"web\").create()",
            ),
            ("start dom", "dom.create()"),
            ("start 'a b'", "conn.lookup_by_name(\"a b\").create()"),
            (
                "domrename \"a b\" c",
                "conn.lookup_by_name(\"a b\").rename(\"c\")",
            ),
            (
                "shutdown --mode agent web",
                "conn.lookup_by_name(\"web\").shutdown()",
            ),
            (
                "vol-delete --pool images a.img",
                "conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"a.img\").delete()",
            ),
            ("start", "conn.lookup_by_name(\"NAME\").create()"),
            ("start a\"b", "conn.lookup_by_name(\"a\\\"b\").create()"),
            (
                "setvcpus web 4 --live",
                "conn.lookup_by_name(\"web\").set_vcpus(4)",
            ),
            (
                "setmem web 1GiB",
                "conn.lookup_by_name(\"web\").set_memory(\"1GiB\")",
            ),
            (
                "save web /srv/web",
                "conn.lookup_by_name(\"web\").save(\"/srv/web\")",
            ),
            (
                "snapshot-delete web before",
                "conn.lookup_by_name(\"web\").snapshot_lookup_by_name(\"before\").delete()",
            ),
            (
                "snapshot-delete dom before",
                "dom.snapshot_lookup_by_name(\"before\").delete()",
            ),
            (
                "vol-delete a.img images",
                "conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"a.img\").delete()",
            ),
            (
                "vol-delete /srv/a.img",
                "conn.storage_vol_lookup_by_path(\"/srv/a.img\").delete()",
            ),
            (
                "snapshot-revert web before",
                "conn.lookup_by_name(\"web\").revert_to_snapshot(conn.lookup_by_name(\"web\").snapshot_lookup_by_name(\"before\"))",
            ),
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
    }

    #[test]
    fn everyday_words_are_no_commands_of_virsh() {
        for word in EVERYDAY {
            assert!(find(word.0).is_none(), "{} is a command of virsh", word.0);
            let command = first_word(word.0).expect(word.0);
            assert_eq!(command.in_words(), format!("`{}`", word.0));
        }
        assert_eq!(
            first_word("start").expect("start").in_words(),
            "virsh's `start`"
        );
    }

    /// These need a shell or a namespace of the kernel.
    #[test]
    fn nearly_every_command_has_a_counterpart() {
        let without = all().filter(|command| !command.has_counterpart());
        let without: Vec<&str> = without.map(|command| command.name).collect();
        assert_eq!(without, ["lxc-enter-namespace", "cd", "pwd"]);
    }

    #[test]
    fn a_command_is_complete_with_the_arguments_that_its_code_shows() {
        let filled = |line: &str| {
            let mut words = line.split_whitespace();
            let command = words.next().and_then(find).expect(line);
            command.is_filled_by(&words.collect::<Vec<_>>())
        };
        for line in [
            "list",
            "dumpxml web",
            "domblkinfo web vda",
            "vol-info a images",
        ] {
            assert!(filled(line), "{line}");
        }
        for line in ["dumpxml", "domblkinfo web", "define x.xml", "vol-info a"] {
            assert!(!filled(line), "{line}");
        }
    }

    #[test]
    fn a_command_that_is_one_call_names_its_function() {
        let function = |name: &str| find(name).expect(name).function();
        assert_eq!(function("start"), Some("create"));
        assert_eq!(function("net_list"), Some("list_all_networks"));
        assert_eq!(function("migrate"), Some("migrate"));
        assert_eq!(function("domiflist"), None);
        assert_eq!(function("nodedev-list"), Some("list_all_devices"));
        for command in all() {
            assert!(!command.on_variables().contains('<'), "{}", command.name);
        }
    }
}
