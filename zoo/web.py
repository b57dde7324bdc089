"""Addresses on the web: which of them may be fetched, and how a message shows them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import requests

_THIS_MACHINE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d*)?", re.IGNORECASE)
_UNCLEAR = re.compile(r"[\\\s\x00-\x1f]")  # programs do not agree on which host these name


def offline() -> bool:
    """Whether ZOO_OFFLINE=1 forbids the network."""
    return os.environ.get("ZOO_OFFLINE") == "1"


def is_secure(address: str) -> bool:
    """Whether an address has TLS, or is of a server on this machine.

    >>> is_secure("http://127.0.0.1:8000/a"), is_secure("http://127.0.0.1:80@example.org/a")
    (True, False)
    """
    try:
        parts = urlsplit(address)
        if _UNCLEAR.search(address) or not parts.hostname:
            return False
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _THIS_MACHINE.fullmatch(parts.netloc) is not None)


def without_password(text: str) -> str:
    """A text with "***" in place of what is before the @ in its addresses: the name and the password of a user.

    >>> without_password("https://me:secret@example.org/a")
    'https://***@example.org/a'
    """
    return re.sub(r"(?<=://)[^/?#\s]*@", "***@", text)


class InsecureRedirection(Exception):
    """A server sends its visitors to an address that may not be fetched."""


def refuse_insecure_redirection(response: requests.Response, *_: object, **__: object) -> None:
    """A hook that requests calls for every response, redirections included. Raises `InsecureRedirection`."""
    target = urljoin(response.url, response.headers.get("Location", ""))
    if response.is_redirect and not is_secure(target):
        here, there = without_password(response.url), without_password(target)
        raise InsecureRedirection(f"{here} redirects to {there}, which is not an https:// address")
