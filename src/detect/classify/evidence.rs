//! What was observed of one value, and what it adds up to.

use crate::rules::{BASE, Observation};

/// How much all hints together may weigh against a value that is Twilio's by its name or place.
const MOST_HINTS: f32 = -2.5;

/// A lighter observation is one among several of its kind, and tells a reader nothing that the heavier ones do not.
const FAINT: f32 = 1.0;

/// Observations of one value, each once, some with the words that were seen.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    observed: Vec<(Observation, Option<String>)>,
}

impl Evidence {
    /// Notes an observation.
    pub fn add(&mut self, observation: Observation) {
        if !self.has(observation) {
            self.observed.push((observation, None));
        }
    }

    /// Notes an observation with what a report says of it: the name that was seen.
    pub fn add_seen(&mut self, observation: Observation, seen: String) {
        if !self.has(observation) {
            self.observed.push((observation, Some(seen)));
        }
    }

    /// Whether this was observed.
    #[must_use]
    pub fn has(&self, observation: Observation) -> bool {
        self.observed.iter().any(|(other, _)| *other == observation)
    }

    /// All that was observed.
    pub fn observations(&self) -> impl Iterator<Item = Observation> {
        self.observed.iter().map(|(observation, _)| *observation)
    }

    /// The log-odds that the value is a credential of Twilio's.
    #[must_use]
    pub fn odds(&self) -> f32 {
        let weigh = |hint: bool| {
            self.observations().filter(|o| o.is_hint() == hint).map(Observation::weight).sum::<f32>()
        };
        let hints = weigh(true);
        BASE + weigh(false) + if self.leaves_no_doubt() { hints.max(MOST_HINTS) } else { hints }
    }

    /// Whether the value is Twilio's secret by its own name, or stands where Twilio's secret does. What comments, other uses and the
    /// look of the characters say against it is then bounded, however many of them there are.
    fn leaves_no_doubt(&self) -> bool {
        let is_named = self.has(Observation::BrandInName)
            && (self.has(Observation::RoleExact) || self.has(Observation::RolePlain));
        is_named || self.observations().any(Observation::is_close)
    }

    /// The log-odds without what SIDs nearby add.
    #[must_use]
    pub fn odds_without_sids(&self) -> f32 {
        self.observations()
            .filter(|observation| !observation.is_of_sid())
            .fold(BASE, |sum, observation| sum + observation.weight())
    }

    /// What a report says of it: what speaks for it, the weightiest first. What weighs little is said only where nothing weighs more.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let mut said: Vec<&(Observation, Option<String>)> = self
            .observed
            .iter()
            .filter(|(observation, seen)| {
                observation.weight() > 0.0 && (seen.is_some() || !observation.says().is_empty())
            })
            .collect();
        said.sort_by(|(a, _), (b, _)| b.weight().total_cmp(&a.weight()));
        let heavy = said.partition_point(|(observation, _)| observation.weight() >= FAINT);
        if heavy > 0 {
            said.truncate(heavy);
        }
        let mut reasons: Vec<String> = Vec::new();
        for (observation, seen) in said {
            let reason = seen.clone().unwrap_or_else(|| observation.says().to_owned());
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }
}
