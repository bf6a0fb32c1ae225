//! The findings of a check, as data.

use std::fmt;

use serde::Serialize;

use crate::syntax::span::Span;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The script cannot work as written.
    Error,
    /// The script runs, but most likely not as intended.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $what:literal])+ $name:ident = $id:literal, $severity:ident;)*) => {
        /// The kinds of findings; their names stay as they are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $what])+ $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name, such as `unknown-function`.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The severity.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }

            /// The explanation, in one sentence.
            pub fn explanation(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($what),+).trim_ascii(),)*
                }
            }
        }
    };
}

codes! {
    /// The text is not Rhai.
    Syntax = "syntax", Error;
    /// The imported file cannot be found or read, or may not be imported.
    UnresolvedImport = "unresolved-import", Error;
    /// No function has this name.
    UnknownFunction = "unknown-function", Error;
    /// Values of this type have no such method.
    UnknownMethod = "unknown-method", Error;
    /// Values of this type have no such property.
    UnknownProperty = "unknown-property", Error;
    /// libvirt has no constant of this name.
    UnknownConstant = "unknown-constant", Error;
    /// No variable has this name here.
    UnknownVariable = "unknown-variable", Error;
    /// No import has this name.
    UnknownModule = "unknown-module", Error;
    /// The function takes another number of arguments, or calls its closure with another number of them.
    WrongArgumentCount = "wrong-argument-count", Error;
    /// The function does not take a value of this type here.
    WrongType = "wrong-type", Error;
    /// The whole number has more than 64 bits.
    LargeNumber = "large-number", Error;
    /// The map of options has a key that the function does not know.
    UnknownOption = "unknown-option", Error;
    /// The map of options lacks one that must be given.
    MissingOption = "missing-option", Error;
    /// The value of an option is not of the type that the function takes.
    WrongOption = "wrong-option", Error;
    /// The declaration of options or inputs contradicts itself, or has an unknown type or field.
    WrongDeclaration = "wrong-declaration", Error;
    /// The map has no such key.
    UnknownKey = "unknown-key", Error;
    /// No call returns or takes this word here.
    UnknownWord = "unknown-word", Error;
    /// A call without a result is in a place that needs a value.
    NoValue = "no-value", Error;
    /// The values have types that are never equal.
    NeverEqual = "never-equal", Error;
    /// Sizes or durations that are text are compared by their letters.
    TextOrder = "text-order", Warning;
    /// The constant belongs to another parameter or call.
    WrongFlag = "wrong-flag", Error;
    /// A value between quotes in an XML path: a quote in the value would break the path.
    UnquotedValue = "unquoted-value", Error;
    /// A call of the script's own function in place of a method with the same name.
    ShadowedMethod = "shadowed-method", Error;
    /// The closure uses a variable that is locked during this call.
    HeldVariable = "held-variable", Error;
    /// The closure does not capture the variable, since a function has its name.
    NotCaptured = "not-captured", Error;
    /// The variable is never read.
    UnusedVariable = "unused-variable", Warning;
    /// The import is never used.
    UnusedImport = "unused-import", Warning;
    /// The value of the statement is unused, and it has no other effect.
    UnusedResult = "unused-result", Warning;
    /// A value that is written to a copy is lost: a variable that a closure of `parallel` captured, a variable of a loop, XML
    /// that no variable holds.
    LostWrite = "lost-write", Warning;
    /// The closure of `for_each` takes the position of the item; the item is `this`.
    PositionNotItem = "position-not-item", Warning;
    /// Nothing calls the function `main`, and the script does nothing else.
    UncalledMain = "uncalled-main", Warning;
    /// An input that may not be given is used without a test for `()`.
    OptionalInput = "optional-input", Warning;
    /// The call has no effect or fails in the state that the previous lines leave.
    WrongState = "wrong-state", Warning;
    /// The XML of a running guest is made its definition.
    LiveDump = "live-dump", Warning;
    /// `${name}` in text between double quotes, which does not insert values.
    NotInserted = "not-inserted", Warning;
    /// The text is written between three quotes, and so begins and ends with a quote.
    TripleQuotes = "triple-quotes", Warning;
    /// The doc comment names a type that does not exist.
    UnknownType = "unknown-type", Warning;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// Another place that explains a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The message.
    pub message: String,
    /// The file, as positions call it.
    pub file: String,
    /// The place.
    pub span: Span,
}

/// One thing that is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of the finding.
    pub code: Code,
    /// The severity.
    pub severity: Severity,
    /// The message, a sentence without a full stop.
    pub message: String,
    /// The file, as positions call it.
    pub file: String,
    /// The place.
    pub span: Span,
    /// The text at the place itself; empty if the message suffices.
    pub label: String,
    /// The hint with the text to write instead.
    pub hint: Option<String>,
    /// Further places: the definition, or the imports that lead here, the nearest first.
    pub related: Vec<Related>,
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_have_names_of_their_own() {
        let mut ids: Vec<&str> = Code::ALL.iter().map(|code| code.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Code::ALL.len());
        assert!(Code::Syntax.explanation().ends_with('.'));
    }
}
