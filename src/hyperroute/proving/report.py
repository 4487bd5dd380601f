"""One self-contained page for people: no script, nothing fetched, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--line:#d1d9e0;--bar:#3b6ea8;--ground:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--line:#3d444d;--bar:#6ea8e6;--ground:#0d1117}}
body{margin:0 auto;max-width:60rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:600;white-space:nowrap}td.number,th.number{text-align:right}
svg{width:100%;height:auto}svg text{fill:var(--ink);font:13px system-ui,sans-serif}svg rect{fill:var(--bar)}
details{margin:.4rem 0}summary{cursor:pointer}p.dim{color:var(--dim)}
"""

WIDTH = 640
ROW = 26
NAMES = 220


def page(title: str, sections: Iterable[tuple[str, str]]) -> str:
    """Build a page of headings and their HTML; what ``text``, ``grid`` and ``bars`` make is safe."""
    body = "".join(f"<section><h2>{escape(head)}</h2>{html}</section>" for head, html in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )


def text(words: str) -> str:
    """Write a paragraph."""
    return f"<p>{escape(words)}</p>"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Write a table; columns in ``numbers`` are aligned to the right."""
    right = set(numbers)

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=number' if at in right else ''}>{escape(cell)}</{tag}>"
            for at, cell in enumerate(row)
        )

    lines = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{cells("th", head)}</tr>{lines}</table></div>'


def bars(rows: Sequence[tuple[str, float, str]]) -> str:
    """Draw a bar for each name, its length by a number, its label behind it."""
    most = max((size for _, size, _ in rows), default=0) or 1
    room = WIDTH - NAMES - 110
    drawn = "".join(
        f'<text x="0" y="{at * ROW + 17}">{escape(_short(name))}</text>'
        f'<rect x="{NAMES}" y="{at * ROW + 5}" width="{max(1.0, room * size / most):.1f}" height="16" rx="2"/>'
        f'<text x="{NAMES + 8 + max(1.0, room * size / most):.1f}" y="{at * ROW + 17}">{escape(label)}</text>'
        for at, (name, size, label) in enumerate(rows)
    )
    return f'<svg viewBox="0 0 {WIDTH} {len(rows) * ROW}" role="img">{drawn}</svg>'


def folded(head: str, lines: Iterable[str]) -> str:
    """Write lines that unfold when touched."""
    inner = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<details><summary>{escape(head)}</summary>{inner}</details>"


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"


__all__ = ["bars", "folded", "grid", "page", "text"]
