//! How a key secret's characters look: mixed as a generator mixes them, or put together from words as a program's identifiers are.

use crate::rules::Observation;

/// How much likelier each change from one class of characters to the next is in 32 random letters and digits than in an
/// identifier, as a logarithm: from lower case, upper case or a digit (rows) to the same (columns). A generator takes lower and
/// upper case 26 times of 62 each and a digit 10 times. What identifiers do is set by hand: after a lower-case letter, 85 of 100
/// times another, 13 times a word begins, twice a digit comes, and so on.
const STEPS: [[f32; 3]; 3] = [[-0.71, 1.17, 2.08], [-0.61, 0.69, 2.08], [0.74, 0.69, -1.13]];

/// From here on the characters are as mixed as 86 of 100 random secrets are.
const MIXED: f32 = 8.0;
/// Below this they are less mixed than 99 of 100.
const UNEVEN: f32 = 1.0;
/// Below this they are put together from words: one random secret in 10,000 is so.
const WORDS: f32 = -6.0;

/// What the look of 32 letters and digits says against their being generated.
pub(super) fn observe(value: &[u8]) -> Option<Observation> {
    let upper = value.iter().any(u8::is_ascii_uppercase);
    let lower = value.iter().any(u8::is_ascii_lowercase);
    if !(upper && lower) {
        return Some(Observation::LookOneCase);
    }
    let mixed = mixture(value);
    if mixed >= MIXED {
        None
    } else if mixed >= UNEVEN {
        Some(Observation::LookMixed)
    } else if mixed >= WORDS {
        Some(Observation::LookUneven)
    } else {
        Some(Observation::LookWords)
    }
}

/// How much likelier these characters are from a generator than from a programmer, as a logarithm.
fn mixture(value: &[u8]) -> f32 {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    };
    value.windows(2).map(|pair| STEPS[class(pair[0])][class(pair[1])]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_look_like_words_and_random_secrets_hardly_ever_do() {
        for name in [
            "TwilioVideoAPIAccessTokenManager",
            "AbstractTwilioMessageFactoryBean",
            "getAuthenticationTokenFromHeader",
            "isTwilioWebhookSignatureVerified",
        ] {
            assert_eq!(observe(name.as_bytes()), Some(Observation::LookWords), "{name}");
        }
        let mut random = fastrand::Rng::with_seed(5);
        let words = (0..100_000)
            .filter(|_| {
                let secret: Vec<u8> = (0..32).map(|_| random.alphanumeric() as u8).collect();
                observe(&secret) == Some(Observation::LookWords)
            })
            .count();
        assert!(words < 200, "{words} of 100,000");
    }
}
