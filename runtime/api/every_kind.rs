//! The functions of every kind of object: name, UUID, connection, XML and comparison.

use std::any::TypeId;
use std::marker::PhantomData;

use rhai::{Dynamic, Engine, FuncRegistration, Module, NativeCallContext, RhaiFunc, Shared};

use super::arguments::{self, RhaiResultOf, flag_bits};
use super::xml::parse;
use crate::objects::object::{Kind, Object};

/// A kind as scripts see it: its own functions, and facts for the documentation of the common functions.
pub(crate) trait Scripted: Kind {
    /// The name of the object in signatures, such as `net`.
    const VARIABLE: &'static str;
    /// The attributes after `rhai` on the fence of an example; empty if the test driver has such objects.
    const RUNS_ON: &'static str = "";
    /// The lines of an example that make the variable `conn` and the object.
    const EXAMPLE: &'static str;
    /// The name of the object in that example.
    const EXAMPLE_NAME: &'static str;
    /// The rest of the name of the C function that reads the name, such as `GetName`.
    const GET_NAME: &'static str = "GetName";
    /// The property and the functions that read the name.
    const NAME: (&'static str, &'static [&'static str]) = ("name", &["name"]);
    /// The prefix of the other functions' names in libvirt-python.
    const PREFIX: &'static str = "";
    /// The rest of the name of the C function that returns the connection of such an object; empty if libvirt has none.
    const GET_CONNECTION: &'static str = "GetConnect";
    /// The object that the XML describes, as the end of a sentence.
    const XML: &'static str;
    /// The effect of the flags for the XML; empty if libvirt has none.
    const XML_FLAGS: &'static str;

    /// Registers the functions that only this kind has, and those that find or make such objects.
    fn register(engine: &mut Engine);

    /// The lines of an example around `code`.
    fn example(code: &str) -> String {
        format!("{}\n{code}", Self::EXAMPLE)
    }
}

/// Registers the kind `K` with `engine`.
pub(super) fn register<K: Scripted>(engine: &mut Engine) {
    engine.register_type_with_name::<Object<K>>(K::TYPE);
    let mut module = Module::new();
    Common::<K>::new(&mut module).add_all();
    engine.register_global_module(module.into());
    K::register(engine);
}

/// The result for an object and a second argument, which is `()` if there is none.
type Function<K> = fn(&NativeCallContext, &Object<K>, &Dynamic) -> RhaiResultOf<Dynamic>;

/// The argument of a function besides the object.
#[derive(Clone, Copy)]
enum Second {
    Nothing,
    Flags,
    Other,
}

/// The common functions of a kind.
struct Common<'a, K> {
    module: &'a mut Module,
    kind: PhantomData<K>,
}

impl<'a, K: Scripted> Common<'a, K> {
    fn new(module: &'a mut Module) -> Self {
        Self {
            module,
            kind: PhantomData,
        }
    }

    fn add_all(&mut self) {
        let (variable, noun, element) = (K::VARIABLE, K::NOUN, K::ELEMENT);
        let kept = format!(
            "\n\nlibvirt keeps it with the handle: the call does not ask the host, and it works even if the {noun} does not exist any more."
        );
        let (property, functions) = K::NAME;
        let name: Function<K> = |_, object, _| Ok(object.name().into());
        if !property.is_empty() {
            let code = format!("assert_eq({variable}.{property}, \"{}\");", K::EXAMPLE_NAME);
            let docs = self.docs("The name, for use in text.", &code, K::GET_NAME);
            self.add(
                FuncRegistration::new_getter(property),
                Second::Nothing,
                "String",
                &docs,
                name,
            );
        }
        for function in functions {
            let code = format!(
                "assert_eq({variable}.{function}(), \"{}\");",
                K::EXAMPLE_NAME
            );
            let docs = self.docs(&format!("The name.{kept}"), &code, K::GET_NAME);
            self.add_function(function, Second::Nothing, "String", &docs, name);
        }
        self.add_uuid(&kept);
        let connect = format!("{}connect", K::PREFIX);
        let docs = self.docs(
            &format!("The connection that this {noun} came from."),
            &format!("assert_eq({variable}.{connect}().uri, conn.uri);"),
            K::GET_CONNECTION,
        );
        let connection: Function<K> = |_, object, _| Ok(Dynamic::from(object.connection().clone()));
        self.add_function(&connect, Second::Nothing, "Connection", &docs, connection);
        self.add_xml(element);
        self.add_comparison();
    }

    fn add_uuid(&mut self, kept: &str) {
        let variable = K::VARIABLE;
        let uuid: Function<K> = |_, object, _| Ok(object.uuid().to_owned().into());
        let call = "GetUUIDString";
        if !Self::has_uuid() {
            return;
        }
        let code = format!("assert_eq({variable}.uuid.len(), 36);");
        let docs = self.docs("The UUID as text, for use in text.", &code, call);
        self.add(
            FuncRegistration::new_getter("uuid"),
            Second::Nothing,
            "String",
            &docs,
            uuid,
        );
        for function in ["uuid", "uuid_string"] {
            let code = format!("assert_eq({variable}.{function}(), {variable}.uuid);");
            let docs = self.docs(&format!("The UUID as text.{kept}"), &code, call);
            self.add_function(function, Second::Nothing, "String", &docs, uuid);
        }
        let code = format!("assert_eq({variable}.uuid_bytes().len(), 16);");
        let docs = self.docs(&format!("The UUID as 16 bytes.{kept}"), &code, call);
        self.add_function(
            "uuid_bytes",
            Second::Nothing,
            "Blob",
            &docs,
            |_, object, _| Ok(Dynamic::from_blob(arguments::uuid_bytes(object.uuid()))),
        );
    }

    fn add_xml(&mut self, element: &str) {
        let (variable, text) = (K::VARIABLE, format!("{}xml_desc", K::PREFIX));
        let call = "GetXMLDesc";
        let docs = self.docs(
            &format!("The XML {}.", K::XML),
            &format!("assert({variable}.{text}().contains(\"<{element}\"));"),
            call,
        );
        self.add_function(
            &text,
            Second::Nothing,
            "RhaiResultOf<String>",
            &docs,
            xml_text,
        );
        let flags = match K::XML_FLAGS {
            "" => "The XML; libvirt has no flags for it yet.".to_owned(),
            what => format!("The XML; flags: {what}."),
        };
        let code = format!("assert({variable}.{text}(0).contains(\"<{element}\"));");
        let docs = self.docs(&flags, &code, call);
        self.add_function(
            &text,
            Second::Flags,
            "RhaiResultOf<String>",
            &docs,
            xml_text,
        );
        let docs = self.docs(
            &format!("The XML as an `Xml`, {}.", K::XML),
            &format!("assert_eq({variable}.xml().name, \"{element}\");"),
            call,
        );
        self.add_function("xml", Second::Nothing, "RhaiResultOf<Xml>", &docs, xml);
        let docs = self.docs(
            &format!("The XML as an `Xml`; for the flags see `{text}`."),
            &format!("assert_eq({variable}.xml(0).name, \"{element}\");"),
            call,
        );
        self.add_function("xml", Second::Flags, "RhaiResultOf<Xml>", &docs, xml);
    }

    fn add_comparison(&mut self) {
        let (variable, noun) = (K::VARIABLE, K::NOUN);
        let code = format!(
            "assert({variable}.to_string().starts_with(\"{}(\"));",
            K::TYPE
        );
        let docs = self.docs(&format!("The {noun} as text."), &code, K::GET_NAME);
        for name in ["to_string", "to_debug"] {
            self.add_function(name, Second::Nothing, "String", &docs, |_, object, _| {
                Ok(object.to_string().into())
            });
        }
        let call = match Self::has_uuid() {
            true => "GetUUIDString",
            false => K::GET_NAME,
        };
        let docs = self.docs(
            &format!("True if both are the same {noun} of the same host."),
            &format!("let same = {variable};\nassert(same == {variable});"),
            call,
        );
        self.add_function("==", Second::Other, "bool", &docs, |_, object, other| {
            let other = other.read_lock::<Object<K>>();
            Ok(other.is_some_and(|other| *object == *other).into())
        });
        let docs = self.docs(
            &format!("True if they are different {noun}s, or of different hosts."),
            &format!("let same = {variable};\nassert(!(same != {variable}));"),
            call,
        );
        self.add_function("!=", Second::Other, "bool", &docs, |_, object, other| {
            let other = other.read_lock::<Object<K>>();
            Ok(other.is_none_or(|other| *object != *other).into())
        });
    }

    fn has_uuid() -> bool {
        K::LOOK_UP.ends_with("ByUUIDString")
    }

    /// The lines of a doc comment; `call` is the rest of the name of the C function.
    fn docs(&self, prose: &str, code: &str, call: &str) -> String {
        let fence = match K::RUNS_ON {
            "" => "rhai".to_owned(),
            host => format!("rhai,{host}"),
        };
        let example = K::example(code);
        let last = match call {
            "" => "Calls no libvirt function.".to_owned(),
            _ => format!("Calls vir{}{call}.", K::TYPE),
        };
        // Each start of the program makes some hundreds of these.
        let text = [prose, "\n\n```", &fence, "\n", &example, "\n```\n", &last].concat();
        let mut lines = String::with_capacity(text.len() + 16 * 8);
        for line in text.lines() {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str("///");
            if !line.is_empty() {
                lines.push(' ');
                lines.push_str(line);
            }
        }
        lines
    }

    fn add_function(
        &mut self,
        name: &str,
        second: Second,
        returns: &str,
        docs: &str,
        function: Function<K>,
    ) {
        let registration = FuncRegistration::new(name).in_global_namespace();
        self.add(registration, second, returns, docs, function);
    }

    fn add(
        &mut self,
        registration: FuncRegistration,
        second: Second,
        returns: &str,
        docs: &str,
        function: Function<K>,
    ) {
        let mut types = vec![TypeId::of::<Object<K>>()];
        let mut parameters = vec![format!("{}: &mut {}", K::VARIABLE, K::TYPE)];
        match second {
            Second::Nothing => {}
            Second::Flags => {
                types.push(TypeId::of::<i64>());
                parameters.push("flags: i64".to_owned());
            }
            Second::Other => {
                types.push(TypeId::of::<Object<K>>());
                parameters.push(format!("other: {}", K::TYPE));
            }
        }
        parameters.push(returns.to_owned());
        let call = move |ctx: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
            let ctx = ctx.expect("a function that takes its context gets it");
            let none = Dynamic::UNIT;
            let (object, second) = match args {
                [object, second] => (object, &**second),
                [object, ..] => (object, &none),
                [] => return Ok(Dynamic::UNIT),
            };
            let object = object.read_lock::<Object<K>>().map(|object| object.clone());
            let object = object.expect("Rhai checks the types of arguments");
            function(&ctx, &object, second)
        };
        registration
            .with_params_info(parameters)
            .with_comments([docs])
            .set_into_module_raw(
                self.module,
                types,
                RhaiFunc::Method {
                    func: Shared::new(call),
                    has_context: true,
                    is_pure: true,
                    is_volatile: false,
                },
            );
    }
}

/// The flags of the second argument; 0 if there is none.
fn flags_of(ctx: &NativeCallContext, second: &Dynamic) -> RhaiResultOf<u32> {
    flag_bits(ctx, second.as_int().unwrap_or(0))
}

fn read_xml<K: Kind>(
    ctx: &NativeCallContext,
    object: &Object<K>,
    flags: u32,
) -> RhaiResultOf<String> {
    object.call(ctx, K::GET_XML, "read the XML of", move |handle| {
        K::xml(handle, flags)
    })
}

fn xml_text<K: Kind>(
    ctx: &NativeCallContext,
    object: &Object<K>,
    second: &Dynamic,
) -> RhaiResultOf<Dynamic> {
    read_xml(ctx, object, flags_of(ctx, second)?).map(Dynamic::from)
}

/// The XML as a document, marked if it describes a running object.
fn xml<K: Kind>(
    ctx: &NativeCallContext,
    object: &Object<K>,
    second: &Dynamic,
) -> RhaiResultOf<Dynamic> {
    let flags = flags_of(ctx, second)?;
    let xml = parse(ctx, read_xml(ctx, object, flags)?)?;
    let runs = K::INACTIVE.is_some_and(|(_, inactive)| flags & inactive == 0);
    Ok(Dynamic::from(if runs { xml.of_what_runs() } else { xml }))
}
