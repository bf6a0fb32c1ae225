//! Tells calls that only return a value from calls that do something.

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::Code;
use super::facts::CHANGING;
use super::walk::Walk;
use crate::catalog::Function;
use crate::spec::Type;

/// The first words of documentation that tells what a function returns, not what it does.
const ANSWERS: [&str; 10] = [
    "A",
    "All",
    "An",
    "Every",
    "Everything",
    "Returns",
    "The",
    "This",
    "True",
    "libvirt's",
];

/// The parts of the names of libvirt's functions that only read.
const READING: [&str; 6] = ["Get", "Has", "Is", "List", "Num", "Stats"];

/// True if the documentation `docs` tells what a function returns, not what it does.
pub(super) fn tells_of_a_value(docs: &str) -> bool {
    let first = docs.split_whitespace().next().unwrap_or_default();
    ANSWERS.contains(&first) || first.starts_with('`')
}

impl Function {
    /// True if a call has no effect apart from its value.
    pub(super) fn only_answers(&self) -> bool {
        if self.returns == Type::Unit {
            return false;
        }
        if self.standard {
            // Of these, `split` changes lists and bytes, but not text.
            let on_text = self.receiver().is_some_and(Type::is_text) && self.name == "split";
            return on_text || !(self.method && CHANGING.contains(&self.name.as_str()));
        }
        let reads = |call: &str| READING.iter().any(|part| call.contains(part));
        // A script may rely on the error for a name that the host does not know.
        let is_check = |call: &str| {
            let mut parameters = self.parameters.iter();
            call.contains("Lookup")
                || parameters.any(|(_, ty)| ty.alternatives().iter().any(Type::is_text))
        };
        tells_of_a_value(&self.docs) && self.calls().all(|call| reads(call) && !is_check(call))
    }
}

impl<'a> Walk<'a> {
    /// Reports the call `call` if nothing uses its value, and it has no other effect: `taken` are the functions that it
    /// may lead to, which take `skipped` parameters before the arguments.
    pub(super) fn check_unused(
        &mut self,
        call: &'a FnCallExpr,
        taken: &[&Function],
        skipped: usize,
        position: Position,
    ) {
        let calls_nothing = |function: &&Function| {
            let parameters = function.parameters.iter().skip(skipped);
            let mut arguments = parameters.zip(&call.args);
            arguments.all(|((_, ty), argument)| *ty != Type::Function || self.is_pure(argument))
        };
        // To look at a host without using the value is what people do at the prompt, and `:save` writes it to a script.
        let asks_host = |function: &&Function| function.calls().next().is_some();
        if self.is_ignored(call)
            && taken.iter().all(|function| function.only_answers())
            && !taken.iter().any(asks_host)
            && taken.iter().all(calls_nothing)
        {
            self.report_unused(&call.name, position);
        }
    }

    /// True if nothing uses the value of `call`.
    pub(super) fn is_ignored(&self, call: &FnCallExpr) -> bool {
        self.ignored
            .is_some_and(|ignored| std::ptr::eq(ignored, call))
    }

    /// Reports that nothing uses the result of the function `name`.
    pub(super) fn report_unused(&mut self, name: &str, position: Position) {
        let message = format!("the result of `{name}` is unused");
        self.find(Code::UnusedResult, position, message);
    }

    /// True if `argument` is a closure that does nothing but return a value.
    fn is_pure(&self, argument: &'a Expr) -> bool {
        let Some(closure) = self.closure_in(argument) else {
            return false;
        };
        closure.definition.body.iter().all(|statement| {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| match path.last() {
                Some(ASTNode::Stmt(Stmt::Assignment(_) | Stmt::Return(..))) => false,
                Some(
                    ASTNode::Stmt(Stmt::FnCall(call, _))
                    | ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)),
                ) => call.op_token.is_some() || self.always_answers(call),
                _ => true,
            })
        })
    }

    /// True if every function called as `call` only returns a value.
    fn always_answers(&self, call: &FnCallExpr) -> bool {
        let name = call.name.as_str();
        let functions = self.checker.catalog.named(name);
        let mut functions = functions.filter(|function| !function.property).peekable();
        call.namespace.is_empty()
            && self.file.functions_named(name).next().is_none()
            && functions.peek().is_some()
            && functions.all(Function::only_answers)
    }
}
