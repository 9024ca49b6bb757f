"""Threads of apps are bounded for each client, and in all."""

from __future__ import annotations

from tuihost.host._thread_budget import ThreadBudget


def test_each_client_has_so_many_and_gives_them_back() -> None:
    budget = ThreadBudget(per_client=2, in_all=3)
    assert budget.take(1)
    assert budget.take(1)
    assert not budget.free(1)
    assert not budget.take(1)
    assert budget.take(2)
    assert not budget.take(3), "all of them are taken"
    budget.give_back(1)
    assert budget.free(3)
    assert budget.take(3)


def test_nothing_is_kept_of_a_client_that_has_given_all_back() -> None:
    budget = ThreadBudget()
    for client in range(100):
        assert budget.take(client)
        budget.give_back(client)
    assert not budget._taken
