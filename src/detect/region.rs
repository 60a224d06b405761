//! Which region the code around a credential speaks of: Twilio keeps tokens and keys apart by region, and nothing in a
//! value tells which. A hint costs one more question and decides nothing by itself.

use memchr::memmem;

use super::hit::Hit;
use crate::model::Region;

/// How far from a value a region's name still speaks for it, in bytes.
const NEAR: usize = 4096;

/// Notes the regions that are named near each secret, nearest first.
pub fn mark(hits: &mut [Hit], text: &[u8]) {
    if !hits.iter().any(|hit| hit.kind.is_secret()) {
        return;
    }
    let mut named: Vec<(usize, Region)> = Vec::new();
    for region in Region::ALL.into_iter().skip(1) {
        named.extend(places(text, region.as_str()).map(|at| (at, region)));
        // An edge's name alone is a city's; after the word edge it is meant.
        named.extend(places(text, region.edge()).filter(|&at| follows_edge(text, at)).map(|at| (at, region)));
    }
    if named.is_empty() {
        return;
    }
    for hit in hits.iter_mut().filter(|hit| hit.kind.is_secret()) {
        let mut near: Vec<(usize, Region)> = named
            .iter()
            .map(|&(at, region)| (at.abs_diff(hit.span.start), region))
            .filter(|&(distance, _)| distance <= NEAR)
            .collect();
        near.sort_unstable();
        for (_, region) in near {
            if !hit.regions.contains(&region) {
                hit.regions.push(region);
            }
        }
    }
}

/// Where a name stands as a word of its own, in either case.
fn places<'a>(text: &'a [u8], name: &'a str) -> impl Iterator<Item = usize> + 'a {
    [name.to_owned(), name.to_uppercase()].into_iter().flat_map(move |spelling| {
        let length = spelling.len();
        memmem::find_iter(text, spelling.as_bytes())
            .filter(move |&at| {
                let is_word = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
                !is_word(at.checked_sub(1).and_then(|before| text.get(before)))
                    && !is_word(text.get(at + length))
            })
            .collect::<Vec<_>>()
    })
}

fn follows_edge(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(24)..at];
    before.windows(4).any(|word| word.eq_ignore_ascii_case(b"edge"))
}

#[cfg(test)]
mod tests {
    use super::{follows_edge, places};

    #[test]
    fn a_region_is_a_word_and_an_edge_is_named_one() {
        let text = b"TWILIO_AUTH_TOKEN_IE1=x api.dublin.ie1.twilio.com pie1 ie12";
        assert_eq!(places(text, "ie1").count(), 2);
        let text = b"office in dublin; TWILIO_EDGE=dublin";
        let edges: Vec<usize> = places(text, "dublin").filter(|&at| follows_edge(text, at)).collect();
        assert_eq!(edges, [30]);
    }
}
