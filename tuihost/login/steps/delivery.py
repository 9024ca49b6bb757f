"""A code that reaches the person in another way, such as by mail."""

from __future__ import annotations

import hmac
import secrets

from tuihost.login import Attempt, Conversation, DeliveryError, Prompt, Query, Step

DELIVERY = "delivery"
DIGITS = 8
LIFETIME = 600.0  # seconds; a mail may take its time


class DeliveredCode(Step):
    """Sends a code and asks for it. The code is good for this one question and for nothing else.

    Put it behind another factor in every chain: each attempt sends a message.
    """

    name = DELIVERY

    def ask(self, attempt: Attempt) -> Conversation:
        services, account = attempt.services, attempt.account
        if services.delivery is None:
            raise DeliveryError("a chain asks for `delivery`, and login.delivery is not set")
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        if account is not None:
            services.delivery.send(
                account.name,
                f"Your code for {services.host_name}",
                f"{code}\n\nSomebody is logging in with your name, from {attempt.peer.address}. "
                "If it is not you, change your password.\n",
            )
        sent = services.now()
        (typed,) = yield Query(
            prompts=(Prompt("Code: ", echo=True),), instruction="A code is on its way to you."
        )
        given = typed.replace(" ", "").encode("utf-8", "surrogatepass")
        right = hmac.compare_digest(given, code.encode())
        return account is not None and right and 0 <= services.now() - sent <= LIFETIME
