//! From what was seen to a verdict.

use super::{Question, Seen, Settled, Try};
use crate::model::{Region, Verdict, VerdictKind, VerdictState};
use crate::twilio::meaning::Holder;
use crate::twilio::pair::Pair;

/// How many SIDs are named in the words of a verdict; all of them are in its list.
const MOST_NAMED: usize = 8;

/// What was tried.
pub(super) struct Tried {
    holder: Holder,
    regions: Vec<Region>,
    sids: Vec<String>,
    /// How many SIDs it may belong to were not tried.
    left: usize,
}

impl Tried {
    pub(super) fn of(tries: &[Try], question: &Question) -> Self {
        let (mut regions, mut sids) = (Vec::new(), Vec::new());
        for Try { region, pair } in tries {
            if !regions.contains(region) {
                regions.push(*region);
            }
            if !sids.contains(&pair.user) {
                sids.push(pair.user.clone());
            }
        }
        Self { holder: question.holder(), regions, sids, left: question.left() }
    }

    fn regions(&self, between: &str) -> String {
        self.regions.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
    }

    /// Where and with what it was refused, in words.
    fn refused(&self) -> String {
        let named: Vec<&str> = self.sids.iter().take(MOST_NAMED).map(String::as_str).collect();
        let more = self.sids.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("not accepted in {} with {}{more}", self.regions(", "), named.join(", "))
    }
}

/// The verdict of a secret without a SID.
pub(super) fn unasked(holder: Holder) -> Settled {
    let what = if holder == Holder::Token { "Account SID" } else { "key SID" };
    let mut verdict = Verdict::unverified();
    verdict.reason = Some(format!("there is no {what} to ask with"));
    Settled { verdict, account: None, key: None, foreign: false, pair: None }
}

/// The verdict that follows from what was seen of one try, and from what was tried besides.
pub(super) fn settle(seen: Seen, decisive: &Try, tried: &Tried) -> Settled {
    let Try { region, pair: Pair { user: sid, secret, .. } } = decisive;
    let mut verdict = Verdict::unverified();
    verdict.region = Some(region.to_string());
    let (own_account, own_key) = match tried.holder {
        Holder::Token => (Some(sid.clone()), None),
        Holder::Key => (None, Some(sid.clone())),
    };
    let mut settled = Settled { verdict, account: None, key: None, foreign: false, pair: None };
    let verdict = &mut settled.verdict;
    match seen {
        Seen::Live(live) => {
            verdict.state = VerdictState::Live;
            verdict.kind = Some(live.kind);
            verdict.code = live.code;
            verdict.reason = live.reason;
            settled.foreign = !live.not_of.is_empty();
            if settled.foreign {
                verdict.add(&format!("it does not belong to {}", live.not_of.join(" or ")));
            }
            verdict.owner.clone_from(&live.owner);
            verdict.parent = live.parent;
            settled.account = live.owner.or(own_account);
            settled.key = own_key;
            let of = settled.account.clone();
            settled.pair = Some((Pair { user: sid.clone(), secret: secret.clone(), account: of }, *region));
        }
        Seen::Test => {
            verdict.state = VerdictState::Test;
            verdict.kind = Some(VerdictKind::TestToken);
            verdict.code = Some(20008);
            verdict.reason = Some("test credentials: they work, and cost and reach nothing".to_owned());
            settled.account = own_account;
        }
        Seen::Inactive { code, reason } => {
            verdict.state = VerdictState::Inactive;
            verdict.code = code;
            verdict.reason = Some(reason);
            verdict.owner.clone_from(&own_account);
            settled.account = own_account;
            settled.key = own_key;
        }
        Seen::Unknown { code, reason } => {
            verdict.state = VerdictState::Unknown;
            verdict.code = code;
            verdict.reason = Some(reason);
        }
        Seen::Refused { code } => {
            verdict.code = Some(code);
            verdict.region = Some(tried.regions(","));
            verdict.reason = Some(tried.refused());
            verdict.state = VerdictState::Rejected;
            verdict.tried.clone_from(&tried.sids);
            if tried.left > 0 {
                verdict.state = VerdictState::Unknown;
                verdict.left = Some(tried.left as u64);
                verdict.add(&left(tried.left, tried.holder));
            }
        }
    }
    settled
}

/// What was not tried, in words.
fn left(count: usize, holder: Holder) -> String {
    let kind = if holder == Holder::Token { "Account SID" } else { "key SID" };
    let (s, was) = if count == 1 { ("", "was") } else { ("s", "were") };
    format!("{count} more {kind}{s} that it may belong to {was} not tried")
}
