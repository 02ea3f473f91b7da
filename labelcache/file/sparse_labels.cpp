// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/sparse_labels.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include "labelcache/file/processors.h"

namespace remixer::labelcache {
namespace {

// The cells on one axis that a patch covers.
struct Span {
  int first = 0, count = 0;
  float shares[64] = {};
};

// Divides an axis like data::patch_labels(): `grid` equal intervals of the image, over `cells`
// cells that cover [from, until] of it. → false if a patch has more cells than a Span holds.
bool divide(int grid, int cells, double from, double until, std::vector<Span>& spans) {
  spans.assign(static_cast<size_t>(grid), {});
  const double scale = cells / (until - from), step = scale / grid, start = -from * scale;
  for (int i = 0; i < grid; ++i) {
    const double begin = start + step * i, end = start + step * (i + 1);
    const double first = std::clamp(begin, 0.0, static_cast<double>(cells));
    const double last = std::clamp(end, first, static_cast<double>(cells));
    Span& span = spans[static_cast<size_t>(i)];
    span.first = std::min(static_cast<int>(first), cells - 1);
    const int last_cell = std::clamp(static_cast<int>(std::ceil(last)) - 1, span.first, cells - 1);
    span.count = last_cell - span.first + 1;
    if (span.count > static_cast<int>(std::size(span.shares))) return false;
    for (int c = 0; c < span.count; ++c) {
      const int cell = span.first + c;
      const double covered = std::min<double>(cell + 1, last) - std::max<double>(cell, first);
      span.shares[c] = static_cast<float>(std::max(0.0, covered) / step);
    }
  }
  return true;
}

// e^x for x ≤ 0, accurate to 2 units in the last place; 0 below -87. Branch-free, so that it
// vectorises: 2^(x / ln 2), the integer part into the exponent bits, the rest by a polynomial.
REMIXER_FOR_EACH_PROCESSOR
void exponentials(float* values, size_t count, float largest) {
  for (size_t i = 0; i < count; ++i) {
    const float below = values[i] - largest;
    const float x = below > -87.0f ? below : -87.0f;
    // Adding and subtracting 1.5 · 2^23 rounds to an integer.
    const float shifted = x * 1.44269504f + 12582912.0f;
    const float whole = shifted - 12582912.0f;
    const float rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * rest + 1.3981999507e-3f;
    y = y * rest + 8.3334519073e-3f;
    y = y * rest + 4.1665795894e-2f;
    y = y * rest + 1.6666665459e-1f;
    y = y * rest + 5.0000001201e-1f;
    y = y * rest * rest + rest + 1.0f;
    values[i] =
        std::bit_cast<float>(std::bit_cast<int32_t>(y) + (static_cast<int32_t>(whole) << 23));
  }
}

// Widens [low, high] to include `values`. Non-negative floats are ordered like their bits as signed
// integers, negative ones in reverse like their bits as unsigned integers.
REMIXER_FOR_EACH_PROCESSOR
void widen(const float* values, size_t count, float& low, float& high) {
  int32_t most = 0;
  uint32_t least = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<int32_t>(values[i]);
    most = std::max(most, bits);
    least = std::max(least, static_cast<uint32_t>(bits));
  }
  high = std::max(high, std::bit_cast<float>(most));
  low = std::min(low, std::bit_cast<float>(least));
}

// With a larger spread of logits, exp(logit - map's largest) could underflow for a whole patch.
constexpr float kMostSpread = 60;

struct Geometry {
  int grid = 0, height = 0, width = 0;
  data::Cover cover;
  bool operator==(const Geometry&) const = default;
};

struct Scratch {
  Geometry geometry;
  std::vector<Span> rows, columns;  // of the geometry
  size_t visits = 0;                // pairs of a patch and a cell it covers
  std::vector<float> values;        // by rank, as in UnpackedRecord
  std::vector<uint32_t> sums;       // by code: bits of floats
};

// One patch's entries, from number `next` on: the sum of its cells' logits per named class (a sum
// of 0 is the same as an unnamed class). `sums`, by code, is zero before and after. → the end of
// the entries. No data-dependent branches: they would be mispredicted.
template <size_t kTopK, int kRows, int kColumns>
uint32_t gather_patch(const Span& row, const Span& column, size_t width, size_t stride,
                      size_t top_k, const uint16_t* __restrict codes,
                      const float* __restrict logits, uint32_t next, uint32_t* __restrict sums,
                      uint16_t* __restrict entry_codes, float* __restrict entry_sums) {
  const size_t ranks = kTopK > 0 ? kTopK : top_k;
  const int rows = kRows > 0 ? kRows : row.count, columns = kColumns > 0 ? kColumns : column.count;
  const size_t corner = static_cast<size_t>(row.first) * width + static_cast<size_t>(column.first);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      const float weight = row.shares[y] * column.shares[x];
      const size_t cell = corner + static_cast<size_t>(y) * width + static_cast<size_t>(x);
      for (size_t r = 0, e = cell; r < ranks; ++r, e += stride) {
        const float sum = std::bit_cast<float>(sums[codes[e]]) + weight * logits[e];
        sums[codes[e]] = std::bit_cast<uint32_t>(sum);
      }
    }
  }
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      const size_t cell = corner + static_cast<size_t>(y) * width + static_cast<size_t>(x);
      for (size_t r = 0, e = cell; r < ranks; ++r, e += stride) {
        const uint32_t sum = sums[codes[e]];
        sums[codes[e]] = 0;
        entry_codes[next] = codes[e];
        entry_sums[next] = std::bit_cast<float>(sum);
        next += sum != 0;
      }
    }
  }
  return next;
}

// Loops of fixed length are a third faster: these are for ImageNet's published maps, with 18 or 15
// cells per side for 14 patches.
auto choose_gather(size_t top_k, int rows, int columns) {
  if (top_k != 5 || rows > 3 || columns > 3 || rows < 2 || columns < 2) {
    return gather_patch<0, 0, 0>;
  }
  if (rows == 2) return columns == 2 ? gather_patch<5, 2, 2> : gather_patch<5, 2, 3>;
  return columns == 2 ? gather_patch<5, 3, 2> : gather_patch<5, 3, 3>;
}

void divide(const Geometry& geometry, Scratch& scratch) {
  const auto& [grid, height, width, cover] = geometry;
  const bool fits = divide(grid, height, cover.top, cover.bottom, scratch.rows) &&
                    divide(grid, width, cover.left, cover.right, scratch.columns);
  assert(fits);
  (void)fits;
  scratch.geometry = geometry;
  scratch.visits = 0;
  for (const Span& row : scratch.rows) {
    for (const Span& column : scratch.columns) {
      scratch.visits += static_cast<size_t>(row.count * column.count);
    }
  }
}

// Sums the logits of each patch's cells.
void gather(const UnpackedRecord& record, size_t top_k, Scratch& scratch, SparseLabels& out) {
  uint32_t next = 0;
  size_t patch = 0;
  for (const Span& row : scratch.rows) {
    for (const Span& column : scratch.columns) {
      out.begins[patch++] = next;
      next = choose_gather(top_k, row.count, column.count)(
          row, column, static_cast<size_t>(record.width), record.stride, top_k, record.codes.data(),
          scratch.values.data(), next, scratch.sums.data(), out.codes.data(),
          out.probability.data());
    }
  }
  out.begins[patch] = next;
}

// Softmax over all classes of each patch, in place. The map's largest logit is subtracted first, or
// (with `each`) each patch's own, if others could underflow.
void softmax(size_t patches, float channels, float largest, bool each, SparseLabels& out) {
  if (!each) exponentials(out.probability.data(), out.begins[patches], largest);
  float zero = std::exp(-largest);
  for (size_t patch = 0; patch < patches; ++patch) {
    const uint32_t count = out.begins[patch + 1] - out.begins[patch];
    float* entries = &out.probability[out.begins[patch]];
    if (each) {
      largest = 0;
      for (uint32_t e = 0; e < count; ++e) largest = std::max(largest, entries[e]);
      exponentials(entries, count, largest);
      zero = std::exp(-largest);
    }
    float totals[4] = {};
    uint32_t e = 0;
    for (; e + 4 <= count; e += 4) {
      for (uint32_t lane = 0; lane < 4; ++lane) totals[lane] += entries[e + lane];
    }
    for (; e < count; ++e) totals[0] += entries[e];
    const float named = (totals[0] + totals[1]) + (totals[2] + totals[3]);
    const float scale = 1 / ((channels - static_cast<float>(count)) * zero + named);
    for (e = 0; e < count; ++e) entries[e] *= scale;
    out.others[patch] = zero * scale;
  }
}

}  // namespace

void pool_labels(const UnpackedRecord& record, const MapShape& shape, int grid, SparseLabels& out) {
  thread_local Scratch scratch;
  const auto top_k = static_cast<size_t>(shape.top_k);
  const auto patches = static_cast<size_t>(grid) * static_cast<size_t>(grid);
  const Geometry geometry{grid, record.height, record.width, record.cover};
  if (scratch.geometry != geometry) divide(geometry, scratch);
  scratch.values.resize(record.halves.size());
  halves_to_floats(record.halves.data(), record.halves.size(), scratch.values.data());
  out.classes = record.classes;
  scratch.sums.assign(record.classes.size(), 0);
  out.begins.resize(patches + 1);
  out.others.resize(patches);
  // Never shrink: growing again would write zeros.
  const size_t room = scratch.visits * top_k + 1;
  if (out.codes.size() < room) out.codes.resize(room);
  if (out.probability.size() < room) out.probability.resize(room);
  gather(record, top_k, scratch, out);

  float largest = 0, smallest = 0;
  const auto cells = static_cast<size_t>(record.height) * static_cast<size_t>(record.width);
  for (size_t rank = 0; rank < top_k; ++rank) {
    widen(&scratch.values[rank * record.stride], cells, smallest, largest);
  }
  softmax(patches, static_cast<float>(shape.channels), largest, largest - smallest > kMostSpread,
          out);
}

void expand(const SparseLabels& labels, int channels, float* out) {
  for (size_t patch = 0; patch < labels.others.size(); ++patch, out += channels) {
    std::fill_n(out, channels, labels.others[patch]);
    for (uint32_t e = labels.begins[patch]; e < labels.begins[patch + 1]; ++e) {
      out[labels.classes[labels.codes[e]]] = labels.probability[e];
    }
  }
}

}  // namespace remixer::labelcache
