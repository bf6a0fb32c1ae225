//! What a script gets of a map of options: with defaults, and with numbers of the declared type.

use rhai::{Array, Dynamic, Map};

use super::value::accepts;
use super::{Key, Literal, Shape, Spec, Type};

impl Spec {
    /// `map` with the defaults of the keys that it does not have; `()` for those without one.
    pub fn filled(&self, mut map: Map) -> Map {
        for key in &self.keys {
            match map.get_mut(key.name.as_str()) {
                Some(value) if !value.is_unit() => key.fill(value),
                // Given as `()`, where that means something.
                Some(_) if key.ty.alternatives().contains(&Type::Unit) => {}
                _ => {
                    let mut default = key.default_in(&map);
                    as_float(&key.ty, &mut default);
                    map.insert(key.name.as_str().into(), default);
                }
            }
        }
        map
    }
}

impl Key {
    /// Makes `value` what a script gets: with numbers of the declared type, and with the defaults of maps.
    pub fn fill(&self, value: &mut Dynamic) {
        as_float(&self.ty, value);
        fill(&self.ty, value);
    }
}

/// Makes a whole number in `value` a number with a fraction, if the type is `float`.
fn as_float(ty: &Type, value: &mut Dynamic) {
    if let Ok(number) = value.as_int() {
        let takes_whole =
            |ty: &Type| *ty != Type::Float && accepts(ty, &Shape::<&Literal>::Int(Some(number)));
        let types = ty.alternatives();
        if types.contains(&Type::Float) && !types.iter().any(takes_whole) {
            *value = (number as f64).into();
        }
    } else if let Some(item) = ty.item()
        && let Some(mut list) = value.write_lock::<Array>()
    {
        for value in list.iter_mut() {
            as_float(item, value);
        }
    }
}

/// Fills in the defaults of the maps in `value`.
fn fill(ty: &Type, value: &mut Dynamic) {
    let specs = ty.alternatives().iter().find_map(|ty| match ty {
        Type::Keys(spec) => Some(spec),
        _ => None,
    });
    if let Some(spec) = specs
        && let Some(mut map) = value.write_lock::<Map>()
    {
        let given = std::mem::take(&mut *map);
        *map = spec.filled(given);
        return;
    }
    if let Some(item) = ty.item()
        && !item.specs().is_empty()
        && let Some(mut list) = value.write_lock::<Array>()
    {
        for value in list.iter_mut() {
            fill(item, value);
        }
    }
}
