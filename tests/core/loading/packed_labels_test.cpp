// SPDX-License-Identifier: Apache-2.0
#include "core/loading/packed_labels.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/loading/device_queue.h"

namespace remixer::training {
namespace {

// Softmax over a thousand classes of logits that are 0 but for a few: what ReLabel's patches are.
at::Tensor relabel_like(int64_t batch, int64_t patches, int64_t channels, int64_t named) {
  at::Tensor logits = at::zeros({batch, patches, channels});
  for (int64_t i = 0; i < batch * patches; ++i) {
    for (int64_t e = 0; e < named; ++e) {
      logits.view({-1, channels})[i][(i * 37 + e * e * 11) % channels] =
          3.0 + static_cast<double>(e);
    }
  }
  return logits.softmax(-1);
}

// NaN and -0 included.
void expect_same_bits(const at::Tensor& a, const at::Tensor& b) {
  ASSERT_EQ(a.sizes(), b.sizes());
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  EXPECT_EQ(std::memcmp(x.data_ptr(), y.data_ptr(), static_cast<size_t>(x.nbytes())), 0);
}

TEST(PackedLabels, ComeOutBitForBitAndAreSmall) {
  const at::Tensor labels = relabel_like(2, 9, 1000, 12);
  const auto packed = pack_labels(labels);
  ASSERT_TRUE(packed);
  expect_same_bits(unpack_labels(*packed), labels);
  EXPECT_LE(packed->index.numel(), 2 * 9 * 12);
  EXPECT_EQ(packed->index.numel(), packed->values.numel());
}

TEST(PackedLabels, OddValuesSurvive) {
  at::Tensor labels = at::full({1, 3, 40}, 0.25);
  labels[0][0][0] = NAN;
  labels[0][0][39] = -0.0;
  labels[0][1].fill_(0);
  labels[0][1][7] = -0.0;
  const auto packed = pack_labels(labels);
  ASSERT_TRUE(packed);
  expect_same_bits(unpack_labels(*packed), labels);
  EXPECT_EQ(packed->index.numel(), 3);
}

TEST(PackedLabels, WithoutOthersNothingIsPacked) {
  EXPECT_FALSE(pack_labels(at::rand({2, 4, 50})));
  EXPECT_FALSE(pack_labels(at::rand({2, 4, 1}))) << "a number a patch is small as it is";
}

TEST(PackedLabels, NoEntriesAtAll) {
  const at::Tensor labels = at::full({2, 4, 50}, 0.02);
  const auto packed = pack_labels(labels);
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->index.numel(), 0);
  expect_same_bits(unpack_labels(*packed), labels);
}

TEST(PackedLabels, ABatchThatArrivesHasThemAsTheModelTakesThem) {
  const at::Tensor labels = relabel_like(2, 4, 100, 5);
  Batch batch{at::zeros({2, 3, 8, 8}), {}, pack_labels(labels), at::zeros({2}, at::kLong)};
  ASSERT_TRUE(batch.packed_labels);
  const Batch arrived = to_device(std::move(batch), at::kCPU);
  EXPECT_FALSE(arrived.packed_labels);
  expect_same_bits(arrived.patch_labels, labels);
}

}  // namespace
}  // namespace remixer::training
