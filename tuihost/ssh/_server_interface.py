"""paramiko's ServerInterface, answered by the core and the answerer.

The transport dispatches every message itself and asks none of this. But the class is how paramiko
asks what a client may do, so each callback of it gives the answer that the core gives, for
whichever way of paramiko's own may lead here. No callback raises: a fault is a no. Every result
is one of paramiko's constants, chosen by the kind of an answer and never by its truth, because
False counts as AUTH_SUCCESSFUL and as OPEN_SUCCEEDED there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from tuihost.core.login.authentication import (
    PUBLICKEY,
    Ask,
    AuthMachine,
    KeyOffer,
    Partial,
    Query,
    Success,
    Verdict,
)
from tuihost.logs import Event, EventLog
from tuihost.ssh.keys.user_keys import fingerprint
from tuihost.wire import (
    AgentRequest,
    Answer,
    Answerer,
    CancelRemoteForward,
    EnvRequest,
    ExecRequest,
    Grant,
    OpenDirectTcpip,
    OpenRequest,
    OpenSession,
    OpenUnknown,
    OtherGlobal,
    PtyRequest,
    Refuse,
    RemoteForward,
    SessionRequest,
    ShellRequest,
    SubsystemRequest,
    WindowChange,
    WindowSize,
    X11Request,
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _safely(
    otherwise: _R,
) -> Callable[
    [Callable[Concatenate[RefusingServer, _P], _R]], Callable[Concatenate[RefusingServer, _P], _R]
]:
    """A callback that gives `otherwise` and a line in the log where it would raise."""

    def around(
        method: Callable[Concatenate[RefusingServer, _P], _R],
    ) -> Callable[Concatenate[RefusingServer, _P], _R]:
        @functools.wraps(method)
        def safe(self: RefusingServer, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                return method(self, *args, **kwargs)
            except Exception as fault:  # noqa: BLE001  (it would end paramiko's thread)
                self._log.error(Event.CONN_ERROR, trace=fault, at=method.__name__)
                return otherwise

        return safe

    return around


def _text(data: bytes | str) -> str:
    return data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data


class RefusingServer(paramiko.ServerInterface):  # type: ignore[misc]
    """The callbacks, in the order of the RFCs. Thread: the transport's."""

    def __init__(self, answerer: Answerer, machine: AuthMachine, log: EventLog) -> None:
        self._answerer = answerer
        self._machine = machine
        self._log = log

    # ---------------------------------------------------------------- the login, RFC 4252, 4256

    @_safely("")
    def get_allowed_auths(self, username: str) -> str:
        return ",".join(self._machine.methods)

    @_safely(AUTH_FAILED)
    def check_auth_none(self, username: str) -> int:
        # paramiko asks this for every method that it does not know, too.
        return self._begun(username, lambda: self._machine.none(username))

    @_safely(AUTH_FAILED)
    def check_auth_password(self, username: str, password: str | bytes) -> int:
        if isinstance(password, bytes):  # it was no UTF-8
            return self._begun(username, self._machine.failed)
        return self._begun(username, lambda: self._machine.password(username, password))

    @_safely(AUTH_FAILED)
    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        # paramiko asks before it verifies the signature, and for mere probes: the answer is what
        # the key would come to, and settles nothing in the core. Of a certificate paramiko makes
        # the plain key within, and looks at nothing else that it says.
        if key.public_blob is not None:
            return int(AUTH_FAILED)
        blob = key.asbytes()
        offer = KeyOffer(key.get_name(), blob, fingerprint(blob))
        early = self._machine.start(username)
        if early is not None or not self._machine.key_offered(username, offer):
            return int(AUTH_FAILED)
        finishes = self._machine.finishes(PUBLICKEY)
        return int(AUTH_SUCCESSFUL if finishes else AUTH_PARTIALLY_SUCCESSFUL)

    @_safely(AUTH_FAILED)
    def check_auth_interactive(self, username: str, submethods: object) -> Any:
        early = self._machine.start(username)
        return self._result(early or self._machine.interactive(username))

    @_safely(AUTH_FAILED)
    def check_auth_interactive_response(self, responses: list[str]) -> Any:
        return self._result(self._machine.answers(tuple(responses)))

    def _begun(self, user: str, judge: Callable[[], Verdict]) -> int:
        result = self._result(self._machine.start(user) or judge())
        return result if isinstance(result, int) else AUTH_FAILED

    def _result(self, verdict: Verdict) -> int | paramiko.InteractiveQuery:
        match verdict:
            case Success():
                return int(AUTH_SUCCESSFUL)
            case Partial():
                return int(AUTH_PARTIALLY_SUCCESSFUL)
            case Ask(query):
                return _interactive(query)
            case _:
                return int(AUTH_FAILED)

    # ------------------------------------------------------------------ the connection, RFC 4254

    @_safely(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
    def check_channel_request(self, kind: str, chanid: int) -> int:
        return self._opening(OpenSession() if kind == "session" else OpenUnknown(kind))

    @_safely(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        return self._opening(OpenDirectTcpip(*destination, *origin))

    def _opening(self, request: OpenRequest) -> int:
        match self._answerer.open(request):
            case Grant():
                return int(OPEN_SUCCEEDED)
            case Refuse(code=code):
                return int(code)
            case _:
                return int(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    @_safely(False)
    def check_channel_pty_request(
        self,
        channel: Any,
        term: bytes,
        width: int,
        height: int,
        pixelwidth: int,
        pixelheight: int,
        modes: bytes,
    ) -> bool:
        size = WindowSize.clamped(width, height)
        return self._session(channel, PtyRequest(_text(term), size))

    @_safely(False)
    def check_channel_x11_request(
        self,
        channel: Any,
        single_connection: bool,
        auth_protocol: str,
        auth_cookie: bytes,
        screen_number: int,
    ) -> bool:
        cookie = _text(auth_cookie)
        request = X11Request(bool(single_connection), auth_protocol, cookie, screen_number)
        return self._session(channel, request)

    @_safely(False)
    def check_channel_forward_agent_request(self, channel: Any) -> bool:
        return self._session(channel, AgentRequest())

    @_safely(False)
    def check_channel_env_request(self, channel: Any, name: bytes, value: bytes) -> bool:
        return self._session(channel, EnvRequest(_text(name), _text(value)))

    @_safely(False)
    def check_channel_shell_request(self, channel: Any) -> bool:
        return self._session(channel, ShellRequest())

    @_safely(False)
    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        return self._session(channel, ExecRequest(_text(command)))

    @_safely(False)
    def check_channel_subsystem_request(self, channel: Any, name: str) -> bool:
        return self._session(channel, SubsystemRequest(name))

    @_safely(False)
    def check_channel_window_change_request(
        self, channel: Any, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        self._answerer.event(channel, WindowChange(width, height))
        return True

    def _session(self, channel: Any, request: SessionRequest) -> bool:
        answer: Answer = self._answerer.request(channel, request)
        return isinstance(answer, Grant)

    @_safely(False)
    def check_global_request(self, kind: str, msg: paramiko.Message) -> bool:
        return isinstance(self._answerer.global_request(OtherGlobal(kind)), Grant)

    @_safely(0)
    def check_port_forward_request(self, address: str, port: int) -> int:
        match self._answerer.global_request(RemoteForward(address, port)):
            case Grant(port=bound):
                return bound or port
            case _:
                return 0

    @_safely(None)
    def cancel_port_forward_request(self, address: str, port: int) -> None:
        self._answerer.global_request(CancelRemoteForward(address, port))

    @_safely(("", ""))
    def get_banner(self) -> tuple[str, str]:
        return "", ""  # with None for the language, paramiko's thread would die


def _interactive(query: Query) -> paramiko.InteractiveQuery:
    prompts = ((prompt.text, prompt.echo) for prompt in query.prompts)
    return paramiko.InteractiveQuery(query.title, query.instruction, *prompts)
