//! Settings of checks and lint: one YAML file, which may extend others.
//!
//! ```yaml
//! extends: ../shared.yaml
//! check:
//!   rules: { DESCRIPTION_CHANGED: off, ENUM_VALUE_ADDED_TO_RESULTS: breaking }
//!   usage: { min_count: 10, min_share: 0.1, max_age_days: 30, exclude_clients: [load-test] }
//!   max_extra_fetches: 1
//!   fail_on: dangerous
//! lint:
//!   rules: { field-description: error, unused-type: off }
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::lint;
use crate::rule::{Level, Rule};

/// What a person may set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A file whose settings hold where this one says nothing; relative to this one.
    extends: Option<PathBuf>,
    /// Comparing two graphs.
    pub check: CheckSettings,
    /// Lint.
    pub lint: LintSettings,
}

/// Settings of comparing two graphs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckSettings {
    /// Levels that differ from the table of rules, by rule.
    pub rules: BTreeMap<String, RuleLevel>,
    /// Which recorded usage counts.
    pub usage: Thresholds,
    /// Fetches a plan may gain before that is breaking; without it no plan breaks a check.
    pub max_extra_fetches: Option<usize>,
    /// The level from which on a check fails.
    pub fail_on: Option<FailOn>,
}

/// A level by which a rule's own is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleLevel {
    /// Fails a check.
    Breaking,
    /// Is reported as a warning.
    Dangerous,
    /// Is reported only.
    Safe,
    /// Is not reported.
    Off,
}

/// The level from which on a check fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Only breaking changes fail it.
    #[default]
    Breaking,
    /// Dangerous ones do too.
    Dangerous,
}

/// Which recorded usage counts. An operation counts where it passes all of them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Fewest requests.
    pub min_count: Option<u64>,
    /// Smallest share of all recorded requests, in percent.
    pub min_share: Option<f64>,
    /// Oldest last use, in days before the newest record of the log.
    pub max_age_days: Option<i64>,
    /// Clients that do not count: `name`, or `name@version`.
    pub exclude_clients: Vec<String>,
}

/// Settings of lint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LintSettings {
    /// Severities that differ from the table of rules, by rule.
    pub rules: BTreeMap<String, LintSeverity>,
}

/// A severity by which a lint rule's own is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LintSeverity {
    /// Fails lint.
    Error,
    /// Is reported only.
    Warning,
    /// Is not looked for.
    Off,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not YAML, an unknown key, or a value that cannot be.
    #[error("{}: {message}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong where.
        message: String,
    },
    /// The files extend each other in a circle.
    #[error("settings extend each other in a circle: {0}")]
    Cycle(String),
    /// No such rule.
    #[error("{}: there is no {kind} rule \"{name}\"", .path.display())]
    UnknownRule {
        /// The file.
        path: PathBuf,
        /// Of checks or of lint.
        kind: &'static str,
        /// The name.
        name: String,
    },
}

impl Settings {
    /// Reads a file and those it extends.
    ///
    /// # Errors
    /// Where one cannot be read, is malformed, names a rule that does not exist, or they extend each other in a circle.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        Self::load_after(path, &mut Vec::new())
    }

    fn load_after(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Self, SettingsError> {
        let failed = |source| SettingsError::Read {
            path: path.to_owned(),
            source,
        };
        let known = path.canonicalize().map_err(failed)?;
        let text = std::fs::read_to_string(path).map_err(failed)?;
        if chain.contains(&known) {
            chain.push(known);
            let files: Vec<String> = chain.iter().map(|file| file.display().to_string()).collect();
            return Err(SettingsError::Cycle(files.join(" -> ")));
        }
        chain.push(known);
        let own: Self = serde_saphyr::from_str(&text).map_err(|error| SettingsError::Syntax {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        own.check_names(path)?;
        own.check.usage.check(path)?;
        let Some(base) = &own.extends else {
            return Ok(own);
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let base = Self::load_after(&folder.join(base), chain)?;
        Ok(base.overridden_by(own))
    }

    fn check_names(&self, path: &Path) -> Result<(), SettingsError> {
        let unknown = |kind, name: &String| SettingsError::UnknownRule {
            path: path.to_owned(),
            kind,
            name: name.clone(),
        };
        if let Some(name) = self.check.rules.keys().find(|name| Rule::named(name).is_none()) {
            return Err(unknown("check", name));
        }
        match self
            .lint
            .rules
            .keys()
            .find(|name| lint::LintRule::named(name).is_none())
        {
            Some(name) => Err(unknown("lint", name)),
            None => Ok(()),
        }
    }

    fn overridden_by(mut self, own: Self) -> Self {
        self.check.rules.extend(own.check.rules);
        self.lint.rules.extend(own.lint.rules);
        let (base, usage) = (self.check.usage, own.check.usage);
        self.check.usage = Thresholds {
            min_count: usage.min_count.or(base.min_count),
            min_share: usage.min_share.or(base.min_share),
            max_age_days: usage.max_age_days.or(base.max_age_days),
            exclude_clients: [base.exclude_clients, usage.exclude_clients].concat(),
        };
        self.check.max_extra_fetches = own.check.max_extra_fetches.or(self.check.max_extra_fetches);
        self.check.fail_on = own.check.fail_on.or(self.check.fail_on);
        self
    }
}

impl Thresholds {
    fn check(&self, path: &Path) -> Result<(), SettingsError> {
        let is_share = self.min_share.is_none_or(|share| (0.0..=100.0).contains(&share));
        let is_age = self.max_age_days.is_none_or(|days| days >= 0);
        let problem = match (is_share, is_age) {
            (false, _) => "check.usage.min_share is a percentage, from 0 to 100",
            (_, false) => "check.usage.max_age_days cannot be negative",
            (true, true) => return Ok(()),
        };
        Err(SettingsError::Syntax {
            path: path.to_owned(),
            message: problem.to_owned(),
        })
    }
}

impl CheckSettings {
    /// The level of a rule; none where it is switched off.
    pub(crate) fn level_of(&self, rule: Rule) -> Option<Level> {
        match self.rules.get(rule.as_str()) {
            None => Some(rule.default_level()),
            Some(RuleLevel::Breaking) => Some(Level::Breaking),
            Some(RuleLevel::Dangerous) => Some(Level::Dangerous),
            Some(RuleLevel::Safe) => Some(Level::Safe),
            Some(RuleLevel::Off) => None,
        }
    }
}
