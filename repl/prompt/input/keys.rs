//! Key bindings beyond those of rustyline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::history::FileHistory;
use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, InputMode, KeyCode,
    KeyEvent, Modifiers, RepeatCount,
};

use super::Input;

/// State that the key bindings and the editor share.
#[derive(Default)]
pub(super) struct Keys {
    /// True if the user wants to write the input in an external editor.
    outside: AtomicBool,
    /// True if the line is from the history, with the cursor at its end.
    recalled: AtomicBool,
}

impl Keys {
    /// True if the user asked for an external editor; the request counts once.
    pub(super) fn goes_outside(&self) -> bool {
        self.outside.swap(false, Ordering::Relaxed)
    }

    pub(super) fn recalled(&self, recalled: bool) {
        self.recalled.store(recalled, Ordering::Relaxed);
    }
}

/// Binds the keys.
pub(super) fn bind(editor: &mut Editor<Input, FileHistory>, keys: &Arc<Keys>) {
    let none = Modifiers::NONE;
    let conditional = |key: Key| EventHandler::Conditional(Box::new(key));
    editor.bind_sequence(
        KeyEvent(KeyCode::Up, none),
        conditional(Key::Up(Arc::clone(keys))),
    );
    editor.bind_sequence(
        KeyEvent(KeyCode::Down, none),
        conditional(Key::Down(Arc::clone(keys))),
    );
    editor.bind_sequence(
        Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]),
        conditional(Key::Outside(Arc::clone(keys))),
    );
    editor.bind_sequence(
        KeyEvent(KeyCode::Char('v'), none),
        conditional(Key::ViOutside(Arc::clone(keys))),
    );
    editor.bind_sequence(KeyEvent(KeyCode::Tab, none), conditional(Key::Tab));
    editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
}

/// A key whose effect depends on the input.
enum Key {
    /// Up: an earlier input that begins as the line does up to the cursor.
    Up(Arc<Keys>),
    /// Down: a later one.
    Down(Arc<Keys>),
    /// Opens the input in the user's own editor.
    Outside(Arc<Keys>),
    /// The same, in vi's command mode.
    ViOutside(Arc<Keys>),
    /// Completes a word, or indents a line that has none.
    Tab,
}

impl ConditionalEventHandler for Key {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let (before, after) = context.line().split_at(context.pos());
        match self {
            Self::Up(keys) => searches(keys, before).then_some(Cmd::HistorySearchBackward),
            Self::Down(keys) => (searches(keys, before) && !after.contains('\n'))
                .then_some(Cmd::HistorySearchForward),
            Self::ViOutside(_) if context.input_mode() != InputMode::Command => None,
            Self::Outside(keys) | Self::ViOutside(keys) => {
                keys.outside.store(true, Ordering::Relaxed);
                Some(Cmd::AcceptLine)
            }
            Self::Tab => {
                let line = before.rsplit('\n').next().unwrap_or_default();
                let indents = before.contains('\n') && line.trim().is_empty();
                indents.then(|| Cmd::Insert(1, "    ".into()))
            }
        }
    }
}

/// True if Up and Down search for inputs that begin with `before`, instead of moving by one line or input.
fn searches(keys: &Keys, before: &str) -> bool {
    !before.is_empty() && !before.contains('\n') && !keys.recalled.load(Ordering::Relaxed)
}
