//! The table of meanings, cell by cell: HTTP status x Twilio's code x product x region x kind of credential. What is expected is
//! written by hand from twilio.md, section 12, and not from the code: dead is 401 with 20003, and only so.

use sidsweep::model::Region;
use sidsweep::twilio::Product;
use sidsweep::twilio::meaning::{Answered, Holder, Meaning, Why, meaning};

const STATUSES: [u16; 18] =
    [200, 201, 204, 301, 307, 400, 401, 402, 403, 404, 405, 407, 409, 422, 429, 500, 502, 503];
const CODES: [u32; 21] = [
    10001, 20001, 20003, 20004, 20005, 20006, 20007, 20008, 20403, 20404, 20429, 20500, 20503, 21476, 21479,
    70001, 70002, 70051, 70052, 70151, 90010,
];

/// Everything that a cell is about.
fn cells() -> Vec<Answered> {
    let mut cells = Vec::new();
    for status in STATUSES {
        for code in CODES.map(Some).into_iter().chain([None]) {
            for product in Product::ALL {
                for region in Region::ALL {
                    for holder in [Holder::Token, Holder::Key] {
                        for (permission, stripped) in [(false, false), (true, false), (false, true)] {
                            cells.push(Answered {
                                status,
                                code,
                                product,
                                region,
                                holder,
                                permission,
                                stripped,
                            });
                        }
                    }
                }
            }
        }
    }
    cells
}

/// What a cell means, as somebody who reads section 12 says it.
fn expected(cell: &Answered) -> &'static str {
    let classic_or_us1 = cell.product == Product::Api || cell.region == Region::Us1;
    match (cell.status, cell.code) {
        (200..=299, _) => "accepted",
        (429, _) => "busy",
        (400..=499, Some(20429)) => "busy",
        // The message says that no credentials came: something took them out on the way.
        (400..=499, Some(20003)) if cell.stripped => "stripped",
        (401, Some(20003)) if classic_or_us1 => "refused",
        (401, Some(20003)) => "not of the region",
        (400..=499, Some(20003)) => "contradiction",
        (400..=499, Some(70052)) => "signed only",
        (400..=499, Some(70051)) if cell.permission && cell.holder == Holder::Key => "limited",
        (403, Some(20008)) if cell.holder == Holder::Token => "test",
        (403, Some(20403)) => "inactive",
        (400..=499, Some(10001 | 20005 | 90010)) => "inactive",
        _ => "other",
    }
}

fn named(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Accepted => "accepted",
        Meaning::Limited => "limited",
        Meaning::Test => "test",
        Meaning::Refused => "refused",
        Meaning::Inactive => "inactive",
        Meaning::Unclear(Why::SignedOnly) => "signed only",
        Meaning::Unclear(Why::Stripped) => "stripped",
        Meaning::Unclear(Why::Busy) => "busy",
        Meaning::Unclear(Why::Contradiction) => "contradiction",
        Meaning::Unclear(Why::NotOfRegion) => "not of the region",
        Meaning::Unclear(Why::Other) => "other",
    }
}

#[test]
fn every_cell_means_what_section_12_says() {
    let cells = cells();
    assert!(cells.len() > 50_000, "{}", cells.len());
    for cell in &cells {
        assert_eq!(named(meaning(cell)), expected(cell), "{cell:?}");
    }
}

#[test]
fn only_401_with_20003_is_a_refusal_and_outside_of_us1_only_of_the_classic_api() {
    let refusals: Vec<Answered> =
        cells().into_iter().filter(|cell| meaning(cell) == Meaning::Refused).collect();
    assert!(!refusals.is_empty());
    for cell in refusals {
        assert_eq!((cell.status, cell.code), (401, Some(20003)), "{cell:?}");
        assert!(cell.region == Region::Us1 || cell.product == Product::Api, "{cell:?}");
        assert!(!cell.stripped, "{cell:?}");
    }
}

#[test]
fn further_regions_are_rows_with_hosts_of_their_own() {
    for region in Region::ALL {
        let host = Product::Api.host(region);
        assert!(host.starts_with("api.") && host.ends_with(".twilio.com"), "{host}");
        assert_eq!(region.as_str().parse::<Region>(), Ok(region));
    }
    let japan: Region = "jp1".parse().expect("a row");
    assert_eq!(Product::Api.host(japan), "api.tokyo.jp1.twilio.com");
    let named = "xx1".parse::<Region>().expect_err("no row");
    for region in Region::ALL {
        assert!(named.contains(region.as_str()), "{named}");
    }
}
