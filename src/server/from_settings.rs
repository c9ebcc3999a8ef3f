//! What the settings say to the server.

use super::ServerOptions;
use crate::api::shared::ApiOptions;
use crate::config::Settings;
use crate::engine::{EngineOptions, SailorOptions};
use crate::git::GitOptions;

impl From<&Settings> for ServerOptions {
    fn from(settings: &Settings) -> Self {
        let token = settings.metrics_token.as_ref();
        Self {
            listen: settings.listen,
            unix_socket: settings.unix_socket.clone(),
            insecure: settings.insecure,
            connections_max: settings.max_connections,
            trusted_proxies: settings.trusted_proxies.clone(),
            audit_days: settings.audit_days,
            api: ApiOptions {
                body_max_bytes: settings.max_body_bytes,
                public_url: settings.public_url.clone(),
                allowed_origins: settings.allowed_origins.clone(),
                metrics_token: token.map(|token| token.expose().to_owned()),
            },
            engine: EngineOptions {
                workers: settings.engine_workers,
                reply_timeout_ms: u64::from(settings.reply_timeout) * 1_000,
                rebound_limit: settings.rebound_limit,
                step_limit_ms: u64::from(settings.step_time_limit) * 1_000,
                sailor: SailorOptions {
                    sandbox: settings.component_sandbox,
                    network: settings.component_network,
                    ..SailorOptions::default()
                },
            },
            git: GitOptions::default(),
            ssh: settings.ssh,
        }
    }
}
