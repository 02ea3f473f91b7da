// The labelers on images whose object is known. Figures of the networks are ONNX Runtime's, as in
// network_test.cpp, with the preprocessing that the networks were published with.
#include "labelcache/labelers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "experiments/components.h"
#include "tests/labelcache/synthetic.h"

namespace remixer::labelcache {
namespace {

using experiments::labeler_entry;
using ::testing::HasSubstr;

const std::filesystem::path kWeights = REMIXER_WEIGHTS_FOLDER;
constexpr int kSide = 48;

LabelInput disk_input(std::optional<data::Box> box = std::nullopt) {
  data::Sample sample;
  sample.id = "train/disk/1.png";
  sample.box = box;
  return {sample, testing::disk_image(kSide, kSide)};
}

// Mean of a dense map of the disk's image over the disk, and over the rest.
struct Means {
  double inside = 0, outside = 0;
};
Means disk_means(const data::LabelMap& map) {
  Means sums;
  int inside = 0;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const bool in = testing::in_disk(x, y, map.height, map.width);
      (in ? sums.inside : sums.outside) += map.values[static_cast<size_t>(y * map.width + x)];
      inside += in;
    }
  }
  return {sums.inside / inside, sums.outside / (map.height * map.width - inside)};
}

TEST(SaliencyLabelerTest, FindsTheDiskAndStretchesToTheWholeRange) {
  const auto labeler = make_labeler(labeler_entry("saliency"), kWeights);
  LabelInput black{{}, data::Image(kSide, kSide)};
  const auto maps = labeler->label({disk_input(), black});
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].height, kSide);
  EXPECT_EQ(maps[0].width, kSide);
  const Means means = disk_means(maps[0]);
  EXPECT_GT(means.inside, means.outside + 0.3);
  for (const data::LabelMap& map : maps) {
    for (const float value : map.values) ASSERT_TRUE(value >= 0 && value <= 1) << value;
  }
}

TEST(SaliencyLabelerTest, PreparesImagesAsTheNetworkWasTrained) {
  const auto labeler = make_labeler(labeler_entry("saliency"), kWeights);
  const auto map = labeler->label({{{}, testing::disk_image(96, 96)}}).at(0);
  const auto value = [&](int y, int x) { return map.values[static_cast<size_t>(y * 96 + x)]; };
  EXPECT_NEAR(value(0, 0), 0.0131558, 1e-3);
  EXPECT_NEAR(value(48, 48), 0.6093756, 1e-3);
  EXPECT_NEAR(value(38, 48), 0.5161912, 1e-3);
  EXPECT_NEAR(value(95, 32), 0.2384528, 1e-3);
  EXPECT_NEAR(value(32, 32), 0.8456296, 1e-3);
}

// A map is never larger than what the network saw, and companions do not change a map by more than
// its last stored bit.
TEST(SaliencyLabelerTest, ImagesOfDifferentSizesShareABatch) {
  const auto labeler = make_labeler(labeler_entry("saliency", {{"input_size", 64}}), kWeights);
  const LabelInput large{{}, testing::disk_image(80, 120)}, small = disk_input();
  const auto together = labeler->label({large, small});
  EXPECT_EQ(together[0].height, 64);
  EXPECT_EQ(together[0].width, 64);
  const auto alone = labeler->label({small});
  ASSERT_EQ(together[1].values.size(), alone[0].values.size());
  for (size_t i = 0; i < alone[0].values.size(); ++i) {
    ASSERT_NEAR(together[1].values[i], alone[0].values[i], 1.0 / 255);
  }
}

TEST(RelabelLabelerTest, GivesTheLargestLogitsOfEachCellInOrder) {
  const auto labeler = make_labeler(labeler_entry("relabel", {{"top_k", 4}}), kWeights);
  EXPECT_EQ(labeler->shape(), (MapShape{1000, 4}));
  const auto map = labeler->label({disk_input()}).at(0);
  EXPECT_EQ(map.height, 7);
  EXPECT_EQ(map.width, 7);
  ASSERT_EQ(map.values.size(), 7u * 7 * 4);
  ASSERT_EQ(map.indices.size(), map.values.size());
  for (size_t i = 0; i < map.values.size(); ++i) {
    ASSERT_LT(map.indices[i], 1000);
    ASSERT_TRUE(i % 4 == 0 || map.values[i] <= map.values[i - 1]) << i;
  }
}

TEST(RelabelLabelerTest, PreparesImagesAsTheNetworkWasTrained) {
  const auto labeler = make_labeler(labeler_entry("relabel"), kWeights);
  const auto map = labeler->label({{{}, testing::disk_image(224, 224)}}).at(0);
  const auto expect_cell = [&](size_t y, size_t x, const std::vector<uint16_t>& classes,
                               const std::vector<float>& logits) {
    for (size_t r = 0; r < 5; ++r) {
      const size_t place = (y * 7 + x) * 5 + r;
      EXPECT_EQ(map.indices[place], classes[r]) << y << ' ' << x;
      EXPECT_NEAR(map.values[place], logits[r], 2e-3) << y << ' ' << x;
    }
  };
  expect_cell(3, 1, {443, 506, 417, 616, 650},
              {12.97692f, 12.82495f, 10.96336f, 10.40259f, 9.73390f});
  expect_cell(0, 5, {506, 650, 640, 645, 858}, {3.81362f, 3.55752f, 3.25611f, 3.22559f, 3.07098f});
}

TEST(BboxGrabcutLabelerTest, CutsTheDiskFromItsBox) {
  const auto labeler = make_labeler(labeler_entry("bbox_grabcut"), kWeights);
  const auto input = disk_input(testing::disk_box(kSide, kSide));
  const auto map = labeler->label({input}).at(0);
  const Means means = disk_means(map);
  EXPECT_GT(means.inside, 0.8);
  EXPECT_LT(means.outside, 0.1);
  EXPECT_EQ(labeler->label({disk_input(), input}).at(1).values, map.values);
}

TEST(BboxGrabcutLabelerTest, AnImageWithoutABoxIsAllBackground) {
  const auto labeler = make_labeler(labeler_entry("bbox_grabcut"), kWeights);
  const auto map = labeler->label({disk_input()}).at(0);
  EXPECT_EQ(map.values, std::vector<float>(kSide * kSide, 0.0f));
}

TEST(MakeLabelerTest, RefusesWhatThisProgramDoesNotRun) {
  const auto refusal = [](experiments::Json entry) {
    try {
      make_labeler(entry, kWeights);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  auto newer = labeler_entry("saliency");
  newer["version"] = 99;
  EXPECT_THAT(refusal(newer), HasSubstr("99"));
  auto other_weights = labeler_entry("relabel");
  other_weights["weights_sha256"] = "0";
  EXPECT_THAT(refusal(other_weights), HasSubstr("weights"));
  auto incomplete = labeler_entry("relabel");
  incomplete.erase("top_k");
  EXPECT_NE(refusal(incomplete), "");
  EXPECT_THAT(refusal({{"name", "salience"}, {"version", 1}}), HasSubstr("saliency"));
  EXPECT_NE(refusal(nullptr), "");
}

}  // namespace
}  // namespace remixer::labelcache
