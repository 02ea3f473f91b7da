// SPDX-License-Identifier: Apache-2.0
// Line charts over Chart.js, in the page's colours, with a legend that a keyboard reaches.
import { h, show, figure } from './dom.js';

const kLight = ['#2459b8', '#c25700', '#1a7f4e', '#a5347f', '#6a4bc4', '#0d7f8f', '#8a6a00', '#b3261e', '#4d5a68', '#5b7a00'];
const kDark = ['#8cb4ff', '#ffad66', '#74d6a0', '#f29ad1', '#bda8ff', '#6fd3e0', '#e5c55f', '#ff9d94', '#b3bfcb', '#b9d765'];
export const isDark = () => document.documentElement.dataset.theme === 'dark';
const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Chart.js's name, the sign that the legend shows, and whether it is filled. As many as are prime to
// the colours above, so that no pair comes back soon.
const kMarks = [['circle', '●', true], ['rect', '■', true], ['triangle', '▲', true], ['rectRot', '◆', true],
  ['cross', '+', false], ['circle', '○', false], ['rect', '□', false], ['triangle', '△', false], ['rectRot', '◇', false],
  ['crossRot', '×', false], ['star', '✳', false]];
const markOf = (i) => kMarks[i % kMarks.length];
const kMarksOnALine = 6;

// Colour of series `i` of `count`, no two alike; layers go from cold to warm.
export function colour(i, count, ordered) {
  if (!ordered && i < kLight.length) return (isDark() ? kDark : kLight)[i];
  // Beyond the chosen ones: the golden angle never comes back to a hue.
  if (!ordered) return `hsl(${((i * 137.508) % 360).toFixed(1)} ${isDark() ? `70% ${62 + (i % 3) * 8}%` : `65% ${26 + (i % 3) * 5}%`})`;
  const t = count > 1 ? i / (count - 1) : 0;
  return `hsl(${Math.round(225 - 200 * t)} ${isDark() ? '80% 70%' : '70% 42%'})`;
}

export class Plot {
  constructor(label, { low = false } = {}) {
    this.canvas = h('canvas', { role: 'img', 'aria-label': label });
    this.box = h('div', { class: low ? 'plot low' : 'plot' }, this.canvas);
    this.legend = h('ul', { class: 'series', 'aria-label': `Curves of: ${label}` });
    this.node = h('div', null, this.box, this.legend);
    this.label = label;
    this.hidden = new Set();
    this.chart = null;
  }

  // series: [{name, points: [[x, y], ...], least: [...], most: [...], axis: 'y' or 'right'}]
  show(series, { x = 'step', y = '', right = '', log = false, ordered = false } = {}) {
    this.last = [series, { x, y, right, log, ordered }];
    const datasets = series.flatMap((one, i) => this.#datasets(one, i, colour(i, series.length, ordered)));
    const scales = this.#scales(x, y, right, log, series.some((one) => one.axis === 'right'));
    if (!this.chart) {
      this.chart = new Chart(this.canvas, { type: 'line', data: { datasets }, options: {
        animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        elements: { point: { radius: 0, hitRadius: 8, hoverRadius: 4 }, line: { borderWidth: 2, tension: 0 } },
        scales, plugins: { legend: { display: false }, tooltip: {
          filter: (item) => !item.dataset.edge,
          itemSort: (a, b) => b.parsed.y - a.parsed.y,
          callbacks: {
            title: (items) => (items[0] ? `${this.last[1].x} ${figure(items[0].parsed.x)}` : ''),
            label: (item) => ` ${figure(item.parsed.y)}  ${item.dataset.label}`,
          } } } } });
    } else {
      this.chart.data.datasets = datasets;
      this.chart.options.scales = scales;
      this.chart.update('none');
    }
    this.#describe(series);
    this.#legend(series, ordered);
  }

  #datasets(one, i, stroke) {
    const [mark, , filled] = markOf(i);
    // A few marks a line, each line's at other places than its neighbours'.
    const every = Math.max(1, Math.ceil(one.points.length / kMarksOnALine)), first = Math.floor(every * ((i * 0.382) % 1));
    const shownAt = one.points.map((_, at) => (one.points.length < kMarksOnALine || at % every === first ? 4 : 0));
    const common = { label: one.name, borderColor: stroke, hidden: this.hidden.has(one.name), yAxisID: one.axis ?? 'y', spanGaps: true };
    const data = (points) => points.map(([x, y]) => ({ x, y }));
    const sets = [{ ...common, backgroundColor: stroke, data: data(one.points), pointStyle: mark, pointRadius: shownAt,
      pointBackgroundColor: filled ? stroke : variable('--sheet'), pointBorderColor: stroke, pointBorderWidth: filled ? 1 : 2, borderDash: one.axis === 'right' ? [5, 4] : [] }];
    if (one.least) {
      const edge = { ...common, edge: true, borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, backgroundColor: stroke.startsWith('#') ? stroke + '2b' : stroke };
      sets.push({ ...edge, data: data(one.least), fill: '+1' }, { ...edge, data: data(one.most), fill: false });
    }
    return sets;
  }

  #scales(x, y, right, log, withRight) {
    const text = variable('--soft'), line = variable('--line');
    const axis = (title, more) => ({ title: { display: Boolean(title), text: title, color: text },
      ticks: { color: text, maxTicksLimit: 7 }, grid: { color: line, borderColor: line }, ...more });
    const scales = { x: axis(x, { type: 'linear' }), y: axis(y, { type: log ? 'logarithmic' : 'linear' }) };
    if (withRight) scales.right = axis(right, { type: 'linear', position: 'right', grid: { display: false } });
    return scales;
  }

  // What the picture shows, in words.
  #describe(series) {
    const ends = series.filter((one) => one.points.length > 0).slice(0, 12)
      .map((one) => `${one.name} ends at ${figure(one.points.at(-1)[1])}`);
    this.canvas.setAttribute('aria-label', `${this.label}: ${series.length} curves. ${ends.join('; ')}`);
  }

  #legend(series, ordered) {
    show(this.legend, [series.map((one) => one.name), [...this.hidden], isDark()], () => series.map((one, i) =>
      h('li', null, h('button', { type: 'button', 'data-key': one.name, 'aria-pressed': String(!this.hidden.has(one.name)),
        title: 'Show or hide', style: { '--series': colour(i, series.length, ordered) },
        onclick: () => this.toggle(one.name) }, h('span', { class: 'key', 'aria-hidden': 'true', 'data-mark': markOf(i)[1] }), one.name))));
  }

  toggle(name) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    this.repaint();
  }
  repaint() {
    if (this.last) this.show(...this.last);
  }
  destroy() {
    this.chart?.destroy();
  }
}
