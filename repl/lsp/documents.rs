//! The texts that are open in the editor.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, PublishDiagnosticsParams, Uri,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use virhai::Imports;
use virhai::syntax::text::Text;

/// One open text.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) text: Text,
    version: i32,
    /// Its path on disk; `None` before it is saved for the first time.
    path: Option<PathBuf>,
}

/// All open texts.
#[derive(Debug, Default)]
pub(super) struct Documents(HashMap<String, Document>);

impl Documents {
    pub(super) fn open(&mut self, params: Value) -> Option<Uri> {
        let opened: DidOpenTextDocumentParams = serde_json::from_value(params).ok()?;
        let opened = opened.text_document;
        let document = Document {
            path: path_of(&opened.uri),
            uri: opened.uri.clone(),
            text: Text::from(opened.text),
            version: opened.version,
        };
        self.0.insert(opened.uri.to_string(), document);
        Some(opened.uri)
    }

    pub(super) fn change(&mut self, params: Value) -> Option<Uri> {
        let changed: DidChangeTextDocumentParams = serde_json::from_value(params).ok()?;
        let document = self.0.get_mut(changed.text_document.uri.as_str())?;
        document.version = changed.text_document.version;
        // Each change is the whole text: no other was offered.
        document.text = Text::from(changed.content_changes.into_iter().next_back()?.text);
        Some(changed.text_document.uri)
    }

    pub(super) fn saved(&self, params: Value) -> Option<Uri> {
        let saved: DidSaveTextDocumentParams = serde_json::from_value(params).ok()?;
        Some(saved.text_document.uri)
    }

    /// Removes a text, and its diagnostics.
    pub(super) fn close(&mut self, params: Value) -> Option<PublishDiagnosticsParams> {
        let closed: DidCloseTextDocumentParams = serde_json::from_value(params).ok()?;
        let uri = closed.text_document.uri;
        self.0.remove(uri.as_str())?;
        Some(PublishDiagnosticsParams::new(uri, Vec::new(), None))
    }

    pub(super) fn get(&self, uri: &Uri) -> Option<&Document> {
        self.0.get(uri.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Document> {
        self.0.values()
    }

    /// The imports of `document`; open texts take the place of their files.
    pub(super) fn imports(&self, document: &Document) -> Imports {
        let imports = Imports::new([document.folder()]);
        for open in self.iter() {
            if let Some(path) = &open.path {
                imports.unsaved(path, open.text.to_string());
            }
        }
        imports
    }
}

impl Document {
    /// The name of the document in positions.
    pub(super) fn name(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => self.uri.to_string(),
        }
    }

    pub(super) fn version(&self) -> i32 {
        self.version
    }

    /// The folder that it imports from.
    pub(super) fn folder(&self) -> PathBuf {
        let folder = self.path.as_deref().and_then(Path::parent);
        folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
    }
}

/// The path of the file `uri`, if it names a file.
fn path_of(uri: &Uri) -> Option<PathBuf> {
    let path = uri.as_str().strip_prefix("file://")?;
    // A host before the path is this one, or none.
    let path = &path[path.find('/')?..];
    let path = percent_decode_str(path).decode_utf8().ok()?;
    Some(PathBuf::from(path.into_owned()))
}

/// Characters that need no escape in the path of a URI.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~');

/// The URI of a file.
pub(super) fn uri_of(path: &Path) -> Option<Uri> {
    let path = path.to_str()?;
    Uri::from_str(&format!("file://{}", utf8_percent_encode(path, PLAIN))).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{path_of, uri_of};

    #[test]
    fn files_are_named_by_uris_and_back() {
        let path = Path::new("/srv/my lab/büro #1/web.rhai");
        let uri = uri_of(path).expect("it has one");
        assert_eq!(
            uri.as_str(),
            "file:///srv/my%20lab/b%C3%BCro%20%231/web.rhai"
        );
        assert_eq!(path_of(&uri).as_deref(), Some(path));
    }
}
