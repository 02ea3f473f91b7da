// SPDX-License-Identifier: Apache-2.0
#include "core/builders/fashion_bg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/file.h"
#include "core/dataset/dataset.h"
#include "core/dataset/verify.h"
#include "experiments/spec/components.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using ::testing::HasSubstr;

const fs::path kGarmentFolder = "/usr/share/datasets/fashion-mnist";
const fs::path kPhotographFolder = "/usr/share/backgrounds";

experiments::DatasetSpec spec(int train_images, int test_images, int seed = 0) {
  return experiments::make_dataset_spec(
      "fashion-bg", {{"train_images", train_images}, {"test_images", test_images}, {"seed", seed}});
}

class FashionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (sources_) return;
    sources_ = new FashionSources(load_fashion_sources(kGarmentFolder, kPhotographFolder, 0));
  }

  // The background that an identity like "dune@128,40" names.
  static Image background(const std::string& identity) {
    const size_t at = identity.find('@'), comma = identity.find(',');
    Crop crop;
    for (int i = 0; i < kPhotographs; ++i) {
      if (identity.substr(0, at) == kFashionPhotographs[static_cast<size_t>(i)].name) {
        crop.photograph = i;
      }
    }
    crop.x = std::stoi(identity.substr(at + 1));
    crop.y = std::stoi(identity.substr(comma + 1));
    EXPECT_EQ(crop_identity(crop), identity);
    return cut_crop(sources_->photographs, crop, kFashionImageSide);
  }

  static FashionSources* sources_;  // loaded once, kept to the end
  TemporaryFolder parent_;
};
FashionSources* FashionTest::sources_ = nullptr;

// A built dataset of 40 training and 40 test images, and its parts by test image.
class FashionVariants : public FashionTest {
 protected:
  static void SetUpTestSuite() {
    FashionTest::SetUpTestSuite();
    built_ = new TemporaryFolder;
    folder_ = built_->path() / "set";
    build_fashion_bg(spec(40, 40), *sources_, folder_, 1, {});
    for (const std::string& split : dataset_splits(folder_)) {
      sets_.emplace(split, Dataset::open(folder_, split));
    }
  }
  static void TearDownTestSuite() {
    sets_.clear();
    delete built_;
  }

  const Sample& sample(const std::string& split, size_t i) {
    return sets_.at(split).samples().at(i);
  }
  Image image(const std::string& split, size_t i) {
    return read_image(folder_ / sample(split, i).id);
  }
  // Calls check(x, y, is object) for each pixel of test image i.
  template <typename Check>
  void each_pixel(size_t i, Check&& check) {
    const GrayImage mask = read_gray(folder_ / sample("original", i).mask);
    for (int y = 0; y < kFashionImageSide; ++y) {
      for (int x = 0; x < kFashionImageSide; ++x) check(x, y, mask.at(x, y) == 255);
    }
  }
  static std::array<int, 3> rgb(const Image& image, int x, int y) {
    return {image.at(x, y)[0], image.at(x, y)[1], image.at(x, y)[2]};
  }
  static constexpr std::array<int, 3> kBlack{0, 0, 0};

  static TemporaryFolder* built_;
  static fs::path folder_;
  static std::map<std::string, Dataset> sets_;
};
TemporaryFolder* FashionVariants::built_ = nullptr;
fs::path FashionVariants::folder_;
std::map<std::string, Dataset> FashionVariants::sets_;

TEST_F(FashionVariants, IsSoundBalancedAndComplete) {
  EXPECT_THAT(verify_dataset(folder_).problems, ::testing::IsEmpty());
  EXPECT_EQ(sets_.size(), 9u);
  for (const auto& [split, dataset] : sets_) {
    EXPECT_EQ(dataset.samples().size(), 40u) << split;
    std::map<int, int> by_class;
    for (const Sample& sample : dataset.samples()) {
      ++by_class[sample.label];
      EXPECT_THAT(sample.id, HasSubstr(dataset.classes()[static_cast<size_t>(sample.label)]));
      EXPECT_EQ(sample.id.rfind(split == "train" ? "train/" : split + "/val/", 0), 0u);
    }
    EXPECT_THAT(by_class, ::testing::Each(::testing::Field(&std::pair<const int, int>::second, 4)));
  }
}

TEST_F(FashionVariants, BoxesMasksAndIdentitiesSayWhatIsShown) {
  for (size_t i = 0; i < 40; ++i) {
    for (const char* split : {"only_bg_b", "only_bg_t"}) {
      EXPECT_FALSE(sample(split, i).box);
      EXPECT_EQ(sample(split, i).mask, "");
      EXPECT_EQ(sample(split, i).foreground, "");
      EXPECT_EQ(sample(split, i).background, sample("original", i).background);
    }
    for (const char* split : {"mixed_same", "mixed_rand", "mixed_next", "only_fg", "no_fg"}) {
      EXPECT_EQ(sample(split, i).box, sample("original", i).box);
      EXPECT_EQ(sample(split, i).mask, sample("original", i).mask);
    }
    EXPECT_EQ(sample("no_fg", i).foreground, "");
    EXPECT_EQ(sample("only_fg", i).background, "");
    EXPECT_EQ(sample("mixed_rand", i).foreground, sample("original", i).foreground);
  }
}

TEST_F(FashionVariants, OriginalIsTheGarmentOnItsRecordedBackground) {
  for (size_t i = 0; i < 40; ++i) {
    const Image original = image("original", i), only = image("only_fg", i);
    const Image behind = background(sample("original", i).background);
    each_pixel(i, [&](int x, int y, bool object) {
      EXPECT_EQ(rgb(original, x, y), rgb(object ? only : behind, x, y));
    });
  }
}

TEST_F(FashionVariants, OnlyFgIsBlackOutsideTheObjectAndNoFgInsideIt) {
  for (size_t i = 0; i < 40; ++i) {
    const Image original = image("original", i), only = image("only_fg", i), no = image("no_fg", i);
    int bright = 0;
    each_pixel(i, [&](int x, int y, bool object) {
      if (!object) {
        EXPECT_EQ(rgb(only, x, y), kBlack);
      }
      EXPECT_EQ(rgb(no, x, y), object ? kBlack : rgb(original, x, y));
      bright += only.at(x, y)[0] > 12;
    });
    EXPECT_GT(bright, 20) << sample("original", i).id;
  }
}

TEST_F(FashionVariants, OnlyBgHidesTheBoxAndNothingElse) {
  for (size_t i = 0; i < 40; ++i) {
    const Image original = image("original", i);
    const Box box = *sample("original", i).box;
    EXPECT_EQ(image("only_bg_b", i), black_box(original, box));
    EXPECT_EQ(image("only_bg_t", i), tiled_box(original, box));
  }
}

TEST_F(FashionVariants, MixedPutsTheObjectOnAnotherTestImagesBackground) {
  std::multimap<std::string, std::pair<size_t, int>> owners;  // background: image, class
  for (size_t i = 0; i < 40; ++i) {
    owners.emplace(sample("original", i).background, std::pair(i, sample("original", i).label));
  }
  std::set<int> classes_behind_rand;
  for (size_t i = 0; i < 40; ++i) {
    const int label = sample("original", i).label;
    for (const char* split : {"mixed_same", "mixed_rand", "mixed_next"}) {
      const Sample& mixed = sample(split, i);
      const Image shown = image(split, i), original = image("original", i);
      const Image behind = background(mixed.background);
      each_pixel(i, [&](int x, int y, bool object) {
        EXPECT_EQ(rgb(shown, x, y), rgb(object ? original : behind, x, y));
      });
      const auto owner = owners.find(mixed.background);
      ASSERT_NE(owner, owners.end()) << "the background is no test image's";
      EXPECT_NE(owner->second.first, i) << split;
      const int behind_class = owner->second.second;
      if (split == std::string("mixed_rand")) {
        classes_behind_rand.insert(behind_class);
      } else {
        EXPECT_EQ(behind_class, split == std::string("mixed_same") ? label : (label + 1) % 10);
      }
    }
  }
  EXPECT_GE(classes_behind_rand.size(), 7u);
}

TEST_F(FashionTest, BytesDependOnTheSpecAlone) {
  const auto content = [&](const char* name, int seed, unsigned threads) {
    const fs::path folder = parent_.path() / name;
    build_fashion_bg(spec(40, 20, seed), *sources_, folder, threads, {});
    return read_file(folder / "manifest.json");
  };
  const std::string one = content("one", 3, 1);
  EXPECT_EQ(content("five", 3, 5), one);
  EXPECT_NE(content("other", 4, 1), one);
}

// Golden: a change of the images must come with a new version of the builder, since results name
// datasets by what makes them.
TEST_F(FashionTest, VersionOneKeepsItsBytes) {
  const fs::path folder = parent_.path() / "golden";
  build_fashion_bg(spec(40, 20), *sources_, folder, 0, {});
  EXPECT_EQ(Dataset::open(folder, "train").content_hash(),
            "07c91c869148b3437d7d27e5332f2f0ee280d797b0c6ee883270c1724f67c1e9");
}

TEST_F(FashionTest, ClassesPreferTheirTwoPhotographs) {
  for (const Region region : {Region::kTrain, Region::kTest}) {
    const auto plans = plan_images(*sources_, region, 4000, 1);
    double own = 0;
    std::set<int> seen;
    for (const FashionPlan& plan : plans) {
      own += plan.background.photograph / 2 == plan.label;
      seen.insert(plan.background.photograph);
    }
    // 0.6 on purpose, and one in ten of the rest by chance; four standard errors are 0.03.
    EXPECT_NEAR(own / 4000, 0.64, 0.03);
    EXPECT_EQ(seen.size(), static_cast<size_t>(kPhotographs));
  }
}

TEST_F(FashionTest, TrainAndTestShareNoPixelAndNoGarmentComesTwice) {
  const auto columns = [&](Region region) {
    std::set<std::pair<int, int>> used;  // photograph, column
    std::set<int> garments;
    for (const FashionPlan& plan : plan_images(*sources_, region, 4000, 1)) {
      EXPECT_TRUE(garments.insert(plan.garment).second);
      for (int x = 0; x < kFashionImageSide; ++x) {
        used.emplace(plan.background.photograph, plan.background.x + x);
      }
    }
    return used;
  };
  const auto train = columns(Region::kTrain), test = columns(Region::kTest);
  for (const auto& column : train) EXPECT_FALSE(test.contains(column));
}

TEST_F(FashionTest, StoppingLeavesNothing) {
  const fs::path folder = parent_.path() / "stopped";
  EXPECT_THROW(build_fashion_bg(spec(400, 20), *sources_, folder, 2,
                                [](int64_t done, int64_t) {
                                  if (done >= 64) throw Error("enough");
                                }),
               Error);
  EXPECT_TRUE(fs::is_empty(parent_.path()));
}

TEST_F(FashionTest, ProgressEndsAtTheTotal) {
  int64_t last = 0, total = 0;
  build_fashion_bg(spec(40, 20), *sources_, parent_.path() / "set", 2,
                   [&](int64_t done, int64_t all) {
                     EXPECT_GE(done, last);
                     last = done;
                     total = all;
                   });
  EXPECT_EQ(last, 40 + 8 * 20);
  EXPECT_EQ(total, last);
}

TEST_F(FashionTest, TooFewTestImagesForMixedSameAreRefused) {
  EXPECT_THAT(input_error([&] {
                build_fashion_bg(spec(40, 15), *sources_, parent_.path() / "set", 1, {});
              }),
              HasSubstr("at least 20"));
}

TEST_F(FashionTest, MissingAndForeignSourcesNameTheirPackage) {
  EXPECT_THAT(input_error([&] { read_garments(parent_.path(), "train"); }),
              HasSubstr("install dataset-fashion-mnist"));
  EXPECT_THAT(input_error([&] { load_photographs(parent_.path(), 1); }),
              HasSubstr("install lomiri-wallpapers-16.04"));
  const char* file = "t10k-labels-idx1-ubyte.gz";
  const std::string bytes = read_file(kGarmentFolder / file);
  put(parent_.path() / file, bytes.substr(0, bytes.size() / 2));
  fs::copy(kGarmentFolder / "t10k-images-idx3-ubyte.gz", parent_.path());
  EXPECT_THAT(input_error([&] { read_garments(parent_.path(), "t10k"); }), HasSubstr(file));
}

TEST(Silhouette, FillsHolesAndDropsSpecks) {
  GrayImage garment(kGarmentSide, kGarmentSide);
  for (int y = 5; y <= 15; ++y) {
    for (int x = 8; x <= 18; ++x) garment.at(x, y) = 100;
  }
  garment.at(10, 10) = 0;   // a dark button
  garment.at(25, 25) = 90;  // dust
  garment.at(3, 3) = 5;     // compression noise
  const GrayImage mask = silhouette(garment);
  for (int y = 0; y < kGarmentSide; ++y) {
    for (int x = 0; x < kGarmentSide; ++x) {
      EXPECT_EQ(mask.at(x, y), x >= 8 && x <= 18 && y >= 5 && y <= 15 ? 255 : 0);
    }
  }
}

}  // namespace
}  // namespace remixer::data
