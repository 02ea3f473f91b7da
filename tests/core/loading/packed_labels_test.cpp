// SPDX-License-Identifier: Apache-2.0
#include "core/loading/packed_labels.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/loading/device_queue.h"

namespace remixer::training {
namespace {

// Patches that each name a few of the classes, as ReLabel's do.
data::SparsePatchLabels relabel_like(size_t patches, size_t channels, size_t named) {
  data::SparsePatchLabels labels;
  for (size_t patch = 0; patch < patches; ++patch) {
    labels.others.push_back(0.001f / static_cast<float>(patch + 1));
    for (size_t e = 0; e < named; ++e) {
      labels.classes.push_back(static_cast<uint16_t>((patch * 37 + e * e * 11) % channels));
      labels.values.push_back(0.05f * static_cast<float>(e + 1));
    }
    labels.ends.push_back(static_cast<uint32_t>(labels.classes.size()));
  }
  return labels;
}

// The same, one value a channel.
at::Tensor written_out(const data::SparsePatchLabels& labels, int64_t batch, int64_t patches,
                       int64_t channels) {
  at::Tensor dense = at::empty({batch * patches, channels});
  uint32_t entry = 0;
  for (int64_t patch = 0; patch < batch * patches; ++patch) {
    dense[patch].fill_(labels.others[static_cast<size_t>(patch)]);
    for (; entry < labels.ends[static_cast<size_t>(patch)]; ++entry) {
      dense[patch][labels.classes[entry]] = labels.values[entry];
    }
  }
  return dense.view({batch, patches, channels});
}

// NaN and -0 included.
void expect_same_bits(const at::Tensor& a, const at::Tensor& b) {
  ASSERT_EQ(a.sizes(), b.sizes());
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  EXPECT_EQ(std::memcmp(x.data_ptr(), y.data_ptr(), static_cast<size_t>(x.nbytes())), 0);
}

TEST(PackedLabels, ComeOutBitForBit) {
  const auto labels = relabel_like(18, 1000, 12);
  const PackedLabels packed = pack_labels(labels, 2, 9, 1000);
  EXPECT_EQ(packed.index.numel(), 18 * 12);
  expect_same_bits(unpack_labels(packed), written_out(labels, 2, 9, 1000));
}

TEST(PackedLabels, OddValuesSurvive) {
  data::SparsePatchLabels labels;
  labels.others = {0.25f, 0.0f, -0.0f};
  labels.classes = {0, 99, 7};
  labels.values = {NAN, -0.0f, -0.0f};
  labels.ends = {2, 3, 3};
  expect_same_bits(unpack_labels(pack_labels(labels, 1, 3, 100)), written_out(labels, 1, 3, 100));
}

TEST(PackedLabels, NoEntriesAtAll) {
  const auto labels = relabel_like(8, 100, 0);
  const PackedLabels packed = pack_labels(labels, 2, 4, 100);
  EXPECT_EQ(packed.index.numel(), 0);
  expect_same_bits(unpack_labels(packed), written_out(labels, 2, 4, 100));
}

TEST(PackedLabels, AreForManyClassesOnly) {
  EXPECT_TRUE(worth_packing(64, 196, 1000));
  EXPECT_FALSE(worth_packing(64, 196, 9));
  EXPECT_FALSE(worth_packing(20000, 196, 1000)) << "positions would not fit";
}

TEST(PackedLabels, ABatchThatArrivesHasThemAsTheModelTakesThem) {
  const auto labels = relabel_like(8, 100, 5);
  Batch batch{
      at::zeros({2, 3, 8, 8}), {}, pack_labels(labels, 2, 4, 100), at::zeros({2}, at::kLong)};
  const Batch arrived = to_device(std::move(batch), at::kCPU);
  EXPECT_FALSE(arrived.packed_labels);
  expect_same_bits(arrived.patch_labels, written_out(labels, 2, 4, 100));
}

}  // namespace
}  // namespace remixer::training
