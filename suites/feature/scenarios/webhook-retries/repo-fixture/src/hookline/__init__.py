"""Deliver webhooks from a queue file."""

from hookline.clock import Clock, ManualClock, SystemClock
from hookline.config import ConfigError, Endpoint, load_endpoints, parse_endpoints
from hookline.delivery import Dispatcher, PassResult
from hookline.events import Event
from hookline.store import StateError, Store
from hookline.transport import Request, Response, ScriptedTransport, TransportError, UrlTransport

__version__ = "0.4.2"

__all__ = [
    "Clock",
    "ConfigError",
    "Dispatcher",
    "Endpoint",
    "Event",
    "ManualClock",
    "PassResult",
    "Request",
    "Response",
    "ScriptedTransport",
    "StateError",
    "Store",
    "SystemClock",
    "TransportError",
    "UrlTransport",
    "load_endpoints",
    "parse_endpoints",
]
