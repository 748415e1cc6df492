//! Becoming a program, as execvp(3) does it, with nothing left to be prepared: whoever does it
//! has another process's memory.

use std::ffi::{CString, OsStr, OsString, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::ptr;

use nix::errno::Errno;

/// What has no program's format is for this.
const SHELL: &std::ffi::CStr = c"/bin/sh";
/// Where programs are for whoever has no PATH (glibc's `_PATH_DEFPATH`).
const PATH: &[u8] = b"/bin:/usr/bin";

/// A program that is about to be executed, wherever it is.
pub(super) struct Program {
    /// Where it may be, in this order.
    places: Vec<CString>,
    /// What the pointers below point to.
    _words: Vec<CString>,
    args: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    /// The shell's arguments; the second is where the script is.
    script: Vec<*const c_char>,
}

impl Program {
    /// Looks nothing up yet.
    ///
    /// # Errors
    /// A word has a zero byte in it.
    pub(super) fn new(args: &[Vec<u8>], environment: &[(OsString, OsString)]) -> io::Result<Self> {
        let name = args.first().map_or(&[][..], Vec::as_slice);
        let path = environment.iter().find(|(name, _)| name == "PATH");
        let path = path.map_or(PATH, |(_, value)| value.as_bytes());
        let places = places(name, path).map(CString::new);
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let mut words = Vec::with_capacity(args.len() + environment.len());
        let mut keep = |word: Vec<u8>| -> io::Result<*const c_char> {
            let word = CString::new(word)?;
            // Where a string's bytes are does not change when the string is moved.
            let pointer = word.as_ptr();
            words.push(word);
            Ok(pointer)
        };
        let entry = |(name, value): &(OsString, OsString)| {
            [name.as_bytes(), value.as_bytes()].join(OsStr::new("=").as_bytes())
        };
        let mut args: Vec<_> = args
            .iter()
            .cloned()
            .map(&mut keep)
            .collect::<io::Result<_>>()?;
        let environment = environment.iter().map(entry).map(keep);
        let mut environment: Vec<_> = environment.collect::<io::Result<_>>()?;
        args.push(ptr::null());
        environment.push(ptr::null());
        let mut script = vec![SHELL.as_ptr(), ptr::null()];
        script.extend(args.iter().skip(1));
        Ok(Self {
            places,
            _words: words,
            args,
            environment,
            script,
        })
    }

    /// Becomes it. Makes system calls only.
    ///
    /// # Returns
    /// Why not, if it can't.
    pub(super) fn execute(&mut self) -> i32 {
        let mut why = libc::ENOENT;
        for place in &self.places {
            // SAFETY: all three are strings, and lists of strings that end with nothing.
            unsafe {
                libc::execve(
                    place.as_ptr(),
                    self.args.as_ptr(),
                    self.environment.as_ptr(),
                );
            }
            match Errno::last_raw() {
                libc::ENOEXEC => {
                    self.script[1] = place.as_ptr();
                    // SAFETY: as above.
                    unsafe {
                        let (args, environment) = (self.script.as_ptr(), self.environment.as_ptr());
                        libc::execve(SHELL.as_ptr(), args, environment);
                    }
                    return libc::ENOEXEC;
                }
                // It may be elsewhere; but this is said if it is not.
                libc::EACCES => why = libc::EACCES,
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                other => return other,
            }
        }
        why
    }
}

/// Where a program of this name may be.
fn places<'a>(name: &'a [u8], path: &'a [u8]) -> impl Iterator<Item = Vec<u8>> + 'a {
    let fixed = name.is_empty() || name.contains(&b'/');
    let folders = path.split(|byte| *byte == b':').filter(move |_| !fixed);
    let found = folders.map(|folder| match folder {
        // An empty one is where we are.
        [] => name.to_vec(),
        _ => [folder, name].join(&b'/'),
    });
    fixed.then(|| name.to_vec()).into_iter().chain(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(name: &str, path: &str) -> Vec<String> {
        let all = places(name.as_bytes(), path.as_bytes());
        all.map(|place| String::from_utf8(place).unwrap()).collect()
    }

    #[test]
    fn programs_are_looked_for_as_shells_do() {
        assert_eq!(all("ls", "/bin:/usr/bin"), ["/bin/ls", "/usr/bin/ls"]);
        assert_eq!(all("ls", "/bin::"), ["/bin/ls", "ls", "ls"]);
        assert_eq!(all("./ls", "/bin"), ["./ls"]);
        assert_eq!(all("", "/bin"), [""]);
    }

    #[test]
    fn no_word_ends_in_the_middle() {
        let nothing = |args: &[&[u8]]| {
            let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.to_vec()).collect();
            Program::new(&args, &[]).is_err()
        };
        assert!(nothing(&[b"a\0b"]));
        assert!(nothing(&[b"a", b"b\0"]));
        assert!(!nothing(&[b"a", b""]));
    }
}
