//! What an audit amounts to: of each benchmark the share of items that leaked, how, and what is left clean.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use stackmill_dedup::contamination::{Pack, Tier};
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result};

use super::chance::Chance;
use super::findings::Finding;
use super::previous::basis;
use crate::output::Output;
use crate::publish::MANIFEST;
use crate::report::aligned;
use crate::units::count_text;

/// One benchmark.
#[derive(Clone, Debug, Serialize)]
pub struct BenchmarkSummary {
    /// Its name.
    pub name: String,
    /// Its items.
    pub items: usize,
    /// Items of which a copy was found, directly.
    pub leaked: usize,
    /// Items whose problem was found in any form, in any benchmark: translations and rewritings count.
    pub leaked_families: usize,
    /// Whether it is made of ordinary public code, so that its items prove little.
    pub report_only: bool,
    /// Items by the strongest tier of any of their findings.
    pub tiers: BTreeMap<String, usize>,
    /// Items by the fields that were found.
    pub fields: BTreeMap<String, usize>,
    /// Findings of any tier.
    pub findings: u64,
    /// Items whose problem was found in no form.
    #[serde(skip)]
    pub clean_items: Vec<String>,
}

/// All benchmarks.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Files that were listed.
    pub files: u64,
    /// Files of these that could not be read, or are no text.
    pub files_failed: u64,
    /// Files that were not read, because an earlier audit found their blobs clean.
    pub files_known: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files in which a copy was found.
    pub files_with_copies: u64,
    /// Findings of any tier.
    pub findings: u64,
    /// Findings by tier.
    pub tiers: BTreeMap<String, u64>,
    /// By name.
    pub benchmarks: Vec<BenchmarkSummary>,
    /// What chance alone would find.
    pub chance: Chance,
    /// What a later audit has to have in common to leave out what this one found clean.
    pub basis: serde_json::Value,
    #[serde(skip)]
    seen: Seen,
}

/// What was found of which item, until all findings are counted.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// By benchmark and item: strongest tier, fields.
    items: BTreeMap<(String, String), (Tier, BTreeSet<String>)>,
    /// Problems of which a copy was found.
    families: BTreeSet<String>,
    /// Items and problems of each benchmark.
    known: BTreeMap<String, Vec<(String, String)>>,
    findings: BTreeMap<String, u64>,
    last_copy: String,
}

impl Summary {
    /// Of nothing found yet, in the data set of a run.
    pub fn of(packs: &[Pack], data: &Output) -> Result<Self> {
        let manifest = data.load::<Manifest>(MANIFEST)?;
        let manifest = manifest.ok_or_else(|| Error::bug("a run without a manifest"))?;
        let total = |name: &str| manifest.totals.get(name).copied().unwrap_or_default();
        let real = || packs.iter().filter(|pack| pack.control_of().is_none());
        let known = real().map(|pack| {
            let items = pack.items().iter().map(|item| (item.id.clone(), item.family.clone()));
            (pack.name().to_owned(), items.collect())
        });
        let benchmarks = real().map(|pack| BenchmarkSummary {
            name: pack.name().to_owned(),
            items: pack.items().len(),
            leaked: 0,
            leaked_families: 0,
            report_only: pack.source().report_only,
            tiers: BTreeMap::new(),
            fields: BTreeMap::new(),
            findings: 0,
            clean_items: Vec::new(),
        });
        Ok(Self {
            files: total("listed"),
            files_failed: total("failed"),
            files_known: manifest.opt_outs.values().sum(),
            bytes: total("listed_bytes"),
            files_with_copies: 0,
            findings: 0,
            tiers: BTreeMap::new(),
            benchmarks: benchmarks.collect(),
            chance: Chance::of(packs),
            basis: basis(packs),
            seen: Seen {
                known: known.collect(),
                ..Seen::default()
            },
        })
    }

    /// One more finding; those of a file come one after the other.
    pub fn count(&mut self, finding: &Finding<'_>) {
        self.findings += 1;
        *self.tiers.entry(finding.tier.to_owned()).or_default() += 1;
        let seen = &mut self.seen;
        *seen.findings.entry(finding.benchmark.to_owned()).or_default() += 1;
        let Some(tier) = tier_of(finding.tier) else { return };
        let key = (finding.benchmark.to_owned(), finding.item.to_owned());
        let item = seen.items.entry(key).or_insert_with(|| (tier, BTreeSet::new()));
        item.0 = item.0.min(tier);
        item.1.insert(finding.field.clone());
        if Tier::COPIES.contains(&tier) {
            seen.families.insert(finding.family.to_owned());
            if seen.last_copy != finding.id {
                self.files_with_copies += 1;
                finding.id.clone_into(&mut seen.last_copy);
            }
        }
    }

    /// Sums up, when all are counted.
    pub fn finish(&mut self) {
        self.chance.finish();
        let seen = std::mem::take(&mut self.seen);
        for benchmark in &mut self.benchmarks {
            benchmark.findings = seen.findings.get(&benchmark.name).copied().unwrap_or(0);
            for (id, family) in seen.known.get(&benchmark.name).into_iter().flatten() {
                let leaked = seen.families.contains(family);
                benchmark.leaked_families += usize::from(leaked);
                if !leaked {
                    benchmark.clean_items.push(id.clone());
                }
                let Some((tier, fields)) = seen.items.get(&(benchmark.name.clone(), id.clone())) else {
                    continue;
                };
                benchmark.leaked += usize::from(Tier::COPIES.contains(tier));
                *benchmark.tiers.entry(tier.to_string()).or_default() += 1;
                for field in fields {
                    *benchmark.fields.entry(field.clone()).or_default() += 1;
                }
            }
        }
    }

    /// Whether any finding has one of `tiers`; those of benchmarks that are only reported do not count.
    pub fn has(&self, tiers: &[Tier]) -> bool {
        let counted = self.benchmarks.iter().filter(|benchmark| !benchmark.report_only);
        counted
            .flat_map(|benchmark| benchmark.tiers.keys())
            .any(|tier| tiers.iter().any(|wanted| wanted.name() == tier))
    }

    /// One screen for people.
    pub fn table(&self) -> String {
        let head = [
            "benchmark",
            "items",
            "leaked",
            "share",
            "with family",
            "clean",
            "strongest",
            "in",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        let mut found: Vec<_> = self
            .benchmarks
            .iter()
            .filter(|benchmark| benchmark.findings > 0)
            .collect();
        found.sort_by_key(|benchmark| (benchmark.report_only, std::cmp::Reverse(benchmark.leaked)));
        for benchmark in &found {
            let share = benchmark.leaked as f64 / benchmark.items.max(1) as f64;
            let tiers = benchmark.tiers.iter().map(|(tier, count)| format!("{tier} {count}"));
            let remark = if benchmark.report_only { " (only reported)" } else { "" };
            rows.push([
                format!("{}{remark}", benchmark.name),
                count_text(benchmark.items as u64),
                count_text(benchmark.leaked as u64),
                format!("{:.1}%", share * 100.0),
                count_text(benchmark.leaked_families as u64),
                count_text(benchmark.clean_items.len() as u64),
                tiers.collect::<Vec<_>>().join(", "),
                benchmark.fields.keys().cloned().collect::<Vec<_>>().join(", "),
            ]);
        }
        let mut out = if found.is_empty() {
            String::new()
        } else {
            aligned(&rows)
        };
        let rest = self.benchmarks.len() - found.len();
        let _ = writeln!(
            out,
            "{}{rest} benchmarks of which nothing was found",
            if found.is_empty() { "" } else { "\n" }
        );
        let _ = writeln!(
            out,
            "{} files{}{}, {} with a copy, {} findings",
            count_text(self.files),
            match self.files_known {
                0 => " read".to_owned(),
                known => format!(" listed, {} of them clean before and not read again", count_text(known)),
            },
            match self.files_failed {
                0 => String::new(),
                failed => format!(" but {}, of which dataset/ledger tells why not", count_text(failed)),
            },
            count_text(self.files_with_copies),
            count_text(self.findings)
        );
        let leaked = self.benchmarks.iter().filter(|benchmark| !benchmark.report_only);
        out + &self.chance.line(leaked.map(|benchmark| benchmark.leaked).sum())
    }
}

/// The tier of that name.
pub fn tier_of(name: &str) -> Option<Tier> {
    [
        Tier::Verbatim,
        Tier::Normalised,
        Tier::Derivative,
        Tier::Common,
        Tier::TooShort,
    ]
    .into_iter()
    .find(|tier| tier.name() == name)
}
