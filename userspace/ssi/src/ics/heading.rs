use std::fmt::Write;

use ssi_api::ics::IcsView;

use super::reasons;
use crate::output;

/// This node's side, and what was kept out; with `wide`, also what the fence let in.
pub(crate) fn heading(view: &IcsView, wide: bool) -> String {
    let fence = |drop: bool| {
        let counted = view.fence.iter().filter(|counted| counted.drop == drop);
        reasons(counted.map(|counted| (counted.name.as_str(), counted.count)))
    };
    let strangers = reasons(view.refused.iter().map(|(why, n)| (why.as_str(), *n)));
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key:<10} {}", output::plain(value));
    };
    line(
        "this node",
        &format!("{}, port {}, {}", view.node, view.port, view.security),
    );
    line("dropped", &fence(true));
    if wide {
        line("let in", &fence(false));
    }
    line("refused", &strangers);
    text
}
