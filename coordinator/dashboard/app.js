// SPDX-License-Identifier: Apache-2.0
// The page: which view is shown, errors before everything, keys, light and dark.
import { h, show, when } from './dom.js';
import { watch } from './api.js';
import { GridView } from './grid_view.js';
import { TablesView } from './tables_view.js';
import { RunView } from './run_view.js';
import { CompareView } from './compare_view.js';
import { WorkersView } from './workers_view.js';

const byId = (id) => document.getElementById(id);
const main = byId('main');

class App {
  constructor() {
    this.basket = new Set(JSON.parse(sessionStorage.getItem('remixer.basket') ?? '[]'));
    this.status = null;
    this.#theme(localStorage.getItem('remixer.theme'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#theme(localStorage.getItem('remixer.theme')));
    addEventListener('hashchange', () => this.route());
    addEventListener('keydown', (event) => this.#key(event));
    byId('theme').addEventListener('click', () => this.#otherTheme());
    byId('help-button').addEventListener('click', () => byId('help').showModal());
    this.#basketCount();
    this.route();
  }

  // "#/grid/3", "#/tables/3", "#/run/<task>", "#/compare", "#/workers"; "#/" and "#/tables" are of the
  // newest grid.
  route() {
    const [, view, id] = location.hash.split('/');
    const task = view === 'run' ? id : null;
    if (!this.view || this.shown !== location.hash) {
      this.view?.end();
      this.shown = location.hash;
      this.view = view === 'run' ? new RunView(this, id) : view === 'compare' ? new CompareView(this)
        : view === 'workers' ? new WorkersView() : null;
      this.ofGrid = view === 'tables' ? TablesView : GridView;
      this.gridId = (view === 'grid' || view === 'tables') && id ? Number(id) : null;
      if (this.view) this.#enter();
      else main.replaceChildren(h('p', { class: 'empty' }, 'Loading …'));
      const title = { run: 'Run', tables: 'Tables', compare: 'Compare', workers: 'Workers' }[view];
      document.title = title ? `${title} · ReMixer` : 'ReMixer';
    }
    for (const link of document.querySelectorAll('.bar nav a')) {
      const current = link.dataset.view === (['tables', 'compare', 'workers'].includes(view) ? view : 'grid');
      if (current) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
    }
    watch(task, { status: (status) => this.#status(status), log: (piece) => this.view?.addLog?.(piece), connection: (state) => this.#connection(state) });
    if (this.status) this.#status(this.status);
  }

  #enter() {
    main.replaceChildren(...this.view.node);
    this.view.start();
    scrollTo(0, 0);
  }

  #status(status) {
    this.status = status;
    this.#errors(status.failures);
    show(byId('about'), [status.version, status.workspace, status.host], () => `ReMixer ${status.version} · ${status.workspace} on ${status.host}`);
    if (!this.view) this.#newestGrid(status);
    this.view?.status(status);
  }

  #newestGrid(status) {
    const grid = this.gridId ? { id: this.gridId } : status.grids.find((each) => each.state === 'running') ?? status.grids[0];
    if (!grid) {
      main.replaceChildren(h('section', { class: 'sheet' }, h('h1', null, 'No grid yet'),
        h('p', { class: 'empty' }, 'Submit one: ', h('code', null, 'remixer submit experiments/quickstart.toml'))));
      return;
    }
    this.view = new this.ofGrid(this, grid.id);
    this.#enter();
  }

  #errors(failures) {
    const box = byId('errors');
    box.hidden = failures.length === 0;
    show(box, failures, () => [h('h2', null, `${failures.length}${failures.length >= 20 ? ' or more' : ''} failed task${failures.length === 1 ? '' : 's'}`),
      h('ul', null, failures.slice(0, 6).map((each) => h('li', null, h('a', { href: `#/run/${each.task_id}`, 'data-key': each.task_id }, each.title), ' ',
        h('span', { class: 'reason' }, each.reason), ' ', h('span', { class: 'when' }, when(each.ended_at)))),
      failures.length > 6 ? h('li', { class: 'soft' }, `and ${failures.length - 6} more`) : null)]);
  }

  #connection(state) {
    const words = { live: 'live', away: 'the daemon does not answer', out: 'ended: remixer dashboard prints a new link' };
    const box = byId('connection');
    box.dataset.state = state === 'live' ? 'live' : 'away';
    box.textContent = words[state];
  }

  // Puts cells into the comparison, or takes them out where all are in it.
  choose(ids) {
    const all = ids.every((id) => this.basket.has(id));
    for (const id of ids) if (all) this.basket.delete(id); else this.basket.add(id);
    sessionStorage.setItem('remixer.basket', JSON.stringify([...this.basket]));
    this.#basketCount();
  }
  #basketCount() {
    byId('basket').hidden = this.basket.size === 0;
    byId('basket').textContent = this.basket.size;
  }

  // An order that changes something, once it was confirmed.
  async order(question, give) {
    if (!confirm(question)) return;
    try {
      await give();
    } catch (error) {
      alert(error.message);
    }
  }

  #theme(wanted) {
    const dark = wanted ? wanted === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    this.view?.repaint();
  }
  #otherTheme() {
    localStorage.setItem('remixer.theme', document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
    this.#theme(localStorage.getItem('remixer.theme'));
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input, select, textarea')) return;
    const act = { g: () => { location.hash = '#/'; }, r: () => { location.hash = '#/tables'; }, c: () => { location.hash = '#/compare'; }, w: () => { location.hash = '#/workers'; },
      e: () => byId('errors').querySelector('a')?.focus(), t: () => this.#otherTheme(), Escape: () => this.view?.escape?.(), '?': () => byId('help').showModal() }[event.key];
    if (!act || byId('help').open) return;
    event.preventDefault();
    act();
  }
}

new App();
