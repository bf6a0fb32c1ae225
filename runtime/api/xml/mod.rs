//! `Xml`: a document, or an element of one.

mod argument;
mod build;
mod editing;
mod options;

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, Engine, Map, NativeCallContext, exported_module};

pub(crate) use argument::{OptionalXmlText, XmlText, optional_xml_text, xml_text};

use super::arguments::{ArrayOf, RhaiResultOf};
use super::room::{ensure_room, given_up};
use crate::error::extent::text_at_most;
use crate::error::{Error, OfXml};
use crate::libvirt::Failure;
use crate::spec::Type;
use crate::vocabulary::{Answer, Declared, DifferenceKind, RecordOf, Word, record};
use crate::xml::{Fault, MAX_DEPTH, Selected, Xml};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Xml>("Xml");
    engine.register_global_module(exported_module!(functions).into());
    engine.register_global_module(exported_module!(editing::functions).into());
}

record! {
    /// Difference between two documents.
    pub(crate) struct XmlDifference {
        /// Path of the element or attribute.
        path: String,
        /// The kind of the change.
        change: Word<DifferenceKind>,
        /// Old text; `()` if the element or attribute was added.
        from: Option<String>,
        /// New text; `()` if the element or attribute was removed.
        to: Option<String>,
    }
}

impl Answer for Xml {
    fn ty() -> Type {
        Type::Object("Xml".into())
    }

    fn into_value(self) -> Dynamic {
        Dynamic::from(self)
    }
}

/// The maps that these calls take and return.
pub(super) const DECLARED: &[&Declared] =
    &[editing::RemovedElement::DECLARED, XmlDifference::DECLARED];

/// The fault as an error of the called function.
fn error(ctx: &NativeCallContext, fault: Fault) -> Box<EvalAltResult> {
    if let Some(why) = fault.stop {
        return given_up(ctx, why);
    }
    let error = if fault.at.is_some() {
        let failure = Failure::new(virt_sys::VIR_ERR_XML_ERROR, fault.message);
        Error::new(ctx, failure, "", "read the XML", "")
    } else {
        Error::invalid(ctx, fault.message)
    };
    error.with_hint_if_any(fault.hint).throw()
}

pub(crate) trait OrThrow<T> {
    fn or_throw(self, ctx: &NativeCallContext) -> RhaiResultOf<T>;
}

impl<T> OrThrow<T> for Result<T, Fault> {
    fn or_throw(self, ctx: &NativeCallContext) -> RhaiResultOf<T> {
        self.map_err(|fault| error(ctx, fault))
    }
}

/// Asks for the room that a document of `bytes` bytes needs: of the shortest elements, each takes a
/// node of many times its text.
pub(crate) fn ensure_room_to_parse(ctx: &NativeCallContext, bytes: usize) -> RhaiResultOf<()> {
    ensure_room(ctx, bytes.saturating_mul(32))
}

/// The size of a difference's map without its texts, in bytes.
const DIFFERENCE: usize = 1024;

/// The size of an element as a script's value, in bytes.
const ELEMENT: usize = 128;

/// `elements` as values of the script.
fn values(ctx: &NativeCallContext, elements: Vec<Xml>) -> RhaiResultOf<Array> {
    ensure_room(ctx, elements.len().saturating_mul(ELEMENT))?;
    Ok(elements.into_iter().map(Dynamic::from).collect())
}

/// Asks for the room to make XML of `value`: its characters are escaped, and the text is parsed.
fn ensure_room_to_build(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<()> {
    match text_at_most(value, MAX_DEPTH) {
        Some(bytes) => ensure_room_to_parse(ctx, bytes.saturating_mul(3)),
        None => Err(error(
            ctx,
            Fault::new(format!(
                "elements would nest deeper than {MAX_DEPTH} levels"
            )),
        )),
    }
}

/// The document that `text` is.
pub(crate) fn parse(ctx: &NativeCallContext, text: impl Into<String>) -> RhaiResultOf<Xml> {
    let text = text.into();
    ensure_room_to_parse(ctx, text.len())?;
    Xml::parse(text.as_str()).or_throw(ctx).of_xml(&text)
}

#[export_module]
mod functions {
    /// Parses `text` as an XML document.
    ///
    /// The text is kept: comments, CDATA, references, quotes, the order of attributes and the space between elements
    /// stay wherever the script changes nothing. Errors in the text are thrown with their line and column. Throws for
    /// entities that the document declares itself, and for more than 1,000 nested elements.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain type='test'><name>web</name></domain>");
    /// assert_eq(xml.get("name"), "web");
    /// assert_eq(xml.to_string(), "<domain type='test'><name>web</name></domain>");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "parse_xml", return_raw)]
    pub fn parse_xml(ctx: NativeCallContext, text: &str) -> RhaiResultOf<Xml> {
        parse(&ctx, text)
    }

    /// Parses `bytes`, in UTF-8, as an XML document.
    ///
    /// ```rhai
    /// let xml = parse_xml("<name>web</name>".to_blob());
    /// assert_eq(xml.get("."), "web");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "parse_xml", return_raw)]
    pub fn parse_xml_bytes(ctx: NativeCallContext, bytes: Blob) -> RhaiResultOf<Xml> {
        ensure_room_to_parse(&ctx, bytes.len())?;
        Xml::parse_bytes(bytes).or_throw(&ctx)
    }

    /// `value` in quotes, for a condition in a path: text or a number with any content.
    ///
    /// Quotes around `${value}` would break the path if the value contains one: a guest can be
    /// called `O'Brien`.
    ///
    /// ```rhai
    /// let xml = parse_xml("<devices><disk><source file=\"/srv/O'Brien.img\"/></disk></devices>");
    /// let file = "/srv/O'Brien.img";
    /// assert(xml.has(`disk/source[@file=${quoted(file)}]`));
    /// assert_eq(quoted("vda"), "'vda'");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "quoted", return_raw)]
    pub fn quoted_value(ctx: NativeCallContext, value: Dynamic) -> RhaiResultOf<String> {
        let text = build::text_of(&value).or_throw(&ctx)?;
        Ok(crate::xml::quoted(&text))
    }

    /// A new document with an empty element `name`.
    ///
    /// ```rhai
    /// let xml = xml("domain");
    /// xml.set("@type", "kvm");
    /// assert_eq(xml.to_string(), "<domain type='kvm'/>");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "xml", return_raw)]
    pub fn xml_empty(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Xml> {
        build::document(name, &Dynamic::TRUE).or_throw(&ctx)
    }

    /// A new document with an element `name` and the content `content`.
    ///
    /// In a map, `"@key"` is an attribute, `"#text"` the text, and any other key an element, whose value is its content
    /// in turn. An array creates one element for each value. `true` creates an empty element, `false` and `()` none;
    /// text and numbers are text. An `Xml` is inserted unchanged.
    ///
    /// The keys of maps, and so the elements, are sorted; if another order matters, `"#children"` is an array of maps
    /// and `Xml` values, which come first, in their order.
    ///
    /// ```rhai
    /// let disk = xml("disk", #{
    ///     "@type": "file",
    ///     source: #{ "@file": "/var/lib/web.img" },
    ///     readonly: true,
    ///     serial: (),
    /// });
    /// assert_eq(disk.to_string(), `<disk type='file'>
    ///   <readonly/>
    ///   <source file='/var/lib/web.img'/>
    /// </disk>`);
    ///
    /// let order = xml("os", #{ "#children": [#{ type: "hvm" }, #{ boot: [#{ "@dev": "hd" }] }] });
    /// assert_eq(order.get("boot/@dev"), "hd");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "xml", return_raw)]
    pub fn xml_of(ctx: NativeCallContext, name: &str, content: Dynamic) -> RhaiResultOf<Xml> {
        ensure_room_to_build(&ctx, &content)?;
        build::document(name, &content).or_throw(&ctx)
    }

    /// The text of the XML: the whole document, or this element of it.
    ///
    /// ```rhai
    /// let xml = parse_xml("<a><b  c = \"1\" /><!-- kept --></a>");
    /// assert_eq(xml.to_string(), "<a><b  c = \"1\" /><!-- kept --></a>");
    /// assert_eq(xml.select("b")[0].to_string(), "<b  c = \"1\" />");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(xml: &mut Xml) -> String {
        xml.text()
    }

    /// True if `diff` finds no difference.
    ///
    /// ```rhai
    /// assert(parse_xml("<a b='1' c='2'/>") == parse_xml("<a c=\"2\" b=\"1\"></a>"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(global, name = "==", pure, return_raw)]
    pub fn equals(ctx: NativeCallContext, xml: &mut Xml, other: Xml) -> RhaiResultOf<bool> {
        ensure_room_to_parse(&ctx, other.size())?;
        xml.diff(&other)
            .or_throw(&ctx)
            .map(|differences| differences.is_empty())
    }

    /// True if `diff` finds a difference.
    ///
    /// ```rhai
    /// assert(parse_xml("<a b='1'/>") != parse_xml("<a b='2'/>"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(global, name = "!=", pure, return_raw)]
    pub fn differs(ctx: NativeCallContext, xml: &mut Xml, other: Xml) -> RhaiResultOf<bool> {
        equals(ctx, xml, other).map(|equal| !equal)
    }

    /// The element's name, with its prefix; for a document, the root element's.
    ///
    /// ```rhai
    /// assert_eq(parse_xml("<domain/>").name, "domain");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "name", pure)]
    pub fn name(xml: &mut Xml) -> String {
        xml.name()
    }

    /// The text of the first match of `path`: an attribute's value, or the text in an element.
    ///
    /// A path is written as in libvirt's documentation, `devices/disk[@device='cdrom']/source/@file`, and starts at
    /// this element, or at the root of a document; one that begins with `/` starts at the document. A step is a name,
    /// `*`, `.`, `..`, or after `//` any depth; conditions are `[@a='v']`, `[@a]`, `[a/b='v']`, `[a]`, `[2]` and
    /// `[last()]`; the end can be `@attribute` or `text()`. Throws if no node matches, and suggests the nearest name.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><devices><disk device='cdrom'><source file='/a&amp;b'/></disk></devices></domain>");
    /// assert_eq(xml.get("devices/disk[@device='cdrom']/source/@file"), "/a&b");
    /// assert_eq(xml.get("//source/@file"), "/a&b");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "get", pure, return_raw)]
    pub fn get(ctx: NativeCallContext, xml: &mut Xml, path: &str) -> RhaiResultOf<String> {
        xml.get(path).or_throw(&ctx)
    }

    /// The text of the first match of `path`, or `otherwise` if no node matches.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><name>web</name></domain>");
    /// assert_eq(xml.get("title", "none"), "none");
    /// assert_eq(xml.get("name", "none"), "web");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "get", pure, return_raw)]
    pub fn get_or(
        ctx: NativeCallContext,
        xml: &mut Xml,
        path: &str,
        otherwise: Dynamic,
    ) -> RhaiResultOf<Dynamic> {
        let found = xml.find(path).or_throw(&ctx)?;
        Ok(found.map_or(otherwise, Dynamic::from))
    }

    /// True if any node matches `path`.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><features><acpi/></features></domain>");
    /// assert(xml.has("features/acpi"));
    /// assert(!xml.has("features/apic"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn has(ctx: NativeCallContext, xml: &mut Xml, path: &str) -> RhaiResultOf<bool> {
        xml.has(path).or_throw(&ctx)
    }

    /// Everything that `path` matches: the elements, or the texts of attributes and `text()`.
    ///
    /// The elements stay part of this document: a change to one changes the document. An element that was removed from
    /// the document can only be printed.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><disk dev='vda'/><disk dev='vdb'/></domain>");
    /// assert_eq(xml.select("disk/@dev"), ["vda", "vdb"]);
    /// for disk in xml.select("disk") {
    ///     disk.set("@cache", "none");
    /// }
    /// assert_eq(xml.to_string(), "<domain><disk dev='vda' cache='none'/><disk dev='vdb' cache='none'/></domain>");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn select(ctx: NativeCallContext, xml: &mut Xml, path: &str) -> RhaiResultOf<Array> {
        match xml.select(path).or_throw(&ctx)? {
            Selected::Elements(elements) => values(&ctx, elements),
            Selected::Texts(texts) => {
                ensure_room(&ctx, texts.len().saturating_mul(ELEMENT))?;
                Ok(texts.into_iter().map(Dynamic::from).collect())
            }
        }
    }

    /// The attributes of this element, as a map from name to value.
    ///
    /// ```rhai
    /// assert_eq(parse_xml("<disk type='file' device='disk'/>").attributes(), #{ type: "file", device: "disk" });
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn attributes(ctx: NativeCallContext, xml: &mut Xml) -> RhaiResultOf<Map> {
        let attributes = xml.attributes().or_throw(&ctx)?.into_iter();
        Ok(attributes
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }

    /// The child elements of this one.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><name>web</name><memory>1</memory></domain>");
    /// assert_eq(xml.children().map(|child| child.name), ["name", "memory"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn children(ctx: NativeCallContext, xml: &mut Xml) -> RhaiResultOf<Array> {
        values(&ctx, xml.children().or_throw(&ctx)?)
    }

    /// A separate document with the same content.
    ///
    /// The copy of a part of a document declares the namespaces that it uses.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><name>web</name></domain>");
    /// let other = xml.copy();
    /// other.set("name", "db");
    /// assert_eq(xml.get("name"), "web");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn copy(ctx: NativeCallContext, xml: &mut Xml) -> RhaiResultOf<Xml> {
        ensure_room_to_parse(&ctx, xml.size())?;
        xml.copy().or_throw(&ctx)
    }

    /// The differences between this and `other`, as an array of maps.
    ///
    /// Each has the `path`, the `change`, which is `"added"`, `"removed"` or `"changed"`, and the old and new text,
    /// `from` and `to`. Elements are matched by target, MAC address, name, type or other identifying attributes,
    /// otherwise by their position. Comments, space between elements, the order of attributes, the order of elements
    /// with different names, and the order of elements with identifying attributes, such as disks or interfaces, make
    /// no difference.
    ///
    /// ```rhai
    /// let xml = parse_xml("<devices><disk><source file='/a'/><target dev='vda'/></disk></devices>");
    /// let other = xml.copy();
    /// other.set("disk/source/@file", "/b");
    /// assert_eq(xml.diff(other), [
    ///     #{ path: "disk[target/@dev='vda']/source/@file", change: "changed", from: "/a", to: "/b" },
    /// ]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn diff(
        ctx: NativeCallContext,
        xml: &mut Xml,
        other: Xml,
    ) -> RhaiResultOf<ArrayOf<RecordOf<XmlDifference>>> {
        ensure_room_to_parse(&ctx, other.size())?;
        let differences = xml.diff(&other).or_throw(&ctx)?;
        ensure_room(&ctx, differences.len().saturating_mul(DIFFERENCE))?;
        let maps = differences.into_iter().map(|difference| {
            let change = difference.change();
            let difference = XmlDifference {
                path: difference.path,
                change: change.into(),
                from: difference.from,
                to: difference.to,
            };
            Dynamic::from_map(difference.into_map())
        });
        Ok(maps.collect())
    }
}
