//! Filters of events.

use rhai::{Dynamic, Map};

use crate::advice::suggest;
use crate::libvirt::events::{self, Event, EventKind};

/// The kind that matches every kind.
pub const ANY: &str = "any";

/// A filter: a kind, and the required values of fields.
#[derive(Clone)]
pub struct Filter {
    /// `None` for events of any kind.
    kind: Option<&'static EventKind>,
    /// The kind of object, such as `domain`; `None` for any.
    noun: Option<&'static str>,
    /// Each field and the text that it must have.
    fields: Vec<(String, String)>,
}

/// A field of a filter as it is given.
#[derive(Debug, Clone)]
pub struct Given {
    /// The name of the field.
    pub key: String,
    /// The text that it must have.
    pub text: String,
    /// True if the text is the UUID of the object that the field names.
    pub is_uuid: bool,
}

/// The reason why a filter is wrong, with a hint.
#[derive(Debug)]
pub struct Refusal {
    /// The error.
    pub message: String,
    /// The hint with the text to write instead.
    pub hint: String,
}

impl Filter {
    /// Every event, whatever its kind.
    pub fn any() -> Self {
        Self {
            kind: None,
            noun: None,
            fields: Vec::new(),
        }
    }

    /// The filter for events with the fields `given`. Without `kind`, it is for the lifecycle of the object that they
    /// name.
    ///
    /// # Errors
    ///
    /// For a kind, a field or a word that no event has.
    pub fn new(given: Vec<Given>) -> Result<Self, Refusal> {
        let fields = given.into_iter();
        let (keys, fields): (Vec<String>, Vec<(String, String)>) = fields
            .map(|Given { key, text, is_uuid }| match is_uuid {
                true => (key, ("uuid".to_owned(), text)),
                false => (key.clone(), (key, text)),
            })
            .unzip();
        let kind = fields.iter().find(|(key, _)| key == "kind");
        let named = events::FAMILIES
            .iter()
            .find(|family| keys.iter().any(|key| key == family.noun));
        let kind = kind.map_or_else(
            || named.map_or("lifecycle", |family| family.lifecycle),
            |(_, kind)| kind,
        );
        let kind = match kind {
            ANY => None,
            name => Some(events::kind(name).ok_or_else(|| unknown_kind(name))?),
        };
        check_keys(kind, keys.iter().map(String::as_str))?;
        if let Some(kind) = kind {
            check_values(kind, &fields)?;
        }
        let fields = with_plain_uuids(fields)?;
        check_objects(&keys, &fields)?;
        Ok(Self {
            kind,
            noun: kind.map(|kind| kind.family.noun).or(named.map(|f| f.noun)),
            fields,
        })
    }

    /// The kinds that its events can have.
    fn kinds(&self) -> Vec<&'static EventKind> {
        match self.kind {
            Some(kind) => vec![kind],
            // QEMU's own events repeat those of libvirt.
            None => events::all()
                .filter(|kind| self.noun.is_none_or(|noun| kind.family.noun == noun))
                .filter(|kind| kind.name != events::QEMU_MONITOR)
                .collect(),
        }
    }

    /// True if it matches events of any kind.
    pub(crate) fn is_for_any_kind(&self) -> bool {
        self.kind.is_none()
    }

    /// The name of its kind; `None` for any.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        self.kind.map(|kind| kind.name)
    }

    /// The UUID of the domain that the event must be of, if it names one.
    pub(crate) fn domain(&self) -> Option<&str> {
        (self.noun == Some("domain"))
            .then(|| self.field("uuid"))
            .flatten()
    }

    /// The text that the field `name` must have.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, text)| text.as_str())
    }

    /// True if `event` is of its kind.
    pub(crate) fn is_of_kind(&self, event: &Event) -> bool {
        match self.kind {
            Some(kind) => kind.name == event.kind,
            None => self.noun.is_none_or(|noun| noun == event.noun),
        }
    }

    /// True if its events are about that object.
    pub(crate) fn concerns(&self, noun: &str, name: &str, uuid: &str) -> bool {
        self.noun.is_none_or(|own| own == noun)
            && self.fields.iter().all(|(key, text)| match key.as_str() {
                "uuid" => text == uuid,
                key if key == noun => text == name,
                _ => true,
            })
    }

    /// The sorts of object that its events are of.
    pub(crate) fn nouns(&self) -> Vec<&'static str> {
        nouns()
            .filter(|noun| self.noun.is_none_or(|own| own == *noun))
            .collect()
    }

    /// True if it matches `event`.
    pub(crate) fn fits(&self, event: &Event) -> bool {
        self.is_of_kind(event)
            && self.fields.iter().all(|(name, text)| match name.as_str() {
                "kind" => true,
                "uuid" => event.uuid == *text,
                name if name == event.noun => event.name == *text,
                name => event
                    .fields
                    .iter()
                    .any(|(known, value)| known == name && value.has_text(text)),
            })
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let fields = self.fields.iter();
        let map: Map = fields
            .map(|(name, text)| (name.as_str().into(), text.as_str().into()))
            .collect();
        write!(f, "{}", Dynamic::from(map))
    }
}

/// The kinds of object for which libvirt sends events, such as `domain`.
pub fn nouns() -> impl Iterator<Item = &'static str> {
    events::FAMILIES.iter().map(|family| family.noun)
}

/// The kinds of event that `filters` match, each once.
pub(crate) fn kinds_of(filters: &[Filter]) -> Vec<&'static EventKind> {
    let mut kinds: Vec<&'static EventKind> = Vec::new();
    for kind in filters.iter().flat_map(Filter::kinds) {
        if !kinds.iter().any(|known| known.name == kind.name) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The keys that a filter for events of `kind` can have; for `None`, of any kind.
pub(crate) fn keys(kind: Option<&EventKind>) -> Vec<&'static str> {
    let mut keys = vec!["kind"];
    match kind {
        Some(kind) => {
            keys.extend([kind.family.noun, "uuid"]);
            keys.extend(kind.fields.iter().map(|field| field.name));
        }
        None => {
            keys.extend(nouns());
            keys.push("uuid");
        }
    }
    keys
}

fn check_keys<'a>(
    kind: Option<&'static EventKind>,
    mut given: impl Iterator<Item = &'a str>,
) -> Result<(), Refusal> {
    let keys = keys(kind);
    if kind.is_some_and(|kind| kind.open) {
        return Ok(());
    }
    let Some(key) = given.find(|key| !keys.contains(key)) else {
        return Ok(());
    };
    let hint = match suggest::nearest(key, keys.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys are {}", keys.join(", ")),
    };
    Err(Refusal {
        message: match kind {
            Some(kind) => format!("no event of the kind `{}` has the key `{key}`", kind.name),
            None => format!("not every kind of event has the key `{key}`"),
        },
        hint,
    })
}

/// Refuses a value that no event of `kind` has, because such an event never comes.
fn check_values(kind: &'static EventKind, fields: &[(String, String)]) -> Result<(), Refusal> {
    let is_number = |name: &str| {
        let mut known = kind.fields.iter();
        known.any(|field| field.name == name && field.is_number)
    };
    if let Some((name, text)) = fields
        .iter()
        .find(|(name, text)| is_number(name) && text.parse::<i128>().is_err())
    {
        return Err(Refusal {
            message: format!("`{name}` is a number, not \"{text}\""),
            hint: format!("such as `{name}: 1`"),
        });
    }
    let event = fields.iter().find(|(key, _)| key == "event");
    let event = event.map(|(_, event)| event.as_str());
    for (field, word) in fields {
        let Some(words) = events::words_of(kind.name, field, event) else {
            continue;
        };
        if words.contains(&word.as_str()) {
            continue;
        }
        return Err(Refusal {
            message: format!(
                "no event of the kind `{}` has `{field}: \"{word}\"`",
                kind.name
            ),
            hint: suggest::word_hint(word, "words", &words),
        });
    }
    Ok(())
}

/// `fields` with UUIDs as events have them.
fn with_plain_uuids(mut fields: Vec<(String, String)>) -> Result<Vec<(String, String)>, Refusal> {
    for (_, text) in fields.iter_mut().filter(|(key, _)| key == "uuid") {
        let uuid = uuid::Uuid::parse_str(text).map_err(|_| Refusal {
            message: format!("`uuid` of an event filter is not a UUID: \"{text}\""),
            hint: "a UUID has 32 hexadecimal digits; a name belongs in the key of the object, such as `domain`".into(),
        })?;
        *text = uuid.to_string();
    }
    Ok(fields)
}

/// Refuses two different objects, and an empty name: an event is about one object.
fn check_objects(keys: &[String], fields: &[(String, String)]) -> Result<(), Refusal> {
    let named: Vec<&str> = nouns()
        .filter(|noun| keys.iter().any(|key| key == noun))
        .collect();
    if let [one, other, ..] = named[..] {
        return Err(Refusal {
            message: format!("no event is about a `{one}` and a `{other}`"),
            hint: format!(
                "a list of filters matches events of either: [#{{ {one}: ... }}, #{{ {other}: ... }}]"
            ),
        });
    }
    if let Some((key, _)) = fields
        .iter()
        .find(|(key, text)| text.is_empty() && named.contains(&key.as_str()))
    {
        return Err(Refusal {
            message: format!("`{key}` of an event filter is empty"),
            hint: format!("leave out `{key}` for the events of all objects of that kind"),
        });
    }
    let mut uuids = fields
        .iter()
        .filter(|(key, _)| key == "uuid")
        .map(|(_, text)| text);
    let first = uuids.next();
    match uuids.find(|uuid| Some(*uuid) != first) {
        None => Ok(()),
        Some(_) => Err(Refusal {
            message: "the object and the `uuid` of an event filter are two objects".into(),
            hint: "leave out `uuid`".into(),
        }),
    }
}

fn unknown_kind(kind: &str) -> Refusal {
    let kinds: Vec<&str> = events::kinds().chain([ANY]).collect();
    Refusal {
        message: format!("there is no kind of event `{kind}`"),
        hint: suggest::word_hint(kind, "kinds", &kinds),
    }
}
