// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/dashboard_reports.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/installation.h"
#include "coordinator/daemon/workspace.h"
#include "reports/read_database.h"
#include "reports/report.h"
#include "reports/shown_report.h"

namespace remixer::coordinator::command {
namespace {

namespace fs = std::filesystem;

// The tasks of `kinds` of a grid's cells and when the last of them ended, whichever grid requested
// them. If this is unchanged, reports made from it are still current.
std::string state_of(const fs::path& database, int64_t grid, const std::string& kinds) {
  const auto opened = reports::open_for_reading(database);
  SQLite::Statement rows(*opened,
                         "SELECT state, count(*), max(settled) FROM task WHERE cell IN (SELECT cell"
                         " FROM grid_cell WHERE grid_id = ?) AND kind IN (" +
                             kinds + ") GROUP BY state ORDER BY state");
  rows.bind(1, grid);
  std::string state;
  while (rows.executeStep()) {
    state += fmt::format("{} {} {};", rows.getColumn(0).getString(), rows.getColumn(1).getInt64(),
                         rows.getColumn(2).getDouble());
  }
  return state;
}

// Draws the pictures of one grid at a time.
class DrawnPictures {
 public:
  struct Drawn {
    std::string state;  // of the saliency tasks shown in them
    reports::Pictures pictures;
  };
  struct Look {
    bool drawing = false;
    std::shared_ptr<const Drawn> drawn;  // null: none yet
  };

  explicit DrawnPictures(fs::path workspace) : workspace_(std::move(workspace)) {}
  ~DrawnPictures() {
    if (thread_.joinable()) thread_.join();
  }
  DrawnPictures(const DrawnPictures&) = delete;
  DrawnPictures& operator=(const DrawnPictures&) = delete;

  Look look(int64_t grid) {
    const std::string state = state_of(database_file(workspace_), grid, "'saliency'");
    std::lock_guard lock(mutex_);
    Look look;
    if (const auto found = drawn_.find(grid); found != drawn_.end()) look.drawn = found->second;
    if (look.drawn && look.drawn->state == state) return look;
    look.drawing = true;
    if (busy_) return look;
    if (thread_.joinable()) thread_.join();
    busy_ = true;
    thread_ = std::thread([this, grid, state] { draw(grid, state); });
    return look;
  }

 private:
  void draw(int64_t grid, const std::string& state) {
    auto drawn = std::make_shared<Drawn>();
    drawn->state = state;
    try {
      const fs::path database = database_file(workspace_);
      const reports::Study study =
          reports::read_study(database, {std::to_string(grid)}, workspace_);
      drawn->pictures =
          reports::make_pictures(study, database, workspace_, program_folder() / "remixer-tools");
    } catch (const std::exception& error) {
      drawn->pictures.left_out = {fmt::format("Table 4: not drawn: {}", error.what())};
    }
    std::lock_guard lock(mutex_);
    drawn_[grid] = std::move(drawn);
    busy_ = false;
  }

  const fs::path workspace_;
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<const Drawn>> drawn_;
  bool busy_ = false;
  std::thread thread_;
};

class DashboardReports {
 public:
  explicit DashboardReports(const fs::path& workspace)
      : workspace_(fs::absolute(workspace)), pictures_(workspace_) {}

  Json tables(int64_t grid, bool paper) {
    const fs::path database = database_file(workspace_);
    const std::string state = state_of(database, grid, "'train', 'evaluate'");
    std::lock_guard lock(mutex_);
    Made& made = made_[{grid, paper}];
    if (made.state != state || made.tables.is_null()) {
      reports::ReportRequest request = request_for(grid);
      request.paper = paper;
      made = {state, reports::shown_report(reports::make_report(database, request))};
    }
    return made.tables;
  }

  Json pictures(int64_t grid) {
    const DrawnPictures::Look look = pictures_.look(grid);
    Json answer = {
        {"drawing", look.drawing}, {"pictures", Json::array()}, {"left_out", Json::array()}};
    if (!look.drawn) return answer;
    answer["pictures"] = reports::shown_pictures(look.drawn->pictures.pictures);
    answer["left_out"] = look.drawn->pictures.left_out;
    return answer;
  }

  std::string page(int64_t grid) {
    reports::ReportRequest request = request_for(grid);
    request.details = true;
    reports::Report report = reports::make_report(database_file(workspace_), request);
    if (const auto drawn = pictures_.look(grid).drawn) {
      report.pictures = drawn->pictures.pictures;
      report.left_out.insert(report.left_out.end(), drawn->pictures.left_out.begin(),
                             drawn->pictures.left_out.end());
    }
    return reports::to_html(report);
  }

 private:
  struct Made {
    std::string state;
    Json tables;
  };

  reports::ReportRequest request_for(int64_t grid) const {
    reports::ReportRequest request;
    request.grids = {std::to_string(grid)};
    request.workspace = workspace_;
    return request;
  }

  const fs::path workspace_;
  std::mutex mutex_;
  std::map<std::pair<int64_t, bool>, Made> made_;
  DrawnPictures pictures_;
};

}  // namespace

ReportSource dashboard_reports(const fs::path& workspace) {
  const auto made = std::make_shared<DashboardReports>(workspace);
  return {[made](int64_t grid, bool paper) { return made->tables(grid, paper); },
          [made](int64_t grid) { return made->pictures(grid); },
          [made](int64_t grid) { return made->page(grid); }};
}

}  // namespace remixer::coordinator::command
