// SPDX-License-Identifier: Apache-2.0
// Peak memory of this process.
#pragma once

namespace remixer::training {

// Starts a new measurement, if the system supports it (Linux does).
void reset_peak_memory();
// The peak since then, in GiB; 0 if the system does not report it.
double peak_memory_gib();

}  // namespace remixer::training
