// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/bench_scheduler.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <future>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/bench_parts.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/command/verbs/command_line.h"
#include "coordinator/command/verbs/handover.h"

namespace remixer::coordinator::command {

namespace protocol = experiments::protocol;

namespace {

constexpr int kStatusCalls = 20;

// Cost of an fsync of a few pages on this disk, a lower bound for every durable answer.
std::vector<double> time_syncs(const fs::path& folder, int count) {
  const fs::path file = folder / "sync-test";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) fail("cannot create {}: {}", file.string(), errno_text(errno));
  const std::string pages(4 * 4096, 'x');
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const double begun = now();
    if (::write(descriptor, pages.data(), pages.size()) < 0 || ::fsync(descriptor) != 0) {
      fail("cannot write {}: {}", file.string(), errno_text(errno));
    }
    times.push_back(now() - begun);
  }
  ::close(descriptor);
  fs::remove(file);
  return times;
}

struct Measured {
  double start = 0, submit = 0, status_p50 = 0, status_max = 0;
  std::vector<double> claims, syncs;
  double memory = 0, peak = 0;
  double throughput = 0;  // tasks a second
};

// A worker that only asks for tasks.
class Asker {
 public:
  explicit Asker(Session session) : session_(std::move(session)) {
    protocol::RegisterWorker about;
    about.name = about.host = "bench-worker";
    about.environment = Json::object();
    claim_.worker_id = protocol::from_json<protocol::WorkerRegistered>(
                           session_.post("/workers", protocol::to_json(about)))
                           .worker_id;
  }

  // Sends the last task's result and claims the next task in one request. Returns its seconds.
  double next() {
    const Json body = protocol::to_json(claim_);
    const double begun = now();
    const Json answer = session_.post("/claim", body);
    const double seconds = now() - begun;
    const auto reply = protocol::from_json<protocol::ClaimReply>(answer);
    if (!reply.assignment) fail("nothing is left to claim: submit more cells");
    protocol::AttemptResult result;
    result.worker_id = claim_.worker_id;
    result.task_id = reply.assignment->task_id;
    result.attempt = reply.assignment->attempt;
    result.fence = reply.assignment->fence;
    result.result = {{"seconds", 1.0}};
    claim_.result = std::move(result);
    return seconds;
  }

 private:
  Session session_;
  protocol::Claim claim_;
};

std::vector<double> time_claims(Session session, int64_t count) {
  Asker asker(std::move(session));
  asker.next();  // carries no result
  std::vector<double> times;
  for (int64_t i = 0; i < count; ++i) times.push_back(asker.next());
  return times;
}

void run_once(const std::string& program) {
  pid_t child = 0;
  std::string name = program;
  char* arguments[] = {name.data(), nullptr};
  int status = 0;
  if (const int failed =
          ::posix_spawn(&child, name.c_str(), nullptr, nullptr, arguments, environ)) {
    fail("cannot start {}: {}", program, errno_text(failed));
  }
  if (::waitpid(child, &status, 0) != child || status != 0) fail("{} failed", program);
}

// Two persistent workers that run `program` once per task. Returns their total tasks per second.
double time_throughput(const DaemonProcess& daemon, int64_t count, const std::string& program) {
  constexpr int kWorkers = 2;
  std::vector<Asker> askers;
  for (int i = 0; i < kWorkers; ++i) askers.emplace_back(daemon.session());
  const double begun = now();
  std::vector<std::future<void>> workers;
  for (Asker& asker : askers) {
    workers.push_back(std::async(std::launch::async, [&asker, &program, count] {
      for (int64_t i = 0; i < count / kWorkers; ++i) {
        asker.next();
        if (!program.empty()) run_once(program);
      }
    }));
  }
  for (auto& worker : workers) worker.get();
  return static_cast<double>(count / kWorkers * kWorkers) / (now() - begun);
}

Measured measure(const fs::path& workspace, int64_t finished,
                 const BenchSchedulerOptions& options) {
  Measured measured;
  fill(workspace, finished, options.evaluations);
  const protocol::SubmitGrid grid =
      make_grid("the next", finished, options.submitted, options.evaluations);
  const Json body = protocol::to_json(grid);
  double begun = now();
  DaemonProcess daemon(workspace);
  Session session = daemon.session();
  measured.start = now() - begun;
  begun = now();
  session.post("/grids", body);
  measured.submit = now() - begun;
  measured.syncs = time_syncs(workspace, 200);
  measured.claims = time_claims(daemon.session(), options.claims);
  measured.throughput = time_throughput(daemon, options.claims, options.program);
  std::vector<double> status;
  for (int i = 0; i < kStatusCalls; ++i) {
    begun = now();
    session.get("/status");
    status.push_back(now() - begun);
  }
  measured.status_p50 = quantile(status, 0.5);
  measured.status_max = quantile(status, 1);
  measured.memory = daemon.megabytes("VmRSS");
  measured.peak = daemon.megabytes("VmHWM");
  return measured;
}

}  // namespace

int bench_scheduler(const BenchSchedulerOptions& options, Format format) {
  std::vector<int64_t> all = options.finished;
  if (all.empty()) all = {1000, 100000};
  ::unsetenv("REMIXER_STATE_FOLDER");
  if (!options.folder.empty()) fs::create_directories(options.folder);
  const TemporaryFolder folder("remixer-bench", options.folder);
  Table table({{"finished_cells"},
               {"tasks"},
               {"start_s"},
               {"submit_s"},
               {"claim_p50_ms"},
               {"claim_p99_ms"},
               {"fsync_p50_ms"},
               {"fsync_p99_ms"},
               {"status_p50_ms"},
               {"status_max_ms"},
               {"tasks_per_s"},
               {"memory_mb"},
               {"peak_mb"}});
  const auto rounded = [](double value) { return Json(std::round(value * 100) / 100); };
  std::vector<Measured> rows;
  for (const int64_t finished : all) {
    const Measured m = measure(folder / std::to_string(finished), finished, options);
    rows.push_back(m);
    table.add_row({finished, finished * (1 + options.evaluations) + 1, rounded(m.start),
                   rounded(m.submit), rounded(1e3 * quantile(m.claims, 0.5)),
                   rounded(1e3 * quantile(m.claims, 0.99)), rounded(1e3 * quantile(m.syncs, 0.5)),
                   rounded(1e3 * quantile(m.syncs, 0.99)), rounded(1e3 * m.status_p50),
                   rounded(1e3 * m.status_max), rounded(m.throughput), rounded(m.memory),
                   rounded(m.peak)});
  }
  print(table.as(format, terminal_width()));
  if (rows.size() > 1 && format == Format::kTable) {
    const Measured &few = rows.front(), &many = rows.back();
    print(fmt::format(
        "\nFrom {} to {} finished cells: submit of {} ×{:.2f}, claim (p50) ×{:.2f}, status "
        "×{:.2f}.\n",
        all.front(), all.back(), options.submitted, many.submit / few.submit,
        quantile(many.claims, 0.5) / quantile(few.claims, 0.5), many.status_p50 / few.status_p50));
  }
  return kExitDone;
}

}  // namespace remixer::coordinator::command
