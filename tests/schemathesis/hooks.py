"""Gives each request an address of its own.

The check of credentials signs in wrongly with every operation, and ten failures a minute are
all that one address has. The server believes these addresses, since it is told that this
machine is a proxy.
"""

import itertools

import requests

_numbers = itertools.count(1)
_send = requests.Session.send


def _send_from_elsewhere(session, request, **options):
    number = next(_numbers)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    request.headers["X-Forwarded-For"] = address
    return _send(session, request, **options)


requests.Session.send = _send_from_elsewhere
