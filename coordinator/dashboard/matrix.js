// SPDX-License-Identifier: Apache-2.0
// A grid's cells: models down, labelers across.
import { h, show, figure, signOf } from './dom.js';
import { model, shortModel, shortLabeler } from './series.js';

// What a place with several cells is called: what needs looking at comes first.
export function stateOf(place) {
  const states = place.states;
  if (states.failed) return 'failed';
  if (states.running) return 'running';
  return states.waiting === 0 ? 'done' : states.done ? 'running' : 'waiting';
}

// A name, and one that fits a phone; which of them shows is the style sheet's to say.
const named = (long, short) => (long === short ? long
  : [h('span', { class: 'long' }, long), h('span', { class: 'short', 'aria-hidden': 'true' }, short)]);

// Names of rows: what does not differ between them is left out.
function rowNames(rows) {
  const differs = (field) => new Set(rows.map((row) => row[field])).size > 1;
  const fields = ['train_set', 'recipe'].filter(differs);
  return rows.map((row) => [model(row), fields.map((field) => row[field]).join(' · ')]);
}

function figureText(place, set) {
  const found = place.figures[set];
  if (!found) return null;
  return [found.mean.toFixed(1), found.deviation === null ? '' : ` ± ${found.deviation.toFixed(1)}`, found.gain];
}

// Over the plain model of the row; up is not always good.
function gainOf(value, lower) {
  if (!value || value[2] === null) return null;
  const gain = Number(value[2].toFixed(1));
  const text = (gain < 0 ? '−' : '+') + Math.abs(gain).toFixed(1);
  return [text, gain === 0 ? 'same' : (gain > 0) !== lower ? 'better' : 'worse'];
}

function placeButton(place, set, lower, name, chosen, actions) {
  const status = stateOf(place);
  const value = figureText(place, set);
  const gain = gainOf(value, lower);
  const done = place.tasks ? place.tasks_done / place.tasks : 0;
  const counts = Object.entries(place.states).filter(([, n]) => n > 0);
  const below = status === 'done' ? `${place.cells} seed${place.cells === 1 ? '' : 's'}`
    : place.cells === 1 ? `${place.tasks_done} of ${place.tasks} tasks`
      : counts.map(([word, n]) => `${n} ${word}`).join(', ');
  const spoken = `${name}, ${place.labeler}: ${status}` + (value ? `, ${set} ${value[0]} percent` : '') + (gain ? `, gain ${gain[0]}, ${gain[1]}` : '') + `, ${below}`;
  return h('button', { type: 'button', class: 'place' + (chosen ? ' chosen' : ''), 'data-state': status,
    'data-key': `${place.row}/${place.labeler}`, tabindex: -1, 'aria-label': spoken + (chosen ? ', chosen' : ''),
    onclick: () => actions.open(place) },
  value ? h('b', null, value[0], h('small', { style: { display: 'inline', 'font-weight': '400' } }, value[1]))
    : h('b', { 'aria-hidden': 'true' }, signOf(status)),
  gain ? h('small', { class: `gain ${gain[1]}` }, `(${gain[0]})`, gain[1] === 'worse' ? ' ▾' : gain[1] === 'better' ? ' ▴' : '') : null,
  h('small', null, value ? `${signOf(status)} ${below}` : below),
  status === 'running' ? h('span', { class: 'bar-below', style: { width: `${100 * done}%` } }) : null);
}

// Arrow keys move among the places; one of them at a time is in the tab order.
function wire(grid, actions) {
  const places = [...grid.querySelectorAll('.place')];
  const first = places.find((each) => each === document.activeElement) ?? places[0];
  if (first) first.tabIndex = 0;
  grid.onfocusin = (event) => {
    if (!event.target.classList.contains('place')) return;
    places.forEach((each) => { each.tabIndex = each === event.target ? 0 : -1; });
  };
  grid.onkeydown = (event) => {
    const cell = event.target.closest('td');
    if (!cell) return;
    const row = cell.parentElement, column = cell.cellIndex;
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step) {
      event.preventDefault();
      let next = null, r = row, c = column;
      do {
        r = step[0] < 0 ? r?.previousElementSibling : step[0] > 0 ? r?.nextElementSibling : r;
        c += step[1];
        next = r?.cells[c]?.querySelector('.place');
      } while (!next && r && c > 0 && c < r.cells.length);
      next?.focus();
    } else if (event.key === 'x') {
      event.stopPropagation();
      actions.choose(event.target.dataset.key);
    }
  };
}

export function showMatrix(parent, matrix, set, basket, actions) {
  const chosen = (place) => place.cell_ids.some((id) => basket.has(id));
  show(parent, [matrix, set, [...basket]], () => {
    const names = rowNames(matrix.rows);
    const at = new Map(matrix.places.map((place) => [`${place.row}/${place.labeler}`, place]));
    const body = matrix.rows.map((row, i) => h('tr', null,
      h('th', { scope: 'row' }, named(names[i][0], shortModel(row)), names[i][1] ? h('small', null, names[i][1]) : null),
      matrix.labelers.map((labeler) => {
        const place = at.get(`${i}/${labeler}`);
        return h('td', null, place ? placeButton(place, set, matrix.lower_is_better.includes(set), names[i][0], chosen(place), actions) : null);
      })));
    const grid = h('table', { class: 'matrix', 'aria-label': 'Cells by model and labeler; arrow keys move' },
      h('thead', null, h('tr', null, h('td'), matrix.labelers.map((labeler) => h('th', { scope: 'col' }, named(labeler, shortLabeler(labeler)))))),
      h('tbody', null, body));
    const legend = h('ul', { class: 'legend', 'aria-label': 'Colours' }, ['done', 'running', 'failed', 'waiting'].map((name) =>
      h('li', null, h('span', { class: 'state', 'data-state': name }, signOf(name), ' ', name))),
    h('li', { class: 'soft small' }, `${figure(matrix.places.length)} places; mean ± deviation over seeds, in percent; in parentheses the gain over the plain model: ▴ better, ▾ worse`));
    queueMicrotask(() => wire(grid, { ...actions, choose: (key) => at.get(key) && actions.choose(at.get(key)) }));
    return [h('div', { class: 'scroll matrix-box' }, grid), legend];
  });
}
