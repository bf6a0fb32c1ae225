//! Rules on libvirt itself: which calls a script may make, on which objects and hosts.
//!
//! A rule is `VERBS:NAME@HOST`, such as `destroy,undefine:prod-*` or `create,start:test-*@lab`. The verbs are the names of
//! the script's functions, or their first words, or kinds of objects; in the name and the host, `*` matches any text.

use std::fmt;

use super::fits;
use crate::constants;

/// Calls on certain objects of certain hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    verbs: Vec<String>,
    /// The C functions that a verb covers by the name of a script's function or by a kind of object; true if only calls that
    /// change something are meant.
    functions: Vec<(&'static str, bool)>,
    name: String,
    host: String,
}

/// The rules for calls of libvirt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The source of the rules, for messages.
    pub source: String,
    /// If there are any, a call that changes something must match one of them.
    pub allow: Vec<Rule>,
    /// Calls that match one of them are refused.
    pub deny: Vec<Rule>,
}

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The C function.
    pub(crate) function: &'static str,
    /// True if it can change the host.
    pub(crate) changes: bool,
    /// The names of its object; for a snapshot, the names of the domain. Empty if they are unknown.
    pub(crate) names: &'a [&'a str],
    /// The names of the host: its URI, and its host name.
    pub(crate) hosts: &'a [&'a str],
}

/// Words for a call besides the name of its function.
const ALIASES: [(&str, &str); 2] = [("start", "create"), ("revert", "revert_to_snapshot")];

impl Rule {
    /// Reads a rule; `functions` are the C functions that scripts can reach, and `names` the C functions that a function of
    /// scripts calls, each with the name of that function.
    ///
    /// # Errors
    ///
    /// The text is not a rule, or no call has one of its verbs.
    pub fn parse(
        text: &str,
        functions: impl Iterator<Item = &'static str>,
        names: &[(String, String)],
    ) -> Result<Self, String> {
        let (verbs, object) = text.split_once(':').unwrap_or((text, "*"));
        let (name, host) = object.rsplit_once('@').unwrap_or((object, "*"));
        let verbs: Vec<String> = verbs
            .split(',')
            .map(|verb| verb.trim().to_owned())
            .collect();
        let or_any = |text: &str| match text {
            "" => "*".to_owned(),
            text => text.to_owned(),
        };
        let functions: Vec<&str> = functions.collect();
        let mut rule = Self {
            text: text.to_owned(),
            verbs,
            functions: Vec::new(),
            name: or_any(name),
            host: or_any(host),
        };
        for word in rule.verbs.iter().filter(|word| *word != "*") {
            let covered = functions.iter().filter_map(|function| {
                let own = names.iter().filter(|(called, _)| called == function);
                let exact = own.clone().any(|(_, name)| name == word);
                // The first words of such a name, and a kind of object, cover changes: `network` covers no lookup.
                let begins = own
                    .map(|(_, name)| name.as_str())
                    .any(|name| means(word, name));
                let kind = kinds(function).iter().any(|kind| means(word, kind));
                (exact || begins || kind).then_some((*function, !exact))
            });
            let before = rule.functions.len();
            rule.functions.extend(covered);
            let is_verb = functions
                .iter()
                .any(|function| means(word, &verb(function)));
            if rule.functions.len() == before && !is_verb {
                return Err(match word.contains(['*', '@']) {
                    true => format!(
                        "no call is called `{word}`: a rule is VERBS:NAME@HOST, such as `*:{word}`"
                    ),
                    false => format!("no call is called `{word}`"),
                });
            }
        }
        Ok(rule)
    }

    fn has_verb(&self, call: &Call) -> bool {
        let covered = |&(function, changes): &(&str, bool)| {
            function == call.function && (call.changes || !changes)
        };
        if self.functions.iter().any(covered) {
            return true;
        }
        let verb = verb(call.function);
        self.verbs.iter().any(|word| match word.as_str() {
            "*" => call.changes,
            word => means(word, &verb),
        })
    }

    fn has_host(&self, call: &Call) -> bool {
        call.hosts.iter().any(|host| fits(&self.host, host))
    }

    /// True if it could match the object of `call`: an unknown name can be any name.
    fn may_fit(&self, call: &Call) -> bool {
        let named = call.names.is_empty() || call.names.iter().any(|name| fits(&self.name, name));
        named && self.has_verb(call) && self.has_host(call)
    }

    /// True if it matches all names of the object of `call`.
    fn fits(&self, call: &Call) -> bool {
        let named = match call.names {
            [] => self.name == "*",
            names => names.iter().all(|name| fits(&self.name, name)),
        };
        named && self.has_verb(call) && self.has_host(call)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Rules {
    /// The reason why `call` is refused, if it is refused.
    pub(crate) fn refusal(&self, call: &Call) -> Option<String> {
        // Calls on a stream were allowed when the stream was opened.
        if call.function.starts_with("virStream") || call.function == "virConnectOpenAuth" {
            return None;
        }
        if let Some(rule) = self.deny.iter().find(|rule| rule.may_fit(call)) {
            return Some(format!("the rule `{rule}` of {} denies it", self.source));
        }
        let allowed =
            self.allow.is_empty() || !call.changes || self.allow.iter().any(|rule| rule.fits(call));
        (!allowed).then(|| format!("no rule of {} allows it", self.source))
    }
}

/// True if a rule's `word` covers calls named `verb`.
fn means(word: &str, verb: &str) -> bool {
    let is_first = |word: &str| {
        verb.strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    is_first(word)
        || ALIASES
            .iter()
            .any(|(alias, name)| *alias == word && *name == verb)
}

/// The name of the C function `function` with the kind of its object, such as `network_destroy`; that of a snapshot also without
/// the domain.
fn kinds(function: &str) -> Vec<String> {
    let name = snake(function.strip_prefix("vir").unwrap_or(function));
    let inner = name.strip_prefix("domain_").map(str::to_owned);
    [Some(name), inner].into_iter().flatten().collect()
}

/// The name of the script's function that calls the C function `function`.
fn verb(function: &str) -> String {
    let mut name = constants::method_of(function);
    for ending in ["WithFlags", "WithFormat", "Flags", "Params", "2", "3"] {
        name = name
            .strip_suffix(ending)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(name);
    }
    snake(name)
}

/// `name` in lower case with `_` between its words; an acronym is one word.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
            });
        if begins {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Call, Rule, Rules, verb};

    const FUNCTIONS: [&str; 5] = [
        "virDomainCreateWithFlags",
        "virDomainDefineXML",
        "virDomainDestroy",
        "virDomainGetXMLDesc",
        "virDomainRename",
    ];

    fn rules(allow: &[&str], deny: &[&str]) -> Rules {
        let parse = |text: &&str| Rule::parse(text, FUNCTIONS.into_iter(), &[]).expect("a rule");
        Rules {
            source: "here".into(),
            allow: allow.iter().map(parse).collect(),
            deny: deny.iter().map(parse).collect(),
        }
    }

    fn may(rules: &Rules, function: &'static str, names: &[&str]) -> bool {
        let call = Call {
            function,
            changes: function != "virDomainGetXMLDesc",
            names,
            hosts: &["qemu+ssh://lab/system", "lab"],
        };
        rules.refusal(&call).is_none()
    }

    #[test]
    fn verbs_are_the_names_of_the_scripts_functions() {
        for (function, name) in [
            ("virDomainCreateWithFlags", "create"),
            ("virDomainCreateXML", "create_xml"),
            ("virDomainSetVcpusFlags", "set_vcpus"),
            ("virDomainMigrateToURI3", "migrate_to_uri"),
            ("virDomainSnapshotCreateXML", "create_xml"),
            ("virNWFilterDefineXML", "define_xml"),
            ("virNodeDeviceDetachFlags", "detach"),
            ("virDomainRestoreParams", "restore"),
            ("virDomainQemuMonitorCommand", "qemu_monitor_command"),
        ] {
            assert_eq!(verb(function), name);
        }
    }

    #[test]
    fn a_denied_call_is_refused_on_matching_and_unnamed_objects() {
        let rules = rules(&[], &["destroy:prod-*"]);
        assert!(!may(&rules, "virDomainDestroy", &["prod-db"]));
        assert!(!may(&rules, "virDomainDestroy", &["test", "prod-db"]));
        assert!(!may(&rules, "virDomainDestroy", &[]));
        assert!(may(&rules, "virDomainDestroy", &["test"]));
        assert!(may(&rules, "virDomainRename", &["prod-db"]));
    }

    #[test]
    fn allow_rules_refuse_every_other_change() {
        let rules = rules(&["create,define:test-*@lab"], &[]);
        assert!(may(&rules, "virDomainCreateWithFlags", &["test-1"]));
        assert!(may(&rules, "virDomainDefineXML", &["test-1"]));
        assert!(may(&rules, "virDomainGetXMLDesc", &["prod"]));
        assert!(may(&rules, "virStreamSend", &[]));
        for names in [&["prod"][..], &["test-1", "prod"], &[]] {
            assert!(!may(&rules, "virDomainDefineXML", names), "{names:?}");
        }
        assert!(!may(&rules, "virDomainDestroy", &["test-1"]));
    }

    #[test]
    fn a_rule_holds_for_its_host_and_a_denial_wins() {
        assert!(may(&rules(&[], &["*:*@other"]), "virDomainDestroy", &["a"]));
        assert!(!may(&rules(&[], &["*:*@lab"]), "virDomainDestroy", &["a"]));
        let both = rules(&["*"], &["destroy"]);
        assert!(!may(&both, "virDomainDestroy", &["a"]));
        assert!(may(&both, "virDomainRename", &["a", "b"]));
        let start = rules(&["start:a"], &[]);
        assert!(may(&start, "virDomainCreateWithFlags", &["a"]));
        assert!(!may(&start, "virDomainDefineXML", &["a"]));
        let wrong = Rule::parse("destory:a", FUNCTIONS.into_iter(), &[]);
        assert_eq!(wrong, Err("no call is called `destory`".into()));
    }
}
