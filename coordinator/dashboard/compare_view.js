// SPDX-License-Identifier: Apache-2.0
// Cells beside each other: only what differs, then what came of it.
import { h, show, figure, short } from './dom.js';
import { get, poll } from './api.js';
import { Plot } from './plot.js';
import { smooth, model, inOrder } from './series.js';

const text = (value) => (value === null ? '–' : typeof value === 'object' ? JSON.stringify(value) : typeof value === 'number' ? figure(value) : String(value));

export class CompareView {
  constructor(app) {
    this.app = app;
    this.box = h('section', { class: 'sheet', 'aria-label': 'Comparison' });
    this.plot = new Plot('Loss of the compared cells');
    this.curves = h('section', { class: 'sheet', hidden: true }, h('div', { class: 'head' }, h('h2', null, 'Loss')), this.plot.node);
    this.node = [this.box, this.curves];
  }
  start() {
    this.#empty();
    this.poll = poll(async () => {
      const cells = [...this.app.basket];
      if (cells.length === 0) return null;
      const answer = await get(`/compare?cells=${cells.join(',')}`);
      const runs = await Promise.all(answer.cells.map((cell) => (cell.task_id ? get(`/tasks/${cell.task_id}/metrics?names=loss`) : null)));
      return { ...answer, runs };
    }, (answer, error) => {
      if (error) return show(this.box, error.message, () => h('p', { class: 'empty' }, error.message));
      return answer ? this.#show(answer) : this.#empty();
    }, 15);
  }
  end() {
    this.poll?.end();
    this.plot.destroy();
  }
  status() {}
  repaint() { this.plot.repaint(); }

  #empty() {
    this.curves.hidden = true;
    show(this.box, 'empty', () => [h('div', { class: 'head' }, h('h1', null, 'Compare')),
      h('p', { class: 'empty' }, 'Nothing is chosen. Open a cell of a grid and press Compare, or move to it with the arrow keys and press x.')]);
  }

  #show(answer) {
    const { cells, differences, environment_differences: around } = answer;
    const names = cells.map((cell) => `${model(cell)} · ${cell.labeler} · seed ${cell.seed}`);
    const head = () => h('thead', null, h('tr', null, h('td'), cells.map((cell, i) => h('th', { scope: 'col' },
      cell.task_id ? h('a', { href: `#/run/${cell.task_id}` }, names[i]) : names[i], ' ',
      h('button', { type: 'button', class: 'quiet', 'data-key': 'drop' + cell.cell_id, 'aria-label': `Leave out ${names[i]}`,
        onclick: () => { this.app.choose([cell.cell_id]); this.poll.now(); } }, '✕')))));
    const rows = (list) => list.map((each) => h('tr', null, h('th', { scope: 'row' }, each.name), each.values.map((value) => h('td', { class: 'mono' }, text(value)))));
    show(this.box, [cells, differences, around], () => [
      h('div', { class: 'head' }, h('h1', null, 'Compare'), h('button', { type: 'button', 'data-key': 'clear', onclick: () => { this.app.choose([...this.app.basket]); this.poll.now(); } }, 'Clear')),
      h('div', { class: 'scroll' }, h('table', { class: 'differs', 'aria-label': 'Figures and differences' }, head(),
        h('tbody', null, h('tr', null, h('th', { colspan: cells.length + 1 }, 'Accuracy, in percent')), this.#figures(cells, answer.lower_is_better),
          h('tr', null, h('th', { colspan: cells.length + 1 }, 'What they are: only what differs')),
          differences.length ? rows(differences) : h('tr', null, h('td', { colspan: cells.length + 1, class: 'soft' }, 'Nothing: they are the same.')),
          h('tr', null, h('th', { colspan: cells.length + 1 }, 'What they ran on: only what differs')),
          around.length ? rows(around) : h('tr', null, h('td', { colspan: cells.length + 1, class: 'soft' }, 'Nothing.'))))),
    ]);
    const curves = cells.map((cell, i) => ({ name: `${names[i]} (${short(cell.cell_id)})`, points: smooth(answer.runs[i]?.series[0]?.points ?? [], 0.6).map((p) => [p[0], p[2]]) }));
    this.curves.hidden = curves.every((each) => each.points.length === 0);
    if (!this.curves.hidden) this.plot.show(curves, { y: 'loss' });
  }

  #figures(cells, lowerIsBetter) {
    const top = (cell, set) => cell.figures.find((each) => each.eval_set === set && each.metric === 'top1' && each.weights === 'raw')?.value;
    const sets = inOrder(new Set(cells.flatMap((cell) => cell.figures.map((each) => each.eval_set))));
    return sets.map((set) => {
      const values = cells.map((cell) => top(cell, set));
      // On sets without the object a high figure says that the model looks at the background.
      const lower = lowerIsBetter.includes(set);
      const best = Math[lower ? 'min' : 'max'](...values.filter((value) => value !== undefined));
      return h('tr', null, h('th', { scope: 'row' }, set + (lower ? ' ↓' : '')), values.map((value) =>
        h('td', { class: value === best && cells.length > 1 ? 'best' : null }, value === undefined ? '–' : value.toFixed(2), value === best && cells.length > 1 ? ' ★' : '')));
    });
  }
}
