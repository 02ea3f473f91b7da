// SPDX-License-Identifier: Apache-2.0
// `remixer doctor`: checks that this machine has what a study needs, one line per item.
#include <fmt/format.h>

#include <algorithm>

#include "base/amount_text.h"
#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "base/one_line.h"
#include "coordinator/command/ask/machine_checks.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "experiments/grid/grid.h"
#include "experiments/spec/components.h"

namespace remixer::coordinator::command {
namespace {

// Minimum free space for a study to keep running, and minimum open files for a daemon with its
// workers and viewers.
constexpr uint64_t kLeastRoom = uint64_t{2} << 30;
constexpr uint64_t kLeastOpenFiles = 512;

struct DoctorOptions {
  std::vector<fs::path> grids;
  WorkerOptions workers;
  bool slurm = false;
  double patience_seconds = 120;
};

// Data of the grids, read as `remixer run` would. Fills in labelers and worker choice.
std::vector<Check> check_grids(const DoctorOptions& options, const fs::path& workspace,
                               std::set<experiments::LabelerSpec>& labelers, WorkerChoice& choice) {
  std::vector<Check> checks;
  for (const fs::path& file : options.grids) {
    Check check{"grid", Health::kGood, "", ""};
    try {
      const experiments::Grid grid = experiments::read_grid(file, workspace);
      for (const experiments::Cell& cell : grid.cells) {
        if (cell.labeler) labelers.insert(*cell.labeler);
      }
      choice = worker_choice(grid);
      check.found = fmt::format("{}: {}, {}, all data sets known", file.string(),
                                counted(static_cast<int64_t>(grid.cells.size()), "cell"),
                                counted(static_cast<int64_t>(grid.tasks.size()), "task"));
    } catch (const std::exception& error) {
      check.health = Health::kBad;
      check.found = one_line(error.what());
      check.advice = "mend the grid, or import what it names (remixer dataset import)";
    }
    checks.push_back(check);
  }
  if (options.grids.empty()) {
    // Installed by ./setup.
    for (const char* name : {"saliency", "relabel"}) {
      labelers.insert(experiments::make_labeler_spec(name));
    }
  }
  return checks;
}

// Data sets that are already in the workspace.
Check check_data(const fs::path& workspace) {
  size_t sets = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(workspace / "datasets", none)) {
    sets += entry.is_directory() ? 1 : 0;
  }
  return {"data", Health::kGood,
          sets == 0 ? "no data set yet: a grid's own are made when it runs"
                    : fmt::format("{} data set{} in the workspace", sets, sets == 1 ? "" : "s"),
          ""};
}

std::vector<Check> all_checks(const DoctorOptions& options, const fs::path& workspace) {
  std::set<experiments::LabelerSpec> labelers;
  WorkerChoice choice;
  const std::vector<Check> grids = check_grids(options, workspace, labelers, choice);
  const bool gpu_needed = options.workers.device == "cuda";
  std::vector<Check> checks = {
      check_driver(read_file_if_exists("/proc/driver/nvidia/version").value_or(""),
                   own_gpus().size(), gpu_needed)};
  const auto append = [&](const std::vector<Check>& more) {
    checks.insert(checks.end(), more.begin(), more.end());
  };
  const int ranks = options.workers.count(choice).ranks;
  // Not "cuda": missing parts are to be reported line by line.
  const std::string device = options.workers.device == "cpu" ? "cpu" : "auto";
  append(check_ranks(try_ranks(program_folder() / "remixer-worker", ranks, device, labelers,
                               options.patience_seconds),
                     gpu_needed));
  append({check_slurm(options.slurm), check_folder("workspace", fs::absolute(workspace)),
          check_state_folder(workspace), check_room(workspace, kLeastRoom),
          check_open_files(kLeastOpenFiles), check_data(workspace)});
  append(grids);
  return checks;
}

int doctor(const CommandLine& line, const DoctorOptions& options) {
  Table table({{"check"}, {"state"}, {"found"}, {"advice"}});
  bool bad = false;
  for (const Check& check : all_checks(options, line.workspace)) {
    bad = bad || check.health == Health::kBad;
    table.add_row({check.name, to_string(check.health), check.found,
                   check.advice.empty() ? Json(nullptr) : Json(check.advice)});
  }
  print(table.as(line.format));
  return bad ? kExitFailure : kExitDone;
}

}  // namespace

void add_doctor(CommandLine& line) {
  CLI::App* command =
      add_command(line, "doctor",
                  "Check whether this machine has what a study needs, and say what to do if not",
                  "remixer doctor experiments/quickstart.toml --ranks 2");
  auto options = std::make_shared<DoctorOptions>();
  command
      ->add_option("GRID", options->grids,
                   "Also check that the data and weights of these grids are there")
      ->type_name("FILE");
  options->workers.add_to(command);
  command->add_flag("--slurm", options->slurm, "Also require Slurm");
  command
      ->add_option("--patience", options->patience_seconds,
                   "Seconds to wait for the ranks to start")
      ->check(CLI::PositiveNumber)
      ->type_name("S")
      ->capture_default_str();
  add_format(line, command);
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return doctor(line, *options); }; });
}

}  // namespace remixer::coordinator::command
