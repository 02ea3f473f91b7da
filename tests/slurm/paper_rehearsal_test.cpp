// SPDX-License-Identifier: Apache-2.0
// Both of the paper's grids, rehearsed at their 224 pixels through a real Slurm on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/slurm/slurm_run.h"

namespace remixer::testing {
namespace {

using ::testing::HasSubstr;

constexpr double kMostSeconds = 20 * 60;  // for both

class PaperRehearsalTest : public ::testing::Test {
 protected:
  void rehearse(const std::string& name, const std::vector<std::string>& tables) {
    const Finished finished =
        run_.run({"rehearse", std::string(REMIXER_SOURCE) + "/experiments/paper/" + name + ".toml",
                  "--site", run_.site().string()},
                 kMostSeconds);
    ASSERT_EQ(finished.code, 0) << finished.output << finished.errors;
    const fs::path scratch = run_.workspace() / "rehearsals" / name;
    EXPECT_EQ(count(scratch, "SELECT count(*) FROM grid_tasks WHERE state != 'done'"), 0);
    EXPECT_EQ(count(scratch, "SELECT count(*) FROM environments WHERE worker LIKE 'n%'") == 0 &&
                  cluster_.own_names(),
              false)
        << "the work was done in allocations";
    for (const std::string& table : tables) {
      const fs::path file = scratch / ("reports/REHEARSAL-" + name) / ("table" + table + ".csv");
      ASSERT_TRUE(fs::exists(file)) << file << finished.output;
      EXPECT_THAT(read_file(file), HasSubstr("REHEARSAL")) << file;
    }
  }

  SlurmCluster cluster_;
  SlurmRun run_{cluster_, "paper"};
};

TEST_F(PaperRehearsalTest, BothGridsFillTheirTablesInTwentyMinutes) {
  SiteChoices choices;
  choices.nodes = 1;
  choices.ranks_per_node = 2;
  choices.maximum = 1;
  run_.write_site(choices);
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_NO_FATAL_FAILURE(rehearse("imagenet9", {"1", "2", "3", "5", "7"}));
  ASSERT_NO_FATAL_FAILURE(rehearse("imagenet", {"6"}));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  EXPECT_LT(seconds, kMostSeconds);
  RecordProperty("seconds", static_cast<int>(seconds));
}

}  // namespace
}  // namespace remixer::testing
