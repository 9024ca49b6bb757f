"""A code that reaches the person by another way, such as mail."""

from __future__ import annotations

import hmac
import secrets

from tuihost.login import Attempt, Conversation, DeliveryError, Prompt, Query, Step

DELIVERY = "delivery"
DIGITS = 8
LIFETIME = 600.0  # seconds; a mail may take its time


class DeliveredCode(Step):
    """Sends a code and asks for it. It is good for this one question and for nothing else.

    Stands behind another factor in every sound chain: each attempt sends a message.
    """

    name = DELIVERY

    def ask(self, attempt: Attempt) -> Conversation:
        services, account = attempt.services, attempt.account
        if services.delivery is None:
            raise DeliveryError("the chains ask for `delivery`, and the host has none")
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        if account is not None:
            services.delivery.send(
                account.name,
                f"Your code for {services.host_name}",
                f"{code}\n\nSomebody from {attempt.peer.address} logs in with your name. "
                "If it is not you, change your password.\n",
            )
        sent = services.now()
        (typed,) = yield Query(
            prompts=(Prompt("Code: ", echo=True),), instruction="A code is on its way to you."
        )
        given = typed.replace(" ", "").encode("utf-8", "surrogatepass")
        right = hmac.compare_digest(given, code.encode())
        return account is not None and right and 0 <= services.now() - sent <= LIFETIME
