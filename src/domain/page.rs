//! Parts of long lists: which part, in which order, and how long the whole is.

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// How many items stand before it.
    pub offset: u64,
    /// The most items in it.
    pub limit: u32,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Part<T> {
    /// The items.
    pub items: Vec<T>,
    /// The items of the whole list.
    pub total: u64,
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderBy<K> {
    /// What is compared.
    pub key: K,
    /// Whether the largest comes first.
    pub is_descending: bool,
}
