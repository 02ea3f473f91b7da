// SPDX-License-Identifier: Apache-2.0
// Peak memory of this process.
#pragma once

namespace remixer::training {

// Counts anew from here on, where the system lets a process do so (Linux does).
void reset_peak_memory();
// The most since then, in GiB; 0 where the system does not say.
double peak_memory_gib();

}  // namespace remixer::training
