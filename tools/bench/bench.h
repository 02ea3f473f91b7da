// SPDX-License-Identifier: Apache-2.0
// `remixer bench`: times the parts in which a study spends its time. Each benchmark prints ratios
// of figures measured in the same run.
#pragma once

#include <vector>

namespace remixer::worker {

// argv[0] is "bench", argv[1] names the benchmark, the rest are its arguments. Returns the
// program's exit code.
int bench_command(int argc, char** argv);

// One function per benchmark, each in its own file; argv[0] is its name.
int bench_kernels(int argc, char** argv);
int bench_step(int argc, char** argv);

// Of at least one value; of an even number, the mean of the two in the middle.
double median(std::vector<double> values);

}  // namespace remixer::worker
