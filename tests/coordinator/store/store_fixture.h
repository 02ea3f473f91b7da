// SPDX-License-Identifier: Apache-2.0
// A store in a scratch folder, and a grid that was worked through.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/store/store.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator::testing {

using protocol::Assignment;

inline const Now kNow{500, 1795430880};  // 2026-11-23T10:48:00Z
inline const Settings kSettings;

// Steps events on a store's state and commits what they did.
struct Runner {
  explicit Runner(Store& store) : store(store), state(store.load(kNow, kSettings)) {}
  template <typename T>
  T ask(const Event& event) {
    Effects effects = step(state, event, kNow, kSettings);
    store.commit(effects.writes);
    return std::get<T>(effects.reply);
  }
  void tell(const Event& event) { store.commit(step(state, event, kNow, kSettings).writes); }
  Assignment claim(const std::string& worker) {
    auto reply = ask<protocol::ClaimReply>(ClaimEvent{worker});
    store.texts(reply.assignment.value()).complete(*reply.assignment);
    return *reply.assignment;
  }
  std::string join(int64_t pid) {
    return ask<protocol::WorkerRegistered>(RegisterEvent{make_worker(pid)}).worker_id;
  }
  Store& store;
  State state;
};

class StoreTest : public ::testing::Test {
 protected:
  std::string message_of_opening() {
    try {
      Store store(file);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  // A grid worked through, with figures and metrics.
  void fill(Store& store) {
    Runner runner(store);
    runner.ask<protocol::GridSubmitted>(SubmitEvent{make_grid("g", {1}), {}});
    const std::string worker = runner.join(1);
    for (int i = 0; i < 4; ++i) {
      const Assignment assignment = runner.claim(worker);
      auto beat = heartbeat_of(assignment, 10);
      beat.metrics = {{10, 0.5, "loss", 1.25}};
      runner.ask<protocol::HeartbeatReply>(HeartbeatEvent{beat});
      auto result = result_of(assignment);
      if (assignment.task.kind == TaskKind::kEvaluate) {
        result.figures = {{"raw", assignment.task.spec["eval_set"], "top1", 61.5, 1000}};
      }
      runner.ask<protocol::ResultReply>(ResultEvent{result});
    }
  }

  std::vector<std::string> rows(const std::string& sql) {
    SQLite::Database database(file.string(), SQLite::OPEN_READONLY);
    SQLite::Statement statement(database, sql);
    std::vector<std::string> lines;
    while (statement.executeStep()) {
      std::string line;
      for (int i = 0; i < statement.getColumnCount(); ++i) {
        line +=
            (i ? "|" : "") + (statement.getColumn(i).isNull() ? std::string("-")
                                                              : statement.getColumn(i).getString());
      }
      lines.push_back(line);
    }
    return lines;
  }

  TemporaryFolder folder;
  fs::path file = folder.path / "remixer.db";
};

}  // namespace remixer::coordinator::testing
