//! One HTML page that needs nothing but itself.

use std::fmt::Write as _;

use super::style::{self, Dashes};

/// A chart or a table, and what to read from it.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: String,
    /// In one line, what to read from it.
    pub(super) reading: String,
    /// An SVG, and whom its lines show, if they don't carry their names.
    pub(super) chart: Option<(String, Vec<String>)>,
    pub(super) table: Option<Table>,
}

/// Rows of cells below their headings; the first cell of each names it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --grid: #dfe3e8; --soft: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e2e6ea; --paper: #14171a; --grid: #363c44; --soft: #9aa4ae; }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 58rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { line-height: 1.2; }
h2 { margin: 2.5rem 0 0.25rem; }
p.reading { margin: 0 0 0.5rem; }
p.machine, figcaption { color: var(--soft); }
figure { margin: 0; }
svg { width: 100%; height: auto; display: block; }
figcaption span { display: inline-block; margin-right: 1.25rem; white-space: nowrap; }
figcaption svg { display: inline-block; width: 2.6rem; height: 0.8rem; margin-right: 0.4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.2rem 0.6rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; }
td:first-child { min-width: 9rem; }
";

/// The page: a title, what the figures are of, the sections, and an answer at the end.
pub(super) fn write(title: &str, machine: &[String], sections: &[Section]) -> String {
    let mut page = String::new();
    // Writing into a string can't fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
        escape(title)
    );
    for line in machine {
        let _ = writeln!(page, "<p class=\"machine\">{}</p>", escape(line));
    }
    for section in sections {
        write_section(&mut page, section);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn write_section(page: &mut String, section: &Section) {
    let _ = writeln!(page, "<h2>{}</h2>", escape(&section.title));
    for paragraph in section.reading.lines() {
        let _ = writeln!(page, "<p class=\"reading\">{}</p>", escape(paragraph));
    }
    if let Some((svg, names)) = &section.chart {
        let _ = writeln!(page, "<figure>\n{svg}");
        if !names.is_empty() {
            page.push_str("<figcaption>");
            for name in names {
                let _ = write!(page, "<span>{}{}</span>", sample(name), escape(name));
            }
            page.push_str("</figcaption>\n");
        }
        page.push_str("</figure>\n");
    }
    if let Some(table) = &section.table {
        page.push_str("<div class=\"wide\"><table>\n<tr>");
        for heading in &table.headings {
            let _ = write!(page, "<th>{}</th>", escape(heading));
        }
        page.push_str("</tr>\n");
        for row in &table.rows {
            page.push_str("<tr>");
            for cell in row {
                let _ = write!(page, "<td>{}</td>", escape(cell));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</table></div>\n");
    }
}

/// A piece of a contender's line, for the legend.
fn sample(name: &str) -> String {
    let style = style::of(name);
    let (red, green, blue) = style.colour;
    let colour = format!("rgb({red},{green},{blue})");
    let (dashes, mark) = match style.dashes {
        Dashes::Solid => ("", format!("<circle cx=\"20\" cy=\"6\" r=\"3.5\" fill=\"{colour}\"/>")),
        Dashes::Long => (
            " stroke-dasharray=\"9 5\"",
            format!("<path d=\"M15.5 10 L20 2 L24.5 10 Z\" fill=\"{colour}\"/>"),
        ),
        Dashes::Short => (
            " stroke-dasharray=\"2 4\"",
            format!(
                "<path d=\"M16 2 L24 10 M24 2 L16 10\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
            ),
        ),
    };
    format!(
        "<svg viewBox=\"0 0 40 12\" aria-hidden=\"true\">\
         <path d=\"M0 6 H40\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>{mark}</svg>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_nothing_but_itself() {
        let section = Section {
            title: "Cost of a <wait>".to_owned(),
            reading: "Lower is better.".to_owned(),
            chart: Some(("<svg></svg>".to_owned(), vec!["reactor-epoll".to_owned()])),
            table: Some(Table {
                headings: vec!["server".to_owned(), "ns".to_owned()],
                rows: vec![vec!["mio".to_owned(), "1 & 2".to_owned()]],
            }),
        };
        let page = write("Report", &["one machine".to_owned()], &[section]);
        for part in
            ["<h2>Cost of a &lt;wait&gt;</h2>", "<td>1 &amp; 2</td>", "reactor-epoll</span>"]
        {
            assert!(page.contains(part), "{part} is missing from {page}");
        }
        for outside in ["http://", "https://", "<script", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
