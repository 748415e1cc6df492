//! Errors as C programs have them: -1, a number, and words.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};

use libssi::Error;

thread_local! {
    static SAID: RefCell<CString> = RefCell::default();
}

/// Why a call fails: `errno`, and what is to be said.
pub(crate) struct Fail {
    errno: c_int,
    why: String,
}

/// What calls come to.
pub(crate) type Result<T> = std::result::Result<T, Fail>;

impl Fail {
    pub(crate) fn new(errno: c_int, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { errno, why }
    }

    /// What the kernel has just said.
    pub(crate) fn last(what: &str) -> Self {
        let error = std::io::Error::last_os_error();
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        Self::new(errno, format!("{what}: {error}"))
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        let errno = match &error {
            Error::Daemon(_) => libc::ECONNREFUSED,
            Error::NotMember(_) => libc::ENOTCONN,
            Error::NoNode(_) => libc::EHOSTUNREACH,
            Error::NoProcess(_) => libc::ESRCH,
            Error::NotPermitted(_) => libc::EPERM,
            Error::NoCommand(_) => libc::ENOENT,
            Error::NotExecutable(_) => libc::EACCES,
            Error::Unknown(_) => libc::EINPROGRESS,
            Error::Io { source, .. } => source.raw_os_error().unwrap_or(libc::EIO),
            _ => libc::EIO,
        };
        Self::new(errno, error.to_string())
    }
}

/// What a call returns: -1 with all that belongs to it if it failed.
pub(crate) fn returned<T: From<i8>>(result: Result<T>) -> T {
    let (value, said) = match result {
        Ok(value) => (value, String::new()),
        Err(fail) => {
            // SAFETY: errno is this thread's own.
            unsafe { *libc::__errno_location() = fail.errno };
            (T::from(-1), fail.why)
        }
    };
    let said = said.replace('\0', " ");
    SAID.with_borrow_mut(|last| *last = CString::new(said).unwrap_or_default());
    value
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ssi_error() -> *const c_char {
    // It stays where it is until this thread's next call.
    SAID.with_borrow(|last| last.as_ptr())
}
