// SPDX-License-Identifier: Apache-2.0
// The texts of slurm/*.sh, which the build compiles in (coordinator/CMakeLists.txt).
#pragma once

namespace remixer::coordinator::slurm {

extern const char* const kAllocationScript;
extern const char* const kDaemonScript;

}  // namespace remixer::coordinator::slurm
