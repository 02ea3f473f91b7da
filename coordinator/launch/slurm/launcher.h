// SPDX-License-Identifier: Apache-2.0
// The Slurm launcher: keeps allocations matched to what the scheduler has to do.
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

namespace remixer::coordinator::slurm {

struct LauncherOptions {
  ScriptPaths paths;
  std::string listen;  // where the daemon was told to listen; kept beside the site
  // What there is to do for allocations of this site. Called from the launcher's thread; may throw
  // when the daemon ends.
  std::function<Demand(const std::optional<Site>& site)> demand;
  // The processes of these workers (ids) are known to have ended. Called from the launcher's
  // thread.
  std::function<void(const std::vector<std::string>& workers)> ended;
  // What is worth a line in the daemon's log. Thread-safe.
  std::function<void(const std::string& line)> log;
};

// What <workspace>/slurm.json keeps.
struct Kept {
  Site site;
  bool wanted = false;
  std::string listen;  // empty where an earlier version wrote it
};
// Nothing where there is none. Throws InputError where its site is not one.
std::optional<Kept> read_kept(const std::filesystem::path& workspace);

// Thread-safe. The site, and whether allocations are wanted, are kept in <workspace>/slurm.json;
// the jobs themselves are found again in Slurm by their name, so a daemon that is killed and
// started again goes on with the allocations that it had.
class SlurmLauncher {
 public:
  explicit SlurmLauncher(LauncherOptions options);
  // Ends the thread; allocations stay.
  ~SlurmLauncher();
  SlurmLauncher(const SlurmLauncher&) = delete;
  SlurmLauncher& operator=(const SlurmLauncher&) = delete;

  // Goes on with the site of an earlier life of the daemon; does nothing where there was none, or
  // it had been taken down.
  void resume();
  // From now on keeps allocations of this site, beginning at once. A pause after failures ends.
  // Throws InputError where Slurm is not at hand or, with `try_first`, would not take the script.
  void up(const Site& site, bool try_first);
  // Submits nothing more and takes waiting allocations back. Running ones have their workers write
  // checkpoints and end, or with `let_run` go on until they are idle. Throws Error where Slurm does
  // not answer; nothing more is submitted then either.
  void down(bool let_run);
  // The daemon ends in order: takes waiting allocations back and has running ones end, since their
  // workers would find nobody, and ends the thread. What is kept on disk goes on in the next life.
  void end();

  // The site, while allocations of it are wanted.
  std::optional<Site> site() const;

  // docs/api.md, GET /slurm.
  Json status() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator::slurm
