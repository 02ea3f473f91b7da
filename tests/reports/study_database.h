// A database with the tables that reports read, filled by hand.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace remixer::reports {

class StudyDatabase {
 public:
  StudyDatabase();
  ~StudyDatabase();

  std::filesystem::path file() const { return folder_ / "remixer.db"; }
  const std::filesystem::path& folder() const { return folder_; }
  SQLite::Database& connection() { return *connection_; }

  // What follows belongs to this grid.
  void begin_grid(const std::string& name);

  struct CellSpec {
    std::string architecture = "deit_nano_patch4_32", labeler = "none", spatial_prior = "none";
    int64_t seed = 0;
    std::string train_set = "fashion-bg", recipe = "quickstart", precision = "fp32";
    std::string other = "";  // what else tells its identity from another's
  };
  // Adds the cell and its train task; returns the cell's id.
  std::string add_cell(const CellSpec& spec, const std::string& train_state = "done");
  // Adds the task that evaluates `cell` on `set`, without figures.
  void add_evaluate_task(const std::string& cell, const std::string& set, const std::string& state);
  // Adds a done evaluate task and its top1.
  void add_figure(const std::string& cell, const std::string& set, double value, int64_t n = 1000,
                  const std::string& weights = "raw");
  // The Background Challenge's five sets: Original, Only-BG-B, Only-BG-T, Mixed-Same, Mixed-Rand.
  void add_challenge(const std::string& cell, const std::vector<double>& values, int64_t n = 1000,
                     const std::string& weights = "raw");
  // One training attempt of a cell, and its κ as last reported.
  void add_training(const std::string& cell, int64_t attempt, const std::string& state,
                    const std::string& started, const std::string& ended,
                    const std::vector<double>& kappa);

 private:
  std::string identity_of(const std::string& cell);
  void add_task(const std::string& id, const std::string& kind, const std::string& cell,
                const std::string& state);

  std::filesystem::path folder_;
  std::unique_ptr<SQLite::Database> connection_;
  int64_t grid_id_ = 0;
  std::string grid_;
  int position_ = 0;
};

}  // namespace remixer::reports
