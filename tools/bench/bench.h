// SPDX-License-Identifier: Apache-2.0
// `remixer bench`: times the parts that a study spends its time on. Each benchmark prints ratios of
// figures that it measured in the same run.
#pragma once

namespace remixer::worker {

// argv[0] is "bench", argv[1] names the benchmark, the rest are its arguments. Returns the
// program's exit code.
int bench_command(int argc, char** argv);

// One a benchmark of this room, in a file of its own; argv[0] is its name.
int bench_kernels(int argc, char** argv);
int bench_step(int argc, char** argv);

}  // namespace remixer::worker
