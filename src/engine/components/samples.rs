//! The sample data of the simulated connectors: the same in every installation.

use serde_json::{Number, Value};

use crate::domain::run::Failure;
use crate::engine::components::fields;

/// A product that both connectors know, so that orders name articles of the shop.
pub(super) struct Product {
    pub(super) name: &'static str,
    /// The number of the variant, which marketplaces call SKU.
    pub(super) variant: &'static str,
    pub(super) supplier: &'static str,
    pub(super) price_cents: u64,
}

/// The products of the shop: one message of the usual size.
pub(super) const PRODUCTS: [Product; 10] = [
    product("Enamel Mug", "SW-10001", "Northwind Kitchen", 1_290),
    product("Linen Tea Towel", "SW-10002", "Northwind Kitchen", 890),
    product("Oak Cutting Board", "SW-10003", "Holz & Sohn", 3_450),
    product("Wool Blanket", "SW-10004", "Lanifex", 7_900),
    product("Brass Desk Lamp", "SW-10005", "Lumen Works", 11_900),
    product("Canvas Backpack", "SW-10006", "Trailhead", 6_450),
    product("Steel Water Bottle", "SW-10007", "Trailhead", 2_190),
    product("Notebook, Dotted", "SW-10008", "Papeterie Blanc", 1_150),
    product("Fountain Pen", "SW-10009", "Papeterie Blanc", 4_990),
    product("Cork Yoga Mat", "SW-10010", "Lanifex", 5_900),
];

/// Makes a product.
const fn product(
    name: &'static str,
    variant: &'static str,
    supplier: &'static str,
    price_cents: u64,
) -> Product {
    Product {
        name,
        variant,
        supplier,
        price_cents,
    }
}

/// Buyers, each with a street.
pub(super) const PEOPLE: [(&str, &str); 8] = [
    ("Ada Moreau", "Mill Lane"),
    ("Ben Schulz", "Station Road"),
    ("Carla Rossi", "Garden Street"),
    ("Dan Novak", "High Street"),
    ("Elif Demir", "Church Road"),
    ("Farid Haddad", "Harbour Way"),
    ("Greta Lind", "Park Avenue"),
    ("Hugo Silva", "Bridge Street"),
];

/// Mixes the bits of a number, so that neighbours have little in common (splitmix64).
pub(super) fn mixed(number: u64) -> u64 {
    let mut mix = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mix = (mix ^ (mix >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mix ^ (mix >> 31)
}

/// Returns a number that follows from bytes (FNV-1a): no secret depends on it.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Picks one of some by the low bits of a mixed number.
pub(super) fn pick<T>(some: &[T], mix: u64) -> &T {
    let place = (mix & 0xff) % some.len() as u64;
    let place = usize::try_from(place).unwrap_or_default();
    &some[place]
}

/// Returns cents as a number with two digits after the point.
pub(super) fn amount(cents: u64) -> Number {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    text.parse().unwrap_or_else(|_| Number::from(cents / 100))
}

/// Returns a list that the body of a message must have.
pub(super) fn list<'a>(body: &'a Value, name: &str) -> Result<&'a Vec<Value>, Failure> {
    let list = fields::members(body)?.get(name);
    list.and_then(Value::as_array)
        .ok_or_else(|| Failure::new(format!("`{name}` must be an array")))
}
