// SPDX-License-Identifier: Apache-2.0
// A real Slurm of two nodes for a test, booted by tests/slurm/cluster.sh.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace remixer::testing {

// The cluster lives as long as the object. SLURM_CONF is set meanwhile, so that every program that
// the test starts speaks to it.
class SlurmCluster {
 public:
  SlurmCluster() : folder_("sl") {
    ::setenv("SLURM_CONF", (folder_ / "etc/slurm.conf").c_str(), 1);
    manage("start", std::to_string(::getpid()));
  }
  ~SlurmCluster() {
    run_program({script(), "stop", folder_.path().string()}, "/tmp", 60);
    ::unsetenv("SLURM_CONF");
  }

  // A Slurm command's output; fails the test's program where it does not succeed.
  std::string ask(const std::vector<std::string>& command) const {
    const Finished finished = run_program(command, folder_.path(), 60);
    if (finished.code != 0) fail("{} failed: {}", command[0], finished.errors);
    return finished.output;
  }
  void lose_node(const std::string& node) { manage("lose-node", node); }
  void start_node(const std::string& node) { manage("start-node", node); }
  void stop_controller() { manage("stop-controller"); }
  void start_controller() { manage("start-controller"); }

  // Ids of jobs in the queue, one a line, restricted by options of squeue.
  std::string jobs(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> command = {"squeue", "--noheader", "--array", "--format=%i"};
    command.insert(command.end(), options.begin(), options.end());
    return ask(command);
  }

  // Each node has a host name of its own. Otherwise Open MPI takes both for one host.
  bool own_names() const { return fs::exists(folder_ / "etc/own-names"); }

 private:
  static std::string script() { return std::string(REMIXER_SOURCE) + "/tests/slurm/cluster.sh"; }
  void manage(const std::string& what, const std::string& argument = "") {
    std::vector<std::string> command = {script(), what, folder_.path().string()};
    if (!argument.empty()) command.push_back(argument);
    const Finished finished = run_program(command, "/tmp", 90);
    if (finished.code != 0) fail("cluster.sh {}: {}{}", what, finished.output, finished.errors);
  }
  ScratchFolder folder_;
};

}  // namespace remixer::testing
