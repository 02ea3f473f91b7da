// SPDX-License-Identifier: Apache-2.0
// The texts of slurm/*.sh, compiled in by the build (coordinator/CMakeLists.txt).
#pragma once

namespace remixer::coordinator::slurm {

extern const char* const kAllocationScript;
extern const char* const kDaemonScript;

}  // namespace remixer::coordinator::slurm
