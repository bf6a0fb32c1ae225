//! Keeps the functions of one file apart from those of another.
//!
//! Rhai looks a name up in whatever runs at the time: where two files each have a helper `find`,
//! both would call the one that was called first, and a closure that is handed to another file
//! would call the helpers of that file. So compiled code uses names that only its file has: the
//! function `find` of the third file is defined as `find__in_file_3` too, and the calls in that
//! file lead there. Closures and the aliases of imports are renamed. Positions stay as they are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rhai::{
    AST, ASTNode, EvalAltResult, FnCallExpr, FnCallHashes, FnPtr, ImmutableString, Module,
    ScriptFuncDef, Shared, Stmt,
};

use crate::script::language;

/// Stands between the name that a script writes and the number of its file.
const MARK: &str = "__in_file_";

/// Begins the path of an import, before the number of the file that imports it.
const PATH_MARK: char = '\u{1}';

/// The names that the code of a file has to itself.
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
}

impl FileNames {
    /// The names of the script `ast`, which has the number `file`.
    pub(crate) fn of_script(ast: &AST, file: usize) -> Self {
        Self::new(ast, file, None)
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

    /// What `function`, one of this file's, is defined as: by the name that other files call it, and by its own.
    pub(crate) fn definitions(
        &self,
        function: Shared<ScriptFuncDef>,
    ) -> impl Iterator<Item = Shared<ScriptFuncDef>> {
        let renamed = Shared::new(self.renamed(&function));
        let exported = (!is_closure(&function.name)).then_some(function);
        exported.into_iter().chain([renamed])
    }

    /// Leads the call of a function or method to this file's functions or to those of virhai, and
    /// the call of an imported function to what this file imports.
    pub(crate) fn bind(&self, call: &mut FnCallExpr) {
        if let Some(root) = call.namespace.path.first_mut() {
            self.rename_import(&mut root.name);
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

    /// Gives the alias of an import the name that only this file has.
    pub(crate) fn rename_import(&self, alias: &mut ImmutableString) {
        if self.aliases.contains(alias) {
            *alias = format!("{alias}{MARK}{}", self.file).into();
        }
    }

    /// The path of an import, with the file that it is relative to.
    pub(crate) fn path(&self, path: &str) -> ImmutableString {
        format!("{PATH_MARK}{}{PATH_MARK}{path}", self.file).into()
    }
}

/// The hash by which Rhai looks up a function that is called.
fn hash_of_call(name: &str, arguments: usize) -> u64 {
    let mut function = language::empty_function();
    function.name = name.into();
    function.params = (0..arguments).map(|_| ImmutableString::new()).collect();
    Module::new().set_script_fn(function)
}

/// Whether Rhai made up the name of a function.
pub fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// Whether `name` is one that only the code of a file uses.
pub(crate) fn is_renamed(name: &str) -> bool {
    name.contains(MARK)
}

/// The number of the file that the closure `name` was written in.
pub(crate) fn file_of_closure(name: &str) -> Option<usize> {
    let (closure, file) = name.rsplit_once(MARK)?;
    is_closure(closure).then(|| file.parse().ok()).flatten()
}

/// The number of the file that an import is relative to, and the path that is written there.
pub(crate) fn written_path(path: &str) -> Option<(usize, &str)> {
    let (file, path) = path.strip_prefix(PATH_MARK)?.split_once(PATH_MARK)?;
    Some((file.parse().ok()?, path))
}

/// `text` with the names as the script has them.
pub fn as_written(text: &str) -> Cow<'_, str> {
    if !is_renamed(text) {
        return text.into();
    }
    let mut parts = text.split(MARK);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    plain.into()
}

/// `error` with the names as the script has them, where it has others.
pub fn error_as_written(error: &EvalAltResult) -> Option<EvalAltResult> {
    let plain = |name: &str| is_renamed(name).then(|| as_written(name).into_owned());
    Some(match error {
        EvalAltResult::ErrorFunctionNotFound(name, position) => {
            EvalAltResult::ErrorFunctionNotFound(plain(name)?, *position)
        }
        EvalAltResult::ErrorVariableNotFound(name, position) => {
            EvalAltResult::ErrorVariableNotFound(plain(name)?, *position)
        }
        EvalAltResult::ErrorModuleNotFound(name, position) => {
            EvalAltResult::ErrorModuleNotFound(plain(name)?, *position)
        }
        _ => return None,
    })
}

/// Lets other files see what `module` imports by the aliases that it wrote.
pub(crate) fn show_imports(module: &mut Module) {
    let renamed: Vec<_> = module
        .iter_sub_modules()
        .filter(|(alias, _)| is_renamed(alias))
        .map(|(alias, imported)| (alias.to_owned(), Shared::clone(imported)))
        .collect();
    if renamed.is_empty() {
        return;
    }
    for (alias, imported) in renamed {
        module.set_sub_module(as_written(&alias).into_owned(), imported);
        // Rhai cannot remove one; its index of an empty one takes no time.
        module.set_sub_module(alias, Module::new());
    }
    module.build_index();
}

#[cfg(test)]
mod tests {
    use rhai::{EvalAltResult, Position};

    use super::{as_written, error_as_written, file_of_closure, written_path};

    #[test]
    fn names_are_told_as_the_script_has_them() {
        assert_eq!(as_written("find (i64)"), "find (i64)");
        assert_eq!(as_written("find__in_file_12 (i64)"), "find (i64)");
        assert_eq!(
            as_written("words__in_file_3::find__in_file_4"),
            "words::find"
        );
        let error = EvalAltResult::ErrorVariableNotFound("m__in_file_1::X".into(), Position::NONE);
        let plain = error_as_written(&error).expect("it has another name");
        assert!(plain.to_string().contains("m::X"), "{plain}");
        assert!(error_as_written(&plain).is_none());
    }

    #[test]
    fn the_file_of_a_closure_is_in_its_name() {
        assert_eq!(file_of_closure("anon$1f__in_file_7"), Some(7));
        assert_eq!(file_of_closure("find__in_file_7"), None);
        assert_eq!(written_path("\u{1}7\u{1}sub/it"), Some((7, "sub/it")));
        assert_eq!(written_path("sub/it"), None);
    }
}
