// SPDX-License-Identifier: Apache-2.0
// ImageNet-9's rules, and its builder on small photographs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "core/builders/background_challenge.h"
#include "core/builders/challenge_builder.h"
#include "core/dataset/scene.h"
#include "core/dataset/verify.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"
#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Annotation annotated(int width, int height, std::vector<Box> boxes) {
  return {width, height, "n02084071", std::move(boxes)};
}

Rejection check(const Annotation& annotation, int width, int height) {
  Box box;
  return check_annotation(annotation, width, height, {256, 224, 1}, box);
}

TEST(ChallengeRules, AskForOneBoxOfThisVeryImage) {
  EXPECT_EQ(check(annotated(500, 375, {{100, 100, 200, 200}}), 500, 375), Rejection::kNone);
  EXPECT_EQ(check(annotated(0, 0, {{100, 100, 200, 200}}), 500, 375), Rejection::kNone);
  EXPECT_EQ(check(annotated(500, 375, {}), 500, 375), Rejection::kNoAnnotation);
  EXPECT_EQ(check(annotated(375, 500, {{100, 100, 200, 200}}), 500, 375), Rejection::kSizeMismatch);
  EXPECT_EQ(check(annotated(500, 375, {{100, 100, 200, 200}, {0, 0, 9, 9}}), 500, 375),
            Rejection::kSeveralBoxes);
  EXPECT_EQ(check(annotated(500, 375, {{200, 100, 100, 200}}), 500, 375), Rejection::kBrokenBox);
  EXPECT_EQ(check(annotated(500, 375, {{100, 100, 600, 200}}), 500, 375), Rejection::kBrokenBox);
}

// 256 x 256: the crop is columns and rows 16 to 239.
TEST(ChallengeRules, AskForLessThanNineTenthsOfTheCropAndHalfOfTheBox) {
  const int edge = 16 + 201;  // 224 x 201.6 pixels are 90 %
  EXPECT_EQ(check(annotated(0, 0, {{0, 16, 255, edge - 1}}), 256, 256), Rejection::kNone);
  EXPECT_EQ(check(annotated(0, 0, {{0, 16, 255, edge}}), 256, 256), Rejection::kBoxTooLarge);
  // Half of 20 columns are left of column 16: columns 6 to 25.
  EXPECT_EQ(check(annotated(0, 0, {{6, 100, 25, 149}}), 256, 256), Rejection::kNone);
  EXPECT_EQ(check(annotated(0, 0, {{5, 100, 24, 149}}), 256, 256), Rejection::kBoxCutOff);
  EXPECT_EQ(check(annotated(0, 0, {{0, 0, 9, 9}}), 256, 256), Rejection::kBoxCutOff);
}

// Pixels that tell their place: red is the column, green the row, modulo 256.
Image coordinates(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<uint8_t>(x);
      image.at(x, y)[1] = static_cast<uint8_t>(y);
      image.at(x, y)[2] = 1;
    }
  }
  return image;
}

TEST(SquareCrop, TakesTheNearestPixelsOfTheMiddle) {
  // 512 x 1024 to 256 x 512: every second pixel, from the first's centre on; rows 144 to 367.
  const Image crop = square_crop(coordinates(512, 1024), {256, 224, 1});
  ASSERT_EQ(crop.width, 224);
  ASSERT_EQ(crop.height, 224);
  EXPECT_EQ(crop.at(0, 0)[0], 33);  // column 16 of 256
  EXPECT_EQ(crop.at(0, 0)[1], (2 * 144 + 1) % 256);
  EXPECT_EQ(crop.at(223, 223)[0], (2 * 239 + 1) % 256);
  EXPECT_EQ(square_crop(coordinates(64, 64), {64, 64, 1}), coordinates(64, 64));
  // Torchvision rounds half to even: 257 columns leave out 16 of 33, not 17.
  EXPECT_EQ(square_crop(coordinates(257, 256), {256, 224, 1}).at(0, 0)[0], 16);
}

class ChallengeImageTest : public ::testing::Test {
 protected:
  ChallengeImageTest() {
    EXPECT_EQ(make_challenge_image(photograph_, box_, {64, 64, 1}, 1, made_), Rejection::kNone);
  }
  const Box box_{12, 20, 40, 50};
  const Image photograph_ = photograph(64, 64, {15, 23, 37, 47}, 3);
  ChallengeImage made_;
};

TEST_F(ChallengeImageTest, MaskIsTheObject) {
  int both = 0, either = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const bool object = photograph_.at(x, y)[0] >= 150, cut = made_.mask.at(x, y) == 255;
      EXPECT_TRUE(cut || made_.mask.at(x, y) == 0);
      both += object && cut;
      either += object || cut;
    }
  }
  EXPECT_GT(both, 0.95 * either);
  EXPECT_EQ(made_.box, box_);
  EXPECT_EQ(made_.original, photograph_);
}

TEST_F(ChallengeImageTest, VariantsKeepAndBlackWhatTheyShould) {
  const Image boxed = only_bg_b(made_), object = only_fg(made_), ground = no_fg(made_);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const bool inside = x >= 12 && x <= 40 && y >= 20 && y <= 50, cut = made_.mask.at(x, y) > 0;
      const uint8_t* original = photograph_.at(x, y);
      for (int c = 0; c < 3; ++c) {
        ASSERT_EQ(boxed.at(x, y)[c], inside ? 0 : original[c]);
        ASSERT_EQ(object.at(x, y)[c], cut ? original[c] : 0);
        ASSERT_EQ(ground.at(x, y)[c], cut ? 0 : original[c]);
        ASSERT_TRUE(inside || made_.only_bg_t.at(x, y)[c] == original[c]);
      }
    }
  }
}

// The strips beside the box: left 12 x 64 pixels, right (from the box's last column on) 24 x 64,
// above 64 x 20, below 64 x 14. The right one is the largest.
TEST_F(ChallengeImageTest, TilesAreOfTheLargestStripAndStartAtTheCorner) {
  for (int y = 20; y <= 50; ++y) {
    for (int x = 12; x <= 40; ++x) {
      ASSERT_EQ(made_.only_bg_t.at(x, y)[1], photograph_.at(40 + x % 24, y)[1]) << x << "," << y;
    }
  }
}

// The benchmark asks which pixels are black, so a black part of an object becomes a hole.
TEST(Mixed, BlackPixelsOfTheObjectShowTheBackground) {
  Image object(2, 1), background(2, 1);
  std::fill(background.pixels.begin(), background.pixels.end(), uint8_t{9});
  object.at(0, 0)[2] = 1;
  EXPECT_THAT(mixed(object, background).pixels, ElementsAre(0, 0, 1, 9, 9, 9));
}

// A small ImageNet of one synset a class, with a foreign one.
class ChallengeBuilderTest : public ::testing::Test {
 protected:
  static constexpr int kTrain = 4, kTest = 3;

  ChallengeBuilderTest() {
    std::vector<std::string> synsets = nine_synsets();
    synsets.push_back("n03995372");  // of none of the nine
    for (const std::string& synset : synsets) {
      for (int i = 0; i < kTrain + kTest; ++i) add(synset, i);
    }
  }

  static Box box_of(int i) { return {20 + i, 15, 60 + i, 55}; }

  std::string stem(const std::string& synset, int i) const {
    return fmt::format("{}_{}", synset, i);
  }
  fs::path image_file(const std::string& synset, int i) const {
    return source_ / (i < kTrain ? "train" : "val") / synset / (stem(synset, i) + ".JPEG");
  }
  fs::path box_file(const std::string& synset, int i) const {
    return boxes_ / synset / (stem(synset, i) + ".xml");
  }
  void add(const std::string& synset, int i) {
    const uint64_t seed = xor_hash(stem(synset, i));
    save_jpeg(image_file(synset, i), photograph(96, 80, {24 + i, 18, 56 + i, 52}, seed));
    put(box_file(synset, i), voc(96, 80, {box_of(i)}, synset));
  }
  static uint64_t xor_hash(const std::string& text) { return std::hash<std::string>()(text); }

  ChallengeJob job(const std::string& output, const Json& parameters = Json::object()) {
    Json all = {{"image_size", 32}, {"resize", 40}};
    all.update(parameters);
    ChallengeJob job;
    job.spec = experiments::make_dataset_spec("imagenet9", all);
    job.photographs = source_;
    job.boxes = boxes_;
    job.output = folder_.path() / output;
    return job;
  }
  static std::string content(const fs::path& folder) {
    return Dataset::open(folder, "train").content_hash();
  }

  TemporaryFolder folder_;
  fs::path source_ = folder_.path() / "imagenet", boxes_ = folder_.path() / "boxes";
};

TEST_F(ChallengeBuilderTest, MakesASoundDatasetOfAllVariantsAndTouchesNoSource) {
  const auto before = fingerprint(source_);
  const ChallengeReport report = build_challenge(job("set"));
  EXPECT_EQ(fingerprint(source_), before);
  EXPECT_EQ(report.splits.size(), 9u);
  EXPECT_EQ(report.splits.at("train"), 9 * kTrain);
  EXPECT_EQ(report.splits.at("mixed_next"), 9 * kTest);
  EXPECT_EQ(report.outcomes[0], 9 * (kTrain + kTest));
  const Verification verification = verify_dataset(report.folder);
  EXPECT_THAT(verification.problems, IsEmpty());
  EXPECT_EQ(verification.masks, 9 * (kTrain + kTest));
  EXPECT_EQ(Dataset::open(report.folder, "train").image_size(), 32);
}

// What the released Mixed-Rand's file names got wrong: whose background an image shows.
TEST_F(ChallengeBuilderTest, BackgroundsIdentityIsTrue) {
  const fs::path folder = build_challenge(job("set")).folder;
  const Dataset original = Dataset::open(folder, "original");
  std::map<std::string, const Sample*> by_identity;
  for (const Sample& sample : original.samples()) by_identity[sample.background] = &sample;
  bool others = false;
  for (const char* variant : {"mixed_same", "mixed_rand", "mixed_next"}) {
    const Dataset mixed_set = Dataset::open(folder, variant);
    for (const Sample& sample : mixed_set.samples()) {
      const Sample& behind = *by_identity.at(sample.background);
      if (std::string_view(variant) == "mixed_same") {
        EXPECT_EQ(behind.label, sample.label);
      } else if (std::string_view(variant) == "mixed_next") {
        EXPECT_EQ(behind.label, (sample.label + 1) % 9);
      } else {
        others = others || behind.label != sample.label;
      }
      const Sample& front = *by_identity.at(sample.foreground);
      EXPECT_EQ(front.label, sample.label);
      const std::string place = behind.id.substr(std::string("original").size());
      const std::string own = front.id.substr(std::string("original").size());
      EXPECT_EQ(read_image(folder / sample.id), mixed(read_image(folder / ("only_fg" + own)),
                                                      read_image(folder / ("only_bg_t" + place))));
    }
  }
  EXPECT_TRUE(others);
}

TEST_F(ChallengeBuilderTest, ClassesAreBalancedByDropping) {
  fs::remove(image_file(nine_synsets()[8], 0));
  fs::remove(box_file(nine_synsets()[8], 5));
  const ChallengeReport report = build_challenge(job("set"));
  EXPECT_EQ(report.splits.at("train"), 9 * (kTrain - 1));
  EXPECT_EQ(report.splits.at("original"), 9 * (kTest - 1));
  const ChallengeReport all = build_challenge(job("all", {{"balance", 0}}));
  EXPECT_EQ(all.splits.at("train"), 9 * kTrain - 1);
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
}

TEST_F(ChallengeBuilderTest, TrainingVariantsAreMadeWhereTheyAreAskedFor) {
  const ChallengeReport report =
      build_challenge(job("set", {{"train_variants", 1}, {"train_per_class", 2}}));
  EXPECT_EQ(report.splits.at("train_mixed_rand"), 9 * 2);
  EXPECT_EQ(report.splits.at("train"), 9 * 2);
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
}

TEST_F(ChallengeBuilderTest, BrokenFilesAreNamedCountedAndLeftOut) {
  const auto& synsets = nine_synsets();
  put(image_file(synsets[0], 0), "");
  const std::string bytes = read_file(image_file(synsets[1], 0));
  put(image_file(synsets[1], 0), bytes.substr(0, bytes.size() / 2));
  put(box_file(synsets[2], 0), voc(96, 80, {{60, 15, 20, 55}}));
  put(box_file(synsets[3], 0), voc(96, 80, {{60, 15, 120, 55}}));
  put(box_file(synsets[4], 0), voc(96, 80, {box_of(0), box_of(1)}));
  put(box_file(synsets[5], 0), voc(80, 96, {box_of(0)}));
  put(box_file(synsets[6], 0), "<annotation><size>");
  // Unbalanced, so that every photograph is looked at.
  const ChallengeReport report = build_challenge(job("set", {{"balance", 0}}));
  EXPECT_EQ(report.splits.at("train"), 9 * kTrain - 7);
  const auto count = [&](Rejection reason) { return report.outcomes[static_cast<size_t>(reason)]; };
  EXPECT_EQ(count(Rejection::kBrokenImage), 2);
  EXPECT_EQ(count(Rejection::kBrokenBox), 3);
  EXPECT_EQ(count(Rejection::kSeveralBoxes), 1);
  EXPECT_EQ(count(Rejection::kSizeMismatch), 1);
  EXPECT_THAT(report.broken, Contains(AllOf(HasSubstr(stem(synsets[0], 0)), HasSubstr("empty"))));
  EXPECT_THAT(report.broken, Contains(AllOf(HasSubstr(stem(synsets[1], 0)), HasSubstr("torn"))));
  EXPECT_THAT(report.broken, Contains(AllOf(HasSubstr(stem(synsets[2], 0)), HasSubstr("swapped"))));
  EXPECT_THAT(report.broken, Contains(AllOf(HasSubstr(stem(synsets[3], 0)), HasSubstr("outside"))));
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
}

TEST_F(ChallengeBuilderTest, AClassWithoutImagesEndsIt) {
  fs::remove_all(source_ / "val" / nine_synsets()[7]);
  EXPECT_THAT(input_error([&] { build_challenge(job("set")); }),
              AllOf(HasSubstr("07_primate"), HasSubstr("test image")));
  EXPECT_FALSE(fs::exists(folder_.path() / "set"));
}

TEST_F(ChallengeBuilderTest, EqualJobsGiveEqualBytesAfterKillsToo) {
  const std::string whole = content(build_challenge(job("whole")).folder);
  for (const std::string stage : {"cutting test images", "mixing", "hashing"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      ChallengeJob killed = job("again");
      killed.on_progress = [&](const char* what, int64_t, int64_t) {
        if (what == stage) ::kill(::getpid(), SIGKILL);
      };
      build_challenge(killed);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << stage;
    EXPECT_FALSE(fs::exists(folder_.path() / "again")) << stage;
    // Training images were finished before the kill, and are not done again.
    const std::string notes = read_file(folder_.path() / ".again.building" / "building.txt");
    EXPECT_GT(std::count(notes.begin(), notes.end(), '\n'), 9 * kTrain) << stage;
  }
  const ChallengeReport report = build_challenge(job("again"));
  EXPECT_EQ(content(report.folder), whole);
  EXPECT_FALSE(fs::exists(folder_.path() / ".again.building"));
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
  // Another job does not go on with files of this one.
  EXPECT_NE(content(build_challenge(job("other", {{"seed", 1}})).folder), whole);
}

// No file can grow past the limit, as if the disk were full.
TEST_F(ChallengeBuilderTest, AFullDiskEndsItAndLeavesNothingThatLooksWhole) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little { 2000, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  std::string message;
  try {
    build_challenge(job("set"));
  } catch (const Error& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(message, HasSubstr("cannot write"));
  EXPECT_FALSE(fs::exists(folder_.path() / "set"));
  EXPECT_THAT(verify_dataset(build_challenge(job("set")).folder).problems, IsEmpty());
}

TEST_F(ChallengeBuilderTest, InAWorkspaceItIsFoundByName) {
  ChallengeJob in_workspace = job("work");
  in_workspace.in_workspace = true;
  in_workspace.name = "nine";
  const ChallengeReport report = build_challenge(in_workspace);
  const auto found = experiments::find_imported(folder_.path() / "work", "nine");
  EXPECT_EQ(found.image_size, 32);
  EXPECT_EQ(found.splits.front(), "train");
  EXPECT_EQ(found.splits.size(), 9u);
  const auto manifest = Json::parse(read_file(report.folder / "manifest.json"));
  EXPECT_EQ(manifest.at("spec"), write_value(found.spec));
  EXPECT_EQ(report.folder.filename(), short_id(found.spec));
  EXPECT_THAT(input_error([&] { build_challenge(in_workspace); }), HasSubstr("--replace"));
}

// Tiny ImageNet's own layout: boxes beside the images, val/ in one folder with a list.
TEST_F(ChallengeBuilderTest, ReadsTinyImageNetsLayout) {
  const fs::path tiny = folder_.path() / "tiny";
  std::string val;
  for (const std::string& synset : nine_synsets()) {
    std::string boxes;
    for (int i = 0; i < kTrain + kTest; ++i) {
      const Image image = photograph(64, 64, {18, 20, 40, 44}, xor_hash(stem(synset, i)));
      if (i < kTrain) {
        save_jpeg(tiny / "train" / synset / "images" / (stem(synset, i) + ".JPEG"), image);
        boxes += stem(synset, i) + ".JPEG\t14\t16\t44\t48\n";
      } else {
        const std::string name = fmt::format("val_{}_{}.JPEG", synset, i);
        save_jpeg(tiny / "val/images" / name, image);
        val += fmt::format("{}\t{}\t14\t16\t44\t48\n", name, synset);
      }
    }
    put(tiny / "train" / synset / (synset + "_boxes.txt"), boxes);
  }
  put(tiny / "val/val_annotations.txt", val);
  ChallengeJob tiny_job = job("set");
  tiny_job.spec = experiments::make_dataset_spec("tiny-imagenet9");
  tiny_job.photographs = tiny;
  tiny_job.boxes.clear();
  const ChallengeReport report = build_challenge(tiny_job);
  EXPECT_EQ(report.layout, "Tiny ImageNet");
  EXPECT_EQ(report.splits.at("train"), 9 * kTrain);
  EXPECT_EQ(report.splits.at("original"), 9 * kTest);
  const Dataset original = Dataset::open(report.folder, "original");
  EXPECT_EQ(original.image_size(), 64);
  EXPECT_EQ(original.samples().front().box, (Box{14, 16, 44, 48}));
}

}  // namespace
}  // namespace remixer::data
