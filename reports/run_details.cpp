// SPDX-License-Identifier: Apache-2.0
#include "reports/run_details.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "experiments/spec/task_result.h"

namespace remixer::reports {

namespace {

namespace fs = std::filesystem;

std::string column_text(SQLite::Statement& query, int column) {
  return query.getColumn(column).isNull() ? std::string() : query.getColumn(column).getString();
}

std::string member(const Json& object, const std::string& field) {
  if (!object.is_object()) return "";
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class DetailsReader {
 public:
  DetailsReader(const fs::path& database, const fs::path& workspace)
      : database_(database, SQLite::OPEN_READONLY, 5000),
        workspace_(workspace),
        identity_(database_, "SELECT identity FROM cell WHERE id = ?"),
        tasks_(database_,
               "SELECT t.number, t.id, t.kind, t.spec, t.result, "
               "(SELECT count(*) FROM attempt a WHERE a.task = t.number) FROM task t "
               "JOIN cell c ON c.number = t.cell WHERE c.id = ? AND t.state = 'done' "
               "ORDER BY t.place, t.number"),
        attempt_(database_,
                 "SELECT w.host, w.device, w.version, a.started, a.ended FROM attempt a "
                 "JOIN worker w ON w.id = a.worker_id WHERE a.task = ? AND a.state = 'done' "
                 "ORDER BY a.fence DESC LIMIT 1"),
        // If a step was trained twice, after a crash, the later attempt's value counts.
        curve_(database_,
               "SELECT m.step, m.epoch, m.value FROM metric m JOIN attempt a "
               "ON a.fence = m.fence JOIN task t ON t.number = a.task "
               "WHERE t.id = ? AND m.name = ? AND m.value IS NOT NULL ORDER BY m.step, m.fence") {}

  CellDetails read(const StudyCell& cell) {
    CellDetails details;
    details.cell_id = cell.id;
    details.name = cell.name.whole();
    details.labels = cell.is_remixer ? cell.labels.label : "";
    details.seed = cell.seed;
    identity_.reset();
    identity_.bind(1, cell.id);
    if (identity_.executeStep()) {
      const Json spec = Json::parse(column_text(identity_, 0), nullptr, /*allow_exceptions=*/false);
      if (!spec.is_discarded()) details.spec = spec.dump(2);
    }
    tasks_.reset();
    tasks_.bind(1, cell.id);
    while (tasks_.executeStep()) details.runs.push_back(run());
    details.loss = curve(cell.train_task, "loss");
    details.hold_out = curve(cell.train_task, "hold_out.top1");
    return details;
  }

 private:
  // Its file and hash, from its result.
  static void find_file(const std::string& result, RunDetails& run) {
    if (run.kind == "train") {
      if (const auto trained = experiments::stored_result<experiments::TrainResult>(result)) {
        run.file = trained->model, run.sha256 = trained->model_sha256;
      }
    } else if (run.kind == "evaluate") {
      if (const auto evaluated = experiments::stored_result<experiments::EvaluateResult>(result)) {
        run.file = evaluated->predictions, run.sha256 = evaluated->predictions_sha256;
      }
    } else if (const auto drawn = experiments::stored_result<experiments::SaliencyResult>(result)) {
      run.file = drawn->saliency, run.sha256 = drawn->saliency_sha256;
    }
  }

  RunDetails run() {
    RunDetails run;
    run.task_id = column_text(tasks_, 1);
    run.kind = column_text(tasks_, 2);
    run.set = member(Json::parse(column_text(tasks_, 3), nullptr, false), "eval_set");
    find_file(column_text(tasks_, 4), run);
    std::error_code none;
    run.kept = !run.file.empty() && fs::exists(workspace_ / run.file, none);
    run.attempts = tasks_.getColumn(5).getInt64();
    attempt_.reset();
    attempt_.bind(1, tasks_.getColumn(0).getInt64());
    if (attempt_.executeStep()) {
      run.host = column_text(attempt_, 0);
      run.device = column_text(attempt_, 1);
      run.commit = column_text(attempt_, 2);
      run.started = iso_time(attempt_.getColumn(3).getDouble());
      run.ended = attempt_.getColumn(4).isNull() ? "" : iso_time(attempt_.getColumn(4).getDouble());
    }
    return run;
  }

  std::vector<CurvePoint> curve(const std::string& task, const char* name) {
    std::map<int64_t, CurvePoint> points;
    curve_.reset();
    curve_.bind(1, task);
    curve_.bind(2, name);
    while (curve_.executeStep()) {
      points[curve_.getColumn(0).getInt64()] = {curve_.getColumn(1).getDouble(),
                                                curve_.getColumn(2).getDouble()};
    }
    std::vector<CurvePoint> curve;
    for (const auto& [step, point] : points) curve.push_back(point);
    return curve;
  }

  SQLite::Database database_;
  const fs::path& workspace_;
  SQLite::Statement identity_, tasks_, attempt_, curve_;
};

}  // namespace

std::vector<CellDetails> read_run_details(const Study& study, const std::set<std::string>& wanted,
                                          const fs::path& database, const fs::path& workspace) {
  try {
    DetailsReader reader(database, workspace);
    std::vector<CellDetails> all;
    for (const StudyCell& cell : study.cells) {
      if (wanted.contains(cell.id)) all.push_back(reader.read(cell));
    }
    return all;
  } catch (const SQLite::Exception& error) {
    fail("{}: cannot read the database: {}", database.string(), error.what());
  }
}

}  // namespace remixer::reports
