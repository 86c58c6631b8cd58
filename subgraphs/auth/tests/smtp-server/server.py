"""An SMTP server (aiosmtpd) for the tests of mail: plain, with STARTTLS, or with TLS from the first byte; with or without AUTH.

It writes its port to standard output, then a line of JSON for every mail it takes and every password it is shown, and ends when its
standard input does.
"""

import argparse
import asyncio
import json
import ssl
import sys

import trustme
from aiosmtpd.smtp import SMTP, AuthResult


def report(**what):
    print(json.dumps(what), flush=True)


def is_encrypted(server):
    return server.transport.get_extra_info("sslcontext") is not None


class Mailbox:
    def __init__(self, busy):
        self.busy = busy

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.busy > 0:  # Grey-listing: come back later.
            self.busy -= 1
            return "451 4.7.1 try again later"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return f"550 5.1.1 <{address}>: no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        content = envelope.content.decode("utf-8", "replace")
        report(sender=envelope.mail_from, recipients=envelope.rcpt_tos, content=content,
               encrypted=is_encrypted(server), user=session.auth_data)
        return "250 OK"


def authenticator(user, password):
    def check(server, session, envelope, mechanism, shown):
        right = (shown.login.decode(), shown.password.decode()) == (user, password)
        report(password_shown=True, right=right, encrypted=is_encrypted(server))
        return AuthResult(success=right, handled=False, auth_data=user)

    return check


def certified(ca_file):
    """TLS with a certificate from an authority made for the occasion, whose own certificate goes into a file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--ca-file")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--busy", type=int, default=0)
    arguments = parser.parse_args()

    context = certified(arguments.ca_file) if arguments.ca_file else None
    options = {"hostname": "mail.example.com"}
    if arguments.tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if arguments.user:
        check = authenticator(arguments.user, arguments.password)
        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": arguments.tls == "starttls"}
    mailbox = Mailbox(arguments.busy)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, **options), "127.0.0.1", 0, ssl=context if arguments.tls == "implicit" else None
    )
    report(port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
