// SPDX-License-Identifier: Apache-2.0
#include "core/training/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remixer::training {
namespace {

experiments::Recipe recipe() {
  experiments::Recipe recipe;
  recipe.epochs = 10;
  recipe.learning_rate = 4e-3;
  recipe.learning_rate_batch = 512;  // 4 × 64 images: half of it
  recipe.warmup_epochs = 4;
  recipe.warmup_rate = 1e-4;
  recipe.min_rate = 1e-5;
  return recipe;
}

TEST(ScheduleTest, EpochsHaveOneRateEach) {
  const Schedule schedule(recipe(), 3);
  EXPECT_DOUBLE_EQ(schedule.base_rate(), 2e-3);
  const double warm[] = {1e-4, 1e-4 + 1.9e-3 / 4, 1e-4 + 1.9e-3 / 2, 1e-4 + 1.9e-3 * 3 / 4};
  for (int64_t step = 0; step < 12; ++step) EXPECT_DOUBLE_EQ(schedule.rate(step), warm[step / 3]);
  // cos(π·5/10) = 0 half way; cos(π·9/10) = −0.9510565162951535 in the last epoch.
  EXPECT_NEAR(schedule.rate(15), 1e-5 + 1.99e-3 * 0.5, 1e-15);
  EXPECT_NEAR(schedule.rate(29), 1e-5 + 1.99e-3 * 0.5 * (1 - 0.9510565162951535), 1e-15);
}

TEST(ScheduleTest, StepsMoveTheRateWithinAnEpoch) {
  auto by_step = recipe();
  by_step.schedule_unit = "step";
  const Schedule schedule(by_step, 4);
  EXPECT_DOUBLE_EQ(schedule.rate(2), 1e-4 + 1.9e-3 * 0.5 / 4);
  EXPECT_NEAR(schedule.rate(30), 1e-5 + 1.99e-3 * (1 + std::cos(M_PI * 0.75)) / 2, 1e-15);
}

// DeiT's code moves the rate after an epoch: everything comes one epoch late.
TEST(ScheduleTest, ReleasedIsOneEpochLate) {
  auto late = recipe();
  late.schedule_unit = "released";
  const Schedule released(late, 3), paper(recipe(), 3);
  for (int64_t step = 0; step < 6; ++step) EXPECT_DOUBLE_EQ(released.rate(step), 1e-4);
  for (int64_t step = 3; step < 30; ++step)
    EXPECT_DOUBLE_EQ(released.rate(step), paper.rate(step - 3));
}

TEST(ScheduleTest, KappaFollowsTheCurveInProportion) {
  auto with_kappa = recipe();
  EXPECT_EQ(Schedule(with_kappa, 3).kappa_rate(7), Schedule(with_kappa, 3).rate(7));
  with_kappa.kappa_lr = 1e-2;
  const Schedule schedule(with_kappa, 3);
  for (int64_t step : {0, 4, 12, 20, 29}) {
    EXPECT_NEAR(schedule.kappa_rate(step), 5 * schedule.rate(step), 1e-15);
  }
}

TEST(ScheduleTest, NoWarmUpBeginsAtTheTop) {
  auto cold = recipe();
  cold.warmup_epochs = 0;
  EXPECT_DOUBLE_EQ(Schedule(cold, 3).rate(0), 2e-3);
}

}  // namespace
}  // namespace remixer::training
