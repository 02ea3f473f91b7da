// SPDX-License-Identifier: Apache-2.0
// Object labels of one image, and their pooling to patches. No LibTorch: loader threads use it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::data {

// The part of its image that a label map covers, in fractions of the image's size.
struct Cover {
  float left = 0, top = 0, right = 1, bottom = 1;
  bool operator==(const Cover&) const = default;
};

// A labeler's output for an image, on its own grid, which covers the image exactly; published maps
// of a centre square cover only that part, and the rest is background (label 0, logits 0).
//   dense (top_k == 0): values[(y * width + x) * channels + c], e.g. saliency in [0, 1], 1 channel
//   top-k (top_k > 0):  values and indices [(y * width + x) * top_k + r]: the k largest logits of
//                       each cell and their classes (< channels), largest first
struct LabelMap {
  int height = 0, width = 0;
  int channels = 1;  // K of the patch labels made from it
  int top_k = 0;
  Cover cover;
  std::vector<float> values;
  std::vector<uint16_t> indices;
};

// A part of an image, in fractions of its size, optionally mirrored afterwards. Describes a crop
// and a flip of the image, so that labels can follow.
struct Region {
  double left = 0, top = 0, right = 1, bottom = 1;
  bool mirrored = false;
};

// Patch labels y of `region`, on grid × grid patches: out[(row * grid + column) * channels + c],
// `channels` values per patch.
//   dense: the mean of the map over each patch's rectangle (exact area average).
//   top-k: logits scattered into zeros, averaged over the patch (RoI pooling), then softmax over
//   channels.
void patch_labels(const LabelMap& map, const Region& region, int grid, float* out);

// Patch labels of top-k maps in compact form: of a thousand classes a patch names a few, and all
// others have the same probability. Patches follow each other in row order.
struct SparsePatchLabels {
  std::vector<float> others;      // by patch: the probability of each class that it does not name
  std::vector<uint32_t> ends;     // by patch: one past its last entry; the next patch begins there
  std::vector<uint16_t> classes;  // by entry
  std::vector<float> values;      // by entry: the probability of its class
};
// Appends the same labels, bit for bit, of a top-k map.
void patch_labels(const LabelMap& map, const Region& region, int grid, SparsePatchLabels& out);

// A cell of a map, row · width + column, and its share of a patch. The shares of a patch sum to 1,
// or less if part of the patch shows nothing of the image and is background: saliency 0, or zero
// logits before the softmax.
struct CellShare {
  uint32_t cell = 0;
  float share = 0;
};
// One patch's labels from its cells: out[c], map.channels values; or appended to `out`.
void pool_cells(const LabelMap& map, const std::vector<CellShare>& cells, float* out);
void pool_cells(const LabelMap& map, const std::vector<CellShare>& cells, SparsePatchLabels& out);

// Source of patch labels: the interface that core uses and labelcache's files implement.
// Implementations are immutable and thread-safe.
class LabelSource {
 public:
  virtual ~LabelSource() = default;
  // Throws InputError naming the sample if it has no map.
  virtual LabelMap map(std::string_view sample_id) const = 0;
  // K, the same for every map.
  virtual int channels() const = 0;
  // Whether every map is a top-k map; otherwise none is.
  virtual bool names_top_k() const = 0;
};

}  // namespace remixer::data
