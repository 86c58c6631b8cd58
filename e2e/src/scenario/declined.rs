//! A card that is refused: the order fails with a clear reason and the stock comes back.

use crate::platform::Platform;
use crate::shop;

/// Tells the story.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let (shopper, merchant) = (shop::sign_up(&client).await, shop::merchant(&client).await);
    let variants = shop::variants(&client).await;
    let variant = variants.iter().filter(|variant| !variant.drop).nth(1).unwrap();
    shop::set_stock(&merchant, variant, 3).await;
    for token in ["tok_declined", "tok_insufficient_funds"] {
        let answer = shop::purchase(&shopper, &variant.sku, 3, token, token).await;
        assert_eq!(
            shop::user_error(&answer, "purchase"),
            "PAYMENT_DECLINED",
            "{}",
            answer.body
        );
        assert!(answer.errors().is_empty(), "{}", answer.body);
        shop::expect_available(&client, variant, 3).await;
    }
    // The next buyer gets it at once.
    let answer = shop::purchase(&shopper, &variant.sku, 3, "tok_success", "after").await;
    assert_eq!(
        answer.expect_data()["purchase"]["order"]["status"],
        "CONFIRMED",
        "{}",
        answer.body
    );
}
