//! `virhai lsp`: a language server over standard input and output.

mod answers;
mod documents;
mod fixes;
mod frames;
mod occurrences;
mod place;
mod problems;

use std::io::Write;

use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument, Exit,
    Notification as _, PublishDiagnostics,
};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentHighlightRequest, DocumentSymbolRequest, GotoDefinition,
    HoverRequest, Initialize, References, Rename, Request as _, Shutdown, SignatureHelpRequest,
};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    HoverProviderCapability, OneOf, PublishDiagnosticsParams, ServerCapabilities,
    SignatureHelpOptions, TextDocumentSyncCapability, TextDocumentSyncKind,
};
use rhai::Engine;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use virhai::catalog::Catalog;
use virhai::completion::Completer;
use virhai::engine::{self, Limits};
use virhai::{Imports, Session, SessionOptions, stack_size};

use crate::exit_status::{DONE, FAILED};
use documents::Documents;
use frames::Frame;

/// The state that answers are made from.
struct Server {
    engine: Engine,
    catalog: Catalog,
    completer: Completer,
    documents: Documents,
}

/// Serves until the editor leaves, and returns the exit status.
pub(crate) fn serve() -> u8 {
    // Text nests as deep as it likes.
    let server = std::thread::Builder::new()
        .name("server".into())
        .stack_size(stack_size())
        .spawn(|| match work() {
            Ok(true) => DONE,
            Ok(false) => FAILED,
            Err(error) => {
                eprintln!("error: {error}");
                FAILED
            }
        });
    match server.map(std::thread::JoinHandle::join) {
        Ok(Ok(status)) => status,
        Ok(Err(_)) => FAILED,
        Err(error) => {
            eprintln!("error: cannot start a thread: {error}");
            FAILED
        }
    }
}

/// The phase of the protocol: before `initialize`, working, or after `shutdown`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Begins,
    Works,
    Leaves,
}

/// Runs the server; returns whether the editor shut it down properly before it ended.
fn work() -> anyhow::Result<bool> {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let mut server = Server {
        catalog: Catalog::new(&engine),
        completer: Completer::default(),
        documents: Documents::default(),
        engine,
    };
    let mut phase = Phase::Begins;
    let mut input = std::io::stdin().lock();
    loop {
        let message = match frames::read(&mut input) {
            Frame::Message(message) => *message,
            Frame::Refused(answer) => {
                send(&answer)?;
                continue;
            }
            Frame::End => return Ok(phase == Phase::Leaves),
            Frame::Broken(why) => {
                let answer = frames::refusal(&Value::Null, ErrorCode::InvalidRequest, &why);
                send(&answer)?;
                anyhow::bail!("{why}");
            }
        };
        match message {
            Message::Notification(told) if told.method == Exit::METHOD => {
                return Ok(phase == Phase::Leaves);
            }
            Message::Request(request) => {
                let answer = match (phase, request.method.as_str()) {
                    (Phase::Begins, Initialize::METHOD) => {
                        phase = Phase::Works;
                        Response::new_ok(request.id, introduction())
                    }
                    (Phase::Begins, _) => {
                        let why = "the first request must be `initialize`".to_owned();
                        Response::new_err(request.id, ErrorCode::ServerNotInitialized as i32, why)
                    }
                    (Phase::Works, Shutdown::METHOD) => {
                        phase = Phase::Leaves;
                        Response::new_ok(request.id, ())
                    }
                    (Phase::Works, Initialize::METHOD) | (Phase::Leaves, _) => {
                        let why = format!(
                            "`{}` is not allowed at this point of the session",
                            request.method
                        );
                        Response::new_err(request.id, ErrorCode::InvalidRequest as i32, why)
                    }
                    (Phase::Works, _) => server.answer(request),
                };
                send(&answer)?;
            }
            Message::Notification(told) if phase == Phase::Works => {
                for news in server.hear(told) {
                    send(&Notification::new(PublishDiagnostics::METHOD.into(), news))?;
                }
            }
            Message::Notification(_) | Message::Response(_) => {}
        }
    }
}

/// The server's answer to `initialize`: its name, version and capabilities.
fn introduction() -> Value {
    let server_info = json!({ "name": "virhai", "version": virhai::versions().virhai });
    json!({ "capabilities": capabilities(), "serverInfo": server_info })
}

/// Sends a message to the editor.
fn send(message: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut value = serde_json::to_value(message)?;
    value["jsonrpc"] = "2.0".into();
    let mut output = std::io::stdout().lock();
    output.write_all(frames::framed(&value).as_bytes())?;
    Ok(output.flush()?)
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([".", ":", "\"", "/", "#"].map(String::from).into()),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(["(", ","].map(String::from).into()),
            ..SignatureHelpOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

impl Server {
    fn answer(&self, request: Request) -> Response {
        let (id, params) = (request.id, request.params);
        // A defect in one answer must not end the server.
        let answer = engine::guarded(|| {
            Ok(match request.method.as_str() {
                CodeActionRequest::METHOD => with(params, |it| self.fixes(&it)),
                Completion::METHOD => with(params, |it| self.complete(&it)),
                HoverRequest::METHOD => with(params, |it| self.hover(&it)),
                SignatureHelpRequest::METHOD => with(params, |it| self.signature(&it)),
                GotoDefinition::METHOD => with(params, |it| self.definition(&it)),
                DocumentHighlightRequest::METHOD => with(params, |it| self.highlights(&it)),
                References::METHOD => with(params, |it| self.references(&it)),
                Rename::METHOD => with(params, |it| self.rename(&it)),
                DocumentSymbolRequest::METHOD => with(params, |it| self.symbols(&it)),
                method => Err((
                    ErrorCode::MethodNotFound,
                    format!("unknown method {method}"),
                )),
            })
        });
        match answer {
            Ok(Ok(result)) => Response::new_ok(id, result),
            Ok(Err((code, message))) => Response::new_err(id, code as i32, message),
            Err(error) => Response::new_err(id, ErrorCode::InternalError as i32, error.to_string()),
        }
    }

    /// Handles a notification and returns the diagnostics for the editor.
    fn hear(&mut self, told: Notification) -> Vec<PublishDiagnosticsParams> {
        let params = told.params;
        let uri = match told.method.as_str() {
            DidOpenTextDocument::METHOD => self.documents.open(params),
            DidChangeTextDocument::METHOD => self.documents.change(params),
            DidSaveTextDocument::METHOD => self.documents.saved(params),
            DidCloseTextDocument::METHOD => {
                return self.documents.close(params).into_iter().collect();
            }
            _ => None,
        };
        let Some(changed) = uri else {
            return Vec::new();
        };
        let checked = engine::guarded(|| Ok(self.problems(&changed)));
        checked.unwrap_or_default()
    }
}

/// Decodes the parameters of a request, and encodes its answer.
fn with<P: DeserializeOwned, A: serde::Serialize>(
    params: Value,
    answer: impl FnOnce(P) -> A,
) -> Result<Value, (ErrorCode, String)> {
    let asked = serde_json::from_value(params)
        .map_err(|error| (ErrorCode::InvalidParams, error.to_string()))?;
    serde_json::to_value(answer(asked))
        .map_err(|error| (ErrorCode::InternalError, error.to_string()))
}
