"""Events, not sentences: `log().info("agent_finished", ending=…)`, ids bound once per run."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog


def log() -> structlog.stdlib.BoundLogger:
    """The logger, with whatever `structlog.contextvars` has bound."""
    import structlog  # noqa: PLC0415  # structlog costs more than all of `bench --help`

    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


def bound(**ids: str) -> AbstractContextManager[object]:
    """Every event within the block carries these ids."""
    import structlog  # noqa: PLC0415  # as above

    return structlog.contextvars.bound_contextvars(**ids)


def configure(*, verbose: bool) -> None:
    """Events go to standard error: all of them, or only warnings."""
    import structlog  # noqa: PLC0415  # as above

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.WARNING
        ),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
