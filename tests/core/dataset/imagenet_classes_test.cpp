// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/imagenet_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace remixer::data {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

TEST(ImageNetClasses, AreSortedByWordNetIdAndHaveNamesOfTheirOwn) {
  const auto& classes = imagenet_classes();
  EXPECT_TRUE(std::is_sorted(classes.begin(), classes.end(), [](const auto& a, const auto& b) {
    return a.wordnet_id <= b.wordnet_id;
  }));
  std::set<std::string_view> names;
  for (const ImageNetClass& entry : classes) {
    EXPECT_EQ(entry.wordnet_id.size(), 9u) << entry.wordnet_id;
    names.insert(entry.name);
  }
  EXPECT_EQ(names.size(), 1000u);
}

// The counts that the Background Challenge's own mapping gives.
TEST(ImageNetClasses, NineTakeThreeHundredAndSeventy) {
  std::array<int, kImageNet9Classes> counts{};
  for (const ImageNetClass& entry : imagenet_classes()) {
    if (entry.imagenet9 >= 0) ++counts[static_cast<size_t>(entry.imagenet9)];
  }
  EXPECT_THAT(counts, ElementsAre(116, 52, 42, 36, 35, 27, 26, 20, 16));
}

TEST(ImageNetClasses, AreFoundByWordNetId) {
  EXPECT_THAT(imagenet_index("n01440764"), Optional(0));
  EXPECT_THAT(imagenet_index("n15075141"), Optional(999));
  EXPECT_THAT(imagenet_index("n02106662"), Optional(235));
  EXPECT_EQ(imagenet_classes()[235].name, "German shepherd");
  EXPECT_EQ(imagenet_classes()[235].imagenet9, 0);
  EXPECT_FALSE(imagenet_index("n00000001"));
  EXPECT_FALSE(imagenet_index("n99999999"));
  EXPECT_FALSE(imagenet_index(""));
}

TEST(ImageNetClasses, ClassListsAreReadAsImageNet9sInAnySpelling) {
  EXPECT_THAT(*imagenet9_of_classes({"n01440764", "n02106662", "n15075141"}),
              ElementsAre(8, 0, -1));
  EXPECT_THAT(*imagenet9_of_classes({"00_dog", "02_vehicle", "02_wheeled vehicle", "vehicle",
                                     "06_musical instrument", "06_instrument", "fish"}),
              ElementsAre(0, 2, 2, 2, 6, 6, 8));
  EXPECT_FALSE(imagenet9_of_classes({"00_dog", "sneaker"}));
  EXPECT_FALSE(imagenet9_of_classes({"01_dog"}));
}

}  // namespace
}  // namespace remixer::data
