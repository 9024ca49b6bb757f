"""Contrast by WCAG 2.2, and how colours look to eyes that see red and green alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuihost.theme.roles import DECORATION, SURFACES

if TYPE_CHECKING:
    from tuihost.theme.theme import Theme

AA = 4.5
AAA = 7.0
AA_DECORATION = 3.0

Rgb = tuple[int, int, int]


def rgb_of(color: str) -> Rgb:
    """The three parts of `#rrggbb`, 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def hex_of(rgb: tuple[float, float, float]) -> str:
    """`#rrggbb` of three parts, rounded and kept within 0 to 255."""
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in rgb)


_LINEAR = tuple(
    part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4
    for part in range(256)
)


def _linear(color: str) -> tuple[float, float, float]:
    red, green, blue = rgb_of(color)
    return _LINEAR[red], _LINEAR[green], _LINEAR[blue]


def luminance(color: str) -> float:
    """The relative luminance of `#rrggbb`, from 0 for black to 1 for white."""
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    return _ratio(luminance(first), luminance(second))


def _ratio(first: float, second: float) -> float:
    dark, light = (first, second) if first < second else (second, first)
    return (light + 0.05) / (dark + 0.05)


def ensure_contrast(color: str, grounds: tuple[str, ...], ratio: float = AA) -> str:
    """`color`, moved toward white or black by the fewest of 32 steps that give `ratio` on all
    `grounds`; the best one found if none do."""
    lights = [luminance(ground) for ground in grounds]
    here = rgb_of(color)
    best, most = color, 0.0
    for step in range(33):
        for end in ((255, 255, 255), (0, 0, 0)):
            moved = hex_of(
                (
                    here[0] + (end[0] - here[0]) * step / 32,
                    here[1] + (end[1] - here[1]) * step / 32,
                    here[2] + (end[2] - here[2]) * step / 32,
                )
            )
            own = luminance(moved)
            worst = min((_ratio(own, light) for light in lights), default=21.0)
            if worst >= ratio:
                return moved
            if worst > most:
                best, most = moved, worst
    return best


@dataclass(frozen=True, slots=True)
class Faint:
    """A pair of colours with too little contrast."""

    role: str
    on: str
    ratio: float
    wanted: float

    def __str__(self) -> str:
        return f"{self.role} on {self.on} has a contrast of {self.ratio:.2f}, not {self.wanted}"


def _pairs(theme: Theme) -> Iterator[tuple[str, str, str, str]]:
    """Every role with each ground that it can be on: its name, the ground's, and both colours."""
    ground = theme.roles["text"].bg
    for name, role in theme.roles.items():
        ink = role.fg or theme.roles["text"].fg
        if role.bg:
            yield name, name, ink, role.bg
            continue
        for surface in SURFACES:
            yield name, surface, ink, theme.roles[surface].bg or ground
    for name, role in theme.syntax.items():
        ink = role.fg or theme.roles["code"].fg
        for surface in ("code", "text"):
            yield f"[syntax] {name}", surface, ink, role.bg or theme.roles[surface].bg or ground


def too_faint(theme: Theme, words: float = AA, decoration: float = AA_DECORATION) -> list[Faint]:
    """Every pair of colours of `theme` below the wanted contrast. The terminal's own colours are
    unknown, and not judged."""
    found = []
    for name, surface, ink, ground in _pairs(theme):
        wanted = decoration if name in DECORATION else words
        if ink and ground and (ratio := contrast(ink, ground)) < wanted:
            found.append(Faint(name, surface, ratio, wanted))
    return found


# Linear RGB as seen without green-sensitive cones (Viénot, Brettel and Mollon 1999).
_DEUTERAN = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))


def as_deuteranope(color: str) -> tuple[float, float, float]:
    """The linear RGB of `color` as an eye without green-sensitive cones sees it."""
    parts = _linear(color)
    red, green, blue = (
        sum(weight * part for weight, part in zip(row, parts, strict=True)) for row in _DEUTERAN
    )
    return red, green, blue


def lab(linear: tuple[float, float, float]) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of linear RGB; the distance of two is the CIE76 difference ΔE."""
    red, green, blue = (max(0.0, part) for part in linear)
    white = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in white)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
