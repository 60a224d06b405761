//! Every rule's own examples, filled anew, are found by that rule.
#![allow(missing_docs)]

mod common;

use common::fixture::Mint;
use sidsweep::detect::Detector;
use sidsweep::model::Confidence;
use sidsweep::rules::Rules;

#[test]
fn every_example_of_every_rule_is_found() {
    let detector = Detector::new(Rules::built_in());
    for seed in 1..50 {
        for rule in detector.rules().all() {
            for example in rule.examples {
                let (text, _) = Mint::new(seed).fill(example);
                let hits = detector.detect(text.as_bytes(), "example.txt");
                assert!(
                    hits.iter().any(|hit| hit.kind == rule.kind && hit.confidence >= Confidence::Medium),
                    "{}: {example}: {:?}",
                    rule.id,
                    hits.iter().map(|hit| (hit.kind, hit.confidence)).collect::<Vec<_>>()
                );
            }
        }
    }
}

#[test]
fn an_access_token_says_whose_it_is_and_when_it_ends() {
    let mut mint = Mint::new(1);
    let (text, _) = mint.fill("localStorage.token = '{{jwt:1}}'");
    let hits = Detector::new(Rules::built_in()).detect(text.as_bytes(), "a.js");
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].names, Some((Some(mint.value("ac", "1")), mint.value("sk", "1"))));
    assert_eq!(hits[0].expires, Some(1_700_003_600));
}
