//! v1's straight chain of nodes, as a graph (`v1.md 3.6`).
