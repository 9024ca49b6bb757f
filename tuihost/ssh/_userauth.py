"""The login protocol, RFC 4252 and 4256: reading requests, asking the core, sending its verdicts.

Takes the place of paramiko's AuthHandler on a server. Nothing is decided here but what a message
is and whether a signature is right; every verdict is `AuthMachine`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import paramiko
from paramiko.auth_handler import AuthHandler

from tuihost.accounts import StoreError
from tuihost.core.keys.offers import fingerprint
from tuihost.core.login.authentication import MAX_PASSWORD, AuthMachine
from tuihost.core.login.chains import INTERACTIVE, NONE, PASSWORD, PUBLICKEY
from tuihost.core.login.verdicts import Ask, Failure, Hangup, Partial, Query, Success, Verdict
from tuihost.errors import PeerError
from tuihost.logs import Event, EventLog
from tuihost.ssh.keys.login_keys import LoginKey
from tuihost.ssh.packets.fields import Fields, packed
from tuihost.text import clean
from tuihost.wire import Disconnect, Identity, Peer

SERVICE_REQUEST, SERVICE_ACCEPT = 5, 6
REQUEST, FAILURE, SUCCESS, BANNER = 50, 51, 52, 53
PK_OK = INFO_REQUEST = 60
INFO_RESPONSE = 61

MAX_ANSWERS = 32
MAX_ANSWER = 1024  # bytes


class LoginRefused(PeerError):
    """The login ends here; the client is told that there are no more methods."""

    code = Disconnect.NO_MORE_AUTH_METHODS


class ServiceRefused(PeerError):
    """The client asked for a service that does not exist."""

    code = Disconnect.SERVICE_NOT_AVAILABLE


class Transport(Protocol):
    """What the login needs of the transport under it."""

    session_id: bytes
    """RFC 4253 §7.2: the first exchange hash, which every signature of this login covers."""

    @property
    def peer(self) -> Peer: ...

    def reply(self, message: paramiko.Message) -> None:
        """Sends a message."""


class UserAuth(AuthHandler):  # type: ignore[misc]  # paramiko has no types
    """The login of one connection. Thread: its transport's.

    Over once `finished` is somebody.
    """

    transport: Transport  # as paramiko keeps it: a weak reference

    def __init__(
        self, transport: Transport, machine: AuthMachine, log: EventLog, banner: str = ""
    ) -> None:
        super().__init__(transport)
        self._banner = banner
        self._machine = machine
        self._events = log
        self._serving = False  # ssh-userauth was asked for
        self._user = ""
        self._key: str | None = None  # the fingerprint of the key that the request is about

    @property
    def finished(self) -> Identity | None:
        """Who logged in."""
        return self._machine.identity

    # ------------------------------------------------------------------ messages of the client

    def service_request(self, body: bytes) -> None:
        """SERVICE_REQUEST, RFC 4253 §10."""
        service = Fields(body).text(64)
        if service != "ssh-userauth" or self.authenticated:
            raise ServiceRefused("the client asked for a service that does not exist")
        self._serving = True
        accept = paramiko.Message()
        accept.add_byte(bytes([SERVICE_ACCEPT]))
        accept.add_string(service)
        self.transport.reply(accept)
        if self._banner:
            # Once, however often the service is asked for; as the operator wrote it.
            banner, self._banner = self._banner, ""
            self._say_banner(banner)

    def request(self, body: bytes) -> None:
        """USERAUTH_REQUEST, RFC 4252 §5. After the login it is ignored (§5.3)."""
        if self.authenticated:
            return
        if not self._serving:
            raise PeerError("a login request came before its service was asked for")
        fields = Fields(body)
        # Bytes that are not UTF-8 become a name that nobody can have, and so a plain failure.
        self._user = self.auth_username = fields.text(errors="surrogateescape")
        self._key = None
        service = fields.text()
        method = fields.text()
        self._judge(method, lambda: self._verdict(body, fields, service, method))

    def info_response(self, body: bytes) -> None:
        """USERAUTH_INFO_RESPONSE, RFC 4256 §3.4."""
        if self.authenticated:
            return
        if not self._machine.question_open:
            raise PeerError("answers came that no question asked for")
        fields = Fields(body)
        count = fields.integer()
        if count > MAX_ANSWERS:
            raise PeerError(f"{count} answers came at once")
        raw = [fields.string() for _ in range(count)]
        self._judge(INTERACTIVE, lambda: self._answer(raw))

    def abort(self) -> None:
        """The connection is over; a step that waits for answers is told."""
        super().abort()
        self._guarded(self._machine.abandon)

    # ------------------------------------------------------------------------- the methods

    def _verdict(self, body: bytes, fields: Fields, service: str, method: str) -> Verdict | None:
        early = self._machine.start(self._user, service)
        if early is not None:
            return early
        match method:
            case "none":
                return self._machine.none(self._user)
            case "password":
                return self._password(fields)
            case "publickey":
                return self._publickey(body, fields)
            case "keyboard-interactive":
                fields.string()  # a language, which RFC 4256 §3.1 calls deprecated
                return self._machine.interactive(self._user, fields.text())
            case _:
                return self._machine.failed("there is no such method")

    def _password(self, fields: Fields) -> Verdict:
        change = fields.boolean()
        raw = fields.string()
        if change or len(raw) > MAX_PASSWORD:
            return self._machine.failed("the password is too long, or to be changed", PASSWORD)
        try:
            password = raw.decode("utf-8")
        except UnicodeDecodeError:
            return self._machine.failed("the password is not UTF-8", PASSWORD)
        return self._machine.password(self._user, password)

    def _publickey(self, body: bytes, fields: Fields) -> Verdict | None:
        signed = fields.boolean()
        algorithm = fields.text()
        blob = fields.string()
        key = LoginKey.parse(algorithm, blob)
        self._key = fingerprint(blob)
        if not signed:
            return self._key_named(key, algorithm, blob)
        before = body[: len(body) - len(fields.rest)]
        signature = fields.string()
        if key is None:
            return self._machine.failed("the key is of a kind that is not accepted", PUBLICKEY)
        if not self._machine.key_offered(self._user, key.offer):
            return self._machine.failed("the key is not theirs")
        # RFC 4252 §7: what is signed is the session, then the request up to the signature.
        data = packed(self.transport.session_id) + bytes([REQUEST]) + before
        proved = key.verify(signature, data)
        if proved is None:
            return self._machine.failed("the signature is wrong")
        return self._machine.key_proved(self._user, proved)

    def _key_named(self, key: LoginKey | None, algorithm: str, blob: bytes) -> Verdict | None:
        would_do = self._machine.key_named(self._user, None if key is None else key.offer)
        if isinstance(would_do, Hangup):
            return would_do
        if would_do:
            self._key_would_do(algorithm, blob)
        else:
            self._say_failure(self._machine.methods, partial=False)
        return None

    def _answer(self, raw: list[bytes]) -> Verdict:
        if any(len(answer) > MAX_ANSWER for answer in raw):
            return self._machine.failed("an answer is too long")
        try:
            answers = tuple(answer.decode("utf-8") for answer in raw)
        except UnicodeDecodeError:
            return self._machine.failed("an answer is not UTF-8")
        return self._machine.answers(answers)

    # ------------------------------------------------------------------------- the verdicts

    def _judge(self, method: str, verdict: Callable[[], Verdict | None]) -> None:
        """Asks for a verdict and sends it. A fault in a verifier or a step is a failed try, and
        so is a store that does not work."""
        try:
            found = verdict()
        except PeerError:
            raise
        except BaseException as fault:  # noqa: BLE001  (code of a plugin; its fault costs one try)
            self._tell_fault(fault, method)
            # Where the count cannot be kept either, the machine has counted all the same.
            failed = self._guarded(lambda: self._machine.failed("a fault"), told=fault)
            found = failed or self._machine.unsettled
        if found is not None:
            self._tell(method, found)

    def _guarded(
        self, act: Callable[[], Verdict | None], told: BaseException | None = None
    ) -> Verdict | None:
        try:
            return act()
        except BaseException as fault:  # noqa: BLE001  (a step may raise when it is closed)
            if not isinstance(told, StoreError) or not isinstance(fault, StoreError):
                self._tell_fault(fault)
            return None

    def _tell_fault(self, fault: BaseException, method: str | None = None) -> None:
        """A store that does not work is not a fault in the code: one line, and no traceback."""
        if isinstance(fault, StoreError):
            self._events.error(Event.STORE_ERROR, reason=clean(str(fault), limit=300))
            return
        shown = None if method is None else clean(method, limit=40)
        self._events.error(Event.AUTH_FAILED, trace=fault, method=shown)

    def _tell(self, method: str, verdict: Verdict) -> None:
        """One line in the log for each decision, and then the reply."""
        who = {
            "user": clean(self._user, limit=64),
            "method": clean(method, limit=40),
            "key": self._key,
            "peer": self.transport.peer,
        }
        match verdict:
            case Success(identity):
                who |= {"user": identity.user, "key": identity.fingerprint}
                self._events.info(Event.AUTH_OK, **who, factors="+".join(identity.factors))
                message = paramiko.Message()
                message.add_byte(bytes([SUCCESS]))
                self.transport.reply(message)
                self.authenticated = True
            case Partial(methods, settled):
                self._events.info(Event.AUTH_PARTIAL, **who, factor=settled)
                self._say_failure(methods, partial=True)
            case Failure(methods, factor, reason, advice):
                # Every client begins with `none` to learn the methods: no news to anybody.
                note = self._events.debug if factor == NONE else self._events.info
                note(Event.AUTH_FAILED, **who, factor=factor or None, reason=reason)
                if advice:
                    self._say_banner(f"{_plain(advice)}\r\n")
                self._say_failure(methods, partial=False)
            case Ask(query):
                self._say_query(query)
            case Hangup(reason):
                self._events.info(Event.AUTH_FAILED, **who, reason=reason)
                raise LoginRefused(reason)

    def _key_would_do(self, algorithm: str, blob: bytes) -> None:
        message = paramiko.Message()
        message.add_byte(bytes([PK_OK]))
        message.add_string(algorithm)
        message.add_string(blob)
        self.transport.reply(message)

    def _say_banner(self, text: str) -> None:
        """RFC 4252 §5.4."""
        message = paramiko.Message()
        message.add_byte(bytes([BANNER]))
        message.add_string(text)
        message.add_string("")
        self.transport.reply(message)

    def _say_failure(self, methods: tuple[str, ...], *, partial: bool) -> None:
        message = paramiko.Message()
        message.add_byte(bytes([FAILURE]))
        message.add_string(",".join(methods))
        message.add_boolean(partial)
        self.transport.reply(message)

    def _say_query(self, query: Query) -> None:
        message = paramiko.Message()
        message.add_byte(bytes([INFO_REQUEST]))
        message.add_string(_plain(query.title))
        message.add_string(_plain(query.instruction))
        message.add_string("")
        message.add_int(len(query.prompts))
        for prompt in query.prompts:
            message.add_string(clean(prompt.text, lines=True))
            message.add_boolean(prompt.echo)
        self.transport.reply(message)


def _plain(text: str) -> str:
    """Without what could steer a terminal, and in ASCII: OpenSSH before 10.3 shows title and
    instruction as it writes its log, with `\\342\\226\\210` for anything else."""
    return clean(text, lines=True).encode("ascii", "replace").decode("ascii")
