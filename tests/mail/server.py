"""A real mail server for the tests: prints one line of JSON for its port, and one for
each mail that it takes. It refuses recipients whose address begins with `no-`.

Arguments: a security (none, starttls, tls), then optionally a certificate and its key.
Sign-in is offered always, and wanted where the environment has MAIL_PASSWORD.
"""

import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

SECURITY = sys.argv[1]
PASSWORD = os.environ.get("MAIL_PASSWORD")


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no-"):
            return "550 there is nobody of that name"
        if address.startswith("later-"):
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8", "surrogateescape"),
            "tls": session.ssl is not None or SECURITY == "tls",
            "user": session.auth_data,
        })
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    user = data.login.decode()
    right = user == "ada" and data.password.decode() == PASSWORD
    return AuthResult(success=right, handled=False, auth_data=user)


async def main():
    context = None
    if SECURITY != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[2], sys.argv[3])

    def factory():
        return SMTP(
            Handler(),
            hostname="mail.example.com",
            enable_SMTPUTF8=True,
            tls_context=context if SECURITY == "starttls" else None,
            require_starttls=SECURITY == "starttls",
            authenticator=authenticator if PASSWORD else None,
            auth_required=bool(PASSWORD),
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    over = context if SECURITY == "tls" else None
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=over)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())
