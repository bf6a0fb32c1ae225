//! The session's state for the editor: variables, modules, functions and hosts.

use std::sync::{Arc, OnceLock};

use rhai::{AST, Engine, Scope};
use virhai::catalog::{Catalog, Recipe};
use virhai::completion::{File, Holder, Surroundings, Variable};
use virhai::inference::kind_of_value;
use virhai::{HostNames, Imports};

/// More entries than this of one folder are not listed.
const MOST_FILES: usize = 2000;

/// The state after the inputs, for completion and hints.
#[derive(Default)]
pub(super) struct Known {
    variables: Vec<Variable>,
    modules: Vec<(String, String)>,
    hosts: HostNames,
    engine: Option<Arc<Engine>>,
    catalog: Arc<OnceLock<Catalog>>,
}

impl Known {
    pub(super) fn learn(&mut self, scope: &Scope, engine: &Arc<Engine>, imported: &AST) {
        self.variables = scope
            .iter_raw()
            .map(|(name, _, value)| Variable {
                name: name.to_owned(),
                kind: (!value.is_unit()).then(|| kind_of_value(engine, value)),
            })
            .collect();
        self.modules = imports(imported);
        let held = scope.iter_raw();
        self.hosts.see(held.map(|(name, _, value)| (name, value)));
        if self
            .engine
            .as_ref()
            .is_none_or(|known| !Arc::ptr_eq(known, engine))
        {
            self.engine = Some(Arc::clone(engine));
            self.read_catalog();
        }
    }

    /// Reads the catalogue on a thread of its own, since that takes longer than a keystroke.
    fn read_catalog(&mut self) {
        self.catalog = Arc::default();
        let (catalog, engine) = (Arc::clone(&self.catalog), self.engine.clone());
        let _ = std::thread::Builder::new()
            .name("catalog".into())
            .spawn(move || {
                catalog.get_or_init(|| read(engine.as_deref()));
            });
    }

    /// The catalogue of functions, if it is already read.
    pub(super) fn catalog_so_far(&self) -> Option<&Catalog> {
        self.catalog.get()
    }

    /// The catalogue of functions.
    pub(super) fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| read(self.engine.as_deref()))
    }
}

fn read(engine: Option<&Engine>) -> Catalog {
    match engine {
        Some(engine) => Catalog::new(engine),
        None => Catalog::new(&Engine::new_raw()),
    }
}

impl Surroundings for Known {
    fn variables(&self) -> Vec<Variable> {
        self.variables.clone()
    }

    fn modules(&self) -> Vec<(String, String)> {
        self.modules.clone()
    }

    fn script(&self, path: &str) -> Option<Recipe> {
        let (_, text) = self.imports().source(None, path).ok()?;
        Some(Recipe::of(path, &text))
    }

    fn imports(&self) -> Imports {
        Imports::new([std::env::current_dir().unwrap_or_else(|_| ".".into())])
    }

    fn names(&self, kind: &str, holder: &Holder) -> Vec<String> {
        self.hosts.names(kind, holder)
    }

    fn files(&self, folder: &str) -> Vec<File> {
        let folder = if folder.is_empty() { "." } else { folder };
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let entries = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            Some(File {
                name: entry.file_name().into_string().ok()?,
                folder: entry.path().is_dir(),
            })
        });
        entries.take(MOST_FILES).collect()
    }
}

/// The names of modules and the paths that they come from.
fn imports(statements: &AST) -> Vec<(String, String)> {
    let mut modules = Vec::new();
    for statement in statements.statements() {
        if let rhai::Stmt::Import(import, _) = statement
            && let rhai::Expr::StringConstant(path, _) = &import.0
        {
            modules.push((import.1.name.to_string(), path.to_string()));
        }
    }
    modules
}
