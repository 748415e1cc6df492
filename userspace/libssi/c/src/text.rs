//! Text to and from C.

use std::ffi::{CStr, OsString, c_char};
use std::os::unix::ffi::OsStringExt as _;

use crate::fail::{Fail, Result};

/// Puts text where there is room for so much of it, and a 0 at its end.
pub(crate) fn put(text: &str, to: &mut [c_char]) {
    let Some(room) = to.len().checked_sub(1) else {
        return;
    };
    let bytes = text.bytes().take(room).chain([0]);
    for (to, byte) in to.iter_mut().zip(bytes) {
        *to = byte.cast_signed();
    }
}

/// A string of C.
///
/// # Safety
/// `text` is NULL or ends with a 0.
pub(crate) unsafe fn string(text: *const c_char) -> Result<OsString> {
    if text.is_null() {
        return Err(Fail::new(libc::EINVAL, "a string is NULL"));
    }
    // SAFETY: it ends with a 0, the caller says.
    let text = unsafe { CStr::from_ptr(text) };
    Ok(OsString::from_vec(text.to_bytes().to_vec()))
}

/// A list of strings, as `execv` has them.
///
/// # Safety
/// `list` is NULL or ends with NULL, and so do its strings with a 0.
pub(crate) unsafe fn strings(list: *const *const c_char) -> Result<Vec<OsString>> {
    if list.is_null() {
        return Err(Fail::new(libc::EINVAL, "the arguments are NULL"));
    }
    let mut all = Vec::new();
    let mut at = list;
    // SAFETY: `at` has not gone beyond the NULL, the end of the list.
    while let text = unsafe { *at }
        && !text.is_null()
    {
        // SAFETY: it ends with a 0, the caller says.
        all.push(unsafe { string(text) }?);
        // SAFETY: the list goes on until its NULL.
        at = unsafe { at.add(1) };
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_off() {
        let mut room = [1; 4];
        put("abc", &mut room);
        assert_eq!(room, [97, 98, 99, 0]);
        put("abcd", &mut room);
        assert_eq!(room, [97, 98, 99, 0]);
        put("", &mut room);
        assert_eq!(room[0], 0);
        put("a", &mut []);
    }

    #[test]
    fn lists_end_with_null() {
        let list = [c"a".as_ptr(), c"".as_ptr(), std::ptr::null()];
        // SAFETY: made so.
        let all = unsafe { strings(list.as_ptr()) };
        assert_eq!(all.ok(), Some(vec!["a".into(), "".into()]));
        // SAFETY: NULL is allowed.
        assert!(unsafe { strings(std::ptr::null()) }.is_err());
    }
}
