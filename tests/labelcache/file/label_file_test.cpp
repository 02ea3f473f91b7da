// SPDX-License-Identifier: Apache-2.0
// The packed file: what goes in comes out, and no damage passes unnoticed.
#include <c10/util/Half.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/random.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/file/label_file_writer.h"
#include "labelcache/file/partial_file.h"
#include "labelcache/labelers/label_job.h"
#include "tests/labelcache/input_error.h"
#include "tests/support/program.h"

namespace remixer::labelcache {
namespace {

using data::LabelMap;
using ::testing::HasSubstr;

Provenance provenance(int64_t images, MapShape shape) {
  return {{{"name", "saliency"}, {"version", 1}}, "weights", "dataset", "train", images, shape};
}

std::string id_of(int64_t i) {
  return fmt::format("train/{}/{:03}.png", i % 7, i);
}

LabelMap random_map(uint64_t seed, MapShape shape, int side) {
  Random random(seed, RandomPurpose::kTest);
  LabelMap map;
  map.height = side;
  map.width = side + 1;
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  const int cells = map.height * map.width;
  for (int i = 0; i < cells * std::max(shape.top_k, 1); ++i) {
    if (shape.top_k == 0) {
      map.values.push_back(static_cast<float>(random.below(256)) / 255.0f);
    } else {
      map.values.push_back(c10::Half(static_cast<float>(random.uniform(-8, 30))));
      map.indices.push_back(
          static_cast<uint16_t>(random.below(static_cast<uint64_t>(shape.channels))));
    }
  }
  return map;
}

std::string write_file(const fs::path& path, int64_t images, MapShape shape, int side) {
  LabelFileWriter writer(path, provenance(images, shape));
  for (int64_t i = 0; i < images; ++i) {
    writer.add(id_of(i), encode_record(random_map(static_cast<uint64_t>(i), shape, side), shape));
  }
  return writer.finish();
}

void expect_same(const LabelMap& a, const LabelMap& b) {
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.channels, b.channels);
  EXPECT_EQ(a.top_k, b.top_k);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.indices, b.indices);
}

class CacheFile : public ::testing::TestWithParam<MapShape> {
 protected:
  testing::ScratchFolder scratch_{"cache"};
};

TEST_P(CacheFile, GivesBackEveryMapExactly) {
  constexpr int64_t kImages = 150;
  const fs::path path = scratch_ / "a.labels";
  const std::string content = write_file(path, kImages, GetParam(), 30);
  const LabelFileReader reader(path);
  EXPECT_GT(reader.blocks(), 1u);
  EXPECT_EQ(reader.samples(), kImages);
  EXPECT_EQ(reader.channels(), GetParam().channels);
  EXPECT_EQ(reader.content_sha256(), content);
  EXPECT_EQ(reader.provenance().labeler.at("name"), "saliency");
  for (int64_t i = kImages - 1; i >= 0; --i) {
    expect_same(reader.map(id_of(i)), random_map(static_cast<uint64_t>(i), GetParam(), 30));
  }
  reader.verify();
  write_file(scratch_ / "b.labels", kImages, GetParam(), 30);
  EXPECT_EQ(read_file(path), read_file(scratch_ / "b.labels"));
}

TEST_P(CacheFile, ThreadsReadWithLittleMemory) {
  constexpr int64_t kImages = 150;
  const fs::path path = scratch_ / "a.labels";
  write_file(path, kImages, GetParam(), 30);
  const LabelFileReader reader(path, /*memory_limit=*/1);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Random random(t, RandomPurpose::kTest);
      for (int n = 0; n < 100; ++n) {
        const auto i = random.below(kImages);
        wrong += reader.map(id_of(static_cast<int64_t>(i))).values !=
                 random_map(i, GetParam(), 30).values;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CacheFile, ::testing::Values(MapShape{1, 0}, MapShape{1000, 5}),
                         [](const auto& info) { return info.param.top_k > 0 ? "TopK" : "Dense"; });

// Not through the product's writer: thousands of damaged copies need not be durable.
void write_copy(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class DamagedCache : public ::testing::Test {
 protected:
  // Everything that a user of the file does with it.
  static void read_all(const fs::path& path) {
    const auto labels = open_labels(path, "dataset", "train");
    for (int64_t i = 0; i < 5; ++i) labels->map(id_of(i));
  }
  testing::ScratchFolder scratch_{"damage"};
  fs::path path_ = scratch_ / "a.labels", damaged_ = scratch_ / "b.labels";
};

TEST_F(DamagedCache, AnyFlippedBitIsNoticedAndTheFileNamed) {
  write_file(path_, 5, {10, 2}, 3);
  const std::string bytes = read_file(path_);
  read_all(path_);
  const size_t block = sizeof(Prologue) + load<Prologue>(bytes, 0).provenance_bytes;
  const size_t block_end = load<Footer>(bytes, bytes.size() - sizeof(Footer)).index_offset;
  ASSERT_LT(block, block_end);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
    write_copy(damaged_, flipped);
    EXPECT_THAT(input_error([&] { read_all(damaged_); }), HasSubstr("b.labels")) << "byte " << i;
    // Only the block waits until it is used.
    const bool at_opening = !input_error([&] { LabelFileReader reader(damaged_); }).empty();
    EXPECT_EQ(at_opening, i < block || i >= block_end) << "byte " << i;
  }
}

TEST_F(DamagedCache, AnyTruncationIsNoticed) {
  write_file(path_, 5, {10, 2}, 3);
  const std::string bytes = read_file(path_);
  for (size_t size = 0; size < bytes.size(); ++size) {
    write_copy(damaged_, bytes.substr(0, size));
    EXPECT_THAT(input_error([&] { read_all(damaged_); }), HasSubstr("b.labels"))
        << size << " bytes";
  }
}

TEST_F(DamagedCache, ADamagedBlockIsNamedAndTheOthersStillRead) {
  write_file(path_, 150, {1, 0}, 30);
  std::string bytes = read_file(path_);
  // The first block follows the prologue and the provenance.
  bytes[bytes.find('}') + 2000] ^= 1;
  write_copy(damaged_, bytes);
  const LabelFileReader reader(damaged_);
  EXPECT_THAT(input_error([&] { reader.map(id_of(0)); }), HasSubstr("block 0 (samples 0 to "));
  EXPECT_EQ(reader.map(id_of(149)).values, random_map(149, {1, 0}, 30).values);
  EXPECT_THAT(input_error([&] { reader.verify(); }), HasSubstr("block 0"));
}

TEST_F(DamagedCache, AnotherDatasetOrSplitIsNamed) {
  write_file(path_, 5, {10, 2}, 3);
  EXPECT_THAT(input_error([&] { open_labels(path_, "other", "train"); }),
              HasSubstr("another dataset"));
  EXPECT_THAT(input_error([&] { open_labels(path_, "dataset", "no_fg"); }), HasSubstr("'no_fg'"));
  EXPECT_THAT(input_error([&] { open_labels(scratch_ / "absent", "dataset", "train"); }),
              HasSubstr("absent"));
}

TEST_F(DamagedCache, LabelsByOtherWeightsAreNamed) {
  Provenance other = provenance(1, {1, 0});
  experiments::LabelerSpec wanted{{"saliency", 1, {}, {{"weights_sha256", "0123"}}}};
  other.labeler = write_value(wanted);
  LabelFileWriter writer(path_, other);
  writer.add(id_of(0), encode_record(random_map(0, {1, 0}, 3), {1, 0}));
  writer.finish();
  EXPECT_EQ(input_error([&] { open_labels(path_, "dataset", "train", wanted); }), "");
  wanted.hashes["weights_sha256"] = "4567";
  const std::string message = input_error([&] { open_labels(path_, "dataset", "train", wanted); });
  EXPECT_THAT(message, HasSubstr("0123"));
  EXPECT_THAT(message, HasSubstr("4567"));
  EXPECT_EQ(input_error([&] {
              open_labels(
                  path_, "dataset", "train",
                  experiments::LabelerSpec{{"imported_masks", 1, {}, {{"labels_sha256", "1"}}}});
            }),
            "");
}

TEST_F(DamagedCache, UnknownSamplesAreNamed) {
  write_file(path_, 5, {10, 2}, 3);
  const LabelFileReader reader(path_);
  for (const char* id : {"", "train/0/000.pn", "train/0/000.png2", "zebra"}) {
    EXPECT_THAT(input_error([&] { reader.map(id); }), HasSubstr(fmt::format("sample {}", id)));
  }
}

TEST_F(DamagedCache, AFileOfANewerVersionSaysSo) {
  write_file(path_, 5, {10, 2}, 3);
  std::string bytes = read_file(path_);
  bytes[8] = 9;
  write_copy(damaged_, bytes);
  EXPECT_THAT(input_error([&] { read_all(damaged_); }), HasSubstr("version 9"));
}

TEST(LabelFileWriterTest, ASampleThatComesTwiceIsNamedAndNoFileIsLeft) {
  const testing::ScratchFolder scratch("twice");
  {
    LabelFileWriter writer(scratch / "a.labels", provenance(2, {1, 0}));
    const std::string record = encode_record(random_map(0, {1, 0}, 3), {1, 0});
    writer.add("same", record);
    writer.add("same", record);
    EXPECT_THAT(input_error([&] { writer.finish(); }), HasSubstr("same"));
  }
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(LabelFile, AnotherVersionIsRefused) {
  const testing::ScratchFolder scratch("other-version");
  const fs::path path = scratch / "a.labels";
  LabelFileWriter writer(path, provenance(1, {1, 0}));
  writer.add("one", encode_record(random_map(0, {1, 0}, 3), {1, 0}));
  writer.finish();
  std::string bytes = read_file(path);
  for (const char version : {1, 3}) {
    bytes[8] = version;  // behind the magic
    write_copy(path, bytes);
    EXPECT_THAT(
        input_error([&] { LabelFileReader reader(path); }),
        ::testing::AllOf(HasSubstr("a.labels"), HasSubstr(fmt::format("version {}", int{version})),
                         HasSubstr("make the labels again")));
  }
}

// A file that is being made, and what is left of it when its maker ends.
class CutWriting : public ::testing::TestWithParam<MapShape> {
 protected:
  static constexpr int kSide = 20;
  static constexpr int64_t kImages = 600;
  std::string record(int64_t i) const {
    return encode_record(random_map(static_cast<uint64_t>(i), GetParam(), kSide), GetParam());
  }
  Provenance labels() const { return provenance(kImages, GetParam()); }
  void go_on(LabelFileWriter& writer, int64_t until) const {
    for (int64_t i = writer.samples(); i < until; ++i) writer.add(id_of(i), record(i));
  }
  std::string whole() {
    LabelFileWriter writer(scratch_ / "whole.labels", labels());
    go_on(writer, kImages);
    writer.finish();
    return read_file(scratch_ / "whole.labels");
  }

  testing::ScratchFolder scratch_{"cut"};
  fs::path path_ = scratch_ / "a.labels", partial_ = PartialFile::name_of(path_);
};

TEST_P(CutWriting, GoesOnAfterTheLastWholeBlock) {
  const std::string wanted = whole();
  uint32_t block = 0;
  {
    LabelFileWriter writer(path_, labels());
    go_on(writer, 400);
  }
  EXPECT_FALSE(fs::exists(path_));
  {
    LabelFileWriter writer(path_, labels());
    block = LabelFileReader(scratch_ / "whole.labels").samples() /
            LabelFileReader(scratch_ / "whole.labels").blocks();
    EXPECT_LE(writer.samples(), 400u);
    EXPECT_GT(writer.samples() + block + 1, 400u);
    go_on(writer, kImages);
    writer.finish();
  }
  EXPECT_EQ(read_file(path_), wanted);
  EXPECT_FALSE(fs::exists(partial_));
}

// Cut at any byte, as a machine that lost its power may leave it.
TEST_P(CutWriting, CutAnywhereTheFileIsTheSame) {
  const std::string wanted = whole();
  Random random(5, RandomPurpose::kTest);
  for (int round = 0; round < 15; ++round) {
    write_copy(partial_, wanted.substr(0, random.below(wanted.size() + 1)));
    LabelFileWriter writer(path_, labels());
    go_on(writer, kImages);
    writer.finish();
    ASSERT_EQ(read_file(path_), wanted);
  }
}

TEST_P(CutWriting, DamageInWhatWasDoneEndsItThere) {
  const std::string wanted = whole();
  std::string damaged = wanted.substr(0, wanted.size() * 9 / 10);
  damaged[wanted.size() * 2 / 5] ^= 1;
  write_copy(partial_, damaged);
  LabelFileWriter writer(path_, labels());
  EXPECT_GT(writer.samples(), 0u);
  EXPECT_LT(writer.samples(), kImages * 0.45);
  go_on(writer, kImages);
  writer.finish();
  EXPECT_EQ(read_file(path_), wanted);
}

TEST_P(CutWriting, LabelsOfSomethingElseAreNotGoneOnWith) {
  {
    LabelFileWriter writer(path_, labels());
    go_on(writer, 400);
  }
  Provenance other = labels();
  other.dataset_sha256 = "another";
  EXPECT_EQ(LabelFileWriter(path_, other).samples(), 0u);
}

TEST_P(CutWriting, WhatHoldsNoWholeBlockIsNotKept) {
  { LabelFileWriter(path_, labels()).add(id_of(0), record(0)); }
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_P(CutWriting, TwoProcessesDoNotMakeOneFile) {
  const LabelFileWriter writer(path_, labels());
  EXPECT_THAT(input_error([&] { LabelFileWriter(path_, labels()); }), HasSubstr("another process"));
}

TEST_P(CutWriting, APartialFileIsNotTakenForAWholeOne) {
  {
    LabelFileWriter writer(path_, labels());
    go_on(writer, kImages);
  }
  EXPECT_THAT(input_error([&] { LabelFileReader reader(partial_); }), HasSubstr("partial"));
}

TEST_P(CutWriting, AFullDiskLosesNothing) {
  const std::string wanted = whole();
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{wanted.size() / 2, wanted.size() / 2};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    try {
      LabelFileWriter writer(path_, labels());
      go_on(writer, kImages);
      writer.finish();
    } catch (const Error& error) {
      ::_exit(std::string(error.what()).find("a.labels") != std::string::npos ? 7 : 8);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(fs::exists(path_));
  LabelFileWriter writer(path_, labels());
  EXPECT_GT(writer.samples(), kImages / 5);
  go_on(writer, kImages);
  writer.finish();
  EXPECT_EQ(read_file(path_), wanted);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CutWriting, ::testing::Values(MapShape{1, 0}, MapShape{1000, 5}),
                         [](const auto& info) { return info.param.top_k > 0 ? "TopK" : "Dense"; });

TEST(RecordTest, APartOfAnImageIsKept) {
  for (const MapShape shape : {MapShape{1, 0}, MapShape{10, 2}}) {
    LabelMap map = random_map(3, shape, 5);
    map.cover = {0.125f, 0, 0.875f, 1};
    const std::string record = encode_record(map, shape);
    EXPECT_EQ(record_size(record, shape), record.size());
    EXPECT_EQ(decode_record(record, shape).cover, map.cover);
    if (shape.top_k == 0) continue;
    std::string packed;
    pack_record(record, shape, packed);
    const size_t size = packed.size();
    packed.append(kReadSlack, ' ');
    UnpackedRecord unpacked;
    unpack_record(std::string_view(packed).substr(0, size), shape, unpacked);
    EXPECT_EQ(encode_record(to_map(unpacked, shape), shape), record);
  }
}

TEST(RecordTest, ValuesAreRoundedOnceAndThenKept) {
  LabelMap map;
  map.height = map.width = 1;
  map.values = {0.5f};
  const LabelMap stored = decode_record(encode_record(map, {1, 0}), {1, 0});
  EXPECT_EQ(stored.values.front(), 128.0f / 255.0f);
  expect_same(decode_record(encode_record(stored, {1, 0}), {1, 0}), stored);
}

TEST(RecordTest, LabelsThatAreNotFiniteAreRefused) {
  LabelMap dense;
  dense.height = dense.width = 1;
  dense.values = {NAN};
  EXPECT_THROW(encode_record(dense, {1, 0}), Error);
  LabelMap top;
  top.height = top.width = top.top_k = 1;
  top.channels = 10;
  top.indices = {3};
  for (const float value : {NAN, 1e6f}) {
    top.values = {value};
    EXPECT_THROW(encode_record(top, {10, 1}), Error);
  }
}

// What another program wrote wrongly is bad input of the reader's, named by its sample.
TEST(RecordTest, AStoredLogitThatIsNotFiniteIsRefused) {
  const testing::ScratchFolder scratch("infinite");
  const MapShape shape{10, 1};
  for (const uint16_t bits : {0x7c00, 0xfc00, 0x7e01}) {
    std::string record;
    for (const uint16_t number : {uint16_t{1}, uint16_t{1}, bits, uint16_t{3}}) {
      append(record, number);
    }
    const fs::path path = scratch / "a.labels";
    LabelFileWriter writer(path, provenance(1, shape));
    writer.add("odd", record);
    writer.finish();
    const LabelFileReader reader(path);
    EXPECT_THAT(input_error([&] { reader.map("odd"); }),
                ::testing::AllOf(HasSubstr("a.labels: sample odd"), HasSubstr("not finite")));
    EXPECT_THAT(input_error([&] { reader.verify(); }), HasSubstr("not finite"));
    fs::remove(path);
  }
}

TEST(RecordTest, AMapTooLargeForTheFileIsRefused) {
  LabelMap map;
  map.height = 257;
  map.width = 256;
  map.channels = 10;
  map.top_k = 1;
  map.values.assign(257 * 256, 1.0f);
  map.indices.assign(257 * 256, 3);
  EXPECT_THROW(encode_record(map, {10, 1}), Error);
}

}  // namespace
}  // namespace remixer::labelcache
