//! Whole clusters on one machine.
//!
//! A node is a set of namespaces (network, mount, process, host name, IPC) with an init of
//! its own, a private `/var`, `/run`, `/tmp`, `/etc/ssi` and bpffs, and the machine's root
//! tree, which all nodes share. Two bridges in a namespace of their own join the nodes
//! (`ic0`) and connect them with a client outside (`eth0`).

pub mod cgroup;
pub mod cluster;
pub mod config;
pub mod exec;
pub mod fault;
pub mod form;
pub mod leftovers;
pub mod network;
pub mod node;
pub mod plan;
pub mod show;
pub mod state;
pub mod status;
pub mod tool;
