// SPDX-License-Identifier: Apache-2.0
#include "core/augment/augmented_labels.h"

#include <algorithm>
#include <cassert>

namespace remixer::data {
namespace {

constexpr int kPoints = 16;  // per side of a patch

// Maps a point of the finished image, in pixels, to the source point that it shows, in fractions.
// Returns false if it shows none.
bool trace(const View& view, double& x, double& y) {
  if (view.erased) {
    const Rectangle& box = *view.erased;
    if (x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height) {
      return false;
    }
  }
  for (auto warp = view.warps.rbegin(); warp != view.warps.rend(); ++warp) {
    const auto& m = warp->m;
    const double from_x = m[0] * x + m[1] * y + m[2], from_y = m[3] * x + m[4] * y + m[5];
    if (from_x < 0 || from_x >= view.side || from_y < 0 || from_y >= view.side) return false;
    x = from_x;
    y = from_y;
  }
  const Region& region = view.region;
  const double across = region.mirrored ? 1 - x / view.side : x / view.side;
  x = region.left + across * (region.right - region.left);
  y = region.top + y / view.side * (region.bottom - region.top);
  return true;
}

// Maps a point in fractions of the image to fractions of the part that a map covers. Returns false
// if it lies outside.
bool find_in_map(const Cover& cover, double& x, double& y) {
  x = (x - cover.left) / (static_cast<double>(cover.right) - cover.left);
  y = (y - cover.top) / (static_cast<double>(cover.bottom) - cover.top);
  // Rounding may overstep the image's edges; they belong to a map that covers the whole image.
  return cover == Cover() || (x >= 0 && x < 1 && y >= 0 && y < 1);
}

// The cells under a patch's sample points, each with its share of the points. `counts` is by cell,
// and all zero before and after.
void collect_cells(const LabelMap& map, const View& view, double left, double top, double size,
                   std::vector<uint16_t>& counts, std::vector<CellShare>& cells) {
  cells.clear();
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < kPoints; ++j) {
      double x = left + (j + 0.5) * size / kPoints, y = top + (i + 0.5) * size / kPoints;
      if (!trace(view, x, y) || !find_in_map(map.cover, x, y)) continue;
      const int column = std::clamp(static_cast<int>(x * map.width), 0, map.width - 1);
      const int row = std::clamp(static_cast<int>(y * map.height), 0, map.height - 1);
      const auto cell = static_cast<uint32_t>(row) * static_cast<uint32_t>(map.width) +
                        static_cast<uint32_t>(column);
      if (counts[cell]++ == 0) cells.push_back({cell, 0});
    }
  }
  for (CellShare& cell : cells) {
    cell.share = static_cast<float>(counts[cell.cell]) / (kPoints * kPoints);
    counts[cell.cell] = 0;
  }
}

// Calls pool(cells) for each patch, with the cells under its sample points.
template <typename Pool>
void for_each_patch(const LabelMap& map, const View& view, int grid, Pool&& pool) {
  assert(grid > 0 && view.side > 0 && map.height > 0 && map.width > 0);
  std::vector<uint16_t> counts(static_cast<size_t>(map.width) * map.height);
  std::vector<CellShare> cells;
  const double size = static_cast<double>(view.side) / grid;
  for (int row = 0; row < grid; ++row) {
    for (int column = 0; column < grid; ++column) {
      collect_cells(map, view, column * size, row * size, size, counts, cells);
      pool(cells);
    }
  }
}

}  // namespace

void patch_labels(const LabelMap& map, const View& view, int grid, float* out) {
  if (view.warps.empty() && !view.erased) return patch_labels(map, view.region, grid, out);
  for_each_patch(map, view, grid, [&](const std::vector<CellShare>& cells) {
    pool_cells(map, cells, out);
    out += map.channels;
  });
}

void patch_labels(const LabelMap& map, const View& view, int grid, SparsePatchLabels& out) {
  if (view.warps.empty() && !view.erased) return patch_labels(map, view.region, grid, out);
  for_each_patch(map, view, grid,
                 [&](const std::vector<CellShare>& cells) { pool_cells(map, cells, out); });
}

}  // namespace remixer::data
