//! `import`: recipes from the binary as `std/...`, the rest from beside the script.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use include_dir::{Dir, include_dir};
use parking_lot::{Mutex, MutexGuard};
use rhai::{
    AST, Engine, EvalAltResult, GlobalRuntimeState, Module, ModuleResolver, Position, Scope, Shared,
};

use crate::advice::suggest;
use crate::script::isolation::{self, FileNames};
use crate::syntax::text::Text;
use crate::syntax::written_names;

static STDLIB: Dir = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// The recipes without the bodies of their functions, as `build.rs` writes them.
static DECLARATIONS: Dir = include_dir!("$OUT_DIR/declarations");

/// Finds, reads and caches the imports of scripts.
#[derive(Clone, Default)]
pub struct Imports(Arc<ImportsState>);

#[derive(Default)]
struct ImportsState {
    /// Folders that imports may come from; the script's own is the first.
    roots: Mutex<Vec<PathBuf>>,
    /// The text of every file that was read, under the name that positions carry.
    texts: Mutex<HashMap<String, Text>>,
    compiled: Mutex<HashMap<String, AST>>,
    /// The recipes that scripts import, without the bodies of their functions.
    declarations: Mutex<HashMap<String, AST>>,
    /// Texts that replace the content of files, such as unsaved texts of an editor.
    unsaved: Mutex<HashMap<PathBuf, String>>,
    /// The script itself as it runs, with its name.
    main: Mutex<Option<(String, AST)>>,
    /// The code of imported files as it runs.
    isolated: Mutex<HashMap<String, AST>>,
    /// The modules of recipes by their paths, each evaluated once. To evaluate one only defines its functions, so
    /// that all files can share the module.
    recipes: Mutex<HashMap<String, Shared<Module>>>,
    /// The files that have names of their own. The number of each is its place here.
    files: Mutex<Vec<String>>,
    /// True if the calls of files other than recipes record their places.
    follows: AtomicBool,
}

/// The prefix of the names of recipes.
const RECIPES: &str = "std/";

/// True if `name` in positions is a recipe.
pub(crate) fn is_recipe(name: &str) -> bool {
    name.starts_with(RECIPES)
}

/// Stands in [`ImportsState::files`] for the inputs of a session.
const SESSION: &str = "";

/// The target of an import: the name of the file in messages, and its text.
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

    /// Makes each call of a script, and of the files that it imports, record its place while it runs. Recipes are part
    /// of the call to them.
    /// the call to them.
    pub fn follow_places(&self) {
        self.0.follows.store(true, Ordering::Relaxed);
    }

    /// Allows imports from the folder `root` as well.
    pub fn allow(&self, root: &Path) {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        self.0.roots.lock().push(root);
    }

    /// Imports the file `path` as `text`, whatever is in it.
    pub fn unsaved(&self, path: &Path, text: String) {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.0.unsaved.lock().insert(path, text);
    }

    /// The name in positions and the text of the file that `path` means in the file `from`.
    pub fn source(&self, from: Option<&str>, path: &str) -> Result<(String, String), String> {
        let found = self.find(from, path)?;
        Ok((found.name, found.text))
    }

    /// The text of the file that positions call `name`, if it was read.
    pub fn text(&self, name: &str) -> Option<Text> {
        self.0.texts.lock().get(name).cloned()
    }

    /// Keeps a text under the name that positions will carry.
    pub fn remember(&self, name: &str, text: &str) {
        let mut texts = self.0.texts.lock();
        // Files are read again and again, and hardly ever change in between.
        if texts.get(name).is_none_or(|known| **known != *text) {
            texts.insert(name.to_owned(), Text::from(text));
        }
    }

    pub(crate) fn remember_compiled(&self, name: &str, ast: &AST) {
        let of_kind = match is_recipe(name) {
            true => &self.0.declarations,
            false => &self.0.compiled,
        };
        of_kind.lock().insert(name.to_owned(), ast.clone());
    }

    fn compiled(&self, name: &str) -> Option<AST> {
        self.0.compiled.lock().get(name).cloned()
    }

    /// The code of the imported file `name` for a check; of a recipe, its declarations.
    pub(crate) fn checked(&self, name: &str) -> Option<AST> {
        let declarations = self.0.declarations.lock().get(name).cloned();
        declarations.or_else(|| self.compiled(name))
    }

    /// The code of the script `name`, which compiled to `ast`, as it runs: wherever it is called,
    /// it calls its own functions.
    pub fn isolated(&self, name: &str, ast: &AST) -> AST {
        let names = FileNames::of_script(ast, self.number(name));
        let ast = self.in_file(name, ast, names, None);
        *self.0.main.lock() = Some((name.to_owned(), ast.clone()));
        ast
    }

    /// The code of the input `name` of a session, as it runs: it calls the functions of the
    /// inputs before it as well, and uses the variables in `scope`.
    pub fn isolated_input(&self, name: &str, ast: &AST, scope: &Scope) -> AST {
        let names = FileNames::of_input(ast, self.number(name), self.number(SESSION));
        self.in_file(name, ast, names, Some(scope))
    }

    fn isolated_import(&self, name: &str, ast: &AST) -> AST {
        let number = self.number(name);
        let names = match is_recipe(name) {
            true => FileNames::of_recipe(name, ast, number),
            false => FileNames::of_import(ast, number),
        };
        let ast = self.in_file(name, ast, names, None);
        let mut known = self.0.isolated.lock();
        known.insert(name.to_owned(), ast.clone());
        ast
    }

    fn in_file(&self, name: &str, ast: &AST, mut names: FileNames, scope: Option<&Scope>) -> AST {
        if self.0.follows.load(Ordering::Relaxed) && names.recipe.is_none() {
            names.followed = Some(name.into());
        }
        let mut ast = crate::script::language::strict(ast, &Arc::new(names), scope);
        ast.set_source(name);
        ast
    }

    /// The number that the names of the file `name` carry.
    pub(crate) fn number(&self, name: &str) -> usize {
        let mut files = self.0.files.lock();
        files
            .iter()
            .position(|file| file == name)
            .unwrap_or_else(|| {
                files.push(name.to_owned());
                files.len() - 1
            })
    }

    pub(crate) fn file(&self, number: usize) -> Option<String> {
        let files = self.0.files.lock();
        files.get(number).cloned()
    }

    /// The name of a function as its file has it, and the file.
    pub(crate) fn written(&self, name: &str) -> (String, Option<String>) {
        match written_names::in_file(name) {
            Some((name, file)) => (name.to_owned(), self.file(file)),
            None => (name.to_owned(), None),
        }
    }

    /// The code of the file `name`, a recipe or one that was read before, as it runs.
    pub(crate) fn code_of(&self, engine: &Engine, name: &str) -> Result<AST, String> {
        if let Some(known) = self.known_isolated(name) {
            return Ok(known);
        }
        if let Some(main) = self.known_main(name) {
            return Ok(main);
        }
        let text = match self.text(name) {
            Some(text) => text.to_string(),
            None => self.find(None, name)?.text,
        };
        let ast = match self.compiled(name) {
            Some(ast) => ast,
            None => engine
                .compile(crate::syntax::source::without_shebang(&text))
                .map_err(|error| format!("{name} does not compile: {error}"))?,
        };
        Ok(self.isolated_import(name, &ast))
    }

    /// The script itself as it runs, if it is called `name`.
    fn known_main(&self, name: &str) -> Option<AST> {
        let main = self.0.main.lock();
        main.as_ref()
            .filter(|(known, _)| known == name)
            .map(|(_, ast)| ast.clone())
    }

    /// The target of the import `path` in the file `from`.
    pub(crate) fn resolve_from(
        &self,
        engine: &Engine,
        from: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.resolve(engine, from, path, position)
    }

    /// The file that the closure `name` was written in, where names are kept apart.
    pub fn file_of(&self, name: &str) -> Option<String> {
        self.file(written_names::file_of_closure(name)?)
    }

    fn recipes(&self) -> MutexGuard<'_, HashMap<String, Shared<Module>>> {
        self.0.recipes.lock()
    }

    /// The module of the recipe at `path`, if it was imported before.
    fn known_recipe(&self, path: &str) -> Option<Shared<Module>> {
        let recipe = path.strip_suffix(".rhai").unwrap_or(path);
        if !is_recipe(recipe) {
            return None;
        }
        self.recipes().get(recipe).map(Shared::clone)
    }

    /// The module that `path` leads to in the file that has the number `file`.
    pub(crate) fn module(
        &self,
        engine: &Engine,
        file: usize,
        path: &str,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        self.resolve(engine, self.file(file).as_deref(), path, Position::NONE)
    }

    fn known_isolated(&self, name: &str) -> Option<AST> {
        let known = self.0.isolated.lock();
        known.get(name).cloned()
    }

    /// Reads the file that `path` means in the file `from`.
    pub(crate) fn find(&self, from: Option<&str>, path: &str) -> Result<Found, String> {
        let found = match path.strip_prefix(RECIPES) {
            Some(recipe) => embedded(recipe)?,
            None => self.beside(from, path)?,
        };
        self.remember(&found.name, &found.text);
        Ok(found)
    }

    fn beside(&self, from: Option<&str>, path: &str) -> Result<Found, String> {
        let roots = self.0.roots.lock().clone();
        if from.is_some_and(|from| from.starts_with(RECIPES)) {
            return Err(format!(
                "a recipe of the standard library can import only `std/...`, not `{path}`"
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
            // The error is the same for a hidden and for a missing file.
            if leaves(path) {
                return Err(outside(path));
            }
            let meant = match embedded(path) {
                Ok(recipe) => format!(
                    ": did you mean `{}`?",
                    recipe.name.trim_end_matches(".rhai")
                ),
                Err(_) => String::new(),
            };
            return Err(format!("there is no file {}{meant}", file.display()));
        };
        if !roots.iter().any(|root| real.starts_with(root)) {
            return Err(outside(path));
        }
        let unsaved = self.0.unsaved.lock();
        let text = match unsaved.get(&real) {
            Some(text) => text.clone(),
            None => crate::script::files::read_script(&real)
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
    format!("`{path}` is outside of the script's folder: allow its folder with --allow-import DIR")
}

/// The recipe `recipe`, with or without the end `.rhai`.
pub(crate) fn embedded(recipe: &str) -> Result<Found, String> {
    let recipe = recipe.strip_suffix(".rhai").unwrap_or(recipe);
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

/// The recipe that positions call `name`, without the bodies of its functions.
pub(crate) fn declarations(name: &str) -> Option<&'static str> {
    let file = DECLARATIONS.get_file(name.strip_prefix(RECIPES)?)?;
    file.contents_utf8()
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

/// The file whose code is running.
fn running(global: &GlobalRuntimeState) -> Option<&str> {
    let file = global.lib.last().and_then(|lib| lib.id());
    file.filter(|file| !file.is_empty()).or(global.source())
}

impl ModuleResolver for Imports {
    fn resolve_raw(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        _scope: &mut Scope,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        match written_names::written_path(path) {
            Some((file, path)) => self.resolve(engine, self.file(file).as_deref(), path, position),
            None => self.resolve(engine, running(global), path, position),
        }
    }

    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        if let Some(recipe) = self.known_recipe(path) {
            return Ok(recipe);
        }
        let fail = |error: Box<EvalAltResult>| -> Box<EvalAltResult> {
            EvalAltResult::ErrorInModule(path.to_owned(), error, position).into()
        };
        let found = self
            .find(source, path)
            .map_err(|message| fail(message.into()))?;
        // Imports whose path is only known at run time have not been looked through for cycles.
        let Some(_running) = Running::begin(&found.name) else {
            return Err(fail(
                format!("`{path}` imports itself through other files").into(),
            ));
        };
        let ast = match self.known_isolated(&found.name) {
            Some(isolated) => isolated,
            None => {
                let ast = match self.compiled(&found.name) {
                    Some(ast) => ast,
                    None => engine
                        .compile(crate::syntax::source::without_shebang(&found.text))
                        .map_err(|error| fail(error.into()))?,
                };
                self.isolated_import(&found.name, &ast)
            }
        };
        let mut module = Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(|error| {
            // Its position is one in this file.
            EvalAltResult::ErrorInModule(found.name.clone(), error, position)
        })?;
        module.set_id(found.name.as_str());
        if !is_recipe(&found.name) {
            isolation::show_imports(&mut module);
            return Ok(module.into());
        }
        isolation::hide_imports(&mut module);
        let module = Shared::new(module);
        let mut recipes = self.recipes();
        let recipe = found.name.trim_end_matches(".rhai").to_owned();
        Ok(Shared::clone(recipes.entry(recipe).or_insert(module)))
    }
}

#[cfg(test)]
mod tests {
    use rhai::{AST, ASTNode};

    use super::{declarations, embedded, recipes};
    use crate::script::declarations::Constants;
    use crate::script::parser::parser;
    use crate::syntax::written_names::is_closure;

    #[test]
    fn the_declarations_of_a_recipe_are_those_of_its_text() {
        let functions = |ast: &AST| {
            let mut functions: Vec<String> = ast
                .iter_fn_def()
                .filter(|function| !is_closure(&function.name))
                .map(|function| {
                    let body = (function.body.start_position(), function.body.end_position());
                    let (params, comments) = (&function.params, &function.comments);
                    let (name, access) = (&function.name, function.access);
                    format!("{access:?} {name}({params:?}) {comments:?} {body:?}")
                })
                .collect();
            functions.sort();
            functions
        };
        for recipe in recipes() {
            let found = embedded(&recipe).expect("it is a recipe");
            let short = declarations(&found.name).expect("it has declarations");
            let compiled = |text| parser().compile(text).expect("it compiles");
            let (whole, short) = (compiled(found.text.as_str()), compiled(short));
            assert_eq!(functions(&whole), functions(&short), "{recipe}");
            let constants = |ast| format!("{:?}", Constants::of(ast));
            assert_eq!(constants(&whole), constants(&short), "{recipe}");
            // All statements are the file's own.
            let mut statements = 0;
            short.walk(&mut |nodes: &[ASTNode]| {
                statements += usize::from(matches!(nodes, [ASTNode::Stmt(_)]));
                true
            });
            assert_eq!(statements, short.statements().len(), "{recipe}");
        }
    }
}
