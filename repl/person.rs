//! The person at the terminal, whom scripts can ask.

use nix::unistd::{Uid, User};
use virhai::person::{Answer, Person};

use crate::question;

/// Asks at the terminal of this process.
pub(crate) struct AtTerminal {
    agreed: bool,
}

impl AtTerminal {
    /// The person of a session. With `agreed`, every question to confirm is answered.
    pub(crate) fn new(agreed: bool) -> Self {
        Self { agreed }
    }
}

impl Person for AtTerminal {
    fn ask(&self, question: &str) -> Answer {
        question::ask(&[question], || virhai::interrupt::stopping_here().is_some())
    }

    fn has_agreed(&self) -> bool {
        self.agreed
    }

    fn name(&self) -> String {
        user_name()
    }
}

/// The name of the user who runs virhai, or the number if there is no name.
pub(crate) fn user_name() -> String {
    let own = Uid::current();
    match User::from_uid(own) {
        Ok(Some(user)) => user.name,
        _ => own.to_string(),
    }
}
