// SPDX-License-Identifier: Apache-2.0
// What a worker says of where it runs.
#include "worker/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace remixer::worker {
namespace {

TEST(EnvironmentTest, TellsRanksKernelsAndSettingsButNoSecret) {
  ::setenv("OMP_NUM_THREADS", "3", 1);
  ::setenv("REMIXER_TOKEN", "secret", 1);
  ::setenv("OMPI_MCA_btl", "^openib", 1);
  ::setenv("OMPI_MCA_orte_hnp_uri", "of one mpirun", 1);
  const auto ranks = Json::array({describe_rank("cuda:0"), describe_rank("cuda:1")});
  const auto worker = describe_worker(ranks, "cuda:0");
  ::unsetenv("REMIXER_TOKEN");
  EXPECT_EQ(worker.ranks, 2);
  EXPECT_EQ(worker.gpus, 2);
  EXPECT_EQ(worker.environment.at("ranks")[1].at("device"), "cuda:1");
  EXPECT_EQ(worker.environment.at("ranks")[1].at("host"), worker.host);
  EXPECT_EQ(worker.environment.at("kernels").at("masked_conv2d"), "aten");
  const Json& settings = worker.environment.at("settings");
  EXPECT_EQ(settings.at("OMP_NUM_THREADS"), "3");
  EXPECT_EQ(settings.at("OMPI_MCA_btl"), "^openib");
  EXPECT_FALSE(settings.contains("OMPI_MCA_orte_hnp_uri"));
  EXPECT_EQ(worker.environment.dump().find("secret"), std::string::npos);
  EXPECT_GT(worker.environment.at("memory_gib"), 0.1);

  const auto plain = describe_worker(Json::array({describe_rank("cpu")}), "cpu");
  EXPECT_EQ(plain.gpus, 0);
  EXPECT_NE(plain.environment.at("kernels").at("masked_conv2d"), "aten");
}

}  // namespace
}  // namespace remixer::worker
