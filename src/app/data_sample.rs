//! Verbs about data samples (`v2.md 4.3, 6.3`).

use super::owned::{self, Named, Standing};
use super::{App, component};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::data_sample::{
    DataSample, DataSampleChange, LATEST, NewDataSample, check_result, method,
};
use crate::domain::id::{ComponentId, DataSampleId};
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

/// The most data samples of one owner: some for each step of many flows.
pub const DATA_SAMPLES_MAX: i64 = 10_000;

/// The most data samples that one call names by id: a line of a query.
pub const IDS_MAX: usize = 100;

impl App {
    /// Returns a data sample: one's own, or one of an organization that `who` belongs to.
    pub fn data_sample(&self, who: &Principal, id: DataSampleId) -> Result<DataSample> {
        self.read(|read| {
            let found = read.data_sample(id)?;
            owned::visible(read, who, found, |sample| sample.owner, &named(id))
        })
    }

    /// Returns those of the data samples with these ids that `who` may see, by id.
    pub fn data_samples(&self, who: &Principal, ids: &[DataSampleId]) -> Result<Vec<DataSample>> {
        who.require_user()?;
        if ids.len() > IDS_MAX {
            return Err(Error::invalid("id", format!("names at most {IDS_MAX} ids")));
        }
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        self.read(|read| {
            let mut seen = Vec::with_capacity(ids.len());
            for id in ids {
                if let Some(sample) = read.data_sample(id)?
                    && owned::standing(read, who, sample.owner)? > Standing::Outsider
                {
                    seen.push(sample);
                }
            }
            Ok(seen)
        })
    }

    /// Makes a data sample in the scope of `who`, of a component that `who` may use.
    pub fn create_data_sample(&self, who: &Principal, new: NewDataSample) -> Result<DataSample> {
        let owner = Owner {
            user: who.require_writer()?.id,
            organization: who.organization(),
        };
        let method = method(&new.method)?;
        check_result(&new.result)?;
        let id = self.inner.ids.next();
        self.act(who, move |act| {
            check_component(act, act.who, new.component, &new.component_version)?;
            if act.count_data_samples_of(owner)? >= DATA_SAMPLES_MAX {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("there are {DATA_SAMPLES_MAX} data samples already, which is the most"),
                ));
            }
            let sample = DataSample {
                id,
                owner,
                component: new.component,
                component_version: new.component_version,
                method,
                result: new.result,
                created_at_ms: act.now_ms,
                updated_at_ms: act.now_ms,
            };
            act.insert_data_sample(&sample)?;
            act.audit(&NewAuditEntry::of(
                "data_sample.create",
                ObjectKind::DataSample,
                id,
            ))?;
            Ok(sample)
        })
    }

    /// Changes a data sample; what the change does not name stays.
    pub fn change_data_sample(
        &self,
        who: &Principal,
        id: DataSampleId,
        change: DataSampleChange,
    ) -> Result<DataSample> {
        let new_method = change.method.as_deref().map(method).transpose()?;
        change.result.as_ref().map_or(Ok(()), check_result)?;
        self.act(who, move |act| {
            let found = act.data_sample(id)?;
            let mut sample =
                owned::changeable(act, act.who, found, |sample| sample.owner, &named(id))?;
            sample.method = new_method.unwrap_or(sample.method);
            sample.result = change.result.unwrap_or(sample.result);
            sample.updated_at_ms = act.now_ms;
            act.update_data_sample(&sample)?;
            act.audit(&NewAuditEntry::of(
                "data_sample.update",
                ObjectKind::DataSample,
                id,
            ))?;
            Ok(sample)
        })
    }
}

/// Checks that a sample's component may be used by `who` and has the build it names.
fn check_component(read: &Read<'_>, who: &Principal, id: ComponentId, version: &str) -> Result<()> {
    let usable = match read.component(id)? {
        Some(component) => component::may_use(read, who, &component)?,
        None => false,
    };
    if !usable {
        return Err(Error::invalid(
            "component",
            "is no component that you may use",
        ));
    }
    if version != LATEST && read.component_version(id, version)?.is_none() {
        return Err(Error::invalid(
            "component_version",
            "must be a revision of the component, or latest",
        ));
    }
    Ok(())
}

/// Names a data sample for errors.
fn named(id: DataSampleId) -> Named<'static> {
    Named {
        kind: ObjectKind::DataSample,
        id: id.to_string(),
        what: "data sample",
    }
}
