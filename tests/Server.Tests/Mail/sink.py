"""A mail server on a free port of 127.0.0.1 that keeps nothing: what comes is told as a line of JSON each.

sink.py [CERTIFICATE KEY [USER PASSWORD]]: with a certificate nothing is taken before STARTTLS, with a user nothing without it.
The first line is the port. A line of its input is answered by "heard", after all that came before. An address that begins with "unknown" is refused, one with "later" gets 451 at its first attempt.
It ends when its standard input does.
"""
import asyncio
import base64
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

certificate, user = sys.argv[1:3], sys.argv[3:5]
seen_later = set()


def tell(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Handler:
    async def auth_login(self, server, args):
        # As .NET writes it; other servers take it in any case.
        return await server.auth_LOGIN(server, args)

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown"):
            return "550 5.1.1 nobody of that name"
        if address.startswith("later") and address not in seen_later:
            seen_later.add(address)
            return "451 4.7.1 come again"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        tell({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.authenticated else None,
            "data": base64.b64encode(envelope.original_content).decode(),
        })
        return "250 ok"


def authenticate(server, session, envelope, mechanism, data):
    good = [data.login.decode(), data.password.decode()] == user
    return AuthResult(success=good, auth_data=data)


def serve():
    settings = {"hostname": "sink.test", "enable_SMTPUTF8": True}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        settings.update(tls_context=context, require_starttls=True)
    if user:
        settings.update(authenticator=authenticate, auth_required=True)
    return SMTP(Handler(), **settings)


async def run():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(serve, "127.0.0.1", 0)
    tell(server.sockets[0].getsockname()[1])
    while await loop.run_in_executor(None, sys.stdin.readline):
        tell("heard")
    server.close()


asyncio.run(run())
