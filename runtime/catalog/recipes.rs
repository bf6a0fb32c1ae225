//! The recipes of the standard library, read from their own text.

use rhai::{AST, Engine, FnAccess, Map};

use crate::imports;
use crate::source;

/// One file of the standard library.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What a script imports, such as `std/guest`.
    pub path: String,
    /// The file's opening comment.
    pub docs: String,
    /// What a script can call, in the order of the file's text.
    pub functions: Vec<RecipeFunction>,
    /// The keys of the maps that it declares as constants, among them its options.
    pub options: Vec<String>,
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
}

/// The recipes in the binary, by their paths.
pub fn recipes(engine: &Engine) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = imports::recipes()
        .filter_map(|name| {
            let path = format!("std/{name}");
            let text = imports::embedded(&name).ok()?.text;
            let ast = engine.compile(source::without_shebang(&text)).ok()?;
            Some(Recipe::of(&path, &text, &ast))
        })
        .collect();
    recipes.sort_by(|one, other| one.path.cmp(&other.path));
    recipes
}

impl Recipe {
    /// What `ast`, compiled from `text`, offers to those who import it as `path`.
    pub fn of(path: &str, text: &str, ast: &AST) -> Self {
        let mut functions: Vec<RecipeFunction> = ast
            .iter_functions()
            .filter(|function| {
                function.access == FnAccess::Public && !function.name.starts_with("anon$")
            })
            .map(|function| RecipeFunction {
                name: function.name.to_owned(),
                parameters: function
                    .params
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect(),
                docs: super::plain_docs(&function.comments),
            })
            .collect();
        functions.sort_by_key(|function| {
            let place = text.find(&format!("fn {}(", function.name));
            (place, function.parameters.len())
        });
        let docs = text
            .lines()
            .skip_while(|line| line.starts_with("#!"))
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        let mut options: Vec<String> = ast
            .iter_literal_variables(true, false)
            .filter_map(|(_, _, value)| value.try_cast::<Map>())
            .flat_map(|map| map.into_keys().map(|key| key.to_string()))
            .collect();
        options.sort();
        options.dedup();
        Self {
            path: path.to_owned(),
            docs,
            functions,
            options,
        }
    }
}
