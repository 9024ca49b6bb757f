"""paramiko's ServerInterface, refusing everything.

paramiko asks such an object what a client may do. Here every message is dispatched by the transport
itself, and nothing reaches this; should anything of paramiko's ever get here, it is refused. The
answers are constants, since a False would mean AUTH_SUCCESSFUL or OPEN_SUCCEEDED to paramiko.
"""

from __future__ import annotations

from collections.abc import Callable

import paramiko
from paramiko.common import AUTH_FAILED, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


def _always(answer: object) -> Callable[..., object]:
    return lambda *_args, **_kwargs: answer


class RefusingServer(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko has no types
    """Every callback there is, refusing. None raises."""

    get_allowed_auths = _always("")
    check_auth_none = check_auth_password = check_auth_publickey = _always(AUTH_FAILED)
    check_auth_interactive = check_auth_interactive_response = _always(AUTH_FAILED)
    check_channel_request = _always(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
    check_channel_direct_tcpip_request = _always(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
    check_channel_pty_request = check_channel_env_request = _always(False)
    check_channel_shell_request = check_channel_exec_request = _always(False)
    check_channel_subsystem_request = check_channel_window_change_request = _always(False)
    check_channel_x11_request = check_channel_forward_agent_request = _always(False)
    check_global_request = check_port_forward_request = _always(False)
    cancel_port_forward_request = _always(None)
    get_banner = _always(("", ""))  # with None for the language, paramiko's thread would die
