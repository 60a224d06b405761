//! One text's candidates, each read with what surrounds it, and judged.

use std::collections::HashMap;

use super::REACH;
use super::around::{Neighbourhood, forget_speakers};
use crate::detect::candidate::{self, Candidate, Decoded, Shape};
use crate::detect::classify::{self, Evidence, Judgement, SidTie, Surroundings, Uses};
use crate::detect::context::{Context, Reader};
use crate::detect::heads::Heads;
use crate::detect::hit::{Hit, Place};
use crate::detect::lex::TokenKind;
use crate::detect::name::Role;
use crate::detect::page::Page;
use crate::detect::placeholder::Typed;
use crate::detect::runs::Span;
use crate::model::{Confidence, Kind, Secret};
use crate::rules::{MEDIUM, Observation, Rules};

/// The candidates of one text, with what is known of all of it.
pub(super) struct Examination<'a> {
    pub(super) rules: &'a Rules,
    pub(super) text: &'a [u8],
    /// The heads of the text's tables.
    pub(super) heads: &'a Heads<'a>,
    pub(super) path: &'a str,
    pub(super) candidates: &'a [Candidate],
    pub(super) mentions: Vec<usize>,
    pub(super) path_brand: bool,
    /// The path is that of a program's source.
    pub(super) is_code: bool,
    /// The file is a list of hashes by its name.
    pub(super) hash_file: bool,
    /// Values that nothing but their shape speaks for are told of too.
    pub(super) thorough: bool,
}

/// A candidate with what was read around it.
pub(super) struct Read {
    pub(super) candidate: usize,
    pub(super) token: usize,
    pub(super) context: Context,
    /// What the uses of its variable say.
    pub(super) used: Uses,
    /// The calls in which its variable is used: the byte where each begins, and the position.
    pub(super) calls: Vec<(usize, usize)>,
    pub(super) used_after: Option<usize>,
    /// Of a SID: the variables and look-ups that are passed right behind it, or behind its variable, where its secret would stand.
    pub(super) partners: Vec<String>,
    /// Somebody tells a SID and its secret in two lines of a conversation, and this is one of them.
    pub(super) is_said: bool,
    /// Its line is a comment.
    pub(super) is_commented: bool,
}

impl Read {
    /// Whether a comment holds it where the secret of the same SID stood before: `# old auth token: …`, `// was …`. It may work still,
    /// and that the SID has another secret now says nothing against it.
    pub(super) fn is_former(&self) -> bool {
        let is_exact =
            || self.context.names.iter().any(|named| named.name.role == Role::Exact && !named.name.vendor);
        self.context.is_alternate || (self.is_commented && is_exact())
    }
}

/// A value that could be a secret, weighed.
struct Weighed<'b> {
    read: &'b Read,
    typed: Option<Typed>,
    evidence: Evidence,
    /// The SID that it is tied to.
    sid: Option<usize>,
    /// It stands so close to its SID that no other value can be meant.
    is_close: bool,
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
        let reader = Reader::new(self.rules, &page, self.heads);
        let mut reads: Vec<Read> = Vec::with_capacity(group.len());
        for (token, kind) in page.tokens.iter().map(|token| token.kind).enumerate() {
            let TokenKind::Value(candidate) = kind else { continue };
            if group.contains(&candidate) {
                let mut context = reader.read(token);
                if context.names.is_empty() {
                    reader.name_by_file(token, self.path, &mut context);
                }
                reads.push(Read {
                    is_commented: page.is_comment(context.line),
                    candidate,
                    token,
                    context,
                    used: Uses::default(),
                    calls: Vec::new(),
                    used_after: None,
                    partners: Vec::new(),
                    is_said: false,
                });
            }
        }
        self.find_partners(&page, &mut reads);
        self.follow_uses(&page, &reader, &mut reads);
        forget_speakers(self, &mut reads);
        let all = Neighbourhood::of(self, &reads);
        let mut weighed: Vec<Weighed<'_>> = Vec::new();
        for read in &reads {
            let candidate = &self.candidates[read.candidate];
            let (around, sid) = self.surroundings(&reader, &page, read, &all);
            if candidate.password().is_some() {
                if !matches!(
                    candidate::how_typed(self.rules, self.text, candidate),
                    Some(Typed::Certainly(_))
                ) {
                    basic(candidate, read, hits);
                }
            } else if candidate.value(self.text).len() == 64 {
                hits.extend(oauth(&read.context).map(|judgement| self.hit(candidate, read, judgement)));
            } else if candidate.shape.is_sid() {
                let value = candidate.value(self.text);
                let judgement = classify::sid(candidate.shape, value, &read.context, &around);
                hits.extend(judgement.map(|judgement| self.hit(candidate, read, judgement)));
            } else {
                weighed.push(self.weigh(candidate, read, &around, sid));
            }
        }
        self.rivals(&mut weighed);
        let mut unclear: Vec<&Read> = Vec::new();
        for Weighed { read, typed, evidence, .. } in weighed {
            let candidate = &self.candidates[read.candidate];
            let judgement = classify::judge(candidate, &read.context, typed, evidence);
            if judgement.confidence > Confidence::Doubtful || self.thorough {
                hits.push(self.hit(candidate, read, judgement));
            } else {
                unclear.push(read);
            }
        }
        self.same_values(&unclear, hits);
    }

    fn weigh<'b>(
        &self,
        candidate: &Candidate,
        read: &'b Read,
        around: &Surroundings,
        sid: Option<usize>,
    ) -> Weighed<'b> {
        let typed = candidate::how_typed(self.rules, self.text, candidate);
        let evidence =
            classify::weigh(candidate, candidate.value(self.text), &read.context, &read.used, around);
        let is_close = around.sid.is_some_and(|tie| tie <= SidTie::After);
        Weighed { read, typed, evidence, sid, is_close }
    }

    /// A SID has one secret, as a rule: where a value is clearly that, what else stands near the SID hardly is.
    fn rivals(&self, weighed: &mut [Weighed<'_>]) {
        const CLEARLY: f32 = 2.0;
        let value = |weighed: &Weighed<'_>| self.candidates[weighed.read.candidate].value(self.text);
        let mut best: HashMap<usize, (f32, &str)> = HashMap::new();
        for one in weighed.iter() {
            let (Some(sid), odds) = (one.sid, one.evidence.odds()) else { continue };
            let is_typed = matches!(one.typed, Some(Typed::Certainly(_)));
            if odds >= MEDIUM && !is_typed && best.get(&sid).is_none_or(|&(other, _)| odds > other) {
                best.insert(sid, (odds, value(one)));
            }
        }
        for one in weighed {
            let Some(&(odds, other)) = one.sid.and_then(|sid| best.get(&sid)) else { continue };
            if !one.is_close
                && !one.read.is_former()
                && odds >= one.evidence.odds() + CLEARLY
                && other != value(one)
            {
                one.evidence.add(Observation::SidTaken);
            }
        }
    }

    /// A value that is a secret in one place of a text is one in every other place of it.
    fn same_values(&self, unclear: &[&Read], hits: &mut Vec<Hit>) {
        let known: HashMap<String, (Kind, Confidence, f32)> = hits
            .iter()
            .filter(|hit| hit.kind.is_secret() && hit.confidence >= Confidence::Medium)
            .map(|hit| (hit.value.expose().to_owned(), (hit.kind, hit.confidence, hit.place.odds)))
            .collect();
        if known.is_empty() {
            return;
        }
        for read in unclear {
            let candidate = &self.candidates[read.candidate];
            if let Some(&(kind, confidence, odds)) = known.get(candidate.value(self.text)) {
                let evidence = vec!["the same value as elsewhere in this file".to_owned()];
                let judgement =
                    Judgement { kind, confidence, evidence, observed: Vec::new(), odds, odds_alone: odds };
                hits.push(self.hit(candidate, read, judgement));
            }
        }
        for hit in hits.iter_mut().filter(|hit| hit.confidence <= Confidence::Low) {
            if let Some(&(kind, confidence, odds)) = known.get(hit.value.expose())
                && kind == hit.kind
            {
                hit.confidence = confidence;
                hit.place.leans_on_sid = false;
                hit.place.odds = odds;
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
            .chain(&read.used.names)
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
            observed: judgement.observed,
            place: Place {
                stem: name.map(|name| name.stem.clone()).unwrap_or_default(),
                variable: self.variable(read),
                levels: context.levels.iter().map(|level| level.id).collect(),
                list: context.list.map(|list| (list, context.position)),
                after: context.after_value.map(start_of),
                uses: read.calls.clone(),
                used_after: read.used_after.map(start_of),
                is_alternate: context.is_alternate,
                partners: read.partners.clone(),
                leans_on_sid: judgement.odds_alone < MEDIUM,
                odds: judgement.odds,
            },
            expires: None,
            allowed: None,
            regions: Vec::new(),
            names: None,
        }
    }
}

/// A user and a password of the right shapes in one base64 text leave no doubt.
const BASIC_ODDS: f32 = 12.0;

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
            observed: Vec::new(),
            place: Place {
                list: Some((candidate.span.start, list)),
                after,
                levels: read.context.levels.iter().map(|level| level.id).collect(),
                odds: BASIC_ODDS,
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
    let says_secret = named.name.role >= Role::Plain && !named.name.is_innocent() && !named.name.vendor;
    says_secret.then(|| Judgement {
        kind: Kind::OauthClientSecret,
        confidence: Confidence::Medium,
        evidence: vec![
            format!("{}: {}", named.relation.as_str(), classify::shorten(&named.name.text)),
            "beside the id of an OAuth app".into(),
        ],
        observed: Vec::new(),
        odds: MEDIUM,
        odds_alone: MEDIUM,
    })
}
