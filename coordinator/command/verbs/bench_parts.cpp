// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/bench_parts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/store/store.h"
#include "experiments/spec/components.h"
#include "experiments/spec/task_spec.h"

namespace remixer::coordinator::command {

namespace protocol = experiments::protocol;
using experiments::Cell;
using experiments::Task;
using experiments::TaskKind;

namespace {

constexpr int64_t kCellsAtOnce = 1000;  // when filling a database

Task make_task(TaskKind kind, Json spec, const std::string& title,
               std::vector<std::string> dependencies, const std::string& cell) {
  Task task;
  task.kind = kind;
  task.spec = std::move(spec);
  task.title = title;
  task.dependencies = std::move(dependencies);
  task.cell_id = cell;
  return task;
}

}  // namespace

double now() {
  return system_clock().monotonic();
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const auto at = static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  return values[at];
}

protocol::SubmitGrid make_grid(const std::string& name, int64_t first, int64_t count,
                               int64_t evaluations) {
  const auto sets = experiments::find_dataset_builder("fashion-bg").evaluation_sets;
  protocol::SubmitGrid grid;
  grid.name = name;
  grid.text = "name = \"" + name + "\"\n";
  Cell cell;
  cell.architecture = "deit_nano_patch4_32";
  cell.dataset = experiments::make_dataset_spec("fashion-bg");
  cell.dataset_name = "fashion-bg";
  cell.recipe_name = "bench";
  grid.tasks.push_back(make_task(TaskKind::kPrepare,
                                 spec_json(experiments::PrepareSpec{cell.dataset}),
                                 "prepare fashion-bg", {}, ""));
  const std::string prepare = grid.tasks.back().id();
  for (int64_t seed = first; seed < first + count; ++seed) {
    cell.seed = seed;
    const Json identity = cell.identity();
    const std::string id = cell.id();
    const std::string title = fmt::format("deit_nano_patch4_32 · none · seed {}", seed);
    grid.cells.push_back(cell);
    grid.tasks.push_back(make_task(TaskKind::kTrain, experiments::train_spec(identity),
                                   "train " + title, {prepare}, id));
    const std::string train = grid.tasks.back().id();
    for (int64_t i = 0; i < evaluations; ++i) {
      const std::string set = i < static_cast<int64_t>(sets.size()) ? sets[static_cast<size_t>(i)]
                                                                    : fmt::format("set_{}", i);
      grid.tasks.push_back(
          make_task(TaskKind::kEvaluate, spec_json(experiments::EvaluateSpec{{set, set}}, identity),
                    fmt::format("evaluate {} · {}", set, title), {prepare, train}, id));
    }
  }
  return grid;
}

void fill(const fs::path& workspace, int64_t cells, int64_t evaluations, bool files) {
  fs::create_directories(workspace);
  Store store(database_file(workspace));
  const Settings settings;
  Now moment{now(), system_clock().wall() - 1e6};
  State state = store.load(moment, settings);
  std::vector<Write> writes;
  const auto take = [&](const Event& event) {
    Effects effects = step(state, event, moment, settings);
    std::move(effects.writes.begin(), effects.writes.end(), std::back_inserter(writes));
    return std::move(effects.reply);
  };
  protocol::RegisterWorker about;
  about.name = about.host = "bench";
  about.environment = Json::object();
  const auto worker = std::get<protocol::WorkerRegistered>(take(RegisterEvent{about})).worker_id;
  for (int64_t first = 0; first < cells; first += kCellsAtOnce) {
    const int64_t count = std::min(kCellsAtOnce, cells - first);
    take(SubmitEvent(make_grid(fmt::format("grid {}", first), first, count, evaluations)));
    for (;;) {
      const auto claim = std::get<protocol::ClaimReply>(take(ClaimEvent{worker}));
      if (!claim.assignment) break;
      moment.wall += 1, moment.monotonic += 1;
      protocol::AttemptResult result;
      result.task_id = claim.assignment->task_id;
      result.attempt = claim.assignment->attempt;
      result.fence = claim.assignment->fence;
      result.result = {{"seconds", 1.0}};
      if (files && claim.assignment->task.kind == TaskKind::kTrain) {
        const std::string model = claim.assignment->folder + "/model.safetensors";
        fs::create_directories((workspace / model).parent_path());
        std::ofstream(workspace / model).put('\n');
        result.result["model"] = model;
      }
      if (claim.assignment->task.kind == TaskKind::kEvaluate) {
        result.figures = {{"raw", "original", "top1", 60.0, 1000}};
      }
      take(ResultEvent{std::move(result)});
    }
    store.commit(writes);
    writes.clear();
  }
}

DaemonProcess::DaemonProcess(const fs::path& workspace, const std::string& failpoint)
    : workspace_(workspace) {
  const std::string program = (program_folder() / "remixer").string();
  const std::string folder = workspace.string();
  child_ = ::fork();
  if (child_ < 0) fail("cannot start a process: {}", errno_text(errno));
  if (child_ == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    if (!failpoint.empty()) ::setenv("REMIXER_FAILPOINT", failpoint.c_str(), 1);
    ::execl(program.c_str(), "remixer", "up", "--workers", "0", "--workspace", folder.c_str(),
            nullptr);
    ::_exit(127);
  }
}

DaemonProcess::~DaemonProcess() {
  ::kill(child_, SIGTERM);
  ::waitpid(child_, nullptr, 0);
}

Session DaemonProcess::session() const {
  const double until = now() + 120;
  for (;;) {
    if (auto found = Session::find(workspace_)) return std::move(*found);
    if (::waitpid(child_, nullptr, WNOHANG) != 0) fail("the daemon ended before it answered");
    if (now() > until) fail("the daemon does not answer");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

double DaemonProcess::megabytes(const std::string& what) const {
  std::ifstream status(fmt::format("/proc/{}/status", child_));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) / 1024;
  }
  return 0;
}

}  // namespace remixer::coordinator::command
