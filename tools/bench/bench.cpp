// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/bench.h"

#include <cstring>
#include <iostream>

#include "base/error.h"
#include "tools/bench/loader_bench.h"

namespace remixer::worker {
namespace {

struct Benchmark {
  const char* name;
  const char* description;
  int (*run)(int argc, char** argv);
};

constexpr Benchmark kBenchmarks[] = {
    {"kernels", "The masked operators, beside those without a mask", bench_kernels},
    {"loader", "Reading training images", data::bench_loader_command},
    {"step", "A training step, beside the machine's own matrix product", bench_step},
};

}  // namespace

int bench_command(int argc, char** argv) {
  for (const Benchmark& benchmark : kBenchmarks) {
    if (argc > 1 && std::strcmp(argv[1], benchmark.name) == 0) {
      return benchmark.run(argc - 1, argv + 1);
    }
  }
  const bool help =
      argc > 1 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0);
  std::ostream& out = help ? std::cout : std::cerr;
  out << "usage: remixer bench NAME [OPTIONS] (each has --help)\n";
  for (const Benchmark& benchmark : kBenchmarks) {
    out << "  " << benchmark.name << "\t" << benchmark.description << '\n';
  }
  // `remixer` runs these itself; they need no LibTorch.
  out << "  scheduler\tSubmit, claim, status and memory of a daemon with many finished cells\n"
         "  study\tA grid of very many cells, thousands of workers, a slow file system\n";
  return help ? kExitDone : kExitBadInput;
}

}  // namespace remixer::worker
