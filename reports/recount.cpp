// SPDX-License-Identifier: Apache-2.0
#include "reports/recount.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>

#include "base/accuracy.h"
#include "base/error.h"
#include "base/parse_number.h"
#include "base/safetensors_file.h"
#include "reports/prediction_files.h"
#include "reports/read_database.h"

namespace remixer::reports {

namespace {

namespace fs = std::filesystem;

// i of "blocks.<i>.remixer.kappa" or "kappa.<i>".
std::optional<size_t> block_of(std::string_view name, std::string_view before,
                               std::string_view after) {
  if (!name.starts_with(before) || !name.ends_with(after)) return std::nullopt;
  if (name.size() < before.size() + after.size()) return std::nullopt;
  return parse_number<size_t>(
      name.substr(before.size(), name.size() - before.size() - after.size()));
}

std::vector<double> in_order(const std::map<size_t, double>& by_block) {
  std::vector<double> values;
  for (const auto& [block, value] : by_block) values.push_back(value);
  return values;
}

std::vector<double> kappa_of_checkpoint(const fs::path& path) {
  const SafetensorsFile file(path);
  std::map<size_t, double> kappa;
  for (const TensorEntry& entry : file.entries()) {
    const auto block = block_of(entry.name, "blocks.", ".remixer.kappa");
    if (!block) continue;
    if (entry.elements() != 1) fail_input("{}: '{}' is no one number", path.string(), entry.name);
    kappa[*block] = file.floats(entry.name).front();
  }
  return in_order(kappa);
}

// The values that the finished training reported for its last step.
std::vector<double> recorded_kappa(SQLite::Database& database, const std::string& task) {
  SQLite::Statement query(
      database,
      "SELECT m.name, m.value, max(m.step) FROM metric m JOIN attempt a ON a.fence = m.fence "
      "JOIN task t ON t.number = a.task WHERE t.id = ? AND a.state = 'done' AND "
      "m.name GLOB 'kappa.[0-9]*' AND m.value IS NOT NULL GROUP BY m.name");
  query.bind(1, task);
  std::map<size_t, double> kappa;
  while (query.executeStep()) {
    const auto block = block_of(query.getColumn(0).getString(), "kappa.", "");
    if (block) kappa[*block] = query.getColumn(1).getDouble();
  }
  return in_order(kappa);
}

class Recounter {
 public:
  Recounter(const Study& study, const fs::path& database, const fs::path& workspace)
      : database_(open_for_reading(database)), workspace_(workspace), files_(workspace) {
    result_.study = study;
  }

  Recount run() {
    for (StudyCell& cell : result_.study.cells) {
      for (Evaluation& evaluation : cell.evaluations) count_again(cell, evaluation);
      if (!cell.kappa.empty()) read_kappa_again(cell);
    }
    return std::move(result_);
  }

 private:
  void count_again(const StudyCell& cell, Evaluation& evaluation) {
    if (evaluation.figures.empty()) return;
    const auto stated = std::exchange(evaluation.figures, {});
    try {
      const PredictionsFile file = files_.read_checked(cell, evaluation);
      ++(files_.is_packed(evaluation.predictions) ? result_.packed : result_.predictions);
      for (const auto& [weights, predictions] : file.by_weights) {
        for (const PredictionFigure& figure : figures(predictions, file.truth)) {
          // Only figures that the database has: what a table lacks stays missing here too.
          if (stated.contains({weights, figure.metric})) {
            evaluation.figures[{weights, figure.metric}] = {figure.value, figure.n};
          }
        }
      }
      if (evaluation.figures.size() < stated.size()) {
        fail_input("{}: lacks what some of the figures are counted from", evaluation.predictions);
      }
    } catch (const Error& error) {
      result_.trouble[evaluation.task_id] = error.what();
    }
  }

  void read_kappa_again(StudyCell& cell) {
    try {
      std::error_code none;
      if (!cell.model.empty() && fs::exists(workspace_ / cell.model, none)) {
        cell.kappa = kappa_of_checkpoint(workspace_ / cell.model);
        ++result_.checkpoints;
        return;
      }
      cell.kappa = recorded_kappa(*database_, cell.train_task);
      if (cell.kappa.empty()) {
        fail_input("neither its checkpoint {} nor a recorded κ is there", cell.model);
      }
      result_.without_checkpoint.push_back(cell.id);
    } catch (const Error& error) {
      cell.kappa.clear();
      result_.trouble[cell.train_task] = error.what();
    }
  }

  std::unique_ptr<SQLite::Database> database_;
  const fs::path& workspace_;
  PredictionFiles files_;
  Recount result_;
};

}  // namespace

Recount recount(const Study& study, const fs::path& database, const fs::path& workspace) {
  try {
    return Recounter(study, database, workspace).run();
  } catch (const SQLite::Exception& error) {
    fail("{}: cannot read the database: {}", database.string(), error.what());
  }
}

}  // namespace remixer::reports
