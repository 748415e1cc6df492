//! Compiles the BPF programs (workspace package `ssi-ebpf`) and leaves the objects in
//! `OUT_DIR` for `include_bytes`.
//!
//! Where bpf-linker or rust-src is missing, the objects are empty: the crate still
//! checks, lints and runs its pure tests, and loading says what is missing. With
//! `SSI_BPF_REQUIRED=1` that is an error instead.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

const OBJECTS: &[&str] = &["net", "proc", "bypass", "drive"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo:rerun-if-env-changed=SSI_BPF_REQUIRED");
    for watched in ["ebpf/src", "ebpf/abi/src", "ebpf/Cargo.toml", "Cargo.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    let required = env::var("SSI_BPF_REQUIRED").is_ok_and(|v| v == "1");
    let manifest = fs::read_to_string(root.join("ebpf/Cargo.toml")).expect("ebpf/Cargo.toml");
    for object in OBJECTS {
        let to = out.join(format!("{object}.o"));
        let built = if manifest.contains(&format!("name = \"{object}\"")) {
            compile(&root, &out, object)
        } else {
            Err(format!("ebpf/Cargo.toml has no program \"{object}\""))
        };
        match built {
            Ok(from) => {
                fs::copy(from, to).expect("OUT_DIR is writable");
            }
            Err(reason) if required => panic!("cannot build the BPF object {object}: {reason}"),
            Err(reason) => {
                println!("cargo:warning=built without BPF object {object}: {reason}");
                fs::write(to, []).expect("OUT_DIR is writable");
            }
        }
    }
}

fn compile(root: &Path, out: &Path, object: &str) -> Result<PathBuf, String> {
    if !succeeds(Command::new("bpf-linker").arg("--version")) {
        return Err("bpf-linker is not installed; run `make toolchain`".into());
    }
    let target_dir = out.join("bpf");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let mut flags = vec![
        "-Cdebuginfo=2".to_owned(),
        "-Clinker=bpf-linker".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        // ISA v3 has the atomics that return the old value (kernel 5.12).
        "-Ctarget-cpu=v3".to_owned(),
        format!("--cfg=bpf_target_arch=\"{arch}\""),
    ];
    // The objects have the sources' paths in them, as the programs do: both hide the same.
    let outer = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let remaps = |flag: &&str| flag.starts_with("--remap-path-prefix=");
    flags.extend(outer.split('\x1f').filter(remaps).map(str::to_owned));
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo
        .current_dir(root)
        .args(["build", "--package", "ssi-ebpf", "--bin", object])
        .args(["--profile", "bpf", "-Z", "build-std=core"])
        .args(["--target", "bpfel-unknown-none", "--target-dir"])
        .arg(&target_dir)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .stdout(Stdio::null());
    for inherited in [
        "RUSTFLAGS",
        "RUSTC",
        "RUSTDOC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CLIPPY_ARGS",
        "CARGO_BUILD_TARGET",
        // In pieces, as incremental builds are, they need more stack than there is.
        "CARGO_INCREMENTAL",
    ] {
        cargo.env_remove(inherited);
    }
    if !succeeds(&mut cargo) {
        return Err("its build failed (above); is rust-src there? run `make toolchain`".into());
    }
    Ok(target_dir.join("bpfel-unknown-none/bpf").join(object))
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
