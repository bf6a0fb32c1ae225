//! Keeps the functions of one file apart from those of another.
//!
//! Rhai looks a name up in the code that runs at that time: if two files each have a helper `find`,
//! both would call the one that was called first, and a closure that is passed to another file
//! would call the helpers of that file. So compiled code uses names that are unique to its file:
//! the function `find` of the third file is also defined as `find__in_file_3`, and the calls in
//! that file are bound to that name. Closures and the aliases of imports are renamed. Positions
//! stay as they are.

use std::collections::{HashMap, HashSet};

use rhai::{
    AST, ASTFlags, ASTNode, Dynamic, Expr, FnCallExpr, FnCallHashes, FnPtr, ImmutableString,
    Module, Namespace, NativeCallContext, ScriptFuncDef, Shared, Stmt,
};

use crate::script::imports::is_recipe;
use crate::script::language;
use crate::spec::Literal;
use crate::syntax::written_names::{MARK, PATH_MARK, as_written, is_closure, is_renamed};

/// The names that are unique to the code of a file.
#[derive(Debug)]
pub(crate) struct FileNames {
    /// The number of the file.
    file: usize,
    /// The number in the names of its functions: all inputs of a session share one.
    shared: Option<usize>,
    /// The hashes of calls of its functions, by name and number of arguments.
    calls: HashMap<(ImmutableString, usize), u64>,
    /// Its functions as values.
    functions: HashMap<ImmutableString, FnPtr>,
    closures: HashMap<ImmutableString, FnPtr>,
    /// The aliases of its imports, where these are renamed.
    aliases: HashSet<ImmutableString>,
    /// The paths of the imports that wait until code needs them, by their aliases.
    delayed: HashMap<ImmutableString, ImmutableString>,
    /// The path of the file, such as `std/guest.rhai`, if it is a recipe: the tests check all of them.
    pub(crate) recipe: Option<ImmutableString>,
    /// The name of the file in positions, if the places of its calls are recorded.
    pub(crate) followed: Option<std::sync::Arc<str>>,
    /// Its constants that are written out. A closure that another file calls sees that file's constants as `global::`.
    constants: HashMap<ImmutableString, Dynamic>,
}

impl FileNames {
    /// The names of the script `ast`, which has the number `file`. Its recipes are imported by the code that needs them.
    pub(crate) fn of_script(ast: &AST, file: usize) -> Self {
        let mut names = Self::new(ast, file, None);
        // The text that `eval` runs may use any import.
        if !evaluates(ast) {
            names.delayed = recipes_of(ast);
        }
        names
    }

    /// The names of the imported file `ast`, whose imports are hidden from closures that it calls.
    pub(crate) fn of_import(ast: &AST, file: usize) -> Self {
        let mut aliases = HashSet::new();
        ast.walk(&mut |nodes: &[ASTNode]| {
            if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = nodes.last()
                && !import.1.name.is_empty()
            {
                aliases.insert(import.1.name.clone());
            }
            true
        });
        Self {
            aliases,
            ..Self::new(ast, file, None)
        }
    }

    /// The names of the recipe `path`. Each of its functions imports what it needs when it runs: a recipe imports a
    /// dozen others, of which a script needs a few.
    pub(crate) fn of_recipe(path: &str, ast: &AST, file: usize) -> Self {
        Self {
            recipe: Some(path.into()),
            delayed: recipes_of(ast),
            ..Self::of_import(ast, file)
        }
    }

    /// The names of an input of the session that has the number `session`. It calls the functions
    /// of the inputs before it as well.
    pub(crate) fn of_input(ast: &AST, file: usize, session: usize) -> Self {
        Self::new(ast, file, Some(session))
    }

    fn new(ast: &AST, file: usize, shared: Option<usize>) -> Self {
        let mut names = Self {
            file,
            shared,
            calls: HashMap::new(),
            functions: HashMap::new(),
            closures: HashMap::new(),
            aliases: HashSet::new(),
            delayed: HashMap::new(),
            recipe: None,
            followed: None,
            constants: written_constants(ast),
        };
        for function in ast.iter_fn_def() {
            let renamed = names.renamed(function);
            let name = function.name.clone();
            if is_closure(&name) {
                names.closures.insert(name, renamed.into());
                continue;
            }
            let parameters = function.params.len();
            let hash = hash_of_call(&renamed.name, parameters);
            names.calls.insert((name.clone(), parameters), hash);
            names.functions.insert(name, renamed.into());
        }
        names
    }

    fn of_function(&self, name: &str) -> String {
        let file = match is_closure(name) {
            true => self.file,
            false => self.shared.unwrap_or(self.file),
        };
        format!("{name}{MARK}{file}")
    }

    fn renamed(&self, function: &ScriptFuncDef) -> ScriptFuncDef {
        let mut renamed = function.clone();
        renamed.name = self.of_function(&function.name).into();
        renamed
    }

    /// The definitions of `function` of this file: under the name for other files, and under its own.
    pub(crate) fn definitions(
        &self,
        function: Shared<ScriptFuncDef>,
    ) -> impl Iterator<Item = Shared<ScriptFuncDef>> {
        let renamed = Shared::new(self.renamed(&function));
        let exported = (!is_closure(&function.name)).then_some(function);
        exported.into_iter().chain([renamed])
    }

    /// Resolves the call of a function or method to this file's functions or to those of virhai,
    /// and the call of an imported function to this file's imports.
    pub(crate) fn bind(&self, call: &mut FnCallExpr) {
        if !call.namespace.is_empty() {
            self.bind_namespace(&mut call.namespace);
            return;
        }
        if call.hashes.is_native_only() {
            return;
        }
        let native = call.hashes.native();
        let own = self.calls.get(&(call.name.clone(), call.args.len()));
        call.hashes = match (own, self.shared) {
            (Some(own), _) => FnCallHashes::from_script_and_native(*own, native),
            (None, Some(_)) => {
                let any = hash_of_call(&self.of_function(&call.name), call.args.len());
                FnCallHashes::from_script_and_native(any, native)
            }
            (None, None) => FnCallHashes::from_native_only(native),
        };
    }

    /// The function `name` of this file, as a value.
    pub(crate) fn function(&self, name: &str) -> Option<&FnPtr> {
        self.functions.get(name)
    }

    /// The closure that `pointer` leads to.
    pub(crate) fn closure(&self, pointer: &FnPtr) -> Option<&FnPtr> {
        self.closures.get(pointer.fn_name())
    }

    /// The path of the import `alias`, if that waits until code needs it.
    pub(crate) fn delayed(&self, alias: &str) -> Option<&ImmutableString> {
        self.delayed.get(alias)
    }

    /// The value of the constant `name` of this file, if it is written out.
    pub(crate) fn constant(&self, name: &str) -> Option<&Dynamic> {
        self.constants.get(name)
    }

    /// The number of the file.
    pub(crate) fn file(&self) -> usize {
        self.file
    }

    /// Gives the alias of an import a name that only this file has.
    pub(crate) fn rename_import(&self, alias: &mut ImmutableString) {
        if self.aliases.contains(alias) {
            *alias = format!("{alias}{MARK}{}", self.file).into();
        }
    }

    /// Resolves `namespace` to this file's imports.
    pub(crate) fn bind_namespace(&self, namespace: &mut Namespace) {
        // The index counts the imports as the file has them; some of them are delayed now.
        namespace.index = None;
        if let Some(root) = namespace.path.first_mut() {
            self.rename_import(&mut root.name);
        }
    }

    /// The path of an import, with the file that it is relative to.
    pub(crate) fn path(&self, path: &str) -> ImmutableString {
        format!("{PATH_MARK}{}{PATH_MARK}{path}", self.file).into()
    }
}

/// The paths of the recipes that `ast` imports for the whole file, by their aliases. An alias that the file uses for
/// several imports is not among them.
fn recipes_of(ast: &AST) -> HashMap<ImmutableString, ImmutableString> {
    let mut uses: HashMap<ImmutableString, usize> = HashMap::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = nodes.last() {
            *uses.entry(import.1.name.clone()).or_default() += 1;
        }
        true
    });
    let statements = ast.statements().iter();
    let recipes = statements.filter_map(|statement| match statement {
        Stmt::Import(import, _) => match &import.0 {
            Expr::StringConstant(path, _) if is_recipe(path) => {
                Some((import.1.name.clone(), path.clone()))
            }
            _ => None,
        },
        _ => None,
    });
    recipes
        .filter(|(alias, _)| !alias.is_empty() && uses.get(alias) == Some(&1))
        .collect()
}

/// True if the code `ast` may run text as code.
fn evaluates(ast: &AST) -> bool {
    let mut evaluates = false;
    ast.walk(&mut |nodes: &[ASTNode]| {
        evaluates |= match nodes.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                call.name == "eval"
            }
            Some(ASTNode::Expr(Expr::StringConstant(text, _))) => text == "eval",
            _ => false,
        };
        !evaluates
    });
    evaluates
}

/// True if the script function that `action` calls takes `count` arguments besides its captured ones; `None` if it is
/// not a function of a running script.
pub(crate) fn takes(ctx: &NativeCallContext, action: &FnPtr, count: usize) -> Option<bool> {
    /// The most parameters that are looked for.
    const MOST: usize = 8;
    let captured = action.curry().len();
    let is_there = |count: usize| {
        let hash = hash_of_call(action.fn_name(), captured + count);
        ctx.iter_namespaces().any(|module| module.contains_fn(hash))
    };
    match is_there(count) {
        true => Some(true),
        false => (0..=MOST).any(is_there).then_some(false),
    }
}

/// The constants of `ast` that are written out, each defined once.
fn written_constants(ast: &AST) -> HashMap<ImmutableString, Dynamic> {
    let mut found: HashMap<ImmutableString, Option<Dynamic>> = HashMap::new();
    for statement in ast.statements() {
        if let Stmt::Var(variable, flags, _) = statement
            && flags.intersects(ASTFlags::CONSTANT)
        {
            let value = Literal::of_expression(&variable.1).map(|literal| literal.value());
            found
                .entry(variable.0.name.clone())
                .and_modify(|value| *value = None)
                .or_insert(value);
        }
    }
    let found = found.into_iter();
    found
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The hash by which Rhai looks up a function that is called.
fn hash_of_call(name: &str, arguments: usize) -> u64 {
    let mut function = language::empty_function();
    function.name = name.into();
    function.params = (0..arguments).map(|_| ImmutableString::new()).collect();
    Module::new().set_script_fn(function)
}

/// Shows the imports of `module` to other files under their original aliases.
pub(crate) fn show_imports(module: &mut Module) {
    for (alias, imported) in hide_imports(module) {
        module.set_sub_module(as_written(&alias).into_owned(), imported);
    }
    module.build_index();
}

/// Hides the imports of `module` from other files, and returns them by their aliases. Otherwise Rhai would add the
/// functions of a recipe to an index once for each chain of imports that leads to it.
pub(crate) fn hide_imports(module: &mut Module) -> Vec<(String, Shared<Module>)> {
    let renamed: Vec<_> = module
        .iter_sub_modules()
        .filter(|(alias, _)| is_renamed(alias))
        .map(|(alias, imported)| (alias.to_owned(), Shared::clone(imported)))
        .collect();
    for (alias, _) in &renamed {
        // Rhai cannot remove one.
        module.set_sub_module(alias.as_str(), Module::new());
    }
    module.build_index();
    renamed
}
