// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/slurm/launcher.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/optional_text.h"
#include "coordinator/launch/slurm/health.h"

namespace remixer::coordinator::slurm {

namespace {

constexpr double kLongestPause = 300;  // seconds between attempts while Slurm refuses

// The last lines of a log joined into one, newest last.
std::string tail(const fs::path& log) {
  std::string text;
  try {
    text = read_file_if_exists(log).value_or("");
  } catch (const std::exception& error) {
    return error.what();
  }
  constexpr size_t kLength = 400;
  if (text.size() > kLength) text.erase(0, text.size() - kLength);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t at = 0;
  while ((at = text.find('\n', at)) != std::string::npos) text.replace(at, 1, " | ");
  return text.empty() ? "it wrote nothing" : text;
}

}  // namespace

struct SlurmLauncher::Parts {
  explicit Parts(LauncherOptions given)
      : options(std::move(given)),
        folder(log_folder(options.paths.workspace)),
        name(job_name(options.paths.workspace)),
        file(options.paths.workspace / "slurm.json") {}

  const LauncherOptions options;
  const fs::path folder;  // for logs
  const std::string name;
  const fs::path file;  // the stored state

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::optional<Site> site;
  bool wanted = false, ending = false, look_now = false;
  std::string paused, problem, why;
  std::vector<Job> jobs;
  Demand demand;
  Health health;
  double submit_after = 0;  // monotonic
  std::thread thread;

  std::mutex at_work;  // serialises communication with Slurm

  double now() const { return system_clock().monotonic(); }

  fs::path script() const { return options.paths.workspace / "slurm-allocation.sh"; }

  // Its variables may contain secrets: readable by the owner only.
  void keep() const {
    write_file_atomic(
        file,
        Json{{"wanted", wanted}, {"site", to_json(*site)}, {"listen", options.listen}}.dump(2) +
            "\n",
        0600);
  }

  void write_script(const Site& chosen) const {
    fs::create_directories(folder);
    write_file_atomic(script(), allocation_script(chosen, options.paths), 0700);
  }

  void start_thread() {
    if (!thread.joinable()) thread = std::thread([this] { run(); });
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!ending) {
      lock.unlock();
      {
        std::lock_guard working(at_work);
        look();
      }
      lock.lock();
      const double seconds = site ? site->queue.poll_seconds : 10;
      wake.wait_for(lock, std::chrono::duration<double>(seconds),
                    [&] { return ending || look_now; });
      look_now = false;
    }
  }

  // One round: get the demand and Slurm's jobs, then act. Requires: at_work held.
  void look() {
    Demand asked;
    std::vector<Job> found;
    std::optional<Site> present;
    {
      std::lock_guard lock(mutex);
      present = site;
    }
    try {
      // This order is required: see Health::look.
      asked = options.demand(present);
      found = list_jobs(name);
    } catch (const std::exception& error) {
      // Nothing is known, so change nothing.
      std::lock_guard lock(mutex);
      note_problem(error.what());
      return;
    }
    Plan plan;
    std::vector<std::string> stuck, over;
    Site chosen;
    {
      std::lock_guard lock(mutex);
      note_problem("");
      const Health::Change change = health.look(found, asked);
      over = change.over;
      for (const Job& job : found) {
        if (job.stuck()) stuck.push_back(job.id);
      }
      note_failed_starts(change.failed, found);
      jobs = found;
      demand = asked;
      if (wanted && site) plan = plan_allocations(*site, asked, found);
      why = !wanted ? "taken down" : plan.why;
      if (!paused.empty() || now() < submit_after) plan.submit = 0;
      if (site) chosen = *site;
    }
    if (!over.empty()) options.ended(over);
    take_back(stuck);
    take_back(plan.cancel);
    if (plan.submit > 0) submit(chosen, plan.submit);
  }

  // Requires: mutex held.
  void note_problem(const std::string& text) {
    if (text != problem && !text.empty()) options.log("slurm: " + text);
    problem = text;
  }

  // Requires: mutex held.
  void note_failed_starts(const std::vector<std::string>& failed, const std::vector<Job>& found) {
    for (const std::string& id : failed) {
      const auto job =
          std::find_if(found.begin(), found.end(), [&](const Job& each) { return each.id == id; });
      const std::string state = job == found.end() ? "over and forgotten" : job->state;
      const std::string last =
          fmt::format("allocation {} came to nothing ({}{}): {}", id, state,
                      job == found.end() || job->reason.empty() ? "" : ", " + job->reason,
                      tail(folder / (id + ".log")));
      options.log("slurm: " + last);
      if (site && health.start_failures() >= site->queue.start_failures && paused.empty()) {
        pause(fmt::format("{} allocations in a row came to nothing, the last: {}",
                          health.start_failures(), last));
      }
    }
  }

  // Requires: mutex held.
  void pause(const std::string& reason) {
    paused = reason;
    options.log("slurm: paused: " + reason);
  }

  void take_back(const std::vector<std::string>& ids) {
    if (ids.empty()) return;
    try {
      cancel_jobs(ids);
      options.log(fmt::format("slurm: took back {}", fmt::join(ids, ", ")));
    } catch (const std::exception& error) {
      std::lock_guard lock(mutex);
      note_problem(error.what());
    }
  }

  void submit(const Site& chosen, int64_t count) {
    try {
      write_script(chosen);
      const auto ids = submit_jobs(script(), count, chosen.queue.array, folder);
      options.log(fmt::format("slurm: submitted {}", fmt::join(ids, ", ")));
      std::lock_guard lock(mutex);
      health.submitted();
      // Count the new jobs at once, without waiting for the next poll.
      look_now = true;
    } catch (const std::exception& error) {
      std::lock_guard lock(mutex);
      health.submit_failed();
      const int64_t failures = health.submit_failures();
      note_problem(error.what());
      submit_after =
          now() + std::min(kLongestPause, chosen.queue.poll_seconds *
                                              std::pow(2.0, static_cast<double>(failures)));
      if (failures >= chosen.queue.submit_failures) {
        pause(fmt::format("{} submissions in a row failed, the last: {}", failures, error.what()));
      }
    }
  }

  std::vector<std::string> ids_in(JobPhase phase) const {
    std::vector<std::string> ids;
    for (const Job& job : jobs) {
      if (job.phase == phase) ids.push_back(job.id);
    }
    return ids;
  }

  // Stops submitting; ends what runs or waits. Requires: at_work held.
  void take_down(bool let_run) {
    const std::vector<Job> found = list_jobs(name);
    std::vector<std::string> waiting, running;
    {
      std::lock_guard lock(mutex);
      jobs = found;
      waiting = ids_in(JobPhase::kWaiting);
      running = ids_in(JobPhase::kRunning);
    }
    cancel_jobs(waiting);
    if (!let_run) signal_jobs(running);
    if (waiting.empty() && (let_run || running.empty())) return;
    options.log(fmt::format("slurm: took back {} waiting, {} {} running allocations",
                            waiting.size(), let_run ? "left" : "ended", running.size()));
  }

  void stop_thread() {
    {
      std::lock_guard lock(mutex);
      ending = true;
    }
    wake.notify_all();
    if (thread.joinable()) thread.join();
  }

  std::vector<experiments::protocol::answers::Allocation> allocations() const {
    std::vector<experiments::protocol::answers::Allocation> list;
    for (const Job& job : jobs) {
      if (job.phase == JobPhase::kEnded) continue;
      const auto found = demand.allocations.find(job.id);
      const bool known = found != demand.allocations.end();
      list.push_back({.id = job.id,
                      .state = job.state,
                      .waiting = job.phase == JobPhase::kWaiting,
                      .reason = text_if_any(job.reason),
                      .nodes = text_if_any(job.nodes),
                      .start = text_if_any(job.start),
                      .end = text_if_any(job.end),
                      .workers = known ? found->second.alive : 0,
                      .running = known ? found->second.running : 0,
                      .log = fs::path(folder / (job.id + ".log"))
                                 .lexically_relative(options.paths.workspace)
                                 .string()});
    }
    return list;
  }
};

SlurmLauncher::SlurmLauncher(LauncherOptions options)
    : parts_(std::make_unique<Parts>(std::move(options))) {}

SlurmLauncher::~SlurmLauncher() {
  parts_->stop_thread();
}

void SlurmLauncher::resume() {
  const auto text = read_file_if_exists(parts_->file);
  if (!text) return;
  try {
    const Json kept = Json::parse(*text);
    if (!kept.at("wanted").get<bool>()) return;
    const Site site = site_from_json(kept.at("site"));
    require_slurm();
    std::lock_guard lock(parts_->mutex);
    parts_->site = site;
    parts_->wanted = true;
    parts_->start_thread();
    parts_->options.log("slurm: continues with the allocations of before");
  } catch (const std::exception& error) {
    std::lock_guard lock(parts_->mutex);
    parts_->note_problem(
        fmt::format("{} cannot be taken up ({}); give `remixer slurm up` the site again",
                    parts_->file.string(), error.what()));
  }
}

void SlurmLauncher::up(const Site& site, bool try_first) {
  check_site(site);
  require_slurm();
  std::lock_guard working(parts_->at_work);
  parts_->write_script(site);
  if (try_first) parts_->options.log("slurm: " + dry_run(parts_->script()));
  std::lock_guard lock(parts_->mutex);
  if (parts_->ending) fail("the daemon is ending");
  parts_->site = site;
  parts_->wanted = true;
  parts_->paused.clear();
  parts_->health.reset();
  parts_->submit_after = 0;
  parts_->keep();
  parts_->look_now = true;
  parts_->start_thread();
  parts_->wake.notify_all();
}

void SlurmLauncher::down(bool let_run) {
  require_slurm();
  std::lock_guard working(parts_->at_work);
  {
    std::lock_guard lock(parts_->mutex);
    parts_->wanted = false;
    parts_->why = "taken down";
    if (parts_->site) parts_->keep();
  }
  parts_->take_down(let_run);
}

void SlurmLauncher::end() {
  parts_->stop_thread();
  std::lock_guard working(parts_->at_work);
  {
    std::lock_guard lock(parts_->mutex);
    if (!parts_->wanted) return;
  }
  try {
    parts_->take_down(false);
  } catch (const std::exception& error) {
    parts_->options.log(fmt::format("slurm: {}", error.what()));
  }
}

std::optional<Kept> read_kept(const fs::path& workspace) {
  const auto text = read_file_if_exists(workspace / "slurm.json");
  if (!text) return std::nullopt;
  const Json kept = Json::parse(*text, nullptr, false);
  if (!kept.is_object() || !kept.contains("site") || !kept.contains("wanted")) return std::nullopt;
  return Kept{site_from_json(kept["site"]), kept["wanted"].get<bool>(),
              kept.value("listen", std::string())};
}

std::optional<Site> SlurmLauncher::site() const {
  std::lock_guard lock(parts_->mutex);
  return parts_->wanted ? parts_->site : std::nullopt;
}

experiments::protocol::answers::Slurm SlurmLauncher::status() const {
  const Parts& p = *parts_;
  std::lock_guard lock(p.mutex);
  return {.wanted = p.wanted,
          .name = p.name,
          .paused = text_if_any(p.paused),
          .problem = text_if_any(p.problem),
          .why = text_if_any(p.why),
          .maximum = p.site ? p.site->queue.maximum : 0,
          .backlog = p.site ? p.site->queue.backlog : 0,
          .allocations = p.allocations()};
}

}  // namespace remixer::coordinator::slurm
