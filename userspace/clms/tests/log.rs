//! The view log on a real disk: what it said it has is there again after the process is
//! gone.

use openraft::storage::{IOFlushed, RaftLogStorage as _};
use openraft::{EntryPayload, RaftLogReader as _, alias};
use ssi_clms::core::command::Command;
use ssi_clms::core::{NodeId, Number};
use ssi_clms::log::{Store, ViewLog};

type Entry = alias::EntryOf<ViewLog>;

fn entry(index: u64) -> Entry {
    let node = NodeId {
        number: Number::new(1).unwrap(),
        incarnation: 1,
    };
    Entry {
        log_id: log_id(index),
        payload: EntryPayload::Normal(Command::Master { node, term: index }),
    }
}

fn log_id(index: u64) -> alias::LogIdOf<ViewLog> {
    openraft::LogId::new(alias::CommittedLeaderIdOf::<ViewLog>::new(1), index)
}

#[tokio::test]
async fn what_was_written_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    {
        let mut store = Store::open(&path).unwrap();
        let entries = (1..=10).map(entry);
        store.append(entries, IOFlushed::noop()).await.unwrap();
        store.truncate_after(Some(log_id(8))).await.unwrap();
        store.purge(log_id(3)).await.unwrap();
        store.save_committed(Some(log_id(7))).await.unwrap();
    }
    let mut store = Store::open(&path).unwrap();
    let kept = store.try_get_log_entries(..).await.unwrap();
    let indices: Vec<u64> = kept.iter().map(|entry| entry.log_id.index).collect();
    assert_eq!(indices, [4, 5, 6, 7, 8]);
    assert_eq!(kept[0], entry(4));
    let state = store.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(log_id(3)));
    assert_eq!(state.last_log_id, Some(log_id(8)));
    assert_eq!(store.read_committed().await.unwrap(), Some(log_id(7)));
    assert_eq!(store.read_vote().await.unwrap(), None);
}

#[tokio::test]
async fn an_empty_log_after_a_purge_knows_where_it_was() {
    let mut store = Store::in_memory().unwrap();
    let entries = (1..=3).map(entry);
    store.append(entries, IOFlushed::noop()).await.unwrap();
    store.purge(log_id(3)).await.unwrap();
    let state = store.get_log_state().await.unwrap();
    assert_eq!(state.last_log_id, Some(log_id(3)));
    assert!(store.try_get_log_entries(..).await.unwrap().is_empty());
}

#[test]
fn a_log_in_use_or_damaged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let store = Store::open(&path).unwrap();
    assert!(Store::open(&path).is_err(), "one process at a time");
    drop(store);
    std::fs::write(
        &path,
        b"no database at all, but long enough to be looked at",
    )
    .unwrap();
    assert!(Store::open(&path).is_err());
}
