//! The modules of a Rust source tree and their uses of each other, read by parsing the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, UseTree};

/// A path of modules from the root, `["objects", "connection"]`.
pub(super) type Module = Vec<String>;

/// The modules of a tree, each in a file of its own.
pub(super) struct Tree {
    /// The paths in each file, from the root of the tree.
    paths: BTreeMap<Module, BTreeSet<Module>>,
    /// The first parts of paths that lead to other crates.
    crates: BTreeMap<Module, BTreeSet<String>>,
}

impl Tree {
    /// The files below `root`, whose modules begin at its `lib.rs` or `main.rs`. Tests are left out.
    pub(super) fn read(root: &Path) -> Self {
        let mut tree = Self {
            paths: BTreeMap::new(),
            crates: BTreeMap::new(),
        };
        for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
            let entry = entry.expect("the sources can be listed");
            let path = entry.path();
            if path.extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let module = module_of(path.strip_prefix(root).expect("it is below the root"));
            if module.iter().any(|part| part == "tests") {
                continue;
            }
            let text = std::fs::read_to_string(path).expect("a source is text");
            let file = syn::parse_file(&text)
                .unwrap_or_else(|error| panic!("{} does not parse: {error}", path.display()));
            let mut reader = Reader {
                module: module.clone(),
                found: BTreeSet::new(),
                crates: BTreeSet::new(),
            };
            reader.visit_file(&file);
            tree.paths.insert(module.clone(), reader.found);
            tree.crates.insert(module, reader.crates);
        }
        tree
    }

    /// The modules, that of the root included.
    pub(super) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.paths.keys()
    }

    /// True if `module` names an item of the crate `name`.
    pub(super) fn uses_crate(&self, module: &Module, name: &str) -> bool {
        self.crates[module].contains(name)
    }

    /// The files that `module` uses. The second list has the paths that do not name a file, since
    /// they lead through re-exports of the root.
    pub(super) fn uses(&self, module: &Module) -> (BTreeSet<&Module>, Vec<&Module>) {
        let mut files = BTreeSet::new();
        let mut through_the_root = Vec::new();
        for path in &self.paths[module] {
            let file = (1..=path.len())
                .rev()
                .find_map(|length| self.paths.get_key_value(&path[..length]));
            match file {
                Some((file, _)) if file != module => {
                    files.insert(file);
                }
                None if !module.is_empty() && !path.is_empty() => through_the_root.push(path),
                _ => {}
            }
        }
        (files, through_the_root)
    }
}

/// The module in the file `path`, which is relative to the root of the tree.
fn module_of(path: &Path) -> Module {
    let text = path.with_extension("").display().to_string();
    let mut module: Module = text.split('/').map(str::to_owned).collect();
    let last = module.last().map(String::as_str);
    if matches!(last, Some("mod")) || matches!(text.as_str(), "lib" | "main") {
        module.pop();
    }
    module
}

/// Collects the paths of one file.
struct Reader {
    module: Module,
    found: BTreeSet<Module>,
    crates: BTreeSet<String>,
}

impl Reader {
    fn add(&mut self, parts: &[String]) {
        let mut base = self.module.clone();
        let mut rest = parts;
        match parts.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                rest = &parts[1..];
            }
            Some("self" | "super") => {
                while let Some(part) = rest.first() {
                    match part.as_str() {
                        "super" => drop(base.pop()),
                        "self" => {}
                        _ => break,
                    }
                    rest = &rest[1..];
                }
            }
            Some(first) => {
                self.crates.insert(first.to_owned());
                return;
            }
            None => return,
        }
        base.extend(rest.iter().filter(|part| *part != "self").cloned());
        self.found.insert(base);
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(name) => self.add(&with(name.ident.to_string())),
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
        }
    }

    /// Reads the paths in the tokens of a macro, which may hold anything.
    fn add_tokens(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            let begins = matches!(*word, "crate" | "super") && (at == 0 || words[at - 1] != "::");
            if !begins {
                continue;
            }
            let mut parts = vec![(*word).to_owned()];
            let mut next = at + 1;
            while words.get(next) == Some(&"::") {
                let Some(part) = words.get(next + 1) else {
                    break;
                };
                parts.push((*part).to_owned());
                next += 2;
            }
            self.add(&parts);
        }
    }
}

/// True if an item with these attributes is compiled only for tests.
pub(super) fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |list: &syn::MetaList| list.tokens.to_string() == "test";
        attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(is_test)
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_of_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if parts.len() > 1 {
            self.add(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.add_tokens(&item.tokens.to_string());
        visit::visit_macro(self, item);
    }
}
