//! What was found, line by line as it is found, and at the end against the goals.

use std::fmt::Write as _;
use std::path::Path;

/// What a figure must be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
    /// Exactly.
    Exactly(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Exactly(bound) => (value - bound).abs() < 0.5,
        }
    }

    fn text(self, unit: &str) -> String {
        let (sign, bound) = match self {
            Self::AtLeast(bound) => (">= ", bound),
            Self::AtMost(bound) => ("<= ", bound),
            Self::Exactly(bound) => ("= ", bound),
        };
        format!("{sign}{}{unit}", number(bound))
    }
}

struct Goal {
    name: &'static str,
    what: String,
    measured: String,
    bound: String,
    verdict: &'static str,
}

/// Everything that was found.
#[derive(Default)]
pub struct Report {
    text: String,
    goals: Vec<Goal>,
    /// Scenarios that could not be run to their end.
    pub failures: Vec<String>,
}

impl Report {
    /// A scenario begins.
    pub fn heading(&mut self, text: &str) {
        self.say(&format!("\n## {text}\n"));
    }

    /// One line.
    pub fn say(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A figure with its goal.
    pub fn goal(&mut self, name: &'static str, what: &str, measured: f64, unit: &str, bound: Bound) {
        let verdict = if bound.holds(measured) { "met" } else { "MISSED" };
        self.add(name, what, format!("{}{unit}", number(measured)), bound.text(unit), verdict);
    }

    /// A goal that could not be measured.
    pub fn skip(&mut self, name: &'static str, what: &str, reason: &str) {
        self.add(name, what, reason.to_owned(), String::new(), "not measured");
    }

    fn add(&mut self, name: &'static str, what: &str, measured: String, bound: String, verdict: &'static str) {
        self.say(&format!("{name} {what}: {measured} {bound} {verdict}"));
        self.goals.push(Goal { name, what: what.to_owned(), measured, bound, verdict });
    }

    /// A scenario failed.
    pub fn fail(&mut self, scenario: &str, error: &anyhow::Error) {
        self.say(&format!("{scenario} FAILED: {error:#}"));
        self.failures.push(format!("{scenario}: {error:#}"));
    }

    /// All goals in one table.
    pub fn summary(&mut self) {
        let mut table =
            "\n## Goals\n\n| goal | what | measured | goal | |\n| --- | --- | --- | --- | --- |\n".to_owned();
        for goal in &self.goals {
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} |",
                goal.name, goal.what, goal.measured, goal.bound, goal.verdict
            );
        }
        for failure in &self.failures {
            let _ = writeln!(table, "\nFAILED {failure}");
        }
        self.say(table.trim_end());
    }

    /// Keeps all of it.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, self.text.trim_start())
    }
}

/// A number as people read it: 65,400 or 3.42 or 0.0021.
pub fn number(value: f64) -> String {
    if value.abs() >= 1_000.0 {
        let digits = format!("{value:.0}");
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place) % 3 == 0 && !text.ends_with('-') {
                text.push(',');
            }
            text.push(digit);
        }
        return text;
    }
    let places = if value.fract() == 0.0 || value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let texts: Vec<String> = [1_234_567.0, 65_400.4, 999.0, 12.34, 3.416, 0.65, 3.0].map(number).into();
        assert_eq!(texts, ["1,234,567", "65,400", "999", "12.3", "3.42", "0.65", "3"]);
    }

    #[test]
    fn bounds_hold_at_the_bound() {
        assert!(Bound::AtLeast(0.65).holds(0.65) && !Bound::AtLeast(0.65).holds(0.64));
        assert!(Bound::AtMost(6.0).holds(6.0) && !Bound::AtMost(6.0).holds(6.1));
        assert!(Bound::Exactly(60.0).holds(60.0) && !Bound::Exactly(60.0).holds(61.0));
    }
}
