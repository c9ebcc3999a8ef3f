//! `elasticio/amazonmws`: stands in for Amazon Marketplace Web Service, without a network.
//!
//! Orders are made from their number alone, so they are the same on every machine, and
//! the step's snapshot holds the number of the next one.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::samples::{self, PEOPLE, PRODUCTS};
use super::timer::iso_time;
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "amazonmws",
    functions: &[
        Function::new("getOrders", Nature::Queued, get_orders)
            .checked_by(check_orders)
            .with_models(&[("getMarketplaces", marketplaces)]),
        Function::new("submitProductFeed", Nature::Queued, submit_feed),
    ],
    verify: Some(verify),
};

/// Orders in a message where the field is empty.
const PAGE_SIZE: u64 = 10;

/// The most orders in a message: what the service itself returns at once.
const PAGE_SIZE_MAX: u64 = 100;

/// The time of the first order, in milliseconds since 1970.
const FIRST_ORDER_MS: i64 = 1_420_099_200_000;

/// The time between two orders, in milliseconds.
const ORDER_INTERVAL_MS: i64 = 37 * 60 * 1_000;

/// A marketplace.
struct Marketplace {
    name: &'static str,
    title: &'static str,
    /// The first group of its order ids.
    prefix: u32,
    currency: &'static str,
    country: &'static str,
    cities: [(&'static str, &'static str); 3],
}

/// The marketplaces of the credential's choices, the one without a known choice first.
const MARKETPLACES: [Marketplace; 8] = [
    Marketplace {
        name: "usa",
        title: "USA",
        prefix: 112,
        currency: "USD",
        country: "US",
        cities: [
            ("Portland", "97201"),
            ("Austin", "78701"),
            ("Boston", "02108"),
        ],
    },
    Marketplace {
        name: "china",
        title: "China",
        prefix: 450,
        currency: "CNY",
        country: "CN",
        cities: [
            ("Shanghai", "200000"),
            ("Chengdu", "610000"),
            ("Xiamen", "361000"),
        ],
    },
    Marketplace {
        name: "france",
        title: "France",
        prefix: 402,
        currency: "EUR",
        country: "FR",
        cities: [("Lyon", "69001"), ("Nantes", "44000"), ("Lille", "59000")],
    },
    Marketplace {
        name: "germany",
        title: "Germany",
        prefix: 302,
        currency: "EUR",
        country: "DE",
        cities: [("Bonn", "53111"), ("Leipzig", "04109"), ("Bremen", "28195")],
    },
    Marketplace {
        name: "india",
        title: "India",
        prefix: 171,
        currency: "INR",
        country: "IN",
        cities: [
            ("Pune", "411001"),
            ("Kochi", "682001"),
            ("Jaipur", "302001"),
        ],
    },
    Marketplace {
        name: "italy",
        title: "Italy",
        prefix: 408,
        currency: "EUR",
        country: "IT",
        cities: [("Torino", "10121"), ("Bologna", "40121"), ("Bari", "70121")],
    },
    Marketplace {
        name: "japan",
        title: "Japan",
        prefix: 249,
        currency: "JPY",
        country: "JP",
        cities: [
            ("Kyoto", "600-8001"),
            ("Nagoya", "450-0002"),
            ("Sapporo", "060-0001"),
        ],
    },
    Marketplace {
        name: "spain",
        title: "Spain",
        prefix: 404,
        currency: "EUR",
        country: "ES",
        cities: [
            ("Valencia", "46001"),
            ("Sevilla", "41001"),
            ("Bilbao", "48001"),
        ],
    },
];

/// The members of a product of a feed.
const FEED_MEMBERS: [&str; 4] = [
    "title",
    "sku",
    "standardProductIDType",
    "standardProductIDValue",
];

/// The kinds of product ids.
const PRODUCT_ID_KINDS: [&str; 5] = ["ASIN", "EAN", "GTIN", "ISBN", "UPC"];

/// Emits the next orders, and remembers where they end.
fn get_orders(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    refuse_seller(work.cfg)?;
    let marketplace = marketplace(work.cfg);
    let page = page_size(work.cfg)?;
    let cursor = work.snapshot.get("nextOrder").and_then(Value::as_u64);
    let first = cursor.unwrap_or(1);
    let next = first.saturating_add(page);
    let orders: Vec<Value> = (first..next)
        .map(|number| order(marketplace, number))
        .collect();
    emitter.body(json!({ "orders": orders }))?;
    emitter.snapshot(json!({ "nextOrder": next }))
}

/// Makes the order of a number.
fn order(marketplace: &Marketplace, number: u64) -> Value {
    let mix = samples::mixed(number ^ u64::from(marketplace.prefix) << 32);
    let (buyer, street) = samples::pick(&PEOPLE, mix);
    let product = samples::pick(&PRODUCTS, mix >> 8);
    let (city, postal_code) = samples::pick(&marketplace.cities, mix >> 16);
    let quantity = 1 + (mix >> 24) % 3;
    let number_i64 = i64::try_from(number).unwrap_or(i64::MAX);
    let bought_ms = FIRST_ORDER_MS.saturating_add(number_i64.saturating_mul(ORDER_INTERVAL_MS));
    let email = buyer.to_lowercase().replace(' ', ".");
    json!({
        // The last group holds the number, so no id comes twice.
        "amazonOrderId": format!("{}-{:07}-{number:07}", marketplace.prefix, (mix >> 32) % 10_000_000),
        "purchaseDate": iso_time(bought_ms),
        "orderStatus": "Unshipped",
        "buyerName": buyer,
        "buyerEmail": format!("{email}@example.com"),
        "sku": product.variant,
        "title": product.name,
        "quantity": quantity,
        "orderTotal": {
            "amount": samples::amount(product.price_cents * quantity),
            "currencyCode": marketplace.currency,
        },
        "shippingAddress": {
            "addressLine1": format!("{street} {}", 1 + (mix >> 40) % 90),
            "postalCode": postal_code,
            "city": city,
            "countryCode": marketplace.country,
        },
    })
}

/// Takes the products of a message as one feed; its id follows from what is in it.
fn submit_feed(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    refuse_seller(work.cfg)?;
    let products = samples::list(&work.message.body, "products")?;
    for (place, product) in products.iter().enumerate() {
        let fault = |fault: &str| Failure::new(format!("`products[{place}]` {fault}"));
        let product = product
            .as_object()
            .ok_or_else(|| fault("must be an object"))?;
        for name in FEED_MEMBERS {
            fields::required(product, name)
                .map_err(|failure| fault(&format!("is refused: {}", failure.message)))?;
        }
        let kind = fields::text(product, "standardProductIDType").unwrap_or_default();
        if !PRODUCT_ID_KINDS.contains(&kind) {
            let kinds = PRODUCT_ID_KINDS.join(", ");
            return Err(fault(&format!(
                "is refused: `standardProductIDType` must be one of {kinds}"
            )));
        }
    }
    let text = work.message.body["products"].to_string();
    let digits = samples::digest(text.as_bytes()) % 10_000_000_000;
    emitter.body(json!({ "feedSubmissionId": format!("5{digits:010}") }))
}

/// Refuses the seller that stands for wrong credentials.
fn refuse_seller(keys: &Fields) -> Result<(), Failure> {
    match fields::text(keys, "sellerId") {
        Some("invalid") => Err(Failure::new("The seller ID `invalid` is not known")),
        _ => Ok(()),
    }
}

/// Tells whether the service knows the seller.
#[expect(clippy::unnecessary_wraps, reason = "other services may fail")]
fn verify(keys: &Fields, _: &Tools<'_>) -> Result<Value, Failure> {
    let checked = refuse_seller(keys).and_then(|()| fields::required(keys, "sellerId").map(drop));
    Ok(fields::verdict(&checked))
}

/// Returns the chosen marketplace: by name, title or country.
///
/// Credentials name one in many ways: the documented activation has `us`, which is no
/// option. So none is refused, and one that is not known is the first.
fn marketplace(cfg: &Fields) -> &'static Marketplace {
    let name = fields::text(cfg, "marketplace").unwrap_or_default().trim();
    let known = |one: &&Marketplace| {
        [one.name, one.title, one.country]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    MARKETPLACES.iter().find(known).unwrap_or(&MARKETPLACES[0])
}

/// Returns the marketplaces to choose from.
#[expect(clippy::unnecessary_wraps, reason = "other services may fail")]
fn marketplaces(_: &Fields, _: &Tools<'_>) -> Result<Value, Failure> {
    let mut titles: Vec<_> = MARKETPLACES
        .iter()
        .map(|one| (one.name, one.title))
        .collect();
    titles.sort_unstable();
    let titles = titles.into_iter();
    Ok(Value::Object(
        titles
            .map(|(name, title)| (name.to_owned(), Value::from(title)))
            .collect(),
    ))
}

/// Returns how many orders one message has.
fn page_size(cfg: &Fields) -> Result<u64, Failure> {
    Ok(fields::whole(cfg, "pageSize", 1, PAGE_SIZE_MAX)?.unwrap_or(PAGE_SIZE))
}

/// Checks the fields of the trigger.
fn check_orders(cfg: &Fields) -> Vec<String> {
    let fault = page_size(cfg).err();
    fault
        .map(|failure| format!("has a bad field: {}", failure.message))
        .into_iter()
        .collect()
}
