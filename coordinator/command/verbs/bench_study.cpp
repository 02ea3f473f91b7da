// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/bench_study.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <future>
#include <thread>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/bench_parts.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/command/verbs/submit.h"

namespace remixer::coordinator::command {

namespace protocol = experiments::protocol;

namespace {

constexpr size_t kThreads = 8;
constexpr double kHeartbeatSeconds = 1;

// One evaluation set, so that a cell has two tasks.
std::string grid_text(int64_t cells) {
  std::string seeds;
  for (int64_t seed = 0; seed < cells; ++seed) seeds += fmt::format("{},", seed);
  return fmt::format(
      "name = \"study\"\n[dataset.fashion-bg]\nbuilder = \"fashion-bg\"\n[recipe.bench]\nepochs = "
      "1\nwarmup_epochs = 0\n[[cells]]\n"
      "architecture = \"deit_nano_patch4_32\"\nlabeler = \"none\"\ndataset = \"fashion-bg\"\n"
      "recipe = \"bench\"\nseed = [{}]\n[[evaluation]]\nsets = [\"original\"]\n",
      seeds);
}

// A worker as the daemon sees it: connection, task, heartbeats.
class Beating {
 public:
  Beating(Session session, int64_t number) : session_(std::move(session)) {
    protocol::RegisterWorker about;
    about.name = fmt::format("bench:{}", number);
    about.host = fmt::format("host{}", number);
    about.pid = number;
    about.device = "cpu";
    about.environment = Json::object();
    claim_.worker_id = protocol::from_json<protocol::WorkerRegistered>(
                           session_.post("/workers", protocol::to_json(about)))
                           .worker_id;
  }

  // Sends the result of its task, if it has one, and claims the next.
  void next() {
    if (assignment_) {
      protocol::AttemptResult result;
      result.worker_id = claim_.worker_id;
      result.task_id = assignment_->task_id;
      result.attempt = assignment_->attempt;
      result.fence = assignment_->fence;
      result.result = {{"seconds", 1.0}};
      claim_.result = std::move(result);
    }
    assignment_ = protocol::from_json<protocol::ClaimReply>(
                      session_.post("/claim", protocol::to_json(claim_)))
                      .assignment;
    claim_.result.reset();
    if (!assignment_) fail("nothing is left to claim: give the grid more cells than workers");
  }

  // Returns its seconds.
  double beat() {
    protocol::Heartbeat heartbeat;
    heartbeat.worker_id = claim_.worker_id;
    heartbeat.task_id = assignment_->task_id;
    heartbeat.attempt = assignment_->attempt;
    heartbeat.fence = assignment_->fence;
    heartbeat.step = ++step_;
    heartbeat.total_steps = 1000000;
    heartbeat.activity = "training";
    heartbeat.metrics = {{step_, 0.1, "loss", 2.0}};
    const Json body = protocol::to_json(heartbeat);
    const double begun = now();
    session_.post("/heartbeat", body);
    return now() - begun;
  }

 private:
  Session session_;
  protocol::Claim claim_;
  std::optional<protocol::Assignment> assignment_;
  int64_t step_ = 0;
};

// Every worker sends a heartbeat once a second while `going`; the threads share the workers.
std::vector<double> beat_all(std::vector<Beating>& workers, const std::function<bool()>& going) {
  std::vector<std::future<std::vector<double>>> threads;
  for (size_t part = 0; part < kThreads; ++part) {
    threads.push_back(std::async(std::launch::async, [&workers, &going, part] {
      std::vector<double> times;
      while (going()) {
        const double round = now();
        for (size_t i = part; i < workers.size(); i += kThreads) times.push_back(workers[i].beat());
        const double left = kHeartbeatSeconds - (now() - round);
        if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
      }
      return times;
    }));
  }
  std::vector<double> all;
  for (auto& thread : threads) {
    const std::vector<double> times = thread.get();
    all.insert(all.end(), times.begin(), times.end());
  }
  return all;
}

std::vector<Beating> start_workers(const DaemonProcess& daemon, int64_t count) {
  std::vector<Beating> workers;
  workers.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) workers.emplace_back(daemon.session(), i + 1);
  // The first prepares the data set; then there is a training for each worker.
  workers[0].next();
  for (Beating& worker : workers) worker.next();
  return workers;
}

// Each worker keeps a connection open.
void allow_open_files() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Rows {
 public:
  void add(const std::string& what, double value, const char* unit) {
    table_.add_row({what, std::round(value * 1000) / 1000, unit});
  }
  void add_times(const std::string& what, const std::vector<double>& times) {
    add(what + ", p50", 1e3 * quantile(times, 0.5), "ms");
    add(what + ", p99", 1e3 * quantile(times, 0.99), "ms");
    add(what + ", longest", 1e3 * quantile(times, 1), "ms");
  }
  const Table& table() const { return table_; }

 private:
  Table table_{{{"what"}, {"value"}, {"unit"}}};
};

// One grid with many cells, and many workers.
void measure_study(const fs::path& folder, const BenchStudyOptions& options, Rows& rows) {
  fs::create_directories(folder);
  const DaemonProcess daemon(folder);
  Session session = daemon.session();
  const double before = daemon.megabytes("VmRSS");
  const std::string text = grid_text(options.cells);
  const double begun = now();
  const auto submitted = submit_grid_file(session, text, "bench.toml");
  rows.add(fmt::format("submit of {} cells, {} tasks", submitted.cells, submitted.tasks),
           now() - begun, "s");
  rows.add("memory, peak", daemon.megabytes("VmHWM"), "MB");
  const double after = daemon.megabytes("VmRSS");
  rows.add("memory, after", after, "MB");
  rows.add("memory a queued task", (after - before) * 1024 / static_cast<double>(submitted.tasks),
           "kB");
  std::vector<Beating> workers = start_workers(daemon, options.workers);
  const double start = now();
  const std::vector<double> beats =
      beat_all(workers, [until = start + options.seconds] { return now() < until; });
  rows.add(fmt::format("heartbeats of {} workers", options.workers),
           static_cast<double>(beats.size()) / (now() - start), "a second");
  rows.add_times("heartbeat", beats);
  std::vector<double> status;
  for (int i = 0; i < 10; ++i) {
    const double asked = now();
    session.get("/status");
    status.push_back(now() - asked);
  }
  rows.add_times("status", status);
}

// Submits finished grids again while every file check is slow.
void measure_slow_files(const fs::path& folder, const BenchStudyOptions& options, Rows& rows) {
  fill(folder, options.finished, 1, true);
  const DaemonProcess daemon(folder, fmt::format("look-at-file:~{:g}", options.slow_milliseconds));
  Session session = daemon.session();
  session.post("/grids", protocol::to_json(make_grid("other", options.finished, 20, 1)));
  std::vector<Beating> workers;
  for (int64_t i = 0; i < 10; ++i) {
    workers.emplace_back(daemon.session(), i + 1);
    workers.back().next();
  }
  std::atomic<bool> going = true;
  auto beats = std::async(std::launch::async,
                          [&] { return beat_all(workers, [&] { return going.load(); }); });
  constexpr int64_t kCellsOfAGrid = 1000;  // as in fill()
  const double begun = now();
  int64_t reused = 0;
  for (int64_t first = 0; first < options.finished; first += kCellsOfAGrid) {
    const auto grid = make_grid(fmt::format("grid {}", first), first,
                                std::min(kCellsOfAGrid, options.finished - first), 1);
    const auto submitted = protocol::from_json<protocol::GridSubmitted>(
        session.post_patiently("/grids", protocol::to_json(grid)));
    reused += submitted.tasks_reused;
  }
  const double taken = now() - begun;
  going = false;
  rows.add(fmt::format("submit again of {} finished tasks, {:g} ms a look at a file", reused,
                       options.slow_milliseconds),
           taken, "s");
  rows.add_times("heartbeat meanwhile", beats.get());
}

}  // namespace

int bench_study(const BenchStudyOptions& options, Format format) {
  ::unsetenv("REMIXER_STATE_FOLDER");
  allow_open_files();
  if (!options.folder.empty()) fs::create_directories(options.folder);
  const TemporaryFolder folder("remixer-bench", options.folder);
  Rows rows;
  measure_study(folder / "study", options, rows);
  measure_slow_files(folder / "slow", options, rows);
  print(rows.table().as(format, terminal_width()));
  return kExitDone;
}

}  // namespace remixer::coordinator::command
