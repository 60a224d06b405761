//! One text's candidates, each read with what surrounds it, and judged.

use std::collections::HashMap;

use super::REACH;
use crate::detect::candidate::{Candidate, Decoded, Shape};
use crate::detect::context::{Context, Named, Reader};
use crate::detect::hit::{Hit, Place};
use crate::detect::judge::{self, Judgement};
use crate::detect::lex::TokenKind;
use crate::detect::name::Role;
use crate::detect::page::Page;
use crate::detect::runs::Span;
use crate::model::{Confidence, Kind, Secret};
use crate::rules::Rules;

/// The candidates of one text, with what is known of all of it.
pub(super) struct Examination<'a> {
    pub(super) rules: &'a Rules,
    pub(super) text: &'a [u8],
    pub(super) path: &'a str,
    pub(super) candidates: &'a [Candidate],
    pub(super) mentions: Vec<usize>,
    pub(super) path_twilio: bool,
}

/// A candidate with what was read around it.
pub(super) struct Read {
    pub(super) candidate: usize,
    pub(super) token: usize,
    pub(super) context: Context,
    pub(super) used_as: Vec<Named>,
    pub(super) uses: Vec<(usize, usize)>,
    pub(super) used_after: Option<usize>,
    /// Used in a call of another service.
    pub(super) used_by_others: bool,
}

impl Examination<'_> {
    pub(super) fn run(&self, hits: &mut Vec<Hit>) {
        let spans: Vec<Span> = self.candidates.iter().map(|candidate| candidate.span.clone()).collect();
        let mut from = 0;
        while from < spans.len() {
            // Candidates whose surroundings overlap are read as one page.
            let mut to = from + 1;
            while to < spans.len() && spans[to].start < spans[to - 1].end + 2 * REACH {
                to += 1;
            }
            let start = self.line_start(spans[from].start.saturating_sub(REACH));
            let end = (spans[to - 1].end + REACH).min(self.text.len());
            self.page(&spans, from..to, start..end, hits);
            from = to;
        }
    }

    /// The start of the line at a place, so that a page begins with a whole line where lines are short.
    fn line_start(&self, place: usize) -> usize {
        let from = place.saturating_sub(REACH / 4);
        match self.text[from..place].iter().rposition(|&b| b == b'\n') {
            Some(at) => from + at + 1,
            None if from == 0 => 0,
            None => place,
        }
    }

    fn page(&self, spans: &[Span], group: std::ops::Range<usize>, region: Span, hits: &mut Vec<Hit>) {
        let page = Page::new(self.text, &region, spans);
        let reader = Reader::new(self.rules, &page);
        let mut reads: Vec<Read> = Vec::with_capacity(group.len());
        for (token, kind) in page.tokens.iter().map(|token| token.kind).enumerate() {
            let TokenKind::Value(candidate) = kind else { continue };
            if group.contains(&candidate) {
                let context = reader.read(token);
                reads.push(Read {
                    candidate,
                    token,
                    context,
                    used_as: Vec::new(),
                    uses: Vec::new(),
                    used_after: None,
                    used_by_others: false,
                });
            }
        }
        self.follow_uses(&page, &reader, &mut reads);
        let mut unclear: Vec<&Read> = Vec::new();
        let mut crowd: HashMap<(usize, Shape), usize> = HashMap::new();
        for read in &reads {
            *crowd.entry((read.context.line, self.shape(read))).or_default() += 1;
        }
        let sids: Vec<usize> = (0..reads.len()).filter(|&r| self.shape(&reads[r]).is_sid()).collect();
        for read in &reads {
            let around = self.surroundings(&reader, &page, read, &reads, &sids, &crowd);
            let candidate = &self.candidates[read.candidate];
            if candidate.password().is_some() {
                basic(candidate, read, hits);
                continue;
            }
            let judgement = if candidate.value(self.text).len() == 64 {
                oauth(&read.context)
            } else if candidate.shape.is_sid() {
                judge::sid(candidate.shape, candidate.value(self.text), &read.context, &around)
            } else if read.used_by_others {
                None
            } else {
                judge::secret(candidate, &read.context, &read.used_as, &around)
            };
            match judgement {
                Some(judgement) => hits.push(self.hit(candidate, read, judgement)),
                None if !candidate.shape.is_sid() => unclear.push(read),
                None => {}
            }
        }
        self.same_values(&unclear, hits);
    }

    /// A value that is a secret in one place of a text is one in every other place of it.
    fn same_values(&self, unclear: &[&Read], hits: &mut Vec<Hit>) {
        let known: HashMap<String, (Kind, Confidence, u8)> = hits
            .iter()
            .filter(|hit| hit.kind.is_secret() && hit.confidence >= Confidence::Medium)
            .map(|hit| (hit.value.expose().to_owned(), (hit.kind, hit.confidence, hit.place.rank)))
            .collect();
        if known.is_empty() {
            return;
        }
        for read in unclear {
            let candidate = &self.candidates[read.candidate];
            if let Some(&(kind, confidence, rank)) = known.get(candidate.value(self.text)) {
                let evidence = vec!["the same value as elsewhere in this file".to_owned()];
                hits.push(self.hit(
                    candidate,
                    read,
                    Judgement { kind, confidence, evidence, leans_on_sid: false, rank },
                ));
            }
        }
        for hit in hits.iter_mut().filter(|hit| hit.confidence == Confidence::Low) {
            if let Some(&(kind, confidence, rank)) = known.get(hit.value.expose())
                && kind == hit.kind
            {
                hit.confidence = confidence;
                hit.place.leans_on_sid = false;
                hit.place.rank = rank;
                hit.evidence.push("the same value as elsewhere in this file".to_owned());
            }
        }
    }

    pub(super) fn shape(&self, read: &Read) -> Shape {
        self.candidates[read.candidate].shape
    }

    fn hit(&self, candidate: &Candidate, read: &Read, judgement: Judgement) -> Hit {
        let start_of = |value: usize| self.candidates[value].span.start;
        let context = &read.context;
        let name = read
            .context
            .names
            .iter()
            .chain(&read.used_as)
            .map(|named| &named.name)
            .find(|name| name.is_informative() || !name.stem.is_empty());
        Hit {
            kind: judgement.kind,
            value: Secret::new(candidate.value(self.text).to_owned()),
            span: candidate.span.clone(),
            line: 0,
            column: 0,
            end_column: 0,
            encoding: candidate.encoding,
            confidence: judgement.confidence,
            evidence: judgement.evidence,
            place: Place {
                stem: name.map(|name| name.stem.clone()).unwrap_or_default(),
                levels: context.levels.iter().map(|level| level.id).collect(),
                list: context.list.map(|list| (list, context.position)),
                after: context.after_value.map(start_of),
                uses: read.uses.clone(),
                used_after: read.used_after.map(start_of),
                leans_on_sid: judgement.leans_on_sid,
                rank: judgement.rank,
            },
            expires: None,
            allowed: None,
            regions: Vec::new(),
            names: None,
        }
    }
}

/// Both halves of a Basic authentication's text.
fn basic(candidate: &Candidate, read: &Read, hits: &mut Vec<Hit>) {
    let Some(Decoded { value: user, password: Some((shape, password)) }) = candidate.decoded.as_deref()
    else {
        return;
    };
    let sid_kind = if candidate.shape == Shape::AccountSid { Kind::AccountSid } else { Kind::ApiKeySid };
    let secret_kind = if *shape == Shape::Hex32 && sid_kind == Kind::AccountSid {
        Kind::AuthToken
    } else {
        Kind::ApiKeySecret
    };
    let evidence = vec!["user and password of Basic authentication, in base64".to_owned()];
    let mut hit = |kind: Kind, value: &Secret, after: Option<usize>, list: usize| {
        hits.push(Hit {
            kind,
            value: value.clone(),
            span: candidate.span.clone(),
            line: 0,
            column: 0,
            end_column: 0,
            encoding: candidate.encoding,
            confidence: Confidence::High,
            evidence: evidence.clone(),
            place: Place {
                list: Some((candidate.span.start, list)),
                after,
                levels: read.context.levels.iter().map(|level| level.id).collect(),
                rank: 12,
                ..Place::default()
            },
            expires: None,
            allowed: None,
            regions: Vec::new(),
            names: None,
        });
    };
    hit(sid_kind, user, None, 0);
    hit(secret_kind, password, Some(candidate.span.start), 1);
}

/// A client secret of an OAuth app: 64 characters, so its name must say what it is.
fn oauth(context: &Context) -> Option<Judgement> {
    let named = context.informative()?;
    let says_secret = named.name.role >= Role::Plain && !named.name.innocent && named.name.vendor.is_none();
    says_secret.then(|| Judgement {
        kind: Kind::OauthClientSecret,
        confidence: Confidence::Medium,
        evidence: vec![
            format!("{}: {}", named.relation, judge::shorten(&named.name.text)),
            "beside the id of an OAuth app".into(),
        ],
        leans_on_sid: false,
        rank: 4,
    })
}
