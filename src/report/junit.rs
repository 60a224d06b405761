//! `JUnit` XML: each secret is a test that failed. Only what every reader takes is written: the schema of Jenkins' xUnit plugin refuses
//! files and lines of a test, and counts of skipped tests of a whole document.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::alert::{self, Alert};
use super::printable::printable;
use super::unread;
use crate::model::Report;

/// What came of a test.
enum Status {
    Passed,
    Failed {
        message: String,
        kind: String,
        text: String,
    },
    /// It could not be told.
    Error(String),
    Skipped(String),
}

struct Case {
    class: String,
    name: String,
    status: Status,
}

impl Case {
    fn of(alert: &Alert) -> Self {
        let place = &alert.finding.location;
        let rule = &alert.finding.rule;
        let status = match alert.allowed {
            Some(reason) => Status::Skipped(printable(reason)),
            None => Status::Failed {
                message: printable(&alert.sentence()),
                kind: rule.clone(),
                text: printable(&alert.steps()),
            },
        };
        let name = format!("{}:{} {}", printable(&place.path), place.line, alert.finding.kind.title());
        Self { class: rule.clone(), name, status }
    }

    /// A test of the scan itself.
    fn of_scan(name: String, status: Status) -> Self {
        Self { class: "sidsweep".to_owned(), name, status }
    }
}

/// Writes one suite; without a secret, one test that passed.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut cases: Vec<Case> = alert::all(report).iter().map(Case::of).collect();
    cases.extend(unread::notes(report).map(|note| Case::of_scan(note.clone(), Status::Skipped(note))));
    cases.extend(report.coverage.skipped().iter().map(|skipped| {
        let name = format!("{} was not read", printable(&skipped.path));
        Case::of_scan(name, Status::Error(printable(&skipped.reason)))
    }));
    if cases.iter().all(|case| matches!(case.status, Status::Skipped(_))) {
        cases.push(Case::of_scan("no Twilio secret".to_owned(), Status::Passed));
    }
    let count = |is: fn(&Status) -> bool| cases.iter().filter(|case| is(&case.status)).count().to_string();
    let counts = [
        ("name", "sidsweep".to_owned()),
        ("tests", cases.len().to_string()),
        ("failures", count(|status| matches!(status, Status::Failed { .. }))),
        ("errors", count(|status| matches!(status, Status::Error(_)))),
    ];
    let counts: Vec<(&str, &str)> = counts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let skipped = count(|status| matches!(status, Status::Skipped(_)));
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("testsuites").with_attributes(counts.iter().copied()).write_inner_content(
        |writer| {
            let suite = writer.create_element("testsuite").with_attributes(counts.iter().copied());
            suite
                .with_attribute(("skipped", skipped.as_str()))
                .write_inner_content(|writer| cases.iter().try_for_each(|case| write_case(case, writer)))?;
            Ok(())
        },
    )?;
    out.write_all(b"\n")
}

fn write_case(case: &Case, writer: &mut Writer<impl Write>) -> io::Result<()> {
    let attributes = [("name", case.name.as_str()), ("classname", case.class.as_str())];
    let element = writer.create_element("testcase").with_attributes(attributes);
    match &case.status {
        Status::Passed => element.write_empty()?,
        Status::Failed { message, kind, text } => element.write_inner_content(|writer| {
            let failure = writer.create_element("failure");
            let attributes = [("message", message.as_str()), ("type", kind.as_str())];
            failure.with_attributes(attributes).write_text_content(BytesText::new(text)).map(|_| ())
        })?,
        Status::Error(message) => element.write_inner_content(|writer| {
            let error = writer.create_element("error");
            error.with_attribute(("message", message.as_str())).write_empty().map(|_| ())
        })?,
        Status::Skipped(message) => element.write_inner_content(|writer| {
            let skipped = writer.create_element("skipped");
            skipped.with_attribute(("message", message.as_str())).write_empty().map(|_| ())
        })?,
    };
    Ok(())
}
