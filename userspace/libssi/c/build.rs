//! The name by which programs find the library again: as long as it is the same, they need not
//! be linked anew.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libssi.so.0");
}
