//! Rewrites compiled code, node by node.

use std::sync::Arc;

use rhai::{
    AST, ASTFlags, ASTNode, CustomExpr, Dynamic, Expr, FlowControl, FnCallExpr, FnPtr,
    ImmutableString, Module, Position, Scope, ScriptFuncDef, Shared, Stmt, StmtBlock,
};

use super::{
    arguments, body, constants, delayed, evaluation, following, keys, node, word_comparison,
};
use crate::script::isolation::FileNames;
use crate::vocabulary;

/// The same code as virhai runs it in a file that has `names`. It can use the variables in `scope`.
pub(crate) fn strict(ast: &AST, names: &Arc<FileNames>, scope: Option<&Scope>) -> AST {
    let mut statements = ast.statements().to_vec();
    let mut rewriter = Rewriter {
        changed: false,
        names,
        parameters: &[],
        scope,
        aliases: Vec::new(),
    };
    rewriter.each(&mut statements);
    statements.splice(0..0, rewriter.imports());
    let mut functions = Module::new();
    for definition in ast.iter_fn_def() {
        for definition in names.definitions(function(definition, names)) {
            functions.set_script_fn(definition);
        }
    }
    let mut strict = AST::new(statements, functions);
    if let Some(source) = ast.source() {
        strict.set_source(source);
    }
    strict
}

/// A function with its body rewritten; the same function if nothing in it changes.
fn function(definition: &Shared<ScriptFuncDef>, names: &Arc<FileNames>) -> Shared<ScriptFuncDef> {
    let mut statements = statements_of(definition);
    let mut rewriter = Rewriter {
        changed: false,
        names,
        parameters: &definition.params,
        scope: None,
        aliases: Vec::new(),
    };
    rewriter.each(&mut statements);
    statements.splice(0..0, rewriter.imports());
    if let Some(state) = arguments::state(definition, names.recipe.as_deref()) {
        let check = custom(node::ARGUMENTS, Vec::new(), state, Position::NONE);
        statements.insert(0, Stmt::Expr(Box::new(check)));
        rewriter.changed = true;
    }
    if !rewriter.changed {
        return Shared::clone(definition);
    }
    let body = StmtBlock::new(
        statements,
        definition.body.start_position(),
        definition.body.end_position(),
    );
    let signature = ScriptFuncDef::clone(definition);
    Shared::new(ScriptFuncDef {
        name: signature.name,
        access: signature.access,
        this_type: signature.this_type,
        params: signature.params,
        comments: signature.comments,
        ..body::function(Expr::Stmt(Box::new(body)))
    })
}

/// The statements of a function, which Rhai shows in a walk only.
fn statements_of(definition: &Shared<ScriptFuncDef>) -> Vec<Stmt> {
    let mut alone = Module::new();
    alone.set_script_fn(Shared::clone(definition));
    let mut statements = Vec::new();
    AST::new([], alone).walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}

/// Visits code and rewrites the parts that plain Rhai treats differently.
struct Rewriter<'a> {
    /// True if the code was changed.
    changed: bool,
    /// The names that are unique to the file.
    names: &'a Arc<FileNames>,
    /// The parameters of the function, and the captured variables of a closure; Rhai does not
    /// record their positions.
    parameters: &'a [ImmutableString],
    /// The variables around the code, which Rhai has not parsed.
    scope: Option<&'a Scope<'a>>,
    /// The aliases of imports that the statements of the current block use.
    aliases: Vec<ImmutableString>,
}

impl Rewriter<'_> {
    /// The delayed imports that the statements use. Nested blocks have imports of their own.
    fn imports(&mut self) -> Vec<Stmt> {
        let mut aliases = std::mem::take(&mut self.aliases);
        aliases.sort_unstable();
        aliases.dedup();
        let waiting = aliases.iter();
        waiting
            .filter_map(|alias| delayed::state(self.names, alias))
            .map(|state| {
                let import = custom(node::IMPORT, Vec::new(), state, Position::NONE);
                Stmt::Expr(Box::new(import))
            })
            .collect()
    }

    fn block(&mut self, block: &mut StmtBlock) {
        let around = std::mem::take(&mut self.aliases);
        let statements = block.statements_mut();
        self.each(statements);
        for import in self.imports() {
            statements.insert(0, import);
        }
        self.aliases = around;
    }

    fn each(&mut self, statements: &mut [Stmt]) {
        for one in statements {
            self.statement(one);
        }
    }

    fn flow(&mut self, flow: &mut FlowControl) {
        self.expression(&mut flow.expr);
        self.block(&mut flow.body);
        self.block(&mut flow.branch);
    }

    fn statement(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::If(parts, _) | Stmt::While(parts, _) | Stmt::Do(parts, ..) => self.flow(parts),
            Stmt::For(parts, _) => self.flow(&mut parts.2),
            Stmt::Switch(parts, _) => {
                self.expression(&mut parts.0);
                for arm in &mut parts.1.expressions {
                    self.expression(&mut arm.lhs);
                    self.expression(&mut arm.rhs);
                }
            }
            Stmt::Var(parts, ..) => self.expression(&mut parts.1),
            Stmt::Assignment(parts) => {
                let (operator, sides) = &mut **parts;
                self.expression(&mut sides.rhs);
                self.chain_root(&mut sides.lhs);
                let end = match operator.is_op_assignment() {
                    true => Access::Read,
                    false => Access::Assign,
                };
                self.chain(&mut sides.lhs, end);
            }
            Stmt::FnCall(call, position) => {
                self.each_expression(&mut call.args);
                if let Some(node) = self.of_call(call, *position) {
                    *statement = Stmt::Expr(Box::new(node));
                } else if self.names.followed.is_some() {
                    let mut call = Expr::FnCall(call.clone(), *position);
                    self.follow(&mut call);
                    *statement = Stmt::Expr(Box::new(call));
                }
            }
            Stmt::Block(body) => self.block(body),
            Stmt::TryCatch(parts, position) => {
                self.block(&mut parts.body);
                self.block(&mut parts.branch);
                *statement = Stmt::Expr(Box::new(self.try_catch(parts, *position)));
            }
            Stmt::Expr(value) => self.expression(value),
            Stmt::BreakLoop(value, ..) | Stmt::Return(value, ..) => {
                if let Some(value) = value {
                    self.expression(value);
                }
            }
            Stmt::Import(import, position) if self.names.delayed(&import.1.name).is_some() => {
                *statement = Stmt::Noop(*position);
                self.changed = true;
            }
            Stmt::Import(import, _) => {
                let (path, alias) = &mut **import;
                self.expression(path);
                if let Expr::StringConstant(path, _) = path {
                    *path = self.names.path(path);
                }
                self.names.rename_import(&mut alias.name);
                self.changed = true;
            }
            _ => {}
        }
    }

    fn each_expression(&mut self, expressions: &mut [Expr]) {
        for one in expressions {
            self.expression(one);
        }
    }

    fn expression(&mut self, this: &mut Expr) {
        match this {
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                self.each_expression(parts)
            }
            Expr::Map(parts, _) => {
                for (_, value) in &mut parts.0 {
                    self.expression(value);
                }
            }
            Expr::Stmt(body) => self.block(body),
            Expr::FnCall(call, position) => {
                self.each_expression(&mut call.args);
                if let Some(node) = self.of_call(call, *position) {
                    *this = node;
                }
            }
            Expr::MethodCall(call, _) => self.method_call(call),
            Expr::And(parts, _) | Expr::Or(parts, _) => self.each_expression(parts),
            Expr::Coalesce(parts, _) => {
                let last = parts.len().saturating_sub(1);
                for (index, part) in parts.iter_mut().enumerate() {
                    match index == last {
                        true => self.expression(part),
                        false => self.asked(part),
                    }
                }
            }
            Expr::Dot(..) | Expr::Index(..) => {
                self.chain_root(this);
                self.chain(this, Access::Read);
            }
            Expr::Variable(..) | Expr::DynamicConstant(..) => self.name(this),
            _ => {}
        }
        self.follow(this);
    }

    /// Makes a call record its place while it runs, if the places of this file are recorded.
    fn follow(&mut self, this: &mut Expr) {
        let Some(file) = &self.names.followed else {
            return;
        };
        let calls = match this {
            Expr::FnCall(call, _) => call.op_token.is_none(),
            Expr::Dot(..) => true,
            _ => false,
        };
        if calls {
            let position = this.position();
            let state = following::state(file, position);
            *this = custom(node::PLACE, vec![this.take()], state, position);
            self.changed = true;
        }
    }

    /// Resolves a name that is used as a value in this file.
    fn name(&mut self, this: &mut Expr) {
        let names = self.names;
        let pointer = match this {
            Expr::Variable(variable, index, _) => {
                let (long_index, name, namespace, _) = &mut **variable;
                if let [root] = namespace.path.as_slice()
                    && root.name == "global"
                    && let Some(value) = names.constant(name)
                {
                    self.changed = true;
                    let value = value.clone();
                    *this = Expr::DynamicConstant(Box::new(value), this.position());
                    return;
                }
                if let Some(root) = namespace.path.first() {
                    self.aliases.push(root.name.clone());
                    names.bind_namespace(namespace);
                    self.changed = true;
                    return;
                }
                let is_variable = index.is_some()
                    || long_index.is_some()
                    || self.parameters.contains(name)
                    || self.scope.is_some_and(|scope| scope.contains(name));
                (!is_variable).then(|| names.function(name)).flatten()
            }
            Expr::DynamicConstant(value, _) => value
                .read_lock::<FnPtr>()
                .and_then(|pointer| names.closure(&pointer)),
            _ => None,
        };
        if let Some(pointer) = pointer {
            self.changed = true;
            let position = this.position();
            *this = Expr::DynamicConstant(Box::new(pointer.clone().into()), position);
        }
    }

    /// An expression whose value may be `()`: the part before `??` or `?.`.
    fn asked(&mut self, this: &mut Expr) {
        match this {
            Expr::Dot(..) | Expr::Index(..) => {
                self.chain_root(this);
                self.chain(this, Access::Ask);
                self.follow(this);
            }
            _ => self.expression(this),
        }
    }

    /// The value that a chain of `.` and `[]` begins with.
    fn chain_root(&mut self, this: &mut Expr) {
        let (Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)) = this else {
            return;
        };
        match flags.intersects(ASTFlags::NEGATED) {
            true => self.asked(&mut pair.lhs),
            false => self.expression(&mut pair.lhs),
        }
    }

    /// Marks the keys in a chain, whose last one is used as `end` says. Rhai nests a chain to the right.
    fn chain(&mut self, this: &mut Expr, end: Access) {
        let (pair, flags, by_index) = match this {
            Expr::Dot(pair, flags, _) => (pair, *flags, false),
            Expr::Index(pair, flags, _) => (pair, *flags, true),
            _ => return,
        };
        let goes_on = !flags.intersects(ASTFlags::BREAK)
            && matches!(pair.rhs, Expr::Dot(..) | Expr::Index(..));
        let (link, asked_next) = match &mut pair.rhs {
            Expr::Dot(next, flags, _) | Expr::Index(next, flags, _) if goes_on => {
                (&mut next.lhs, flags.intersects(ASTFlags::NEGATED))
            }
            last => (last, false),
        };
        let access = match () {
            () if flags.intersects(ASTFlags::NEGATED) || asked_next => Access::Ask,
            () if goes_on => Access::Read,
            () => end,
        };
        match by_index {
            true => {
                self.expression(link);
                self.mark_index(link, access);
            }
            false => self.mark_property(link, access),
        }
        if goes_on {
            self.chain(&mut pair.rhs, end);
        }
    }

    fn mark_property(&mut self, link: &mut Expr, access: Access) {
        match link {
            Expr::Property(property, _) => {
                if let Some(mark) = mark(access) {
                    self.changed = true;
                    // Maps are read by this name, all other values by the names of getter and
                    // setter.
                    property.2 = format!("{mark}{}", property.2).into();
                }
            }
            Expr::MethodCall(call, _) => self.method_call(call),
            _ => {}
        }
    }

    fn method_call(&mut self, call: &mut FnCallExpr) {
        self.each_expression(&mut call.args);
        self.bind(call);
    }

    /// Resolves the name of a call in this file.
    fn bind(&mut self, call: &mut FnCallExpr) {
        if let Some(root) = call.namespace.path.first() {
            self.aliases.push(root.name.clone());
        }
        self.names.bind(call);
        self.changed = true;
    }

    fn mark_index(&mut self, index: &mut Expr, access: Access) {
        let Some(mark) = mark(access) else { return };
        self.changed = true;
        match index {
            Expr::StringConstant(key, _) => *key = format!("{mark}{key}").into(),
            Expr::IntegerConstant(..) | Expr::CharConstant(..) | Expr::Unit(..) => {}
            _ => {
                let name = match access {
                    Access::Assign => node::ASSIGNED_KEY,
                    Access::Ask | Access::Read => node::ASKED_KEY,
                };
                let position = index.position();
                *index = custom(name, vec![index.take()], Dynamic::UNIT, position);
            }
        }
    }

    /// The replacement of a call, unless plain Rhai handles it correctly.
    fn of_call(&mut self, call: &mut FnCallExpr, position: Position) -> Option<Expr> {
        self.bind(call);
        if !call.namespace.is_empty() {
            return None;
        }
        if call.op_token.is_none()
            && call.name == "Fn"
            && let [name] = call.args.as_mut_slice()
        {
            let position = name.position();
            let state = Dynamic::from(Arc::clone(self.names));
            *name = custom(node::FUNCTION, vec![name.take()], state, position);
        }
        if call.op_token.is_none() && call.name == "eval" && call.args.len() == 1 {
            self.changed = true;
            let inputs = call.args.drain(..).collect();
            let state = evaluation::state(position, self.names);
            return Some(custom(node::EVAL, inputs, state, position));
        }
        let compares = call.op_token.is_some() && ["==", "!="].contains(&call.name.as_str());
        match compares && call.args.len() == 2 {
            true => self.comparison(call, position),
            false => None,
        }
    }

    /// The replacement of a comparison of two values that plain Rhai accepts.
    fn comparison(&mut self, call: &mut FnCallExpr, position: Position) -> Option<Expr> {
        let equal = call.name == "==";
        let (name, state) = match call.args.iter().find_map(constant) {
            Some(constant) => (node::CONSTANT, constants::state(equal, constant, position)),
            None => {
                let (text, place, other) = match call.args.as_slice() {
                    [Expr::StringConstant(text, place), other]
                    | [other, Expr::StringConstant(text, place)] => (text, *place, other),
                    _ => return None,
                };
                // A search for similar words takes longer than compiling a recipe.
                let direct = self.is_answer(other, false);
                if self.names.recipe.is_some() || (!direct && !vocabulary::is_nearly_a_word(text)) {
                    return None;
                }
                let state = word_comparison::state(equal, text.clone(), place, direct);
                (node::WORD, state)
            }
        };
        self.changed = true;
        let inputs = call.args.drain(..).collect();
        Some(custom(name, inputs, state, position))
    }

    /// True if `this` is a chain that ends with a method of virhai or with a key of its result.
    fn is_answer(&self, this: &Expr, after_call: bool) -> bool {
        match this {
            Expr::Dot(pair, ..) => {
                let after_call = self.is_answer(&pair.lhs, after_call);
                self.is_answer(&pair.rhs, after_call)
            }
            Expr::MethodCall(call, _) => self.names.function(&call.name).is_none(),
            Expr::Property(..) => after_call,
            Expr::Custom(followed, _)
                if followed
                    .tokens
                    .first()
                    .is_some_and(|name| name == node::PLACE) =>
            {
                self.is_answer(&followed.inputs[0], after_call)
            }
            _ => false,
        }
    }

    fn try_catch(&mut self, parts: &mut FlowControl, position: Position) -> Expr {
        self.changed = true;
        let variable = match &parts.expr {
            Expr::Variable(variable, ..) => variable.1.clone().into(),
            _ => Dynamic::UNIT,
        };
        let take = |block: &mut StmtBlock| Expr::Stmt(Box::new(std::mem::take(block)));
        let inputs = vec![take(&mut parts.body), take(&mut parts.branch)];
        custom(node::TRY, inputs, variable, position)
    }
}

/// The uses of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Ask,
    Assign,
}

fn mark(access: Access) -> Option<char> {
    match access {
        Access::Read => None,
        Access::Ask => Some(keys::ASKED),
        Access::Assign => Some(keys::ASSIGNED),
    }
}

/// The name of the libvirt constant that `expression` is.
fn constant(expression: &Expr) -> Option<ImmutableString> {
    match expression {
        Expr::Variable(variable, ..) if variable.2.is_empty() && variable.1.starts_with("VIR_") => {
            Some(variable.1.clone())
        }
        _ => None,
    }
}

fn custom(name: &str, inputs: Vec<Expr>, state: Dynamic, position: Position) -> Expr {
    let node = CustomExpr {
        inputs: inputs.into_iter().collect(),
        tokens: [ImmutableString::from(name)].into_iter().collect(),
        state,
        scope_may_be_changed: false,
        self_terminated: true,
    };
    Expr::Custom(Box::new(node), position)
}
