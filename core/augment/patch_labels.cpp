// SPDX-License-Identifier: Apache-2.0
#include "core/augment/patch_labels.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace remixer::data {
namespace {

// The cells on one axis under a patch's interval, and the share of the interval in each.
struct Span {
  int first = 0;
  std::vector<float> shares;  // sum 1, or less if the map does not cover the whole interval
};

// Divides [low, high] (fractions of the image's axis) into `grid` equal intervals, and maps them to
// the `cells` cells that cover [from, until] of the axis.
std::vector<Span> spans(double low, double high, int grid, int cells, double from, double until) {
  std::vector<Span> result(static_cast<size_t>(grid));
  // From here on, the unit is one cell.
  const double scale = cells / (until - from);
  const double start = (low - from) * scale, step = (high - low) * scale / grid;
  const double image_begin = -from * scale, image_end = (1 - from) * scale;
  for (int i = 0; i < grid; ++i) {
    const double begin = std::clamp(start + step * i, image_begin, image_end);
    const double end = std::clamp(start + step * (i + 1), begin, image_end);
    const double first = std::clamp(begin, 0.0, static_cast<double>(cells));
    const double last = std::clamp(end, first, static_cast<double>(cells));
    Span& span = result[static_cast<size_t>(i)];
    span.first = std::min(static_cast<int>(first), cells - 1);
    const int last_cell = std::clamp(static_cast<int>(std::ceil(last)) - 1, span.first, cells - 1);
    // An empty interval (outside the image, or of a degenerate crop) takes the cell it lies in.
    const double extent = end - begin;
    if (extent < 1e-9) {
      span.shares = {begin >= 0 && begin <= cells ? 1.0f : 0.0f};
      continue;
    }
    for (int cell = span.first; cell <= last_cell; ++cell) {
      const double covered = std::min<double>(cell + 1, last) - std::max<double>(cell, first);
      span.shares.push_back(static_cast<float>(std::max(0.0, covered) / extent));
    }
  }
  return result;
}

// Calls visit(cell, weight) for each cell of a patch.
template <typename Visit>
void for_each_cell(const Span& row, const Span& column, int width, Visit&& visit) {
  for (size_t y = 0; y < row.shares.size(); ++y) {
    const size_t line = (static_cast<size_t>(row.first) + y) * width + column.first;
    for (size_t x = 0; x < column.shares.size(); ++x) {
      visit(line + x, row.shares[y] * column.shares[x]);
    }
  }
}

// for_each(visit) must call visit(cell, weight) for each cell of the patch.
template <typename ForEach>
void dense_patch(const LabelMap& map, ForEach&& for_each, float* out) {
  const size_t channels = static_cast<size_t>(map.channels);
  std::fill_n(out, channels, 0.0f);
  for_each([&](size_t cell, float weight) {
    const float* values = &map.values[cell * channels];
    for (size_t c = 0; c < channels; ++c) out[c] += weight * values[c];
  });
}

// A patch's mean logits: zero except for the few classes that its cells name.
struct SparseLogits {
  std::vector<float> logits;      // by class; all zero between patches
  std::vector<char> named;        // by class
  std::vector<uint16_t> classes;  // the named classes
};

// Calls emit(unnamed, sparse) with the probability of each unnamed class, and those of the named
// ones in sparse.logits.
template <typename ForEach, typename Emit>
void sparse_patch(const LabelMap& map, ForEach&& for_each, Emit&& emit) {
  thread_local SparseLogits sparse;
  if (sparse.logits.size() < static_cast<size_t>(map.channels)) {
    sparse.logits.resize(static_cast<size_t>(map.channels), 0.0f);
    sparse.named.resize(static_cast<size_t>(map.channels), 0);
  }
  const size_t top_k = static_cast<size_t>(map.top_k);
  for_each([&](size_t cell, float weight) {
    for (size_t r = cell * top_k; r < (cell + 1) * top_k; ++r) {
      const uint16_t label = map.indices[r];
      assert(label < map.channels);
      if (!sparse.named[label]) {
        sparse.named[label] = 1;
        sparse.classes.push_back(label);
      }
      sparse.logits[label] += weight * map.values[r];
    }
  });
  // Softmax over all channels; unnamed channels have logit 0 and share one exponential.
  const size_t unnamed = static_cast<size_t>(map.channels) - sparse.classes.size();
  float largest = unnamed > 0 ? 0.0f : sparse.logits[sparse.classes.front()];
  for (const uint16_t label : sparse.classes) largest = std::max(largest, sparse.logits[label]);
  const float zero = std::exp(-largest);
  double total = static_cast<double>(unnamed) * zero;
  for (const uint16_t label : sparse.classes) {
    sparse.logits[label] = std::exp(sparse.logits[label] - largest);
    total += sparse.logits[label];
  }
  const float scale = static_cast<float>(1.0 / total);
  for (const uint16_t label : sparse.classes) sparse.logits[label] *= scale;
  emit(zero * scale, sparse);
  for (const uint16_t label : sparse.classes) {
    sparse.logits[label] = 0;
    sparse.named[label] = 0;
  }
  sparse.classes.clear();
}

// Writes one patch, and moves `out` to the next.
template <typename ForEach>
void pool_patch(const LabelMap& map, ForEach&& for_each, float*& out) {
  if (map.top_k > 0) {
    sparse_patch(map, for_each, [&](float unnamed, const SparseLogits& sparse) {
      std::fill_n(out, static_cast<size_t>(map.channels), unnamed);
      for (const uint16_t label : sparse.classes) out[label] = sparse.logits[label];
    });
  } else {
    dense_patch(map, for_each, out);
  }
  out += map.channels;
}

template <typename ForEach>
void pool_patch(const LabelMap& map, ForEach&& for_each, SparsePatchLabels& out) {
  assert(map.top_k > 0);
  sparse_patch(map, for_each, [&](float unnamed, const SparseLogits& sparse) {
    out.others.push_back(unnamed);
    for (const uint16_t label : sparse.classes) {
      out.classes.push_back(label);
      out.values.push_back(sparse.logits[label]);
    }
    out.ends.push_back(static_cast<uint32_t>(out.classes.size()));
  });
}

template <typename Out>
void pool_shares(const LabelMap& map, const std::vector<CellShare>& cells, Out& out) {
  pool_patch(
      map,
      [&](auto&& visit) {
        for (const CellShare& cell : cells) visit(size_t{cell.cell}, cell.share);
      },
      out);
}

template <typename Out>
void pool_region(const LabelMap& map, const Region& region, int grid, Out& out) {
  assert(grid > 0 && map.height > 0 && map.width > 0 && map.channels > 0);
  const size_t depth = static_cast<size_t>(map.top_k > 0 ? map.top_k : map.channels);
  assert(map.values.size() == static_cast<size_t>(map.height) * map.width * depth);
  assert(map.top_k == 0 || map.indices.size() == map.values.size());

  const std::vector<Span> rows =
      spans(region.top, region.bottom, grid, map.height, map.cover.top, map.cover.bottom);
  std::vector<Span> columns =
      spans(region.left, region.right, grid, map.width, map.cover.left, map.cover.right);
  if (region.mirrored) std::reverse(columns.begin(), columns.end());

  for (const Span& row : rows) {
    for (const Span& column : columns) {
      pool_patch(
          map, [&](auto&& visit) { for_each_cell(row, column, map.width, visit); }, out);
    }
  }
}

}  // namespace

void pool_cells(const LabelMap& map, const std::vector<CellShare>& cells, float* out) {
  pool_shares(map, cells, out);
}
void pool_cells(const LabelMap& map, const std::vector<CellShare>& cells, SparsePatchLabels& out) {
  pool_shares(map, cells, out);
}

void patch_labels(const LabelMap& map, const Region& region, int grid, float* out) {
  pool_region(map, region, grid, out);
}
void patch_labels(const LabelMap& map, const Region& region, int grid, SparsePatchLabels& out) {
  pool_region(map, region, grid, out);
}

}  // namespace remixer::data
