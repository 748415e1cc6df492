use aya::maps::MapType;
use aya::programs::ProgramType;
use serde::Serialize;

use super::probe;

/// Whether a feature works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// As well as it can.
    Full,
    /// By a fallback.
    Fallback,
    /// Not at all.
    Missing,
}

/// A feature of this kernel that we use, or do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// What it is.
    pub name: &'static str,
    /// Whether it works.
    pub support: Support,
    /// What is used.
    pub mode: &'static str,
    /// What is missing, with the kernel option or version that has it; empty if nothing.
    pub missing: &'static str,
    /// What is slower or impossible without; empty if nothing is missing.
    pub matters: &'static str,
}

/// What we want of a kernel, and what happens without.
struct Wish {
    name: &'static str,
    works: fn() -> bool,
    mode: &'static str,
    otherwise: Support,
    fallback: &'static str,
    missing: &'static str,
    matters: &'static str,
}

const WISHES: &[Wish] = &[
    Wish {
        name: "XDP",
        works: || probe::program(ProgramType::Xdp),
        mode: "native or generic, by driver",
        otherwise: Support::Fallback,
        fallback: "tc",
        missing: "BPF_PROG_TYPE_XDP (CONFIG_BPF_SYSCALL, kernel 4.8)",
        matters: "packets are handled only after the stack has made buffers of them",
    },
    Wish {
        name: "tc",
        works: || probe::program(ProgramType::SchedClassifier),
        mode: "direct action",
        otherwise: Support::Missing,
        fallback: "none",
        missing: "CONFIG_NET_CLS_ACT, CONFIG_NET_CLS_BPF",
        matters: "no scheduling on veth, and no NAT for servers that are this node",
    },
    Wish {
        name: "tcx links",
        works: probe::tcx,
        mode: "tcx",
        otherwise: Support::Fallback,
        fallback: "a filter on a clsact qdisc",
        missing: "CONFIG_NET_XGRESS, kernel 6.6",
        matters: "programs are replaced in two steps instead of one",
    },
    Wish {
        name: "BTF",
        works: probe::btf,
        mode: "/sys/kernel/btf/vmlinux",
        otherwise: Support::Fallback,
        fallback: "none needed for networking",
        missing: "CONFIG_DEBUG_INFO_BTF",
        matters: "process tracking falls back to /proc",
    },
    Wish {
        name: "tracing",
        works: || probe::btf() && probe::program(ProgramType::RawTracePoint),
        mode: "tp_btf, iter",
        otherwise: Support::Fallback,
        fallback: "/proc, inet_diag",
        missing: "CONFIG_BPF_EVENTS, kernel 5.5",
        matters: "process and listener tracking polls",
    },
    Wish {
        name: "process events",
        works: || probe::tracepoints() && probe::map(MapType::RingBuf),
        mode: "tp_btf at fork, exec and exit",
        otherwise: Support::Fallback,
        fallback: "/proc",
        missing: "CONFIG_DEBUG_INFO_BTF, CONFIG_BPF_EVENTS, kernel 5.8",
        matters: "what begins and ends between two looks at /proc is not seen",
    },
    Wish {
        name: "process snapshots",
        works: probe::task_iterator,
        mode: "iter/task",
        otherwise: Support::Fallback,
        fallback: "/proc",
        missing: "CONFIG_DEBUG_INFO_BTF, kernel 5.8",
        matters: "looking at all processes takes forty times longer",
    },
    Wish {
        name: "run-queue waits",
        works: probe::run_delay,
        mode: "sched_info",
        otherwise: Support::Missing,
        fallback: "none",
        missing: "CONFIG_SCHED_INFO (CONFIG_SCHEDSTATS or CONFIG_TASK_DELAY_ACCT)",
        matters: "load is processor time only, not the processes that wait for it",
    },
    Wish {
        name: "sk_lookup",
        works: || probe::program(ProgramType::SkLookup),
        mode: "sk_lookup",
        otherwise: Support::Missing,
        fallback: "none",
        missing: "kernel 5.9",
        matters: "services need their own listeners on each port",
    },
    Wish {
        name: "sk_reuseport",
        works: || {
            probe::program(ProgramType::SkReuseport) && probe::map(MapType::ReuseportSockArray)
        },
        mode: "sk_reuseport",
        otherwise: Support::Fallback,
        fallback: "whichever thread accepts a connection hands it over",
        missing: "kernel 4.19",
        matters: "a connection between nodes waits for two threads before it begins",
    },
    Wish {
        name: "sockhash",
        works: || probe::program(ProgramType::SkMsg) && probe::map(MapType::SockHash),
        mode: "sk_msg on a sockhash, if it is switched on",
        otherwise: Support::Fallback,
        fallback: "plain sockets",
        missing: "CONFIG_BPF_STREAM_PARSER, kernel 4.20",
        matters: "nodes that share this kernel talk through the network stack",
    },
    Wish {
        name: "ring buffer",
        works: || probe::map(MapType::RingBuf),
        mode: "BPF_MAP_TYPE_RINGBUF",
        otherwise: Support::Missing,
        fallback: "none",
        missing: "kernel 5.8",
        matters: "the programs can't be loaded",
    },
    Wish {
        name: "mapped arrays",
        works: probe::mmapable,
        mode: "BPF_F_MMAPABLE",
        otherwise: Support::Missing,
        fallback: "none",
        missing: "kernel 5.5",
        matters: "the programs can't be loaded",
    },
    Wish {
        name: "batch operations",
        works: probe::batches,
        mode: "BPF_MAP_UPDATE_BATCH",
        otherwise: Support::Fallback,
        fallback: "one by one",
        missing: "kernel 5.6",
        matters: "loading thousands of services takes several times longer",
    },
    Wish {
        name: "JIT",
        works: probe::jit,
        mode: "on",
        otherwise: Support::Fallback,
        fallback: "interpreter",
        missing: "CONFIG_BPF_JIT, sysctl net.core.bpf_jit_enable=1",
        matters: "every packet costs several times more",
    },
];

/// Everything we want of a kernel, and what this one gives. Needs root to be right: without
/// rights the kernel refuses the questions.
#[must_use]
pub fn report() -> Vec<Feature> {
    WISHES.iter().map(answer).collect()
}

fn answer(wish: &Wish) -> Feature {
    if (wish.works)() {
        return Feature {
            name: wish.name,
            support: Support::Full,
            mode: wish.mode,
            missing: "",
            matters: "",
        };
    }
    Feature {
        name: wish.name,
        support: wish.otherwise,
        mode: wish.fallback,
        missing: wish.missing,
        matters: wish.matters,
    }
}
