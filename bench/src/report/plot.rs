//! A bar for each row: up to the median, with a mark at the best.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::measure::Section;

const WIDTH: u32 = 900;
const ROW: u32 = 34;
const MARGIN: u32 = 110;
/// Room for the names, pixels.
const NAMES: i32 = 270;

/// Draws a section as SVG.
pub(super) fn draw(file: &Path, section: &Section) -> Result<()> {
    let size = (WIDTH, MARGIN + ROW * section.rows.len() as u32);
    let root = SVGBackend::new(file, size).into_drawing_area();
    chart(&root, section).map_err(|error| anyhow!("cannot draw: {error}"))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Failed<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

fn chart<'a>(root: &Area<'a>, section: &Section) -> Result<(), Failed<'a>> {
    root.fill(&WHITE)?;
    let rows = section.rows.len();
    let most = section
        .rows
        .iter()
        .map(|row| row.median().max(row.best(section.better)))
        .fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(root)
        .caption(section.name, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(NAMES)
        .build_cartesian_2d(0.0..most * 1.1, 0.0..rows as f64)?;
    let name = |y: &f64| {
        // The first row on top; labels stand in the middle of their rows.
        let row = (rows as f64 - y).floor();
        section
            .rows
            .get(row as usize)
            .map_or(String::new(), |row| row.name.clone())
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc(format!("{}: median, and best (line)", section.unit))
        .y_labels(0)
        .draw()?;
    for index in 0..rows {
        let (row, y) = (&section.rows[index], (rows - index) as f64 - 1.0);
        let bar = [(0.0, y + 0.2), (row.median(), y + 0.8)];
        chart.draw_series([Rectangle::new(bar, BLUE.mix(0.45).filled())])?;
        let best = row.best(section.better);
        let mark = vec![(best, y + 0.1), (best, y + 0.9)];
        chart.draw_series([PathElement::new(mark, BLACK.stroke_width(2))])?;
        let (_, pixel) = chart.backend_coord(&(0.0, y + 0.5));
        let text = ("sans-serif", 14).into_font();
        root.draw(&Text::new(name(&(y + 0.5)), (16, pixel - 7), text))?;
    }
    root.present()
}
