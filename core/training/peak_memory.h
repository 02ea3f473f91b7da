// SPDX-License-Identifier: Apache-2.0
// How much of the machine's memory this process has held at once.
#pragma once

namespace remixer::training {

// Counts anew from here on, where the system lets a process do so (Linux does).
void reset_peak_memory();
// The most since then, in GiB; 0 where the system does not say.
double peak_memory_gib();

}  // namespace remixer::training
