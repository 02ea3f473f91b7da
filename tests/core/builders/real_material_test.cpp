// SPDX-License-Identifier: Apache-2.0
// Builders and importers on real photographs, where they are at hand beside the repository
// (../shared/data); the same on made-up ones is in challenge_test and importer_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "base/file.h"
#include "core/builders/challenge_builder.h"
#include "core/dataset/contact_sheet.h"
#include "core/dataset/imagenet_classes.h"
#include "core/dataset/verify.h"
#include "core/importer/importer.h"
#include "experiments/spec/components.h"
#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

using ::testing::IsEmpty;

const fs::path kMaterial = REMIXER_SHARED_DATA;

class RealMaterial : public ::testing::Test {
 protected:
  void unpack(const char* archive) {
    if (!fs::exists(kMaterial / archive)) {
      GTEST_SKIP() << (kMaterial / archive).string() << " is not at hand";
    }
    const std::string command = fmt::format("tar -xf '{}' -C '{}'", (kMaterial / archive).string(),
                                            folder_.path().string());
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  TemporaryFolder folder_;
};

// Boxes, GrabCut and the eight variants on a part of Tiny ImageNet's 21,000 photographs.
TEST_F(RealMaterial, TinyImageNetBecomesTheBackgroundChallenge) {
  unpack("tiny_in9_train.tar.gz");
  if (IsSkipped()) return;
  ChallengeJob job;
  job.spec = experiments::make_dataset_spec("tiny-imagenet9",
                                            {{"train_per_class", 8}, {"test_per_class", 4}});
  job.photographs = folder_.path() / "tiny_in9/train";
  job.boxes = folder_.path() / "tiny_in9/train_boxes.tsv";
  job.output = folder_.path() / "set";
  const ChallengeReport report = build_challenge(job);
  EXPECT_EQ(report.layout, "a table of images");
  EXPECT_EQ(report.splits.at("train"), 9 * 8);
  EXPECT_EQ(report.splits.at("mixed_rand"), 9 * 4);
  EXPECT_THAT(report.broken, IsEmpty());
  // About one box in six is (nearly) the whole picture.
  EXPECT_GT(report.outcomes[static_cast<size_t>(Rejection::kBoxTooLarge)], 2000);
  EXPECT_LT(report.outcomes[static_cast<size_t>(Rejection::kBoxTooLarge)], 6000);
  EXPECT_EQ(report.outcomes[static_cast<size_t>(Rejection::kSizeMismatch)], 0);
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
  const Image sheet = contact_sheet(report.folder, {"train", "original", "only_fg"}, 64);
  EXPECT_EQ(sheet.height, 9 * 68 + 4);
}

// Full-size photographs: greyscale and odd shapes among them. They come without boxes, so the
// middle stands for one.
TEST_F(RealMaterial, FullSizePhotographsBecomeSquaresOf224) {
  unpack("in9_samples_fullsize.tar");
  if (IsSkipped()) return;
  std::string table;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "in9_samples")) {
    if (!entry.is_regular_file()) continue;
    const Image image = read_image(entry.path());
    table += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n",
                         entry.path().lexically_relative(folder_.path() / "in9_samples").string(),
                         entry.path().stem().string(), image.width / 4, image.height / 4,
                         image.width * 3 / 4, image.height * 3 / 4);
  }
  put(folder_.path() / "boxes.tsv", table);
  ChallengeJob job;
  job.spec =
      experiments::make_dataset_spec("imagenet9", {{"train_per_class", 1}, {"test_per_class", 1}});
  job.photographs = folder_.path() / "in9_samples";
  job.boxes = folder_.path() / "boxes.tsv";
  job.output = folder_.path() / "set";
  const ChallengeReport report = build_challenge(job);
  EXPECT_EQ(report.splits.at("only_fg"), 9);
  EXPECT_THAT(report.broken, IsEmpty());
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());

  ImportJob own;
  own.kind = "folder";
  own.folder = folder_.path() / "in9_samples";
  own.workspace = folder_.path() / "work";
  own.name = "samples";
  const ImportReport imported = import_dataset(own);
  EXPECT_EQ(imported.images.at("train"), 176);
  EXPECT_EQ(Dataset::open(imported.folder, "train").image_size(), 0);
}

// ReaL's own labels: by image, and as the released nine-class code counts.
TEST_F(RealMaterial, ReaLNineCountsBothWays) {
  if (!fs::exists(kMaterial / "real.json")) GTEST_SKIP() << "real.json is not at hand";
  const std::string picture = encode_png(Image(1, 1));
  fs::create_directories(folder_.path() / "val");
  for (int i = 1; i <= 50000; ++i) {
    std::ofstream(folder_.path() / "val" / fmt::format("ILSVRC2012_val_{:08}.png", i)) << picture;
  }
  ImportJob job;
  job.kind = job.name = "real_9";
  job.folder = folder_.path();
  job.labels = kMaterial / "real.json";
  job.workspace = folder_.path() / "work";
  const ImportReport nine = import_dataset(job);
  EXPECT_EQ(nine.images.at("val"), 17545);
  EXPECT_EQ(nine.released_count, 18860);
  EXPECT_THAT(nine.differences, IsEmpty());
  int several_classes = 0;
  const Dataset dataset = Dataset::open(nine.folder, "val");
  for (const Sample& sample : dataset.samples()) {
    several_classes += std::any_of(sample.more_labels.begin(), sample.more_labels.end(),
                                   [&](int label) { return label != sample.label; });
  }
  EXPECT_EQ(several_classes, 24);
  job.kind = job.name = "real";
  EXPECT_EQ(import_dataset(job).images.at("val"), 46837);
}

}  // namespace
}  // namespace remixer::data
