//! Inputs that may be `()`, because they are neither required nor have a default, and that a script uses without a test.

use std::collections::HashSet;

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::files::{File, Files};
use super::{Checker, Code, Finding, Span};
use crate::runbook::inputs::{CONSTANT, MAIN, VARIABLE};
use crate::spec::{Key, Spec, Type};

/// Functions that accept `()`.
const ACCEPTING: &[&str] = &["print", "debug", "note"];

/// Functions that tell whether a value is `()`.
const TESTING: &[&str] = &["type_of", "contains", "call"];

/// The first use of each such input in the script `file`. A script that tests an input anywhere has no finding about it.
pub(super) fn untested(checker: &Checker, files: &Files, file: &File) -> Vec<Finding> {
    let Some(Type::Keys(spec)) = files.inputs(file) else {
        return Vec::new();
    };
    if !spec.keys.iter().any(|key| may_be_missing(&spec, key)) {
        return Vec::new();
    }
    let main = file.function(MAIN, 1);
    let variable = main.and_then(|main| main.parameters.first());
    let mut uses = Uses {
        checker,
        file,
        spec: &spec,
        variable: variable.map_or(VARIABLE, String::as_str),
        tested: HashSet::new(),
        found: Vec::new(),
        redeclared: false,
    };
    file.ast.walk(&mut |path: &[ASTNode]| {
        uses.see(path);
        true
    });
    uses.findings()
}

/// True if the input `key` is `()` in a run that does not give it, and no condition of the declaration says otherwise.
fn may_be_missing(spec: &Spec, key: &Key) -> bool {
    let has_condition = !key.needs.is_empty() || spec.one_of.contains(&key.name);
    !key.required && key.default.is_none() && !has_condition
}

/// The tests and the uses of inputs in a script.
struct Uses<'a> {
    checker: &'a Checker<'a>,
    file: &'a File,
    spec: &'a Spec,
    /// The variable with the inputs.
    variable: &'a str,
    /// The names of tested inputs.
    tested: HashSet<String>,
    found: Vec<(String, Position)>,
    /// True if the script declares another variable of that name.
    redeclared: bool,
}

impl Uses<'_> {
    fn see(&mut self, path: &[ASTNode]) {
        let declares = |node: &ASTNode| matches!(node, ASTNode::Stmt(Stmt::Var(parts, ..)) if parts.0.name == CONSTANT);
        if path.first().is_some_and(declares) {
            return;
        }
        let found = self.found.len();
        match path.last() {
            Some(ASTNode::Stmt(statement)) => self.see_statement(statement),
            Some(ASTNode::Expr(expression)) => self.see_expression(expression),
            _ => {}
        }
        let is_try = |node: &ASTNode| matches!(node, ASTNode::Stmt(Stmt::TryCatch(..)));
        if self.found.len() > found && path.iter().any(is_try) {
            self.found.truncate(found);
        }
    }

    fn see_statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Var(parts, ..) => {
                self.redeclared |= parts.0.name == self.variable;
                self.test(&parts.1);
            }
            Stmt::Assignment(parts) => self.test(&parts.1.rhs),
            Stmt::Switch(parts, _) => self.test(&parts.0),
            Stmt::If(flow, _) | Stmt::While(flow, _) => self.use_of(&flow.expr),
            Stmt::For(parts, _) => self.use_of(&parts.2.expr),
            Stmt::FnCall(call, _) => self.call(call, 0),
            _ => {}
        }
    }

    fn see_expression(&mut self, expression: &Expr) {
        match expression {
            Expr::FnCall(call, _) if call.op_token.is_some() => self.operator(call),
            Expr::FnCall(call, _) => self.call(call, 0),
            Expr::MethodCall(call, _) => self.call(call, 1),
            Expr::Coalesce(parts, _) => parts.iter().for_each(|part| self.test(part)),
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                parts.iter().for_each(|part| self.use_of(part));
            }
            // As in `"name" in inputs`.
            Expr::StringConstant(text, _) => drop(self.tested.insert(text.to_string())),
            Expr::Dot(pair, ..) if self.is_inputs(&pair.lhs) => self.chain(&pair.rhs),
            _ => {}
        }
    }

    fn operator(&mut self, call: &FnCallExpr) {
        let is_text =
            |arg: &Expr| matches!(arg, Expr::StringConstant(..) | Expr::InterpolatedString(..));
        match call.name.as_str() {
            "==" | "!=" => call.args.iter().for_each(|arg| self.test(arg)),
            // Text takes `()` as well.
            "+" if call.args.iter().any(is_text) => {}
            "+" => {
                for argument in &call.args {
                    let key = self
                        .input(argument)
                        .and_then(|(name, _)| self.spec.key(name));
                    if key.is_some_and(|key| !key.ty.is_text()) {
                        self.use_of(argument);
                    }
                }
            }
            _ => call.args.iter().for_each(|arg| self.use_of(arg)),
        }
    }

    /// A call whose first argument is the parameter number `skipped` of its function.
    fn call(&mut self, call: &FnCallExpr, skipped: usize) {
        let name = call.name.as_str();
        let is_own = !call.namespace.is_empty() || self.file.functions_named(name).next().is_some();
        if ACCEPTING.contains(&name) {
            return;
        }
        for (index, argument) in call.args.iter().enumerate() {
            if is_own || TESTING.contains(&name) {
                self.test(argument);
            } else if self.needs_value(call, skipped, index + skipped) {
                self.use_of(argument);
            }
        }
    }

    /// True if no function that `call` may be for takes `()` as the parameter number `index`.
    fn needs_value(&self, call: &FnCallExpr, skipped: usize, index: usize) -> bool {
        let count = call.args.len() + skipped;
        let functions = self.checker.catalog.named(&call.name);
        let mut functions = functions
            .filter(|function| !function.property && function.parameters.len() == count)
            .peekable();
        functions.peek().is_some()
            && functions.all(|function| !function.parameters[index].1.takes(&Type::Unit))
    }

    /// The name of the input after the variable, and the properties that the script reads from the input.
    fn chain(&mut self, rest: &Expr) {
        let (pair, flags) = match rest {
            Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _) => (pair, flags),
            _ => return,
        };
        let Expr::Property(property, position) = &pair.lhs else {
            return;
        };
        let name = property.2.to_string();
        let next = match &pair.rhs {
            Expr::Dot(next, ..) | Expr::Index(next, ..) => &next.lhs,
            other => other,
        };
        let accepts = match next {
            Expr::MethodCall(call, _) => self.accepts(call),
            _ => false,
        };
        if accepts || flags.intersects(ASTFlags::NEGATED) {
            self.tested.insert(name);
        } else {
            self.found.push((name, *position));
        }
    }

    /// True if `()` may have the method `call`.
    fn accepts(&self, call: &FnCallExpr) -> bool {
        let name = call.name.as_str();
        let mut functions = self.checker.catalog.named(name);
        TESTING.contains(&name)
            || self.file.functions_named(name).next().is_some()
            || functions.any(|function| function.receiver().is_none_or(|ty| ty.takes(&Type::Unit)))
    }

    fn is_inputs(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Variable(variable, ..) if variable.2.is_empty() && variable.1 == self.variable)
    }

    /// The input that `expression` reads, and its place.
    fn input<'e>(&self, expression: &'e Expr) -> Option<(&'e str, Position)> {
        match expression {
            Expr::Dot(pair, ..) if self.is_inputs(&pair.lhs) => match &pair.rhs {
                Expr::Property(property, position) => Some((property.2.as_str(), *position)),
                _ => None,
            },
            _ => None,
        }
    }

    fn test(&mut self, expression: &Expr) {
        if let Some((name, _)) = self.input(expression) {
            self.tested.insert(name.to_owned());
        }
    }

    fn use_of(&mut self, expression: &Expr) {
        if let Some((name, position)) = self.input(expression) {
            self.found.push((name.to_owned(), position));
        }
    }

    fn findings(mut self) -> Vec<Finding> {
        if self.redeclared {
            return Vec::new();
        }
        let text = &self.file.text;
        self.found
            .sort_by_key(|(_, position)| (position.line(), position.position()));
        let mut findings = Vec::new();
        for (name, position) in self.found {
            let key = self.spec.key(&name);
            let is_missing = key.is_some_and(|key| may_be_missing(self.spec, key));
            // The first use of an input is enough.
            if !is_missing || !self.tested.insert(name.clone()) {
                continue;
            }
            let message = format!("the input `{name}` is `()` if it is not given");
            let span = Span::at(text, position);
            let mut finding = self.file.finding(Code::OptionalInput, span, message);
            finding.hint = Some(crate::runbook::inputs::hint_on_missing(
                self.variable,
                &name,
            ));
            findings.push(finding);
        }
        findings
    }
}
