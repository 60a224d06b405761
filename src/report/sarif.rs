//! SARIF 2.1.0, as GitHub's code scanning and others take it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, Message, MultiformatMessageString, Notification,
    PhysicalLocation, PropertyBag, Region, ReportingConfiguration, ReportingDescriptor,
    Result as SarifResult, ResultLevel, Run, Sarif, Suppression, Tool, ToolComponent,
};

use super::alert::{self, Alert, Severity};
use super::printable::{self, printable};
use super::unread;
use crate::model::{Count, Kind, Report, Unit};
use crate::rules::Rules;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The root that paths are relative to.
const ROOT: &str = "SRCROOT";
/// What may stand in a relative URI as it is.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'!');

/// Writes the secrets of a report.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let rules = Rules::built_in();
    let used: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.is_secret()).collect();
    let descriptors = used.iter().map(|&kind| descriptor(&rules, kind)).collect::<Vec<_>>();
    let results: Vec<SarifResult> =
        alert::all(report).iter().map(|alert| result(alert, &used, &rules)).collect();
    let driver = ToolComponent::builder()
        .name(report.tool.name.clone())
        .version(report.tool.version.clone())
        .semantic_version(report.tool.version.clone())
        .information_uri("https://github.com/sidsweep/sidsweep".to_owned())
        .rules(descriptors)
        .build();
    let note = |level: &str, text: String| {
        Notification::builder().level(json!(level)).message(message(text)).build()
    };
    let unread = unread::skipped(report).map(|text| note("error", text));
    let notes: Vec<Notification> =
        unread.chain(unread::notes(report).map(|text| note("note", text))).collect();
    let counts: BTreeMap<Unit, Count> = report.coverage.counts().collect();
    let invocation = Invocation::builder()
        .execution_successful(report.coverage.is_complete())
        .tool_execution_notifications(notes)
        .properties(bag(None, &[("coverage", json!(counts))]))
        .build();
    let root = ArtifactLocation::builder()
        .description(message(
            "The root of the repository, or of what was scanned where there is none".to_owned(),
        ))
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .original_uri_base_ids(BTreeMap::from([(ROOT.to_owned(), root)]))
        .invocations(vec![invocation])
        .results(results)
        .build();
    let log = Sarif::builder().schema(SCHEMA.to_owned()).version(json!("2.1.0")).runs(vec![run]).build();
    printable::json(out, &log, true)?;
    out.write_all(b"\n")
}

fn message(text: String) -> Message {
    Message::builder().text(text).build()
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text.to_owned()).build()
}

fn bag(tags: Option<Vec<String>>, properties: &[(&str, serde_json::Value)]) -> PropertyBag {
    let additional: BTreeMap<String, serde_json::Value> =
        properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    match tags {
        Some(tags) => PropertyBag::builder().tags(tags).additional_properties(additional).build(),
        None => PropertyBag::builder().additional_properties(additional).build(),
    }
}

fn descriptor(rules: &Rules, kind: Kind) -> ReportingDescriptor {
    let rule = rules.of(kind);
    let score = alert::score(kind).unwrap_or("0.0");
    let tags = ["security", "secret", "external/cwe/cwe-798"].map(str::to_owned).to_vec();
    let help = format!(
        "{}\n\nIf it must stay, write `sidsweep:allow REASON` on its line or the line above. It is then listed as suppressed.",
        rule.help
    );
    ReportingDescriptor::builder()
        .id(rule.id)
        .name(kind.title().split(|c: char| !c.is_alphanumeric()).collect::<String>())
        .short_description(text(&format!("A leaked {} of Twilio's", kind.title())))
        .full_description(text(rule.help))
        .help(MultiformatMessageString::builder().text(help.clone()).markdown(help).build())
        .default_configuration(ReportingConfiguration::builder().level(json!("error")).build())
        .properties(bag(
            Some(tags),
            &[("security-severity", json!(score)), ("precision", json!("very-high"))],
        ))
        .build()
}

fn result(alert: &Alert, used: &[Kind], rules: &Rules) -> SarifResult {
    let finding = alert.finding;
    let place = &finding.location;
    // No columns: ours count bytes, which SARIF has no word for. The fingerprint tells two secrets of a line apart.
    let region = Region::builder().start_line(place.line as i64).build();
    let uri = utf8_percent_encode(place.path.trim_start_matches('/'), PATH).to_string();
    let artifact = ArtifactLocation::builder().uri(uri).uri_base_id(ROOT.to_owned()).build();
    let physical = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
    let level = match alert.severity() {
        Severity::Critical | Severity::High => ResultLevel::Error,
        Severity::Medium => ResultLevel::Warning,
        Severity::Low => ResultLevel::Note,
    };
    let verdict = alert.credential.map(|credential| &credential.verdict);
    let mut properties = vec![
        ("confidence", json!(finding.confidence)),
        ("byteColumn", json!(place.column)),
        ("atHead", json!(finding.at_head)),
        ("credential", json!(finding.credential)),
        ("verdict", json!(verdict.map(|verdict| verdict.state))),
        ("checkedAt", json!(verdict.and_then(|verdict| verdict.checked_at.clone()))),
    ];
    if let Some(commit) = &finding.commit {
        properties.push(("commit", json!(commit.id)));
    }
    let steps = alert.steps();
    let sentence = if steps.is_empty() { alert.sentence() } else { format!("{}. {steps}", alert.sentence()) };
    // GitHub knows an alert again by the first, whatever moves around it; the id is of kind, value and path.
    let fingerprints = BTreeMap::from([
        ("primaryLocationLineHash".to_owned(), finding.id.to_string()),
        ("sidsweep/v1".to_owned(), finding.id.to_string()),
    ]);
    let mut result = SarifResult::builder()
        .rule_id(rules.of(finding.kind).id)
        .level(level)
        .message(message(printable(&sentence)))
        .locations(vec![Location::builder().physical_location(physical).build()])
        .partial_fingerprints(fingerprints)
        .properties(bag(None, &properties))
        .build();
    result.rule_index = used.iter().position(|kind| *kind == finding.kind).map(|index| index as i64);
    if let Some(reason) = alert.allowed {
        let suppression = Suppression::builder()
            .kind(json!("inSource"))
            .status(json!("accepted"))
            .justification(printable(reason))
            .build();
        result.suppressions = Some(vec![suppression]);
    }
    result
}
