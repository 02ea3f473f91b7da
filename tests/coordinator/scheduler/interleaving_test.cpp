// Random histories: workers, a network that loses, doubles and reorders, a daemon that crashes
// before or after any commit. The scheduler and the store are the real ones.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>
#include <memory>

#include "coordinator/store/store.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::Ending;
using protocol::Order;

struct SimulatedWorker {
  std::string id;
  bool dead = false;
  std::optional<Assignment> work;
  double lease_until = 0;  // as the worker counts it: from when it sent what was answered
  int64_t step = 0;
  bool finished = false;  // has computed all; only the report is left
};

// A message under way. Replies to any but the newest message of a worker are not listened to.
struct Message {
  size_t worker = 0;
  int64_t number = 0;
  double sent = 0;
  Event event;
};

class World {
 public:
  World() : store_(":memory:") { reload(); }

  void act(uint32_t choice) {
    const uint32_t argument = choice / 16;
    switch (choice % 16) {
      case 0:
      case 1:
        advance(0.5 + argument % 12);
        break;
      case 2:
      case 3:
      case 4:
      case 5:
        send(argument);
        break;
      case 6:
      case 7:
      case 8:
        deliver(argument, true, true);
        break;
      case 9:
        deliver(argument, true, false);
        break;  // arrives, but its answer is lost
      case 10:
        deliver(argument, false, true);
        break;  // arrives, and a copy stays under way
      case 11:
        lose(argument);
        break;
      case 12:
        crash_at_ = 1 + argument % 2;
        break;
      case 13:
        submit(argument);
        break;
      case 14:
        control(argument);
        break;
      case 15:
        death(argument);
        break;
    }
    check();
  }

  // The troubles end: everything that was acknowledged and not failed must come to its end.
  void settle() {
    crash_at_ = 0;
    network_.clear();
    for (auto& worker : workers_) worker.dead = true;
    for (size_t i = 0; i < workers_.size(); ++i) handle(WorkerGoneEvent{workers_[i].id});
    workers_.clear();
    join();
    for (int i = 0; i < 4000 && unfinished(); ++i) {
      send(0);
      deliver(0, true, true);
      advance(0.5);
      check();
    }
    RC_ASSERT(!unfinished());
    check();
  }

  void join() {
    SimulatedWorker worker;
    const auto reply = handle(RegisterEvent{make_worker(++pids_)});
    if (reply) worker.id = std::get<protocol::WorkerRegistered>(*reply).worker_id;
    if (!worker.id.empty()) workers_.push_back(worker);
  }

  void submit(uint32_t argument) {
    static const std::vector<protocol::SubmitGrid> grids = {
        make_grid("a", {1}), make_grid("b", {1, 2}), make_grid("c", {2})};
    const auto& grid = grids[argument % grids.size()];
    const auto reply = handle(SubmitEvent{grid, {}});
    if (!reply) return;
    acknowledged_.insert(std::get<protocol::GridSubmitted>(*reply).grid_id);
    for (const Task& task : grid.tasks) acknowledged_tasks_.insert(task.id());
  }

 private:
  // Steps, stores and answers, unless the daemon crashes in between.
  std::optional<Reply> handle(const Event& event) {
    Effects effects;
    try {
      effects = step(state_, event, now_, settings_);
    } catch (const InputError&) {
      return std::nullopt;
    }
    check_stale(event, effects);
    const int crash = std::exchange(crash_at_, 0);
    if (crash == 1) {
      reload();
      return std::nullopt;
    }
    store_.commit(effects.writes);
    note_results(effects);
    if (crash == 2) {
      reload();
      return std::nullopt;
    }
    return effects.reply;
  }

  void reload() { state_ = store_.load(now_, settings_); }

  void advance(double seconds) {
    now_.monotonic += seconds;
    now_.wall += seconds;
    handle(TickEvent{});
  }

  void send(uint32_t argument) {
    if (workers_.size() < 3) join();
    if (workers_.empty()) return;
    const size_t index = argument % workers_.size();
    SimulatedWorker& worker = workers_[index];
    if (worker.dead) return;
    Message message{index, ++numbers_, now_.monotonic, ClaimEvent{worker.id}};
    if (worker.work && worker.finished) {
      message.event = ResultEvent{result_of(*worker.work, ending_)};
    } else if (worker.work) {
      // Nothing is computed beyond the lease; asking goes on.
      if (now_.monotonic < worker.lease_until) worker.step += 25;
      if (worker.step >= 100) worker.finished = true;
      ending_ = argument % 16 == 3   ? Ending::kFailed
                : argument % 16 == 7 ? Ending::kReleased
                                     : Ending::kDone;
      message.event = HeartbeatEvent{heartbeat_of(*worker.work, worker.step)};
    }
    awaited_[index] = message.number;
    network_.push_back(message);
  }

  void deliver(uint32_t argument, bool take, bool heard) {
    if (network_.empty()) return;
    const size_t at = argument % network_.size();
    const Message message = network_[at];
    if (take) network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(at));
    const auto reply = handle(message.event);
    SimulatedWorker& worker = workers_[message.worker];
    if (!reply || !heard || worker.dead || awaited_[message.worker] != message.number) return;
    awaited_[message.worker] = 0;
    hear(worker, *reply, message);
  }

  void hear(SimulatedWorker& worker, const Reply& reply, const Message& message) {
    if (const auto* claimed = std::get_if<protocol::ClaimReply>(&reply)) {
      if (!claimed->assignment) return;
      worker.work = claimed->assignment;
      worker.lease_until = message.sent + settings_.lease_seconds;
      worker.step = 0;
      worker.finished = false;
    } else if (const auto* beat = std::get_if<protocol::HeartbeatReply>(&reply)) {
      if (beat->order == Order::kAbandon) worker.work.reset();
      if (worker.work) worker.lease_until = message.sent + settings_.lease_seconds;
    } else {
      worker.work.reset();
    }
  }

  void lose(uint32_t argument) {
    if (!network_.empty()) {
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(argument % network_.size()));
    }
  }

  void death(uint32_t argument) {
    if (workers_.empty()) return;
    SimulatedWorker& worker = workers_[argument % workers_.size()];
    worker.dead = true;
    worker.work.reset();
    // Only what is on the daemon's own host is seen to be gone.
    if (argument % 2) handle(WorkerGoneEvent{worker.id});
    if (argument % 4 == 0) join();
  }

  void control(uint32_t argument) {
    if (state_.tasks.empty()) return;
    auto task = state_.tasks.begin();
    std::advance(task, argument % state_.tasks.size());
    const std::string id = task->first;
    if (argument % 3 == 0) {
      handle(CancelTaskEvent{id});
    } else {
      handle(RetryTaskEvent{id, {}});
    }
  }

  // An attempt that has been replaced changes nothing at all.
  void check_stale(const Event& event, const Effects& effects) const {
    std::string id;
    int64_t fence = 0;
    if (const auto* beat = std::get_if<HeartbeatEvent>(&event)) {
      id = beat->heartbeat.task_id, fence = beat->heartbeat.fence;
    } else if (const auto* result = std::get_if<ResultEvent>(&event)) {
      id = result->result.task_id, fence = result->result.fence;
    } else {
      return;
    }
    const auto found = state_.tasks.find(id);
    if (found == state_.tasks.end() || !found->second.newest) return;
    if (found->second.newest->fence > fence) RC_ASSERT(effects.writes.empty());
  }

  void note_results(const Effects& effects) {
    for (const Write& write : effects.writes) {
      const auto* put = std::get_if<PutTaskState>(&write);
      if (!put || put->state != TaskState::kDone) continue;
      const auto [known, fresh] = results_.emplace(put->id, put->result);
      RC_ASSERT(known->second == put->result);
    }
  }

  void check() const {
    std::map<std::string, int> holders;
    for (const SimulatedWorker& worker : workers_) {
      if (!worker.dead && worker.work && !worker.finished && now_.monotonic < worker.lease_until &&
          !results_.count(worker.work->task_id)) {
        RC_ASSERT(++holders[worker.work->task_id] == 1);
      }
    }
    for (const int64_t grid : acknowledged_) RC_ASSERT(state_.grids.count(grid) == 1);
    for (const std::string& task : acknowledged_tasks_) RC_ASSERT(state_.tasks.count(task) == 1);
    for (const auto& [id, result] : results_) {
      RC_ASSERT(state_.task(id).state == TaskState::kDone);
      RC_ASSERT(state_.task(id).result == result);
    }
  }

  bool unfinished() const {
    return std::any_of(state_.tasks.begin(), state_.tasks.end(), [](const auto& each) {
      const TaskState state = each.second.state;
      return state == TaskState::kWaiting || state == TaskState::kReady ||
             state == TaskState::kRunning;
    });
  }

  Store store_;
  Settings settings_;
  Now now_{100, 1.8e9};
  State state_;
  std::deque<Message> network_;
  std::vector<SimulatedWorker> workers_;
  std::map<size_t, int64_t> awaited_;
  std::map<std::string, Json> results_;
  std::set<int64_t> acknowledged_;
  std::set<std::string> acknowledged_tasks_;
  Ending ending_ = Ending::kDone;
  int64_t numbers_ = 0, pids_ = 0;
  int crash_at_ = 0;  // of the next event: 1 before its commit, 2 after it, before the answer
};

// More of them, and a failing one made short: RC_PARAMS="max_success=5000".
TEST(InterleavingTest, PromisesHoldInRandomHistories) {
  ::setenv("RC_PARAMS", "max_success=100 noshrink=1", 0);
  EXPECT_TRUE(rc::check("promises", [] {
    const auto choices =
        *rc::gen::container<std::vector<uint32_t>>(150, rc::gen::inRange<uint32_t>(0, 16 * 240));
    World world;
    world.submit(1);
    for (const uint32_t choice : choices) world.act(choice);
    world.settle();
  }));
}

}  // namespace
}  // namespace remixer::coordinator
