// SPDX-License-Identifier: Apache-2.0
// Finished results wait on the disk until the daemon has them.
#include "worker/outbox.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "experiments/protocol/kept_result.h"
#include "tests/support/program.h"

namespace remixer::worker {
namespace {

using experiments::protocol::Assignment;
using experiments::protocol::AttemptResult;
using experiments::protocol::Ending;
using experiments::protocol::write_kept_result;

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() {
    task.task_id = "task";
    task.attempt = 4;
    task.previous = {"runs/task/1", "runs/task/2", "runs/task/3"};
  }
  // A finished result with the model that it names.
  AttemptResult result(int64_t attempt, Ending ending = Ending::kDone) {
    AttemptResult result;
    result.worker_id = "w1";
    result.task_id = "task";
    result.attempt = attempt;
    result.fence = 10 + attempt;
    result.ending = ending;
    const std::string model = folder_of(attempt) + "/model.safetensors";
    write_file_atomic(folder_ / model, model);
    result.result = {{"model", model}, {"model_sha256", sha256_hex(model)}};
    result.figures = {{"raw", "original", "top1", 61.25, 1000}};
    return result;
  }
  static std::string folder_of(int64_t attempt) { return fmt::format("runs/task/{}", attempt); }
  void keep(const AttemptResult& result) {
    write_kept_result(folder_ / folder_of(result.attempt), result);
  }
  int64_t found() {
    const auto result = earlier_result(folder_.path(), task);
    return result ? result->attempt : 0;
  }
  testing::ScratchFolder folder_{"outbox"};
  Assignment task;
};

TEST_F(OutboxTest, NewestFinishedResultIsFound) {
  EXPECT_EQ(found(), 0);
  keep(result(1));
  EXPECT_EQ(found(), 1);
  keep(result(2));
  const auto kept = earlier_result(folder_.path(), task);
  ASSERT_TRUE(kept);
  EXPECT_EQ(experiments::protocol::to_json(*kept), experiments::protocol::to_json(result(2)));
}

TEST_F(OutboxTest, TornForeignAndUnfinishedOnesArePassedOver) {
  keep(result(1));
  const std::string whole = read_file(folder_ / "runs/task/1/result.json");
  for (size_t length = 0; length < whole.size(); length += 7) {
    write_file_atomic(folder_ / "runs/task/2/result.json", whole.substr(0, length));
    ASSERT_EQ(found(), 1) << length;
  }
  write_file_atomic(folder_ / "runs/task/2/result.json", "{\"other\": true}");
  EXPECT_EQ(found(), 1);
  keep(result(2, Ending::kFailed));
  EXPECT_EQ(found(), 1);
  AttemptResult other = result(3);
  other.task_id = "another";
  keep(other);
  EXPECT_EQ(found(), 1);
}

// Sent again, it would be 'done' without a model, and every evaluation would fail for ever.
TEST_F(OutboxTest, ResultWhoseFilesAreGoneOrChangedIsNotBelieved) {
  keep(result(1));
  keep(result(2));
  std::filesystem::remove(folder_ / "runs/task/2/model.safetensors");
  EXPECT_EQ(found(), 1);
  write_file_atomic(folder_ / "runs/task/1/model.safetensors", "other bytes");
  EXPECT_EQ(found(), 0);
}

TEST_F(OutboxTest, ResultOlderThanTheLastQueueingDoesNotCount) {
  keep(result(1));
  keep(result(2));
  task.results_from = 2;
  EXPECT_EQ(found(), 2);
  task.results_from = 3;
  EXPECT_EQ(found(), 0);
}

// A worker that is killed while it writes leaves the old file or the new one.
TEST_F(OutboxTest, ResultAppearsWholeOrNotAtAll) {
  keep(result(1));
  keep(result(1));
  for (const auto& each : std::filesystem::directory_iterator(folder_ / "runs/task/1")) {
    EXPECT_NE(each.path().extension(), ".tmp");
  }
}

}  // namespace
}  // namespace remixer::worker
