// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/components.h"

#include <set>

#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

using ::testing::HasSubstr;

TEST(Components, NamesAreUnique) {
  std::set<std::string> names;
  for (const Architecture& known : architectures()) {
    EXPECT_TRUE(names.insert(known.name).second) << known.name;
    EXPECT_EQ(known.image_size % known.patch, 0) << known.name;
    EXPECT_EQ(&find_architecture(known.name), &known);
  }
  EXPECT_GE(names.size(), 19u);
}

TEST(Components, ConvitGoesWithDeitOnly) {
  EXPECT_TRUE(find_architecture("deit_nano_patch4_32").takes_convit());
  EXPECT_FALSE(find_architecture("mixer_nano_patch4_32").takes_convit());
  EXPECT_FALSE(find_architecture("convmixer_512_8").takes_convit());
  EXPECT_FALSE(find_architecture("convit_small").takes_convit());
}

TEST(Components, EntriesHoldEveryParameter) {
  EXPECT_EQ(write_value(make_labeler_spec("saliency")),
            (Json{{"name", "saliency"},
                  {"version", 1},
                  {"input_size", 96},
                  {"weights_sha256", std::string(kU2netpSha256)}}));
  EXPECT_EQ(write_value(make_labeler_spec("relabel", {{"top_k", 3}})),
            (Json{{"name", "relabel"},
                  {"version", 1},
                  {"input_size", 224},
                  {"top_k", 3},
                  {"weights_sha256", std::string(kEfficientNetLite0Sha256)}}));
  EXPECT_EQ(write_value(make_labeler_spec("bbox_grabcut")),
            (Json{{"name", "bbox_grabcut"}, {"version", 1}, {"scale", 2}}));
  EXPECT_EQ(write_value(make_dataset_spec("fashion-bg", {{"seed", 7}})),
            (Json{{"builder", "fashion-bg"},
                  {"version", 1},
                  {"seed", 7},
                  {"train_images", 8000},
                  {"test_images", 1000}}));
}

TEST(Components, WhatCameLaterIsLeftOutAtWhatItWasBefore) {
  EXPECT_FALSE(make_labeler_spec("relabel").has("classes"));
  EXPECT_EQ(make_labeler_spec("relabel", {{"classes", 1000}}), make_labeler_spec("relabel"));
  EXPECT_EQ(make_labeler_spec("relabel", {{"classes", 9}}).parameter("classes"), 9);
  EXPECT_EQ(input_error([] {
              make_labeler_spec("relabel", {{"classes", 10}});
            }),
            "labeler relabel.classes is 10; it must be 9 or 1000");
}

TEST(Components, WeightsOfOnesOwnArePinned) {
  const std::string hash(64, 'a');
  EXPECT_EQ(write_value(make_labeler_spec("bigbigan", {{"weights_sha256", hash}})),
            (Json{{"name", "bigbigan"},
                  {"version", 2},
                  {"short_edge", 128},
                  {"threshold", 0},
                  {"weights_sha256", hash}}));
  EXPECT_EQ(make_labeler_spec("imported_maps", {{"labels_sha256", hash}}).hash("labels_sha256"),
            hash);
  EXPECT_THAT(input_error([] { make_labeler_spec("bigbigan"); }), HasSubstr("weights_sha256"));
  EXPECT_THAT(input_error([] {
                make_labeler_spec("u2net", {{"weights_sha256", "a1"}});
              }),
              HasSubstr("64 digits"));
  EXPECT_THAT(input_error([&] {
                make_labeler_spec("saliency", {{"weights_sha256", hash}});
              }),
              HasSubstr("unknown parameter"));
}

TEST(Components, SayWhatIsWrong) {
  EXPECT_EQ(input_error([] { find_architecture("deit_nano"); }),
            "unknown architecture 'deit_nano'; did you mean 'deit_nano_patch4_32'?");
  EXPECT_EQ(input_error([] { make_labeler_spec("salienc"); }),
            "unknown labeler 'salienc'; did you mean 'saliency'?");
  EXPECT_EQ(input_error([] {
              make_labeler_spec("saliency", {{"input_sise", 64}});
            }),
            "labeler saliency: unknown parameter 'input_sise'; did you mean 'input_size'?");
  EXPECT_EQ(input_error([] {
              make_labeler_spec("saliency", {{"input_size", 8}});
            }),
            "labeler saliency.input_size is 8; it must be at least 32 and at most 1024");
  EXPECT_EQ(input_error([] {
              make_dataset_spec("fashion-bg", {{"train_images", "many"}});
            }),
            "dataset fashion-bg.train_images must be an integer, not a string");
  EXPECT_EQ(input_error([] { make_dataset_spec("fashion_bg"); }),
            "unknown dataset builder 'fashion_bg'; did you mean 'fashion-bg'?");
}

TEST(Components, RefuseCellsOfOtherVersions) {
  Cell cell;
  cell.architecture = "deit_nano_patch4_32";
  cell.labeler = make_labeler_spec("saliency");
  cell.distance = "l1";
  cell.dataset = make_dataset_spec("fashion-bg");
  EXPECT_NO_THROW(require_known_versions(cell));

  Cell other = cell;
  other.architecture_version = 2;
  EXPECT_THAT(input_error([&] { require_known_versions(other); }), HasSubstr("architecture"));
  other = cell;
  other.recipe.version = 2;
  EXPECT_THAT(input_error([&] { require_known_versions(other); }), HasSubstr("recipe"));
  other = cell;
  other.dataset.version = 2;
  EXPECT_THAT(input_error([&] { require_known_versions(other); }), HasSubstr("fashion-bg"));
  other = cell;
  other.labeler->version = 2;
  EXPECT_THAT(input_error([&] { require_known_versions(other); }), HasSubstr("saliency"));
  other = cell;
  other.labeler->hashes["weights_sha256"] = "00";
  EXPECT_THAT(input_error([&] { require_known_versions(other); }), HasSubstr("weights"));
}

}  // namespace
}  // namespace remixer::experiments
