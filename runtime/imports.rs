//! `import`: recipes from the binary as `std/...`, the rest from beside the script.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use include_dir::{Dir, include_dir};
use rhai::{AST, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use crate::{isolation, suggest};

static STDLIB: Dir = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// Finds, reads and remembers what scripts import.
#[derive(Clone, Default)]
pub struct Imports(Arc<State>);

#[derive(Default)]
struct State {
    /// Folders that imports may come from; the script's own is the first.
    roots: Mutex<Vec<PathBuf>>,
    /// The text of every file that was read, under the name that positions carry.
    texts: Mutex<HashMap<String, String>>,
    compiled: Mutex<HashMap<String, AST>>,
    /// Texts that stand for those of files, as an editor has them before it writes.
    unsaved: Mutex<HashMap<PathBuf, String>>,
    /// The code of imported files as it is run, and where its text differs from theirs.
    isolated: Mutex<HashMap<String, (AST, Vec<Position>)>>,
}

/// Where an import leads: the name of the file in messages, and its text.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Imports {
    /// Imports from the folders `roots` only, links followed.
    pub fn new(roots: impl IntoIterator<Item = PathBuf>) -> Self {
        let imports = Self::default();
        for root in roots {
            imports.allow(&root);
        }
        imports
    }

    /// Allows imports from the folder `root` as well.
    pub fn allow(&self, root: &Path) {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        self.0
            .roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(root);
    }

    /// Imports the file `path` as `text`, whatever is in it.
    pub fn unsaved(&self, path: &Path, text: String) {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let unsaved = self.0.unsaved.lock();
        unsaved
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path, text);
    }

    /// The name, as positions call it, and the text of what `path` means in the file `from`.
    pub fn source(&self, from: Option<&str>, path: &str) -> Result<(String, String), String> {
        let found = self.find(from, path)?;
        Ok((found.name, found.text))
    }

    /// The text of the file that positions call `name`, if it was read.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0
            .texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Keeps a text under the name that positions will carry.
    pub fn remember(&self, name: &str, text: &str) {
        let mut texts = self.0.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.insert(name.to_owned(), text.to_owned());
    }

    pub(crate) fn remember_compiled(&self, name: &str, ast: &AST) {
        let mut compiled = self
            .0
            .compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        compiled.insert(name.to_owned(), ast.clone());
    }

    pub(crate) fn compiled(&self, name: &str) -> Option<AST> {
        self.0
            .compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// The place in the file `name` as it was written that an error tells of.
    pub fn as_written(&self, name: &str, position: Position) -> Position {
        let isolated = self.0.isolated.lock();
        let isolated = isolated.unwrap_or_else(PoisonError::into_inner);
        match isolated.get(name) {
            Some((_, shifts)) => isolation::as_written(shifts, position),
            None => position,
        }
    }

    /// The code of an imported file as it is run.
    fn isolated(
        &self,
        engine: &Engine,
        found: &Found,
        ast: &AST,
    ) -> Result<AST, Box<EvalAltResult>> {
        let known = || {
            self.0
                .isolated
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((ast, _)) = known().get(&found.name) {
            return Ok(ast.clone());
        }
        let isolated = isolation::isolated(&crate::source::without_shebang(&found.text), ast);
        let mut ast = engine.compile(&isolated.text)?;
        ast.set_source(found.name.as_str());
        known().insert(found.name.clone(), (ast.clone(), isolated.shifts));
        Ok(ast)
    }

    /// Reads what `path` means in the file `from`.
    pub(crate) fn find(&self, from: Option<&str>, path: &str) -> Result<Found, String> {
        let found = match path.strip_prefix("std/") {
            Some(recipe) => embedded(recipe)?,
            None => self.beside(from, path)?,
        };
        self.remember(&found.name, &found.text);
        Ok(found)
    }

    fn beside(&self, from: Option<&str>, path: &str) -> Result<Found, String> {
        let roots = self
            .0
            .roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if from.is_some_and(|from| from.starts_with("std/")) {
            return Err(format!(
                "a recipe of the standard library imports `std/...` only, not `{path}`"
            ));
        }
        let folder = from
            .and_then(|from| Path::new(from).parent())
            .filter(|folder| !folder.as_os_str().is_empty())
            .map(Path::to_owned)
            .or_else(|| roots.first().cloned())
            .unwrap_or_default();
        let mut file = folder.join(path);
        if file.extension().is_none_or(|extension| extension != "rhai") {
            file.as_mut_os_string().push(".rhai");
        }
        let Ok(real) = file.canonicalize() else {
            // What cannot be seen is not told apart from what does not exist.
            if leaves(path) {
                return Err(outside(path));
            }
            return Err(format!("there is no file {}", file.display()));
        };
        if !roots.iter().any(|root| real.starts_with(root)) {
            return Err(outside(path));
        }
        let unsaved = self.0.unsaved.lock();
        let unsaved = unsaved.unwrap_or_else(PoisonError::into_inner);
        let text = match unsaved.get(&real) {
            Some(text) => text.clone(),
            None => std::fs::read_to_string(&real)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
        };
        Ok(Found {
            name: file.display().to_string(),
            text,
        })
    }
}

fn leaves(path: &str) -> bool {
    Path::new(path).components().any(|part| {
        matches!(
            part,
            Component::ParentDir | Component::RootDir | Component::Prefix(_)
        )
    })
}

fn outside(path: &str) -> String {
    format!(
        "`{path}` leaves the script's folder: allow the folder it is in with --allow-import DIR"
    )
}

pub(crate) fn embedded(recipe: &str) -> Result<Found, String> {
    let name = format!("{recipe}.rhai");
    match STDLIB.get_file(&name).and_then(|file| file.contents_utf8()) {
        Some(text) => Ok(Found {
            name: format!("std/{name}"),
            text: text.to_owned(),
        }),
        None => {
            let known: Vec<String> = recipes().collect();
            let near = suggest::nearest(recipe, known.iter().map(String::as_str));
            Err(match near {
                Some(near) => format!(
                    "the standard library has no `std/{recipe}`: did you mean `std/{near}`?"
                ),
                None => format!("the standard library has no `std/{recipe}`"),
            })
        }
    }
}

/// The names of the recipes in the binary, as they stand after `std/`.
pub(crate) fn recipes() -> impl Iterator<Item = String> {
    STDLIB.files().filter_map(|file| {
        file.path()
            .to_str()
            .and_then(|path| path.strip_suffix(".rhai"))
            .map(str::to_owned)
    })
}

thread_local! {
    /// The imported files whose code this thread is running, outermost first.
    static RUNNING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// An imported file whose code is running, until this is dropped.
struct Running;

impl Running {
    fn begin(name: &str) -> Option<Self> {
        RUNNING.with_borrow_mut(|running| {
            if running.iter().any(|other| other == name) {
                return None;
            }
            running.push(name.to_owned());
            Some(Self)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::pop);
    }
}

impl ModuleResolver for Imports {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        if path == isolation::PATH {
            return Ok(isolation::module());
        }
        let fail = |error: Box<EvalAltResult>| -> Box<EvalAltResult> {
            EvalAltResult::ErrorInModule(path.to_owned(), error, position).into()
        };
        let found = self
            .find(source, path)
            .map_err(|message| fail(message.into()))?;
        // Imports whose path is only known at run time have not been looked through for cycles.
        let Some(_running) = Running::begin(&found.name) else {
            return Err(fail(format!("`{path}` imports itself in the end").into()));
        };
        let ast = match self.compiled(&found.name) {
            Some(ast) => ast,
            None => {
                let mut ast = engine
                    .compile(crate::source::without_shebang(&found.text))
                    .map_err(|error| fail(error.into()))?;
                ast.set_source(found.name.as_str());
                self.remember_compiled(&found.name, &ast);
                ast
            }
        };
        let ast = self.isolated(engine, &found, &ast).map_err(fail)?;
        let mut module = Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(fail)?;
        module.set_id(found.name);
        Ok(module.into())
    }
}
