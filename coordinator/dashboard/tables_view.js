// SPDX-License-Identifier: Apache-2.0
// A grid's tables as `remixer report` prints them: every text comes from the daemon as it stands
// there, this page only lays it out. Table 4's pictures, and the way to the whole report.
import { h, show, select, when } from './dom.js';
import { get, poll } from './api.js';

const kSaid = { better: 'better', worse: 'worse', noise: 'within noise' };

export class TablesView {
  constructor(app, id) {
    this.app = app;
    this.id = id;
    this.paper = localStorage.getItem('remixer.paper') === 'yes';
    this.top = h('section', { class: 'sheet', 'aria-label': 'Report' }, h('p', { class: 'empty' }, 'Loading …'));
    this.tables = h('div', { class: 'stack' });
    this.pictures = h('section', { class: 'sheet', id: 'table4', 'aria-label': 'Table 4', hidden: true });
    this.rest = h('section', { class: 'sheet', 'aria-label': 'Tables that are not filled', hidden: true });
    this.node = [this.top, this.tables, this.pictures, this.rest];
  }

  start() {
    this.reportPoll = poll(() => get(`/grids/${this.id}/report?paper=${this.paper}`), (report, error) => {
      if (error) return show(this.top, error.message, () => [h('h1', null, 'Tables'), h('p', { class: 'empty' }, error.message)]);
      this.report = report;
      this.#top();
      this.#tables();
      this.#rest();
    }, 20);
    this.picturePoll = poll(() => get(`/grids/${this.id}/pictures`), (pictures) => {
      if (!pictures) return;
      this.drawn = pictures;
      this.#pictures();
      this.#rest();
      if (pictures.drawing) setTimeout(() => this.picturePoll.now(), 1500);
    }, 60);
  }
  end() {
    this.reportPoll?.end();
    this.picturePoll?.end();
  }
  repaint() {}

  status(status) {
    this.grids = status.grids;
    if (this.report) this.#top();
    if (this.revision !== undefined && this.revision !== status.revision) this.reportPoll?.now();
    this.revision = status.revision;
  }

  #top() {
    const { report, grids = [] } = this;
    const names = grids.map((each) => [each.id, `${each.name} (${each.id})`]);
    show(this.top, [report.grid, report.made_at, report.tables.map((each) => each.title), names, this.paper], () => [
      h('div', { class: 'head' }, h('h1', null, `Tables of ${report.grid}`),
        names.length > 1 ? select('Grid', this.id, names, (id) => { location.hash = `#/tables/${id}`; }) : null,
        h('label', null, h('input', { type: 'checkbox', checked: this.paper, 'data-key': 'paper', onchange: (event) => this.#withPaper(event.target.checked) }), 'the paper’s numbers'),
        h('a', { href: `/reports/${this.id}`, target: '_blank', rel: 'noopener', 'data-key': 'report' }, 'The whole report')),
      h('p', { class: 'soft', style: { margin: '0' } }, 'Newest result: ', h('b', null, when(report.made_at)),
        '. A number leads to its run. The report has intervals, plots and a record of every run; ', h('code', null, 'remixer report'), ' writes it in other forms.'),
    ]);
  }
  #withPaper(wanted) {
    this.paper = wanted;
    localStorage.setItem('remixer.paper', wanted ? 'yes' : '');
    this.reportPoll.now();
  }

  #tables() {
    show(this.tables, this.report.tables, () => this.report.tables.map((table) =>
      h('section', { class: 'sheet', id: table.name, 'aria-label': table.title },
        h('h2', null, table.title), table.caption ? h('p', { class: 'soft small caption' }, table.caption) : null,
        h('div', { class: 'scroll figures-box', tabindex: 0, role: 'region', 'aria-label': table.title }, figures(table)),
        table.notes.length ? h('ul', { class: 'notes' }, table.notes.map((note) => h('li', null, note))) : null)));
  }

  #pictures() {
    const { drawing, pictures } = this.drawn;
    this.pictures.hidden = !drawing && pictures.length === 0;
    show(this.pictures, [drawing, pictures.map((each) => [each.name, each.caption, each.image.length])], () => [
      h('h2', null, 'Table 4. Saliency maps'),
      drawing ? h('p', { class: 'soft', role: 'status' }, 'Being drawn …') : null,
      pictures.map((each) => [h('h3', null, each.heading), h('p', { class: 'soft small caption' }, each.caption),
        h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': each.heading }, h('img', { class: 'maps', src: each.image, alt: each.alt }))])]);
  }

  #rest() {
    const lines = [...(this.report?.left_out ?? []), ...(this.drawn?.left_out ?? [])];
    this.rest.hidden = lines.length === 0;
    show(this.rest, lines, () => [h('h2', null, 'Tables that this grid does not fill'), h('ul', { class: 'notes' }, lines.map((line) => h('li', null, line)))]);
  }
}

function figures(table) {
  const labels = table.rows.some((row) => row.labels !== null);
  const head = h('tr', null, h('th', { scope: 'col' }, 'Model'), labels ? h('th', { scope: 'col', class: 'labels' }, 'Patch labeler') : null,
    table.columns.map((column) => [h('th', { scope: 'col', class: 'number' }, column.heading),
      column.has_paper ? h('th', { scope: 'col', class: 'number paper' }, 'Paper') : null]));
  const body = table.rows.map((row, i) => h('tr', { class: [row.starts_block && i ? 'block' : '', row.grey ? 'grey' : ''].join(' ').trim() || null },
    h('th', { scope: 'row', class: row.added ? 'added' : null }, row.name, labels ? h('small', { class: 'short-only' }, row.labels === '–' ? '' : row.labels) : null),
    labels ? h('td', { class: 'labels' }, row.labels ?? '') : null,
    row.figures.map((figure, c) => [cell(figure), table.columns[c].has_paper ? h('td', { class: 'number paper' }, figure.paper ?? '') : null])));
  return h('table', { class: 'figures', 'aria-label': table.title }, h('thead', null, head), h('tbody', null, body));
}

function cell(figure) {
  if (figure.value === null) return h('td', { class: 'number missing', title: figure.detail }, '–');
  const run = figure.runs[0];
  const value = run ? h('a', { class: 'value', href: `#/run/${run.task_id}` }, figure.value) : figure.value;
  return h('td', { class: 'number', title: figure.detail },
    figure.best ? h('b', null, value) : value, figure.best_within_noise ? '~' : null,
    figure.deviation === null ? null : h('small', null, ` ± ${figure.deviation}`),
    figure.gain === null ? null : h('span', { class: `gain ${figure.gain_is}`, title: kSaid[figure.gain_is] }, figure.gain));
}
