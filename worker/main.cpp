// SPDX-License-Identifier: Apache-2.0
// remixer-worker: started by mpirun, srun or alone; one process per rank.
#include <ATen/Parallel.h>
#include <mpi.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "base/error.h"
#include "base/host.h"
#include "base/installation.h"
#include "base/json.h"
#include "base/version.h"
#include "core/distributed/choose_device.h"
#include "core/distributed/rank_place.h"
#include "core/training/precision.h"
#include "worker/environment.h"
#include "worker/stop_signal.h"
#include "worker/worker_session.h"

namespace {

using namespace remixer;

// Compares the ranks with the number that the launcher asked for. With another MPI's mpirun, each
// process would believe that it is the only rank.
void check_ranks(int came) {
  const char* asked = std::getenv("REMIXER_RANKS");
  if (!asked || std::atoi(asked) == came) return;
  fail_input(
      "{} ranks were asked for, {} came: mpirun is not of the MPI that this program was built with "
      "(OpenMPI); put OpenMPI's first in PATH",
      asked, came);
}

// An integer from the environment; `otherwise` if it is not set.
int number_from(const char* variable, int otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr && *given != '\0' ? std::max(1, std::atoi(given)) : otherwise;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Run tasks for a remixer daemon, which usually starts it. By hand:\n  mpirun -n 2 "
      "remixer-worker --access workspace/access.json");
  worker::SessionOptions options;
  std::string device = "auto";
  double collective_seconds = 600;
  options.weights = weights_folder(REMIXER_WEIGHTS_FOLDER);
  app.set_version_flag("--version", version() + " (" + commit() + ")");
  auto* access = app.add_option("--access", options.access_file, "The daemon's access file");
  std::string describe;
  app.add_option("--describe", describe,
                 "Print as JSON what this machine offers, and exit; the value is a list of "
                 "labelers to try (remixer doctor)")
      ->type_name("JSON")
      ->excludes(access);
  app.add_option("--weights", options.weights, "Folder of the labelers' networks")
      ->capture_default_str();
  app.add_option("--loader-threads", options.loader_threads,
                 "Threads per rank that read images; 0: chosen from its processors")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  app.add_option("--device", device,
                 "Device to train on: auto (GPUs if every rank has one), cpu or cuda")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  app.add_option("--collective-timeout", collective_seconds,
                 "Seconds that ranks wait for each other before all of them are ended")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--patience", options.patience_seconds,
                 "Seconds without a daemon before an idle worker ends")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--result-patience", options.result_patience_seconds,
                 "Seconds to keep offering a finished result to a daemon before the worker ends; "
                 "the result stays on disk")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--idle", options.idle_seconds,
                 "Seconds without work before a worker ends; 0: never")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitBadInput;
  }
  if (describe.empty() && options.access_file.empty()) {
    std::cerr << "remixer-worker: --access is required\n";
    return kExitBadInput;
  }

  spdlog::set_default_logger(spdlog::stdout_logger_mt("worker"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S %l %v");
  spdlog::flush_on(spdlog::level::info);

  // Without it, cuBLAS sums may vary between runs. It is read when CUDA is first used.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  training::MpiSession session(&argc, &argv);
  // Must come after MPI's start, to replace OpenMPI's own handlers.
  worker::listen_for_stop_signals();
  int code = kExitFailure;
  training::MpiCommunicator communicator(collective_seconds);
  check_ranks(communicator.size());
  try {
    const auto chosen = training::choose_device(device, library_folder(), communicator);
    training::Communicator& compute = chosen.communicator(communicator);
    // The launcher knows better than the kernel how a machine is shared among several workers.
    const int cores = number_from("REMIXER_CORES_PER_RANK", chosen.cores);
    at::set_num_threads(number_from("OMP_NUM_THREADS", cores));
    if (options.loader_threads == 0) {
      options.loader_threads = training::usual_loader_threads(cores, !compute.device().is_cpu());
    }
    options.device_reason = chosen.reason;
    options.ranks_here = chosen.ranks_here * number_from("REMIXER_WORKERS_HERE", 1);
    const bool leads = communicator.rank() == 0;
    for (const std::string& rank :
         communicator.all_gather(worker::describe_rank(compute.device().str()).dump())) {
      options.ranks.push_back(Json::parse(rank));
    }
    if (!describe.empty()) {
      if (leads) {
        std::vector<experiments::LabelerSpec> labelers;
        ObjectReader::read(Json::parse(describe), "--describe", labelers);
        training::set_arithmetic("fp32", compute.device());
        std::cout << worker::describe_machine(options.ranks, chosen.reason, library_folder(),
                                              options.weights, labelers, compute.device())
                         .dump()
                  << std::endl;
      }
      return kExitDone;
    }
    if (leads) {
      spdlog::info("this worker runs {}; {} processor{} and {} reading thread{} a rank",
                   chosen.reason, cores, cores == 1 ? "" : "s", options.loader_threads,
                   options.loader_threads == 1 ? "" : "s");
    }
    code = leads ? worker::lead(options, communicator, compute)
                 : worker::follow(options, communicator, compute);
  } catch (const InputError& error) {
    spdlog::error("{}", error.what());
    code = kExitBadInput;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
  }
  // Ranks that are out of step cannot call MPI_Finalize together.
  if (code != kExitDone && communicator.size() > 1) MPI_Abort(MPI_COMM_WORLD, code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  remixer::raise_open_file_limit();
  try {
    return run(argc, argv);
  } catch (const remixer::InputError& error) {
    std::cerr << "remixer-worker: " << error.what() << '\n';
    return remixer::kExitBadInput;
  } catch (const std::exception& error) {
    std::cerr << "remixer-worker: " << error.what() << '\n';
    return remixer::kExitFailure;
  }
}
