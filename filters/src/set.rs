//! The `[rules]` table of a recipe and what it resolves to: rules with every setting filled, in running order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, Result};

use crate::presets;
use crate::rule::{Needs, Open, Rule, Running};
use crate::rules::RULES;
use crate::stage::FilterStage;

/// How many rules look at a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Explain {
    /// The first rule that drops a file ends its way.
    #[default]
    First,
    /// Every rule looks at every file of its phase; the first still decides, the others are named in `because`.
    All,
}

/// The `[rules]` table: a preset, and one key per rule.
///
/// ```toml
/// [rules]
/// preset = "stack-v2"
/// compat = true                  # as the original's code behaves, where it differs from what was published
/// line-max = { limit = 2000 }    # changes one setting; the others stay as the preset has them
/// vendored = true                # adds a rule with its defaults
/// html-visible = false           # takes one out
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RulesConfig {
    /// The published recipe to start from; none: no rule but those named below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Whether the preset keeps the known quirks of the original's code; docs/reference/presets.md lists them.
    #[serde(default)]
    pub compat: bool,
    /// `first` (default), or `all` to run every rule, for audits.
    #[serde(default)]
    pub explain: Explain,
    /// By rule name: a table of settings, `true` for the defaults, or `false` for off.
    #[serde(flatten)]
    pub rules: BTreeMap<String, Value>,
}

/// Rules that are switched on, in running order.
#[derive(Clone, Default)]
pub struct RuleSet {
    rules: Vec<Running>,
    explain: Explain,
}

impl RuleSet {
    /// Builds every rule that `config` switches on. Unknown presets, rules and settings, and settings that make no
    /// sense, are config errors; so are rules whose settings name files.
    pub fn new(config: &RulesConfig) -> Result<Self> {
        Self::reading(config, &mut |name, what| {
            Err(Error::config(format!("{what} `{name}` cannot be read here")))
        })
    }

    /// The same; `open` reads the files that settings name.
    pub fn reading(config: &RulesConfig, open: &mut Open<'_>) -> Result<Self> {
        let mut wanted = match &config.preset {
            Some(name) => presets::find(name)?.rules(config.compat),
            None if config.compat => {
                return Err(Error::config("`compat` is about a preset, and there is none").hint("name a `preset`"));
            }
            None => BTreeMap::new(),
        };
        for (name, value) in &config.rules {
            known_rule(name)?;
            apply(&mut wanted, name, value)?;
        }
        let switched_on = RULES
            .iter()
            .filter_map(|rule| wanted.get(rule.name).map(|settings| rule.build(settings, open)));
        Ok(Self {
            rules: switched_on.collect::<Result<_>>()?,
            explain: config.explain,
        })
    }

    /// Adds a rule from outside the tree; it runs after the others of its phase. A name that is taken is an error.
    pub fn with<R: Rule>(mut self, rule: R) -> Result<Self> {
        let taken = RULES
            .iter()
            .map(|rule| rule.name)
            .chain(self.rules.iter().map(|rule| rule.name));
        if taken.into_iter().any(|name| name == R::NAME) {
            return Err(Error::config(format!("rule `{}` is there already", R::NAME)).hint("give it another name"));
        }
        self.rules.push(Running::new(rule)?);
        Ok(self)
    }

    /// The Map that runs the rules of one phase, if there are any.
    pub fn stage(&self, needs: Needs) -> Option<FilterStage> {
        let rules: Arc<[Running]> = self.rules.iter().filter(|rule| rule.needs == needs).cloned().collect();
        (!rules.is_empty()).then(|| FilterStage::new(rules, needs, self.explain))
    }

    /// Names of the rules that are on, in running order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        Needs::ALL
            .into_iter()
            .flat_map(|needs| self.of_phase(needs))
            .map(|rule| rule.name)
    }

    /// The settings of a rule that is on, with defaults filled.
    pub fn settings(&self, rule: &str) -> Option<&Value> {
        self.rules
            .iter()
            .find(|running| running.name == rule)
            .map(|running| &running.settings)
    }

    /// Every setting with defaults filled, in running order: the part of a fingerprint and of the manifest that is about rules.
    pub fn resolved(&self) -> Value {
        let rules = Needs::ALL.into_iter().flat_map(|needs| self.of_phase(needs));
        let rules = rules.map(|rule| json!({ "rule": rule.name, "needs": rule.needs, "settings": rule.settings }));
        json!({ "explain": self.explain, "rules": rules.collect::<Vec<_>>() })
    }

    fn of_phase(&self, needs: Needs) -> impl Iterator<Item = &Running> {
        self.rules.iter().filter(move |rule| rule.needs == needs)
    }
}

/// Puts what the recipe says about one rule over what the preset says.
fn apply(wanted: &mut BTreeMap<String, Value>, name: &str, value: &Value) -> Result<()> {
    match value {
        Value::Bool(false) => {
            wanted.remove(name);
        }
        Value::Bool(true) => {
            wanted
                .entry(name.to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
        }
        Value::Object(settings) => {
            let entry = wanted
                .entry(name.to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(table) = entry {
                table.extend(settings.clone());
            }
        }
        other => {
            return Err(
                Error::config(format!("rule `{name}`: `{other}` is not a table of settings"))
                    .hint(format!("write `{name} = {{ … }}`, `{name} = true` or `{name} = false`")),
            );
        }
    }
    Ok(())
}

fn known_rule(name: &str) -> Result<()> {
    let names = || RULES.iter().map(|rule| rule.name);
    if names().any(|known| known == name) {
        return Ok(());
    }
    let error = Error::config(format!("unknown rule `{name}`"));
    Err(match nearest(name, names().chain(["preset", "compat", "explain"])) {
        Some(near) => error.hint(format!("did you mean `{near}`? `stackmill list rules` shows all")),
        None => error.hint("`stackmill list rules` shows all"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(recipe: &str) -> Result<RuleSet> {
        let config: RulesConfig = toml::from_str(recipe).expect("valid TOML");
        RuleSet::new(&config)
    }

    fn names(recipe: &str) -> Vec<&'static str> {
        set(recipe).expect("valid recipe").names().collect()
    }

    #[test]
    fn running_order_is_the_tables_not_the_recipes() {
        assert_eq!(
            names("line-max = true\nmaximum-size = true\nline-count = {}"),
            ["maximum-size", "line-count", "line-max"]
        );
        assert!(names("").is_empty());
    }

    #[test]
    fn keys_below_a_preset_change_add_and_remove() {
        let preset = names("preset = \"stack-v2\"");
        assert!(preset.contains(&"html-visible") && !preset.contains(&"vendored"));
        let recipe = "preset = \"stack-v2\"\nhtml-visible = false\nvendored = true\nline-max = { limit = 7 }";
        let changed = names(recipe);
        assert!(!changed.contains(&"html-visible") && changed.contains(&"vendored"));
        let resolved = set(recipe).expect("valid recipe").resolved();
        let rules = resolved["rules"].as_array().expect("a list");
        let line_max = rules
            .iter()
            .find(|rule| rule["rule"] == "line-max")
            .expect("line-max is on");
        assert_eq!(line_max["settings"]["limit"], 7);
        assert_eq!(line_max["settings"]["relaxed-limit"], 100_000);
    }

    #[test]
    fn mistakes_are_named_with_a_neighbour() {
        let text = |recipe: &str| match set(recipe) {
            Err(error) => error.to_string(),
            Ok(_) => "accepted".to_owned(),
        };
        let cases = [
            ("line-mx = true", "unknown rule `line-mx`", "did you mean `line-max`?"),
            (
                "line-max = { limt = 3 }",
                "rule `line-max`: unknown setting `limt`",
                "did you mean `limit`?",
            ),
            (
                "line-max = { limit = \"a\" }",
                "rule `line-max`: invalid type",
                "stackmill explain line-max",
            ),
            ("line-max = { limit = 0 }", "rule `line-max`: `limit` is 0", "above 0"),
            ("compat = true", "`compat` is about a preset", "name a `preset`"),
            ("line-max = 3", "rule `line-max`: `3` is not a table", "line-max = true"),
            (
                "alnum-fraction = { limit = 25 }",
                "rule `alnum-fraction`: `limit` is 25",
                "from 0 to 1",
            ),
            (
                "preset = \"stack-v3\"",
                "unknown preset `stack-v3`",
                "did you mean `stack-v1`?",
            ),
        ];
        for (recipe, message, hint) in cases {
            let text = text(recipe);
            assert!(text.contains(message) && text.contains(hint), "{recipe}: {text}");
        }
    }

    #[test]
    fn a_taken_name_is_refused() {
        assert!(
            RuleSet::default()
                .with(crate::rules::line_max::Config::default())
                .is_err()
        );
    }
}
