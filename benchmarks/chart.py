# SPDX-License-Identifier: BSL-1.0
"""The results as one picture: a line for each form, on it a dot for ours, a bar for the bound, rings for the peers; nanoseconds on a
logarithmic axis. SVG, written here: it needs nothing and is the same everywhere."""
import html
import math

WIDTH, LEFT, RIGHT, TOP, LINE = 960, 170, 24, 64, 20
INK, PALE, OURS, BOUND = "#333", "#ddd", "#c0392b", "#2c7fb8"


def text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{html.escape(words)}</text>'


def svg(results: dict) -> str:
    rows = [row for result in results["groups"].values() for row in result["rows"]]
    values = [v for row in rows for v in [row["ours"], row["bound"], *row["peers"].values()] if v]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def at(ns: float) -> float:
        return LEFT + (math.log10(ns) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    height = TOP + LINE * len(rows) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11" fill="{INK}">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           text(10, 20, "Nanoseconds for each item, first decile", 'font-size="14" font-weight="bold"'),
           f'<circle cx="{LEFT + 6}" cy="36" r="5" fill="{OURS}"/>', text(LEFT + 16, 40, "settle"),
           f'<rect x="{LEFT + 76}" y="30" width="3" height="12" fill="{BOUND}"/>', text(LEFT + 84, 40, "by hand, with nothing around it (bound)"),
           f'<circle cx="{LEFT + 340}" cy="36" r="4" fill="none" stroke="{INK}"/>', text(LEFT + 350, 40, "others; the slowest one is named")]
    for power in range(low, high + 1):
        x = at(10.0 ** power)
        out += [f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 24}" stroke="{PALE}"/>',
                text(x, height - 10, f"{10.0 ** power:g}", 'text-anchor="middle"')]
    for i, row in enumerate(rows):
        y = TOP + LINE * i + LINE / 2
        out += [f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{PALE}"/>', text(10, y + 4, row["form"])]
        for who, ns in row["peers"].items():
            said = html.escape(f"{row['form']}: {who} {ns:.1f}")
            out.append(f'<circle cx="{at(ns):.1f}" cy="{y}" r="4" fill="#fff" stroke="{INK}"><title>{said}</title></circle>')
        if row["peers"]:
            last = max(row["peers"], key=lambda who: row["peers"][who])
            x = at(row["peers"][last])
            beyond = x > WIDTH - 170 or 0 < at(row["ours"]) - x < 130  # the name would leave the picture, or stand under our dot
            anchor = "end" if beyond else "start"
            out.append(text(x + (-8 if beyond else 8), y + 4, last, f'font-size="9" text-anchor="{anchor}"'))
        if row["bound"]:
            out.append(f'<rect x="{at(row["bound"]) - 1.5:.1f}" y="{y - 7}" width="3" height="14" fill="{BOUND}"><title>'
                       f'{html.escape(row["form"])}: bound {row["bound"]:.1f}</title></rect>')
        out.append(f'<circle cx="{at(row["ours"]):.1f}" cy="{y}" r="5" fill="{OURS}"><title>{html.escape(row["form"])}: settle '
                   f'{row["ours"]:.1f}</title></circle>')
    return "\n".join(out + ["</svg>"]) + "\n"
