//! What is asked of membership.

use ssi_api::cluster::{ClusterRequest, ClusterView, Event};
use ssi_api::control::{Client, Reply, Request};

use crate::fail::Fail;

/// The view, and how this node stands in it.
pub(crate) fn show(client: &mut Client) -> Result<ClusterView, Fail> {
    match client.request(Request::Cluster(ClusterRequest::Show))? {
        Reply::Cluster(view) => Ok(*view),
        other => Err(client.unexpected(&other).into()),
    }
}

/// The last transitions.
pub(crate) fn history(client: &mut Client) -> Result<Vec<Event>, Fail> {
    match client.request(Request::Cluster(ClusterRequest::History))? {
        Reply::History(events) => Ok(events),
        other => Err(client.unexpected(&other).into()),
    }
}

/// Asks for something that has nothing to say when it is done.
pub(crate) fn done(client: &mut Client, request: ClusterRequest) -> Result<(), Fail> {
    match client.request(Request::Cluster(request))? {
        Reply::Done => Ok(()),
        other => Err(client.unexpected(&other).into()),
    }
}

/// Asks for something that makes this node a member; the number that it has then.
pub(crate) fn member(client: &mut Client, request: ClusterRequest) -> Result<u16, Fail> {
    match client.request(Request::Cluster(request))? {
        Reply::Member { number } => Ok(number),
        other => Err(client.unexpected(&other).into()),
    }
}
