// SPDX-License-Identifier: Apache-2.0
// Slurm launcher: keeps allocations matched to the scheduler's work.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "coordinator/launch/slurm/plan.h"
#include "coordinator/launch/slurm/script.h"
#include "coordinator/launch/slurm/site.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator::slurm {

struct LauncherOptions {
  ScriptPaths paths;
  std::string listen;  // the daemon's listen address; stored with the site
  // The current demand for allocations of this site. Called from the launcher's thread; may throw
  // while the daemon ends.
  std::function<Demand(const std::optional<Site>& site)> demand;
  // Reports that the processes of these workers (ids) have certainly ended. Called from the
  // launcher's thread.
  std::function<void(const std::vector<std::string>& workers)> ended;
  // Writes a line to the daemon's log. Thread-safe.
  std::function<void(const std::string& line)> log;
};

// Content of <workspace>/slurm.json.
struct Kept {
  Site site;
  bool wanted = false;
  std::string listen;  // empty if an earlier version wrote the file
};
// Nothing if there is none. Throws InputError if its site is invalid.
std::optional<Kept> read_kept(const std::filesystem::path& workspace);

// Thread-safe. The site, and whether allocations are wanted, are stored in <workspace>/slurm.json;
// the jobs are found again in Slurm by their name, so a daemon that is killed and restarted
// continues with its earlier allocations.
class SlurmLauncher {
 public:
  explicit SlurmLauncher(LauncherOptions options);
  // Ends the thread; allocations stay.
  ~SlurmLauncher();
  SlurmLauncher(const SlurmLauncher&) = delete;
  SlurmLauncher& operator=(const SlurmLauncher&) = delete;

  // Continues with the site of an earlier daemon process; does nothing if there was none, or if it
  // had been taken down.
  void resume();
  // From now on keeps allocations of this site, starting at once. Ends a pause after failures.
  // Throws InputError if Slurm is not available or, with `try_first`, would not accept the script.
  void up(const Site& site, bool try_first);
  // Submits nothing more and cancels waiting allocations. Workers of running ones write checkpoints
  // and end or, with `let_run`, continue until they are idle. Throws Error if Slurm does not
  // answer; nothing more is submitted then either.
  void down(bool let_run);
  // For an orderly end of the daemon: cancels waiting allocations, ends running ones, since their
  // workers would have no daemon, and ends the thread. The next daemon resumes the stored state.
  void end();

  // The site, if allocations of it are wanted.
  std::optional<Site> site() const;

  // Answer of GET /slurm.
  experiments::protocol::answers::Slurm status() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator::slurm
