// SPDX-License-Identifier: Apache-2.0
// `remixer bench`: what the coordinator costs; what models cost, remixer-tools measures.
#include "coordinator/command/verbs/bench_scheduler.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {

void add_bench(CommandLine& line) {
  CLI::App* bench =
      line.app.add_subcommand("bench", "Benchmark the parts of a study on this machine");
  CLI::App* scheduler = bench->add_subcommand(
      "scheduler",
      "Time submit, claim and status, and measure memory, of a daemon with many finished cells");
  scheduler->footer(
      "Example:\n  remixer bench scheduler --finished 1000 --finished 100000\n"
      "It works in a temporary folder; its disk decides what is measured (--folder).");
  auto options = std::make_shared<BenchSchedulerOptions>();
  scheduler
      ->add_option("--finished", options->finished,
                   "Number of finished cells to begin with; repeatable")
      ->check(CLI::Range(1, 10000000))
      ->type_name("N");
  scheduler->add_option("--submit", options->submitted, "Cells to submit then")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N")
      ->capture_default_str();
  scheduler->add_option("--evaluations", options->evaluations, "Evaluations of each cell")
      ->check(CLI::Range(1, 100))
      ->type_name("N")
      ->capture_default_str();
  scheduler->add_option("--claims", options->claims, "Claims to time")
      ->check(CLI::Range(10, 1000000))
      ->type_name("N")
      ->capture_default_str();
  scheduler
      ->add_option("--program", options->program,
                   "Program that each task of the throughput test runs, such as /bin/true [none]")
      ->type_name("PROGRAM");
  scheduler->add_option("--folder", options->folder, "Folder for the databases")->type_name("DIR");
  bench->require_subcommand(1);
  add_format(line, scheduler);
  scheduler->callback([&line, options] {
    line.chosen = [&line, options] { return bench_scheduler(*options, line.format); };
  });
}

}  // namespace remixer::coordinator::command
