//! The commands.

use std::ffi::OsString;

use clap::Subcommand;

use crate::args::Common;
use crate::fail::Fail;
use crate::member::{evict, fenced, forget, init, join, leave, rejoin, token, witness};
use crate::tradition::{
    cluster_maxnodes, clustername, clusternode_avail, clusternode_getstate, clusternode_info,
    clusternode_num, clustertab, node_pid, spawndaemon, where_pid,
};
use crate::{
    cluster, completion, doctor, drain, ics, kill, loads, lvs, pgrep, ps, pstree, remote, renice,
    service, shell, status, top,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Cmd {
    Status(status::Options),
    Doctor(doctor::Options),
    Cluster(cluster::Options),
    Init(init::Options),
    Token(token::Options),
    Join(join::Options),
    Leave(leave::Options),
    Rejoin(rejoin::Options),
    Forget(forget::Options),
    Evict(evict::Options),
    Fenced(fenced::Options),
    Witness(witness::Options),
    Ics(ics::Options),
    Ping(ics::ping::Options),
    /// Virtual services and real servers, in the syntax of ipvsadm
    ///
    /// Called as ipvsadm (any name that ends so), ssi is this command.
    #[command(disable_help_flag = true, after_long_help = lvs::HELP)]
    Lvs {
        /// See `ssi lvs --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "IPVSADM-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// The processes of the cluster, with the habits of ps
    #[command(disable_help_flag = true, after_long_help = ps::HELP)]
    Ps {
        /// See `ssi ps --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "PS-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// Send signals to processes of the cluster, with the habits of kill
    #[command(disable_help_flag = true, after_long_help = kill::HELP)]
    Kill {
        /// See `ssi kill --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "KILL-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// Look processes of the cluster up by name and more, with the habits of pgrep
    #[command(disable_help_flag = true, after_long_help = pgrep::PGREP)]
    Pgrep {
        /// See `ssi pgrep --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "PGREP-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// Signal processes of the cluster by name and more, with the habits of pkill
    #[command(disable_help_flag = true, after_long_help = pgrep::PKILL)]
    Pkill {
        /// See `ssi pkill --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "PKILL-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// Change the niceness of processes of the cluster, with the habits of renice
    #[command(disable_help_flag = true, after_long_help = renice::HELP)]
    Renice {
        /// See `ssi renice --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "RENICE-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// Change the niceness of processes that run: the same as renice
    #[command(disable_help_flag = true, after_long_help = renice::HELP)]
    Nice {
        /// See `ssi nice --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "RENICE-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    Pstree(pstree::Options),
    Top(top::Options),
    Loads(loads::Options),
    Shell(shell::Options),
    Service(service::Options),
    Drain(drain::Options),
    /// Traditional: what is kept alive
    #[command(name = "spawndaemon", disable_help_flag = true, after_long_help = spawndaemon::HELP)]
    SpawnDaemon {
        /// See `ssi spawndaemon --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "SPAWNDAEMON-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    #[command(flatten)]
    Remote(remote::Cmd),
    Completion(completion::Options),
    #[command(name = "clustername")]
    ClusterName(clustername::Options),
    #[command(name = "clusternode_num")]
    ClusterNodeNum(clusternode_num::Options),
    #[command(name = "clusternode_avail")]
    ClusterNodeAvail(clusternode_avail::Options),
    #[command(name = "clusternode_info")]
    ClusterNodeInfo(clusternode_info::Options),
    #[command(name = "clusternode_getstate")]
    ClusterNodeGetState(clusternode_getstate::Options),
    #[command(name = "cluster_maxnodes")]
    ClusterMaxNodes(cluster_maxnodes::Options),
    #[command(name = "where_pid")]
    WherePid(where_pid::Options),
    #[command(name = "node_pid")]
    NodePid(node_pid::Options),
    #[command(name = "clustertab")]
    ClusterTab(clustertab::Options),
}

impl Cmd {
    /// Does it. `rest` is what came after a command whose line clap does not read.
    pub(crate) fn run(&self, common: &Common, rest: &[OsString]) -> Result<(), Fail> {
        match self {
            Self::Status(options) => status::run(options, common),
            Self::Doctor(options) => doctor::run(options, common),
            Self::Cluster(options) => cluster::run(options, common),
            Self::Init(options) => init::run(options, common),
            Self::Token(options) => token::run(options, common),
            Self::Join(options) => join::run(options, common),
            Self::Leave(options) => leave::run(options, common),
            Self::Rejoin(options) => rejoin::run(options, common),
            Self::Forget(options) => forget::run(options, common),
            Self::Evict(options) => evict::run(options, common),
            Self::Fenced(options) => fenced::run(options, common),
            Self::Witness(options) => witness::run(options, common),
            Self::Ics(options) => ics::run(options, common),
            Self::Ping(options) => ics::ping::run(options, common),
            Self::Lvs { .. } => lvs::run(rest, common),
            Self::Ps { .. } => ps::run(rest, common),
            Self::Kill { .. } => kill::run(rest, common),
            Self::Pgrep { .. } => pgrep::grep(rest, common),
            Self::Pkill { .. } => pgrep::kill(rest, common),
            Self::Renice { .. } | Self::Nice { .. } => renice::run(rest, common),
            Self::Pstree(options) => pstree::run(options, common),
            Self::Top(options) => top::run(options, common),
            Self::Loads(options) => loads::run(options, common),
            Self::Shell(options) => shell::run(options, common),
            Self::Service(options) => service::run(options, common),
            Self::Drain(options) => drain::run(options, common),
            Self::SpawnDaemon { .. } => spawndaemon::run(rest, common),
            Self::Remote(command) => {
                let shown = format!("ssi {}", command.name());
                // Its exit status is not ours to say in words.
                let status = ssi_remote::run(command.name(), &shown, rest, &common.settings());
                Err(Fail::Status(status))
            }
            Self::Completion(options) => completion::run(options),
            Self::ClusterName(options) => clustername::run(options, common),
            Self::ClusterNodeNum(options) => clusternode_num::run(options, common),
            Self::ClusterNodeAvail(options) => clusternode_avail::run(options, common),
            Self::ClusterNodeInfo(options) => clusternode_info::run(options, common),
            Self::ClusterNodeGetState(options) => clusternode_getstate::run(options, common),
            Self::ClusterMaxNodes(options) => cluster_maxnodes::run(options, common),
            Self::WherePid(options) => where_pid::run(options, common),
            Self::NodePid(options) => node_pid::run(options, common),
            Self::ClusterTab(options) => clustertab::run(options, common),
        }
    }
}
