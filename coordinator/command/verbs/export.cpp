// SPDX-License-Identifier: Apache-2.0
// `remixer export`: packs results of grids into a small workspace, to keep or to share.
#include <SQLiteCpp/Database.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "base/error.h"
#include "base/file.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/store/compact.h"
#include "reports/prediction_files.h"
#include "reports/read_database.h"
#include "reports/study.h"

namespace remixer::coordinator::command {
namespace {

// From this workspace, or the first other one that has it.
PackedEvaluation stored(const reports::StudyCell& cell, const reports::Evaluation& evaluation,
                        const std::deque<reports::PredictionFiles>& places) {
  const std::string& file = evaluation.predictions;
  auto place = std::find_if(places.begin(), places.end(),
                            [&](const reports::PredictionFiles& each) { return each.has(file); });
  if (place == places.end()) place = places.begin();
  const std::string& recorded = evaluation.predictions_sha256;
  return {.file = file,
          .sha256 = recorded.empty() ? place->sha256(file) : recorded,
          .predictions = place->read_checked(cell, evaluation)};
}

std::vector<PackedEvaluation> predictions_of(const reports::Study& study,
                                             const std::vector<fs::path>& workspaces) {
  std::deque<reports::PredictionFiles> places;
  for (const fs::path& workspace : workspaces) places.emplace_back(workspace);
  std::vector<PackedEvaluation> packed;
  for (const reports::StudyCell& cell : study.cells) {
    for (const reports::Evaluation& evaluation : cell.evaluations) {
      if (!evaluation.predictions.empty()) packed.push_back(stored(cell, evaluation, places));
    }
  }
  return packed;
}

// Manifests describe imported data sets; reports need them.
void copy_manifests(const fs::path& from, const fs::path& to) {
  std::error_code none;
  for (const auto& each : fs::directory_iterator(from / "datasets", none)) {
    const auto text = read_file_if_exists(each.path() / "manifest.json");
    if (!text) continue;
    const fs::path folder = to / "datasets" / each.path().filename();
    fs::create_directories(folder);
    write_file_atomic(folder / "manifest.json", *text);
  }
}

struct ExportOptions {
  fs::path folder;
  std::vector<std::string> grids;
  std::vector<fs::path> others;
};

CompactSummary write_export(const std::vector<fs::path>& workspaces, const ExportOptions& options,
                            const fs::path& folder) {
  const fs::path& workspace = workspaces.front();
  const fs::path database = database_file(workspace), copy = folder / "remixer.db";
  // Of each grid the newest submit.
  const std::vector<std::string> named =
      options.grids.empty() ? reports::grid_names(*reports::open_for_reading(database))
                            : options.grids;
  const reports::Study asked = reports::read_study(database, named, workspace);
  std::vector<fs::path> others;
  for (const fs::path& other : options.others) others.push_back(database_file(other));
  fs::create_directories(folder);
  for (const fs::path& each : workspaces) copy_manifests(each, folder);
  const CompactSummary summary = write_compact(database, copy, asked.grid_ids, others);
  std::vector<std::string> grids;
  for (const int64_t id : asked.grid_ids) grids.push_back(std::to_string(id));
  write_packed_predictions(folder / reports::kPackedPredictions,
                           predictions_of(reports::read_study(copy, grids, folder), workspaces));
  return summary;
}

int export_study(const fs::path& workspace, const ExportOptions& options) {
  const fs::path& folder = options.folder;
  std::error_code none;
  if (fs::exists(folder) && !fs::is_empty(folder, none)) {
    fail_input("{} exists already: name a new folder", folder.string());
  }
  std::vector<fs::path> workspaces{workspace};
  workspaces.insert(workspaces.end(), options.others.begin(), options.others.end());
  const fs::path whole = fs::absolute(folder / "").lexically_normal().parent_path();
  const fs::path partial(whole.string() + fmt::format(".partial-{}", ::getpid()));
  fs::remove_all(partial, none);
  CompactSummary summary;
  try {
    summary = write_export(workspaces, options, partial);
    fs::remove(folder, none);
    publish(partial, whole);
  } catch (...) {
    fs::remove_all(partial, none);
    throw;
  }
  const uintmax_t bytes =
      fs::file_size(folder / "remixer.db") + fs::file_size(folder / reports::kPackedPredictions);
  const std::string filled = options.others.empty()
                                 ? std::string()
                                 : fmt::format("; tasks from other workspaces: {}", summary.filled);
  print(fmt::format(
      "{}: {:.1f} MB. Grids: {}; cells: {}; results: {}{}.\n"
      "Checkpoints, data, labels and the machines' names are not in it. Read it as a workspace:\n"
      "  remixer report -w {} --check\n",
      folder.string(), static_cast<double>(bytes) / 1e6, summary.grids, summary.cells,
      summary.results, filled, folder.string()));
  return kExitDone;
}

}  // namespace

void add_export(CommandLine& line) {
  CLI::App* command = add_command(
      line, "export",
      "Write the results, curves and predictions of grids to a small folder, to keep or share; no "
      "checkpoints, no data",
      "remixer export docs/study/fashion study-fashion");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("FOLDER", options->folder, "Must not exist yet, or be empty")
      ->required()
      ->type_name("FOLDER");
  command->add_option("GRID", options->grids,
                      "The grids' names, or numbers of submits [all grids]");
  command
      ->add_option("--with", options->others,
                   "Take from there what is not finished here; a workspace or an export; may be "
                   "given several times")
      ->type_name("DIR")
      ->expected(1)
      ->take_all();
  command->callback([&line, options] {
    line.chosen = [&line, options] { return export_study(line.workspace, *options); };
  });
}

}  // namespace remixer::coordinator::command
