// SPDX-License-Identifier: Apache-2.0
// kill -9 of a training process, at chosen steps and at moments that nobody chose, while it writes
// checkpoints as well: taken up again it ends with the very bytes of the run that was left alone.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/hash.h"
#include "base/random.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"

namespace remixer::training {
namespace {

using remixer::testing::eventually;
using remixer::testing::Finished;
using remixer::testing::Program;
using remixer::testing::ScratchFolder;

class KillTest : public ::testing::Test {
 protected:
  KillTest() : scratch_("kill") {
    remixer::testing::write_tiny_dataset(scratch_ / "data", 100, 8);
    // Tests may be run by root, which mpirun asks about.
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
      ::setenv(name, "1", 1);
  }

  std::vector<std::string> command(const std::string& folder, int ranks,
                                   const std::string& architecture,
                                   const std::string& checkpoint_seconds, int pause_at = -1) const {
    std::vector<std::string> words;
    if (ranks > 1) {
      words = {REMIXER_MPIEXEC,      "--oversubscribe", "--bind-to", "none", "-n",
               std::to_string(ranks)};
    }
    words.insert(words.end(),
                 {REMIXER_TRAIN_PROGRAM, (scratch_ / "data").string(), (scratch_ / folder).string(),
                  architecture, checkpoint_seconds, std::to_string(pause_at)});
    return words;
  }

  void finish(const std::string& folder, int ranks, const std::string& architecture) {
    const Finished finished =
        remixer::testing::run_program(command(folder, ranks, architecture, "0"), scratch_.path());
    ASSERT_EQ(finished.code, 0) << finished.errors;
    ASSERT_NE(finished.output.find("done"), std::string::npos);
  }

  // Starts, waits for a step's line and kills.
  void kill_at_step(const std::string& folder, const std::string& architecture, int step,
                    const std::string& checkpoint_seconds) {
    Program program(command(folder, 1, architecture, checkpoint_seconds, step), scratch_.path());
    const std::string line = fmt::format("step {}\n", step);
    ASSERT_TRUE(eventually([&] { return program.output().find(line) != std::string::npos; }))
        << program.errors();
    program.signal(SIGKILL);
    ASSERT_EQ(program.wait().code, 128 + SIGKILL);
  }

  void expect_equal(const std::string& folder, const std::string& other) {
    for (const char* name : {"model.safetensors", "ema.safetensors", "best.safetensors"}) {
      EXPECT_EQ(sha(folder, name), sha(other, name)) << folder << "/" << name;
    }
    EXPECT_NE(sha(folder, "model.safetensors"), sha(folder, "ema.safetensors"));
  }

  std::string sha(const std::string& folder, const std::string& name) const {
    return sha256_file(scratch_ / folder / name);
  }

  ScratchFolder scratch_;
};

TEST_F(KillTest, AtAnyStepCostsNothingButTime) {
  const std::string deit = "deit_nano_patch4_32";
  finish("whole", 1, deit);
  // At the first step, within an epoch, at an epoch's end, and before the last.
  kill_at_step("often", deit, 1, "0");
  kill_at_step("often", deit, 4, "0");
  kill_at_step("often", deit, 7, "0");
  kill_at_step("often", deit, 11, "0");
  finish("often", 1, deit);
  expect_equal("often", "whole");
  // Before there was any checkpoint.
  kill_at_step("early", deit, 3, "1000");
  finish("early", 1, deit);
  expect_equal("early", "whole");
}

TEST_F(KillTest, AtAnyMomentCostsNothingButTime) {
  const std::string mixer = "convmixer_nano_patch4_32";
  finish("whole", 1, mixer);
  Random random(17, RandomPurpose::kTest);
  for (int round = 0; round < 6; ++round) {
    Program program(command("part", 1, mixer, "0"), scratch_.path());
    ASSERT_TRUE(eventually([&] { return program.output().find("pid") != std::string::npos; }));
    // From before the first step to the middle of a checkpoint's writing.
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random.below(600)));
    program.signal(SIGKILL);
    program.wait();
  }
  finish("part", 1, mixer);
  expect_equal("part", "whole");
}

TEST_F(KillTest, OfOneRankEndsAllAndCostsNothingButTime) {
  const std::string deit = "deit_nano_patch4_32";
  finish("whole", 2, deit);
  {
    Program program(command("part", 2, deit, "0", 5), scratch_.path());
    ASSERT_TRUE(eventually([&] { return program.output().find("step 5\n") != std::string::npos; }))
        << program.errors();
    const std::string output = program.output();
    const size_t line = output.rfind("pid ");
    ::kill(std::stoi(output.substr(line + 4)), SIGKILL);
    EXPECT_NE(program.wait(60).code, 0);
  }
  EXPECT_FALSE(fs::exists(scratch_ / "part/model.safetensors"));
  finish("part", 2, deit);
  expect_equal("part", "whole");
}

}  // namespace
}  // namespace remixer::training
