"""Deliver webhooks from a queue file."""

from hookline.clock import Clock, ManualClock, SystemClock
from hookline.config import ConfigError, Endpoint, load_endpoints, parse_endpoints
from hookline.delivery import Dispatcher, PassResult
from hookline.events import Event
from hookline.retry import RetryPolicy
from hookline.store import DeadLetter, EventConflict, StateError, Store
from hookline.transport import Request, Response, ScriptedTransport, TransportError, UrlTransport

__version__ = "0.5.0"

__all__ = [
    "Clock",
    "ConfigError",
    "DeadLetter",
    "Dispatcher",
    "Endpoint",
    "Event",
    "EventConflict",
    "ManualClock",
    "PassResult",
    "Request",
    "Response",
    "RetryPolicy",
    "ScriptedTransport",
    "StateError",
    "Store",
    "SystemClock",
    "TransportError",
    "UrlTransport",
    "load_endpoints",
    "parse_endpoints",
]
