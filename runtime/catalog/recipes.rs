//! The recipes of the standard library, read from their own text.

use std::sync::Arc;

use crate::api;
use crate::script::declarations::{self, Sources};
use crate::script::imports::{self, Imports};
use crate::spec::{self, Spec, Type};
use crate::syntax::outline::Outline;

/// One file of the standard library.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The path by which a script imports it, such as `std/guest`.
    pub path: String,
    /// The file's opening comment.
    pub docs: String,
    /// The functions for scripts, in the order of the file.
    pub functions: Vec<RecipeFunction>,
    /// True if only other recipes use it.
    pub internal: bool,
}

/// One function of a script's or a recipe's.
#[derive(Debug, Clone)]
pub struct RecipeFunction {
    /// Its name.
    pub name: String,
    /// Its parameters' names.
    pub parameters: Vec<String>,
    /// The doc comment, without its slashes.
    pub docs: String,
    /// The declared options of a parameter, a map.
    pub options: Option<Arc<Spec>>,
    /// The types of its first parameters, from the doc comment.
    pub takes: Vec<Type>,
    /// The type of its result, from the doc comment.
    pub returns: Type,
    /// True if only other recipes call it.
    pub internal: bool,
}

/// The last line of the comment of a recipe, or of its function, that only other recipes use.
const FOR_RECIPES: &str = "For other recipes.";

fn is_internal(docs: &str) -> bool {
    docs.lines().any(|line| line.trim() == FOR_RECIPES)
}

/// The recipes in the binary, by their paths.
pub fn recipes() -> Vec<Recipe> {
    let sources = declarations::of_imports(&Imports::default());
    let mut recipes: Vec<Recipe> = imports::recipes()
        .filter_map(|name| {
            let path = format!("std/{name}");
            let text = imports::embedded(&name).ok()?.text;
            Some(Recipe::of(&path, &text).with_options(&sources, &format!("{path}.rhai")))
        })
        .collect();
    recipes.sort_by(|one, other| one.path.cmp(&other.path));
    recipes
}

impl Recipe {
    /// The functions and constants of the script `text`, which is imported as `path`.
    pub fn of(path: &str, text: &str) -> Self {
        let outline = Outline::of(text);
        let public = outline
            .functions
            .into_iter()
            .filter(|function| !function.private);
        let functions = public.map(|function| RecipeFunction {
            name: function.name,
            parameters: function.parameters,
            takes: spec::parameters(&function.docs, &|_| None),
            returns: spec::result(&function.docs, &|_| None),
            internal: is_internal(&function.docs),
            docs: function.docs,
            options: None,
        });
        Self {
            path: path.to_owned(),
            internal: is_internal(&outline.docs),
            docs: outline.docs,
            functions: functions.collect(),
        }
    }

    /// The same with the options that the functions declare; `file` is the name of its file in
    /// positions.
    #[must_use]
    pub fn with_options(mut self, sources: &dyn Sources, file: &str) -> Self {
        for function in &mut self.functions {
            let name = spec::options_line(&function.docs);
            let declared = |name: &String| declarations::declared(sources, file, name).ok();
            let spec =
                name.and_then(|name| declared(&name).or_else(|| api::declared_options(&name)));
            function.takes = declarations::parameters(sources, file, &function.docs);
            if let Some(spec) = &spec {
                let place = spec::options_place(&function.docs, function.parameters.len());
                function.takes.resize(place, Type::Unknown);
                function.takes.push(Type::Keys(Arc::clone(spec)));
            }
            function.options = spec;
            function.returns = declarations::result(sources, file, &function.docs);
        }
        self
    }

    /// The functions that are listed: not those for other recipes, unless the whole file is for them.
    pub fn offered(&self) -> impl Iterator<Item = &RecipeFunction> {
        let functions = self.functions.iter();
        functions.filter(|function| self.internal || !function.internal)
    }

    /// The name of `spec` in the file `self`: `GUEST`, or `description::GUEST` if another file declares it.
    pub fn label(&self, spec: &Spec) -> String {
        label(&self.path, spec)
    }
}

/// The name of `spec` in the recipe at `path`.
fn label(path: &str, spec: &Spec) -> String {
    let file = spec.file.trim_end_matches(".rhai");
    match file.rsplit('/').next() {
        Some(name) if !file.ends_with(path) => format!("{name}::{}", spec.name),
        _ => spec.name.clone(),
    }
}
