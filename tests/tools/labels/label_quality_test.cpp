// SPDX-License-Identifier: Apache-2.0
// Figures of agreement on images whose answer is known.
#include "tools/labels/label_quality.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "base/hash.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"
#include "tools/labels/label_drawing.h"

namespace remixer::labelcache {
namespace {

TEST(Auroc, CountsPairsThatAreInOrder) {
  EXPECT_EQ(auroc({{0.1f, false}, {0.9f, true}}), 1.0);
  EXPECT_EQ(auroc({{0.9f, false}, {0.1f, true}}), 0.0);
  EXPECT_EQ(auroc({{0.5f, false}, {0.5f, true}}), 0.5);
  EXPECT_EQ(auroc({{1, true}, {2, false}, {3, true}, {4, true}}), 2.0 / 3);
  EXPECT_TRUE(auroc({{1, true}}).is_null());
  EXPECT_TRUE(auroc({}).is_null());
}

// Says of every image what it is told to.
class FixedLabeler : public Labeler {
 public:
  FixedLabeler(MapShape shape, std::function<data::LabelMap(const LabelInput&)> map)
      : shape_(shape), map_(std::move(map)) {}
  MapShape shape() const override { return shape_; }
  int batch() const override { return 4; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override {
    std::vector<data::LabelMap> maps;
    for (const LabelInput& input : batch) maps.push_back(map_(input));
    return maps;
  }

 private:
  MapShape shape_;
  std::function<data::LabelMap(const LabelInput&)> map_;
};

// 1 in the box moved to the right by `shift` pixels.
data::LabelMap box_map(const data::Box& box, int shift) {
  data::LabelMap map;
  map.height = map.width = 32;
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const bool in = x - shift >= box.x0 && x - shift <= box.x1 && y >= box.y0 && y <= box.y1;
      map.values.push_back(in ? 1.0f : 0.0f);
    }
  }
  return map;
}

class LabelQualityTest : public ::testing::Test {
 protected:
  LabelQualityTest() { testing::write_tiny_dataset(scratch_ / "dataset", 12, 3); }
  Json figures(const Labeler& labeler, int64_t images = 12) {
    const auto dataset = data::Dataset::open(scratch_ / "dataset", "train");
    return label_quality({dataset, labeler, images, 8});
  }
  testing::ScratchFolder scratch_{"quality"};
};

TEST_F(LabelQualityTest, TheBoxItselfAgreesWhollyAndAMovedOneLess) {
  const auto exact = figures(
      FixedLabeler({1, 0}, [](const LabelInput& input) { return box_map(*input.sample.box, 0); }));
  EXPECT_NEAR(exact.at("box_iou").get<double>(), 1, 1e-9);
  EXPECT_NEAR(exact.at("mask_iou").get<double>(), 1, 1e-9);
  EXPECT_NEAR(exact.at("whole_box_iou").get<double>(), 144.0 / 1024, 1e-9);
  EXPECT_EQ(exact.at("images"), 12);
  // The boxes are 12 wide, and 3 pixels of room are always to their left or right.
  const auto moved =
      figures(FixedLabeler({1, 0},
                           [](const LabelInput& input) {
                             return box_map(*input.sample.box, input.sample.box->x0 >= 3 ? -3 : 3);
                           }),
              6);
  EXPECT_NEAR(moved.at("box_iou").get<double>(), 9.0 / 15, 1e-9);
  EXPECT_NEAR(moved.at("mask_iou").get<double>(), 9.0 / 15, 1e-9);
  EXPECT_EQ(moved.at("images"), 6);
  const auto nothing = figures(FixedLabeler({1, 0}, [](const LabelInput&) {
    return empty_map({1, 0});
  }));
  EXPECT_EQ(nothing.at("box_iou"), 0.0);
}

// Whichever batch is done first.
TEST_F(LabelQualityTest, FiguresHaveTheSameBitsEachTime) {
  std::filesystem::remove_all(scratch_ / "dataset");
  testing::write_tiny_dataset(scratch_ / "dataset", 60, 3);
  std::set<std::string> found;
  for (int slow = 0; slow < 8; ++slow) {
    Json json =
        figures(FixedLabeler({1, 0},
                             [&](const LabelInput& input) {
                               const auto hash = xxh3(input.sample.id);
                               if (hash % 8 == static_cast<uint64_t>(slow)) {
                                 std::this_thread::sleep_for(std::chrono::milliseconds(5));
                               }
                               return box_map(*input.sample.box, static_cast<int>(hash % 7));
                             }),
                60);
    json.erase("seconds_an_image");
    found.insert(json.dump());
  }
  EXPECT_EQ(found.size(), 1u) << *found.begin() << *found.rbegin();
}

TEST_F(LabelQualityTest, PeaksAreCellsOfTheLargestLogit) {
  const auto peak_at = [](int offset) {
    return [offset](const LabelInput& input) {
      data::LabelMap map;
      map.height = map.width = 32;
      map.channels = 4;
      map.top_k = 1;
      map.values.assign(1024, 1.0f);
      map.indices.assign(1024, 0);
      const int x = (input.sample.box->x0 + offset) % 32;
      map.values[static_cast<size_t>(input.sample.box->y0 * 32 + x)] = 2.0f;
      return map;
    };
  };
  const auto inside = figures(FixedLabeler({4, 1}, peak_at(11)));
  EXPECT_EQ(inside.at("peaks_inside"), 1.0);
  EXPECT_NEAR(inside.at("chance_inside").get<double>(), 144.0 / 1024, 1e-9);
  EXPECT_EQ(figures(FixedLabeler({4, 1}, peak_at(12))).at("peaks_inside"), 0.0);
}

// Two cells, left and right, of one class each.
data::LabelMap two_cells(int channels, uint16_t left, uint16_t right) {
  data::LabelMap map;
  map.height = 1;
  map.width = 2;
  map.channels = channels;
  map.top_k = 1;
  map.values = {1, 2};
  map.indices = {left, right};
  return map;
}

TEST_F(LabelQualityTest, TheOwnClassHasAPeakOfItsOwn) {
  // The largest logit stands outside the box; the image's own class (the dataset's and the map's
  // are the same three) has one cell, in the box, unless it is green, which no cell names.
  const auto map_of = [](const LabelInput& input) {
    const data::Box& box = *input.sample.box;
    const auto other = static_cast<uint16_t>((input.sample.label + 1) % 3);
    data::LabelMap map;
    map.height = map.width = 32;
    map.channels = 3;
    map.top_k = 1;
    map.values.assign(1024, 1.0f);
    map.indices.assign(1024, other);
    map.values[static_cast<size_t>(box.y0 * 32 + (box.x1 + 1) % 32)] = 9;
    if (input.sample.label != 1) {
      map.indices[static_cast<size_t>(box.y1 * 32 + box.x0)] =
          static_cast<uint16_t>(input.sample.label);
    }
    return map;
  };
  const auto found = figures(FixedLabeler({3, 1}, map_of));
  EXPECT_EQ(found.at("peaks_inside"), 0.0);
  EXPECT_NEAR(found.at("own_class_named").get<double>(), 2.0 / 3, 1e-9);
  EXPECT_EQ(found.at("own_class_peaks_inside"), 1.0);
  const FixedLabeler others({4, 1}, [](const LabelInput&) { return two_cells(4, 0, 1); });
  EXPECT_FALSE(figures(others).contains("own_class_named")) << "four classes are not the dataset's";
}

TEST_F(LabelQualityTest, FilesWithAWordNetIdAreOfThatClass) {
  data::DatasetWriter writer(scratch_ / "synsets", {"dog"}, 32, testing::tiny_spec());
  writer.add_folder("train/00_dog");
  data::Sample sample;
  sample.id = "train/00_dog/n02106662_7.png";  // ImageNet's class 235
  sample.box = data::Box{0, 0, 15, 31};
  writer.add_file(sample.id, data::encode_png(data::Image(32, 32)));
  writer.add_split("train", {sample});
  writer.publish({0.5, 0.5, 0.5}, {0.2, 0.2, 0.2});
  const auto dataset = data::Dataset::open(scratch_ / "synsets", "train");
  const FixedLabeler labeler({1000, 1},
                             [](const LabelInput&) { return two_cells(1000, 235, 236); });
  const auto found = label_quality({dataset, labeler, 1, 8});
  EXPECT_EQ(found.at("peaks_inside"), 0.0);
  EXPECT_EQ(found.at("own_class_peaks_inside"), 1.0);
}

TEST(DrawLabels, ShowsTheImageBesideItsLabels) {
  data::Image image(64, 32);
  std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{100});
  data::LabelMap map;
  map.height = 1;
  map.width = 2;
  map.values = {1, 0};
  const data::Image drawn = draw_labels(image, map);
  EXPECT_EQ(drawn.height, 256);
  EXPECT_EQ(drawn.width, 2 * 512 + 8);
  EXPECT_EQ(drawn.at(100, 100)[0], 100);        // as it is
  EXPECT_GT(drawn.at(520 + 100, 100)[0], 180);  // red where the label is 1
  EXPECT_LT(drawn.at(520 + 100, 100)[1], 70);
  EXPECT_EQ(drawn.at(520 + 400, 100)[0], 100);
}

}  // namespace
}  // namespace remixer::labelcache
