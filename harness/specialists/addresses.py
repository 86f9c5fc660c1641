"""Which addresses a page may be fetched from: public ones, however they are written."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""NAT64: the last four bytes are an IPv4 address."""


class Unresolved(Exception):
    """A name that no address belongs to."""


def is_public(address: Address) -> bool:
    """Anybody on the internet can reach it; what is wrapped in IPv6 counts as what it wraps."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo or address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def addresses_of(host: str, port: int) -> tuple[Address, ...]:
    """Every address that the system finds for a name, also one in digits of any base.

    Raises Unresolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise Unresolved(f"{host} cannot be found: {said}") from error
    return tuple(dict.fromkeys(ip_address(each[4][0]) for each in found))
