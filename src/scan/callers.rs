//! Values whose own name says nothing, and which another file passes to Twilio's call: `define('T_TWO', '…')` in one file and
//! `new Client(T_ONE, T_TWO)` in another. The lines that define such a value are read together with the file that uses it, so
//! that the detector sees what it would see if both were one text.
//!
//! This costs a second look, so it is taken only where an Account SID has no secret, and only at small files around it.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

use super::Found;
use super::doubtful::folder;
use super::gather::{Origin, TextHits};
use crate::detect::{Detector, Hit};
use crate::model::{Confidence, Encoding, Kind, Tally};
use crate::rules::{MEDIUM, Observation};
use crate::source::roots::prefix;
use crate::source::tree::{self, Opened};
use imports::{line_start, refers_to, words};

/// How many folders with an Account SID that has no secret are looked at again.
const MOST_FOLDERS: usize = 64;
/// How large a file may be, in bytes: code and settings that people wrote are small.
const LARGEST_FILE: u64 = 128 * 1024;
/// How many bytes of files are held at once.
const MOST_BYTES: usize = 16 << 20;
/// A file with more values than this is a list, not a file of settings.
const MOST_VALUES: usize = 32;
/// How many files that use one name are tried.
const MOST_CALLERS: usize = 8;
/// What is read around each use of a name in a file that is too long to be read whole, in bytes.
const AROUND: usize = 1500;
/// How many uses of a name are read in one file.
const MOST_USES: usize = 4;

/// A small text, with the path that it is reported by.
struct Source {
    path: String,
    text: Vec<u8>,
    /// It is a program's source and names Twilio, so it may hold a call of Twilio's.
    speaks: bool,
}

/// How many levels above a folder are tried, the most first.
const LEVELS: [usize; 3] = [3, 1, 0];
/// So many folders may turn out to be too large before no level above a SID's own is tried any more.
const MOST_TOO_LARGE: usize = 4;

/// Adds the values that a call in another file shows to be secrets.
pub(super) fn judge(detector: &Detector, roots: &[PathBuf], options: &tree::Options, scanned: &mut Found) {
    let folders = lonely(&scanned.texts);
    if folders.is_empty() {
        return;
    }
    let thorough = detector.clone().thorough();
    let mut found: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
    for sources in projects(detector, &folders, roots, options) {
        for source in &sources {
            let hits = values(&thorough, source, &sources);
            if !hits.is_empty() {
                found.insert(source.path.clone(), hits);
            }
        }
    }
    for (path, hits) in found {
        match scanned.texts.iter_mut().find(|text| text.path == path) {
            Some(text) => {
                let is_replaced =
                    |known: &Hit| hits.iter().any(|hit| hit.span == known.span && hit.value == known.value);
                text.hits.retain(|known| !is_replaced(known));
                text.hits.extend(hits);
            }
            None => scanned.texts.push(TextHits { path, hits, origin: Origin::default() }),
        }
    }
}

/// A folder to look at, and what stands in front of the paths below it.
struct Folder {
    path: PathBuf,
    prefix: String,
}

/// The folders with an Account SID and without a secret.
fn lonely(texts: &[TextHits]) -> BTreeSet<String> {
    let is_secret = |hit: &Hit| {
        matches!(hit.kind, Kind::AuthToken | Kind::ApiKeySecret) && hit.confidence >= Confidence::Medium
    };
    let served: BTreeSet<&str> =
        texts.iter().filter(|text| text.hits.iter().any(is_secret)).map(|text| folder(&text.path)).collect();
    texts
        .iter()
        .filter(|text| !text.path.contains('!') && text.hits.iter().any(|hit| hit.kind == Kind::AccountSid))
        .map(|text| folder(&text.path))
        .filter(|folder| !served.contains(folder))
        .map(str::to_owned)
        .take(MOST_FOLDERS)
        .collect()
}

/// The small files around these folders: as many levels up as can be held at once.
fn projects(
    detector: &Detector,
    folders: &BTreeSet<String>,
    roots: &[PathBuf],
    options: &tree::Options,
) -> Vec<Vec<Source>> {
    let mut all: Vec<(Folder, Vec<Source>)> = Vec::new();
    let mut too_large = BTreeSet::new();
    for lonely in folders {
        for up in LEVELS {
            let mut above = lonely.as_str();
            for _ in 0..up {
                above = folder(above);
            }
            let Some(place) = place(above, roots) else { continue };
            if all.iter().any(|(known, _)| place.path.starts_with(&known.path)) {
                break;
            }
            if too_large.len() >= MOST_TOO_LARGE && up > 0 || too_large.contains(&place.path) {
                continue;
            }
            match read(detector, &place, options) {
                Some(sources) => {
                    all.push((place, sources));
                    break;
                }
                None => _ = too_large.insert(place.path),
            }
        }
    }
    all.into_iter().map(|(_, sources)| sources).collect()
}

/// Where a folder stands that paths of a scan of these roots begin with.
fn place(folder: &str, roots: &[PathBuf]) -> Option<Folder> {
    let path = match roots {
        [root] if root.is_dir() => root.join(folder),
        [_] => return None,
        _ => PathBuf::from(folder),
    };
    let is_below_a_root = roots.iter().any(|root| path.starts_with(root));
    (is_below_a_root && path.is_dir()).then(|| Folder { path, prefix: prefix(Path::new(folder)) })
}

/// The small texts below a folder, as a scan would read them; none if they are too many to be held.
fn read(detector: &Detector, folder: &Folder, options: &tree::Options) -> Option<Vec<Source>> {
    let sources: Mutex<(usize, Vec<Source>)> = Mutex::default();
    let root = [folder.path.clone()];
    // What cannot be read was named by the scan before.
    let tally = Tally::default();
    let walked = tree::walk(&root, options, &tally, || {
        let sources = &sources;
        move |Opened { file, known }: Opened<'_>| {
            let path = known.name();
            let mut text = Vec::new();
            if file.take(LARGEST_FILE + 1).read_to_end(&mut text).is_ok() && text.len() as u64 <= LARGEST_FILE
            {
                let speaks = detector.is_source(path) && detector.speaks_of_twilio(&text);
                let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                sources.0 += text.len();
                if sources.0 <= MOST_BYTES {
                    sources.1.push(Source { path: format!("{}{path}", folder.prefix), text, speaks });
                }
            }
            known.read();
        }
    });
    let (bytes, mut sources) = sources.into_inner().unwrap_or_else(PoisonError::into_inner);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    (walked.is_ok() && bytes <= MOST_BYTES).then_some(sources)
}

/// The values of a text that nothing in it shows to be secrets, and that a call in another does.
fn values(thorough: &Detector, source: &Source, sources: &[Source]) -> Vec<Hit> {
    if !may_hold_value(&source.text) || !sources.iter().any(|other| other.speaks && other.path != source.path)
    {
        return Vec::new();
    }
    let hits = thorough.detect(&source.text, &source.path);
    let is_open = |hit: &&Hit| {
        hit.confidence < Confidence::Medium
            && hit.encoding == Encoding::Plain
            && super::look::can_be_asked_about(hit)
            // A name that says it all has been believed, or not, for other reasons.
            && !hit.observed.contains(&Observation::RoleExact)
    };
    let open: Vec<&Hit> = hits.iter().filter(is_open).collect();
    if open.len() > MOST_VALUES {
        return Vec::new();
    }
    let sids: Vec<&Hit> = hits.iter().filter(|hit| super::look::is_sid(hit)).take(MOST_VALUES).collect();
    open.into_iter().filter_map(|hit| passed(thorough, source, hit, &sids, sources)).collect()
}

/// Whether so many letters and digits stand in a row that they could be a value.
fn may_hold_value(text: &[u8]) -> bool {
    text.split(|byte| !byte.is_ascii_alphanumeric()).any(|word| matches!(word.len(), 32 | 34))
}

/// The value, if a file that names Twilio uses its name as Twilio's secret.
fn passed(thorough: &Detector, source: &Source, hit: &Hit, sids: &[&Hit], sources: &[Source]) -> Option<Hit> {
    let name = hit.place.variable.as_deref()?;
    let callers = sources
        .iter()
        .filter(|other| other.speaks && other.path != source.path && refers_to(other, source, name))
        .filter_map(|other| Some((other, uses(&other.text, name)?)));
    for (caller, used) in callers.take(MOST_CALLERS) {
        let together = together(source, hit, sids, used);
        let shown = thorough
            .detect(&together, &caller.path)
            .into_iter()
            .filter(|shown| shown.value == hit.value && shown.kind == hit.kind)
            .find(|shown| odds_by_use(shown) >= MEDIUM);
        if let Some(shown) = shown {
            let mut evidence = vec![format!("{name} is passed to Twilio's call in {}", caller.path)];
            evidence.extend(shown.evidence);
            let mut place = hit.place.clone();
            place.odds = place.odds.max(odds_by_use_of(&shown.observed));
            place.leans_on_sid = false;
            return Some(Hit {
                confidence: Confidence::Medium,
                evidence,
                observed: shown.observed,
                place,
                ..hit.clone()
            });
        }
    }
    None
}

/// The log-odds of a value that is passed to a call beside a SID of its project, and otherwise none: how near the SID stands in the
/// text that was put together says nothing.
fn odds_by_use(hit: &Hit) -> f32 {
    let is_passed = hit.observed.iter().any(|observation| {
        matches!(
            observation,
            Observation::SidByUse
                | Observation::TwilioArgument
                | Observation::ClientArgument
                | Observation::SidNameBefore
                | Observation::BrandByUse
        )
    });
    if is_passed { odds_by_use_of(&hit.observed) } else { f32::MIN }
}

fn odds_by_use_of(observed: &[Observation]) -> f32 {
    let counts =
        |observation: &&Observation| !observation.is_of_sid() || **observation == Observation::SidByUse;
    let is_tied = observed.contains(&Observation::SidByUse);
    let in_project = if is_tied { 0.0 } else { Observation::SidInFolder.weight() };
    crate::rules::BASE
        + in_project
        + observed.iter().filter(counts).map(|observation| observation.weight()).sum::<f32>()
}

/// What of a text uses a name: the whole of it where it is short, or what stands around the first uses.
fn uses(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut places = words(text, name).peekable();
    places.peek()?;
    if text.len() <= 4 * AROUND {
        return Some(text.to_vec());
    }
    let mut used = Vec::new();
    let mut read_to = 0;
    for at in places.take(MOST_USES) {
        let from = read_to.max(line_start(text, at.saturating_sub(AROUND)));
        let to = (at + AROUND).min(text.len());
        if from < to {
            used.extend_from_slice(&text[from..to]);
            used.extend_from_slice(b"\n\n");
            read_to = to;
        }
    }
    Some(used)
}

/// The lines of the SIDs and of the value, with what uses the value between them.
fn together(source: &Source, hit: &Hit, sids: &[&Hit], used: Vec<u8>) -> Vec<u8> {
    let mut text = Vec::new();
    let line = |hit: &Hit, text: &mut Vec<u8>| {
        let from = line_start(&source.text, hit.span.start);
        let end = source.text[hit.span.end..].iter().position(|&byte| byte == b'\n');
        let to = end.map_or(source.text.len(), |length| hit.span.end + length);
        text.extend_from_slice(
            &source.text[from.max(hit.span.start.saturating_sub(AROUND))..to.min(hit.span.end + AROUND)],
        );
        text.push(b'\n');
    };
    for sid in sids.iter().filter(|sid| sid.line != hit.line) {
        line(sid, &mut text);
    }
    text.push(b'\n');
    text.extend(used);
    text.extend_from_slice(b"\n\n");
    line(hit, &mut text);
    text
}
