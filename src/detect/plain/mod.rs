//! One text as it stands: candidates, what surrounds each, and the judgement.

mod around;
mod examination;
mod headings;
mod mentions;
mod services;
mod uses;

use std::cell::{Cell, LazyCell};

use super::candidate::{self, Candidate, Decoded, Shape};
use super::classify;
use super::encoded::{self, Opened};
use super::hashes::{BESIDE, says_secret};
use super::heads::Heads;
use super::hit::Hit;
use super::runs::Span;
use super::seam::{OpenDigits, Part};
use super::shaped;
use crate::model::{Encoding, Secret};
use crate::rules::{Rules, Tag};
use examination::Examination;
use mentions::mentions;

/// How far around a candidate is read, in bytes.
const REACH: usize = 8 * 1024;
/// How far away the file may speak of Twilio, in bytes. Windows of large files overlap by as much.
pub(super) const FAR: usize = 64 * 1024;
/// What stands in a text by its shape, before anything around it is read.
#[derive(Default)]
pub(super) struct Survey {
    /// Values whose shape alone says what they are.
    pub shaped: Vec<Hit>,
    /// Encoded texts that have to be looked at as texts of their own.
    pub inner: Vec<Opened>,
    candidates: Vec<Candidate>,
    /// Where the text speaks of Twilio.
    mentions: Vec<usize>,
    path_brand: bool,
    thorough: bool,
}

impl Survey {
    /// Looks at a text as it stands. Candidates that nothing can speak for are left out: without a SID only a value's own name
    /// or the head of its table can, and of the millions of hashes in lock files none is kept for its being asked later.
    #[must_use]
    pub fn of(rules: &Rules, part: Part, heads: &Heads, path: &str, thorough: bool) -> Self {
        let text = part.text;
        let path_brand = !mentions(rules, path.as_bytes()).is_empty();
        let mentions = LazyCell::new(|| mentions(rules, text));
        let speaks = || path_brand || !mentions.is_empty();
        if thorough {
            let survey = Self::with(rules, part, || false, |_| true);
            return Self { mentions: LazyCell::force(&mentions).clone(), path_brand, thorough, ..survey };
        }
        let left_out = Cell::new(false);
        let leave = |is_left: bool| {
            left_out.set(left_out.get() || is_left);
            is_left
        };
        let mut survey = Self::with(
            rules,
            part,
            || leave(!speaks()),
            |candidate| {
                let may_count = || {
                    path_brand
                        || is_near(&mentions, &candidate.span)
                        || may_be_named(rules, text, &candidate.span)
                };
                !leave(!(is_account(candidate) || may_count()))
            },
        );
        if left_out.get() && (survey.candidates.iter().any(is_account) || say_secret(rules, heads)) {
            survey = Self::with(rules, part, || false, |_| true);
        }
        if survey.candidates.is_empty() {
            return survey;
        }
        Self { mentions: LazyCell::force(&mentions).clone(), path_brand, ..survey }
    }

    /// What stands in a text, of candidates those that are to be kept, and of hashes that nothing names all or none.
    fn with(
        rules: &Rules,
        part: Part,
        leave: impl FnMut() -> bool,
        mut keep: impl FnMut(&Candidate) -> bool,
    ) -> Self {
        let text = part.text;
        let mut survey = Self::default();
        let mut base64: Vec<Span> = Vec::new();
        let mut wide64: Vec<Span> = Vec::new();
        let (candidates, shaped) = (&mut survey.candidates, &mut survey.shaped);
        let mut short: Vec<Span> = Vec::new();
        let wide = |run: Span| {
            if encoded::is_short_line(text, &run) {
                short.push(run.clone());
            }
            if run.len() < shaped::SHORTEST {
                return;
            }
            if let Some(hit) = shaped::in_run(rules, text, &run)
                && shaped.last().is_none_or(|last| last.span.end <= hit.span.start)
            {
                shaped.push(hit);
            }
            if run.len() == 64 {
                wide64.push(run);
            }
        };
        let plain = |candidate| {
            if keep(&candidate) {
                candidates.push(candidate);
            }
        };
        candidate::all(rules, text, leave, plain, |run| base64.push(run), wide);
        if !short.is_empty() {
            base64.append(&mut short);
            base64.sort_unstable_by_key(|run| run.start);
        }
        let as_they_stand = survey.candidates.len();
        survey.open(rules, text, part.before.digits.as_deref(), base64, keep);
        if survey.candidates.iter().any(|c| c.shape == Shape::OauthSid) {
            survey.candidates.extend(wide64.into_iter().filter_map(|span| oauth_secret(text, span)));
        }
        let Self { shaped, candidates, .. } = &mut survey;
        if !shaped.is_empty() {
            candidates.retain(|candidate| !is_inside(&candidate.span, shaped));
        }
        if candidates.len() > as_they_stand || !shaped.is_empty() {
            candidates.sort_by_key(|candidate| candidate.span.start);
            candidates.dedup_by(|b, a| b.span.start < a.span.end);
        }
        survey
    }

    /// Decodes what goes on from the text before, and the runs that are base64 or hexadecimal of text.
    fn open(
        &mut self,
        rules: &Rules,
        text: &[u8],
        begun: Option<&OpenDigits>,
        runs: Vec<Span>,
        mut keep: impl FnMut(&Candidate) -> bool,
    ) {
        let mut decoded_to = 0;
        if let Some(begun) = begun {
            let (end, opened) = encoded::open_at(text, begun.place, begun.alphabet);
            if !opened.is_empty() {
                decoded_to = end;
                self.inner = opened;
            }
        }
        // Long base64 is many runs, with `+` and `/` between them: what its start does not say, its rest will not.
        let mut refused_to = usize::MAX;
        for run in runs {
            if run.start < decoded_to || is_inside(&run, &self.shaped) {
                continue;
            }
            let goes_on =
                text.get(refused_to..run.start).is_some_and(|gap| gap.iter().all(|&b| encoded::is_base64(b)));
            refused_to = run.end;
            if goes_on {
                continue;
            }
            let Some((end, opened)) = encoded::open(text, &run, decoded_to) else { continue };
            decoded_to = end;
            for opened in opened {
                match whole(rules, &opened) {
                    Some(candidate) if keep(&candidate) => self.candidates.push(candidate),
                    Some(_) => {}
                    None => self.inner.push(opened),
                }
            }
        }
    }

    /// Whether a candidate stands at a quotation mark, so that a literal cut in two may stand near.
    #[must_use]
    pub fn is_quoted(&self, text: &[u8]) -> bool {
        let is_quote = |at: Option<usize>| {
            at.and_then(|at| text.get(at)).is_some_and(|b| matches!(b, b'"' | b'\'' | b'`'))
        };
        self.candidates.iter().any(|c| is_quote(c.span.start.checked_sub(1)) || is_quote(Some(c.span.end)))
    }

    /// Judges the candidates by what surrounds them.
    #[must_use]
    pub fn judge(mut self, rules: &Rules, text: &[u8], heads: &Heads, path: &str) -> Vec<Hit> {
        if !self.candidates.is_empty() {
            let Self { mentions, path_brand, thorough, .. } = self;
            Examination {
                rules,
                text,
                heads,
                path,
                candidates: &self.candidates,
                mentions,
                path_brand,
                is_code: is_source(rules, path),
                hash_file: classify::is_hash_file(rules, path),
                thorough,
            }
            .run(&mut self.shaped);
        }
        self.shaped
    }
}

/// Whether a path is that of a program's source.
pub(super) fn is_source(rules: &Rules, path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| rules.word(&ending.to_ascii_lowercase()).is(Tag::Code))
}

/// Whether a text names Twilio.
pub(super) fn speaks(rules: &Rules, text: &[u8]) -> bool {
    !mentions(rules, text).is_empty()
}

/// Whether one of these places, which are in order, is so near that it speaks of what stands at a span.
fn is_near(mentions: &[usize], span: &Span) -> bool {
    let first = mentions.partition_point(|&at| at + FAR < span.start);
    mentions.get(first).is_some_and(|&at| at <= span.end + FAR)
}

/// Whether a candidate is a SID, or holds one with its password: what stands near may then be a secret without a name.
fn is_account(candidate: &Candidate) -> bool {
    candidate.shape.is_sid() || candidate.password().is_some()
}

/// Whether a span lies in one of these hits, which are in order.
fn is_inside(span: &Span, hits: &[Hit]) -> bool {
    let after = hits.partition_point(|hit| hit.span.end <= span.start);
    hits.get(after).is_some_and(|hit| hit.span.start < span.end)
}

/// A candidate that is the whole of an encoded text: a value, or `user:password`.
fn whole(rules: &Rules, opened: &Opened) -> Option<Candidate> {
    let (trimmed, span) = (opened.text.trim_ascii(), &opened.span);
    let one = |bytes: &[u8]| candidate::plain(rules, bytes, &(0..bytes.len()));
    if matches!(trimmed.len(), 32 | 34) && trimmed.iter().all(u8::is_ascii_alphanumeric) {
        let candidate = one(trimmed)?;
        let value = Secret::new(candidate.value(trimmed).to_owned());
        let decoded = Some(Box::new(Decoded { value, password: None }));
        return Some(Candidate { span: span.clone(), encoding: opened.encoding(), decoded, ..candidate });
    }
    let (user, password) = trimmed.split_at_checked(34)?;
    let password = password.strip_prefix(b":")?;
    // Anything may be a password, bytes that are no text too; Twilio's are letters and digits.
    if !password.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (sid, secret) = (one(user)?, one(password)?);
    if !sid.shape.is_sid() || secret.shape.is_sid() {
        return None;
    }
    let value = |candidate: &Candidate, text: &[u8]| Secret::new(candidate.value(text).to_owned());
    let decoded =
        Decoded { value: value(&sid, user), password: Some((secret.shape, value(&secret, password))) };
    Some(Candidate {
        span: span.clone(),
        encoding: Encoding::BasicAuth,
        decoded: Some(Box::new(decoded)),
        ..sid
    })
}

fn oauth_secret(text: &[u8], span: Span) -> Option<Candidate> {
    let value = std::str::from_utf8(&text[span.clone()]).ok()?;
    let mixed =
        value.bytes().any(|b| b.is_ascii_lowercase()) && value.bytes().any(|b| b.is_ascii_uppercase());
    mixed.then_some(Candidate { shape: Shape::Base62, encoding: Encoding::Plain, span, decoded: None })
}

/// Whether the head of a table says that a column holds secrets, or speaks of Twilio: it stands above any number of rows.
fn say_secret(rules: &Rules, heads: &Heads) -> bool {
    heads.any(|head| says_secret(rules, head) || !mentions(rules, head).is_empty())
}

/// Whether a name that says secret may stand at a value: a cheap look, for texts without a SID that do not speak of Twilio.
fn may_be_named(rules: &Rules, text: &[u8], span: &Span) -> bool {
    says_secret(rules, &text[span.start.saturating_sub(BESIDE)..span.start])
}
