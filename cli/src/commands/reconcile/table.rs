//! The findings as text.

use std::fmt::Write;

use fondaco_inventory::books::StockBooks;

use super::{Findings, compare};

const HEAD: [&str; 8] = [
    "SKU",
    "total",
    "available",
    "held",
    "sold",
    "Redis available",
    "Redis held",
    "",
];

/// The table of SKUs, the differences, and a last line that sums up.
pub fn text(findings: &Findings) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(findings.stock.iter().map(row));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        write_row(&mut text, row, &widths);
    }
    for difference in &findings.differences {
        text.push_str(&format!("difference: {difference}\n"));
    }
    let (skus, orders, differences) = (findings.stock.len(), findings.orders, findings.differences.len());
    let verdict = match differences {
        0 => "the books balance".to_owned(),
        1 => "1 difference".to_owned(),
        more => format!("{more} differences"),
    };
    text + &format!("{skus} SKUs, {orders} orders: {verdict}")
}

fn row(books: &StockBooks) -> [String; 8] {
    let redis = |figure: fn(&fondaco_inventory::books::RedisBooks) -> i64| {
        books
            .redis
            .as_ref()
            .map_or("-".to_owned(), |redis| figure(redis).to_string())
    };
    let verdict = if compare::stock(books).is_none() {
        "ok"
    } else {
        "DIFFERENT"
    };
    [
        books.sku.to_string(),
        books.total.to_string(),
        (books.total - books.sold - books.held).to_string(),
        books.held.to_string(),
        books.sold.to_string(),
        redis(|redis| redis.available),
        redis(|redis| redis.held),
        verdict.to_owned(),
    ]
}

/// Names to the left, figures to the right.
fn write_row(text: &mut String, row: &[String; 8], widths: &[usize]) {
    let mut line = format!("{:<width$}", row[0], width = widths[0]);
    for (cell, width) in row[1..7].iter().zip(&widths[1..7]) {
        write!(line, "  {cell:>width$}").expect("writing to a string succeeds");
    }
    text.push_str(format!("{line}  {}", row[7]).trim_end());
    text.push('\n');
}
