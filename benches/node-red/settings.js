// Node-RED as a server of flows and nothing else: no editor, no telemetry, no logging
// of what is well. Each of these makes it faster or smaller than its defaults.
module.exports = {
  uiHost: '127.0.0.1',
  httpAdminRoot: false,
  httpNodeRoot: '/',
  readOnly: true,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: false, ui: false },
  runtimeState: { enabled: false, ui: false },
  functionExternalModules: false,
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
  contextStorage: { default: { module: 'memory' } },
  logging: { console: { level: 'error', metrics: false, audit: false } },
};
