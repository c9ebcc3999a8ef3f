//! Rows of data samples.

use rusqlite::{Row, params};

use super::sql::Json;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::data_sample::DataSample;
use crate::domain::id::DataSampleId;
use crate::domain::organization::Owner;

/// The columns that [`sample_of`] reads, in its order.
const SAMPLE_COLUMNS: &str = "id, user_id, organization_id, component_id, component_version, \
     method, result, created_at, updated_at";

/// Reads a data sample from a row of [`SAMPLE_COLUMNS`].
fn sample_of(row: &Row<'_>) -> rusqlite::Result<DataSample> {
    let Json(result) = row.get(6)?;
    Ok(DataSample {
        id: row.get(0)?,
        owner: Owner {
            user: row.get(1)?,
            organization: row.get(2)?,
        },
        component: row.get(3)?,
        component_version: row.get(4)?,
        method: row.get(5)?,
        result,
        created_at_ms: row.get(7)?,
        updated_at_ms: row.get(8)?,
    })
}

impl Read<'_> {
    /// Returns the data sample with this id.
    pub fn data_sample(&self, id: DataSampleId) -> Result<Option<DataSample>> {
        let sql = format!("SELECT {SAMPLE_COLUMNS} FROM data_samples WHERE id = ?1");
        self.query_opt(&sql, params![id], sample_of)
    }

    /// Counts the data samples of an owner: of the organization, or the user's alone.
    pub fn count_data_samples_of(&self, owner: Owner) -> Result<i64> {
        if let Some(organization) = owner.organization {
            return self.query_one(
                "SELECT count(*) FROM data_samples WHERE organization_id = ?1",
                params![organization],
                |row| row.get(0),
            );
        }
        self.query_one(
            "SELECT count(*) FROM data_samples WHERE user_id = ?1 AND organization_id IS NULL",
            params![owner.user],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds a data sample.
    pub fn insert_data_sample(&self, sample: &DataSample) -> Result<()> {
        self.execute(
            "INSERT INTO data_samples (id, user_id, organization_id, component_id,
                 component_version, method, result, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                sample.id,
                sample.owner.user,
                sample.owner.organization,
                sample.component,
                sample.component_version,
                sample.method,
                Json(sample.result.clone()),
                sample.created_at_ms,
                sample.updated_at_ms,
            ],
        )?;
        Ok(())
    }

    /// Replaces method and result of a data sample; tells whether it is there.
    pub fn update_data_sample(&self, sample: &DataSample) -> Result<bool> {
        let changed = self.execute(
            "UPDATE data_samples SET method = ?2, result = ?3, updated_at = ?4 WHERE id = ?1",
            params![
                sample.id,
                sample.method,
                Json(sample.result.clone()),
                sample.updated_at_ms,
            ],
        )?;
        Ok(changed == 1)
    }
}
