//! Users as API v2 administers them (`v2.md 4.10`).

use super::{Role, delete_with_belongings, find, require_admin};
use crate::app::{App, PAGE_MAX, SecretText, missing};
use crate::domain::audit::ObjectKind;
use crate::domain::id::UserId;
use crate::domain::page::{OrderBy, Part, Slice};
use crate::domain::principal::Principal;
use crate::domain::user::{NewUser, User, UserKey};
use crate::domain::{Error, Result};

/// Which users are asked for, in which order.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// The one address, ignoring case.
    pub email: Option<String>,
    /// The order; by id where empty, and among equals.
    pub order: Vec<OrderBy<UserKey>>,
}

impl App {
    /// Returns a user: oneself, or anybody to tenant administrators. Others are told
    /// that it is forbidden, whether there is such a user or not (`v2.md 4.10`).
    pub fn user(&self, who: &Principal, id: UserId) -> Result<User> {
        if who.user_id() != Some(id) {
            require_admin(who)?;
        }
        self.read(|read| match read.user(id)? {
            Some(user) => Ok(user),
            None => Err(missing(
                read,
                who,
                ObjectKind::User,
                &id.to_string(),
                "user",
            )?),
        })
    }

    /// Returns a part of the list of users; for tenant administrators.
    pub fn user_part(
        &self,
        who: &Principal,
        query: &UserQuery,
        slice: Slice,
    ) -> Result<Part<User>> {
        require_admin(who)?;
        let limit = slice.limit.min(PAGE_MAX);
        self.read(|read| {
            let Some(email) = &query.email else {
                return Ok(Part {
                    items: read.user_part(&query.order, slice.offset, limit)?,
                    total: read.count_users()?,
                });
            };
            let found = if email.contains('@') {
                find(read, email)?
            } else {
                None
            };
            Ok(Part {
                total: u64::from(found.is_some()),
                items: found.into_iter().filter(|_| slice.offset == 0).collect(),
            })
        })
    }

    /// Makes a user; for tenant administrators (`v2.md 4.10`).
    ///
    /// Its key is shown to nobody: the user makes one of its own with the password.
    pub fn create_user(
        &self,
        who: &Principal,
        new: NewUser,
        password: &SecretText,
    ) -> Result<User> {
        require_admin(who)?;
        let (user, _unseen) = self.add_user(who, new, password, Role::Member)?;
        Ok(user)
    }

    /// Deletes a user with all that is the user's alone: oneself, or anybody by tenant
    /// administrators (`v2.md 4.10`); anybody else is forbidden, whether there or not.
    ///
    /// Refused as in [`App::delete_user`], and for members of an organization that has
    /// others.
    pub fn remove_user(&self, who: &Principal, id: UserId) -> Result<()> {
        if who.user_id() != Some(id) && !who.is_tenant_admin() {
            return Err(Error::forbidden(
                "users delete themselves; others are for tenant administrators",
            ));
        }
        self.act(who, move |act| {
            let Some(user) = act.user(id)? else {
                let id = id.to_string();
                return Err(missing(act, act.who, ObjectKind::User, &id, "user")?);
            };
            delete_with_belongings(act, &user)
        })?;
        self.inner.sign_ins.forget(id);
        Ok(())
    }
}
