// SPDX-License-Identifier: Apache-2.0
// What a worker's machine does: processor, memory, GPU, waiting for data.
import { h, progress, figure } from './dom.js';

const kMeters = [
  ['system.gpu_percent', 'GPU'], ['system.gpu_memory_percent', 'GPU memory'], ['system.cpu_percent', 'processor'],
  ['system.memory_percent', 'memory'], ['system.loader_stall_percent', 'waits for data'],
];

export function meters(metrics) {
  const known = kMeters.filter(([name]) => typeof metrics[name] === 'number');
  if (known.length === 0) return null;
  return h('div', { class: 'meters' }, known.map(([name, label]) => [
    h('span', { class: 'soft' }, label), progress(metrics[name] / 100, label), h('b', null, `${figure(Math.round(metrics[name]))} %`)]));
}
