//! Code that reads the text of scripts by itself, found by the texts that it searches for:
//! keywords, comments, line ends.

use std::collections::BTreeSet;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Expr, ExprArray, ExprMethodCall, ItemMod, Lit};
use virhai::syntax::keywords;

use super::imports::is_of_tests;

/// Methods that look for a text in another.
const SEARCHES: &[&str] = &[
    "contains",
    "ends_with",
    "find",
    "match_indices",
    "matches",
    "rfind",
    "rsplit",
    "rsplit_once",
    "split",
    "split_once",
    "splitn",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
    "trim_end_matches",
    "trim_matches",
    "trim_start_matches",
];

/// Signs of scripts: the beginnings of comments, of maps and of code within text.
const SIGNS: &[&str] = &["//", "///", "//!", "/*", "*/", "#!", "#{", "${"];

/// Items of Rhai that read text.
const LEXERS: &[&str] = &[
    "get_next_token",
    "InputStream",
    "TokenizeState",
    "TokenIterator",
];

/// Keywords that are also words of other texts.
const COMMON: &[&str] = &["as", "do", "for", "if", "in", "this", "true", "false"];

/// A place that reads the text of scripts by itself: the file, and a description.
pub(super) type Reading = (String, String);

/// The places below `root` that read script text, except those below `syntax/` and in tests.
pub(super) fn readings(root: &Path) -> Vec<Reading> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.expect("the sources can be listed");
        let path = entry.path();
        let name = path.strip_prefix(root).expect("it is below the root");
        let is_left_out = name.iter().any(|part| {
            ["syntax", "tests", "tests.rs"]
                .iter()
                .any(|one| part == *one)
        });
        if is_left_out || path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a source is text");
        let file = syn::parse_file(&text).expect("a source parses");
        let mut reader = Reader::default();
        reader.visit_file(&file);
        let name = name.display().to_string();
        found.extend(reader.found.into_iter().map(|what| (name.clone(), what)));
    }
    found
}

#[derive(Default)]
struct Reader {
    found: BTreeSet<String>,
}

fn is_keyword(word: &str) -> bool {
    let word = word.trim_end();
    let mut all = keywords::statements().chain(keywords::within());
    all.any(|keyword| keyword == word) && !COMMON.contains(&word)
}

/// The texts and letters in an argument of a search.
fn texts(argument: &Expr) -> Vec<String> {
    match argument {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => vec![text.value()],
            Lit::Char(letter) => vec![letter.value().to_string()],
            _ => Vec::new(),
        },
        Expr::Array(array) => array.elems.iter().flat_map(texts).collect(),
        Expr::Reference(reference) => texts(&reference.expr),
        // `format!("fn {name}(")`
        Expr::Macro(called) if called.mac.path.is_ident("format") => {
            let first = called.mac.tokens.clone().into_iter().next();
            let format = first.map(|token| syn::parse_str::<syn::LitStr>(&token.to_string()));
            match format {
                Some(Ok(text)) => vec![text.value()],
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// True if a search for `text` reads a script.
fn is_of_scripts(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    SIGNS.contains(&text.trim()) || is_keyword(text) || text.contains(' ') && is_keyword(first)
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let method = call.method.to_string();
        if SEARCHES.contains(&method.as_str()) {
            for text in call.args.iter().flat_map(texts) {
                // Code that counts line ends computes the number of a line.
                let counts = method.starts_with("match") && text == "\n";
                if is_of_scripts(&text) || counts {
                    self.found.insert(format!("{method}({text:?})"));
                }
            }
        }
        if method == "encode_utf16" {
            self.found.insert("counts in UTF-16".into());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_array(&mut self, array: &'ast ExprArray) {
        let words: Vec<String> = array.elems.iter().flat_map(texts).collect();
        let count = words.iter().filter(|word| is_keyword(word)).count();
        if count > 2 && count * 2 > words.len() {
            self.found
                .insert(format!("lists keywords: {}", words.join(", ")));
        }
        visit::visit_expr_array(self, array);
    }

    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        if LEXERS.iter().any(|lexer| name == lexer) {
            self.found.insert(format!("uses {name}"));
        }
    }
}
