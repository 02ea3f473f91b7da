// SPDX-License-Identifier: Apache-2.0
// `remixer bench`: measures the coordinator; remixer-tools measures the models.
#include "coordinator/command/verbs/bench_scheduler.h"
#include "coordinator/command/verbs/bench_study.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {

namespace {

void add_bench_study(CommandLine& line, CLI::App* bench) {
  CLI::App* study = bench->add_subcommand(
      "study", "A grid of very many cells, thousands of workers, a slow file system");
  study->footer("Example:\n  remixer bench study --cells 250000 --workers 2000");
  auto options = std::make_shared<BenchStudyOptions>();
  const auto count = [&](const char* name, int64_t& value, const char* help) {
    study->add_option(name, value, help)
        ->check(CLI::Range(1, 10000000))
        ->type_name("N")
        ->capture_default_str();
  };
  count("--cells", options->cells, "Cells of the grid, with one evaluation set each");
  count("--workers", options->workers, "Workers that send a heartbeat each second");
  count("--finished", options->finished, "Finished cells to submit again");
  study
      ->add_option("--slow", options->slow_milliseconds,
                   "Milliseconds that the file system takes for a look at a file")
      ->check(CLI::Range(0.01, 1000.0))
      ->type_name("MS")
      ->capture_default_str();
  study->add_option("--seconds", options->seconds, "Seconds of heartbeats")
      ->check(CLI::Range(1.0, 3600.0))
      ->type_name("S")
      ->capture_default_str();
  study->add_option("--folder", options->folder, "Where to put the databases")->type_name("DIR");
  add_format(line, study);
  study->callback([&line, options] {
    line.chosen = [&line, options] { return bench_study(*options, line.format); };
  });
}

}  // namespace

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
  add_bench_study(line, bench);
  bench->require_subcommand(1);
  add_format(line, scheduler);
  scheduler->callback([&line, options] {
    line.chosen = [&line, options] { return bench_scheduler(*options, line.format); };
  });
}

}  // namespace remixer::coordinator::command
