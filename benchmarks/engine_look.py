"""How engines and figures look, wherever they are shown.

The colours hold on a light and on a dark page (2 to 1 or more to either), and differ for people who
see all colours and for those who see no red, no green or no blue: in OKLab no two come nearer than
0.12, simulated after Machado, Oliveira and Fernandes (2009). LuaJIT is the warm one, the older two
PUC-Luas are green, the newer three violet. No chart tells engines apart by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = {
    "luajit": "#f08010",
    "lua51": "#24734c",
    "lua52": "#45bf99",
    "lua53": "#8584b1",
    "lua54": "#893fb7",
    "lua55": "#bc9ffc",
}
OTHER_COLOUR = "#7d8590"
"""Of an engine from another package."""

LABELS = {
    "luajit": "LuaJIT",
    "lua51": "PUC 5.1",
    "lua52": "PUC 5.2",
    "lua53": "PUC 5.3",
    "lua54": "PUC 5.4",
    "lua55": "PUC 5.5",
}

_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_SIZES = ((1e6, "MB"), (1e3, "KB"), (1.0, "B"))


def colour(engine: str) -> str:
    return COLOURS.get(engine, OTHER_COLOUR)


def label(engine: str) -> str:
    return LABELS.get(engine, engine)


def labels(engines: Sequence[str], last: str = "and") -> str:
    return listed([label(engine) for engine in engines], last)


def listed(texts: Sequence[str], last: str = "and") -> str:
    """As a sentence names them."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def times(ratio: float) -> str:
    """A ratio with as many digits as it is worth: 0.83×, 1.2×, 34×."""
    return f"{number(ratio)}×"


def number(value: float) -> str:
    if value >= 99.5:
        return f"{value:,.0f}"
    if value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1.95 else f"{value:.2f}"


def percent(part: float, digits: int = 0) -> str:
    return f"{100 * part:.{digits}f}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    return _with_unit(seconds, _TIMES)


def size(held: float) -> str:
    return _with_unit(held, _SIZES)


def _with_unit(value: float, units: tuple[tuple[float, str], ...]) -> str:
    """Three digits, never apart from their unit."""
    for worth, unit in units:
        if value >= worth * 0.9995:
            return f"{_three_digits(value / worth)}\N{NO-BREAK SPACE}{unit}"
    worth, unit = units[-1]
    return f"{_three_digits(value / worth)}\N{NO-BREAK SPACE}{unit}"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
