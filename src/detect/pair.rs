//! Which secret belongs to which SID. Every possible tie is weighed by what a reader would go by (one call, one
//! block, one stem in the names, nearness), and the assignment with the greatest total weight is taken, so that
//! three accounts and three tokens make three pairs and not nine.

use std::collections::HashMap;

use super::hit::{Hit, Place};
use crate::model::{Confidence, Kind};

/// Below this a tie is no tie.
const WEAKEST: i32 = 25;
/// Two ties that differ by no more than this are equally good.
const DOUBT: i32 = 3;
/// How many SIDs on each side of a secret are weighed.
const NEIGHBOURS: usize = 48;

/// A secret and its SID, or a key and its account.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The SID, by its value.
    pub sid: String,
    /// What belongs to it: index of the distinct value's first hit.
    pub of: usize,
    /// How strong the tie is.
    pub weight: i32,
    /// What ties them, in words.
    pub evidence: &'static str,
    /// Other SIDs that are as likely, best first, with what ties them.
    pub rivals: Vec<(String, &'static str)>,
}

/// The pairs of one text, and what they make of its hits.
#[derive(Debug, Default)]
pub struct Pairs {
    /// Auth Tokens with their Account SIDs.
    pub tokens: Vec<Pair>,
    /// Key secrets with their key SIDs.
    pub secrets: Vec<Pair>,
    /// Key SIDs with their Account SIDs.
    pub keys: Vec<Pair>,
    /// OAuth secrets with their client ids.
    pub oauth: Vec<Pair>,
}

/// Pairs the hits of one text, and lowers those that leaned on a SID which has a better partner.
pub fn pair(hits: &mut [Hit]) -> Pairs {
    let tokens = assign(hits, Kind::AuthToken, Kind::AccountSid, true);
    let secrets = assign(hits, Kind::ApiKeySecret, Kind::ApiKeySid, true);
    displace(hits, &tokens);
    displace(hits, &secrets);
    let keys = assign(hits, Kind::ApiKeySid, Kind::AccountSid, false);
    let oauth = assign(hits, Kind::OauthClientSecret, Kind::OauthClientId, true);
    Pairs { tokens, secrets, keys, oauth }
}

/// A value that counts only because of a SID nearby is displaced by a better partner of that SID.
fn displace(hits: &mut [Hit], pairs: &[Pair]) {
    let mut best: HashMap<&str, f32> = HashMap::new();
    for pair in pairs {
        let odds = best.entry(&pair.sid).or_insert(f32::MIN);
        *odds = odds.max(hits[pair.of].place.odds);
    }
    for pair in pairs {
        let hit = &hits[pair.of];
        if hit.place.leans_on_sid && best.get(pair.sid.as_str()).is_some_and(|&odds| odds > hit.place.odds) {
            let value = hit.value.clone();
            for hit in hits.iter_mut().filter(|hit| hit.value == value && hit.place.leans_on_sid) {
                hit.confidence = Confidence::Low;
            }
        }
    }
}

/// The distinct values of a kind, each with its hits in order.
fn distinct(hits: &[Hit], kind: Kind) -> Vec<Vec<usize>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut values: Vec<Vec<usize>> = Vec::new();
    for (index, hit) in hits.iter().enumerate().filter(|(_, hit)| hit.kind == kind) {
        let place = *places.entry(hit.value.expose()).or_insert_with(|| {
            values.push(Vec::new());
            values.len() - 1
        });
        values[place].push(index);
    }
    values
}

fn assign(hits: &[Hit], kind: Kind, sid_kind: Kind, exclusive: bool) -> Vec<Pair> {
    let sids = distinct(hits, sid_kind);
    let others = distinct(hits, kind);
    if sids.is_empty() || others.is_empty() {
        return Vec::new();
    }
    let ties = ties(hits, &sids, &others);
    let chosen = if exclusive {
        matching(&ties, sids.len(), |other| hits[others[other][0]].place.odds)
    } else {
        ties.iter().map(|list| list.first().map(|_| 0)).collect()
    };
    let mut taken: HashMap<usize, i32> = HashMap::new();
    for (list, choice) in ties.iter().zip(&chosen) {
        if let Some(choice) = choice {
            let (sid, weight, _) = list[*choice];
            let entry = taken.entry(sid).or_insert(weight);
            *entry = (*entry).max(weight);
        }
    }
    ties.iter()
        .zip(&chosen)
        .zip(&others)
        .filter_map(|((list, choice), places)| {
            let (sid, weight, evidence) = list[(*choice)?];
            let rivals = list
                .iter()
                .filter(|&&(rival, rival_weight, _)| {
                    rival != sid
                        && rival_weight + DOUBT >= weight
                        && !(exclusive && taken.get(&rival).is_some_and(|&other| other >= rival_weight))
                })
                .map(|&(rival, _, evidence)| (hits[sids[rival][0]].value.expose().to_owned(), evidence))
                .collect();
            Some(Pair {
                sid: hits[sids[sid][0]].value.expose().to_owned(),
                of: places[0],
                weight,
                evidence,
                rivals,
            })
        })
        .collect()
}

/// How strongly each value is tied to each SID near it, the strongest first.
fn ties(hits: &[Hit], sids: &[Vec<usize>], others: &[Vec<usize>]) -> Vec<Vec<(usize, i32, &'static str)>> {
    // Every occurrence of a SID in order, to look at the nearest ones only.
    let mut occurrences: Vec<(u64, usize, usize)> = sids
        .iter()
        .enumerate()
        .flat_map(|(sid, places)| places.iter().map(move |&place| (sid, place)))
        .map(|(sid, place)| (hits[place].line, place, sid))
        .collect();
    occurrences.sort_unstable();
    others
        .iter()
        .map(|places| {
            let mut best: HashMap<usize, (i32, &'static str)> = HashMap::new();
            for &place in places.iter().take(NEIGHBOURS) {
                let at = occurrences
                    .partition_point(|&(line, other, _)| (line, other) < (hits[place].line, place));
                for &(_, occurrence, sid) in
                    &occurrences[at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS).min(occurrences.len())]
                {
                    let (weight, evidence) = weigh(&hits[occurrence], &hits[place], sids.len());
                    let entry = best.entry(sid).or_insert((weight, evidence));
                    if weight > entry.0 {
                        *entry = (weight, evidence);
                    }
                }
            }
            let mut list: Vec<_> =
                best.into_iter().map(|(sid, (weight, evidence))| (sid, weight, evidence)).collect();
            list.retain(|&(_, weight, _)| weight >= WEAKEST);
            list.sort_by_key(|&(sid, weight, _)| (std::cmp::Reverse(weight), sid));
            list
        })
        .collect()
}

/// For each value the index of the tie chosen: greedy by weight, one SID a value, mended by exchanging partners
/// while that raises the total; what is left over joins its best SID.
fn matching(
    ties: &[Vec<(usize, i32, &'static str)>],
    sids: usize,
    odds: impl Fn(usize) -> f32,
) -> Vec<Option<usize>> {
    let mut edges: Vec<(i32, f32, usize, usize)> = ties
        .iter()
        .enumerate()
        .flat_map(|(other, list)| {
            list.iter().enumerate().map(move |(tie, &(_, weight, _))| (weight, other, tie))
        })
        .map(|(weight, other, tie)| (weight, odds(other), other, tie))
        .collect();
    edges.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then((a.2, a.3).cmp(&(b.2, b.3))));
    let mut chosen: Vec<Option<usize>> = vec![None; ties.len()];
    let mut free = vec![true; sids];
    for (_, _, other, tie) in edges {
        let sid = ties[other][tie].0;
        if chosen[other].is_none() && free[sid] {
            chosen[other] = Some(tie);
            free[sid] = false;
        }
    }
    if ties.len() <= 400 {
        exchange(ties, &mut chosen);
    }
    for (other, list) in ties.iter().enumerate() {
        if chosen[other].is_none() && !list.is_empty() {
            chosen[other] = Some(0);
        }
    }
    chosen
}

fn exchange(ties: &[Vec<(usize, i32, &'static str)>], chosen: &mut [Option<usize>]) {
    let weight = |other: usize, tie: Option<usize>| tie.map_or(0, |tie| ties[other][tie].1);
    let tie_to = |other: usize, sid: usize| ties[other].iter().position(|&(s, _, _)| s == sid);
    for _ in 0..8 {
        let mut changed = false;
        for a in 0..ties.len() {
            for b in a + 1..ties.len() {
                let (Some(tie_a), Some(tie_b)) = (chosen[a], chosen[b]) else { continue };
                let swapped = (tie_to(a, ties[b][tie_b].0), tie_to(b, ties[a][tie_a].0));
                if let (Some(new_a), Some(new_b)) = swapped
                    && weight(a, Some(new_a)) + weight(b, Some(new_b))
                        > weight(a, chosen[a]) + weight(b, chosen[b])
                {
                    (chosen[a], chosen[b]) = (Some(new_a), Some(new_b));
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
}

/// How strongly a value is tied to a SID, and by what.
fn weigh(sid: &Hit, other: &Hit, sids: usize) -> (i32, &'static str) {
    let (a, b) = (&sid.place, &other.place);
    if b.after == Some(sid.span.start) && b.list.map(|l| l.0) == a.list.map(|l| l.0)
        || b.used_after == Some(sid.span.start)
    {
        return (130, "stands right after it");
    }
    if a.is_alternate && b.is_alternate && sid.line.abs_diff(other.line) <= 2 {
        return (126, "in the comments of one block");
    }
    if a.list.is_some() && a.list.map(|l| l.0) == b.list.map(|l| l.0) && used_together(a, b) {
        return (125, "in one call");
    }
    if a.uses.iter().any(|(list, _)| b.uses.iter().any(|(l, _)| l == list)) {
        return (115, "used in one call");
    }
    let lines = sid.line.abs_diff(other.line) as i32;
    let mut weight = if b.after == Some(sid.span.start) { 60 } else { 0 };
    let mut evidence = "the nearest one in the file";
    match common_depth(a, b) {
        Some(0) => {
            weight += 70;
            evidence = "in one block";
        }
        Some(depth) => {
            weight += (62 - 8 * depth as i32).max(20);
            evidence = "in one block";
        }
        None if a.levels.is_empty() && b.levels.is_empty() => weight += 40,
        None => weight += 22,
    }
    if let (Some((list_a, place_a)), Some((list_b, place_b))) = (a.list, b.list)
        && list_a != list_b
        && place_a == place_b
        && sids > 1
        && common_depth(a, b).is_none_or(|depth| depth > 0)
    {
        weight += 20;
        evidence = "at the same place in its list";
    }
    weight += match (a.stem.is_empty(), b.stem.is_empty()) {
        (false, false) if same_words(&a.stem, &b.stem) => {
            evidence = "names of one stem";
            45
        }
        (false, false) => -50,
        (true, true) => 5,
        _ => -12,
    };
    weight += (25 - 2 * lines).max(0) - (lines / 25).min(10);
    if lines == 0 {
        weight += 10;
    }
    if (sid.line, sid.column) < (other.line, other.column) {
        weight += 2;
    }
    (weight, evidence)
}

fn used_together(a: &Place, b: &Place) -> bool {
    match (a.list, b.list) {
        (Some((_, x)), Some((_, y))) => x.abs_diff(y) <= 2,
        _ => false,
    }
}

/// How many sections have to be left to come to one that holds both.
fn common_depth(a: &Place, b: &Place) -> Option<usize> {
    a.levels
        .iter()
        .enumerate()
        .filter_map(|(x, level)| b.levels.iter().position(|l| l == level).map(|y| x + y))
        .min()
}

fn same_words(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().all(|word| b.contains(word))
}
