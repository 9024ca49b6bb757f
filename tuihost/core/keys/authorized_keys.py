"""Whom a key lets in: files of keys, sshd(8) "AUTHORIZED_KEYS FILE FORMAT", and certificates.

The rules (OpenSSH's auth2-pubkey.c and PROTOCOL.certkeys):
1. A key lets in where a line lists that very key, and the line's options agree.
2. A certificate lets in where its authority is trusted by the host or by a line with
   `cert-authority`, and where it is good for this person, place and time: `certificates` says.
   A certificate never counts as the key within it, nor a key as a certificate.
3. What is revoked lets nobody in: the key, its certificate, or the authority of that.
4. What must be honoured and is not understood keeps out: an unknown option of a line, an unknown
   critical option of a certificate.
5. A security key must have felt somebody's touch unless line and certificate both waive that, and
   must have verified who it was where either asks for it.
6. What line and certificate take away is taken away by either.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tuihost.core.keys.offers import (
    KINDS,
    SK_ECDSA,
    KeyOffer,
    NothingRevoked,
    Revocations,
    fingerprint,
)
from tuihost.core.keys.options import KeyOptions
from tuihost.core.keys.restrictions import together
from tuihost.text import clean
from tuihost.wire import Restrictions

MAX_LINE = 16_384  # characters
MAX_LINES = 1_000  # a person's keys; a file of more is a mistake
NOT_LISTED = "the key is not listed"

# Of how many fields a key consists, its kind the first, where they are not three.
_PARTS = {"ssh-ed25519": 2, SK_ECDSA: 4}

_BEGIN, _END = "---- BEGIN SSH2 PUBLIC KEY ----", "---- END SSH2 PUBLIC KEY ----"  # RFC 4716
_PRIVATE = re.compile(r"\s*-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")  # RFC 7468, and OpenSSH's own
_OTHER_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]*)-----")
_PEM_CURES = (
    ("PGP", "is a key of PGP; a key for SSH is made with `ssh-keygen -t ed25519`"),
    ("RSA PUBLIC", "is a public key in PEM; `ssh-keygen -i -m PEM -f FILE` prints its line"),
    ("PUBLIC", "is a public key in PEM; `ssh-keygen -i -m PKCS8 -f FILE` prints its line"),
    ("", "is not a key for SSH; one is made with `ssh-keygen -t ed25519`"),
)
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One line of a file of keys. `blob` is the key as in RFC 4253 §6.6, `text` the line as it is
    written."""

    kind: str
    blob: bytes
    comment: str = ""
    options: KeyOptions = field(default_factory=KeyOptions)
    text: str = field(default="", compare=False)

    @property
    def fingerprint(self) -> str:
        """As OpenSSH shows it, `SHA256:…`."""
        return fingerprint(self.blob)

    @property
    def bare(self) -> str:
        """The line without its options, such as `ssh-ed25519 AAAA… ada@laptop`."""
        return f"{self.kind} {base64.b64encode(self.blob).decode('ascii')} {self.comment}".strip()


class KeyFile(NamedTuple):
    """The lines of a file that are good, and a sentence about each that is not."""

    lines: tuple[KeyLine, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A key does not let in. `reason` is for the operator only."""

    reason: str


def key_text(raw: bytes) -> str:
    """A text with keys, from a file or pasted, as lines of authorized_keys: in the form of RFC 4716
    too, and without a byte order mark. Raises ValueError, with a reason and the cure, that
    continues "FILE …"."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:2]:
        raise ValueError("is UTF-16 text; save it as UTF-8")
    if raw.startswith(b"PuTTY-User-Key-File-"):
        raise ValueError(
            "is a private key of PuTTY; load it in PuTTYgen, and copy the public key from there"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    if _PRIVATE.match(text):
        raise ValueError(
            "is a private key, which nobody else should have; the public key is in the file beside "
            "it whose name ends in .pub"
        )
    if found := _OTHER_PEM.match(text):
        raise ValueError(next(said for kind, said in _PEM_CURES if kind in found[1]))
    return "\n".join(_blocks_as_lines(text.replace("\r\n", "\n").split("\n")))


def _blocks_as_lines(lines: Iterable[str]) -> Iterator[str]:
    """Each block of RFC 4716 as one line, and as many empty ones that the others keep their
    numbers."""
    block: list[str] | None = None
    for line in lines:
        if line == _BEGIN and block is None:
            block = []
        elif block is None and line.startswith(_BEGIN) and line.rstrip().endswith(_END):
            yield _block_as_line(_unfolded(line))
        elif block is None:
            yield line
        elif line == _END:
            yield _block_as_line(block)
            yield from [""] * (len(block) + 1)
            block = None
        else:
            block.append(line)
    if block is not None:  # without an end: the reader of lines says that there are no keys in them
        yield from (_BEGIN, *block)


def _unfolded(line: str) -> tuple[str, str]:
    """The headers and the key of a block that was pasted where there is room for one line. A key
    begins with the length of its kind's name, which makes AAAA of its first bytes."""
    words = line.rstrip()[len(_BEGIN) : -len(_END)].split()
    headers = next((at for at, word in enumerate(words) if word.startswith("AAAA")), len(words))
    return " ".join(words[:headers]), "".join(words[headers:])


def _block_as_line(block: Iterable[str]) -> str:
    header = coded = comment = ""
    for line in block:
        if header.endswith("\\"):
            header = header[:-1] + line
        elif ":" in line:
            header = line
        else:
            coded += line.strip()
        if header.lower().startswith("comment:"):
            comment = header.partition(":")[2].strip().strip('"')
    try:
        kind = _strings(base64.b64decode(coded))[0].decode("ascii")
    except (binascii.Error, ValueError, IndexError):
        kind = "nothing"  # the reader of lines says what is wrong with it
    return f"{kind} {coded} {comment}".strip()


def parse(text: str, source: str, read: Callable[[str], KeyLine] | None = None) -> KeyFile:
    """The keys of a file. A line with a fault is left out as a whole and reported by `source` and
    number. Empty lines and those that begin with `#` mean nothing. `read` is `parse_line`, or
    something stricter."""
    lines: list[KeyLine] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        if len(lines) + len(problems) >= MAX_LINES:
            problems.append(f"{source}: only the first {MAX_LINES:,} lines count")
            break
        try:
            lines.append((read or parse_line)(line))
        except ValueError as error:
            problems.append(f"{source}:{number}: {clean(str(error), limit=200)}")
    return KeyFile(tuple(lines), tuple(problems))


def parse_line(line: str) -> KeyLine:
    """One line: options (none, or some), kind, key in Base64, comment. Raises ValueError, with a
    reason for the author of the line. Whether the numbers in it are a good key is not checked here:
    `tuihost.ssh.keys.public_keys` does that, in `accepted_line`."""
    if len(line) > MAX_LINE:
        raise ValueError("the line is too long")
    if _CONTROL.search(line):
        raise ValueError("the line has control characters")
    line = text = line.strip(" \t")
    options = KeyOptions()
    if _first_word(line) not in KINDS:
        end = _end_of_options(line)
        if _first_word(line[end:]) in KINDS:
            options = KeyOptions.parse(line[:end])
            line = line[end:].strip(" \t")
    kind, _, rest = line.replace("\t", " ").partition(" ")
    if kind not in KINDS:
        raise ValueError("no key of an accepted kind is on this line")
    coded, _, comment = rest.strip().partition(" ")
    blob = _decoded(kind, coded)
    if options.verify_required and not options.cert_authority and not kind.startswith("sk-"):
        raise ValueError("verify-required is for security keys")
    return KeyLine(kind, blob, comment.strip(), options, text)


def _first_word(line: str) -> str:
    return re.split("[ \t]", line.lstrip(" \t"), maxsplit=1)[0]


def _end_of_options(line: str) -> int:
    """Where the options end: at the first blank outside of quotes."""
    quoted = False
    at = 0
    while at < len(line) and (quoted or line[at] not in " \t"):
        if line.startswith('\\"', at):
            at += 1
        elif line[at] == '"':
            quoted = not quoted
        at += 1
    return at


def _decoded(kind: str, coded: str) -> bytes:
    try:
        blob = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the key is not Base64") from None
    parts = _strings(blob)
    if parts[:1] != [kind.encode("ascii")] or len(parts) != _PARTS.get(kind, 3):
        raise ValueError("the key is not complete, or of another kind than its line says")
    return blob


def _strings(blob: bytes) -> list[bytes]:
    """What a key consists of (RFC 4253 §6.6); nothing if that does not come out even."""
    parts = []
    at = 0
    while at < len(blob):
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        if end > len(blob):
            return []
        parts.append(blob[at + 4 : end])
        at = end
    return parts


# -------------------------------------------------------------------------------- who gets in


def judge(
    lines: Iterable[KeyLine],
    offer: KeyOffer,
    *,
    peer_address: str,
    now: float,
    user: str,
    trusted_cas: Collection[bytes] = (),
    revoked: Revocations | None = None,
) -> Restrictions | Unfit:
    """What the key of `user` takes away from them, or why it does not let them in. An offer that is
    not proved yet is judged as if its signature were going to be all that is asked for.

    `user` is the account's name, `trusted_cas` are the keys of the host's authorities (RFC 4253
    §6.6). The first line that lets in counts."""
    if not user:
        return Unfit("nobody has such a name")
    if (revoked or NothingRevoked()).covers(offer):
        return Unfit("the key is revoked")
    claim = _Claim(offer, user, peer_address, now)
    certificate = offer.certificate
    authority = certificate is not None
    unfit = Unfit("the authority is not trusted" if authority else NOT_LISTED)
    for line in lines:
        if line.blob != offer.listed or line.options.cert_authority is not authority:
            continue
        found = claim.by(line.options)
        if isinstance(found, Restrictions):
            return found
        unfit = found
    if certificate is not None and certificate.ca in trusted_cas:
        return claim.by(_HOST_AUTHORITY)
    return unfit


# What the host's own authorities may leave to their certificates: all of it.
_HOST_AUTHORITY = KeyOptions(cert_authority=True, touch_required=False)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A key that somebody comes with, as whom, from where and when."""

    offer: KeyOffer
    user: str
    address: str
    now: float

    def by(self, options: KeyOptions) -> Restrictions | Unfit:
        """What a line with these options makes of it."""
        problem = (
            self._line_problem(options)
            or self._certificate_problem(options)
            or self._signature_problem(options)
        )
        if problem is not None:
            return Unfit(problem)
        certificate = self.offer.certificate
        if certificate is None:
            return options.restrictions
        both = together(options.restrictions, certificate.restrictions)
        return both or Unfit("line and certificate want different commands")

    def _line_problem(self, options: KeyOptions) -> str | None:
        if options.from_ is not None and not options.from_.match(self.address):
            return "the key may not be used from this address"
        if options.expiry is not None and self.now >= options.expiry:
            return "the key has expired"
        return None

    def _certificate_problem(self, options: KeyOptions) -> str | None:
        certificate = self.offer.certificate
        if certificate is None:
            return None
        names = options.principals or (self.user,)
        return certificate.problem(names, address=self.address, now=self.now)

    def _signature_problem(self, options: KeyOptions) -> str | None:
        offer, certificate = self.offer, self.offer.certificate
        touch, verify = options.touch_required, options.verify_required
        if certificate is not None:
            touch = touch or certificate.touch_required
            verify = verify or certificate.verify_required
        if not offer.security_key:
            return "only a security key can verify who uses it" if verify else None
        if offer.proved and touch and not offer.touched:
            return "nobody touched the security key"
        if offer.proved and verify and not offer.verified:
            return "the security key did not verify who used it"
        return None
