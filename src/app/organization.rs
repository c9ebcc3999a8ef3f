//! Verbs about organizations, their members and their invites (`v2.md 2.7, 4.6`).
