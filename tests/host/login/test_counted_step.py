"""A step at work: what counts as a try, in which order, and what is a yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.log import SILENT
from tuihost.accounts import AccountRecord
from tuihost.core.login.lockout import Lock, Try
from tuihost.core.login.verdicts import Became, Conversation, Ended, Prompt, Query
from tuihost.host.login._counted_step import CountedStep
from tuihost.host.login.services import LoginServices
from tuihost.settings.loading import load

QUERY = Query("?", (Prompt("? "),))
LOCK = Lock("too many")


class Bench:
    """The services of a host with an open account and a closed one; `calls` is what they were
    asked for, in order."""

    def __init__(self, services: LoginServices, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.asked: list[str] = []
        self.lock: Lock | None = None
        self.services = services
        for name in ("ada", "closed"):
            services.store.create(AccountRecord(name, disabled=name == "closed"))
        monkeypatch.setattr(services, "lockout", self)
        monkeypatch.setattr(services, "one_by_one", self.one_by_one)

    @contextmanager
    def one_by_one(self, user: str, source: str) -> Iterator[None]:
        self.calls.append(f"turn of {user} from {source}")
        yield
        self.calls.append("turn over")

    def begin(self, attempt: Try) -> Lock | None:
        self.calls.append("begin")
        return self.lock

    def settled(self, attempt: Try) -> None:
        self.calls.append("settled")

    def failed(self, attempt: Try, lock: Lock | None = None) -> None:
        self.calls.append("failed" if lock is None else "failed, locked")

    def step(
        self, result: object, rounds: int = 1, *, user: str = "ada", counts: bool = True
    ) -> CountedStep:
        """A step of so many questions, with this result whatever is answered."""

        def ask(name: str) -> Conversation:
            self.asked.append(name)
            for _ in range(rounds):
                self.calls.append(f"judge {(yield QUERY)} for {name!r}")
            return result  # type: ignore[return-value]

        return CountedStep(self.services, Try(user, "here", 1.0), ask, counts=counts)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    given = {"server.state_dir": str(tmp_path), "login.chains": ["password"]}
    services = LoginServices(load(None, {}, given), {}, SILENT)
    yield Bench(services, monkeypatch)
    services.close()


def run(step: CountedStep, *answers: tuple[str, ...]) -> object:
    """The result, once it was given those answers one after another."""
    found = step.begin()
    for answer in answers:
        assert found == QUERY
        found = step.answer(answer)
    step.close()
    assert isinstance(found, Ended), found
    return found.result


TURN = "turn of ada from here"


def test_a_try_is_counted_before_it_is_judged_and_taken_back_within_its_turn(bench: Bench) -> None:
    assert run(bench.step(True), ("x",)) is True
    assert bench.calls == [TURN, "begin", "judge ('x',) for 'ada'", "settled", "turn over"]


def test_a_wrong_answer_has_failed_once_it_is_over(bench: Bench) -> None:
    assert run(bench.step(False), ("x",)) is False
    assert bench.calls == [TURN, "begin", "judge ('x',) for 'ada'", "turn over", "failed"]


def test_a_locked_try_is_judged_for_nobody_and_never_right(bench: Bench) -> None:
    bench.lock = LOCK
    step = bench.step(True)
    assert run(step, ("x",)) is False
    assert step.lock is LOCK
    assert bench.asked == ["ada", ""]
    assert bench.calls == [TURN, "begin", "judge ('x',) for ''", "turn over", "failed, locked"]


def test_a_locked_try_of_a_step_that_asks_nobody_nothing_is_not_right_either(bench: Bench) -> None:
    bench.lock = LOCK

    def ask(name: str) -> Conversation:
        if name:
            yield QUERY
        return True

    assert run(CountedStep(bench.services, Try("ada", "here", 1.0), ask, counts=True), ("x",)) is (
        False
    )


def test_a_step_of_several_questions_is_one_try(bench: Bench) -> None:
    assert run(bench.step(True, 2), ("x",), ("y",)) is True
    judged = ["judge ('x',) for 'ada'", "judge ('y',) for 'ada'"]
    assert bench.calls == [
        TURN, "begin", judged[0], "turn over", TURN, judged[1], "settled", "turn over",
    ]  # fmt: skip


@pytest.mark.parametrize(("answers", "counts"), [((), True), ((), False), (("x",), False)], ids=str)
@pytest.mark.parametrize("result", [True, False])
def test_what_is_no_try_takes_no_turn_and_counts_nothing(
    bench: Bench, answers: tuple[str, ...], counts: bool, result: bool
) -> None:
    assert run(bench.step(result, counts=counts), answers) is result
    assert bench.calls == [f"judge {answers} for 'ada'"]


def test_a_step_that_is_satisfied_without_a_question_counts_nothing(bench: Bench) -> None:
    assert run(bench.step(True, 0)) is True
    assert bench.calls == []


@pytest.mark.parametrize(
    ("user", "result", "expected"),
    [
        ("ada", True, True),
        ("ada", False, False),
        ("ada", None, False),
        ("ada", 1, False),
        ("ada", "yes", False),
        ("closed", True, False),
        ("unknown", True, False),
        ("", True, False),
        ("invited", Became("ada"), Became("ada")),
        ("invited", Became("closed"), False),
        ("ada", Became("unknown"), False),
        ("ada", Became(""), False),
    ],
)
def test_only_true_for_an_account_that_may_come_in_is_a_yes(
    bench: Bench, user: str, result: object, expected: object
) -> None:
    found = run(bench.step(result, user=user), ("x",))
    assert found is expected if isinstance(expected, bool) else found == expected
    assert bench.calls[-1] == ("turn over" if expected else "failed")


def test_a_step_that_is_left_has_failed_from_its_first_answers_on(bench: Bench) -> None:
    for answers, failed in (((), []), (("x",), ["failed"])):
        bench.calls.clear()
        step = bench.step(True, 2)
        step.begin()
        step.answer(answers)
        bench.calls.clear()
        step.close()
        assert bench.calls == failed


@pytest.mark.parametrize("act", [CountedStep.close, lambda step: step.answer(("y",))])
def test_a_step_that_breaks_has_failed_too(bench: Bench, act: Callable[[CountedStep], Any]) -> None:
    def ask(name: str) -> Conversation:
        yield QUERY
        try:
            yield QUERY
        finally:
            raise RuntimeError("broken")

    step = CountedStep(bench.services, Try("ada", "here", 1.0), ask, counts=True)
    step.begin()
    step.answer(("x",))
    with pytest.raises(RuntimeError, match="broken"):
        act(step)
    if act is not CountedStep.close:
        step.close()
    assert bench.calls[-1] == "failed"
