//! `libssi` for C: what `include/ssi.h` describes.

mod fail;
mod membership;
mod process;
mod text;
