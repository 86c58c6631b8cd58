//! What we write to people: plain text, short, and nothing to click.

use std::fmt;

/// One mail's content.
#[derive(Clone)]
pub enum Letter {
    /// The code that proves an address.
    VerifyEmail {
        /// The code in clear.
        code: String,
    },
    /// Somebody signed up with the address of an account.
    AlreadyRegistered,
    /// The code that chooses a new password.
    ResetPassword {
        /// The code in clear.
        code: String,
    },
    /// The password was changed.
    PasswordChanged,
}

impl Letter {
    /// Its name, for logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword { .. } => "reset_password",
            Self::PasswordChanged => "password_changed",
        }
    }

    pub(super) const fn subject(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "Your code to confirm this e-mail address",
            Self::AlreadyRegistered => "You have an account already",
            Self::ResetPassword { .. } => "Your code to choose a new password",
            Self::PasswordChanged => "Your password was changed",
        }
    }

    pub(super) fn body(&self) -> String {
        match self {
            Self::VerifyEmail { code } => format!(
                "Your code is\n\n    {code}\n\nIt confirms this e-mail address and is valid for ten minutes.\n\
                 If you did not ask for it, do nothing: without the code nothing happens.\n"
            ),
            Self::AlreadyRegistered => "Somebody, perhaps you, signed up with this e-mail address.\n\n\
                 You have an account already: sign in, or choose a new password if you have forgotten yours.\n\
                 If it was not you, do nothing: your account is unchanged.\n"
                .to_owned(),
            Self::ResetPassword { code } => format!(
                "Your code is\n\n    {code}\n\nIt lets you choose a new password and is valid for ten minutes. Give it to nobody.\n\
                 If you did not ask for it, do nothing: your password is unchanged.\n"
            ),
            Self::PasswordChanged => "The password of your account was changed, and other devices were signed out.\n\n\
                 If it was not you, choose a new password at once.\n"
                .to_owned(),
        }
    }
}

impl fmt::Debug for Letter {
    /// Without the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Letter").field(&self.kind()).finish()
    }
}
