// SPDX-License-Identifier: Apache-2.0
// One grid: how far it is, its matrix, what runs, its curves.
import { h, show, state, progress, select, duration, figure, short, when } from './dom.js';
import { get, post, poll } from './api.js';
import { showMatrix, stateOf } from './matrix.js';
import { Plot } from './plot.js';
import { smooth, mean, group, model, inOrder, curveName, kGroupings } from './series.js';

const kept = (name, usual) => localStorage.getItem('remixer.' + name) ?? usual;
const keep = (name, value) => localStorage.setItem('remixer.' + name, value);

// The gain over the plain model of the row, of a mean that has one.
const gainText = ({ gain }) => (gain === null ? '' : ` (${gain < 0 ? '−' : '+'}${Math.abs(gain).toFixed(1)})`);

export class GridView {
  constructor(app, id) {
    this.app = app;
    this.id = id;
    this.options = { set: kept('set', 'original'), metric: 'top1', weights: 'raw', name: kept('curve', 'loss'),
      smoothing: Number(kept('smoothing', '0.6')), by: kept('by', 'run'), x: kept('x', 'step'), log: kept('log', '') === 'yes' };
    this.overview = h('section', { class: 'sheet', 'aria-label': 'Grid' });
    this.matrixBox = h('div');
    this.matrixControls = h('div', { class: 'controls' });
    this.detail = h('div', { class: 'detail', hidden: true });
    this.running = h('section', { class: 'sheet', 'aria-label': 'Running' });
    this.plot = new Plot('Curves of the training runs');
    this.curveControls = h('div', { class: 'controls' });
    this.curveNote = h('p', { class: 'soft small' });
    this.node = [this.overview,
      h('section', { class: 'sheet' }, h('div', { class: 'head' }, h('h2', null, 'Cells')), this.matrixControls, this.matrixBox, this.detail),
      this.running,
      h('section', { class: 'sheet' }, h('div', { class: 'head' }, h('h2', null, 'Curves')), this.curveControls, this.plot.node, this.curveNote)];
  }

  start() {
    this.matrixPoll = poll(() => get(`/grids/${this.id}/matrix?metric=${this.options.metric}&weights=${this.options.weights}`),
      (matrix) => { if (matrix) { this.matrix = matrix; this.#matrix(); } }, 20);
    this.curvePoll = poll(() => get(`/grids/${this.id}/curves?name=${encodeURIComponent(this.options.name)}`),
      (curves) => { if (curves) { this.curves = curves; this.#curves(); } }, 6);
  }
  end() {
    this.matrixPoll?.end();
    this.curvePoll?.end();
    this.plot.destroy();
  }

  status(status) {
    const grid = status.grids.find((each) => each.id === this.id);
    if (grid) this.#overview(grid, status.grids);
    this.#running(status.running.filter((each) => !each.grids || each.grids.includes(this.id)));
    if (this.revision !== undefined && this.revision !== status.revision) this.matrixPoll?.now();
    this.revision = status.revision;
  }

  #overview(grid, grids) {
    const percent = `${(100 * grid.fraction).toFixed(grid.fraction < 0.1 ? 1 : 0)} %`;
    show(this.overview, [grid, grids.map((each) => [each.id, each.name])], () => {
      const open = grid.state === 'running';
      const order = (word, what) => h('button', { type: 'button', 'data-key': word, class: word === 'cancel' ? 'danger' : '',
        onclick: () => this.app.order(`${what} ${grid.name}?`, () => post(`/grids/${grid.id}/${word}`)) }, what);
      return [
        h('div', { class: 'head' }, h('h1', null, grid.name), state(grid.state),
          grids.length > 1 ? select('Grid', grid.id, grids.map((each) => [each.id, `${each.name} (${each.id})`]), (id) => { location.hash = `#/grid/${id}`; }) : null,
          grid.states.failed + grid.states.blocked + grid.states.cancelled > 0 ? order('retry', 'Retry what failed') : null,
          open ? order('cancel', 'Cancel') : null),
        grid.description ? h('p', { class: 'soft', style: { margin: '0 0 .7rem' } }, grid.description) : null,
        progress(grid.fraction, `${grid.name}: done`, grid.state),
        h('p', { class: 'facts' },
          h('span', null, h('b', null, percent)),
          h('span', null, h('b', null, figure(grid.states.done)), ` of ${figure(grid.tasks)} tasks`),
          h('span', null, h('b', null, figure(grid.cells_done)), ` of ${figure(grid.cells)} cells`),
          grid.states.running ? h('span', null, h('b', null, figure(grid.states.running)), ' running') : null,
          grid.states.failed ? h('span', null, h('b', null, figure(grid.states.failed)), ' failed') : null,
          grid.states.blocked ? h('span', null, h('b', null, figure(grid.states.blocked)), ' blocked') : null,
          h('span', null, open ? (grid.seconds_left === null ? 'time to go not known yet' : [h('b', null, duration(grid.seconds_left)), ' to go']) : `ended ${when(grid.ended_at)}`),
          h('span', null, h('a', { href: `#/tables/${grid.id}`, 'data-key': 'tables' }, 'its tables'))),
      ];
    });
  }

  #matrix() {
    const matrix = this.matrix, options = this.options;
    const sets = inOrder(matrix.eval_sets);
    if (sets.length && !sets.includes(options.set)) options.set = sets[0];
    show(this.matrixControls, [sets, matrix.lower_is_better, options], () => [
      sets.length ? select('Evaluated on', options.set, sets.map((set) => [set, matrix.lower_is_better.includes(set) ? `${set} ↓` : set]), (set) => { options.set = set; keep('set', set); this.#matrix(); }) : null,
      select('Figure', options.metric, [['top1', 'top-1 accuracy'], ['top5', 'top-5 accuracy']], (metric) => { options.metric = metric; this.matrixPoll.now(); }),
      select('Weights', options.weights, [['raw', 'last'], ['ema', 'moving average'], ['best', 'best on images held out']], (weights) => { options.weights = weights; this.matrixPoll.now(); }),
    ]);
    showMatrix(this.matrixBox, matrix, options.set, this.app.basket, {
      open: (place) => this.#open(place),
      choose: (place) => { this.app.choose(place.cell_ids); this.#matrix(); if (this.place) this.#open(place); },
    });
  }

  // What is behind one place: its figures on all sets, its cells and their runs.
  #open(place) {
    this.place = place;
    const row = this.matrix.rows[place.row];
    const sets = inOrder(Object.keys(place.figures));
    const basket = this.app.basket;
    this.detail.hidden = false;
    show(this.detail, [place, [...basket]], () => [
      h('div', { class: 'head' }, h('h3', null, `${model(row)} · ${place.labeler}`), state(stateOf(place)),
        h('button', { type: 'button', 'data-key': 'choose', onclick: () => { this.app.choose(place.cell_ids); this.#matrix(); this.#open(place); } },
          place.cell_ids.some((id) => basket.has(id)) ? 'Do not compare' : 'Compare'),
        h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close', 'data-key': 'close', onclick: () => this.escape() }, '✕')),
      h('p', { class: 'facts' }, sets.map((set) => h('span', null, set + (this.matrix.lower_is_better.includes(set) ? ' ↓ ' : ' '), h('b', null, place.figures[set].mean.toFixed(1)), gainText(place.figures[set]))),
        sets.length === 0 ? 'No figures yet.' : null),
      h('p', { class: 'small' }, 'Runs: ', this.#runsOf(place)),
    ]);
    this.detail.scrollIntoView({ block: 'nearest' });
  }
  // Esc, and the button: the detail is closed, and the keyboard is where it was.
  escape() {
    if (!this.place) return;
    const { row, labeler } = this.place;
    this.detail.hidden = true;
    this.detail.shownSignature = null;
    this.place = null;
    this.matrixBox.querySelector(`[data-key="${CSS.escape(`${row}/${labeler}`)}"]`)?.focus({ preventScroll: true });
  }
  #runsOf(place) {
    const runs = (this.curves?.series ?? []).filter((run) => place.cell_ids.includes(run.cell_id));
    if (runs.length === 0) return place.cell_ids.map((id) => h('span', { class: 'mono' }, short(id), ' '));
    return runs.map((run) => [h('a', { href: `#/run/${run.task_id}` }, `seed ${run.seed}`), ` (${run.state}) `]);
  }

  #running(running) {
    show(this.running, running, () => [
      h('div', { class: 'head' }, h('h2', null, `Running now`), h('span', { class: 'soft' }, figure(running.length))),
      running.length === 0 ? h('p', { class: 'empty' }, 'Nothing of this grid runs at the moment.') : null,
      h('ul', { class: 'runs' }, running.map((run) => h('li', null,
        h('div', { class: 'run-line' },
          h('a', { href: `#/run/${run.task_id}`, 'data-key': run.task_id }, run.title),
          h('span', { class: 'soft small' }, [
            run.total_steps ? `${figure(run.step)} of ${figure(run.total_steps)}` : run.activity,
            run.metrics.loss === undefined || run.metrics.loss === null ? null : `loss ${figure(run.metrics.loss)}`,
            run.metrics.images_per_second ? `${Math.round(run.metrics.images_per_second)} images/s` : null,
            run.seconds_left === null ? null : `${duration(run.seconds_left)} to go`,
            run.worker].filter((part) => part).join(' · '))),
        progress(run.total_steps ? run.step / run.total_steps : 0, run.title, 'running')))),
    ]);
  }

  #curves() {
    const { curves, options } = this;
    const set = (name, redraw) => (value) => { options[name] = value; keep({ name: 'curve' }[name] ?? name, value); redraw(); };
    const names = curves.names.length ? curves.names : [options.name];
    show(this.curveControls, [names, options.name, options.by, options.x, options.log], () => [
      select('Curve', options.name, names.map((name) => [name, curveName(name)]), set('name', () => this.curvePoll.now())),
      select('One line a', options.by, Object.entries(kGroupings), set('by', () => this.#curves())),
      h('label', null, 'Smoothing', h('input', { type: 'range', min: 0, max: 0.98, step: 0.02, value: options.smoothing, 'data-key': 'smoothing',
        oninput: (event) => { options.smoothing = Number(event.target.value); keep('smoothing', options.smoothing); this.#curves(); } })),
      select('Over', options.x, [['step', 'steps'], ['epoch', 'epochs']], set('x', () => this.#curves())),
      h('label', null, h('input', { type: 'checkbox', checked: options.log, 'data-key': 'log',
        onchange: (event) => { options.log = event.target.checked; keep('log', options.log ? 'yes' : ''); this.#curves(); } }), 'logarithmic'),
    ]);
    const place = options.x === 'epoch' ? 1 : 0;
    const series = group(curves.series, options.by).map(([name, runs]) => {
      // One value an epoch needs no smoothing.
      const smoothed = runs.map((run) => smooth(run.points, options.name.startsWith('hold_out.') ? 0 : options.smoothing));
      if (runs.length === 1) return { name, points: smoothed[0].map((point) => [point[place], point[2]]) };
      const points = mean(smoothed), at = (point) => (place ? point.epoch : point.step);
      return { name: `${name} (${runs.length})`, points: points.map((p) => [at(p), p.mean]),
        least: points.map((p) => [at(p), p.least]), most: points.map((p) => [at(p), p.most]) };
    });
    this.plot.show(series, { x: options.x, y: curveName(options.name), log: options.log });
    this.curveNote.textContent = curves.series.length === 0 ? 'No training run has reported anything yet.'
      : curves.more ? `The ${curves.series.length} newest runs are shown.` : '';
  }

  repaint() { this.plot.repaint(); }
}
