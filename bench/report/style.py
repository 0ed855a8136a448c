# SPDX-License-Identifier: MIT
"""How the page looks, by light and in the dark. No character that XML would want escaped."""

LIGHT = ["#1f5fd0", "#d9722a", "#8458b3", "#148f86", "#a8860a", "#c43d56", "#5f8a2e", "#7a7f87", "#4d6a8c", "#86a0bf",
         "#a3644c", "#b0b5bd"]
DARK = ["#6ea8ff", "#f2a267", "#b793e6", "#4cc9bd", "#dcbc4a", "#f0798c", "#9cc76a", "#a2a8b2", "#8fb0d8", "#5f7da3",
        "#d39a83", "#7c838d"]


def variables(colours, **more):
    return "".join(f"--s{i}:{colour};" for i, colour in enumerate(colours)) + \
        "".join(f"--{name}:{value};" for name, value in more.items())


STYLE = (
    ":root{color-scheme:light dark;" +
    variables(LIGHT, ink="#1c2128", dim="#667080", page="#ffffff", card="#f6f7f9", rule="#dfe3e8", good="#1a7f4b",
              bad="#b3303f") +
    "}@media(prefers-color-scheme:dark){:root{" +
    variables(DARK, ink="#e4e8ee", dim="#98a2b0", page="#14171c", card="#1c2027", rule="#313842", good="#5ecb94",
              bad="#ff8390") + "}}" +
    """
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;margin:0 0 12px}
h2{font-size:19px;margin:44px 0 4px}
p{margin:4px 0 14px;color:var(--dim);max-width:72ch}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0;font-size:13px}
dt{color:var(--dim)}
dd{margin:0}
footer{margin-top:40px;color:var(--dim);font-size:13px}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:22px 0 16px}
.tile{background:var(--card);border-radius:8px;padding:10px 16px;font-size:13px;color:var(--dim)}
.tile b{display:block;font-size:22px;color:var(--ink);font-variant-numeric:tabular-nums}
.legend span{margin-right:16px;white-space:nowrap;font-size:13px;color:var(--ink)}
.legend i{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:6px;background:var(--c)}
.plots,.panels{display:flex;flex-wrap:wrap;gap:16px}
.panels{gap:20px 16px;align-items:flex-start}
figure{margin:0}
svg{width:100%;height:auto;display:block}
.panels svg{width:296px}
.plots figure{flex:1 1 420px}
text{font:12px system-ui,sans-serif;fill:var(--dim)}
text.h{font-weight:600;fill:var(--ink)}
text.n{fill:var(--ink);font-variant-numeric:tabular-nums}
text.b{fill:var(--c)}
.f{fill:var(--c)}
.pale{opacity:.45}
.l{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
.k{stroke:var(--c);stroke-width:2;opacity:.55}
.g{stroke:var(--rule);stroke-width:1}
.a{stroke:var(--dim);stroke-width:1}
.w{stroke:var(--ink);stroke-width:1;opacity:.7}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;width:100%}
th{text-align:left;font-weight:600;padding:10px 10px 3px 0;border-bottom:1px solid var(--rule)}
td{padding:3px 10px 3px 0;border-bottom:1px solid var(--rule);white-space:nowrap}
td.n{text-align:right;font-variant-numeric:tabular-nums}
th.n{text-align:right}
.ahead{color:var(--good)}
.behind{color:var(--bad)}
""" + "".join(f".s{i}{{--c:var(--s{i})}}" for i in range(len(LIGHT))))
