// SPDX-License-Identifier: Apache-2.0
#include "core/loading/packed_labels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <cassert>
#include <cstring>
#include <limits>
#include <vector>

namespace remixer::training {
namespace {

template <typename T>
at::Tensor to_tensor(const std::vector<T>& values, at::ScalarType type, bool pinned) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())},
                                at::TensorOptions().dtype(type).pinned_memory(pinned));
  if (!values.empty()) std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(T));
  return tensor;
}

}  // namespace

bool worth_packing(int64_t batch, int64_t patches, int64_t channels) {
  return channels >= kFewestPackedChannels &&
         batch * patches * channels <= std::numeric_limits<int32_t>::max();
}

PackedLabels pack_labels(const data::SparsePatchLabels& labels, int64_t batch, int64_t patches,
                         int64_t channels, bool pinned) {
  assert(static_cast<int64_t>(labels.others.size()) == batch * patches);
  std::vector<int32_t> index(labels.classes.size());
  size_t entry = 0;
  for (size_t patch = 0; patch < labels.ends.size(); ++patch) {
    const auto first = static_cast<int32_t>(static_cast<int64_t>(patch) * channels);
    for (; entry < labels.ends[patch]; ++entry) index[entry] = first + labels.classes[entry];
  }
  return {batch,
          patches,
          channels,
          to_tensor(labels.others, at::kFloat, pinned),
          to_tensor(index, at::kInt, pinned),
          to_tensor(labels.values, at::kFloat, pinned)};
}

at::Tensor unpack_labels(const PackedLabels& packed) {
  const at::Tensor dense = packed.others.unsqueeze(1).repeat({1, packed.channels}).view({-1});
  dense.scatter_(0, packed.index.to(at::kLong), packed.values);
  return dense.view({packed.batch, packed.patches, packed.channels});
}

}  // namespace remixer::training
