// SPDX-License-Identifier: Apache-2.0
// A real grid whose processes are killed, stopped and cut off, at random and at named points, until
// it is done. What the attempts wrote themselves is compared with the database, and every figure
// with an undisturbed run's.
#include <gtest/gtest.h>

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <random>
#include <set>

#include "experiments/protocol/access.h"
#include "tests/process/cut_wire.h"
#include "tests/process/grid_run.h"
#include "tests/process/network_namespace.h"

namespace remixer::testing {
namespace {

namespace protocol = experiments::protocol;

constexpr double kDisturbedSeconds = 100;  // then the grid is left alone
constexpr double kPatience = 240;          // until it must be done
constexpr int kEpochs = 90;                // longer than all kinds of disturbance take

// Where a process kills itself: $REMIXER_FAILPOINT of its coming lives, one after the other.
const std::deque<std::string> kDaemonPoints = {"before-commit:30", "after-answer:25",  "",
                                               "after-commit:30",  "before-answer:40", ""};
const std::deque<std::string> kWorkerPoints[] = {
    {"before-checkpoint", "after-result", "", "after-checkpoint:2", "before-result:2", ""},
    {"", "after-checkpoint", "before-result", "", "before-checkpoint:2", "after-result:2"}};
constexpr int kLeaseSeconds = 6;
constexpr auto kLongerThanALease = std::chrono::seconds(9);

// Names, which end with the pid of rank 0, of those that have a task.
std::vector<std::string> busy_workers(const fs::path& workspace) {
  SQLite::Database database((workspace / "remixer.db").string(), SQLite::OPEN_READONLY, 5000);
  SQLite::Statement query(database, "SELECT worker FROM runs WHERE state = 'running'");
  std::vector<std::string> names;
  while (query.executeStep()) names.push_back(query.getColumn(0));
  return names;
}

std::vector<std::string> joined(const std::vector<std::vector<std::string>>& parts) {
  std::vector<std::string> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// Programs of a workspace that are started again whenever they have ended.
class Chaos {
 public:
  Chaos(const fs::path& folder, unsigned seed, Network& network)
      : folder_(folder), random_(seed), network_(network) {}
  ~Chaos() {
    for (Worker& worker : workers_) {
      worker.mpirun.reset();
      for (const pid_t rank : ranks(worker)) ::kill(rank, SIGKILL);
    }
  }

  fs::path workspace() const { return folder_ / "workspace"; }

  // Starts what is not there.
  void keep_alive(bool with_failpoints) {
    if (!daemon_ || !daemon_->running()) {
      const fs::path file = protocol::access_file(workspace());
      fs::remove(file);
      start(daemon_, daemon_points_, with_failpoints,
            joined({network_.daemon_side(),
                    {program("remixer"), "--workspace", workspace().string(), "up", "--workers",
                     "0", "--lease", std::to_string(kLeaseSeconds)},
                    network_.listen()}));
      // It may be killed before that.
      eventually([&] { return fs::exists(file) || !daemon_->running(); });
      const auto access = protocol::read_access(file);
      if (!access) return;
      const protocol::Access way = network_.way_to(*access);
      for (const Worker& worker : workers_) protocol::write_access(worker.access, way);
    }
    for (Worker& worker : workers_) {
      if (worker.mpirun && worker.mpirun->running()) continue;
      start(worker.mpirun, worker.points, with_failpoints,
            joined({network_.worker_side(),
                    {"mpirun", "--oversubscribe", "-n", "2", program("remixer-worker"), "--access",
                     worker.access.string(), "--collective-timeout", "20"}}));
    }
  }

  void submit(const std::string& grid) const {
    write_file_atomic(folder_ / "grid.toml", grid);
    const auto submitted =
        run_program(joined({network_.daemon_side(),
                            {program("remixer"), "--workspace", workspace().string(), "submit",
                             (folder_ / "grid.toml").string()}}),
                    folder_, 60);
    ASSERT_EQ(submitted.code, 0) << submitted.errors;
  }

  void disturb() {
    Worker& worker = a_busy_worker();
    const std::vector<pid_t> found = ranks(worker);
    const pid_t rank = found.empty() ? 0 : found[random_() % found.size()];
    const auto moment = std::chrono::milliseconds(500 + random_() % 4000);
    // Every kind comes once before any comes again.
    if (deck_.empty()) {
      deck_ = {0, 1, 2, 3, 4, 5, 6, 7};
      std::shuffle(deck_.begin(), deck_.end(), random_);
    }
    // What needs a rank waits until there is one.
    const auto next = std::find_if(deck_.rbegin(), deck_.rend(), [&](int kind) {
      return rank != 0 || (kind != 2 && kind != 3 && kind != 5);
    });
    if (next == deck_.rend()) return;
    const int kind = *next;
    deck_.erase(std::next(next).base());
    switch (kind) {
      case 0:
        done_.insert("kill daemon");
        daemon_->signal(SIGKILL);
        break;
      case 1:
        done_.insert("kill mpirun");
        worker.mpirun->signal(SIGKILL);
        break;
      case 2:
        done_.insert("kill rank");
        ::kill(rank, SIGKILL);
        break;
      case 3:
        done_.insert("stop rank");
        ::kill(rank, SIGSTOP);
        std::this_thread::sleep_for(moment);
        ::kill(rank, SIGCONT);
        break;
      case 4:
        done_.insert("stop daemon");
        daemon_->signal(SIGSTOP);
        std::this_thread::sleep_for(moment);
        daemon_->signal(SIGCONT);
        break;
      case 5:
        // It wakes up when its task may have been given to the other one.
        done_.insert("worker asleep beyond its lease");
        for (const pid_t each : found) ::kill(each, SIGSTOP);
        std::this_thread::sleep_for(kLongerThanALease);
        for (const pid_t each : found) ::kill(each, SIGCONT);
        break;
      default: {
        const bool silent = kind == 6;
        done_.insert(silent ? "silent network" : "cut network");
        network_.set(silent ? Network::State::kSilent : Network::State::kCut);
        std::this_thread::sleep_for(moment);
        network_.set(Network::State::kWhole);
        break;
      }
    }
  }
  void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(1000 + random_() % 4000)); }

  const std::set<std::string>& done() const { return done_; }
  std::string logs() const {
    return read_file_if_exists(workspace() / "logs/daemon.log").value_or("") +
           (daemon_ ? daemon_->errors() : "");
  }

 private:
  struct Worker {
    fs::path access;
    std::deque<std::string> points;
    std::unique_ptr<Program> mpirun;
  };

  void start(std::unique_ptr<Program>& place, std::deque<std::string>& points, bool with_failpoints,
             const std::vector<std::string>& command) {
    place.reset();
    if (with_failpoints && !points.front().empty()) {
      ::setenv("REMIXER_FAILPOINT", points.front().c_str(), 1);
    }
    std::rotate(points.begin(), points.begin() + 1, points.end());
    place = std::make_unique<Program>(command, folder_);
    ::unsetenv("REMIXER_FAILPOINT");
  }

  // One that has a task, where there is one: the others have nothing to lose.
  Worker& a_busy_worker() {
    Worker* const any = &workers_[random_() % std::size(workers_)];
    const std::vector<std::string> names = busy_workers(workspace());
    for (Worker* worker : {any, &workers_[0], &workers_[1]}) {
      for (const pid_t rank : ranks(*worker)) {
        const std::string ending = fmt::format(":{}", rank);
        if (std::any_of(names.begin(), names.end(),
                        [&](const std::string& name) { return name.ends_with(ending); })) {
          return *worker;
        }
      }
    }
    return *any;
  }

  // A worker's ranks, those of an earlier life included.
  static std::vector<pid_t> ranks(const Worker& worker) {
    std::vector<pid_t> found;
    const std::string access = worker.access.string();
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != name.npos) continue;
      std::error_code gone;
      const fs::path exe = fs::read_symlink(entry.path() / "exe", gone);
      if (gone || exe.filename() != "remixer-worker") continue;
      std::ifstream file(entry.path() / "cmdline");
      const std::string words((std::istreambuf_iterator<char>(file)), {});
      if (words.find(access) != words.npos) found.push_back(std::stoi(name));
    }
    return found;
  }

  fs::path folder_;
  std::mt19937 random_;
  std::vector<int> deck_;
  Network& network_;
  std::deque<std::string> daemon_points_ = kDaemonPoints;
  std::unique_ptr<Program> daemon_;
  Worker workers_[2] = {{folder_ / "access-0.json", kWorkerPoints[0], nullptr},
                        {folder_ / "access-1.json", kWorkerPoints[1], nullptr}};
  std::set<std::string> done_;
};

struct AttemptRow {
  std::string task, state;
  int64_t number = 0;
};

std::vector<AttemptRow> attempts_of(const fs::path& workspace) {
  SQLite::Database database((workspace / "remixer.db").string(), SQLite::OPEN_READONLY, 5000);
  SQLite::Statement query(database, "SELECT task_id, state, attempt FROM runs");
  std::vector<AttemptRow> rows;
  while (query.executeStep()) {
    rows.push_back({query.getColumn(0), query.getColumn(1), query.getColumn(2).getInt64()});
  }
  return rows;
}

size_t times(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Each attempt's log is its own witness: it was written by one process, for one attempt that the
// database knows; and an attempt that the database calls done says so itself.
void compare_with_witnesses(const fs::path& workspace) {
  std::map<std::pair<std::string, int64_t>, std::string> known;
  std::map<std::string, int> finished;
  for (const AttemptRow& row : attempts_of(workspace)) {
    known[{row.task, row.number}] = row.state;
    finished[row.task] += row.state == "done";
  }
  for (const auto& [task, count] : finished) EXPECT_EQ(count, 1) << task;
  size_t witnesses = 0;
  for (const auto& task : fs::directory_iterator(workspace / "runs")) {
    for (const auto& attempt : fs::directory_iterator(task)) {
      const auto log = read_file_if_exists(attempt.path() / "log.txt");
      if (!log || log->empty()) continue;  // killed before its first line
      ++witnesses;
      const std::string id = task.path().filename().string();
      const int64_t number = std::stoll(attempt.path().filename().string());
      EXPECT_EQ(times(*log, fmt::format("attempt {} of {}", number, id)), 1u) << *log;
      ASSERT_TRUE(known.contains({id, number})) << id << " " << number << "\n" << *log;
      if (known[{id, number}] != "done") continue;
      EXPECT_TRUE(log->ends_with(" info done\n") || log->find("had finished already") != log->npos)
          << *log;
    }
  }
  EXPECT_GE(witnesses, finished.size());
}

void nothing_is_lost_and_nothing_counts_twice(Network& network) {
  const auto given = static_cast<const char*>(std::getenv("REMIXER_CHAOS_SEED"));
  const unsigned seed = given ? static_cast<unsigned>(std::stoul(given)) : 1;
  // mpirun refuses to be root otherwise; as the daemon does for its own workers.
  ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  const std::string grid = small_grid(kEpochs);
  ScratchFolder undisturbed("chaos-whole"), folder("chaos");
  const auto whole = run_program(run_command(undisturbed, grid), undisturbed.path(), 600);
  ASSERT_EQ(whole.code, 0) << whole.errors;

  Chaos chaos(folder.path(), seed, network);
  chaos.keep_alive(/*with_failpoints=*/false);
  chaos.submit(grid);

  const auto start = std::chrono::steady_clock::now();
  const auto passed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const auto all_done = [&] {
    return count(chaos.workspace(), "SELECT count(*) FROM task WHERE state != 'done'") == 0;
  };
  while (!all_done() && passed() < kDisturbedSeconds) {
    chaos.pause();
    chaos.disturb();
    chaos.keep_alive(/*with_failpoints=*/true);
  }
  ASSERT_TRUE(eventually(
      [&] {
        chaos.keep_alive(/*with_failpoints=*/false);
        chaos.pause();
        return all_done();
      },
      kPatience))
      << "seed " << seed << "\n"
      << chaos.logs();
  const int64_t cut_short =
      count(chaos.workspace(), "SELECT count(*) FROM runs WHERE state != 'done'");
  fmt::print(
      "seed {}: done {:.0f} s after the first disturbance, of {} kinds ({}); {} attempts cut "
      "short\n",
      seed, passed(), chaos.done().size(), fmt::join(chaos.done(), ", "), cut_short);
  EXPECT_GE(chaos.done().size(), 6u) << "the grid was done before it was disturbed";
  EXPECT_EQ(figures(chaos.workspace()), figures(undisturbed / "workspace")) << "seed " << seed;
  EXPECT_GT(cut_short, 0);
  EXPECT_EQ(count(chaos.workspace(), "SELECT count(*) FROM task WHERE failures > 0"), 0)
      << chaos.logs();
  compare_with_witnesses(chaos.workspace());
}

TEST(ChaosTest, NothingIsLostAndNothingCountsTwice) {
  CutWire wire;
  nothing_is_lost_and_nothing_counts_twice(wire);
}

TEST(ChaosTest, NorOnARealNetworkUnderTls) {
  ScratchFolder folder("network");
  const auto network = NetworkNamespaces::make(folder.path());
  if (!network) GTEST_SKIP() << "this machine lets nobody make a network";
  nothing_is_lost_and_nothing_counts_twice(*network);
}

}  // namespace
}  // namespace remixer::testing
