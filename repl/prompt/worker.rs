//! Runs what is typed, and keeps what it leaves: variables, functions, imports.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use rhai::{AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, Module, ParseError, Scope, Stmt};
use rustyline::Editor;
use rustyline::history::FileHistory;
use virhai::engine;
use virhai::program::CompileError;
use virhai::{Imports, STACK, Session};

use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::show;

use super::input::Input;

/// What came of an input.
pub(super) enum Answer {
    /// It ran; its value as text, if it has one.
    Shown { text: Option<String>, state: State },
    /// It failed; why, as text.
    Failed { text: String, state: State },
    /// It called `exit`.
    Exit(u8),
}

/// What inputs leave to the inputs after them.
#[derive(Clone)]
pub(super) struct State {
    scope: Scope<'static>,
    engine: Arc<Engine>,
    /// The statements that import what earlier inputs imported.
    imported: AST,
}

/// Runs inputs on threads of their own, so that one can be left behind in a libvirt call.
pub(super) struct Worker {
    options: Options,
    session: Session,
    imports: Imports,
    state: State,
    modules: Vec<Arc<Module>>,
    inputs: usize,
}

impl Worker {
    pub(super) fn new(options: Options, session: Session) -> Self {
        let here = std::env::current_dir().unwrap_or_else(|_| ".".into());
        let imports = Imports::new([here].into_iter().chain(options.allow_import.clone()));
        let engine = Arc::new(engine::build(&session, &options.limits(), imports.clone()));
        let state = State {
            scope: Scope::new(),
            engine,
            imported: AST::empty(),
        };
        Self {
            options,
            session,
            imports,
            state,
            modules: Vec::new(),
            inputs: 0,
        }
    }

    /// Keeps what an input left.
    pub(super) fn keep(&mut self, state: State) {
        self.state = state;
    }

    /// Tells `editor` what the inputs so far left.
    pub(super) fn tell(&self, editor: &mut Editor<Input, FileHistory>) {
        if let Some(input) = editor.helper_mut() {
            let state = &self.state;
            input.learn(&state.scope, &state.engine, &state.imported);
        }
    }

    /// Runs `text` on a thread of its own, which tells `answer` how it ended.
    pub(super) fn run(&mut self, text: String, answer: Sender<Answer>) -> std::io::Result<()> {
        self.inputs += 1;
        let name = format!("input {}", self.inputs);
        self.imports.remember(&name, &text);
        if let Some(functions) = self.functions_of(&name, &text) {
            self.define(functions);
        }
        let input = RunningInput {
            name,
            text,
            options: self.options.clone(),
            session: self.session.clone(),
            imports: self.imports.clone(),
            state: self.state.clone(),
        };
        std::thread::Builder::new()
            .name("input".into())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody listens any more where the user went on without this.
                let _ = answer.send(input.run());
            })?;
        Ok(())
    }

    /// The functions that an input defines, as a module whose positions carry its name.
    fn functions_of(&self, name: &str, text: &str) -> Option<Module> {
        let mut ast = self.state.engine.compile(text).ok()?;
        if !ast.has_functions() {
            return None;
        }
        ast.set_source(name);
        let mut module = Module::eval_ast_as_new(
            Scope::new(),
            &ast.clone_functions_only(),
            &self.state.engine,
        )
        .ok()?;
        module.set_id(name);
        Some(module)
    }

    /// Makes functions known to all further inputs; later ones win over earlier ones.
    fn define(&mut self, functions: Module) {
        self.modules.push(functions.into());
        let mut engine = engine::build(&self.session, &self.options.limits(), self.imports.clone());
        for module in &self.modules {
            engine.register_global_module(Arc::clone(module));
        }
        self.state.engine = Arc::new(engine);
    }
}

struct RunningInput {
    name: String,
    text: String,
    options: Options,
    session: Session,
    imports: Imports,
    state: State,
}

impl RunningInput {
    fn run(mut self) -> Answer {
        self.session.interrupt().begin();
        let engine = Arc::clone(&self.state.engine);
        let mut ast = match engine.compile(&self.text) {
            Ok(ast) => ast,
            Err(ParseError(kind, position)) => {
                let error = CompileError {
                    source: self.name.clone(),
                    message: kind.to_string(),
                    position,
                    import: false,
                    imported_by: Vec::new(),
                };
                return self.failed(&Diagnostic::of_compile_error(&error));
            }
        };
        ast.clear_functions();
        ast.set_source(self.name.as_str());
        let mut whole = self.state.imported.merge(&ast);
        whole.set_source(self.name.as_str());
        let result = engine::guarded(|| {
            engine.eval_ast_with_scope::<Dynamic>(&mut self.state.scope, &whole)
        });
        match result {
            Ok(value) => {
                self.state.imported = self.state.imported.merge(&imports_of(&engine, &ast));
                let text = show::text(&value).filter(|_| !self.options.quiet);
                if !value.is_unit() {
                    self.state.scope.set_value("ans", value);
                }
                Answer::Shown {
                    text,
                    state: self.state,
                }
            }
            Err(error) => self.stopped(&engine, &error),
        }
    }

    fn stopped(self, engine: &Engine, error: &EvalAltResult) -> Answer {
        if let Some(status) = virhai::exit_status(error) {
            return Answer::Exit(status);
        }
        let diagnostic = match self.session.interrupt().stopping() {
            Some(stop) => Diagnostic::of_stop(stop).leaving(error),
            None => Diagnostic::of_error(engine, &self.imports, &self.name, error),
        };
        self.failed(&diagnostic)
    }

    fn failed(self, diagnostic: &Diagnostic) -> Answer {
        let text = diagnostic.render(&self.imports, self.options.colors());
        Answer::Failed {
            text,
            state: self.state,
        }
    }
}

/// The top-level imports of an input as statements of their own.
fn imports_of(engine: &Engine, ast: &AST) -> AST {
    let mut code = String::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let [ASTNode::Stmt(Stmt::Import(import, _))] = nodes
            && let Expr::StringConstant(path, _) = &import.0
            && !import.1.name.is_empty()
        {
            code.push_str(&format!("import {:?} as {};", path.as_str(), import.1.name));
        }
        true
    });
    engine.compile(code).unwrap_or_default()
}
