// Finished results wait on the disk until the daemon has them.
#include "worker/outbox.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/program.h"

namespace remixer::worker {
namespace {

using experiments::protocol::AttemptResult;
using experiments::protocol::Ending;

AttemptResult result(int64_t attempt, Ending ending = Ending::kDone) {
  AttemptResult result;
  result.worker_id = "w1";
  result.task_id = "task";
  result.attempt = attempt;
  result.fence = 10 + attempt;
  result.ending = ending;
  result.result = {{"steps", 100}};
  result.figures = {{"raw", "original", "top1", 61.25, 1000}};
  return result;
}

class OutboxTest : public ::testing::Test {
 protected:
  std::vector<std::filesystem::path> folders() { return {folder_ / "1", folder_ / "2"}; }
  testing::ScratchFolder folder_{"outbox"};
};

TEST_F(OutboxTest, NewestFinishedResultIsFound) {
  EXPECT_FALSE(kept_result(folders()));
  keep_result(folder_ / "1", result(1));
  EXPECT_EQ(kept_result(folders())->attempt, 1);
  keep_result(folder_ / "2", result(2));
  const auto kept = kept_result(folders());
  ASSERT_TRUE(kept);
  EXPECT_EQ(experiments::protocol::to_json(*kept), experiments::protocol::to_json(result(2)));
}

TEST_F(OutboxTest, TornForeignAndUnfinishedOnesArePassedOver) {
  keep_result(folder_ / "1", result(1));
  const std::string whole = read_file(folder_ / "1" / "result.json");
  for (size_t length = 0; length < whole.size(); length += 7) {
    write_file_atomic(folder_ / "2" / "result.json", whole.substr(0, length));
    ASSERT_EQ(kept_result(folders())->attempt, 1) << length;
  }
  write_file_atomic(folder_ / "2" / "result.json", "{\"other\": true}");
  EXPECT_EQ(kept_result(folders())->attempt, 1);
  keep_result(folder_ / "2", result(2, Ending::kFailed));
  EXPECT_EQ(kept_result(folders())->attempt, 1);
}

// A worker that is killed while it writes leaves the old file or the new one.
TEST_F(OutboxTest, ResultAppearsWholeOrNotAtAll) {
  keep_result(folder_ / "1", result(1));
  keep_result(folder_ / "1", result(1));
  for (const auto& each : std::filesystem::directory_iterator(folder_ / "1")) {
    EXPECT_EQ(each.path().filename(), "result.json");
  }
}

}  // namespace
}  // namespace remixer::worker
