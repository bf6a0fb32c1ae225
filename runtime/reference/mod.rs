//! The reference: all calls for scripts, read from the catalogue, for a terminal, as Markdown,
//! as a page, and for editors.

mod build;
mod definitions;
mod folder;
mod guide;
mod help;
mod html;
mod links;
mod markdown;
mod options;
mod search;
mod wrap;

pub use definitions::{DefinitionFile, definitions};
pub use folder::of_folder;
pub use help::help;
pub use html::html;
pub use links::link;
pub use markdown::markdown;
pub use wrap::wrapped;

use build::of_catalog;

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::spec::Spec;

/// A reference, part by part.
#[derive(Debug)]
pub struct Reference {
    /// The title.
    pub title: String,
    /// The text before the first part.
    pub docs: String,
    /// Types, recipes, constants and so on.
    pub parts: Vec<Part>,
}

/// A group of entries, such as the methods of a type.
#[derive(Debug)]
pub struct Part {
    /// The group of parts, such as "Types".
    pub group: &'static str,
    /// Its name, such as `Domain`.
    pub name: String,
    /// The documentation of the group, as Markdown.
    pub docs: String,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The maps that its functions take and return.
    pub tables: Vec<Table>,
}

/// One function or property with all of its overloads, or one constant.
#[derive(Debug)]
pub struct Entry {
    /// Its name within its part, such as `create`.
    pub name: String,
    /// Its signatures, each with its documentation as Markdown.
    pub ways: Vec<(String, String)>,
    /// The maps that it takes and returns, and those inside them.
    pub tables: Vec<Table>,
}

/// A map with declared keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name in headings.
    pub label: String,
    /// The declaration of its keys.
    pub spec: Arc<Spec>,
    /// True if it is returned; false if it is a map of options.
    pub returned: bool,
}

/// The group of recipes that scripts call.
const RECIPES: &str = "Recipes";
/// The group of files that recipes share.
const PARTS_OF_RECIPES: &str = "Parts of recipes";

impl Part {
    /// True if it is a chapter of the guide.
    pub fn is_chapter(&self) -> bool {
        self.group == guide::GUIDE
    }

    fn is_recipe(&self) -> bool {
        [RECIPES, PARTS_OF_RECIPES].contains(&self.group)
    }
}

impl Reference {
    /// The reference of virhai itself.
    pub fn of(catalog: &Catalog) -> Self {
        of_catalog(catalog)
    }
}
