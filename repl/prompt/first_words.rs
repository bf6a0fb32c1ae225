//! Reactions to first inputs of users who know virsh, a shell, Python or a database.

use rhai::Scope;
use virhai::advice::virsh::{self, VirshCommand};
use virhai::catalog::Catalog;
use virhai::suggest;
use virhai::syntax::lexer::{self, TokenClass};

use super::shell_syntax;

/// The reaction to an input that is a word of another program, and not Rhai.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstWords {
    /// A command of the prompt is run.
    Command(String),
    /// Code is shown and run; it changes no host.
    Run(String),
    /// A message says what to type, and Up recalls the code.
    Tell {
        message: String,
        code: Option<String>,
    },
    /// The screen is emptied.
    Clear,
}

use FirstWords::{Clear, Command, Run, Tell};

/// Words that stand for a command of the prompt, alone or with arguments.
const COMMANDS: &[(&str, &str)] = &[
    ("help", ":help"),
    ("man", ":help"),
    ("quit", ":quit"),
    ("exit", ":quit"),
    ("bye", ":quit"),
    ("history", ":history"),
    ("dir", ":methods"),
    ("methods", ":methods"),
    ("connect", ":connect"),
    ("\\q", ":quit"),
    ("\\?", ":help"),
    ("\\h", ":help"),
    ("%time", ":time"),
    ("%timeit", ":time"),
    ("%history", ":history"),
    ("%load", ":load"),
    ("%save", ":save"),
    ("%edit", ":edit"),
    ("%quickref", ":help"),
];

/// Programs in front of a command of virsh.
const PROGRAMS: &[&str] = &["sudo", "virsh", "virhai"];

/// True if `text` consists of words alone, at least two: no Rhai does, except with a keyword.
fn is_sentence(text: &str) -> bool {
    let tokens = lexer::code(text);
    let mut words = text.split_whitespace();
    let is_name = |word: &str| {
        word.starts_with(|letter: char| letter.is_alphanumeric() || "/-".contains(letter))
            && word
                .chars()
                .all(|letter| letter.is_alphanumeric() || "_-./=".contains(letter))
    };
    tokens
        .first()
        .is_some_and(|token| token.class == TokenClass::Name)
        && words.clone().count() > 1
        && words.all(is_name)
}

/// True if `text` may be a command of another program; most inputs are not.
pub(super) fn may_be(text: &str, scope: &Scope) -> bool {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_whitespace() || "(;".contains(letter));
    let first = &text[..end.unwrap_or(text.len())];
    text.starts_with(['!', '\\', '%'])
        || !is_known(first, scope)
            && (virsh::first_word(first).is_some()
                || PROGRAMS.contains(&first)
                || is_sentence(text)
                || ["clear", "cls"].contains(&first)
                || COMMANDS.iter().any(|(word, _)| *word == first))
}

/// The reaction to `text`, if it is a word of another program and the session knows no such name.
pub(super) fn find(text: &str, scope: &Scope, catalog: &Catalog) -> Option<FirstWords> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let words = virsh::words(text);
    let mut words = words.iter().map(String::as_str);
    let first = words.next()?;
    let words: Vec<&str> = words.collect();
    if let Some(program) = text.strip_prefix('!') {
        return Some(tell(match program.trim().is_empty() {
            true => {
                "the prompt cannot run programs; Ctrl-Z returns to the shell, and `fg` comes back"
                    .into()
            }
            false => format!(
                "the prompt cannot run programs such as `{}`; Ctrl-Z returns to the shell, and `fg` comes back",
                program.trim()
            ),
        }));
    }
    if let Some(of_call) = of_call(text, scope, catalog) {
        return Some(of_call);
    }
    let is_word = |letter: char| letter.is_alphanumeric() || "_-\\%?".contains(letter);
    if !is_known(first, scope)
        && virsh::first_word(first).is_some()
        && let Some(signed) = shell_syntax::split(text)
        && let Some(found) = find(signed.command, scope, catalog)
    {
        return match found {
            Run(code)
            | Tell {
                code: Some(code), ..
            } => Some(signed.answer(&code, catalog)),
            other => Some(other),
        };
    }
    if PROGRAMS.contains(&first) && !is_known(first, scope) {
        return of_program(first, text, scope, catalog);
    }
    if !first.chars().all(is_word)
        || is_known(first, scope)
        || words.first().is_some_and(|next| is_operator(next))
    {
        return None;
    }
    if ["clear", "cls"].contains(&first) && words.is_empty() {
        return Some(Clear);
    }
    if let Some((_, command)) = COMMANDS.iter().find(|(word, _)| *word == first)
        && !(words.is_empty() && *command == ":methods")
    {
        return Some(Command(
            format!("{command} {}", words.join(" ")).trim().into(),
        ));
    }
    match first.chars().next()? {
        '\\' => {
            let code = "conn.list_all_domains()".to_owned();
            return Some(Tell {
                message: format!("`{first}` is not a command; `{code}` lists the guests"),
                code: Some(code),
            });
        }
        '%' => {
            return Some(tell(format!(
                "`{first}` is not a command: commands begin with `:`, and `:help` lists them"
            )));
        }
        _ => {}
    }
    match virsh::first_word(first).filter(|command| command.name == first) {
        Some(command) => Some(of_virsh(command, &words, scope, catalog)),
        None => is_sentence(text)
            .then(|| misspelt(first, catalog))
            .flatten(),
    }
}

/// The answer to a command behind `sudo` or `virsh`.
fn of_program(program: &str, text: &str, scope: &Scope, catalog: &Catalog) -> Option<FirstWords> {
    let rest = text.strip_prefix(program)?.trim_start();
    let Some(first) = rest.split_whitespace().next() else {
        return Some(tell(format!(
            "this is virhai's prompt: type commands such as `list --all` without `{program}`"
        )));
    };
    if first.starts_with('-') {
        return Some(tell(format!(
            "type the command without `{program}`; `:connect URI` connects to another host"
        )));
    }
    if is_operator(first) {
        return None;
    }
    find(rest, scope, catalog).or_else(|| {
        Some(tell(format!(
            "the prompt cannot run programs such as `{program} {first}`; Ctrl-Z returns to the shell, and `fg` comes back"
        )))
    })
}

/// The answer to words that are neither Rhai nor a command; none if Rhai's own advice is better.
fn misspelt(first: &str, catalog: &Catalog) -> Option<FirstWords> {
    if virhai::advice::is_word_elsewhere(first) || catalog.named(first).next().is_some() {
        return None;
    }
    let names = virsh::all().map(|command| command.name);
    let near = suggest::nearest(first, names.chain(COMMANDS.iter().map(|(name, _)| *name)));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`:help` lists the commands of the prompt, which knows virsh's commands too".into(),
    };
    Some(tell(format!("unknown command `{first}`; {hint}")))
}

fn tell(message: String) -> FirstWords {
    Tell {
        message,
        code: None,
    }
}

/// `quit()`, `help(x)`, `dir(x)`: calls of functions that other prompts have.
fn of_call(text: &str, scope: &Scope, catalog: &Catalog) -> Option<FirstWords> {
    let (name, rest) = text.split_once('(')?;
    let argument = rest.strip_suffix(')')?.trim();
    let command = match (name.trim(), argument) {
        ("quit", "") => ":quit".to_owned(),
        ("clear", "")
            if catalog
                .named("clear")
                .all(|function| !function.parameters.is_empty()) =>
        {
            return Some(Clear);
        }
        ("help", "") => ":help".to_owned(),
        ("help", name) => format!(":help {}", name.trim_matches('"')),
        ("dir", value) if !value.is_empty() => format!(":methods {value}"),
        _ => return None,
    };
    let is_own = is_known(name.trim(), scope) || catalog.named(name.trim()).next().is_some();
    (!is_own).then_some(Command(command))
}

/// True if the session knows `word`, or its part before the first hyphen.
fn is_known(word: &str, scope: &Scope) -> bool {
    let name = word.split('-').next().unwrap_or(word);
    scope.contains(name)
}

/// True if `word` continues an expression: an operator, a bracket or a dot.
fn is_operator(word: &str) -> bool {
    let begins_so = word.starts_with(|letter: char| "=+*/<>&|.([{,;:?%^".contains(letter));
    // A path begins with one of these signs too, and an option of virsh with `-`.
    let is_argument = word.len() > 1 && word.starts_with(['/', '.']);
    begins_so && !is_argument || word == "-" || word.starts_with("-=")
}

fn of_virsh(command: VirshCommand, words: &[&str], scope: &Scope, catalog: &Catalog) -> FirstWords {
    let name = command.name;
    if !command.has_counterpart() {
        return tell(match name {
            "cd" | "pwd" => {
                format!(
                    "the prompt has no `{name}`: paths begin in the folder in which virhai was started"
                )
            }
            _ => format!("virsh's `{name}` has no counterpart here"),
        });
    }
    let is_object = |name: &str| {
        scope
            .get(name)
            .is_some_and(|value| crate::show::noun_and_name(value).is_some())
    };
    let code = match command.code(words, &is_object) {
        Ok(code) => code,
        Err(word) => {
            let explains = command.explained_by().map_or_else(String::new, |function| {
                format!("; `:help {function}` explains the call")
            });
            return tell(format!(
                "`{word}` after {} has no translation{explains}",
                command.in_words()
            ));
        }
    };
    if command.is_filled_by(words) && only_reads(&code, catalog) {
        return Run(code);
    }
    Tell {
        message: format!(
            "{} is `{code}` here; press Up to edit and run it",
            command.in_words()
        ),
        code: Some(code),
    }
}

/// True if no call in `code` changes a host or waits for an event.
fn only_reads(code: &str, catalog: &Catalog) -> bool {
    let tokens = lexer::code(code);
    let mut called = tokens.windows(2).filter_map(|pair| {
        let is_call = pair[0].class == TokenClass::Name && pair[1].of(code) == "(";
        is_call.then(|| pair[0].of(code))
    });
    let waits = ["wait_event", "events", "open_console", "edit"];
    called.all(|name| {
        let mut functions = catalog.named(name).filter(|function| !function.standard);
        // The catalogue does not tell what a recipe does.
        let is_known = catalog.named(name).next().is_some();
        is_known
            && !waits.contains(&name)
            && functions.all(|function| !function.calls().any(virhai::may_change))
    })
}

#[cfg(test)]
mod tests {
    use rhai::Scope;
    use virhai::catalog::Catalog;
    use virhai::engine::{self, Limits};
    use virhai::{Imports, Session, SessionOptions};

    use super::{FirstWords, find};

    fn catalog() -> Catalog {
        let session = Session::new(SessionOptions::default());
        Catalog::new(&engine::build(
            &session,
            &Limits::default(),
            Imports::default(),
        ))
    }

    #[test]
    fn first_words_do_the_obvious() {
        let (scope, catalog) = (Scope::new(), catalog());
        let found = |text: &str| find(text, &scope, &catalog);
        let command = |text: &str| Some(FirstWords::Command(text.into()));
        for (text, expected) in [
            ("help", ":help"),
            ("help create", ":help create"),
            ("help()", ":help"),
            ("help(\"dom\")", ":help dom"),
            ("quit", ":quit"),
            ("exit;", ":quit"),
            ("quit()", ":quit"),
            ("\\q", ":quit"),
            ("%time 1 + 1", ":time 1 + 1"),
            ("dir(conn)", ":methods conn"),
            ("history", ":history"),
            ("connect test:///default", ":connect test:///default"),
        ] {
            assert_eq!(found(text), command(expected), "{text}");
        }
        assert_eq!(found("clear"), Some(FirstWords::Clear));
        for (text, code) in [
            (
                "list",
                "conn.list_all_domains(VIR_CONNECT_LIST_DOMAINS_ACTIVE)",
            ),
            ("net-info lan", "[conn.network_lookup_by_name(\"lan\")]"),
            (
                "dumpxml 'a b' --security-info",
                "conn.lookup_by_name(\"a b\").xml_desc(VIR_DOMAIN_XML_SECURE)",
            ),
            ("list --all", "conn.list_all_domains()"),
            ("dumpxml web", "conn.lookup_by_name(\"web\").xml_desc()"),
            ("ps", "conn.list_all_domains()"),
            ("status web", "conn.lookup_by_name(\"web\").state()"),
            (
                "iothreadinfo web",
                "conn.lookup_by_name(\"web\").io_thread_info()",
            ),
            ("net-list --all", "conn.list_all_networks()"),
            ("nodedev-list --all", "conn.list_all_devices()"),
            (
                "domiflist web",
                "conn.lookup_by_name(\"web\").xml().select(\"devices/interface\")",
            ),
        ] {
            assert_eq!(found(text), Some(FirstWords::Run(code.into())), "{text}");
        }
        for (text, code) in [
            ("start web", Some("conn.lookup_by_name(\"web\").create()")),
            ("start", Some("conn.lookup_by_name(\"NAME\").create()")),
            ("dumpxml", Some("conn.lookup_by_name(\"NAME\").xml_desc()")),
            ("event", Some("conn.events(\"lifecycle\")")),
            ("stop web", Some("conn.lookup_by_name(\"web\").stop()")),
            (
                "delete web",
                Some("conn.lookup_by_name(\"web\").undefine()"),
            ),
            (
                "vcpupin web 1 0-1",
                Some("conn.lookup_by_name(\"web\").pin_vcpu(1, \"0-1\")"),
            ),
            (
                "undefine web --nvram",
                Some("conn.lookup_by_name(\"web\").undefine(VIR_DOMAIN_UNDEFINE_NVRAM)"),
            ),
            (
                "autostart web --disable",
                Some("conn.lookup_by_name(\"web\").set_autostart(false)"),
            ),
            ("blockcommit web vda --active --pivot", None),
            ("list --title", None),
            (
                "undefine web --remove-all-storage",
                Some(
                    "import \"std/guest\" as guest; guest::remove_with_volumes(conn.lookup_by_name(\"web\"))",
                ),
            ),
            ("!ls", None),
            ("\\d", Some("conn.list_all_domains()")),
            ("%ls", None),
            ("pwd", None),
        ] {
            let Some(FirstWords::Tell { code: found, .. }) = found(text) else {
                panic!("{text} is told about");
            };
            assert_eq!(found.as_deref(), code, "{text}");
        }
        let Some(FirstWords::Tell { message, .. }) = found("list --title") else {
            panic!("it is told about");
        };
        assert_eq!(
            message,
            "`--title` after virsh's `list` has no translation; `:help list_all_domains` explains the call"
        );
    }

    #[test]
    fn every_command_of_virsh_has_an_answer() {
        let (scope, catalog) = (Scope::new(), catalog());
        for command in virhai::advice::virsh::all() {
            for line in [
                command.name.to_owned(),
                format!("{} web a b c", command.name),
            ] {
                assert!(super::may_be(&line, &scope), "{line}");
                assert!(find(&line, &scope, &catalog).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn what_may_be_rhai_stays_so() {
        let mut scope = Scope::new();
        scope.push("list", 1).push("net", 2);
        let catalog = catalog();
        for text in [
            "list",
            "list + 1",
            "net-list",
            "start = 5",
            "start (1)",
            "save(1)",
            "let start = 1",
            "print(list)",
            "exit(1)",
            "create.x",
            "dom.create()",
            "start += 1",
            "status = 1",
            "info.memory_kib",
        ] {
            assert_eq!(find(text, &scope, &catalog), None, "{text}");
        }
    }
}
