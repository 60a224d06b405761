//! Every word of the vocabulary counts wherever it stands: no search that leaves texts or values out before they are looked at may
//! know fewer words than the rest of the program.
#![allow(missing_docs, clippy::unwrap_used)]

use sidsweep::detect::Detector;
use sidsweep::model::{Confidence, Kind};
use sidsweep::rules::{Rules, Tag};

/// A token in a text that says nothing else of Twilio, far from the beginning, as in any file.
fn reported(detector: &Detector, name: &str, token: &str) -> bool {
    let filler = "the quick brown fox jumps over a lazy dog and counts to ten\n".repeat(8);
    let text = format!("{filler}\n{name}={token}\n\n{filler}");
    detector.detect(text.as_bytes(), "settings").iter().any(|hit| {
        hit.kind == Kind::AuthToken && hit.confidence >= Confidence::Medium && hit.value.expose() == token
    })
}

fn hex(random: &mut fastrand::Rng) -> String {
    (0..32).map(|_| char::from(b"0123456789abcdef"[random.usize(..16)])).collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

#[test]
fn every_brand_with_every_word_for_a_secret_is_found_however_the_two_are_joined() {
    let mut rules = Rules::built_in();
    rules.add("own.toml", "twilio_names = [\"notifyhub\", \"zap\"]").unwrap();
    let words = |tags: &[Tag]| -> Vec<String> {
        rules.words().filter(|(_, word)| word.is_any(tags)).map(|(word, _)| word.to_owned()).collect()
    };
    let brands = words(&[Tag::Brand]);
    let secrets = words(&[Tag::Token, Tag::Secret, Tag::Password, Tag::Auth, Tag::Credential]);
    assert!(brands.len() >= 11 && secrets.len() >= 60, "{} brands, {} words", brands.len(), secrets.len());
    let detector = Detector::new(rules.clone());
    let token = hex(&mut fastrand::Rng::with_seed(11));
    let mut missed = Vec::new();
    let mut tried = 0;
    for brand in &brands {
        for secret in &secrets {
            let mut names: Vec<String> =
                ["_", "-", ".", "__"].iter().map(|joint| format!("{brand}{joint}{secret}")).collect();
            names.push(format!("{}_{}", brand.to_uppercase(), secret.to_uppercase()));
            names.push(format!("{brand}{}", capitalized(secret)));
            names.push(format!("{}{}", capitalized(brand), capitalized(secret)));
            for name in names {
                tried += 1;
                if !reported(&detector, &name, &token) {
                    missed.push(name);
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} of {tried} missed: {:?}", missed.len(), &missed[..missed.len().min(60)]);
}

#[test]
fn a_type_beside_a_value_does_not_take_the_place_of_the_sections_name() {
    let detector = Detector::new(Rules::built_in());
    for keys in [
        &["Type: String", "Default: {}"][..],
        &["Type: String", "NoEcho: true", "Default: {}"],
        &["kind: String", "hidden: true", "value: {}"],
        &["Default: {}", "NoEcho: true", "Type: String"],
        &["Type: String", "Default: {}", "NoEcho: true"],
    ] {
        let mut random = fastrand::Rng::with_seed(7);
        let (sid, token) = (format!("AC{}", hex(&mut random)), hex(&mut random));
        let [sid, token] = [sid, token].map(|value| {
            keys.iter().map(|key| format!("    {}\n", key.replace("{}", &value))).collect::<String>()
        });
        let text = format!("Parameters:\n  TwilioSid:\n{sid}  TwilioToken:\n{token}");
        let hits = detector.detect(text.as_bytes(), "template.yaml");
        let token = hits.iter().find(|hit| hit.kind == Kind::AuthToken).expect(&text);
        assert!(token.confidence >= Confidence::Medium, "{:?}\n{text}", token.evidence);
    }
}
