// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator::command {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

experiments::Machine machine(const std::string& allocation) {
  return machine_of(slurm::read_site("[allocation]\nranks_per_node = 4\ncpus_per_rank = 3\n" +
                                         allocation + "[queue]\nmaximum = 2\n",
                                     "site.toml"));
}

// The plan and the batch script agree on what trains.
TEST(Plan, SitesHaveTheGpusThatTheyRequest) {
  for (const char* allocation :
       {"gres = \"nvme:1,gpu:h100:4\"\n", "options = [\"--gpus-per-node=h100:4\"]\n",
        "options = [\"--gres=gpu:h100:4\"]\n", "options = [\"-G h100:4\"]\n"}) {
    const experiments::Machine found = machine(allocation);
    EXPECT_TRUE(found.gpu) << allocation;
    EXPECT_EQ(found.model, "h100") << allocation;
    EXPECT_EQ(found.devices, 4) << allocation;
    EXPECT_EQ(found.processors, 12) << allocation;
    EXPECT_EQ(found.workers, 2) << allocation;
  }
  EXPECT_TRUE(machine("options = [\"--gpus-per-task=1\"]\n").gpu);
  EXPECT_FALSE(machine("gres = \"nvme:1\"\n").gpu);
  EXPECT_EQ(machine("").devices, 12);
  EXPECT_FALSE(machine("gres = \"gpu:4\"\n[worker]\ndevice = \"cpu\"\n").gpu);
}

class ReadyTest : public ::testing::Test {
 protected:
  // What keeps a grid with these labelers from being submitted.
  std::string refusal(const std::string& labelers) {
    const fs::path file = folder.path / "g.toml";
    write_file_atomic(file,
                      "name = \"g\"\n[dataset.clothes]\nbuilder = \"fashion-bg\"\n"
                      "[dataset.photos]\nbuilder = \"imported\"\n[labeler.mine]\n"
                      "kind = \"bigbigan\"\npinned = \"unet\"\n[recipe.r]\nshard_size = 2\n"
                      "[[cells]]\narchitecture = \"deit_nano_patch4_32\"\ndataset = \"clothes\"\n"
                      "labeler = " +
                          labelers + "\n[[evaluation]]\nsets = [\"original\"]\n");
    const fs::path workspace = folder.path / "workspace";
    try {
      read_ready_grid(file, workspace);
      read_ready_file(file, workspace);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  testing::TemporaryFolder folder;
};

TEST_F(ReadyTest, OnlySectionsInUseMustHaveTheirInputs) {
  EXPECT_EQ(refusal("\"none\""), "");
  EXPECT_THAT(refusal("[\"none\", \"mine\"]"),
              AllOf(HasSubstr("nothing is pinned as 'unet'"), Not(HasSubstr("photos"))));
}

}  // namespace
}  // namespace remixer::coordinator::command
