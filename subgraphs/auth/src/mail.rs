//! E-mail: what we write to people, and how it leaves: through SMTP, or as files in a folder for development.
//!
//! Mail is sent in the background: an answer must not take longer where there is somebody to write to.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use fondaco_chassis::{Tasks, error::chain};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        self,
        response::{Code, Severity},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

pub use letter::Letter;

use crate::{config::MailConfig, email::Email};

mod letter;
mod server;

/// Mails that may wait or be on their way at a time.
const MAX_WAITING: usize = 1000;
/// Pauses before a mail is tried again.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

/// The configuration of mail cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMailConfig {
    /// Not a mailbox such as `Shop <shop@example.com>`.
    #[error("auth.mail.from: {0}")]
    From(lettre::address::AddressError),
    /// Not an SMTP URL. What it says instead stays unsaid: it holds a password.
    #[error("auth.mail.smtp_url is not a URL such as smtps://user:password@host")]
    SmtpUrl,
    /// Whoever listens on the way would read the password.
    #[error("auth.mail.smtp_url has a password: use smtps://, or smtp:// with ?tls=required")]
    PasswordInClear,
    /// Not a file of certificates, or nothing to use them for.
    #[error("auth.mail.ca_file: {0}")]
    CaFile(String),
}

/// Why a mail has not left.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("the mail cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the address cannot be written to: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// What the server says besides may quote the recipient, and stays unsaid.
    #[error("the SMTP server answered {0}")]
    Refused(Code),
    #[error("SMTP: {0}")]
    Smtp(smtp::Error),
    #[error("the outbox cannot be written: {0}")]
    Outbox(#[from] io::Error),
}

/// Sends mail. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    shared: Arc<Shared>,
    waiting: Arc<Semaphore>,
    tasks: Tasks,
}

#[derive(Debug)]
struct Shared {
    from: Mailbox,
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Outbox(PathBuf),
}

impl Mailer {
    /// A mailer whose mails are sent by `tasks`.
    pub fn new(config: &MailConfig, tasks: Tasks) -> Result<Self, InvalidMailConfig> {
        let from = config.from.parse().map_err(InvalidMailConfig::From)?;
        let transport = match &config.smtp_url {
            Some(url) => Transport::Smtp(server::transport(url.expose(), config.ca_file.as_deref())?),
            None => {
                let folder = config.outbox.clone();
                Transport::Outbox(folder.unwrap_or_else(|| PathBuf::from(".fondaco/outbox")))
            }
        };
        Ok(Self {
            shared: Arc::new(Shared { from, transport }),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            tasks,
        })
    }

    /// Sends `letter` in the background, trying again where that may help.
    pub fn post(&self, to: &Email, letter: Letter) {
        let Ok(permit) = Arc::clone(&self.waiting).try_acquire_owned() else {
            tracing::error!(
                mail.kind = letter.kind(),
                "too many mails wait: this one is not sent"
            );
            return;
        };
        let (shared, to) = (Arc::clone(&self.shared), to.clone());
        self.tasks.spawn("auth.mail", async move |stop| {
            stop.run_until_cancelled(deliver(shared, to, letter, permit))
                .await;
        });
    }
}

async fn deliver(shared: Arc<Shared>, to: Email, letter: Letter, _permit: OwnedSemaphorePermit) {
    let mut pauses = PAUSES.into_iter();
    loop {
        match shared.send(&to, &letter).await {
            Ok(()) => return tracing::info!(mail.kind = letter.kind(), "mail sent"),
            Err(error) if error.is_permanent() => return give_up(&letter, &error),
            Err(error) => match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return give_up(&letter, &error),
            },
        }
    }
}

fn give_up(letter: &Letter, error: &Undelivered) {
    tracing::error!(mail.kind = letter.kind(), error.cause = %chain(error), "a mail could not be sent");
}

impl Shared {
    async fn send(&self, to: &Email, letter: &Letter) -> Result<(), Undelivered> {
        let message = self.write(to, letter)?;
        match &self.transport {
            Transport::Smtp(smtp) => smtp.send(message).await.map(drop)?,
            Transport::Outbox(folder) => {
                tokio::fs::create_dir_all(folder).await?;
                // Readers of the folder never see half a mail.
                let name = Uuid::now_v7();
                let (unfinished, finished) = (
                    folder.join(format!(".{name}")),
                    folder.join(format!("{name}.eml")),
                );
                tokio::fs::write(&unfinished, message.formatted()).await?;
                tokio::fs::rename(unfinished, finished).await?;
            }
        }
        Ok(())
    }

    fn write(&self, to: &Email, letter: &Letter) -> Result<Message, Undelivered> {
        let address = to.as_str().parse()?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(letter.subject())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body())?;
        Ok(message)
    }
}

impl Undelivered {
    fn is_permanent(&self) -> bool {
        match self {
            Self::Message(_) | Self::Address(_) => true,
            Self::Refused(code) => code.severity == Severity::PermanentNegativeCompletion,
            Self::Smtp(error) => error.is_permanent(),
            Self::Outbox(_) => false,
        }
    }
}

impl From<smtp::Error> for Undelivered {
    fn from(error: smtp::Error) -> Self {
        error.status().map_or_else(|| Self::Smtp(error), Self::Refused)
    }
}
