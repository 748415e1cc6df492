//! The log on disk.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::Arc;

use openraft::alias::{EntryOf, LogIdOf, SnapshotMetaOf, VoteOf};
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, RaftLogReader};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use rustix::fs::{FallocateFlags, fallocate};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ViewLog;

/// Entries by index.
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
/// Everything else, by name.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// Bytes that the file has room for in any case: several times as many as a log of usual entries
/// takes between two snapshots. A log that can't be written is over, and a full disk should be
/// no reason for that.
const RESERVED: u64 = 4 << 20;
/// Bytes of the file that are kept in memory: the log is short, and read at start only.
const CACHE: usize = 1 << 20;

const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";
const SNAPSHOT_META: &str = "snapshot-meta";
const SNAPSHOT: &str = "snapshot";

/// The log of one node. What it was given is on the disk when it says so.
#[derive(Clone, Debug)]
pub struct Store {
    db: Arc<Database>,
}

impl Store {
    /// The log in a file, which is made if there is none.
    ///
    /// # Errors
    /// The file can't be opened, is damaged, or is in use.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE);
        let store = Self::with(builder.create(path).map_err(io::Error::other)?)?;
        if let Err(error) = reserve(path) {
            tracing::debug!("no room was set aside for {}: {error}", path.display());
        }
        Ok(store)
    }

    /// A log that is gone with the process, for simulations.
    ///
    /// # Errors
    /// Out of memory.
    pub fn in_memory() -> io::Result<Self> {
        let db = Database::builder().create_with_backend(InMemoryBackend::new());
        Self::with(db.map_err(io::Error::other)?)
    }

    fn with(db: Database) -> io::Result<Self> {
        let store = Self { db: Arc::new(db) };
        let write = store.db.begin_write().map_err(io::Error::other)?;
        write.open_table(LOG).map_err(io::Error::other)?;
        write.open_table(META).map_err(io::Error::other)?;
        write.commit().map_err(io::Error::other)?;
        Ok(store)
    }

    /// Forgets everything: the log has been founded anew elsewhere, or is about to be here.
    ///
    /// # Errors
    /// The disk.
    pub fn clear(&self) -> io::Result<()> {
        let write = self.db.begin_write().map_err(io::Error::other)?;
        write.delete_table(LOG).map_err(io::Error::other)?;
        write.delete_table(META).map_err(io::Error::other)?;
        write.open_table(LOG).map_err(io::Error::other)?;
        write.open_table(META).map_err(io::Error::other)?;
        write.commit().map_err(io::Error::other)
    }

    fn get<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let read = self.db.begin_read().map_err(io::Error::other)?;
        let meta = read.open_table(META).map_err(io::Error::other)?;
        let Some(bytes) = meta.get(name).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let value = postcard::from_bytes(bytes.value()).map_err(io::Error::other)?;
        Ok(Some(value))
    }

    fn set(&self, values: &[(&str, &[u8])]) -> io::Result<()> {
        let write = self.db.begin_write().map_err(io::Error::other)?;
        {
            let mut meta = write.open_table(META).map_err(io::Error::other)?;
            for (name, value) in values {
                meta.insert(*name, *value).map_err(io::Error::other)?;
            }
        }
        write.commit().map_err(io::Error::other)
    }

    fn put<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let bytes = postcard::to_stdvec(value).map_err(io::Error::other)?;
        self.set(&[(name, &bytes)])
    }

    pub(super) fn keep_snapshot(
        &self,
        meta: &SnapshotMetaOf<ViewLog>,
        snapshot: &[u8],
    ) -> io::Result<()> {
        let meta = (meta.last_log_id, meta.last_membership.clone());
        let meta = postcard::to_stdvec(&meta).map_err(io::Error::other)?;
        self.set(&[(SNAPSHOT_META, &meta), (SNAPSHOT, snapshot)])
    }

    pub(super) fn snapshot(&self) -> io::Result<Option<(SnapshotMetaOf<ViewLog>, Vec<u8>)>> {
        let read = self.db.begin_read().map_err(io::Error::other)?;
        let table = read.open_table(META).map_err(io::Error::other)?;
        let Some(snapshot) = table.get(SNAPSHOT).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let Some((last_log_id, last_membership)) = self.get(SNAPSHOT_META)? else {
            return Ok(None);
        };
        let meta = SnapshotMetaOf::<ViewLog> {
            last_log_id,
            last_membership,
        };
        Ok(Some((meta, snapshot.value().to_vec())))
    }

    /// Removes the entries of a range of indices, and notes it as purged if asked.
    fn remove(
        &self,
        range: impl RangeBounds<u64>,
        purged: Option<LogIdOf<ViewLog>>,
    ) -> io::Result<()> {
        let write = self.db.begin_write().map_err(io::Error::other)?;
        {
            let mut log = write.open_table(LOG).map_err(io::Error::other)?;
            let range = (range.start_bound().cloned(), range.end_bound().cloned());
            log.retain_in(range, |_, _| false)
                .map_err(io::Error::other)?;
            if let Some(purged) = purged {
                let bytes = postcard::to_stdvec(&purged).map_err(io::Error::other)?;
                let mut meta = write.open_table(META).map_err(io::Error::other)?;
                meta.insert(PURGED, bytes.as_slice())
                    .map_err(io::Error::other)?;
            }
        }
        write.commit().map_err(io::Error::other)
    }
}

/// Has the file system give the file its blocks before they are needed.
fn reserve(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    Ok(fallocate(&file, FallocateFlags::KEEP_SIZE, 0, RESERVED)?)
}

impl RaftLogReader<ViewLog> for Store {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> Result<Vec<EntryOf<ViewLog>>, io::Error> {
        let read = self.db.begin_read().map_err(io::Error::other)?;
        let log = read.open_table(LOG).map_err(io::Error::other)?;
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        log.range(range)
            .map_err(io::Error::other)?
            .map(|entry| {
                let (_, bytes) = entry.map_err(io::Error::other)?;
                postcard::from_bytes(bytes.value()).map_err(io::Error::other)
            })
            .collect()
    }

    async fn read_vote(&mut self) -> Result<Option<VoteOf<ViewLog>>, io::Error> {
        self.get(VOTE)
    }
}

impl RaftLogStorage<ViewLog> for Store {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<ViewLog>, io::Error> {
        let last_purged_log_id: Option<LogIdOf<ViewLog>> = self.get(PURGED)?;
        let read = self.db.begin_read().map_err(io::Error::other)?;
        let log = read.open_table(LOG).map_err(io::Error::other)?;
        let last = log.last().map_err(io::Error::other)?;
        let last: Option<EntryOf<ViewLog>> = last
            .map(|(_, bytes)| postcard::from_bytes(bytes.value()).map_err(io::Error::other))
            .transpose()?;
        Ok(LogState {
            last_purged_log_id,
            last_log_id: last.map(|entry| entry.log_id).or(last_purged_log_id),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &VoteOf<ViewLog>) -> Result<(), io::Error> {
        self.put(VOTE, vote)
    }

    async fn save_committed(
        &mut self,
        committed: Option<LogIdOf<ViewLog>>,
    ) -> Result<(), io::Error> {
        self.put(COMMITTED, &committed)
    }

    async fn read_committed(&mut self) -> Result<Option<LogIdOf<ViewLog>>, io::Error> {
        Ok(self.get(COMMITTED)?.flatten())
    }

    async fn append<I>(&mut self, entries: I, flushed: IOFlushed<ViewLog>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = EntryOf<ViewLog>> + Send,
        I::IntoIter: Send,
    {
        let write = self.db.begin_write().map_err(io::Error::other)?;
        {
            let mut log = write.open_table(LOG).map_err(io::Error::other)?;
            for entry in entries {
                let bytes = postcard::to_stdvec(&entry).map_err(io::Error::other)?;
                log.insert(entry.log_id.index, bytes.as_slice())
                    .map_err(io::Error::other)?;
            }
        }
        write.commit().map_err(io::Error::other)?;
        flushed.io_completed(Ok(()));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogIdOf<ViewLog>>) -> Result<(), io::Error> {
        let from = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.index));
        self.remove((from, Bound::Unbounded), None)
    }

    async fn purge(&mut self, upto: LogIdOf<ViewLog>) -> Result<(), io::Error> {
        self.remove(..=upto.index, Some(upto))
    }
}
