//! The cluster's port in the packet path, frame by frame under `BPF_PROG_TEST_RUN`, through
//! both entries and over both families. Needs root and BPF.
#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]

mod bed;
mod lease;
mod probes;
mod refused;
mod segments;
mod wire;
