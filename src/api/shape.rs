//! What routes take and answer, as data: read by the parsers of API v2 and by OpenAPI.

/// What a name or a title is (`text::name`): something that is seen, and no control character.
pub const NAME: Shape = Shape::Like(concat!(
    r"^[^\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]{0,127}",
    r"[^\s\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]",
    r"[^\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]{0,127}$",
));

/// What a name is that a slug is made of (`v1.md 2.5`): a letter or digit of it stays.
pub const SLUG_NAME: Shape = Shape::Like(concat!(
    r"^[^\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]{0,127}",
    r"[A-Za-z0-9]",
    r"[^\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]{0,127}$",
));

/// What a role of an organization is, in any case (`v2.md 4.6`).
pub const ROLE: Shape = Shape::Like(concat!(
    "^([Aa][Dd][Mm][Ii][Nn]|[Gg][Uu][Ee][Ss][Tt]|",
    "[Ii][Nn][Tt][Ee][Gg][Rr][Aa][Tt][Oo][Rr])$",
));

/// What bytes are in a text: base64 with its padding, and no bits that say nothing.
pub const BASE64: Shape = Shape::Like(concat!(
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/][AQgw]==|",
    "[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$",
));

/// What an e-mail address is, as far as it is ASCII.
pub const EMAIL: Shape = Shape::Like(concat!(
    r"^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]{1,20}(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]{1,20}){0,2}",
    r"@[A-Za-z0-9]([A-Za-z0-9\-]{0,30}[A-Za-z0-9])?",
    r"(\.[A-Za-z0-9]([A-Za-z0-9\-]{0,30}[A-Za-z0-9])?){0,4}$",
));

/// The kind of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// A text that fits a pattern: for documents alone, since the domain checks texts.
    Like(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A point in time as ISO 8601 in UTC.
    Time,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// An object whose keys are data.
    Object,
    /// A list.
    List,
    /// A list of texts.
    Texts,
    /// A list of objects with these members.
    Objects(&'static [Attribute]),
    /// Any JSON value.
    Any,
}

/// An attribute of a resource, a member of an object of v1, or a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name.
    pub name: &'static str,
    /// The kind of its value.
    pub shape: Shape,
    /// Whether it must be sent, where it is part of a request.
    pub is_required: bool,
}

impl Attribute {
    /// Makes an attribute that may be missing.
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            is_required: false,
        }
    }

    /// Makes an attribute that must be sent.
    pub const fn required(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            is_required: true,
        }
    }
}

/// A relationship of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Relationship {
    /// The name.
    pub name: &'static str,
    /// The type of what it leads to.
    pub to: &'static str,
    /// Whether it leads to several.
    pub is_many: bool,
    /// Whether it must be sent, where it is part of a request.
    pub is_required: bool,
}

impl Relationship {
    /// Makes a relationship to one resource.
    pub const fn one(name: &'static str, to: &'static str) -> Self {
        Self {
            name,
            to,
            is_many: false,
            is_required: false,
        }
    }

    /// Makes a relationship to several resources.
    pub const fn many(name: &'static str, to: &'static str) -> Self {
        Self {
            is_many: true,
            ..Self::one(name, to)
        }
    }

    /// Makes a relationship to one resource that must be sent.
    pub const fn required(name: &'static str, to: &'static str) -> Self {
        Self {
            is_required: true,
            ..Self::one(name, to)
        }
    }
}

/// A type of resources in answers (`v2.md 3`).
#[derive(Debug)]
pub struct ResourceType {
    /// The name, such as `flow`.
    pub name: &'static str,
    /// All attributes that it may have.
    pub attributes: &'static [Attribute],
    /// All relationships that it may have.
    pub relationships: &'static [Relationship],
}

impl ResourceType {
    /// Tells whether it may have an attribute or relationship of this name.
    pub fn has_field(&self, name: &str) -> bool {
        self.attributes.iter().any(|field| field.name == name)
            || self.relationships.iter().any(|field| field.name == name)
    }
}

/// What a request says of `data.id` (`v2.md 2.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdRule {
    /// Nothing: the server chooses ids; 409 where the chosen one exists, else 403.
    Chosen,
    /// The id that the named parameter of the path has.
    InPath(&'static str),
    /// The same, but it may be missing.
    MayBeInPath(&'static str),
    /// The id of something else that exists, such as a user who becomes a member.
    Named,
}

/// A resource in a request.
#[derive(Debug)]
pub struct ResourceInput {
    /// The accepted types; the first is the documented one.
    pub types: &'static [&'static str],
    /// Whether the type may be missing.
    pub may_lack_type: bool,
    /// Whether the resource may stand without its `data`.
    pub may_be_bare: bool,
    /// What is said of the id.
    pub id: IdRule,
    /// The attributes that are read; all others are ignored.
    pub attributes: &'static [Attribute],
    /// The relationships that are read; all others are ignored.
    pub relationships: &'static [Relationship],
}

impl ResourceInput {
    /// A creation without anything in it, to be extended.
    pub const NEW: Self = Self {
        types: &[],
        may_lack_type: false,
        may_be_bare: false,
        id: IdRule::Chosen,
        attributes: &[],
        relationships: &[],
    };
}

/// Which parameters of the query a route takes (`v2.md 2.5`).
#[derive(Debug)]
pub struct QueryRules {
    /// Whether the answer is a list, which can be read in pages.
    pub is_list: bool,
    /// The size of a page where none is asked for; the whole list where missing.
    pub page_size: Option<u32>,
    /// The values of `filter[…]` by name.
    pub filters: &'static [Attribute],
    /// The paths of `include`.
    pub includes: &'static [&'static str],
    /// The names of `sort`; each may have a `-` in front.
    pub sorts: &'static [&'static str],
    /// Parameters outside the families of JSON:API, such as `search`.
    pub others: &'static [&'static str],
}

impl QueryRules {
    /// The rules of an answer of one resource.
    pub const ONE: Self = Self {
        is_list: false,
        page_size: None,
        filters: &[],
        includes: &[],
        sorts: &[],
        others: &[],
    };

    /// The rules of a list that is answered whole.
    pub const LIST: Self = Self {
        is_list: true,
        ..Self::ONE
    };

    /// The rules of a list that is answered in pages.
    pub const PAGED: Self = Self {
        page_size: Some(PAGE_SIZE),
        ..Self::LIST
    };
}

/// The size of a page where a client asks for none (`v2.md 2.5`).
pub const PAGE_SIZE: u32 = 50;

/// What a route answers when all is well.
#[derive(Clone, Copy, Debug)]
pub enum Answers {
    /// Not said: operations, and webhooks, whose flow decides it.
    Unsaid,
    /// An object of v1: those of its members that are always there count as required.
    Object(&'static [Attribute]),
    /// A list of such objects.
    Objects(&'static [Attribute]),
    /// An object of v1 whose keys are data, such as names of variables.
    Map,
    /// No content.
    Nothing,
    /// A document without data.
    Meta,
    /// One resource.
    One(&'static ResourceType),
    /// A list of resources.
    Many(&'static ResourceType),
    /// JSON that is no document of JSON:API.
    Plain,
}
