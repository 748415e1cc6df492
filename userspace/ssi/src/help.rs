//! What the help of every command ends with.

/// What the exit status of a command says, after `examples` of its use, a line each.
pub(crate) fn lesson(examples: &str) -> String {
    lesson_with("failed, and nothing was changed", examples)
}

/// The same, where 1 means something else.
pub(crate) fn lesson_with(one: &str, examples: &str) -> String {
    let mut text = "Examples:\n".to_owned();
    for example in examples.lines() {
        text.push_str("  ");
        text.push_str(example.trim());
        text.push('\n');
    }
    text.push_str(&format!(
        "\nExit status: 0 done, 1 {one}, 2 the command line makes no sense, 3 ssid cannot be \
         reached."
    ));
    text
}
