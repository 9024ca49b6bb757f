"""Logs for tests: kept as events, written as text, or read by nobody."""

from __future__ import annotations

import io
import logging

from tuihost.logs import EventLog, TextFormatter
from tuihost.testing.hosted import Records

SILENT = EventLog(logging.Logger("silent", logging.CRITICAL + 1))


def log_to(*handlers: logging.Handler) -> EventLog:
    """A log of its own, from debug on."""
    logger = logging.Logger("test", logging.DEBUG)
    for handler in handlers:
        logger.addHandler(handler)
    return EventLog(logger)


def kept_log() -> tuple[EventLog, Records]:
    """A log and its events."""
    records = Records()
    return log_to(records), records


def text_log(formatter: logging.Formatter | None = None) -> tuple[EventLog, io.StringIO]:
    """A log and what it writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter or TextFormatter())
    return log_to(handler), text
