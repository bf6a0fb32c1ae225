//! Completion between quotes: names of objects, words, paths, modules.

use rhai::Expr;

use super::{Candidate, CandidateKind, Completion, Context, File, Holder, members, scope};
use crate::catalog::Function;
use crate::check;
use crate::libvirt::events;
use crate::objects::any;
use crate::spec::Type;
use crate::syntax::cursor::{Argument, Step};

/// The ways to hosts that are tried first.
const URIS: [&str; 8] = [
    "qemu:///system",
    "qemu:///session",
    "qemu:///embed?root=",
    "qemu+ssh://",
    "qemu+tls://",
    "test:///default",
    "xen:///system",
    "lxc:///system",
];

fn texts(words: Vec<&str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// A letter as written in a text between quotes; an invisible one by its number.
fn escaped(letter: char) -> String {
    let number = u32::from(letter);
    match letter {
        '\\' | '"' => format!("\\{letter}"),
        _ if !letter.escape_debug().to_string().starts_with("\\u") => letter.into(),
        _ if number <= 0xffff => format!("\\u{number:04x}"),
        _ => format!("\\U{number:08x}"),
    }
}

impl Context<'_> {
    pub(super) fn within_text(
        &self,
        argument: Option<&Argument>,
        compared: Option<&str>,
    ) -> Completion {
        let kind = compared.and_then(|code| self.scope.kind_of(code));
        if let Some(words) = kind.as_ref().and_then(Type::vocabulary) {
            let words = words.list.iter();
            return self.fitting(words.map(|word| self.word_candidate(word)));
        }
        if let Some(argument) = argument.filter(|_| compared.is_none()) {
            if let Some(ty) = self.declared(argument) {
                let of_module = argument.call.module.is_some();
                if of_module || !ty.words().is_empty() || !ty.host_names().is_empty() {
                    return self.of_type(&ty, argument);
                }
            }
            let words = self.words(argument);
            if !words.is_empty() {
                return self.fitting(words.into_iter().map(|word| self.word_candidate(&word)));
            }
            if let Some((kind, holder)) = self.named(argument) {
                return self.names(&[&kind], &holder);
            }
        }
        let parameter = argument.map_or_else(Vec::new, |argument| self.parameters(argument));
        // An object that is looked up by its path is on the host.
        let looked_up = |function: &Function| function.name.contains("lookup_by_");
        if parameter.iter().any(|(function, _)| looked_up(function)) {
            return Completion::default();
        }
        let is_path = parameter.iter().any(|(_, name)| name == "path");
        let on_xml = parameter
            .iter()
            .any(|(function, _)| function.receiver().is_some_and(|it| it.is_called("Xml")));
        let begins_a_path = ["/", "./", "../"]
            .iter()
            .any(|begin| self.word.starts_with(begin));
        if !on_xml && (is_path || begins_a_path) {
            return self.path();
        }
        Completion::default()
    }

    /// The candidates for a text of the declared type `ty`.
    fn of_type(&self, ty: &Type, argument: &Argument) -> Completion {
        let kinds: Vec<&str> = ty.host_names().iter().map(|name| name.object()).collect();
        let mut found = match kinds.is_empty() {
            true => Completion::default(),
            false => self.names(&kinds, &self.holder_of(argument)),
        };
        let words = ty.words();
        if !words.is_empty() {
            let words = words.into_iter();
            let words = self.fitting(words.map(|word| self.word_candidate(word)));
            found.replaced = words.replaced;
            found.candidates.extend(words.candidates);
        }
        if !found.candidates.is_empty() {
            return found;
        }
        let begins_a_path = ["/", "./", "../"]
            .iter()
            .any(|begin| self.word.starts_with(begin));
        match ty.alternatives().contains(&Type::Path) || begins_a_path {
            true => self.path(),
            false => Completion::default(),
        }
    }

    /// The names of the objects of these types that `holder` has.
    fn names(&self, kinds: &[&str], holder: &Holder) -> Completion {
        let names = kinds.iter();
        let mut names: Vec<String> = names
            .flat_map(|kind| self.around.names(kind, holder))
            .collect();
        names.sort();
        names.dedup();
        self.fitting(names.iter().map(|name| self.word_candidate(name)))
    }

    /// The object that has the names for an argument.
    fn holder_of(&self, argument: &Argument) -> Holder {
        self.holder(match &argument.call.receiver {
            Some(receiver) => receiver,
            None => &argument.first,
        })
    }

    /// A text that is closed once it is chosen.
    fn word_candidate(&self, word: &str) -> Candidate {
        let quote = self.before[..self.replaced.start].chars().next_back();
        let closes = match quote {
            Some(quote) if !self.after.starts_with(quote) && !word.ends_with(['/', '=']) => {
                quote.to_string()
            }
            _ => String::new(),
        };
        let escaped: String = word.chars().map(escaped).collect();
        Candidate {
            label: word.to_owned(),
            insert: format!("{escaped}{closes}"),
            kind: CandidateKind::Word,
            docs: String::new(),
        }
    }

    /// The functions that an argument can belong to, with the name of its parameter in each.
    fn parameters(&self, argument: &Argument) -> Vec<(&crate::catalog::Function, String)> {
        if argument.call.module.is_some() || !argument.within.is_empty() {
            return Vec::new();
        }
        let number = argument.number + usize::from(argument.call.receiver.is_some());
        members::called(self.catalog, &self.scope, &argument.call)
            .into_iter()
            .filter_map(|function| {
                let (name, _) = function.parameters.get(number)?;
                Some((function, name.clone()))
            })
            .collect()
    }

    /// The words that an argument knows.
    fn words(&self, argument: &Argument) -> Vec<String> {
        let key = match argument.within.last() {
            Some(Step::Key(key)) => Some(key.as_str()),
            _ => None,
        };
        match (argument.call.name.as_str(), argument.number, key) {
            ("connect" | "connect_read_only" | "connect_auth", 0, None)
                if argument.call.receiver.is_none() =>
            {
                URIS.iter().map(|uri| (*uri).to_owned()).collect()
            }
            (name, 0, None | Some("kind")) if check::takes_event_filter(name) => {
                events::kinds().map(str::to_owned).collect()
            }
            (name, 0, Some("event")) if check::takes_event_filter(name) => {
                let words = events::words_of("lifecycle", "event", None);
                texts(words.unwrap_or_default())
            }
            _ => Vec::new(),
        }
    }

    /// The type of the objects whose names an argument takes, and who has them.
    fn named(&self, argument: &Argument) -> Option<(String, Holder)> {
        let key = argument.within.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Item => None,
        });
        let holder = self.holder_of(argument);
        if let Some(key) = key {
            return Some((any::by_option(key)?.to_owned(), holder));
        }
        if let Some(alias) = &argument.call.module {
            let recipe = members::recipe(self.catalog, self.around, &self.scope, alias)?;
            let function = recipe.functions.iter().find(|function| {
                function.name == argument.call.name && function.parameters.len() > argument.number
            })?;
            let Some(Type::NameOf(what)) = function.takes.get(argument.number) else {
                return None;
            };
            return Some((what.object().to_owned(), holder));
        }
        let parameters = self.parameters(argument);
        parameters.into_iter().find_map(|(function, name)| {
            // A lookup by name accepts the names of the objects that it finds.
            let found = found_by(function).filter(|_| name == "name");
            let kind = found.or_else(|| any::by_option(&name))?;
            Some((kind.to_owned(), holder.clone()))
        })
    }

    /// The object with the names, from the expression `code`; its calls are not evaluated but remembered.
    fn holder(&self, code: &str) -> Holder {
        let ast = self.scope.parse(code);
        let expression = ast.as_ref().and_then(scope::expression);
        expression.map_or(Holder::Unknown, |expression| self.holder_in(&expression))
    }

    fn holder_in(&self, expression: &Expr) -> Holder {
        match expression {
            Expr::Variable(variable, ..) => Holder::Variable(variable.1.to_string()),
            Expr::Dot(pair, ..) => self.holder_after(self.holder_in(&pair.lhs), &pair.rhs),
            _ => Holder::Unknown,
        }
    }

    /// Rhai nests a chain to the right.
    fn holder_after(&self, on: Holder, rest: &Expr) -> Holder {
        match rest {
            Expr::MethodCall(call, _) => {
                let lookup = self.catalog.named(&call.name).find_map(found_by);
                let (Some(kind), Some(Expr::StringConstant(name, _))) = (lookup, call.args.first())
                else {
                    return Holder::Unknown;
                };
                Holder::Found {
                    kind: kind.to_owned(),
                    name: name.to_string(),
                    on: Box::new(on),
                }
            }
            Expr::Dot(pair, ..) => self.holder_after(self.holder_after(on, &pair.lhs), &pair.rhs),
            _ => Holder::Unknown,
        }
    }

    /// Files and folders.
    fn path(&self) -> Completion {
        let folder = self.word.rfind('/').map_or(0, |at| at + 1);
        let files = self.around.files(&self.word[..folder]);
        let start = self.replaced.start + folder;
        let hidden = self.word[folder..].starts_with('.');
        let files = files
            .into_iter()
            .filter(|file| hidden || !file.name.starts_with('.'));
        self.fitting_from(start, sorted(files).map(|file| self.file(file)))
    }

    fn file(&self, file: File) -> Candidate {
        let name = match file.folder {
            true => format!("{}/", file.name),
            false => file.name,
        };
        Candidate {
            kind: CandidateKind::File,
            ..self.word_candidate(&name)
        }
    }

    /// The candidates for an import: recipes, and scripts in the same folder.
    pub(super) fn import(&self) -> Completion {
        let recipes = self.catalog.recipes().iter();
        let recipes = recipes
            .filter(|recipe| !recipe.internal)
            .map(|recipe| Candidate {
                kind: CandidateKind::Module,
                docs: recipe.docs.clone(),
                ..self.word_candidate(&recipe.path)
            });
        let found = self.fitting(recipes);
        let folder = self.word.rfind('/').map_or(0, |at| at + 1);
        let files = self.around.files(&self.word[..folder]);
        let scripts = files.into_iter().filter_map(|file| {
            let name = match file.folder {
                true => file.name.clone(),
                false => file.name.strip_suffix(".rhai")?.to_owned(),
            };
            (!name.starts_with('.')).then_some(File { name, ..file })
        });
        let start = self.replaced.start + folder;
        let scripts = self.fitting_from(start, sorted(scripts).map(|file| self.file(file)));
        if found.candidates.is_empty() {
            return scripts;
        }
        // Both begin with the word: only the part after its last folder distinguishes them.
        let shift = &self.word[..folder];
        let mut candidates = found.candidates;
        candidates.extend(scripts.candidates.into_iter().map(|candidate| Candidate {
            insert: format!("{shift}{}", candidate.insert),
            ..candidate
        }));
        Completion {
            replaced: self.replaced.clone(),
            candidates,
        }
    }
}

/// The type of the object that a lookup by name returns, on a connection or on another object.
fn found_by(function: &Function) -> Option<&str> {
    let kind = function.returns.object()?;
    function.name.ends_with("lookup_by_name").then_some(kind)
}

fn sorted(files: impl Iterator<Item = File>) -> impl Iterator<Item = File> {
    let mut files: Vec<File> = files.collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files.into_iter()
}
