//! The screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};
use ssi_api::cluster::NodeState;

use super::help::KEYS;
use super::state::{Mode, State};
use super::text;

/// Draws all of it; notes how many processes there is room for.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let area = frame.area();
    // Nodes have a third of the screen at most.
    let nodes = u16::try_from(state.seen.nodes.len()).unwrap_or(u16::MAX);
    let nodes = nodes.min(area.height / 3);
    let [heading, nodes, prompt, processes] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(nodes + 1),
        Constraint::Length(1),
        Constraint::Min(1),
    ])
    .areas(area);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame.render_widget(Line::styled(text::heading(&state.seen), bold), heading);
    frame.render_widget(Paragraph::new(node_lines(state, nodes)), nodes);
    frame.render_widget(Line::from(below(state)), prompt);
    state.room = usize::from(processes.height.saturating_sub(1));
    frame.render_widget(Paragraph::new(process_lines(state)), processes);
    if let Mode::Ask(question, typed) = &state.mode {
        let width = question.text().chars().count() + typed.chars().count();
        let column = u16::try_from(width).unwrap_or(u16::MAX);
        let column = column.min(prompt.width.saturating_sub(1));
        frame.set_cursor_position((prompt.x + column, prompt.y));
    }
    if state.mode == Mode::Help {
        help(frame, area);
    }
}

fn reversed() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

fn node_lines(state: &State, area: Rect) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(text::NODES, reversed())];
    let room = usize::from(area.height.saturating_sub(1));
    let nodes = &state.seen.nodes;
    // If there are too many, the last line says so.
    let whole = if nodes.len() > room {
        room.saturating_sub(1)
    } else {
        room
    };
    for node in nodes.iter().take(whole) {
        let style = match (state.filter.node == Some(node.number), node.state) {
            (true, _) => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (_, Some(NodeState::Up) | None) => Style::new(),
            _ => Style::new().add_modifier(Modifier::DIM),
        };
        lines.push(Line::styled(text::node(node), style));
    }
    if nodes.len() > whole {
        lines.push(Line::from(format!("… {} more nodes", nodes.len() - whole)));
    }
    lines
}

/// The line between nodes and processes: what is asked, said, filtered by.
fn below(state: &State) -> String {
    if let Mode::Ask(question, typed) = &state.mode {
        return format!("{}{typed}", question.text());
    }
    if !state.said.is_empty() {
        return crate::output::plain(&state.said);
    }
    let mut parts = Vec::new();
    if let Some(node) = state.filter.node {
        parts.push(format!("only node {node}"));
    }
    if !state.filter.text.is_empty() {
        parts.push(format!("only with {}", state.filter.text));
    }
    match parts.is_empty() {
        true => "h: help, q: quit".to_owned(),
        false => format!("{} (Esc: all)", parts.join(", ")),
    }
}

fn process_lines(state: &State) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(text::PROCESSES, reversed())];
    // The selected one is in view.
    let first = (state.selected + 1).saturating_sub(state.room);
    let rows = state.shown.iter().enumerate().skip(first).take(state.room);
    for (place, at) in rows {
        let text = text::process(&state.seen.processes[*at]);
        lines.push(if place == state.selected {
            Line::styled(
                format!("{text:<200}"),
                Style::new().add_modifier(Modifier::BOLD),
            )
        } else {
            Line::from(text)
        });
    }
    lines
}

fn help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<_> = KEYS.lines().map(Line::from).collect();
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .min(area.height);
    let place = Rect { height, ..area };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines), place);
}
