"""What we rely on in asyncio and in prompt_toolkit's use of it, one fact a test."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from typing import Any

import pytest
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.application.current import get_app
from prompt_toolkit.eventloop import run_in_executor_with_context
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput

from tests.waiting import DEADLINE
from tuihost.tui.running.loop import LightLoop, new_loop, run, shared_executor


class Quiet(DummyInput):
    """An input that is open and never says anything."""

    @property
    def closed(self) -> bool:
        return False


def test_a_base_loop_asks_its_selector_and_nothing_else() -> None:
    asked: list[Any] = []

    class Selector:
        def select(self, timeout: float | None) -> list[Any]:
            asked.append(timeout)
            return ["event"]

    class Loop(asyncio.BaseEventLoop):
        _selector = Selector()

        def _process_events(self, event_list: list[Any]) -> None:
            asked.append(event_list)

    loop = Loop()
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert asked == [0, ["event"]]


def test_a_call_from_another_thread_wakes_through_this_method() -> None:
    woken: list[bool] = []

    class Loop(LightLoop):
        def _write_to_self(self) -> None:
            woken.append(True)

    loop = Loop()
    loop.call_soon_threadsafe(print)
    loop.close()
    assert woken == [True]


def test_a_loop_knows_its_thread_under_this_name() -> None:
    loop = new_loop()

    async def main() -> int:
        return loop._thread_id  # type: ignore[attr-defined,no-any-return]

    assert loop.run_until_complete(main()) == threading.get_ident()
    loop.close()


def test_a_loop_takes_only_a_thread_pool_and_shuts_it_down_when_it_closes() -> None:
    calls: list[Any] = []

    class Pool(concurrent.futures.ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            calls.append(wait)

    loop = LightLoop()
    with pytest.raises(TypeError):
        loop.set_default_executor(object())  # type: ignore[arg-type]
    loop.set_default_executor(Pool(1))
    loop.close()
    assert calls == [False]


def _application() -> Application[str]:
    return Application(input=Quiet(), output=DummyOutput())


async def _play(app: Application[str], then: Any) -> Any:
    return await app.run_async(
        pre_run=lambda: asyncio.get_running_loop().call_soon(then),
        set_exception_handler=False,
        handle_sigint=False,
    )


def test_an_application_runs_on_a_loop_without_descriptors() -> None:
    app = _application()
    assert run(_play(app, lambda: app.exit(result="done"))) == "done"


def test_invalidate_from_another_thread_draws_on_the_loop() -> None:
    app = _application()
    drawn: list[str] = []

    def after(app: Application[str]) -> None:
        drawn.append(threading.current_thread().name)
        if len(drawn) > 1 and app.future is not None and not app.future.done():
            app.exit(result="drawn")

    app.after_render += after
    threads: list[threading.Thread] = []

    def start() -> None:
        thread = threading.Thread(target=app.invalidate)
        threads.append(thread)
        thread.start()

    assert run(asyncio.wait_for(_play(app, start), DEADLINE)) == "drawn"
    for thread in threads:
        thread.join(DEADLINE)
    assert set(drawn) == {threading.current_thread().name}


def test_its_executor_is_the_loops_default_with_the_callers_context() -> None:
    name = contextvars.ContextVar("name", default="nobody")

    async def main() -> tuple[str, str]:
        name.set("ada")
        return await run_in_executor_with_context(
            lambda: (name.get(), threading.current_thread().name)
        )

    assert run(main()) == ("ada", "tuihost-shared")
    assert shared_executor().submit(name.get).result(DEADLINE) == "nobody"


def test_two_threads_have_two_applications() -> None:
    seen: list[bool] = []

    def session() -> None:
        with create_app_session(input=Quiet(), output=DummyOutput()):
            app = _application()
            meet = threading.Event()

            def look() -> None:
                seen.append(get_app() is app)
                meet.set()
                app.exit(result="")

            run(asyncio.wait_for(_play(app, look), DEADLINE))
            assert meet.is_set()

    threads = [threading.Thread(target=session) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert seen == [True, True]


def test_a_fault_in_a_callback_goes_to_the_loops_handler_when_asked() -> None:
    app = _application()
    heard: list[str] = []

    async def main() -> Any:
        loop = asyncio.get_running_loop()

        def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            heard.append(str(context["exception"]))
            app.exit(result="told")

        loop.set_exception_handler(handler)

        def fail() -> None:
            raise ValueError("broken")

        return await _play(app, fail)

    assert run(main()) == "told"
    assert heard == ["broken"]
