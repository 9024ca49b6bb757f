"""Reading the fields of a message, RFC 4251 §5, never past its end and never more than allowed.

paramiko's `Message` pads what is missing with zeros, so a lying count runs on for hours.
"""

from __future__ import annotations

from tuihost.errors import PeerError


class Fields:
    """The fields of one message, in order. Raises PeerError if they are not there."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise PeerError("a message ends in the middle of a field")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def skip(self, count: int) -> None:
        """Passes over so many bytes."""
        self._take(count)

    def boolean(self) -> bool:
        return self._take(1) != b"\0"

    def integer(self) -> int:
        """A uint32."""
        return int.from_bytes(self._take(4), "big")

    def string(self, limit: int = 65536) -> bytes:
        """A string of at most `limit` bytes."""
        length = self.integer()
        if length > limit:
            raise PeerError(f"a field of {length} bytes is longer than its {limit}")
        return self._take(length)

    def text(self, limit: int = 65536, errors: str = "replace") -> str:
        """A string as UTF-8; `errors` says what becomes of bytes that are not."""
        return self.string(limit).decode("utf-8", errors)

    def names(self) -> list[str]:
        """A name-list. The names are ASCII, and an empty list has no names."""
        try:
            text = self.string().decode("ascii")
        except UnicodeDecodeError:
            raise PeerError("a name-list is not ASCII") from None
        return text.split(",") if text else []

    def natural(self, limit: int) -> int:
        """An mpint that is not negative, of at most `limit` bytes."""
        data = self.string(limit + 1)
        if data and data[0] & 0x80:
            raise PeerError("a number is negative that must not be")
        return int.from_bytes(data, "big")

    @property
    def rest(self) -> bytes:
        """What has not been read yet."""
        return self._data[self._at :]


def packed(data: bytes) -> bytes:
    """The same as a string of a message, its length before it."""
    return len(data).to_bytes(4, "big") + data
