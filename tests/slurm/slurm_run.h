// SPDX-License-Identifier: Apache-2.0
// A grid on a test's own Slurm, by the commands that a user would give.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/process/grid_run.h"
#include "tests/slurm/cluster.h"

namespace remixer::testing {

constexpr double kPatience = 240;  // seconds for one step, on a busy machine

struct SiteChoices {
  std::string partition = "main";
  std::string launcher = "srun";
  std::string program;  // in place of remixer-worker
  int nodes = 2, ranks_per_node = 1, workers = 1;
  int maximum = 2;
  double idle_seconds = 5;
  int start_failures = 3;
  std::string more;  // further lines, below [queue] and [allocation] of their own
};

// A workspace, its site file, and the daemon that looks after both.
class SlurmRun {
 public:
  explicit SlurmRun(const SlurmCluster& cluster, const std::string& name)
      : cluster_(cluster), folder_(name) {}

  const fs::path& path() const { return folder_.path(); }
  fs::path workspace() const { return folder_ / "workspace"; }
  fs::path site() const { return folder_ / "site.toml"; }

  void write_site(const SiteChoices& c) const {
    std::string text = fmt::format(
        "[allocation]\npartition = \"{}\"\ntime = \"20:00\"\nnodes = {}\nranks_per_node = {}\n"
        "[worker]\nlauncher = \"{}\"\nworkers = {}\n{}"
        "[queue]\nmaximum = {}\nidle_seconds = {}\ncheckpoint_seconds = 60\npatience_seconds = "
        "120\n"
        "worth_seconds = 0\npoll_seconds = 0.5\nstart_failures = {}\n{}",
        c.partition, c.nodes, c.ranks_per_node, c.launcher, c.workers,
        c.program.empty() ? "" : "program = \"" + c.program + "\"\n", c.maximum, c.idle_seconds,
        c.start_failures, c.more);
    if (!cluster_.own_names()) text += "[environment]\nvariables = [\"OMPI_MCA_btl=self,tcp\"]\n";
    write_file_atomic(site(), text);
  }

  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.begin(), {program("remixer"), "--workspace", workspace().string()});
    return words;
  }
  Finished run(std::vector<std::string> words, double seconds = 60) const {
    return run_program(command(std::move(words)), path(), seconds);
  }
  void submit(const std::string& grid) const {
    write_file_atomic(folder_ / "grid.toml", grid);
    const Finished finished = run({"submit", (folder_ / "grid.toml").string()});
    if (finished.code != 0) fail("submit: {}", finished.errors);
  }
  // `remixer slurm up SITE`, in the foreground.
  std::unique_ptr<Program> up() const {
    return std::make_unique<Program>(command({"slurm", "up", site().string()}), path());
  }
  // `remixer slurm status --format json`.
  Json allocations() const {
    const Finished finished = run({"slurm", "status", "--format", "json"});
    if (finished.code != 0) fail("slurm status: {}", finished.errors);
    return Json::parse(finished.output);
  }
  // A number from the database; 0 while there is none.
  int64_t count(const std::string& sql) const {
    return fs::exists(workspace() / "remixer.db") ? testing::count(workspace(), sql) : 0;
  }
  bool done() const {
    return count("SELECT count(*) FROM task") > 0 &&
           count("SELECT count(*) FROM task WHERE state != 'done'") == 0;
  }
  // What a person would look at first.
  std::string logs() const {
    std::string text;
    for (const char* name : {"logs/daemon.log"}) {
      text += read_file_if_exists(workspace() / name).value_or("");
    }
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(workspace() / "logs/slurm", ignored)) {
      text += "--- " + entry.path().filename().string() + "\n" +
              read_file_if_exists(entry.path()).value_or("");
    }
    return text;
  }
  std::string trouble(const Program& daemon) const {
    return cluster_.ask({"squeue", "--array", "--states=all"}) + logs() + daemon.output() +
           daemon.errors();
  }

 private:
  const SlurmCluster& cluster_;
  ScratchFolder folder_;
};

}  // namespace remixer::testing
