//! Rows of organizations, of their members and invites.

use rusqlite::{Row, params};

use super::component::unreadable;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::{InviteId, OrganizationId, TeamId, UserId};
use crate::domain::organization::{Invite, Member, Membership, Organization, Role};
use crate::domain::text::Email;

/// The memberships of `users u` as one text, for [`memberships_of`]: a sign-in is one
/// statement.
pub(super) const MEMBERSHIPS: &str = "(SELECT group_concat(m.organization_id || ' ' || m.role, ',')
     FROM organization_members m WHERE m.user_id = u.id)";

/// The columns that [`member_of`] reads, in its order, of `organization_members m` and
/// `users u`.
const MEMBER_COLUMNS: &str =
    "m.organization_id, m.user_id, u.first_name, u.last_name, u.email, m.role";

/// The columns that [`invite_of`] reads, in its order.
const INVITE_COLUMNS: &str = "id, organization_id, email, role, invited_by, created_at, expires_at";

/// Reads the memberships of a column [`MEMBERSHIPS`].
pub(super) fn memberships_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Vec<Membership>> {
    let Some(text) = row.get_ref(at)?.as_str_or_null()? else {
        return Ok(Vec::new());
    };
    text.split(',')
        .map(|pair| {
            let parsed = pair.split_once(' ').and_then(|(organization, role)| {
                Some(Membership {
                    organization: organization.parse().ok()?,
                    role: Role::parse("role", role).ok()?,
                })
            });
            parsed.ok_or_else(|| unreadable(at, "an unknown membership"))
        })
        .collect()
}

/// Reads a role.
fn role_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Role> {
    Role::parse("role", row.get_ref(at)?.as_str()?).map_err(|_| unreadable(at, "an unknown role"))
}

/// Reads an organization from a row of `id, name, created_at`.
fn organization_of(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at_ms: row.get(2)?,
    })
}

/// Reads a member from a row of [`MEMBER_COLUMNS`].
fn member_of(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        organization: row.get(0)?,
        user: row.get(1)?,
        first_name: row.get(2)?,
        last_name: row.get(3)?,
        email: Email::stored(row.get(4)?),
        role: role_of(row, 5)?,
    })
}

/// Reads an invite from a row of [`INVITE_COLUMNS`].
fn invite_of(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        id: row.get(0)?,
        organization: row.get(1)?,
        email: Email::stored(row.get(2)?),
        role: role_of(row, 3)?,
        invited_by: row.get(4)?,
        created_at_ms: row.get(5)?,
        expires_at_ms: row.get(6)?,
    })
}

/// How much of one user passed to another when a membership ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// Flows.
    pub flows: usize,
    /// Credentials.
    pub credentials: usize,
    /// Lookups.
    pub lookups: usize,
    /// Data samples.
    pub samples: usize,
    /// Memberships of developer teams.
    pub teams: usize,
}

impl Read<'_> {
    /// Returns the organization with this id.
    pub fn organization(&self, id: OrganizationId) -> Result<Option<Organization>> {
        self.query_opt(
            "SELECT id, name, created_at FROM organizations WHERE id = ?1",
            params![id],
            organization_of,
        )
    }

    /// Returns up to `limit` organizations with ids after `after`, by id.
    pub fn organizations(
        &self,
        after: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Organization>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.query_all(
            "SELECT id, name, created_at FROM organizations WHERE id > ?1 ORDER BY id LIMIT ?2",
            params![after, limit],
            organization_of,
        )
    }

    /// Returns the memberships of a user.
    pub fn memberships_of(&self, user: UserId) -> Result<Vec<Membership>> {
        self.query_all(
            "SELECT organization_id, role FROM organization_members WHERE user_id = ?1
             ORDER BY organization_id",
            params![user],
            |row| {
                Ok(Membership {
                    organization: row.get(0)?,
                    role: role_of(row, 1)?,
                })
            },
        )
    }

    /// Returns the role of a user in an organization.
    pub fn role_in(&self, organization: OrganizationId, user: UserId) -> Result<Option<Role>> {
        self.query_opt(
            "SELECT role FROM organization_members WHERE organization_id = ?1 AND user_id = ?2",
            params![organization, user],
            |row| role_of(row, 0),
        )
    }

    /// Returns up to `limit` members of an organization, by id.
    pub fn members_of(&self, organization: OrganizationId, limit: u32) -> Result<Vec<Member>> {
        let sql = format!(
            "SELECT {MEMBER_COLUMNS} FROM organization_members m JOIN users u ON u.id = m.user_id
             WHERE m.organization_id = ?1 ORDER BY m.user_id LIMIT ?2"
        );
        self.query_all(&sql, params![organization, limit], member_of)
    }

    /// Returns one member of an organization.
    pub fn member(&self, organization: OrganizationId, user: UserId) -> Result<Option<Member>> {
        let sql = format!(
            "SELECT {MEMBER_COLUMNS} FROM organization_members m JOIN users u ON u.id = m.user_id
             WHERE m.organization_id = ?1 AND m.user_id = ?2"
        );
        self.query_opt(&sql, params![organization, user], member_of)
    }

    /// Tells whether somebody with this address belongs to an organization.
    pub fn has_member_with_email(
        &self,
        organization: OrganizationId,
        email_key: &str,
    ) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM users u JOIN organization_members m
                 ON m.user_id = u.id AND m.organization_id = ?1
             WHERE u.email_key = ?2",
            params![organization, email_key],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Counts the members of an organization besides `user`.
    pub fn count_other_members(&self, organization: OrganizationId, user: UserId) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM organization_members WHERE organization_id = ?1 AND user_id <> ?2",
            params![organization, user],
            |row| row.get(0),
        )
    }

    /// Returns the administrator of an organization, besides `user`, who is longest there.
    pub fn other_admin_of(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<UserId>> {
        self.query_opt(
            "SELECT user_id FROM organization_members
             WHERE organization_id = ?1 AND user_id <> ?2 AND role = 'admin'
             ORDER BY added_at, user_id LIMIT 1",
            params![organization, user],
            |row| row.get(0),
        )
    }

    /// Returns who takes over what a user has of an organization: its longest
    /// administrator, else its longest member, and nobody where it has no other.
    pub fn heir_in(&self, organization: OrganizationId, user: UserId) -> Result<Option<UserId>> {
        self.query_opt(
            "SELECT user_id FROM organization_members
             WHERE organization_id = ?1 AND user_id <> ?2
             ORDER BY role = 'admin' DESC, added_at, user_id LIMIT 1",
            params![organization, user],
            |row| row.get(0),
        )
    }

    /// Returns the organizations that have objects or teams of a user who is no member
    /// of them: those that passed to the user from somebody who left.
    pub fn organizations_held_by(&self, user: UserId) -> Result<Vec<OrganizationId>> {
        self.query_all(
            "SELECT organization_id FROM (
                 SELECT organization_id FROM flows WHERE user_id = ?1
                 UNION SELECT organization_id FROM credentials WHERE user_id = ?1
                 UNION SELECT organization_id FROM lookups WHERE user_id = ?1
                 UNION SELECT organization_id FROM data_samples WHERE user_id = ?1
                 UNION SELECT t.organization_id FROM team_members m
                     JOIN teams t ON t.id = m.team_id WHERE m.user_id = ?1)
             WHERE organization_id IS NOT NULL AND organization_id NOT IN
                 (SELECT organization_id FROM organization_members WHERE user_id = ?1)",
            params![user],
            |row| row.get(0),
        )
    }

    /// Returns the invite with this id.
    pub fn invite(&self, id: InviteId) -> Result<Option<Invite>> {
        let sql = format!("SELECT {INVITE_COLUMNS} FROM organization_invites WHERE id = ?1");
        self.query_opt(&sql, params![id], invite_of)
    }

    /// Returns the invite whose accept token has this hash.
    pub fn invite_by_token(&self, hash: &[u8; 32]) -> Result<Option<Invite>> {
        let sql =
            format!("SELECT {INVITE_COLUMNS} FROM organization_invites WHERE token_hash = ?1");
        self.query_opt(&sql, params![hash], invite_of)
    }

    /// Returns up to `limit` invites of an organization that have not ended, by id.
    pub fn invites_of(
        &self,
        organization: OrganizationId,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Invite>> {
        let sql = format!(
            "SELECT {INVITE_COLUMNS} FROM organization_invites
             WHERE organization_id = ?1 AND expires_at > ?2 ORDER BY id LIMIT ?3"
        );
        self.query_all(&sql, params![organization, now_ms, limit], invite_of)
    }

    /// Returns up to `limit` invites of all organizations that ended before a time.
    pub fn invites_ended_before(&self, before_ms: i64, limit: u32) -> Result<Vec<Invite>> {
        let sql = format!(
            "SELECT {INVITE_COLUMNS} FROM organization_invites
             WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2"
        );
        self.query_all(&sql, params![before_ms, limit], invite_of)
    }
}

impl Write<'_> {
    /// Adds an organization.
    pub fn insert_organization(&self, organization: &Organization) -> Result<()> {
        self.execute(
            "INSERT INTO organizations (id, name, created_at) VALUES (?1, ?2, ?3)",
            params![
                organization.id,
                organization.name,
                organization.created_at_ms
            ],
        )?;
        Ok(())
    }

    /// Deletes an organization with its memberships and invites; what it shared stays
    /// with the users who have it.
    pub fn delete_organization(&self, id: OrganizationId) -> Result<()> {
        self.execute("DELETE FROM organizations WHERE id = ?1", params![id])?;
        Ok(())
    }

    /// Adds a member; one who is there already is a conflict.
    pub fn insert_member(&self, membership: Membership, user: UserId, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO organization_members (organization_id, user_id, role, added_at)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                membership.organization,
                user,
                membership.role.as_str(),
                now_ms
            ],
        )?;
        Ok(())
    }

    /// Sets the role of a member; tells whether it is there.
    pub fn set_member_role(&self, membership: Membership, user: UserId) -> Result<bool> {
        let changed = self.execute(
            "UPDATE organization_members SET role = ?3
             WHERE organization_id = ?1 AND user_id = ?2",
            params![membership.organization, user, membership.role.as_str()],
        )?;
        Ok(changed == 1)
    }

    /// Ends a membership; tells whether it was there.
    #[must_use = "tells whether the member was there"]
    pub fn delete_member(&self, organization: OrganizationId, user: UserId) -> Result<bool> {
        let changed = self.execute(
            "DELETE FROM organization_members WHERE organization_id = ?1 AND user_id = ?2",
            params![organization, user],
        )?;
        Ok(changed == 1)
    }

    /// Passes what a user has within an organization to another one.
    pub fn hand_over(
        &self,
        organization: OrganizationId,
        from: UserId,
        to: UserId,
    ) -> Result<HandedOver> {
        if from == to {
            return Ok(HandedOver::default());
        }
        let pass = |table: &str| {
            let sql = format!(
                "UPDATE {table} SET user_id = ?3 WHERE user_id = ?2 AND organization_id = ?1"
            );
            self.execute(&sql, params![organization, from, to])
        };
        Ok(HandedOver {
            flows: pass("flows")?,
            credentials: pass("credentials")?,
            lookups: pass("lookups")?,
            samples: pass("data_samples")?,
            teams: self.hand_over_teams(organization, from, to)?,
        })
    }

    /// Puts `to` in the place of `from` in the teams of an organization.
    fn hand_over_teams(
        &self,
        organization: OrganizationId,
        from: UserId,
        to: UserId,
    ) -> Result<usize> {
        self.execute(
            "INSERT OR IGNORE INTO team_members (team_id, user_id, added_at)
             SELECT m.team_id, ?3, m.added_at
             FROM team_members m JOIN teams t ON t.id = m.team_id
             WHERE m.user_id = ?2 AND t.organization_id = ?1",
            params![organization, from, to],
        )?;
        self.execute(
            "DELETE FROM team_members WHERE user_id = ?2 AND team_id IN
                 (SELECT id FROM teams WHERE organization_id = ?1)",
            params![organization, from],
        )
    }

    /// Adds an invite by the hash of its token.
    pub fn insert_invite(&self, invite: &Invite, token_hash: &[u8; 32]) -> Result<()> {
        self.execute(
            "INSERT INTO organization_invites (id, organization_id, email, email_key, role,
                 token_hash, invited_by, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                invite.id,
                invite.organization,
                invite.email.as_str(),
                invite.email.key(),
                invite.role.as_str(),
                token_hash,
                invite.invited_by,
                invite.created_at_ms,
                invite.expires_at_ms,
            ],
        )?;
        Ok(())
    }

    /// Deletes an invite; tells whether it was there.
    #[must_use = "tells whether the invite was there"]
    pub fn delete_invite(&self, id: InviteId) -> Result<bool> {
        let changed = self.execute(
            "DELETE FROM organization_invites WHERE id = ?1",
            params![id],
        )?;
        Ok(changed == 1)
    }

    /// Deletes the invites of an address to an organization that have ended.
    pub fn delete_ended_invites(
        &self,
        organization: OrganizationId,
        email_key: &str,
        now_ms: i64,
    ) -> Result<()> {
        self.execute(
            "DELETE FROM organization_invites
             WHERE organization_id = ?1 AND email_key = ?2 AND expires_at <= ?3",
            params![organization, email_key, now_ms],
        )?;
        Ok(())
    }

    /// Deletes the invites of an address to an organization.
    pub fn delete_invites_to(&self, organization: OrganizationId, email_key: &str) -> Result<()> {
        self.execute(
            "DELETE FROM organization_invites WHERE organization_id = ?1 AND email_key = ?2",
            params![organization, email_key],
        )?;
        Ok(())
    }
}

impl Read<'_> {
    /// Tells whether a user is of a team: as its member, or as a member of its
    /// organization who makes and changes objects (`v2.md 2.7`).
    pub fn may_edit_for_team(&self, team: TeamId, user: UserId) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM teams t WHERE t.id = ?1 AND CASE
                 (SELECT m.role FROM organization_members m
                  WHERE m.organization_id = t.organization_id AND m.user_id = ?2)
                 WHEN 'guest' THEN 0 WHEN 'integrator' THEN 1 WHEN 'admin' THEN 1
                 ELSE EXISTS (SELECT 1 FROM team_members tm
                     WHERE tm.team_id = t.id AND tm.user_id = ?2) END",
            params![team, user],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Tells whether a user sees what is a team's: its members, and all members of its
    /// organization.
    pub fn may_read_for_team(&self, team: TeamId, user: UserId) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM teams t WHERE t.id = ?1 AND (
                 EXISTS (SELECT 1 FROM team_members tm
                     WHERE tm.team_id = t.id AND tm.user_id = ?2)
                 OR EXISTS (SELECT 1 FROM organization_members m
                     WHERE m.organization_id = t.organization_id AND m.user_id = ?2))",
            params![team, user],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}
