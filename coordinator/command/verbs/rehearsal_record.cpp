// SPDX-License-Identifier: Apache-2.0
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "coordinator/command/verbs/rehearse.h"
#include "coordinator/daemon/workspace.h"
#include "experiments/outlook/rehearsal.h"
#include "experiments/spec/task_result.h"
#include "experiments/spec/task_spec.h"

namespace remixer::coordinator::command {
namespace {

constexpr const char* kWarning =
    "REHEARSAL: made-up data and two steps of training; no figure here means anything.";
// Fewer images would measure loading the network rather than running it.
constexpr int64_t kEnoughImages = 64;

// Training steps, one row per model; the slowest of its seeds.
Json training_rows(SQLite::Database& database, const experiments::Machine& machine) {
  SQLite::Statement query(database,
                          "SELECT c.architecture, c.spatial_prior, c.identity, "
                          "max(CASE m.name WHEN 'system.step_ms' THEN m.value END), "
                          "max(CASE m.name WHEN 'system.process_gib' THEN m.value END), "
                          "max(CASE m.name WHEN 'system.gpu_memory_percent' THEN m.value END), "
                          "max(e.ranks), max(json_extract(e.environment, '$.threads_per_rank')) "
                          "FROM grid_tasks g JOIN cells c ON c.cell_id = g.cell_id "
                          "JOIN metrics m ON m.task_id = g.task_id "
                          "JOIN environments e ON e.task_id = g.task_id AND e.attempt = m.attempt "
                          "WHERE g.kind = 'train' GROUP BY c.cell_id ORDER BY min(g.position)");
  Json rows = Json::array();
  while (query.executeStep()) {
    if (query.isColumnNull(3)) continue;
    const Json identity = Json::parse(query.getColumn(2).getString());
    const bool masked = !identity.at("labeler").is_null() && identity.at("distance") != "none";
    const Json& recipe = identity.at("recipe");
    const double batch = recipe.at("shards").get<double>() * recipe.at("shard_size").get<double>();
    const double milliseconds = query.getColumn(3).getDouble();
    const double units = machine.gpu ? query.getColumn(6).getDouble()
                                     : query.getColumn(6).getDouble() *
                                           std::max(1.0, query.getColumn(7).getDouble());
    Json row = {{"architecture", query.getColumn(0).getString()},
                {"spatial_prior", query.getColumn(1).getString()},
                {"labels", masked ? identity.at("distance").get<std::string>() : "none"},
                {"precision", identity.value("precision", std::string("fp32"))},
                {"batch", batch},
                {"ms_a_step", milliseconds},
                {"images_a_second", 1000 * batch / milliseconds},
                {"units", units},
                {"peak_memory_gib", query.getColumn(4).getDouble()}};
    if (!query.isColumnNull(5)) row["gpu_memory_percent"] = query.getColumn(5).getDouble();
    rows.push_back(std::move(row));
  }
  return rows;
}

// Labelling by labeler.
Json labelling_rows(SQLite::Database& database, const fs::path& scratch,
                    const experiments::Machine& machine, const std::map<std::string, bool>& whole) {
  SQLite::Statement query(
      database,
      "SELECT g.title, t.spec, t.result FROM grid_tasks g JOIN task t ON t.id = "
      "g.task_id WHERE g.kind = 'label' AND t.result IS NOT NULL");
  struct Sum {
    experiments::LabelerSpec labeler;
    int64_t files = 0, images = 0, bytes = 0;
    double seconds = 0;
  };
  std::map<std::string, Sum> sums;
  while (query.executeStep()) {
    const std::string title = query.getColumn(0);
    const std::string name = title.substr(title.rfind("· ") + std::string("· ").size());
    const Json spec = Json::parse(query.getColumn(1).getString());
    const auto result = experiments::task_result<experiments::LabelResult>(
        Json::parse(query.getColumn(2).getString()));
    Sum& sum = sums[name];
    sum.labeler = experiments::label_spec(spec).labeler;
    ++sum.files;
    sum.images += result.images;
    sum.seconds += result.seconds;
    std::error_code none;
    const auto size = fs::file_size(scratch / result.file, none);
    if (!none) sum.bytes += static_cast<int64_t>(size);
  }
  Json list = Json::array();
  for (const auto& [name, sum] : sums) {
    const auto images = static_cast<double>(sum.images);
    const auto real = whole.find(name);
    // A GPU takes longer to begin than for so few images.
    const bool too_few = images < kEnoughImages || (machine.gpu && sum.labeler.has_weights());
    list.push_back({{"name", name},
                    {"labeler", sum.labeler.name},
                    {"files", sum.files},
                    {"images", sum.images},
                    {"seconds", sum.seconds},
                    {"units", machine.processors},
                    {"images_a_second", images / std::max(1e-9, sum.seconds)},
                    {"bytes_an_image", static_cast<double>(sum.bytes) / std::max(1.0, images)},
                    {"whole", (real == whole.end() || real->second) && !too_few}});
  }
  return list;
}

}  // namespace

Json rehearsal_record(const fs::path& scratch, const std::string& grid,
                      const experiments::Machine& machine,
                      const std::map<std::string, bool>& whole) {
  SQLite::Database database(database_file(scratch).string(), SQLite::OPEN_READONLY, 5000);
  return {{"grid", grid},
          {"made", iso_time(system_clock().wall())},
          {"gpu", machine.gpu},
          {"model", machine.model},
          {"training", training_rows(database, machine)},
          {"labelling", labelling_rows(database, scratch, machine, whole)}};
}

void mark_report(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  for (const fs::path& file : files) {
    const std::string extension = file.extension().string();
    std::string text;
    if (extension == ".md") {
      text = fmt::format("> **{}**\n\n{}", kWarning, read_file(file));
    } else if (extension == ".tex") {
      text = fmt::format("% {}\n{}", kWarning, read_file(file));
    } else if (extension == ".html") {
      text = read_file(file);
      const size_t body = text.find("<body");
      const size_t end = body == text.npos ? text.npos : text.find('>', body);
      const std::string banner = fmt::format(
          "<p role=\"alert\" style=\"margin:0;padding:1em;background:#b00020;color:#fff;"
          "font:bold 1.1em sans-serif\">{}</p>",
          kWarning);
      text.insert(end == text.npos ? 0 : end + 1, banner);
    } else if (extension == ".json") {
      auto records = nlohmann::ordered_json::parse(read_file(file));
      for (auto& record : records) record["note"] = kWarning;
      text = records.dump(1) + "\n";
    } else if (extension == ".svg") {
      text = read_file(file);
      text.insert(text.rfind("</svg>"),
                  fmt::format("<text x=\"50%\" y=\"50%\" text-anchor=\"middle\" font-size=\"40\" "
                              "fill=\"#b00020\" opacity=\"0.4\">{}</text>",
                              experiments::kRehearsal));
    } else {
      continue;  // CSV has it in its `recipe` column
    }
    write_file_atomic(file, text);
  }
  write_file_atomic(folder / "REHEARSAL.txt", std::string(kWarning) + "\n");
}

}  // namespace remixer::coordinator::command
