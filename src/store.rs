//! Every line of SQL: the file, its one writer, its readers, one file a resource.

mod access;
mod api_key;
mod audit;
mod backup;
mod check;
mod component;
mod connect;
mod credential;
mod data_sample;
mod env_var;
mod execution;
mod execution_list;
mod flow;
mod flow_list;
mod flow_state;
mod handle;
mod inside;
mod lookup;
mod migrate;
mod object;
#[doc(hidden)] // Not for callers: public so that tests can shorten limits.
pub mod options;
mod organization;
mod queue;
mod reader;
mod recipe;
mod retention;
mod scheduled_execution;
mod schema;
mod setting;
mod sql;
mod ssh_key;
mod team;
mod tombstone;
mod upkeep;
mod user;
mod writer;

pub use access::{Read, Write};
pub use api_key::FoundKey;
pub use backup::IfExists;
pub use check::{Check, Orphan};
pub use credential::SealedCredential;
pub use env_var::SealedEnvVar;
pub use execution::StoredPart;
pub use execution_list::ExecutionsOf;
pub use flow::FlowCounts;
pub use flow_list::FlowListState;
pub use handle::{OpenMode, Stats, Store};
#[doc(hidden)] // Not for callers: public so that tests can bring their own lists.
pub use migrate::{APPLICATION_ID, MIGRATIONS, Migration, Plan, SCHEMA};
pub use object::ObjectRow;
pub use organization::HandedOver;
pub use queue::{QueueSize, QueueStats};
pub use retention::{OldBodies, OldRuns};
pub use scheduled_execution::ScheduledExecutionRow;
pub use user::Belongings;
