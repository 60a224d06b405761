//! What each word of the vocabulary says about the value that it names.

/// One thing that a word says; `rules/words.toml` explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "rules/words.toml, which a reader has open beside this, explains each")]
pub enum Tag {
    Brand,
    Vendor,
    CommonVendor,
    Token,
    Secret,
    Password,
    Auth,
    Credential,
    Validator,
    Key,
    Scheme,
    Account,
    Api,
    Sid,
    User,
    Hash,
    Identifier,
    Thing,
    Purpose,
    Neutral,
    Role,
    ValueHolder,
    NameHolder,
    Wrapper,
    Keyword,
    Everyday,
    Glue,
    Client,
    OauthClient,
    Authy,
    Cookie,
    FileEnding,
    Code,
    BasicAuth,
    UserOption,
    Collection,
    Meta,
    LabelKey,
    HashFile,
    Part,
}

/// All that a word says, as a set of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Word(u64);

impl Word {
    /// A word of which nothing is known.
    pub const UNKNOWN: Self = Self(0);

    /// A word with these tags.
    #[must_use]
    pub const fn of(tags: &[Tag]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < tags.len() {
            bits |= 1 << tags[at] as u64;
            at += 1;
        }
        Self(bits)
    }

    /// Whether it has this tag.
    #[must_use]
    pub const fn is(self, tag: Tag) -> bool {
        self.0 & 1 << tag as u64 != 0
    }

    /// Whether it has one of these tags.
    #[must_use]
    pub const fn is_any(self, tags: &[Tag]) -> bool {
        self.0 & Self::of(tags).0 != 0
    }

    /// The same word with one more tag.
    #[must_use]
    pub const fn with(self, tag: Tag) -> Self {
        Self(self.0 | 1 << tag as u64)
    }

    /// What this word and another say together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing is known of it but that files' names may end with it: it may be anything, another service's name too.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        self.0 & !Self::of(&[Tag::FileEnding]).0 == 0
    }
}
