//! Converts libvirt's typed parameters to names with values, and back.
//!
//! `virt` has a struct for each set of parameters, which drops every field newer than itself.

use std::ffi::{CStr, c_char, c_int};

use serde::{Deserialize, Serialize};
use virt_sys::{virTypedParameter, virTypedParameterPtr};

use super::{Result, c_text, checked, filled_array};

/// The value of one typed parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// `VIR_TYPED_PARAM_INT`.
    Int(i32),
    /// `VIR_TYPED_PARAM_UINT`.
    UInt(u32),
    /// `VIR_TYPED_PARAM_LLONG`.
    Long(i64),
    /// `VIR_TYPED_PARAM_ULLONG`.
    ULong(u64),
    /// `VIR_TYPED_PARAM_DOUBLE`.
    Double(f64),
    /// `VIR_TYPED_PARAM_BOOLEAN`.
    Bool(bool),
    /// `VIR_TYPED_PARAM_STRING`.
    Text(String),
}

macro_rules! from_number {
    ($($number:ty => $variant:ident),*) => {
        $(impl From<$number> for Scalar {
            fn from(number: $number) -> Self {
                Scalar::$variant(number)
            }
        })*
    };
}
from_number!(i32 => Int, u32 => UInt, i64 => Long, u64 => ULong);

impl Scalar {
    /// True if it is written as `text`.
    pub fn has_text(&self, text: &str) -> bool {
        match self {
            Scalar::Text(own) => own == text,
            number => number.to_string() == text,
        }
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Scalar::Int(number) => number.fmt(f),
            Scalar::UInt(number) => number.fmt(f),
            Scalar::Long(number) => number.fmt(f),
            Scalar::ULong(number) => number.fmt(f),
            Scalar::Double(number) => number.fmt(f),
            Scalar::Bool(truth) => truth.fmt(f),
            Scalar::Text(text) => f.write_str(text),
        }
    }
}

/// An array of parameters, to give to libvirt or from it; a name may stand several times.
#[derive(Debug)]
pub struct TypedParams {
    array: virTypedParameterPtr,
    length: c_int,
    capacity: c_int,
}

// SAFETY: the array and all that it points to are plain memory that this value alone owns; libvirt
// does not tie it to a thread.
unsafe impl Send for TypedParams {}
// SAFETY: through a shared reference the array is only read.
unsafe impl Sync for TypedParams {}

impl Default for TypedParams {
    fn default() -> Self {
        Self {
            array: std::ptr::null_mut(),
            length: 0,
            capacity: 0,
        }
    }
}

impl TypedParams {
    /// Adds the parameter `name`.
    pub fn add(&mut self, name: &str, value: &Scalar) -> Result<()> {
        let name = c_text(name)?;
        let (array, length, capacity) = (&mut self.array, &mut self.length, &mut self.capacity);
        // SAFETY: libvirt grows the array that the three fields describe; name and value are
        // copied by it and live until the call returns.
        let result = unsafe {
            let name = name.as_ptr();
            match value {
                Scalar::Int(v) => virt_sys::virTypedParamsAddInt(array, length, capacity, name, *v),
                Scalar::UInt(v) => {
                    virt_sys::virTypedParamsAddUInt(array, length, capacity, name, *v)
                }
                Scalar::Long(v) => {
                    virt_sys::virTypedParamsAddLLong(array, length, capacity, name, *v)
                }
                Scalar::ULong(v) => {
                    virt_sys::virTypedParamsAddULLong(array, length, capacity, name, *v)
                }
                Scalar::Double(v) => {
                    virt_sys::virTypedParamsAddDouble(array, length, capacity, name, *v)
                }
                Scalar::Bool(v) => virt_sys::virTypedParamsAddBoolean(
                    array,
                    length,
                    capacity,
                    name,
                    c_int::from(*v),
                ),
                Scalar::Text(v) => {
                    let v = c_text(v)?;
                    virt_sys::virTypedParamsAddString(array, length, capacity, name, v.as_ptr())
                }
            }
        };
        checked(result).map(drop)
    }

    /// # Safety
    /// libvirt allocated `array` with `length` entries and left it to the caller.
    pub(super) unsafe fn from_libvirt(array: virTypedParameterPtr, length: c_int) -> Self {
        Self {
            array,
            length,
            capacity: length,
        }
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Scalar)> {
        let entries = if self.array.is_null() {
            &[]
        } else {
            // SAFETY: the array has that many entries, and nothing else changes them while `self` is borrowed.
            unsafe { std::slice::from_raw_parts(self.array, self.length.try_into().unwrap_or(0)) }
        };
        // SAFETY: libvirt filled each entry.
        entries.iter().filter_map(|param| unsafe { entry(param) })
    }

    /// The array and its length, for a call.
    pub(super) fn parts(&self) -> (virTypedParameterPtr, c_int) {
        (self.array, self.length)
    }
}

impl Drop for TypedParams {
    fn drop(&mut self) {
        // SAFETY: array and length are libvirt's own, and nothing else frees them.
        unsafe { virt_sys::virTypedParamsFree(self.array, self.length) };
    }
}

/// The parameters that a call wrote into an array of the caller's.
///
/// # Safety
/// libvirt filled `params`, so that each value is of the type it names and each string is ours.
pub(super) unsafe fn read_filled(params: &mut [virTypedParameter]) -> Vec<(String, Scalar)> {
    // SAFETY: the caller's contract; clearing frees the strings after they were copied.
    unsafe {
        let fields = read(params);
        virt_sys::virTypedParamsClear(params.as_mut_ptr(), params.len() as c_int);
        fields
    }
}

/// The parameters of an array that a call allocated, which is freed here.
///
/// # Safety
/// libvirt allocated `array` with `length` entries and left it to the caller.
pub(super) unsafe fn read_owned(
    array: virTypedParameterPtr,
    length: c_int,
) -> Vec<(String, Scalar)> {
    // SAFETY: the caller's contract.
    let params = unsafe { TypedParams::from_libvirt(array, length) };
    copied(params.iter())
}

/// # Safety
/// Each entry of `params` was filled by libvirt.
pub(super) unsafe fn read(params: &[virTypedParameter]) -> Vec<(String, Scalar)> {
    // SAFETY: the caller's contract.
    copied(params.iter().filter_map(|param| unsafe { entry(param) }))
}

/// The name and the value of one parameter.
///
/// # Safety
/// libvirt filled `param`.
unsafe fn entry(param: &virTypedParameter) -> Option<(&str, Scalar)> {
    // SAFETY: libvirt ends the name with NUL, and sets the member that the type names.
    unsafe {
        let name = CStr::from_ptr(param.field.as_ptr().cast::<c_char>());
        let value = match param.type_ as u32 {
            virt_sys::VIR_TYPED_PARAM_INT => Scalar::Int(param.value.i),
            virt_sys::VIR_TYPED_PARAM_UINT => Scalar::UInt(param.value.ui),
            virt_sys::VIR_TYPED_PARAM_LLONG => Scalar::Long(param.value.l),
            virt_sys::VIR_TYPED_PARAM_ULLONG => Scalar::ULong(param.value.ul),
            virt_sys::VIR_TYPED_PARAM_DOUBLE => Scalar::Double(param.value.d),
            virt_sys::VIR_TYPED_PARAM_BOOLEAN => Scalar::Bool(param.value.b != 0),
            virt_sys::VIR_TYPED_PARAM_STRING => Scalar::Text(super::borrowed_text(param.value.s)?),
            _ => return None,
        };
        // All names of libvirt are ASCII.
        Some((name.to_str().ok()?, value))
    }
}

/// The parameters that `call` writes into an array of the caller.
///
/// # Safety
/// `call` is a call of libvirt's that returns the needed length for a null array, fills an array of at most that
/// length, and writes back the number of entries.
pub(super) unsafe fn filled(
    call: impl Fn(virTypedParameterPtr, *mut c_int) -> c_int,
) -> Result<Vec<(String, Scalar)>> {
    // SAFETY: by this function's contract; the struct holds numbers and pointers, for which all bits zero is a value.
    unsafe {
        let mut params = filled_array(call)?;
        Ok(read_filled(&mut params))
    }
}

/// The contents of an array that `call` allocates.
///
/// # Safety
/// As for [`owned`].
pub(super) unsafe fn allocated(
    call: impl FnOnce(*mut virTypedParameterPtr, *mut c_int) -> c_int,
) -> Result<Vec<(String, Scalar)>> {
    // SAFETY: by this function's contract.
    let params = unsafe { owned(call)? };
    Ok(copied(params.iter()))
}

/// The array that `call` allocates.
///
/// # Safety
/// `call` is a call of libvirt that leaves an array and its length to the caller.
pub(super) unsafe fn owned(
    call: impl FnOnce(*mut virTypedParameterPtr, *mut c_int) -> c_int,
) -> Result<TypedParams> {
    let (mut array, mut length) = (std::ptr::null_mut(), 0);
    checked(call(&raw mut array, &raw mut length))?;
    // SAFETY: by this function's contract, the array is ours.
    Ok(unsafe { TypedParams::from_libvirt(array, length) })
}

fn copied<'a>(entries: impl Iterator<Item = (&'a str, Scalar)>) -> Vec<(String, Scalar)> {
    entries
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// An array for a call to fill.
pub(super) fn blank(length: usize) -> Vec<virTypedParameter> {
    // SAFETY: the struct holds numbers and pointers, for which all bits zero is a value.
    vec![unsafe { std::mem::zeroed() }; length]
}
