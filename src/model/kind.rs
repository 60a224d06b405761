//! What a found value is.

use serde::{Deserialize, Serialize};

/// The kinds of value that are looked for. The first four are the core; the rest are Twilio's other secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `AC` and 32 hex digits: a user name, not a secret.
    AccountSid,
    /// 32 lower-case hex digits: everything the account can do.
    AuthToken,
    /// `SK` and 32 hex digits: a user name, not a secret.
    ApiKeySid,
    /// 32 letters and digits: the secret of an API key.
    ApiKeySecret,
    /// A JWT signed by an API key (`cty: twilio-fpa`), good for at most 24 hours.
    AccessTokenJwt,
    /// `OQ` and 32 letters and digits: the public half of an OAuth app.
    OauthClientId,
    /// The secret half of an OAuth app.
    OauthClientSecret,
    /// `webhooks_sharedkey_` and letters and digits: the id of a key that signs webhooks.
    WebhookSharedKeyId,
    /// `SG.` and two parts: a key of Twilio `SendGrid`.
    SendgridApiKey,
    /// `sgp_` and 64 letters and digits: a public API token of Twilio Segment.
    SegmentApiToken,
    /// 32 letters and digits, sent as `X-Authy-API-Key`.
    AuthyApiKey,
}

impl Kind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::AccountSid,
        Self::AuthToken,
        Self::ApiKeySid,
        Self::ApiKeySecret,
        Self::AccessTokenJwt,
        Self::OauthClientId,
        Self::OauthClientSecret,
        Self::WebhookSharedKeyId,
        Self::SendgridApiKey,
        Self::SegmentApiToken,
        Self::AuthyApiKey,
    ];

    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountSid => "account_sid",
            Self::AuthToken => "auth_token",
            Self::ApiKeySid => "api_key_sid",
            Self::ApiKeySecret => "api_key_secret",
            Self::AccessTokenJwt => "access_token_jwt",
            Self::OauthClientId => "oauth_client_id",
            Self::OauthClientSecret => "oauth_client_secret",
            Self::WebhookSharedKeyId => "webhook_shared_key_id",
            Self::SendgridApiKey => "sendgrid_api_key",
            Self::SegmentApiToken => "segment_api_token",
            Self::AuthyApiKey => "authy_api_key",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::AccountSid => "Account SID",
            Self::AuthToken => "Auth Token",
            Self::ApiKeySid => "API key SID",
            Self::ApiKeySecret => "API key secret",
            Self::AccessTokenJwt => "Access Token (JWT)",
            Self::OauthClientId => "OAuth client id",
            Self::OauthClientSecret => "OAuth client secret",
            Self::WebhookSharedKeyId => "webhook SharedKey id",
            Self::SendgridApiKey => "SendGrid API key",
            Self::SegmentApiToken => "Segment API token",
            Self::AuthyApiKey => "Authy API key",
        }
    }

    /// Whether holding the value alone is of use to somebody who should not have it. Identifiers are not: they
    /// are listed, and by default they do not fail a command.
    #[must_use]
    pub fn is_secret(self) -> bool {
        !matches!(self, Self::AccountSid | Self::ApiKeySid | Self::OauthClientId | Self::WebhookSharedKeyId)
    }
}
