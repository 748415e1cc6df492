use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::config::{Config, Process};
use crate::core::{Event, Heard, Main, State, Supervisor, Time};

/// Instances in different states, as a supervisor keeps them.
fn sample(names: &[&str]) -> Supervisor {
    let config = Config {
        process: names.iter().map(|name| Process::new(name, "/x")).collect(),
        group: Vec::new(),
    };
    let mut supervisor = Supervisor::new(Arc::new(config));
    for (n, name) in names.iter().enumerate() {
        let id = Id::new(name, 0);
        supervisor.handle(
            Time(1),
            Event::Place {
                id: id.clone(),
                carried: None,
            },
        );
        if n % 2 == 0 {
            let main = Main { pid: 7, start: 9 };
            let heard = Heard::Started(main);
            supervisor.handle(Time(2), Event::Heard { id, run: 1, heard });
        }
    }
    supervisor
}

fn written(path: &Path, supervisor: &mut Supervisor) -> BTreeMap<Id, Kept> {
    let (mut store, _) = Store::open(path).unwrap();
    let changed = supervisor.changed();
    let changes = changed.iter().map(|id| (id.clone(), supervisor.kept(id)));
    store.write(changes).unwrap();
    let kept = changed.into_iter();
    kept.filter_map(|id| supervisor.kept(&id).cloned().map(|kept| (id, kept)))
        .collect()
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut supervisor = sample(&["a", "b", "c"]);
    let kept = written(&path, &mut supervisor);
    assert_eq!(kept.len(), 3);
    let (mut store, read) = Store::open(&path).unwrap();
    assert_eq!(read, kept);
    store.write([(Id::new("a", 0), None)]).unwrap();
    let (_, read) = Store::open(&path).unwrap();
    assert_eq!(read.len(), 2);
}

#[test]
fn it_doesn_t_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut supervisor = sample(&["a"]);
    let kept = written(&path, &mut supervisor);
    let (mut store, _) = Store::open(&path).unwrap();
    for _ in 0..10_000 {
        let again = kept.iter().map(|(id, kept)| (id.clone(), Some(kept)));
        store.write(again).unwrap();
        store.tidy().unwrap();
    }
    assert!(fs::metadata(&path).unwrap().len() < 100_000);
    assert_eq!(Store::open(&path).unwrap().1, kept);
}

#[test]
fn of_another_boot_only_the_wishes_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut supervisor = sample(&["a", "b"]);
    written(&path, &mut supervisor);
    let mut bytes = fs::read(&path).unwrap();
    bytes[MAGIC.len()] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (_, kept) = Store::open(&path).unwrap();
    let config = Arc::new(Config {
        process: vec![Process::new("a", "/x"), Process::new("b", "/x")],
        group: Vec::new(),
    });
    let (supervisor, actions) = Supervisor::restore(Time(1), config, kept, false);
    // Nothing is looked for; everything starts.
    let starts = actions
        .iter()
        .filter(|a| matches!(a, crate::core::Action::Start { .. }));
    assert_eq!(starts.count(), 2);
    assert_eq!(supervisor.state(&Id::new("a", 0)), Some(State::Start));
}

#[test]
fn on_a_full_disk_it_goes_to_another_place_and_comes_back() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, spare) = (folder.path().join("state"), memory.path().join("state"));
    let open = || Store::open_with(&path, Some(&spare)).unwrap();
    let mut supervisor = sample(&["a", "b"]);
    written(&path, &mut supervisor);
    let (mut store, _) = open();
    // Nothing can be made there any more, and what is open takes no byte.
    let blocked = folder.path().join("state.new");
    fs::create_dir(&blocked).unwrap();
    store.file = File::open("/dev/full").unwrap();
    store.write([(Id::new("a", 0), None)]).unwrap();
    assert!(spare.exists());
    // The next one finds it, before and after it has written itself.
    for left in [1, 0] {
        let (mut store, read) = open();
        assert_eq!(read.len(), left);
        store.write([(Id::new("b", 0), None)]).unwrap();
    }
    fs::remove_dir(&blocked).unwrap();
    let (_, read) = open();
    assert_eq!((read.len(), spare.exists()), (0, false));
    assert!(Store::open(&path).unwrap().1.is_empty());
}

#[test]
fn another_boot_s_file_at_the_other_place_counts_for_nothing() {
    let (folder, memory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, spare) = (folder.path().join("state"), memory.path().join("state"));
    let kept = written(&path, &mut sample(&["a"]));
    written(&spare, &mut sample(&["b"]));
    let mut bytes = fs::read(&spare).unwrap();
    bytes[MAGIC.len()] ^= 1;
    fs::write(&spare, bytes).unwrap();
    assert_eq!(Store::open_with(&path, Some(&spare)).unwrap().1, kept);
}

proptest! {
    #[test]
    fn half_a_file_is_half_of_it(cut in 0_usize..600, flip in 0_usize..600, mask: u8) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut supervisor = sample(&["a", "b", "c", "d", "e"]);
        let kept = written(&path, &mut supervisor);
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(cut);
        if let Some(byte) = bytes.get_mut(flip) {
            *byte ^= mask;
        }
        fs::write(&path, &bytes).unwrap();
        let (_, read) = Store::open(&path).unwrap();
        let same_boot = flip >= MAGIC.len() + 36 || flip >= bytes.len();
        for (id, read) in read {
            if same_boot {
                prop_assert_eq!(Some(&read), kept.get(&id));
            }
        }
        // And what is written from now on is found again.
        let written = written(&path, &mut sample(&["z"]));
        let (_, read) = Store::open(&path).unwrap();
        prop_assert_eq!(read.get(&Id::new("z", 0)), written.values().next());
    }
}
