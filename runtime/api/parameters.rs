//! Typed parameters of an object, which scripts read and set as maps.

use std::fmt::Display;

use rhai::{Map, NativeCallContext};

use super::arguments::{RhaiResultOf, flag_bits, map, typed_params};
use crate::libvirt;
use crate::libvirt::typed_params::{Scalar, TypedParams};
use crate::objects::object::{Kind, Object};
use crate::vocabulary::{Declared, ParamType};

/// A set of parameters that libvirt has one call to read and one to set.
pub(super) struct Parameters<N> {
    /// The noun for messages, such as "memory limits".
    pub(super) noun: N,
    /// The declaration of the map that sets them.
    pub(super) options: &'static Declared,
    /// The type of each parameter, by its name.
    pub(super) types: fn(&str) -> ParamType,
}

impl<N: Display> Parameters<N> {
    /// The parameters of `object`, which the C function `call` reads.
    pub(super) fn read<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        object: &Object<K>,
        call: &'static str,
        flags: i64,
        read: impl Fn(&K::Handle, u32) -> libvirt::Result<Vec<(String, Scalar)>> + Send + Sync + 'static,
    ) -> RhaiResultOf<Map> {
        let wanted = flag_bits(ctx, flags)?;
        let verb = format_args!("read the {} of", self.noun);
        let params = object.call(ctx, call, verb, move |handle| read(handle, wanted))?;
        let mut map = map(params);
        for (name, value) in &mut map {
            if let (ParamType::Constant(words), Ok(number)) = ((self.types)(name), value.as_int()) {
                *value = words.word(number).into();
            }
        }
        Ok(map)
    }

    /// Sets parameters of `object` by the C function `call`.
    pub(super) fn set<K: Kind>(
        &self,
        ctx: &NativeCallContext,
        object: &Object<K>,
        call: &'static str,
        params: &Map,
        flags: i64,
        set: impl Fn(&K::Handle, &TypedParams, u32) -> libvirt::Result<()> + Send + Sync + 'static,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(ctx, flags)?;
        let params = typed_params(ctx, self.options, self.types, params)?;
        let verb = format_args!("set the {} of", self.noun);
        object.call(ctx, call, verb, move |handle| set(handle, &params, wanted))
    }
}
