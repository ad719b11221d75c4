//! Everything in one run: measured, written down, and drawn.
//!
//! A [`Report`] holds raw samples and what they are of; as JSON it is read back, to be drawn again or to be
//! compared with a newer one. What people read is made from it: tables for a terminal, and one page of
//! HTML with charts, which needs nothing but itself.

mod advice;
mod chart;
mod compare;
mod figure;
mod key;
mod machine;
mod page;
mod plan;
mod sections;
mod tables;
mod versions;

pub use machine::Machine;
pub use plan::{Extent, Plan};

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::micro::Measured;
use crate::runs::Comparison;
use crate::spread::{ALIKE, TOO_FAR};
use figure::Figure;
use page::{Part, Section};

/// The form of the JSON. The first one has memory in which pages of files count; another one isn't read.
const FORMAT: u32 = 2;

/// All that was measured in one run, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    format: u32,
    /// When it was begun, as HTTP writes dates.
    pub date: String,
    /// The command line that made it.
    pub command: String,
    /// Where.
    pub machine: Machine,
    /// Of what: names and versions.
    pub versions: Vec<(String, String)>,
    /// What couldn't be measured there, and why.
    pub left_out: Vec<String>,
    /// What was to be measured, and failed.
    #[serde(default)]
    pub failed: Vec<Failure>,
    /// Whether it was interrupted before everything was measured.
    #[serde(default)]
    pub is_incomplete: bool,
    /// What the single steps of a loop cost.
    pub micro: Vec<Measured>,
    /// What whole servers cost.
    pub servers: Vec<Comparison>,
}

/// What has failed, and its error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was to be measured.
    pub what: String,
    /// Why it wasn't.
    pub error: String,
}

/// One line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, error } = self;
        write!(f, "{what}: {error}")
    }
}

/// The heading of what has failed.
const FAILED: &str = "What failed";

/// What is said where the figures that an answer takes aren't there.
const NO_ADVICE: &str = "What this report has measured gives no answer.";

/// What is said of a report that was interrupted.
const INCOMPLETE: &str = "Incomplete: it was interrupted before everything was measured.";

impl Report {
    /// One without figures, begun now on this machine.
    #[must_use]
    pub fn begun(command: String) -> Self {
        Self {
            format: FORMAT,
            date: httpdate::fmt_http_date(SystemTime::now()),
            command,
            machine: Machine::this(),
            versions: versions::all(),
            left_out: Vec::new(),
            failed: Vec::new(),
            is_incomplete: false,
            micro: Vec::new(),
            servers: Vec::new(),
        }
    }

    /// Whether anything was measured.
    #[must_use]
    pub fn has_figures(&self) -> bool {
        !self.figures().is_empty()
    }

    /// Reads one back.
    ///
    /// # Errors
    ///
    /// When the file can't be read, or holds something else.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let report: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is no report", path.display()))?;
        let Self { format, .. } = report;
        let is_known = (1..=FORMAT).contains(&format);
        ensure!(is_known, "{} has form {format}, not 1 to {FORMAT}", path.display());
        Ok(report)
    }

    /// As JSON, with all raw samples.
    ///
    /// # Errors
    ///
    /// None that is known of: all that it holds can be said in JSON.
    pub fn json(&self) -> anyhow::Result<String> {
        serde_json::to_string(self).context("write a report as JSON")
    }

    /// For a terminal: a table a question.
    #[must_use]
    pub fn tables(&self) -> String {
        let figures = self.figures();
        let table = |question| tables::plain(question, &tables::of(question, &figures));
        let mut text: String = figure::questions(&figures)
            .into_iter()
            .map(|question| table(question) + "\n")
            .collect();
        let advice = advice::section(&figures);
        if let Some(Section { title, table: Some(table), .. }) = &advice {
            text.push_str(&tables::plain(title, table));
        }
        if !self.failed.is_empty() {
            text.push_str(&format!("\n{FAILED}\n"));
        }
        for failure in &self.failed {
            text.push_str(&format!("  {failure}\n"));
        }
        if self.is_incomplete {
            text.push_str(&format!("\n{INCOMPLETE}\n"));
        }
        text
    }

    /// One page of HTML.
    ///
    /// # Errors
    ///
    /// When a figure has no place on a chart.
    pub fn page(&self) -> anyhow::Result<String> {
        let figures = self.figures();
        let (steps, servers): (Vec<_>, Vec<_>) =
            figures.into_iter().partition(|figure| figure.is_step);
        let lines = |title: &str, lines: Vec<String>| Section {
            title: title.to_owned(),
            reading: lines.join("\n"),
            ..Section::default()
        };
        let part = |title: &str, sections| Part { title: title.to_owned(), sections };
        let failed: Vec<_> = self.failed.iter().map(Failure::to_string).collect();
        let mut missing = Vec::new();
        for (title, those) in [(FAILED, failed), ("What isn't there", self.left_out.clone())] {
            if !those.is_empty() {
                missing.push(lines(title, those));
            }
        }
        let answer = advice::section(&self.figures());
        let answer = answer.unwrap_or_else(|| lines(advice::TITLE, vec![NO_ADVICE.to_owned()]));
        let parts = [
            part("In short", vec![answer, key::section()]),
            part("Single steps of a loop", sections::all(&steps)?),
            part("Whole servers", sections::all(&servers)?),
            part("What is missing", missing),
        ];
        Ok(page::write("select, poll, epoll, mio: what they cost", &self.about(), &parts))
    }

    /// One chart by itself, as SVG: what a wait costs on each mechanism; if that was measured.
    ///
    /// # Errors
    ///
    /// When a figure has no place on a chart.
    pub fn chart(&self) -> anyhow::Result<Option<String>> {
        sections::waits(&self.figures())
    }

    /// What has changed since an older one, a line each.
    #[must_use]
    pub fn changes_since(&self, old: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        if !old.machine.is_like(&self.machine) {
            lines.push(format!("another machine or build: {}", old.machine));
        }
        let (then, now) = (old.figures(), self.figures());
        lines.extend(compare::depth(&then, &now));
        lines.extend(compare::lines(&then, &now));
        lines
    }

    fn figures(&self) -> Vec<Figure> {
        let micro = self.micro.iter().map(Figure::of_step);
        let mut figures: Vec<_> =
            micro.chain(self.servers.iter().flat_map(Figure::of_servers)).collect();
        if self.format == 1 {
            for figure in figures.iter_mut().filter(|figure| figure.question == figure::MEMORY) {
                figure::MEMORY_WITH_FILES.clone_into(&mut figure.question);
            }
        }
        figures
    }

    /// What the figures are of.
    fn about(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{}, by {}", self.date, self.command),
            self.machine.to_string(),
            versions::line(&self.versions),
            "Figures are medians. The spread, which the short lines in the charts and the percents below the figures \
             show, is where the middle half of the samples lies, or all of them where they are fewer than five. \
             Contenders ran in turns."
                .to_owned(),
            format!(
                "Noise is what a server differs from itself by: one runs twice in each round (A/A). Two figures are \
                 a tie where their spreads overlap, where they differ by {:.0} % or less, or by no more than the \
                 noise; single steps of a loop have no second run, and so no noise. But where the spreads overlap and \
                 the medians differ by more than {:.0} %, the samples are too noisy to tell, which is no tie.",
                ALIKE * 100.0,
                TOO_FAR * 100.0
            ),
            "Solid lines with dots and full bars are this library's; dashed lines with triangles and framed bars plain \
             libc loops; dotted lines with crosses and pale bars other libraries."
                .to_owned(),
        ];
        if self.is_incomplete {
            lines.insert(0, INCOMPLETE.to_owned());
        }
        lines
    }
}
