//! The place of an option in XML.

use super::{Key, Literal, Type};

/// The place of an option in XML, and its form there.
#[derive(Debug, Clone, PartialEq)]
pub struct InXml {
    /// The path, from the element of the map that has the option.
    pub path: String,
    /// The words for `true` and `false`; without them, an element exists or not, and an attribute is "yes" or "no".
    pub written: Option<(String, String)>,
    /// The key of the option's map that gets a value that is not a map; empty for none.
    pub short: String,
}

impl InXml {
    /// The fields `xml`, `written` and `short` of a declaration.
    pub(super) fn read(
        path: &str,
        written: Option<&Literal>,
        short: &str,
    ) -> Result<Option<Self>, String> {
        if path.is_empty() {
            let without = match written {
                Some(_) => "written",
                None if !short.is_empty() => "short",
                None => return Ok(None),
            };
            return Err(format!("`{without}` needs `xml`"));
        }
        let written = match written {
            None => None,
            Some(Literal::List(words)) => match words.as_slice() {
                [Literal::Text(yes), Literal::Text(no)] => Some((yes.clone(), no.clone())),
                _ => return Err("`written` must be a list of two texts".into()),
            },
            Some(other) => {
                return Err(format!(
                    "`written` must be a list of two texts, not {other}"
                ));
            }
        };
        Ok(Some(Self {
            path: path.to_owned(),
            written,
            short: short.to_owned(),
        }))
    }
}

/// The key `short` of the map among `types`.
pub(super) fn short_key(types: &[Type], short: &str) -> Result<Key, String> {
    let spec = types.iter().find_map(|ty| match ty {
        Type::Keys(spec) => Some(spec),
        _ => None,
    });
    let spec = spec.ok_or("`short` needs a map of options as `type`")?;
    let key = spec.key(short).cloned();
    key.ok_or_else(|| format!("`short` is `{short}`, but the map does not have this key"))
}
