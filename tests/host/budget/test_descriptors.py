"""Descriptors: the soft limit goes up, the host keeps some, and a socket gives its own back."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from tests.house import ROOT
from tests.waiting import DEADLINE
from tuihost.core.budget.ledger import FREE, Exceeded, Holder, Kind, Lease
from tuihost.host.budget.budget import Budget
from tuihost.host.budget.descriptors import counted, for_people
from tuihost.logs import event_log


def test_the_host_keeps_what_it_needs_for_everybody() -> None:
    assert for_people(20_000, 512) == 20_000 - 4 * 512 - 64
    assert for_people(1024, 512) == 512, "but never more than half"


def test_the_soft_limit_is_raised() -> None:
    program = (
        "import json, resource\n"
        "from tuihost.host.budget.budget import bounds_of\n"
        "from tuihost.host.budget.descriptors import raise_soft_limit\n"
        "from tuihost.core.budget.ledger import Kind\n"
        "from tuihost.settings.models import Settings\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2000))\n"
        "before = bounds_of(Settings())[Kind.DESCRIPTORS].host\n"
        "raised = raise_soft_limit()\n"
        "print(json.dumps([before, raised, bounds_of(Settings())[Kind.DESCRIPTORS].host]))\n"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, timeout=DEADLINE)
    assert json.loads(said.stdout) == [128, 2000, 1000]


def test_people_do_not_take_the_last_threads_of_the_system() -> None:
    program = (
        "import json, resource\n"
        "from tuihost.host.budget.budget import bounds_of\n"
        "from tuihost.core.budget.ledger import Kind\n"
        "from tuihost.settings.models import Settings\n"
        "def bound(limit):\n"
        "    resource.setrlimit(resource.RLIMIT_NPROC, (limit, hard))\n"
        "    return bounds_of(Settings())[Kind.THREADS].host\n"
        "hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]\n"
        "print(json.dumps([bound(4000), bound(1400), bound(600)]))\n"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, timeout=DEADLINE)
    assert json.loads(said.stdout) == [1536, 1400 - 512 - 64, 300]


def test_a_socket_gives_its_lease_back_when_it_is_closed() -> None:
    budget = Budget()
    lease = budget.share(Holder(1, "eve", "192.0.2.1"), event_log()).take(Kind.DESCRIPTORS)
    assert not isinstance(lease, Exceeded)
    mine, other = socket.socketpair()
    sock = counted(mine, lease)
    other.send(b"x")
    assert sock.recv(1) == b"x"
    assert not sock.getblocking()
    assert budget.held(Kind.DESCRIPTORS) == 1
    sock.close()
    sock.close()
    assert budget.held(Kind.DESCRIPTORS) == 0
    other.close()


def test_a_free_lease_costs_nothing() -> None:
    mine, other = socket.socketpair()
    lease: Lease = FREE
    counted(mine, lease).close()
    assert other.recv(1) == b"", "it is closed all the same"
    other.close()
