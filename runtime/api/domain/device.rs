//! A device of a guest, described by XML or by its alias.

use std::fmt;

use rhai::NativeCallContext;

use crate::api::arguments::RhaiResultOf;
use crate::api::xml::{XmlText, xml_text};
use crate::xml::{Selected, Xml};

/// A device that comes, goes or changes.
pub(crate) struct Device {
    /// The XML, or the alias.
    pub(crate) text: String,
    is: Is,
}

enum Is {
    Alias,
    /// The name of its element, and the path and the text by which it differs from others of it.
    Element(String, Option<(&'static str, String)>),
    /// XML that libvirt has yet to refuse.
    Unreadable,
}

/// Attributes that distinguish devices with the same element; libvirt compares these and more.
const KEYS: [&str; 3] = ["alias/@name", "target/@dev", "mac/@address"];

impl Device {
    /// The device that `xml` describes.
    pub(crate) fn from_xml(ctx: &NativeCallContext, xml: &XmlText) -> RhaiResultOf<Self> {
        let text = xml_text(ctx, "a device", xml)?;
        let is = Xml::parse(text.as_str()).map_or(Is::Unreadable, |xml| {
            let key = KEYS.into_iter().find_map(|path| {
                let value = xml.find(path).ok().flatten()?;
                Some((path, value))
            });
            Is::Element(xml.name(), key)
        });
        Ok(Self { text, is })
    }

    /// The device with that alias.
    pub(crate) fn from_alias(alias: &str) -> Self {
        Self {
            text: alias.to_owned(),
            is: Is::Alias,
        }
    }

    /// The aliases of the devices in `domain`, the XML of a running guest, that can be meant.
    pub(crate) fn aliases_in(&self, domain: &str) -> Vec<String> {
        let Ok(Selected::Elements(devices)) =
            Xml::parse(domain).and_then(|domain| domain.select("devices/*"))
        else {
            return Vec::new();
        };
        let fits = |device: &Xml| match &self.is {
            Is::Alias => true,
            Is::Element(name, key) => {
                device.name() == *name
                    && key.as_ref().is_none_or(|(path, text)| {
                        device.find(path).is_ok_and(|found| {
                            found.is_some_and(|it| it.eq_ignore_ascii_case(text))
                        })
                    })
            }
            Is::Unreadable => false,
        };
        devices
            .into_iter()
            .filter(fits)
            .filter_map(|device| device.find("alias/@name").ok().flatten())
            .filter(|alias| !matches!(self.is, Is::Alias) || *alias == self.text)
            .collect()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.is {
            Is::Alias => write!(f, "the device `{}`", self.text),
            Is::Element(name, Some((_, key))) => write!(f, "{name} `{key}`"),
            Is::Element(name, None) if name.starts_with(['a', 'e', 'i', 'o', 'u']) => {
                write!(f, "an {name}")
            }
            Is::Element(name, None) => write!(f, "a {name}"),
            Is::Unreadable => f.write_str("a device"),
        }
    }
}
