// SPDX-License-Identifier: Apache-2.0
// `remixer doctor` on this machine, with one thing after the other taken away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "coordinator/command/ask/machine_checks.h"
#include "tests/support/program.h"

namespace remixer::testing {
namespace {

using coordinator::command::check_driver;
using coordinator::command::check_ranks;
using coordinator::command::check_room;
using coordinator::command::Health;
using coordinator::command::RanksTried;
using ::testing::HasSubstr;

const std::string kProgram = REMIXER_PROGRAMS "/remixer";

class DoctorTest : public ::testing::Test {
 protected:
  // The answer's lines by name; `code` is the exit code that is expected.
  Json lines(const std::vector<std::string>& words, int code,
             const std::vector<std::string>& before = {}) {
    std::vector<std::string> command = before;
    command.insert(command.end(), {kProgram, "--workspace", (scratch_ / "workspace").string(),
                                   "doctor", "--format", "json"});
    command.insert(command.end(), words.begin(), words.end());
    const Finished ended = run_program(command, scratch_.path());
    EXPECT_EQ(ended.code, code) << ended.output << ended.errors;
    Json by_name;
    for (const Json& line : Json::parse(ended.output)) by_name[line.at("check")] = line;
    return by_name;
  }
  static std::string state(const Json& lines, const char* name) {
    return lines.at(name).at("state").get<std::string>();
  }

  ScratchFolder scratch_{"doctor"};
};

TEST_F(DoctorTest, AllIsWellWhereTheTestsRun) {
  const Json found = lines({"--ranks", "2"}, 0);
  EXPECT_EQ(state(found, "mpi"), "good");
  EXPECT_THAT(found.at("mpi").at("found").get<std::string>(), HasSubstr("2 ranks in "));
  for (const char* name : {"weights", "workspace", "state folder", "free space", "open files"}) {
    EXPECT_EQ(state(found, name), "good") << name;
    EXPECT_TRUE(found.at(name).at("advice").is_null()) << name;
  }
  EXPECT_FALSE(fs::exists(scratch_ / "workspace")) << "it only looks";
}

TEST_F(DoctorTest, SaysWhatToDoWhereSomethingIsMissing) {
  write_file_atomic(scratch_ / "grid.toml", "name = 3\n");
  const Json found = lines({(scratch_ / "grid.toml").string(), "--ranks", "2", "--slurm"}, 1,
                           {"env", "PATH=/nowhere", "REMIXER_STATE_FOLDER=/dev/null/none",
                            "/usr/bin/prlimit", "--nofile=200:400"});
  for (const char* name : {"mpi", "state folder", "open files", "grid", "slurm"}) {
    EXPECT_EQ(state(found, name), "bad") << name;
    EXPECT_TRUE(found.at(name).at("advice").is_string()) << name;
  }
  EXPECT_THAT(found.at("mpi").at("advice").get<std::string>(), HasSubstr("install OpenMPI"));
  EXPECT_EQ(found.at("open files").at("advice"), "ulimit -n 400");
}

TEST_F(DoctorTest, WeightsThatAreMissingAreNamed) {
  const Json found =
      lines({"--ranks", "1"}, 1, {"env", "REMIXER_WEIGHTS=" + scratch_.path().string()});
  EXPECT_EQ(state(found, "weights"), "bad");
  EXPECT_THAT(found.at("weights").at("found").get<std::string>(), HasSubstr("u2netp"));
  EXPECT_EQ(state(found, "mpi"), "good");
}

TEST(MachineChecksTest, DriversAndCards) {
  const std::string version =
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:00:00 UTC 2025\n";
  EXPECT_EQ(check_driver(version, 8, true).health, Health::kGood);
  EXPECT_EQ(check_driver(version, 8, true).found, "NVIDIA 580.65.06, 8 cards visible");
  EXPECT_EQ(check_driver(version, 0, false).health, Health::kWarn);
  EXPECT_EQ(check_driver(version, 0, true).health, Health::kBad);
  EXPECT_EQ(check_driver("", 0, false).health, Health::kAbsent);
  EXPECT_EQ(check_driver("", 0, true).health, Health::kBad);
}

RanksTried on_gpus(const std::string& driver, const std::string& reason) {
  RanksTried tried;
  tried.has_mpirun = true;
  tried.answer = {{"mpi", "Open MPI v4.1.4"},
                  {"ranks", {{{"host", "n1"}, {"device", "cuda:0"}}}},
                  {"device_reason", reason},
                  {"weights", "/weights"},
                  {"labelers", Json::array()},
                  {"cuda",
                   {{"runtime", "13.0"},
                    {"driver", driver},
                    {"cudnn", 91002},
                    {"nccl", "2.28.9"},
                    {"gpus",
                     {{{"uuid", "GPU-1"},
                       {"name", "NVIDIA H100"},
                       {"memory_gib", 79.1},
                       {"capability", "9.0"}}}}}}};
  return tried;
}

TEST(MachineChecksTest, GpusVersionsAndIdleCards) {
  const auto good = check_ranks(on_gpus("13.1", "on 1 GPU, one a rank"), true);
  ASSERT_EQ(good.size(), 5u);
  for (const auto& check : good) EXPECT_EQ(check.health, Health::kGood) << check.name;
  EXPECT_EQ(good[1].found, "NVIDIA H100 (79.1 GiB, compute 9.0)");
  EXPECT_EQ(good[2].found, "CUDA 13.0, NCCL 2.28.9, cuDNN 91002, driver for CUDA 13.1");
  EXPECT_EQ(check_ranks(on_gpus("12.8", "on the CPU: why"), true)[2].health, Health::kBad);
  EXPECT_EQ(check_ranks(on_gpus("13.0", "on the CPU: two ranks, one GPU"), false)[3].health,
            Health::kWarn);
}

// A login node has no GPU, where ./setup alone builds no GPU parts.
TEST(MachineChecksTest, GpuPartsAreAskedForWhereTheyAreMissing) {
  RanksTried tried = on_gpus("", "on the CPU: this build has no GPU parts");
  tried.answer["cuda"] = {{"problem", "this build has no GPU parts"}};
  const auto checks = check_ranks(tried, true);
  const auto cuda = std::find_if(checks.begin(), checks.end(),
                                 [](const auto& check) { return check.name == "cuda"; });
  ASSERT_NE(cuda, checks.end());
  EXPECT_EQ(cuda->health, Health::kBad);
  EXPECT_THAT(cuda->advice, HasSubstr("REMIXER_CUDA=ON ./setup"));
}

TEST(MachineChecksTest, AFullDiskIsBad) {
  EXPECT_EQ(check_room("/tmp", 1).health, Health::kGood);
  EXPECT_EQ(check_room("/tmp", ~uint64_t{0}).health, Health::kBad);
}

}  // namespace
}  // namespace remixer::testing
