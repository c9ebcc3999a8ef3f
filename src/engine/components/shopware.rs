//! `elasticio/shopware`: stands in for a Shopware shop, without a network.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::samples::{self, PRODUCTS, Product};
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "shopware",
    functions: &[
        Function::new("getProducts", Nature::Queued, get_products).checked_by(check_products),
        Function::new("createOrder", Nature::Queued, create_order),
    ],
    verify: Some(verify),
};

/// Products in a message where the field is empty.
const PAGE_SIZE: u64 = 10;

/// The most products in a message.
const PAGE_SIZE_MAX: u64 = 500;

/// What all codes of the shop begin with: a prefix that is for codes inside of a shop.
const EAN_PREFIX: u64 = 20_000_000_000;

/// Emits the products of the shop, page by page.
fn get_products(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    refuse_user(work.cfg)?;
    let page = usize::try_from(page_size(work.cfg)?).unwrap_or(usize::MAX);
    let products: Vec<Value> = (1..).zip(&PRODUCTS).map(described).collect();
    products
        .chunks(page)
        .try_for_each(|page| emitter.body(json!({ "product": page })))
}

/// Returns a product as the shop has it.
fn described((number, product): (u64, &Product)) -> Value {
    json!({
        "name": product.name,
        "variantId": product.variant,
        "ean": ean(number),
        "supplier": product.supplier,
        "price": samples::amount(product.price_cents),
        "currency": "EUR",
        "inStock": samples::mixed(number) % 80,
    })
}

/// Returns the code of a number, whose last digit checks the others.
fn ean(number: u64) -> String {
    let digits = format!("{:012}", EAN_PREFIX * 10 + number);
    let sum: u32 = (0u32..)
        .zip(digits.chars())
        .map(|(place, digit)| digit.to_digit(10).unwrap_or(0) * if place % 2 == 0 { 1 } else { 3 })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Takes the orders of a message, all or none.
fn create_order(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    refuse_user(work.cfg)?;
    let orders = samples::list(&work.message.body, "orders")?;
    for (place, order) in orders.iter().enumerate() {
        let fault = |fault: &str| Failure::new(format!("`orders[{place}]` {fault}"));
        let order = order
            .as_object()
            .ok_or_else(|| fault("must be an object"))?;
        fields::required(order, "externalId")
            .map_err(|failure| fault(&format!("is refused: {}", failure.message)))?;
    }
    emitter.body(json!({ "created": orders.len() }))
}

/// Refuses the user that stands for wrong credentials.
fn refuse_user(keys: &Fields) -> Result<(), Failure> {
    match fields::text(keys, "user") {
        Some("invalid") => Err(Failure::new("The shop does not know the user `invalid`")),
        _ => Ok(()),
    }
}

/// Tells whether the shop knows the user.
#[expect(clippy::unnecessary_wraps, reason = "other services may fail")]
fn verify(keys: &Fields, _: &Tools<'_>) -> Result<Value, Failure> {
    let complete = ["baseUrl", "user", "password"]
        .iter()
        .try_for_each(|name| fields::required(keys, name).map(drop));
    Ok(fields::verdict(&refuse_user(keys).and(complete)))
}

/// Returns how many products one message has.
fn page_size(cfg: &Fields) -> Result<u64, Failure> {
    Ok(fields::whole(cfg, "pageSize", 1, PAGE_SIZE_MAX)?.unwrap_or(PAGE_SIZE))
}

/// Checks the fields of the trigger.
fn check_products(cfg: &Fields) -> Vec<String> {
    let fault = page_size(cfg).err();
    fault
        .map(|failure| format!("has a bad field: {}", failure.message))
        .into_iter()
        .collect()
}
