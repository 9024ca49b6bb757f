"""Every module has a test file of its name, or a line here that says which test speaks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house import ROOT, House

TOGETHER: Mapping[str, tuple[str, ...]] = {
    "tests/settings/test_models.py": ("tuihost/settings/_values.py",),
    "tests/apps/test_shell.py": ("tuihost/host/programs/_hosted_apps.py",),
    "tests/files/test_disk.py": ("tuihost/files/_disk_file.py", "tuihost/files/tree.py"),
    "tests/files/test_quota.py": ("tuihost/files/_walk.py",),
    "tests/host/forwarding/test_forwards.py": (
        "tuihost/host/forwarding/_dialing.py",
        "tuihost/host/forwarding/_listening.py",
        "tuihost/host/programs/app_thread.py",
        "tuihost/host/relay/pump.py",
    ),
    "tests/host/gate/test_gate.py": (
        "tuihost/host/gate/_refusal_log.py",
        "tuihost/host/gate/counting_verifier.py",
    ),
    "tests/host/gate/test_proxy_protocol.py": ("tuihost/host/gate/proxied.py",),
    "tests/host/helpers/test_pool.py": ("tuihost/host/helpers/_helper.py",),
    "tests/host/login/test_verifier.py": ("tuihost/testing/transport_watch.py",),
    "tests/host/plugins/test_loading.py": ("tuihost/host/plugins/_load_errors.py",),
    "tests/host/plugins/test_app_catalog.py": (
        "tuihost/host/plugins/bundled.py",
        "tuihost/plugin.py",
        "tuihost/session/host_view.py",
    ),
    "tests/host/programs/test_program.py": (
        "tuihost/host/host.py",
        "tuihost/host/programs/_app_stack.py",
        "tuihost/host/programs/_incidents.py",
        "tuihost/host/programs/_session_maker.py",
        "tuihost/tui/running/_screen_stage.py",
        "tuihost/tui/running/_talk_screen.py",
        "tuihost/tui/running/notices.py",
        "tuihost/tui/running/runner.py",
    ),
    "tests/host/programs/test_program_commands.py": (
        "tuihost/host/programs/_job.py",
        "tuihost/tui/running/stages.py",
    ),
    "tests/host/relay/test_client_agent.py": ("tuihost/host/relay/client_resources.py",),
    "tests/host/test_access.py": ("tuihost/host/login/visitor.py",),
    "tests/host/store/test_account_store.py": ("tuihost/testing/memory_store.py",),
    "tests/host/store/test_account_store_sqlite.py": ("tuihost/host/store/_account_rows.py",),
    "tests/login/steps/test_approve.py": ("tuihost/login/_step.py",),
    "tests/tui/widgets/test_editor.py": ("tuihost/tui/widgets/_wrapped.py",),
    "tests/session/test_session.py": (
        "tuihost/testing/pilot.py",
        "tuihost/tui/running/_overlay.py",
    ),
    "tests/ssh/connection/test_layer.py": (
        "tuihost/ssh/connection/_channel_table.py",
        "tuihost/ssh/packets/fields.py",
    ),
    "tests/ssh/sftp/test_server.py": (
        "tuihost/host/programs/_file_transfers.py",
        "tuihost/ssh/sftp/_attributes.py",
        "tuihost/ssh/sftp/_handle_requests.py",
        "tuihost/ssh/sftp/_handles.py",
        "tuihost/ssh/sftp/_packets.py",
        "tuihost/ssh/sftp/_path_requests.py",
    ),
    "tests/ssh/test_transport.py": (
        "tuihost/ssh/_key_exchange.py",
        "tuihost/ssh/packets/algorithms.py",
    ),
    "tests/tui/rendering/test_renderer.py": (
        "tuihost/tui/rendering/_difference.py",
        "tuihost/tui/rendering/frame.py",
    ),
    "tests/tui/terminal/test_vt100_parser.py": ("tuihost/tui/terminal/_escape_sequences.py",),
    "tests/tui/widgets/test_dialogs.py": ("tuihost/tui/widgets/panel.py",),
    "tests/tui/widgets/test_list_view.py": (
        "tuihost/tui/widgets/_selectable.py",
        "tuihost/tui/widgets/filter_line.py",
    ),
}
"""Which modules a test file speaks for, beside that of its name."""

IN_ANOTHER_PROCESS: Mapping[str, tuple[str, ...]] = {
    "tests/cli/test_serve.py": ("tuihost/cli/serving.py",),
    "tests/e2e/test_e2e_files.py": ("tuihost/host/transfers/scp.py",),
    "tests/e2e/test_e2e_rsync.py": ("tuihost/host/helpers/landlock.py",),
    "tests/host/helpers/test_pool.py": ("tuihost/host/helpers/_main.py",),
    "tests/commands/test_running.py": (
        "tuihost/commands/parameters.py",
        "tuihost/commands/table.py",
    ),
    "tests/test_docs.py": ("tuihost/testing/fixtures.py",),
}
"""The same, where the modules run in a process that the test starts."""

NOTHING_TO_ENTER: Mapping[str, tuple[str, ...]] = {
    "tests/apps/test_shell.py": ("tuihost/session/other_apps.py",),
    "tests/host/forwarding/test_forwards.py": ("tuihost/session/streams.py",),
    "tests/host/login/test_hosted_account.py": ("tuihost/session/own_account.py",),
    "tests/host/store/test_account_store.py": ("tuihost/accounts.py",),
    "tests/host/store/test_account_store_sqlite.py": ("tuihost/host/store/_account_schema.py",),
}
"""The same, for modules of values and protocols alone: the file tests who makes and uses them."""

ELSEWHERE = {
    module: file
    for table in (TOGETHER, IN_ANOTHER_PROCESS, NOTHING_TO_ENTER)
    for file, modules in table.items()
    for module in modules
}


def modules() -> list[str]:
    """Every module of the package that does more than gather others."""
    return [
        str(path.relative_to(ROOT))
        for path in House(ROOT).modules.values()
        if not path.name.startswith("__")
    ]


def has_test_file(module: str) -> bool:
    """`tuihost/tui/_loop.py` has `tests/tui/test_loop.py` or `tests/tui/test_loop_….py`."""
    folder, _, name = module.removesuffix(".py").partition("/")[2].rpartition("/")
    beside, plain = ROOT / "tests" / folder, name.removeprefix("_")
    return any([*beside.glob(f"test_{plain}.py"), *beside.glob(f"test_{plain}_*.py")])


def test_every_module_has_a_test_of_its_name_or_a_line_that_says_where() -> None:
    missing = [name for name in modules() if not has_test_file(name) and name not in ELSEWHERE]
    assert missing == []


def test_no_line_is_too_many() -> None:
    known = set(modules())
    assert [name for name in ELSEWHERE if name not in known or has_test_file(name)] == []


def test_the_files_that_the_tables_name_are_there() -> None:
    assert [file for file in ELSEWHERE.values() if not (ROOT / file).exists()] == []


def test_every_bundled_app_has_a_test_of_its_name() -> None:
    apps = [path.name for path in (ROOT / "apps").iterdir() if (path / "__init__.py").exists()]
    tests = ROOT / "tests" / "apps"
    missing = [
        name
        for name in apps
        if not any([*tests.glob(f"test_{name}.py"), *tests.glob(f"test_{name}_*.py")])
    ]
    assert missing == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_test_file_enters_the_modules_that_it_speaks_for(tmp_path: Path) -> None:
    told = tmp_path / "entered"
    words = ["-q", "-p", "tests.trace", "-p", "no:cacheprovider", "-m", "not slow", *TOGETHER]
    subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env={**os.environ, "TUIHOST_TRACE": str(told)},
        capture_output=True,
        text=True,
        check=False,
    )
    entered: dict[str, set[str]] = {}
    for line in told.read_text().splitlines():
        test, *files = line.split("\t")
        entered.setdefault(test.partition("::")[0], set()).update(files)
    wrong = {
        file: missing
        for file, modules in TOGETHER.items()
        if (missing := set(modules) - entered.get(file, set()))
    }
    assert wrong == {}
