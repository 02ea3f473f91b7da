// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/adopt.h"

#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/host.h"
#include "base/version.h"
#include "coordinator/engine/workspace_id.h"
#include "experiments/protocol/kept_result.h"
#include "experiments/protocol/result_files.h"

namespace remixer::coordinator {

namespace protocol = experiments::protocol;

namespace {

// Registers a worker in whose name the results are committed.
std::string enlist(Engine& engine) {
  protocol::RegisterWorker worker;
  worker.host = host_name();
  worker.pid = ::getpid();
  worker.name = fmt::format("adopt:{}:{}", worker.host, worker.pid);
  worker.device = "none";
  worker.boot_id = boot_id();
  worker.pid_namespace = pid_namespace();
  worker.started = process_started(worker.pid);
  worker.version = fmt::format("{} ({})", version(), commit());
  worker.environment = Json::object();
  return engine.register_worker(std::move(worker)).worker_id;
}

class Adopter {
 public:
  Adopter(Engine& engine, Adopted& adopted) : engine_(engine), adopted_(adopted) {}

  // Commits the newest valid result in the task's folders.
  void take(const std::string& id, int64_t highest) {
    for (int64_t number = highest; number > 0; --number) {
      const std::string folder = attempt_folder(id, number);
      try {
        auto result = protocol::read_kept_result(engine_.workspace() / folder);
        if (!result) continue;
        const std::string why = flaw(id, *result);
        if (why.empty() && commit(std::move(*result))) return;
        if (!why.empty()) adopted_.refused.push_back({folder, why});
      } catch (const InputError& error) {
        adopted_.refused.push_back({folder, error.what()});
      }
    }
  }

 private:
  std::string flaw(const std::string& id, const protocol::AttemptResult& result) const {
    if (result.task_id != id) return "its result is another task's";
    return protocol::result_damage(engine_.workspace(), result.result, true).value_or("");
  }

  bool commit(protocol::AttemptResult result) {
    // Its files are already in place: flaw() has checked them.
    result.publish.clear();
    if (worker_.empty()) worker_ = enlist(engine_);
    const auto reply = engine_.adopt(worker_, std::move(result));
    adopted_.adopted += reply.accepted;
    return reply.accepted;
  }

  Engine& engine_;
  Adopted& adopted_;
  std::string worker_;
};

}  // namespace

Adopted adopt_results(Engine& engine, int64_t grid_id) {
  Adopted adopted;
  std::vector<std::string> ids;  // in the grid's order: dependencies first
  engine.query([&](const Engine::View& view) {
    for (const TaskEntry* entry : view.state.grid(grid_id).tasks) {
      ++adopted.tasks;
      adopted.done += entry->state == TaskState::kDone;
      if (entry->state != TaskState::kDone) ids.push_back(entry->id());
    }
  });
  const auto folders = attempt_folders(engine.workspace(), nullptr);
  Adopter adopter(engine, adopted);
  for (const std::string& id : ids) {
    const auto found = folders.find(id);
    if (found != folders.end()) adopter.take(id, found->second);
  }
  return adopted;
}

}  // namespace remixer::coordinator
