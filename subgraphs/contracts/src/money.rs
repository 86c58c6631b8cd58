//! Money: integer minor units with an ISO 4217 currency. There are no floats anywhere near it.

use std::{fmt, str::FromStr};

use async_graphql::{InputValueError, InputValueResult, Number, Scalar, ScalarType, SimpleObject, Value};
use serde::{Deserialize, Serialize};

/// An amount of money in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(shareable)]
pub struct Money {
    /// Integer minor units: 1299 is 12.99 in a currency with two decimals.
    pub amount: Amount,
    /// The ISO 4217 code.
    pub currency: CurrencyCode,
}

impl Money {
    /// `minor_units` of `currency`, refused beyond ±(2^53 - 1).
    pub fn new(minor_units: i64, currency: CurrencyCode) -> Result<Self, MoneyError> {
        Ok(Self {
            amount: Amount::new(minor_units)?,
            currency,
        })
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: CurrencyCode) -> Self {
        Self {
            amount: Amount(0),
            currency,
        }
    }

    /// The integer minor units, as databases store them.
    pub const fn minor_units(&self) -> i64 {
        self.amount.0
    }

    /// The sum; both must be of one currency.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self
            .amount
            .0
            .checked_add(other.amount.0)
            .ok_or(MoneyError::OutOfRange)?;
        Self::new(sum, self.currency)
    }

    /// The difference; both must be of one currency.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let difference = self
            .amount
            .0
            .checked_sub(other.amount.0)
            .ok_or(MoneyError::OutOfRange)?;
        Self::new(difference, self.currency)
    }

    /// This amount `quantity` times.
    pub fn checked_mul(self, quantity: i64) -> Result<Self, MoneyError> {
        let product = self
            .amount
            .0
            .checked_mul(quantity)
            .ok_or(MoneyError::OutOfRange)?;
        Self::new(product, self.currency)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch {
            left: self.currency,
            right: other.currency,
        })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.0, self.currency)
    }
}

/// Why an amount of money could not be computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoneyError {
    /// Beyond ±(2^53 - 1) minor units.
    #[error("the amount is out of range")]
    OutOfRange,
    /// Two currencies in one sum.
    #[error("{left} and {right} cannot be added")]
    CurrencyMismatch {
        /// The first amount's currency.
        left: CurrencyCode,
        /// The second amount's currency.
        right: CurrencyCode,
    },
    /// Not three capital letters.
    #[error("a currency code has three capital letters")]
    InvalidCurrency,
}

/// Integer minor units, in ±(2^53 - 1), so that JavaScript reads every one exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

impl Amount {
    /// The largest amount: 2^53 - 1.
    pub const MAX: i64 = (1 << 53) - 1;

    /// `minor_units`, refused beyond ±[`Amount::MAX`].
    pub fn new(minor_units: i64) -> Result<Self, MoneyError> {
        let in_range = (-Self::MAX..=Self::MAX).contains(&minor_units);
        if in_range {
            Ok(Self(minor_units))
        } else {
            Err(MoneyError::OutOfRange)
        }
    }

    /// The integer.
    pub const fn minor_units(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Amount {
    type Error = MoneyError;

    fn try_from(minor_units: i64) -> Result<Self, MoneyError> {
        Self::new(minor_units)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// Integer minor units of a currency, at most 2^53 - 1: 1299 is 12.99 in a currency with two decimals.
#[Scalar(name = "Amount")]
impl ScalarType for Amount {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Number(number) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let minor_units = number
            .as_i64()
            .ok_or_else(|| InputValueError::custom("an amount is an integer"))?;
        Self::new(minor_units).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::Number(Number::from(self.0))
    }
}

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CurrencyCode([u8; 3]);

impl CurrencyCode {
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// US dollar.
    pub const USD: Self = Self(*b"USD");

    /// The code as text, as databases store it.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the constructor admits capital letters only")
    }
}

impl FromStr for CurrencyCode {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let code: [u8; 3] = text
            .as_bytes()
            .try_into()
            .map_err(|_| MoneyError::InvalidCurrency)?;
        let valid = code.iter().all(u8::is_ascii_uppercase);
        if valid {
            Ok(Self(code))
        } else {
            Err(MoneyError::InvalidCurrency)
        }
    }
}

impl TryFrom<String> for CurrencyCode {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<CurrencyCode> for String {
    fn from(code: CurrencyCode) -> Self {
        code.as_str().to_owned()
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An ISO 4217 currency code, such as `EUR`.
#[Scalar(name = "CurrencyCode")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        text.parse().map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::String(self.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(minor_units: i64) -> Money {
        Money::new(minor_units, CurrencyCode::EUR).unwrap()
    }

    #[test]
    fn sums_are_checked() {
        let max = eur(Amount::MAX);
        assert_eq!(eur(1299).checked_add(eur(1)), Ok(eur(1300)));
        assert_eq!(eur(1299).checked_sub(eur(1300)), Ok(eur(-1)));
        assert_eq!(eur(1299).checked_mul(3), Ok(eur(3897)));
        assert_eq!(max.checked_add(eur(1)), Err(MoneyError::OutOfRange));
        assert_eq!(max.checked_mul(i64::MAX), Err(MoneyError::OutOfRange));
        assert_eq!(
            eur(1).checked_add(Money::zero(CurrencyCode::USD)),
            Err(MoneyError::CurrencyMismatch {
                left: CurrencyCode::EUR,
                right: CurrencyCode::USD
            })
        );
    }

    #[test]
    fn json_is_checked_too() {
        let check = |text: &str, expected: Option<Money>| {
            assert_eq!(serde_json::from_str(text).ok(), expected, "{text}");
        };
        check(r#"{"amount":1299,"currency":"EUR"}"#, Some(eur(1299)));
        check(r#"{"amount":12.99,"currency":"EUR"}"#, None);
        check(r#"{"amount":9007199254740992,"currency":"EUR"}"#, None);
        check(r#"{"amount":1,"currency":"eur"}"#, None);
        check(r#"{"amount":1,"currency":"EURO"}"#, None);
    }
}
