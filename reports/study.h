// What the database says of one grid, read in one go.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace remixer::reports {

struct StudyCell {
  std::string id, architecture, spatial_prior, labeler, train_set, recipe, precision;
  int64_t seed = 0;
  std::string identity;  // JSON
};

struct StudyFigure {
  double value = 0;  // percent
  int64_t n = 0;     // images
};

struct StudyTask {
  std::string kind, cell_id, state;
};

struct Study {
  std::string grid;
  int64_t grid_id = 0;
  std::vector<StudyCell> cells;                    // in the grid's order
  std::map<std::string, StudyTask> tasks;          // the grid's, by task id
  std::map<std::string, std::string> train_state;  // of the train task, by cell id
  // By (cell id, weights, evaluation set, metric). All of the cells' figures, those that another
  // grid asked for included.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, StudyFigure> figures;
  std::map<std::string, std::vector<double>> kappa;  // by cell id; last values of the done training
  double train_seconds = 0;
};

// Throws InputError: no file, not such a database, no such grid.
Study read_study(const std::filesystem::path& database, const std::string& grid);

// The id of the task that evaluates a cell, given by its identity, on a set.
std::string evaluate_task_id(const std::string& identity, const std::string& eval_set);

}  // namespace remixer::reports
