// SPDX-License-Identifier: Apache-2.0
// What a machine says of itself, from files with known figures, and of GPUs through a library with
// NVML's interface (tests/core/training/known_gpus.cpp), since no GPU is here.
#include "core/training/machine_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/file.h"
#include "tests/support/program.h"

namespace remixer::training {
namespace {

using ::testing::DoubleEq;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class MachineMeterTest : public ::testing::Test {
 protected:
  void write(const char* stat, const char* meminfo) const {
    write_file_atomic(folder_ / "stat", stat);
    write_file_atomic(folder_ / "meminfo", meminfo);
  }
  remixer::testing::ScratchFolder folder_{"machine"};
};

TEST_F(MachineMeterTest, ProcessorsAreBusySinceTheLastLookAndMemoryNow) {
  const char* memory = "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  250 kB\n";
  write("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 9 9 9 9\n", memory);
  MachineMeter meter(folder_.path(), "no such library");
  // 30 + 10 + 5 + 5 of 100 further ticks were work; 40 idle and 10 waiting for a disk were not.
  write("cpu  130 10 55 840 60 0 0 5 0 0\ncpu0 9 9 9 9\n", memory);
  EXPECT_THAT(meter.read(), UnorderedElementsAre(Pair("cpu_percent", DoubleEq(50)),
                                                 Pair("memory_percent", DoubleEq(75))));
  EXPECT_THAT(meter.read(), UnorderedElementsAre(Pair("memory_percent", DoubleEq(75))));
}

TEST_F(MachineMeterTest, ASystemThatSaysNothingIsNoError) {
  MachineMeter meter(folder_ / "nowhere", "no such library");
  EXPECT_TRUE(meter.read().empty());
}

TEST(MachineMeter, ThisMachineAnswers) {
  MachineMeter meter;
  for (const auto& [name, percent] : meter.read()) {
    EXPECT_GE(percent, 0) << name;
    EXPECT_LE(percent, 100) << name;
  }
}

// The library has three GPUs: number i is (i + 1) · 10 % busy and has (i + 1) / 4 of its memory in
// use; the last is also "GPU-last".
TEST_F(MachineMeterTest, GpusAreThoseThatTheProcessMayUse) {
  const auto figures = [&](const char* visible) {
    visible ? ::setenv("CUDA_VISIBLE_DEVICES", visible, 1) : ::unsetenv("CUDA_VISIBLE_DEVICES");
    const auto all = MachineMeter(folder_.path(), REMIXER_KNOWN_GPUS).read();
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    return std::map<std::string, double>(all.begin(), all.end());
  };
  EXPECT_EQ(figures(nullptr)["gpu_percent"], 20);
  EXPECT_EQ(figures(nullptr)["gpu_memory_percent"], 50);
  EXPECT_EQ(figures("0,1")["gpu_percent"], 15);
  EXPECT_EQ(figures("GPU-last")["gpu_percent"], 30);
  EXPECT_EQ(figures("1,7,2")["gpu_percent"], 20) << "what follows an unknown one is not used";
  EXPECT_FALSE(figures("").contains("gpu_percent"));
}

}  // namespace
}  // namespace remixer::training
