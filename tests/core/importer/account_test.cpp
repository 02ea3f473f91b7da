// SPDX-License-Identifier: Apache-2.0
// Folders as people have them: what an import takes, what it skips, and what it refuses.
#include "core/importer/account.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "core/dataset/file_stamps.h"
#include "core/image/image_decode.h"
#include "core/image/image_files.h"
#include "core/image/image_listing.h"
#include "core/image/tar_archive.h"
#include "core/importer/importer.h"
#include "experiments/spec/imported.h"
#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using Path = ImportAccount::Path;

class AccountTest : public ::testing::Test {
 protected:
  void image(const std::string& path) {
    save_jpeg(source_ / path, photograph(40, 40, {5, 6, 30, 31}, std::hash<std::string>()(path)));
  }
  // Six images, two classes.
  void base() {
    for (const char* name : {"cat", "dog"}) {
      for (int i = 0; i < 3; ++i) image(fmt::format("train/{}/{}_{}.jpg", name, name, i));
    }
  }
  void pack(const fs::path& tree, const std::string& archive) {
    fs::create_directories((source_ / archive).parent_path());
    const std::string command = fmt::format("tar -cf '{}' -C '{}' .", (source_ / archive).string(),
                                            (source_ / tree).string());
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    fs::remove_all(source_ / tree);
  }
  ImportJob job(const std::string& kind = "folder") {
    ImportJob job;
    job.kind = kind;
    job.folder = source_;
    job.workspace = folder_.path() / "work";
    job.name = "mine";
    job.replace = true;
    return job;
  }
  // What the refused import says; nothing was written.
  std::string refusal(const ImportJob& job) {
    const std::string text = input_error([&] { import_dataset(job, account_); });
    EXPECT_FALSE(fs::exists(job.workspace / "datasets")) << text;
    return text;
  }
  static auto passed(const std::string& path, const std::string& reason) {
    return AllOf(Field(&Path::path, path), Field(&Path::reason, HasSubstr(reason)));
  }

  TemporaryFolder folder_;
  fs::path source_ = folder_.path() / "source";
  ImportAccount account_;
};

TEST_F(AccountTest, OfASoundFolderIsPrintedAndKept) {
  base();
  put(source_ / "train/cat/notes.txt", "x");
  image("train/cat/.ipynb_checkpoints/cat_0-checkpoint.jpg");
  put(source_ / "train/dog/._dog_0.jpg", "x");
  put(source_ / "__MACOSX/train/cat/._cat_0.jpg", "x");
  put(source_ / "train/README", "x");
  const ImportReport report = import_dataset(job());
  const ImportAccount& account = report.account;
  EXPECT_THAT(account.taken, SizeIs(6));
  EXPECT_EQ(account.seen, 11);
  EXPECT_THAT(
      account.passed_over,
      UnorderedElementsAre(passed("train/cat/notes.txt", "another format"),
                           passed("train/cat/.ipynb_checkpoints/cat_0-checkpoint.jpg", "hidden"),
                           passed("train/dog/._dog_0.jpg", "hidden"),
                           passed("__MACOSX/train/cat/._cat_0.jpg", "operating system"),
                           passed("train/README", "another format")));
  EXPECT_THAT(account_text(account),
              AllOf(HasSubstr("11 seen: 6 taken, 0 used beside them, 5 skipped"),
                    HasSubstr("\nskipped      hidden: 2 (2 .jpg)"),
                    HasSubstr("SPLIT/CLASS/IMAGE (folders train/)"),
                    HasSubstr("another format: 2 (1 (no suffix), 1 .txt)"),
                    HasSubstr("6 images of 2 classes, 3 to 3 images a class")));
  const auto json = Json::parse(read_file(report.folder / "import.json"));
  EXPECT_EQ(json, account_json(account));
  EXPECT_EQ(json["splits"]["train"]["by_class"]["cat"], 3);
}

TEST_F(AccountTest, ADryRunWritesNothing) {
  base();
  ImportJob dry = job();
  dry.dry_run = true;
  EXPECT_THAT(import_dataset(dry).account.taken, SizeIs(6));
  EXPECT_FALSE(fs::exists(dry.workspace));
}

TEST_F(AccountTest, TablesOfOtherImagesAreRefusedAndCounted) {
  base();
  put(folder_.path() / "boxes.csv",
      "image,class,x0,y0,x1,y1\ntrain/zebra/z_0.jpg,z,1,1,9,9\n/home/x/images/train/cat/"
      "0.jpg,z,1,1,9,9\n");
  ImportJob other = job();
  other.boxes = folder_.path() / "boxes.csv";
  EXPECT_THAT(refusal(other),
              AllOf(HasSubstr("none of its 2 rows"), HasSubstr("--allow unused-boxes")));
  EXPECT_EQ(account_.box_rows, 2);
  EXPECT_EQ(account_.box_rows_matched, 0);
  EXPECT_THAT(account_text(account_), HasSubstr("0 of 2 rows matched"));
  other.allow = {"unused-boxes"};
  EXPECT_THAT(import_dataset(other).account.allowed, SizeIs(1));
  put(folder_.path() / "boxes.csv", "cat_0.jpg 5 6 30 31\ndog_9.jpg 5 6 30 31\n");
  const ImportReport some = import_dataset(other);
  EXPECT_EQ(some.account.with_boxes, 1);
  EXPECT_EQ(some.account.without_boxes, 5);
  EXPECT_THAT(some.account.boxes_unmatched, ElementsAre("dog_9.jpg"));
}

TEST_F(AccountTest, ABareNameOfTwoImagesIsRefused) {
  image("train/cat/1.jpg");
  image("train/dog/1.jpg");
  put(folder_.path() / "boxes.csv", "1.jpg,5,6,30,31\n");
  ImportJob bare = job();
  bare.boxes = folder_.path() / "boxes.csv";
  EXPECT_THAT(refusal(bare), AllOf(HasSubstr("fits train/cat/1.jpg, train/dog/1.jpg"),
                                   HasSubstr("--allow ambiguous-boxes")));
}

TEST_F(AccountTest, AClassOfAnotherFormatIsNamed) {
  base();
  for (int i = 0; i < 3; ++i) {
    fs::rename(source_ / fmt::format("train/dog/dog_{}.jpg", i),
               source_ / fmt::format("train/dog/dog_{}.webp", i));
  }
  EXPECT_THAT(refusal(job()), AllOf(HasSubstr("train/dog"), HasSubstr("without a JPEG or PNG"),
                                    HasSubstr("--allow empty-classes")));
}

TEST_F(AccountTest, FoldersThatLookLikeSplitsAreRefused) {
  for (const char* names : {"Training Testing", "train2 val2", "original only_fg",
                            "training-set TEST", "Train valid", "val2017 x"}) {
    fs::remove_all(source_);
    const std::string text = names;
    const size_t blank = text.find(' ');
    image(text.substr(0, blank) + "/cat/1.jpg");
    image(text.substr(blank + 1) + "/cat/2.jpg");
    EXPECT_THAT(refusal(job()), HasSubstr("--allow split-names")) << names;
  }
  for (const char* path : {"train/Training/1.jpg", "cat/train/1.jpg"}) {
    fs::remove_all(source_);
    image(path);
    EXPECT_THAT(refusal(job()), HasSubstr("--allow split-names")) << path;
  }
  // Names that only begin so are classes.
  fs::remove_all(source_);
  for (const char* name : {"trainer", "valley", "testudo", "training wheel"}) {
    image(fmt::format("{}/1.jpg", name));
  }
  EXPECT_THAT(import_dataset(job()).classes, SizeIs(4));
}

TEST_F(AccountTest, ShardsOfTwoSplitsInOneFolderAreRefused) {
  for (const char* archive : {"imagenet1k-train-0000.tar", "imagenet1k-validation-00.tar"}) {
    image(fmt::format("tree/{}.jpg", archive[11]));
    put(source_ / fmt::format("tree/{}.cls", archive[11]), "3");
    pack("tree", archive);
  }
  EXPECT_THAT(refusal(job()), HasSubstr("archives whose names say different splits"));
}

TEST_F(AccountTest, LinksAreFollowedOnceAndNamedWhereTheyLeadNowhere) {
  base();
  fs::create_symlink("../..", source_ / "train/cat/up");
  const ImportReport report = import_dataset(job());
  EXPECT_THAT(report.account.taken, SizeIs(6));
  EXPECT_THAT(report.account.passed_over,
              ElementsAre(passed("train/cat/up", "a folder that contains it")));
  fs::remove_all(folder_.path() / "work");
  fs::create_symlink("gone.jpg", source_ / "train/cat/cat_9.jpg");
  ImportJob broken = job();
  EXPECT_THAT(refusal(broken),
              AllOf(HasSubstr("train/cat/cat_9.jpg"), HasSubstr("--allow broken-links")));
  broken.allow = {"broken-links"};
  EXPECT_THAT(import_dataset(broken).account.taken, SizeIs(6));
}

TEST_F(AccountTest, AFolderThatMayNotBeReadIsNamed) {
  base();
  image("train/dog/more/1.jpg");
  fs::permissions(source_ / "train/dog/more", fs::perms::none);
  // Root may read everything.
  const uid_t user = ::geteuid();
  fs::permissions(folder_.path(), fs::perms::all);
  if (user == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_THAT(refusal(job()), AllOf(HasSubstr("train/dog/more"), HasSubstr("--allow unreadable")));
  if (user == 0) {
    ASSERT_EQ(::seteuid(user), 0);
  }
  fs::permissions(source_ / "train/dog/more", fs::perms::all);
}

TEST_F(AccountTest, WhatAnIndexCannotHoldIsRefusedBeforeAnythingIsWritten) {
  for (const char* path : {"train/hot|dog/1.jpg", "train/a\tb/1.jpg", "train/a/1\n2.jpg",
                           "train/a/\xff\xfe.jpg", "train/\xe9t\xe9/1.jpg"}) {
    fs::remove_all(source_);
    image("train/cat/1.jpg");
    image(path);
    EXPECT_THAT(refusal(job()), HasSubstr("rename it")) << path;
    account_text(account_);
    account_json(account_).dump();
  }
  fs::remove_all(source_);
  source_ = folder_.path() / "so\xff";
  image("train/cat/1.jpg");
  EXPECT_THAT(refusal(job()), HasSubstr("is not UTF-8"));
}

TEST_F(AccountTest, LooseImagesAreNamed) {
  base();
  image("train/9.jpg");
  ImportJob loose = job();
  EXPECT_THAT(refusal(loose), AllOf(HasSubstr("train/9.jpg"), HasSubstr("--allow loose-images")));
  loose.allow = {"loose-images"};
  EXPECT_THAT(import_dataset(loose).account.taken, SizeIs(6));
}

TEST_F(AccountTest, EqualImagesInTwoSplitsAreListed) {
  base();
  fs::create_directories(source_ / "val/cat");
  fs::copy_file(source_ / "train/cat/cat_0.jpg", source_ / "val/cat/x.jpg");
  const ImportReport report = import_dataset(job());
  EXPECT_THAT(report.account.equal_across, ElementsAre("val/cat/x.jpg = train/cat/cat_0.jpg"));
  EXPECT_THAT(account_text(report.account), HasSubstr("1 equal images in two splits"));
}

TEST_F(AccountTest, NumberedFoldersAreCountedFromZeroOrRefused) {
  for (const char* name : {"1", "2", "1000"}) image(fmt::format("{}/a.jpg", name));
  EXPECT_THAT(refusal(job("imagenetv2")), HasSubstr("0 to 999"));
  fs::remove_all(source_ / "1000");
  ImportJob numbers = job("imagenetv2");
  EXPECT_THAT(refusal(numbers), HasSubstr("--allow numbers"));
  numbers.allow = {"numbers"};
  EXPECT_EQ(import_dataset(numbers).images.at("val"), 2);
  fs::remove_all(folder_.path() / "work");
  image("n01440764/a.jpg");
  image("0/a.jpg");
  EXPECT_THAT(refusal(job("imagenetv2")), HasSubstr("0 and n01440764"));
}

TEST_F(AccountTest, FoldersThatAreNoClassAndFilesOfAnotherClassAreNamed) {
  image("val/n01440764/n01440764_1.JPEG");
  image("val/n99999999/a.JPEG");
  EXPECT_THAT(refusal(job("imagenet")),
              AllOf(HasSubstr("val/n99999999"), HasSubstr("unknown-classes")));
  fs::remove_all(source_ / "val/n99999999");
  image("val/n01443537/n01440764_2.JPEG");
  EXPECT_THAT(refusal(job("imagenet")), HasSubstr("n01440764_2.JPEG is taken as n01443537"));
}

TEST_F(AccountTest, FileNamesMaySayTheClass) {
  for (const char* name :
       {"ILSVRC2012_val_00000001_n01751748.JPEG", "ILSVRC2012_val_00000003_n02105855.JPEG"}) {
    image(fmt::format("val/{}", name));
  }
  const ImportReport report = import_dataset(job("imagenet"));
  const Dataset dataset = Dataset::open(report.folder, "val");
  EXPECT_EQ(dataset.classes()[static_cast<size_t>(dataset.samples()[0].label)], "n01751748");
  put(folder_.path() / "real.json", "[[65],[970],[230]]");
  ImportJob real = job("real");
  real.labels = folder_.path() / "real.json";
  const ImportReport answers = import_dataset(real);
  EXPECT_EQ(Dataset::open(answers.folder, "val").samples()[1].label, 230);
}

TEST_F(AccountTest, AnArchiveMayBeAClass) {
  for (const char* name : {"n01440764", "n01443537"}) {
    for (int i = 0; i < 2; ++i) image(fmt::format("tree/{}_{}.JPEG", name, i));
    pack("tree", fmt::format("train/{}.tar", name));
  }
  EXPECT_THAT(import_dataset(job()).classes, ElementsAre("n01440764", "n01443537"));
  EXPECT_EQ(import_dataset(job("imagenet")).images.at("train"), 4);
  fs::remove_all(folder_.path() / "work");
  image("tree/1.jpg");
  pack("tree", "train/shard-0001.tar");
  EXPECT_THAT(refusal(job()), HasSubstr("--allow shard-names"));
}

TEST_F(AccountTest, AWebDatasetKeyEndsAtTheFirstDot) {
  image("tree/a.b.jpg");
  put(source_ / "tree/a.cls", "7\n");
  image("tree/c.jpg");
  image("tree/c.mask.png");
  put(source_ / "tree/c.cls", "red fox\n");
  pack("tree", "s.tar");
  const ImportReport report = import_dataset(job());
  EXPECT_THAT(report.classes, ElementsAre("7", "red fox"));
  EXPECT_THAT(report.account.taken, ElementsAre("s.tar/a.b.jpg", "s.tar/c.jpg"));
  EXPECT_THAT(report.account.used, SizeIs(2));
  EXPECT_THAT(report.account.passed_over, ElementsAre(passed("s.tar/c.mask.png", "further image")));
}

// libjpeg reads it, so its size is what libjpeg says.
TEST_F(AccountTest, JpegHeadersAreReadByOneReader) {
  image("train/cat/1.jpg");
  std::string bytes = read_file(source_ / "train/cat/1.jpg");
  bytes.insert(bytes.find("\xff\xdb"), "xy");
  put(source_ / "train/cat/1.jpg", bytes);
  EXPECT_EQ(read_image_size(source_ / "train/cat/1.jpg").width, 40);
  put(folder_.path() / "boxes.csv", "train/cat/1.jpg,5,6,30,31\n");
  ImportJob boxed = job();
  boxed.boxes = folder_.path() / "boxes.csv";
  EXPECT_EQ(import_dataset(boxed).account.with_boxes, 1);
}

TEST_F(AccountTest, FilesChangedAfterTheImportAreFound) {
  base();
  const ImportReport report = import_dataset(job());
  const Dataset dataset = Dataset::open(report.folder, "train");
  check_files(dataset);
  // Touched: hashed again, and put down as it is now.
  const fs::path file = source_ / "train/cat/cat_1.jpg";
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::hours(1));
  const std::string before = read_file(report.folder / stamps_name(dataset.root()));
  check_files(dataset);
  EXPECT_NE(read_file(report.folder / stamps_name(dataset.root())), before);
  // Another image of the same size in bytes.
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] ^= 1;
  put(file, bytes);
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::hours(2));
  EXPECT_THAT(input_error([&] { check_files(dataset); }),
              AllOf(HasSubstr("train/cat/cat_1.jpg has other bytes now"), HasSubstr("1 of 6")));
  fs::remove(file);
  EXPECT_THAT(input_error([&] { check_files(dataset); }), HasSubstr("cat_1.jpg is missing"));
}

TEST_F(AccountTest, ADatasetMayHaveSeveralNamesAndPlaces) {
  base();
  ImportJob first = job(), second = job();
  first.replace = second.replace = false;
  const ImportReport one = import_dataset(first);
  second.folder = folder_.path() / "copy";
  second.name = "other";
  fs::copy(source_, second.folder, fs::copy_options::recursive);
  EXPECT_EQ(import_dataset(second).folder, one.folder);
  const auto& workspace = first.workspace;
  EXPECT_EQ(experiments::find_imported(workspace, "mine").spec,
            experiments::find_imported(workspace, "other").spec);
  EXPECT_EQ(Dataset::open(one.folder, "train").root(), second.folder);
  fs::remove_all(second.folder);
  const Dataset dataset = Dataset::open(one.folder, "train");
  EXPECT_EQ(dataset.root(), source_);
  check_files(dataset);
  // A name that goes to another dataset leaves the other name.
  image("train/cat/new.jpg");
  ImportJob third = job();
  third.name = "other";
  EXPECT_NE(import_dataset(third).folder, one.folder);
  EXPECT_EQ(experiments::folders_named(workspace, "mine"), std::vector{one.folder});
}

TEST_F(AccountTest, MoreArchivesThanOpenFilesAreRead) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  for (size_t i = 0; i < kOpenArchives + 40; ++i) {
    const std::string name = fmt::format("tree/cat/{}.jpg", i);
    image(name);
    pack("tree", fmt::format("train/{:04}.tar", i));
  }
  const struct rlimit few { kOpenArchives + 30, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const ImportReport report = import_dataset(job());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(report.images.at("train"), static_cast<int64_t>(kOpenArchives + 40));
}

}  // namespace
}  // namespace remixer::data
