-- Logos that components are made with, and ended invites by their end.

ALTER TABLE components ADD COLUMN icon TEXT;
CREATE INDEX organization_invites_expiry ON organization_invites (expires_at);
