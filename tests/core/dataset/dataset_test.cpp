// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "core/dataset/contact_sheet.h"
#include "core/dataset/dataset_writer.h"
#include "core/dataset/verify.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// 8x8, of one colour.
Image picture(uint8_t shade) {
  Image image(8, 8);
  std::fill(image.pixels.begin(), image.pixels.end(), shade);
  return image;
}

GrayImage square_mask() {
  GrayImage mask(8, 8);
  for (int y = 3; y <= 5; ++y) {
    for (int x = 2; x <= 4; ++x) mask.at(x, y) = 255;
  }
  return mask;
}

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest() {
    DatasetWriter writer(folder_, {"cat", "dog"}, 8, experiments::DatasetSpec{{"test"}});
    for (const char* path : {"train/cat", "train/dog", "plain/val/dog", "fg_mask/train/cat"}) {
      writer.add_folder(path);
    }
    writer.add_file("train/cat/0.png", encode_png(picture(10)));
    writer.add_file("train/dog/1.png", encode_png(picture(20)));
    writer.add_file("plain/val/dog/2.png", encode_png(picture(30)));
    writer.add_file("fg_mask/train/cat/0.png", encode_png(square_mask()));
    writer.add_split("train", {{"train/cat/0.png", 0, Box{2, 3, 4, 5}, "fg_mask/train/cat/0.png",
                                "garment 7", "dune@1,2"},
                               {"train/dog/1.png", 1, {}, "", "", ""}});
    writer.add_split("plain", {{"plain/val/dog/2.png", 1, {}, "", "", "here"}});
    writer.publish({0.25, 0.5, 0.75}, {0.1, 0.2, 0.3});
  }

  // What opening the train split says once `from` is replaced by `to` in `file`.
  std::string error_after(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = read_file(folder_ / file);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    put(folder_ / file, text.replace(at, from.size(), to));
    return input_error([&] { Dataset::open(folder_, "train"); });
  }

  std::vector<std::string> problems() { return verify_dataset(folder_).problems; }

  TemporaryFolder parent_;
  fs::path folder_ = parent_.path() / "set";
};

TEST_F(DatasetTest, ComesBackAsItWasWritten) {
  const Dataset dataset = Dataset::open(folder_, "train");
  EXPECT_THAT(dataset.classes(), ElementsAre("cat", "dog"));
  EXPECT_EQ(dataset.image_size(), 8);
  EXPECT_THAT(dataset.mean(), ElementsAre(0.25f, 0.5f, 0.75f));
  EXPECT_THAT(dataset.deviation(), ElementsAre(0.1f, 0.2f, 0.3f));
  ASSERT_EQ(dataset.samples().size(), 2u);
  const Sample& cat = dataset.samples()[0];
  EXPECT_EQ(cat.id, "train/cat/0.png");
  EXPECT_EQ(cat.label, 0);
  EXPECT_EQ(cat.box, (Box{2, 3, 4, 5}));
  EXPECT_EQ(cat.mask, "fg_mask/train/cat/0.png");
  EXPECT_EQ(cat.foreground, "garment 7");
  EXPECT_EQ(cat.background, "dune@1,2");
  EXPECT_EQ(read_image(dataset.image_path(cat)), picture(10));
  const Sample& dog = dataset.samples()[1];
  EXPECT_EQ(dog.label, 1);
  EXPECT_FALSE(dog.box);
  EXPECT_THAT(dog.mask, IsEmpty());
}

// docs/datasets.md promises that coreutils can compute the hash.
TEST_F(DatasetTest, ContentHashIsThatOfSha256sumsList) {
  std::string list;
  for (const char* path : {"plain.tsv", "plain/val/dog/2.png", "train.tsv", "train/cat/0.png",
                           "fg_mask/train/cat/0.png", "train/dog/1.png"}) {
    list += sha256_file(folder_ / path) + "  " + path + "\n";
  }
  EXPECT_EQ(Dataset::open(folder_, "train").content_hash(), sha256_hex(list));
}

// Data imported in place: the images stay in a folder that the manifest names.
TEST_F(DatasetTest, RootSaysWhereTheImagesAre) {
  const std::string before = Dataset::open(folder_, "train").content_hash();
  auto manifest = Json::parse(read_file(folder_ / "manifest.json"));
  manifest["root"] = "/pictures";
  put(folder_ / "manifest.json", manifest.dump());
  const Dataset dataset = Dataset::open(folder_, "train");
  EXPECT_EQ(dataset.folder(), folder_);
  EXPECT_EQ(dataset.root(), "/pictures");
  EXPECT_EQ(dataset.image_path(dataset.samples()[0]), "/pictures/train/cat/0.png");
  EXPECT_EQ(dataset.mask_path(dataset.samples()[0]), "/pictures/fg_mask/train/cat/0.png");
  EXPECT_EQ(dataset.content_hash(), before);
  manifest["root"] = "pictures";
  put(folder_ / "manifest.json", manifest.dump());
  EXPECT_THAT(input_error([&] { Dataset::open(folder_, "train"); }), HasSubstr("\"root\""));
}

TEST_F(DatasetTest, ImagesOfManySizesHaveBoxesOfAnySize) {
  auto manifest = Json::parse(read_file(folder_ / "manifest.json"));
  manifest["image_size"] = 0;
  put(folder_ / "manifest.json", manifest.dump());
  std::string text = read_file(folder_ / "train.tsv");
  put(folder_ / "train.tsv", text.replace(text.find("2\t3\t4\t5"), 7, "2\t3\t400\t500"));
  const Dataset dataset = Dataset::open(folder_, "train");
  EXPECT_EQ(dataset.image_size(), 0);
  EXPECT_EQ(dataset.samples()[0].box, (Box{2, 3, 400, 500}));
  EXPECT_THAT(error_after("train.tsv", "2\t3\t400", "2\t3\t1"), HasSubstr("does not lie"));
}

TEST_F(DatasetTest, SeveralBoxesAndRightAnswersComeBack) {
  const fs::path folder = parent_.path() / "several";
  DatasetWriter writer(folder, {"cat", "dog", "owl"}, 8, experiments::DatasetSpec{{"test"}});
  writer.add_folder("train");
  writer.add_file("train/0.png", encode_png(picture(10)));
  Sample sample{"train/0.png", 1, Box{0, 1, 2, 3}, "", "", ""};
  sample.more_boxes = {{4, 4, 7, 7}, {1, 1, 1, 1}};
  sample.more_labels = {1, 2};
  writer.add_split("train", {sample});
  writer.publish({0.5, 0.5, 0.5}, {0.1, 0.1, 0.1});
  EXPECT_THAT(read_file(folder / "train.tsv"),
              HasSubstr("train/0.png\tdog|dog|owl\t0,4,1\t1,4,1\t2,7,1\t3,7,1\t"));
  const Sample read = Dataset::open(folder, "train").samples().front();
  EXPECT_EQ(read.label, 1);
  EXPECT_THAT(read.more_labels, ElementsAre(1, 2));
  EXPECT_EQ(read.box, (Box{0, 1, 2, 3}));
  EXPECT_THAT(read.more_boxes, ElementsAre(Box{4, 4, 7, 7}, Box{1, 1, 1, 1}));
}

TEST_F(DatasetTest, CornersOfUnequalNumberAreRefused) {
  EXPECT_THAT(error_after("train.tsv", "2\t3\t4\t5", "2,3\t3\t4\t5"),
              AllOf(HasSubstr("train.tsv:2"), HasSubstr("x0 gives 2 boxes, y0 gives 1")));
}

TEST_F(DatasetTest, UnfinishedWriterLeavesNothing) {
  const fs::path other = parent_.path() / "other";
  {
    DatasetWriter writer(other, {"cat"}, 8, {});
    writer.add_folder("train/cat");
    writer.add_file("train/cat/0.png", "bytes");
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(parent_.path()), {}), 1);
}

TEST_F(DatasetTest, WriterRefusesAFolderThatExists) {
  EXPECT_THAT(input_error([&] { DatasetWriter(folder_, {"cat"}, 8, {}); }),
              HasSubstr("exists already"));
}

TEST_F(DatasetTest, MissingPartsAreNamed) {
  EXPECT_THAT(input_error([&] { Dataset::open(parent_.path() / "gone", "train"); }),
              HasSubstr("gone is not a folder"));
  EXPECT_THAT(input_error([&] { Dataset::open(parent_.path(), "train"); }),
              HasSubstr("manifest.json"));
  EXPECT_THAT(input_error([&] { Dataset::open(folder_, "mixed"); }),
              AllOf(HasSubstr("no split \"mixed\""), HasSubstr("plain, train")));
  fs::remove(folder_ / "train.tsv");
  EXPECT_THAT(input_error([&] { Dataset::open(folder_, "train"); }), HasSubstr("train.tsv"));
}

TEST_F(DatasetTest, ManifestsContradictionsAreNamed) {
  EXPECT_THAT(error_after("manifest.json", "\"train\": 2", "\"train\": 3"),
              AllOf(HasSubstr("lists 2 images"), HasSubstr("says 3")));
}

TEST_F(DatasetTest, ManifestOfAnotherFormatIsRefused) {
  EXPECT_THAT(error_after("manifest.json", "\"format\": 1", "\"format\": 2"),
              HasSubstr("is of format 2"));
}

TEST_F(DatasetTest, TornManifestIsRefused) {
  EXPECT_THAT(error_after("manifest.json", "]", ""), HasSubstr("manifest.json is not JSON"));
}

TEST_F(DatasetTest, ManifestWithoutAFieldIsRefused) {
  EXPECT_THAT(error_after("manifest.json", "\"mean\"", "\"median\""),
              HasSubstr("\"mean\" is missing"));
}

TEST_F(DatasetTest, ZeroDeviationIsRefused) {
  EXPECT_THAT(error_after("manifest.json", "0.2,", "0.0,"), HasSubstr("\"deviation\""));
}

TEST_F(DatasetTest, UnknownClassIsNamedWithItsLine) {
  EXPECT_THAT(error_after("train.tsv", "\tdog", "\tbird"),
              AllOf(HasSubstr("train.tsv:3"), HasSubstr("\"bird\"")));
}

TEST_F(DatasetTest, BoxOutsideTheImageIsRefused) {
  EXPECT_THAT(error_after("train.tsv", "2\t3\t4\t5", "2\t3\t8\t5"),
              AllOf(HasSubstr("train.tsv:2"), HasSubstr("does not lie")));
}

TEST_F(DatasetTest, HalfABoxIsRefused) {
  EXPECT_THAT(error_after("train.tsv", "2\t3\t4\t5", "2\t3\t4\t"),
              AllOf(HasSubstr("train.tsv:2"), HasSubstr("y1 gives 0")));
}

TEST_F(DatasetTest, TooFewColumnsAreRefused) {
  EXPECT_THAT(error_after("train.tsv", "\tdune@1,2", ""), HasSubstr("8 columns, 9 expected"));
}

TEST_F(DatasetTest, OtherColumnsAreRefused) {
  EXPECT_THAT(error_after("train.tsv", "class", "klass"), HasSubstr("the columns must be"));
}

TEST_F(DatasetTest, TornIndexIsRefused) {
  const std::string text = read_file(folder_ / "train.tsv");
  put(folder_ / "train.tsv", text.substr(0, text.size() - 1));
  EXPECT_THAT(input_error([&] { Dataset::open(folder_, "train"); }),
              AllOf(HasSubstr("train.tsv:3"), HasSubstr("torn")));
}

TEST_F(DatasetTest, RepeatedImageIsRefused) {
  EXPECT_THAT(error_after("train.tsv", "train/dog/1.png", "train/cat/0.png"),
              AllOf(HasSubstr("train.tsv:3"), HasSubstr("listed twice")));
}

TEST_F(DatasetTest, PathsStayInsideTheFolder) {
  EXPECT_THAT(error_after("train.tsv", "train/dog", "../dog"), HasSubstr("leads out"));
  EXPECT_THAT(error_after("train.tsv", "../dog", "/dog"), HasSubstr("leads out"));
}

TEST_F(DatasetTest, VerifyFindsNothingInASoundDataset) {
  const Verification result = verify_dataset(folder_);
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.images.at("train"), 2);
  EXPECT_EQ(result.masks, 1);
}

TEST_F(DatasetTest, VerifyNamesWhatIsMissingTornOrForeign) {
  fs::remove(folder_ / "plain/val/dog/2.png");
  const std::string bytes = read_file(folder_ / "train/dog/1.png");
  put(folder_ / "train/dog/1.png", bytes.substr(0, bytes.size() / 2));
  put(folder_ / "train/dog/9.png", bytes);
  EXPECT_THAT(problems(),
              ElementsAre(AllOf(HasSubstr("train/dog/1.png"), HasSubstr("torn")),
                          "plain/val/dog/2.png is missing", "train/dog/9.png is in no index"));
}

TEST_F(DatasetTest, VerifyNamesImagesOfAnotherSize) {
  put(folder_ / "train/dog/1.png", encode_png(Image(9, 8)));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("train/dog/1.png has 9x8 pixels")));
}

TEST_F(DatasetTest, VerifyNamesDuplicates) {
  put(folder_ / "train/dog/1.png", encode_png(picture(10)));
  put(folder_ / "plain/val/dog/2.png", encode_png(picture(10)));
  EXPECT_THAT(problems(), ElementsAre("train/dog/1.png is the same image as train/cat/0.png",
                                      "plain/val/dog/2.png is the same image as train/cat/0.png"));
}

TEST_F(DatasetTest, VerifyNamesAMaskThatItsBoxDoesNotFit) {
  GrayImage mask = square_mask();
  mask.at(6, 6) = 255;
  put(folder_ / "fg_mask/train/cat/0.png", encode_png(mask));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("reaches out of the box")));
}

TEST_F(DatasetTest, VerifyNoticesAnotherImageInPlaceOfOne) {
  put(folder_ / "train/dog/1.png", encode_png(picture(99)));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("hash differs")));
}

TEST_F(DatasetTest, ContactSheetHasARowAClassAndAColumnASplit) {
  const Image sheet = contact_sheet(folder_, {"train", "plain"}, 16);
  EXPECT_EQ(sheet.width, 2 * 20 + 4);
  EXPECT_EQ(sheet.height, 2 * 20 + 4);
  EXPECT_EQ(*sheet.at(8, 8), 10);    // train's cat
  EXPECT_EQ(*sheet.at(8, 28), 20);   // train's dog
  EXPECT_EQ(*sheet.at(28, 28), 30);  // plain's dog
  EXPECT_EQ(*sheet.at(28, 8), 200);  // plain has no cat
  EXPECT_EQ(*sheet.at(1, 1), 255);
}

}  // namespace
}  // namespace remixer::data
