//! Surrogate and session, with whatever is between them: bytes arrive in any pieces, each side
//! reads and writes as it likes, and in the end everything has come, in order.

use proptest::prelude::*;
use ssi_rexec::core::{
    Exit, Session, SessionAction, Size, Spec, Stream, Surrogate, SurrogateAction, WINDOW,
};

fn spec() -> Spec {
    Spec {
        args: vec![b"cat".to_vec()],
        environment: vec![b"A=1".to_vec()],
        own_context: false,
        directory: Some(b"/".to_vec()),
        input_counts: false,
        ignored: 0,
        terminal: None,
        foreground: true,
        detached: false,
        errors_apart: false,
    }
}

/// Bytes that tell where they belong.
fn text(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 ^ seed).collect()
}

/// One end of what is being passed on.
#[derive(Default)]
struct Source {
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

struct World {
    surrogate: Surrogate,
    session: Session,
    sources: [Source; 3],
    came: [Vec<u8>; 3],
    exited: Option<(Exit, u64)>,
    started: bool,
}

impl World {
    fn new(lengths: [usize; 3]) -> Self {
        let source = |at: usize| Source {
            text: text(lengths[at], at as u8),
            ..Source::default()
        };
        Self {
            surrogate: Surrogate::new(&spec()).expect("small"),
            session: Session::new(),
            sources: [source(0), source(1), source(2)],
            came: Default::default(),
            exited: None,
            started: false,
        }
    }

    /// Passes at most `most` bytes on, either way.
    fn pass(&mut self, most: usize) {
        let bytes = self.surrogate.outgoing();
        let bytes = bytes[..bytes.len().min(most)].to_vec();
        self.surrogate.sent(bytes.len());
        self.session.take_in(&bytes).expect("it makes sense");
        while let Some(action) = self.session.action() {
            assert_eq!(action, SessionAction::Start(Box::new(spec())));
            self.session.started(7);
            self.started = true;
        }
        let bytes = self.session.outgoing();
        let bytes = bytes[..bytes.len().min(most)].to_vec();
        self.session.sent(bytes.len());
        self.surrogate.take_in(&bytes).expect("it makes sense");
        while let Some(action) = self.surrogate.action() {
            match action {
                SurrogateAction::Started { pid } => assert_eq!(pid, 7),
                SurrogateAction::Exited(exit, read) => self.exited = Some((exit, read)),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Each source gives at most `most` bytes.
    fn give(&mut self, most: usize) {
        let [input, out, err] = &mut self.sources;
        let count = self.surrogate.room().min(most);
        let end = (input.given + count).min(input.text.len());
        self.surrogate.input(&input.text[input.given..end]);
        input.given = end;
        if end == input.text.len() {
            self.surrogate.input_ended();
            input.ended = true;
        }
        if !self.started {
            return;
        }
        for (stream, source) in Stream::WRITTEN.into_iter().zip([out, err]) {
            let count = self.session.room(stream).min(most);
            let end = (source.given + count).min(source.text.len());
            self.session.output(stream, &source.text[source.given..end]);
            source.given = end;
            if end == source.text.len() && !source.ended {
                self.session.output_ended(stream);
                source.ended = true;
            }
        }
    }

    /// At most `most` bytes of each are taken at the other end.
    fn take(&mut self, most: usize) {
        let pending = self.session.pending();
        assert!(pending.len() <= WINDOW);
        let piece = pending[..pending.len().min(most)].to_vec();
        self.came[0].extend_from_slice(&piece);
        self.session.wrote(piece.len());
        for stream in Stream::WRITTEN {
            let pending = self.surrogate.pending(stream);
            assert!(pending.len() <= WINDOW);
            let piece = pending[..pending.len().min(most)].to_vec();
            self.came[usize::from(stream.number())].extend_from_slice(&piece);
            self.surrogate.wrote(stream, piece.len());
        }
    }

    fn is_done(&self) -> bool {
        let sources = self.sources.iter().zip(&self.came);
        sources
            .into_iter()
            .all(|(source, came)| source.ended && came.len() == source.text.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_comes_in_order_and_nothing_stands_still(
        lengths in prop::array::uniform3(0..600_000_usize),
        steps in prop::collection::vec((0..3_u8, 1..60_000_usize), 1..300),
    ) {
        let mut world = World::new(lengths);
        for (what, most) in steps {
            match what {
                0 => world.pass(most),
                1 => world.give(most),
                _ => world.take(most),
            }
        }
        // Whatever has happened, it goes on from there.
        for _ in 0..2000 {
            if world.is_done() {
                break;
            }
            world.give(usize::MAX);
            world.pass(usize::MAX);
            world.take(usize::MAX);
        }
        prop_assert!(world.is_done(), "it stands still");
        for (source, came) in world.sources.iter().zip(&world.came) {
            prop_assert!(source.text == *came);
        }
        world.session.exited(Exit::Code(3), 9);
        world.pass(usize::MAX);
        prop_assert_eq!(world.exited, Some((Exit::Code(3), 9)));
        prop_assert!(world.session.is_over());
    }

    #[test]
    fn nobody_is_brought_down_by_nonsense(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut session = Session::new();
        let _ = session.take_in(&bytes);
        let mut surrogate = Surrogate::new(&spec()).expect("small");
        let _ = surrogate.take_in(&bytes);
    }

    /// A session that was well until some byte of what it hears was changed.
    #[test]
    fn nobody_is_brought_down_by_damage(at: prop::sample::Index, with: u8) {
        let mut surrogate = met();
        surrogate.signal(15);
        surrogate.resized(Size::default());
        surrogate.go_on(true);
        surrogate.unwanted(Stream::Out);
        surrogate.input_ended();
        let mut bytes = surrogate.outgoing().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = with;
        let mut session = Session::new();
        let _ = session.take_in(&bytes);
        while session.action().is_some() {}
    }
}

/// A surrogate that a session has greeted.
fn met() -> Surrogate {
    let mut surrogate = Surrogate::new(&spec()).expect("small");
    let ready = Session::new().outgoing().to_vec();
    surrogate.take_in(&ready).expect("it makes sense");
    surrogate
}

#[test]
fn nothing_is_said_before_there_is_a_session() {
    let mut surrogate = Surrogate::new(&spec()).expect("small");
    surrogate.signal(15);
    assert!(surrogate.outgoing().is_empty() && !surrogate.is_met());
    let ready = Session::new().outgoing().to_vec();
    surrogate.take_in(&ready).expect("it makes sense");
    assert!(!surrogate.outgoing().is_empty() && surrogate.is_met());
    surrogate.take_in(&ready).expect_err("it is there already");
    // Not even that a command runs.
    let mut started = Session::new();
    started.sent(ready.len());
    started.started(7);
    let mut surrogate = Surrogate::new(&spec()).expect("small");
    surrogate
        .take_in(started.outgoing())
        .expect_err("nobody is there");
}

#[test]
fn who_reads_nothing_holds_up_only_that_stream() {
    let mut world = World::new([0, 2_000_000, 100_000]);
    for _ in 0..100 {
        world.give(usize::MAX);
        world.pass(usize::MAX);
        let pending = world.surrogate.pending(Stream::Err).to_vec();
        world.came[2].extend_from_slice(&pending);
        world.surrogate.wrote(Stream::Err, pending.len());
    }
    assert_eq!(world.surrogate.pending(Stream::Out).len(), WINDOW);
    assert!(world.came[2] == world.sources[2].text);
    // Nobody wants it: then it flows, and goes nowhere.
    world.surrogate.unwanted(Stream::Out);
    let bytes = world.surrogate.outgoing().to_vec();
    world.surrogate.sent(bytes.len());
    world.session.take_in(&bytes).expect("it makes sense");
    assert_eq!(
        world.session.action(),
        Some(SessionAction::OutputUnwanted(Stream::Out))
    );
    assert!(world.surrogate.is_over(Stream::Out));
}
