//! One text as it stands: candidates, what surrounds each, and the judgement.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::candidate::{self, Candidate, Shape};
use super::context::{Context, Named, Reader};
use super::encoded;
use super::hit::{Hit, Place};
use super::judge::{self, Judgement, SidName, Surroundings};
use super::lex::{Op, TokenKind};
use super::name::Role;
use super::page::Page;
use super::runs::Span;
use super::shaped;
use crate::model::{Confidence, Encoding, Kind, Secret};
use crate::rules::Rules;

/// How far around a candidate is read, in bytes.
const REACH: usize = 8 * 1024;
/// How far away the file may speak of Twilio, in bytes. Windows of large files overlap by as much.
pub(super) const FAR: usize = 64 * 1024;
/// So many candidates are all read closely.
const FEW: usize = 64;
/// How many uses of one variable are looked at.
const MOST_USES: usize = 12;

/// What stands in a text by its shape, before anything around it is read.
#[derive(Default)]
pub struct Survey {
    /// Values whose shape alone says what they are.
    pub shaped: Vec<Hit>,
    /// Base64 texts that have to be looked at as texts of their own: where they stand, and what they decode to.
    pub inner: Vec<(Span, Vec<u8>)>,
    candidates: Vec<Candidate>,
}

impl Survey {
    /// Looks at a text as it stands.
    #[must_use]
    pub fn of(rules: &Rules, text: &[u8]) -> Self {
        let mut survey = Self::default();
        let mut base64: Vec<Span> = Vec::new();
        let mut wide64: Vec<Span> = Vec::new();
        let (candidates, shaped) = (&mut survey.candidates, &mut survey.shaped);
        let wide = |run: Span| {
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
        candidate::all(rules, text, |candidate| candidates.push(candidate), |run| base64.push(run), wide);
        survey.open(rules, text, base64);
        if survey.candidates.iter().any(|c| c.shape == Shape::OauthSid) {
            survey.candidates.extend(wide64.into_iter().filter_map(|span| oauth_secret(text, span)));
        }
        let Self { shaped, candidates, .. } = &mut survey;
        candidates.retain(|candidate| !is_inside(&candidate.span, shaped));
        candidates.sort_by_key(|candidate| candidate.span.start);
        candidates.dedup_by(|b, a| b.span.start < a.span.end);
        survey
    }

    /// Decodes the runs that are base64 of text.
    fn open(&mut self, rules: &Rules, text: &[u8], runs: Vec<Span>) {
        let mut decoded_to = 0;
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
            if let Some((span, decoded)) = encoded::base64(text, &run) {
                decoded_to = span.end;
                match whole(rules, &decoded, &span) {
                    Some(candidate) => self.candidates.push(candidate),
                    None => self.inner.push((span, decoded)),
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
    pub fn judge(mut self, rules: &Rules, text: &[u8], path: &str) -> Vec<Hit> {
        if self.candidates.is_empty() {
            return self.shaped;
        }
        let mentions = mentions(text);
        let path_twilio = encoded::contains_ignore_case(path.as_bytes(), b"twilio");
        let has_sid = self.candidates.iter().any(|c| c.shape.is_sid() || c.password.is_some());
        // Without a SID only a value's own name can speak for it. In a text that speaks of Twilio this cheap look is
        // worth it only where there are many candidates, as in lock files.
        let far = !mentions.is_empty() || path_twilio;
        let few = far && self.candidates.len() <= FEW;
        if !has_sid && !few {
            self.candidates.retain(|candidate| may_be_named(text, &candidate.span, far));
        }
        self.candidates.retain(|candidate| !candidate::is_typed(rules, text, candidate));
        if !self.candidates.is_empty() {
            Examination { rules, text, path, candidates: &self.candidates, mentions, path_twilio }
                .run(&mut self.shaped);
        }
        self.shaped
    }
}

/// Whether a span lies in one of these hits, which are in order.
fn is_inside(span: &Span, hits: &[Hit]) -> bool {
    let after = hits.partition_point(|hit| hit.span.end <= span.start);
    hits.get(after).is_some_and(|hit| hit.span.start < span.end)
}

/// A candidate that is the whole of a base64 text: a value, or `user:password`.
fn whole(rules: &Rules, decoded: &[u8], span: &Span) -> Option<Candidate> {
    let trimmed = decoded.trim_ascii();
    let one = |bytes: &[u8]| candidate::plain(rules, bytes, &(0..bytes.len()));
    if matches!(trimmed.len(), 32 | 34) && trimmed.iter().all(u8::is_ascii_alphanumeric) {
        let candidate = one(trimmed)?;
        let decoded = Some(Secret::new(candidate.value(trimmed).to_owned()));
        return Some(Candidate { span: span.clone(), encoding: Encoding::Base64, decoded, ..candidate });
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
    let decoded = |candidate: &Candidate, text: &[u8]| Secret::new(candidate.value(text).to_owned());
    Some(Candidate {
        span: span.clone(),
        encoding: Encoding::BasicAuth,
        decoded: Some(decoded(&sid, user)),
        password: Some((secret.shape, decoded(&secret, password))),
        ..sid
    })
}

fn oauth_secret(text: &[u8], span: Span) -> Option<Candidate> {
    let value = std::str::from_utf8(&text[span.clone()]).ok()?;
    let mixed =
        value.bytes().any(|b| b.is_ascii_lowercase()) && value.bytes().any(|b| b.is_ascii_uppercase());
    mixed.then(|| Candidate {
        shape: Shape::Base62,
        decoded: None,
        span,
        encoding: Encoding::Plain,
        password: None,
    })
}

/// How Twilio is spelt, without the letter whose case varies; the last is a misspelling that recurs.
static MENTIONS: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| [Finder::new("wilio"), Finder::new("WILIO"), Finder::new("willio")]);

/// Where the text speaks of Twilio.
fn mentions(text: &[u8]) -> Vec<usize> {
    let mut places: Vec<usize> = MENTIONS.iter().flat_map(|word| word.find_iter(text)).collect();
    places.sort_unstable();
    places
}

/// Whether a name that says secret may stand at a value: a cheap look, for texts without a SID. In texts that speak of
/// Twilio the name may stand further off (`"key": "auth_token", "enabled": true, "value": …`).
fn may_be_named(text: &[u8], span: &Span, far: bool) -> bool {
    static ROLES: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
        regex::bytes::Regex::new("(?i-u)tok|secret|auth|key|pass|cred|pw|twil|valid")
            .expect("checked by tests")
    });
    if far {
        return ROLES.is_match(&text[span.start.saturating_sub(320)..span.start])
            || ROLES.is_match(&text[span.end..(span.end + 160).min(text.len())]);
    }
    says_secret(&text[span.start.saturating_sub(48)..span.start])
}

/// Whether `token`, `secret` or `auth` stands in a few bytes, in any case. All three hold a `t`, which what stands beside a
/// hash seldom does.
fn says_secret(part: &[u8]) -> bool {
    let is_t = |byte: &u8| byte | 0x20 == b't';
    if !part.iter().fold(false, |any, byte| any | is_t(byte)) {
        return false;
    }
    let stands = |word: &[u8], from: Option<usize>| {
        from.and_then(|from| part.get(from..from + word.len()))
            .is_some_and(|there| there.eq_ignore_ascii_case(word))
    };
    let mut places = part.iter().enumerate().filter(|(_, byte)| is_t(byte)).map(|(at, _)| at);
    places.any(|at| {
        stands(b"token", Some(at))
            || stands(b"secret", at.checked_sub(5))
            || stands(b"auth", at.checked_sub(2))
    })
}

struct Examination<'a> {
    rules: &'a Rules,
    text: &'a [u8],
    path: &'a str,
    candidates: &'a [Candidate],
    mentions: Vec<usize>,
    path_twilio: bool,
}

/// A candidate with what was read around it.
struct Read {
    candidate: usize,
    token: usize,
    context: Context,
    used_as: Vec<Named>,
    uses: Vec<(usize, usize)>,
    used_after: Option<usize>,
    /// Used in a call of another service.
    used_by_others: bool,
}

impl Examination<'_> {
    fn run(&self, hits: &mut Vec<Hit>) {
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
            if candidate.password.is_some() {
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

    fn shape(&self, read: &Read) -> Shape {
        self.candidates[read.candidate].shape
    }

    /// Finds where the variables that values are assigned to are used.
    fn follow_uses(&self, page: &Page<'_>, reader: &Reader<'_>, reads: &mut [Read]) {
        let mut owners: HashMap<&str, Vec<usize>> = HashMap::new();
        let idents: Vec<Option<String>> = reads.iter().map(|read| read.context.ident.clone()).collect();
        for (index, ident) in idents.iter().enumerate() {
            if let Some(ident) = ident.as_deref().filter(|ident| !is_keyword(ident)) {
                owners.entry(ident).or_default().push(index);
            }
        }
        // A name that several values bear (`sid` in each of three blocks) says nothing of its uses.
        owners.retain(|_, values| {
            let distinct: HashSet<&str> =
                values.iter().map(|&v| self.candidates[reads[v].candidate].value(self.text)).collect();
            distinct.len() == 1
        });
        if owners.is_empty() {
            return;
        }
        let mut seen: HashMap<usize, usize> = HashMap::new();
        for token in 0..page.tokens.len() {
            if page.kind(token) != TokenKind::Word {
                continue;
            }
            let word = page.slice(token, token + 1).trim_start_matches('$');
            let Some(values) = owners.get(word) else { continue };
            let owner = values[0];
            let count = seen.entry(owner).or_default();
            let next =
                (token + 1..(token + 3).min(page.tokens.len())).find(|&t| page.kind(t) != TokenKind::Quote);
            let is_definition = next.is_some_and(|t| {
                matches!(page.kind(t), TokenKind::Op(Op::Assign | Op::Colon) | TokenKind::Value(_))
            }) && !(page.is(next.unwrap_or(0), Op::Colon)
                && page.text.get(page.tokens[token].start.wrapping_sub(1)) == Some(&b'$'));
            if is_definition || *count >= MOST_USES {
                continue;
            }
            *count += 1;
            let context = reader.read(page.chain_start(token));
            if let Some(list) = context.list {
                reads[owner].uses.push((list, context.position));
            }
            let after = context
                .after_word
                .as_deref()
                .and_then(last_word)
                .and_then(|word| owners.get(word))
                .map(|values| values[0]);
            if let Some(after) = after.filter(|&after| self.shape(&reads[after]).is_sid()) {
                reads[owner].used_after = Some(reads[after].candidate);
            } else if let Some(value) =
                context.after_value.filter(|&value| self.candidates[value].shape.is_sid())
            {
                reads[owner].used_after = Some(value);
            }
            let vendor = context.names.iter().any(|named| named.name.vendor.is_some() && !named.name.twilio);
            let twilio = context.names.iter().any(|named| named.name.twilio)
                || context.levels.iter().any(|level| level.head.twilio);
            reads[owner].used_by_others |= vendor && !twilio && !named_twilio(&reads[owner].context);
            reads[owner].used_as.extend(context.names);
        }
    }

    fn surroundings<'b>(
        &self,
        reader: &Reader<'_>,
        page: &Page<'_>,
        read: &'b Read,
        reads: &'b [Read],
        sids: &[usize],
        crowd: &HashMap<(usize, Shape), usize>,
    ) -> Surroundings<'b> {
        let candidate = &self.candidates[read.candidate];
        let mut around = Surroundings { path_twilio: self.path_twilio, ..Surroundings::default() };
        around.mention_bytes = self.nearest_mention(&candidate.span);
        if candidate.shape.is_sid() {
            return around;
        }
        around.hash_file = judge::is_hash_file(self.path);
        let partner = if candidate.shape == Shape::Hex32 { Shape::AccountSid } else { Shape::KeySid };
        let is_partner = |index: usize| {
            self.candidates[index].shape == partner && self.candidates[index].password.is_none()
        };
        if read.context.after_value.is_some_and(is_partner) {
            around.sid_beside = Some(if partner == Shape::AccountSid {
                "stands right after an Account SID"
            } else {
                "stands right after a key SID"
            });
        } else if value_after(page, read.token).is_some_and(is_partner) && read.context.list.is_some() {
            around.sid_beside = Some("stands right before its SID");
        } else if read.used_after.is_some_and(|sid| self.candidates[sid].shape == partner) {
            around.sid_beside = Some("its variable is used right after that of a SID");
            around.sid_by_use = true;
        }
        around.crowded = crowd.get(&(read.context.line, candidate.shape)).is_some_and(|&number| number > 2);
        let mut nearest: Option<(u64, &Read)> = None;
        // SIDs are in order: only the nearest few on each side can matter.
        let place = sids.partition_point(|&s| reads[s].token < read.token);
        for &sid in &sids[place.saturating_sub(16)..(place + 16).min(sids.len())] {
            let other = &reads[sid];
            let lines = other.context.line.abs_diff(read.context.line) as u64;
            let right = self.shape(other) == partner;
            if !right && (partner == Shape::AccountSid || self.shape(other) != Shape::AccountSid) {
                continue;
            }
            around.sid_lines = Some(around.sid_lines.map_or(lines, |fewest| fewest.min(lines)));
            if right && same_block(read, other, lines) && nearest.is_none_or(|(fewest, _)| lines < fewest) {
                nearest = Some((lines, other));
            }
        }
        around.sid_in_block = nearest.map(|(_, other)| {
            let name = other.context.names.first().map(|named| &named.name);
            SidName {
                stem: name.map_or(&[][..], |name| &name.stem),
                twilio: name.is_some_and(|name| name.twilio),
                capitals: name.is_some_and(|name| !name.text.bytes().any(|b| b.is_ascii_lowercase())),
            }
        });
        around.vendor_near = !named_twilio(&read.context) && Self::vendor_near(reader, page, read);
        around
    }

    fn nearest_mention(&self, span: &Span) -> Option<usize> {
        let place = self.mentions.partition_point(|&at| at < span.start);
        let before = place.checked_sub(1).map(|p| span.start - self.mentions[p]);
        let after = self.mentions.get(place).map(|&at| at.saturating_sub(span.end));
        before.into_iter().chain(after).min().filter(|&distance| distance <= FAR)
    }

    /// Whether the lines right around a value speak of another service, and not, nearer, of Twilio.
    fn vendor_near(reader: &Reader<'_>, page: &Page<'_>, read: &Read) -> bool {
        let line = read.context.line;
        let first = read.context.paragraph.0.max(line.saturating_sub(10));
        for near in (first..=line).rev() {
            let comment = page.is_comment(near);
            let range = page.line_range(near);
            let is_statement = || {
                page.tokens[range.clone()]
                    .iter()
                    .any(|t| matches!(t.kind, TokenKind::Op(Op::Assign | Op::Colon)))
            };
            if near != line && !comment && (line - near > 6 || is_statement()) {
                continue;
            }
            let (from, to) = if near == line {
                // A long line is not about one thing.
                const REACH: usize = 160;
                let (tokens, at) = (&page.tokens[range.clone()], page.tokens[read.token].start);
                let from = tokens.partition_point(|token| token.start + REACH < at);
                let to = tokens.partition_point(|token| token.start <= at + REACH);
                (range.start + from, range.start + to)
            } else {
                (range.start, range.end.min(range.start + 40))
            };
            let (mut twilio, mut vendor) = (false, false);
            for token in from..to {
                // A longer word is a value, and no service's name.
                let span = &page.tokens[token];
                if page.kind(token) == TokenKind::Word && span.end - span.start <= 30 {
                    let name = reader.name(page.slice(token, token + 1));
                    twilio |= name.twilio;
                    vendor |= name.vendor.is_some() && !name.vendor_is_common;
                }
            }
            if twilio {
                return false;
            }
            if vendor {
                return true;
            }
        }
        false
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

/// Whether two values stand in one block: a common section at little depth, or one paragraph of plain lines.
fn same_block(read: &Read, other: &Read, lines: u64) -> bool {
    let (a, b) = (&read.context.levels, &other.context.levels);
    if a.is_empty() && b.is_empty() {
        return lines <= 12 && read.context.paragraph == other.context.paragraph;
    }
    let common = a.iter().take(2).any(|level| b.iter().take(3).any(|l| l.id == level.id));
    common && lines <= 40
}

/// Both halves of a Basic authentication's text.
fn basic(candidate: &Candidate, read: &Read, hits: &mut Vec<Hit>) {
    let (Some((shape, password)), Some(user)) = (&candidate.password, &candidate.decoded) else { return };
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

/// The candidate that stands right after a value, with only quotes and a separator between.
fn value_after(page: &Page<'_>, token: usize) -> Option<usize> {
    let mut separators = 0;
    for next in token + 1..page.tokens.len().min(token + 8) {
        match page.kind(next) {
            TokenKind::Value(value) => return Some(value),
            TokenKind::Quote | TokenKind::Line(_) => {}
            TokenKind::Op(Op::Comma) if separators == 0 => separators += 1,
            _ => return None,
        }
    }
    None
}

fn named_twilio(context: &Context) -> bool {
    context.names.iter().any(|named| named.name.twilio)
}

fn last_word(text: &str) -> Option<&str> {
    text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).find(|part| !part.is_empty())
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "value"
            | "key"
            | "name"
            | "default"
            | "string"
            | "String"
            | "is"
            | "the"
            | "to"
            | "and"
            | "id"
            | "data"
            | "type"
            | "text"
    ) || word.bytes().all(|b| b.is_ascii_digit())
}
