// SPDX-License-Identifier: Apache-2.0
// Workers, allocations, and what their machines do.
import { h, show, state, table, duration, when } from './dom.js';
import { meters } from './system.js';

const shown = (value) => (value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value)
  : /^\d{4}-\d\d-\d\dT/.test(value) ? when(value) : String(value));

export class WorkersView {
  constructor() {
    this.workers = h('section', { class: 'sheet', 'aria-label': 'Workers' });
    this.allocations = h('section', { class: 'sheet', 'aria-label': 'Allocations' });
    this.machines = h('div', { class: 'columns' });
    this.node = [this.workers, this.allocations, this.machines];
  }
  start() {}
  end() {}
  repaint() {}

  status(status) {
    const titles = new Map(status.running.map((run) => [run.task_id, run]));
    show(this.workers, [status.workers, status.launcher], () => {
      const problem = status.launcher?.problem;
      return [h('div', { class: 'head' }, h('h1', null, 'Workers'), h('span', { class: 'soft' }, `${status.workers.length}`)),
        problem ? h('p', { class: 'errors', style: { margin: '0 0 .8rem' } }, `They do not start: ${problem}`) : null,
        status.workers.length === 0 ? h('p', { class: 'empty' }, 'No worker is there. remixer up --workers 1 starts one here, remixer slurm up on a cluster.') : table(
          ['worker', 'state', 'task', 'device', 'ranks', 'heard', 'version'],
          status.workers.map((each) => [each.name, state(each.state),
            each.task_id ? h('a', { href: `#/run/${each.task_id}` }, titles.get(each.task_id)?.title ?? each.task_id.slice(0, 8)) : '–',
            each.device, String(each.ranks), `${duration(each.last_seen_seconds)} ago`, each.version.replace(/([0-9a-f]{8})[0-9a-f]{32}/, '$1')]),
          { class: 'cards', 'aria-label': 'Workers' })];
    });
    const allocations = status.allocations ?? [];
    this.allocations.hidden = allocations.length === 0;
    show(this.allocations, allocations, () => {
      const names = [...new Set(allocations.flatMap((each) => Object.keys(each)))];
      return [h('div', { class: 'head' }, h('h2', null, 'Allocations')),
        table(names.map((name) => name.replaceAll('_', ' ')), allocations.map((each) => names.map((name) =>
          (name === 'state' ? state(each[name]) : shown(each[name])))),
        { class: 'cards', 'aria-label': 'Allocations' })];
    });
    const machines = status.running.filter((run) => Object.keys(run.metrics).some((name) => name.startsWith('system.')));
    show(this.machines, machines.map((run) => [run.worker, run.title, run.metrics]), () => machines.map((run) =>
      h('section', { class: 'sheet' }, h('div', { class: 'head' }, h('h2', null, run.worker), h('a', { class: 'small', href: `#/run/${run.task_id}` }, run.title)), meters(run.metrics))));
  }
}
