//! The XML of a failed call, and the place of the fault in it.

use std::io::Write;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult};
use virt::connect::Connect;
use virt_sys as sys;

use super::Error;
use crate::libvirt::{self, Failure};
use crate::syntax::text::Text;
use crate::xml::{self, Spot};

/// XML that was refused.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The whole text.
    pub text: Arc<str>,
    /// The place of the fault; `None` if it is unknown.
    pub spot: Option<Spot>,
}

/// Remembers the XML that a call was given, if the call fails because of it.
pub(crate) trait OfXml {
    /// The same; a failure that XML can be the reason of keeps `xml`.
    fn of_xml(self, xml: &str) -> Self;
}

impl<T> OfXml for Result<T, Box<EvalAltResult>> {
    fn of_xml(self, xml: &str) -> Self {
        self.map_err(|thrown| {
            if let EvalAltResult::ErrorRuntime(value, position) = &*thrown
                && let Some(error) = value.clone().try_cast::<Error>()
                && is_of_xml(error.number())
            {
                let error = error.with_xml(xml);
                return EvalAltResult::ErrorRuntime(Dynamic::from(error), *position).into();
            }
            thrown
        })
    }
}

/// True if XML can be the reason for a failure with the code `number`.
fn is_of_xml(number: i64) -> bool {
    let codes = [
        sys::VIR_ERR_XML_ERROR,
        sys::VIR_ERR_XML_DETAIL,
        sys::VIR_ERR_XML_INVALID_SCHEMA,
        sys::VIR_ERR_NO_NAME,
        sys::VIR_ERR_NO_OS,
        sys::VIR_ERR_OS_TYPE,
        sys::VIR_ERR_INVALID_ARG,
        sys::VIR_ERR_CONFIG_UNSUPPORTED,
    ];
    codes.map(i64::from).contains(&number)
}

impl Rejected {
    /// Looks for the reason of `failure` in `text`; a schema is checked on a separate host.
    pub(super) fn new(text: &Arc<str>, failure: &Failure) -> Self {
        let words = failure.message.as_str();
        let spot = match u32::try_from(failure.code).unwrap_or_default() {
            sys::VIR_ERR_XML_INVALID_SCHEMA => {
                let schema = Schema::of(text);
                // Without a schema, only the part that libvirt's message names is known.
                let refused =
                    |text: &str| schema.as_ref().is_none_or(|schema| schema.refuses(text));
                xml::against_schema(text, words, refused)
            }
            sys::VIR_ERR_NO_NAME => xml::lacking(text, "name"),
            _ => xml::malformed(text).or_else(|| xml::named(text, words)),
        };
        Self {
            text: Arc::clone(text),
            spot,
        }
    }

    /// The line, the column and the characters of the spot, both from 1, if there is one.
    pub fn place(&self) -> Option<(usize, usize, usize)> {
        let bytes = self.spot.as_ref()?.bytes.clone();
        let (line, column) = Text::from(&*self.text).line_and_column(bytes.start);
        Some((line, column, self.text[bytes].chars().count()))
    }
}

/// libvirt's schema for one kind of document, checked through a hidden host of the test driver.
struct Schema {
    host: Connect,
    kind: RootKind,
}

#[derive(Clone, Copy)]
enum RootKind {
    Domain,
    Network,
    Pool,
}

impl Schema {
    /// The schema for `text`, if this machine has it and it refuses `text` too.
    fn of(text: &str) -> Option<Self> {
        let kind = match xml::root(text)?.as_str() {
            "domain" => RootKind::Domain,
            "network" => RootKind::Network,
            "pool" => RootKind::Pool,
            _ => return None,
        };
        let mut empty = tempfile::NamedTempFile::new().ok()?;
        empty.write_all(b"<node/>").ok()?;
        let host = Connect::open(Some(&format!("test://{}", empty.path().display()))).ok()?;
        let schema = Self { host, kind };
        schema.refuses(text).then_some(schema)
    }

    fn refuses(&self, text: &str) -> bool {
        let answer = match self.kind {
            RootKind::Domain => {
                let validate = sys::VIR_DOMAIN_DEFINE_VALIDATE;
                let answer = self.host.define_domain_xml_flags(text, validate);
                answer.err().map(Failure::from)
            }
            RootKind::Network => {
                let validate = sys::VIR_NETWORK_DEFINE_VALIDATE;
                libvirt::network::define_xml_flags(&self.host, text, validate).err()
            }
            RootKind::Pool => {
                let validate = sys::VIR_STORAGE_POOL_DEFINE_VALIDATE;
                let answer = self.host.define_storage_pool_xml(text, validate);
                answer.err().map(Failure::from)
            }
        };
        answer.is_some_and(|failure| failure.code == i64::from(sys::VIR_ERR_XML_INVALID_SCHEMA))
    }
}
