// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/plan_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remixer::coordinator::command {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

experiments::Outlook small_plan() {
  experiments::Outlook outlook;
  outlook.cells = 1;
  outlook.tasks = 3;
  outlook.tasks_reused = 1;
  outlook.rows = {{.kind = "train",
                   .what = "deit · none",
                   .tasks = 1,
                   .images = 3200,
                   .device_hours = 0.2,
                   .gigabytes = 0.0123,
                   .basis = "stated"},
                  {.kind = "label",
                   .what = "saliency",
                   .tasks = 1,
                   .images = 7200,
                   .processor_hours = 1.01,
                   .gigabytes = 1.3,
                   .basis = "stated"}};
  outlook.device_hours = 0.2;
  outlook.processor_hours = 1.01;
  outlook.wall_hours = 0.6;
  outlook.longest_hours = 0.2;
  outlook.label_gigabytes = 1.3;
  outlook.model_gigabytes = 0.0123;
  return outlook;
}

const experiments::Machine kEightWorkers{
    .gpu = true, .model = "a100", .devices = 4, .processors = 48, .workers = 8};

TEST(PlanText, OneOfAThingIsOne) {
  EXPECT_EQ(plan_heading("g", small_plan()),
            "g: 1 cell (0 finished already), 3 tasks: 1 reused, 2 to run");
}

TEST(PlanText, SmallTimesAndSizesAreNotRoundedAway) {
  const std::string totals = totals_text(small_plan(), {.devices = 2, .processors = 2}, false);
  EXPECT_EQ(totals,
            "Time: 12 processor-minutes of training and evaluation, 1 processor-hour of labelling; "
            "36 min by 1 worker of 2 processors (give --site for your cluster), one training 12 "
            "min\n"
            "Disk: 1.3 GB of labels, 12 MB of models, beside the data sets\n");
  const std::string table = work_table(small_plan(), false, Reader::kPerson).text();
  EXPECT_THAT(table, AllOf(HasSubstr("processor_time"), HasSubstr("12 min"), HasSubstr("1 h"),
                           HasSubstr("12 MB"), Not(HasSubstr("0.0"))));
}

TEST(PlanText, LargeTimesAreRounded) {
  experiments::Outlook large = small_plan();
  large.device_hours = 421.7;
  large.processor_hours = 0;
  large.wall_hours = 60;
  large.longest_hours = 43.4;
  EXPECT_THAT(totals_text(large, kEightWorkers, true),
              StartsWith("Time: 422 GPU-hours of training and evaluation; 2.5 days by 8 workers of "
                         "4 a100 GPUs, one training 43 h\n"));
}

TEST(PlanText, LabelsMayBeMadeOnGpus) {
  experiments::Outlook plan = small_plan();
  plan.rows[1].device_hours = 2;
  plan.device_hours = 2.2;
  EXPECT_THAT(totals_text(plan, kEightWorkers, true),
              StartsWith("Time: 2.2 GPU-hours of training, evaluation and labelling, 1 "
                         "processor-hour to read images for labels or cut them; "));
  EXPECT_EQ(Json::parse(work_table(plan, true, Reader::kProgram).json()).at(1).at("gpu_hours"), 2);
}

TEST(PlanText, MissingInputsSayWhatBringsThem) {
  EXPECT_EQ(missing_text({}), "Nothing is missing.\n");
  EXPECT_EQ(missing_text({{.what = "weights",
                           .name = "u2netp",
                           .kind = "saliency",
                           .problem = "it is not there",
                           .source = "the packages that ./setup fetches",
                           .command = "./setup",
                           .gigabytes = 0.02}}),
            "Missing (1):\n"
            "  weights u2netp, about 20 MB\n"
            "    from  the packages that ./setup fetches\n"
            "    by    ./setup\n");
}

TEST(PlanText, ProgramsReadHours) {
  const Table table = work_table(small_plan(), true, Reader::kProgram);
  EXPECT_THAT(table.csv(),
              StartsWith("kind,what,tasks,reused,images,gpu_hours,label_processor_hours,gigabytes,"
                         "from\ntrain,deit · none,1,0,3200,0.2,,0.0123,stated\n"));
  EXPECT_EQ(Json::parse(table.json()).at(1).at("label_processor_hours"), 1.01);
}

}  // namespace
}  // namespace remixer::coordinator::command
