// SPDX-License-Identifier: Apache-2.0
#include "worker/worker_session.h"

#include <c10/util/Exception.h>
#include <mpi.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <new>
#include <thread>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/no_space.h"
#include "experiments/protocol/client.h"
#include "experiments/protocol/kept_result.h"
#include "experiments/spec/components.h"
#include "worker/environment.h"
#include "worker/outbox.h"
#include "worker/reporter.h"
#include "worker/stop_signal.h"
#include "worker/task_runner.h"

namespace remixer::worker {
namespace {

using namespace experiments::protocol;
using training::Directive;
using training::MpiCommunicator;

constexpr const char* kEnd = "end";  // sent to followers instead of an assignment

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// How a task ended, or why it failed.
struct Attempted {
  Ending ending = Ending::kDone;
  std::string reason;
  TaskOutcome outcome;
  bool broken = false;  // ranks may be out of step: the program must be restarted
};

// Runs the task, turns every exception into an ending, and tells the other ranks.
Attempted attempt(const TaskContext& context, MpiCommunicator& communicator) {
  Attempted attempted;
  const auto failed = [&](Ending ending, const std::string& reason, bool tell) {
    attempted.ending = ending;
    attempted.reason = reason;
    attempted.broken = communicator.size() > 1 && runs_on_all_ranks(context.assignment.task.kind);
    if (tell && attempted.broken) communicator.raise_alarm(ending == Ending::kBadInput, reason);
    spdlog::error("{}", reason);
  };
  const auto failed_or_no_space = [&](const std::exception& error, Ending otherwise) {
    failed(is_no_space(error) ? Ending::kNoSpace : otherwise, error.what(), true);
  };
  try {
    if (context.assignment.cell) experiments::require_known_versions(*context.assignment.cell);
    attempted.outcome = run_task(context);
  } catch (const training::PeerFailed& failure) {
    const Ending ending = is_no_space(failure) ? Ending::kNoSpace
                          : failure.bad_input  ? Ending::kBadInput
                                               : Ending::kFailed;
    failed(ending, fmt::format("rank {}: {}", failure.rank, failure.what()), false);
  } catch (const InputError& error) {
    failed_or_no_space(error, Ending::kBadInput);
  } catch (const c10::OutOfMemoryError& error) {
    failed(Ending::kOutOfMemory, error.what_without_backtrace(), true);
  } catch (const std::bad_alloc&) {
    failed(Ending::kOutOfMemory, "out of memory", true);
  } catch (const c10::Error& error) {
    failed(Ending::kFailed, error.what_without_backtrace(), true);
  } catch (const std::exception& error) {
    failed_or_no_space(error, Ending::kFailed);
  }
  return attempted;
}

TaskContext make_context(const SessionOptions& options, const std::filesystem::path& workspace,
                         Assignment assignment, training::Communicator& communicator) {
  TaskContext context;
  context.assignment = std::move(assignment);
  context.workspace = workspace;
  context.weights = options.weights;
  context.loader_threads = options.loader_threads;
  context.ranks_here = options.ranks_here;
  context.communicator = &communicator;
  return context;
}

// The attempt's own log, which `remixer logs` shows.
void log_to(const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  auto logger = std::make_shared<spdlog::logger>(
      "attempt", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

class Leader {
 public:
  Leader(const SessionOptions& options, MpiCommunicator& communicator,
         training::Communicator& compute)
      : options_(options),
        communicator_(communicator),
        compute_(compute),
        connection_(options.access_file),
        console_(spdlog::default_logger()) {}

  int run() {
    double last_work = last_answer_;
    while (!stop_signalled()) {
      try {
        if (terms_.worker_id.empty()) enlist();
        const ClaimReply reply = claim();
        last_answer_ = system_clock().monotonic();
        if (reply.exit) break;
        if (!reply.assignment) {
          if (idle_for_too_long(last_answer_ - last_work)) break;
          sleep_seconds(reply.retry_seconds);
        } else if (!work_on(*reply.assignment)) {
          deliver();
          return kRestart;
        } else {
          last_work = system_clock().monotonic();
        }
      } catch (const Unreachable& error) {
        if (patience_ended()) {
          spdlog::error("no daemon for {}: {}", duration_text(patience()), error.what());
          break;
        }
        warn_now_and_then(error.what());
        sleep_seconds(outgoing_ ? 0.5 : 1);
      } catch (const Refused& refused) {
        // The daemon does not know this worker (it lost its database, or a new one took over).
        if (refused.status == 404 || refused.status == 401) {
          terms_ = {};
          sleep_seconds(1);
        } else if (outgoing_) {
          spdlog::error("the daemon refused the result: {}", refused.what());
          outgoing_.reset();
        } else {
          throw;
        }
      }
    }
    deliver();
    communicator_.broadcast_idle(kEnd);
    return kExitDone;
  }

 private:
  double patience() const {
    const bool finished = outgoing_ && outgoing_->ending == Ending::kDone;
    return finished ? options_.result_patience_seconds : options_.patience_seconds;
  }
  bool patience_ended() const { return system_clock().monotonic() - last_answer_ > patience(); }

  bool idle_for_too_long(double seconds) const {
    if (options_.idle_seconds <= 0 || seconds < options_.idle_seconds) return false;
    spdlog::info("no work for {}: ending", duration_text(seconds));
    return true;
  }

  void enlist() {
    terms_ = from_json<WorkerRegistered>(connection_.post(
        "/workers", to_json(describe_worker(options_.ranks, compute_.device().str(),
                                            options_.device_reason, options_.weights))));
    spdlog::info("registered as {}", terms_.worker_id);
  }

  // Asks for work and attaches the last task's result.
  ClaimReply claim() {
    if (outgoing_) failpoint("before-result");
    auto reply = from_json<ClaimReply>(
        connection_.post("/claim", to_json(Claim{terms_.worker_id, outgoing_})));
    if (outgoing_) {
      failpoint("after-result");
      if (reply.result) note_answer(*reply.result);
      outgoing_.reset();
    }
    return reply;
  }

  void note_answer(const ResultReply& reply) const {
    if (!reply.accepted) spdlog::warn("the daemon did not take the result: {}", reply.reason);
  }

  void warn_now_and_then(const char* what) {
    if (!outgoing_ || system_clock().monotonic() - last_warning_ < 30) return;
    last_warning_ = system_clock().monotonic();
    spdlog::warn("the result waits for the daemon: {}", what);
  }

  // Returns false if the program must be restarted.
  bool work_on(const Assignment& assignment) {
    const std::filesystem::path workspace = terms_.workspace;
    bool whole = true;
    try {
      log_to(workspace / assignment.folder / "log.txt");
      spdlog::info("attempt {} of {}: {}", assignment.attempt, assignment.task_id,
                   assignment.task.title);
      whole = run_assignment(workspace, assignment);
    } catch (const std::exception& error) {
      // The folder cannot be created or written to.
      AttemptResult result;
      result.ending = is_no_space(error) ? Ending::kNoSpace : Ending::kFailed;
      result.reason = error.what();
      outgoing_ = result_of(assignment, std::move(result));
    }
    spdlog::set_default_logger(console_);
    last_answer_ =
        system_clock().monotonic();  // patience counts from the result, not from the claim
    return whole;
  }

  bool run_assignment(const std::filesystem::path& workspace, const Assignment& assignment) {
    if (auto kept = earlier_result(workspace, assignment)) {
      spdlog::info("attempt {} had finished already; its result is sent again", kept->attempt);
      outgoing_ = result_of(assignment, std::move(*kept));
      return true;
    }
    Reporter reporter(options_.access_file, terms_, assignment);
    auto context = make_context(options_, workspace, assignment, compute_);
    context.progress = [&](int64_t step, int64_t total, const std::string& activity,
                           std::vector<training::Metric> metrics) {
      std::vector<MetricPoint> points;
      for (auto& metric : metrics)
        points.push_back({metric.step, metric.epoch, metric.name, metric.value});
      reporter.update(step, total, activity, std::move(points));
      return reporter.verdict() == Verdict::kGoOn ? Directive::kContinue : Directive::kStop;
    };

    Attempted attempted;
    for (;;) {
      if (runs_on_all_ranks(assignment.task.kind)) {
        ClaimReply order;
        order.assignment = assignment;
        communicator_.broadcast_idle(workspace.string() + "\n" + to_json(order).dump());
      }
      attempted = attempt(context, communicator_);
      if (attempted.ending != Ending::kDone || attempted.outcome.finished) break;
      if (reporter.ask_to_renew(options_.patience_seconds) != Verdict::kGoOn) break;
      spdlog::info("the lease was renewed; going on");
    }
    const Verdict verdict = reporter.verdict();
    auto metrics = reporter.finish();
    if (verdict == Verdict::kAbandon) {
      spdlog::info("the attempt was taken back");
      return !attempted.broken;
    }
    AttemptResult result;
    result.ending = attempted.ending;
    result.reason = attempted.reason;
    if (result.ending == Ending::kDone && !attempted.outcome.finished) {
      result.ending = Ending::kReleased;
      result.reason = stop_signalled() ? "the worker was told to end" : "stopped by the daemon";
    }
    result.result = std::move(attempted.outcome.result);
    result.figures = std::move(attempted.outcome.figures);
    result.publish = std::move(attempted.outcome.publish);
    result.metrics = std::move(metrics);
    result = result_of(assignment, std::move(result));
    keep(workspace / assignment.folder, result);
    spdlog::info("{}", to_string(result.ending));
    outgoing_ = std::move(result);
    return !attempted.broken;
  }

  // Stores the result where the task's next worker finds it if this one cannot send it.
  static void keep(const std::filesystem::path& folder, const AttemptResult& result) {
    if (result.ending != Ending::kDone) return;
    try {
      write_kept_result(folder, result);
    } catch (const std::exception& error) {
      spdlog::warn("the result is sent, but could not be kept on the disk as well: {}",
                   error.what());
    }
  }

  AttemptResult result_of(const Assignment& assignment, AttemptResult result) const {
    result.worker_id = terms_.worker_id;
    result.task_id = assignment.task_id;
    result.attempt = assignment.attempt;
    result.fence = assignment.fence;
    return result;
  }

  // Before this process exits: sends the remaining result until the daemon has answered or the
  // patience ends. If the system has announced that it will end us, waits only for a daemon that is
  // being restarted. A finished result is still in the attempt's folder.
  void deliver() {
    constexpr double kRestartSeconds = 5;
    const double begun = system_clock().monotonic();
    while (outgoing_) {
      try {
        failpoint("before-result");
        note_answer(from_json<ResultReply>(connection_.post("/result", to_json(*outgoing_))));
        failpoint("after-result");
        outgoing_.reset();
      } catch (const Refused& refused) {
        if (refused.status == 401 && !stop_signalled()) {
          sleep_seconds(0.5);
          continue;
        }
        spdlog::error("the daemon refused the result: {}", refused.what());
        outgoing_.reset();
      } catch (const Unreachable& error) {
        warn_now_and_then(error.what());
        const double waited = system_clock().monotonic() - begun;
        if (patience_ended() || (stop_signalled() && waited > kRestartSeconds)) return;
        sleep_seconds(0.5);
      }
    }
  }

  const SessionOptions& options_;
  MpiCommunicator& communicator_;
  training::Communicator& compute_;
  Connection connection_;
  WorkerRegistered terms_;
  std::optional<AttemptResult> outgoing_;  // not acknowledged yet
  double last_answer_ = system_clock().monotonic();
  double last_warning_ = -1e9;
  std::shared_ptr<spdlog::logger> console_;
};

}  // namespace

int lead(const SessionOptions& options, MpiCommunicator& communicator,
         training::Communicator& compute) {
  return Leader(options, communicator, compute).run();
}

int follow(const SessionOptions& options, MpiCommunicator& communicator,
           training::Communicator& compute) {
  for (;;) {
    const std::string order = communicator.broadcast_idle("");
    if (order == kEnd) return kExitDone;
    const size_t line = order.find('\n');
    auto reply = from_json<ClaimReply>(Json::parse(order.substr(line + 1)));
    const auto context =
        make_context(options, order.substr(0, line), std::move(*reply.assignment), compute);
    if (attempt(context, communicator).broken) {
      // Rank 0 reports and then ends all ranks, which takes less than a minute.
      sleep_seconds(60);
      return kRestart;
    }
  }
}

}  // namespace remixer::worker
