// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/scheduler/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <optional>
#include <set>

#include "tests/coordinator/scheduler/draw.h"
#include "tests/coordinator/scheduler/promises.h"
#include "tests/coordinator/scheduler/simulated_disk.h"
#include "tests/coordinator/scheduler/simulated_store.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator::testing {
namespace {

using protocol::Assignment;
using protocol::Ending;
using protocol::Order;

constexpr int kEvents = 220;
constexpr size_t kWorkers = 3;
constexpr int64_t kSteps = 100;  // of each task

const std::vector<SubmitEvent>& grids() {
  static const std::vector<SubmitEvent> list = {SubmitEvent(make_grid("a", {1, 2, 3, 4})),
                                                SubmitEvent(make_grid("b", {3, 4, 5, 6, 7})),
                                                SubmitEvent(make_grid("c", {8, 9}))};
  return list;
}

struct SimulatedWorker {
  std::string id;
  bool dead = false;
  std::optional<Assignment> work;
  double lease_until = 0;  // on its own clock, from when it sent what was answered
  int64_t step = 0;
  std::string model;  // that its result names
  Ending ending = Ending::kDone;
  bool finished = false;  // has computed all; only the report is left
  int64_t awaited = 0;    // the newest message
};

// A message under way. Answers to any but the newest message of a worker are not listened to.
struct Message {
  size_t worker = 0;
  int64_t number = 0;
  double sent = 0;
  Event event;
};

class World {
 public:
  World(uint64_t seed, Fault fault, bool trace) : draw_(seed), fault_(fault), trace_(trace) {
    settings_.longest_backoff_seconds = 60;
    reload();
    troubled_ = false;  // so that there is enough to do
    submit();
    submit();
    while (workers_.size() < kWorkers) join();
    troubled_ = true;
  }

  Outcome run() {
    try {
      for (; outcome_.events < kEvents; ++outcome_.events) {
        act();
        check();
      }
      settle();
    } catch (const Violation& violation) {
      outcome_.violation = fmt::format("event {}: {}", outcome_.events, violation.what);
    }
    outcome_.tasks = static_cast<int64_t>(state_.tasks.size());
    outcome_.attempts = state_.next_fence - 1;
    return outcome_;
  }

 private:
  // --- what happens ---

  void act() {
    switch (draw_(20)) {
      case 0:
      case 1:
      case 2:
        return advance(0.5 + draw_.seconds(12));
      case 3:
        return advance(draw_.once_in(4) ? settings_.lease_seconds + 1 : draw_.seconds(3));
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        return send(draw_(workers_.size()));
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return deliver();
      case 14:
        return lose();
      case 15:
        return order();
      case 16:
        return draw_.once_in(3) ? submit() : death();
      case 17:
        return draw_.once_in(2) ? jump() : disk();
      case 18:
        return crash("at rest");
      default:
        return draw_.once_in(8) ? shutdown() : send(draw_(workers_.size()));
    }
  }

  Now now() const { return {time_ + offset_, wall_}; }

  void say(const std::string& text) const {
    if (trace_) std::fprintf(stderr, "%4ld %8.1f  %s\n", outcome_.events, time_, text.c_str());
  }

  // The daemon steps the events of one batch, commits, answers. It may die at any point between.
  // Returns the answers that were given.
  std::vector<std::optional<Reply>> handle(const std::vector<Event>& events) {
    std::vector<std::optional<Reply>> replies(events.size());
    std::vector<std::optional<Reply>> kept(events.size());
    std::vector<Write> writes;
    std::vector<std::string> removed;
    for (size_t i = 0; i < events.size(); ++i) {
      try {
        Effects effects = take(events[i]);
        removed.insert(removed.end(), effects.removed.begin(), effects.removed.end());
        std::move(effects.writes.begin(), effects.writes.end(), std::back_inserter(writes));
        kept[i] = std::move(effects.reply);
        promises_.note_step(events[i], state_);
      } catch (const InputError&) {
        // Refused at once; nothing has happened.
      }
    }
    const bool dies = troubled_ && draw_.once_in(12);
    // 0: before the commit; n: after it and n - 1 answers.
    const size_t point = dies ? draw_(events.size() + 2) : events.size() + 2;
    if (point == 0) {
      if (fault_ == Fault::kNoTransaction && !writes.empty()) {
        store_.commit_part(writes, draw_(writes.size()));
      }
      crash("before a commit");
      return replies;
    }
    if (!writes.empty()) store_.commit(writes);
    for (const std::string& id : removed) {
      if (dies && draw_.once_in(2)) continue;  // before the files are gone
      disk_.remove(id);
      step(state_, ClearingEvent{id, -1}, now(), settings_);
    }
    if (draw_.once_in(10)) pass(draw_.seconds(draw_.once_in(5) ? 40 : 3));  // a slow disk
    for (size_t i = 0; i < events.size() && i + 1 < point; ++i) replies[i] = std::move(kept[i]);
    for (size_t i = 0; i < events.size(); ++i) {
      if (replies[i]) promises_.note_answer(events[i], *replies[i], state_);
    }
    if (dies) {
      if (fault_ == Fault::kNoSync && !writes.empty()) store_.lose_last_commit();
      crash("after a commit");
    }
    return replies;
  }

  std::optional<Reply> handle(const Event& event) { return handle(std::vector<Event>{event})[0]; }

  // A step, with what must hold of it.
  Effects take(Event event) {
    const auto [task, fence] = reported(event);
    const TaskEntry* entry = find_entry(state_, task);
    const int64_t newest = entry ? entry->fence : 0;
    const bool stale = entry && newest > fence;
    if (fault_ == Fault::kNoFence && stale) forge(event, *entry);
    Effects effects = step(state_, event, now(), settings_);
    require(!stale || effects.writes.empty() || std::holds_alternative<ClaimEvent>(event),
            "a report of fence {} changed '{}', whose newest is {}", fence,
            entry ? entry->title : "", newest);
    return effects;
  }

  static std::pair<std::string, int64_t> reported(const Event& event) {
    if (const auto* beat = std::get_if<HeartbeatEvent>(&event)) {
      return {beat->heartbeat.task_id, beat->heartbeat.fence};
    }
    if (const auto* result = std::get_if<ResultEvent>(&event)) {
      return {result->result.task_id, result->result.fence};
    }
    return {};
  }

  // The report as if there were no fences.
  static void forge(Event& event, const TaskEntry& entry) {
    if (auto* beat = std::get_if<HeartbeatEvent>(&event)) {
      beat->heartbeat.attempt = entry.attempts;
      beat->heartbeat.fence = entry.fence;
    } else if (auto* result = std::get_if<ResultEvent>(&event)) {
      result->result.attempt = entry.attempts;
      result->result.fence = entry.fence;
    }
  }

  void reload() {
    state_ = store_.load(now(), settings_);
    if (fault_ == Fault::kNoLease) {
      // As if it were known that nobody works any more.
      for (const std::string& id : state_.held) state_.task(id).newest->held_until = 0.001;
    }
  }

  void crash(const char* when) {
    say(fmt::format("the daemon dies {}", when));
    ++outcome_.crashes;
    pass(draw_.seconds(20));
    // The host may have been started again as well: its clock begins anew.
    if (draw_.once_in(3)) offset_ = 50 - time_;
    reload();
  }

  void pass(double seconds) {
    time_ += seconds;
    wall_ += seconds;
  }

  void advance(double seconds) {
    pass(seconds);
    handle(TickEvent{});
  }

  void jump() {
    wall_ += draw_.seconds(7200) - 3600;
    say("the wall clock jumps");
  }

  void join() {
    SimulatedWorker worker;
    protocol::RegisterWorker about = make_worker(++pids_, fmt::format("host{}", draw_(2)));
    about.ranks = static_cast<int64_t>(1 + draw_(4));
    if (draw_.once_in(4)) about.ends_at = wall_ + draw_.seconds(2000);
    const auto reply = handle(RegisterEvent{about});
    if (!reply) return;
    worker.id = std::get<protocol::WorkerRegistered>(*reply).worker_id;
    say(fmt::format("{} joins", worker.id));
    workers_.push_back(worker);
  }

  void submit() {
    const SubmitEvent& event = grids()[submits_++ % grids().size()];
    say(fmt::format("submit {}", event.grid->name));
    submit(event);
  }

  void submit(const SubmitEvent& event) {
    SubmitEvent again = event;
    again.missing = disk_.missing(state_, store_);
    again.folders = disk_.folders();
    handle(again);
  }

  void disk() {
    switch (draw_(8)) {
      case 0:
        say("files are lost");
        return disk_.lose(state_, store_, draw_);
      case 1:
        return draw_.once_in(4) ? lose_database() : submit();
      default:
        say("garbage is collected");
        return disk_.collect(state_, store_, fault_ == Fault::kNewestAttemptOnly);
    }
  }

  // The database is lost, and its owner has the results read back from the run folders once nobody
  // works any more. Workers register again, as with any daemon that does not know them.
  void lose_database() {
    say("the database is lost");
    pass(settings_.lease_seconds + 1);
    store_ = SimulatedStore();
    promises_.forget();
    network_.clear();
    workers_.clear();
    reload();
    // Garbage of a database that knows nothing is nothing.
    disk_.collect(state_, store_, fault_ == Fault::kNewestAttemptOnly);
    for (const SubmitEvent& grid : grids()) submit(grid);
    const auto reply = handle(RegisterEvent{make_worker(++pids_, "adopt")});
    const std::string id =
        reply ? std::get<protocol::WorkerRegistered>(*reply).worker_id : std::string();
    for (const auto& [task, model] : disk_.kept()) {
      protocol::AttemptResult result;
      result.task_id = task;
      result.result = {{"model", model}};
      handle(AdoptEvent{id, result});
    }
    while (workers_.size() < kWorkers) join();
  }

  void send(size_t index) {
    if (workers_.empty()) return join();
    SimulatedWorker& worker = workers_[index % workers_.size()];
    if (worker.dead) return;
    Message message{index % workers_.size(), ++numbers_, time_, ClaimEvent{worker.id}};
    if (worker.work && worker.finished) {
      auto result = result_of(*worker.work, worker.ending);
      result.worker_id = worker.id;
      if (worker.ending == Ending::kDone) result.result = {{"model", worker.model}};
      if (draw_.once_in(2)) {
        message.event = ClaimEvent{worker.id, result};
      } else {
        message.event = ResultEvent{result};
      }
    } else if (worker.work) {
      // Nothing is computed beyond the lease; asking goes on.
      if (time_ < worker.lease_until) worker.step += 10 + static_cast<int64_t>(draw_(40));
      worker.finished = worker.step >= kSteps;
      const uint64_t how = troubled_ ? draw_(16) : 0;
      worker.ending = how == 3   ? Ending::kFailed
                      : how == 5 ? Ending::kNoSpace
                      : how == 7 ? Ending::kReleased
                                 : Ending::kDone;
      if (worker.finished && worker.ending == Ending::kDone) disk_.finish(*worker.work);
      auto beat = heartbeat_of(*worker.work, std::min(worker.step, kSteps));
      beat.worker_id = worker.id;
      message.event = HeartbeatEvent{beat};
    }
    worker.awaited = message.number;
    network_.push_back(std::move(message));
  }

  // Up to three messages reach the daemon together; some are doubled, some answers are lost.
  void deliver() {
    std::vector<Message> messages;
    std::vector<Event> events;
    for (uint64_t count = 1 + draw_(3); count > 0 && !network_.empty(); --count) {
      const size_t at = draw_(network_.size());
      messages.push_back(network_[at]);
      events.push_back(network_[at].event);
      if (!troubled_ || !draw_.once_in(8)) {
        network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    if (events.empty()) return;
    const auto replies = handle(events);
    for (size_t i = 0; i < messages.size(); ++i) {
      if (replies[i] && !(troubled_ && draw_.once_in(8))) hear(messages[i], *replies[i]);
    }
  }

  void hear(const Message& message, const Reply& reply) {
    SimulatedWorker& worker = workers_[message.worker];
    if (worker.dead || worker.awaited != message.number) return;
    worker.awaited = 0;
    if (const auto* claimed = std::get_if<protocol::ClaimReply>(&reply)) {
      worker.work.reset();
      if (!claimed->assignment) return;
      worker.work = claimed->assignment;
      worker.lease_until = message.sent + settings_.lease_seconds;
      worker.step = 0;
      worker.finished = false;
      disk_.begin(*worker.work);
      worker.model = disk_.earlier(*worker.work, fault_ == Fault::kBlindResend);
      if (!worker.model.empty()) {
        // An earlier attempt had finished it: nothing is computed.
        worker.finished = true;
        worker.ending = Ending::kDone;
      } else {
        worker.model = SimulatedDisk::model_of(worker.work->folder);
      }
      say(fmt::format("{} gets '{}' attempt {}", worker.id, worker.work->task.title,
                      worker.work->attempt));
    } else if (const auto* beat = std::get_if<protocol::HeartbeatReply>(&reply)) {
      if (beat->order == Order::kAbandon) worker.work.reset();
      if (beat->order == Order::kStop && worker.work && !worker.finished) {
        worker.finished = true;
        worker.ending = Ending::kReleased;
      }
      if (worker.work) worker.lease_until = message.sent + settings_.lease_seconds;
    } else {
      worker.work.reset();
    }
  }

  void lose() {
    if (network_.empty()) return;
    network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(draw_(network_.size())));
  }

  void death() {
    if (workers_.empty()) return;
    SimulatedWorker& worker = workers_[draw_(workers_.size())];
    if (worker.dead) return;
    say(fmt::format("{} dies", worker.id));
    worker.dead = true;
    worker.work.reset();
    const uint64_t seen = draw_(3);  // not every death is
    if (seen > 0)
      handle(WorkerGoneEvent{worker.id, seen == 1 ? "died" : "was preempted", seen == 1});
    join();
  }

  void shutdown() {
    handle(ShutdownEvent{});
    crash("in order");
  }

  void order() {
    if (state_.tasks.empty() || state_.grids.empty()) return;
    auto task = state_.tasks.begin();
    std::advance(task, draw_(state_.tasks.size()));
    const std::string id = task->first;
    auto grid = state_.grids.begin();
    std::advance(grid, draw_(state_.grids.size()));
    const int64_t number = grid->first;
    switch (draw_(8)) {
      case 0:
        return void(handle(CancelTaskEvent{id}));
      case 1:
        return void(handle(PauseGridEvent{number, static_cast<Pause>(draw_(3))}));
      case 2:
        return void(handle(
            ConfigureGridEvent{number,
                               {static_cast<int64_t>(draw_(3)), static_cast<int64_t>(draw_(4)),
                                static_cast<int64_t>(draw_(4)), 0}}));
      case 3:
        return remove(draw_.once_in(2) ? Event(RemoveTaskEvent{id})
                                       : Event(RemoveGridEvent{number}));
      case 4:
        return void(handle(CancelGridEvent{number}));
      default:
        return void(handle(RetryTaskEvent{id, disk_.missing(state_, store_)}));
    }
  }

  void remove(const Event& event) {
    say("something is removed");
    handle(event);
  }

  // --- what must hold ---

  void check() {
    promises_.check_submits(state_);
    promises_.check_results(state_, store_);
    disk_.check(state_, store_);
    check_leases();
    if (draw_.once_in(8)) check_memory();
  }

  void check_memory() const { check_reload(state_, store_.load(now(), settings_)); }

  void check_leases() const {
    std::set<std::string> held;
    for (const SimulatedWorker& worker : workers_) {
      if (worker.dead || !worker.work || worker.finished || time_ >= worker.lease_until) continue;
      require(held.insert(worker.work->task_id).second, "two valid leases of '{}'",
              worker.work->task.title);
    }
  }

  bool unfinished() const {
    return std::any_of(state_.tasks.begin(), state_.tasks.end(), [](const auto& each) {
      return !each.second.grids.empty() && open(each.second.state);
    });
  }

  // The troubles end: with one healthy worker everything must come to its end.
  void settle() {
    troubled_ = false;
    network_.clear();
    crash("for the last time");
    for (SimulatedWorker& worker : workers_) worker.dead = true;
    for (size_t i = 0; i < workers_.size(); ++i)
      handle(WorkerGoneEvent{workers_[i].id, "ended", false});
    workers_.clear();
    std::vector<int64_t> all;
    for (const auto& [id, grid] : state_.grids) all.push_back(id);
    for (const int64_t id : all) {
      handle(PauseGridEvent{id, Pause::kNone});
      handle(ConfigureGridEvent{id, {}});
    }
    protocol::RegisterWorker about = make_worker(++pids_, "healthy");
    SimulatedWorker worker;
    worker.id = std::get<protocol::WorkerRegistered>(*handle(RegisterEvent{about})).worker_id;
    workers_.push_back(worker);
    work_to_the_end();
    // Whatever was lost is made again, and believed only where it is there.
    disk_.lose(state_, store_, draw_);
    for (const SubmitEvent& grid : grids()) submit(grid);
    work_to_the_end();
    require(disk_.missing(state_, store_).empty(), "a result is believed whose files are gone");
    check_memory();
  }

  void work_to_the_end() {
    for (int i = 0; i < 6000 && unfinished(); ++i) {
      send(0);
      deliver();
      advance(workers_[0].work ? 0.5 : 5);
      promises_.check_results(state_, store_);
      disk_.check(state_, store_);
      check_leases();
    }
    require(!unfinished(), "something does not come to its end");
  }

  SimulatedStore store_;
  SimulatedDisk disk_;
  Settings settings_;
  Draw draw_;
  Fault fault_;
  bool trace_;
  bool troubled_ = true;
  double time_ = 1000, offset_ = 0, wall_ = 1.8e9;
  State state_;
  std::deque<Message> network_;
  std::vector<SimulatedWorker> workers_;
  Promises promises_;
  size_t submits_ = 0;
  int64_t numbers_ = 0, pids_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome simulate(uint64_t seed, Fault fault, bool trace) {
  return World(seed, fault, trace).run();
}

}  // namespace remixer::coordinator::testing
