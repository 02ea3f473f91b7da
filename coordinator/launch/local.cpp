// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/local.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "base/optional_text.h"
#include "coordinator/launch/log_cause.h"
#include "coordinator/launch/share.h"

namespace remixer::coordinator {

namespace {

struct Slot {
  int number = 0;  // 1, 2, ...
  int ranks = 1;
  pid_t child = 0;      // 0: not running
  double started = 0;   // monotonic
  double start_at = 0;  // earliest time to start it
  int early_deaths = 0;
  bool given_up = false;
  fs::path log;
  int64_t log_begin = 0;  // length of the log when the worker was started
};

double now() {
  return system_clock().monotonic();
}

// Environment variables of other MPI jobs: an allocation that the user's shell is in, hostfiles,
// another run's settings.
const std::vector<std::string> kForeignVariables = {"SLURM_", "PMIX_", "PMI_", "OMPI_", "PRTE_"};

int64_t size_of(const fs::path& log) {
  std::error_code code;
  const auto size = fs::file_size(log, code);
  return code ? 0 : static_cast<int64_t>(size);
}

// Why a start failed, from the log's text since then.
std::string cause(const fs::path& log, int64_t begin) {
  std::string text;
  try {
    text = read_file_if_exists(log).value_or("");
  } catch (const std::exception& error) {
    return error.what();
  }
  text.erase(0, std::min(text.size(), static_cast<size_t>(begin)));
  const std::string lines = first_cause(text);
  return fmt::format("{}; its log is {}", lines.empty() ? "it said nothing" : lines, log.string());
}

}  // namespace

struct LocalLauncher::Parts {
  explicit Parts(LauncherOptions given) : options(std::move(given)) {
    if (options.worker_program.empty()) {
      options.worker_program = program_folder() / "remixer-worker";
    }
  }

  LauncherOptions options;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::vector<Slot> slots;
  bool let_end = false, ending = false;
  std::string problem;
  std::thread thread;

  Command command(const Slot& slot) const {
    Command command;
    command.log = slot.log;
    const fs::path mpirun = find_program("mpirun");
    if (!mpirun.empty()) {
      command.arguments = {mpirun.string(), "-n", std::to_string(slot.ranks), "--bind-to", "none",
                           "--oversubscribe",
                           // Overrides a hostfile from the user's settings.
                           "--host", fmt::format("localhost:{}", slot.ranks)};
      command.environment["REMIXER_RANKS"] = std::to_string(slot.ranks);
    }
    command.arguments.insert(
        command.arguments.end(),
        {options.worker_program.string(), "--access", options.access_file.string(), "--device",
         options.device, "--loader-threads", std::to_string(options.loader_threads)});
    share_out(slot, command);
    command.without = kForeignVariables;
    // Some libraries crash without HOME.
    if (!std::getenv("HOME")) command.environment["HOME"] = options.workspace.string();
    // Many containers forbid direct copies between processes.
    command.environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none";
    if (::geteuid() == 0) {
      command.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
      command.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    }
    return command;
  }

  // Sets cores and GPUs. A single worker is not bound to cores: other programs may be.
  void share_out(const Slot& slot, Command& command) const {
    const auto index = static_cast<size_t>(slot.number - 1);
    const std::vector<int> all = own_cores(), cores = share_of(all, index, slots.size());
    if (slots.size() > 1 && all.size() >= slots.size()) command.cores = cores;
    const int per_rank = std::max(1, static_cast<int>(cores.size()) / slot.ranks);
    command.environment["REMIXER_CORES_PER_RANK"] = std::to_string(per_rank);
    command.environment["REMIXER_WORKERS_HERE"] = std::to_string(slots.size());
    if (!std::getenv("OMP_NUM_THREADS")) {
      command.environment["OMP_NUM_THREADS"] = std::to_string(per_rank);
    }
    std::string gpus;
    for (const std::string& gpu : share_of(own_gpus(), index, slots.size())) {
      gpus += (gpus.empty() ? "" : ",") + gpu;
    }
    if (!gpus.empty()) command.environment["CUDA_VISIBLE_DEVICES"] = gpus;
  }

  // Main loop of the thread that is the parent of all workers.
  void run() {
    std::unique_lock lock(mutex);
    while (!ending) {
      for (Slot& slot : slots) {
        if (slot.child != 0) {
          watch(slot);
        } else if (!let_end && !slot.given_up && slot.start_at <= now()) {
          launch(slot);
        }
      }
      wake.wait_for(lock, std::chrono::milliseconds(100));
    }
    for (Slot& slot : slots) {
      if (slot.child != 0) ::kill(slot.child, SIGKILL), kill_session(slot.child);
    }
    for (Slot& slot : slots) {
      while (slot.child != 0 && !child_ended(slot.child)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      slot.child = 0;
    }
  }

  void launch(Slot& slot) {
    try {
      slot.started = now();
      slot.log_begin = size_of(slot.log);
      slot.child = start_child(command(slot));
    } catch (const std::exception& error) {
      died(slot, error.what());
    }
  }

  void watch(Slot& slot) {
    const auto code = child_ended(slot.child);
    if (!code) return;
    // mpirun may have left ranks running when it was killed.
    kill_session(slot.child);
    slot.child = 0;
    if (let_end) return;
    if (*code == kWorkerRestart || now() - slot.started >= options.settled_seconds) {
      slot.early_deaths = 0;
      slot.start_at = now();
      return;
    }
    died(slot, fmt::format("ended with code {}: {}", *code, cause(slot.log, slot.log_begin)));
  }

  void died(Slot& slot, const std::string& how) {
    ++slot.early_deaths;
    slot.start_at = now() + options.backoff_seconds * std::pow(2.0, slot.early_deaths - 1);
    slot.given_up = slot.early_deaths >= options.early_deaths;
    if (slot.given_up) {
      problem =
          fmt::format("worker {} was given up after it died {} times soon after its start ({})",
                      slot.number, slot.early_deaths, how);
    }
  }

  void signal_all(int signal) {
    std::lock_guard lock(mutex);
    for (const Slot& slot : slots) {
      if (slot.child != 0) ::kill(slot.child, signal);
    }
  }
};

LocalLauncher::LocalLauncher(LauncherOptions options)
    : parts_(std::make_unique<Parts>(std::move(options))) {
  parts_->thread = std::thread([this] { parts_->run(); });
}

LocalLauncher::~LocalLauncher() {
  kill();
}

void LocalLauncher::start(int workers, int ranks) {
  const std::string program = parts_->options.worker_program.string();
  if (workers < 0 || ranks < 1) fail_input("workers must be at least 0 and ranks at least 1");
  if (workers > 0 && ::access(program.c_str(), X_OK) != 0) {
    fail_input("no worker program at {}; build it, or start the daemon without workers", program);
  }
  if (workers > 0 && ranks > 1 && find_program("mpirun").empty()) {
    fail_input("mpirun is not on PATH, which {} ranks need; install OpenMPI or use --ranks 1",
               ranks);
  }
  std::lock_guard lock(parts_->mutex);
  for (int i = 0; i < workers; ++i) {
    Slot slot;
    slot.number = static_cast<int>(parts_->slots.size()) + 1;
    slot.ranks = ranks;
    slot.log = parts_->options.workspace / "logs" / fmt::format("worker-{}.log", slot.number);
    parts_->slots.push_back(slot);
  }
  parts_->wake.notify_one();
}

void LocalLauncher::let_end() {
  std::lock_guard lock(parts_->mutex);
  parts_->let_end = true;
}

void LocalLauncher::terminate() {
  let_end();
  parts_->signal_all(SIGTERM);
}

void LocalLauncher::kill() {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->let_end = parts_->ending = true;
  }
  parts_->wake.notify_one();
  if (parts_->thread.joinable()) parts_->thread.join();
}

int LocalLauncher::alive() const {
  std::lock_guard lock(parts_->mutex);
  return static_cast<int>(std::count_if(parts_->slots.begin(), parts_->slots.end(),
                                        [](const Slot& slot) { return slot.child != 0; }));
}

experiments::protocol::answers::Launcher LocalLauncher::status() const {
  const int count = alive();
  std::lock_guard lock(parts_->mutex);
  return {static_cast<int64_t>(parts_->slots.size()), count, text_if_any(parts_->problem)};
}

}  // namespace remixer::coordinator
