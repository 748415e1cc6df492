//! The way around the network stack: two nodes in network namespaces of their own, real
//! connections between them. Needs root and BPF.
#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]

mod fence;
mod nodes;
mod way;
