// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "base/amount_text.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parse_number.h"
#include "base/random.h"

namespace remixer {
namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("remixer-file-test-{}", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(FileTest, AtomicWriteReplacesAndLeavesNothingElse) {
  write_file_atomic(folder_ / "a" / "file", "one");
  write_file_atomic(folder_ / "a" / "file", "two");
  EXPECT_EQ(read_file(folder_ / "a" / "file"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a"), {}), 1);
}

TEST_F(FileTest, UncommittedFileLeavesNothing) {
  {
    AtomicFile file(folder_ / "x");
    file.write("half");
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(FileTest, MissingFileIsAnInputErrorThatNamesIt) {
  try {
    read_file(folder_ / "nothing");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("nothing"), std::string::npos);
  }
  EXPECT_FALSE(read_file_if_exists(folder_ / "nothing"));
}

TEST_F(FileTest, LockIsExclusiveUntilReleased) {
  {
    auto lock = FileLock::try_lock(folder_ / "lock");
    ASSERT_TRUE(lock);
    EXPECT_FALSE(FileLock::try_lock(folder_ / "lock"));
  }
  EXPECT_TRUE(FileLock::try_lock(folder_ / "lock"));
}

TEST_F(FileTest, PublishKeepsWhatIsThereAlready) {
  write_file_atomic(folder_ / "from" / "f", "new");
  write_file_atomic(folder_ / "to" / "f", "old");
  EXPECT_FALSE(publish(folder_ / "from", folder_ / "to"));
  EXPECT_EQ(read_file(folder_ / "to" / "f"), "old");
  EXPECT_FALSE(fs::exists(folder_ / "from"));
}

TEST(HashTest, Sha256MatchesThePublishedVector) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Known answers of the Random123 distribution (kat_vectors, philox4x32, 10 rounds).
TEST(RandomTest, PhiloxMatchesKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomTest, StreamsDependOnTheirNameAlone) {
  Random a(1, RandomPurpose::kTest, 2, 3), b(1, RandomPurpose::kTest, 2, 3);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next_u32(), b.next_u32());
  std::set<uint32_t> first;
  for (uint64_t i = 0; i < 1000; ++i)
    first.insert(Random(1, RandomPurpose::kTest, 2, i).next_u32());
  EXPECT_GT(first.size(), 995u);
}

TEST(RandomTest, MomentsOfTheDistributions) {
  Random random(7, RandomPurpose::kTest);
  constexpr int kDraws = 100000;
  double uniform = 0, normal = 0, square = 0, beta = 0;
  for (int i = 0; i < kDraws; ++i) {
    uniform += random.uniform();
    const double z = random.normal();
    normal += z;
    square += z * z;
    beta += random.beta(0.8, 1.6);
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.005);
  EXPECT_NEAR(normal / kDraws, 0, 0.015);
  EXPECT_NEAR(square / kDraws, 1, 0.02);
  EXPECT_NEAR(beta / kDraws, 0.8 / 2.4, 0.005);
}

// Mixup with a parameter of 0.001: both of Beta's gamma draws are too small for a number.
TEST(RandomTest, BetaOfTinyShapesIsAShare) {
  Random random(8, RandomPurpose::kTest);
  constexpr int kDraws = 20000;
  int low = 0, high = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double share = random.beta(0.001, 0.001);
    ASSERT_TRUE(share >= 0 && share <= 1) << share;
    low += share < 1e-3;
    high += share > 1 - 1e-3;
  }
  EXPECT_NEAR(static_cast<double>(low) / kDraws, 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(high) / kDraws, 0.5, 0.02);
}

TEST(ClockTest, DurationsReadWell) {
  EXPECT_EQ(duration_text(8), "8 s");
  EXPECT_EQ(duration_text(75), "1 min 15 s");
  EXPECT_EQ(duration_text(1500), "25 min");
  EXPECT_EQ(duration_text(6000), "1 h 40 min");
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00Z");
}

TEST(ParseNumberTest, TakesAWholeTextOrNothing) {
  EXPECT_EQ(parse_number<int64_t>("-12"), -12);
  EXPECT_EQ(parse_number<int64_t>("17", 8), 15);
  EXPECT_EQ(parse_number<double>("2.5e-3"), 2.5e-3);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x1", "1.5", "99999999999999999999"}) {
    EXPECT_FALSE(parse_number<int64_t>(text)) << text;
  }
  EXPECT_FALSE(parse_number<size_t>("-1"));
  EXPECT_FALSE(parse_number<double>("1,5"));
  EXPECT_FALSE(parse_number<double>("1e999"));
}

TEST(AmountTest, HoursAndSizesReadWell) {
  EXPECT_EQ(counted(1, "cell"), "1 cell");
  EXPECT_EQ(counted(0, "cell"), "0 cells");
  EXPECT_EQ(hours_text(0), "0 min");
  EXPECT_EQ(hours_text(0.0001), "1 min");
  EXPECT_EQ(hours_text(0.2), "12 min");
  EXPECT_EQ(hours_text(0.996), "1 h");
  EXPECT_EQ(hours_text(3.94), "3.9 h");
  EXPECT_EQ(hours_text(9.96), "10 h");
  EXPECT_EQ(hours_text(221.4), "221 h");
  EXPECT_EQ(device_hours_text(1.0 / 60, "GPU"), "1 GPU-minute");
  EXPECT_EQ(device_hours_text(0.2, "processor"), "12 processor-minutes");
  EXPECT_EQ(device_hours_text(1.04, "processor"), "1 processor-hour");
  EXPECT_EQ(device_hours_text(1.5, "GPU"), "1.5 GPU-hours");
  EXPECT_EQ(device_hours_text(422, "GPU"), "422 GPU-hours");
  EXPECT_EQ(gigabytes_text(0.0123), "12 MB");
  EXPECT_EQ(gigabytes_text(1.3), "1.3 GB");
  EXPECT_EQ(gigabytes_text(145), "145 GB");
}

}  // namespace
}  // namespace remixer
