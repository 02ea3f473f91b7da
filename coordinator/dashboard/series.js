// SPDX-License-Identifier: Apache-2.0
// Arithmetic of curves, free of the page: smoothing and grouping.

// An exponential mean with weight `smoothing` (0 to 1) on what was before, without the pull towards
// zero at the start. Points are [step, epoch, value or null]; those without a value stay so.
export function smooth(points, smoothing) {
  if (!(smoothing > 0)) return points;
  let sum = 0, weight = 0;
  return points.map(([step, epoch, value]) => {
    if (value === null) return [step, epoch, null];
    sum = sum * smoothing + value * (1 - smoothing);
    weight = weight * smoothing + (1 - smoothing);
    return [step, epoch, sum / weight];
  });
}

// The value at `step` on the line between a curve's points; null outside of them.
function at(points, step) {
  let low = 0, high = points.length - 1;
  if (high < 0 || step < points[0][0] || step > points[high][0]) return null;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= step) low = middle; else high = middle;
  }
  const [a, , from] = points[low], [b, , to] = points[high];
  if (from === null || to === null) return null;
  return b === a ? from : from + (to - from) * (step - a) / (b - a);
}

// The mean of curves, with the least and the greatest, at the steps of the longest of them, as far
// as all of them go.
export function mean(curves) {
  const full = curves.filter((points) => points.length > 0);
  if (full.length === 0) return [];
  const longest = full.reduce((a, b) => (b.length > a.length ? b : a));
  const result = [];
  for (const [step, epoch] of longest) {
    const values = full.map((points) => at(points, step));
    if (values.some((value) => value === null)) continue;
    result.push({ step, epoch, mean: values.reduce((a, b) => a + b, 0) / values.length,
      least: Math.min(...values), most: Math.max(...values) });
  }
  return result;
}

export const kGroupings = {
  run: 'run', model: 'model (mean of labelers, seeds)', labeler: 'labeler (mean of models, seeds)',
  cell: 'model and labeler (mean of seeds)',
};

// [[name, [run, ...]], ...] in order of first appearance.
export function group(runs, by) {
  const name = {
    run: (run) => `${model(run)} · ${run.labeler} · seed ${run.seed}`,
    model, labeler: (run) => run.labeler, cell: (run) => `${model(run)} · ${run.labeler}`,
  }[by];
  const groups = new Map();
  for (const run of runs) {
    const key = name(run);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(run);
  }
  // Runs that differ in the recipe or the data only would have one name.
  if (by === 'run') {
    for (const [key, members] of [...groups]) {
      if (members.length < 2) continue;
      groups.delete(key);
      members.forEach((run, i) => groups.set(`${key} · ${run.recipe} ${i + 1}`, [run]));
    }
  }
  return [...groups];
}

export function model(run) {
  const prior = run.spatial_prior && run.spatial_prior !== 'none' ? ` + ${run.spatial_prior}` : '';
  return run.architecture + prior;
}

const kFamilies = { deit: 'DeiT', mixer: 'Mixer', convmixer: 'ConvMixer', convit: 'ConViT' };
const kSizes = { nano: 'nano', tiny: 'Ti', small: 'S', base: 'B' };
const kLabelers = { none: 'plain', saliency: 'Saliency', relabel: 'ReLabel', bbox_grabcut: 'GrabCut', bigbigan: 'BigBiGAN' };

// Names that fit a phone: "deit_small_patch16_224" is "DeiT-S", "bbox_grabcut" "GrabCut".
export function shortModel(run) {
  const parts = run.architecture.replace(/_patch\d+_\d+/, '').replace(/_224$/, '').split('_');
  const [family, ...rest] = parts;
  const name = [kFamilies[family] ?? family, ...rest.map((part) => kSizes[part] ?? part)].join('-');
  return name + (run.spatial_prior && run.spatial_prior !== 'none' ? ` + ${kFamilies[run.spatial_prior] ?? run.spatial_prior}` : '');
}
export const shortLabeler = (labeler) => kLabelers[labeler] ?? labeler;

// What a metric is called.
const kCurves = { loss: 'loss', lr: 'learning rate', images_per_second: 'images a second',
  'hold_out.top1': 'accuracy on images held out', 'hold_out.loss': 'loss on images held out' };
export const curveName = (name) => kCurves[name] ?? name;

const kSets = ['bg_gap', 'original', 'only_bg_b', 'only_bg_t', 'no_fg', 'only_fg', 'mixed_same', 'mixed_rand', 'mixed_next'];
export function inOrder(sets) {
  const place = (set) => (kSets.indexOf(set) + kSets.length + 1) % (kSets.length + 1);
  return [...sets].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}
