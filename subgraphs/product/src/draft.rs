//! What merchants write, checked: every rule that the database would otherwise refuse with less to say.

use async_graphql::{ID, InputObject};
use fondaco_contracts::{CurrencyCode, ErrorCode, Money, Sku, UserError, money::Amount};

use crate::product::{LimitedDrop, ProductOption, ProductStatus};

const MAX_NAME: usize = 200;
const MAX_SLUG: usize = 100;
const MAX_DESCRIPTION: usize = 10_000;
const MAX_CATEGORY: usize = 60;
const MAX_VARIANTS: usize = 100;
const MAX_OPTIONS: usize = 10;
const MAX_LIMIT: i32 = 1_000_000;

/// A price as a merchant writes it.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct MoneyInput {
    /// Integer minor units, not negative.
    pub amount: Amount,
    /// The ISO 4217 code.
    pub currency: CurrencyCode,
}

/// A variant as a merchant writes it.
#[derive(Clone, Debug, InputObject)]
pub struct ProductVariantInput {
    /// 1 to 64 letters, digits, `-`, `_` or `.`; never changes.
    pub sku: ID,
    /// What tells it from its siblings, such as `M / Navy`.
    pub name: String,
    /// The same, part by part.
    #[graphql(default)]
    pub options: Vec<ProductOption>,
    /// For one unit; one currency for all variants of a product.
    pub price: MoneyInput,
    /// Present to sell it as a limited drop.
    pub drop: Option<LimitedDrop>,
}

/// A new product.
#[derive(Clone, Debug, InputObject)]
pub struct CreateProductInput {
    /// Its name.
    pub name: String,
    /// Its name in addresses: lower-case words joined by hyphens; made from the name when absent.
    pub slug: Option<String>,
    /// Plain text.
    #[graphql(default)]
    pub description: String,
    /// Such as `Coats`.
    pub category: String,
    /// Drafts are seen by merchants only.
    #[graphql(default_with = "ProductStatus::Active")]
    pub status: ProductStatus,
    /// At least one.
    pub variants: Vec<ProductVariantInput>,
}

/// Changes to a product: what is absent stays.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateProductInput {
    /// Which product.
    pub id: ID,
    /// Its new name.
    pub name: Option<String>,
    /// Its new name in addresses.
    pub slug: Option<String>,
    /// The new text.
    pub description: Option<String>,
    /// The new category.
    pub category: Option<String>,
    /// The new status.
    pub status: Option<ProductStatus>,
    /// Variants to add, or to replace by SKU; the others stay.
    pub variants: Option<Vec<ProductVariantInput>>,
}

/// A variant that may be stored.
#[derive(Clone, Debug)]
pub struct VariantDraft {
    /// Its key.
    pub sku: Sku,
    /// Its name.
    pub name: String,
    /// Its options.
    pub options: Vec<ProductOption>,
    /// Its price.
    pub price: Money,
    /// Its drop.
    pub drop: Option<LimitedDrop>,
}

/// A product that may be stored.
#[derive(Clone, Debug)]
pub struct ProductDraft {
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Its text.
    pub description: String,
    /// Its category.
    pub category: String,
    /// Its status.
    pub status: ProductStatus,
    /// At least one, of one currency.
    pub variants: Vec<VariantDraft>,
}

/// Changes that may be stored.
#[derive(Clone, Debug, Default)]
pub struct ProductChanges {
    /// A new name.
    pub name: Option<String>,
    /// A new slug.
    pub slug: Option<String>,
    /// A new text.
    pub description: Option<String>,
    /// A new category.
    pub category: Option<String>,
    /// A new status.
    pub status: Option<ProductStatus>,
    /// Variants to add or replace.
    pub variants: Vec<VariantDraft>,
}

impl CreateProductInput {
    /// Checks everything and reports all that is wrong.
    pub fn check(self) -> Result<ProductDraft, Vec<UserError>> {
        let mut errors = Vec::new();
        check_text(&mut errors, "name", &self.name, 1, MAX_NAME);
        check_text(&mut errors, "description", &self.description, 0, MAX_DESCRIPTION);
        check_text(&mut errors, "category", &self.category, 1, MAX_CATEGORY);
        let slug = self.slug.unwrap_or_else(|| slug_from(&self.name));
        check_slug(&mut errors, &slug);
        if self.variants.is_empty() {
            errors.push(invalid("variants", "a product has at least one variant"));
        }
        let variants = check_variants(&mut errors, self.variants);
        let draft = ProductDraft {
            name: self.name.trim().to_owned(),
            slug,
            description: self.description,
            category: self.category.trim().to_owned(),
            status: self.status,
            variants,
        };
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }
}

impl UpdateProductInput {
    /// Checks everything and reports all that is wrong.
    pub fn check(self) -> Result<ProductChanges, Vec<UserError>> {
        let mut errors = Vec::new();
        let texts = [
            ("name", &self.name, 1, MAX_NAME),
            ("description", &self.description, 0, MAX_DESCRIPTION),
            ("category", &self.category, 1, MAX_CATEGORY),
        ];
        for (field, text, min, max) in texts {
            if let Some(text) = text {
                check_text(&mut errors, field, text, min, max);
            }
        }
        if let Some(slug) = &self.slug {
            check_slug(&mut errors, slug);
        }
        let variants = check_variants(&mut errors, self.variants.unwrap_or_default());
        let changes = ProductChanges {
            name: self.name.map(|name| name.trim().to_owned()),
            slug: self.slug,
            description: self.description,
            category: self.category.map(|category| category.trim().to_owned()),
            status: self.status,
            variants,
        };
        if errors.is_empty() {
            Ok(changes)
        } else {
            Err(errors)
        }
    }
}

/// Is `text` a slug: lower-case words of letters and digits joined by single hyphens?
pub fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= MAX_SLUG && text.split('-').all(is_word)
}

fn slug_from(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn check_slug(errors: &mut Vec<UserError>, slug: &str) {
    if !is_slug(slug) {
        let message = format!("a slug is lower-case words joined by hyphens, at most {MAX_SLUG} characters");
        errors.push(invalid("slug", message));
    }
}

fn check_text(errors: &mut Vec<UserError>, field: &str, text: &str, min: usize, max: usize) {
    let length = text.trim().chars().count();
    let is_plain = text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    if !(min..=max).contains(&length) {
        errors.push(invalid(field, format!("must have {min} to {max} characters")));
    } else if !is_plain {
        errors.push(invalid(field, "must not contain control characters"));
    }
}

fn check_variants(errors: &mut Vec<UserError>, inputs: Vec<ProductVariantInput>) -> Vec<VariantDraft> {
    if inputs.len() > MAX_VARIANTS {
        errors.push(invalid(
            "variants",
            format!("a product has at most {MAX_VARIANTS} variants"),
        ));
        return Vec::new();
    }
    let mut drafts: Vec<VariantDraft> = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.into_iter().enumerate() {
        let field = |name: &str| format!("variants.{index}.{name}");
        check_variant(errors, &field, &input);
        let Ok(sku) = Sku::try_from(input.sku.0) else {
            errors.push(invalid(
                field("sku"),
                fondaco_contracts::sku::InvalidSku.to_string(),
            ));
            continue;
        };
        if drafts.iter().any(|other| other.sku == sku) {
            errors.push(invalid(field("sku"), "this SKU appears twice"));
        }
        if drafts
            .iter()
            .any(|other| other.price.currency != input.price.currency)
        {
            errors.push(invalid(
                field("price.currency"),
                "a product's variants are priced in one currency",
            ));
        }
        let price = Money {
            amount: input.price.amount,
            currency: input.price.currency,
        };
        drafts.push(VariantDraft {
            sku,
            name: input.name,
            options: input.options,
            price,
            drop: input.drop,
        });
    }
    drafts
}

fn check_variant(errors: &mut Vec<UserError>, field: &dyn Fn(&str) -> String, input: &ProductVariantInput) {
    check_text(errors, &field("name"), &input.name, 1, MAX_NAME);
    if input.options.len() > MAX_OPTIONS {
        errors.push(invalid(
            field("options"),
            format!("a variant has at most {MAX_OPTIONS} options"),
        ));
    }
    for (index, option) in input.options.iter().take(MAX_OPTIONS).enumerate() {
        check_text(
            errors,
            &field(&format!("options.{index}.name")),
            &option.name,
            1,
            MAX_CATEGORY,
        );
        check_text(
            errors,
            &field(&format!("options.{index}.value")),
            &option.value,
            1,
            MAX_CATEGORY,
        );
    }
    if input.price.amount.minor_units() < 0 {
        errors.push(invalid(field("price.amount"), "a price is not negative"));
    }
    if input
        .drop
        .is_some_and(|drop| !(1..=MAX_LIMIT).contains(&drop.per_customer_limit))
    {
        let message = format!("the limit is between 1 and {MAX_LIMIT}");
        errors.push(invalid(field("drop.perCustomerLimit"), message));
    }
}

fn invalid(field: impl Into<String>, message: impl Into<String>) -> UserError {
    UserError::on(field, ErrorCode::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(sku: &str, amount: i64) -> ProductVariantInput {
        ProductVariantInput {
            sku: sku.into(),
            name: "M".to_owned(),
            options: vec![ProductOption {
                name: "Size".to_owned(),
                value: "M".to_owned(),
            }],
            price: MoneyInput {
                amount: Amount::new(amount).unwrap(),
                currency: CurrencyCode::EUR,
            },
            drop: None,
        }
    }

    fn coat() -> CreateProductInput {
        CreateProductInput {
            name: "Café Coat".to_owned(),
            slug: None,
            description: String::new(),
            category: "Coats".to_owned(),
            status: ProductStatus::Active,
            variants: vec![variant("CAFE-M", 100)],
        }
    }

    #[test]
    fn each_rule_names_its_field() {
        let check = |change: &dyn Fn(&mut CreateProductInput), fields: &[&str]| {
            let mut input = coat();
            change(&mut input);
            let errors = input.check().err().unwrap_or_default();
            let found: Vec<_> = errors.iter().filter_map(|error| error.field.as_deref()).collect();
            assert_eq!(found, fields);
        };
        check(&|_| {}, &[]);
        check(&|coat| coat.name = " ".to_owned(), &["name", "slug"]);
        check(&|coat| coat.name = "a".repeat(201), &["name", "slug"]);
        check(&|coat| coat.description = "nul \0".to_owned(), &["description"]);
        check(&|coat| coat.category = String::new(), &["category"]);
        check(&|coat| coat.slug = Some("No Slug".to_owned()), &["slug"]);
        check(&|coat| coat.slug = Some("a--b".to_owned()), &["slug"]);
        check(&|coat| coat.variants.clear(), &["variants"]);
        check(
            &|coat| coat.variants = (0..101).map(|n| variant(&format!("V{n}"), 1)).collect(),
            &["variants"],
        );
        check(&|coat| coat.variants[0].sku = "a b".into(), &["variants.0.sku"]);
        check(
            &|coat| coat.variants.push(variant("CAFE-M", 1)),
            &["variants.1.sku"],
        );
        check(
            &|coat| coat.variants.push(variant("CAFE-L", -1)),
            &["variants.1.price.amount"],
        );
        check(
            &|coat| coat.variants[0].options[0].value.clear(),
            &["variants.0.options.0.value"],
        );
        let dollars = |coat: &mut CreateProductInput| {
            coat.variants.push(variant("CAFE-L", 1));
            coat.variants[1].price.currency = CurrencyCode::USD;
        };
        check(&dollars, &["variants.1.price.currency"]);
        let drop = LimitedDrop {
            starts_at: chrono::Utc::now(),
            per_customer_limit: 0,
        };
        check(
            &|coat| coat.variants[0].drop = Some(drop),
            &["variants.0.drop.perCustomerLimit"],
        );
    }

    #[test]
    fn a_slug_is_made_from_the_name() {
        let check = |name: &str, expected: &str| assert_eq!(slug_from(name), expected);
        check("Edition 01 Trench Coat", "edition-01-trench-coat");
        check("  Café – Coat! ", "caf-coat");
        check("外套", "");
    }
}
