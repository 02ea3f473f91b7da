// SPDX-License-Identifier: Apache-2.0
// The labelers on images whose object is known. Figures of the networks are ONNX Runtime's, as in
// network_test.cpp, with the preprocessing that the networks were published with.
#include "labelcache/labelers/labelers.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "core/dataset/imagenet_classes.h"
#include "core/io/safetensors.h"
#include "experiments/spec/components.h"
#include "labelcache/labelers/network_input.h"
#include "tests/labelcache/synthetic.h"
#include "tests/support/program.h"

namespace remixer::labelcache {
namespace {

using experiments::make_labeler_spec;
using ::testing::HasSubstr;

const std::filesystem::path kWeights = REMIXER_WEIGHTS_FOLDER;
constexpr int kSide = 48;

LabelInput disk_input(std::optional<data::Box> box = std::nullopt) {
  data::Sample sample;
  sample.id = "train/disk/1.png";
  sample.box = box;
  return {sample, testing::disk_image(kSide, kSide), {}};
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
  const auto labeler = make_labeler(make_labeler_spec("saliency"), kWeights);
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
  const auto labeler = make_labeler(make_labeler_spec("saliency"), kWeights);
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
  const auto labeler = make_labeler(make_labeler_spec("saliency", {{"input_size", 64}}), kWeights);
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
  const auto labeler = make_labeler(make_labeler_spec("relabel", {{"top_k", 4}}), kWeights);
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
  const auto labeler = make_labeler(make_labeler_spec("relabel"), kWeights);
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
  const auto labeler = make_labeler(make_labeler_spec("bbox_grabcut"), kWeights);
  const auto input = disk_input(testing::disk_box(kSide, kSide));
  const auto map = labeler->label({input}).at(0);
  const Means means = disk_means(map);
  EXPECT_GT(means.inside, 0.8);
  EXPECT_LT(means.outside, 0.1);
  EXPECT_EQ(labeler->label({disk_input(), input}).at(1).values, map.values);
}

TEST(BboxGrabcutLabelerTest, AnImageWithoutABoxIsAllBackground) {
  const auto labeler = make_labeler(make_labeler_spec("bbox_grabcut"), kWeights);
  const auto map = labeler->label({disk_input()}).at(0);
  EXPECT_EQ(map.values, std::vector<float>(kSide * kSide, 0.0f));
}

TEST(BboxGrabcutLabelerTest, SeveralBoxesGiveTheUnionOfTheirCuts) {
  const auto labeler = make_labeler(make_labeler_spec("bbox_grabcut"), kWeights);
  // Two disks side by side.
  const data::Image disk = testing::disk_image(kSide, kSide);
  data::Image two(2 * kSide, kSide);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < 2 * kSide; ++x) std::copy_n(disk.at(x % kSide, y), 3, two.at(x, y));
  }
  const data::Box left = testing::disk_box(kSide, kSide);
  const data::Box right{left.x0 + kSide, left.y0, left.x1 + kSide, left.y1};
  LabelInput input{{}, two, {}};
  input.sample.id = "train/two.png";
  input.sample.box = left;
  const auto share = [&](const data::LabelMap& map, int from) {
    double sum = 0;
    for (int y = 0; y < kSide; ++y) {
      for (int x = from; x < from + kSide; ++x)
        sum += map.values[static_cast<size_t>(y * 2 * kSide + x)];
    }
    return sum / (kSide * kSide);
  };
  const auto one = labeler->label({input}).at(0);
  input.sample.more_boxes = {right};
  const auto both = labeler->label({input}).at(0);
  EXPECT_GT(share(one, 0), 0.1);
  EXPECT_EQ(share(one, kSide), 0);
  EXPECT_NEAR(share(both, 0), share(one, 0), 1e-6);
  EXPECT_GT(share(both, kSide), 0.1);
}

TEST(MaskLabelerTest, GivesTheTrueMasks) {
  data::GrayImage mask(5, 4);
  mask.at(3, 2) = 255;
  mask.at(0, 0) = 51;
  const auto labeler = make_labeler(make_labeler_spec("masks"), kWeights);
  EXPECT_FALSE(labeler->reads_images());
  const auto maps = labeler->label({{{}, {}, mask}, {{}, {}, {}}});
  EXPECT_EQ(maps[0].height, 4);
  EXPECT_EQ(maps[0].values[2 * 5 + 3], 1);
  EXPECT_FLOAT_EQ(maps[0].values[0], 0.2f);
  EXPECT_EQ(maps[1].values, std::vector<float>{0});
}

TEST(NineClasses, SumUpTheThousandsProbabilities) {
  const at::Tensor logits = at::randn({2, 1000, 3, 3}) * 4;
  const at::Tensor ten = nine_class_logits(logits, nine_class_members(at::kCPU)).softmax(1),
                   thousand = logits.softmax(1);
  ASSERT_EQ(ten.sizes(), at::IntArrayRef({2, 10, 3, 3}));
  std::vector<double> sums(10, 0.0);
  for (int label = 0; label < 1000; ++label) {
    const int nine = data::imagenet_classes()[static_cast<size_t>(label)].imagenet9;
    sums[static_cast<size_t>(nine < 0 ? 9 : nine)] += thousand[1][label][2][0].item<double>();
  }
  for (int c = 0; c < 10; ++c)
    EXPECT_NEAR(ten[1][c][2][0].item<double>(), sums[static_cast<size_t>(c)], 1e-5);
}

TEST(NineClasses, AreAParameterOfRelabel) {
  const auto labeler = make_labeler(make_labeler_spec("relabel", {{"classes", 9}}), kWeights);
  EXPECT_EQ(labeler->shape(), (MapShape{10, 10}));
  const auto map = labeler->label({disk_input()}).at(0);
  EXPECT_EQ(map.values.size(), 7u * 7 * 10);
}

// Weights of BigBiGAN's U-Net that make of it what can be foretold: all convolutions 0 but for the
// last one's bias.
class UNetLabelerTest : public ::testing::Test {
 protected:
  static int64_t write_weights(const std::filesystem::path& file) {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    int64_t parameters = 0;
    const auto add = [&](const std::string& name, at::Tensor tensor, bool counts = true) {
      parameters += counts ? tensor.numel() : 0;
      tensors.emplace_back(name, std::move(tensor));
    };
    const auto pair = [&](const std::string& stage, int64_t in, int64_t out) {
      for (int i = 0; i < 2; ++i) {
        add(fmt::format("{}.{}.weight", stage, 3 * i), at::zeros({out, i == 0 ? in : out, 3, 3}));
        add(fmt::format("{}.{}.bias", stage, 3 * i), at::zeros({out}));
        add(fmt::format("{}.{}.weight", stage, 3 * i + 1), at::ones({out}));
        add(fmt::format("{}.{}.bias", stage, 3 * i + 1), at::zeros({out}));
        add(fmt::format("{}.{}.running_mean", stage, 3 * i + 1), at::zeros({out}), false);
        add(fmt::format("{}.{}.running_var", stage, 3 * i + 1), at::ones({out}), false);
      }
    };
    pair("inc", 3, 64);
    pair("down1", 64, 128);
    pair("down2", 128, 256);
    pair("down3", 256, 512);
    pair("down4", 512, 512);
    pair("up1", 1024, 256);
    pair("up2", 512, 128);
    pair("up3", 256, 64);
    pair("up4", 128, 64);
    add("outc.weight", at::zeros({2, 64, 1, 1}));
    at::Tensor bias = at::zeros({2});
    bias[1] = std::log(3.0);
    add("outc.bias", bias);
    io::write_safetensors(file, tensors, {{"source_sha256", kHash}});
    return parameters;
  }
  static inline const std::string kHash = std::string(63, '0') + "7";
  testing::ScratchFolder scratch_{"unet"};
};

TEST_F(UNetLabelerTest, HasThePublishedNumberOfParametersAndKeepsTheAspect) {
  EXPECT_EQ(write_weights(scratch_ / "bigbigan-0000000000000000.safetensors"), UNet::kParameters);
  const auto label = [&](const Json& parameters) {
    Json given = parameters;
    given["weights_sha256"] = kHash;
    const auto labeler = make_labeler(make_labeler_spec("bigbigan", given), scratch_.path());
    EXPECT_EQ(labeler->weights_sha256(), kHash);
    return labeler->label(
        {{{}, testing::disk_image(64, 96), {}}, {{}, testing::disk_image(40, 30), {}}});
  };
  const auto soft = label({{"short_edge", 32}});
  EXPECT_EQ(soft[0].height, 32);
  EXPECT_EQ(soft[0].width, 48);
  EXPECT_EQ(soft[1].height, 40);  // 43 in the network: a map has no more cells than its image
  EXPECT_EQ(soft[1].width, 30);
  for (const float value : soft[0].values) ASSERT_NEAR(value, 0.75f, 1e-6);
  EXPECT_EQ(label({{"short_edge", 32}, {"threshold", 74}})[0].values.front(), 1);
  EXPECT_EQ(label({{"short_edge", 32}, {"threshold", 76}})[0].values.front(), 0);
}

TEST_F(UNetLabelerTest, OtherWeightsAreRefused) {
  const auto entry = make_labeler_spec("bigbigan", {{"weights_sha256", std::string(64, 'c')}});
  const auto message = [&] {
    try {
      make_labeler(entry, scratch_.path());
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message(), HasSubstr("bigbigan-cccccccccccccccc.safetensors"));
  write_weights(scratch_ / "bigbigan-cccccccccccccccc.safetensors");
  EXPECT_THAT(message(), HasSubstr("pinned"));
}

TEST(MakeLabelerTest, RefusesWhatThisProgramDoesNotRun) {
  const auto refusal = [](const experiments::LabelerSpec& entry) {
    try {
      make_labeler(entry, kWeights);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  auto newer = make_labeler_spec("saliency");
  newer.version = 99;
  EXPECT_THAT(refusal(newer), HasSubstr("99"));
  auto other_weights = make_labeler_spec("relabel");
  other_weights.hashes["weights_sha256"] = "0";
  EXPECT_THAT(refusal(other_weights), HasSubstr("weights"));
  auto incomplete = make_labeler_spec("relabel");
  incomplete.parameters.erase("top_k");
  EXPECT_NE(refusal(incomplete), "");
  EXPECT_THAT(refusal(experiments::LabelerSpec{{"salience"}}), HasSubstr("saliency"));
  EXPECT_NE(refusal(experiments::LabelerSpec{}), "");
}

}  // namespace
}  // namespace remixer::labelcache
