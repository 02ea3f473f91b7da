// SPDX-License-Identifier: Apache-2.0
#include "core/loading/memory_at_hand.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace remixer::training {
namespace {

constexpr int64_t kGibi = int64_t{1} << 30;

class MemoryAtHandTest : public ::testing::Test {
 protected:
  MemoryAtHandTest() {
    write("proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable: 16777216 kB\n");
  }
  void write(const std::string& name, const std::string& text) {
    const auto file = folder_.path() / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void group(const std::string& folder, const std::string& limit, int64_t used, int64_t files) {
    write(folder + "/memory.max", limit + "\n");
    write(folder + "/memory.current", std::to_string(used) + "\n");
    write(folder + "/memory.stat", "anon 5\ninactive_file " + std::to_string(files) + "\nfile 7\n");
  }
  int64_t at_hand() const { return memory_at_hand(folder_.path()).value(); }

  TemporaryFolder folder_;
};

TEST_F(MemoryAtHandTest, IsWhatTheKernelSaysIsAvailable) {
  EXPECT_EQ(at_hand(), 16 * kGibi);
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(at_hand(), 16 * kGibi);
}

// A Slurm job's limit is above the step's group, which has none of its own.
TEST_F(MemoryAtHandTest, AGroupAboveMayAllowLess) {
  write("proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  group("sys/fs/cgroup/slurm", "max", 20 * kGibi, 0);
  group("sys/fs/cgroup/slurm/job_7", std::to_string(8 * kGibi), 5 * kGibi, 1 * kGibi);
  group("sys/fs/cgroup/slurm/job_7/step_0", "max", 5 * kGibi, 0);
  EXPECT_EQ(at_hand(), 4 * kGibi);
  group("sys/fs/cgroup/slurm/job_7", std::to_string(8 * kGibi), 9 * kGibi, 0);
  EXPECT_EQ(at_hand(), 0) << "above its limit for a moment";
}

TEST_F(MemoryAtHandTest, ReadsGroupsOfVersion1) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/box\n4:memory:/box\n1:name=systemd:/\n");
  write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", std::to_string(6 * kGibi));
  write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", std::to_string(4 * kGibi));
  write("sys/fs/cgroup/memory/box/memory.stat",
        "total_inactive_file " + std::to_string(kGibi) + "\n");
  EXPECT_EQ(at_hand(), 3 * kGibi);
}

// A container sees its own group as the top one, whatever path it is told.
TEST_F(MemoryAtHandTest, AContainersLimitIsAtTheTop) {
  write("proc/self/cgroup", "0::/\n");
  group("sys/fs/cgroup", std::to_string(4 * kGibi), 3 * kGibi, 0);
  EXPECT_EQ(at_hand(), 1 * kGibi);
  write("sys/fs/cgroup/memory.max", "max\n");
  write("proc/self/cgroup", "4:memory:/docker/0123\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(2 * kGibi));
  EXPECT_EQ(at_hand(), 2 * kGibi) << "what it uses is not known";
}

TEST_F(MemoryAtHandTest, NothingMayBeKnown) {
  EXPECT_FALSE(memory_at_hand(folder_.path() / "empty"));
  EXPECT_EQ(cache_bytes(std::nullopt, 4), 1 * kGibi);
}

TEST_F(MemoryAtHandTest, ARankTakesItsShareOfHalf) {
  EXPECT_EQ(cache_bytes(16 * kGibi, 4), 1 * kGibi);
  EXPECT_EQ(cache_bytes(16 * kGibi, 0), 4 * kGibi);
  EXPECT_GT(memory_at_hand().value(), 0) << "of this machine";
}

}  // namespace
}  // namespace remixer::training
