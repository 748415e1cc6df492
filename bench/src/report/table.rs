//! Tables for people.

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;

use crate::measure::{Bar, Base, Row, Section};

/// All sections, one table each.
pub(crate) fn tables(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text += &format!(
            "{}: {}\n{}\n\n",
            section.name,
            section.about,
            table(section)
        );
    }
    text
}

fn table(section: &Section) -> Table {
    let latency = section.rows.iter().any(|row| row.latency.is_some());
    let raw = section.rows.iter().any(|row| row.samples.floor.is_some());
    let rate = section.nanoseconds(1.0).is_some();
    let tail = section.rows.iter().any(|row| {
        matches!(
            row.bar,
            Some(Bar::MedianAtMost { .. } | Bar::P99AtMost { .. } | Bar::WorstAtMost { .. })
        )
    });
    let mut header = vec!["WHAT".to_owned(), format!("BEST {}", section.unit)];
    header.push("MEDIAN".to_owned());
    if tail {
        header.extend(["P99", "WORST", "SAMPLES"].map(str::to_owned));
    }
    if raw {
        header.push("RAW BEST".to_owned());
    }
    if rate {
        header.extend(["BEST ns", "MEDIAN ns"].map(str::to_owned));
    }
    if section.base == Base::First {
        header.push("RATIO".to_owned());
    }
    if latency {
        header.extend(["P50 µs", "P99 µs", "ERRORS"].map(str::to_owned));
    }
    header.push("BAR".to_owned());
    let columns = header.len();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for row in &section.rows {
        let mut cells = vec![
            row.name.clone(),
            number(row.best(section.better)),
            number(row.median()),
        ];
        if tail {
            let worst = row.worst(section.better);
            cells.extend([row.p99(), worst].map(number));
            cells.push(row.samples.values.len().to_string());
        }
        if raw {
            cells.push(row.raw(section.better).map_or(String::new(), number));
        }
        if rate {
            let each = [row.best(section.better), row.median()].map(|s| section.nanoseconds(s));
            cells.extend(each.map(|each| each.map_or(String::new(), number)));
        }
        if section.base == Base::First {
            cells.push(format!("{:.2}", row.ratio(&section.rows[0])));
        }
        if latency {
            let quantile = |q| row.latency.as_ref().map_or(String::new(), |l| micros(l, q));
            cells.extend([quantile(0.5), quantile(0.99), row.errors.to_string()]);
        }
        cells.push(bar(section, row));
        table.add_row(cells);
    }
    for column in table.column_iter_mut().take(columns - 1).skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn micros(histogram: &Histogram<u64>, quantile: f64) -> String {
    number(histogram.value_at_quantile(quantile) as f64 / 1000.0)
}

/// Three figures or all before the point.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn bar(section: &Section, row: &Row) -> String {
    let word = |met| if met { "met" } else { "missed" };
    let (Some(bar), Some((bare, fair))) = (row.bar, section.met(row)) else {
        return String::new();
    };
    let (bare, fair) = (word(bare), word(fair));
    match bar {
        Bar::AtMost { value, scaled } if value == scaled => format!("≤ {value:.0} {bare}"),
        Bar::AtMost { value, scaled } => format!("≤ {value:.0} {bare} (≤ {scaled:.0} {fair})"),
        Bar::RatioAtLeast { value } => format!("≥ {value:.2} {bare}"),
        Bar::RatioAtMost { value } => format!("≤ {value:.2} {bare}"),
        Bar::OverAtMost { than, value } => {
            let over = section.row(than).map_or(f64::NAN, |other| row.over(other));
            format!("≤ {value:.0} over {than}: {over:+.1} {bare}")
        }
        Bar::WorseThan { than } => format!("{than} ahead: {bare}"),
        Bar::MedianAtMost { value } => format!("p50 ≤ {} {bare}", number(value)),
        Bar::P99AtMost { value } => format!("p99 ≤ {value:.0} {bare}"),
        Bar::WorstAtMost { value } => format!("≤ {value:.0} {bare}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Better;

    #[test]
    fn a_bar_is_met_or_missed_by_the_best_or_by_the_ratio() {
        let row = |name: &str, samples: &[f64], bar| Row {
            name: name.to_owned(),
            samples: samples.iter().copied().collect(),
            bar,
            latency: None,
            errors: 0,
        };
        let mut section = Section {
            name: "x",
            about: "y".to_owned(),
            unit: "ns",
            better: Better::Less,
            base: Base::None,
            rows: vec![row(
                "a",
                &[70.0, 40.0, 50.0],
                Some(Bar::AtMost {
                    value: 45.0,
                    scaled: 20.0,
                }),
            )],
        };
        assert_eq!(bar(&section, &section.rows[0]), "≤ 45 met (≤ 20 missed)");
        section.base = Base::First;
        let half = Some(Bar::RatioAtLeast { value: 0.5 });
        section.rows.push(row("b", &[35.0, 19.0, 26.0], half));
        assert_eq!(bar(&section, &section.rows[1]), "≥ 0.50 met");
        assert!(tables(&[section]).contains("0.50"));
    }
}
