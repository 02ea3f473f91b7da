// SPDX-License-Identifier: Apache-2.0
// Power cuts: after every single write and sync of a history, with unsynced writes kept, dropped,
// torn or out of order, the database opens again, is whole, and holds each acknowledged command,
// wholly, and of the others each wholly or not at all.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/hash.h"
#include "coordinator/store/store.h"
#include "tests/coordinator/store/recording_vfs.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::Ending;
namespace fs = std::filesystem;

const Settings kSettings;
constexpr int kCheckpointPages = 24;  // so that the log is often written back

// All that a database says, in one line.
std::string digest(const Store& store) {
  const State state = store.load({0, 0}, kSettings);
  std::map<std::string, std::string> lines;
  for (const auto& [id, entry] : state.tasks) {
    lines[id] =
        fmt::format("{} {} {} {} {} {}", to_string(entry.state), entry.order, entry.attempts,
                    entry.fence, store.result(entry).dump(), store.figures(entry).size());
  }
  for (const auto& [id, grid] : state.grids) {
    lines[std::to_string(id)] = fmt::format("{} {} {} {}", grid.name, grid.tasks.size(),
                                            grid.cancelled, static_cast<int>(grid.paused));
  }
  std::string text = fmt::format("{} {}", state.next_fence, state.workers.size());
  for (const auto& [key, line] : lines) text += key + line;
  return sha256_hex(text);
}

// What happened to the database, and what it said after each command.
struct History {
  std::vector<DiskOperation> operations;
  struct Moment {
    size_t operations = 0;  // when the command was acknowledged
    std::string digest;
  };
  std::vector<Moment> moments;  // [0]: the empty database
};

// A day in a daemon's life, with an orderly restart in the middle. `whole`: each command is one
// transaction, as it should be.
class Writer {
 public:
  Writer(const std::filesystem::path& file, bool whole) : file_(file), whole_(whole) {}

  History write() {
    RecordingVfs vfs;
    open();
    note(vfs);
    for (int64_t day = 0; day < 2; ++day) {
      tell(vfs, RegisterEvent{make_worker(1 + day)});
      tell(vfs, SubmitEvent(make_grid("a", {1 + 2 * day, 2 + 2 * day})));
      work(vfs, 5);
      tell(vfs, CancelTaskEvent{state_.grids.begin()->second.tasks.back()->id()});
      tell(vfs, PauseGridEvent{1, day ? Pause::kNone : Pause::kNow});
      work(vfs, day ? 3 : 0);
      if (day == 0) open();
    }
    store_.reset();
    history_.operations = vfs.operations();
    return std::move(history_);
  }

 private:
  void open() {
    store_.reset();
    store_ = std::make_unique<Store>(file_, kCheckpointPages);
    state_ = store_->load(now_, kSettings);
  }

  Reply tell(const RecordingVfs& vfs, const Event& event) {
    now_.monotonic += 1, now_.wall += 1;
    Effects effects = step(state_, event, now_, kSettings);
    if (whole_) {
      store_->commit(effects.writes);
    } else {
      for (const Write& each : effects.writes) store_->commit({each});
    }
    note(vfs);
    return std::move(effects.reply);
  }

  void work(const RecordingVfs& vfs, int tasks) {
    const std::string worker = state_.workers.rbegin()->first;
    for (int i = 0; i < tasks; ++i) {
      const auto claim = std::get<protocol::ClaimReply>(tell(vfs, ClaimEvent{worker}));
      if (!claim.assignment) return;
      auto beat = heartbeat_of(*claim.assignment, 3);
      beat.metrics = {{3, 0.5, "loss", 1.5}};
      tell(vfs, HeartbeatEvent{beat});
      auto result = result_of(*claim.assignment, i == 1 ? Ending::kReleased : Ending::kDone);
      if (claim.assignment->task.kind == TaskKind::kEvaluate) {
        result.figures = {{"raw", "original", "top1", 60.5, 1000}};
      }
      tell(vfs, ResultEvent{result});
    }
  }

  void note(const RecordingVfs& vfs) {
    // Reading does not write.
    history_.moments.push_back({vfs.operations().size(), digest(*store_)});
  }

  std::filesystem::path file_;
  bool whole_;
  std::unique_ptr<Store> store_;
  State state_;
  Now now_{100, 1.8e9};
  History history_;
};

// Puts an image where a database can be opened; unchanged images are told by their hash.
std::string write_image(const Image& image, const std::string& from, const fs::path& to) {
  std::string all;
  for (const char* end : {"", "-wal", "-journal"}) {
    const auto found = image.find(from + end);
    const bool there = found != image.end() && found->second;
    all += there ? end + *found->second : "-";
    fs::remove(to.string() + end);
    if (there) std::ofstream(to.string() + end, std::ios::binary) << *found->second;
  }
  fs::remove(to.string() + "-shm");
  return all;
}

struct Verdict {
  size_t images = 0, opened = 0;
  std::string violation;
};

class CrashImageTest : public ::testing::Test {
 protected:
  // What is wrong with this image; empty where nothing is.
  std::string look_at(const History& history, size_t operations) {
    std::string found;
    try {
      const Store store(image_file, kCheckpointPages);
      found = digest(store);
      SQLite::Database other(image_file.string(), SQLite::OPEN_READONLY);
      const std::string verdict = other.execAndGet("PRAGMA integrity_check").getString();
      if (verdict != "ok") return "integrity: " + verdict;
      SQLite::Statement broken(other, "PRAGMA foreign_key_check");
      if (broken.executeStep()) return "a row refers to one that is not there";
    } catch (const std::exception& error) {
      return error.what();
    }
    // The last command that was acknowledged, or any after it.
    size_t acknowledged = 0;
    for (size_t i = 0; i < history.moments.size(); ++i) {
      if (history.moments[i].operations <= operations) acknowledged = i;
    }
    for (size_t i = acknowledged; i < history.moments.size(); ++i) {
      if (history.moments[i].digest == found) return "";
    }
    for (size_t i = 0; i < acknowledged; ++i) {
      if (history.moments[i].digest == found) {
        return fmt::format("command {} was acknowledged, only {} are there", acknowledged, i);
      }
    }
    return "a command is there in part";
  }

  // Every prefix, every tail, until the first violation.
  Verdict sweep(const History& history, bool with_sync) {
    Verdict verdict;
    DiskReplay replay(history.operations, with_sync);
    size_t done = 0;
    std::set<std::string> seen;
    while (replay.advance()) {
      ++done;
      if (done < history.moments[0].operations) continue;  // the database is being made
      for (const Tail tail : {Tail::kKept, Tail::kDropped, Tail::kTorn, Tail::kLastOnly}) {
        ++verdict.images;
        size_t acknowledged = 0;
        for (const auto& moment : history.moments) acknowledged += moment.operations <= done;
        const std::string bytes = write_image(replay.image(tail), file.string(), image_file);
        if (!seen.insert(sha256_hex(bytes) + std::to_string(acknowledged)).second) continue;
        ++verdict.opened;
        const std::string wrong = look_at(history, done);
        if (wrong.empty()) continue;
        verdict.violation = fmt::format("after operation {} of {}, tail {}: {}", done,
                                        history.operations.size(), static_cast<int>(tail), wrong);
        return verdict;
      }
    }
    return verdict;
  }

  void SetUp() override { fs::create_directories(images); }
  void TearDown() override { fs::remove_all(images); }

  TemporaryFolder folder;
  fs::path file = folder.path / "remixer.db";
  // Thousands of databases that are looked at once: in memory, where there is room for files.
  fs::path images =
      (fs::exists("/dev/shm") ? fs::path("/dev/shm") : folder.path) / folder.path.filename();
  fs::path image_file = images / "image.db";
};

TEST_F(CrashImageTest, EveryPrefixOpensAndHoldsWhatWasAcknowledged) {
  const History history = Writer(file, true).write();
  ASSERT_GT(history.moments.size(), 30u);
  const Verdict verdict = sweep(history, true);
  EXPECT_EQ(verdict.violation, "");
  std::printf("%zu commands, %zu disk operations, %zu images, %zu different ones opened\n",
              history.moments.size(), history.operations.size(), verdict.images, verdict.opened);
}

TEST_F(CrashImageTest, WithoutTheSyncAcknowledgedCommandsAreMissed) {
  const Verdict verdict = sweep(Writer(file, true).write(), false);
  EXPECT_NE(verdict.violation, "");
  std::printf("found: %s\n", verdict.violation.c_str());
}

TEST_F(CrashImageTest, WithoutTheTransactionHalfACommandIsFound) {
  const Verdict verdict = sweep(Writer(file, false).write(), true);
  EXPECT_NE(verdict.violation, "");
  std::printf("found: %s\n", verdict.violation.c_str());
}

}  // namespace
}  // namespace remixer::coordinator
