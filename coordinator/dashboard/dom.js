// SPDX-License-Identifier: Apache-2.0
// Building and changing the page, and texts of figures.

const kSigns = { done: '✓', running: '▶', failed: '✕', blocked: '✕', lost: '✕', silent: '✕',
  cancelled: '–', released: '↺', waiting: '○', ready: '○', idle: '○' };

// h('p', {class: 'soft', onclick: f}, 'text', node, [more]): text is never read as HTML.
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, each] of Object.entries(value)) node.style.setProperty(key, each);
    else if (name === 'value') node.value = value;
    else if (name === 'checked') node.checked = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Replaces what is in `parent`, and only where `signature` has changed since: so nothing flickers,
// and a keyboard's place (by data-key) and scrolled places stay.
export function show(parent, signature, build) {
  const text = JSON.stringify(signature);
  if (parent.shownSignature === text) return;
  parent.shownSignature = text;
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const scrolled = parent.querySelector('.scroll')?.scrollLeft;
  const children = build();
  parent.replaceChildren(...(Array.isArray(children) ? children.flat(2) : [children]).filter(Boolean));
  if (scrolled) parent.querySelector('.scroll').scrollLeft = scrolled;
  if (key) parent.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

export function state(name) {
  return h('span', { class: 'state', 'data-state': name }, h('span', { 'aria-hidden': 'true' }, kSigns[name] ?? '·'), name);
}
export const signOf = (name) => kSigns[name] ?? '·';

export function progress(fraction, label, name) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, fraction || 0)));
  return h('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100,
    'aria-valuenow': percent, 'aria-label': label, 'data-state': name }, h('i', { style: { width: percent + '%' } }));
}

export function select(label, value, options, change, key) {
  const list = h('select', { 'data-key': key ?? label, onchange: (event) => change(event.target.value) },
    options.map((each) => {
      const [name, text] = Array.isArray(each) ? each : [each, each];
      return h('option', { value: name, selected: String(name) === String(value) }, text);
    }));
  return h('label', null, label, list);
}

export function table(heads, rows, attributes) {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': attributes?.['aria-label'] },
    h('table', attributes,
      h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', null, rows.map((row) => h('tr', null,
        row.map((cell, i) => h('td', { 'data-label': heads[i] }, cell ?? '–')))))));
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !isFinite(seconds)) return '–';
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min` + (s < 600 && s % 60 ? ` ${s % 60} s` : '');
  if (s < 86400) return `${Math.floor(s / 3600)} h` + (Math.floor(s / 60) % 60 ? ` ${Math.floor(s / 60) % 60} min` : '');
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

export function figure(value) {
  if (typeof value !== 'number') return value === null || value === undefined ? '–' : String(value);
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toPrecision(4).replace(/\.?0+$/, '');
}

// When, for people, everywhere in this form: "14:05" today, else "2026-11-28 14:05", by the
// browser's clock.
export function when(iso) {
  if (!iso) return '–';
  const date = new Date(iso);
  const two = (number) => String(number).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.toDateString() === new Date().toDateString() ? time
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

export const short = (id) => (id ?? '').slice(0, 8);
