// SPDX-License-Identifier: Apache-2.0
// Generates batch scripts: the site's settings as #SBATCH lines and shell variables, then the text
// of slurm/allocation.sh or slurm/daemon.sh, which is compiled in.
#pragma once

#include <filesystem>
#include <string>

#include "coordinator/launch/slurm/site.h"

namespace remixer::coordinator::slurm {

struct ScriptPaths {
  std::filesystem::path workspace;    // absolute
  std::filesystem::path access_file;  // read by workers
  std::filesystem::path program;      // remixer itself; the worker program is in the same folder
};

// The name of all jobs of a workspace, by which they are found again: "remixer-1a2b3c4d".
std::string job_name(const std::filesystem::path& workspace);

// Log folder of allocations: one file each, "<job>.log" or "<array job>_<index>.log".
std::filesystem::path log_folder(const std::filesystem::path& workspace);

// The script of one allocation. It can also be submitted with sbatch by hand.
std::string allocation_script(const Site& site, const ScriptPaths& paths);

// The script of a job that runs the daemon; `site_file` is passed to its `remixer slurm up`.
std::string daemon_script(const Site& site, const ScriptPaths& paths,
                          const std::filesystem::path& site_file);

}  // namespace remixer::coordinator::slurm
