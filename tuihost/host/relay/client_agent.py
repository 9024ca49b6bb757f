"""Somebody's own agent, reached through their connection (draft-ietf-sshm-ssh-agent).

Each question has a channel of its own, as OpenSSH's clients do it: an agent that waits for its
person holds up nothing but that question.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence

from tuihost.core.keys.offers import fingerprint
from tuihost.errors import Disconnected, PeerError
from tuihost.host.relay.channel_stream import ChannelStream, open_stream
from tuihost.logs import Event, EventLog
from tuihost.session.streams import AgentKey, NotOpened
from tuihost.ssh.keys.public_keys import PublicKey
from tuihost.ssh.packets.fields import Fields, packed
from tuihost.text import clean
from tuihost.wire import Link, OpenAgent

TIMEOUT = 10.0  # seconds for the client to open a way to it
PATIENCE = 10.0  # seconds for the list of its keys
PATIENCE_TO_SIGN = 60.0  # for a signature: an agent may have to ask its person first
MAX_ANSWER = 256 * 1024
MAX_KEYS = 256
MAX_COMMENT = 200
RSA_SHA2_512 = 4  # a flag of the request: SHA-1 is what an RSA key would sign with else

REQUEST_IDENTITIES, IDENTITIES_ANSWER, SIGN_REQUEST, SIGN_RESPONSE = 11, 12, 13, 14


class ClientAgent:
    """Implements `tuihost.session.streams.Agent`."""

    def __init__(self, link: Link, log: EventLog) -> None:
        self._link = link
        self._log = log
        self._lock = threading.Lock()
        self._open: set[ChannelStream] = set()
        self._closed = False

    def keys(self) -> Sequence[AgentKey]:
        fields = self._ask(bytes([REQUEST_IDENTITIES]), IDENTITIES_ANSWER, PATIENCE)
        try:
            count = fields.integer()
            if count > MAX_KEYS:
                raise NotOpened("the agent has too many keys")
            return [_key(fields.string(), fields.string()) for _ in range(count)]
        except PeerError as error:
            raise NotOpened(f"the agent's answer is malformed: {error}") from None

    def sign(self, key: AgentKey, data: bytes) -> bytes:
        flags = RSA_SHA2_512 if key.kind == "ssh-rsa" else 0
        request = bytes([SIGN_REQUEST]) + packed(key.blob) + packed(data)
        request += flags.to_bytes(4, "big")
        fields = self._ask(request, SIGN_RESPONSE, PATIENCE_TO_SIGN)
        self._log.info(Event.AGENT_SIGNED, key=key.fingerprint)
        try:
            return fields.string()
        except PeerError as error:
            raise NotOpened(f"the agent's answer is malformed: {error}") from None

    def proves(self, key: AgentKey) -> bool:
        public = PublicKey.parse(key.blob)
        if public is None:
            return False
        challenge = b"tuihost proves a key of an agent\0" + secrets.token_bytes(32)
        algorithm = "rsa-sha2-512" if key.kind == "ssh-rsa" else key.kind
        return public.verify(algorithm, self.sign(key, challenge), challenge) is not None

    def close(self) -> None:
        """The session is over: nothing is asked any more. Any thread."""
        with self._lock:
            self._closed = True
            streams, self._open = self._open, set()
        for stream in streams:
            stream.close()

    def _ask(self, request: bytes, expected: int, seconds: float) -> Fields:
        """Asks one question, and waits so many seconds. The fields of the answer after its kind."""
        if self._closed:
            raise Disconnected("the session is over")
        stream = open_stream(self._link, OpenAgent(), TIMEOUT)
        stream.deadline = time.monotonic() + seconds
        self._keep(stream)
        try:
            stream.write(packed(request))
            answer = _answer(stream)
        except TimeoutError:
            raise NotOpened(f"the agent did not answer in {seconds:g} seconds") from None
        finally:
            with self._lock:
                self._open.discard(stream)
            stream.close()
        if answer[:1] != bytes([expected]):
            raise NotOpened("the agent refused")
        return Fields(answer[1:])

    def _keep(self, stream: ChannelStream) -> None:
        with self._lock:
            if not self._closed:
                self._open.add(stream)
                return
        stream.close()
        raise Disconnected("the session is over")


def _answer(stream: ChannelStream) -> bytes:
    length = int.from_bytes(_exactly(stream, 4), "big")
    if not 0 < length <= MAX_ANSWER:
        raise NotOpened("the agent's answer is too long")
    return _exactly(stream, length)


def _exactly(stream: ChannelStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            raise NotOpened("the agent went away in the middle of its answer")
        data += more
    return data


def _key(blob: bytes, comment: bytes) -> AgentKey:
    try:
        kind = Fields(blob).string(64).decode("ascii", "replace")
    except PeerError:
        kind = ""
    text = clean(comment.decode("utf-8", "replace"), limit=MAX_COMMENT)
    return AgentKey(clean(kind), blob, text, fingerprint(blob))
