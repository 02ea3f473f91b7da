// SPDX-License-Identifier: Apache-2.0
// What a committed result names is never deleted, whatever is done in whichever order.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "coordinator/engine/adopt.h"
#include "coordinator/engine/garbage_collection.h"
#include "experiments/protocol/kept_result.h"
#include "experiments/protocol/result_files.h"
#include "tests/coordinator/scheduler/draw.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::Ending;
namespace fs = std::filesystem;

TEST(ResultFiles, AreFoundWhereverTheyStand) {
  const Json result = {{"model", "runs/a/1/model.safetensors"},
                       {"model_sha256", "00"},
                       {"ema", nullptr},
                       {"kinds", {{{"file", "labels/x/y.labels"}}, {{"other", "reports/z"}}}},
                       {"note", "runs/../etc/passwd"},
                       {"steps", 10}};
  const auto files = protocol::result_files(result);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "labels/x/y.labels");
  EXPECT_EQ(files[1].path, "runs/a/1/model.safetensors");
  EXPECT_EQ(files[1].sha256, "00");
  EXPECT_TRUE(protocol::result_files(nullptr).empty());
}

// One history from one seed: workers that finish, fail, die and send again what an earlier attempt
// finished; people who cancel, retry, remove and collect garbage; restarts of the daemon.
class History {
 public:
  History(uint64_t seed, const fs::path& folder) : draw_(seed), folder_(folder) {
    settings_.backoff_seconds = settings_.loss_backoff_seconds = 0;
    settings_.lease_seconds = 0.001;
    open();
    engine_->submit(grid_);
  }

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      act();
      check(i);
      if (::testing::Test::HasFailure()) return;
    }
  }

  int64_t collected = 0, resent = 0, committed = 0;

 private:
  void open(bool adopt = false) {
    engine_.reset();
    engine_ = std::make_unique<Engine>(
        Engine::Options{folder_, folder_ / "remixer.db", settings_, &system_clock(), adopt});
  }

  void act() {
    switch (draw_(16)) {
      case 0:
        return open();
      case 1:
      case 2:
        return collect(std::nullopt);
      case 3:
        return collect(uint64_t{0});
      case 4:
        return order();
      case 5:
        lose_file();
        [[fallthrough]];
      case 6:
        engine_->submit(grid_);
        return;
      case 7:
        if (draw_.once_in(4)) return lose_database();
        [[fallthrough]];
      default:
        return work();
    }
  }

  void collect(std::optional<int64_t> quota) {
    const auto gone = collect_garbage(*engine_, {.dry_run = false, .quota = quota});
    collected += static_cast<int64_t>(gone.items.size());
  }

  void order() {
    const std::string id = grid_.tasks[draw_(grid_.tasks.size())].id();
    try {
      switch (draw_(4)) {
        case 0:
          engine_->cancel_task(id);
          return;
        case 1:
          engine_->remove_task(id);
          return;
        default:
          engine_->retry_task(id);
      }
    } catch (const InputError&) {
      // Not possible as things stand.
    }
  }

  // A file of a finished task is gone from the disk: the only way that may happen.
  void lose_file() {
    for (const auto& [id, result] : done()) {
      if (!draw_.once_in(4)) continue;
      for (const auto& file : protocol::result_files(result)) {
        lost_.insert(file.path);
        fs::remove_all(folder_ / file.path);
      }
    }
  }

  // The database is lost; results are read back.
  void lose_database() {
    engine_.reset();
    for (const char* end : {"", "-wal", "-shm"})
      fs::remove(folder_ / ("remixer.db" + std::string(end)));
    open(true);
    // Whoever collects before anything was read back finds nothing that it may delete.
    const auto gone = collect_garbage(*engine_, {.dry_run = false, .quota = 0});
    EXPECT_TRUE(gone.items.empty());
    const auto submitted = engine_->submit(grid_);
    adopt_results(*engine_, submitted.grid_id);
  }

  void work() {
    if (worker_.empty() || draw_.once_in(6)) {
      worker_ = engine_->register_worker(make_worker(++pids_)).worker_id;
    }
    protocol::ClaimReply reply;
    try {
      reply = engine_->claim({worker_, {}});
    } catch (const NotFound&) {
      worker_.clear();
      return;
    }
    if (!reply.assignment) {
      engine_->tick();
      return;
    }
    const Assignment& task = *reply.assignment;
    auto result = earlier(task);
    const bool again = result.has_value();
    if (!again) result = make(task);
    if (!result || draw_.once_in(4)) return;  // it dies before it has sent anything
    if (result->ending == Ending::kDone && !again)
      protocol::write_kept_result(folder_ / task.folder, *result);
    if (draw_.once_in(4)) return;  // or before its result arrives
    if (engine_->result(*result).accepted && result->ending == Ending::kDone) {
      ++committed;
      resent += again;
    }
  }

  // As a worker looks for one.
  std::optional<protocol::AttemptResult> earlier(const Assignment& task) const {
    for (size_t i = task.previous.size(); i-- > 0;) {
      if (static_cast<int64_t>(i) + 1 < task.results_from) break;
      auto kept = protocol::read_kept_result(folder_ / task.previous[i]);
      if (!kept || protocol::result_damage(folder_, kept->result, true)) continue;
      kept->worker_id = worker_;
      kept->attempt = task.attempt;
      kept->fence = task.fence;
      return kept;
    }
    return std::nullopt;
  }

  std::optional<protocol::AttemptResult> make(const Assignment& task) {
    const auto put = [&](const std::string& name) {
      const std::string path = task.folder + "/" + name;
      write_file_atomic(folder_ / path, path);
      return path;
    };
    put("checkpoint-00000001.safetensors");
    put("checkpoint-00000001.json");
    auto result = result_of(task, draw_.once_in(6) ? Ending::kFailed : Ending::kDone);
    result.worker_id = worker_;
    if (result.ending != Ending::kDone) return result;
    result.result = Json::object();
    for (const char* name : {"model", "ema", "best"}) {
      const std::string path = put(std::string(name) + ".safetensors");
      result.result[name] = path;
      result.result[std::string(name) + "_sha256"] = sha256_hex(path);
      lost_.erase(path);
    }
    return result;
  }

  std::map<std::string, Json> done() const {
    std::map<std::string, Json> results;
    engine_->query([&](const Engine::View& view) {
      for (const auto& [id, entry] : view.state.tasks) {
        if (entry.state == TaskState::kDone) results[id] = view.store.result(entry);
      }
    });
    return results;
  }

  void check(int event) const {
    for (const auto& [id, result] : done()) {
      for (const auto& file : protocol::result_files(result)) {
        if (lost_.count(file.path)) continue;
        ASSERT_TRUE(fs::exists(folder_ / file.path))
            << "event " << event << ": " << file.path << " of a committed result is gone";
      }
    }
  }

  Draw draw_;
  fs::path folder_;
  Settings settings_;
  protocol::SubmitGrid grid_ = make_grid("g", {1, 2});
  std::unique_ptr<Engine> engine_;
  std::string worker_;
  int64_t pids_ = 0;
  std::set<std::string> lost_;
};

TEST(CommittedFiles, StayThroughAnyHistory) {
  int64_t collected = 0, resent = 0, committed = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    TemporaryFolder folder;
    History history(seed, folder.path);
    history.run(60);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    collected += history.collected, resent += history.resent, committed += history.committed;
  }
  std::printf("%ld results, %ld of them sent again, %ld files collected\n", committed, resent,
              collected);
  EXPECT_GT(resent, 20) << "the histories must have what they are about";
  EXPECT_GT(collected, 200);
}

// The result names runs/<id>/1/...; the attempt that is recorded is the second.
TEST(CommittedFiles, ReSentModelIsNotGarbage) {
  TemporaryFolder folder;
  Settings settings;
  settings.lease_seconds = 0.001;
  Engine engine(Engine::Options{folder.path, folder.path / "remixer.db", settings});
  engine.submit(make_grid("g", {1}));
  const std::string worker = engine.register_worker(make_worker(1)).worker_id;
  engine.result(result_of(engine.claim({worker, {}}).assignment.value()));
  const Assignment first = engine.claim({worker, {}}).assignment.value();
  for (const char* name : {"model", "ema", "best"}) {
    write_file_atomic(folder.path / first.folder / (std::string(name) + ".safetensors"), name);
  }
  engine.tick();  // its lease is over
  const std::string other = engine.register_worker(make_worker(2)).worker_id;
  engine.worker_gone(worker, "died", false);
  const Assignment second = engine.claim({other, {}}).assignment.value();
  ASSERT_EQ(second.task_id, first.task_id);
  auto result = result_of(second);
  result.result = {{"model", first.folder + "/model.safetensors"},
                   {"ema", first.folder + "/ema.safetensors"},
                   {"best", first.folder + "/best.safetensors"}};
  ASSERT_TRUE(engine.result(result).accepted);
  for (const std::optional<int64_t> quota : {std::optional<int64_t>(), std::optional<int64_t>(0)}) {
    collect_garbage(engine, {.dry_run = false, .quota = quota});
    for (const char* name : {"model", "ema", "best"}) {
      EXPECT_TRUE(fs::exists(folder.path / first.folder / (std::string(name) + ".safetensors")))
          << name;
    }
  }
}

}  // namespace
}  // namespace remixer::coordinator
