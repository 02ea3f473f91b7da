// SPDX-License-Identifier: Apache-2.0
// Questions to the daemon, orders, and what it tells by itself.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options) {
  const answer = await fetch('/api/v1' + path, { credentials: 'same-origin', ...options });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body.error ?? `the daemon answered ${answer.status}`);
  return body;
}

export const get = (path) => ask(path);
export const post = (path) => ask(path, { method: 'POST', body: '{}' });

// Status and log as they change. One stream at a time: a new call ends the one before.
let source = null;
export function watch(task, { status, log, connection }) {
  source?.close();
  source = new EventSource('/api/v1/events' + (task ? `?log=${encodeURIComponent(task)}` : ''));
  source.addEventListener('open', () => connection('live'));
  source.addEventListener('status', (event) => status(JSON.parse(event.data)));
  source.addEventListener('log', (event) => log(JSON.parse(event.data)));
  source.addEventListener('error', async () => {
    connection('away');
    // A stream that was refused is not opened again by the browser.
    if (source.readyState !== EventSource.CLOSED) return;
    const known = await fetch('/api/v1/ping').then((answer) => answer.status, () => 0);
    if (known === 401) return connection('out');
    setTimeout(() => watch(task, { status, log, connection }), 3000);
  });
}

// Asks again and again while `wanted` says so, less often where the answer takes long.
export function poll(question, show, seconds) {
  let ended = false, timer = null, asking = false, again = false;
  const turn = async () => {
    if (asking) { again = true; return; }
    clearTimeout(timer);
    asking = true;
    const begun = performance.now();
    try {
      const answer = await question();
      if (!ended) show(answer);
    } catch (error) {
      if (!ended) show(null, error);
    }
    asking = false;
    const took = (performance.now() - begun) / 1000;
    if (!ended) timer = setTimeout(turn, again ? 50 : 1000 * Math.max(seconds, 10 * took));
    again = false;
  };
  turn();
  return { now: turn, end: () => { ended = true; clearTimeout(timer); } };
}
