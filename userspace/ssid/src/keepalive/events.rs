//! The last changes of state: in memory, and in `keepalive/events` in the state directory, so
//! that they outlive `ssid`.
//!
//! A line of JSON each, appended as it happens. A line that makes no sense, or half of one, is
//! passed over. A file that can't be written costs nobody anything but its content.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ssi_api::service::ServiceEvent;

use super::folder;
use crate::config::Config;

/// Changes of state that are remembered.
const MOST: usize = 500;
/// Lines of the file, at most: it is written anew with the last [`MOST`] then.
const LINES: usize = 2 * MOST;

/// They.
pub(super) struct Events {
    path: PathBuf,
    /// For appending; none: it has to be written anew first.
    file: Option<File>,
    lines: usize,
    last: VecDeque<ServiceEvent>,
}

/// The file.
pub(super) fn path(config: &Config) -> PathBuf {
    folder(config).join("events")
}

impl Events {
    /// Goes on with what an earlier `ssid` saw.
    pub(super) fn open(path: &Path) -> Self {
        // What can't be read is as good as nothing.
        let bytes = fs::read(path).unwrap_or_default();
        Self {
            path: path.to_owned(),
            file: None,
            lines: 0,
            last: parse(&bytes),
        }
    }

    /// One more.
    pub(super) fn push(&mut self, event: ServiceEvent) {
        self.last.push_back(event);
        if self.last.len() > MOST {
            self.last.pop_front();
        }
        if let Err(error) = self.write() {
            tracing::debug!("{}: {error}", self.path.display());
            self.file = None;
        }
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ServiceEvent> {
        self.last.iter()
    }

    fn write(&mut self) -> io::Result<()> {
        if let (Some(file), Some(event)) = (&mut self.file, self.last.back())
            && self.lines < LINES
        {
            self.lines += 1;
            return file.write_all(&line(event)?);
        }
        let mut bytes = Vec::new();
        for event in &self.last {
            bytes.extend(line(event)?);
        }
        let draft = self.path.with_extension("new");
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&draft)?;
        let written = file.write_all(&bytes);
        let placed = written.and_then(|()| fs::rename(&draft, &self.path));
        // Half of it would take room that others need.
        placed.inspect_err(|_| drop(fs::remove_file(&draft)))?;
        (self.file, self.lines) = (Some(file), self.last.len());
        Ok(())
    }
}

fn line(event: &ServiceEvent) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    Ok(line)
}

/// The last of those that are whole.
fn parse(bytes: &[u8]) -> VecDeque<ServiceEvent> {
    let lines = bytes.split(|&byte| byte == b'\n').rev();
    let events = lines.filter_map(|line| serde_json::from_slice(line).ok());
    let mut last: VecDeque<ServiceEvent> = events.take(MOST).collect();
    last.make_contiguous().reverse();
    last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(number: u64) -> ServiceEvent {
        ServiceEvent {
            at: number,
            node: 3,
            name: "web".to_owned(),
            instance: 1,
            from: "ok".to_owned(),
            to: "respawn".to_owned(),
            why: "last exit code 17\n\"quoted\"".to_owned(),
        }
    }

    fn numbers(events: &Events) -> Vec<u64> {
        events.iter().map(|event| event.at).collect()
    }

    #[test]
    fn the_next_one_knows_the_last_ones_and_the_file_stays_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let mut events = Events::open(&path);
        (0..3).for_each(|n| events.push(event(n)));
        let mut events = Events::open(&path);
        assert_eq!(numbers(&events), [0, 1, 2]);
        (3..5_000).for_each(|n| events.push(event(n)));
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES, "{lines}");
        let again = Events::open(&path);
        assert_eq!(numbers(&again), (4_500..5_000).collect::<Vec<_>>());
        assert_eq!(numbers(&events), numbers(&again));
    }

    #[test]
    fn where_nothing_can_be_written_it_goes_on_in_memory_until_that_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("events");
        let mut events = Events::open(&path);
        events.push(event(1));
        fs::create_dir(path.parent().unwrap()).unwrap();
        events.push(event(2));
        assert_eq!(numbers(&Events::open(&path)), [1, 2]);
    }

    proptest! {
        #[test]
        fn whatever_is_in_the_file(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let may_be_json = bytes.contains(&b'{');
            prop_assert!(may_be_json || parse(&bytes).is_empty());
        }

        #[test]
        fn half_a_file_is_half_of_it(cut in 0_usize..1_000, flip in 0_usize..1_000, mask: u8) {
            let mut bytes = Vec::new();
            (0..6).for_each(|n| bytes.extend(line(&event(n)).unwrap()));
            let whole = bytes[..cut.min(bytes.len())].iter().filter(|b| **b == b'\n').count();
            bytes.truncate(cut);
            if let Some(byte) = bytes.get_mut(flip) {
                *byte ^= mask;
            }
            // One line, or two that have become one, can be lost or say something else.
            let right = parse(&bytes).iter().filter(|e| **e == event(e.at)).count();
            prop_assert!(right + 2 >= whole, "{right} of {whole}");
        }
    }
}
