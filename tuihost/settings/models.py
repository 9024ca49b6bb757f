"""What the operator decides: one frozen model for each section of the settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticKnownError

from tuihost.core.login.account_names import RESERVED_NAMES
from tuihost.settings._values import (
    AnyPath,
    AppName,
    Chains,
    Count,
    ForwardRules,
    KeyFiles,
    Names,
    OneLine,
    PathOrNone,
    Paths,
    Seconds,
    Unit,
    known_key,
    name_or_none,
)
from tuihost.settings.environment import EnvironmentText


class Section(BaseModel):
    """One table of the file: frozen, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """True is not a number, nor is text, and text and numbers are neither true nor false."""
        if info.field_name is None or isinstance(value, EnvironmentText):
            return value
        kind = cls.model_fields[info.field_name].annotation
        if kind is int and isinstance(value, bool | str):
            raise PydanticKnownError("int_type")
        if kind is float and isinstance(value, bool | str):
            raise PydanticKnownError("float_type")
        if kind is bool and not isinstance(value, bool):
            raise PydanticKnownError("bool_type")
        return value


class Server(Section):
    """Where the host listens and what it is called."""

    host: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        default="127.0.0.1",
        description="Address to listen on. 0.0.0.0 lets other machines in, :: those with IPv6.",
        examples=["0.0.0.0"],
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8022, description="Port to listen on; 0 takes any that is free.", examples=[2222]
    )
    name: Annotated[OneLine, Field(min_length=1)] = Field(
        default="tuihost", description="What the host calls itself to people.", examples=["Harbor"]
    )
    default_app: AppName = Field(
        default="menu",
        description="The app that `ssh host` opens if no app is named.",
        examples=["notes"],
    )
    script: OneLine = Field(
        default="shell script",
        description="The command that `ssh host < file` runs; `default_app` if empty or unknown.",
        examples=["notes list"],
    )
    theme: str = Field(
        default="harbor-night",
        description="The theme for people who have not chosen one. On a terminal that is light "
        "where the theme is dark, or the other way round, they get its pair.",
        examples=["harbor-day"],
    )
    state_dir: AnyPath = Field(
        default_factory=lambda: platformdirs.user_state_path("tuihost"),
        description="Where host keys, preferences and the data of apps are kept.",
        examples=["/var/lib/tuihost"],
    )
    host_keys: Annotated[Paths, Field(min_length=1)] = Field(
        default_factory=lambda data: (data["state_dir"] / "host_ed25519",),
        description="Private keys of the host. The first is made if it does not exist.",
        examples=[("/etc/tuihost/host_ed25519", "/etc/tuihost/host_rsa")],
    )
    algorithms: Literal["wide", "modern"] = Field(
        default="wide",
        description="`wide` also offers MACs for older clients, such as curl with libssh2 1.10; "
        "`modern` does not.",
        examples=["modern"],
    )
    max_connections: Count = Field(
        default=512, description="The most connections at a time.", examples=[200]
    )
    max_unauthenticated: Count = Field(
        default=100, description="The most connections that have not logged in yet.", examples=[50]
    )
    per_address: Count = Field(
        default=32, description="The most connections from one address.", examples=[8]
    )


class Login(Section):
    """Who may enter, and how long they may take."""

    guests: bool = Field(
        default=True, description="Whether people without an account may enter.", examples=[False]
    )
    guest_names: Names = Field(
        default=("*",),
        description="Names under which guests may enter; never one that an account has.",
        examples=[("guest", "demo-*")],
    )
    reserved_names: Names = Field(
        default=RESERVED_NAMES,
        description="Names, and patterns of names, that neither guests nor people with an "
        "invitation may use, nor any that look like them. A name that `guest_names` has without "
        "`*` is open to guests all the same.",
        examples=[("root", "admin", "team-*")],
    )
    chains: Chains = Field(
        default=("publickey", "password, totp", "password, recovery", "password"),
        description="Chains for accounts, each a list of factors: `publickey, totp`. In one text, "
        "as in the environment, each ends with `;`.",
        examples=[("publickey, totp", "password, totp")],
    )
    app_chains: dict[AppName, Chains] = Field(
        default={},
        description="Chains that single apps ask for, instead of the host's.",
        examples=[{"vault": ("publickey, totp",)}],
    )
    steps: Names = Field(
        default=(),
        description="Login steps in modules: `package.module:attr`.",
        examples=[("acme.steps:badge",)],
    )
    step_folders: Paths = Field(
        default=(),
        description="Folders of login steps, each `NAME.py` or `NAME/` one step.",
        examples=[("steps",)],
    )
    invite_name: Annotated[str, AfterValidator(name_or_none)] = Field(
        default="new",
        description="The name to log in as with an invitation, while one is open; empty for none.",
        examples=["welcome"],
    )
    invitee_names: Literal["ascii", "any"] = Field(
        default="ascii",
        description="Which names people with an invitation may choose: `ascii` for letters from a "
        "to z, digits, `.`, `_` and `-`; `any` for letters of every language.",
        examples=["any"],
    )
    authorized_keys: KeyFiles = Field(
        default=(),
        description="Files of keys besides the account's own; %u is the account's name.",
        examples=[("keys/%u",)],
    )
    trusted_ca: Paths = Field(
        default=(),
        description="Public keys whose user certificates are accepted.",
        examples=[("ca.pub",)],
    )
    revoked_keys: PathOrNone = Field(
        default=None,
        description="A file of keys that are never accepted: lines, or a KRL.",
        examples=["revoked.krl"],
    )
    terms: PathOrNone = Field(
        default=None,
        description="A text that the factor `terms` asks people to accept.",
        examples=["terms.txt"],
    )
    delivery: str = Field(
        default="",
        description="The sender of the codes of the factor `delivery`: "
        "`package.module:attr`, or `outbox` for a file in `state_dir`, to try it out.",
        examples=["outbox"],
    )
    password_concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="The most passwords that are verified at a time.", examples=[4]
    )
    grace: Annotated[Seconds, Field(gt=0)] = Field(
        default=30.0, description="Seconds that a whole login may take.", examples=[120.0]
    )
    max_tries: Annotated[int, Field(ge=1, le=100)] = Field(
        default=6, description="Failed attempts before the connection ends.", examples=[3]
    )
    banner: Annotated[str, Field(max_length=4000)] = Field(
        default="",
        description="Text that clients show before the login.",
        examples=["For people with an account only.\n"],
    )


class Limits(Section):
    """What one connection, and one person, may use."""

    channels: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=128,
        description="Channels that one connection may have open, forwards included.",
        examples=[64],
    )
    sessions: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=16,
        description="Sessions that one connection may have open: shells and commands.",
        examples=[8],
    )
    keepalive: Seconds = Field(
        default=30.0,
        description="Seconds of silence before a client is asked if it is there; 0 is off.",
        examples=[60.0],
    )
    keepalive_count: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="Unanswered questions before the connection ends.", examples=[5]
    )
    idle: Seconds = Field(
        default=0.0,
        description="Seconds without a key before a session ends; 0 is off.",
        examples=[3600.0],
    )
    share: Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False)] = Field(
        default=1.0,
        description="How much of everything one connection, one person and one address may take, "
        "as a multiple of the bounds in `docs/server-behaviour.md`.",
        examples=[2.0],
    )
    memory: Annotated[int, Field(ge=64, le=1_000_000), Unit("MB")] = Field(
        default=512,
        description="Megabytes that the host holds for all people together, besides their apps.",
        examples=[1024],
    )


class Forwarding(Section):
    """Which real addresses forwards may lead to. Targets that apps answer need no rule."""

    dial: ForwardRules = Field(
        default=(),
        description="Targets that may be dialled: `db.example.org:5432`, `10.0.0.0/8:22`, "
        "`localhost:3000-3999`, `*.example.org:*`, `/run/app/*.sock`.",
        examples=[("db.example.org:5432", "10.0.0.0/8:22")],
    )
    listen: ForwardRules = Field(
        default=(),
        description="Addresses that remote forwards may listen on: `localhost:9000-9100`.",
        examples=[("localhost:9000-9100",)],
    )
    dial_timeout: Annotated[Seconds, Field(gt=0)] = Field(
        default=10.0, description="Seconds for a target to answer.", examples=[5.0]
    )
    listeners: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=16,
        description="Remote forwards that one connection may have at a time.",
        examples=[4],
    )


class Sources(Section):
    """What one source of connections may do before it has to wait."""

    startups: Annotated[str, Field(pattern=r"^\d+:\d+:\d+$")] = Field(
        default="10:30:100",
        description="`A:B:C`: with A logins under way, B per cent of new ones are dropped, "
        "then more and more, and all with C.",
        examples=["20:30:60"],
    )
    prefix_v4: Annotated[int, Field(ge=8, le=32), Unit("bits")] = Field(
        default=32, description="Bits of an IPv4 address that make one source.", examples=[24]
    )
    prefix_v6: Annotated[int, Field(ge=32, le=128), Unit("bits")] = Field(
        default=64, description="Bits of an IPv6 address that make one source.", examples=[56]
    )
    penalties: bool = Field(
        default=True,
        description="Whether a source that fails has to wait, longer each time.",
        examples=[False],
    )
    penalty_max: Seconds = Field(
        default=600.0, description="The longest that a source waits.", examples=[3600.0]
    )
    exempt: Names = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Networks that never have to wait.",
        examples=[("192.0.2.0/24",)],
    )
    lockout_failures: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=10,
        description="Failures for one account from one source before it is locked; 0 is off.",
        examples=[5],
    )
    lockout: Seconds = Field(
        default=900.0,
        description="Seconds that it is locked, and in which failures add up.",
        examples=[3600.0],
    )
    proxies: Names = Field(
        default=(),
        description="Networks of proxies that name the true source (PROXY protocol).",
        examples=[("10.0.0.5/32",)],
    )


class Accounts(Section):
    """Where accounts are kept."""

    url: str = Field(
        default="",
        description="`sqlite:///path`, where a relative path starts at `state_dir`; "
        "`accounts.sqlite3` there if empty.",
        examples=["sqlite:///people.sqlite3"],
    )
    secret_key: PathOrNone = Field(
        default=None,
        description="The key that secrets are encrypted with; in `state_dir` if empty.",
        examples=["/etc/tuihost/accounts.key"],
    )


class Role(Section):
    """What a role may use, as patterns of names. A person may use what any of their roles may."""

    apps: Names = Field(default=("*",), description="Apps.", examples=[("menu", "notes")])
    commands: Names = Field(
        default=("*",),
        description="Commands, as `app command`.",
        examples=[("notes *", "status now")],
    )
    read_files: Names | None = Field(
        default=None,
        description="Apps whose files they may read, by sftp and in every other way. If it is not "
        "set: all apps if `commands` has `*`, and none otherwise.",
        examples=[("notes", "files")],
    )
    write_files: Names | None = Field(
        default=None,
        description="Apps whose files they may read and change. If it is not set: all apps if "
        "`commands` has `*`, and none otherwise.",
        examples=[("files",)],
    )
    forwards: Names = Field(
        default=(),
        description="Real targets that they may forward to, as `host:port`.",
        examples=[("10.0.0.5:5432",)],
    )
    listens: Names = Field(
        default=(),
        description="Real addresses that the host may listen on for them, as `host:port`.",
        examples=[("localhost:9000",)],
    )
    x11: bool = Field(
        default=True,
        description="Whether apps that ask for it may use their X11 display.",
        examples=[False],
    )
    agent: bool = Field(
        default=True,
        description="Whether apps that ask for it may use their SSH agent.",
        examples=[False],
    )


class Group(Section):
    """What everybody in a group of accounts has (`tuihost user groups`)."""

    roles: Names = Field(
        default=(), description="Roles, besides the accounts' own.", examples=[("staff", "library")]
    )


class Logs(Section):
    """Where the log goes."""

    format: Literal["text", "json"] = Field(
        default="text", description="The form of the log's lines.", examples=["json"]
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="The least important events that are logged.",
        examples=["warning"],
    )
    file: PathOrNone = Field(
        default=None,
        description="A file that the log is appended to; standard error if empty.",
        examples=["/var/log/tuihost.log"],
    )


class Apps(Section):
    """Which apps there are. The options of one app are in `[app.NAME]`."""

    folders: Paths = Field(
        default=(),
        description="Folders of apps, each `NAME.py` or `NAME/` one app. The first wins.",
        examples=[("apps",)],
    )
    modules: Names = Field(
        default=(),
        description="Apps in modules: `package.module:attr`.",
        examples=[("acme.board:app",)],
    )
    enabled: Names = Field(
        default=("*",),
        description="Names of apps to load; `*` is all.",
        examples=[("menu", "notes", "shell")],
    )
    disabled: Names = Field(
        default=(),
        description="Names of apps to leave out, even if they are enabled.",
        examples=[("windows",)],
    )


class Themes(Section):
    """Where themes are found, besides the bundled ones."""

    folders: Paths = Field(
        default=(),
        description="Folders of themes, each file `NAME.toml` one theme.",
        examples=[("themes",)],
    )


class Menu(Section):
    """The first screen."""

    escape: Annotated[str, AfterValidator(known_key)] = Field(
        default="c-]",
        description="The key that leads back to the menu from anywhere.",
        examples=["f12"],
    )


class Settings(Section):
    """Everything that the operator decides."""

    server: Server = Server()
    login: Login = Login()
    limits: Limits = Limits()
    forwarding: Forwarding = Forwarding()
    sources: Sources = Sources()
    accounts: Accounts = Accounts()
    roles: dict[AppName, Role] = Field(
        default={},
        description="Roles by name: guests have `guest`, everybody with an account `user`.",
    )
    groups: dict[AppName, Group] = Field(
        default={}, description="Groups of accounts by name, and the roles that they give."
    )
    logs: Logs = Logs()
    apps: Apps = Apps()
    themes: Themes = Themes()
    menu: Menu = Menu()
    app: dict[AppName, dict[str, Any]] = Field(
        default={}, description="Options of single apps, which an app finds in its `options`."
    )
