//! The stage over batches, with items of an invented benchmark.

use arrow_array::{RecordBatch, StringArray, UInt64Array};
use proptest::prelude::*;
use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::ErrorKind;

use super::*;

pub(super) const LIGHTHOUSE_PROMPT: &str = "def blink_schedule(lamps, period):\n    \"\"\" A keeper owns several \
    lighthouse lamps. Return the seconds at which every lamp\n    shines together before one whole period has passed, \
    sorted from early to late.\n    >>> blink_schedule([2, 3], 12)\n    [0, 6]\n    \"\"\"\n";
pub(super) const LIGHTHOUSE_SOLUTION: &str = "def blink_schedule(lamps, period):\n    moments = []\n    for second in \
    range(period):\n        if all(second % lamp == 0 for lamp in lamps):\n            moments.append(second)\n    \
    return moments\n";
const LIGHTHOUSE_TESTS: &str = "assert blink_schedule([2, 3], 12) == [0, 6]\nassert blink_schedule([5], 11) == \
    [0, 5, 10]\nassert blink_schedule([7, 4], 20) == [0]\n";
const PARROT_PROMPT: &str = "Write a function to teach a parrot the longest sentence of a sailor's diary.";

pub(super) fn item(id: &str, fields: &[(Field, &str)]) -> BenchmarkItem {
    BenchmarkItem {
        id: id.into(),
        family: id.into(),
        language: None,
        fields: fields
            .iter()
            .map(|(field, text)| (*field, (*text).to_owned()))
            .collect(),
    }
}

pub(super) fn items() -> Vec<BenchmarkItem> {
    let lighthouse = [
        (Field::Prompt, LIGHTHOUSE_PROMPT),
        (Field::Solution, LIGHTHOUSE_SOLUTION),
        (Field::Tests, LIGHTHOUSE_TESTS),
    ];
    let parrot = [
        (Field::Prompt, PARROT_PROMPT),
        (
            Field::Solution,
            "def teach(diary):\n    return max(diary.split('.'), key=len)",
        ),
    ];
    vec![item("Harbour/1", &lighthouse), item("Harbour/2", &parrot)]
}

pub(super) fn source() -> PackSource {
    PackSource {
        url: "https://example.org/harbour.jsonl".into(),
        license: "CC0-1.0".into(),
        sha256: "0f".repeat(32),
        report_only: false,
        control: false,
    }
}

pub(super) fn pack_of(name: &str, items: &[BenchmarkItem]) -> Pack {
    let bytes = build_pack(name, &source(), items).expect("the items are sound");
    Pack::parse(&bytes).expect("what was built can be read")
}

fn only_harbour() -> DecontaminateConfig {
    DecontaminateConfig {
        benchmarks: Vec::new(),
        packs: vec!["harbour.pack".into()],
        ..DecontaminateConfig::default()
    }
}

fn stage() -> Decontaminate {
    Decontaminate::new(&only_harbour(), vec![pack_of("harbour", &items())]).expect("the settings are sound")
}

fn batch(contents: &[Option<&str>]) -> FileBatch {
    let ids = UInt64Array::from_iter_values(0..contents.len() as u64);
    let content = StringArray::from(contents.to_vec());
    let record = RecordBatch::try_from_iter_with_nullable([
        (columns::FILE_ID, Arc::new(ids) as _, false),
        (columns::CONTENT, Arc::new(content) as _, true),
    ]);
    FileBatch::new(record.expect("columns of one length")).expect("it has file ids")
}

fn run(batch: FileBatch) -> FileBatch {
    run_by(&stage(), batch)
}

fn run_by(stage: &Decontaminate, batch: FileBatch) -> FileBatch {
    let mut task = Task {
        matcher: Arc::clone(stage.matcher()),
        remove_tiers: stage.config.remove_tiers.clone(),
        reported: Reported::None,
        scratch: Scratch::default(),
    };
    task.map(batch).expect("nothing here can fail")
}

#[test]
fn a_file_with_an_item_is_dropped_and_the_reason_names_it() {
    let leak = format!("import os\n\n\n{LIGHTHOUSE_PROMPT}    raise NotImplementedError\n");
    let out = run(batch(&[Some("print(1)\n"), Some(&leak), None]));
    assert_eq!([out.is_kept(0), out.is_kept(1), out.is_kept(2)], [true, false, true]);
    let decision = &out.decisions()[0];
    assert_eq!(
        (decision.stage.as_str(), decision.rule.as_str()),
        ("decontaminate", "harbour")
    );
    assert_eq!(decision.outcome, Outcome::Dropped);
    assert_eq!(
        decision.because_text().as_deref(),
        Some("harbour/Harbour/1 prompt lines 4-8")
    );
    assert_eq!(decision.reason.value, Some(1.0.into()));
    assert_eq!(decision.reason.limit, Some(0.3.into()));
}

#[test]
fn tiers_and_benchmarks_that_only_report_drop_nothing() {
    let leak = || batch(&[Some(LIGHTHOUSE_PROMPT)]);
    let tiers = |tiers: &[Tier]| DecontaminateConfig {
        remove_tiers: tiers.to_vec(),
        ..only_harbour()
    };
    let kept = |config: &DecontaminateConfig, report_only: bool| {
        let from = PackSource {
            report_only,
            ..source()
        };
        let bytes = build_pack("harbour", &from, &items()).expect("the items are sound");
        let pack = Pack::parse(&bytes).expect("what was built can be read");
        let stage = Decontaminate::new(config, vec![pack]).expect("the settings are sound");
        assert!(
            !stage
                .matcher()
                .findings(LIGHTHOUSE_PROMPT, &mut Scratch::default())
                .is_empty()
        );
        run_by(&stage, leak()).is_kept(0)
    };
    assert!(!kept(&tiers(&[Tier::Verbatim]), false));
    assert!(kept(&tiers(&[Tier::Verbatim]), true));
    assert!(kept(&tiers(&[Tier::Common, Tier::TooShort]), false));
    assert!(kept(&tiers(&[]), false));
}

#[test]
fn masked_rows_are_left_alone_and_no_column_changes() {
    let mut before = batch(&[Some(LIGHTHOUSE_PROMPT)]);
    let place = Place {
        stage: "rules",
        rule: "line-max",
    };
    before.decide(0, Outcome::Dropped, place, Reason::default());
    let after = run(before.clone());
    assert_eq!(
        (after.decisions().len(), after.decisions()[0].stage.as_str()),
        (1, "rules")
    );
    assert_eq!(before.record(), after.record());
}

#[test]
fn content_must_be_text() {
    let schema = |data_type| Schema::new(vec![Column::new(columns::CONTENT, data_type, true)]);
    assert!(stage().schema(&schema(DataType::Utf8)).is_ok());
    let refused = |schema: &Schema| stage().schema(schema).map_err(|error| error.kind()).err();
    assert_eq!(refused(&schema(DataType::Binary)), Some(ErrorKind::Schema));
    assert_eq!(refused(&Schema::empty()), Some(ErrorKind::Schema));
}

#[test]
fn nonsense_is_refused_with_the_name_of_the_key() {
    let refused = |config: DecontaminateConfig| {
        let packs = config.packs.iter().map(|_| pack_of("harbour", &items())).collect();
        let error = Decontaminate::new(&config, packs).expect_err("it makes no sense");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.hint_text().is_some());
        error.message().to_owned()
    };
    let default = DecontaminateConfig::default;
    assert!(
        refused(DecontaminateConfig {
            prompt_share: 0.0,
            ..default()
        })
        .contains("prompt-share")
    );
    assert!(
        refused(DecontaminateConfig {
            solution_share: 1.01,
            ..default()
        })
        .contains("solution-share")
    );
    assert!(
        refused(DecontaminateConfig {
            tests_share: f64::NAN,
            ..default()
        })
        .contains("tests-share")
    );
    assert!(
        refused(DecontaminateConfig {
            short_share: -0.5,
            ..default()
        })
        .contains("short-share")
    );
    assert!(
        refused(DecontaminateConfig {
            minimum_code_ngrams: 0,
            ..default()
        })
        .contains("minimum-code-ngrams")
    );
    assert!(
        refused(DecontaminateConfig {
            benchmarks: vec![],
            ..default()
        })
        .contains("names a benchmark")
    );
    assert!(
        refused(DecontaminateConfig {
            benchmarks: vec!["mbp".into()],
            ..default()
        })
        .contains("`mbp`")
    );
    let twice = DecontaminateConfig {
        packs: vec!["a".into(), "b".into()],
        ..only_harbour()
    };
    assert!(refused(twice).contains("`harbour` is named twice"));
}

#[test]
fn a_pack_that_was_not_loaded_is_our_mistake() {
    let error = Decontaminate::new(&only_harbour(), Vec::new()).expect_err("a pack is missing");
    assert_eq!(error.kind(), ErrorKind::Bug);
}

#[test]
fn settings_are_read_in_kebab_case_and_unknown_keys_refused() {
    let read = serde_json::from_str::<DecontaminateConfig>;
    let config = read(r#"{"benchmarks": ["mbpp"], "short-ngrams": 4}"#).expect("known keys");
    assert_eq!((config.benchmarks, config.short_ngrams), (vec!["mbpp".to_owned()], 4));
    assert!(read(r#"{"benchmark": ["mbpp"]}"#).is_err());
}

#[test]
fn the_default_looks_for_every_shipped_pack() {
    let stage = Decontaminate::new(&DecontaminateConfig::default(), Vec::new()).expect("the default is sound");
    assert!(
        stage
            .matcher()
            .findings(LIGHTHOUSE_PROMPT, &mut Scratch::default())
            .is_empty()
    );
}

proptest! {
    #[test]
    fn an_item_is_found_whatever_stands_around_it(before in "(?s).{0,200}", after in "(?s).{0,200}") {
        let text = format!("{before}\n{LIGHTHOUSE_PROMPT}\n{after}");
        let findings = stage().matcher().findings(&text, &mut Scratch::default());
        prop_assert!(findings.iter().any(|found| &*found.item == "Harbour/1" && found.field == Field::Prompt));
    }
}
