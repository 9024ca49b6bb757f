"""An app's mistake costs its person one sentence, and the operator finds it in the log."""

from __future__ import annotations

from tuihost.errors import TookTooLong, TookTooMuch, new_incident
from tuihost.logs import Event, EventLog


def report_crash(log: EventLog, app: str, error: Exception) -> str:
    """Logs the trace of a mistake in `app` under an incident id; the sentence for the person. Work
    that went over its limits is not a mistake, and is in the log already."""
    if isinstance(error, TookTooLong | TookTooMuch):
        return f"{app} stopped: {error}."
    incident = new_incident()
    log.error(Event.APP_ERROR, trace=error, app=app, incident=incident)
    return f"{app} stopped because of an error in it. The operator can find it as {incident}."
