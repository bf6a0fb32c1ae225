//! Runs inputs, and keeps their results: variables, functions, imports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use parking_lot::Mutex;
use rhai::{
    AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, FuncRegistration, Module, Position, Scope,
    Stmt,
};
use rustyline::Editor;
use rustyline::history::FileHistory;
use virhai::engine;
use virhai::interrupt::Interrupt;
use virhai::program::CompileError;
use virhai::{Fleet, Imports, Session, extent, stack_size};

use super::input::Input;
use crate::args::Options;
use crate::diagnostic::Diagnostic;
use crate::imported;
use crate::show::{self, Look, markup};
use crate::terminal;

/// The result of an input.
pub(super) enum Answer {
    /// It ran: its value as text, if that is to be shown, and whether it has a value.
    Shown {
        text: Option<String>,
        has_value: bool,
        state: PromptState,
    },
    /// It failed: the error as text, and its place in the input.
    Failed {
        text: String,
        at: Position,
        state: PromptState,
    },
    /// It called `exit`.
    Exit(u8),
}

/// The form in which a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// For people.
    Human,
    /// As JSON.
    Json,
    /// As XML, of an object its own.
    Xml,
    /// Not at all.
    Nothing,
}

/// The values of earlier inputs by their numbers.
type Values = Arc<Mutex<BTreeMap<usize, Dynamic>>>;

/// The state that inputs leave to later inputs.
#[derive(Clone)]
pub(super) struct PromptState {
    pub(super) scope: Scope<'static>,
    engine: Arc<Engine>,
    /// The import statements of earlier inputs.
    imported: AST,
}

/// Runs inputs on separate threads, so that one can be abandoned in a libvirt call.
pub(super) struct Worker {
    options: Options,
    session: Session,
    imports: Imports,
    state: PromptState,
    modules: Vec<Arc<Module>>,
    values: Values,
    /// The number of inputs; the one that connects does not count.
    inputs: Option<usize>,
    /// True if failures are reported without the code, because a command wrote it.
    hides_code: bool,
}

impl Worker {
    /// The list of hosts.
    pub(super) fn fleet(&self) -> &Fleet {
        &self.options.project.fleet
    }

    pub(super) fn new(options: Options, session: Session) -> Self {
        let here = std::env::current_dir().unwrap_or_else(|_| ".".into());
        let imports = Imports::new([here].into_iter().chain(options.imports()));
        let values = Values::default();
        let engine = build(&options, &session, &imports, &values, &[]);
        let state = PromptState {
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
            values,
            inputs: None,
            hides_code: false,
        }
    }

    /// Sets whether failures of later inputs are reported without their code.
    pub(super) fn hide_code(&mut self, hides: bool) {
        self.hides_code = hides;
    }

    /// Allows inputs to open `uri`, which the user has typed.
    pub(super) fn give_uri(&self, uri: &str) {
        self.session.give(uri);
    }

    /// True if the list of hosts has a host called `name`.
    pub(super) fn has_host(&self, name: &str) -> bool {
        self.options.project.fleet.host(name).is_some()
    }

    /// The URI of the session's first connection, if it is known.
    pub(super) fn uri(&self) -> Option<String> {
        let default = || std::env::var("LIBVIRT_DEFAULT_URI").ok();
        let uri = self.session.uri().map(str::to_owned).or_else(default);
        uri.filter(|uri| !uri.is_empty())
    }

    /// The variables and their values.
    pub(super) fn scope(&self) -> &Scope<'static> {
        &self.state.scope
    }

    /// The engine of the session.
    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.state.engine
    }

    /// Passes the state after the inputs so far to `editor`.
    pub(super) fn tell(&self, editor: &mut Editor<Input, FileHistory>) {
        if let Some(input) = editor.helper_mut() {
            let state = &self.state;
            input.learn(&state.scope, &state.engine, &state.imported);
        }
    }

    /// The switch that stops an input.
    pub(super) fn interrupt(&self) -> &Interrupt {
        self.session.interrupt()
    }

    /// The number that the next input will have.
    pub(super) fn next_input(&self) -> usize {
        self.inputs.map_or(0, |inputs| inputs + 1)
    }

    /// The number of inputs so far.
    pub(super) fn counted(&self) -> Option<usize> {
        self.inputs
    }

    /// Forgets that inputs were counted after the first `inputs`.
    pub(super) fn count_again(&mut self, inputs: Option<usize>) {
        self.inputs = inputs;
    }

    /// True if output may have colours.
    pub(super) fn colors(&self) -> bool {
        self.options.colors()
    }

    /// True if only requested output is shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.options.quiet
    }

    /// Keeps the variables and functions of an input.
    pub(super) fn keep(&mut self, state: PromptState) {
        self.state = state;
    }

    /// Runs `text` on a separate thread, which sends the result to `answer`.
    pub(super) fn run(
        &mut self,
        text: String,
        view: View,
        answer: Sender<Answer>,
    ) -> std::io::Result<()> {
        self.start(text, view, true, answer)
    }

    /// Connects as the command line says. Inputs can run meanwhile.
    pub(super) fn connect(&mut self, view: View, answer: Sender<Answer>) -> std::io::Result<()> {
        self.start("let conn = connect(); conn".into(), view, false, answer)
    }

    /// Sets the variable `name`.
    pub(super) fn set(&mut self, name: &str, value: Dynamic) {
        self.state.scope.set_value(name, value);
    }

    /// Runs `text` on a separate thread; `alone` is true if no other input runs.
    fn start(
        &mut self,
        text: String,
        view: View,
        alone: bool,
        answer: Sender<Answer>,
    ) -> std::io::Result<()> {
        let number = self.next_input();
        self.inputs = Some(number);
        let name = imported::name_of_input(number);
        self.imports.remember(&name, &text);
        let interrupt = self.session.interrupt();
        interrupt.clear();
        let functions = self.functions_of(&name, &text);
        if let Some(stop) = interrupt.stopping() {
            let text = Diagnostic::of_stop(stop, &self.options)
                .render(&self.imports, self.options.colors());
            let (at, state) = (Position::NONE, self.state.clone());
            let _ = answer.send(Answer::Failed { text, at, state });
            return Ok(());
        }
        if let Some(functions) = functions {
            self.define(functions);
        }
        let input = RunningInput {
            number,
            name,
            view,
            alone,
            hides_code: self.hides_code || !alone,
            values: Arc::clone(&self.values),
            text,
            options: self.options.clone(),
            session: self.session.clone(),
            imports: self.imports.clone(),
            state: self.state.clone(),
        };
        std::thread::Builder::new()
            .name("input".into())
            .stack_size(stack_size())
            .spawn(move || {
                // There is no receiver any more if the user abandoned the input.
                let _ = answer.send(input.run());
            })?;
        Ok(())
    }

    /// The functions that an input defines, as a module whose positions carry its name.
    fn functions_of(&self, name: &str, text: &str) -> Option<Module> {
        let ast = self.state.engine.compile(text).ok()?;
        if !ast.has_functions() {
            return None;
        }
        let ast = self.imports.isolated_input(name, &ast, &Scope::new());
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
        self.modules.push(Arc::new(functions));
        self.state.engine = build(
            &self.options,
            &self.session,
            &self.imports,
            &self.values,
            &self.modules,
        );
    }
}

/// An engine with the functions of `modules`, and with the functions of the prompt.
fn build(
    options: &Options,
    session: &Session,
    imports: &Imports,
    values: &Values,
    modules: &[Arc<Module>],
) -> Arc<Engine> {
    let mut engine = engine::build(session, &options.limits(), imports.clone());
    let values = Arc::clone(values);
    let out = move |number: i64| -> Result<Dynamic, Box<EvalAltResult>> {
        let values = values.lock();
        let value = usize::try_from(number)
            .ok()
            .and_then(|number| values.get(&number));
        value
            .cloned()
            .ok_or_else(|| format!("input {number} has no value; `:history` lists them").into())
    };
    FuncRegistration::new("out")
        .with_params_info(["number: i64", "Dynamic"])
        .with_comments([
            "/// The value of the input with that number; at the prompt only.",
            "///",
            "/// `:history` lists the inputs with their numbers, and `ans` is the last value.",
        ])
        .register_into_engine(&mut engine, out);
    for module in modules {
        engine.register_global_module(Arc::clone(module));
    }
    let engine = Arc::new(engine);
    session.serve(&engine);
    engine
}

struct RunningInput {
    number: usize,
    view: View,
    /// True if this is the only input that runs.
    alone: bool,
    hides_code: bool,
    values: Values,
    name: String,
    text: String,
    options: Options,
    session: Session,
    imports: Imports,
    state: PromptState,
}

impl RunningInput {
    fn run(mut self) -> Answer {
        let interrupt = self.session.interrupt();
        match self.alone {
            true => interrupt.begin(),
            false => interrupt.reach_this_thread(),
        }
        let engine = Arc::clone(&self.state.engine);
        let written = match engine.compile(&self.text) {
            Ok(ast) => ast,
            Err(error) => {
                if let Some(stop) = self.session.interrupt().stopping() {
                    let diagnostic = Diagnostic::of_stop(stop, &self.options);
                    return self.failed(&diagnostic, Position::NONE);
                }
                let error = CompileError::new(&self.name, &self.text, &error, Vec::new());
                return self.failed(&Diagnostic::of_compile_error(&error), Position::NONE);
            }
        };
        self.session.key_order().learn(&written);
        // The same code whose functions the engine has been given.
        let mut ast = self
            .imports
            .isolated_input(&self.name, &written, &self.state.scope);
        ast.clear_functions();
        ast.set_source(self.name.as_str());
        let mut whole = self.state.imported.merge(&ast);
        whole.set_source(self.name.as_str());
        let result = engine::guarded(|| {
            engine.eval_ast_with_scope::<Dynamic>(&mut self.state.scope, &whole)
        });
        match result {
            Ok(value) => {
                let imported = imports_of(&engine, &written);
                self.state.imported = self.state.imported.merge(&imported);
                let text = self.shown(&value);
                let has_value = !value.is_unit();
                if has_value {
                    self.values.lock().insert(self.number, value.clone());
                    self.state.scope.set_value("ans", value);
                }
                Answer::Shown {
                    text,
                    has_value,
                    state: self.state,
                }
            }
            Err(error) => self.stopped(&engine, &error),
        }
    }

    /// The value as it is to be shown; reads it from the host if it must.
    fn shown(&self, value: &Dynamic) -> Option<String> {
        if !extent::can_be_shown(value) {
            return Some("(the result is too large to show)".into());
        }
        match self.view {
            View::Nothing => None,
            View::Human => {
                let look = Look::of_terminal(self.options.colors());
                let order = self.session.key_order();
                show::view(value, &look.with_order(order))
            }
            View::Json => serde_json::to_string_pretty(&show::json(value)).ok(),
            View::Xml => {
                let text = self.xml_of(value).unwrap_or_else(|| value.to_string());
                Some(match self.options.colors() {
                    true => markup::colored(text.trim_end()),
                    false => terminal::script_text(text.trim_end()).into_owned(),
                })
            }
        }
    }

    /// An object's own XML.
    fn xml_of(&self, value: &Dynamic) -> Option<String> {
        let mut scope = Scope::new();
        scope.push("value", value.clone());
        self.state
            .engine
            .eval_with_scope::<String>(&mut scope, "value.xml_desc()")
            .ok()
    }

    fn stopped(self, engine: &Engine, error: &EvalAltResult) -> Answer {
        if let Some(status) = virhai::exit_status(error) {
            return Answer::Exit(status);
        }
        let diagnostic = match self.session.interrupt().stopping() {
            Some(stop) => Diagnostic::of_stop(stop, &self.options).leaving(error),
            None => Diagnostic::of_error(engine, &self.imports, &self.name, error),
        };
        let diagnostic = match self.hides_code {
            true => diagnostic.without_code(),
            false => diagnostic,
        };
        self.failed(&diagnostic, error.position())
    }

    fn failed(self, diagnostic: &Diagnostic, at: Position) -> Answer {
        let text = diagnostic.render(&self.imports, self.options.colors());
        Answer::Failed {
            text,
            at,
            state: self.state,
        }
    }
}

/// The top-level imports of an input as separate statements.
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
