// SPDX-License-Identifier: Apache-2.0
#include "base/nearest_name.h"

#include <gtest/gtest.h>

namespace remixer {
namespace {

const std::vector<std::string> kLabelers{"none", "saliency", "relabel", "bbox_grabcut"};

TEST(Names, FindsWhatWasMeant) {
  EXPECT_EQ(nearest_name("salienzy", kLabelers), "saliency");
  EXPECT_EQ(nearest_name("slaiency", kLabelers), "saliency");
  EXPECT_EQ(nearest_name("Relabel", kLabelers), "relabel");
  EXPECT_EQ(nearest_name("bbox", kLabelers), "bbox_grabcut");
  EXPECT_EQ(nearest_name("nome", kLabelers), "none");
  EXPECT_EQ(nearest_name("nn", {"no"}), "no");
}

TEST(Names, DoesNotGuessWildly) {
  EXPECT_EQ(nearest_name("dino", kLabelers), std::nullopt);
  EXPECT_EQ(nearest_name("", kLabelers), std::nullopt);
  EXPECT_EQ(nearest_name("ab", {"xy"}), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(100000, 'a'), kLabelers), std::nullopt);
}

TEST(Names, SaysWhatIsKnownWhereNothingIsNear) {
  EXPECT_EQ(unknown_name("labeler", "salienzy", kLabelers),
            "unknown labeler 'salienzy'; did you mean 'saliency'?");
  EXPECT_EQ(unknown_name("labeler", "dino", kLabelers),
            "unknown labeler 'dino'; known are: none, saliency, relabel, bbox_grabcut");
  EXPECT_EQ(unknown_name("dataset", "x", {}), "unknown dataset 'x'; none is defined");
}

TEST(Names, PlainNamesStayInsideTheirFolder) {
  for (const char* name : {"quickstart", "Table-1_v2.0", "a"})
    EXPECT_TRUE(is_plain_name(name)) << name;
  for (const char* name : {"", ".", "..", ".x", "a/b", "a b", "\xc3\xb6", "a\n"}) {
    EXPECT_FALSE(is_plain_name(name)) << name;
  }
  EXPECT_FALSE(is_plain_name(std::string(81, 'a')));
}

}  // namespace
}  // namespace remixer
