"""An app's mistake costs its person one sentence, and the operator finds it in the log."""

from __future__ import annotations

from dataclasses import dataclass

from tuihost.commands.table import exit_status
from tuihost.core.exit_statuses import CRASHED, FAILED, STOPPED
from tuihost.errors import TookTooLong, TookTooMuch, new_incident
from tuihost.logs import Event, EventLog
from tuihost.phrases import as_sentence
from tuihost.text import clean


@dataclass(frozen=True, slots=True)
class AppEnd:
    """How a program of an app ended that raised something."""

    status: int
    sentence: str = ""
    """For the person; empty where there is nothing to say."""


def end_of(log: EventLog, app: str, error: BaseException) -> AppEnd:
    """What comes of anything that an app let pass. `sys.exit` ends it as it ends a process."""
    match error:
        case SystemExit(code=None):
            return AppEnd(0)
        case SystemExit(code=int(status)):
            return AppEnd(exit_status(status))
        case SystemExit(code=text):
            return AppEnd(FAILED, clean(str(text)))
        case TookTooLong() | TookTooMuch():
            return AppEnd(FAILED, report_crash(log, app, error))
        case KeyboardInterrupt():
            return AppEnd(STOPPED, report_crash(log, app, error))
    return AppEnd(CRASHED, report_crash(log, app, error))


def report_crash(log: EventLog, app: str, error: BaseException) -> str:
    """Logs the trace of a mistake in `app` under an incident id; the sentence for the person. Work
    that went over its limits is not a mistake, and is in the log already."""
    if isinstance(error, TookTooLong | TookTooMuch):
        return f"{app} stopped. {as_sentence(str(error))}"
    incident = new_incident()
    log.error(Event.APP_ERROR, trace=error, app=app, incident=incident)
    return f"{app} stopped because of an error in it. The operator can find it as {incident}."
