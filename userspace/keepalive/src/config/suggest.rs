//! "Did you mean …?"

/// How much alike two words must be (Jaro-Winkler, 0 to 1) to be taken for one another;
/// clap's figure.
const ALIKE: f64 = 0.7;

/// The one of `known` that was probably meant.
pub(crate) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// What follows the naming of a word that nobody knows.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    meant(word, known).map_or_else(String::new, |meant| format!("; did you mean \"{meant}\"?"))
}

/// The complaint of a deserializer, in one line, with the one name that was probably meant
/// instead of all that there are. Serde names the unknown one first, then those it knows,
/// each between backticks.
pub(crate) fn better(complaint: &str) -> String {
    let complaint = complaint.replace('\n', " ");
    if !complaint.starts_with("unknown ") {
        return complaint;
    }
    let mut named = complaint.split('`').skip(1).step_by(2);
    let Some(word) = named.next() else {
        return complaint;
    };
    let known: Vec<&str> = named.collect();
    let Some(meant) = meant(word, known) else {
        return complaint;
    };
    let head = complaint.split(", expected").next().unwrap_or(&complaint);
    format!("{head}; did you mean `{meant}`?")
}
