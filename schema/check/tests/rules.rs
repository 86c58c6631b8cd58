//! `docs/rules.md` lists every rule. `UPDATE_EXPECT=1` writes it again.

use std::path::Path;

use expect_test::expect_file;
use fondaco_check::lint::LintRule;
use fondaco_check::{Rule, Severity};

#[test]
fn the_page_of_rules_is_up_to_date() {
    let mut page = "# Rules\n\nGenerated from the tables of rules; do not edit.\n\n## Check\n\n| rule | level | why |\n|---|---|---|\n".to_owned();
    for rule in Rule::ALL {
        page += &format!("| `{rule}` | {} | {} |\n", rule.default_level(), rule.why());
    }
    page += "\n## Lint\n\n| rule | severity | why |\n|---|---|---|\n";
    for rule in LintRule::ALL {
        let severity = if rule.default_severity() == Severity::Error {
            "error"
        } else {
            "warning"
        };
        page += &format!("| `{}` | {severity} | {} |\n", rule.as_str(), rule.why());
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    expect_file![file].assert_eq(&page);
}
