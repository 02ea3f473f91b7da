// SPDX-License-Identifier: Apache-2.0
// Batch scripts: the site's choices as #SBATCH lines and shell variables, then the text of
// slurm/allocation.sh or slurm/daemon.sh, which is compiled in.
#pragma once

#include <filesystem>
#include <string>

#include "coordinator/launch/slurm/site.h"

namespace remixer::coordinator::slurm {

struct ScriptPaths {
  std::filesystem::path workspace;    // absolute
  std::filesystem::path access_file;  // what workers read
  std::filesystem::path program;      // remixer itself; workers' program stands beside it
};

// The name of every job of a workspace, by which its jobs are found again: "remixer-1a2b3c4d".
std::string job_name(const std::filesystem::path& workspace);

// Where allocations write to: one file each, "<job>.log" or "<array job>_<index>.log".
std::filesystem::path log_folder(const std::filesystem::path& workspace);

// The script of one allocation. It runs under sbatch by hand as well.
std::string allocation_script(const Site& site, const ScriptPaths& paths);

// The script of a job that is the daemon itself; `site_file` is given to its `remixer slurm up`.
std::string daemon_script(const Site& site, const ScriptPaths& paths,
                          const std::filesystem::path& site_file);

}  // namespace remixer::coordinator::slurm
