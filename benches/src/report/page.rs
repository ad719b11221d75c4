//! One HTML page that needs nothing but itself.

use std::fmt::Write as _;

use crate::drawing::style::{self, Dashes};

/// Sections that belong together.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What they are about.
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// A chart, a table or an explanation of words, and what to read from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) title: String,
    /// In one line, what to read from it.
    pub(super) reading: String,
    /// An SVG, and whom its lines show, if they don't carry their names.
    pub(super) chart: Option<(String, Vec<String>)>,
    pub(super) table: Option<Table>,
    /// Words, and what they mean.
    pub(super) terms: Vec<(String, String)>,
}

/// Rows of cells below their headings; the first cell of each names it. One that has no other names those that
/// follow. What stands on a cell's second line is said by the way.
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
h2 { margin: 3rem 0 -1rem; }
h3 { margin: 2rem 0 0.25rem; }
nav p { margin: 0 0 0.5rem; }
a { color: inherit; }
dt { font-weight: 600; }
dd { margin: 0 0 0.4rem 1.5rem; }
td small { display: block; color: var(--soft); }
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
th { white-space: normal; vertical-align: bottom; }
tr.group th { text-align: left; padding: 0.8rem 0 0.2rem; font-style: italic; }
table.words td, table.words th { text-align: left; white-space: normal; }
";

/// The page: a title, what the figures are of, where what stands, and the parts.
pub(super) fn write(title: &str, about: &[String], parts: &[Part]) -> String {
    let mut page = String::new();
    // Writing into a string can't fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{0}</h1>\n",
        escape(title)
    );
    for line in about {
        let _ = writeln!(page, "<p class=\"machine\">{}</p>", marked_up(line));
    }
    let parts: Vec<_> = parts.iter().filter(|part| !part.sections.is_empty()).collect();
    page.push_str("<nav>\n");
    for (number, Part { title, sections }) in parts.iter().enumerate() {
        let links = sections.iter().enumerate().map(|(place, section)| {
            format!("<a href=\"#{}\">{}</a>", anchor(number, place), escape(&section.title))
        });
        let links: Vec<_> = links.collect();
        let _ = writeln!(page, "<p><strong>{}</strong>: {}</p>", escape(title), links.join(" · "));
    }
    page.push_str("</nav>\n");
    for (number, Part { title, sections }) in parts.into_iter().enumerate() {
        let _ = writeln!(page, "<h2>{}</h2>", escape(title));
        for (place, section) in sections.iter().enumerate() {
            write_section(&mut page, &anchor(number, place), section);
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// What links lead to.
fn anchor(part: usize, section: usize) -> String {
    format!("part-{part}-{section}")
}

fn write_section(page: &mut String, anchor: &str, section: &Section) {
    let _ = writeln!(page, "<h3 id=\"{anchor}\">{}</h3>", escape(&section.title));
    for paragraph in section.reading.lines() {
        let _ = writeln!(page, "<p class=\"reading\">{}</p>", marked_up(paragraph));
    }
    if !section.terms.is_empty() {
        page.push_str("<dl>\n");
        for (term, meaning) in &section.terms {
            let _ = writeln!(page, "<dt>{}</dt><dd>{}</dd>", escape(term), marked_up(meaning));
        }
        page.push_str("</dl>\n");
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
        write_table(page, table);
    }
}

fn write_table(page: &mut String, table: &Table) {
    // A table of words reads from the left.
    let is_of_words = table.rows.iter().any(|row| row.len() == 1);
    let class = if is_of_words { " class=\"words\"" } else { "" };
    let _ = write!(page, "<div class=\"wide\"><table{class}>\n<tr>");
    for heading in &table.headings {
        let _ = write!(page, "<th>{}</th>", escape(heading));
    }
    page.push_str("</tr>\n");
    for row in &table.rows {
        if let [group] = row.as_slice() {
            let (columns, group) = (table.headings.len(), escape(group));
            let _ =
                writeln!(page, "<tr class=\"group\"><th colspan=\"{columns}\">{group}</th></tr>");
            continue;
        }
        page.push_str("<tr>");
        for cell in row {
            let (first, aside) = cell.split_once('\n').unwrap_or((cell, ""));
            let _ = write!(page, "<td>{}", escape(first));
            if !aside.is_empty() {
                let _ = write!(page, " <small>{}</small>", escape(aside));
            }
            page.push_str("</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
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

/// With what stands between backticks as code.
fn marked_up(text: &str) -> String {
    let mut parts = escape(text).split('`').map(str::to_owned).collect::<Vec<_>>();
    for code in parts.iter_mut().skip(1).step_by(2) {
        *code = format!("<code>{code}</code>");
    }
    parts.concat()
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
            reading: "Lower is better, says `wait`.".to_owned(),
            chart: Some(("<svg></svg>".to_owned(), vec!["reactor-epoll".to_owned()])),
            table: Some(Table {
                headings: vec!["server".to_owned(), "ns".to_owned()],
                rows: vec![
                    vec!["others".to_owned()],
                    vec!["mio".to_owned(), "1 & 2\n(+0 %)".to_owned()],
                ],
            }),
            terms: vec![("hop".to_owned(), "one byte".to_owned())],
        };
        let part = Part { title: "Steps".to_owned(), sections: vec![section] };
        let none = Part { title: "Nothing".to_owned(), sections: vec![] };
        let page = write("Report", &["one machine".to_owned()], &[part, none]);
        assert!(!page.contains("Nothing"), "{page}");
        for part in [
            "<a href=\"#part-0-0\">Cost of a &lt;wait&gt;</a>",
            "<h3 id=\"part-0-0\">Cost of a &lt;wait&gt;</h3>",
            "says <code>wait</code>.",
            "<dt>hop</dt><dd>one byte</dd>",
            "<th colspan=\"2\">others</th>",
            "<td>1 &amp; 2 <small>(+0 %)</small></td>",
            "reactor-epoll</span>",
        ] {
            assert!(page.contains(part), "{part} is missing from {page}");
        }
        for outside in ["http://", "https://", "<script", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
