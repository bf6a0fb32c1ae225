//! Changes documents.

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use super::options::Writer;
use super::{OrThrow, build, ensure_room_to_build, error};
use crate::api::arguments::{ArrayOf, RhaiResultOf};
use crate::error::Error;
use crate::error::plain::type_name;
use crate::vocabulary::{RecordOf, record};
use crate::xml::{Fault, Place, Xml};

record! {
    /// Element that was removed.
    pub(crate) struct RemovedElement {
        /// Path of its parent element.
        path: String,
        /// The element.
        element: Xml,
    }
}

/// Inserts `what` beside or into the element at `path`.
fn insert(
    ctx: &NativeCallContext,
    xml: &Xml,
    path: &str,
    place: Place,
    what: &Dynamic,
) -> RhaiResultOf<Xml> {
    ensure_room_to_build(ctx, what)?;
    if let Some(map) = what.read_lock::<Map>() {
        let elements = build::elements(&map);
        return elements
            .and_then(|elements| xml.insert_all(path, place, &elements, true))
            .or_throw(ctx);
    }
    let text = if let Some(other) = what.read_lock::<Xml>() {
        other.portable_to(xml)
    } else if let Ok(text) = what.clone().into_string() {
        Ok(text)
    } else {
        let kind = type_name(what);
        Err(Fault::new(format!(
            "the inserted value must be XML as text, an Xml or a map, not {kind}"
        )))
    };
    text.and_then(|text| xml.insert(path, place, &text))
        .or_throw(ctx)
}

#[export_module]
pub(super) mod functions {
    /// Sets the first attribute or text at `path` to text or a number.
    ///
    /// Creates missing elements of the path. Each missing step must be a name, with conditions such
    /// as `[@type='file']`: the new element then meets them. The rest of the document does not change.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain><memory unit='KiB'>1024</memory></domain>");
    /// xml.set("memory", 2048);
    /// xml.set("devices/disk[@device='cdrom']/source/@file", "/a.iso");
    /// assert_eq(xml.get("memory"), "2048");
    /// assert_eq(xml.get("devices/disk/@device"), "cdrom");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn set(
        ctx: NativeCallContext,
        xml: &mut Xml,
        path: &str,
        value: Dynamic,
    ) -> RhaiResultOf<()> {
        ensure_room_to_build(&ctx, &value)?;
        let text = build::text_of(&value).map_err(|fault| {
            let hint = "`insert` adds XML, `remove` removes it";
            if fault.hint.is_none() {
                fault.with_hint(hint)
            } else {
                fault
            }
        });
        text.and_then(|text| xml.set(path, &text)).or_throw(&ctx)
    }

    /// Adds an element at the end of the first element at `path`, and returns the new element.
    ///
    /// `what` is XML as text, an `Xml`, which is copied, or a map with the element's name as its only
    /// key, as for `xml(name, content)`. An array in the map makes one element for each value, and
    /// the last one is returned. The new lines are indented like the document. Creates missing
    /// elements of the path, as `set` does. Throws if a prefix is not declared.
    ///
    /// ```rhai
    /// let xml = parse_xml("<domain>\n  <devices>\n    <disk/>\n  </devices>\n</domain>");
    /// xml.insert("devices", "<interface type='user'/>");
    /// let rng = xml.insert("devices", #{ rng: #{ "@model": "virtio" } });
    /// rng.set("backend/@model", "random");
    /// assert_eq(xml.get("devices/rng/backend/@model"), "random");
    /// assert(xml.to_string().contains("    <disk/>\n    <interface type='user'/>\n    <rng model='virtio'>\n"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "insert", pure, return_raw)]
    pub fn insert_in(
        ctx: NativeCallContext,
        xml: &mut Xml,
        path: &str,
        what: Dynamic,
    ) -> RhaiResultOf<Xml> {
        insert(&ctx, xml, path, Place::In, &what)
    }

    /// Inserts an element before the first element at `path`, and returns the new element; `what` is
    /// the same as for `insert`.
    ///
    /// ```rhai
    /// let xml = parse_xml("<os><boot dev='hd'/></os>");
    /// xml.insert_before("boot", "<boot dev='cdrom'/>");
    /// assert_eq(xml.select("boot/@dev"), ["cdrom", "hd"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn insert_before(
        ctx: NativeCallContext,
        xml: &mut Xml,
        path: &str,
        what: Dynamic,
    ) -> RhaiResultOf<Xml> {
        insert(&ctx, xml, path, Place::Before, &what)
    }

    /// Inserts an element after the first element at `path`, and returns the new element; `what` is
    /// the same as for `insert`.
    ///
    /// ```rhai
    /// let xml = parse_xml("<os><boot dev='hd'/><bios/></os>");
    /// xml.insert_after("boot", "<boot dev='cdrom'/>");
    /// assert_eq(xml.to_string(), "<os><boot dev='hd'/><boot dev='cdrom'/><bios/></os>");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn insert_after(
        ctx: NativeCallContext,
        xml: &mut Xml,
        path: &str,
        what: Dynamic,
    ) -> RhaiResultOf<Xml> {
        insert(&ctx, xml, path, Place::After, &what)
    }

    /// Writes `options` into this element. In the declaration `spec`, the field `xml` of each option names its place; options
    /// without `xml` are not written. Returns the removed elements: `element`, and the `path` of its parent.
    ///
    /// `xml` is the path of an attribute or an element. A map with its own declaration is an element, and paths inside it begin
    /// there; a new element also gets the defaults. A list is one element for each value: elements that already have all
    /// of a value stay unchanged, and others are removed. `true` adds an element or writes the attribute "yes"; `false`
    /// removes the element or writes "no". The field `written` names other words. `short` names the key that gets a text,
    /// a number or `true` given instead of a map. With `several: true`, one value can be given instead of a list. An `Xml` is
    /// inserted unchanged.
    ///
    /// ```rhai
    /// const TIMER = #{
    ///     name: #{ type: "string", required: true, xml: "@name", help: "name" },
    ///     present: #{ type: "bool", xml: "@present", help: "whether the guest has it" },
    /// };
    /// const CLOCK = #{
    ///     offset: #{ words: ["utc", "localtime"], xml: "@offset", help: "what the clock shows" },
    ///     timers: #{ type: ["array", "TIMER"], xml: "timer", help: "timers" },
    /// };
    /// let clock = xml("clock");
    /// clock.write_options(#{ offset: "utc", timers: [#{ name: "hpet", present: false }] }, CLOCK);
    /// assert(clock == parse_xml("<clock offset='utc'><timer name='hpet' present='no'/></clock>"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn write_options(
        ctx: NativeCallContext,
        xml: &mut Xml,
        options: Map,
        spec: Map,
    ) -> RhaiResultOf<ArrayOf<RecordOf<RemovedElement>>> {
        let options_of = Dynamic::from(options);
        ensure_room_to_build(&ctx, &options_of)?;
        let options = options_of.cast::<Map>();
        let spec = crate::api::options::declared(&ctx, spec)?;
        let mut writer = Writer::default();
        if let Err(fault) = writer.map(xml, &spec, &options) {
            let fault = writer.explain(fault);
            if fault.stop.is_some() {
                return Err(error(&ctx, fault));
            }
            let error = Error::of_options(&ctx, fault.message, &spec.file);
            return Err(error.with_hint_if_any(fault.hint).throw());
        }
        let removed = writer.removed.into_iter();
        Ok(removed
            .map(|(path, element)| Dynamic::from_map(RemovedElement { path, element }.into_map()))
            .collect())
    }

    /// Removes all elements, attributes or texts at `path` with their lines, and returns their number.
    ///
    /// ```rhai
    /// let xml = parse_xml("<devices>\n  <disk/>\n  <sound/>\n  <disk/>\n</devices>");
    /// assert_eq(xml.remove("disk"), 2);
    /// assert_eq(xml.remove("disk"), 0);
    /// assert_eq(xml.to_string(), "<devices>\n  <sound/>\n</devices>");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "remove", pure, return_raw)]
    pub fn remove(ctx: NativeCallContext, xml: &mut Xml, path: &str) -> RhaiResultOf<i64> {
        let removed = xml.remove(path).or_throw(&ctx)?;
        Ok(i64::try_from(removed).unwrap_or(i64::MAX))
    }
}
