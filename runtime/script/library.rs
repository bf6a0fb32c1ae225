//! Functions of files for closures that another process recorded; the files do not run.

use rhai::{Expr, FnPtr, GlobalRuntimeState, NativeCallContext, Shared, Stmt};

use super::imports::Imports;
use crate::syntax::written_names::{MARK, written_path};

/// The functions of some files, with their imports.
#[derive(Clone)]
pub(crate) struct Library {
    global: GlobalRuntimeState,
    files: Vec<String>,
}

impl Library {
    /// A library without files, for the engine of `ctx`.
    pub(crate) fn new(ctx: &NativeCallContext) -> Self {
        Self {
            global: ctx.engine().new_global_runtime_state(),
            files: Vec::new(),
        }
    }

    /// The state in which the functions can be called.
    pub(crate) fn global(&self) -> GlobalRuntimeState {
        self.global.clone()
    }

    /// The function or closure `name` of `file`, which joins the library.
    ///
    /// # Errors
    ///
    /// Why there is no such function.
    pub(crate) fn function(
        &mut self,
        ctx: &NativeCallContext,
        imports: &Imports,
        file: &str,
        name: &str,
    ) -> Result<FnPtr, String> {
        let engine = ctx.engine();
        let ast = imports.code_of(engine, file)?;
        if !self.files.iter().any(|known| known == file) {
            self.files.push(file.to_owned());
            self.global.lib.push(Shared::clone(ast.shared_lib()));
            for statement in ast.statements() {
                let Stmt::Import(import, _) = statement else {
                    continue;
                };
                let Expr::StringConstant(path, position) = &import.0 else {
                    continue;
                };
                let (from, path) = match written_path(path) {
                    Some((from, path)) => (imports.file(from), path),
                    None => (Some(file.to_owned()), path.as_str()),
                };
                let module = imports
                    .resolve_from(engine, from.as_deref(), path, *position)
                    .map_err(|error| error.to_string())?;
                self.global.push_import(import.1.name.clone(), module);
            }
        }
        let number = imports.number(file);
        let renamed = format!("{name}{MARK}{number}");
        let function = ast.iter_fn_def().find(|function| function.name == renamed);
        let gone = || format!("{file} no longer has this function");
        Ok(FnPtr::from(Shared::clone(function.ok_or_else(gone)?)))
    }
}
