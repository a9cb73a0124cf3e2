//! House rules as tests; each failure says where and how to mend it.

mod architecture;
mod layout;
mod reference;
mod source;

/// Fails with every finding and the one way to mend them.
#[track_caller]
fn none(findings: &[String], mend: &str) {
    assert!(
        findings.is_empty(),
        "{} to mend:\n  {}\n{mend}",
        findings.len(),
        findings.join("\n  ")
    );
}
