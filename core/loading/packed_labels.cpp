// SPDX-License-Identifier: Apache-2.0
#include "core/loading/packed_labels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <limits>
#include <vector>

namespace remixer::training {
namespace {

// Returns the majority value of a row, if one exists (Boyer-Moore majority vote).
uint32_t vote(const float* row, int64_t count) {
  uint32_t chosen = 0;
  int64_t lead = 0;
  for (int64_t k = 0; k < count; ++k) {
    const auto bits = std::bit_cast<uint32_t>(row[k]);
    if (lead == 0) chosen = bits;
    lead += bits == chosen ? 1 : -1;
  }
  return chosen;
}

template <typename T>
at::Tensor to_tensor(const std::vector<T>& values, at::ScalarType type, bool pinned) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())},
                                at::TensorOptions().dtype(type).pinned_memory(pinned));
  if (!values.empty()) std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(T));
  return tensor;
}

}  // namespace

std::optional<PackedLabels> pack_labels(const at::Tensor& labels, bool pinned) {
  assert(labels.is_cpu() && labels.scalar_type() == at::kFloat && labels.dim() == 3);
  constexpr int64_t kSaving = 4;
  const int64_t rows = labels.size(0) * labels.size(1), channels = labels.size(2);
  if (rows * channels > std::numeric_limits<int32_t>::max()) return std::nullopt;
  const at::Tensor dense = labels.contiguous();
  const float* row = dense.const_data_ptr<float>();
  // Each patch costs one float (`others`); each entry costs an index and a value.
  const int64_t most = (rows * channels / kSaving - rows) / 2;
  std::vector<float> others(static_cast<size_t>(rows)), values;
  std::vector<int32_t> index;
  for (int64_t i = 0; i < rows; ++i, row += channels) {
    const uint32_t common = vote(row, channels);
    others[static_cast<size_t>(i)] = std::bit_cast<float>(common);
    for (int64_t k = 0; k < channels; ++k) {
      if (std::bit_cast<uint32_t>(row[k]) == common) continue;
      index.push_back(static_cast<int32_t>(i * channels + k));
      values.push_back(row[k]);
    }
    if (static_cast<int64_t>(index.size()) > most) return std::nullopt;
  }
  return PackedLabels{labels.size(0),
                      labels.size(1),
                      channels,
                      to_tensor(others, at::kFloat, pinned),
                      to_tensor(index, at::kInt, pinned),
                      to_tensor(values, at::kFloat, pinned)};
}

at::Tensor unpack_labels(const PackedLabels& packed) {
  const at::Tensor dense = packed.others.unsqueeze(1).repeat({1, packed.channels}).view({-1});
  dense.scatter_(0, packed.index.to(at::kLong), packed.values);
  return dense.view({packed.batch, packed.patches, packed.channels});
}

}  // namespace remixer::training
