//! The results of an editor's requests about one place of a text.

use std::path::{Path, PathBuf};

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, CompletionTextEdit,
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Documentation,
    GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverContents, HoverParams, Location,
    MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp,
    SignatureHelpParams, SignatureInformation, SymbolKind, TextDocumentPositionParams, TextEdit,
};
use virhai::Imports;
use virhai::catalog::Recipe;
use virhai::completion::{CandidateKind, File, Surroundings};
use virhai::reference;
use virhai::syntax::name_at::{NameAt, name_at};
use virhai::syntax::outline::Outline;
use virhai::syntax::text::Text;

use super::documents::{Document, uri_of};
use super::{Server, place};

/// A document, and a place in it.
pub(super) struct At<'a> {
    pub(super) document: &'a Document,
    imports: Imports,
    pub(super) offset: usize,
}

impl Server {
    pub(super) fn at(&self, asked: &TextDocumentPositionParams) -> Option<At<'_>> {
        let document = self.documents.get(&asked.text_document.uri)?;
        Some(At {
            document,
            imports: self.documents.imports(document),
            offset: place::byte(&document.text, asked.position),
        })
    }

    pub(super) fn complete(&self, asked: &CompletionParams) -> Option<CompletionResponse> {
        let at = self.at(&asked.text_document_position)?;
        let text = &at.document.text;
        let around = Around { at: &at };
        let found = self
            .completer
            .complete(&self.catalog, &around, text, at.offset);
        let range = place::stretch(text, &found.replaced);
        let item = |(index, candidate): (usize, virhai::completion::Candidate)| CompletionItem {
            label: candidate.label,
            kind: Some(item_kind(candidate.kind)),
            documentation: (!candidate.docs.is_empty()).then(|| markdown(candidate.docs)),
            // Editors sort by this: the likely first, as they came.
            sort_text: Some(format!("{index:05}")),
            filter_text: Some(candidate.insert.clone()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(
                range,
                candidate.insert,
            ))),
            ..CompletionItem::default()
        };
        let items = found.candidates.into_iter().enumerate().map(item).collect();
        Some(CompletionResponse::Array(items))
    }

    pub(super) fn hover(&self, asked: &HoverParams) -> Option<Hover> {
        let at = self.at(&asked.text_document_position_params)?;
        let text = &at.document.text;
        let (named, span) = name_at(text, at.offset)?;
        let told = match &named {
            NameAt::Path(path) => {
                let (_, source) = at.imports.source(Some(&at.document.name()), path).ok()?;
                Outline::of(&source).docs
            }
            NameAt::Plain(name) if name.starts_with("VIR_") => {
                fenced(&reference::help(&self.catalog, name)?)
            }
            _ => match self.option(&at, span.end) {
                Some(option) => option,
                None => self.ways(&at, span.end)?,
            },
        };
        Some(Hover {
            contents: HoverContents::Markup(MarkupContent {
                kind: MarkupKind::Markdown,
                value: told,
            }),
            range: Some(place::stretch(text, &span)),
        })
    }

    /// The declaration of the option whose key ends at the byte `end`.
    fn option(&self, at: &At, end: usize) -> Option<String> {
        let around = Around { at };
        let before = &at.document.text[..end];
        let key = self.completer.option(&self.catalog, &around, before)?;
        Some(format!("`{}`: {}", key.name, key.in_a_line()))
    }

    /// The signatures and the documentation of the name that ends at the byte `end`.
    fn ways(&self, at: &At, end: usize) -> Option<String> {
        let around = Around { at };
        let before = &at.document.text[..end];
        let (ways, _) = self.completer.signatures(&self.catalog, &around, before)?;
        let mut told: Vec<String> = Vec::new();
        for way in ways {
            let docs = match way.docs.is_empty() {
                true => own_docs(at, &way.name).unwrap_or_default(),
                false => way.docs.clone(),
            };
            told.push(
                format!("{}\n\n{docs}", fenced(&way.to_string()))
                    .trim_end()
                    .to_owned(),
            );
        }
        (!told.is_empty()).then(|| told.join("\n\n---\n\n"))
    }

    pub(super) fn signature(&self, asked: &SignatureHelpParams) -> Option<SignatureHelp> {
        let at = self.at(&asked.text_document_position_params)?;
        let around = Around { at: &at };
        let before = &at.document.text[..at.offset];
        let (ways, argument) = self.completer.signatures(&self.catalog, &around, before)?;
        let argument = argument?;
        let active = ways.iter().position(|way| way.parameters.len() > argument);
        let signatures = ways.iter().map(|way| SignatureInformation {
            label: way.to_string(),
            documentation: (!way.docs.is_empty()).then(|| markdown(way.docs.clone())),
            parameters: Some(
                way.parameters
                    .iter()
                    .map(|parameter| ParameterInformation {
                        label: ParameterLabel::Simple(parameter.clone()),
                        documentation: None,
                    })
                    .collect(),
            ),
            active_parameter: None,
        });
        let number = |index: usize| u32::try_from(index).ok();
        Some(SignatureHelp {
            signatures: signatures.collect(),
            active_signature: number(active.unwrap_or(0)),
            active_parameter: number(argument),
        })
    }

    pub(super) fn definition(
        &self,
        asked: &GotoDefinitionParams,
    ) -> Option<GotoDefinitionResponse> {
        let at = self.at(&asked.text_document_position_params)?;
        let (text, from) = (&at.document.text, at.document.name());
        let (named, _) = name_at(text, at.offset)?;
        let outline = Outline::of(text);
        let source = |path: &str| {
            let (file, text) = at.imports.source(Some(&from), path).ok()?;
            Some((file, Text::from(text)))
        };
        let module = |alias: &str| outline.path_of_alias(alias).map(source);
        let ((file, source), wanted) = match named {
            NameAt::Path(path) => (source(path)?, None),
            NameAt::InModule { alias, name } => (module(alias)??, Some(name)),
            NameAt::Plain(name) => match module(name) {
                Some(imported) => (imported?, None),
                None => ((from.clone(), text.clone()), Some(name)),
            },
            NameAt::Member(_) => return None,
        };
        let uri = if file == at.document.name() {
            at.document.uri.clone()
        } else {
            uri_of(&on_disk(&file, &source)?)?
        };
        let places: Vec<Location> = match wanted {
            None => vec![Location::new(uri, lsp_types::Range::default())],
            Some(name) => Outline::of(&source)
                .functions
                .into_iter()
                .filter(|function| function.name == name)
                .map(|function| {
                    Location::new(uri.clone(), place::stretch(&source, &function.name_span))
                })
                .collect(),
        };
        let places = match places.is_empty() {
            true => self.places(&at).into_iter().flatten().take(1).collect(),
            false => places,
        };
        (!places.is_empty()).then_some(GotoDefinitionResponse::Array(places))
    }

    pub(super) fn symbols(&self, asked: &DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
        let document = self.documents.get(&asked.text_document.uri)?;
        let text = &document.text;
        let symbols = Outline::of(text).functions.into_iter().map(|function| {
            #[allow(deprecated)] // The field must be given, and is not used.
            DocumentSymbol {
                name: function.name,
                detail: None,
                kind: SymbolKind::FUNCTION,
                tags: None,
                deprecated: None,
                range: place::stretch(text, &function.span),
                selection_range: place::stretch(text, &function.name_span),
                children: None,
            }
        });
        Some(DocumentSymbolResponse::Nested(symbols.collect()))
    }
}

/// The doc comment of the text's own function `name`.
fn own_docs(at: &At, name: &str) -> Option<String> {
    let mut own = Outline::of(&at.document.text).functions.into_iter();
    Some(own.find(|function| function.name == name)?.docs)
}

/// The surroundings of a text in an editor: the files beside it, without a host.
struct Around<'a> {
    at: &'a At<'a>,
}

impl Surroundings for Around<'_> {
    fn imports(&self) -> Imports {
        self.at.imports.clone()
    }

    fn script(&self, path: &str) -> Option<Recipe> {
        let from = self.at.document.name();
        let (_, text) = self.at.imports.source(Some(&from), path).ok()?;
        Some(Recipe::of(path, &text))
    }

    fn files(&self, folder: &str) -> Vec<File> {
        let Ok(entries) = std::fs::read_dir(self.at.document.folder().join(folder)) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| {
                Some(File {
                    name: entry.file_name().into_string().ok()?,
                    folder: entry.path().is_dir(),
                })
            })
            .collect()
    }
}

/// The file called `name`, where an editor can open it. A recipe of the standard library is in
/// the binary: a copy to read is put into the user's cache.
fn on_disk(name: &str, text: &str) -> Option<PathBuf> {
    let Some(recipe) = name.strip_prefix("std/") else {
        return std::path::absolute(name).ok();
    };
    let home = |variable: &str| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache = home("XDG_CACHE_HOME").or_else(|| home("HOME").map(|home| home.join(".cache")))?;
    let folder = cache.join(format!("virhai/std-{}", virhai::versions().virhai));
    let file = folder.join(recipe);
    if virhai::files::read_script(&file).ok().as_deref() != Some(text) {
        write_to_read(&folder, &file, text).ok()?;
    }
    Some(file)
}

/// Writes a read-only file, so that it is not changed by mistake.
fn write_to_read(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut copy = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut copy, text.as_bytes())?;
    let copy = copy.persist(file)?;
    let mut permissions = copy.metadata()?.permissions();
    permissions.set_readonly(true);
    copy.set_permissions(permissions)
}

fn fenced(code: &str) -> String {
    format!("```rhai\n{code}\n```")
}

fn markdown(text: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent {
        kind: MarkupKind::Markdown,
        value: text,
    })
}

fn item_kind(kind: CandidateKind) -> CompletionItemKind {
    match kind {
        CandidateKind::Method => CompletionItemKind::METHOD,
        CandidateKind::Property => CompletionItemKind::PROPERTY,
        CandidateKind::Function => CompletionItemKind::FUNCTION,
        CandidateKind::Variable => CompletionItemKind::VARIABLE,
        CandidateKind::Keyword => CompletionItemKind::KEYWORD,
        CandidateKind::Constant => CompletionItemKind::CONSTANT,
        CandidateKind::Module => CompletionItemKind::MODULE,
        CandidateKind::Key => CompletionItemKind::FIELD,
        CandidateKind::Word => CompletionItemKind::VALUE,
        CandidateKind::File => CompletionItemKind::FILE,
    }
}
