// SPDX-License-Identifier: Apache-2.0
// A database as the daemon makes it, filled by hand.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/temporary_folder.h"

namespace remixer::reports {

class StudyDatabase {
 public:
  StudyDatabase();
  ~StudyDatabase();

  // In its workspace.
  std::filesystem::path file() const { return folder() / "remixer.db"; }
  const std::filesystem::path& folder() const { return scratch_.path(); }
  SQLite::Database& connection() { return *connection_; }

  // What follows belongs to this grid.
  void begin_grid(const std::string& name);

  struct CellSpec {
    std::string architecture = "deit_nano_patch4_32";
    std::string labeler = "none";  // as the grid calls it
    std::string spatial_prior = "none";
    int64_t seed = 0;
    std::string train_set = "fashion-bg", recipe = "quickstart", precision = "fp32";
    std::string kind = "";        // of labeler; empty: `labeler`
    std::string distance = "l1";  // "none": a plain model that was trained on labels
    std::string token_labeling = "none";
    std::string builder = "fashion-bg";  // of the training set
    std::string other = "";              // what else tells its identity from another's
  };
  // Adds the cell and its train task, with κ by block; returns the cell's id. A cell that is there
  // joins the grid.
  std::string add_cell(const CellSpec& spec, const std::string& train_state = "done",
                       const std::vector<double>& kappa = {});

  // An evaluation set: of the cell's own data set, or a split of another.
  struct Set {
    Set(const char* name) : name(name) {}
    Set(const std::string& name) : name(name) {}
    Set(const std::string& name, const std::string& split, const Json& dataset)
        : name(name), split(split), dataset(dataset) {}
    // The cell's own set, its images seen as the released code sees them.
    static Set released(const std::string& split) {
      Set set(split + "@released", split, nullptr);
      set.transform = "released";
      return set;
    }
    std::string name, split;
    Json dataset;           // null: the cell's own
    std::string transform;  // empty: images as they are
  };
  // Adds the task that evaluates `cell` on `set`, without figures; returns its id.
  std::string add_evaluate_task(const std::string& cell, const Set& set, const std::string& state);
  // Adds a done evaluate task, if it is not there, and its top1.
  void add_figure(const std::string& cell, const Set& set, double value, int64_t n = 1000,
                  const std::string& weights = "raw");
  // Original, Only-BG-B, Only-FG, Mixed-Same, Mixed-Rand, as many as there are values.
  void add_challenge(const std::string& cell, const std::vector<double>& values, int64_t n = 1000,
                     const std::string& weights = "raw");
  // The manifest of a data set that was imported as a published kind; returns its entry.
  Json import_dataset(const std::string& name, const std::string& kind,
                      const std::map<std::string, int64_t>& splits);
  // The time at which what follows is done.
  void at(double seconds) { now_ = seconds; }

 private:
  void add_task(const std::string& id, const std::string& kind, const std::string& cell,
                const std::string& state, const Json& spec, const Json& result);

  TemporaryFolder scratch_{"reports"};
  std::unique_ptr<SQLite::Database> connection_;
  int64_t grid_id_ = 0;
  int position_ = 0;
  double now_ = 1.7e9;
};

}  // namespace remixer::reports
