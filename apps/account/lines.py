"""The account line by line: for screen readers, dumb terminals and scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tuihost import (
    AccountChange,
    NotPossible,
    OwnAccount,
    Session,
    TuihostError,
    ago,
    clean,
    counted,
    date_time,
)

from .history import entries
from .proving import password_for, proved
from .words import (
    LIMITED,
    NOT_DONE,
    OUT_OF_REACH,
    about_keys,
    brief_kind,
    check_may_add,
    factors_in_words,
    in_columns,
)

COMMANDS = "keys, add, remove N, rename N, password, second, codes, close, history"
LEAVING = ("q", "quit", "exit", "logout")
TO_READ = "keys, history"
"""What a login can do here that may change nothing."""


def facts(session: Session, own: OwnAccount) -> list[tuple[str, str]]:
    """What matters about the account, as labels and texts."""
    record, logins = own.record(), own.logins()
    codes = f"on, {counted(record.recovery_left, 'recovery code')} left"
    others = sum(not login.here for login in logins)
    return [
        ("Account", record.name),
        ("Roles", ", ".join(sorted(record.roles)) or "none"),
        ("Password", "set" if record.has_password else "none"),
        ("Second factor", codes if record.totp else "off"),
        ("Keys", counted(len(own.keys()), "key")),
        ("Logins", f"this login and {counted(others, 'other')}" if others else "this login"),
    ]


async def converse(session: Session, own: OwnAccount) -> int:
    """Shows the account and does what is asked, until an empty line."""
    return await _Lines(session, own).run()


class _Lines:
    def __init__(self, session: Session, own: OwnAccount) -> None:
        self.session = session
        self.own = own
        self.doing: dict[str, Callable[[str], Awaitable[str]]] = {
            "keys": self.keys,
            "add": self.add,
            "remove": self.remove,
            "rename": self.rename,
            "password": self.password,
            "second": self.second,
            "codes": self.codes,
            "close": self.close,
            "history": self.history,
        }

    async def run(self) -> int:
        await self.session.say(await self._done(self.stand, ""))
        commands = COMMANDS
        if not self.own.may_change():
            commands = TO_READ
            await self.session.say(LIMITED)
        await self.session.say(f"You can type: {commands}. An empty line leaves.")
        while line := (await self.session.ask("account> ")).strip():
            word, _, rest = line.partition(" ")
            if line.lower() in LEAVING:
                break
            do = self.doing.get(word.lower())
            if do is None:
                await self.session.say(f"Type one of these: {commands}.")
            else:
                await self.session.say(await self._done(do, rest.strip()))
        return 0

    async def _done(self, do: Callable[[str], Awaitable[str]], rest: str) -> str:
        try:
            return await do(rest)
        except NotPossible as error:
            return str(error)
        except TuihostError:
            if self.session.ended:
                raise
            return OUT_OF_REACH

    async def stand(self, rest: str) -> str:
        return "\n".join(f"{label}: {clean(text)}" for label, text in facts(self.session, self.own))

    # ------------------------------------------------------------------ keys

    async def keys(self, rest: str) -> str:
        now, used = self.session.host.now(), self.own.key_in_use()
        lines = []
        for number, key in enumerate(self.own.keys(), 1):
            last = "never used" if key.last_used is None else f"used {ago(now - key.last_used)}"
            state = "in use now" if key.fingerprint == used else last
            name = clean(key.name)
            lines.append(f"{number}. {name}, {brief_kind(key.line)}, {state}, {key.fingerprint}")
        if not lines:
            lines.append("You have no keys.")
        if about := about_keys(self.own.record().chains):
            lines.append(about)
        if self.own.can_add_key_in_use():
            lines.append(f"You logged in with another key, {used}. To add it, type: add this")
        return "\n".join(lines)

    async def add(self, rest: str) -> str:
        check_may_add(self.session)
        if not await self._proved(AccountChange.ADD_KEY):
            return NOT_DONE
        if rest.lower() == "this":
            key = self.own.add_key_in_use()
        else:
            key = self.own.add_key(rest or await self.session.ask("Public key: "))
        added = f"{clean(key.name)} has been added: {key.fingerprint}"
        return f"{added}\n{about_keys(self.own.record().chains)}".rstrip()

    async def remove(self, rest: str) -> str:
        fingerprint, name = self._key(rest)
        if not await self._sure(f"Remove {name}?"):
            return "It has not been removed."
        if not await self._proved(AccountChange.REMOVE_KEY):
            return NOT_DONE
        self.own.remove_key(fingerprint)
        return f"{name} has been removed."

    async def rename(self, rest: str) -> str:
        self.own.proof_for(AccountChange.RENAME_KEY)
        number, _, label = rest.partition(" ")
        fingerprint, _ = self._key(number)
        self.own.rename_key(fingerprint, label or await self.session.ask("New name: "))
        return "Done."

    def _key(self, number: str) -> tuple[str, str]:
        """Fingerprint and name of the key with that number."""
        keys = self.own.keys()
        found = {str(place): key for place, key in enumerate(keys, 1)}.get(number)
        if found is None:
            raise NotPossible(
                "Please give the number of the key, as the list has it. To see it, type: keys"
            )
        return found.fingerprint, clean(found.name)

    # ------------------------------------------------------------------ password and factor

    async def password(self, rest: str) -> str:
        old = await self._password(AccountChange.PASSWORD, "Your current password")
        if old is None:
            return NOT_DONE
        await self.session.say(self.own.password_rule())
        new = await self.session.ask("New password: ", hidden=True)
        if problem := self.own.password_problem(new):
            return problem
        if await self.session.ask("New password again: ", hidden=True) != new:
            return "The two passwords differ. Nothing was changed."
        await asyncio.to_thread(self.own.set_password, old, new)
        return "Your password has been changed."

    async def second(self, rest: str) -> str:
        if self.own.record().totp:
            if not await self._sure("Your second factor is on. Turn it off?"):
                return "It stays on."
            password = await self._password(AccountChange.SECOND_FACTOR)
            if password is None:
                return NOT_DONE
            await asyncio.to_thread(self.own.remove_second, password)
            return "Your second factor is off."
        second = self.own.begin_second()
        await self.session.say(f"Add this secret to an authenticator app:\n{second.text}")
        code = await self.session.ask("Code that the app shows: ")
        password = await self._password(AccountChange.SECOND_FACTOR)
        if password is None:
            return NOT_DONE
        return _codes(await asyncio.to_thread(self.own.confirm_second, second, code, password))

    async def codes(self, rest: str) -> str:
        if not await self._sure("Make new recovery codes? The old ones will stop working."):
            return "Your recovery codes have not changed."
        password = await self._password(AccountChange.RECOVERY_CODES)
        if password is None:
            return NOT_DONE
        return _codes(await asyncio.to_thread(self.own.new_recovery_codes, password))

    async def _password(self, change: AccountChange, label: str = "Your password") -> str | None:
        return await password_for(self.own, change, self._hidden, label)

    async def _proved(self, change: AccountChange) -> bool:
        return await proved(self.own, change, self._hidden)

    async def _hidden(self, label: str) -> str:
        return await self.session.ask(f"{label}: ", hidden=True)

    async def _sure(self, question: str) -> bool:
        return (await self.session.ask(f"{question} yes or no: ")).strip().lower() in ("y", "yes")

    # ------------------------------------------------------------------ logins

    async def close(self, rest: str) -> str:
        if not await self._sure("Close your other logins?"):
            return "They are still open."
        if not await self._proved(AccountChange.CLOSE_LOGINS):
            return NOT_DONE
        return f"{counted(self.own.close_others(), 'login')} closed."

    async def history(self, rest: str) -> str:
        lines = [
            f"{date_time(entry.at)} UTC, {entry.address}, "
            f"{factors_in_words(entry.factors)}, {entry.outcome}"
            for entry in entries(self.own, 20)
        ]
        return clean("\n".join(lines), lines=True) or "There are no logins to show yet."


def _codes(codes: tuple[str, ...]) -> str:
    words = "Recovery codes. Each of them lets you in once; they are not shown again:"
    return "\n".join([words, *in_columns(codes, 2)])
