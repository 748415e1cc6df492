//! Load leveling, after MOSIX: how busy a node is, and which process should run where.
//!
//! A pure core: what the node's processes have used and what time it is go in, numbers come
//! out. Nothing here reads a clock or a file.

pub mod load;
