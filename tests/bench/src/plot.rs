//! Plots as SVG.

/// The width of a plot and of its parts, in pixels.
const WIDTH: f64 = 720.0;
const NAMES: f64 = 260.0;
const VALUES: f64 = 80.0;
const ROW: f64 = 30.0;
const TOP: f64 = 44.0;

/// Draws horizontal bars, one for each name and value. The bars of Latchkey have a colour of their own.
pub(crate) fn bars(title: &str, unit: &str, bars: &[(&str, f64)]) -> String {
    let rows = bars.iter().fold(0.0, |rows, _| rows + ROW);
    let height = TOP + rows + 10.0;
    let longest = bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"14\">"
        ),
        format!("<title>{title}</title>"),
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>".to_owned(),
        format!("<text x=\"10\" y=\"26\" font-weight=\"600\" fill=\"#1a1a1a\">{title}</text>"),
    ];
    let mut y = TOP;
    for (name, value) in bars {
        let width = (value / longest * (WIDTH - NAMES - VALUES)).max(1.0);
        let colour = if name.starts_with("Latchkey") { "#1f6feb" } else { "#8c959f" };
        let middle = y + ROW / 2.0 + 4.0;
        let after = NAMES + width + 8.0;
        let shown = if *value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        lines.push(format!(
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\" fill=\"#1a1a1a\">{name}</text>\
             <rect x=\"{NAMES}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" rx=\"2\" fill=\"{colour}\"/>\
             <text x=\"{after:.1}\" y=\"{middle}\" fill=\"#1a1a1a\">{shown} {unit}</text>",
            NAMES - 10.0,
            y + 4.0,
            ROW - 8.0,
        ));
        y += ROW;
    }
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}
