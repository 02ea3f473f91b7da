// SPDX-License-Identifier: Apache-2.0
// The page's style sheet. Colours are variables, so that dark mode is one list.
#pragma once

#include <string_view>

namespace remixer::reports {

inline constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark;
  --page: #ffffff; --ink: #1b1f24; --soft: #57606a; --rule: #d0d7de; --band: #f6f8fa;
  --plain: #57606a; --remixer: #0063a8; --good: #00664f; --bad: #a33b00; --heat: 0, 99, 168; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171b; --ink: #e4e8ec; --soft: #9aa4ae; --rule: #373e47; --band: #1c2127;
  --plain: #9aa4ae; --remixer: #62b6f5; --good: #4cc9a4; --bad: #f0955a; --heat: 98, 182, 245; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 80rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 3rem 0 .3rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; }
.soft, .notes { color: var(--soft); }
.notes { font-size: .85rem; margin: .6rem 0 0; padding-left: 1.1rem; max-width: 52rem; }
p.notes { padding-left: 0; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem 1.5rem;
  margin: 1.2rem 0 0; padding: .8rem 1rem; background: var(--band); border-radius: 6px; }
dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
nav { margin-top: 1rem; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .9rem; }
a { color: var(--remixer); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; }
.figures { width: 100%; border-bottom: 1.5px solid var(--ink); }
th, td { padding: .28rem .5rem; white-space: nowrap; text-align: right; }
th { font-weight: 600; }
tbody th { font-weight: 400; text-align: left; position: sticky; left: 0; background: var(--page); }
th.model { text-align: left; position: sticky; left: 0; background: var(--page); }
tbody tr.plus th { padding-left: 1.4rem; }
.figures thead th { border-top: 1.5px solid var(--ink); border-bottom: 1px solid var(--ink); }
tbody tr.block:not(:first-child) > * { border-top: 1px solid var(--rule); }
td[title] { cursor: help; }
td b { font-weight: 700; }
small { font-size: .82em; }
.gain { display: inline-block; font-size: .82em; min-width: 4.1em; padding-left: .35em;
  text-align: left; }
.tall .gain { display: block; min-width: 0; padding: 0; text-align: right; line-height: 1.1; }
.tall td, .tall th { vertical-align: top; }
.intervals td { font-size: .9em; }
th.labels, td.labels { text-align: left; white-space: normal; min-width: 8rem; }
.labels-below { display: none; }
tr.grey > * { color: var(--soft); }
.fold { margin: .8rem .4rem .8rem 0; vertical-align: middle; }
.fold + label { vertical-align: middle; cursor: pointer; font-size: .85rem; color: var(--soft); }
.folded { display: none; margin-top: .4rem; }
.fold:checked ~ .folded { display: block; }
a.value { color: inherit; text-decoration-color: var(--rule); text-underline-offset: .2em; }
img.maps { display: block; max-width: none; }
pre { font-size: .8rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.run:target h3 { background: var(--band); }
code { overflow-wrap: anywhere; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.unsure, .missing, .paper { color: var(--soft); }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin-top: 1rem; }
figure { margin: 0; flex: 1 1 21rem; max-width: 34rem; }
figcaption { font-size: .9rem; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
svg text:not([font-size]) { font-size: 12px; }
svg .tick, svg .value { font-variant-numeric: tabular-nums; }
svg .tick { fill: var(--soft); font-size: 11px; }
svg .model { font-weight: 600; }
svg .grid { stroke: var(--rule); }
svg .base { stroke: var(--plain); stroke-dasharray: 2 3; }
svg .bar-plain { stroke: var(--plain); stroke-width: 2; }
svg .bar-remixer { stroke: var(--remixer); stroke-width: 2; }
svg .dot-plain { fill: var(--page); stroke: var(--plain); stroke-width: 2; }
svg .dot-remixer { fill: var(--remixer); stroke: var(--remixer); stroke-width: 2; }
.heat td { min-width: 4rem; text-align: center; border: 2px solid var(--page); }
@media (max-width: 40rem) { th, td { padding: .28rem .4rem; } h2 { margin-top: 2.2rem; }
  tbody th { white-space: normal; line-height: 1.25; }
  .figures th.labels, .figures td.labels { display: none; }
  .labels-below { display: block; color: var(--soft); }
  .figures td small { display: block; }
  /* The model and as many whole columns as there is room for. */
  .figures { --names: 7.5rem; table-layout: fixed; width: max-content; min-width: 100%; }
  .scroll:has(> .figures) { container-type: inline-size; scroll-snap-type: x proximity;
    scroll-padding-left: var(--names, 7.5rem); }
  .figures th.model, .figures tbody th { width: var(--names); }
  .figures thead th:not(.model), .figures td { scroll-snap-align: start; white-space: normal;
    width: calc((100cqi - var(--names)) / 3); overflow-wrap: anywhere; }
  .figures.intervals thead th:not(.model), .figures.intervals td {
    width: calc((100cqi - var(--names)) / 2); }
  .gain { display: block; min-width: 0; padding: 0; text-align: right; line-height: 1.1; }
  td, th { vertical-align: top; }
  tbody tr.plus th { padding-left: .8rem; } }
@page { size: A4 landscape; margin: 12mm; }
@media print {
  :root { color-scheme: light; --page: #ffffff; --ink: #000000; --soft: #444444; --rule: #bbbbbb;
    --band: #ffffff; --plain: #444444; --remixer: #0063a8; --good: #00664f; --bad: #a33b00;
    --heat: 0, 99, 168; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .fold, .fold + label { display: none; }
  .folded { display: block; }
  .scroll { overflow: visible; }
  img.maps { max-width: 100%; }
  table { font-size: 8pt; }
  th, td { padding: .2rem .3rem; white-space: normal; }
  .gain { min-width: 0; }
  tbody th, th.model { position: static; }
  h1, h2, h3, figcaption { break-after: avoid; }
  h2 { margin-top: 1.2rem; }
  .whole, figure, tr, .folded, dl { break-inside: avoid; }
  thead { display: table-header-group; }
  p, li { orphans: 3; widows: 3; } }
)css";

}  // namespace remixer::reports
