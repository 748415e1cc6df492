//! The daemon in a real kernel. Needs root and BPF; each test has namespaces, directories
//! and a bpffs of its own.

mod cluster;
mod clusterwide;
mod control;
mod machine;
mod processes;
mod restart;
