// A real grid whose processes are killed, stopped and cut off, at random and at named points, until
// it is done. What the attempts wrote themselves is compared with the database, and every figure with
// an undisturbed run's.
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
constexpr int kEpochs = 20;

// Where a process kills itself: $REMIXER_FAILPOINT of its coming lives, one after the other.
const std::deque<std::string> kDaemonPoints = {"before-commit:30", "after-answer:25", "",
                                               "after-commit:30", "before-answer:40", ""};
const std::deque<std::string> kWorkerPoints = {"before-checkpoint", "after-result",      "",
                                               "after-checkpoint:2", "before-result:2", ""};

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
    worker_.reset();
    for (const pid_t rank : ranks()) ::kill(rank, SIGKILL);
  }

  fs::path workspace() const { return folder_ / "workspace"; }

  // Starts what is not there.
  void keep_alive(bool with_failpoints) {
    if (!daemon_ || !daemon_->running()) {
      const fs::path file = protocol::access_file(workspace());
      fs::remove(file);
      start(daemon_, daemon_points_, with_failpoints,
            joined({network_.daemon_side(),
                    {program("remixer"), "--workspace", workspace().string(), "up", "--workers", "0"},
                    network_.listen()}));
      // It may be killed before that.
      eventually([&] { return fs::exists(file) || !daemon_->running(); });
      const auto access = protocol::read_access(file);
      if (!access) return;
      protocol::write_access(folder_ / "worker-access.json", network_.way_to(*access));
    }
    if (!worker_ || !worker_->running()) {
      start(worker_, worker_points_, with_failpoints,
            joined({network_.worker_side(),
                    {"mpirun", "--oversubscribe", "-n", "2", program("remixer-worker"), "--access",
                     (folder_ / "worker-access.json").string(), "--collective-timeout", "20"}}));
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
    const std::vector<pid_t> found = ranks();
    const pid_t rank = found.empty() ? 0 : found[random_() % found.size()];
    const auto moment = std::chrono::milliseconds(500 + random_() % 4000);
    // Every kind comes once before any comes again.
    if (deck_.empty()) {
      deck_ = {0, 1, 2, 3, 4, 5, 6};
      std::shuffle(deck_.begin(), deck_.end(), random_);
    }
    const int kind = deck_.back();
    deck_.pop_back();
    switch (kind) {
      case 0:
        done_.insert("kill daemon");
        daemon_->signal(SIGKILL);
        break;
      case 1:
        done_.insert("kill mpirun");
        worker_->signal(SIGKILL);
        break;
      case 2:
        if (rank == 0) return;
        done_.insert("kill rank");
        ::kill(rank, SIGKILL);
        break;
      case 3:
        if (rank == 0) return;
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
      default: {
        const bool silent = kind == 5;
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
           (daemon_ ? daemon_->errors() : "") + (worker_ ? worker_->errors() : "");
  }

 private:
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

  // The worker's ranks, those of an earlier life included.
  std::vector<pid_t> ranks() const {
    std::vector<pid_t> found;
    const std::string access = (folder_ / "worker-access.json").string();
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
  std::deque<std::string> daemon_points_ = kDaemonPoints, worker_points_ = kWorkerPoints;
  std::unique_ptr<Program> daemon_, worker_;
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
  const auto whole = run_program(run_command(undisturbed, grid), undisturbed.path(), 250);
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
  EXPECT_GE(chaos.done().size(), 5u) << "the grid was done before it was disturbed";
  EXPECT_EQ(figures(chaos.workspace()), figures(undisturbed / "workspace")) << "seed " << seed;
  EXPECT_GT(count(chaos.workspace(), "SELECT count(*) FROM runs WHERE state != 'done'"), 0);
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
