//! Which hosts are ever asked.

use crate::model::Region;

/// A product of Twilio's with a host of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// The classic API: accounts, keys, numbers, usage.
    Api,
    /// Verify: the one list that needs no account in its path.
    Verify,
    /// Keys with their policies.
    Iam,
    /// Auth Tokens.
    Accounts,
    /// Recorded changes.
    Monitor,
    /// A setting whose answer names the account.
    Insights,
    /// Access tokens of OAuth apps.
    Oauth,
    /// Who signs webhooks.
    Webhooks,
    /// Where may be called.
    Voice,
    /// Users of an organization.
    PreviewIam,
}

impl Product {
    /// Its name in hosts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Verify => "verify",
            Self::Iam => "iam",
            Self::Accounts => "accounts",
            Self::Monitor => "monitor",
            Self::Insights => "insights",
            Self::Oauth => "oauth",
            Self::Webhooks => "webhooks",
            Self::Voice => "voice",
            Self::PreviewIam => "preview-iam",
        }
    }

    /// Its host in a region: the whole list of hosts that are ever asked.
    #[must_use]
    pub fn host(self, region: Region) -> String {
        match region {
            Region::Us1 => format!("{}.twilio.com", self.name()),
            _ => format!("{}.{}.{region}.twilio.com", self.name(), region.edge()),
        }
    }

    /// Whether a refusal of this product says anything in a region: outside of us1 only the classic API is on Twilio's
    /// list of products, and what another host answers there is nobody's word.
    #[must_use]
    pub fn counts(self, region: Region) -> bool {
        region == Region::Us1 || self == Self::Api
    }

    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Api,
        Self::Verify,
        Self::Iam,
        Self::Accounts,
        Self::Monitor,
        Self::Insights,
        Self::Oauth,
        Self::Webhooks,
        Self::Voice,
        Self::PreviewIam,
    ];
}

#[cfg(test)]
mod tests {
    use super::Product;
    use crate::model::Region;

    #[test]
    fn every_host_is_twilios() {
        for product in Product::ALL {
            for region in Region::ALL {
                assert!(product.host(region).ends_with(".twilio.com"));
            }
        }
        assert_eq!(Product::Api.host(Region::Au1), "api.sydney.au1.twilio.com");
    }
}
