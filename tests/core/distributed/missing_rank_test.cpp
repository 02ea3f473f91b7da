// SPDX-License-Identifier: Apache-2.0
// A rank that hangs: the others name it when the time is over, and the whole program ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/program.h"

namespace remixer::training {
namespace {

using ::testing::HasSubstr;

remixer::testing::Finished run(int ranks, std::vector<std::string> arguments) {
  // Tests may be run by root, which mpirun asks about.
  for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
    ::setenv(name, "1", 1);
  const remixer::testing::ScratchFolder scratch("missing-rank");
  std::vector<std::string> command{
      REMIXER_MPIEXEC,       "--oversubscribe",           "--bind-to", "none", "-n",
      std::to_string(ranks), REMIXER_MISSING_RANK_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return remixer::testing::run_program(command, scratch.path(), 60);
}

TEST(MissingRankTest, IsNamedWithTheCollective) {
  const auto finished = run(3, {"sum", "1"});
  EXPECT_NE(finished.code, 0);
  EXPECT_LT(finished.seconds, 40);
  EXPECT_THAT(finished.errors,
              HasSubstr("<rank 1 of 3 did not arrive at the sum over ranks within 2 s; rank "));
}

TEST(MissingRankTest, InTheSumOfGradientsAsWell) {
  EXPECT_THAT(
      run(2, {"gradients", "0"}).errors,
      HasSubstr("<rank 0 of 2 did not arrive at the sum of gradients within 2 s; rank 1 waited"));
}

TEST(MissingRankTest, SeveralAreNamed) {
  EXPECT_THAT(run(4, {"barrier", "0", "3"}).errors,
              HasSubstr("<ranks 0, 3 of 4 did not arrive at the barrier within 2 s"));
}

}  // namespace
}  // namespace remixer::training
