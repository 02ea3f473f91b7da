// SPDX-License-Identifier: Apache-2.0
// A log that grows, as on a terminal: it follows the end until its reader scrolls up.
import { h } from './dom.js';

const kMostLines = 5000;

export class LogPanel {
  constructor() {
    this.box = h('pre', { class: 'log', tabindex: 0, role: 'log', 'aria-label': 'Log', 'aria-live': 'off' });
    this.title = h('span', { class: 'soft small' });
    this.follow = h('input', { type: 'checkbox', checked: true, onchange: () => this.#toEnd() });
    this.node = h('section', { class: 'sheet' },
      h('div', { class: 'head' }, h('h2', null, 'Log'), this.title, h('label', null, this.follow, 'follow')), this.box);
    this.box.addEventListener('scroll', () => {
      const atEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 30;
      if (!atEnd && this.#byReader) this.follow.checked = false;
      if (atEnd) this.follow.checked = true;
    });
    for (const each of ['wheel', 'keydown', 'pointerdown', 'touchmove']) {
      this.box.addEventListener(each, () => { this.#byReader = true; });
    }
    this.rest = '';
  }
  #byReader = false;

  add(piece) {
    if (piece.attempt !== this.attempt || piece.from < (this.next ?? 0)) {
      this.box.replaceChildren();
      this.rest = '';
    }
    this.attempt = piece.attempt;
    this.next = piece.next;
    this.title.textContent = `attempt ${piece.attempt}`;
    const lines = (this.rest + piece.text).split('\n');
    this.rest = lines.pop();
    this.box.append(...lines.map((line) => h('span', { class: /\b(error|critical)\b/.test(line) ? 'error' : /\bwarn/.test(line) ? 'warning' : null }, line, '\n')));
    while (this.box.childElementCount > kMostLines) this.box.firstElementChild.remove();
    this.#toEnd();
  }
  #toEnd() {
    this.#byReader = false;
    if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
  }
}
