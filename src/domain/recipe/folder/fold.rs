//! Mappers as parts of edges, in a graph of any form.

use std::collections::HashSet;

/// An edge of the folded graph; nodes are places in the list of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoldedEdge {
    /// The node that it leaves.
    pub(super) from: usize,
    /// The node that it leads to.
    pub(super) to: usize,
    /// The mapper that stands on it.
    pub(super) mapper: Option<usize>,
}

/// A graph whose mappers stand on edges where they fit.
pub(super) struct Folded {
    /// The edges, in the order of the connections that they begin with.
    pub(super) edges: Vec<FoldedEdge>,
    /// Whether a node became part of an edge.
    pub(super) is_on_edge: Vec<bool>,
}

/// Folds every mapper with exactly one connection to it and one from it.
///
/// One that can't be folded stays a node: at the end, where paths meet or part, next
/// to a mapper that was folded already (an edge carries one mapping), and where the
/// two nodes around it are joined by another edge (two edges between the same nodes
/// could not be told apart).
pub(super) fn mappers(is_mapper: &[bool], connections: &[(usize, usize)]) -> Folded {
    let mut incoming = vec![Vec::new(); is_mapper.len()];
    let mut outgoing = vec![Vec::new(); is_mapper.len()];
    for (at, (from, to)) in connections.iter().enumerate() {
        outgoing[*from].push(at);
        incoming[*to].push(at);
    }
    let mut edges: Vec<Option<FoldedEdge>> = connections
        .iter()
        .map(|&(from, to)| {
            Some(FoldedEdge {
                from,
                to,
                mapper: None,
            })
        })
        .collect();
    let mut joined: HashSet<(usize, usize)> = connections.iter().copied().collect();
    let mut is_on_edge = vec![false; is_mapper.len()];
    for at in 0..is_mapper.len() {
        let ([to_it], [from_it]) = (incoming[at].as_slice(), outgoing[at].as_slice()) else {
            continue;
        };
        let (Some(before), Some(after)) = (edges[*to_it], edges[*from_it]) else {
            continue;
        };
        let fits = is_mapper[at]
            && before.from != after.to
            && before.mapper.is_none()
            && after.mapper.is_none()
            && !joined.contains(&(before.from, after.to));
        if fits {
            let (to_it, from_it) = (*to_it, *from_it);
            is_on_edge[at] = true;
            joined.insert((before.from, after.to));
            edges[to_it] = Some(FoldedEdge {
                to: after.to,
                mapper: Some(at),
                ..before
            });
            edges[from_it] = None;
            // The edge now reaches the node after the mapper in place of the old one.
            for edge in &mut incoming[after.to] {
                if *edge == from_it {
                    *edge = to_it;
                }
            }
        }
    }
    Folded {
        edges: edges.into_iter().flatten().collect(),
        is_on_edge,
    }
}
