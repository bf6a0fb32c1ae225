//! The counterparts of virsh's commands in scripts.

use super::virsh_commands::COMMANDS;
use super::virsh_options::{AFFECTED, AFFECTING, ARGUMENTS, CODES, FLAGS};
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

/// An argument of a lookup: virsh's name for it, and the text that is shown if it is not given.
type Argument = (&'static str, &'static str);

/// An object in a code: its placeholder, its variable, its lookup, and the arguments of the lookup.
type Object = (
    &'static str,
    &'static str,
    &'static str,
    &'static [Argument],
);

/// The objects that the codes name: the placeholder, the variable that stands for it, how it is looked up, and the
/// arguments of this lookup: virsh's name for each, and the text that is shown if it is not given.
const OBJECTS: &[Object] = &[
    (
        "<dom>",
        "dom",
        "conn.lookup_by_name(1)",
        &[("--domain", "NAME")],
    ),
    (
        "<snap>",
        "snapshot",
        "conn.lookup_by_name(1).snapshot_lookup_by_name(2)",
        &[("--domain", "NAME"), ("--snapshotname", "SNAPSHOT")],
    ),
    (
        "<net>",
        "net",
        "conn.network_lookup_by_name(1)",
        &[("--network", "NAME")],
    ),
    (
        "<iface>",
        "iface",
        "conn.interface_lookup_by_name(1)",
        &[("--interface", "NAME")],
    ),
    (
        "<pool>",
        "pool",
        "conn.storage_pool_lookup_by_name(1)",
        &[("--pool", "POOL")],
    ),
    (
        "<vol>",
        "vol",
        "conn.storage_pool_lookup_by_name(2).storage_vol_lookup_by_name(1)",
        &[("--vol", "VOLUME"), ("--pool", "POOL")],
    ),
    (
        "<checkpoint>",
        "checkpoint",
        "conn.lookup_by_name(1).checkpoint_lookup_by_name(2)",
        &[("--domain", "NAME"), ("--checkpointname", "CHECKPOINT")],
    ),
    (
        "<filter>",
        "filter",
        "conn.nwfilter_lookup_by_name(1)",
        &[("--nwfilter", "FILTER")],
    ),
    (
        "<binding>",
        "binding",
        "conn.nwfilter_binding_lookup_by_port_dev(1)",
        &[("--binding", "DEVICE")],
    ),
    (
        "<port>",
        "port",
        "conn.network_lookup_by_name(1).port_lookup_by_uuid(2)",
        &[("--network", "NAME"), ("--port", "UUID")],
    ),
    (
        "<dev>",
        "dev",
        "conn.node_device_lookup_by_name(1)",
        &[("--device", "DEVICE")],
    ),
    (
        "<secret>",
        "secret",
        "conn.secret_lookup_by_uuid(1)",
        &[("--secret", "UUID")],
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
    /// holds an object. Fails with the first word that has no translation.
    pub fn code(self, words: &[&str], is_object: &dyn Fn(&str) -> bool) -> Result<String, String> {
        let given = self.read(words)?;
        let mut code = given.code;
        let mut values = given.objects.into_iter();
        for (placeholder, _, look_up, arguments) in self.objects() {
            let mut object = (*look_up).to_owned();
            for (index, (name, shown)) in arguments.iter().enumerate() {
                let value = values.next().flatten();
                if index == 0 && name != &"--vol" && value.as_deref().is_some_and(is_object) {
                    let variable = value.unwrap_or_default();
                    object = match look_up.split_once(").") {
                        Some((_, rest)) => format!("{variable}.{rest}"),
                        None => variable,
                    };
                    continue;
                }
                // A volume may be given by its path, which needs no pool.
                if let Some(path) = value.as_deref().filter(|path| path.starts_with('/'))
                    && *name == "--vol"
                {
                    object = format!("conn.storage_vol_lookup_by_path({path:?})");
                    break;
                }
                let value = value.unwrap_or_else(|| (*shown).to_owned());
                object = object.replace(&format!("({})", index + 1), &format!("({value:?})"));
            }
            code = code.replace(placeholder, &object);
        }
        Ok(filled(&code, &mut given.others.into_iter()))
    }

    /// True if the words after the command fill all of its code.
    pub fn is_filled_by(self, words: &[&str]) -> bool {
        // `xml` and `volume` stand for values that no word can be.
        let takes_xml = ["xml)", "xml,", "volume)"]
            .iter()
            .any(|value| self.code.contains(value));
        let has_all = |given: Given| {
            given.objects.iter().all(Option::is_some) && given.others.iter().all(Option::is_some)
        };
        !takes_xml && self.read(words).is_ok_and(has_all)
    }

    /// The options that have a translation; several in one text belong together.
    pub fn options(self) -> impl Iterator<Item = &'static str> {
        let own = CODES.iter().chain(FLAGS);
        let own = own.filter(move |(name, ..)| *name == self.name);
        let affected = AFFECTED
            .iter()
            .filter(move |_| AFFECTING.contains(&self.name));
        own.map(|(_, options, _)| *options)
            .chain(affected.map(|(option, _)| *option))
    }

    /// The function whose help explains the command.
    pub fn explained_by(self) -> Option<&'static str> {
        let last_method = || {
            let (call, _) = self.code.split_once('(')?;
            call.rsplit('.').next()
        };
        self.function().or_else(last_method)
    }

    /// The code that looks up the object named by the argument number `index` of the command, up to that argument:
    /// `conn.lookup_by_name(` for the first argument of `start`.
    pub fn lookup_before(self, index: usize, earlier: &[&str]) -> Option<String> {
        let names = self.names(self.code);
        let wanted = names.get(index)?;
        let (.., look_up, arguments) = self
            .objects()
            .find(|(.., arguments)| arguments.iter().any(|(name, _)| name == wanted))?;
        let number = arguments.iter().position(|(name, _)| name == wanted)? + 1;
        let (before, _) = look_up.split_once(&format!("({number})"))?;
        let mut before = before.to_owned();
        for (number, (name, _)) in arguments.iter().enumerate() {
            let at = names.iter().position(|known| known == name);
            if let Some(value) = at.and_then(|at| earlier.get(at)) {
                before = before.replace(&format!("({})", number + 1), &format!("({value:?})"));
            }
        }
        Some(before + "(")
    }

    fn objects(self) -> impl Iterator<Item = &'static Object> {
        OBJECTS
            .iter()
            .filter(move |(placeholder, ..)| self.code.contains(placeholder))
    }

    /// The names of the arguments that fill `code`, in virsh's order; "" for one without a name.
    fn names(self, code: &str) -> Vec<&'static str> {
        let of_objects = self.objects().flat_map(|(.., arguments)| arguments.iter());
        let mut names: Vec<&str> = of_objects.map(|(name, _)| *name).collect();
        let row = ARGUMENTS.iter().find(|(name, _)| *name == self.name);
        match row {
            Some((_, all)) if all.first() == names.first() => return all.to_vec(),
            Some((_, others)) => names.extend(*others),
            None => names.extend(vec![""; places(code).count()]),
        }
        names
    }
}

/// The words of a command, read.
struct Given {
    /// The code for its options.
    code: String,
    /// The arguments that name its objects.
    objects: Vec<Option<String>>,
    /// The arguments for the places in the code.
    others: Vec<Option<String>>,
}

impl VirshCommand {
    /// Reads the words after the command; virsh takes `--domain web` and `--domain=web` for `web`. Fails with the first
    /// word that has no translation.
    fn read(self, words: &[&str]) -> Result<Given, String> {
        let (mut options, mut positional) = (Vec::new(), Vec::new());
        let mut named: Vec<(&str, String)> = Vec::new();
        let names = self.names(self.code);
        let mut words = words.iter().filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if !word.starts_with('-') || word.parse::<f64>().is_ok() {
                positional.push((*word).to_owned());
                continue;
            }
            let (option, inline) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None => (*word, None),
            };
            let takes_value = names.contains(&option) || self.knows(&format!("{option}="));
            let value = match takes_value {
                true => inline.or_else(|| words.next().copied()),
                false if inline.is_some() => return Err(option.to_owned()),
                false => None,
            };
            match value {
                Some(value) if names.contains(&option) => named.push((option, value.to_owned())),
                Some(value) => options.push(format!("{option}={value}")),
                None => options.push(option.to_owned()),
            }
        }
        let code = self.with_options(&options)?;
        let mut positional = positional.into_iter();
        let mut values: Vec<(&str, Option<String>)> = Vec::new();
        for name in self.names(&code) {
            let given = named.iter().find(|(option, _)| *option == name);
            let value = given.map(|(_, value)| value.clone());
            values.push((name, value.or_else(|| positional.next())));
        }
        if let Some(word) = positional.next() {
            return Err(word);
        }
        let mut objects = Vec::new();
        for (name, _) in self.objects().flat_map(|(.., arguments)| arguments.iter()) {
            let at = values.iter().position(|(known, _)| known == name);
            let value = at.and_then(|at| values.remove(at).1);
            // The path of a volume needs no pool.
            let is_path = |volume: &Option<String>| {
                volume
                    .as_ref()
                    .is_some_and(|volume| volume.starts_with('/'))
            };
            let has_path = *name == "--pool" && objects.last().is_some_and(is_path);
            objects.push(value.or_else(|| has_path.then(String::new)));
        }
        let others = values.into_iter().map(|(_, value)| value).collect();
        Ok(Given {
            code,
            objects,
            others,
        })
    }

    /// True if an option with this beginning has a translation.
    fn knows(self, begin: &str) -> bool {
        let rows = CODES.iter().chain(FLAGS);
        rows.filter(|(name, ..)| *name == self.name)
            .any(|(_, options, _)| options.starts_with(begin))
    }

    /// The code with these options.
    fn with_options(self, options: &[String]) -> Result<String, String> {
        let has = |option: &str| options.iter().any(|given| given == option);
        let row = CODES
            .iter()
            .find(|(name, wanted, _)| *name == self.name && wanted.split(' ').all(has));
        let (wanted, code) = row.map_or(("", self.code), |(_, wanted, code)| (*wanted, *code));
        let mut code = code.to_owned();
        for option in options {
            if !wanted.split(' ').any(|wanted| wanted == option) {
                let flag = self.flag(option).ok_or_else(|| option.clone())?;
                code = with_flag(&code, flag).ok_or_else(|| option.clone())?;
            }
        }
        Ok(code)
    }

    /// The flag that is the option.
    fn flag(self, option: &str) -> Option<&'static str> {
        let own = FLAGS
            .iter()
            .find(|(name, known, _)| *name == self.name && *known == option);
        let affected = || {
            let row = AFFECTED.iter().find(|(known, _)| *known == option);
            row.filter(|_| AFFECTING.contains(&self.name))
        };
        own.map(|(.., flag)| *flag)
            .or_else(|| affected().map(|(_, flag)| *flag))
    }
}

/// The call `code` with one more flag in its last argument.
fn with_flag(code: &str, flag: &str) -> Option<String> {
    // The last call is the closure's method, which has no flags.
    let inner = code.strip_suffix(')').filter(|_| !code.contains("|dom|"))?;
    let last = inner.rsplit(['(', ',', ' ']).next()?;
    Some(match last {
        "" => format!("{inner}{flag})"),
        "0" => format!("{}{flag})", inner.strip_suffix('0')?),
        _ if last.starts_with("VIR_") => format!("{inner} | {flag})"),
        _ => format!("{inner}, {flag})"),
    })
}

/// The ranges of the places in `code` for arguments, such as `<"NAME">` and `<1>`.
fn places(code: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    code.match_indices('<').filter_map(|(start, _)| {
        let is_place =
            code[start + 1..].starts_with(|sign: char| sign == '"' || sign.is_ascii_digit());
        let length = code[start..].find('>')?;
        is_place.then_some(start..start + length + 1)
    })
}

/// The words of a line for virsh, which quotes names as a shell does.
pub fn words(line: &str) -> Vec<String> {
    let plain = || line.split_whitespace().map(str::to_owned).collect();
    match line.contains(['"', '\'']) {
        true => shlex::split(line).unwrap_or_else(plain),
        false => plain(),
    }
}

/// The code with `arguments`, or else the values shown in their places.
fn filled(code: &str, arguments: &mut dyn Iterator<Item = Option<String>>) -> String {
    let mut text = String::new();
    let mut end = 0;
    for place in places(code) {
        text.push_str(&code[end..place.start]);
        let shown = &code[place.start + 1..place.end - 1];
        match (shown.starts_with('"'), arguments.next().flatten()) {
            (true, Some(given)) => text.push_str(&format!("{given:?}")),
            (false, Some(given)) if given.parse::<i64>().is_ok() => text.push_str(&given),
            _ => text.push_str(shown),
        }
        end = place.end;
    }
    text + &code[end..]
}

#[cfg(test)]
mod tests {
    use super::{EVERYDAY, all, find, first_word};

    fn code(line: &str) -> String {
        let words = super::words(line);
        let mut words = words.iter().map(String::as_str);
        let command = words.next().and_then(find).expect(line);
        let words: Vec<&str> = words.collect();
        command.code(&words, &|name| name == "dom").expect(line)
    }

    #[test]
    fn the_words_behind_a_command_become_arguments() {
        for (line, expected) in [
            ("list --all", "conn.list_all_domains()"),
            (
                "list",
                "conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE)",
            ),
            (
                "list --all --no-autostart",
                "conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART)",
            ),
            (
                "list --autostart",
                "conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_AUTOSTART)",
            ),
            ("autostart dom --disable", "dom.set_autostart(false)"),
            (
                "net-autostart --disable lan",
                "conn.network_lookup_by_name(\"lan\").set_autostart(false)",
            ),
            ("start dom --paused", "dom.create(VIR_DOMAIN_START_PAUSED)"),
            ("domstate --reason dom", "dom.state_reason()"),
            (
                "setmem --size 1G --domain dom --config",
                "dom.set_memory(\"1G\", VIR_DOMAIN_AFFECT_CONFIG)",
            ),
            (
                "blockcommit dom vda --active",
                "dom.block_commit(\"vda\", \"\", \"\", 0, VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)",
            ),
            (
                "vol-create-as images x.img 1G",
                "conn.storage_pool_lookup_by_name(\"images\").create_xml(xml(\"volume\", #{ name: \"x.img\", capacity: parse_size(\"1G\") }))",
            ),
            (
                "vol-resize x.img 20G --pool images",
                "conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"x.img\").resize(\"20G\")",
            ),
            (
                "snapshot-create-as dom before --disk-only --atomic",
                "dom.snapshot_create_xml(xml(\"domainsnapshot\", #{ name: \"before\" }), VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC)",
            ),
            (
                "attach-disk dom /x.img vdb",
                "dom.attach_device(xml(\"disk\", #{ \"@type\": \"file\", source: #{ \"@file\": \"/x.img\" }, target: #{ \"@dev\": \"vdb\" } }))",
            ),
            ("define web.xml", "conn.define_xml(read_text(\"web.xml\"))"),
            ("memtune dom", "dom.memory_parameters()"),
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
                "conn.lookup_by_name(\"web\").shutdown(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)",
            ),
            (
                "vol-delete --pool images a.img",
                "conn.storage_pool_lookup_by_name(\"images\").storage_vol_lookup_by_name(\"a.img\").delete()",
            ),
            ("start", "conn.lookup_by_name(\"NAME\").create()"),
            ("start a\"b", "conn.lookup_by_name(\"a\\\"b\").create()"),
            (
                "setvcpus web 4 --live",
                "conn.lookup_by_name(\"web\").set_vcpus(4, VIR_DOMAIN_AFFECT_LIVE)",
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
    fn a_word_without_translation_is_named() {
        for (line, expected) in [
            ("blockcommit web vda --active --pivot", "--pivot"),
            ("undefine web --storage vda", "--storage"),
            ("shutdown web --mode initctl", "--mode=initctl"),
            ("memtune web --hard-limit=4G", "--hard-limit"),
            ("start web --live", "--live"),
            ("list --name --autostart", "--autostart"),
            ("start web now", "now"),
            ("attach-interface web network default", "network"),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let command = find(words[0]).expect(line);
            let code = command.code(&words[1..], &|_| false);
            assert_eq!(code, Err(expected.into()), "{line}");
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
            "define x.xml",
            "vol-info a images",
            "vol-info /srv/a.img",
        ] {
            assert!(filled(line), "{line}");
        }
        for line in [
            "dumpxml",
            "domblkinfo web",
            "define",
            "vcpupin web 0",
            "vol-info a",
        ] {
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
