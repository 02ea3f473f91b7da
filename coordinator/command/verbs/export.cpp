// SPDX-License-Identifier: Apache-2.0
// `remixer export`: what came of grids as a small workspace, to keep or to share.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/store/compact.h"
#include "reports/prediction_files.h"
#include "reports/read_database.h"
#include "reports/study.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace remixer::coordinator::command {
namespace {

// The names of all grids, so that each one's newest submit is exported.
std::vector<std::string> all_grids(const fs::path& database) {
  const auto opened = reports::open_for_reading(database);
  SQLite::Statement query(*opened, "SELECT DISTINCT name FROM grid ORDER BY name");
  std::vector<std::string> names;
  while (query.executeStep()) names.push_back(query.getColumn(0).getString());
  return names;
}

std::vector<PackedEvaluation> predictions_of(const reports::Study& study,
                                             const fs::path& workspace) {
  const reports::PredictionFiles files(workspace);
  std::vector<PackedEvaluation> packed;
  for (const reports::StudyCell& cell : study.cells) {
    for (const reports::Evaluation& evaluation : cell.evaluations) {
      if (evaluation.predictions.empty()) continue;
      PackedEvaluation one{.file = evaluation.predictions,
                           .sha256 = files.sha256(evaluation.predictions),
                           .predictions = files.read(evaluation.predictions)};
      const bool same =
          evaluation.predictions_sha256.empty() || evaluation.predictions_sha256 == one.sha256;
      if (!same || !one.predictions.whole_truth) {
        fail_input("{}: {}; `remixer retry {}` makes it again", evaluation.predictions,
                   same ? "written by a version that did not keep all that counts as right"
                        : "not the file that the evaluation wrote: its SHA-256 is another",
                   evaluation.task_id.substr(0, 12));
      }
      packed.push_back(std::move(one));
    }
  }
  return packed;
}

// They say what an imported data set is; reports ask for it.
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

int export_study(const fs::path& workspace, const fs::path& folder,
                 const std::vector<std::string>& names) {
  const fs::path database = database_file(workspace);
  const reports::Study study =
      reports::read_study(database, names.empty() ? all_grids(database) : names, workspace);
  std::error_code none;
  if (fs::exists(folder) && !fs::is_empty(folder, none)) {
    fail_input("{} exists already: name a new folder", folder.string());
  }
  std::vector<PackedEvaluation> packed = predictions_of(study, workspace);
  const size_t evaluations = packed.size();
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path partial(fs::path(whole / "").parent_path().string() +
                         fmt::format(".partial-{}", ::getpid()));
  fs::remove_all(partial, none);
  CompactSummary summary;
  try {
    fs::create_directories(partial);
    summary = write_compact(database, partial / "remixer.db", study.grid_ids);
    write_packed_predictions(partial / reports::kPackedPredictions, std::move(packed));
    copy_manifests(workspace, partial);
    fs::remove(folder, none);
    publish(partial, folder);
  } catch (...) {
    fs::remove_all(partial, none);
    throw;
  }
  const uintmax_t bytes =
      fs::file_size(folder / "remixer.db") + fs::file_size(folder / reports::kPackedPredictions);
  print(fmt::format(
      "{}: {:.1f} MB. Grids: {}; cells: {}; results: {}; evaluations with predictions: {}.\n"
      "Checkpoints, data, labels and the machines' names are not in it. Read it as a workspace:\n"
      "  remixer report -w {} --check\n",
      folder.string(), static_cast<double>(bytes) / 1e6, summary.grids, summary.cells,
      summary.results, evaluations, folder.string()));
  return kExitDone;
}

}  // namespace

void add_export(CommandLine& line) {
  CLI::App* command = add_command(
      line, "export",
      "Write what came of grids to a small folder, to keep or to share: results, curves and "
      "predictions, without checkpoints and data",
      "remixer export docs/study/fashion study-fashion");
  auto folder = std::make_shared<fs::path>();
  auto grids = std::make_shared<std::vector<std::string>>();
  command->add_option("FOLDER", *folder, "Must not exist yet, or be empty")
      ->required()
      ->type_name("FOLDER");
  command->add_option("GRID", *grids, "The grids' names, or numbers of submits [all grids]");
  command->callback([&line, folder, grids] {
    line.chosen = [&line, folder, grids] { return export_study(line.workspace, *folder, *grids); };
  });
}

}  // namespace remixer::coordinator::command
