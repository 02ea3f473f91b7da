// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "tools/bench/loader_bench.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

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

// Only for the list in --help: those above are handled earlier, and `remixer` runs the others
// itself, since they need no LibTorch.
void add_names(CLI::App& app) {
  for (const Benchmark& benchmark : kBenchmarks) {
    app.add_subcommand(benchmark.name, benchmark.description);
  }
  const char* group = "Without LibTorch";
  app.add_subcommand("scheduler",
                     "Submit, claim, status and memory of a daemon with many finished cells")
      ->group(group);
  app.add_subcommand("study", "A grid of very many cells, thousands of workers, a slow file system")
      ->group(group);
}

}  // namespace

int bench_command(int argc, char** argv) {
  for (const Benchmark& benchmark : kBenchmarks) {
    if (argc > 1 && std::strcmp(argv[1], benchmark.name) == 0) {
      return benchmark.run(argc - 1, argv + 1);
    }
  }
  CLI::App app("Measure how fast this machine runs the parts of a study", "remixer bench");
  tools::add_example(app, "remixer bench step");
  app.require_subcommand(1);
  add_names(app);
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;
  fail_input("scheduler and study are run by `remixer bench`, not by remixer-tools");
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace remixer::worker
