// SPDX-License-Identifier: Apache-2.0
// Packed top-k records: lossless whatever the numbers, quick where they are as labelers give them.
#include "labelcache/file/packed_record.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/sparse_labels.h"

namespace remixer::labelcache {
namespace {

std::string with_slack(std::string bytes) {
  return bytes + std::string(kReadSlack, '\xee');
}

void unpack_padded(const std::string& packed, const MapShape& shape, UnpackedRecord& record) {
  const std::string padded = with_slack(packed);
  unpack_record(std::string_view(padded).substr(0, packed.size()), shape, record);
}

TEST(BitPacking, GivesBackAnyNumbers) {
  Random random(1, RandomPurpose::kTest);
  for (int round = 0; round < 300; ++round) {
    const size_t count = random.below(70);
    const uint64_t range = uint64_t{1} << random.below(17);
    const auto base = static_cast<uint16_t>(random.below(65536));
    std::vector<uint16_t> values;
    for (size_t i = 0; i < count; ++i) {
      const bool exception = random.below(20) == 0;
      values.push_back(static_cast<uint16_t>(base + random.below(exception ? 65536 : range)));
    }
    std::string bytes;
    pack(values, bytes);
    const std::string padded = with_slack(bytes);
    const auto* begin = reinterpret_cast<const uint8_t*>(padded.data());
    std::vector<uint16_t> out(in_groups(count));
    ASSERT_EQ(unpack(begin, begin + bytes.size(), count, out.data()), begin + bytes.size());
    out.resize(count);
    ASSERT_EQ(out, values);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      std::vector<uint16_t> other(in_groups(count));
      ASSERT_EQ(unpack(begin, begin + cut, count, other.data()), nullptr);
    }
  }
}

TEST(BitPacking, SmallNumbersTakeFewBits) {
  std::vector<uint16_t> values(800, 30003);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint16_t>(30000 + i % 8);
  values[77] = 9999 + 30000;  // one that alone would need fourteen bits
  std::string bytes;
  pack(values, bytes);
  EXPECT_LE(bytes.size(), 800u * 3 / 8 + 8);
}

// Any 16 bits for values, infinities among them; any classes.
std::string random_record(uint64_t seed, const MapShape& shape, uint16_t height, uint16_t width) {
  Random random(seed, RandomPurpose::kTest);
  std::string record;
  append(record, height);
  append(record, width);
  const int numbers = height * width * shape.top_k;
  for (int i = 0; i < numbers; ++i) append(record, static_cast<uint16_t>(random.next_u32()));
  for (int i = 0; i < numbers; ++i) {
    append(record, static_cast<uint16_t>(random.below(static_cast<uint64_t>(shape.channels))));
  }
  return record;
}

// Back from what unpack_record gives, without passing through floats.
std::string record_of(const UnpackedRecord& unpacked, const MapShape& shape) {
  std::string record;
  append(record, static_cast<uint16_t>(unpacked.height));
  append(record, static_cast<uint16_t>(unpacked.width));
  const int cells = unpacked.height * unpacked.width;
  for (int i = 0; i < cells * shape.top_k; ++i) {
    append(record, unpacked.halves[static_cast<size_t>(i % shape.top_k) * unpacked.stride +
                                   static_cast<size_t>(i / shape.top_k)]);
  }
  for (int i = 0; i < cells * shape.top_k; ++i) {
    append(record,
           unpacked.classes[unpacked.codes[static_cast<size_t>(i % shape.top_k) * unpacked.stride +
                                           static_cast<size_t>(i / shape.top_k)]]);
  }
  return record;
}

TEST(PackedRecord, GivesBackAnyBits) {
  UnpackedRecord unpacked;
  for (const MapShape shape : {MapShape{1000, 5}, MapShape{65536, 1}, MapShape{10, 10}}) {
    for (uint16_t side = 1; side < 12; ++side) {
      const std::string record = random_record(side, shape, side, static_cast<uint16_t>(side + 1));
      std::string packed;
      pack_record(record, shape, packed);
      unpack_padded(packed, shape, unpacked);
      ASSERT_EQ(record_of(unpacked, shape), record);
    }
  }
}

TEST(PackedRecord, EveryCutIsRefusedAndNoDamageReadsOutside) {
  const MapShape shape{20, 3};
  const std::string record = random_record(7, shape, 3, 4);
  std::string packed;
  pack_record(record, shape, packed);
  UnpackedRecord unpacked;
  for (size_t size = 0; size < packed.size(); ++size) {
    EXPECT_THROW(unpack_padded(packed.substr(0, size), shape, unpacked), InputError) << size;
  }
  for (size_t i = 0; i < packed.size() * 8; ++i) {
    std::string flipped = packed;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
    try {
      unpack_padded(flipped, shape, unpacked);
      to_map(unpacked, shape);  // inside its vectors, whatever it says
    } catch (const InputError&) {
    }
  }
}

TEST(PackedRecord, HalvesBecomeTheFloatsThatTheyAre) {
  std::vector<uint16_t> halves;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    if ((bits & 0x7c00) != 0x7c00) halves.push_back(static_cast<uint16_t>(bits));
  }
  std::vector<float> floats(halves.size());
  halves_to_floats(halves.data(), halves.size(), floats.data());
  for (size_t i = 0; i < halves.size(); ++i) {
    const int exponent = halves[i] >> 10 & 31, mantissa = halves[i] & 1023;
    const double size =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    ASSERT_EQ(floats[i], static_cast<float>(halves[i] & 0x8000 ? -size : size)) << halves[i];
  }
}

// Logits as a classifier gives them; `spread` stretches them.
data::LabelMap smooth_map(uint64_t seed, const MapShape& shape, int height, int width,
                          double spread) {
  Random random(seed, RandomPurpose::kTest);
  data::LabelMap map;
  map.height = height;
  map.width = width;
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  for (int cell = 0; cell < height * width; ++cell) {
    double logit = random.uniform(2, 12) * spread;
    for (int r = 0; r < shape.top_k; ++r) {
      map.values.push_back(static_cast<float>(logit));
      // Distinct in a cell, shared between cells.
      map.indices.push_back(
          static_cast<uint16_t>((r * 7 + static_cast<int>(random.below(7))) % shape.channels));
      logit -= random.uniform(0, 3) * spread;
    }
  }
  return map;
}

void expect_pooled_alike(const data::LabelMap& given, const MapShape& shape, int grid) {
  std::string packed;
  pack_record(encode_record(given, shape), shape, packed);
  UnpackedRecord unpacked;
  unpack_padded(packed, shape, unpacked);
  SparseLabels sparse;
  pool_labels(unpacked, shape, grid, sparse);
  const size_t numbers = static_cast<size_t>(grid * grid * shape.channels);
  std::vector<float> pooled(numbers), wanted(numbers);
  expand(sparse, shape.channels, pooled.data());
  data::patch_labels(to_map(unpacked, shape), {}, grid, wanted.data());
  for (size_t i = 0; i < numbers; ++i) ASSERT_NEAR(pooled[i], wanted[i], 2e-6) << i;
}

TEST(SparseLabels, AreThePatchLabelsOfTheSameMap) {
  const MapShape shape{100, 5};
  for (const int grid : {1, 7, 8, 14, 20}) {
    expect_pooled_alike(smooth_map(1, shape, 18, 18, 1), shape, grid);
    expect_pooled_alike(smooth_map(2, shape, 7, 9, 1), shape, grid);
    // Logits so far apart that the map's largest drowns a patch's own.
    expect_pooled_alike(smooth_map(3, shape, 18, 18, 100), shape, grid);
    expect_pooled_alike(smooth_map(4, shape, 9, 9, -1), shape, grid);
  }
  expect_pooled_alike(smooth_map(5, {12, 3}, 6, 6, 1), {12, 3}, 4);
}

TEST(SparseLabels, WhatAMapDoesNotCoverNamesNoClass) {
  const MapShape shape{100, 5};
  data::LabelMap map = smooth_map(1, shape, 18, 18, 1);
  map.cover = {0.25f, 0, 0.75f, 1};
  for (const int grid : {4, 7, 14}) expect_pooled_alike(map, shape, grid);
  std::string packed;
  pack_record(encode_record(map, shape), shape, packed);
  UnpackedRecord unpacked;
  unpack_padded(packed, shape, unpacked);
  SparseLabels sparse;
  pool_labels(unpacked, shape, 4, sparse);
  EXPECT_EQ(sparse.begins[1] - sparse.begins[0], 0u);
  EXPECT_GT(sparse.begins[2] - sparse.begins[1], 4u);
  EXPECT_FLOAT_EQ(sparse.others[0], 0.01f);
}

}  // namespace
}  // namespace remixer::labelcache
