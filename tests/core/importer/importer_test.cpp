// SPDX-License-Identifier: Apache-2.0
// Data imported in place, from the layouts in which it is published.
#include "core/importer/importer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "core/dataset/imagenet_classes.h"
#include "core/dataset/published_sets.h"
#include "core/dataset/verify.h"
#include "core/image/folders.h"
#include "core/image/image_files.h"
#include "experiments/spec/imported.h"
#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

class ImporterTest : public ::testing::Test {
 protected:
  // An image that no other path has.
  void image(const std::string& path, int width = 24, int height = 20) {
    save_jpeg(source_ / path,
              photograph(width, height, {5, 5, 15, 15}, std::hash<std::string>()(path)));
  }
  ImportJob job(const std::string& kind) {
    ImportJob job;
    job.kind = kind;
    job.folder = source_;
    job.workspace = folder_.path() / "work";
    job.name = kind;
    return job;
  }
  // By label, sorted by path.
  static std::vector<std::string> rows(const Dataset& dataset) {
    std::vector<std::string> texts;
    for (const Sample& sample : dataset.samples()) {
      std::string text = sample.id + " " + dataset.classes()[static_cast<size_t>(sample.label)];
      for (const int label : sample.more_labels) {
        text += "|" + dataset.classes()[static_cast<size_t>(label)];
      }
      texts.push_back(text);
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  TemporaryFolder folder_;
  fs::path source_ = folder_.path() / "source";
};

TEST(Folders, ThatAreNumbersAreSortedAsNumbers) {
  TemporaryFolder folder;
  for (const char* name : {"10", "9", "100", "0"}) fs::create_directory(folder.path() / name);
  EXPECT_THAT(list_folders(folder.path()), ElementsAre("0", "9", "10", "100"));
  fs::create_directory(folder.path() / "x");
  EXPECT_THAT(list_folders(folder.path()), ElementsAre("0", "10", "100", "9", "x"));
}

TEST(Folders, ImagesSayTheirSizeInTheirFirstBytes) {
  TemporaryFolder folder;
  save_jpeg(folder.path() / "a.jpg", photograph(31, 17, {5, 5, 15, 15}, 1));
  write_png(folder.path() / "b.png", Image(12, 34));
  EXPECT_EQ(read_image_size(folder.path() / "a.jpg").width, 31);
  EXPECT_EQ(read_image_size(folder.path() / "a.jpg").height, 17);
  EXPECT_EQ(read_image_size(folder.path() / "b.png").height, 34);
  const auto refused = [&](const char* name, const char* why) {
    EXPECT_THAT([&] { read_image_size(folder.path() / name); },
                ThrowsMessage<InputError>(AllOf(HasSubstr(name), HasSubstr(why))));
  };
  refused("c.png", "missing");
  put(folder.path() / "d.png", "");
  refused("d.png", "empty");
  put(folder.path() / "e.png", read_file(folder.path() / "b.png").substr(0, 20));
  refused("e.png", "torn");
  // A JPEG whose size stands behind two comments of 60 KiB each.
  const std::string jpeg = read_file(folder.path() / "a.jpg");
  const std::string comment = std::string("\xff\xfe\xf0\x02", 4) + std::string(0xf000, 'x');
  put(folder.path() / "f.jpg", jpeg.substr(0, 2) + comment + comment + jpeg.substr(2));
  EXPECT_EQ(read_image_size(folder.path() / "f.jpg").height, 17);
}

// ImageNetV2's folders are class indices: "10" is class 10, not the third.
TEST_F(ImporterTest, NumericFoldersAreClassIndices) {
  for (const char* path : {"0/a.jpeg", "10/b.jpeg", "9/c.jpeg", "235/d.jpeg", "999/e.jpeg"}) {
    image(path);
  }
  const ImportReport whole = import_dataset(job("imagenetv2"));
  const Dataset dataset = Dataset::open(whole.folder, "val");
  EXPECT_THAT(dataset.classes(), SizeIs(1000));
  EXPECT_THAT(rows(dataset),
              ElementsAre("0/a.jpeg n01440764", "10/b.jpeg n01530575", "235/d.jpeg n02106662",
                          "9/c.jpeg n01518878", "999/e.jpeg n15075141"));
  EXPECT_THAT(whole.differences, Contains("val: 5 images, 10000 are published"));
  EXPECT_THAT(whole.differences, Contains("val: class n01440764 has 1 images, 10 are published"));
  const ImportReport nine = import_dataset(job("imagenetv2_9"));
  EXPECT_THAT(rows(Dataset::open(nine.folder, "val")),
              ElementsAre("0/a.jpeg 08_fish", "10/b.jpeg 01_bird", "235/d.jpeg 00_dog",
                          "9/c.jpeg 01_bird"));
  EXPECT_THAT(nine.differences,
              Contains("class 00_dog is made of 1 class folders, 116 are published"));
}

TEST_F(ImporterTest, NothingIsWrittenIntoTheSource) {
  image("train/n01440764/a.JPEG");
  image("val/n01440764/b.JPEG");
  image("val/n03995372/c.JPEG");
  const auto before = fingerprint(source_);
  const ImportReport report = import_dataset(job("imagenet"));
  EXPECT_EQ(fingerprint(source_), before);
  const Dataset dataset = Dataset::open(report.folder, "val");
  EXPECT_EQ(dataset.root(), fs::absolute(source_));
  EXPECT_EQ(dataset.image_size(), 0);
  EXPECT_TRUE(fs::exists(dataset.image_path(dataset.samples()[0])));
  EXPECT_EQ(report.images.at("train"), 1);
  EXPECT_EQ(report.images.at("val"), 2);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(report.folder)) {
    files.push_back(entry.path().filename());
  }
  std::sort(files.begin(), files.end());
  EXPECT_THAT(files, ElementsAre(HasSubstr("files."), "import.json", "manifest.json", "train.tsv",
                                 "val.tsv"));
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
}

// The same images elsewhere are the same dataset: paths are no part of what a cell holds.
TEST_F(ImporterTest, IdentityIsTheContentNotThePlace) {
  image("a/1.png");
  image("b/2.png");
  ImportJob first = job("folder");
  first.name = "mine";
  const ImportReport one = import_dataset(first);
  const auto entry = experiments::find_imported(first.workspace, "mine").spec;
  fs::rename(source_, folder_.path() / "elsewhere");
  ImportJob second = first;
  second.folder = folder_.path() / "elsewhere";
  const ImportReport two = import_dataset(second);
  EXPECT_EQ(one.folder, two.folder);
  EXPECT_EQ(experiments::find_imported(first.workspace, "mine").spec, entry);
  EXPECT_EQ(Dataset::open(two.folder, "train").root(), second.folder);
  // Another image is another dataset, and does not take the name unasked.
  save_jpeg(second.folder / "a/1.png", photograph(24, 20, {2, 2, 9, 9}, 77));
  EXPECT_THAT(input_error([&] { import_dataset(second); }),
              AllOf(HasSubstr("'mine' already"), HasSubstr("--replace")));
  second.replace = true;
  EXPECT_NE(import_dataset(second).folder, one.folder);
  EXPECT_NE(experiments::find_imported(first.workspace, "mine").spec, entry);
}

TEST_F(ImporterTest, ReaLTakesAllAnswersAndLeavesOutWhatHasNone) {
  for (int i = 1; i <= 4; ++i) image(fmt::format("val/ILSVRC2012_val_{:08}.JPEG", i));
  put(folder_.path() / "real.json", "[[235, 236, 0], [], [701], [236, 235]]");
  ImportJob real = job("real");
  real.labels = folder_.path() / "real.json";
  const ImportReport whole = import_dataset(real);
  EXPECT_THAT(rows(Dataset::open(whole.folder, "val")),
              ElementsAre("ILSVRC2012_val_00000001.JPEG n02106662|n02107142|n01440764",
                          "ILSVRC2012_val_00000003.JPEG n03888257",
                          "ILSVRC2012_val_00000004.JPEG n02107142|n02106662"));
  real.kind = real.name = "real_9";
  const ImportReport nine = import_dataset(real);
  EXPECT_THAT(rows(Dataset::open(nine.folder, "val")),
              ElementsAre("ILSVRC2012_val_00000001.JPEG 00_dog|00_dog|08_fish",
                          "ILSVRC2012_val_00000004.JPEG 00_dog|00_dog"));
  // By image two, as the released code counts five: once for each label.
  EXPECT_EQ(nine.images.at("val"), 2);
  EXPECT_EQ(nine.released_count, 5);
  real.labels.clear();
  EXPECT_THAT(input_error([&] { import_dataset(real); }), HasSubstr("--labels"));
  put(folder_.path() / "real.json", "[[1000]]");
  real.labels = folder_.path() / "real.json";
  EXPECT_THAT(input_error([&] { import_dataset(real); }), HasSubstr("real.json"));
}

TEST_F(ImporterTest, RenditionHasTheClassesThatItShows) {
  for (const char* path : {"n01443537/a.jpg", "n02106662/b.jpg", "n07753592/c.jpg"}) image(path);
  const ImportReport whole = import_dataset(job("rendition"));
  EXPECT_THAT(whole.classes, ElementsAre("n01443537", "n02106662", "n07753592"));
  EXPECT_THAT(whole.differences, Contains("3 classes, 200 are published"));
  const ImportReport nine = import_dataset(job("rendition_9"));
  EXPECT_EQ(nine.images.at("val"), 2);
  EXPECT_THAT(nine.differences,
              Contains("class 00_dog is made of 1 class folders, 29 are published"));
}

TEST_F(ImporterTest, ReleasedTestSetsComeAsTheyAre) {
  const std::vector<std::string> released = {
      "00_dog",       "01_bird",   "02_wheeled vehicle",    "03_reptile",
      "04_carnivore", "05_insect", "06_musical instrument", "07_primate",
      "08_fish"};
  for (const char* variant : {"original", "mixed_rand"}) {
    for (const std::string& name : released) {
      image(fmt::format("bg_challenge/{}/val/{}/1.JPEG", variant, name), 24, 24);
    }
  }
  const ImportReport report = import_dataset(job("background_challenge"));
  EXPECT_EQ(report.images.at("original"), 9);
  EXPECT_EQ(report.images.at("mixed_rand"), 9);
  const Dataset dataset = Dataset::open(report.folder, "original");
  EXPECT_EQ(dataset.image_size(), 24);
  EXPECT_THAT(dataset.classes(), Contains("02_vehicle"));
  EXPECT_THAT(rows(dataset), Contains("original/val/02_wheeled vehicle/1.JPEG 02_vehicle"));
  EXPECT_THAT(report.differences, Contains("original: 9 images, 4050 are published"));
}

TEST_F(ImporterTest, OwnFolderMayHaveBoxesAndMasks) {
  image("train/cat/1.jpg");
  image("train/dog/2.jpg");
  image("val/cat/3.jpg");
  put(folder_.path() / "boxes.csv", "train/cat/1.jpg,1,2,10,12\ntrain/cat/1.jpg,11,2,24,20\n");
  GrayImage mask(24, 20);
  mask.at(3, 4) = 255;
  write_png(source_ / "masks/train/dog/2.png", mask);
  ImportJob own = job("folder");
  own.boxes = folder_.path() / "boxes.csv";
  own.masks = "masks";
  const ImportReport report = import_dataset(own);
  EXPECT_EQ(report.boxes, 1);
  EXPECT_EQ(report.masks, 1);
  EXPECT_EQ(report.images.at("train"), 2);
  EXPECT_EQ(report.images.count("masks"), 0u);
  const Dataset dataset = Dataset::open(report.folder, "train");
  EXPECT_EQ(dataset.samples()[0].box, (Box{1, 2, 10, 12}));
  EXPECT_THAT(dataset.samples()[0].more_boxes, ElementsAre(Box{11, 2, 23, 19}));
  EXPECT_EQ(read_gray(dataset.mask_path(dataset.samples()[1])), mask);
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
}

TEST_F(ImporterTest, OneFolderOfClassesMayBeDivided) {
  for (int i = 0; i < 40; ++i) image(fmt::format("{}/{}.jpg", i % 2 ? "cat" : "dog", i));
  ImportJob own = job("folder");
  EXPECT_EQ(import_dataset(own).images.at("train"), 40);
  own.hold_out = 0.25;
  own.replace = true;
  const ImportReport divided = import_dataset(own);
  EXPECT_EQ(divided.images.at("train") + divided.images.at("val"), 40);
  EXPECT_GT(divided.images.at("val"), 3);
  EXPECT_LT(divided.images.at("val"), 20);
}

// Packs what is below `tree` into an archive and takes it away.
void pack(const fs::path& tree, const fs::path& archive) {
  fs::create_directories(archive.parent_path());
  const std::string command =
      fmt::format("tar -cf '{}' -C '{}' .", archive.string(), tree.string());
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  fs::remove_all(tree);
}

TEST_F(ImporterTest, ShardsAreASplitEach) {
  for (int i = 0; i < 6; ++i) image(fmt::format("tree/{}/{}.jpg", i % 2 ? "cat" : "dog", i));
  pack(source_ / "tree", source_ / "train/0.tar");
  for (int i = 6; i < 9; ++i) image(fmt::format("tree/cat/{}.jpg", i));
  pack(source_ / "tree", source_ / "train/1.tar");
  image("tree/dog/9.jpg");
  pack(source_ / "tree", source_ / "val/only.tar");
  const ImportReport report = import_dataset(job("folder"));
  EXPECT_EQ(report.images.at("train"), 9);
  EXPECT_EQ(report.images.at("val"), 1);
  const Dataset dataset = Dataset::open(report.folder, "val");
  EXPECT_THAT(rows(dataset), ElementsAre("val/only.tar/dog/9.jpg dog"));
  EXPECT_EQ(read_image(dataset.image_path(dataset.samples()[0])).width, 24);
  EXPECT_THAT(verify_dataset(report.folder).problems, IsEmpty());
  // One shard alone.
  ImportJob shard = job("folder");
  shard.folder = source_ / "train/1.tar";
  shard.name = "shard";
  EXPECT_THAT(rows(Dataset::open(import_dataset(shard).folder, "train")),
              ElementsAre("1.tar/cat/6.jpg cat", "1.tar/cat/7.jpg cat", "1.tar/cat/8.jpg cat"));
}

TEST_F(ImporterTest, ShardsOfOtherClassesOrTornOnesAreRefused) {
  image("tree/cat/1.jpg");
  pack(source_ / "tree", source_ / "train/0.tar");
  image("tree/cow/2.jpg");
  pack(source_ / "tree", source_ / "val/0.tar");
  EXPECT_THAT([&] { import_dataset(job("folder")); },
              ThrowsMessage<InputError>(HasSubstr("\"cow\" is not among those of train")));
  image("tree/cat/3.jpg");
  const fs::path shard = source_ / "train/1.tar";
  pack(source_ / "tree", shard);
  fs::resize_file(shard, 1800);
  EXPECT_THAT([&] { import_dataset(job("folder")); },
              ThrowsMessage<InputError>(HasSubstr(shard.string())));
}

TEST_F(ImporterTest, StylizedIsImageNetsLayoutAndItsNineClasses) {
  const auto& classes = imagenet_classes();
  image("train/n01440764/n01440764_1.JPEG");  // tench, a fish
  image("val/n01440764/ILSVRC2012_val_00000293.JPEG");
  image("val/n02106662/ILSVRC2012_val_00000294.JPEG");  // German shepherd
  image("val/n03000684/ILSVRC2012_val_00000295.JPEG");  // chain saw: none of the nine
  const ImportReport whole = import_dataset(job("stylized"));
  EXPECT_EQ(whole.classes.size(), classes.size());
  EXPECT_EQ(whole.images.at("val"), 3);
  EXPECT_THAT(whole.differences, Contains("val: 3 images, 50000 are published"));
  const ImportReport nine = import_dataset(job("stylized_9"));
  EXPECT_THAT(rows(Dataset::open(nine.folder, "val")),
              ElementsAre("val/n01440764/ILSVRC2012_val_00000293.JPEG 08_fish",
                          "val/n02106662/ILSVRC2012_val_00000294.JPEG 00_dog"));
  EXPECT_THAT(nine.differences, Contains("val: 2 images, 18500 are published"));
}

TEST_F(ImporterTest, BrokenImagesBoxesAndMasksAreNamedAndNothingIsImported) {
  for (int i = 0; i < 7; ++i) image(fmt::format("train/cat/{}.jpg", i));
  put(source_ / "train/cat/0.jpg", "");
  const std::string bytes = read_file(source_ / "train/cat/1.jpg");
  put(source_ / "train/cat/1.jpg", bytes.substr(0, bytes.size() / 2));
  put(folder_.path() / "boxes.tsv",
      "train/cat/2.jpg\t12\t2\t3\t4\ntrain/cat/3.jpg\t1\t2\t30\t4\ntrain/cat/6.jpg\t1\t2\t3\t4\n");
  write_png(source_ / "masks/train/cat/4.png", GrayImage(24, 20));
  write_png(source_ / "masks/train/cat/5.png", GrayImage(20, 24));
  ImportJob own = job("folder");
  own.boxes = folder_.path() / "boxes.tsv";
  own.masks = "masks";
  EXPECT_THAT(input_error([&] { import_dataset(own); }),
              AllOf(HasSubstr("6 of 7 images are broken"), HasSubstr("0.jpg is empty"),
                    HasSubstr("--skip-broken")));
  EXPECT_FALSE(fs::exists(own.workspace / "datasets"));
  own.skip_broken = true;
  const ImportReport report = import_dataset(own);
  EXPECT_EQ(report.images.at("train"), 1);
  EXPECT_THAT(report.broken, ElementsAre(HasSubstr("0.jpg is empty"), HasSubstr("1.jpg is a torn"),
                                         AllOf(HasSubstr("2.jpg"), HasSubstr("swapped")),
                                         AllOf(HasSubstr("3.jpg"), HasSubstr("outside")),
                                         AllOf(HasSubstr("4.png"), HasSubstr("empty")),
                                         AllOf(HasSubstr("5.png"), HasSubstr("20x24"))));
}

TEST_F(ImporterTest, VerifyNamesWhatWasChangedAfterwards) {
  for (int i = 0; i < 3; ++i) image(fmt::format("n01440764/{}.jpg", i));
  const ImportReport report = import_dataset(job("sketch"));
  fs::remove(source_ / "n01440764/0.jpg");
  put(source_ / "n01440764/1.jpg", "torn");
  const Verification verification = verify_dataset(report.folder);
  EXPECT_THAT(verification.problems,
              ElementsAre("n01440764/0.jpg is missing", HasSubstr("n01440764/1.jpg is neither")));
  EXPECT_THAT(verification.differences, Contains("val: 3 images, 50889 are published"));
}

TEST_F(ImporterTest, OtherLayoutsAreRefused) {
  image("cat/1.jpg");
  EXPECT_THAT(input_error([&] { import_dataset(job("imagenet")); }),
              HasSubstr("neither train/ nor val/"));
  EXPECT_THAT(input_error([&] { import_dataset(job("imagenetv2")); }), HasSubstr("no images"));
  EXPECT_THAT(input_error([&] { import_dataset(job("background_challenge")); }),
              HasSubstr("variants"));
  EXPECT_THAT(input_error([&] { import_dataset(job("sketsh")); }), HasSubstr("'sketch'"));
  ImportJob gone = job("folder");
  gone.folder = source_ / "gone";
  EXPECT_THAT(input_error([&] { import_dataset(gone); }), HasSubstr("gone is not a folder"));
}

}  // namespace
}  // namespace remixer::data
