// SPDX-License-Identifier: Apache-2.0
// One task: what it is, how it goes, why not; its curves, kappa by layer, machine, log, surroundings.
import { h, show, state, progress, table, duration, figure, when, short } from './dom.js';
import { get, post, poll } from './api.js';
import { Plot } from './plot.js';
import { smooth } from './series.js';
import { LogPanel } from './log_panel.js';
import { meters } from './system.js';

const flat = (points) => points.map((point) => [point[0], point[2]]);

// Of a task that does not run: what it waits for, or what became of it, with its last step.
function ended(task) {
  if (task.state !== 'done') return h('span', null, task.explanation);
  const last = task.attempts.at(-1);
  return [
    last?.total_steps ? h('span', null, h('b', null, figure(last.step)), ` of ${figure(last.total_steps)}`) : null,
    h('span', null, 'done at ', h('b', null, when(last?.ended_at))),
    last?.ended_at ? h('span', null, 'in ', h('b', null, duration((new Date(last.ended_at) - new Date(last.started_at)) / 1000))) : null];
}

export class RunView {
  constructor(app, id) {
    this.app = app;
    this.id = id;
    this.about = h('section', { class: 'sheet', 'aria-label': 'Task' }, h('p', { class: 'empty' }, 'Loading …'));
    this.plots = h('div', { class: 'columns', hidden: true });
    this.loss = new Plot('Loss and learning rate', { low: true });
    this.kappa = new Plot('Kappa by layer', { low: true });
    this.heldOut = new Plot('Accuracy on images held out', { low: true });
    this.speed = new Plot('Images a second', { low: true });
    this.machine = new Plot('Machine', { low: true });
    this.meters = h('div');
    this.log = new LogPanel();
    this.record = h('section', { class: 'sheet', 'aria-label': 'Record' });
    const sheet = (title, ...content) => h('section', { class: 'sheet' }, h('div', { class: 'head' }, h('h2', null, title)), content);
    this.sheets = { loss: sheet('Loss', this.loss.node), heldOut: sheet('Held out', this.heldOut.node), kappa: sheet('κ by layer', this.kappa.node),
      speed: sheet('Speed', this.speed.node), machine: sheet('Machine', this.meters, this.machine.node) };
    this.plots.append(...Object.values(this.sheets));
    this.node = [this.about, this.plots, this.log.node, this.record];
  }

  start() {
    this.taskPoll = poll(() => get(`/tasks/${this.id}`), (task, error) => {
      if (error) return show(this.about, error.message, () => h('p', { class: 'empty' }, error.message));
      this.task = task;
      this.#about();
      this.#record();
    }, 15);
    this.metricPoll = poll(() => get(`/tasks/${this.id}/metrics?points=500`), (answer) => { if (answer) this.#metrics(answer.series); }, 4);
  }
  end() {
    this.taskPoll?.end();
    this.metricPoll?.end();
    for (const plot of this.#all()) plot.destroy();
  }

  status(status) {
    this.live = status.running.find((each) => each.task_id === this.id) ?? null;
    if (this.revision !== status.revision) this.taskPoll?.now();
    this.revision = status.revision;
    if (this.task) this.#about();
    show(this.meters, this.live?.metrics ?? {}, () => (this.live ? meters(this.live.metrics) : null));
  }

  #about() {
    const { task, live } = this;
    show(this.about, [task, live], () => {
      const order = (word, text) => h('button', { type: 'button', 'data-key': word, class: word === 'cancel' ? 'danger' : '',
        onclick: () => this.app.order(`${text} '${task.title}'?`, () => post(`/tasks/${task.task_id}/${word}`)) }, text);
      return [
        h('div', { class: 'head' }, h('h1', null, task.title), state(live ? 'running' : task.state),
          ['failed', 'blocked', 'cancelled'].includes(task.state) ? order('retry', 'Retry') : null,
          ['waiting', 'ready', 'running'].includes(task.state) ? order('cancel', 'Cancel') : null),
        live ? progress(live.total_steps ? live.step / live.total_steps : 0, task.title, 'running') : null,
        h('p', { class: 'facts' }, live ? [
          h('span', null, h('b', null, figure(live.step)), ` of ${figure(live.total_steps)}`),
          h('span', null, live.activity || 'running'),
          live.metrics.loss === undefined ? null : h('span', null, 'loss ', h('b', null, figure(live.metrics.loss))),
          live.metrics.images_per_second ? h('span', null, h('b', null, figure(Math.round(live.metrics.images_per_second))), ' images/s') : null,
          h('span', null, h('b', null, duration(live.seconds)), ' so far'),
          live.seconds_left === null ? null : h('span', null, h('b', null, duration(live.seconds_left)), ' to go'),
          h('span', null, 'on ', h('b', null, live.worker)),
        ] : ended(task)),
        task.figures.length ? h('p', { class: 'facts' }, task.figures.map((each) =>
          h('span', null, `${each.eval_set} ${each.metric}${each.weights === 'ema' ? ' (moving average)' : ''} `, h('b', null, each.value.toFixed(2)), ` of ${each.n}`))) : null,
      ];
    });
  }

  #metrics(series) {
    const of = (name) => series.find((each) => each.name === name)?.points ?? [];
    const layers = series.filter((each) => each.name.startsWith('kappa.')).sort((a, b) => a.name.slice(6) - b.name.slice(6));
    const machine = series.filter((each) => each.name.startsWith('system.') && each.name.endsWith('_percent'));
    const speed = of('images_per_second');
    this.plots.hidden = series.every((each) => each.points.length === 0);
    this.sheets.loss.hidden = of('loss').length === 0;
    this.sheets.heldOut.hidden = of('hold_out.top1').length === 0;
    this.sheets.kappa.hidden = layers.length === 0;
    this.sheets.speed.hidden = speed.length === 0;
    this.sheets.machine.hidden = machine.length === 0;
    if (!this.sheets.loss.hidden) {
      this.loss.show([{ name: 'loss', points: flat(of('loss')) }, { name: 'loss, smoothed', points: flat(smooth(of('loss'), 0.8)) },
        { name: 'learning rate', points: flat(of('lr')), axis: 'right' }], { y: 'loss', right: 'learning rate' });
    }
    if (!this.sheets.heldOut.hidden) {
      this.heldOut.show([{ name: 'accuracy', points: flat(of('hold_out.top1')) }, { name: 'loss', points: flat(of('hold_out.loss')), axis: 'right' }],
        { y: 'percent', right: 'loss' });
    }
    if (layers.length) this.kappa.show(layers.map((each) => ({ name: `block ${each.name.slice(6)}`, points: flat(each.points) })), { y: 'κ', ordered: true });
    if (speed.length) this.speed.show([{ name: 'images a second', points: flat(speed) }], { y: 'images/s' });
    if (machine.length) this.machine.show(machine.map((each) => ({ name: each.name.slice(7).replace('_percent', '').replace('_', ' '), points: flat(each.points) })), { y: 'percent' });
  }

  #record() {
    const task = this.task;
    show(this.record, task, () => {
      const newest = task.environments?.at(-1);
      return [
        h('div', { class: 'head' }, h('h2', null, 'Record')),
        table(['attempt', 'state', 'worker', 'begun', 'ended', 'step', 'reason'], task.attempts.map((each) => [
          each.attempt, state(each.state), each.worker, when(each.started_at), when(each.ended_at),
          each.total_steps ? `${figure(each.step)} of ${figure(each.total_steps)}` : '–', each.reason ?? ''].map((cell) => cell)),
        { class: 'cards', 'aria-label': 'Attempts' }),
        task.dependencies.length ? h('p', null, 'Needs ', task.dependencies.map((each, i) => [i ? ', ' : '', h('a', { href: `#/run/${each.task_id}` }, each.title), ` (${each.state})`])) : null,
        task.dependants.length ? h('p', null, 'Needed by ', task.dependants.slice(0, 12).map((each, i) => [i ? ', ' : '', h('a', { href: `#/run/${each.task_id}` }, each.title), ` (${each.state})`])) : null,
        newest ? h('details', { 'data-key': 'environment' }, h('summary', null, 'Ran on'),
          h('dl', { class: 'pairs' }, Object.entries({ worker: newest.worker, ranks: newest.ranks, device: newest.device, version: newest.version, ...newest.environment })
            .map(([name, value]) => [h('dt', null, name.replaceAll('_', ' ')), h('dd', { class: 'mono' }, typeof value === 'string' ? value : JSON.stringify(value))]))) : null,
        h('details', { 'data-key': 'spec' }, h('summary', null, `Specification (${short(task.task_id)})`), h('pre', { class: 'json' }, JSON.stringify(task.spec, null, 2))),
        task.result ? h('details', { 'data-key': 'result' }, h('summary', null, 'Result'), h('pre', { class: 'json' }, JSON.stringify(task.result, null, 2))) : null,
        task.cell_id ? h('p', { class: 'small' }, h('button', { type: 'button', 'data-key': 'choose', onclick: () => { this.app.choose([task.cell_id]); location.hash = '#/compare'; } }, 'Compare with others')) : null,
      ];
    });
  }

  addLog(piece) { this.log.add(piece); }
  repaint() { for (const plot of this.#all()) plot.repaint(); }
  #all() { return [this.loss, this.heldOut, this.kappa, this.speed, this.machine]; }
}
