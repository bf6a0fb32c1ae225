//! All places of a name: shows them, lists them, and renames the object.

use std::collections::HashMap;

use lsp_types::{
    DocumentHighlight, DocumentHighlightParams, Location, ReferenceParams, RenameParams, TextEdit,
    WorkspaceEdit,
};
use virhai::syntax::lexer::{TokenClass, tokens};
use virhai::syntax::occurrences::occurrences;

use super::answers::At;
use super::{Server, place};

impl Server {
    /// The places of the name at `at` that its file defines, its definition first.
    pub(super) fn places(&self, at: &At) -> Option<Vec<Location>> {
        let text = &at.document.text;
        let found = occurrences(text, at.offset)?;
        let location = |span| Location::new(at.document.uri.clone(), place::stretch(text, span));
        Some(found.iter().map(location).collect())
    }

    pub(super) fn references(&self, asked: &ReferenceParams) -> Option<Vec<Location>> {
        self.places(&self.at(&asked.text_document_position)?)
    }

    pub(super) fn highlights(
        &self,
        asked: &DocumentHighlightParams,
    ) -> Option<Vec<DocumentHighlight>> {
        let places = self.places(&self.at(&asked.text_document_position_params)?)?;
        let highlight = |place: Location| DocumentHighlight {
            range: place.range,
            kind: None,
        };
        Some(places.into_iter().map(highlight).collect())
    }

    /// The edit that gives the name at a place another name; nothing if the new one is not a name.
    // The protocol's type has URIs as keys.
    #[allow(clippy::mutable_key_type)]
    pub(super) fn rename(&self, asked: &RenameParams) -> Option<WorkspaceEdit> {
        let new = asked.new_name.as_str();
        let is_name = matches!(&tokens(new)[..], [token] if token.class == TokenClass::Name && token.of(new) == new);
        let at = self.at(&asked.text_document_position)?;
        let places = self.places(&at).filter(|_| is_name)?;
        let edits = places.into_iter();
        let edits = edits.map(|place| TextEdit::new(place.range, new.to_owned()));
        let changes = HashMap::from([(at.document.uri.clone(), edits.collect())]);
        Some(WorkspaceEdit::new(changes))
    }
}
