//! Paths, as libvirt's documentation and XPath write them: `devices/disk[@device='cdrom']/source/@file`.

use super::fault::{Fault, Result};
use super::text;

/// The maximum depth of nested conditions.
const MAX_NESTING: usize = 16;

/// A path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// True if it starts at the document.
    pub absolute: bool,
    pub steps: Vec<Step>,
    pub end: End,
    /// The path as it was written.
    pub written: String,
}

/// The end of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Elements,
    Attribute(String),
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub to: To,
    pub conditions: Vec<Condition>,
    /// The step as it was written.
    pub written: String,
}

/// The target of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    Child(String),
    AnyChild,
    Itself,
    Parent,
    /// The element and all that is in it, which `//` stands for.
    Within,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The place among those that the step and its conditions so far select, from 1.
    Index(usize),
    Last,
    Exists(Path),
    /// The path leads to this text; with `false`, it does not.
    Is(Path, String, bool),
}

/// `value` in quotes, as a condition of a path has it.
pub(crate) fn quoted(value: &str) -> String {
    if value.contains('\'') && !value.contains('"') {
        return format!("\"{value}\"");
    }
    format!("'{}'", value.replace('\'', "''"))
}

impl Path {
    /// The steps as they were written, the end among them.
    pub fn written_steps(&self) -> Vec<String> {
        let end = match &self.end {
            End::Elements => None,
            End::Attribute(name) => Some(format!("@{name}")),
            End::Text => Some("text()".into()),
        };
        let steps = self.steps.iter().map(|step| step.written.clone());
        steps.chain(end).collect()
    }

    /// The names of the elements on the way.
    pub fn names(&self) -> Vec<String> {
        let name = |step: &Step| match &step.to {
            To::Child(name) => Some(name.clone()),
            _ => None,
        };
        self.steps.iter().filter_map(name).collect()
    }

    pub fn parse(text: &str) -> Result<Self> {
        let mut parser = Parser {
            text,
            at: 0,
            nesting: 0,
        };
        let path = parser.path()?;
        match parser.peek() {
            None => Ok(path),
            Some(letter) => {
                Err(parser.wrong(format!("{} is not allowed here", text::shown(letter))))
            }
        }
    }

    /// True if the same element could be reached more than once, or out of order.
    pub fn wanders(&self) -> bool {
        let plain = |step: &Step| matches!(step.to, To::Child(_) | To::AnyChild);
        !self.steps.iter().all(plain)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn path(&mut self) -> Result<Path> {
        let start = self.at;
        let mut path = self.route()?;
        path.written = self.text[start..self.at].to_owned();
        Ok(path)
    }

    fn route(&mut self) -> Result<Path> {
        let mut path = Path {
            absolute: false,
            steps: Vec::new(),
            end: End::Elements,
            written: String::new(),
        };
        if self.text[self.at..].starts_with('/') {
            path.absolute = true;
            if !self.text[self.at..].starts_with("//") {
                self.at += 1;
            }
        }
        loop {
            if self.eat("//") {
                path.steps.push(Step {
                    to: To::Within,
                    conditions: Vec::new(),
                    written: "/".into(),
                });
            } else if !path.steps.is_empty() && !self.eat("/") {
                return Ok(path);
            }
            if self.eat("@") {
                path.end = End::Attribute(self.name("an attribute's name")?);
                return self.ended(path);
            }
            if self.eat("text()") {
                path.end = End::Text;
                return self.ended(path);
            }
            path.steps.push(self.step()?);
        }
    }

    /// `path`, which cannot be continued.
    fn ended(&self, path: Path) -> Result<Path> {
        match self.peek() {
            Some('/' | '[') => Err(self.wrong(match path.end {
                End::Text => "a text has no children".into(),
                _ => "an attribute has no children".to_owned(),
            })),
            _ => Ok(path),
        }
    }

    fn step(&mut self) -> Result<Step> {
        let start = self.at;
        let to = if self.eat("..") {
            To::Parent
        } else if self.eat(".") {
            To::Itself
        } else if self.eat("*") {
            To::AnyChild
        } else {
            To::Child(self.name("an element's name")?)
        };
        let mut conditions = Vec::new();
        while self.eat("[") {
            if matches!(to, To::Parent | To::Itself) {
                self.at -= 1;
                return Err(self.wrong("a condition is only allowed after an element's name"));
            }
            conditions.push(self.condition()?);
        }
        Ok(Step {
            to,
            conditions,
            written: self.text[start..self.at].to_owned(),
        })
    }

    fn condition(&mut self) -> Result<Condition> {
        self.blank();
        let digits = self.text[self.at..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let condition = if digits > 0 {
            let number = self.text[self.at..self.at + digits].parse().ok();
            let Some(number) = number.filter(|number| *number > 0) else {
                return Err(self.wrong("elements are counted from 1"));
            };
            self.at += digits;
            Condition::Index(number)
        } else if self.eat("last()") {
            Condition::Last
        } else {
            self.nesting += 1;
            if self.nesting > MAX_NESTING {
                return Err(self.wrong("conditions are nested too deeply"));
            }
            let path = self.path()?;
            self.nesting -= 1;
            self.blank();
            if self.eat("!=") {
                Condition::Is(path, self.value()?, false)
            } else if self.eat("=") {
                Condition::Is(path, self.value()?, true)
            } else {
                Condition::Exists(path)
            }
        };
        self.blank();
        if self.eat("]") {
            Ok(condition)
        } else {
            Err(self.wrong("a condition ends with `]`, and several follow one another, as in `[@type='file'][2]`"))
        }
    }

    fn value(&mut self) -> Result<String> {
        self.blank();
        let quote = match self.peek() {
            Some(quote @ ('\'' | '"')) => quote,
            _ => return Err(self.wrong("the value must be quoted")),
        };
        // A quote within the value is written twice, as in XPath 2.
        let mut value = String::new();
        loop {
            let rest = &self.text[self.at + 1..];
            let Some(length) = rest.find(quote) else {
                return Err(self.wrong("this quote is not closed"));
            };
            value.push_str(&rest[..length]);
            self.at += length + 2;
            if self.peek() != Some(quote) {
                return Ok(value);
            }
            value.push(quote);
        }
    }

    fn name(&mut self, what: &str) -> Result<String> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|letter| !text::is_in_name(letter))
            .unwrap_or(rest.len());
        let name = &rest[..length];
        if name.contains("::") {
            return Err(self.wrong(
                "axes such as `child::` are not supported: a step is a name, `*`, `.` or `..`, and `//` searches at any depth",
            ));
        }
        if name.contains(':') && !text::is_name(name) {
            return Err(self.wrong(format!("`{name}` is not a name")));
        }
        if !text::is_name(name) {
            return Err(self.wrong(format!("{what} is missing")));
        }
        self.at += length;
        match self.peek() {
            Some('(') => Err(self.wrong("only `text()` and `last()` are supported")),
            _ => Ok(name.to_owned()),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn blank(&mut self) {
        while self.eat(" ") {}
    }

    fn wrong(&self, message: impl std::fmt::Display) -> Fault {
        let column = self.text[..self.at].chars().count() + 1;
        Fault::new(format!(
            "the path `{}` is wrong at column {column}: {message}",
            self.text
        ))
        .with_hint("a path looks like devices/disk[@device='cdrom']/source/@file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_path_is_found_where_it_stands() {
        let cases = [
            ("", 1),
            ("a/", 3),
            ("a//", 4),
            ("/", 2),
            ("a b", 2),
            ("a[", 3),
            ("a[0]", 3),
            ("a[1", 4),
            ("a[@b=c]", 6),
            ("a[@b='c]", 6),
            ("a[@b='c'", 9),
            ("@b/c", 3),
            ("text()/c", 7),
            ("a[b or c]", 5),
            ("count(a)", 6),
            ("a///b", 4),
            (".[1]", 2),
            ("é/1", 3),
            ("@", 2),
            ("a[]", 3),
            ("///a", 3),
            ("a/child::b", 3),
            ("following-sibling::a", 1),
            ("a/@attribute::b", 4),
            ("a[self::b]", 3),
            ("a:b:c", 1),
            (":a", 1),
            ("a:", 1),
        ];
        for (path, column) in cases {
            let fault = Path::parse(path).expect_err(path);
            assert!(
                fault.message.contains(&format!("column {column}:")),
                "{path}: {fault}"
            );
        }
    }

    #[test]
    fn a_value_in_quotes_is_read_as_it_was() {
        for value in [
            "",
            "a",
            "O'Brien",
            "a \"b\"",
            "a'b \"c\" & <d>",
            "'",
            "\"",
            "''",
            "a]b",
            "'\"",
        ] {
            let path = Path::parse(&format!("a[@b={}]/c", quoted(value))).expect(value);
            assert_eq!(path.steps.len(), 2, "{value}");
            let [Condition::Is(_, read, true)] = &path.steps[0].conditions[..] else {
                panic!("{value}: {path:?}");
            };
            assert_eq!(read, value);
        }
    }

    #[test]
    fn a_path_says_where_it_goes() {
        let path = Path::parse("//disk[@device='cdrom'][2]/source/@file").expect("it is right");
        assert!(path.absolute);
        assert_eq!(path.end, End::Attribute("file".into()));
        let written: Vec<&str> = path
            .steps
            .iter()
            .map(|step| step.written.as_str())
            .collect();
        assert_eq!(written, ["/", "disk[@device='cdrom'][2]", "source"]);
        for right in [
            ".",
            "..",
            "../a",
            "*",
            "@a",
            "text()",
            "a/text()",
            "/a",
            "a[b/@c != \"d\"]",
            "a[text()='b']",
            "a[.='b']",
            "x:a[@x:b]",
            "a[last()]",
            "a[ 1 ]",
            ".//a",
            "a[b[c[1]]]",
        ] {
            Path::parse(right).unwrap_or_else(|fault| panic!("{right}: {fault}"));
        }
    }

    #[test]
    fn conditions_without_end_are_refused() {
        let deep = format!("{}{}", "a[".repeat(100_000), "]".repeat(100_000));
        Path::parse(&deep).expect_err("it is too deep");
    }
}
