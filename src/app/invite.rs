//! Verbs about invites to organizations (`v2.md 4.6, 8`).
//!
//! The accept token is 122 random bits that are shown once, to whoever made the invite,
//! or mailed; the database has its hash alone. Whoever holds it may read the invite and
//! accept it, so it is never logged.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::api_key::hash_of;
use super::organization::{administered, join, visible};
use super::{Act, App, SecretText, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{InviteId, OrganizationId};
use crate::domain::mail::{Mail, MailAddress};
use crate::domain::organization::{Invite, Member, Membership, NewInvite, Organization};
use crate::domain::principal::Principal;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::user::{NewUser, User, UserState};
use crate::domain::{Error, FieldError, Kind, Result};
use crate::store::Read;

/// The most invites of one organization that wait for an answer.
pub const INVITES_MAX: u32 = 500;

/// The time in which an invite can be accepted: a week, holidays not counted on.
pub const INVITE_LIFETIME_MS: i64 = 7 * 24 * 3_600 * 1_000;

/// How long an ended invite is kept: for a month, whoever opens its link late is told to
/// ask for a new one.
const ENDED_INVITES_KEPT_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// The invites that one transaction prunes: a few milliseconds of the writer's time.
const PRUNED_INVITES_MAX: u32 = 200;

/// The most invites that are mailed at once; of more, the link is in the answer.
const MAILS_MAX: usize = 8;

/// How many invites are being mailed.
static MAILING: AtomicUsize = AtomicUsize::new(0);

/// An invite just made.
pub struct MadeInvite {
    /// The invite.
    pub invite: Invite,
    /// Its accept token, for the only time; none where it was mailed instead.
    pub token: Option<SecretText>,
}

/// What somebody without an account says to get one by an invite.
pub struct Newcomer {
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// The password.
    pub password: Option<SecretText>,
}

impl App {
    /// Returns the invites of an organization that wait for an answer, by id, to its
    /// members and to tenant administrators.
    pub fn invites(&self, who: &Principal, id: OrganizationId) -> Result<Vec<Invite>> {
        let now_ms = self.now_ms();
        self.read(|read| {
            visible(read, who, id)?;
            read.invites_of(id, now_ms, INVITES_MAX)
        })
    }

    /// Returns one invite of an organization, to the same people.
    pub fn invite(
        &self,
        who: &Principal,
        organization: OrganizationId,
        id: InviteId,
    ) -> Result<Invite> {
        let now_ms = self.now_ms();
        self.read(|read| {
            visible(read, who, organization)?;
            find(read, who, organization, id, now_ms)
        })
    }

    /// Invites somebody by e-mail address; for administrators of the organization and of
    /// the installation. Whoever is a member or invited already is a conflict.
    ///
    /// Where the installation has a mail server and `accept_url`, the invite is mailed
    /// with that URL, the token behind it. It must be what the operator set: a host that
    /// a client named would let clients send mails that lead anywhere.
    pub fn invite_member(
        &self,
        who: &Principal,
        organization: OrganizationId,
        new: NewInvite,
        accept_url: Option<&str>,
    ) -> Result<MadeInvite> {
        let (token, hash) = self.new_key();
        let id = self.inner.ids.next();
        let (invite, name) = self.act(who, move |act| {
            let name = administered(act, act.who, organization)?.name;
            let key = new.email.key();
            act.delete_ended_invites(organization, &key, act.now_ms)?;
            if act.has_member_with_email(organization, &key)? {
                return Err(Error::conflict("email", "is a member's already"));
            }
            let waiting = act.invites_of(organization, act.now_ms, INVITES_MAX)?;
            if waiting.len() >= INVITES_MAX as usize {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("an organization has at most {INVITES_MAX} invites"),
                ));
            }
            if waiting.iter().any(|one| one.email.key() == key) {
                return Err(Error::conflict("email", "is invited already"));
            }
            let invite = Invite {
                id,
                organization,
                email: new.email,
                role: new.role,
                invited_by: act.who.user_id(),
                created_at_ms: act.now_ms,
                expires_at_ms: act.now_ms + INVITE_LIFETIME_MS,
            };
            act.insert_invite(&invite, &hash)?;
            act.audit(
                &NewAuditEntry::of("organization.invite", ObjectKind::Invite, id).with(json!({
                    "organization_id": organization.to_string(),
                    "role": invite.role.as_str(),
                })),
            )?;
            Ok((invite, name))
        })?;
        let is_mailed = accept_url.is_some_and(|url| {
            let link = SecretText::new(format!("{url}{}", token.expose()));
            self.mail_invite(&invite, &name, &link)
        });
        Ok(MadeInvite {
            invite,
            token: (!is_mailed).then_some(token),
        })
    }

    /// Mails an invite behind the caller's back, since a mail server may take its time;
    /// tells whether it is on its way. A mail that fails is noted in the audit log: the
    /// invite can be withdrawn and made again.
    fn mail_invite(&self, invite: &Invite, organization: &str, link: &SecretText) -> bool {
        if self.mail_server().is_none() || MAILING.load(Ordering::Relaxed) >= MAILS_MAX {
            return false;
        }
        let mail = mail_of(invite, organization, link);
        let (app, id) = (self.clone(), invite.id);
        MAILING.fetch_add(1, Ordering::Relaxed);
        let started = crate::thread::spawn("invite-mail", None, move || {
            let sent = app.send_mail(&mail, None);
            MAILING.fetch_sub(1, Ordering::Relaxed);
            if let Err(error) = sent {
                tracing::warn!(invite = %id, kind = ?error.kind(), "an invite was not mailed");
                let noted = app.act(&Principal::system(), move |act| {
                    act.audit(&NewAuditEntry::of(
                        "organization.invite.not_mailed",
                        ObjectKind::Invite,
                        id,
                    ))
                });
                if let Err(error) = noted {
                    tracing::warn!("and that was not noted: {error}");
                }
            }
        });
        if started.is_err() {
            MAILING.fetch_sub(1, Ordering::Relaxed);
        }
        started.is_ok()
    }

    /// Takes an invite back; for administrators of the organization and of the
    /// installation.
    pub fn withdraw_invite(
        &self,
        who: &Principal,
        organization: OrganizationId,
        id: InviteId,
    ) -> Result<()> {
        self.act(who, move |act| {
            administered(act, act.who, organization)?;
            let invite = find(act, act.who, organization, id, act.now_ms)?;
            remove(act, &invite)?;
            act.audit(&NewAuditEntry::of(
                "organization.invite.withdraw",
                ObjectKind::Invite,
                id,
            ))
        })
    }

    /// Deletes some invites that ended long ago in one small transaction; tells whether
    /// there may be more. Members of the organization are told that they are gone.
    pub fn prune_invites(&self) -> Result<bool> {
        self.act(&Principal::system(), |act| {
            let before_ms = act.now_ms - ENDED_INVITES_KEPT_MS;
            let ended = act.invites_ended_before(before_ms, PRUNED_INVITES_MAX)?;
            ended.iter().try_for_each(|invite| remove(act, invite))?;
            Ok(ended.len() >= PRUNED_INVITES_MAX as usize)
        })
    }

    /// Returns the invite of an accept token, and its organization; for whoever holds the
    /// token. One that has ended is gone.
    pub fn invite_of_token(&self, token: &str) -> Result<(Invite, Organization)> {
        let hash = hash_of(token);
        let now_ms = self.now_ms();
        self.read(|read| by_token(read, &hash, now_ms))
    }

    /// Accepts an invite for the signed-in user, whatever address it was sent to: who
    /// holds the token was given it.
    pub fn accept_invite(&self, who: &Principal, token: &str) -> Result<Member> {
        let user = who.require_user()?.id;
        let hash = hash_of(token);
        self.act(who, move |act| {
            let (invite, _) = by_token(act, &hash, act.now_ms)?;
            let member = join(act, membership(&invite), user, "organization.invite.accept")?;
            remove(act, &invite)?;
            Ok(member)
        })
    }

    /// Accepts an invite for somebody new, who becomes a user with the address of the
    /// invite and signs in with the password from then on.
    ///
    /// A conflict where the address is a user's: that one signs in to accept.
    pub fn accept_invite_as_newcomer(
        &self,
        who: &Principal,
        token: &str,
        newcomer: Newcomer,
    ) -> Result<Member> {
        // The token comes first: without one, nobody makes this server hash passwords.
        let (invite, _) = self.invite_of_token(token)?;
        let (new, password) = self.check_newcomer(&invite, newcomer)?;
        let key = new.email.key();
        if self.read(|read| read.user_by_email(&key))?.is_some() {
            return Err(sign_in_instead());
        }
        let password_hash = self.inner.hasher.hash(&password)?;
        let id = self.inner.ids.next();
        let hash = hash_of(token);
        self.act(who, move |act| {
            let (invite, _) = by_token(act, &hash, act.now_ms)?;
            let user = User {
                id,
                email: new.email,
                first_name: new.first_name,
                last_name: new.last_name,
                company: None,
                is_tenant_admin: false,
                state: UserState::Active,
                created_by: None,
                created_at_ms: act.now_ms,
                updated_at_ms: act.now_ms,
                last_login_at_ms: None,
            };
            act.insert_user(&user, &password_hash)
                .map_err(|error| match error.kind() {
                    Kind::Conflict => sign_in_instead(),
                    _ => error,
                })?;
            act.audit(
                &NewAuditEntry::of("user.create", ObjectKind::User, id)
                    .with(json!({ "role": "member", "invite": invite.id.to_string() })),
            )?;
            let member = join(act, membership(&invite), id, "organization.invite.accept")?;
            remove(act, &invite)?;
            Ok(member)
        })
    }

    /// Checks what a newcomer says, every fault at once.
    fn check_newcomer(&self, invite: &Invite, newcomer: Newcomer) -> Result<(NewUser, SecretText)> {
        let names = NewUser::parse(
            Some(invite.email.as_str()),
            newcomer.first_name.as_deref(),
            newcomer.last_name.as_deref(),
            None,
        );
        let password = match newcomer.password {
            Some(password) => self
                .inner
                .rules
                .password
                .check("password", &password)
                .map(|()| password),
            None => Err(Error::invalid("password", "is required")),
        };
        match (names, password) {
            (Ok(names), Ok(password)) => Ok((names, password)),
            (names, password) => {
                let mut faults: Vec<FieldError> = Vec::new();
                for error in [names.err(), password.err()].into_iter().flatten() {
                    faults.extend_from_slice(error.fields());
                }
                Err(Error::invalid_fields(faults))
            }
        }
    }
}

/// Returns the mail of an invite.
fn mail_of(invite: &Invite, organization: &str, link: &SecretText) -> Mail {
    let days = INVITE_LIFETIME_MS / (24 * 3_600 * 1_000);
    let text = format!(
        "You are invited to join {organization} as {}.\n\n\
         The invite is at this address, which is good for {days} days:\n\n{}\n\n\
         Whoever has the address can accept the invite: do not pass it on.\n\
         If you do not know what this is about, do nothing.\n",
        invite.role.as_str(),
        link.expose(),
    );
    Mail {
        to: vec![MailAddress {
            name: None,
            email: invite.email.clone(),
        }],
        subject: format!("Invite to {organization}"),
        text: Some(text),
        ..Mail::default()
    }
}

/// Returns what an invite makes of who accepts it.
fn membership(invite: &Invite) -> Membership {
    Membership {
        organization: invite.organization,
        role: invite.role,
    }
}

/// Deletes an invite, unless the joining did already; members are told that it is gone.
fn remove(act: &Act<'_>, invite: &Invite) -> Result<()> {
    let _ = act.delete_invite(invite.id)?;
    act.insert_tombstone(&Tombstone {
        kind: ObjectKind::Invite,
        id: invite.id.to_string(),
        seen_by: SeenBy::Organization(invite.organization),
        deleted_at_ms: act.now_ms,
    })
}

/// Returns an invite of an organization that `who` may see.
fn find(
    read: &Read<'_>,
    who: &Principal,
    organization: OrganizationId,
    id: InviteId,
    now_ms: i64,
) -> Result<Invite> {
    let found = read
        .invite(id)?
        .filter(|invite| invite.organization == organization);
    match found {
        Some(invite) if invite.expires_at_ms > now_ms => Ok(invite),
        Some(_) => Err(Error::gone("invite")),
        None => Err(missing(
            read,
            who,
            ObjectKind::Invite,
            &id.to_string(),
            "invite",
        )?),
    }
}

/// Returns the invite whose token has this hash, and its organization.
fn by_token(read: &Read<'_>, hash: &[u8; 32], now_ms: i64) -> Result<(Invite, Organization)> {
    let invite = read
        .invite_by_token(hash)?
        .ok_or_else(|| Error::not_found("invite"))?;
    if invite.expires_at_ms <= now_ms {
        return Err(Error::new(
            Kind::Gone,
            "this invite has ended: ask for a new one",
        ));
    }
    let organization = read
        .organization(invite.organization)?
        .ok_or_else(|| Error::not_found("invite"))?;
    Ok((invite, organization))
}

/// The answer to a newcomer whose address is a user's.
fn sign_in_instead() -> Error {
    Error::new(
        Kind::Conflict,
        "the invited address is a user's already: accept the invite signed in",
    )
}
