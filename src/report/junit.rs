//! `JUnit` XML: each secret is a test that failed.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::alert;
use super::printable::printable;
use crate::model::Report;

/// Writes one suite; without a secret, one test that passed.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut suite = TestSuite::new("sidsweep");
    for alert in alert::all(report) {
        let place = &alert.finding.location;
        let at = format!("{}:{}", printable(&place.path), place.line);
        let status = if let Some(reason) = alert.allowed {
            let mut status = TestCaseStatus::skipped();
            status.set_message(printable(reason));
            status
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_message(printable(&alert.sentence()))
                .set_type(alert.finding.rule.clone())
                .set_description(printable(&alert.steps()));
            status
        };
        let mut case = TestCase::new(format!("{at} {}", alert.finding.kind.title()), status);
        case.set_classname(alert.finding.rule.clone());
        case.extra.insert("file".into(), printable(&place.path).into());
        case.extra.insert("line".into(), place.line.to_string().into());
        suite.add_test_case(case);
    }
    for skipped in &report.skipped {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(printable(&skipped.reason));
        let mut case = TestCase::new(format!("{} was not read", printable(&skipped.path)), status);
        case.set_classname("sidsweep");
        suite.add_test_case(case);
    }
    if suite.test_cases.is_empty() {
        let mut case = TestCase::new("no Twilio secret", TestCaseStatus::success());
        case.set_classname("sidsweep");
        suite.add_test_case(case);
    }
    let mut document = Document::new("sidsweep");
    document.add_test_suite(suite);
    document.serialize(&mut *out).map_err(io::Error::other)?;
    out.write_all(b"\n")
}
