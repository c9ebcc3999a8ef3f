//! Lookup tables, the simulated connectors, and credentials.

use std::collections::HashSet;

use elastane::domain::lookup::NewLookup;
use serde_json::{Value, json};

use super::bench::{Bench, call, faults, object};

/// Makes a lookup of the bench's owner; returns its id.
fn make_lookup(bench: &Bench, title: &str, data: &Value) -> String {
    let new = NewLookup::parse(Some(title), Some(object(data).clone())).expect("valid");
    let made = bench.here.app.create_lookup(&bench.who, new).expect("made");
    made.id.to_string()
}

#[test]
fn lookup_translates_through_a_table_by_id_or_title() {
    let bench = Bench::new();
    let id = make_lookup(&bench, "Genders", &json!({ "male": "M", "1": "one" }));
    for table in [id.as_str(), "Genders"] {
        let cfg = json!({ "lookup": table });
        let bodies = bench.bodies("lookup:lookup", cfg.clone(), json!({ "input": "male" }));
        assert_eq!(bodies, [json!({ "result": "M" })]);
        let bodies = bench.bodies("lookup:lookup", cfg, json!({ "input": 1 }));
        assert_eq!(bodies, [json!({ "result": "one" })]);
    }
}

#[test]
fn lookup_of_an_unknown_value_is_an_error_or_an_empty_object() {
    let bench = Bench::new();
    make_lookup(&bench, "Genders", &json!({ "male": "M" }));
    let unknown = json!({ "input": "x" });
    assert_eq!(
        bench.failure(
            "lookup:lookup",
            json!({ "lookup": "Genders" }),
            unknown.clone()
        ),
        "Value does not exist in table selected"
    );
    for on in [json!(true), json!("on"), json!("true")] {
        let cfg = json!({ "lookup": "Genders", "emitEmptyObject": on });
        assert_eq!(
            bench.bodies("lookup:lookup", cfg, unknown.clone()),
            [json!({})]
        );
    }
    for (cfg, body, word) in [
        (
            json!({ "lookup": "No table" }),
            json!({ "input": "x" }),
            "No table",
        ),
        (json!({}), json!({ "input": "x" }), "lookup"),
        (json!({ "lookup": "Genders" }), json!({}), "input"),
        (json!({ "lookup": "Genders" }), json!([]), "body"),
    ] {
        let failure = bench.failure("lookup:lookup", cfg, body);
        assert!(failure.contains(word), "{failure}");
    }
    assert_eq!(faults("lookup:lookup", &json!({})), ["has no `lookup`"]);
}

#[test]
fn another_users_table_is_not_there() {
    let bench = Bench::new();
    let other = bench.here.principal("other@example.com");
    let new = NewLookup::parse(Some("Theirs"), Some(object(&json!({ "a": "b" })).clone()));
    let made = bench.here.app.create_lookup(&other, new.unwrap()).unwrap();
    for table in [made.id.to_string(), "Theirs".to_owned()] {
        let cfg = json!({ "lookup": table });
        let failure = bench.failure("lookup:lookup", cfg, json!({ "input": "a" }));
        assert!(failure.contains("no lookup table"), "{failure}");
    }
    assert_eq!(
        bench.model("lookup:lookup", "getLookups", &json!({})),
        json!({})
    );
}

#[test]
fn lookup_offers_its_tables_and_their_keys() {
    let bench = Bench::new();
    let id = make_lookup(&bench, "Genders", &json!({ "male": "M", "female": "F" }));
    let models = bench.model("lookup:lookup", "getLookups", &json!({}));
    assert_eq!(models[&id], "Genders");
    let metadata = bench
        .metadata("lookup:lookup", &json!({ "lookup": id }))
        .unwrap();
    assert_eq!(
        metadata["in"]["properties"]["input"]["enum"],
        json!(["male", "female"])
    );
    assert_eq!(metadata["out"]["properties"]["result"]["type"], "string");
    assert!(bench.metadata("lookup:lookup", &json!({})).is_err());
}

/// Polls for orders so many times, and returns the pages.
fn polls(bench: &Bench, cfg: &Value, times: usize) -> Vec<Value> {
    let mut call = call("amazonmws:getOrders", cfg.clone(), json!({}));
    let mut pages = Vec::new();
    for _ in 0..times {
        let outcome = bench.run(&call);
        pages.extend(outcome.bodies());
        call.snapshot = outcome.snapshot().expect("a snapshot").clone();
    }
    pages
}

#[test]
fn no_order_comes_twice_and_every_installation_has_the_same() {
    let bench = Bench::new();
    let cfg = json!({ "sellerId": "A1", "marketplace": "germany" });
    let pages = polls(&bench, &cfg, 20);
    let orders = pages
        .iter()
        .flat_map(|page| page["orders"].as_array().unwrap());
    let ids: Vec<&str> = orders
        .map(|order| order["amazonOrderId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 200);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 200);
    assert_eq!(pages, polls(&Bench::new(), &cfg, 20));
}

#[test]
fn an_order_has_what_the_descriptor_says() {
    let bench = Bench::new();
    let page = &polls(
        &bench,
        &json!({ "marketplace": "france", "pageSize": "3" }),
        1,
    )[0];
    let orders = page["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 3);
    for order in orders {
        assert_eq!(order["orderTotal"]["currencyCode"], "EUR");
        assert!(order["orderTotal"]["amount"].as_f64().unwrap() > 0.0);
        assert_eq!(order["shippingAddress"]["countryCode"], "FR");
        assert!(order["quantity"].as_u64().unwrap() >= 1);
        for text in [
            "purchaseDate",
            "orderStatus",
            "buyerName",
            "buyerEmail",
            "sku",
            "title",
        ] {
            assert!(order[text].is_string(), "{text}: {order}");
        }
        for text in ["addressLine1", "postalCode", "city"] {
            assert!(
                order["shippingAddress"][text].is_string(),
                "{text}: {order}"
            );
        }
    }
}

#[test]
fn the_page_size_may_be_a_number_or_its_text_and_is_bounded() {
    let bench = Bench::new();
    for (size, expected) in [
        (json!(4), 4),
        (json!("5"), 5),
        (json!(""), 10),
        (Value::Null, 10),
    ] {
        let page = &polls(&bench, &json!({ "pageSize": size }), 1)[0];
        assert_eq!(page["orders"].as_array().unwrap().len(), expected);
    }
    for bad in [
        json!(0),
        json!("many"),
        json!(101),
        json!(-1),
        json!(1.5),
        json!([]),
    ] {
        let cfg = json!({ "pageSize": bad });
        let failure = bench.failure("amazonmws:getOrders", cfg.clone(), json!({}));
        assert_eq!(failure, "`pageSize` must be a whole number from 1 to 100");
        assert_eq!(faults("amazonmws:getOrders", &cfg).len(), 1);
    }
}

#[test]
fn the_marketplaces_to_choose_from_are_those_of_the_credential() {
    let bench = Bench::new();
    let models = bench.model("amazonmws:getOrders", "getMarketplaces", &json!({}));
    let descriptor = include_str!("../../../assets/components/amazonmws/component.json");
    let descriptor: Value = serde_json::from_str(descriptor).unwrap();
    let field = &descriptor["credentials"]["fields"]["marketplace"];
    assert_eq!(models, field["model"]);
    let currency = |name: &str| {
        let page = &polls(&bench, &json!({ "marketplace": name, "pageSize": 1 }), 1)[0];
        page["orders"][0]["orderTotal"]["currencyCode"].clone()
    };
    let currencies: HashSet<Value> = object(&models).keys().map(|name| currency(name)).collect();
    assert_eq!(currencies.len(), 5);
    // The documented activation has `us`, which is no option.
    assert_eq!(currency("us"), "USD");
    assert_eq!(currency("elsewhere"), "USD");
    assert_eq!(currency("JP"), "JPY");
}

#[test]
fn a_feed_gets_an_id_that_follows_from_its_products() {
    let bench = Bench::new();
    let feed = |sku: &str| {
        json!({ "products": [{
            "title": "Mug", "sku": sku,
            "standardProductIDType": "EAN", "standardProductIDValue": "2000000000015",
        }] })
    };
    let submit =
        |body: Value| bench.bodies("amazonmws:submitProductFeed", json!({}), body)[0].clone();
    let id = submit(feed("a"))["feedSubmissionId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        id.len() == 11 && id.bytes().all(|digit| digit.is_ascii_digit()),
        "{id}"
    );
    assert_eq!(submit(feed("a"))["feedSubmissionId"], *id);
    assert_ne!(submit(feed("b"))["feedSubmissionId"], *id);
}

#[test]
fn a_feed_with_a_bad_product_is_refused_as_a_whole() {
    let bench = Bench::new();
    let good = json!({ "title": "t", "sku": 1, "standardProductIDType": "UPC",
        "standardProductIDValue": 2 });
    let mut no_sku = good.clone();
    no_sku["sku"] = json!(" ");
    let mut no_kind = good.clone();
    no_kind["standardProductIDType"] = json!("XYZ");
    for (body, word) in [
        (json!({}), "products"),
        (json!({ "products": good }), "products"),
        (json!({ "products": [good, 5] }), "products[1]"),
        (json!({ "products": [good, no_sku] }), "sku"),
        (
            json!({ "products": [good, no_kind] }),
            "standardProductIDType",
        ),
        (json!("text"), "body"),
    ] {
        let failure = bench.failure("amazonmws:submitProductFeed", json!({}), body);
        assert!(failure.contains(word), "{failure}");
    }
}

#[test]
fn the_shop_emits_the_same_products_page_by_page() {
    let bench = Bench::new();
    let whole = bench.bodies("shopware:getProducts", json!({}), json!({}));
    assert_eq!(whole.len(), 1);
    let products = whole[0]["product"].as_array().unwrap();
    let pages = bench.bodies(
        "shopware:getProducts",
        json!({ "pageSize": "4" }),
        json!({}),
    );
    let single: Vec<&Value> = pages
        .iter()
        .flat_map(|page| page["product"].as_array().unwrap())
        .collect();
    assert_eq!(pages.len(), 3);
    assert_eq!(single, products.iter().collect::<Vec<_>>());
    for product in products {
        for text in ["name", "variantId", "supplier", "currency"] {
            assert!(product[text].is_string(), "{product}");
        }
        assert!(
            product["price"].is_f64() && product["inStock"].is_u64(),
            "{product}"
        );
        let digits: Vec<u32> = product["ean"]
            .as_str()
            .unwrap()
            .chars()
            .map(|digit| digit.to_digit(10).unwrap())
            .collect();
        let sum: u32 = digits
            .iter()
            .zip([1, 3].iter().cycle())
            .map(|(digit, weight)| digit * weight)
            .sum();
        assert_eq!((digits.len(), sum % 10), (13, 0), "{product}");
    }
}

#[test]
fn the_shop_creates_all_orders_of_a_message_or_none() {
    let bench = Bench::new();
    let orders = json!({ "orders": [{ "externalId": "1" }, { "externalId": 2, "total": 3 }] });
    let bodies = bench.bodies("shopware:createOrder", json!({}), orders);
    assert_eq!(bodies, [json!({ "created": 2 })]);
    for (body, word) in [
        (json!({}), "orders"),
        (
            json!({ "orders": [{ "externalId": "1" }, {}] }),
            "orders[1]",
        ),
        (json!({ "orders": ["1"] }), "orders[0]"),
    ] {
        let failure = bench.failure("shopware:createOrder", json!({}), body);
        assert!(failure.contains(word), "{failure}");
    }
}

#[test]
fn orders_of_the_marketplace_name_products_of_the_shop() {
    let bench = Bench::new();
    let shop = bench.bodies("shopware:getProducts", json!({}), json!({}));
    let products = shop[0]["product"].as_array().unwrap().iter();
    let variants: HashSet<&Value> = products.map(|product| &product["variantId"]).collect();
    let page = &polls(&bench, &json!({ "pageSize": 100 }), 1)[0];
    let skus: HashSet<&Value> = page["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| &order["sku"])
        .collect();
    assert_eq!(skus, variants);
}

#[test]
fn credentials_that_can_not_work_are_refused_with_the_reason() {
    let bench = Bench::new();
    let fine = json!({ "verified": true });
    let seller = |id: &str| json!({ "sellerId": id, "marketplace": "usa", "mwsAuthToken": "t" });
    assert_eq!(bench.verify("amazonmws", &seller("A1")), fine);
    let user = |name: &str| json!({ "baseUrl": "shop.example.com", "user": name, "password": "p" });
    assert_eq!(bench.verify("shopware", &user("demo")), fine);
    for (component, keys, word) in [
        ("amazonmws", seller("invalid"), "invalid"),
        ("amazonmws", json!({}), "sellerId"),
        ("shopware", user("invalid"), "invalid"),
        ("shopware", json!({ "user": "demo" }), "baseUrl"),
    ] {
        let answer = bench.verify(component, &keys);
        assert_eq!(answer["verified"], false, "{answer}");
        assert!(
            answer["reason"].as_str().unwrap().contains(word),
            "{answer}"
        );
    }
    for function in ["amazonmws:getOrders", "amazonmws:submitProductFeed"] {
        assert!(
            bench
                .failure(function, seller("invalid"), json!({}))
                .contains("invalid")
        );
    }
    for function in ["shopware:getProducts", "shopware:createOrder"] {
        assert!(
            bench
                .failure(function, user("invalid"), json!({}))
                .contains("invalid")
        );
    }
}

#[test]
fn the_credential_of_a_webhook_says_completely_how_callers_prove_themselves() {
    let bench = Bench::new();
    for auth in [
        json!({}),
        json!({ "type": "NO_AUTH" }),
        json!({ "type": "BASIC", "basic": { "username": "u", "password": "p" } }),
        json!({ "type": "API_KEY", "apiKey": { "headerName": "X-Key", "headerValue": "k" } }),
        json!({ "type": "HMAC", "hmac": { "secret": "s" } }),
        json!({ "type": "HMAC", "hmac": { "secret": "s", "algorithm": "sha512" } }),
    ] {
        let as_text = json!({ "auth": auth.to_string() });
        for keys in [json!({ "auth": auth }), as_text] {
            assert_eq!(
                bench.verify("webhook", &keys),
                json!({ "verified": true }),
                "{keys}"
            );
        }
    }
    for auth in [
        json!({ "type": "BASIC" }),
        json!({ "type": "BASIC", "basic": { "username": "u" } }),
        json!({ "type": "API_KEY", "apiKey": { "headerName": "X-Key" } }),
        json!({ "type": "HMAC", "hmac": {} }),
        json!({ "type": "HMAC", "hmac": { "secret": "s", "algorithm": "md5" } }),
        json!({ "type": "DIGEST" }),
        json!("not an object"),
    ] {
        let answer = bench.verify("webhook", &json!({ "auth": auth }));
        assert_eq!(answer["verified"], false, "{answer}");
        assert!(
            answer["reason"].as_str().unwrap().contains("auth"),
            "{answer}"
        );
    }
}
