//! What the settings say to the server.

use super::ServerOptions;
use crate::api::shared::ApiOptions;
use crate::config::Settings;

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
        }
    }
}
