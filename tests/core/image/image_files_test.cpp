// SPDX-License-Identifier: Apache-2.0
// Folders and archives, the latter made by the system's tar.
#include "core/image/image_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "core/image/image.h"
#include "core/image/image_listing.h"
#include "core/image/tar_archive.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ImageFilesTest : public ::testing::Test {
 protected:
  ImageFilesTest() {
    put(tree_ / "cat/2.png", encode_png(picture(2)));
    put(tree_ / "cat/deep/er/1.JPEG", "one");
    put(tree_ / "dog/3.jpg", "three");
    put(tree_ / "dog/notes.txt", "no image");
  }
  static Image picture(int value) {
    Image image(4, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(value));
    return image;
  }
  // Packs the tree into `name`.
  fs::path pack(const std::string& name, const std::string& options = "") {
    const fs::path archive = folder_.path() / name;
    fs::create_directories(archive.parent_path());
    const std::string command =
        fmt::format("tar {} -cf '{}' -C '{}' .", options, archive.string(), tree_.string());
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return archive;
  }
  static std::vector<std::string> paths(const ImageListing& listing) {
    std::vector<std::string> result;
    for (const ListedImage& image : listing.images)
      result.push_back(fmt::format("{} {}", image.label, image.path));
    return result;
  }
  TemporaryFolder folder_;
  fs::path tree_ = folder_.path() / "tree";
};

TEST_F(ImageFilesTest, FoldersAreListedAsImageFolderDoes) {
  const ImageListing listing = list_images(tree_);
  EXPECT_THAT(listing.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(paths(listing), ElementsAre("0 cat/2.png", "0 cat/deep/er/1.JPEG", "1 dog/3.jpg"));
}

TEST_F(ImageFilesTest, NumberedClassesAreSortedAsNumbers) {
  for (const char* name : {"10/a.png", "9/b.png", "0/c.png"})
    put(folder_.path() / "numbers" / name, "x");
  EXPECT_THAT(list_images(folder_.path() / "numbers").classes, ElementsAre("0", "9", "10"));
}

TEST_F(ImageFilesTest, MembersOfAnArchiveAreReadAsFilesAre) {
  for (const char* format : {"--format=ustar", "--format=gnu", "--format=pax", "--format=v7"}) {
    const fs::path archive = pack(std::string(format) + "/images.tar", format);
    EXPECT_EQ(read_image_bytes(archive / "dog/3.jpg"), "three") << format;
    EXPECT_EQ(read_image(archive / "cat/2.png"), picture(2)) << format;
    // The class is the folder that an image stands in.
    EXPECT_THAT(list_images(archive).classes, ElementsAre("cat", "dog", "er"));
    EXPECT_THAT(paths(list_images(archive.parent_path())),
                ElementsAre("0 images.tar/cat/2.png", "1 images.tar/dog/3.jpg",
                            "2 images.tar/cat/deep/er/1.JPEG"));
  }
}

TEST_F(ImageFilesTest, LongNamesAreRead) {
  const std::string name = std::string(90, 'c') + "/" + std::string(120, 'i') + ".png";
  put(tree_ / name, "long");
  for (const char* format : {"--format=gnu", "--format=pax"}) {
    EXPECT_EQ(read_image_bytes(pack(std::string(format) + ".tar", format) / name), "long")
        << format;
  }
}

TEST_F(ImageFilesTest, WebDatasetsSayTheClassBesideTheImage) {
  fs::remove_all(tree_);
  for (int i = 0; i < 3; ++i) {
    put(tree_ / fmt::format("{:05}.jpg", i), fmt::format("image {}", i));
    put(tree_ / fmt::format("{:05}.cls", i), fmt::format("{}\n", 12 - 5 * i));
  }
  const ImageListing listing = list_images(pack("web.tar"));
  EXPECT_THAT(listing.classes, ElementsAre("2", "7", "12"));
  EXPECT_THAT(paths(listing), ElementsAre("0 00002.jpg", "1 00001.jpg", "2 00000.jpg"));
}

TEST_F(ImageFilesTest, WhatIsWrongIsNamed) {
  const fs::path archive = pack("images.tar");
  EXPECT_THAT(input_error([&] { read_image_bytes(archive / "cat/none.jpg"); }),
              AllOf(HasSubstr("images.tar"), HasSubstr("cat/none.jpg")));
  EXPECT_THAT(input_error([&] { read_image_bytes(folder_.path() / "gone.tar/cat/2.png"); }),
              HasSubstr("gone.tar"));
  const std::string whole = read_file(archive);
  put(folder_.path() / "torn.tar", whole.substr(0, 2000));
  EXPECT_THAT(input_error([&] { TarArchive(folder_.path() / "torn.tar"); }),
              AllOf(HasSubstr("torn.tar"), HasSubstr("torn")));
  std::string damaged = whole;
  damaged[5] ^= 1;
  put(folder_.path() / "damaged.tar", damaged);
  EXPECT_THAT(input_error([&] { TarArchive(folder_.path() / "damaged.tar"); }),
              HasSubstr("no tar archive, or damaged at byte 0"));
  put(folder_.path() / "packed.tar", "\x1f\x8b\x08 and so on" + std::string(600, 'x'));
  EXPECT_THAT(input_error([&] { TarArchive(folder_.path() / "packed.tar"); }),
              HasSubstr("compressed archives must be unpacked first"));
  put(folder_.path() / "loose/a.png", "x");
  EXPECT_THAT(input_error([&] { list_images(folder_.path() / "loose"); }),
              HasSubstr("a.png is in no class"));
  fs::create_directory(folder_.path() / "empty");
  EXPECT_THAT(input_error([&] { list_images(folder_.path() / "empty"); }),
              HasSubstr("holds no .jpg"));
}

}  // namespace
}  // namespace remixer::data
