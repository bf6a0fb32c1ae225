//! How documents are changed.

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use super::options::Writer;
use super::{OrThrow, build, ensure_room_to_build, error};
use crate::api::arguments::{ArrayOf, RhaiResultOf};
use crate::error::Error;
use crate::vocabulary::{RecordOf, record};
use crate::xml::{Fault, Place, Xml};

record! {
    /// Element that was removed.
    pub(crate) struct RemovedElement {
        /// Path of the element that it was in.
        path: String,
        /// The element.
        element: Xml,
    }
}

/// Puts `what` beside or into what `path` leads to.
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
        let kind = what.type_name();
        Err(Fault::new(format!(
            "what is inserted is XML, as text, an Xml or a map, not {kind}"
        )))
    };
    text.and_then(|text| xml.insert(path, place, &text))
        .or_throw(ctx)
}

#[export_module]
pub(super) mod functions {
    /// Sets the attribute or the text that `path` leads to first, to text or a number.
    ///
    /// Elements that are missing on the way are made, where the path says what they would be: a
    /// step that is a name, with conditions such as `[@type='file']`, which then hold. Nothing else
    /// of the document changes.
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
            let hint = "`insert` puts XML in, `remove` takes it out";
            if fault.hint.is_none() {
                fault.with_hint(hint)
            } else {
                fault
            }
        });
        text.and_then(|text| xml.set(path, &text)).or_throw(&ctx)
    }

    /// Adds an element as the last in the one that `path` leads to first, and answers it.
    ///
    /// `what` is XML as text, an `Xml`, of which a copy goes in, or a map with the element's name as
    /// its only key, as `xml(name, content)` takes it; an array there makes an element of each value,
    /// and the last one is answered. The lines are set out as the document's own. What is missing on
    /// the way is made, as `set` does. A prefix that is declared nowhere around is refused.
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

    /// Puts an element before the one that `path` leads to first, and answers it; `what` is as for
    /// `insert`.
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

    /// Puts an element after the one that `path` leads to first, and answers it; `what` is as for
    /// `insert`.
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

    /// Removes all that `path` leads to, with the lines that it stood on, and answers how many
    /// elements, attributes or texts that were.
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
