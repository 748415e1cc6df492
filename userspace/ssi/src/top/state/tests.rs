use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ssi_api::cluster::NodeState;
use ssi_api::process::{BusyView, ForwardedView, LoadView, ProcessView};

use super::super::draw;
use super::super::seen::NodeRow;
use super::*;

fn seen() -> Seen {
    let node = |number: u16, state, busy| NodeRow {
        number,
        name: format!("blue{number}"),
        state: Some(state),
        busy,
        forwarded: (number != 2).then_some(ForwardedView {
            active: 1_234,
            rate: 99.6,
        }),
        cpu: Some(50.0),
        why: Some("is DOWN".to_owned()),
    };
    let busy = BusyView {
        load: Some(LoadView {
            load: 99.6,
            mean: 50.0,
            upper: 100.0,
            process: 50.0,
        }),
        cpus: 2,
        processes: 2,
        running: 1,
        up: 0,
        memory: 1000,
        free: 750,
        swap: 0,
        swap_free: 0,
        pressure: None,
    };
    let process = |node, pid, cpu, rss, comm: &str| ProcessRow {
        node,
        cpu,
        mem: 1.5,
        process: ProcessView {
            pid,
            rss,
            comm: comm.to_owned(),
            state: 'S',
            start: u64::from(pid),
            run: rss,
            ..ProcessView::default()
        },
    };
    Seen {
        time: "12:00:00".to_owned(),
        name: "blue".to_owned(),
        epoch: Some(7),
        master: Some("1 blue1".to_owned()),
        nodes: vec![
            node(1, NodeState::Up, Some(busy)),
            node(2, NodeState::Up, Some(busy)),
            node(3, NodeState::Down, None),
        ],
        processes: vec![
            process(1, 1, 0.0, 9 << 20, "init"),
            process(1, 7, 99.5, 1 << 20, "burner"),
            process(2, 1, 0.5, 3 << 20, "init"),
            process(2, 9, 3.0, 2 << 20, "postgres"),
        ],
        missing: Vec::new(),
    }
}

fn state() -> State {
    let mut state = State::default();
    state.see(seen());
    state
}

fn order(state: &State) -> String {
    let rows = state
        .shown
        .iter()
        .map(|at| state.seen.processes[*at].number());
    rows.collect::<Vec<_>>().join(" ")
}

fn press(state: &mut State, keys: &str) -> Option<Act> {
    let mut act = None;
    for letter in keys.chars() {
        act = state.press(match letter {
            '\n' => Key::Enter,
            '\t' => Key::Tab { back: false },
            '\x1b' => Key::Escape,
            '\x7f' => Key::Backspace,
            'v' => Key::Down,
            '^' => Key::Up,
            letter => Key::Char(letter),
        });
    }
    act
}

fn screen(state: &mut State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal
        .draw(|frame| draw::draw(frame, state))
        .expect("it draws");
    let buffer = terminal.backend().buffer();
    let line = |row| {
        (0..width)
            .map(|column| buffer[(column, row)].symbol())
            .collect::<String>()
    };
    (0..height)
        .map(|row| line(row).trim_end().to_owned())
        .collect()
}

#[test]
fn the_screen() {
    let mut state = state();
    let lines = screen(&mut state, 100, 14);
    assert_eq!(
        lines[..6],
        [
            "12:00:00  blue, epoch 7, master 1 blue1, 2 of 3 nodes UP, 4 processes, 2 running",
            "NODE NAME         STATE      LOAD   CPU%   MEM%  RUN    ALL  CONNS  NEW/S PRESSURE",
            "   1 blue1        UP          100   50.0   25.0    1      2   1234    100 -",
            "   2 blue2        UP          100   50.0   25.0    1      2      -      - -",
            "   3 blue3        DOWN      is DOWN",
            "h: help, q: quit",
        ]
    );
    assert!(lines[6].starts_with("NODE     PID USER"), "{lines:?}");
    assert_eq!(
        lines[7],
        "   1       7 root        0       0    1024 S   99.5   1.5   0:00.00 burner"
    );
    press(&mut state, "h");
    assert!(screen(&mut state, 100, 30)[0].starts_with("ssi top:"));
    press(&mut state, "x");
    assert_eq!(state.mode, Mode::Browse);
    // However small it is.
    for (width, height) in [(1, 1), (10, 3), (300, 5)] {
        screen(&mut state, width, height);
        press(&mut state, "hx/");
        screen(&mut state, width, height);
        press(&mut state, "\x1b");
    }
}

#[test]
fn keys_sort_and_filter() {
    let mut state = state();
    assert_eq!(order(&state), "1/7 2/9 2/1 1/1");
    for (keys, wanted) in [
        ("M", "1/1 2/1 2/9 1/7"),
        ("R", "1/7 2/9 2/1 1/1"),
        ("N", "1/1 1/7 2/1 2/9"),
        ("/ini", "1/1 2/1"),
        ("\x7f\x7f\x7fPOST\n", "2/9"),
        ("\x1b", "1/1 1/7 2/1 2/9"),
        ("nblue2\n", "2/1 2/9"),
        ("\t", ""),
        ("\t", "1/1 1/7 2/1 2/9"),
        ("\t", "1/1 1/7"),
        ("n\n", "1/1 1/7 2/1 2/9"),
        ("n9\n", "1/1 1/7 2/1 2/9"),
    ] {
        press(&mut state, keys);
        assert_eq!(order(&state), wanted, "{keys:?}");
    }
    assert_eq!(state.said, "there is no node 9");
}

#[test]
fn the_selected_one_is_signalled_and_reniced() {
    let mut state = state();
    press(&mut state, "vv^");
    assert_eq!(state.chosen().expect("somebody").number(), "2/9");
    // It stays selected wherever it goes.
    let mut later = seen();
    later.processes[3].cpu = 0.0;
    state.see(later);
    assert_eq!(state.chosen().expect("somebody").number(), "2/9");
    press(&mut state, "k");
    let asks = &screen(&mut state, 100, 14)[5];
    assert!(asks.starts_with("signal to 2/9 postgres [TERM]:"), "{asks}");
    let whom = Target {
        node: Some(2),
        pid: 9,
        start: Some(9),
    };
    let name = "2/9 postgres".to_owned();
    let sent = press(&mut state, "HUP\n");
    assert_eq!(
        sent,
        Some(Act::Signal {
            whom,
            name: name.clone(),
            signal: 1
        })
    );
    assert_eq!(
        press(&mut state, "r5\n"),
        Some(Act::Nice {
            whom,
            name,
            nice: 5
        })
    );
    assert_eq!(press(&mut state, "r77\n"), None);
    assert!(state.said.contains("77 is no niceness"));
    assert_eq!(press(&mut state, "k\x1b"), None);
    assert_eq!(press(&mut state, "q"), Some(Act::Quit));
}

#[test]
fn nothing_to_see_is_borne() {
    let mut state = State::default();
    assert_eq!(press(&mut state, "kr\tvvP/x\n"), None);
    screen(&mut state, 80, 24);
}
