//! Where the variables that values are assigned to are used.

use std::collections::{HashMap, HashSet};

use super::around::is_named_brand;
use super::examination::{Examination, Read};
use crate::detect::classify::Passed;
use crate::detect::context::{Context, Reader};
use crate::detect::lex::{Op, TokenKind};
use crate::detect::page::Page;
use crate::rules::Tag;

/// How many uses of one variable are looked at.
const MOST_USES: usize = 12;

impl Examination<'_> {
    /// Whether an identifier is so common that its other places say nothing.
    fn is_everyday(&self, ident: &str) -> bool {
        // `KEY` is a constant, `key` may be anything.
        let is_constant = ident.len() > 2 && ident.bytes().all(|byte| byte.is_ascii_uppercase());
        (!is_constant && self.rules.word(&ident.to_lowercase()).is_any(&[Tag::Everyday, Tag::Keyword]))
            || ident.bytes().all(|b| b.is_ascii_digit())
    }

    /// The identifier that a value is assigned to, if its other places can say something of the value.
    pub(super) fn variable(&self, read: &Read) -> Option<String> {
        let ident = read.context.ident.clone().filter(|_| !read.context.is_alternate);
        ident.filter(|ident| !self.is_everyday(ident))
    }

    /// Finds where the variables that values are assigned to are used.
    pub(super) fn follow_uses(&self, page: &Page<'_>, reader: &Reader<'_>, reads: &mut [Read]) {
        let mut owners: HashMap<&str, Vec<usize>> = HashMap::new();
        let idents: Vec<Option<String>> = reads.iter().map(|read| self.variable(read)).collect();
        for (index, ident) in idents.iter().enumerate() {
            if let Some(ident) = ident.as_deref() {
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
            if self.shape(&reads[owner]).is_sid() && takes_pair(&context) {
                reads[owner]
                    .partners
                    .extend(page.parent(token).and_then(|opener| passed_behind(page, token, opener)));
            }
            if let Some(list) = context.list {
                reads[owner].calls.push((list, context.position));
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
            let brand = context.names.iter().any(|named| named.name.brand)
                || context.levels.iter().any(|level| level.head.brand);
            let vendor = context.names.iter().any(|named| named.name.vendor && !named.name.brand);
            let named = is_named_brand(&reads[owner]);
            let passed = Passed::of(&context);
            let used = &mut reads[owner].used;
            used.passed.behind_sid |= passed.behind_sid;
            used.passed.client |= passed.client;
            used.passed.argument |= passed.argument;
            used.passed.basic |= passed.basic;
            used.brand |= brand;
            used.vendor |= vendor && !brand && !named;
            used.names.extend(context.names);
        }
        self.behind_variables(reads, &owners);
    }

    /// What is passed right behind the SIDs that stand in a call, or behind a SID and a colon: `AC…:${TWILIO_TOKEN}`.
    pub(super) fn find_partners(&self, page: &Page<'_>, reads: &mut [Read]) {
        for read in reads.iter_mut().filter(|read| self.shape(read).is_sid()) {
            let opener = page.parent(read.token).filter(|_| takes_pair(&read.context));
            let partner = opener
                .and_then(|opener| passed_behind(page, read.token, opener))
                .or_else(|| interpolated_behind(page, read.token));
            read.partners.extend(partner);
        }
    }

    /// Values that stand right behind the variable of a SID: `Client(ACCOUNT, "…")`.
    fn behind_variables(&self, reads: &mut [Read], owners: &HashMap<&str, Vec<usize>>) {
        for at in 0..reads.len() {
            let previous = reads[at].context.previous.as_ref().filter(|_| reads[at].used_after.is_none());
            let owner = previous
                .and_then(|name| last_word(&name.text))
                .and_then(|word| owners.get(word))
                .map(|values| &reads[values[0]]);
            let sid = owner.filter(|owner| self.shape(owner).is_sid()).map(|owner| owner.candidate);
            if sid.is_some() {
                reads[at].used_after = sid;
            }
        }
    }
}

/// Whether a call takes a SID and then its secret.
fn takes_pair(context: &Context) -> bool {
    context
        .callee
        .as_ref()
        .is_some_and(|callee| !callee.vendor && (callee.brand || callee.speaks_of(Tag::Client)))
}

/// The last word of the variable or look-up that is passed behind the token at `at` in a call's brackets:
/// `twilio("AC…", process.env.TOKEN)`. A literal value is none.
fn passed_behind(page: &Page<'_>, at: usize, opener: usize) -> Option<String> {
    const REACH: usize = 24;
    let is_space = |t: usize| matches!(page.kind(t), TokenKind::Quote | TokenKind::Line(_));
    let comma = (at + 1..page.tokens.len()).find(|&t| !is_space(t))?;
    if !page.is(comma, Op::Comma) || page.parent(comma) != Some(opener) {
        return None;
    }
    let ends = |t: &usize| {
        page.partner(opener) == Some(*t) || (page.is(*t, Op::Comma) && page.parent(*t) == Some(opener))
    };
    let end = (comma + 1..page.tokens.len().min(comma + REACH)).find(ends)?;
    let first = (comma + 1..end).find(|&t| !matches!(page.kind(t), TokenKind::Line(_)))?;
    if page.kind(first) != TokenKind::Word || page.holds_value(comma, end) {
        return None;
    }
    let last = (first..end).rev().find(|&t| page.kind(t) == TokenKind::Word)?;
    Some(page.slice(last, last + 1).trim_start_matches('$').to_owned())
}

/// The word of what is filled in behind a SID and a colon: `twilio://AC…:${TOKEN}@default`, `-u AC…:$TOKEN`, `%env(TOKEN)%`.
fn interpolated_behind(page: &Page<'_>, at: usize) -> Option<String> {
    const REACH: usize = 8;
    let end = page.tokens[at].end;
    let rest = page.text.get(end..)?.strip_prefix(b":")?;
    if !matches!(rest.first(), Some(b'$' | b'%' | b'{' | b'#' | b'<')) {
        return None;
    }
    let words = (at + 1..page.tokens.len().min(at + REACH))
        .take_while(|&t| !matches!(page.kind(t), TokenKind::Value(_) | TokenKind::Line(_)))
        .filter(|&t| page.kind(t) == TokenKind::Word);
    let word = |t: usize| page.slice(t, t + 1).trim_start_matches('$').to_owned();
    // `%env(TOKEN)%`: the longest is the name.
    words.map(word).max_by_key(String::len)
}

fn last_word(text: &str) -> Option<&str> {
    text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).find(|part| !part.is_empty())
}
