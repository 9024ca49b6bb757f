"""A text that people accept, once for each version of it."""

from __future__ import annotations

from tuihost.login import Attempt, Conversation, Prompt, Query, Step


class Terms(Step):
    """Shows the text and wants a `yes`. People who have accepted this version are not asked."""

    name = "terms"

    def ask(self, attempt: Attempt) -> Conversation:
        services, account = attempt.services, attempt.account
        text, version = services.terms_text.strip(), services.terms_version
        if account is not None and (not text or account.terms == version):
            return True
        (answer,) = yield Query(
            "Terms of use",
            (Prompt(f"\n{text}\n\nType yes to accept: ", echo=True),),
        )
        if account is None or answer.strip().lower() != "yes":
            return False
        return services.accounts.update(attempt.user, terms=version)
